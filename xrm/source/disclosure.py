"""Rights flow along dependencies (ARCHITECTURE, decision 4): what is made from a protected field shows no more than it.

Conditions of access, checks and guards are not values, so that they read what they need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from xrm.errors import Place
from xrm.expr import Checked, Type
from xrm.model.fields import Field
from xrm.model.standard import USER
from xrm.source.findings import Findings
from xrm.source.names import EntityScope, Known
from xrm.source.nearness import nearest
from xrm.source.outline import Label, Part

BRACES = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def protected_reads(scope: EntityScope, paths: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """The protected fields at the ends of paths, and those passed on the way: (path, entity, field)."""
    found = []
    for path in sorted(paths):
        names = tuple(path.split("."))
        for end in range(1, len(names) + 1):
            field = scope.follow(names[:end])
            if isinstance(field, Field) and field.protected:
                found += [(path, owner, field.name) for owner in _owners(scope, names[:end])]
            elif isinstance(field, Type):
                found += [(path, entity, link.name) for entity, link in _behind(scope, names[:end]) if link.protected]
    return tuple(found)


def _owners(scope: EntityScope, names: tuple[str, ...]) -> tuple[str, ...]:
    if scope.parent and names[0] == "parent" and len(names) == 2:
        return (scope.parent.name,)
    link = scope.follow(names[:-1]) if len(names) > 1 else None
    if isinstance(link, Type):
        return scope.members(names[:-1])
    return ((link.to or "") if isinstance(link, Field) else scope.here.name,)


def _behind(scope: EntityScope, names: tuple[str, ...]) -> tuple[tuple[str, Field], ...]:
    """The entities and the link behind a collection."""
    before = scope.follow(names[:-1]) if len(names) > 1 else None
    here = scope.all.entities.get((before.to or "") if isinstance(before, Field) else scope.here.name)
    gathered = here.collection(names[-1]) if here else None
    if here is None or gathered is None:
        return ()
    holders = (here.name,) if gathered.by == "own" else gathered.entities
    found = ((one, scope.all.entities[one].fields.get(gathered.field)) for one in holders)
    return tuple((one, link) for one, link in found if link)


def _passed(scope: EntityScope, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The other entities whose records paths read: (path, entity)."""
    found = []
    for path in sorted(paths):
        names = tuple(path.split("."))
        for end in range(1, len(names) + 1):
            step = scope.follow(names[:end])
            to = (step.to,) if isinstance(step, Field) and step.to and end < len(names) else ()
            entities = scope.members(names[:end]) if isinstance(step, Type) else to
            found += [(path, entity) for entity in entities if entity in scope.all.entities]
    return tuple(found)


def _reads_all(findings: Findings, entity: str, role: str) -> bool:
    """Whether a role may read every record of an entity; everybody reads the users."""
    if entity == USER:
        return True
    part = findings.names.entities[entity].part
    grants = part.named("access") if part else {}
    return any(name in grants and grants[name].flag("read") for name in (role, *findings.names.roles.get(role, ())))


def _check_sources(findings: Findings, checked: Checked, field: Field, scope: EntityScope, *, place: Place, path: tuple[str, ...]) -> None:
    """A stored value made from other records is seen by no role that may not read those records."""
    part = scope.here.part
    for read, entity in _passed(scope, checked.reads):
        for role in findings.names.roles if part else ():
            seen = not field.protected or field.name in sees(findings, role, scope.here.name)
            if part and seen and _reads(findings, part, role) and not _reads_all(findings, entity, role):
                message = f"the role '{role}' sees '{field.name}', which is made from '{read}', and it may not read every '{entity}'"
                hint = f"let '{role}' read every '{entity}', protect the field, or say discloses: true"
                findings.note("XRM209", message, place, path, hint)
                return


def sees(findings: Findings, role: str, entity: str, key: str = "sees") -> frozenset[str]:
    """The protected fields that a role sees (or ``edits``), with what the roles it includes see. Of rows (``order.lines``), those of a
    row."""
    entity, _, field = entity.partition(".")
    known = findings.names.entities.get(entity)
    grants = known.part.named("access") if known and known.part else {}
    roles = (role, *findings.names.roles.get(role, ()))
    found = frozenset(word.text for name in roles if name in grants for word in grants[name].words(key))
    return frozenset(name.removeprefix(f"{field}.") for name in found if name.startswith(f"{field}.")) if field else found


def check_reads(findings: Findings, checked: Checked, field: Field, scope: EntityScope, *, place: Place, path: tuple[str, ...]) -> None:
    """A field that takes its value from protected fields is seen by no more roles than they are."""
    if field.discloses:
        return
    if path[-1] == "compute":
        _check_sources(findings, checked, field, scope, place=place, path=path)
    for read, entity, name in protected_reads(scope, checked.reads):
        if not field.protected:
            message = f"'{field.name}' would show the protected field '{read}'"
            findings.note("XRM209", message, place, path, "make it protected too, or say discloses: true")
            return
        for role in findings.names.roles:
            if field.name in sees(findings, role, scope.here.name) and name not in sees(findings, role, entity):
                message = f"the role '{role}' sees '{field.name}', which is made from '{read}', and it does not see that"
                findings.note("XRM209", message, place, path, f"give '{role}' both in 'sees', or say discloses: true")
                return


def check_title(findings: Findings, known: Known, names: Iterable[str], place: Place) -> None:
    for name in names:
        field = known.fields.get(name)
        if field and field.protected:
            hint = "name another field, or a computed field that says discloses: true"
            findings.note("XRM209", f"the title would show the protected field '{name}'", place, ("title",), hint)


def check_message(findings: Findings, known: Known, label: Label | None, path: tuple[str, ...]) -> None:
    for _, words in label.texts if label else ():
        for name in BRACES.findall(words):
            field = known.field(name)
            if label and field is None and not known.ghost and name not in known.unknown:
                near = nearest(name, known.all_names)
                hint = f"did you mean '{near}'?" if near else "fields of the record itself, without a path"
                findings.note("XRM203", f"unknown field '{name}' in the message", label.place, path, hint)
            if label and field and field.protected and not field.discloses:
                message = f"the message would show the protected field '{name}'"
                findings.note("XRM209", message, label.place, path, "take it out of the message")


def check_order(findings: Findings, scope: EntityScope, paths: Iterable[str], what: str, *, place: Place, path: tuple[str, ...]) -> None:
    """A filter or sort of a view tells what the fields in it hold, to every role that may read."""
    part = scope.here.part
    readers = [role for role in findings.names.roles if part and _reads(findings, part, role)]
    for read, entity, name in protected_reads(scope, paths):
        blind = [role for role in readers if name not in sees(findings, role, entity)]
        if blind:
            message = f"the {what} of this view would disclose the protected field '{read}' to the role '{blind[0]}'"
            findings.note("XRM209", message, place, path, f"name it in 'sees' of '{blind[0]}', or leave it out")
            return


def _reads(findings: Findings, part: Part, role: str) -> bool:
    grants = part.named("access")
    return any(name in grants and grants[name].has("read") for name in (role, *findings.names.roles.get(role, ())))
