"""Which records the rows and their links mean: found in batches, remembered, and only as far as the actor may see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xrm.compile.lookups import BATCH, Lookup, LookupKey, Naming, lookup, naming
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import canonical, coerce
from xrm.service.context import Context

MOST_REMEMBERED = 200_000


def lookup_of(ctx: Context, entity: str, fields: Sequence[Field]) -> Lookup:
    """The compiled lookup, kept with the service's other compiled reads."""
    application = ctx.service.application
    names = tuple(one.name for one in fields)
    key = ("lookup", ctx.actor.roles, entity, names)
    found: Lookup | None = ctx.service.prepared.get(key)
    if found is None:
        found = lookup(application.tables, ctx.policies, entity, names, application.dialect)
        ctx.service.prepared[key] = found
    return found


def found_ids(ctx: Context, entity: str, fields: Sequence[Field], wanted: Iterable[LookupKey]) -> dict[LookupKey, list[str]]:
    """The ids of the records that have these keys, at most two for each."""
    plan = lookup_of(ctx, entity, fields)
    keys = list(dict.fromkeys(wanted))
    found: dict[LookupKey, list[str]] = {}
    for start in range(0, len(keys), BATCH):
        parameters = plan.bind(keys[start : start + BATCH], ctx.moment)
        for row in ctx.service.database.connection.all(plan.statement.sql, parameters):
            key, id = plan.decode(row)
            ids = found.setdefault(key, [])
            if len(ids) < 2 and id not in ids:
                ids.append(id)
    return found


@dataclass(slots=True)
class Links:
    """The records that one link of an import may lead to, by the word that finds them."""

    ctx: Context
    entity: str
    find: Field
    _known: dict[LookupKey, list[str]] = field(default_factory=dict)

    def key(self, word: object) -> LookupKey:
        """What the database knows the word as.

        Raises:
            Misfit: the word is not of the field's type.
        """
        value = coerce(self.find, word)
        if value is None:
            raise Misfit("is empty")
        return lookup_of(self.ctx, self.entity, (self.find,)).encode((value,))

    def learn(self, words: Iterable[object]) -> None:
        """Look for all of these at once."""
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        keys = {key for word in words if (key := self._key_or_none(word)) is not None and key not in self._known}
        found = found_ids(self.ctx, self.entity, (self.find,), keys)
        self._known |= {key: found.get(key, []) for key in keys}

    def _key_or_none(self, word: object) -> LookupKey | None:
        try:
            return self.key(word)
        except Misfit:
            return None

    def ids(self, key: LookupKey) -> Sequence[str]:
        return self._known.get(key, [])

    def add(self, key: LookupKey, id: str) -> None:
        """A record that this import creates."""
        self._known[key] = [id]


def key_of(ctx: Context, entity: str) -> Field | None:
    """The field that names an entity's records, where the actor sees it."""
    known = ctx.service.application.model.entities[entity]
    return known.field(known.key) if known.key and known.key in ctx.policies.names(entity) else None


def named(ctx: Context, ids: Iterable[str], entity: str) -> dict[str, str]:
    """What the records among these ids are called from outside, where they are of this entity: ``person:4711``."""
    key, wanted = key_of(ctx, entity), list(dict.fromkeys(ids))
    if key is None or not wanted:
        return {}
    application, cache = ctx.service.application, ctx.service.prepared
    place = ("naming", ctx.actor.roles, entity)
    plan: Naming | None = cache.get(place)
    if plan is None:
        plan = cache[place] = naming(application.tables, ctx.policies, entity, key.name, application.dialect)
    rows = ctx.service.database.connection.all(plan.statement.sql, plan.statement.bind(plan.given.bind(wanted), ctx.moment))
    return {id: f"{entity}:{canonical(key, value)}" for id, value in map(plan.decode, rows) if value is not None}


class Words:
    """Records that a link is told by words: by their keys, of several entities with the entity before it (``person:4711``)."""

    def __init__(self, ctx: Context, link: Field) -> None:
        self._link = link
        self._finders = {target: Links(ctx, target, key) for target in link.targets if (key := key_of(ctx, target))}

    def __bool__(self) -> bool:
        return bool(self._finders)

    def learn(self, words: Iterable[str]) -> None:
        """Look for all of these at once."""
        wanted: dict[str, list[str]] = {}
        for word in words:
            for target, key in self._meant(word):
                wanted.setdefault(target, []).append(key)
        for target, keys in wanted.items():
            self._finders[target].learn(keys)

    def id(self, word: str) -> str | None:
        """The one record that a word names."""
        found: list[str] = []
        for target, key in self._meant(word):
            try:
                found += self._finders[target].ids(self._finders[target].key(key))
            except Misfit:
                continue
        return found[0] if len(found) == 1 else None

    def _meant(self, word: str) -> list[tuple[str, str]]:
        target, colon, key = word.partition(":")
        if self._link.several and colon and target in self._link.targets:
            return [(target, key.strip())] if target in self._finders else []
        return [(target, word) for target in self._finders]


def encoded(ctx: Context, entity: str, fields: Sequence[Field], values: Sequence[Any]) -> LookupKey:
    return lookup_of(ctx, entity, fields).encode(values)
