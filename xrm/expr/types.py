"""The types of the expression language."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Type:
    """A type: its name, and what the name needs to be complete.

    `item` is for list, `entity` for ref (a link; None is a link to anything), `options` for a text
    that is one of several, in their order, and `ordered` says that this order means something
    (`priority > "low"`). `scale` is the number of decimals of a decimal; None is not known, and then
    no database evaluates it. The types `days` and `months` are what days(n) and months(n) give; a
    `days` is also a duration. A `collection` is some records of `entity` (`held`: kept inside the record
    that has them), and of `item` where one value of each is meant.
    """

    name: str
    item: Type | None = None
    entity: str | None = None
    options: tuple[str, ...] | None = None
    scale: int | None = None
    ordered: bool = False
    held: bool = False

    def __str__(self) -> str:
        if self.name == "list":
            return f"list of {self.item}" if self.item else "list"
        if self.name == "collection":
            return f"collection of {self.entity}"
        if self.name == "ref":
            return f"link to {self.entity}" if self.entity else "link"
        return self.name


TEXT = Type("text")
INT = Type("int")
BOOL = Type("bool")
DATE = Type("date")
DATETIME = Type("datetime")
TIME = Type("time")
"""A time of the wall clock."""
DURATION = Type("duration")
BUSINESS_DAYS = Type("business days")
BUSINESS_HOURS = Type("business hours")
"""Counts of working time: a calendar says how long they are, so they compare with their own kind only."""
DAYS = Type("days")
MONTHS = Type("months")
POINT = Type("point")
AREA = Type("area")
ADDRESS = Type("address")
"""A postal address: its parts are texts."""
JSON = Type("json")
ROWS = Type("rows")
FILES = Type("files")
"""The files of a field: how many and how large they are can be asked, and whether there are any."""
NULL = Type("null")
ANY = Type("any")
"""What a function that takes everything declares; also the type of what has a fault already."""

MAX_SCALE = 18
"""Most decimals of a number."""

NUMBERS = frozenset({"int", "decimal"})
SPANS = frozenset({"duration", "days"})
OPAQUE = frozenset({"address", "point", "area", "json", "list", "collection", "rows", "files"})
"""Types whose values compare with null only."""

ORDERED = frozenset({"int", "decimal", "text", "date", "datetime", "time", "duration", "days", "business days", "business hours"})


def decimal(scale: int | None = None) -> Type:
    """An exact decimal with `scale` decimals."""
    return Type("decimal", scale=scale)


def ref(entity: str | None = None) -> Type:
    """A link to a record of `entity`."""
    return Type("ref", entity=entity)


def list_of(item: Type) -> Type:
    """A list of values of one type."""
    return Type("list", item=item)


def collection(entity: str, held: bool = False) -> Type:
    """Records of `entity` that belong to the record: its rows (`held`), or those that link to it."""
    return Type("collection", entity=entity, held=held)


def choice(*options: str, ordered: bool = False) -> Type:
    """A text that is one of `options`."""
    return Type("text", options=options, ordered=ordered)


def scale_of(type_: Type) -> int | None:
    """Decimals of a number: 0 for int."""
    return 0 if type_.name == "int" else type_.scale


def unify(left: Type, right: Type) -> Type | None:
    """The type that holds both, or None when there is none."""
    if left == right or right in (NULL, ANY):
        return left
    if left in (NULL, ANY):
        return right
    if left.name in NUMBERS and right.name in NUMBERS:
        return _wider(left, right)
    if left.name in SPANS and right.name in SPANS:
        return DURATION
    if left.name == "list" and right.name == "list" and left.item and right.item:
        item = unify(left.item, right.item)
        return list_of(item) if item else None
    if left.name != right.name:
        return None
    return TEXT if left.name == "text" else replace(left, entity=None)


def _wider(left: Type, right: Type) -> Type:
    scales = (scale_of(left), scale_of(right))
    if left.name == right.name == "int":
        return INT
    return decimal(None if None in scales else max(scale for scale in scales if scale is not None))


def accepts(wanted: Type, given: Type) -> bool:
    """Whether a value of type `given` may stand where `wanted` is asked for."""
    if ANY in (wanted, given) or given == NULL:
        return True
    if wanted.name == "decimal" and given.name == "int":
        return True
    if wanted.name == "duration" and given.name == "days":
        return True
    if wanted.name != given.name:
        return False
    if wanted.name == "list" and wanted.item and given.item:
        return accepts(wanted.item, given.item)
    return True
