"""Reference records: what the files of ``data/`` change in the database, and making it so by the one way to write.

A record is found by its key. What the file says of a field holds whenever it is applied, whoever changed it meanwhile; a
field that the file does not name is the people's. A record that is no longer in its file is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xrm.errors import Invalid, Place, XrmError
from xrm.model.application import Application
from xrm.model.data import Keyed, ReferenceRecord
from xrm.model.entity import Entity
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.keys import keyed
from xrm.service.reading import get_record
from xrm.service.records import Intent, write


@dataclass(frozen=True, slots=True)
class Seeding:
    """What applying the records of one entity does; ``left``: no longer in the file, and still there."""

    entity: str
    added: int
    changed: int
    left: int

    @property
    def writes(self) -> bool:
        return bool(self.added or self.changed)

    @property
    def words(self) -> str:
        """``2 records of category are added, 1 changes, 1 that the file no longer has is left``."""
        some = [(self.added, "is added", "are added"), (self.changed, "changes", "change")]
        some.append((self.left, "that the file no longer has is left", "that the file no longer has are left"))
        told = [(count, one if count == 1 else many) for count, one, many in some if count]
        (first, what), *others = told
        noun = "record" if first == 1 else "records"
        return ", ".join((f"{first:,} {noun} of {self.entity} {what}", *(f"{count:,} {words}" for count, words in others)))


def planned(service: Service | None, before: Application | None, after: Application) -> tuple[Seeding, ...]:
    """What the records of a definition would change, seen from the release that runs (None: there is none yet)."""
    found = []
    old = {(record.entity, record.key) for record in before.data} if before else set()
    for entity in dict.fromkeys([*(record.entity for record in after.data), *sorted(name for name, _ in old)]):
        records = [record for record in after.data if record.entity == entity]
        left = {key for name, key in old if name == entity} - {record.key for record in records} if entity in after.entities else set()
        added, changed = _counted(service, after.entities.get(entity), records)
        if added or changed or left:
            found.append(Seeding(entity, added, changed, len(left)))
    return tuple(found)


def _counted(service: Service | None, wanted: Entity | None, records: list[ReferenceRecord]) -> tuple[int, int]:
    """How many records would be added, and how many changed."""
    there = service.application.model.entities.get(wanted.name) if service and wanted else None
    if service is None or there is None or wanted is None or there.key != wanted.key:
        return len(records), 0
    ctx = service.acting(SYSTEM_ACTOR)
    added = changed = 0
    for record in records:
        id = keyed(ctx, service.database.connection, Keyed(record.entity, record.key))
        if id is None:
            added += 1
        elif record.values.keys() - there.fields.keys() or _differing(ctx, str(id), record):
            changed += 1
    return added, changed


def _differing(ctx: Context, id: str, record: ReferenceRecord) -> dict[str, object]:
    """The fields that are not as the file has them, with the values they are to get."""
    now = get_record(ctx, record.entity, id, tuple(record.values))
    wanted = _resolved(ctx, record)
    return {name: value for name, value in wanted.items() if now.get(name) != value or (value is None and record.values[name] is not None)}


def _resolved(ctx: Context, record: ReferenceRecord) -> dict[str, object]:
    connection = ctx.service.database.connection
    return {name: keyed(ctx, connection, value) for name, value in record.values.items()}


def seed(service: Service) -> None:
    """Write every record that is not as its file has it: first those that are missing, then what has changed.

    Raises:
        Invalid: a rule of the entity refuses a record; the problem names its place in the file.
    """
    data = service.application.model.data
    ctx = service.acting(SYSTEM_ACTOR)
    missing = [one for one in data if keyed(ctx, service.database.connection, Keyed(one.entity, one.key)) is None]
    for record in in_order(missing):
        ctx = service.acting(SYSTEM_ACTOR)
        values = {name: value for name, value in _resolved(ctx, record).items() if value is not None}
        _write(ctx, Intent("create", record.entity, values), record)
    for record in data:
        ctx = service.acting(SYSTEM_ACTOR)
        id = str(keyed(ctx, service.database.connection, Keyed(record.entity, record.key)))
        values = _differing(ctx, id, record)
        if values:
            _write(ctx, Intent("update", record.entity, values, id), record)


def _write(ctx: Context, intent: Intent, record: ReferenceRecord) -> None:
    try:
        write(ctx, intent)
    except XrmError as refused:
        file, line, column = record.place.rsplit(":", 2)
        place = Place(file, int(line), int(column))
        told = [replace(problem, place=place, path=(record.key, *problem.path)) for problem in refused.problems]
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
