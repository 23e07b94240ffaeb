"""Rows in the write journey: from the list that was sent to rows that stand, judged row by row, and their statements.

The whole list replaces the rows that are there. A row sent with its ``id`` stays that row, and what was not sent of it
stays too. A row without one is the row that holds the same values, or most of them, if one is left: then it keeps what
the sender may not see or write, so that nothing hidden is lost; else it is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import DialectName, bind_id, is_id
from xrm.compile.row_parts import RowsWrite
from xrm.errors import Invalid, Problem
from xrm.model.fields import TARGET, Field
from xrm.model.misfits import Misfit
from xrm.model.values import UUID_FORM, coerce
from xrm.service.context import Context
from xrm.service.files import claimed
from xrm.service.finding import Words
from xrm.service.row_matching import matched
from xrm.store.connections import Bound
from xrm.store.database import Connection
from xrm.store.ids import new_id

Row = dict[str, Any]
Sees = Callable[[Field, str], bool]
"""Whether an actor sees the record that a link leads to."""


class Sent(tuple[Row, ...]):  # noqa: SLOT001 (a tuple has no slots to name)
    """Rows as they were accepted. ``echoes`` are values the actor may not write, by the row's number: they must be what
    stands there already, as they are where a whole record is read, changed and sent back."""

    echoes: Mapping[int, Row]

    def __new__(cls, rows: Sequence[Row], echoes: Mapping[int, Row]) -> Self:
        made = super().__new__(cls, rows)
        made.echoes = echoes
        return made

    def of(self, rows: Sequence[Row]) -> Self:
        """The same rows with other values."""
        return type(self)(rows, self.echoes)


def row_problem(ctx: Context, field: Field, number: int, name: str, code: str, message: str, hint: str | None = None) -> Problem:
    """A problem at one field of one row: ``Lines, row 2: Amount is required``; ``message`` is what follows the label."""
    words = ctx.words
    if field.each:
        return Problem(code, f"{words(field.label)}: {message}", path=(field.name,), hint=hint)
    inner = field.rows.get(name)
    told = f"{words(inner.label)} {message}" if inner else f"'{name[:60]}' {message}" if name else f"it {message}"
    path = (field.name, str(number), name) if name else (field.name, str(number))
    return Problem(code, f"{words(field.label)}, row {number + 1}: {told}", path=path, hint=hint)


def accepted_rows(ctx: Context, entity: str, field: Field, raw: object) -> Sent:
    """What was sent, as rows, with what this actor may not write put aside.

    Raises:
        Invalid: every reason why not.
    """
    try:
        rows = coerce(field, raw if field.each else _named_links(ctx, field, raw))
    except Misfit as misfit:
        if not misfit.inside:
            raise
        raise Invalid(*(row_problem(ctx, field, n, name, "XRM502", one.message, one.hint) for n, name, one in misfit.inside)) from None
    if field.each and isinstance(rows, tuple):
        rows = _by_keys(ctx, field, field.each, rows)
    policy = ctx.policy(entity)
    problems: list[Problem] = []
    attached = [inner for inner in field.rows.values() if inner.kind.kept == "files"]
    kept: list[Row] = []
    echoes: dict[int, Row] = {}
    for number, row in enumerate(rows if isinstance(rows, tuple) else ()):
        hidden = [name for name in row if name != "id" and not policy.sees(f"{field.name}.{name}")]
        problems += [row_problem(ctx, field, number, "", "XRM302", f"has no field '{name[:60]}'") for name in hidden]
        free = {name: value for name, value in row.items() if name == "id" or f"{field.name}.{name}" in policy.editable}
        free |= {one.name: _claimed(ctx, field, number, one, free[one.name], problems) for one in attached if free.get(one.name)}
        kept.append(free)
        if len(free) < len(row):
            echoes[number] = {name: value for name, value in row.items() if name not in free}
    if problems:
        raise Invalid(*problems)
    return Sent(kept, echoes)


def _named_links(ctx: Context, field: Field, raw: object) -> object:
    """Rows as they were sent, with ids where their links name records by keys.

    Raises:
        Invalid: a word names no record (XRM511).
    """
    links = [inner for inner in field.rows.values() if inner.type == "link"]
    if not links or not isinstance(raw, list | tuple) or not all(isinstance(row, Mapping) for row in raw):
        return raw
    made, problems = [dict(row) for row in raw], list[Problem]()
    for link in links:
        told = [(number, word) for number, row in enumerate(made) if (word := word_in(row.get(link.name))) is not None]
        words = Words(ctx, link) if told else None
        if words:
            words.learn(word for _, word in told)
            for number, word in told:
                made[number][link.name] = words.id(word)
                if made[number][link.name] is None:
                    noun = (link.to or "record").replace("_", " ")
                    problems.append(row_problem(ctx, field, number, link.name, "XRM511", f"leads to no {noun} “{word[:60]}”"))
    if problems:
        raise Invalid(*problems)
    return made


def word_in(raw: object) -> str | None:
    """The word that names a record; None where it is an id, or nothing."""
    text = raw.strip() if isinstance(raw, str) else ""
    return text if text and not UUID_FORM.fullmatch(text) else None


def _claimed(ctx: Context, field: Field, number: int, inner: Field, items: Any, problems: list[Problem]) -> object:
    """The files that were sent in a row, their tokens opened."""
    try:
        return claimed(ctx, inner, items)
    except Misfit as misfit:
        problems.append(row_problem(ctx, field, number, inner.name, "XRM502", misfit.message, misfit.hint))
    except Invalid as refused:
        path = (field.name, str(number), inner.name)
        problems.extend(replace(one, message=f"{ctx.words(inner.label)}: {one.message}", path=path) for one in refused.problems)
    return None


def _by_keys(ctx: Context, field: Field, link: Field, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """A list of links with the ids of records that were named by their keys."""
    said = [row[TARGET] for row in rows]
    words = Words(ctx, link)
    words.learn(word for word in said if not is_id(word))
    found = {word: word if is_id(word) else words.id(word) for word in said}
    lost = [word for word, id in found.items() if id is None]
    if lost:
        raise Invalid(*(row_problem(ctx, field, 0, TARGET, "XRM511", no_target(link, word)) for word in lost))
    return tuple({TARGET: id} for id in dict.fromkeys(found.values()))


def no_target(link: Field, word: str = "") -> str:
    """That a list of links leads to no such record."""
    return f"there is no such {(link.to or 'record').replace('_', ' ')}{f' “{word[:60]}”' if word else ''}"


def merge(
    ctx: Context, compiled: CompiledEntity, before: Mapping[str, Any] | None, after: dict[str, Any], sees: Sees, *, carried: bool = False
) -> None:
    """Make whole rows of those that were sent (in ``after``), before defaults and computed values. ``carried``: the ids may
    be those of another application, where they are none of this record's.

    A link to a record that the actor does not see is empty for them: sent back empty, it stays what it is.

    Of a list of links what the actor does not see stays where it stands.

    Raises:
        Invalid: an id that is no row of this record (XRM527), or a value that may not be written (XRM505).
    """
    problems: list[Problem] = []
    for part in compiled.rows:
        name = part.field.name
        sent, was = after[name], (before or {}).get(name) or ()
        if sent is (before or {}).get(name):
            after[name] = tuple(map(dict, sent or ()))
            continue
        if part.field.each:
            after[name] = _list_of_links(part.field.each, was, sent, sees)
            continue
        sent, echoes = _whole(part, sent, {row["id"]: row for row in was}, sees)
        named = _by_id(ctx, part, sent, was, carried, problems)
        seen = [{**row, **echoes.get(number, {})} for number, row in enumerate(sent)]
        meant: Mapping[int, Row] = matched(seen, was, named)
        free = [one for one in part.field.rows if f"{name}.{one}" in ctx.policy(compiled.entity.name).editable]
        after[name] = tuple(
            {**named[number], **row} if number in named else _made(part, free, row, meant.get(number)) for number, row in enumerate(sent)
        )
        for number, echo in echoes.items():
            _unchanged(ctx, part, number, echo, meant.get(number), problems)
    if problems:
        raise Invalid(*problems)


def _list_of_links(link: Field, old: Sequence[Row], sent: Sequence[Row], sees: Sees) -> tuple[Row, ...]:
    """The list that was sent, where links that stood keep their rows, and those that the actor does not see their places:
    each after what it stood after."""
    ids = {row[TARGET]: row["id"] for row in old}
    made = [{"id": ids.get(row[TARGET]), TARGET: row[TARGET]} for row in sent]
    wanted = {row[TARGET] for row in made}
    place = 0
    for row in old:
        if row[TARGET] in wanted:
            place = next(n for n, one in enumerate(made, 1) if one[TARGET] == row[TARGET])
        elif not sees(link, row[TARGET]):
            made.insert(place, dict(row))
            place += 1
    return tuple(made)


def _whole(part: RowsWrite, sent: Sequence[Row], old: Mapping[str, Row], sees: Sees) -> tuple[Sequence[Row], Mapping[int, Row]]:
    """The rows that were sent and their echoes, without empty links that the actor sees only as empty."""
    links = [field for field in part.field.rows.values() if field.type == "link" and field.targets]

    def known(row: Row, was: Row) -> Row:
        blind = {
            one.name for one in links if one.name in row and row[one.name] is None and was.get(one.name) and not sees(one, was[one.name])
        }
        return {name: value for name, value in row.items() if name not in blind} if blind else row

    echoes: Mapping[int, Row] = getattr(sent, "echoes", {})
    if not links or not old:
        return sent, echoes
    were = [old.get(row.get("id") or "", {}) for row in sent]
    return [known(row, was) for row, was in zip(sent, were, strict=True)], {n: known(echo, were[n]) for n, echo in echoes.items()}


def _by_id(
    ctx: Context, part: RowsWrite, sent: Sequence[Row], was: Sequence[Row], carried: bool, problems: list[Problem]
) -> dict[int, Row]:
    """The standing rows that were sent with their ids, by the number of the row that was sent."""
    left = {row["id"]: row for row in was}
    found: dict[int, Row] = {}
    for number, row in enumerate(sent):
        id = row.get("id")
        if id in left:
            found[number] = left.pop(id)
        elif id is not None and not carried:
            hint = "leave the id out for a new row; an id stands once in the list"
            problems.append(row_problem(ctx, part.field, number, "", "XRM527", "is no row of this record", hint))
    return found


def _made(part: RowsWrite, free: Sequence[str], row: Row, old: Row | None) -> Row:
    """A row that came without an id: what stands of the row that it is and was not the sender's to write, and what was sent."""
    kept = {name: old[name] for name in part.field.rows if name not in free} if old else {}
    said = frozenset(row) | frozenset(kept)
    return {**dict.fromkeys(part.field.rows), **kept, **row, "id": old["id"] if old else None, SAID: said}


SAID = ""
"""The key under which a row that came without an id, while it is being made, keeps the names that are said of it."""


def _unchanged(ctx: Context, part: RowsWrite, number: int, echo: Row, old: Row | None, problems: list[Problem]) -> None:
    for name, value in echo.items():
        if old is None or old.get(name) != value:
            why = "it is computed" if part.field.rows[name].compute else "your roles may see it but not change it"
            problems.append(row_problem(ctx, part.field, number, name, "XRM505", f"may not be changed: {why}"))


# -- what follows from the rest, and what must hold ----------------------------------------------------------------------


class Scopes:
    """What the rules of the rows of one record read: the record's own values under ``parent.``, and what lies beyond links,
    which is read once for each record that rows link to."""

    def __init__(self, connection: Connection, compiled: CompiledEntity) -> None:
        self._connection, self._compiled = connection, compiled
        self._far: dict[tuple[str, str, str], Row] = {}

    def of(self, part: RowsWrite, record: Mapping[str, Any]) -> Iterator[tuple[int, Row, Row]]:
        """Every row with its number, and a flat row that its rules can be asked about."""
        above = {f"parent.{path}": record.get(path) for path in part.parent_paths}
        above["parent"] = record["id"]
        for number, row in enumerate(record[part.field.name]):
            yield number, row, {**above, **row, **self._beyond(part, row)}

    def _beyond(self, part: RowsWrite, row: Row) -> Row:
        found: Row = {}
        for link in part.links:
            target = row.get(link.field)
            if target is not None:
                key = (part.field.name, link.field, target)
                if key not in self._far:
                    self._far[key] = self._read(link, target)
                found |= self._far[key]
        return found

    def _read(self, link: Any, target: str) -> Row:
        bound = link.statement.bind({"id": bind_id(target, self._connection.dialect)})
        read = self._connection.one(link.statement.sql, bound)
        made: Row = link.decode(read) if read else {}
        return made


def default(ctx: Context, compiled: CompiledEntity, row: Mapping[str, Any], scopes: Scopes) -> None:
    """Fill in new rows what nobody said."""
    for part in compiled.rows:
        if part.rules.defaults:
            for _, one, scope in scopes.of(part, row):
                said = one.get(SAID)
                for field, closure in part.rules.defaults:
                    if said is not None and field.name not in said:
                        one[field.name] = scope[field.name] = closure(scope, ctx.moment)


def compute(ctx: Context, compiled: CompiledEntity, row: Mapping[str, Any], scopes: Scopes, problems: list[Problem]) -> None:
    """The computed fields of every row, after the record's own. A row that is changed is made anew: ``before`` keeps its own."""
    for part in compiled.rows:
        if part.rules.computes:
            for number, one, scope in scopes.of(part, row):
                for field, closure in part.rules.computes:
                    try:
                        one[field.name] = scope[field.name] = coerce(field, closure(scope, ctx.moment))
                    except Misfit as misfit:
                        problems.append(row_problem(ctx, part.field, number, field.name, "XRM502", misfit.message, misfit.hint))


def named(compiled: CompiledEntity, before: Mapping[str, Any] | None, row: dict[str, Any]) -> None:
    """Give new rows their ids. One that is what a row was that is gone is that row: the same list again changes nothing."""
    for part in compiled.rows:
        name = part.field.name
        rows, old = row[name], (before or {}).get(name) or ()
        staying = {one["id"] for one in rows}
        gone = [one for one in old if one["id"] not in staying]
        row[name] = tuple(_named(one, gone) if SAID in one or not one["id"] else one for one in rows)


def _named(row: Row, gone: list[Row]) -> Row:
    values = {name: value for name, value in row.items() if name != SAID}
    if values["id"]:
        return values
    for place, old in enumerate(gone):
        if {**values, "id": old["id"]} == old:
            return gone.pop(place)
    return {**values, "id": new_id()}


# -- links, reading and writing -------------------------------------------------------------------------------------------


def links_in(part: RowsWrite, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Field, str]]:
    """The links in rows: (number of the row, field, id)."""
    for field in part.field.rows.values():
        if field.type == "link" and field.targets:
            for number, row in enumerate(rows):
                if row.get(field.name) is not None:
                    yield number, field, row[field.name]


def read(connection: Connection, compiled: CompiledEntity, record: dict[str, Any]) -> dict[str, Any]:
    """The record with its rows, as they are under the locks of this transaction."""
    for part in compiled.rows:
        bound = part.read.bind({"record": bind_id(record["id"], connection.dialect)})
        record[part.field.name] = tuple(map(part.decode, connection.all(part.read.sql, bound)))
    return record


def statements(compiled: CompiledEntity, before: Mapping[str, Any] | None, after: Mapping[str, Any], dialect: DialectName) -> list[Bound]:
    """What makes the rows that were into the rows that will be: those that go, those that changed or moved, new ones."""
    found: list[Bound] = []
    for part in compiled.rows:
        old = {row["id"]: (place, row) for place, row in enumerate((before or {}).get(part.field.name) or ())}
        new = {row["id"]: (place, row) for place, row in enumerate(after[part.field.name])}
        found += [(part.remove.sql, part.remove.bind({"id_": bind_id(id, dialect)})) for id in old if id not in new]
        for id, (place, row) in new.items():
            if old.get(id) != (place, row):
                statement = part.update if id in old else part.insert
                marks = {"id_": bind_id(id, dialect), "record": bind_id(after["id"], dialect), "position": place}
                found.append((statement.sql, statement.bind({**part.encode(row), **marks})))
    return found


def difference(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """What the change log keeps of changed rows: before and after, each row with its id, its place (from 1) and what of it
    changed. Whole rows that are new stand only after, those that went only before."""
    old = {row["id"]: {"row": place, **row} for place, row in enumerate(before, 1)}
    new = {row["id"]: {"row": place, **row} for place, row in enumerate(after, 1)}
    was, became = [], []
    for id, row in old.items():
        changed = {name for name in row if id not in new or new[id].get(name) != row[name]}
        if changed:
            was.append({name: value for name, value in row.items() if name in changed or name in ("id", "row")})
    for id, row in new.items():
        changed = {name for name in row if id not in old or old[id].get(name) != row[name]}
        if changed:
            became.append({name: value for name, value in row.items() if name in changed or name in ("id", "row")})
    return was, became
