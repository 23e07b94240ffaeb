"""Rows in forms: a table of inputs, as one text that can be compared and carried like the text of any other input.

The text of a rows field is a JSON list with a map for each row: its ``id`` (empty for a new one) and the text of every
input. In the form the inputs are called ``lines.0.item``; buttons called ``do`` say what is to be done to the table
before it is shown again (``lines.add``, ``lines.remove.2``, ``lines.up.2``, ``lines.down.2``), and nothing is saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from xrm.compile.constraints import value_paths
from xrm.errors import Problem
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.rows import rows_of
from xrm.model.values import MOST_FILES, MOST_ROWS
from xrm.service.context import Context
from xrm.web import pages
from xrm.web.cells import is_link
from xrm.web.mirror import Mirror
from xrm.web.row_merging import merged
from xrm.web.screens import Screen
from xrm.web.typed import address_parts, editable, link_of, posted, value_of
from xrm.web.uploads import problems_of

Row = dict[str, str]
"""The texts of one row's inputs, by field, and its ``id``."""
Words = dict[str, str]
"""What combobox inputs show, by the name of the input (``lines.0.article``)."""
PARTS = 2
"""Inputs of one value besides options that are ticked: a link has its id and its words."""
DONE = re.compile(r"([a-z][a-z0-9_]*)\.(?:(add)|(remove|up|down)\.(\d{1,4}))", re.ASCII)


def most_inputs(entity: Entity) -> int:
    """The most inputs of the tables of rows in a form. Rows from before a smaller ``max`` stand in it too, so that is not asked."""
    return MOST_ROWS * sum(1 + sum(map(_most, field.rows.values())) for field in rows_of(entity))


def _most(inner: Field) -> int:
    return PARTS + len(inner.options) + (MOST_FILES if inner.kind.kept == "files" else 0)


def inputs(screen: Screen, field: Field) -> list[Field]:
    """The fields of a row that these roles may write, save those that nobody writes by hand."""
    return [inner for name, inner in field.rows.items() if f"{field.name}.{name}" in screen.policy.editable and inner.readonly is not True]


def text_of(screen: Screen, field: Field, rows: object) -> tuple[str, Words]:
    """The rows of a record as their text, and what the inputs of links show."""
    known = rows if isinstance(rows, (list, tuple)) else ()
    display, fields = screen.tongue.display, inputs(screen, field)
    texts = [{"id": row["id"], **{one.name: editable(display, one, row.get(one.name)) for one in fields}} for row in known]
    links = [one.name for one in fields if is_link(one)]
    words = {f"{field.name}.{n}.{name}": str(row.get(f"{name}.title") or "") for n, row in enumerate(known) for name in links}
    return _text(texts), words


def _text(rows: Sequence[Row]) -> str:
    return msgspec.json.encode(rows).decode() if rows else ""


def rows_in(text: str) -> list[Row]:
    """The rows of a text. One that was tampered with has none."""
    try:
        return msgspec.json.decode(text, type=list[Row]) if text else []
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []


def together(screen: Screen, name: str, base: Mapping[str, str], theirs: Mapping[str, str], mine: Mapping[str, str]) -> str | None:
    """The text of rows that two people changed at once, with what both did; None where they clash, and for a field of no rows."""
    field = screen.entity.fields[name]
    if field.type != "rows" or field.each:
        return None
    made = merged(*(rows_in(texts[name]) for texts in (base, theirs, mine)))
    return None if made is None else _text(made)


@dataclass(frozen=True, slots=True)
class Posted:
    text: str
    words: Words
    problems: tuple[Problem, ...]


def posted_rows(ctx: Context, screen: Screen, field: Field, form: Mapping[str, str]) -> Posted | None:
    """What was sent of a table: None if the form did not have it. New rows in which nobody wrote anything are left out."""
    mark = form.get(field.name)
    if mark is None:
        return None
    if mark.startswith("["):  # carried as it is, over the page that asks what to keep
        return Posted(_text(rows_in(mark)), {}, ())
    untouched = blank(ctx, screen, field)
    rows: list[Row] = []
    words: Words = {}
    problems: list[Problem] = []
    for sent in _sent(field, form):
        row, shown, found = _row(ctx, screen, field, len(rows), sent)
        if row["id"] or any(text != untouched[name] for name, text in row.items()) or any(shown.values()):
            rows.append(row)
            words |= {f"{field.name}.{len(rows) - 1}.{name}": text for name, text in shown.items()}
            problems += found
    return Posted(_text(rows), words, tuple(problems))


def _sent(field: Field, form: Mapping[str, str]) -> list[dict[str, str]]:
    """What was sent of each row, in the order of their numbers, under the names of the fields."""
    found: dict[int, dict[str, str]] = {}
    for name, text in form.items():
        start, _, rest = name.partition(".")
        number, _, own = rest.partition(".")
        if start == field.name and own and number.isdecimal() and len(number) <= 4:
            found.setdefault(int(number), {})[own] = text
    return [found[number] for number in sorted(found)]


def _row(ctx: Context, screen: Screen, field: Field, number: int, sent: Mapping[str, str]) -> tuple[Row, Words, list[Problem]]:
    row: Row = {"id": sent.get("id", "")}
    words: Words = {}
    problems: list[Problem] = []
    for one in inputs(screen, field):
        if is_link(one):
            label = f"{screen.words(field.name)}, row {number + 1}: {screen.rows[field.name].words(one.name)}"
            row[one.name], problem = link_of(ctx, one, label, sent)
            words[one.name] = sent.get(f"{one.name}.text", "")
            problems += [replace(problem, path=(field.name, str(number), one.name))] if problem else []
        else:
            row[one.name] = posted(sent, one) or ""
        if one.kind.kept == "files":
            problems += [replace(problem, path=(field.name, str(number), one.name)) for problem in problems_of(sent, one)]
    return row, words, problems


def blank(ctx: Context, screen: Screen, field: Field) -> Row:
    """A new row: defaults that need nothing else are shown, the others are filled in when the record is saved."""
    display = screen.tongue.display
    compiled = ctx.service.application.entities[screen.entity.name]
    part = next(part for part in compiled.rows if part.field.name == field.name)
    given = {one.name: closure({}, ctx.moment) for one, closure in part.rules.defaults if not _by_rule(one)}
    return {"id": "", **{one.name: editable(display, one, given.get(one.name)) for one in inputs(screen, field)}}


def _by_rule(one: Field) -> bool:
    return any(path.partition(".")[0] != "actor" for path in value_paths(one.default))


def values_of(screen: Screen, field: Field, text: str, now: str = "") -> list[dict[str, object]]:
    """A text as rows for the service. Of a new row only what stands in it is said, so that defaults fill in the rest; of a row
    that stays only what differs from ``now``, since an input may show less than the row holds."""
    display = screen.tongue.display
    found: list[dict[str, object]] = []
    known = {row.get("id"): row for row in rows_in(now)}
    for row in rows_in(text):
        old = known.get(row["id"], {}) if row.get("id") else dict.fromkeys(row, "")
        said = {name: value for name, value in row.items() if name in field.rows and value != old.get(name)}
        values = {name: value_of(display, field.rows[name], value) for name, value in said.items()}
        found.append({**values, "id": row["id"]} if row.get("id") else values)
    return found


def standing_values(screen: Screen, field: Field, text: str, standing: object) -> list[dict[str, object]]:
    """What stands in every row of a form: what was typed, over the row of the record that it is."""
    display = screen.tongue.display
    known = {row["id"]: row for row in standing} if isinstance(standing, (list, tuple)) else {}
    found = []
    for row in rows_in(text):
        typed = {name: value_of(display, field.rows[name], value) for name, value in row.items() if name in field.rows}
        found.append({**known.get(row.get("id", ""), {}), **typed})
    return found


def text_sent(ctx: Context, screen: Screen, field: Field, form: Mapping[str, str]) -> str:
    """The rows of a form as they were sent, each in its place, also those in which nobody wrote anything."""
    return _text([_row(ctx, screen, field, number, sent)[0] for number, sent in enumerate(_sent(field, form))])


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button in a table did: the field, its text and words afterwards, and the id of what takes the focus."""

    name: str
    text: str
    words: Words
    focus: str


def pressed(ctx: Context, screen: Screen, fields: Iterable[Field], form: Mapping[str, str]) -> Pressed | None:
    """None if no button of a table was pressed."""
    found = DONE.fullmatch(form.get("do", ""))
    field = next((one for one in fields if found and one.name == found[1] and one.type == "rows" and not one.each), None)
    if found is None or field is None:
        return None
    rows = [_row(ctx, screen, field, number, sent)[:2] for number, sent in enumerate(_sent(field, form))]
    focus = _do(rows, found[2] or found[3], int(found[4] or 0), field.name, (blank(ctx, screen, field), {}))
    if focus == "new":
        first = next(iter(inputs(screen, field)), None)
        focus = f"f-{field.name}.{len(rows) - 1}.{first.name}" if first else ""
    words = {f"{field.name}.{n}.{name}": text for n, (_, shown) in enumerate(rows) for name, text in shown.items()}
    return Pressed(field.name, _text([row for row, _ in rows]), words, focus or f"f-{field.name}")


def _do(rows: list[tuple[Row, Words]], what: str, at: int, name: str, new: tuple[Row, Words]) -> str:
    """Change the rows as the button says; the id of what takes the focus: the same button where it still is."""
    last = len(rows) - 1
    if what == "add" and len(rows) < MOST_ROWS:
        rows.append(new)
        return "new"
    if what == "remove" and at <= last:
        del rows[at]
        return f"f-{name}-remove-{min(at, last - 1)}" if rows else f"f-{name}-add"
    to = at - 1 if what == "up" else at + 1
    if what in ("up", "down") and 0 <= to <= last and at <= last:
        rows[at], rows[to] = rows[to], rows[at]
        back = "down" if to == 0 else "up" if to == last else what
        return f"f-{name}-{back}-{to}"
    return ""


SAID = "said"
"""The kind of a cell that is text, and no input."""
Make = Callable[[Screen, Field], pages.Input]
"""Makes the input of one field, empty."""


def table(
    screen: Screen,
    field: Field,
    text: str,
    words: Mapping[str, str],
    wrong: Callable[[str], str],
    make: Make,
    focus: str,
    standing: object,
    mirrors: Sequence[Mirror],
    attached: Callable[[str, str], tuple[pages.Attached, ...]],
) -> tuple[tuple[str, ...], tuple[pages.RowInputs, ...]]:
    """The heads of the columns, and the inputs of every row. What may not be written is text: as it is in the rows that stand."""
    inner = screen.rows[field.name]
    known = {row["id"]: row for row in standing} if isinstance(standing, tuple) else {}
    free = inputs(screen, field)
    columns = [one for name, one in field.rows.items() if one in free or (known and screen.policy.sees(f"{field.name}.{name}"))]
    made = [make(inner, one) if one in free else _said(inner, one) for one in columns]
    source = f"{screen.url}/options?field={field.name}."

    def cell(n: int, row: Row, one: pages.Input) -> pages.Input:
        name = f"{field.name}.{n}.{one.name}"
        if one.kind == SAID:
            return replace(one, name=name, value=_words(inner, field.rows[one.name], known.get(row.get("id", ""), {})), error=wrong(name))
        made = _filled(one, name, row.get(one.name, ""), words, wrong, f"{source}{one.name}", focus)
        if one.kind == "files":
            made = replace(made, files=attached(name, made.value), source=one.source)
        return _reflected(made, one.name, mirrors[n]) if n < len(mirrors) else made

    rows = tuple(
        pages.RowInputs(number=n + 1, id=row.get("id", ""), cells=tuple(cell(n, row, one) for one in made))
        for n, row in enumerate(rows_in(text))
    )
    return tuple(one.label + ("" if one.optional else " *") for one in made), rows


def _reflected(made: pages.Input, name: str, mirror: Mirror) -> pages.Input:
    """An input as the rules are with what stands in its row."""
    closed, applies = mirror.closed.get(name, frozenset()), name not in mirror.out
    options = tuple(replace(option, closed=option.value in closed and not option.selected) for option in made.options)
    return replace(made, options=options, applies=applies, must=name in mirror.must, fixed=name in mirror.fixed, asked=name in mirror.asked)


def _said(inner: Screen, one: Field) -> pages.Input:
    return pages.Input(one.name, SAID, inner.words(one.name), optional=True)


def _words(inner: Screen, one: Field, row: Mapping[str, object]) -> str:
    value = row.get(one.name)
    if value is None:
        return ""
    return str(row.get(f"{one.name}.title") or "") if is_link(one) else inner.text(one.name, value)


def _filled(
    one: pages.Input, name: str, text: str, words: Mapping[str, str], wrong: Callable[[str], str], source: str, focus: str
) -> pages.Input:
    """One input of one row: the column's, with what stands in this row."""
    many = one.kind == "checks"
    chosen = text.split(", ") if many else [text]
    options = tuple(replace(option, selected=option.value in chosen) for option in one.options)
    if one.kind == "select" and text and not any(option.selected for option in options):
        options = (*options, pages.Option(text, words.get(name) or "The record that is there now", selected=True))
    given = address_parts(text) if one.kind == "address" else {}
    parts = tuple(
        replace(part, name=f"{name}.{own}", value=given.get(own, "")) for part in one.parts if (own := part.name.rpartition(".")[2])
    )
    return replace(
        one,
        parts=parts,
        name=name,
        value=text,
        kind="select" if one.kind == "radios" else one.kind,
        options=options,
        source=source if one.source else "",
        shown=words.get(name, ""),
        error=wrong(name),
        hint="",
        focus=focus == f"f-{name}",
    )
