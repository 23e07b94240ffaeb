"""What is true of each type of field, in one table. Whoever needs a fact for each type asks here: a new type is a new row.

What a type accepts is beside it in ``model/values``, its columns in ``compile/columns``; both are keyed by what stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as part
from typing import TYPE_CHECKING, Literal, get_args

from xrm.expr.types import BOOL, DATE, DATETIME, INT, JSON, POINT, TEXT, Type, decimal, ref

if TYPE_CHECKING:
    from xrm.model.fields import Field

FieldType = Literal[
    "text", "long_text", "integer", "decimal", "money", "boolean", "date", "datetime",
    "choice", "link", "email", "phone", "url", "point", "json",
]  # fmt: skip

Kept = Literal["text", "whole", "units", "flag", "day", "instant", "id", "point", "json"]
"""In what form a value lies in its column or columns (``compile/columns``): ``units`` are whole numbers of the last decimal."""

InputKind = Literal["text", "area", "number", "radios", "date", "datetime", "select", "email", "tel", "url", "json"]
"""What a form shows for it (``web/templates/parts.html``)."""

Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FieldKind:
    """The facts of one type.

    ``doc`` is its line in the reference; ``expression`` its type in expressions, for some made from the field; ``kept``
    the form in its columns; ``schema`` its JSON Schema (OpenAPI).

    ``written``: text that people write, with ``length`` and ``pattern``. ``bounded``: it has ``min`` and ``max``.
    ``number``: digits, which stand right in a list. ``long``: too long for a list, and it takes the whole width of a page.
    ``sortable``: its values have an order that an index keeps; also what a rule of uniqueness over several fields and
    ``index`` want. ``unique``: one field of it can be unique. ``titled``: a title can show it. ``listed``: without a
    view a list may show it. ``compound``: data of it in a definition is a map or a list, not one scalar.
    """

    doc: str
    expression: Type | Callable[[Field], Type] = TEXT
    kept: Kept = "text"
    input: InputKind = "text"
    schema: Schema = part(default_factory=lambda: {"type": "string"})
    written: bool = False
    bounded: bool = False
    number: bool = False
    long: bool = False
    sortable: bool = True
    unique: bool = True
    titled: bool = True
    listed: bool = True
    compound: bool = False

    def expression_type(self, field: Field) -> Type:
        return self.expression if isinstance(self.expression, Type) else self.expression(field)

    @property
    def worded(self) -> bool:
        """Whether what stands in it is words that somebody chose (a spreadsheet may take them for a formula)."""
        return self.kept in ("text", "json")


def _exact(field: Field) -> Type:
    return decimal(field.places)


def _one_of(field: Field) -> Type:
    return Type("text", options=tuple(option.name for option in field.options))


def _linked(field: Field) -> Type:
    return ref(field.to or "")


_EXACT: Schema = {"type": "string", "format": "decimal"}
_POINT: Schema = {
    "type": "object",
    "required": ["lat", "lon"],
    "properties": {
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "lon": {"type": "number", "minimum": -180, "maximum": 180},
    },
}

KINDS: Mapping[FieldType, FieldKind] = {
    "text": FieldKind("One line of text, 255 characters unless `length` says otherwise.", written=True),
    "long_text": FieldKind("Text of several lines.", input="area", written=True, long=True, sortable=False, unique=False,
                           titled=False, listed=False),
    "integer": FieldKind("A whole number.", INT, "whole", "number", {"type": "integer"}, bounded=True, number=True),
    "decimal": FieldKind("An exact number with `places` digits after the point.", _exact, "units", "number", _EXACT,
                         bounded=True, number=True),
    "money": FieldKind("An exact amount in a `currency`.", _exact, "units", "number", _EXACT, bounded=True, number=True,
                       unique=False),
    "boolean": FieldKind("Yes or no.", BOOL, "flag", "radios", {"type": "boolean"}, unique=False),
    "date": FieldKind("A day.", DATE, "day", "date", {"type": "string", "format": "date"}, bounded=True),
    "datetime": FieldKind("A moment, kept in UTC.", DATETIME, "instant", "datetime", {"type": "string", "format": "date-time"},
                          bounded=True),
    "choice": FieldKind("One of `options`.", _one_of, input="select"),
    "link": FieldKind("A record of another entity.", _linked, "id", "select", {"type": "string", "format": "uuid"}, titled=False),
    "email": FieldKind("An email address.", input="email", schema={"type": "string", "format": "email"}, written=True),
    "phone": FieldKind("A phone number, kept as E.164.", input="tel", written=True),
    "url": FieldKind("A web address.", input="url", schema={"type": "string", "format": "uri"}, written=True),
    "point": FieldKind("A place on earth (WGS 84).", POINT, "point", "text", _POINT, sortable=False, unique=False, titled=False,
                       listed=False, compound=True),
    "json": FieldKind("Any data.", JSON, "json", "json", {}, long=True, sortable=False, unique=False, titled=False,
                      listed=False, compound=True),
}  # fmt: skip
"""Every type of the language, in the order of its reference page."""

TYPES: tuple[FieldType, ...] = get_args(FieldType)


def those(fact: Callable[[FieldKind], bool]) -> tuple[str, ...]:
    """The types of which a fact is true, in order."""
    return tuple(name for name, kind in KINDS.items() if fact(kind))
