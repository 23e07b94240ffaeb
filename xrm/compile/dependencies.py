"""Which stored value follows from which, through every entity: what a write must make anew, and in what order.

A step is a field of an entity. Computed fields read steps of their own record, of records that links lead to (lookups)
and of records that link to theirs (rollups). The check has refused circles, so that every step has a rank: it is made
after all that it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xrm.expr.gathered import Gather, linked
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Expression, Field, Value

Step = tuple[str, str]
"""An entity and one of its fields."""
BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Records of ``entity`` follow a record of ``source`` that their ``chain`` of links leads to, when a field of it changes that is
    watched; ``fields`` are those that follow, by what they watch."""

    source: str
    entity: str
    chain: tuple[str, ...]
    fields: Mapping[str, frozenset[str]]
    rank: int

    @property
    def watched(self) -> frozenset[str]:
        return frozenset(self.fields)


@dataclass(frozen=True, slots=True)
class Rollup:
    """``field`` of the record of ``entity`` that a record of ``source`` links to follows its ``watched`` fields.

    ``whole``: the field is nothing but this question, so that one record's part in it can be added and taken away.
    Without a field it is a check that asks: the record is judged anew, after all that is made anew in it.
    """

    source: str
    link: str
    entity: str
    field: str
    watched: frozenset[str]
    whole: Gather | None
    rank: int


@dataclass(frozen=True, slots=True)
class Dependencies:
    """``lookups`` and ``rollups`` by the entity whose change is followed; ``reads`` is the whole graph, of computed fields only.

    ``derived`` are the entities with a computed field that reads beyond its own record.
    """

    reads: Mapping[Step, frozenset[Step]]
    lookups: Mapping[str, tuple[Lookup, ...]]
    rollups: Mapping[str, tuple[Rollup, ...]]
    derived: frozenset[str]

    def following(self, steps: Iterable[Step]) -> frozenset[Step]:
        """Every computed field that follows from some steps, however far."""
        found: set[Step] = set()
        waiting = set(steps)
        while waiting:
            waiting = {step for step, read in self.reads.items() if read & waiting and step not in found}
            found |= waiting
        return frozenset(found)


def dependencies(application: Application) -> Dependencies:
    reads = {
        (entity.name, name): frozenset(found) for entity in application.entities.values() for name, found in _computed(application, entity)
    }
    ranks: dict[Step, int] = {}
    for step in reads:
        _rank(reads, step, ranks)
    lookups: dict[str, list[Lookup]] = {}
    rollups: dict[str, list[Rollup]] = {}
    for entity in application.entities.values():
        for field in entity.fields.values():
            for lookup in _lookups(application, entity, field, ranks):
                lookups.setdefault(lookup.source, []).append(lookup)
            for rollup in _rollups(entity, field, ranks):
                rollups.setdefault(rollup.source, []).append(rollup)
        for rollup in _judged(entity, 1 + max(ranks.values(), default=0)):
            rollups.setdefault(rollup.source, []).append(rollup)
    derived = {one.entity for many in lookups.values() for one in many} | {one.entity for several in rollups.values() for one in several}
    merged = {source: _merged(many) for source, many in lookups.items()}
    return Dependencies(reads, merged, {source: tuple(many) for source, many in rollups.items()}, frozenset(derived))


def _rank(reads: Mapping[Step, frozenset[Step]], step: Step, ranks: dict[Step, int]) -> int:
    if step not in ranks:
        ranks[step] = max((1 + _rank(reads, read, ranks) for read in reads.get(step, ())), default=0)
    return ranks[step]


def _computed(application: Application, entity: Entity) -> Iterable[tuple[str, set[Step]]]:
    for field in entity.fields.values():
        if field.compute:
            yield field.name, {step for path in _paths(field.compute) for step in _steps(application, entity, path)}
    yield "title", {(entity.name, name) for name in BRACES.findall(entity.title)}


def expressions(value: Value | None) -> tuple[Expression, ...]:
    return tuple(part for case in (value.cases if value else ()) for part in case if isinstance(part, Expression))


def _paths(value: Value) -> frozenset[str]:
    return frozenset(path for one in expressions(value) for path in one.checked.reads)


def _steps(application: Application, entity: Entity, path: str) -> Iterable[Step]:
    """Every field on the way of a path, and the link behind a collection; of rows the field that holds them."""
    here: Entity | None = entity
    names = path.split(".")
    for at, name in enumerate(names, 1):
        if here is None:
            return
        field, gathered = here.field(name), here.collection(name)
        if gathered is not None:
            rest = ".".join(names[at:])
            for member in gathered.entities:
                yield here.name if gathered.by == "own" else member, gathered.field
                yield from _steps(application, application.entities[member], rest) if rest else ()
            return
        yield here.name, name
        if field is not None and field.several and path.partition(".")[2]:
            rest = path.rpartition(".")[2]
            yield from ((target, rest) for target in field.several)
        here = application.entities.get(field.to) if field and field.to else None


def _lookups(application: Application, entity: Entity, field: Field, ranks: Mapping[Step, int]) -> Iterable[Lookup]:
    far = sorted(path for path in (_own_paths(field.compute) if field.compute else ()) if "." in path)
    for path in far:
        names = path.split(".")
        for at in range(1, len(names)):
            chain = tuple(names[:at])
            link = application.resolve(entity.name, ".".join(chain))
            for target in link.targets if link else ():
                here = {names[at]: frozenset({field.name})}
                yield Lookup(target, entity.name, chain, here, ranks[entity.name, field.name])
    for expression in expressions(field.compute):
        for path in expression.checked.gathered:
            gathered, watched = entity.collection(path.partition(".")[0]), path.partition(".")[2]
            if gathered is None or gathered.by != "own" or not watched:
                continue
            for target in gathered.entities:
                here = {watched: frozenset({field.name})}
                yield Lookup(target, entity.name, (gathered.field,), here, ranks[entity.name, field.name])


def _own_paths(value: Value) -> frozenset[str]:
    return frozenset(path for one in expressions(value) for path in one.checked.paths)


def _merged(lookups: Iterable[Lookup]) -> tuple[Lookup, ...]:
    """One for each chain of links: its records are found once."""
    found: dict[tuple[str, tuple[str, ...]], Lookup] = {}
    for one in lookups:
        key = (one.entity, one.chain)
        had = found.get(key, one)
        fields = {name: had.fields.get(name, frozenset()) | one.fields.get(name, frozenset()) for name in had.watched | one.watched}
        found[key] = Lookup(one.source, one.entity, one.chain, fields, min(had.rank, one.rank))
    return tuple(found.values())


def _rollups(entity: Entity, field: Field, ranks: Mapping[Step, int]) -> Iterable[Rollup]:
    for expression in expressions(field.compute):
        for gather in linked(expression.checked.node):
            inverse = entity.inverses.get(gather.path)
            if inverse is None:  # a list of links of its own
                continue
            watched = frozenset(path.partition(".")[2] for path in expression.checked.gathered if path.startswith(f"{gather.path}."))
            whole = whole_question(entity, field)
            rank = ranks[entity.name, field.name]
            yield from (Rollup(one, inverse.field, entity.name, field.name, watched, whole, rank) for one in inverse.entities)


def _judged(entity: Entity, rank: int) -> Iterable[Rollup]:
    """What the checks of an entity ask of records that link to its records: one for each collection."""
    found: dict[str, set[str]] = {}
    for check in entity.checks:
        for part in (check.when, check.must, check.should):
            for gather in linked(part.checked.node) if part else ():
                reads = part.checked.gathered if part else frozenset()
                found.setdefault(gather.path, set()).update(one.partition(".")[2] for one in reads if one.startswith(f"{gather.path}."))
    for path, watched in found.items():
        inverse = entity.inverses.get(path)
        if inverse is None:
            continue
        for member in inverse.entities:
            yield Rollup(member, inverse.field, entity.name, "", frozenset(watched), None, rank)


def whole_question(entity: Entity, field: Field) -> Gather | None:
    """The question that a computed field is, when it is one question about records that link to this, and takes its value as it is."""
    given = expressions(field.compute)
    if len(given) != 1 or field.compute is None or len(field.compute.cases) != 1:
        return None
    node = given[0].checked.node
    if not isinstance(node, Gather) or node.held or node.path in entity.fields or given[0].checked.paths:
        return None
    return node if _fits(node, field) else None


def _fits(node: Gather, field: Field) -> bool:
    wanted = field.expression_type
    if node.type.name == "decimal":
        return wanted.name == "decimal" and node.type.scale == field.places
    return node.type.name == wanted.name and node.type.name != "text"
