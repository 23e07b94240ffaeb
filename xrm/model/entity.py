"""An entity: one kind of record, with everything that was said about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as part
from types import MappingProxyType
from typing import Literal

from xrm.expr.gathered import linked
from xrm.model.access import Grant
from xrm.model.check_digits import CHECKS
from xrm.model.fields import Check, Expression, Field, Text, Unique
from xrm.model.lifecycle import Lifecycle
from xrm.model.views import Form, View

PIECE = re.compile(r"\{([^{}]*)\}")
"""A part of a number, or of a title, that stands in braces."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """``SR-{year}-{seq:6}``: the text around, and how many digits. The sequence starts again with each year, and with each value
    of what else stands in braces (``{district.code}``); ``{check:luhn}`` is a check digit over all before it.

    ``gapless``: numbers are taken inside the transaction, one writer after the other.
    """

    pattern: str
    digits: int
    yearly: bool
    gapless: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields of the record, or of a record that it links to, that stand in it."""
        return tuple(name for name in PIECE.findall(self.pattern) if name != "year" and ":" not in name)

    def render(self, sequence: int, year: int, words: Mapping[str, str] = MappingProxyType({})) -> str:
        before, after = self.around(year, words)
        made = f"{before}{sequence:0{self.digits}d}{after}"
        found = PIECE.search(made)
        return f"{made[: found.start()]}{CHECKS[found[1][6:]](made[: found.start()])}{made[found.end() :]}" if found else made

    def around(self, year: int, words: Mapping[str, str]) -> tuple[str, str]:
        """What stands before and after the counter; a check digit is still in braces."""
        before, after = self.pattern.split(f"{{seq:{self.digits}}}")
        return _filled(before, year, words), _filled(after, year, words)


def _filled(text: str, year: int, words: Mapping[str, str]) -> str:
    text = text.replace("{year}", f"{year:04d}")
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@dataclass(frozen=True, slots=True)
class Inverse:
    """The collection of the records of ``entities`` whose link ``field`` leads to a record here.

    Several, where the link is one that they share: it stands in an entity that they extend. ``by`` a ``list``: theirs is a list
    of links, and this record is in it. ``own``: the other way round, ``field`` is a list of links here, which has them.
    """

    name: str
    entities: tuple[str, ...]
    field: str
    label: Text
    by: Literal["link", "list", "own"] = "link"

    @property
    def count(self) -> Field:
        """What a list shows of it: how many there are."""
        return Field(self.name, "integer", self.label, system=True)


def listed(field: Field) -> Inverse | None:
    """The collection that a list of links is; None of any other field."""
    return Inverse(field.name, field.each.targets, field.name, field.label, "own") if field.each and field.each.targets else None


def rules_of(field: Field) -> tuple[Expression, ...]:
    """The expressions of a field's rules that a value may come to break."""
    said = (field.required, field.recommended, field.show, field.lowest, field.highest, *(option.when for option in field.options))
    return tuple(one for one in said if isinstance(one, Expression))


def _leads_on(path: str) -> bool:
    return "." in path.removeprefix("parent.") and not path.startswith("actor.")


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
    inverses: Mapping[str, Inverse] = part(default_factory=dict)
    """By name: the collections that links of other records make here."""
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

    def collection(self, name: str) -> Inverse | None:
        """The records of other entities that expressions know by a name: those that link here, or those in a list of links."""
        field = self.fields.get(name)
        return listed(field) if field else self.inverses.get(name)

    def view(self, name: str) -> View | None:
        """The view of that name; else the one that was called so in earlier releases."""
        return self.views.get(name) or next((view for view in self.views.values() if name in view.renamed_from), None)

    @property
    def derived(self) -> bool:
        """Whether a computed field or a rule, of the record or of its rows, reads beyond it: it can change without being edited."""
        within = [inner for field in self.fields.values() for inner in field.rows.values()]
        parts = [*self.flagging, *(one for field in (*self.fields.values(), *within) for one in rules_of(field))]
        for field in (*self.fields.values(), *within):
            cases = field.compute.cases if field.compute else ()
            parts += [part for case in cases for part in case if isinstance(part, Expression)]
        return any(linked(part.checked.node) or any(map(_leads_on, part.checked.paths)) for part in parts)

    @property
    def flagging(self) -> tuple[Expression, ...]:
        """The expressions of rules that a record may come to break without being written: then it is a flag. Rows have their own."""
        found: list[Expression | bool | None] = [part for check in self.checks for part in (check.when, check.must, check.should)]
        for form in self.forms.values():
            found += [said for section in form.sections for said in (section.show, section.required)]
        of_fields = (one for field in self.fields.values() for one in rules_of(field))
        return (*(one for one in found if isinstance(one, Expression)), *of_fields)

    @property
    def all_fields(self) -> Mapping[str, Field]:
        return {**self.system_fields, **self.fields}
