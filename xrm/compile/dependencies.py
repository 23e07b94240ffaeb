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
from xrm.model.rows import row_entity, rows_of

Step = tuple[str, str]
"""An entity and one of its fields."""
BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Records of ``entity`` follow a record of ``source`` that their ``chain`` of links leads to, when a field of it changes that is
    watched; ``fields`` are those that follow, by what they watch: computed ones, those that hold computed rows, and the flags of rules.
    A chain through rows begins with the field that holds them."""

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
    Without a field it is a rule that asks: the record is judged anew, after all that is made anew in it.
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
        last = 1 + max(ranks.values(), default=0)
        for lookup in (*_lookups(application, entity, ranks), *_looked_at(application, entity, last)):
            lookups.setdefault(lookup.source, []).append(lookup)
        for field in entity.fields.values():
            for rollup in _rollups(entity, field, ranks):
                rollups.setdefault(rollup.source, []).append(rollup)
        for rollup in _judged(entity, last):
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


def _lookups(application: Application, entity: Entity, ranks: Mapping[Step, int]) -> Iterable[Lookup]:
    """What the computed fields of an entity, and those of its rows, read beyond links."""
    for field in entity.fields.values():
        for path in sorted(_own_paths(field.compute)) if field.compute else ():
            yield from _ways(application, entity, path, field.name, ranks[entity.name, field.name])
        for expression in expressions(field.compute):
            yield from _listed(entity, expression, field.name, ranks[entity.name, field.name])
        for inner in field.rows.values():
            for path in sorted(_own_paths(inner.compute)) if inner.compute else ():
                yield from _ways(application, entity, _from_record(field, path), field.name, 0)


def _looked_at(application: Application, entity: Entity, rank: int) -> Iterable[Lookup]:
    """What the rules that leave flags read beyond links."""
    for rule in entity.flagging:
        yield from _listed(entity, rule, FLAGS, rank)
        for path in sorted(rule.checked.paths):
            yield from _ways(application, entity, path, FLAGS, rank)
    for field in rows_of(entity):
        for rule in row_entity(entity, field).flagging:
            for path in sorted(rule.checked.paths):
                yield from _ways(application, entity, _from_record(field, path), FLAGS, rank)


FLAGS = "flags"


def _from_record(holder: Field, path: str) -> str:
    """A path that is read in the rows of a field, from their record on."""
    return path.removeprefix("parent.") if path.startswith("parent.") else f"{holder.name}.{path}"


def _ways(application: Application, entity: Entity, path: str, follows: str, rank: int) -> Iterable[Lookup]:
    """Every link on the way of a path, and what is read of the record that it leads to."""
    names = path.split(".")
    for at in range(1, len(names)):
        chain = tuple(names[:at])
        link = _link_at(application, entity, chain)
        for target in link.targets if link else ():
            yield Lookup(target, entity.name, chain, {names[at]: frozenset({follows})}, rank)


def _listed(entity: Entity, expression: Expression, follows: str, rank: int) -> Iterable[Lookup]:
    """What is read of the records in the entity's own lists of links."""
    for path in sorted(expression.checked.gathered):
        name, _, watched = path.partition(".")
        gathered = entity.collection(name)
        if gathered is None or gathered.by != "own" or not watched:
            continue
        for target in gathered.entities:
            yield Lookup(target, entity.name, (gathered.field,), {watched: frozenset({follows})}, rank)


def _link_at(application: Application, entity: Entity, chain: tuple[str, ...]) -> Field | None:
    """The link at the end of a chain; of a chain through rows, one of theirs or, one link on, of what it leads to."""
    holder = entity.field(chain[0])
    if holder is None or holder.type != "rows":
        return application.resolve(entity.name, ".".join(chain))
    first = holder.rows.get(chain[1]) if len(chain) > 1 else None
    if first is None or len(chain) == 2:
        return first
    return application.resolve(first.to, ".".join(chain[2:])) if first.to else None


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
    """What the rules of an entity ask of records that link to its records: one for each collection."""
    found: dict[str, set[str]] = {}
    for rule in entity.flagging:
        for gather in linked(rule.checked.node):
            reads = (one.partition(".")[2] for one in rule.checked.gathered if one.startswith(f"{gather.path}."))
            found.setdefault(gather.path, set()).update(reads)
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
