"""An entity: one kind of record, with everything that was said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as part

from xrm.model.access import Grant
from xrm.model.fields import Check, Field, Text, Unique
from xrm.model.lifecycle import Lifecycle
from xrm.model.views import Form, View


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """``SR-{year}-{seq:6}``: the text around, and how many digits. The sequence starts again with each year if named."""

    pattern: str
    digits: int
    yearly: bool

    def render(self, sequence: int, year: int) -> str:
        counter = f"{sequence:0{self.digits}d}"
        return self.pattern.replace("{year}", f"{year:04d}").replace(f"{{seq:{self.digits}}}", counter)


@dataclass(frozen=True, slots=True)
class Entity:
    """``fields`` holds the declared fields in order; ``system_fields`` what every record has.

    ``title`` is a template of field names in braces; ``key`` the field that names a record in YAML and imports.
    """

    name: str
    label: Text
    plural: Text
    icon: str
    fields: Mapping[str, Field]
    system_fields: Mapping[str, Field]
    title: str
    number: NumberFormat | None = None
    key: str | None = None
    unique: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    lifecycle: Lifecycle | None = None
    access: Mapping[str, Grant] = part(default_factory=dict)
    views: Mapping[str, View] = part(default_factory=dict)
    forms: Mapping[str, Form] = part(default_factory=dict)
    compact: tuple[str, ...] = ()
    help: Text | None = None
    renamed_from: tuple[str, ...] = ()
    place: str = ""
    base: str | None = None
    """The entity that it extends."""
    standard: bool = False
    """Defined by xrm (the user), not by the application."""

    def field(self, name: str) -> Field | None:
        return self.fields.get(name) or self.system_fields.get(name)

    @property
    def all_fields(self) -> Mapping[str, Field]:
        return {**self.system_fields, **self.fields}
