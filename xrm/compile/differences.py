"""What a new definition asks of the data of the old one and no statement can do: values read as another thing, or made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from xrm.compile.dependencies import dependencies, expressions
from xrm.compile.pairing import entity_pairs, holders, renamings
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Conversion, Expression, Field, Value
from xrm.model.rows import row_entity, rows_of
from xrm.model.values import TEXT_LENGTH

WORDS = ("text", "long_text", "markdown")
"""Types that take any text."""


def kept_as(field: Field) -> tuple[object, ...]:
    """How a field's values are kept: fields that agree in this can follow each other."""
    match field.type:
        case "money":
            return ("money", field.places, field.currency or field.currency_from)
        case "duration":
            return ("duration", field.unit)
        case "link":
            return ("link", field.to)
        case _ if field.kind.kept == "list":
            return ("list", field.type)
        case _ if field.type in WORDS:
            return ("text", field.folded)
        case _ if field.kind.kept == "units":
            return (field.type, field.places)
        case _:
            return (field.type,)


def follows(was: Field, now: Field) -> bool:
    """Whether the values stay as they stand, and are right."""
    if {was.type, now.type} == {"decimal", "money"}:
        return was.places == now.places
    if now.type in WORDS and was.kind.kept == "text":
        return was.folded or not now.folded
    if was.kind.kept == now.kind.kept == "files":
        return now.type in (was.type, "file") and now.many >= was.many  # every image is a file, and one is one of many
    return kept_as(was) == kept_as(now)


def narrowed(was: Field, now: Field) -> bool:
    """Whether a link may no longer lead to some of what it led to."""
    return was.type == "link" and not set(was.targets) <= set((now.each or now).targets)


def carried(was: Field, now: Field) -> bool:
    """Whether values are made into those of the new type without anything that has to be said: none loses what it was."""
    if now.type == "decimal" and was.type in ("integer", "decimal"):
        return now.places >= was.places
    if now.type == "money" and was.type == "money" and now.currency == was.currency:
        return now.places >= was.places
    if was.type == "link" and "link" in (now.type, now.each and now.each.type):
        return bool(set(was.targets) & set((now.each or now).targets))  # those that lead elsewhere are found, and refused
    if was.type == now.type == "choice":
        return now.many and not was.many
    return now.type in WORDS and was.kind.kept == "text"  # a folded key is made for each


def reverted(before: Application, after: Application) -> Application:
    """An older definition whose fields say of which type their values are now, where that is another: what fits comes back by itself."""
    stated: dict[tuple[str, str | None, str], Conversion] = {}
    for holder in holders(before, after):
        for name, (was, now) in holder.fields.items():
            said = now.converted_from
            apart = was.compute or now.compute or follows(was, now) or (said is None and carried(was, now))
            if not apart and (said is None or (said.type, said.places) != (was.type, was.places)):
                stated[holder.after.name, holder.part, name] = Conversion(was.type, was.places)
    entities = {
        name: replace(entity, fields=MappingProxyType(_stating(entity.fields, name, None, stated)))
        for name, entity in after.entities.items()
    }
    return replace(after, entities=MappingProxyType(entities)) if stated else after


def _stating(
    fields: Mapping[str, Field], entity: str, part: str | None, stated: Mapping[tuple[str, str | None, str], Conversion]
) -> dict[str, Field]:
    made = {}
    for name, field in fields.items():
        its: dict[str, object] = {}
        if field.rows and part is None:
            its["rows"] = MappingProxyType(_stating(field.rows, entity, name, stated))
        if (entity, part, name) in stated:
            its["converted_from"] = stated[entity, part, name]
        made[name] = field.changed(**its) if its else field
    return made


def refigured(before: Application, after: Application) -> tuple[str, ...]:
    """The entities whose records hold what follows from other fields (titles, computed fields, flags) by older rules, and those
    whose computed values follow from such fields, however far."""
    pairs = entity_pairs(before, after)
    checks = {(one.entity, one.was): one.now for one in renamings(before, after) if one.what == "check"}
    elsewhere = before.timezone != after.timezone  # what day a moment is on
    own = {name for name, old in pairs.items() if elsewhere or _figured(old, name, checks) != _figured(after.entities[name], name, {})}
    steps = {(name, field) for name in own for field in _remade(pairs[name], after.entities[name])}
    further = {entity for entity, _ in dependencies(after).following(steps)} if steps else set()
    return tuple(name for name in pairs if name in own | further)


def _remade(old: Entity, new: Entity) -> set[str]:
    """The computed fields, and the title, that are made by other rules than before."""
    computed = {name for name, field in new.fields.items() if field.compute and _made(old, old.fields.get(name)) != _made(new, field)}
    return computed | ({"title"} if old.title != new.title else set()) | ({"open"} if _ends(old) != _ends(new) else set())


def _ends(entity: Entity) -> tuple[bool, ...]:
    """What says which records are open."""
    return tuple(state.final for state in entity.lifecycle.states.values()) if entity.lifecycle else ()


def _made(entity: Entity, field: Field | None) -> tuple[object, ...]:
    """How a computed field is made: its rule, its type, and the collections that it asks."""
    if field is None or field.compute is None:
        return ()
    asked = {path.partition(".")[0] for one in expressions(field.compute) for path in one.checked.gathered}
    collections = tuple((one.name, one.entities, one.field) for name, one in sorted(entity.inverses.items()) if name in asked)
    return (field.name, field.type, field.places, _cases(field.compute), collections)


def _figured(entity: Entity, name: str, named: Mapping[tuple[str, str], str]) -> tuple[object, ...]:
    """All that says how derived values are made. Labels of options count: a title shows them. ``named``: other names of checks."""
    computed = [_made(entity, field) for field in entity.fields.values() if field.compute]
    rows = [_figured(row_entity(entity, field), "", {}) for field in rows_of(entity)]
    checks = [(named.get((name, check.name), check.name), *map(_text, (check.when, check.must, check.should))) for check in entity.checks]
    ruled = [_ruled(field) for field in entity.fields.values() if _ruled(field) != _ruled(Field(field.name, field.type, {}))]
    sections = [(s.fields, *map(_text, (s.show, s.required))) for f in entity.forms.values() for s in f.sections if s.show or s.required]
    shown = [(f.name, f.type, f.options) for f in entity.all_fields.values() if f"{{{f.name}}}" in entity.title]
    return (entity.title, _ends(entity), tuple(computed), tuple(checks), tuple(ruled), tuple(sections), tuple(shown), tuple(rows))


def _ruled(field: Field) -> tuple[object, ...]:
    """The rules that a value which stands in a record may break."""
    options = tuple((option.name, _text(option.when)) for option in field.options)
    rules = (field.required, field.recommended, field.show, field.minimum, field.maximum, field.lowest, field.highest)
    length = None if field.length == TEXT_LENGTH.get(field.type) else field.length
    return (field.name, *map(_text, rules), length, field.shortest, field.words, field.pattern, options)


def _cases(value: Value | None) -> tuple[object, ...]:
    return tuple(_text(part) for case in (value.cases if value else ()) for part in case)


def _text(part: object) -> object:
    return part.checked.text if isinstance(part, Expression) else part
