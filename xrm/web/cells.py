"""Cells: the HTML of one value, compiled from its field.

A cell is made once per field, locale and use, and then called with each row: ``cell(row, today)``. Everything stored is
escaped here and isolated from the direction of the text around it (``bdi``, ``dir=auto``), so what a cell returns is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Literal
from urllib.parse import quote

import msgspec
from markupsafe import escape as escape_markup

from xrm.expr.places import polygons
from xrm.model.addresses import lines, part_of
from xrm.model.application import Application
from xrm.model.contents import CONTENTS, UNKNOWN, size_text
from xrm.model.entity import Entity
from xrm.model.fields import ENTITY, MONEY_PLACES, TARGET, Field, Text
from xrm.model.moments import counted
from xrm.model.rows import row_entity
from xrm.web.display import Display, phone
from xrm.web.markdown import rendered

Row = Mapping[str, object]
Cell = Callable[[Row, date], str]
Writing = Callable[[object], str]
Use = Literal["list", "detail"]

NONE = {"list": '<span class="none">–</span>', "detail": '<span class="none">Not given</span>'}


@dataclass(frozen=True, eq=False, slots=True)
class Tongue:
    """An application in one locale: its labels, its values, and where its records are."""

    application: Application
    locale: str
    display: Display
    root: str = "/w"

    def words(self, text: Text | None) -> str:
        return self.application.words(text, self.locale) if text else ""

    def url(self, entity: str, *rest: str) -> str:
        return "/".join((self.root, entity, *(quote(part, safe="") for part in rest)))


@dataclass(frozen=True, slots=True)
class Badges:
    """What a choice or state looks like: its label, its tone, by stored name."""

    labels: Mapping[str, str]
    tones: Mapping[str, str | None]


def escape(value: object) -> str:
    """Stored text as HTML. Most of it needs nothing done, which is quicker to see than to do."""
    text = str(value)
    if "&" in text or "<" in text or ">" in text or '"' in text or "'" in text:
        return str(escape_markup(text))
    return text


# ------------------------------------------------------------------ value as text


def plain(tongue: Tongue, entity: Entity, field: Field) -> Writing:
    """A value of the field as text, without markup: for messages, history and page titles. None is empty."""
    display = tongue.display
    writings: dict[str, Writing] = {
        "integer": lambda value: _with_unit(display.number(_int(value), 0), field),
        "decimal": lambda value: _with_unit(display.number(_decimal(value), field.places), field),
        "money": lambda value: money(tongue, field, value, field.currency),
        "boolean": lambda value: "Yes" if value else "No",
        "percent": lambda value: display.percent(_decimal(value), field.places),
        "time": lambda value: clock(display, value),
        "duration": lambda value: _length(display, field, value),
        "date": lambda value: display.day(value) if isinstance(value, date) else str(value),
        "datetime": lambda value: display.instant(value) if isinstance(value, datetime) else str(value),
        "phone": lambda value: phone(str(value)),
        "file": file_names,
        "image": file_names,
        "rows": titles_in if field.each else number_of_rows,
        "address": lambda value: ", ".join(lines(value)) if isinstance(value, Mapping) else str(value),
        "area": area_words,
        "json": lambda value: msgspec.json.encode(value).decode(),
    }
    badges = badges_of(tongue, entity, field)
    if badges:
        labels = badges.labels
        one: Writing = lambda value: labels.get(str(value), str(value))  # noqa: E731
        write = _listed(one) if field.many else one
    else:
        write = writings.get(field.type, str)
    return lambda value: "" if value is None else write(value)


def number_of_rows(value: object) -> str:
    return f"{len(value)} {'row' if len(value) == 1 else 'rows'}" if isinstance(value, (list, tuple)) else str(value)


def titles_in(value: object) -> str:
    """The titles of the records in a list of links."""
    items = value if isinstance(value, (list, tuple)) else ()
    return ", ".join(str(item.get(f"{TARGET}.title") or "") for item in items if isinstance(item, Mapping))


def file_names(value: object) -> str:
    """The names of files; what was only just uploaded has none here."""
    items = value if isinstance(value, (list, tuple)) else ()
    return ", ".join(str(item.get("name", "a new file")) for item in items if isinstance(item, Mapping))


def area_words(value: object) -> str:
    """An area by its box, south-west and north-east, and how many corners it has."""
    if not isinstance(value, Mapping):
        return str(value)
    corners = [corner for rings in polygons(value) for ring in rings for corner in ring[:-1]]
    lons, lats = [lon for lon, _ in corners], [lat for _, lat in corners]
    return f"{min(lats)}, {min(lons)} \N{EN DASH} {max(lats)}, {max(lons)} ({len(corners)} corners)"


def clock(display: Display, value: object) -> str:
    """A time of the wall clock; seconds are shown where there are any."""
    if not isinstance(value, time):
        return str(value)
    return value.isoformat() if value.second else display.time(value)


def _length(display: Display, field: Field, value: object) -> str:
    if isinstance(value, timedelta):
        return display.length(value)
    return counted(field, value) if isinstance(value, int) and field.unit else str(value)


def _listed(one: Writing) -> Writing:
    return lambda value: ", ".join(one(item) for item in value) if isinstance(value, (tuple, list)) else one(value)


def currency_of(tongue: Tongue, field: Field) -> str | None:
    """The one currency of a field; None where each record has its own."""
    return None if field.currency_from else field.currency or tongue.application.currency


def in_digits(amount: Decimal, code: object) -> Decimal:
    """An amount with the digits of its currency, which may be fewer than it is kept with."""
    return amount.quantize(Decimal(1).scaleb(-MONEY_PLACES.get(str(code), 2)))


def money(tongue: Tongue, field: Field, value: object, code: object) -> str:
    """An amount in a currency. Of one that is not known here the number alone, without the places that it does not use."""
    amount = _decimal(value)
    if not field.currency_from:
        return tongue.display.money(amount, field.currency or tongue.application.currency)
    if isinstance(code, str):
        return tongue.display.money(in_digits(amount, code), code)
    used = -int(amount.normalize().as_tuple().exponent)
    return tongue.display.number(amount, max(0, min(field.places, used)))


def badges_of(tongue: Tongue, entity: Entity, field: Field) -> Badges | None:
    if field.name == "state" and field.system and entity.lifecycle:
        states = entity.lifecycle.states.values()
        return Badges({s.name: tongue.words(s.label) for s in states}, {s.name: s.tone for s in states})
    if field.type == "choice":
        return Badges({o.name: tongue.words(o.label) for o in field.options}, {o.name: o.tone for o in field.options})
    return None


def _with_unit(number: str, field: Field) -> str:
    return f"{number}\u00a0{field.unit}" if field.unit else number


def _int(value: object) -> int:
    return value if isinstance(value, int) else int(str(value))


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


# ------------------------------------------------------------------ value as HTML


def cell(tongue: Tongue, entity: Entity, path: str, use: Use = "detail") -> Cell:
    """The cell of a path (``category.title`` follows a link). Raises KeyError where the path leads nowhere."""
    owner, field = _end(tongue.application, entity, path)
    none = NONE[use]
    if is_link(field):
        return _link_cell(tongue, field, path, use)
    if field.type == "datetime":
        return _instant_cell(tongue, path, use)
    if field.currency_from:
        return _money_cell(tongue, field, path, use)
    if field.kind.kept == "files" and use == "detail" and "." not in path:
        return _files_cell(partial(_of_record, tongue.url(entity.name), path), path)
    if field.each:
        return _links_cell(tongue, field.each, path, use)
    if field.type == "rows":
        return rows_cell(tongue, owner, field, path, use)
    write = _writing(tongue, owner, field, use)

    def value_cell(row: Row, today: date) -> str:
        value = row.get(path)
        return none if value is None else write(value)

    return value_cell


def _money_cell(tongue: Tongue, field: Field, path: str, use: Use) -> Cell:
    """An amount in the currency that its record names."""
    code, none = path.removesuffix(field.name) + (field.currency_from or ""), NONE[use]

    def money_cell(row: Row, today: date) -> str:
        value = row.get(path)
        return none if value is None else escape(money(tongue, field, value, row.get(code)))

    return money_cell


def rows_cell(tongue: Tongue, entity: Entity, field: Field, path: str, use: Use) -> Cell:
    """The rows of a field: a table of them, or in a list how many there are. A column that these roles may not see is not there."""
    none, rows = NONE[use], row_entity(entity, field)
    heads = {name: (tongue.words(inner.label), "num" if inner.kind.number else "") for name, inner in field.rows.items()}
    cells = {name: cell(tongue, rows, name) for name in field.rows}
    root = tongue.url(entity.name)
    cells |= {
        name: _files_cell(partial(_of_row, root, f"{field.name}.{name}"), name)
        for name, inner in field.rows.items()
        if inner.kind.kept == "files"
    }
    label = escape(tongue.words(field.label))

    def counted(row: Row, today: date) -> str:
        found = row.get(path)
        count = len(found) if isinstance(found, tuple) else 0
        return f"{count} {'row' if count == 1 else 'rows'}" if count else none

    def written(row: Row, today: date) -> str:
        found = row.get(path)
        if not isinstance(found, tuple) or not found:
            return none
        seen = [name for name in heads if name in found[0]]
        head = "".join(f'<th scope="col" class="{heads[name][1]}">{escape(heads[name][0])}</th>' for name in seen)
        own = row.get("id")
        body = "".join(f"<tr>{_row_cells({**one, HOLDER: own}, seen, heads, cells, today)}</tr>" for one in found)
        return (
            f'<div class="rows-box" role="region" aria-label="{label}" tabindex="0"><table class="rows">'
            f'<caption class="vh">{label}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    return counted if use == "list" else written


def _row_cells(row: Row, seen: Sequence[str], heads: Mapping[str, tuple[str, str]], cells: Mapping[str, Cell], today: date) -> str:
    return "".join(f'<td class="{heads[name][1]}" data-label="{escape(heads[name][0])}">{cells[name](row, today)}</td>' for name in seen)


def is_link(field: Field) -> bool:
    """A link to follow: the record's own id, a link to itself in expressions, is none here."""
    return field.type == "link" and bool(field.targets) and not (field.system and field.name == "id")


def _end(application: Application, entity: Entity, path: str) -> tuple[Entity, Field]:
    """The field at the end of a path and the entity it stands in. Of records that link here a list shows how many there are."""
    name, _, rest = path.partition(".")
    field = entity.field(name)
    if field is None and not rest and name in entity.inverses:
        return entity, entity.inverses[name].count
    if field is None:
        raise KeyError(path)
    if not rest:
        return entity, field
    if field.several and rest == ENTITY.name:
        return entity, ENTITY
    if part := part_of(field, rest):
        return entity, part
    if not field.targets:
        raise KeyError(path)
    return _end(application, application.entities[field.targets[0]], rest)


def _writing(tongue: Tongue, entity: Entity, field: Field, use: Use) -> Writing:
    badges = badges_of(tongue, entity, field)
    if badges and not field.many:
        return _badge_writing(badges, always=field.name == "state" and field.system)
    write = plain(tongue, entity, field)
    if field.type == "date":
        return lambda value: f'<time datetime="{value}">{escape(write(value))}</time>'
    if field.kind.number or field.type == "boolean":
        return lambda value: escape(write(value))
    if use == "detail" and field.type in LINKED:
        return LINKED[field.type]
    if field.type in ("phone", "point", "area"):
        return lambda value: f'<bdi dir="ltr">{escape(write(value))}</bdi>'
    if field.kind.kept == "files":
        return lambda value: f"<bdi>{escape(write(value))}</bdi>"
    if field.type == "address":
        return lambda value: f'<span class="post">{_address(value, "<br>")}</span>' if use == "detail" else _address(value, ", ")
    if field.type == "json":
        return lambda value: f'<code class="json">{escape(write(value))}</code>'
    if field.type == "long_text" and use == "detail":
        return lambda value: f'<span class="long" dir="auto">{escape(value)}</span>'
    if field.type == "markdown":
        return rendered if use == "detail" else lambda value: f"<bdi>{escape(value)}</bdi>"
    if field.many or field.type in ("time", "duration"):
        return lambda value: f"<bdi>{escape(write(value))}</bdi>"
    return lambda value: f"<bdi>{escape(value)}</bdi>"


def _address(value: object, between: str) -> str:
    """In a list on one line, in details line by line; each line has its own direction."""
    return between.join(f"<bdi>{escape(line)}</bdi>" for line in lines(value)) if isinstance(value, Mapping) else ""


LINKED: dict[str, Writing] = {
    "email": lambda value: f'<a href="mailto:{escape(quote(str(value), safe="@"))}"><bdi dir="ltr">{escape(value)}</bdi></a>',
    "phone": lambda value: f'<a href="tel:{escape(value)}"><bdi dir="ltr">{escape(phone(str(value)))}</bdi></a>',
    "url": lambda value: _web_address(str(value)),
}


def _web_address(text: str) -> str:
    shown = f'<bdi dir="ltr">{escape(text)}</bdi>'
    safe = text.startswith(("https://", "http://"))
    return f'<a href="{escape(text)}" rel="noopener noreferrer">{shown}</a>' if safe else shown


HOLDER = ""
"""Where a row in hand has the id of its record."""


def _of_record(root: str, name: str, row: Row) -> str:
    """The address of a record's files."""
    return f"{root}/{row['id']}/files/{name}"


def _of_row(root: str, name: str, row: Row) -> str:
    """The same of the files in a row, which are given out through its record."""
    return f"{root}/{row[HOLDER]}/files/{name}"


def _files_cell(address: Callable[[Row], str], name: str) -> Cell:
    """Links to files, images as small ones."""

    def files_cell(row: Row, today: date) -> str:
        files = row.get(name)
        if not isinstance(files, tuple) or not files:
            return NONE["detail"]
        start = address(row)
        return f'<ul class="shots" role="list">{"".join(_file(start, file) for file in files)}</ul>'

    return files_cell


def _file(start: str, file: Mapping[str, object]) -> str:
    shown, url = escape(file["name"]), f"{start}/{file['hash']}"
    image = CONTENTS.get(str(file["type"]), UNKNOWN).kind == "images"
    small = f'<img src="{url}?thumbnail=1" alt="Small view of {shown}" loading="lazy"> ' if image else ""
    size = size_text(int(str(file["size"])))
    return f'<li><a href="{url}">{small}<bdi>{shown}</bdi></a> <span class="muted">{size}</span></li>'


def _badge_writing(badges: Badges, always: bool) -> Writing:
    """The HTML of every option is made here, once; an option with a tone is a badge, as is a state."""
    made: dict[object, str] = {}
    for name, label in badges.labels.items():
        tone = badges.tones.get(name) or ""
        made[name] = f'<span class="badge {tone}">{escape(label)}</span>' if tone or always else escape(label)
    return lambda value: made.get(value) or f"<bdi>{escape(value)}</bdi>"


def _link_cell(tongue: Tongue, field: Field, path: str, use: Use) -> Cell:
    title_key, entity_key, none = f"{path}.title", f"{path}.{ENTITY.name}", NONE[use]
    prefixes = {target: tongue.url(target) for target in field.targets}

    def titled(row: Row, today: date) -> str:
        title = row.get(title_key)
        if title is None:
            return none if row.get(path) is None else '<span class="none">Not visible to you</span>'
        return f"<bdi>{escape(title)}</bdi>"

    def linked(row: Row, today: date) -> str:
        title = row.get(title_key)
        prefix = prefixes.get(field.to or str(row.get(entity_key)))
        if title is None or prefix is None:
            return titled(row, today)
        return f'<a href="{prefix}/{row[path]}"><bdi>{escape(title)}</bdi></a>'

    return titled if use == "list" else linked


def _links_cell(tongue: Tongue, link: Field, path: str, use: Use) -> Cell:
    """A list of links, one after the other."""
    one, none = _link_cell(tongue, link, TARGET, use), NONE[use]

    def links_cell(row: Row, today: date) -> str:
        found = row.get(path)
        if not isinstance(found, tuple) or not found:
            return none
        links = ", ".join(one(each, today) for each in found)
        return f'<span class="each">{links}</span>' if use == "detail" else links

    return links_cell


def _instant_cell(tongue: Tongue, path: str, use: Use) -> Cell:
    display, none = tongue.display, NONE[use]
    near, full = display.near, display.instant

    def instant_cell(row: Row, today: date) -> str:
        value = row.get(path)
        if not isinstance(value, datetime):
            return none
        words = near(value, today) if use == "list" else full(value)
        return f'<time datetime="{value.isoformat()}">{escape(words)}</time>'

    return instant_cell


# -------------------------------------------------------------------------- table


@dataclass(frozen=True, slots=True)
class Column:
    path: str
    label: str
    style: str
    cell: Cell
    sortable: bool


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """The columns of a list, and one function that writes all its rows."""

    columns: tuple[Column, ...]
    write: Callable[[Sequence[Row], date], str]


def table(tongue: Tongue, entity: Entity, paths: Sequence[str], sortable: Callable[[str], bool]) -> Table:
    """Compiled for these columns. The link to the record is on its title, else on the first text, else on the first."""
    fields = [_end(tongue.application, entity, path)[1] for path in paths]
    texts = (p for p, f in zip(paths, fields, strict=True) if f.type == "text" and p != "number" and "." not in p)
    link = "title" if "title" in paths else next(texts, paths[0])
    styles = _styles(paths, fields, link)
    columns = tuple(
        Column(path, column_label(tongue, entity, path), style, cell(tongue, entity, path, "list"), sortable(path))
        for path, style in zip(paths, styles, strict=True)
    )
    return Table(columns, _rows(tongue.url(entity.name), columns, link))


def column_label(tongue: Tongue, entity: Entity, path: str) -> str:
    """``category.title`` is headed by the link's label; ``category.code`` by both."""
    _, field = _end(tongue.application, entity, path)
    if "." not in path:
        return tongue.words(field.label)
    before = column_label(tongue, entity, path.rpartition(".")[0])
    return before if field.name == "title" else f"{before}: {tongue.words(field.label)}"


FULL_COLUMNS = 6
"""Columns past this many give way where the list is narrow."""


def _styles(paths: Sequence[str], fields: Sequence[Field], link: str) -> list[str]:
    """Classes by which the style sheet lays a row out as a card on a phone: subject, state, one date or amount, one more."""
    state = next((p for p, f in zip(paths, fields, strict=True) if f.type == "choice" or p == "state"), None)
    due = next((p for p, f in zip(paths, fields, strict=True) if f.type in ("date", "datetime", "money") and p != link), None)
    given = {"number", link, state, due}
    extra = next((path for path in paths if path not in given), None)
    styles = []
    for index, (path, field) in enumerate(zip(paths, fields, strict=True)):
        role = {extra: "ex", link: "sub", state: "st", due: "due"}.get(path, "idc" if path == "number" else "")
        number = "num" if field.kind.number else ""
        spare = "lo" if index >= FULL_COLUMNS and role not in ("sub", "st") else ""
        styles.append(" ".join(filter(None, (role, number, spare))))
    return styles


def _rows(prefix: str, columns: Sequence[Column], link: str) -> Callable[[Sequence[Row], date], str]:
    cells = [_linked(column.cell, prefix) if column.path == link else column.cell for column in columns]
    starts = [f'<td role="cell" class="{column.style}">' if column.style else '<td role="cell">' for column in columns]
    row_html = '<tr role="row">' + "".join(f"{start.replace('%', '%%')}%s</td>" for start in starts) + "</tr>\n"

    def write(rows: Sequence[Row], today: date) -> str:
        return "".join([row_html % tuple([cell(row, today) for cell in cells]) for row in rows])

    return write


def _linked(inner: Cell, prefix: str) -> Cell:
    return lambda row, today: f'<a href="{prefix}/{row["id"]}">{inner(row, today)}</a>'
