"""What is defined where: entities with their fields, roles, and the namespace that an expression sees.

The fields here are bare: all that can be said without reading an expression or a bound. A field of a computed field
without a type gets the type that its expression gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from xrm.errors import Place
from xrm.expr import ANY, TEXT, Type, list_of, ref
from xrm.expr.types import collection
from xrm.model.addresses import part_of
from xrm.model.entity import Inverse, listed
from xrm.model.fields import ENTITY, TARGET, Field, Option, alike
from xrm.model.kinds import ADDRESS_PARTS
from xrm.model.standard import USER, system_fields, user_fields
from xrm.source.bare import Basis, bare_fields, earlier, humanised, label_text, word_of
from xrm.source.outline import Outline, Part

TERRITORY = re.compile(r"^.*?(-(?=[A-Z]{2}$)|$)")
"""All of a locale but its country."""
MOST_LINKS = 3
"""Links that a path may follow."""

ACTOR: Mapping[str, Type] = {"id": ref(USER), "name": TEXT, "label": TEXT, "roles": list_of(TEXT)}


@dataclass(frozen=True, slots=True)
class Known:
    """An entity as far as it is known. ``unknown``: fields whose type is not; ``ghost``: nothing but the name."""

    name: str
    place: Place | None
    part: Part | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    system: Mapping[str, Field] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    ghost: bool = False
    base: str | None = None
    abstract: bool = False
    inverses: Mapping[str, Inverse] = field(default_factory=dict)

    def field(self, name: str) -> Field | None:
        return self.fields.get(name) or self.system.get(name)

    def collection(self, name: str) -> Inverse | None:
        """The records of other entities that a name stands for: those that link here, or those in a list of links."""
        field = self.field(name)
        return listed(field) if field else self.inverses.get(name)

    @property
    def key(self) -> str | None:
        """The field that names a record."""
        if self.name == USER:
            return "name"
        word = self.part.word("key") if self.part else None
        return word.text if word and word.text in self.fields else None

    @property
    def all_names(self) -> tuple[str, ...]:
        return (*self.fields, *self.system, *self.unknown, *self.inverses)


@dataclass(frozen=True)
class Names:
    """``roles`` holds every role with all it includes; ``sound`` is false where xrm.yml could not be read."""

    basis: Basis
    roles: Mapping[str, tuple[str, ...]]
    role_places: Mapping[str, Place]
    entities: Mapping[str, Known]
    sound: bool = True
    rows: Mapping[str, Known] = field(default_factory=dict)
    """What is known of rows, by entity and field (``order.lines``)."""
    records: Mapping[str, Mapping[str, Place]] = field(default_factory=dict)
    """The reference records of an entity by key, and where each stands."""

    @property
    def locale(self) -> str:
        return self.basis.locale

    @property
    def currency(self) -> str:
        return self.basis.currency

    def place_of(self, entity: str) -> Place | None:
        known = self.entities.get(entity)
        return known.place if known else None

    @cached_property
    def families(self) -> Mapping[str, tuple[str, ...]]:
        """For every entity the entities with records that it stands for: itself, unless abstract, and its heirs."""
        found: dict[str, list[str]] = {name: [] for name in self.entities}
        for known in self.entities.values():
            here: Known | None = known
            while here and not known.abstract and known.name not in found[here.name]:
                found[here.name].append(known.name)
                here = self.entities.get(here.base or "")
        return {name: tuple(heirs) for name, heirs in found.items()}

    def scope(self, entity: str) -> EntityScope:
        """The scope of an entity's expressions, or of those in the rows of a field (``order.lines``)."""
        if entity in self.rows:
            return EntityScope(self, self.rows[entity], self.entities[entity.partition(".")[0]])
        return EntityScope(self, self.entities[entity])


@dataclass(frozen=True, slots=True)
class EntityScope:
    """The names that an expression on an entity may use (the protocol ``xrm.expr.Scope``)."""

    all: Names
    here: Known
    parent: Known | None = None
    """The entity whose rows these are; None where this is no row."""

    def type_of(self, path: tuple[str, ...]) -> Type | None:
        if path[0] == "actor":
            return ref(USER) if len(path) == 1 else ACTOR.get(path[1]) if len(path) == 2 else None
        found = self.follow(path)
        if isinstance(found, Field):
            if found.apart:
                return None
            refused = found.type == "choice" and not found.options
            return ANY if refused else found.expression_type
        return found

    def follow(self, path: tuple[str, ...]) -> Field | Type | None:
        """The field at the end of a path; ANY where something on the way is not known; None where it leads nowhere."""
        if self.parent and path[0] == "parent":
            return EntityScope(self.all, self.parent).follow(path[1:]) if len(path) > 1 else ref(self.parent.name)
        return self._follow(self.here, path, 0)

    def _follow(self, known: Known, path: tuple[str, ...], depth: int) -> Field | Type | None:
        if depth > MOST_LINKS:
            return None
        if known.ghost or path[0] in known.unknown:
            return ANY
        found, rest = known.field(path[0]), path[1:]
        gathered = known.collection(path[0])
        if gathered is not None:
            members = gathered.entities
            if rest == (ENTITY.name,) and len(members) > 1:
                return _entity_of(members)
            return self._alike(members, rest, depth) if rest else collection(members[0])
        if found is not None and found.each:
            return ANY
        if found is not None and found.type == "rows":
            own = self.all.rows.get(f"{known.name}.{found.name}") if depth == 0 else None
            return collection(f"{known.name}.{found.name}", held=True) if not rest else _row_field(own, rest)
        if not rest or found is None:
            return found
        if found.type != "link":
            return part_of(found, rest[0]) if len(rest) == 1 else None
        if found.several and rest == (ENTITY.name,):
            return _entity_of(found.several)
        return self._alike(found.targets, rest, depth)

    def _alike(self, entities: tuple[str, ...], path: tuple[str, ...], depth: int) -> Field | Type | None:
        """What stands at the end of a path in each of some entities, where it is alike in all."""
        ends = [self._follow(self.all.entities[one], path, depth + 1) if one in self.all.entities else ANY for one in entities]
        if any(end is ANY for end in ends) or not ends:
            return ANY
        return alike([end if isinstance(end, Field) else None for end in ends])

    def members(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The entities whose records, or the rows, that a collection at the end of a path holds."""
        before = self.follow(path[:-1]) if len(path) > 1 else None
        here = self.all.entities.get((before.to or "") if isinstance(before, Field) else self.here.name)
        gathered = here.collection(path[-1]) if here else None
        found = self.follow(path)
        return gathered.entities if gathered else (found.entity,) if isinstance(found, Type) and found.entity else ()

    def names(self, path: tuple[str, ...]) -> Iterable[str]:
        if self.parent and path[:1] == ("parent",):
            return EntityScope(self.all, self.parent).names(path[1:])
        if not path:
            return (*self.here.all_names, "actor", *(("parent",) if self.parent else ()))
        if path == ("actor",):
            return tuple(ACTOR)
        found = self.follow(path)
        if isinstance(found, Type) and found.name == "collection":
            members = self.members(path)
            inner = self.all.entities.get(found.entity or "") or self.all.rows.get(found.entity or "")
            if len(members) > 1 and inner:
                return (ENTITY.name, *(name for name in inner.all_names if self.follow((*path, name))))
            return inner.all_names if inner else ()
        if isinstance(found, Field) and found.type == "address":
            return ADDRESS_PARTS
        if not isinstance(found, Field) or found.type != "link" or len(path) > MOST_LINKS:
            return ()
        targets = [known for target in found.targets if (known := self.all.entities.get(target))]
        if len(targets) == 1:
            return targets[0].all_names
        return (ENTITY.name, *(name for name in targets[0].all_names if self.follow((*path, name)))) if targets else ()


def _entity_of(members: tuple[str, ...]) -> Field:
    """Which of some entities a record is of: what it is compared with is one of them."""
    return replace(ENTITY, type="choice", options=tuple(Option(name, {}) for name in members))


def _row_field(own: Known | None, rest: tuple[str, ...]) -> Field | Type | None:
    """A field of a row, or a part of one; what lies beyond a link of a row is not asked from its record."""
    if own is not None and len(rest) == 2:
        return part_of(own.field(rest[0]), rest[1])
    if own is None or len(rest) > 1:
        return None
    return ANY if rest[0] in own.unknown else own.field(rest[0])


@dataclass(frozen=True, slots=True)
class TargetScope:
    """The names of a condition on what a link leads to: the target's, and the record's own as ``this``."""

    record: EntityScope
    link: str

    @property
    def target(self) -> EntityScope:
        """The names of the target alone; of several, of the first."""
        field = self.record.here.field(self.link)
        targets = (field.each or field).targets if field else ()
        return self.record.all.scope(targets[0]) if targets and targets[0] in self.record.all.entities else self.record

    def type_of(self, path: tuple[str, ...]) -> Type | None:
        if path[0] == "actor":
            return self.record.type_of(path)
        if path[0] == "this":
            return self.record.type_of(path[1:]) if len(path) > 1 else None
        return None if path == (ENTITY.name,) else self.record.type_of((self.link, *path))

    def names(self, path: tuple[str, ...]) -> Iterable[str]:
        if path[:1] == ("this",):
            return self.record.names(path[1:])
        if path[:1] == ("actor",):
            return self.record.names(path)
        return (*self.record.names((self.link, *path)), *(() if path else ("this", "actor")))


def index(outline: Outline) -> Names:
    """Everything that is defined. Of two definitions of one name the first counts."""
    application = outline.application
    locale = locale_of(application)
    roles = application.named("roles") if application else {}
    named = tuple(
        Option(role, label_text(inner.label("label"), locale, humanised(role)), renamed_from=earlier(inner))
        for role, inner in roles.items()
    )
    country = word_of(application, "country", "") or TERRITORY.sub("", locale)
    basis = Basis(locale, word_of(application, "currency", "USD"), country or None, named)
    entities: dict[str, Known] = {
        USER: Known(USER, None, None, user_fields(locale), system_fields(USER, locale, numbered=False, states=None))
    }
    for part in outline.entities:
        name = part.word("entity")
        if name and name.text == USER and part.has("add_to"):
            added = _known(part, USER, name.place, basis)
            entities[USER] = replace(entities[USER], part=part, fields={**entities[USER].fields, **added.fields}, unknown=added.unknown)
        elif name and name.text not in entities:
            entities[name.text] = _known(part, name.text, name.place, basis)
    for ghost in outline.ghosts:
        entities.setdefault(ghost.name, Known(ghost.name, ghost.place, ghost=True))
    astray = _astray(outline, entities)
    if astray:
        entities = {name: replace(known, unknown=known.unknown | (astray - known.fields.keys())) for name, known in entities.items()}
    bare = Names(
        basis,
        {name: tuple(one for one in names if one != name) for name, names in included(roles).items()},
        {name: part.place for name, part in roles.items()},
        entities,
        sound=bool(roles) and application is not None and "roles" not in application.broken,
        records=_records(outline, entities),
    )
    led = _led(replace(bare, rows={own.name: own for known in entities.values() for own in _rows_of(known, basis)}))
    return replace(led, entities=_with_inverses(_with_rows(led), locale))


def _astray(outline: Outline, entities: Mapping[str, Known]) -> frozenset[str]:
    """Inverses of links that lead nobody knows where, of a broken file or to an unknown entity: any entity may have them."""
    found = {name for ghost in outline.ghosts for name in ghost.inverses}
    for part in outline.entities:
        for link in part.named("fields").values():
            inverse = link.word("inverse")
            known = (word.text in entities or word.text == ANY_ENTITY for word in link.words("to"))
            if inverse and not link.has("compute") and ("to" in link.broken or "type" in link.broken or not all(known)):
                found.add(inverse.text)
    return frozenset(found)


def _with_rows(names: Names) -> dict[str, Known]:
    """The entities, where each field that holds rows has their fields."""
    entities = dict(names.entities)
    for name, known in names.rows.items():
        entity, _, field = name.partition(".")
        fields = entities[entity].fields
        entities[entity] = replace(entities[entity], fields={**fields, field: replace(fields[field], rows=known.fields)})
    return entities


def inverse_place(known: Known, link: str) -> Place | None:
    """Where the name of the collection that a link makes is written: of a link that was extended, in the entity that is the base."""
    part = known.part.named("fields").get(link) if known.part else None
    word = part.word("inverse") if part else None
    return word.place if word else None


def _with_inverses(entities: Mapping[str, Known], locale: str) -> dict[str, Known]:
    """Each entity with the collections that links of others make there. Of two of one name the first counts; a link that
    entities share makes one collection of their records."""
    found: dict[str, dict[str, Inverse]] = {}
    said: dict[tuple[str, str], Place | None] = {}
    for known in entities.values():
        for link in known.fields.values() if not known.abstract else ():
            if link.inverse:
                by: Literal["link", "list"] = "list" if link.each else "link"
                made = Inverse(link.inverse, (known.name,), link.name, {locale: humanised(link.inverse)}, by)
                place = inverse_place(known, link.name)
                for target in (link.each or link).targets:
                    other = found.setdefault(target, {}).setdefault(link.inverse, made)
                    shared = said.setdefault((target, link.inverse), place) == place
                    if shared and known.name not in other.entities and other.field == link.name:
                        found[target][link.inverse] = replace(other, entities=(*other.entities, known.name))
    return {name: replace(known, inverses=found[name]) if name in found else known for name, known in entities.items()}


ANY_ENTITY = "any"
"""In ``to``: every entity."""


def _led(names: Names) -> Names:
    """The same with every link knowing all that it may lead to."""
    families = names.families
    entities = {name: replace(known, fields=_links_of(known, names, families)) for name, known in names.entities.items()}
    rows = {name: replace(known, fields=_links_of(known, names, families)) for name, known in names.rows.items()}
    return replace(names, entities=entities, rows=rows)


def _links_of(known: Known, names: Names, families: Mapping[str, tuple[str, ...]]) -> Mapping[str, Field]:
    parts = known.part.named("fields") if known.part else {}
    links = {name: parts[name] for name, one in known.fields.items() if (one.type == "link" or one.each) and name in parts}
    return {name: _led_field(one, links[name], names, families) if name in links else one for name, one in known.fields.items()}


def _led_field(bare: Field, part: Part, names: Names, families: Mapping[str, tuple[str, ...]]) -> Field:
    if bare.each:
        return replace(bare, rows={TARGET: _led_field(bare.each, part, names, families)})
    words = [word.text for word in part.words("to")]
    if words == [ANY_ENTITY] and ANY_ENTITY not in names.entities:
        words = list(names.entities)
    found = tuple(dict.fromkeys(target for word in words for target in families.get(word, ())))
    if len(found) > 1:
        return replace(bare, to=None, several=found)
    return replace(bare, to=found[0]) if found and found[0] != bare.to else bare


def _records(outline: Outline, entities: Mapping[str, Known]) -> Mapping[str, Mapping[str, Place]]:
    found: dict[str, dict[str, Place]] = {}
    for listing in outline.listings:
        key = entities[listing.entity].key if listing.entity in entities else None
        if key:
            found[listing.entity] = {**listing.places(key), **found.get(listing.entity, {})}
    return found


def locale_of(application: Part | None) -> str:
    """The application's own language."""
    return word_of(application, "locale", "en")


def included(roles: Mapping[str, Part]) -> Mapping[str, tuple[str, ...]]:
    """For each role those that it includes, transitively; itself too where that is a circle.

    Warshall's closure, a row a whole number: so many roles that include so many cost no time.
    """
    place = {name: number for number, name in enumerate(roles)}
    rows = [sum({1 << place[word.text] for word in part.words("includes") if word.text in place}) for part in roles.values()]
    for middle, through in enumerate(rows):
        rows = [row | through if row >> middle & 1 else row for row in rows]
    return {name: tuple(one for one, number in place.items() if row >> number & 1) for name, row in zip(roles, rows, strict=True)}


def _known(part: Part, name: str, place: Place, basis: Basis) -> Known:
    locale = basis.locale
    fields, unknown = bare_fields(part, basis)
    lifecycle = part.part("lifecycle")
    states = lifecycle.named("states") if lifecycle else {}
    options = [Option(state, label_text(inner.label("label"), locale, humanised(state))) for state, inner in states.items()]
    kept = system_fields(name, locale, part.has("number"), options if part.has("lifecycle") else None)
    ghost = "fields" in part.broken or not part.has("fields")
    base = word_of(part, "extends", "") or None
    return Known(name, place, part, fields, kept, unknown, ghost, base, part.flag("abstract"))


def _rows_of(known: Known, basis: Basis) -> Iterable[Known]:
    """What is known of the rows that an entity's fields hold."""
    for name, inner in known.part.named("fields").items() if known.part else ():
        if name in known.fields and known.fields[name].type == "rows" and not known.fields[name].many:
            fields, unknown = bare_fields(inner, basis)
            ghost = "fields" in inner.broken or not inner.has("fields")
            yield Known(f"{known.name}.{name}", inner.place, inner, fields, {}, unknown, ghost)
