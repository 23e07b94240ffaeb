"""The rules on rows, judged row by row: how many there are, what each must have and may be. Untouched rows hold up nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xrm.compile.application import CompiledEntity
from xrm.compile.constraints import CODES, EMPTY, Constraint
from xrm.compile.row_parts import RowsWrite
from xrm.errors import Problem
from xrm.model.fields import Field
from xrm.service.constraints import Judgement, said, touches
from xrm.service.context import Context
from xrm.service.rows import SAID, Scopes, row_problem

if TYPE_CHECKING:
    from xrm.service.records import Intent

Record = Mapping[str, Any]


def hide(ctx: Context, compiled: CompiledEntity, before: Record | None, row: Record, scopes: Scopes) -> None:
    """Empty in each row what does not apply to it any more."""
    for part in compiled.rows:
        shows = part.rules.constraints.shows
        old = _rows_of(part, before) if shows else {}
        for _, one, scope in scopes.of(part, row) if shows else ():
            for shown in shows:
                name = shown.field.name
                touched = _touched(part, before, row, old.get(one["id"]), one, shown.when.reads | {name})
                if touched and one.get(name) not in EMPTY and shown.field.compute is None and not shown.when.holds(scope, ctx.moment):
                    one[name] = scope[name] = None


def by_hand(ctx: Context, compiled: CompiledEntity, before: Record | None, row: Record, scopes: Scopes) -> Iterator[Problem]:
    """What a caller sent in rows for fields that nobody changes by hand, before new rows have their ids. Nothing else changes these in a
    row that stands; in a new one a default may have."""
    for part in compiled.rows:
        rules = part.rules.constraints
        old = _rows_of(part, before) if rules.readonly else {}
        for number, one, scope in scopes.of(part, row) if rules.readonly else ():
            was, said = old.get(one["id"], {}), one.get(SAID, rules.readonly)
            out = {shown.field.name for shown in rules.shows if not shown.when.holds(scope, ctx.moment)}
            for name, when in rules.readonly.items():
                if name in said and name not in out and one.get(name) != was.get(name) and when.holds(scope, ctx.moment):
                    yield row_problem(ctx, part.field, number, name, "XRM505", "may not be changed here")


def judge(
    ctx: Context, compiled: CompiledEntity, intent: Intent, before: Record | None, row: Record, scopes: Scopes, made: Judgement
) -> None:
    """Adds to the judgement of the record what its rows break."""
    for part in compiled.rows:
        name, quiet = part.field.name, compiled.rules.constraints.quiet
        for problem in _number(ctx, part.field, len(row[name])):
            _add(made, intent, problem, "" if name in quiet else f"{name}:rows", touches(before, row, (name,)))
        rules = part.rules.constraints
        old = _rows_of(part, before) if rules.fields else {}
        for number, one, scope in scopes.of(part, row) if rules.fields else ():
            out = {shown.field.name for shown in rules.shows if not shown.when.holds(scope, ctx.moment)}
            for rule in rules.fields:
                if rule.field.name not in out and rule.broken(scope, ctx.moment):
                    touched = _touched(part, before, row, old.get(one["id"]), one, rule.reads)
                    _add(made, intent, _problem(ctx, part, number, rule, scope), _flag(part, rule, quiet), touched, warns=rule.warns)


def _rows_of(part: RowsWrite, record: Record | None) -> Mapping[str, Record]:
    return {row["id"]: row for row in (record or {}).get(part.field.name) or ()}


def _touched(part: RowsWrite, before: Record | None, row: Record, was: Record | None, one: Record, reads: frozenset[str]) -> bool:
    """Whether a write changes anything that a rule on this row reads, in the row or in its record."""
    if touches(was, one, reads - {"parent"}):
        return True
    return "parent" in reads and touches(before, row, {path.partition(".")[0] for path in part.parent_paths})


def _problem(ctx: Context, part: RowsWrite, number: int, rule: Constraint, scope: Record) -> Problem:
    label = ctx.words(rule.field.label)
    return row_problem(ctx, part.field, number, rule.field.name, CODES[rule.kind], said(ctx, rule, scope).removeprefix(f"{label} "))


def _flag(part: RowsWrite, rule: Constraint, quiet: frozenset[str]) -> str:
    """Empty where not every reader sees the rows, or the field in them."""
    name = part.field.name
    return "" if name in quiet or rule.field.protected or rule.field.type == "link" else f"{name}:{rule.kind}"


def _add(made: Judgement, intent: Intent, problem: Problem, flag: str, touched: bool, *, warns: bool = False) -> None:
    if touched and not warns and not intent.lenient:
        made.problems.append(problem)
        return
    if flag and flag not in made.flags:
        made.flags.append(flag)
    if warns:
        made.warnings.append(replace(problem, severity="warning"))


def _number(ctx: Context, field: Field, count: int) -> Iterator[Problem]:
    label = ctx.words(field.label)
    least, most = field.minimum, field.maximum
    if isinstance(least, int) and count < least:
        yield Problem("XRM528", f"{label} must have {_rows(field, least)} or more; it has {count}", path=(field.name,))
    if isinstance(most, int) and count > most:
        yield Problem("XRM528", f"{label} may have {_rows(field, most)} or fewer; it has {count}", path=(field.name,))


def _rows(field: Field, count: int) -> str:
    noun = "link" if field.each else "row"
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
