"""Which computed field reads which, through every entity: the order of inference, and the circles.

Read from the text of the expressions alone, since the type of a computed field may be what its expression gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from xrm.expr import ExpressionError, Function, Node, compile_check, parse
from xrm.expr.gathered import MACROS
from xrm.expr.syntax import Call, Member, Path
from xrm.model.fields import Field
from xrm.source.bare import bare_field
from xrm.source.circles import circle_from
from xrm.source.currencies import currency_of
from xrm.source.names import EntityScope, Known, Names
from xrm.source.outline import Formula, Part

BRACES = re.compile(r"\{([a-z][a-z0-9_]*)\}")
Step = tuple[str, str]
"""A field of an entity."""
Graph = Mapping[Step, tuple[Step, ...]]
"""For every computed field, and for titles, the fields that they read, in order."""


def formulas_of(part: Part) -> tuple[Formula, ...]:
    """The expressions that compute a field."""
    given = part.given("compute")
    if given is None:
        return ()
    return tuple(one for case in given.cases for one in (case.when, case.use) if isinstance(one, Formula))


def paths(formula: Formula) -> tuple[tuple[str, ...], ...]:
    """The paths in an expression, those inside a collection from its name on; none where it cannot be read."""
    try:
        root = parse(formula.text)
    except ExpressionError:
        return ()
    found: dict[tuple[str, ...], None] = {}
    _collect(root, {}, found)
    return tuple(found)


def reads(formula: Formula) -> tuple[str, ...]:
    """The first names of the paths in an expression."""
    return tuple(dict.fromkeys(path[0] for path in paths(formula)))


def _collect(node: Node, variables: Mapping[str, tuple[str, ...]], found: dict[tuple[str, ...], None]) -> tuple[str, ...]:
    """Notes the paths in a node; the path that the node is, if it is one."""
    if isinstance(node, Path):
        path = (*variables.get(node.names[0], node.names[:1]), *node.names[1:])
        found[path] = None
        return path
    if isinstance(node, Member):
        path = (*_collect(node.target, variables, found), *node.names)
        found[path] = None
        return path
    if isinstance(node, Call) and node.target is not None and node.name in MACROS and len(node.arguments) == 2:
        here, name = _collect(node.target, variables, found), node.arguments[0]
        inner = {**variables, name.names[0]: here} if isinstance(name, Path) else variables
        _collect(node.arguments[1], inner, found)
        return here
    for part in node.parts:
        _collect(part, variables, found)
    return ()


def followed(names: Names, entity: str, path: tuple[str, ...]) -> Iterable[Step]:
    """Every field on the way of a path, and the link behind a collection. ``entity`` may be rows (``order.lines``)."""
    here = names.entities.get(entity) or names.rows.get(entity)
    if here is None or not path:
        return
    name, rest = path[0], path[1:]
    field, inverse = here.field(name), here.inverses.get(name)
    if name == "parent" and entity in names.rows:
        yield from followed(names, entity.partition(".")[0], rest)
    elif field is None and inverse is not None:
        for member in inverse.entities:
            yield member, inverse.field
            yield from followed(names, member, rest)
    else:
        yield here.name, name
        nexts = (field.each or field).targets if field else ()
        if field and field.type == "rows" and not field.each:
            nexts = (f"{here.name}.{name}",)
        for target in nexts:
            yield from followed(names, target, rest)


def graph(names: Names) -> Graph:
    made: dict[Step, tuple[Step, ...]] = {}
    for known in (*names.entities.values(), *names.rows.values()):
        for name, part in known.part.named("fields").items() if known.part else ():
            formulas = formulas_of(part)
            if formulas:
                found = (step for formula in formulas for path in paths(formula) for step in followed(names, known.name, path))
                made[known.name, name] = tuple(dict.fromkeys(found))
        title = known.part.word("title") if known.part and known.name in names.entities else None
        if title:
            made[known.name, "title"] = tuple((known.name, name) for name in BRACES.findall(title.text))
    return made


def inferred(names: Names, functions: Mapping[str, Function]) -> Names:
    """The same names, where a computed field without a type has the type that its expression gives."""
    if not any(known.unknown for known in (*names.entities.values(), *names.rows.values())):
        return names
    entities, rows = dict(names.entities), dict(names.rows)
    whole = replace(names, entities=entities, rows=rows)
    for owner, name in _in_order(graph(names)):
        entity, _, within = owner.partition(".")
        known = rows[owner] if within else entities[owner]
        part = known.part.named("fields").get(name) if known.part else None
        if part is None or name not in known.unknown or part.has("type"):
            continue
        found = _type_given(part, EntityScope(whole, known, entities[entity] if within else None), functions)
        if found is None:
            continue
        field = bare_field(part, name, found.name, names.basis, places=found.places, currency=found.currency)
        made = replace(known, fields=_ordered(known, field), unknown=known.unknown - {name})
        if within:
            rows[owner] = made
            holder = entities[entity].fields[within]
            entities[entity] = replace(entities[entity], fields={**entities[entity].fields, within: replace(holder, rows=made.fields)})
        else:
            entities[owner] = made
    return whole


def _ordered(known: Known, field: Field) -> Mapping[str, Field]:
    """The fields with one more, in the order in which they were written."""
    fields = {**known.fields, field.name: field}
    written = known.part.named("fields") if known.part else {}
    return {**{name: found for name, found in fields.items() if name not in written}, **{n: fields[n] for n in written if n in fields}}


def _in_order(whole: Graph) -> tuple[Step, ...]:
    """What is read before what reads it; fields in a circle are left out."""
    remaining = {step: [read for read in before if read in whole] for step, before in whole.items()}
    while True:
        try:
            return tuple(TopologicalSorter(remaining).static_order())
        except CycleError as error:
            circle = set(error.args[1])
            remaining = {step: [read for read in before if read not in circle] for step, before in remaining.items() if step not in circle}


@dataclass(frozen=True, slots=True)
class Given:
    """The type that an expression gives its field, with the ``places`` of a number and the ``currency`` of an amount."""

    name: str
    places: int | None = None
    currency: str | None = None


def _type_given(part: Part, scope: EntityScope, functions: Mapping[str, Function]) -> Given | None:
    given = part.given("compute")
    formula = next((case.use for case in given.cases if isinstance(case.use, Formula)), None) if given else None
    if formula is None:
        return None
    try:
        checked = compile_check(formula.text, scope, None, functions)
    except ExpressionError:
        return None
    type_ = checked.type
    currency = None if part.has("places") or part.has("unit") else currency_of(checked, scope)
    if currency is not None:
        return Given("money", currency=currency)
    if type_.name == "decimal" and (type_.scale is None or type_.scale > 9):
        return None
    names = {
        "text": "text", "int": "integer", "decimal": "decimal", "bool": "boolean", "date": "date", "datetime": "datetime",
        "time": "time", "duration": "duration", "days": "duration",
    }  # fmt: skip
    return Given(names[type_.name], type_.scale) if type_.name in names else None


def circles(whole: Graph) -> tuple[tuple[Step, ...], ...]:
    """Computed fields that depend on themselves: every circle once, from the first of its fields that was seen."""
    done: set[Step] = set()
    found = [circle_from(whole, start, done) for start in whole]
    return tuple(circle for circle in found if circle)
