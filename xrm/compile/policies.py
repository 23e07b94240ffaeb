"""Policies: what a set of roles may do with an entity, ready to lie beneath every query and every write.

Rights only add up (LANGUAGE, rule 6): a policy is the union of the grants of its roles. A right nobody granted is
absent; nothing is ever compiled from an empty or a missing expression. What a policy hides is not there for any
question: not as a column, a filter, a sort key, a link's far side or a name in an error's hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from xrm.expr import Type
from xrm.expr.types import TEXT, collection, list_of, ref
from xrm.model.access import RIGHTS, Grant, Right
from xrm.model.addresses import part_of
from xrm.model.application import Application
from xrm.model.entity import Entity, Inverse, listed
from xrm.model.fields import ENTITY, Expression, Field, alike
from xrm.model.kinds import ADDRESS_PARTS
from xrm.model.rows import rows_of

SYSTEM = frozenset({"(system)"})
"""The roles of the system actor. No user can hold it: it is no name that an application could give a role."""

Rule = Literal[True] | tuple[Expression, ...]
"""Always, or where at least one of these conditions holds."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What some roles may do with one entity. ``visible`` and ``editable`` are names of fields, and of fields of rows
    (``lines.amount``)."""

    entity: str
    roles: frozenset[str]
    rules: Mapping[Right, Rule]
    visible: frozenset[str]
    editable: frozenset[str]
    historic: bool

    def rule(self, right: Right) -> Rule | None:
        """The rule of a right; None where it is not granted at all."""
        return self.rules.get(right)

    def may(self, right: Right) -> bool:
        """Whether the right is granted for at least some records."""
        return right in self.rules

    def sees(self, field: str) -> bool:
        return field in self.visible


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one set of roles, over every entity, and the application as those roles see it."""

    application: Application
    roles: frozenset[str]
    by_entity: Mapping[str, Policy]

    def readable(self, entity: str) -> bool:
        policy = self.by_entity.get(entity)
        return policy is not None and policy.may("read")

    def resolve(self, entity: str, path: str) -> Field | None:
        """The visible field at the end of a path from an entity, or None: hidden and missing are the same answer."""
        name, _, rest = path.partition(".")
        field = self._field(entity, name)
        if field is None and not rest:
            inverse = self.inverse(entity, name)
            return inverse.count if inverse else None
        if rest and field is not None and field.type == "address":
            return part_of(field, rest)
        if not rest or field is None or field.type != "link" or name == "id":
            return field if not rest else None
        seen = [target for target in field.targets if self.readable(target)]
        if field.several and rest == ENTITY.name:
            return ENTITY if seen else None
        return alike([self.resolve(target, rest) for target in seen])

    def shows(self, entity: str, path: str) -> bool:
        """Whether a path of an expression is visible: a field's, or one into a collection."""
        first, _, rest = path.partition(".")
        gathered = self.collection(entity, first)
        if gathered is not None and rest:
            return self.member(gathered, rest) is not None
        field = self._field(entity, first)
        if field is not None and field.apart and rest:
            return rest.partition(".")[0] in self.row_fields(entity, first)
        return self.resolve(entity, path) is not None

    def inverse(self, entity: str, name: str) -> Inverse | None:
        """A visible collection: its records may be read, and the link that makes it is seen."""
        found = self.application.entities[entity].inverses.get(name)
        seen = tuple(one for one in found.entities if self._field(one, found.field)) if found else ()
        return (found if seen == found.entities else replace(found, entities=seen)) if found and seen else None

    def collection(self, entity: str, name: str) -> Inverse | None:
        """A visible collection: an inverse one, or the records of a list of links that may be read."""
        field = self._field(entity, name)
        found = listed(field) if field else None
        if found is None:
            return None if field else self.inverse(entity, name)
        seen = tuple(filter(self.readable, found.entities))
        return replace(found, entities=seen) if seen else None

    def member(self, inverse: Inverse, path: str) -> Field | None:
        """The visible field at the end of a path from the records of a visible collection."""
        if path == ENTITY.name and len(inverse.entities) > 1:
            return ENTITY
        return alike([self.resolve(one, path) for one in inverse.entities])

    def names(self, entity: str) -> tuple[str, ...]:
        """The names of visible fields, in the order of the definition."""
        if not self.readable(entity):
            return ()
        visible = self.by_entity[entity].visible
        return tuple(name for name in self.application.entities[entity].all_fields if name in visible)

    def row_fields(self, entity: str, name: str) -> Mapping[str, Field]:
        """The visible fields of the rows in a field, in the order of the definition."""
        field = self._field(entity, name)
        if field is None:
            return {}
        visible = self.by_entity[entity].visible
        return {own: inner for own, inner in field.rows.items() if f"{name}.{own}" in visible}

    def beyond(self, entity: str, path: str) -> Field | None:
        """The visible field at the end of a path over a list of links (``districts.title``); None where it is none."""
        first, _, rest = path.partition(".")
        field = self._field(entity, first)
        if field is None or field.each is None or not rest:
            return None
        return alike([self.resolve(target, rest) for target in field.each.targets if self.readable(target)])

    def _field(self, entity: str | None, name: str) -> Field | None:
        if entity is None or not self.readable(entity) or name not in self.by_entity[entity].visible:
            return None
        return self.application.entities[entity].field(name)


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """The names an actor's own expressions may use: what the policies show, and ``actor``."""

    policies: Policies
    entity: str

    def type_of(self, path: tuple[str, ...]) -> Type | None:
        if path[0] == "actor":
            return ACTOR_TYPES.get(path[1:])
        if len(path) > 4:
            return None
        gathered = self.policies.collection(self.entity, path[0])
        if gathered is not None:
            field = self.policies.member(gathered, ".".join(path[1:])) if len(path) > 1 else None
            return collection(gathered.entities[0]) if len(path) == 1 else field.expression_type if field else None
        field = self.policies.resolve(self.entity, path[0])
        if field is not None and field.apart:
            inner = self.policies.row_fields(self.entity, field.name).get(path[1]) if len(path) > 1 else None
            inner = inner if len(path) <= 2 else part_of(inner, ".".join(path[2:]))
            own = collection(f"{self.entity}.{field.name}", held=True)
            return own if len(path) == 1 else inner.expression_type if inner else None
        field = self.policies.resolve(self.entity, ".".join(path))
        return field.expression_type if field and not field.apart else None

    def names(self, path: tuple[str, ...]) -> Iterable[str]:
        if path and path[0] == "actor":
            return [key[0] for key in ACTOR_TYPES if key]
        if not path:
            inverses = self.policies.application.entities[self.entity].inverses
            return (*self.policies.names(self.entity), *(name for name in inverses if self.policies.inverse(self.entity, name)))
        inverse = self.policies.collection(self.entity, path[0]) if len(path) == 1 else None
        if inverse is not None:
            own = self.policies.names(inverse.entities[0])
            return own if len(inverse.entities) == 1 else (ENTITY.name, *(name for name in own if self.policies.member(inverse, name)))
        first = self.policies.resolve(self.entity, path[0])
        if first is not None and first.apart:
            return tuple(self.policies.row_fields(self.entity, first.name)) if len(path) == 1 else ()
        field = self.policies.resolve(self.entity, ".".join(path))
        if field is not None and field.type == "address":
            return ADDRESS_PARTS
        if field is None or field.type != "link":
            return ()
        if field.to:
            return self.policies.names(field.to)
        seen = next((target for target in field.targets if self.policies.readable(target)), "")
        return (ENTITY.name, *(name for name in self.policies.names(seen) if self.type_of((*path, name)))) if seen else ()


ACTOR_TYPES: Mapping[tuple[str, ...], Type] = {
    (): ref("user"),
    ("id",): ref("user"),
    ("name",): TEXT,
    ("label",): TEXT,
    ("roles",): list_of(TEXT),
}


def expand(application: Application, roles: Iterable[str]) -> frozenset[str]:
    """The roles and all that they include; names the application does not know give nothing."""
    known = [application.roles[role] for role in roles if role in application.roles]
    return frozenset(name for role in known for name in (role.name, *role.includes))


def policies(application: Application, roles: frozenset[str]) -> Policies:
    """The policies of a set of roles that is already expanded."""
    by_entity = {name: _policy(application, entity, roles) for name, entity in application.entities.items()}
    return _without_blind_links(Policies(application, roles, by_entity))


def quiet(application: Application, entity: Entity) -> frozenset[str]:
    """The fields of an entity that some who may read it do not see: protected ones, and links to what they may not read."""
    readers = [role for role in application.roles if _may_read(application, role, entity)]

    def hidden(field: Field) -> bool:
        link = field.each or field
        to = application.entities.get(link.to or "") if link.type == "link" else None
        return field.protected or (to is not None and not all(_may_read(application, role, to) for role in readers))

    return frozenset(field.name for field in entity.fields.values() if hidden(field))


def _may_read(application: Application, role: str, entity: Entity) -> bool:
    return any("read" in entity.access[name].rights for name in (role, *application.roles[role].includes) if name in entity.access)


def _policy(application: Application, entity: Entity, roles: frozenset[str]) -> Policy:
    if roles == SYSTEM:
        everything = frozenset(_with_rows(entity))
        writable = frozenset(name for name, field in _with_rows(entity).items() if field.compute is None and not field.system)
        always: Mapping[Right, Rule] = dict.fromkeys(RIGHTS, True)
        return Policy(entity.name, roles, always, everything, writable, historic=True)
    grants = [grant for role, grant in entity.access.items() if role in roles]
    rules: dict[Right, Rule] = {}
    for right in RIGHTS:
        rule = _union(grants, right)
        if rule is not None:
            rules[right] = rule
    seen = {name for grant in grants for name in grant.sees}
    edited = {name for grant in grants for name in grant.edits}
    fields = _with_rows(entity)
    visible = _whole(n for n, f in fields.items() if not f.protected or n in seen)
    free = (n for n, f in fields.items() if f.compute is None and not f.system and (not f.protected or n in edited) and n in visible)
    editable = _whole(free)
    historic = any(grant.historic for grant in grants)
    return Policy(entity.name, roles, rules, visible, editable, historic)


def _with_rows(entity: Entity) -> Mapping[str, Field]:
    """Every field of an entity, and of its rows under a path (``lines.amount``)."""
    inner = {f"{field.name}.{own.name}": own for field in rows_of(entity) for own in field.rows.values()}
    return {**entity.all_fields, **inner}


def _whole(names: Iterable[str]) -> frozenset[str]:
    """The names, without fields of rows that are not among them."""
    found = frozenset(names)
    return frozenset(name for name in found if name.partition(".")[0] in found)


def _union(grants: Iterable[Grant], right: Right) -> Rule | None:
    """The right of several grants together: always if one is always, else any of their conditions, else not at all."""
    given = [grant.rights[right] for grant in grants if right in grant.rights]
    if not given:
        return None
    conditions = tuple(rule for rule in given if isinstance(rule, Expression))
    always = sum(rule is True for rule in given)
    if len(conditions) + always != len(given):
        raise TypeError(f"a right of {right} is neither True nor a condition")
    return True if always else conditions


def _without_blind_links(found: Policies) -> Policies:
    """A link to an entity that these roles may not read at all is hidden with it."""
    application = found.application

    def seeing(policy: Policy) -> Policy:
        fields = _with_rows(application.entities[policy.entity])
        blind = {
            name
            for name in policy.visible
            if (field := fields.get(name)) and field.type == "link" and field.targets and not any(map(found.readable, field.targets))
        }
        blind |= {name.partition(".")[0] for name in blind if (outer := fields.get(name.partition(".")[0])) and outer.each}
        if not blind:
            return policy
        visible, editable = policy.visible - blind, policy.editable - blind
        return Policy(policy.entity, policy.roles, policy.rules, visible, editable, policy.historic)

    return Policies(application, found.roles, {name: seeing(policy) for name, policy in found.by_entity.items()})
