"""What an entity's definition says about a write, compiled to closures: defaults, computes, conditions, moves, title.

A closure is called with the record as a flat row (``category.code`` is a key) and the moment; conditions hold only
when they are True, so an unknown one does not hold (LANGUAGE, rule 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from xrm.compile.constraints import Constraints, Truth, condition, constraints, expressions, in_order, reads_rows, roots, truth, value_paths
from xrm.compile.dependencies import whole_question
from xrm.compile.policies import Rule
from xrm.expr import Moment, to_python
from xrm.expr.gathered import Gather, linked
from xrm.model.entity import Entity
from xrm.model.fields import Check, Expression, Field, Value
from xrm.model.lifecycle import Guard, Transition

Row = Mapping[str, object]
Closure = Callable[[Row, Moment], object]


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """``reads``: the names of the record that it reads, rows among them; what links to the record is followed up (``deriving``)."""

    check: Check
    when: Closure | None
    rule: Closure
    blocks: bool
    reads: frozenset[str]

    def holds(self, row: Row, moment: Moment) -> bool:
        if self.when is not None and self.when(row, moment) is not True:
            return True
        return self.rule(row, moment) is True


@dataclass(frozen=True, slots=True)
class CompiledGuard:
    """``asks``: the guard reads something the move itself asks for or sets, so it can be judged only when it is made."""

    guard: Guard
    must: Closure
    asks: bool


@dataclass(frozen=True, slots=True)
class CompiledAsk:
    """``required`` None: never; ``show`` None: always."""

    field: Field
    required: Truth | None
    show: Truth | None


@dataclass(frozen=True, slots=True)
class CompiledMove:
    transition: Transition
    asks: tuple[CompiledAsk, ...]
    guards: tuple[CompiledGuard, ...]
    sets: tuple[tuple[Field, Closure], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """``paths`` are the names beyond a link that any of the closures reads."""

    entity: Entity
    defaults: tuple[tuple[Field, Closure], ...]
    steps: tuple[tuple[Field, Closure], ...]
    """The defaults, and the computed values that they read, each after what it reads."""
    gathers: bool
    """Whether any of the steps reads rows."""
    computes: tuple[tuple[Field, Closure], ...]
    constraints: Constraints
    judged: bool
    """Whether there is any rule or check that a write may break."""
    amounts: tuple[Field, ...]
    """Money whose currency another field of the record names."""
    checks: tuple[CompiledCheck, ...]
    moves: Mapping[str, CompiledMove]
    title: Callable[[Row], str]
    paths: frozenset[str]


def rules(entity: Entity, quiet: frozenset[str] = frozenset()) -> Rules:
    """``quiet``: the fields that not every reader sees."""
    fields, made = in_order(entity), constraints(entity, quiet)
    defaults = {f.name: value_closure(f, f.default) for f in fields if f.default}
    computes = {f.name: value_closure(f, f.compute) for f in fields if f.compute and whole_question(entity, f) is None}
    steps = _steps(fields)
    return Rules(
        entity=entity,
        defaults=tuple((f, defaults[f.name]) for f in fields if f.name in defaults),
        steps=tuple((f, closure) for f in steps if (closure := defaults.get(f.name) or computes.get(f.name))),
        gathers=any(reads_rows(entity, value) for f in steps for value in (f.default, f.compute)),
        computes=tuple((f, computes[f.name]) for f in fields if f.name in computes),
        constraints=made,
        judged=bool(made.fields or made.shows or made.readonly or entity.checks),
        amounts=tuple(f for f in fields if f.currency_from),
        checks=tuple(_check(check) for check in entity.checks),
        moves={move.name: _move(entity, move) for move in entity.lifecycle.transitions.values()} if entity.lifecycle else {},
        title=title_closure(entity),
        paths=frozenset(path for path in _read_paths(entity) if "." in path and not path.startswith("actor.")),
    )


def _steps(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields with a default, and the computed ones that these read, of fields that each stand after what they read."""
    wanted: set[str] = set()
    found = []
    for field in reversed(fields):
        if field.default or (field.compute and field.name in wanted):
            found.append(field)
            wanted |= roots(value_paths(field.default) | value_paths(field.compute))
    return tuple(reversed(found))


def rule_closure(rule: Rule) -> Callable[[Row, Moment], bool]:
    """A right as a question about a record in hand."""
    if rule is True:
        return lambda row, moment: True
    closures = [to_python(expression.checked) for expression in rule]
    return lambda row, moment: any(closure(row, moment) is True for closure in closures)


def value_closure(field: Field, value: Value) -> Closure:
    """The first case that holds; nothing if none does."""
    cases = [
        (to_python(when.checked) if when else None, _expression_value(field, gives) if isinstance(gives, Expression) else gives)
        for when, gives in value.cases
    ]

    def closure(row: Row, moment: Moment) -> object:
        for when, gives in cases:
            if when is None or when(row, moment) is True:
                return gives(row, moment) if callable(gives) else gives
        return None

    return closure


def _expression_value(field: Field, expression: Expression) -> Closure:
    run = to_python(expression.checked)
    return lambda row, moment: fit(field, run(row, moment))


def fit(field: Field, value: object) -> object:
    """An expression's value in its field's type: decimals are rounded half up to the field's places."""
    if value is None:
        return None
    if field.kind.kept == "units" and isinstance(value, (int, Decimal)):
        return Decimal(value).quantize(Decimal(1).scaleb(-field.places), ROUND_HALF_UP)
    if isinstance(value, str) and field.length and field.type in ("text", "long_text", "markdown"):
        return value[: field.length] or None
    return value


def _check(check: Check) -> CompiledCheck:
    rule = check.must or check.should
    if rule is None:
        raise TypeError(f"check {check.name} has neither must nor should")
    read = rule.checked.reads | (check.when.checked.reads if check.when else frozenset())
    when = to_python(check.when.checked) if check.when else None
    return CompiledCheck(check, when, to_python(rule.checked), check.must is not None, roots(read) - {"actor"})


def _move(entity: Entity, move: Transition) -> CompiledMove:
    given = {ask.field for ask in move.ask} | set(move.set or {})
    guards = tuple(CompiledGuard(g, to_python(g.must.checked), bool(roots(g.must.checked.paths) & given)) for g in move.guards)
    asks = tuple(CompiledAsk(entity.fields[a.field], condition(a.required), truth(a.show) if a.show else None) for a in move.ask)
    sets = tuple((entity.fields[name], value_closure(entity.fields[name], value)) for name, value in (move.set or {}).items())
    return CompiledMove(move, asks, guards, sets)


def asked_of_others(entity: Entity) -> tuple[Gather, ...]:
    """What the rules of an entity ask of records that link to its records."""
    values = [value for field in entity.fields.values() for value in (field.default, field.compute)]
    for move in entity.lifecycle.transitions.values() if entity.lifecycle else ():
        values += (move.set or {}).values()
    given = [part for value in values if value for case in value.cases for part in case if isinstance(part, Expression)]
    found = (gather for one in (*_expressions(entity), *given) for gather in linked(one.checked.node))
    return tuple({gather.text: gather for gather in found}.values())


def _read_paths(entity: Entity) -> set[str]:
    found = {path for expression in _expressions(entity) for path in expression.checked.paths}
    values = [value for field in entity.fields.values() for value in (field.default, field.compute)]
    for move in entity.lifecycle.transitions.values() if entity.lifecycle else ():
        values += (move.set or {}).values()
    return found.union(*(value_paths(value) for value in values)) if values else found


def _expressions(entity: Entity) -> list[Expression]:
    found: list[Expression | bool | None] = [*expressions(entity)]
    found += [part for check in entity.checks for part in (check.when, check.must, check.should)]
    found += [rule for grant in entity.access.values() for rule in grant.rights.values()]
    if entity.lifecycle:
        found += [guard.must for move in entity.lifecycle.transitions.values() for guard in move.guards]
    return [expression for expression in found if isinstance(expression, Expression)]


MOST_TITLE = 500
"""Characters of a title, so that its folded key fits into an index on either database."""


def title_closure(entity: Entity) -> Callable[[Row], str]:
    """The title from its template; words that are empty leave no gap. A record is never without one."""
    parts = re.split(r"\{(\w+)\}", entity.title)
    texts, names = parts[::2], parts[1::2]

    def title(row: Row) -> str:
        made = texts[0] + "".join(f"{shown_value(entity, name, row)}{text}" for name, text in zip(names, texts[1:], strict=True))
        return " ".join(made.split())[:MOST_TITLE].strip() or str(row.get("number") or row["id"])

    return title


def shown_value(entity: Entity, name: str, row: Row) -> str:
    """A field's value as a title or a message shows it; empty where there is none."""
    value = row.get(name)
    field = entity.field(name)
    if value is None:
        return ""
    if field and field.type == "choice" and isinstance(value, str):
        option = field.option(value)
        return next(iter(option.label.values())) if option else value
    return str(value)
