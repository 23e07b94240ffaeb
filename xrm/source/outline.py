"""What the structure check gives: the definition in its long form, every part with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from xrm.errors import Place
from xrm.source.document import Node, Scalar
from xrm.source.trees import tree

DEFAULT = "default"


@tree
class Word:
    """A name or a text, as it was written."""

    text: str
    scalar: Scalar

    @property
    def place(self) -> Place:
        return self.scalar.place


@tree
class Words:
    """One or more names."""

    items: tuple[Word, ...]
    place: Place


@tree
class Label:
    """Text by locale; "" is the application's own."""

    texts: tuple[tuple[str, str], ...]
    place: Place


@tree
class Formula:
    """An expression: ``text`` without a leading ``=``; ``skipped`` is how many characters stood before it."""

    text: str
    skipped: int
    scalar: Scalar

    @property
    def place(self) -> Place:
        return self.scalar.place


@tree
class Datum:
    """Data, to be read in the type of its field."""

    node: Node

    @property
    def place(self) -> Place:
        return self.node.place


@tree
class Case:
    when: Formula | None
    use: Formula | Datum


@tree
class Given:
    """What stands on a value key: the first case that holds."""

    cases: tuple[Case, ...]
    place: Place


@tree
class Number:
    value: int
    place: Place


@tree
class Extent:
    """``{min, max}``: either may be missing."""

    least: int | None
    most: int | None
    place: Place


@tree
class Flag:
    value: bool
    place: Place


Answer = object
"""What a key holds: one of the classes here, or a Part, a tuple of Parts or a map from name to Part or Given."""


@tree
class Part:
    """A checked map. ``place`` is that of the key it stands under; ``broken`` are keys that were given but refused.

    ``partial``: something in it was refused before its key was known, so that any key may only seem to be missing.
    """

    kind: str
    name: Word | None
    place: Place
    path: tuple[str, ...]
    values: Mapping[str, Answer] = field(default_factory=dict)
    keys: Mapping[str, Place] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    partial: bool = False

    def has(self, key: str) -> bool:
        """Whether the key was given, rightly or not."""
        return key in self.values or key in self.broken

    def at(self, key: str) -> Place:
        """The place of a key, else of the whole part."""
        return self.keys.get(key, self.place)

    def word(self, key: str) -> Word | None:
        value = self.values.get(key)
        return value if isinstance(value, Word) else None

    def words(self, key: str) -> tuple[Word, ...]:
        value = self.values.get(key)
        if isinstance(value, Word):
            return (value,)
        return value.items if isinstance(value, Words) else ()

    def label(self, key: str) -> Label | None:
        value = self.values.get(key)
        return value if isinstance(value, Label) else None

    def number(self, key: str) -> int | None:
        value = self.values.get(key)
        return value.value if isinstance(value, Number) else None

    def extent(self, key: str) -> Extent | None:
        value = self.values.get(key)
        return value if isinstance(value, Extent) else None

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        return isinstance(value, Flag) and value.value

    def formula(self, key: str) -> Formula | None:
        value = self.values.get(key)
        return value if isinstance(value, Formula) else None

    def given(self, key: str) -> Given | None:
        value = self.values.get(key)
        return value if isinstance(value, Given) else None

    def datum(self, key: str) -> Datum | None:
        value = self.values.get(key)
        return value if isinstance(value, Datum) else None

    def part(self, key: str) -> Part | None:
        value = self.values.get(key)
        return value if isinstance(value, Part) else None

    def parts(self, key: str) -> tuple[Part, ...]:
        """The parts under a key, in order."""
        value = self.values.get(key)
        return () if isinstance(value, Part) else tuple(_inner(value))

    def named(self, key: str) -> Mapping[str, Part]:
        """The parts under a key that holds a map, by name; not to be changed."""
        value = self.values.get(key)
        return value if isinstance(value, dict) else {}

    def layout(self, form: str) -> tuple[Part, ...]:
        """The sections of one form of an entity. A section of another form than the default one bears the name of its form."""
        return tuple(section for section in self.parts("forms") if (section.name.text if section.name else DEFAULT) == form)

    def givens(self, key: str) -> tuple[tuple[Word, Given], ...]:
        """What a map from field to value holds."""
        value = self.values.get(key)
        return tuple(value) if isinstance(value, tuple) and self.kind == "transition" and key == "set" else ()

    def walk(self) -> Iterator[Part]:
        """This part and every part in it."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting += reversed([inner for value in part.values.values() for inner in _inner(value)])


def _inner(value: Answer) -> Iterable[Part]:
    """The parts under a key."""
    if isinstance(value, Part):
        return (value,)
    if isinstance(value, dict):
        return value.values()
    return (part for part in value if isinstance(part, Part)) if isinstance(value, tuple) else ()


@tree
class Ghost:
    """An entity whose file could not be read: it exists, and nothing more is known than what its links call their inverses."""

    name: str
    place: Place
    inverses: tuple[str, ...] = ()


@tree
class Row:
    """A record in ``data/``; ``name`` is its key where the file is a map."""

    name: Word | None
    values: tuple[tuple[Word, Datum], ...]
    place: Place

    def key(self, field: str) -> Word | None:
        """The value of the entity's key."""
        given = next((datum.node for name, datum in self.values if name.text == field), None)
        return Word(given.text, given) if self.name is None and isinstance(given, Scalar) else self.name


@tree
class Listing:
    """The records of a file in ``data/``."""

    entity: str
    place: Place
    rows: tuple[Row, ...]

    def places(self, key: str) -> Mapping[str, Place]:
        """Where the records stand, by key; the first of two counts."""
        places: dict[str, Place] = {}
        for row in self.rows:
            word = row.key(key)
            if word:
                places.setdefault(word.text, word.place)
        return places


@tree
class Outline:
    """All files. ``application`` is None where ``xrm.yml`` is missing or broken."""

    application: Part | None
    entities: tuple[Part, ...]
    ghosts: tuple[Ghost, ...]
    listings: tuple[Listing, ...] = ()
