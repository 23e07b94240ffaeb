"""Reference records: what the files of ``data/`` change in the database, and making it so by the one way to write.

A record is found by its key. What the file says of a field holds whenever it is applied, whoever changed it meanwhile; a
field that the file does not name is the people's. A record that is no longer in its file is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xrm.compile.constraints import EMPTY
from xrm.compile.pairing import entity_pairs, field_pairs, renamings
from xrm.errors import Invalid, Place, XrmError
from xrm.model.application import Application
from xrm.model.data import Keyed, ReferenceRecord
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.values import canonical
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.keys import keyed
from xrm.service.locking import Held
from xrm.service.reading import get_record
from xrm.service.records import Intent, write_within
from xrm.store.database import Connection
from xrm.store.plans import Records


@dataclass(frozen=True, slots=True)
class _Standing:
    """The records that stand, under the names that a new definition gives to things."""

    entities: Mapping[str, Entity]
    """By the new name of each entity that goes on: what it is now."""
    fields: Mapping[str, Mapping[str, str]]
    """By the new name of an entity, its fields of now by their new names."""
    values: Mapping[tuple[str, str], Mapping[object, str]]
    """New names of options, by the new names of entity and field."""

    @staticmethod
    def of(before: Application, after: Application) -> _Standing:
        entities = entity_pairs(before, after)
        pairs = {name: field_pairs(old.fields, after.entities[name].fields) for name, old in entities.items()}
        values: dict[tuple[str, str], dict[object, str]] = {}
        for one in renamings(before, after):
            if one.what == "option":
                values.setdefault((one.entity, one.field), {})[one.was] = one.now
        return _Standing(entities, {name: {new: was.name for new, (was, _) in its.items()} for name, its in pairs.items()}, values)

    def keyed(self, ctx: Context, value: object) -> object:
        """The id of a record that is named by its key, None where there is none; any other value as it is."""
        old = self.entities.get(value.entity) if isinstance(value, Keyed) else None
        return keyed(ctx, ctx.service.database.connection, replace(value, entity=old.name) if old and isinstance(value, Keyed) else value)

    def differing(self, ctx: Context, id: str, record: ReferenceRecord) -> dict[str, tuple[object, object]]:
        """The fields that are not as the file has them: the value that stands, and the one that it is to be."""
        names = {name: was for name, was in self.fields[record.entity].items() if name in record.values}
        row = get_record(ctx, self.entities[record.entity].name, id, tuple(names.values()))
        found = {}
        for name, value in record.values.items():
            now, wanted = self._renamed(record.entity, name, row.get(names.get(name, ""))), self.keyed(ctx, value)
            if now != wanted or (wanted is None and value is not None):
                found[name] = (now, wanted)
        return found

    def _renamed(self, entity: str, field: str, value: object) -> object:
        names = self.values.get((entity, field), {})
        if isinstance(value, tuple) and names:
            return tuple(names.get(one, one) for one in value)
        return names.get(value, value) if names else value


def planned(service: Service | None, before: Application | None, after: Application) -> tuple[Records, ...]:
    """What the records of a definition would change, seen from the release that runs (None: there is none yet)."""
    found = []
    standing = _Standing.of(before, after) if before else None
    stood = _stood(before, standing) if before and standing else {}
    wanted: dict[str, dict[str, ReferenceRecord]] = {}
    for record in after.data:
        wanted.setdefault(record.entity, {})[record.key] = record
    for entity in dict.fromkeys([*wanted, *sorted(stood)]):
        records = wanted.get(entity, {})
        added, changed = list(records), dict[str, str]()
        if service is not None and standing is not None and _by_key(standing, after.entities[entity]):
            added, changed = _compared(service, standing, after.entities[entity], records)
        one = Records(entity, tuple(added), changed, tuple(key for key in stood.get(entity, ()) if key not in records))
        if one.words:
            found.append(one)
    return tuple(found)


def _stood(before: Application, standing: _Standing) -> dict[str, list[str]]:
    """The keys of the records that the running release brought, by the new names of their entities."""
    new = {old.name: name for name, old in standing.entities.items()}
    found: dict[str, list[str]] = {}
    for record in before.data:
        if record.entity in new:
            found.setdefault(new[record.entity], []).append(record.key)
    return found


def _by_key(standing: _Standing, wanted: Entity) -> bool:
    """Whether the records that stand are named by what names them from now on."""
    old = standing.entities.get(wanted.name)
    return old is not None and old.key is not None and standing.fields[wanted.name].get(wanted.key or "") == old.key


def _compared(
    service: Service, standing: _Standing, wanted: Entity, records: Mapping[str, ReferenceRecord]
) -> tuple[list[str], dict[str, str]]:
    """The keys of those that are missing, and what changes in the others."""
    ctx = service.acting(SYSTEM_ACTOR)
    added, changed = [], {}
    for key, record in records.items():
        id = standing.keyed(ctx, Keyed(record.entity, key))
        if id is None:
            added.append(key)
        elif differs := standing.differing(ctx, str(id), record):
            changed[key] = "; ".join(_said(wanted.fields[name], record.values[name], now) for name, (now, _) in differs.items())
    return added, changed


def _said(field: Field, value: object, now: object) -> str:
    """``days 7, was 5``. What a link led to is an id, and nothing to read."""
    if isinstance(value, Keyed):
        return f"{field.name} {value.key}"
    was = f", was {canonical(field, now)}" if now not in EMPTY and field.type != "link" else ""
    return f"{field.name} {'empty' if value in EMPTY else canonical(field, value)}{was}"


def seed(service: Service, connection: Connection) -> None:
    """Write every record that is not as its file has it, in the caller's transaction: first those that are missing, then what has
    changed.

    Raises:
        Invalid: a rule of the entity refuses a record; the problem names its place in the file. The transaction is to be rolled back.
    """
    model = service.application.model
    standing, held = _Standing.of(model, model), Held()
    ctx = service.acting(SYSTEM_ACTOR)
    missing = [one for one in model.data if standing.keyed(ctx, Keyed(one.entity, one.key)) is None]
    for record in in_order(missing):
        values = {name: standing.keyed(ctx, value) for name, value in record.values.items()}
        created = {name: value for name, value in values.items() if value is not None}
        _write(ctx, connection, held, Intent("create", record.entity, created), record)
    for record in model.data:
        id = str(standing.keyed(ctx, Keyed(record.entity, record.key)))
        differs = {name: wanted for name, (_, wanted) in standing.differing(ctx, id, record).items()}
        if differs:
            _write(ctx, connection, held, Intent("update", record.entity, differs, id), record)


def _write(ctx: Context, connection: Connection, held: Held, intent: Intent, record: ReferenceRecord) -> None:
    try:
        write_within(ctx, connection, held, intent)
    except XrmError as refused:
        file, line, column = record.place.rsplit(":", 2)
        place = Place(file, int(line), int(column))
        hint = "mend the record or the rule: nothing was changed"
        told = [replace(one, place=place, path=(record.key, *one.path), hint=one.hint or hint) for one in refused.problems]
        raise Invalid(*told) from refused


def in_order(records: Iterable[ReferenceRecord]) -> list[ReferenceRecord]:
    """Records after those that they link to; in a circle the link of one of them is made afterwards."""
    waiting: Mapping[Keyed, ReferenceRecord] = {Keyed(record.entity, record.key): record for record in records}
    done: dict[Keyed, ReferenceRecord] = {}
    for start in waiting:
        trail: list[tuple[Keyed, list[Any]]] = [(start, _links(waiting[start]))]
        on_trail = {start}
        while trail:
            here, links = trail[-1]
            following = next((one for one in links if one in waiting and one not in done and one not in on_trail), None)
            if following is None:
                done.setdefault(here, waiting[here])
                on_trail.discard(here)
                trail.pop()
            else:
                links.remove(following)
                on_trail.add(following)
                trail.append((following, _links(waiting[following])))
    return list(done.values())


def _links(record: ReferenceRecord) -> list[Any]:
    return [value for value in record.values.values() if isinstance(value, Keyed)]
