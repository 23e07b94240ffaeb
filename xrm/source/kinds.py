"""The kinds of value a key may hold, and what a kind of map is made of."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from xrm.source.trees import tree

Thing = Literal["entity", "field", "role", "state", "type", "path", "right", "pack", "locale", "content", "earlier name"]
"""What a name refers to."""


@tree
class Text:
    """A scalar as it is written (rule 1)."""

    most: int = 4000


@tree
class Label:
    """Words for people: a text, or a map from locale to text (rule 5)."""


@tree
class Name:
    """A new name: lower case letters, digits and ``_``."""


@tree
class Ref:
    """The name of a thing defined elsewhere; ``many``: or a list of them."""

    of: Thing
    many: bool = False
    may_be_empty: bool = False


@tree
class Integer:
    low: int
    high: int


@tree
class Boolean:
    pass


@tree
class OneOf:
    words: tuple[str, ...]


@tree
class Condition:
    """Always an expression (rule 2); ``constant``: the plain words that stand for themselves."""

    constant: tuple[str, ...] = ()


@tree
class Value:
    """Data, an ``=expression``, or a list of ``{when, use}`` (rule 2)."""


@tree
class Data:
    """Data in the type of the field it stands on."""


@tree
class Bound:
    """Data in the type of the field it stands on, or an ``=expression``."""


@tree
class Range:
    """A whole number, the most; or ``{min, max}``."""

    low: int
    high: int


@tree
class ValueMap:
    """A map from field to value."""


@tree
class One:
    """One map of a kind."""

    of: str


@tree
class Many:
    """A list of maps of a kind; one map is a list of one (rule 5)."""

    of: str


@tree
class Named:
    """A map from name to a map of a kind; a list of names is short for a map to ``{}`` (rule 4).

    ``names``: "new" for identifiers that are defined here, "option" for the wider names of options, or the thing that
    the names refer to.
    """

    of: str
    names: Literal["new", "option", "role", "field"] = "new"
    may_be_empty: bool = True


@tree
class Layouts:
    """``{default: [section, …], new: […]}``, or the list of the default one alone."""

    of: str
    names: tuple[str, ...]


Kind = (
    Text | Label | Name | Ref | Integer | Boolean | OneOf | Condition | Value | Data | Bound | Range | ValueMap
    | One | Many | Named | Layouts
)  # fmt: skip


@tree
class Key:
    """One key of a map: the only place where the language says it.

    ``example`` is a whole map of its kind (or, for a file, the lines) that shows the key and passes the check; ``types``
    are the field types it fits, all if empty; ``default`` says in words what holds without it; a required key is not
    required beside one of the keys in ``unless``.
    """

    name: str
    kind: Kind
    doc: str
    example: str
    required: bool = False
    types: tuple[str, ...] = ()
    default: str = ""
    unless: tuple[str, ...] = ()


@tree
class MapKind:
    """A kind of map. ``short``: the key that a bare value stands for; ``flags``: a name or list of names sets each of
    these keys to true; ``later``: keys of the language that are not part of this version; ``unsaid``: what to write where nothing
    stands, of a map that must say something."""

    name: str
    title: str
    doc: str
    keys: tuple[Key, ...]
    short: str | None = None
    flags: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    unsaid: str = ""
    by_name: dict[str, Key] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {key.name: key for key in self.keys})
