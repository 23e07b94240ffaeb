"""Forms: the inputs of fields, with what stands in them and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import urlencode

from xrm.compile.fitting import THIS, this_paths, with_this
from xrm.errors import Invalid, NotFound, Problem
from xrm.expr import Moment
from xrm.model.addresses import PARTS
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.moments import counted
from xrm.model.values import MOST_ROWS, TEXT_LENGTH, coerce
from xrm.service.context import Context
from xrm.service.files import there
from xrm.service.reading import Query, get_record, list_records
from xrm.web import link_lists, pages, row_forms, uploads
from xrm.web.cells import Tongue, currency_of, in_digits, is_link
from xrm.web.failures import said
from xrm.web.mirror import Mirror
from xrm.web.screens import FormPart, Screen
from xrm.web.typed import address_parts, editable, link_of, posted, title_of, value_of

MOST_OPTIONS = 30
"""A link to more records than this is a combobox instead of a select."""
HINTS = {
    "point": "Latitude, longitude",
    "area": "GeoJSON: a Polygon or a MultiPolygon, longitude first",
    "markdown": "**bold**, *italic*, - a list, [a link](https://example.org)",
}
"""What to write, where the definition gives no hint of its own."""
RULED = "Left empty, a rule fills it in."
NOTHING: Mapping[str, str] = {}
LONG_TEXT = 60
"""A text that may be longer than this gets the whole width."""


Chosen = tuple[str, str, Moment]
"""For which link records are chosen, as ``Query.fitting`` has it."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form in work: the text of each input, the words of link inputs, and what is wrong, by field.

    ``ruled``: inputs that may stay empty although they are required, since a rule fills them in.
    """

    texts: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    ruled: frozenset[str] = frozenset()
    record: Mapping[str, object] = field(default_factory=dict)
    """What stands in the record, where there is one: its files are shown in the form."""
    focus: str = ""
    """The id of what takes the focus, after a button in a table of rows was pressed."""

    def over(self, now: Filled) -> Filled:
        """What was sent, and what stands in the record where nothing was. A table that was sent has its own words: rows may have moved."""
        kept = {name: words for name, words in now.words.items() if "." not in name or name.partition(".")[0] not in self.texts}
        return replace(self, texts={**now.texts, **self.texts}, words={**kept, **self.words}, record=now.record)

    def wrong(self, name: str) -> str:
        """What is wrong with an input. Of a table of rows: what is wrong with it as a whole, or with one whole row."""
        return " ".join(
            said(problem)
            for problem in self.problems
            if (problem.path if len(problem.path) > 2 else problem.path[:1]) == tuple(name.split("."))
        )


def filled_from(screen: Screen, fields: Iterable[Field], row: Mapping[str, object]) -> Filled:
    """The form as the record is now."""
    display = screen.tongue.display
    fields = list(fields)
    texts = {f.name: editable(display, f, _kept(f, row)) for f in fields if not f.apart}
    words = {f.name: str(row.get(f"{f.name}.title") or "") for f in fields if is_link(f)}
    for one in fields:
        if one.each:
            texts[one.name] = link_lists.text_of(row.get(one.name))
        elif one.type == "rows":
            texts[one.name], shown = row_forms.text_of(screen, one, row.get(one.name))
            words |= shown
    return Filled(texts, words, record=row)


def _kept(field: Field, row: Mapping[str, object]) -> object:
    """The value as it is; an amount with the digits of the currency that its record names."""
    value = row.get(field.name)
    return in_digits(value, row.get(field.currency_from)) if field.currency_from and isinstance(value, Decimal) else value


def filled_by(ctx: Context, screen: Screen, fields: Iterable[Field], form: Mapping[str, str]) -> Filled:
    """The form as it was sent. Link inputs that name no single record are wrong already."""
    texts: dict[str, str] = {}
    words: dict[str, str] = {}
    problems: list[Problem] = []
    for one in fields:
        if one.each:
            listed = link_lists.posted(ctx, one, screen.words(one.name), form)
            if listed is not None:
                texts[one.name] = listed[0]
                problems += listed[1]
        elif one.type == "rows":
            table = row_forms.posted_rows(ctx, screen, one, form)
            if table is not None:
                texts[one.name] = table.text
                words |= table.words
                problems += table.problems
        elif is_link(one) and (one.name in form or f"{one.name}.text" in form):
            texts[one.name], problem = link_of(ctx, one, screen.words(one.name), form)
            words[one.name] = form.get(f"{one.name}.text", "")
            problems += [problem] if problem else []
        elif (text := posted(form, one)) is not None:
            texts[one.name] = text
        if one.kind.kept == "files":
            problems += uploads.problems_of(form, one)
    return Filled(texts, words, tuple(problems))


def pressed(ctx: Context, screen: Screen, fields: Iterable[Field], form: Mapping[str, str], sent: Filled) -> Filled | None:
    """The form after a button in a table of rows; None if none was pressed, and it is to be saved."""
    done = row_forms.pressed(ctx, screen, fields, form)
    if done is None:
        return None
    others = {key: words for key, words in sent.words.items() if not key.startswith(f"{done.name}.")}
    return replace(sent, texts={**sent.texts, done.name: done.text}, words={**others, **done.words}, problems=(), focus=done.focus)


def changed(screen: Screen, now: Filled, sent: Filled) -> dict[str, str]:
    """The texts that were sent and differ from what stands in the record."""
    return {name: text for name, text in sent.texts.items() if text != now.texts.get(name, "")}


def values(screen: Screen, texts: Mapping[str, str], now: Mapping[str, str] = NOTHING) -> dict[str, object]:
    """The texts as values for the service. ``now``: the form as the record is; of rows that stay only what differs is said."""
    display = screen.tongue.display
    fields = screen.entity.fields

    def value(field: Field, text: str) -> object:
        if field.each:
            return link_lists.ids_in(text)
        rows = field.type == "rows"
        return row_forms.values_of(screen, field, text, now.get(field.name, "")) if rows else value_of(display, field, text)

    return {name: value(fields[name], text) for name, text in texts.items()}


def sections(ctx: Context, screen: Screen, parts: Iterable[FormPart], filled: Filled, mirror: Mirror) -> tuple[pages.Section, ...]:
    """The inputs under their sections' labels, as the rules are with what stands in them."""
    return tuple(
        pages.Section(part.label, tuple(_input(ctx, screen, one, filled, mirror) for one in part.fields), part.columns) for part in parts
    )


def troubles(screen: Screen, problems: Iterable[Problem], inputs: Iterable[str]) -> tuple[pages.Trouble, ...]:
    """The error summary, in the order of the form; what concerns no input of it comes first."""
    order = {name: place for place, name in enumerate(inputs)}
    found = [(next((name for name in (".".join(one.path), *one.path[:1]) if name in order), ""), one) for one in problems]
    found.sort(key=lambda pair: order.get(pair[0], -1))
    return tuple(pages.Trouble(said(problem), f"f-{name}" if name else "") for name, problem in found)


def names(sections_: Iterable[pages.Section]) -> tuple[str, ...]:
    """Of every input, in order; those in tables of rows after their table."""
    return tuple(
        name
        for section in sections_
        for one in section.inputs
        for name in (one.name, *(cell.name for row in one.rows for cell in row.cells))
    )


def _input(ctx: Context, screen: Screen, one: Field, filled: Filled, mirror: Mirror) -> pages.Input:
    tongue = screen.tongue
    ruled = one.name in filled.ruled
    must = one.name in mirror.must and not ruled
    made = pages.Input(
        name=one.name,
        kind=one.kind.input,
        label=screen.words(one.name),
        value=filled.texts.get(one.name, ""),
        hint=" ".join(filter(None, (_hint(screen, one), RULED if ruled else ""))),
        optional=not must,
        error=filled.wrong(one.name),
        wide=one.kind.long or (one.type == "text" and (one.length or TEXT_LENGTH["text"]) > LONG_TEXT),
        after=_after(one),
        limit=(one.length or 0) if one.kind.input == "area" else 0,
        applies=one.name not in mirror.out,
        varies=one.name in mirror.varies,
        fixed=one.name in mirror.fixed,
        asked=one.name in mirror.asked,
        before=tongue.display.symbol(code) if one.type == "money" and (code := currency_of(tongue, one)) else "",
    )
    if one.type == "address":
        return replace(made, parts=address_inputs(tongue, one.name, made.value), wide=True)
    if one.each:
        return link_lists.made_input(ctx, one, made, _all_of(ctx, screen, one.each, _fitting(ctx, screen, one, filled)[0]))
    if one.type == "rows":
        return _rows_input(ctx, screen, one, made, filled, mirror.rows.get(one.name, ()))
    if is_link(one):
        return _link_input(ctx, screen, one, made, filled)
    if one.kind.kept == "files":
        return _file_input(ctx, screen, one, made, filled)
    if one.type in ("choice", "boolean"):
        closed = mirror.closed.get(one.name, frozenset())
        options = tuple(replace(option, closed=option.value in closed and not option.selected) for option in _options(screen, one, made))
        return replace(made, options=options)
    return made


def address_inputs(tongue: Tongue, name: str, text: str) -> tuple[pages.Input, ...]:
    """An input for each part of an address, named ``home.city``."""
    given = address_parts(text)
    return tuple(
        pages.Input(f"{name}.{part}", "text", tongue.words(known.label), given.get(part, ""), known.hint, complete=known.complete)
        for part, known in PARTS.items()
    )


def _rows_input(ctx: Context, screen: Screen, one: Field, made: pages.Input, filled: Filled, mirrors: tuple[Mirror, ...]) -> pages.Input:
    def empty(inner: Screen, field: Field) -> pages.Input:
        return _input(ctx, inner, field, Filled({}), Mirror(must=frozenset({field.name} if field.required is True else ())))

    standing = filled.record.get(one.name)
    here = f"{screen.url}/{filled.record.get('id', '')}"

    def attached(name: str, text: str) -> tuple[pages.Attached, ...]:
        return tuple(uploads.present(ctx, name, here, text, there(filled.record, uploads.path_of(name))))

    columns, rows = row_forms.table(screen, one, made.value, filled.words, filled.wrong, empty, filled.focus, standing, mirrors, attached)
    uploading = any(inner.kind.kept == "files" for inner in row_forms.inputs(screen, one))
    varies = made.varies or any(mirror.varies for mirror in mirrors)
    most = one.maximum if isinstance(one.maximum, int) else MOST_ROWS
    optional = not one.minimum and made.optional
    return replace(
        made,
        columns=columns,
        rows=rows,
        most=most,
        optional=optional,
        varies=varies,
        uploads=uploading,
        focused=filled.focus,
        touched=bool(filled.focus),
    )


def _hint(screen: Screen, one: Field) -> str:
    words = screen.tongue.words(one.hint)
    if words:
        return words
    if one.type in HINTS:
        return HINTS[one.type]
    if one.kind.kept == "count":
        return f"For example {counted(one, 5)}"
    if one.type == "duration":
        return "For example 90 minutes or 1 day 12 hours"
    if one.type == "datetime":
        return f"Time in {screen.tongue.display.zone.key.rpartition('/')[2].replace('_', ' ')}"
    return ""


def _after(one: Field) -> str:
    """What stands behind the input: the unit of a number. A duration is written with its own."""
    return "%" if one.type == "percent" else one.unit or "" if one.kind.number else ""


def _options(screen: Screen, one: Field, made: pages.Input) -> Iterable[pages.Option]:
    if one.type == "boolean":
        yield pages.Option("yes", "Yes", made.value == "yes")
        yield pages.Option("no", "No", made.value == "no")
        if made.optional:
            yield pages.Option("", "Not known", made.value == "")
        return
    if one.many:
        chosen = made.value.split(", ")
        yield from (pages.Option(name, label, name in chosen) for name, label in screen.badges[one.name].labels.items())
        return
    yield pages.Option("", "None" if made.optional else "Choose", not made.value)
    for name, label in screen.badges[one.name].labels.items():
        yield pages.Option(name, label, made.value == name)


def _file_input(ctx: Context, screen: Screen, one: Field, made: pages.Input, filled: Filled) -> pages.Input:
    here = f"{screen.url}/{filled.record.get('id', '')}"
    known = filled.record.get(one.name)
    attached = uploads.present(ctx, one.name, here, made.value, known if isinstance(known, tuple) else ())
    hint = made.hint or uploads.limits(one)
    return replace(made, hint=hint, files=tuple(attached), many=one.many, source=uploads.accepted(one), wide=True)


def _link_input(ctx: Context, screen: Screen, one: Field, made: pages.Input, filled: Filled) -> pages.Input:
    """A select of all records where they are few, else a combobox that asks the server."""
    words = filled.words.get(one.name, "") or (title_of(ctx, one.targets, made.value) if made.value else "")
    chosen, this = _fitting(ctx, screen, one, filled)
    few = _all_of(ctx, screen, one, chosen)
    if few is None:
        source = f"{screen.url}/options?{urlencode({'field': one.name, **this})}"
        return replace(made, kind="combo", source=source, shown=words, hint=made.hint or "Type a part of the name or number")
    options = [pages.Option("", "None" if made.optional else "Choose", not made.value)]
    options += [replace(option, selected=option.value == made.value) for option in few]
    if made.value and not any(option.selected for option in options):
        options.append(pages.Option(made.value, words or "The record that is there now", selected=True))
    return replace(made, kind="select", options=tuple(options))


def _fitting(ctx: Context, screen: Screen, one: Field, filled: Filled) -> tuple[Chosen | None, dict[str, str]]:
    """The condition that the options of a link hold, and the texts of the inputs that it reads, by ``this.`` and their names."""
    names = {path.partition(".")[0] for path in this_paths(one.filter)}
    this = {f"{THIS}{name}": filled.texts.get(name, "") for name in sorted(names)}
    return fitting(ctx, screen, one, this), this


def fitting(ctx: Context, screen: Screen, one: Field, given: Mapping[str, str]) -> Chosen | None:
    """What the options of a link must hold, with ``this`` as the form has it; None where all records may be chosen."""
    if one.filter is None:
        return None
    paths = this_paths(one.filter)
    texts = {name: given.get(f"{THIS}{name}", "") for name in {path.partition(".")[0] for path in paths} if name in screen.entity.fields}
    row = {name: _value(screen, name, value) for name, value in values(screen, texts).items()}
    for path in paths:
        link, _, rest = path.partition(".")
        if rest and row.get(link) is not None:
            row[path] = _beyond(ctx, screen.entity.fields[link], str(row[link]), rest)
    return screen.entity.name, one.name, with_this(ctx.moment, paths, row)


def _value(screen: Screen, name: str, typed: object) -> object:
    try:
        return coerce(screen.entity.fields[name], typed)
    except Misfit:
        return None


def _beyond(ctx: Context, link: Field, id: str, path: str) -> object:
    """What lies beyond a link that was chosen in the form, as far as this actor sees it."""
    for target in link.targets:
        try:
            return get_record(ctx, target, id, (path,)).get(path)
        except (NotFound, Invalid):
            continue
    return None


def _few(ctx: Context, target: str, chosen: Chosen | None) -> list[dict[str, object]]:
    return list_records(ctx, Query(target, ("title",), sort="title", limit=MOST_OPTIONS + 1, fitting=chosen)).rows


def _all_of(ctx: Context, screen: Screen, one: Field, chosen: Chosen | None = None) -> list[pages.Option] | None:
    """All records that a link may lead to; None where they are many."""
    targets = [target for target in one.targets if ctx.policies.readable(target)]
    rows = [(target, row) for target in targets[:MOST_OPTIONS] for row in _few(ctx, target, chosen)]
    if len(rows) > MOST_OPTIONS or len(targets) > MOST_OPTIONS:
        return None
    kinds = {target: screen.tongue.words(screen.tongue.application.entities[target].label) for target in targets}
    return [pages.Option(str(row["id"]), f"{row['title']} ({kinds[target]})" if one.several else str(row["title"])) for target, row in rows]
