"""The whole application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as part

from xrm.model.access import Role
from xrm.model.entity import Entity
from xrm.model.fields import Field, Text


@dataclass(frozen=True, slots=True)
class Application:
    """``files`` is the text of every file it was read from, by path: what a release keeps. ``digest`` is their SHA-256."""

    name: str
    label: Text
    locale: str
    timezone: str
    currency: str
    roles: Mapping[str, Role]
    entities: Mapping[str, Entity]
    files: Mapping[str, str]
    digest: str
    families: Mapping[str, tuple[str, ...]] = part(default_factory=dict)
    """For every entity, abstract ones too, the entities with records that it stands for."""

    def heirs(self, name: str) -> tuple[str, ...]:
        """The entities whose records are of this one: itself, unless abstract, and every entity that extends it."""
        return self.families.get(name, (name,))

    def resolve(self, entity: str, path: str) -> Field | None:
        """The field at the end of ``a.b.c`` from an entity, following links; None where there is none."""
        here = self.entities.get(entity)
        *links, last = path.split(".")
        for name in links:
            step = here.field(name) if here else None
            here = self.entities.get(step.to) if step and step.type == "link" and step.to else None
        return here.field(last) if here else None

    def words(self, text: Text, locale: str | None = None) -> str:
        """The words of a text in a locale, else in the application's own."""
        return text.get(locale or self.locale) or text.get(self.locale) or next(iter(text.values()), "")
