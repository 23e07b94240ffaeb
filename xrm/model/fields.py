"""Fields: what an entity's records hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from dataclasses import field as part
from operator import attrgetter
from typing import Literal

from xrm.expr import Checked, Type
from xrm.model.kinds import COUNTED, KINDS, MANY, FieldKind, FieldType

OnDelete = Literal["restrict", "cascade", "clear"]

Text = Mapping[str, str]
"""Words by locale, e.g. ``{"en": "Address"}``; every text has the application's own locale."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression and where it was written (for messages and for where-used)."""

    checked: Checked
    place: str


@dataclass(frozen=True, slots=True)
class Value:
    """What a value key (``default``, ``set``, ``compute``) gives: data, or the first case that holds.

    ``cases`` is an ordered list of (condition or None, expression or data). Data is already in the field's own type.
    """

    cases: tuple[tuple[Expression | None, Expression | object], ...]


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    label: Text
    tone: str | None = None
    when: Expression | None = None
    """Where it can be chosen; None: always."""
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values of an earlier type become those of this one. ``value`` None: as if each had been typed."""

    type: FieldType
    places: int = 0
    value: Value | None = None


TARGET = "target"
"""In the rows of a list of links: the field that is the link."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``minimum``/``maximum`` are in the field's own type, ``lowest``/``highest`` bounds by other fields;
    ``length`` is the most characters of a text, ``shortest`` the least, ``words`` the most words.

    Of rows, ``rows`` holds the fields of one row, and ``minimum``/``maximum`` say how many rows there may be. A link with
    ``many`` is kept as rows too: each has one field, the link ``target``.
    Of files: ``accept`` names the kinds that are let in, ``size`` is the most bytes of one, the bounds are their count.
    """

    name: str
    type: FieldType
    label: Text
    hint: Text | None = None
    required: Expression | bool = False
    recommended: Expression | bool = False
    show: Expression | None = None
    readonly: Expression | bool = False
    default: Value | None = None
    compute: Value | None = None
    minimum: object | None = None
    maximum: object | None = None
    lowest: Expression | None = None
    highest: Expression | None = None
    length: int | None = None
    shortest: int | None = None
    words: int | None = None
    pattern: str | None = None
    pattern_message: Text | None = None
    unique: bool = False
    index: bool = False
    places: int = 0
    currency: str | None = None
    currency_from: str | None = None
    """The field of the record that names the currency; ``places`` are then those of the currency that has most."""
    country: str | None = None
    """Where a phone number without a country code is one of (ISO 3166)."""
    unit: str | None = None
    options: tuple[Option, ...] = ()
    ordered: bool = False
    many: bool = False
    to: str | None = None
    several: tuple[str, ...] = ()
    """The entities that a link to more than one may lead to; then ``to`` is None, and it points at the spine."""
    on_delete: OnDelete = "restrict"
    """What becomes of this record when the one that its link leads to is deleted."""
    inverse: str | None = None
    """The name, on the entities that a link leads to, of the records that link there."""
    accept: tuple[str, ...] = ()
    size: int | None = None
    filter: Expression | None = None
    """Of a link: a condition on the target, with the record itself as ``this``, that a chosen record must hold."""
    find: Expression | None = None
    """Of a link: the condition that finds its record by itself where it is empty."""
    protected: bool = False
    discloses: bool = False
    rows: Mapping[str, Field] = part(default_factory=dict)
    renamed_from: tuple[str, ...] = ()
    converted_from: Conversion | None = None
    fill: Value | None = None
    removed: tuple[tuple[str, str | None], ...] = ()
    """Options that are gone, each with the one that takes its place (None: the field is emptied)."""
    within: str | None = None
    """The address that this is a part of (``model/addresses``)."""
    system: bool = False
    """Kept by xrm itself (id, number, state, …): readable like any field, never written by a caller."""

    kind: FieldKind = part(init=False, repr=False, compare=False)
    """What is true of its type."""
    apart: bool = part(init=False, repr=False, compare=False)
    """Whether its values lie in a table of their own, and its column in a record is a tuple, never None."""

    def __post_init__(self) -> None:
        """Both are asked of every field at every write, so that they are not worked out each time."""
        kinds = MANY if self.many and self.type in MANY else COUNTED if self.unit and self.type in COUNTED else KINDS
        object.__setattr__(self, "kind", kinds[self.type])
        object.__setattr__(self, "apart", self.kind.kept == "apart")

    def changed(self, **values: object) -> Field:
        """The field with other values of some attributes, as ``dataclasses.replace``, which takes thrice as long with so many
        (a large application has thousands of fields)."""
        made = object.__new__(Field)
        for put, kept in zip(PUT, KEPT(self), strict=True):
            put(made, kept)
        for name, value in values.items():
            object.__setattr__(made, name, value)
        made.__post_init__()
        return made

    @property
    def expression_type(self) -> Type:
        """The type this field has in expressions (money and decimals are exact, with their scale)."""
        return self.kind.expression_type(self)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every entity that a link may lead to."""
        return self.several or ((self.to,) if self.to else ())

    @property
    def each(self) -> Field | None:
        """Of a list of links the link that stands in each place; None of any other field."""
        return self.rows.get(TARGET) if self.many and self.type == "rows" else None

    @property
    def folded(self) -> bool:
        """Whether a folded key is stored beside it, by which people sort, search and match (decision 6)."""
        return self.type == "text" and self.within is None

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options if option.name == name), None)


KEPT = attrgetter(*(attribute.name for attribute in fields(Field)))
PUT: tuple[Callable[[Field, object], None], ...] = tuple(getattr(Field, attribute.name).__set__ for attribute in fields(Field))
"""What ``changed`` copies: the values of a field's slots, and what puts them into those of another."""

ENTITY = Field("entity", "text", {}, system=True)
"""What a link to several entities shows beside the fields that all of them have: which entity its record is of."""


def alike(ends: Sequence[Field | None]) -> Field | None:
    """The one of some fields that stands for all, where they are of one type; of links, where they lead to the same."""
    first = ends[0] if ends else None
    if first is None or any(field is None or _shape(field) != _shape(first) for field in ends):
        return None
    if first.system and first.name == "id":
        return replace(first, to=None, several=tuple(field.to or "" for field in ends if field)) if len(ends) > 1 else first
    guarded = any(field.protected for field in ends if field)
    return replace(first, protected=True) if guarded and not first.protected else first


def _shape(field: Field) -> tuple[object, ...]:
    options = tuple(option.name for option in field.options)
    if field.system and field.name == "id":
        return ("id",)
    return (field.type, field.places, field.currency, options, field.targets)


@dataclass(frozen=True, slots=True)
class Check:
    """A rule on the whole record: ``must`` refuses the write, ``should`` only warns and is kept as a flag."""

    name: str
    when: Expression | None
    must: Expression | None
    should: Expression | None
    message: Text
    field: str | None = None
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unique:
    """Fields that are unique together among records that are not deleted, and where ``when`` holds."""

    name: str
    fields: tuple[str, ...]
    when: Expression | None = None


MONEY_PLACES: Mapping[str, int] = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
"""Digits after the point of currencies that do not have two (ISO 4217)."""
