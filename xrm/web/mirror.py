"""What a form shows of the rules while it is filled in: the service's own closures, asked with what stands in the inputs.

Nothing is decided here: the write path decides. A rule that reads what the actor may not see is not mirrored, so that no form
answers questions about hidden values; what lies beyond links is read with the actor's own rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xrm.compile.application import CompiledEntity
from xrm.compile.constraints import ALWAYS, EMPTY, Mirrored, Truth, reads_rows, roots, value_paths
from xrm.compile.dependencies import expressions
from xrm.compile.row_parts import RowsWrite
from xrm.errors import XrmError
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.service.context import Context
from xrm.service.keys import given
from xrm.service.locking import FIRST, Asking
from xrm.service.reading import get_record

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mirror:
    """``out``: fields that do not apply; ``must``: required now; ``fixed``: not to be changed by hand; ``closed``: options that
    cannot be chosen, by field. ``computed`` and ``defaults`` are the values that follow from what stands in the form. ``asked``
    are the fields whose change may change any of it; ``varies`` those that may come and go. ``rows`` has the same for each row of a
    table, by the field that holds them, where its rules may change from row to row; what they ask of their record is among the
    record's own ``asked``."""

    out: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    closed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    computed: Mapping[str, object] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    varies: frozenset[str] = frozenset()
    rows: Mapping[str, tuple[Mirror, ...]] = field(default_factory=dict)


def mirror(
    ctx: Context,
    entity: str,
    fields: Iterable[Field],
    row: Mapping[str, object],
    typed: Mapping[str, object],
    *,
    new: bool = False,
    asks: Mapping[str, Mirrored] | None = None,
    tables: Mapping[str, Sequence[Row]] | None = None,
) -> Mirror:
    """``row``: the record as this actor sees it; ``typed``: what stands in the inputs, which may not fit their fields; ``asks``:
    the rules of a move, in place of the fields' own; ``tables``: what stands in the rows of fields, in order."""
    compiled, names = ctx.entity(entity), {one.name for one in fields}
    mirrored = compiled.rules.constraints.mirrored if asks is None else asks
    rules = {name: said for name in names if (said := _seen(ctx, entity, mirrored.get(name)))}
    made: Row = {**row, **{name: _fitting(compiled.entity.fields[name], value) for name, value in typed.items()}}
    if compiled.derivation.terms:
        made = Asking({"id": FIRST, **made}, ctx.service.database.connection, ctx.moment, compiled.derivation.terms)
    defaults = _defaulted(ctx, compiled, names, typed, made) if new else {}
    paths = _paths(ctx, compiled, rules.values())
    _follow(ctx, compiled, paths, made)
    computed = _computed(ctx, compiled, made)

    def again() -> None:
        _follow(ctx, compiled, paths, made)
        computed.update(_computed(ctx, compiled, made))

    order = [shown.field.name for shown in compiled.rules.constraints.shows]
    out = _hidden(ctx, (*(one for one in order if one in rules), *(one for one in rules if one not in order)), rules, made, again)
    parts = [(part, own) for part in compiled.rows if part.field.name in names and (own := _row_rules(ctx, compiled, part))]
    return replace(
        _ruled(ctx, rules, out, made),
        computed=computed,
        defaults=defaults,
        asked=_asked(ctx, compiled, names, rules.values(), new) | _asked_above(own for _, own in parts) & names,
        rows={part.field.name: _of_rows(ctx, compiled, part, own, made, (tables or {}).get(part.field.name, ())) for part, own in parts},
    )


def _hidden(ctx: Context, names: Iterable[str], rules: Mapping[str, Mirrored], row: Row, again: Callable[[], None]) -> frozenset[str]:
    """The fields that do not apply, which are emptied; ``again`` makes what follows from that."""
    out: set[str] = set()
    for name in names:
        show = rules[name].show
        if show and not show.holds(row, ctx.moment):
            out.add(name)
            if row.get(name) not in EMPTY:
                row[name] = None
                again()
    return frozenset(out)


def _ruled(ctx: Context, rules: Mapping[str, Mirrored], out: frozenset[str], row: Row) -> Mirror:
    """What the rules say of a record or a row as it stands."""
    held = {name: said for name, said in rules.items() if name not in out}
    return Mirror(
        out=out,
        must=frozenset(name for name, said in held.items() if said.required and said.required.holds(row, ctx.moment)),
        fixed=frozenset(name for name, said in held.items() if said.readonly and said.readonly.holds(row, ctx.moment)),
        closed={name: shut for name, said in held.items() if said.options and (shut := _shut(ctx, said.options, row)) is not None},
        varies=frozenset(name for name, said in rules.items() if said.show),
    )


# -- the rows of a field ---------------------------------------------------------------------------------------------


def _of_rows(
    ctx: Context, compiled: CompiledEntity, part: RowsWrite, rules: Mapping[str, Mirrored], record: Row, rows: Sequence[Row]
) -> tuple[Mirror, ...]:
    """What the rules show of each row."""
    read = frozenset(path for said in rules.values() for one in _truths(said) for path in one.paths)
    above = {**record}
    beyond = (path.removeprefix("parent.") for path in read if path.startswith("parent."))
    _follow(ctx, compiled, frozenset(path for path in beyond if "." in path), above)
    paths = frozenset(path for path in read if "." in path and not path.startswith("parent."))
    parent = {f"parent.{path}": above.get(path) for path in part.parent_paths} | {"parent": record.get("id")}
    asked = roots(read) & part.field.rows.keys()
    return tuple(_of_row(ctx, part, rules, {**parent, **_fitted(part, row)}, paths, asked) for row in rows)


def _of_row(
    ctx: Context, part: RowsWrite, rules: Mapping[str, Mirrored], scope: Row, paths: frozenset[str], asked: frozenset[str]
) -> Mirror:
    _follow(ctx, part, paths, scope)
    shows = (shown.field.name for shown in part.rules.constraints.shows if shown.field.name in rules)
    out = _hidden(ctx, shows, rules, scope, lambda: _follow(ctx, part, paths, scope))
    return replace(_ruled(ctx, rules, out, scope), asked=asked)


def _fitted(part: RowsWrite, row: Row) -> Row:
    return {name: _fitting(one, row.get(name)) for name, one in part.field.rows.items()}


def _row_rules(ctx: Context, compiled: CompiledEntity, part: RowsWrite) -> Mapping[str, Mirrored]:
    """The rules of the fields in rows that may show something else from row to row, and read only what the actor sees."""

    def sees(path: str) -> bool:
        name, _, rest = path.partition(".")
        if name == "parent":
            return not rest or ctx.policies.resolve(compiled.entity.name, rest) is not None
        one = part.field.rows.get(name)
        beyond = not rest or (one is not None and one.to is not None and ctx.policies.resolve(one.to, rest) is not None)
        return one is not None and one.compute is None and ctx.policy(compiled.entity.name).sees(f"{part.field.name}.{name}") and beyond

    def seen(rule: Truth | None) -> Truth | None:
        return rule if rule and rule is not ALWAYS and not rule.gathered and all(map(sees, rule.paths)) else None

    found = {}
    for name, said in part.rules.constraints.mirrored.items():
        options = {option: rule for option, one in (said.options or {}).items() if (rule := seen(one))}
        made = Mirrored(seen(said.show), seen(said.required), seen(said.readonly), options or None)
        if made.show or made.required or made.readonly or made.options:
            found[name] = made
    return found


def _asked_above(rules: Iterable[Mapping[str, Mirrored]]) -> frozenset[str]:
    """The fields of the record that the rules of its rows read."""
    read = (path for by_name in rules for said in by_name.values() for one in _truths(said) for path in one.paths)
    return roots(frozenset(path.removeprefix("parent.") for path in read if path.startswith("parent.")))


# -- what is read ----------------------------------------------------------------------------------------------------


def _seen(ctx: Context, entity: str, said: Mirrored | None) -> Mirrored | None:
    """A field's rules without those that read what this actor may not see."""
    if said is None:
        return None

    def seen(rule: Truth | None) -> Truth | None:
        return (
            rule if rule and all(ctx.policies.resolve(entity, path) for path in rule.paths) and _open(ctx, entity, rule.gathered) else None
        )

    options = {name: rule for name, one in (said.options or {}).items() if (rule := seen(one))}
    return Mirrored(seen(said.show), seen(said.required), seen(said.readonly), options or None)


def _open(ctx: Context, entity: str, gathered: Iterable[str]) -> bool:
    """Whether the actor sees all that is asked of collections, in every record of theirs."""
    for path in gathered:
        found = ctx.policies.collection(entity, path.partition(".")[0])
        whole = found is None or found == ctx.entity(entity).entity.collection(found.name)
        if not whole or not ctx.policies.shows(entity, path):
            return False
        if found and any(ctx.policy(one).rule("read") is not True for one in found.entities):
            return False
    return True


def _shut(ctx: Context, options: Mapping[str, Truth], row: Row) -> frozenset[str]:
    return frozenset(name for name, when in options.items() if not when.holds(row, ctx.moment))


def _fitting(one: Field, value: object) -> object:
    try:
        return coerce(one, value)
    except Misfit:
        return None


def _truths(said: Mirrored) -> Iterable[Truth]:
    return (one for one in (said.show, said.required, said.readonly, *(said.options or {}).values()) if one)


def _paths(ctx: Context, compiled: CompiledEntity, rules: Iterable[Mirrored]) -> frozenset[str]:
    """What the rules read beyond links."""
    return frozenset(path for said in rules for one in _truths(said) for path in one.paths if "." in path)


def _follow(ctx: Context, compiled: CompiledEntity | RowsWrite, paths: frozenset[str], row: Row) -> None:
    """Read what lies beyond the links, as far as the actor may see it."""
    for name in roots(paths):
        one = compiled.entity.field(name)
        wanted = tuple(path.partition(".")[2] for path in paths if path.startswith(f"{name}."))
        found = _beyond(ctx, one, row.get(name), wanted) if one and row.get(name) else {}
        row.update({f"{name}.{path}": found.get(path) for path in wanted})


def _beyond(ctx: Context, one: Field, id: object, paths: tuple[str, ...]) -> Mapping[str, object]:
    for target in one.targets:
        try:
            return get_record(ctx, target, str(id), paths)
        except XrmError:
            continue
    return {}


def _may_follow(ctx: Context, compiled: CompiledEntity, paths: frozenset[str]) -> bool:
    """Whether a value can be told from the inputs: it reads fields of the record itself that the actor sees."""

    def seen(path: str) -> bool:
        one = None if "." in path else ctx.policies.resolve(compiled.entity.name, path)
        return path == "actor" or path.startswith("actor.") or (one is not None and not one.apart)

    return all(map(seen, paths))


def _computed(ctx: Context, compiled: CompiledEntity, row: Row) -> dict[str, object]:
    """The computed fields that the actor sees, where all that they are made of can be seen too."""
    found: dict[str, object] = {}
    for one, closure in compiled.rules.computes:
        asked = frozenset(path for part in expressions(one.compute) for path in part.checked.gathered)
        seen = ctx.policy(compiled.entity.name).sees(one.name) and _open(ctx, compiled.entity.name, asked)
        if seen and _may_follow(ctx, compiled, value_paths(one.compute)):
            row[one.name] = found[one.name] = _fitting(one, closure(row, ctx.moment))
    return found


def _defaulted(ctx: Context, compiled: CompiledEntity, names: set[str], typed: Mapping[str, object], row: Row) -> Mapping[str, object]:
    """The defaults of inputs that are empty, in their order; put into ``row`` as the write will."""
    found: dict[str, object] = {}
    for one, closure in compiled.rules.steps:
        value = one.compute or one.default
        if reads_rows(compiled.entity, value) or not _may_follow(ctx, compiled, value_paths(value)):
            continue  # it is made when the record is written
        if one.compute:
            row[one.name] = _fitting(one, closure(row, ctx.moment)) if ctx.policy(compiled.entity.name).sees(one.name) else None
        elif one.name in names and typed.get(one.name) in (None, ""):
            row[one.name] = given(ctx, ctx.service.database.connection, one, closure(row, ctx.moment))
            found |= {} if one.each else {one.name: row[one.name]}
    return found


def _asked(ctx: Context, compiled: CompiledEntity, names: set[str], rules: Iterable[Mirrored], new: bool) -> frozenset[str]:
    read = frozenset(path for said in rules for one in _truths(said) for path in one.paths)
    values = [one.compute for one, _ in compiled.rules.computes] + ([one.default for one, _ in compiled.rules.defaults] if new else [])
    return roots(read.union(*(value_paths(value) for value in values))) & names
