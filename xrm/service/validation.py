"""Completing and judging a record inside the transaction: defaults, sets, computed values, requirements, checks, guards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xrm.compile.application import CompiledEntity
from xrm.compile.constraints import EMPTY
from xrm.compile.rules import CompiledMove, fit
from xrm.errors import Forbidden, Invalid, NotFound, Problem, nearest
from xrm.model.data import Keyed
from xrm.model.entity import Entity
from xrm.model.fields import MONEY_PLACES, TARGET, Field
from xrm.model.lifecycle import Transition
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.service import constraints, fitting, row_rules, rows
from xrm.service.context import Context
from xrm.service.hooks import validate
from xrm.service.keys import keyed
from xrm.service.locking import follow
from xrm.service.policy import forbidden
from xrm.store.database import Connection

if TYPE_CHECKING:
    from xrm.service.records import Intent

CHECK = "XRM504"
"""A check's message is the administrator's own; the definition's check keeps protected values out of it."""

__all__ = ["complete", "forbidden", "known_move", "refused_move"]


def complete(
    ctx: Context, connection: Connection, compiled: CompiledEntity, intent: Intent, before: Mapping[str, Any] | None, row: dict[str, Any]
) -> tuple[Problem, ...]:
    """Fill in what follows from the rest (in ``row``), then judge the whole; the warnings of ``should`` checks.

    Raises:
        Invalid: with everything that refuses the write.
    """
    if intent.action in ("delete", "restore"):
        return ()
    problems: list[Problem] = []
    links = {link.field: row.get(link.field) for link in compiled.writes.links}
    scopes = rows.Scopes(connection, compiled)
    if before is None:
        _wholes(compiled, intent, before, row)
        problems += _defaults(ctx, connection, compiled, intent, row, scopes, links)
    else:
        problems += _locked_by_state(ctx, compiled.entity, intent, before, row)
    if intent.action == "transition":
        problems += _set(ctx, connection, compiled, intent, before or {}, row)
    follow(connection, compiled, row, links)
    links = {name: row.get(name) for name in links}
    _wholes(compiled, intent, before, row)
    misfits = _compute(ctx, compiled, row)
    follow(connection, compiled, row, links)
    warnings: list[Problem] = []
    if compiled.rules.constraints.shows and not intent.historic:
        while emptied := constraints.emptied(ctx, compiled, before, row):
            warnings += constraints.left_out(ctx, emptied, intent.values)
            follow(connection, compiled, row, links)
            misfits = _compute(ctx, compiled, row)
    if compiled.fits and fitting.filled_in(ctx, connection, compiled, before, row, warnings):
        follow(connection, compiled, row, links)
        misfits = _compute(ctx, compiled, row)
    problems += misfits
    if compiled.rows:
        problems += _complete_rows(ctx, compiled, intent, before, row, scopes)
    if intent.action == "transition":
        problems += _asked(ctx, compiled, intent, before or {}, row, warnings)
    judged = constraints.judge(ctx, compiled, intent, before, row)
    if compiled.rows:
        row_rules.judge(ctx, compiled, intent, before, row, scopes, judged)
    if not intent.lenient:
        problems += _amounts(ctx, compiled, before, row) + fitting.unfit(ctx, connection, compiled, before, row)
    row["flags"] = " ".join(judged.flags) or None
    problems += judged.problems
    problems += validate(ctx, compiled.entity.name, row, before)
    if problems:
        raise Invalid(*(_told(ctx, compiled.entity, problem) for problem in problems))
    return tuple(_told(ctx, compiled.entity, problem) for problem in (*warnings, *judged.warnings))


def _complete_rows(
    ctx: Context, compiled: CompiledEntity, intent: Intent, before: Mapping[str, Any] | None, row: dict[str, Any], scopes: rows.Scopes
) -> list[Problem]:
    """Each row as its own rules make it, and then what the record is made of it."""
    problems: list[Problem] = []
    rows.default(ctx, compiled, row, scopes)
    row_rules.hide(ctx, compiled, before, row, scopes)
    rows.compute(ctx, compiled, row, scopes, problems)
    if intent.action != "transition" and not intent.lenient:
        problems += row_rules.by_hand(ctx, compiled, before, row, scopes)
    rows.named(compiled, before, row)
    _compute(ctx, compiled, row)
    return problems


def _wholes(compiled: CompiledEntity, intent: Intent, before: Mapping[str, Any] | None, row: dict[str, Any]) -> None:
    """Fields that are one question about linked records change with those; a new record has none yet."""
    for name, whole in compiled.derivation.wholes.items():
        if before is None:
            row[name] = whole.start
        elif intent.remake:
            row[name] = fit(whole.field, row[whole.key])


def figure(
    ctx: Context, connection: Connection, compiled: CompiledEntity, intent: Intent, before: Mapping[str, Any], row: dict[str, Any]
) -> list[Problem]:
    """All that follows in a record from the rest of it: computed values, the title, flags. What would refuse an edit is a flag."""
    problems: list[Problem] = []
    for whole in compiled.derivation.wholes.values():
        _fitted(ctx, row, whole.field, row.get(whole.field.name), problems)
    misfits = _compute(ctx, compiled, row)
    scopes = rows.Scopes(connection, compiled)
    if compiled.rows:
        rows.compute(ctx, compiled, row, scopes, problems)
        misfits = _compute(ctx, compiled, row)
    judged = constraints.judge(ctx, compiled, intent, before, row)
    if compiled.rows:
        row_rules.judge(ctx, compiled, intent, before, row, scopes, judged)
    row["flags"] = " ".join(judged.flags) or None
    return problems + misfits


def _told(ctx: Context, entity: Entity, problem: Problem) -> Problem:
    """A problem as this actor may hear it: one of a field they may not see does not name the field."""
    name = problem.path[0] if problem.path else ""
    inner = f"{name}.{problem.path[2]}" if len(problem.path) > 2 else name
    if entity.field(name) is None or (ctx.policy(entity.name).sees(name) and ctx.policy(entity.name).sees(inner)):
        return problem
    message = problem.message if problem.code == CHECK else "a value that you may not see is missing or does not fit"
    return replace(problem, message=message, path=(), hint=None)


def known_move(entity: Entity, name: str) -> Transition:
    """The transition of that name.

    Raises:
        NotFound: XRM506.
    """
    moves = entity.lifecycle.transitions if entity.lifecycle else {}
    if name not in moves:
        near = nearest(name, moves)
        hint = f"did you mean '{near}'?" if near else None
        raise NotFound(Problem("XRM506", f"there is no transition '{name[:60]}'", path=("transition",), hint=hint))
    return moves[name]


def refused_move(ctx: Context, entity: Entity, move: Transition) -> Forbidden:
    words = ctx.words
    roles = ctx.service.application.model.roles
    who = ", ".join(words(roles[name].label) for name in move.roles or () if name in roles)
    return Forbidden(Problem("XRM507", f"you may not make the move '{words(move.label)}'", hint=f"who may: {who}" if who else None))


def _defaults(
    ctx: Context,
    connection: Connection,
    compiled: CompiledEntity,
    intent: Intent,
    row: dict[str, Any],
    scopes: rows.Scopes,
    links: dict[str, Any],
) -> list[Problem]:
    """A default is copied once, where the caller said nothing; the records that defaults name and that are not there. What defaults read
    is made before them: other defaults and what lies beyond them (``links`` keeps what was read), computed values, and rows, which may
    themselves follow from the record: so those are looked at twice."""
    rules, problems = compiled.rules, list[Problem]()
    unsaid = {field.name for field, _ in rules.defaults if field.name not in intent.values and row.get(field.name) in EMPTY}
    for _ in range((2 if rules.gathers else 1) if unsaid else 0):
        problems = []
        if rules.gathers:
            rows.default(ctx, compiled, row, scopes)
            rows.compute(ctx, compiled, row, scopes, [])
        for field, closure in rules.steps:
            if field.compute:
                _fitted(ctx, row, field, closure(row, ctx.moment), [])
            elif field.name in unsaid:
                row[field.name] = _given(ctx, connection, field, closure(row, ctx.moment), problems)
                if field.name in links:
                    follow(connection, compiled, row, links)
                    links[field.name] = row[field.name]
    return problems


def _given(ctx: Context, connection: Connection, field: Field, value: object, problems: list[Problem]) -> object:
    """What a definition gives a field: a record that it names by its key becomes that record's id; of a list of links, each."""
    if field.each:
        ids = [_given(ctx, connection, field.each, one, problems) for one in (value if isinstance(value, tuple) else (value,))]
        return tuple({"id": None, TARGET: id} for id in dict.fromkeys(ids) if id is not None)
    found = keyed(ctx, connection, value)
    if isinstance(value, Keyed) and found is None:
        label = ctx.words(field.label)
        problems.append(Problem("XRM511", f"{label}: there is no {value.entity.replace('_', ' ')} '{value.key}'", path=(field.name,)))
    return found


def _locked_by_state(ctx: Context, entity: Entity, intent: Intent, before: Mapping[str, Any], row: Mapping[str, Any]) -> list[Problem]:
    """What the state does not let change (``edit``). Moves and imports of history are not edits."""
    state = entity.lifecycle.states.get(before["state"]) if entity.lifecycle else None
    if intent.action != "update" or intent.historic or intent.follows or state is None or state.edit is None:
        return []
    words = ctx.words
    return [
        Problem(
            "XRM505", f"{words(entity.fields[name].label)} may not be changed in state {words(state.label)}", path=(name,)
        )
        for name in intent.values
        if name in entity.fields and name not in state.edit and row[name] != before[name]
    ]  # fmt: skip


def _set(
    ctx: Context, connection: Connection, compiled: CompiledEntity, intent: Intent, before: Mapping[str, Any], row: dict[str, Any]
) -> list[Problem]:
    """What a move sets; the records that it names and that are not there. From another state nothing else is judged."""
    move = compiled.rules.moves[intent.transition or ""]
    lifecycle = compiled.entity.lifecycle
    if before["state"] not in move.transition.sources and lifecycle:
        words = ctx.words
        label = words(lifecycle.states[before["state"]].label) if before["state"] in lifecycle.states else before["state"]
        raise Invalid(Problem("XRM510", f"'{words(move.transition.label)}' is not possible in state {label}", path=("transition",)))
    problems: list[Problem] = []
    for field, closure in move.sets:
        row[field.name] = _given(ctx, connection, field, closure(row, ctx.moment), problems)
    return problems


def _asked(
    ctx: Context, compiled: CompiledEntity, intent: Intent, before: Mapping[str, Any], row: dict[str, Any], warnings: list[Problem]
) -> list[Problem]:
    """What a move asks for and does not get, and its guards that do not hold on the result. What it does not ask for now is left out."""
    move = compiled.rules.moves[intent.transition or ""]
    words = ctx.words
    unasked = [ask.field for ask in move.asks if ask.show and not ask.show.holds(row, ctx.moment)]
    for field in unasked:
        if field.name in intent.values and row[field.name] != before.get(field.name):
            row[field.name] = before.get(field.name)
            warnings += constraints.left_out(ctx, [field], intent.values)
    out = {field.name for field in (*unasked, *constraints.hidden(ctx, compiled, row))}
    missing = [
        Problem("XRM501", f"{words(ask.field.label)} is required", path=(ask.field.name,))
        for ask in move.asks
        if ask.required and row.get(ask.field.name) in EMPTY and ask.field.name not in out and ask.required.holds(row, ctx.moment)
    ]
    return missing + [Problem("XRM510", reason, path=("transition",)) for reason in unmet(ctx, compiled, move, row)]


def unmet(ctx: Context, compiled: CompiledEntity, move: CompiledMove, row: Mapping[str, Any], ahead: bool = False) -> list[str]:
    """The messages of guards that do not hold. ``ahead``: leave out those that wait for what the move itself asks."""
    told = [guard.guard.message for guard in move.guards if not (ahead and guard.asks) and guard.must(row, ctx.moment) is not True]
    return [constraints.filled_in(compiled, ctx.words(message), row) for message in told]


def _compute(ctx: Context, compiled: CompiledEntity, row: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    state = compiled.entity.lifecycle.states.get(row["state"]) if compiled.entity.lifecycle else None
    row["open"] = state is None or not state.final
    for field, closure in compiled.rules.computes:
        _fitted(ctx, row, field, closure(row, ctx.moment), problems)
    row["title"] = compiled.rules.title(row)
    return problems


def _amounts(ctx: Context, compiled: CompiledEntity, before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> list[Problem]:
    """An amount in the currency of its record has that one's digits, and is nothing without it."""
    words, problems = ctx.words, []
    for field in compiled.rules.amounts:
        amount, named = row.get(field.name), compiled.entity.fields[field.currency_from or ""]
        if not constraints.touches(before, row, (field.name, named.name)):
            continue
        code = row.get(named.name)
        digits = MONEY_PLACES.get(str(code), 2)
        if amount is not None and code is None:
            problems.append(Problem("XRM501", f"{words(named.label)} is required: {words(field.label)} has an amount", path=(named.name,)))
        elif amount is not None and amount != round(amount, digits):
            message = f"{words(field.label)} may have {digits} digits after the point in {code}"
            problems.append(Problem("XRM502", message, path=(field.name,)))
    return problems


def _fitted(ctx: Context, row: dict[str, Any], field: Field, value: object, problems: list[Problem]) -> None:
    """Put a computed value into the record, or note why it does not fit."""
    try:
        row[field.name] = coerce(field, value)
    except Misfit as misfit:
        label = ctx.words(field.label)
        problems.append(Problem("XRM502", f"{label} {misfit.message}", path=(field.name,), hint=misfit.hint))
