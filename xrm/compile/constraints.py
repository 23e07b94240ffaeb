"""Rules on the values of fields, compiled: what applies, what is required, recommended, bounded, to be chosen, kept from hands.

Each says which names it reads, so that a write judges what it touches and leaves alone what it does not (ratcheting).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

from xrm.expr import Moment, to_python
from xrm.model.entity import Entity
from xrm.model.fields import Expression, Field, Value

Row = Mapping[str, object]
Closure = Callable[[Row, Moment], object]
EMPTY = (None, ())
"""What a field holds that has no value: nothing, or no rows."""
Kind = Literal["required", "recommended", "min", "max", "options"]
CODES: Mapping[Kind, str] = {"required": "XRM501", "recommended": "XRM538", "min": "XRM502", "max": "XRM502", "options": "XRM539"}


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition over a record. ``paths`` is all that it reads, ``gathered`` what it asks of collections; ``reads`` are the names
    of the record itself among both."""

    holds: Callable[[Row, Moment], bool]
    paths: frozenset[str] = frozenset()
    gathered: frozenset[str] = frozenset()

    @property
    def reads(self) -> frozenset[str]:
        return roots(self.paths | self.gathered)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule that a field's value breaks or not. ``flag`` names it in the record; empty where its field is not for every reader.

    ``bound`` gives what the value is compared with, for the message.
    """

    field: Field
    kind: Kind
    flag: str
    reads: frozenset[str]
    broken: Callable[[Row, Moment], bool]
    bound: Closure | None = None

    @property
    def warns(self) -> bool:
        return self.kind == "recommended"


@dataclass(frozen=True, slots=True)
class Shown:
    """Whether a field applies; all of ``when`` must hold."""

    field: Field
    when: Truth
    flag: str


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What a form shows of a field's rules. None: the field has no such rule."""

    show: Truth | None = None
    required: Truth | None = None
    readonly: Truth | None = None
    options: Mapping[str, Truth] | None = None


@dataclass(frozen=True, slots=True)
class Constraints:
    """``shows`` is in such an order that a field comes after those by which it is shown."""

    fields: tuple[Constraint, ...]
    shows: tuple[Shown, ...]
    readonly: Mapping[str, Truth]
    mirrored: Mapping[str, Mirrored]
    quiet: frozenset[str]
    """Fields that not every reader sees: flags do not name them."""


ALWAYS = Truth(lambda row, moment: True)


def truth(expression: Expression) -> Truth:
    run = to_python(expression.checked)
    return Truth(lambda row, moment: run(row, moment) is True, _paths(expression), expression.checked.gathered)


def condition(said: Expression | bool) -> Truth | None:
    """None where the rule says nothing, which only False does; what is neither a truth nor a checked expression raises."""
    if said is False:
        return None
    return ALWAYS if said is True else truth(said)


def roots(paths: frozenset[str]) -> frozenset[str]:
    return frozenset(path.partition(".")[0] for path in paths)


def _paths(expression: Expression) -> frozenset[str]:
    return frozenset(path for path in expression.checked.paths if path != "actor" and not path.startswith("actor."))


def value_paths(value: Value | None) -> frozenset[str]:
    """Every name that a value's cases read."""
    parts = [part for case in (value.cases if value else ()) for part in case if isinstance(part, Expression)]
    return frozenset(path for part in parts for path in part.checked.paths)


def reads_rows(entity: Entity, value: Value | None) -> bool:
    """Whether a value asks the record's own rows or lists."""
    parts = [part for case in (value.cases if value else ()) for part in case if isinstance(part, Expression)]
    asked = roots(frozenset(path for part in parts for path in part.checked.gathered))
    return any(field.apart for name in asked if (field := entity.fields.get(name)))


def constraints(entity: Entity, quiet: frozenset[str] = frozenset()) -> Constraints:
    """``quiet``: the fields that not every reader sees."""
    fields = list(entity.fields.values())
    shown = {field.name: all_of(_shows(entity, field)) for field in fields}
    required = {field.name: any_of(_said(entity, field, "required")) for field in fields}
    readonly = {field.name: any_of(_said(entity, field, "readonly")) for field in fields}
    return Constraints(
        fields=tuple(one for field in fields for one in _of_field(field, required[field.name], quiet)),
        shows=tuple(
            Shown(field, when, _flag(field, "show", quiet)) for field in in_order(entity) if (when := shown[field.name]) is not None
        ),
        readonly={name: when for name, when in readonly.items() if when is not None},
        mirrored={f.name: Mirrored(shown[f.name], required[f.name], readonly[f.name], _whens(f)) for f in fields},
        quiet=quiet,
    )


def expressions(entity: Entity) -> list[Expression]:
    """Every expression of a field's or section's rules, and of what moves ask."""
    found: list[Expression | bool | None] = []
    for field in entity.fields.values():
        found += [field.required, field.recommended, field.show, field.readonly, field.lowest, field.highest]
        found += [option.when for option in field.options]
    for form in entity.forms.values():
        found += [said for section in form.sections for said in (section.show, section.required, section.readonly)]
    for move in entity.lifecycle.transitions.values() if entity.lifecycle else ():
        found += [said for ask in move.ask for said in (ask.required, ask.show)]
    return [one for one in found if isinstance(one, Expression)]


def in_order(entity: Entity) -> tuple[Field, ...]:
    """The fields, each after those that its default, its value or its being shown follows from. The check has refused circles."""
    graph: dict[str, set[str]] = {}
    for field in entity.fields.values():
        paths = value_paths(field.default) | value_paths(field.compute)
        paths = paths.union(*(_paths(show) for show in _shows(entity, field)))
        graph[field.name] = {name for name in roots(paths) if name in entity.fields and name != field.name}
    if not any(graph.values()):
        return tuple(entity.fields.values())
    return tuple(entity.fields[name] for name in TopologicalSorter(graph).static_order())


# -- of one field ----------------------------------------------------------------------------------------------------


def _of_field(field: Field, required: Truth | None, quiet: frozenset[str]) -> list[Constraint]:
    name, found = field.name, []
    kinds: tuple[tuple[Kind, Truth | None], ...] = (("required", required), ("recommended", condition(field.recommended)))
    for kind, when in kinds:
        if when is not None:
            found.append(Constraint(field, kind, _flag(field, kind, quiet), when.reads | {name}, _missing(name, when)))
    bounds: tuple[tuple[Kind, Expression | None], ...] = (("min", field.lowest), ("max", field.highest))
    for kind, bound in bounds:
        if bound is not None:
            run = to_python(bound.checked)
            reads = roots(_paths(bound) | bound.checked.gathered) | {name}
            found.append(Constraint(field, kind, _flag(field, kind, quiet), reads, _beyond(name, run, kind), run))
    whens = _whens(field)
    if whens:
        reads = frozenset({name}).union(*(when.reads for when in whens.values()))
        found.append(Constraint(field, "options", _flag(field, "options", quiet), reads, _unfit(name, whens)))
    return found


def _missing(name: str, when: Truth) -> Callable[[Row, Moment], bool]:
    if when is ALWAYS:
        return lambda row, moment: row.get(name) in EMPTY
    return lambda row, moment: row.get(name) in EMPTY and when.holds(row, moment)


def _beyond(name: str, bound: Closure, kind: Kind) -> Callable[[Row, Moment], bool]:
    def beyond(row: Row, moment: Moment) -> bool:
        value = row.get(name)
        limit = None if value is None else bound(row, moment)
        return limit is not None and bool(value < limit if kind == "min" else value > limit)  # type: ignore[operator]  # of one type

    return beyond


def _whens(field: Field) -> Mapping[str, Truth] | None:
    return {option.name: truth(option.when) for option in field.options if option.when} or None


def _unfit(name: str, whens: Mapping[str, Truth]) -> Callable[[Row, Moment], bool]:
    def unfit(row: Row, moment: Moment) -> bool:
        value = row.get(name)
        chosen = value if isinstance(value, tuple) else (value,)
        return any(one in whens and not whens[one].holds(row, moment) for one in chosen)

    return unfit


def _flag(field: Field, kind: str, quiet: frozenset[str]) -> str:
    return "" if field.name in quiet else f"{field.name}:{kind}"


# -- of a field and its section --------------------------------------------------------------------------------------


def _shows(entity: Entity, field: Field) -> list[Expression]:
    """A field is shown where its own condition and that of its section hold."""
    found = [section.show for form in entity.forms.values() for section in form.sections if field.name in section.fields]
    return [show for show in (field.show, *found) if show is not None]


def _said(entity: Entity, field: Field, rule: Literal["required", "readonly"]) -> list[Expression | bool]:
    sections = [section for form in entity.forms.values() for section in form.sections if field.name in section.fields]
    return [said for said in (getattr(field, rule), *(getattr(section, rule) for section in sections)) if said is not False]


def all_of(said: list[Expression]) -> Truth | None:
    truths = [truth(one) for one in said]
    if len(truths) < 2:
        return truths[0] if truths else None
    return _together(truths, lambda row, moment: all(one.holds(row, moment) for one in truths))


def any_of(said: list[Expression | bool]) -> Truth | None:
    truths = [one for one in map(condition, said) if one is not None]
    if ALWAYS in truths:
        return ALWAYS
    if len(truths) < 2:
        return truths[0] if truths else None
    return _together(truths, lambda row, moment: any(one.holds(row, moment) for one in truths))


def _together(truths: list[Truth], holds: Callable[[Row, Moment], bool]) -> Truth:
    return Truth(holds, frozenset().union(*(one.paths for one in truths)), frozenset().union(*(one.gathered for one in truths)))
