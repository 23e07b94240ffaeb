"""Which part of the old definition is which of the new one, under its renames; and what that asks of the data.

Pure: it reads two applications and no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from xrm.compile.tables import part_name, table_name
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Field


@dataclass(frozen=True, slots=True)
class Holder:
    """A table that holds fields, before and after: an entity's own, or the child table of one of its fields of rows.

    ``fields`` gives for the new name of each field that goes on (before, after); ``added`` and ``gone`` are the others.
    """

    before: Entity
    after: Entity
    part: str | None
    table_before: str
    table: str
    fields: Mapping[str, tuple[Field, Field]]
    added: tuple[Field, ...]
    gone: tuple[Field, ...]

    def path(self, field: str) -> tuple[str, ...]:
        """Where a field stands in the definition."""
        return (self.after.name, "fields", *((self.part, "fields") if self.part else ()), field)

    def says(self, field: str) -> str:
        """``request.lines.amount``: how a field is named in words."""
        return ".".join(name for name in (self.after.name, self.part, field) if name)


class Called(Protocol):
    """What may have had other names."""

    @property
    def renamed_from(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Renaming:
    """Something that has another name now. ``entity`` and ``field`` are the new names of what it belongs to."""

    what: str
    entity: str
    field: str
    was: str
    now: str

    def __str__(self) -> str:
        owner = ".".join(name for name in (self.entity, self.field) if name and self.what != "entity")
        return f"rename {self.what} {owner}.{self.was} to {self.now}" if owner else f"rename {self.what} {self.was} to {self.now}"


def entity_pairs(before: Application, after: Application) -> dict[str, Entity]:
    """For the name of each entity that goes on: what it was."""
    found = {}
    for name, entity in after.entities.items():
        was = _was(name, entity.renamed_from, before.entities)
        if was is not None:
            found[name] = before.entities[was]
    return found


def _was(name: str, earlier: Sequence[str], before: Mapping[str, object]) -> str | None:
    """The name under which a thing stands in the old definition: its own, else the newest of its earlier ones."""
    return next((one for one in (name, *earlier) if one in before), None)


def field_pairs(before: Mapping[str, Field], after: Mapping[str, Field]) -> dict[str, tuple[Field, Field]]:
    found = {}
    for name, field in after.items():
        was = _was(name, field.renamed_from, before)
        if was is not None:
            found[name] = (before[was], field)
    return found


def holders(before: Application, after: Application) -> tuple[Holder, ...]:
    """Every table that goes on, entities before their parts."""
    made: list[Holder] = []
    entities = entity_pairs(before, after)
    named = {old.name: name for name, old in entities.items() if old.name not in after.entities or old.name == name}
    for name, old in entities.items():
        new, fields = after.entities[name], {one: led(field, named) for one, field in old.fields.items()}
        pairs = field_pairs(fields, new.fields)
        made.append(_holder(old, new, None, table_name(old), table_name(new), fields, new.fields))
        for field, (was, now) in pairs.items():
            inner_before, inner_after = {one: led(field, named) for one, field in was.rows.items()}, now.rows
            if inner_before and inner_after:
                child = (part_name(table_name(old), was.name), part_name(table_name(new), field))
                made.append(_holder(old, new, field, *child, inner_before, inner_after))
    return tuple(made)


def led(field: Field, named: Mapping[str, str]) -> Field:
    """The field with the new names of what it leads to."""
    several = tuple(named.get(one, one) for one in field.several)
    return replace(field, to=named.get(field.to or "", field.to), several=several) if field.targets else field


def _holder(
    old: Entity, new: Entity, part: str | None, table_before: str, table: str, before: Mapping[str, Field], after: Mapping[str, Field]
) -> Holder:
    pairs = field_pairs(before, after)
    followed = {was.name for was, _ in pairs.values()}
    added = tuple(field for name, field in after.items() if name not in pairs)
    gone = tuple(field for name, field in before.items() if name not in followed)
    return Holder(old, new, part, table_before, table, pairs, added, gone)


def renamings(before: Application, after: Application) -> tuple[Renaming, ...]:
    """Everything that has another name now: roles and entities, and then what belongs to those."""
    found = _named_so("role", "", before.roles, after.roles)
    found += [Renaming("entity", name, "", old.name, name) for name, old in entity_pairs(before, after).items() if old.name != name]
    for holder in holders(before, after):
        found += _field_renamings(holder)
        if holder.part is None:
            found += _rule_renamings(holder.before, holder.after)
    return tuple(found)


def _rule_renamings(before: Entity, after: Entity) -> Iterator[Renaming]:
    """Views, checks and transitions."""
    checks = ({check.name: check for check in one.checks} for one in (before, after))
    yield from _named_so("check", after.name, *checks)
    yield from _named_so("view", after.name, before.views, after.views)
    if before.lifecycle and after.lifecycle:
        yield from _named_so("transition", after.name, before.lifecycle.transitions, after.lifecycle.transitions)


def _named_so(what: str, entity: str, before: Mapping[str, object], after: Mapping[str, Called]) -> list[Renaming]:
    """What stood under an earlier name of a thing, and no longer does."""
    pairs = [(_was(name, one.renamed_from, before), name) for name, one in after.items()]
    return [Renaming(what, entity, "", was, name) for was, name in pairs if was is not None and was not in after]


def _field_renamings(holder: Holder) -> Iterator[Renaming]:
    for name, (was, now) in holder.fields.items():
        if was.name != name:
            yield Renaming("field", holder.after.name, holder.part or "", was.name, name)
        if was.type == now.type == "choice":
            had = {option.name for option in was.options}
            for option in now.options:
                old = next((one for one in option.renamed_from if one in had), None)
                if option.name not in had and old is not None:
                    yield Renaming("option", holder.after.name, name if holder.part is None else f"{holder.part}.{name}", old, option.name)
    before, after = holder.before.lifecycle, holder.after.lifecycle
    if holder.part is None and before and after:
        for state in after.states.values():
            old = next((one for one in state.renamed_from if one in before.states), None)
            if state.name not in before.states and old is not None:
                yield Renaming("state", holder.after.name, "state", old, state.name)
