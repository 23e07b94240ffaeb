"""Which records the rows and their links mean: found in batches, remembered, and only as far as the actor may see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xrm.compile.lookups import BATCH, Lookup, LookupKey, lookup
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
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


def encoded(ctx: Context, entity: str, fields: Sequence[Field], values: Sequence[Any]) -> LookupKey:
    return lookup_of(ctx, entity, fields).encode(values)
