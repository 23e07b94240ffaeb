"""Deciding: what the data that is there asks of a new definition, and what the definition answers.

Removed options and states that records hold, requirements that records do not meet, numbers and states that records never had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from xrm.compile.columns import stored
from xrm.compile.differences import follows
from xrm.compile.pairing import Holder, Renaming
from xrm.errors import Problem
from xrm.expr import Moment
from xrm.model.application import Application
from xrm.model.data import ReferenceRecord
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.lifecycle import Lifecycle
from xrm.model.standard import USER
from xrm.model.values import coerce
from xrm.store.converting import decoder, encoder
from xrm.store.database import Connection
from xrm.store.ddl import literal, quoted
from xrm.store.plans import Step, Writes, counted
from xrm.store.renaming import holding, replaced


@dataclass(slots=True)
class Answers:
    """What is to be done, and what must be said first (XRM408)."""

    writes: list[Writes] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def answers(
    connection: Connection, holders: Sequence[Holder], renamed: Sequence[Renaming], data: Sequence[ReferenceRecord] = ()
) -> Answers:
    """Reads only: the tables are still as they were. ``data``: the reference records, which bring values of their own."""
    found = Answers()
    for holder in holders:
        for was, now in holder.fields.values():
            if was.type == now.type == "choice" and not now.compute:
                _options(connection, holder, was, now, renamed, found)
        if holder.part is None:
            _states(connection, holder, renamed, found)
            _numbers(connection, holder, found)
            for now in holder.after.fields.values():
                _required(connection, holder, now, data, found)
            lifecycle = holder.after.lifecycle
            if lifecycle and lifecycle.fill and not holder.before.lifecycle:
                alive = _count(connection, holder, "deleted_at IS NULL")
                found.writes += [Writes(holder.after.name, "state", alive)] if alive else []
    return found


# -- names that are gone ---------------------------------------------------------------------------------------------


def _options(connection: Connection, holder: Holder, was: Field, now: Field, renamed: Sequence[Renaming], found: Answers) -> None:
    had = {option.name for option in was.options} - {option.name for option in now.options}
    name = now.name if holder.part is None else f"{holder.part}.{now.name}"
    kept = {one.was for one in renamed if (one.what, one.entity, one.field) == ("option", holder.after.name, name)}
    gone = _Gone(holder, "option", was.name, now.name, had - kept, dict(now.removed), was.many, None if follows(was, now) else "converted")
    _gone(connection, gone, now, found)


def roles(connection: Connection, before: Application, after: Application, found: Answers) -> None:
    """Users who have a role that is gone."""
    kept = {one for role in after.roles.values() for one in role.renamed_from}
    gone, removed = before.roles.keys() - after.roles.keys() - kept, dict(after.removed_roles)
    holds = holding("roles", gone, connection.dialect, lists=True, json=True) if gone else "1 = 0"
    rows = connection.all(f"SELECT roles FROM xrm_user WHERE {holds} AND deleted_at IS NULL")
    held = Counter(role for (roles,) in rows for role in msgspec.json.decode(roles) if role in gone)
    missing = {role: count for role, count in sorted(held.items()) if role not in removed}
    if missing:
        said = ", ".join(f"'{name}' of {counted(count, 'user')}" for name, count in missing.items())
        hint = f"say what they get: removed: {{{next(iter(missing))}: …}}, or renamed_from on the role that it has become"
        found.problems.append(Problem("XRM408", f"the role {said} would be left without a meaning", path=("roles",), hint=hint))
    elif held:
        found.writes.append(Writes(USER, "roles", len(rows), {role: removed[role] for role in sorted(held)}, "xrm_user"))


def _states(connection: Connection, holder: Holder, renamed: Sequence[Renaming], found: Answers) -> None:
    before, after = holder.before.lifecycle, holder.after.lifecycle
    if before and after:
        kept = {one.was for one in renamed if (one.what, one.entity) == ("state", holder.after.name)}
        had = before.states.keys() - after.states.keys() - kept
        _gone(connection, _Gone(holder, "state", "state", "state", set(had), dict(after.removed)), None, found)


@dataclass(frozen=True, slots=True)
class _Gone:
    """``lists``: the column holds several names; ``by``: what else moves them."""

    holder: Holder
    what: str
    column: str
    now: str
    names: set[str]
    removed: Mapping[str, str | None]
    lists: bool = False
    by: str | None = None


def _gone(connection: Connection, gone: _Gone, now: Field | None, found: Answers) -> None:
    """Records that hold a name that is gone: moved where the map says, or a problem with their count."""
    holder = gone.holder
    held = _held(connection, gone)
    missing = {name: count for name, count in held.items() if name not in gone.removed}
    if missing:
        said = ", ".join(f"'{name}' in {counted(count, 'record')}" for name, count in missing.items())
        message = f"{holder.says(gone.now)}: {gone.what} {said} would be left without a meaning"
        path = holder.path(gone.now) if gone.what == "option" else (holder.after.name, "lifecycle")
        hint = f"say where they go: removed: {{{next(iter(missing))}: …}}"
        found.problems.append(Problem("XRM408", message, path=path, hint=hint))
    if missing or not held:
        return
    if gone.by:  # it is done with that, and told
        moved = ", ".join(f"{name} to {gone.removed[name] or 'nothing'}" for name in held)
        count = _several(connection, gone, held, "1 = 1")
        said = f"move {holder.says(gone.now)} in {counted(count, 'record')}, as it is {gone.by}: {moved}"
        found.steps.append(Step(said, table=holder.table_before, rows=count, replaces=True))
        return
    alive = _held(connection, gone, "deleted_at IS NULL") if holder.part is None else {}
    if alive:
        mapping = {name: gone.removed[name] for name in alive}
        count = _several(connection, gone, alive, "deleted_at IS NULL")
        found.writes.append(Writes(holder.after.name, gone.now, count, mapping, holder.table_before))
    others = "deleted_at IS NOT NULL" if holder.part is None else "1 = 1"
    rest = _held(connection, gone, others)
    if rest:
        said = f"move {holder.says(gone.now)}{' in deleted records' if holder.part is None else ''}"
        mapping = {name: gone.removed[name] for name in rest}
        step = Step(said, table=holder.table_before, rows=_several(connection, gone, rest, others), replaces=True)
        if gone.lists and now is not None:
            found.steps.append(replace(step, work=_Mapping(now, holder.table, mapping, others)))
        else:
            found.steps.append(replace(step, sql=(replaced(holder.table, gone.now, mapping, connection.dialect, f" AND {others}"),)))


def _held(connection: Connection, gone: _Gone, where: str = "1 = 1") -> dict[str, int]:
    """In how many records each of the names stands."""
    if not gone.names:
        return {}
    table, name = quoted(gone.holder.table_before, connection.dialect), quoted(gone.column, connection.dialect)
    if gone.lists:
        counts = {one: _several(connection, gone, [one], where) for one in sorted(gone.names)}
        return {one: count for one, count in counts.items() if count}
    holds = holding(gone.column, gone.names, connection.dialect, lists=False)
    rows = connection.all(f"SELECT {name}, count(*) FROM {table} WHERE {holds} AND {where} GROUP BY {name} ORDER BY {name}")
    return {row[0]: int(row[1]) for row in rows}


def _several(connection: Connection, gone: _Gone, names: Collection[str], where: str) -> int:
    """The records in which any of the names stands."""
    return _count(connection, gone.holder, f"{holding(gone.column, names, connection.dialect, lists=gone.lists)} AND {where}")


def mapped(value: object, mapping: Mapping[str, str | None]) -> object:
    """A name, or each of several, where the map says; nothing stands twice."""
    if isinstance(value, (tuple, list)):
        made = [mapping.get(one, one) for one in value]
        return tuple(dict.fromkeys(one for one in made if one is not None))
    return mapping.get(str(value), str(value)) if value is not None else None


@dataclass(frozen=True, slots=True)
class _Mapping:
    """Moves the names in lists that no write reaches: of deleted records, and of rows."""

    field: Field
    table: str
    mapping: Mapping[str, str | None]
    where: str

    def __call__(self, connection: Connection) -> None:
        table, column = quoted(self.table, connection.dialect), quoted(self.field.name, connection.dialect)
        holds = holding(self.field.name, self.mapping, connection.dialect, lists=True)
        _, decode = decoder(self.field, connection.dialect)
        encode, mark = encoder(self.field, connection.dialect), "?" if connection.dialect == "sqlite" else "%s"
        rows = connection.all(f"SELECT id, {column} FROM {table} WHERE {holds} AND {self.where}")
        for key, stored_value in rows:
            value = coerce(self.field, mapped(decode([stored_value]), self.mapping) or None)
            connection.run(f"UPDATE {table} SET {column} = {mark} WHERE id = {mark}", (*encode(value), key))


# -- what is required ------------------------------------------------------------------------------------------------


def _numbers(connection: Connection, holder: Holder, found: Answers) -> None:
    """Records that had no number get one of their year; what else could stand in it is not looked up."""
    number = holder.after.number
    if number is None or holder.before.number is not None or not number.reads:
        return
    if count := _count(connection, holder, "1 = 1"):
        message = f"{holder.after.name} has {counted(count, 'record')} without a number, which cannot be made from '{number.reads[0]}'"
        hint = "let the first numbers be of {year} and {seq:…} alone, and change their form in the release after"
        found.problems.append(Problem("XRM402", message, path=(holder.after.name, "number"), hint=hint))


def _required(connection: Connection, holder: Holder, now: Field, data: Sequence[ReferenceRecord], found: Answers) -> None:
    """A field that is newly required, or newly says ``fill``, where records are empty."""
    if now.compute or now.kind.kept in ("apart", "files"):  # neither has a 'fill': what lacks them is flagged
        return
    was = holder.fields[now.name][0] if now.name in holder.fields else None
    fresh = now.fill is not None and (was is None or was.fill is None)
    newly = now.required is True and (was is None or was.required is not True)
    if not (fresh or newly):
        return
    where = f"{quoted(stored(was)[0].name, connection.dialect)} IS NULL AND " if was is not None else ""
    if now.fill is None and now.default is None:
        where += _brought(connection, holder, now, data)
    count = _count(connection, holder, f"{where}deleted_at IS NULL")
    if not count:
        return
    if now.fill is None and now.default is None:
        message = f"{holder.says(now.name)} is required now, and {counted(count, 'record')} {'has' if count == 1 else 'have'} no value"
        hint = "say what they get: fill: …, data or an =expression; or give the field a default"
        found.problems.append(Problem("XRM408", message, path=holder.path(now.name), hint=hint))
    else:
        found.writes.append(Writes(holder.after.name, now.name, count))


def _brought(connection: Connection, holder: Holder, now: Field, data: Sequence[ReferenceRecord]) -> str:
    """Leaves out the records to which a file of ``data/`` gives a value of the field."""
    named = holder.fields.get(holder.after.key or "")
    keys = [one.key for one in data if one.entity == holder.after.name and one.values.get(now.name) is not None]
    if named is None or not keys:
        return ""
    return f"{quoted(named[0].name, connection.dialect)} NOT IN ({', '.join(literal(key) for key in keys)}) AND "


def _count(connection: Connection, holder: Holder, where: str) -> int:
    row = connection.one(f"SELECT count(*) FROM {quoted(holder.table_before, connection.dialect)} WHERE {where}")
    return int(row[0]) if row else 0


def opened(holder: Holder, renamed: Sequence[Renaming]) -> Iterator[Step]:
    """Whether records are open follows from their states: after states have become final, or are no longer, or are gone."""
    before, after = holder.before.lifecycle, holder.after.lifecycle
    if before is None or holder.part is not None or _finals(before, holder, renamed) == (_finals(after, holder, ()) if after else {}):
        return
    finals = ", ".join(literal(state.name) for state in after.states.values() if state.final) if after else ""
    table, spine = quoted(holder.table, "sqlite"), f"WHERE entity = {literal(holder.after.name)}"
    if not finals:
        everything = (f"UPDATE {table} SET open = TRUE", f"UPDATE xrm_record SET open = TRUE {spine}")
        yield Step(f"open every record of {holder.after.name}", everything, table=holder.table_before)
        return
    closed = f"CASE WHEN state IN ({finals}) THEN FALSE ELSE TRUE END"
    its = f"CASE WHEN id IN (SELECT id FROM {table} WHERE state IN ({finals})) THEN FALSE ELSE TRUE END"
    sql = (f"UPDATE {table} SET open = {closed}", f"UPDATE xrm_record SET open = {its} {spine}")
    yield Step(f"open and close the records of {holder.after.name} as their states say", sql, table=holder.table_before)


def _finals(lifecycle: Lifecycle, holder: Holder, renamed: Sequence[Renaming]) -> dict[str, bool]:
    """By the new name of each state: whether it is final."""
    names = {one.was: one.now for one in renamed if (one.what, one.entity) == ("state", holder.after.name)}
    return {names.get(state.name, state.name): state.final for state in lifecycle.states.values()}


def has_new_system_columns(holder: Holder) -> bool:
    before, after = holder.before, holder.after
    return (after.number is not None and before.number is None) or (after.lifecycle is not None and before.lifecycle is None)


# -- numbers and states that records never had -----------------------------------------------------------------------


def system_columns(connection: Connection, holder: Holder, moment: Moment, count: int) -> Iterator[Step]:
    """``number`` and ``state`` for the records that are there, when an entity gets them."""
    before, after = holder.before, holder.after
    if after.number and not before.number:
        yield Step(
            f"number {counted(count, 'record')} of {after.name} in the order they were made", work=_Numbering(after, holder.table, moment)
        )
        if connection.dialect == "postgresql":
            yield Step(
                f"number of {after.name} is never empty",
                (f"ALTER TABLE {quoted(holder.table, 'postgresql')} ALTER COLUMN number SET NOT NULL",),
            )
    if after.lifecycle and not before.lifecycle:
        table, state = quoted(holder.table, connection.dialect), after.lifecycle.initial
        sets = f"state_since = created_at, open = {'FALSE' if state.final else 'TRUE'}"
        spine = f"UPDATE xrm_record SET open = {'FALSE' if state.final else 'TRUE'} WHERE entity = {literal(after.name)}"
        sql = [f"UPDATE {table} SET {sets}", spine]
        if connection.dialect == "postgresql":
            sql += [f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT" for column in ("state", "state_since")]
        yield Step(
            f"put {counted(count, 'record')} of {after.name} into the state {state.name}", tuple(sql), table=holder.table_before, rows=count
        )


def default_of(entity: Entity, column: str, dialect: str) -> str:
    """What stands behind a new column that may not be empty (PostgreSQL takes it away again)."""
    if column == "state" and entity.lifecycle:
        return f" DEFAULT {literal(entity.lifecycle.initial.name)}"
    if column == "state_since":
        return f" DEFAULT '1970-01-01T00:00:00.000000{'Z' if dialect == 'sqlite' else '+00'}'"
    return " DEFAULT ''" if dialect == "sqlite" else ""


@dataclass(frozen=True, slots=True)
class _Numbering:
    """Gives the records that are there their numbers, and lets the series go on after them."""

    entity: Entity
    table: str
    moment: Moment

    def __call__(self, connection: Connection) -> None:
        form = self.entity.number
        assert form is not None
        table, mark = quoted(self.table, connection.dialect), "?" if connection.dialect == "sqlite" else "%s"
        reached: dict[str, int] = {}
        given: list[tuple[str, Any]] = []
        for key, made in connection.all(f"SELECT id, created_at FROM {table} ORDER BY created_at, id"):
            year = _instant(made).astimezone(self.moment.tz).year
            series = f"{self.entity.name}:{year}" if form.yearly else self.entity.name
            reached[series] = reached.get(series, 0) + 1
            given.append((form.render(reached[series], year), key))
        if given:
            connection.raw.cursor().executemany(f"UPDATE {table} SET number = {mark} WHERE id = {mark}", given)
        for series, last in reached.items():
            connection.run(f"DELETE FROM xrm_number WHERE name = {mark}", (series,))
            connection.run(f"INSERT INTO xrm_number (name, next) VALUES ({mark}, {mark})", (series, last + 1))


def _instant(stored: object) -> datetime:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored.astimezone(UTC)  # type: ignore[attr-defined]
