"""What is true of each type of field, in one table. Whoever needs a fact for each type asks here: a new type is a new row.

What a type accepts is beside it in ``model/values``, its columns in ``compile/columns``; both are keyed by what stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as part
from typing import TYPE_CHECKING, Literal, get_args

from xrm.expr.types import (
    ADDRESS,
    AREA,
    BOOL,
    BUSINESS_DAYS,
    BUSINESS_HOURS,
    DATE,
    DATETIME,
    DURATION,
    FILES,
    INT,
    JSON,
    POINT,
    ROWS,
    TEXT,
    TIME,
    Type,
    decimal,
    list_of,
    ref,
)

if TYPE_CHECKING:
    from xrm.model.fields import Field

FieldType = Literal[
    "text", "long_text", "markdown", "integer", "decimal", "percent", "money", "boolean", "date", "time", "datetime", "duration",
    "choice", "role", "link", "user", "email", "phone", "url", "address", "point", "area", "json", "rows", "file", "image",
]  # fmt: skip

Kept = Literal[
    "text", "list", "whole", "count", "units", "span", "flag", "day", "clock", "instant", "id", "point", "json", "files", "apart",
]  # fmt: skip
"""In what form a value lies in its column or columns (``compile/columns``): ``units`` are whole numbers of the last decimal,
a ``span`` microseconds, a ``count`` so many of the field's unit; ``apart`` is in no column but in a table of its own."""

InputKind = Literal[
    "text", "area", "number", "radios", "checks", "date", "time", "datetime", "select", "email", "tel", "url", "json", "files", "rows",
    "address",
]  # fmt: skip
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
    beside: tuple[str, ...] = ()
    """Columns that it has beside its own, or instead of it: ``place_lat``, ``place_lon``."""
    short_for: FieldType | None = None
    """The type that fields of it get: nothing after the definition knows the short one."""

    def expression_type(self, field: Field) -> Type:
        return self.expression if isinstance(self.expression, Type) else self.expression(field)

    @property
    def worded(self) -> bool:
        """Whether what stands in it is words that somebody chose (a spreadsheet may take them for a formula)."""
        return self.kept in ("text", "list", "json")


def _exact(field: Field) -> Type:
    return decimal(field.places)


def _one_of(field: Field) -> Type:
    return Type("text", options=tuple(option.name for option in field.options), ordered=field.ordered)


def _some_of(field: Field) -> Type:
    return list_of(_one_of(field))


def _working_time(field: Field) -> Type:
    return BUSINESS_DAYS if field.unit == "business days" else BUSINESS_HOURS


def _linked(field: Field) -> Type:
    return ref(None if field.several else field.to or "")


_EXACT: Schema = {"type": "string", "format": "decimal"}
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
_POINT: Schema = {
    "type": "object",
    "required": ["lat", "lon"],
    "properties": {
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "lon": {"type": "number", "minimum": -180, "maximum": 180},
    },
}

ADDRESS_PARTS = ("street", "unit", "postcode", "city", "region", "country")

_ADDRESS: Schema = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ADDRESS_PARTS},
    "additionalProperties": False,
}

_FILE: Schema = {
    "type": "object",
    "required": ["name", "type", "size", "hash", "version"],
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string"},
        "size": {"type": "integer"},
        "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "version": {"type": "integer"},
    },
}

_AREA: Schema = {
    "type": "object",
    "required": ["type", "coordinates"],
    "properties": {"type": {"type": "string", "enum": ["Polygon", "MultiPolygon"]}, "coordinates": {"type": "array"}},
}

KINDS: Mapping[FieldType, FieldKind] = {
    "text": FieldKind("One line of text, 255 characters unless `length` says otherwise.", written=True),
    "long_text": FieldKind("Text of several lines.", input="area", written=True, long=True, sortable=False, unique=False,
                           titled=False, listed=False),
    "markdown": FieldKind("Text with headings, lists, links, bold and italics (CommonMark, without HTML and images).", input="area",
                          written=True, long=True, sortable=False, unique=False, titled=False, listed=False),
    "integer": FieldKind("A whole number.", INT, "whole", "number", {"type": "integer"}, bounded=True, number=True),
    "decimal": FieldKind("An exact number with `places` digits after the point.", _exact, "units", "number", _EXACT,
                         bounded=True, number=True),
    "percent": FieldKind("A percentage with `places` digits after the point: 12.5 is 12.5 %.", _exact, "units", "number", _EXACT,
                         bounded=True, number=True, unique=False),
    "money": FieldKind("An exact amount in a `currency`.", _exact, "units", "number", _EXACT, bounded=True, number=True,
                       unique=False),
    "boolean": FieldKind("Yes or no.", BOOL, "flag", "radios", {"type": "boolean"}, unique=False),
    "date": FieldKind("A day.", DATE, "day", "date", {"type": "string", "format": "date"}, bounded=True),
    "time": FieldKind("A time of the wall clock, `17:30` or `17:30:15`.", TIME, "clock", "time",
                      {"type": "string", "pattern": _CLOCK}, bounded=True),
    "datetime": FieldKind("A moment, kept in UTC.", DATETIME, "instant", "datetime", {"type": "string", "format": "date-time"},
                          bounded=True),
    "duration": FieldKind("A length of time: `90 minutes`, `1 day 12 hours` (a day has 24 hours); with a `unit` in business days or "
                          "hours, `5 business days`.", DURATION, "span", "text", {"type": "string"}, bounded=True),
    "choice": FieldKind("One of `options`; with `many: true` several.", _one_of, input="select"),
    "role": FieldKind("One of the application's roles.", _one_of, input="select", short_for="choice"),
    "link": FieldKind("A record of another entity.", _linked, "id", "select", {"type": "string", "format": "uuid"}, titled=False),
    "user": FieldKind("One of the people who sign in: short for `{type: link, to: user}`.", _linked, "id", "select",
                      {"type": "string", "format": "uuid"}, titled=False, short_for="link"),
    "email": FieldKind("An email address.", input="email", schema={"type": "string", "format": "email"}, written=True),
    "phone": FieldKind("A phone number, kept as E.164.", input="tel", written=True),
    "url": FieldKind("A web address.", input="url", schema={"type": "string", "format": "uri"}, written=True),
    "address": FieldKind("A postal address: `street` with the number, `unit`, `postcode`, `city`, `region`, `country` (two letters of "
                         "ISO 3166). Each part is a text of its own to expressions, views and imports: `home.postcode`.", ADDRESS, "json",
                         "address", _ADDRESS, sortable=False, unique=False, titled=False, compound=True, beside=ADDRESS_PARTS),
    "point": FieldKind("A place on earth (WGS 84).", POINT, "point", "text", _POINT, sortable=False, unique=False, titled=False,
                       listed=False, compound=True, beside=("lat", "lon")),
    "area": FieldKind("An area on earth: a polygon or multipolygon in GeoJSON (RFC 7946), kept to a millionth of a degree.", AREA, "json",
                      "json", _AREA, long=True, sortable=False, unique=False, titled=False, listed=False, compound=True,
                      beside=("shape", "south", "west", "north", "east")),
    "json": FieldKind("Any data.", JSON, "json", "json", {}, long=True, sortable=False, unique=False, titled=False,
                      listed=False, compound=True),
    "rows": FieldKind("A table of rows with `fields` of their own, edited and saved with the record.", ROWS, "apart", "rows",
                      {"type": "array"}, bounded=True, long=True, sortable=False, unique=False, titled=False, listed=False,
                      compound=True),
    "file": FieldKind("A file, or several with `many`; what it is decides its content, not its name.", FILES, "files", "files", _FILE,
                      bounded=True, long=True, sortable=False, unique=False, titled=False, listed=False),
    "image": FieldKind("An image that can be shown, or several with `many`: JPEG, PNG, GIF, WebP or TIFF.", FILES, "files", "files",
                       _FILE, bounded=True, long=True, sortable=False, unique=False, titled=False, listed=False),
}  # fmt: skip
"""Every type of the language, in the order of its reference page."""

MANY: Mapping[FieldType, FieldKind] = {
    "choice": FieldKind(KINDS["choice"].doc, _some_of, "list", "checks", {"type": "array", "items": {"type": "string"}},
                        sortable=False, unique=False, titled=False, compound=True),
    "rows": FieldKind(KINDS["link"].doc, ROWS, "apart", "checks", {"type": "array"}, bounded=True, sortable=False, unique=False,
                      titled=False, compound=True),
}  # fmt: skip
"""What is true of a type instead where the field says ``many: true``."""

COUNTED: Mapping[FieldType, FieldKind] = {
    "duration": FieldKind(KINDS["duration"].doc, _working_time, "count", "text", {"type": "string"}, bounded=True),
}
"""What is true of a type instead where the field counts in a ``unit`` of its own."""

BUSINESS_UNITS = ("business days", "business hours")

TYPES: tuple[FieldType, ...] = get_args(FieldType)


def those(fact: Callable[[FieldKind], bool]) -> tuple[str, ...]:
    """The types of which a fact is true, in order."""
    return tuple(name for name, kind in KINDS.items() if fact(kind))
