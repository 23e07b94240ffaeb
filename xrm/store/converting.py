"""Converting: values of one type become values of another, all of a field's or none.

A pass over the records computes every new value. While planning it only looks, and tells which records would fail; while
applying it writes, and refuses the plan if any fails after all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from xrm.compile.columns import DialectName, bind_id, from_database, id_text, json_text, point, short_instant, stored, to_database
from xrm.compile.differences import carried, follows, narrowed
from xrm.compile.pairing import Holder
from xrm.compile.rules import value_closure
from xrm.compile.tables import part_name, table_name
from xrm.errors import Invalid, Problem
from xrm.expr import Moment
from xrm.model.fields import TARGET, Expression, Field
from xrm.model.misfits import Misfit
from xrm.model.values import canonical, coerce
from xrm.store.database import Connection
from xrm.store.ddl import quoted
from xrm.store.ids import new_id
from xrm.store.plans import Step, counted
from xrm.store.renaming import ASIDE

BATCH = 1000
SHOWN = 20
"""Records that fail are counted, and this many named."""
TEXTS = ("text", "long_text", "markdown")


@dataclass(frozen=True, slots=True)
class Change:
    """One field whose values become those of another type."""

    holder: Holder
    was: Field
    now: Field
    targets: tuple[str, ...] = ()
    """What a link may lead to, by the names that this had before."""

    @property
    def name(self) -> str:
        """Of a list of links the list."""
        holder = self.holder
        inner = holder.part is not None and self.now.name == TARGET and holder.after.fields[holder.part].each is not None
        return f"{holder.after.name}.{holder.part}" if inner else holder.says(self.now.name)

    @property
    def reads(self) -> tuple[str, ...]:
        """The other fields that its stated conversion reads."""
        value = self.now.converted_from.value if self.now.converted_from else None
        parts = [part for case in value.cases for part in case if isinstance(part, Expression)] if value else []
        return tuple(sorted({path for part in parts for path in part.checked.paths} - {"old"}))


@dataclass(frozen=True, slots=True)
class Misfits:
    """What a pass over the records found: how many there are, how many fail, and the first of those with value and reason."""

    looked: int
    failed: int
    first: tuple[tuple[str, str, str], ...]


def changes(holders: Sequence[Holder], gone: Collection[str], stood: Collection[str]) -> tuple[list[Change], list[Problem]]:
    """The conversions that a definition asks for; and what must be said first (XRM402, XRM408). ``gone``: entities that go;
    ``stood``: those that were there."""
    found, problems = [], []
    for holder in holders:
        for was, now in holder.fields.values():
            if was.compute or now.compute or follows(was, now):
                continue
            change = Change(holder, was, now, _led(now, holders))
            problem = _undecided(change, gone, stood)
            if problem is None:
                found.append(change)
            else:
                problems.append(problem)
    fresh = {(change.holder.table, change.now.name) for change in found}
    return found, problems + [problem for change in found for problem in _too_new(change, fresh)]


def watched(holders: Sequence[Holder]) -> list[Change]:
    """Links whose values stay as they stand, and which may no longer lead to some of what they led to."""
    pairs = ((holder, was, now) for holder in holders for was, now in holder.fields.values())
    return [Change(holder, was, now, _led(now, holders)) for holder, was, now in pairs if follows(was, now) and narrowed(was, now)]


def _led(field: Field, holders: Sequence[Holder]) -> tuple[str, ...]:
    names = {holder.after.name: holder.before.name for holder in holders}
    return tuple(names[target] for target in (field.each or field).targets if target in names)


def _undecided(change: Change, gone: Collection[str], stood: Collection[str]) -> Problem | None:
    """``gone``: entities that go; ``stood``: those that were there."""
    was, now, stated = change.was, change.now, change.now.converted_from
    path = change.holder.path(now.name)
    listed = was.type == "link" and now.each is not None and carried(was, now)
    of_list = change.holder.part is not None and now.name == TARGET and not carried(was, now)
    if of_list or (any(one.apart or one.kind.kept == "files" for one in (was, now)) and not listed):
        message = f"{change.name} cannot become {words(now)} where values are kept as {words(was)}"
        hint = "add another field beside it, and take this one out in a later release"
        return Problem("XRM402", message, path=path, hint=hint)
    if stated is not None:
        if (stated.type, stated.places) == (was.type, was.places if was.kind.kept == "units" else stated.places):
            return None
        said = f" with {counted(stated.places, 'place')}" if stated.type in ("decimal", "percent") else ""
        message = f"{change.name} says that it was {stated.type}{said}, and it is {words(was)}"
        return Problem("XRM408", message, path=path, hint=f"converted_from: {_conversion(was)}")
    if carried(was, now):
        return None
    message = f"{change.name} cannot become {words(now)} by itself where values are kept as {words(was)}"
    hint = f"say converted_from: {_conversion(was)}, with a 'with' if values do not fit as they are"
    if was.type == now.type == "link":
        hint = "add another field beside it, with 'fill', and take this one out in a later release"
    if was.to in gone and now.to and now.to not in stood:
        hint = f"if '{now.to}' is what '{was.to}' is called now, write there: renamed_from: {was.to}; else {hint}"
    return Problem("XRM402", message, path=path, hint=hint)


def _too_new(change: Change, fresh: set[tuple[str, str]]) -> Iterator[Problem]:
    new = {field.name for field in change.holder.added} | {name for table, name in fresh if table == change.holder.table}
    for name in change.reads:
        if name in new:
            message = f"{change.name} is converted with '{name}', which has no values of its own yet"
            yield Problem("XRM408", message, path=change.holder.path(change.now.name), hint="do it in two releases")


def words(field: Field) -> str:
    match field.type:
        case "decimal" | "percent":
            return f"{field.type} with {counted(field.places, 'place')}"
        case "choice" if field.many:
            return "a choice of several"
        case "rows" if field.each:
            return f"a list of links to {' or '.join(field.each.targets)}"
        case "file" | "image" if field.many:
            return f"several {field.type}s"
        case "money":
            return f"money in {field.currency or f'the currency of its {field.currency_from}'}"
        case "link":
            return f"a link to {' or '.join(field.targets)}"
        case _:
            return field.type


def _conversion(field: Field) -> str:
    return f"{{type: {field.type}, places: {field.places}}}" if field.type == "decimal" else field.type


# -- one value -------------------------------------------------------------------------------------------------------


def converter(change: Change, *, named: bool) -> Callable[[object, Mapping[str, object], Moment], object]:
    """A function from the old value (and the record's others) to the new one; it raises Misfit. ``named``: options have their new names
    already."""
    now, stated = change.now, change.now.converted_from
    removed: dict[str, str | None] = {}
    if change.was.type == now.type == "choice":
        removed = dict(now.removed)
        had = {option.name for option in change.was.options} - {option.name for option in now.options}
        removed |= {old: option.name for option in now.options for old in option.renamed_from if not named and old in had}
    if stated is None or stated.value is None:

        def read(old: object, row: Mapping[str, object], moment: Moment) -> object:
            kept = _mapped(old, removed)
            return None if kept is None else coerce(now, _typed(kept, change.was, now, moment))

        return read
    closure = value_closure(replace(now, places=9) if now.kind.kept == "units" else now, stated.value)

    def convert(old: object, row: Mapping[str, object], moment: Moment) -> object:
        value = closure({**row, "old": old}, moment)
        return None if value is None else coerce(now, _plain(value))

    return convert


def _mapped(old: object, removed: Mapping[str, str | None]) -> object:
    if isinstance(old, tuple):
        kept = (removed.get(one, one) for one in old)
        return tuple(dict.fromkeys(one for one in kept if one is not None)) or None
    return removed.get(old, old) if isinstance(old, str) else old


def _typed(old: object, was: Field, now: Field, moment: Moment) -> object:
    """The value as a person would type it, for a field of another type; a day begins at midnight in the application's time zone."""
    if isinstance(old, datetime) and now.type == "date":
        return old.astimezone(moment.tz).date().isoformat()
    if now.type == "datetime" and isinstance(old, date) and not isinstance(old, datetime):
        return datetime(old.year, old.month, old.day, tzinfo=moment.tz).isoformat()
    if isinstance(old, bool) and now.type not in (*TEXTS, "boolean"):
        return int(old)
    if isinstance(old, bool):
        return "true" if old else "false"
    if isinstance(old, (Decimal, int)) and now.kind.number:
        return _plain(old)
    if isinstance(old, datetime):
        return short_instant(old.isoformat(timespec="microseconds").replace("+00:00", "Z"))
    if isinstance(old, (date, timedelta)) or was.kind.kept == "count":
        return canonical(was, old)
    if isinstance(old, tuple) and now.type == "choice" and not now.many:
        if len(old) > 1:
            raise Misfit("is more than one")
        return old[0] if old else None
    if isinstance(old, tuple) and now.type in TEXTS:
        return ", ".join(map(str, old))
    if isinstance(old, (Mapping, list)):
        return json_text(old)
    return str(old)


def _plain(value: object) -> object:
    """Trailing noughts are no digits that a value must have room for."""
    if isinstance(value, Decimal):
        whole = value.to_integral_value()
        return int(whole) if whole == value else value.normalize()
    return value


# -- all values ------------------------------------------------------------------------------------------------------


def check(connection: Connection, change: Change, moment: Moment) -> Misfits:
    """Look at every record, before anything has changed."""
    names = {name: [part.name for part in stored(was)] for name, (was, _) in change.holder.fields.items()}
    run = _Pass(connection, change, moment, change.holder.table_before, names[change.now.name], names, named=False)
    for _ in run.batches():
        pass
    return run.misfits


def write(connection: Connection, change: Change, moment: Moment) -> None:
    """Give every record its new value, inside the transaction that applies the plan.

    Raises:
        Invalid: some values do not fit (XRM407); the transaction is to be rolled back.
    """
    names = {name: [part.name for part in stored(replace(was, name=name))] for name, (was, _) in change.holder.fields.items()}
    aside = [f"{ASIDE}{part.name}" for part in stored(replace(change.was, name=change.now.name))]
    run = _Pass(connection, change, moment, change.holder.table, aside, names, named=True)
    if change.now.each:
        _listed(connection, change, run)
        return
    columns = [part.name for part in stored(change.now)]
    mark = "?" if connection.dialect == "sqlite" else "%s"
    sets = ", ".join(f"{quoted(column, connection.dialect)} = {mark}" for column in columns)
    update = f"UPDATE {quoted(change.holder.table, connection.dialect)} SET {sets} WHERE id = {mark}"
    encode = encoder(change.now, connection.dialect)
    for made in run.batches():
        rows = [(*encode(value), key) for key, value in made if value is not None]
        if rows:
            connection.raw.cursor().executemany(update, rows)
    if run.misfits.failed:
        raise Invalid(problem(change, run.misfits))


def _listed(connection: Connection, change: Change, run: _Pass) -> None:
    """A link becomes a list of one; where it was empty the list is."""
    dialect = connection.dialect
    table = quoted(part_name(change.holder.table, change.now.name), dialect)
    marks = ", ".join(["?" if dialect == "sqlite" else "%s"] * 4)
    insert = f"INSERT INTO {table} (id, record, position, {TARGET}) VALUES ({marks})"
    for made in run.batches():
        rows = [
            (bind_id(new_id(), dialect), key, place, bind_id(link[TARGET], dialect))
            for key, value in made if isinstance(value, tuple) for place, link in enumerate(value)
        ]  # fmt: skip
        if rows:
            connection.raw.cursor().executemany(insert, rows)


def encoder(field: Field, dialect: DialectName) -> Callable[[object], tuple[Any, ...]]:
    """From a field's value to those of its columns."""
    own = to_database(field, dialect)
    parts = [part.part or own for part in stored(field)]
    return lambda value: tuple(value if convert is None else convert(value) for convert in parts)


def decoder(field: Field, dialect: DialectName) -> tuple[int, Callable[[Sequence[Any]], object]]:
    """How many of a field's columns hold its value, and the value that they hold."""
    if field.kind.kept == "point":
        return 2, lambda found: point(found[0], found[1])
    convert = from_database(field, dialect)
    return 1, lambda found: found[0] if found[0] is None or convert is None else convert(found[0])


class _Pass:
    """One walk over a table in the order of its ids. ``old``: the columns of the old values; ``names``: those of the others."""

    def __init__(
        self,
        connection: Connection,
        change: Change,
        moment: Moment,
        table: str,
        old: Sequence[str],
        names: Mapping[str, Sequence[str]],
        *,
        named: bool,
    ) -> None:
        self.connection, self.change, self.moment, self.table = connection, change, moment, table
        self.fields: list[tuple[str, Field, Sequence[str]]] = [("old", change.was, old)]
        for was, now in change.holder.fields.values():
            if now.name in change.reads:
                self.fields.append((now.name, was, names[now.name]))
        self.named, self.convert = named, converter(change, named=named)
        link = (change.now.each or change.now).type == "link" and (narrowed(change.was, change.now) or change.now.converted_from)
        self.targets = None if not link else (change.now.each or change.now).targets if named else change.targets
        self.looked = self.failed = 0
        self.first: list[tuple[str, str, str]] = []

    @property
    def misfits(self) -> Misfits:
        return Misfits(self.looked, self.failed, tuple(self.first))

    def batches(self) -> Iterator[list[tuple[Any, object]]]:
        dialect = self.connection.dialect
        readers = [(name, *decoder(field, dialect), columns) for name, field, columns in self.fields]
        wanted = ["id", *(quoted(column, dialect) for _, count, _, columns in readers for column in columns[:count])]
        system = self._system()
        wanted += [*(name for name, _ in system), self._called]
        last: Any = None
        while True:
            where = "" if last is None else f" WHERE id > {'?' if dialect == 'sqlite' else '%s'}"
            text = f"SELECT {', '.join(wanted)} FROM {quoted(self.table, dialect)}{where} ORDER BY id LIMIT {BATCH}"
            rows = self.connection.all(text, () if last is None else (last,))
            made = [self._one(row, readers, system) for row in rows]
            yield made if self.targets is None else self._leading(rows, made)
            if len(rows) < BATCH:
                return
            last = rows[-1][0]

    def _system(self) -> list[tuple[str, Field]]:
        if self.change.holder.part is not None:
            return []
        system = self.change.holder.before.system_fields
        return [(name, field) for name in self.change.reads if name != "id" and (field := system.get(name))]

    @property
    def _called(self) -> str:
        """What people call the record, or the one that a row belongs to."""
        holder, dialect = self.change.holder, self.connection.dialect
        column = "number" if holder.before.number else "title"
        if holder.part is None:
            return column
        above = quoted(table_name(holder.after if self.named else holder.before), dialect)
        return f"(SELECT above.{column} FROM {above} above WHERE above.id = {quoted(self.table, dialect)}.record)"

    def _one(self, row: Sequence[Any], readers: Sequence[Any], system: Sequence[tuple[str, Field]]) -> tuple[Any, object]:
        self.looked += 1
        values: dict[str, object] = {"id": _key(row[0])}
        at = 1
        for name, count, decode, _ in readers:
            values[name] = decode(row[at : at + count])
            at += count
        for place, (name, field) in enumerate(system):
            convert = from_database(field, self.connection.dialect)
            raw = row[at + place]
            values[name] = raw if raw is None or convert is None else convert(raw)
        old = values.pop("old")
        try:
            return row[0], self.convert(old, values, self.moment)
        except Misfit as misfit:
            shown = json_text(old) if isinstance(old, (Mapping, list)) else canonical(self.change.was, old)
            self._fails(row, shown, misfit.message)
            return row[0], None

    def _fails(self, row: Sequence[Any], shown: str, reason: str) -> None:
        self.failed += 1
        if len(self.first) < SHOWN:
            self.first.append((str(row[-1]), shown, reason))

    def _leading(self, rows: Sequence[Any], made: list[tuple[Any, object]]) -> list[tuple[Any, object]]:
        """The same without the links to what the field may not lead to; those do not fit."""
        dialect = self.connection.dialect
        ids = {id: bind_id(id, dialect) for _, value in made for id in _linked(value)}
        marks = ", ".join(["?" if dialect == "sqlite" else "%s"] * len(ids))
        found = self.connection.all(f"SELECT id, entity FROM xrm_record WHERE id IN ({marks})", tuple(ids.values())) if ids else []
        entities = {_key(key): entity for key, entity in found}
        kept = []
        for row, (key, value) in zip(rows, made, strict=True):
            astray = next((id for id in _linked(value) if entities.get(id) not in (self.targets or ())), None)
            if astray is not None:
                self._fails(row, astray, f"leads to '{entities.get(astray)}'")
            kept.append((key, None if astray is not None else value))
        return kept


def _linked(value: object) -> tuple[str, ...]:
    """The ids that a link, or a list of links, leads to."""
    if value is None:
        return ()
    return tuple(str(link[TARGET]) for link in value) if isinstance(value, tuple) else (str(value),)


def _key(stored: object) -> str:
    return id_text(stored) if isinstance(stored, bytes) else str(stored)


def problem(change: Change, found: Misfits) -> Problem:
    said = "; ".join(f"{record}: '{value[:60]}' {reason}" for record, value, reason in found.first)
    more = f"; and {found.failed - len(found.first):,} more" if found.failed > len(found.first) else ""
    do = "does" if found.failed == 1 else "do"
    message = f"{found.failed:,} of {counted(found.looked, 'value')} of {change.name} {do} not fit {words(change.now)}: {said}{more}"
    hint = "mend them first, or say what becomes of them: converted_from: {type: …, with: =…}"
    if narrowed(change.was, change.now):
        hint = "let them lead elsewhere, or empty them, first (deleted records too: restore them for it)"
    return Problem("XRM407", message, path=change.holder.path(change.now.name), hint=hint)


def steps(found: Sequence[Change], moment: Moment, cost: Mapping[str, tuple[int, float]]) -> Iterator[Step]:
    """Each conversion. ``cost``: how many records it reads, and for about how long, by the name of the field."""
    for change in found:
        said = f"convert {change.name} from {words(change.was)} to {words(change.now)}"
        rows, seconds = cost.get(change.name, (None, None))
        stated = change.now.converted_from is not None
        yield Step(said, work=_Work(change, moment), table=change.holder.table_before, rows=rows, seconds=seconds, replaces=stated)


@dataclass(frozen=True, slots=True)
class _Work:
    change: Change
    moment: Moment

    def __call__(self, connection: Connection) -> None:
        write(connection, self.change, self.moment)
