"""The map of an import, from YAML to its long form: is every key known, given where it must be, of the right kind?

Read by the document reader of the definitions, so that it has the same rules, places and words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from xrm.errors import Place, Problem, ordered
from xrm.source.document import Broken, Map, Node, Scalar, Sequence, read_text
from xrm.source.nearness import did_you_mean

Found = TypeVar("Found")
MISSING = ("refuse", "empty", "create")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a map; the reference page lists these."""

    name: str
    doc: str
    required: bool = False


MAP_KEYS = (
    Key("import", "The entity whose records the rows are.", required=True),
    Key("key", "The fields by which a row's record is found again: they must be unique together. Default: the entity's key."),
    Key("historic", "`true`: records are taken as they were, in any state and at any time; wants the right `historic`."),
    Key("timezone", "The IANA zone of times that name none. Default: the application's."),
    Key("dates", "The form of dates and times, in the signs of `strptime`. Default: ISO 8601."),
    Key("delimiter", "What parts the cells. Default: a comma."),
    Key("set", "Values that every row gets: data, or an `=expression` over the fields that the map fills."),
    Key("columns", "What each column of the file is for.", required=True),
    Key("links", "How the links among the targets find their record, and what happens when there is none."),
    Key("skip", "Columns that are left out on purpose."),
)
COLUMN_KEYS = (
    Key("to", "The field it fills; `place.lat` and `place.lon` for half a point; `district.name` for a field of a record "
        "that a link creates. A list fills several.", required=True),
    Key("values", "What the words in the file mean. A word that is not listed is refused."),
    Key("else", "What every other word means."),
    Key("empty", "Words that mean that there is no value."),
    Key("dates", "The form of dates in this column."),
    Key("optional", "`true`: the column may be missing from the file."),
)  # fmt: skip
LINK_KEYS = (
    Key("find", "The field of the linked entity that the column holds. Default: its key."),
    Key("missing", "What happens when there is none: `refuse` the row, leave the link `empty`, or `create` it. Default: `refuse`."),
    Key("set", "What a created record gets besides, as for `set` above."),
)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing a column is for."""

    to: Scalar
    values: tuple[tuple[Scalar, Node], ...] | None = None
    otherwise: Node | None = None
    empty: tuple[str, ...] = ()
    dates: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Column:
    name: Scalar
    targets: tuple[Target, ...]
    optional: bool = False


Sets = tuple[tuple[Scalar, Node], ...]


@dataclass(frozen=True, slots=True)
class Link:
    name: Scalar
    find: Scalar | None = None
    missing: str = "refuse"
    set: Sets = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """A map whose structure is sound. ``lines``: the file's text, for messages."""

    file: str
    lines: tuple[str, ...]
    entity: Scalar
    key: tuple[Scalar, ...] = ()
    historic: bool = False
    timezone: Scalar | None = None
    dates: Scalar | None = None
    delimiter: Scalar | None = None
    set: Sets = ()
    columns: tuple[Column, ...] = ()
    links: tuple[Link, ...] = ()
    skip: tuple[Scalar, ...] = ()


def read_map(file: str, text: str) -> tuple[Outline | None, tuple[Problem, ...]]:
    """The map in a text, and everything that is wrong with its structure; None where an error is among it."""
    document = read_text(file, text)
    reader = _Reader(file, document.lines, list(document.problems))
    outline = reader.map(document.root) if document.root is not None else None
    if document.root is None and not document.problems:
        reader.note("XRM202", "the file is empty", Place(file, 1, 1), hint="it wants 'import' and 'columns'")
    return (None if reader.problems else outline), ordered(reader.problems)


class _Refused(Exception):
    """The value was refused; the problem is noted already."""


@dataclass(slots=True)
class _Reader:
    file: str
    lines: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)

    def note(self, code: str, message: str, place: Place, path: tuple[str, ...] = (), hint: str | None = None) -> None:
        source = self.lines[place.line - 1] if place.line <= len(self.lines) else None
        self.problems.append(Problem(code, message, place, path, hint, source=source))

    # -- maps -------------------------------------------------------------------------------------------------------

    def map(self, root: Node) -> Outline | None:
        known = self.known(root, MAP_KEYS, ())
        if known is None or "import" not in known or "columns" not in known:
            return None
        entity = self.get(known, "import", self.word)
        return Outline(
            self.file, self.lines,
            entity=entity or Scalar("", "", "", root.place),
            key=self.get(known, "key", self.words) or (),
            historic=self.get(known, "historic", self.flag) or False,
            timezone=self.get(known, "timezone", self.word),
            dates=self.get(known, "dates", self.word),
            delimiter=self.get(known, "delimiter", self.delimiter),
            set=self.get(known, "set", self.pairs) or (),
            columns=tuple(self.columns(known["columns"])),
            links=tuple(self.links(known["links"])) if "links" in known else (),
            skip=self.get(known, "skip", self.words) or (),
        )  # fmt: skip

    def known(self, node: Node, keys: tuple[Key, ...], path: tuple[str, ...]) -> dict[str, Node] | None:
        """The values of the known keys; unknown and missing ones are noted."""
        if not isinstance(node, Map):
            self.wrong(f"a map with {', '.join(repr(key.name) for key in keys if key.required) or 'its keys'}", node, path)
            return None
        names = tuple(key.name for key in keys)
        found = {key.text: value for key, value in node.entries if key.text in names}
        for key, _ in node.entries:
            if key.text not in names:
                near = did_you_mean(key.text, names) or f"known here: {', '.join(names)}"
                self.note("XRM201", f"unknown key '{key.text[:60]}'", key.place, path, near)
        for wanted in keys:
            if wanted.required and wanted.name not in found:
                self.note("XRM202", f"the key '{wanted.name}' is missing", node.place, path)
        return found

    def columns(self, node: Node) -> Iterator[Column]:
        for name, value in self.entries(node, ("columns",)):
            path = ("columns", name.text)
            items = value.items if isinstance(value, Sequence) else (value,)
            targets, optional = [], False
            for item in items:
                if isinstance(item, Scalar):
                    targets.append(Target(item))
                    continue
                known = self.known(item, COLUMN_KEYS, path)
                if known is not None:
                    targets += self.targets(known, path)
                    optional |= self.get(known, "optional", self.flag, path) or False
            yield Column(name, tuple(targets), optional)

    def targets(self, known: Mapping[str, Node], path: tuple[str, ...]) -> Iterator[Target]:
        values = self.get(known, "values", self.pairs, path) if "values" in known else None
        empty = tuple(word.text for word in self.get(known, "empty", self.words, path) or ())
        if "else" in known and "values" not in known:
            self.note("XRM202", "'else' wants 'values'", known["else"].place, path)
        for to in self.get(known, "to", self.words, path) or ():
            yield Target(to, values, known.get("else"), empty, self.get(known, "dates", self.word, path))

    def links(self, node: Node) -> Iterator[Link]:
        for name, value in self.entries(node, ("links",)):
            path = ("links", name.text)
            known = self.known(value, LINK_KEYS, path)
            if known is not None:
                missing = self.get(known, "missing", self.missing, path) or "refuse"
                sets = self.get(known, "set", self.pairs, path) or ()
                if sets and missing != "create":
                    self.note("XRM206", "'set' is for records that are created", known["set"].place, path, "write missing: create")
                yield Link(name, self.get(known, "find", self.word, path), missing, sets)

    def entries(self, node: Node, path: tuple[str, ...]) -> tuple[tuple[Scalar, Node], ...]:
        if isinstance(node, Map):
            return node.entries
        self.wrong("a map", node, path)
        return ()

    # -- values -----------------------------------------------------------------------------------------------------

    def get(
        self, known: Mapping[str, Node], name: str, read: Callable[[Node, tuple[str, ...]], Found], path: tuple[str, ...] = ()
    ) -> Found | None:
        try:
            return read(known[name], (*path, name)) if name in known else None
        except _Refused:
            return None

    def word(self, node: Node, path: tuple[str, ...]) -> Scalar:
        if not isinstance(node, Scalar) or not node.text.strip():
            raise self.wrong("a name or a text", node, path)
        return node

    def words(self, node: Node, path: tuple[str, ...]) -> tuple[Scalar, ...]:
        items = node.items if isinstance(node, Sequence) else (node,)
        found = []
        for item in items:
            if not isinstance(item, Scalar):
                raise self.wrong("a name or a list of names", item, path)
            found.append(item)
        return tuple(found)

    def flag(self, node: Node, path: tuple[str, ...]) -> bool:
        if not isinstance(node, Scalar) or not node.plain or node.text not in ("true", "false"):
            raise self.wrong("true or false", node, path)
        return node.text == "true"

    def delimiter(self, node: Node, path: tuple[str, ...]) -> Scalar:
        if not isinstance(node, Scalar) or len(node.text) != 1 or node.text in "\"'\r\n":
            raise self.wrong("one sign", node, path, 'for example ";" or "\\t"')
        return node

    def missing(self, node: Node, path: tuple[str, ...]) -> str:
        word = self.word(node, path)
        if word.text not in MISSING:
            hint = did_you_mean(word.text, MISSING) or f"one of: {', '.join(MISSING)}"
            self.note("XRM206", f"'{word.text[:60]}' is not allowed here", word.place, path, hint)
            raise _Refused
        return word.text

    def pairs(self, node: Node, path: tuple[str, ...]) -> tuple[tuple[Scalar, Node], ...]:
        if not isinstance(node, Map):
            raise self.wrong("a map", node, path)
        return node.entries

    def wrong(self, wanted: str, node: Node, path: tuple[str, ...], hint: str | None = None) -> _Refused:
        if not isinstance(node, Broken):
            self.note("XRM106", f"this must be {wanted}", node.place, path, hint)
        return _Refused()
