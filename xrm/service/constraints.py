"""The rules on a record's values, judged inside the transaction: what applies, what refuses, what warns, what stays as a flag.

A write answers for what it touches. A rule that reads nothing of what changes never refuses it: what breaks such a rule was
there before, and is kept as a flag, ``field:rule`` or the name of the check, until somebody mends it (ratcheting).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xrm.compile.application import CompiledEntity
from xrm.compile.constraints import CODES, EMPTY, Constraint
from xrm.compile.rules import CompiledCheck, shown_value
from xrm.errors import Problem
from xrm.model.fields import Field
from xrm.model.lifecycle import Transition
from xrm.model.misfits import Misfit
from xrm.model.values import broken_rule, canonical, coerce
from xrm.service.context import Context

if TYPE_CHECKING:
    from xrm.service.records import Intent

Row = Mapping[str, Any]
BRACES = re.compile(r"\{(\w+)\}")
VALUE_RULES = frozenset({"min", "max", "length", "words", "pattern", "options"})
"""Rules of a value alone: judged where it is written, so that a flag of one stays as long as the value does."""

FOLLOWS_A_MOVE = frozenset({"state", "open"})


@dataclass(slots=True)
class Judgement:
    """``problems`` refuse the write, ``warnings`` go with it, ``flags`` stay in the record."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


NOTHING = Judgement()
"""Of a record whose entity has no rule to break. Nobody writes into it."""


def touches(before: Row | None, row: Row, names: Iterable[str]) -> bool:
    """Whether a write changes any of these; a new record is all new."""
    return before is None or any(before.get(name) != row.get(name) for name in names)


# -- what applies ----------------------------------------------------------------------------------------------------


def hidden(ctx: Context, compiled: CompiledEntity, row: Row) -> list[Field]:
    """The fields that do not apply to a record as it stands."""
    return [shown.field for shown in compiled.rules.constraints.shows if not shown.when.holds(row, ctx.moment)]


def emptied(ctx: Context, compiled: CompiledEntity, before: Row | None, row: dict[str, Any]) -> list[Field]:
    """Empty in ``row`` what does not apply any more, the fields that others are shown by first; which were."""
    found = []
    for shown in compiled.rules.constraints.shows:
        name = shown.field.name
        if row.get(name) in EMPTY or shown.field.compute is not None or shown.when.holds(row, ctx.moment):
            continue
        if touches(before, row, shown.when.reads | {name}):
            row[name] = () if shown.field.apart else None
            found.append(shown.field)
    return found


def left_out(ctx: Context, fields: Iterable[Field], sent: Iterable[str]) -> list[Problem]:
    """The warnings for what was sent and does not apply."""
    words = ctx.words
    text = "{} is left out: it does not apply here"
    return [Problem("XRM537", text.format(words(one.label)), path=(one.name,), severity="warning") for one in fields if one.name in sent]


# -- the judgement ---------------------------------------------------------------------------------------------------


def judge(ctx: Context, compiled: CompiledEntity, intent: Intent, before: Row | None, row: Row) -> Judgement:
    """Every rule and check on the record as it will be. History is taken as it was: what would refuse it is a flag."""
    rules, known = compiled.rules, before is not None and before.get("flags")
    if not (rules.judged or known or intent.historic or compiled.rows):
        return NOTHING
    made = Judgement()
    out = {one.name for one in hidden(ctx, compiled, row)} if rules.constraints.shows else frozenset()
    for check in rules.checks:
        if not check.holds(row, ctx.moment) and not _beside(check, out):
            _check(ctx, compiled, intent, made, check, before, row)
    for rule in rules.constraints.fields:
        if rule.broken(row, ctx.moment) and rule.field.name not in out:
            _constraint(ctx, intent, made, rule, before, row)
    if rules.constraints.readonly and intent.action != "transition" and not intent.lenient:
        made.problems += _by_hand(ctx, compiled, intent, before, row)
    if known or intent.historic:
        made.flags += _kept(compiled, intent, before, row)
    made.flags += [
        one.flag for one in rules.constraints.shows if one.flag and one.field.name in out and row.get(one.field.name) not in EMPTY
    ]
    return made


def _beside(check: CompiledCheck, out: Iterable[str]) -> bool:
    """Whether a check stands beside a field that does not apply or, standing beside none, reads one."""
    named = check.check.field
    return named in out if named else not check.reads.isdisjoint(out)


def _check(
    ctx: Context, compiled: CompiledEntity, intent: Intent, made: Judgement, check: CompiledCheck, before: Row | None, row: Row
) -> None:
    path = (check.check.field,) if check.check.field else ()
    message = filled_in(compiled, ctx.words(check.check.message), row)
    if check.blocks and not intent.lenient and touches(before, row, check.reads):
        made.problems.append(Problem("XRM504", message, path=path))
        return
    made.flags.append(check.check.name)
    if not check.blocks:
        made.warnings.append(Problem("XRM504", message, path=path, severity="warning"))


def filled_in(compiled: CompiledEntity, message: str, row: Row) -> str:
    """A message with the values of the fields that it names in braces."""
    if "{" not in message:
        return message
    return BRACES.sub(lambda found: shown_value(compiled.entity, found[1], row) or "–", message)


def _constraint(ctx: Context, intent: Intent, made: Judgement, rule: Constraint, before: Row | None, row: Row) -> None:
    if not rule.warns and not intent.lenient and touches(before, row, rule.reads):
        made.problems.append(Problem(CODES[rule.kind], said(ctx, rule, row), path=(rule.field.name,)))
        return
    if rule.flag:
        made.flags.append(rule.flag)
    if rule.warns:
        made.warnings.append(Problem(CODES[rule.kind], said(ctx, rule, row), path=(rule.field.name,), severity="warning"))


def said(ctx: Context, rule: Constraint, row: Row) -> str:
    """What is wrong, in words."""
    label = ctx.words(rule.field.label)
    match rule.kind:
        case "required":
            return f"{label} is required"
        case "recommended":
            return f"{label} should be given"
        case "options":
            value, words = row.get(rule.field.name), ctx.words
            chosen = value if isinstance(value, tuple) else (value,)
            labels = " and ".join(f"'{words(option.label)}'" for option in rule.field.options if option.name in chosen)
            return f"{label} cannot be {labels} here"
    bound = rule.bound(row, ctx.moment) if rule.bound else None
    return f"{label} must be {canonical(rule.field, bound)} or {'more' if rule.kind == 'min' else 'less'}"


def moved(compiled: CompiledEntity, move: Transition, row: dict[str, Any]) -> Row:
    """The record in the state that a move leads to, before anything that the move asks or sets. It asks of collections what the record
    asks."""
    lifecycle, after = compiled.entity.lifecycle, row.copy()
    after.update(state=move.target, open=not (lifecycle and lifecycle.states[move.target].final))
    return after


def ahead(ctx: Context, compiled: CompiledEntity, move: Transition, row: Row, after: Row) -> list[str]:
    """What the state that a move leads to requires of the record as it is, and as ``moved``. What the move asks or sets may change is left
    to the move."""
    fields = compiled.entity.fields
    open_ends = {*(ask.field for ask in move.ask), *(move.set or ()), *(name for name, field in fields.items() if field.compute)}
    out = {one.name for one in hidden(ctx, compiled, after)}
    missing = [
        said(ctx, rule, after)
        for rule in compiled.rules.constraints.fields
        if rule.kind == "required" and rule.reads & FOLLOWS_A_MOVE and open_ends.isdisjoint({rule.field.name, *rule.reads})
        if rule.field.name not in out and rule.broken(after, ctx.moment) and not rule.broken(row, ctx.moment)
    ]
    return missing + [
        filled_in(compiled, ctx.words(check.check.message), after)
        for check in compiled.rules.checks
        if check.blocks and check.reads & FOLLOWS_A_MOVE and open_ends.isdisjoint(check.reads)
        if not _beside(check, out) and not check.holds(after, ctx.moment)
    ]


def _by_hand(ctx: Context, compiled: CompiledEntity, intent: Intent, before: Row | None, row: Row) -> list[Problem]:
    """What a caller sent for a field that nobody changes by hand."""
    words = ctx.words
    return [
        Problem("XRM505", f"{words(compiled.entity.fields[name].label)} may not be changed here", path=(name,))
        for name, when in compiled.rules.constraints.readonly.items()
        if name in intent.values and row.get(name) != (before or {}).get(name) and when.holds(row, ctx.moment)
    ]


# -- flags of values alone -------------------------------------------------------------------------------------------


def _kept(compiled: CompiledEntity, intent: Intent, before: Row | None, row: Row) -> list[str]:
    """The flags of untouched values that break a rule of their own: as they are known, or found anew when rules have changed."""
    if before is None:
        return []
    if intent.historic:
        quiet = compiled.rules.constraints.quiet
        plain = [one for one in compiled.entity.fields.values() if one.name not in quiet and not one.apart]
        found = [(one, broken_rule(one, row.get(one.name))) for one in plain if not touches(before, row, (one.name,))]
        return [f"{one.name}:{rule}" for one, rule in found if rule]
    known = [flag.partition(":") for flag in (before.get("flags") or "").split() if ":" in flag]
    stated = {rule.flag for rule in compiled.rules.constraints.fields}
    apart = {part.field.name for part in compiled.rows}
    return [
        f"{name}:{rule}"
        for name, _, rule in known
        if rule in VALUE_RULES
        and name not in apart | compiled.rules.constraints.quiet
        and f"{name}:{rule}" not in stated
        and not touches(before, row, (name,))
    ]


def flagged(ctx: Context, compiled: CompiledEntity, row: Row) -> list[Problem]:
    """What the flags of a record say, as this actor may hear it; each names its field where it has one."""
    policy, words = ctx.policy(compiled.entity.name), ctx.words
    checks = {check.name: check for check in compiled.entity.checks}
    rules = {rule.flag: rule for rule in compiled.rules.constraints.fields if rule.flag}
    found = []
    for flag in str(row.get("flags") or "").split():
        name, _, rule = flag.partition(":")
        one = compiled.entity.fields.get(name) if rule else None
        if flag in checks:
            check = checks[flag]
            path = (check.field,) if check.field and policy.sees(check.field) else ()
            found.append(Problem("XRM504", filled_in(compiled, words(check.message), row), path=path, severity="warning"))
        elif one is not None and policy.sees(name):
            code = CODES[rules[flag].kind] if flag in rules else "XRM537" if rule == "show" else "XRM502"
            found.append(Problem(code, _flag_words(ctx, one, rule, row), path=(name,), severity="warning"))
    return found


def _flag_words(ctx: Context, one: Field, rule: str, row: Row) -> str:
    label = ctx.words(one.label)
    match rule:
        case "required":
            return f"{label} is required"
        case "recommended":
            return f"{label} should be given"
        case _ if one.apart:
            return f"{label}: there are rows that do not fit"
        case "show":
            return f"{label} has a value and does not apply here"
    try:
        coerce(one, row.get(one.name))
    except Misfit as misfit:
        return f"{label} {misfit.message}"
    return f"{label} cannot be what it is here" if rule == "options" else f"{label} is beyond its bounds here"
