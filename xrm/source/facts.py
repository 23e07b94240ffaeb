"""What a thing of a sound application is, as facts: (name, words) each."""

from __future__ import annotations

from collections.abc import Callable

from xrm.model.access import Grant
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Check, Expression, Field, Value
from xrm.model.lifecycle import Lifecycle, Transition
from xrm.model.views import View

Facts = tuple[tuple[str, str], ...]


def of_role(application: Application, name: str) -> Facts:
    role = application.roles[name]
    facts = [("includes", ", ".join(role.includes))] if role.includes else []
    for entity in application.entities.values():
        grant = entity.access.get(name)
        if grant:
            facts.append((entity.name, ", ".join(_right(right, rule) for right, rule in grant.rights.items()) or "nothing"))
    return tuple(facts)


def _right(right: str, rule: object) -> str:
    return f"{right} where {rule.checked.text}" if isinstance(rule, Expression) else right


def of_move(move: Transition) -> Facts:
    facts = [("from", ", ".join(move.sources)), ("to", move.target), ("roles", ", ".join(move.roles or ()) or "who may update the record")]
    facts += [("asks", ", ".join(ask.field for ask in move.ask))] if move.ask else []
    facts += [("sets", ", ".join(f"{field} {_rule(value)}" for field, value in move.set.items()))] if move.set else []
    return (*facts, *(("guard", guard.must.checked.text) for guard in move.guards))


def of_state(lifecycle: Lifecycle, name: str) -> Facts:
    state, moves = lifecycle.states[name], lifecycle.transitions.values()
    into = ["a new record"] if state.initial else []
    into += [f"{move.name} from {', '.join(move.sources)}" for move in moves if move.target == name]
    leave = [f"{move.name} to {move.target}" for move in moves if name in move.sources]
    facts = [("comes here", "; ".join(into) or "nothing")]
    facts += [("leaves", "; ".join(leave) or ("nothing: it is final" if state.final else "nothing"))]
    return (*facts, ("may be edited", ", ".join(state.edit) or "nothing")) if state.edit is not None else tuple(facts)


def of_view(view: View) -> Facts:
    facts = (("columns", ", ".join(view.columns)), ("sort", ", ".join(map(str, view.sort))))
    return (*facts, ("filter", view.filter.checked.text)) if view.filter else facts


def of_check(check: Check) -> Facts:
    said = (("when", check.when), ("must", check.must), ("should", check.should))
    facts = tuple((key, rule.checked.text) for key, rule in said if rule)
    return (*facts, ("beside", check.field)) if check.field else facts


def of_entity(application: Application, entity: Entity) -> Facts:
    facts = [("fields", ", ".join(entity.fields))]
    facts += [("states", ", ".join(entity.lifecycle.states))] if entity.lifecycle else []
    facts += [("title", entity.title)]
    facts += [("key", entity.key)] if entity.key else []
    for role, grant in entity.access.items():
        facts.append((f"may: {role}", ", ".join(_right(right, rule) for right, rule in grant.rights.items())))
    others = [(other.name, field) for other in application.entities.values() for field in other.fields.values()]
    linked = [f"{other}.{field.name}" for other, field in others if entity.name in field.targets]
    return (*facts, *([("linked from", ", ".join(linked))] if linked else []))


def of_field(application: Application, entity: Entity, field: Field) -> Facts:
    def with_right(given: Callable[[Grant], bool]) -> str:
        """The roles that have a right, and those that include one of them."""
        have = {role for role, grant in entity.access.items() if given(grant)}
        return ", ".join(name for name, role in application.roles.items() if have.intersection((name, *role.includes))) or "nobody"

    facts = [("type", f"{field.type} to {', '.join(field.targets)}" if field.targets else field.type)]
    if field.options:
        facts.append(("options", ", ".join(option.name for option in field.options)))
    if field.system:
        return (*facts, ("kept by", "xrm itself"))
    rules: list[tuple[str, Expression | Value | bool | None]] = [
        ("required", field.required), ("recommended", field.recommended), ("shown", field.show), ("read only", field.readonly),
        ("default", field.default), ("computed", field.compute),
    ]  # fmt: skip
    facts += [(name, _rule(rule)) for name, rule in rules if rule]
    facts += [(name, str(bound)) for name, bound in (("min", field.minimum), ("max", field.maximum)) if bound is not None]
    if field.protected:
        facts.append(("seen by", with_right(lambda grant: field.name in grant.sees)))
        facts.append(("changed by", with_right(lambda grant: field.name in grant.edits)))
    else:
        facts.append(("seen by", with_right(lambda grant: "read" in grant.rights)))
    return tuple(facts)


def _rule(rule: Expression | Value | bool | None) -> str:
    if isinstance(rule, Expression):
        return rule.checked.text
    if isinstance(rule, Value):
        return "; else ".join(_case(when, use) for when, use in rule.cases)
    return "always"


def _case(when: Expression | None, use: object) -> str:
    shown = f"={use.checked.text}" if isinstance(use, Expression) else str(use)
    return f"{shown} where {when.checked.text}" if when else shown
