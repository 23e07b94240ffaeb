"""The whole application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as part
from functools import cached_property

from xrm.model.access import Role
from xrm.model.brand import Brand
from xrm.model.data import ReferenceRecord
from xrm.model.entity import Entity
from xrm.model.fields import ENTITY, Field, Text, alike
from xrm.model.rows import rows_of

Leading = tuple[str, Field | None, Field]
"""A link: the entity it stands in, the field of rows there that has it (None where it is the record's own), and the link itself."""


@dataclass(frozen=True)
class Application:
    """``files`` is the text of every file it was read from, by path: what a release keeps. ``digest`` is their SHA-256."""

    name: str
    label: Text
    locale: str
    timezone: str
    currency: str
    types: tuple[str, ...]
    """The names of its own types; its fields have the types of the language beneath them."""
    roles: Mapping[str, Role]
    entities: Mapping[str, Entity]
    files: Mapping[str, str]
    digest: str
    brand: Brand | None = None
    data: tuple[ReferenceRecord, ...] = ()
    """The records that the definition brings, from ``data/``."""
    locales: tuple[str, ...] = ()
    """The languages that people may choose, its own first."""
    removed_roles: tuple[tuple[str, str | None], ...] = ()
    """Roles that are gone, each with the one that its users get."""
    families: Mapping[str, tuple[str, ...]] = part(default_factory=dict)
    """For every entity, abstract ones too, the entities with records that it stands for."""

    def heirs(self, name: str) -> tuple[str, ...]:
        """The entities whose records are of this one: itself, unless abstract, and every entity that extends it."""
        return self.families.get(name, (name,))

    @cached_property
    def links_to(self) -> Mapping[str, tuple[Leading, ...]]:
        """For every entity the links that may lead to it, those in rows last."""
        found: dict[str, list[Leading]] = {name: [] for name in self.entities}
        own: list[Leading] = [(one.name, None, field) for one in self.entities.values() for field in one.fields.values()]
        inner: list[Leading] = [
            (one.name, rows, field) for one in self.entities.values() for rows in rows_of(one) for field in rows.rows.values()
        ]
        for leading in own + inner:
            for target in leading[2].targets if leading[2].type == "link" else ():
                found[target].append(leading)
        return {name: tuple(some) for name, some in found.items()}

    def resolve(self, entity: str, path: str) -> Field | None:
        """The field at the end of ``a.b.c`` from an entity, following links; None where there is none."""
        here = self.entities.get(entity)
        name, _, rest = path.partition(".")
        step = here.field(name) if here else None
        if not rest or step is None:
            return step
        if step.several and rest == ENTITY.name:
            return ENTITY
        return alike([self.resolve(target, rest) for target in step.targets]) if step.type == "link" else None

    def words(self, text: Text, locale: str | None = None) -> str:
        """The words of a text in a locale (``es`` for ``es-MX`` too), else in the application's own."""
        if locale and locale != self.locale:
            found = text.get(locale) or text.get(locale.partition("-")[0])
            if found:
                return found
        return text.get(self.locale) or next(iter(text.values()), "")
