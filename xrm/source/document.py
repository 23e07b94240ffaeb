"""From text to a :class:`Document`: plain data with the place of every key and value.

PyYAML's C parser gives events; nothing is constructed. Because the events are pulled one by one, depth and number are
bounded while parsing, and an alias, a tag or a merge key is refused where it stands (YAML 1.2.2; a 729-byte merge bomb
runs for 25 seconds in the safe loaders).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml
from yaml import CSafeLoader
from yaml._yaml import Mark as CMark

from xrm.errors import Place, Problem
from xrm.source import quoting
from xrm.source.lines import split_lines
from xrm.source.trees import tree

MOST_BYTES = 1_000_000
MOST_DEPTH = 40
MOST_NODES = 120_000
MOST_PROBLEMS = 200
MOST_SHOWN = 60

Mark = yaml.Mark | CMark

NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")


@tree
class Scalar:
    """``text`` is the value; ``raw`` what stands in the file, quotes included; ``style`` the quote or block sign."""

    text: str
    raw: str
    style: str
    place: Place

    @property
    def plain(self) -> bool:
        return self.style == ""


@tree
class Sequence:
    items: tuple[Node, ...]
    place: Place


@tree
class Map:
    """``flow``: written with braces; ``partial``: a key in it was refused, so that others may only seem to be missing."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place
    flow: bool
    partial: bool = False


@tree
class Broken:
    """A value that was refused already (an alias, a tag): nothing more is said about it."""

    place: Place


Node = Scalar | Sequence | Map | Broken


@tree
class Document:
    """``root`` is None where the file could not be read; ``lines`` are there all the same."""

    file: str
    lines: tuple[str, ...]
    root: Node | None
    problems: tuple[Problem, ...] = ()
    count: int = 0
    """Values in it."""


def read_text(file: str, text: str, most: int = MOST_NODES) -> Document:
    """The document in a text, which may hold so many values. What is wrong with it stands in ``problems``."""
    lines = split_lines(text)
    refused = _too_large(file, text) or _not_text(file, text)
    if refused:
        return Document(file, lines, None, (refused,))
    walk = _Walk(file, text, lines, most)
    try:
        root = walk.document()
    except yaml.MarkedYAMLError as error:
        told = any(problem.code == "XRM101" and problem.severity == "error" for problem in walk.problems)
        more = () if told else (quoting.explain(file, lines, _stop(error)),)
        return Document(file, lines, None, (*walk.problems, *more))
    except _Refused as refusal:
        return Document(file, lines, None, (*walk.problems, refusal.problem), walk.count)
    return Document(file, lines, root, tuple(walk.problems), walk.count)


def _stop(error: yaml.MarkedYAMLError) -> quoting.Stop:
    at, start = error.problem_mark, error.context_mark
    return quoting.Stop(
        str(error.problem),
        error.context or "",
        (at.line, at.column) if at else None,
        (start.line, start.column) if start else None,
    )


def _too_large(file: str, text: str) -> Problem | None:
    if len(text) <= MOST_BYTES:
        return None
    message = f"the file has more than {MOST_BYTES:,} characters"
    return Problem("XRM104", message, Place(file, 1, 1), hint="split it into several files")


def _not_text(file: str, text: str) -> Problem | None:
    found = NOT_TEXT.search(text)
    if not found:
        return None
    before = split_lines(text[: found.start()])
    place = Place(file, len(before), len(before[-1]) + 1)
    if found.group() == "\ufeff":
        return Problem("XRM101", "a byte order mark stands here", place, hint="save the file as UTF-8 without BOM")
    message = f"the character U+{ord(found.group()):04X} is not allowed in YAML"
    return Problem("XRM101", message, place, hint="take it out, or save the file as UTF-8")


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Walk:
    """Turns the parser's events into nodes; the recursion is bounded by ``MOST_DEPTH``."""

    def __init__(self, file: str, text: str, lines: tuple[str, ...], most: int) -> None:
        self.file = file
        self.text = text
        self.lines = lines
        self.signed = frozenset(number for number, line in enumerate(lines) if "#" in line)
        self.next: Callable[[], yaml.Event] = CSafeLoader(text).get_event  # type: ignore[assignment]  # None only after the stream's end
        self.problems: list[Problem] = []
        self.depth = 0
        self.count = 0
        self.most = most

    def document(self) -> Node | None:
        root: Node | None = None
        while not isinstance(event := self.next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _Refused(Problem("XRM101", "a second document begins here", self.place(event)))
                root = self.node(self.next())
        return root

    def place(self, event: yaml.Event) -> Place:
        return self.between(event.start_mark, event.end_mark)

    def between(self, start: Mark | None, end: Mark | None) -> Place:
        assert start is not None  # the C parser gives every event its marks
        assert end is not None
        line, column = start.line, start.column
        width = end.column - column if end.line == line else 1
        return Place(self.file, line + 1, column + 1, width or 1)

    def node(self, event: yaml.Event) -> Node:
        self.count += 1
        if self.count > self.most:
            raise _Refused(Problem("XRM104", f"the file holds more than {self.most:,} values", self.place(event)))
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.AliasEvent):
            return self.refuse(event, f"the alias '*{(event.anchor or '')[:MOST_SHOWN]}' is refused")
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise _Refused(Problem("XRM104", f"nested more than {MOST_DEPTH} deep", self.place(event)))
        assert isinstance(event, yaml.CollectionStartEvent)
        inner = self.sequence(event) if isinstance(event, yaml.SequenceStartEvent) else self.map(event)
        self.depth -= 1
        return self.checked(event, inner)

    def report(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MOST_PROBLEMS:
            rest = f"more than {MOST_PROBLEMS} problems: the rest of the file is not read"
            raise _Refused(Problem("XRM104", rest, problem.place))

    def scalar(self, event: yaml.ScalarEvent) -> Node:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        style, line, column = event.style or "", start.line, start.column
        place = Place(self.file, line + 1, column + 1, (end.column - column or 1) if end.line == line else 1)
        node = Scalar(event.value, self.text[start.index : end.index], style, place)
        if style or line in self.signed:
            slip = self.slip(node, end)
            if slip:
                self.report(slip)
        return node if event.tag is None and event.anchor is None else self.checked(event, node)

    def slip(self, node: Scalar, end: Mark) -> Problem | None:
        """What is valid YAML and most likely not what was meant."""
        line = self.lines[node.place.line - 1]
        if node.plain and "\n" not in node.raw:
            return quoting.commented(node.place, line, end.column) if node.raw else None
        if node.style in ("'", '"') and "\n" in node.raw:
            return quoting.swallowed(node.place, node.raw, line)
        return None

    def checked(self, event: yaml.NodeEvent, node: Node) -> Node:
        """The node, or Broken where it has a tag; an anchor is refused but leaves the node as it is."""
        tag = getattr(event, "tag", None)
        if tag and tag != "!":
            return self.refuse(event, f"the tag '{tag[:MOST_SHOWN]}' is refused")
        if event.anchor:
            self.refuse(event, f"the anchor '&{event.anchor[:MOST_SHOWN]}' is refused")
        return node

    def refuse(self, event: yaml.Event, message: str) -> Broken:
        place = self.place(event)
        hint = quoting.mended(self.lines[place.line - 1], place.column) or "write the value out"
        self.report(Problem("XRM103", message, place, hint=hint))
        return Broken(place)

    def sequence(self, event: yaml.Event) -> Sequence:
        items = []
        while not isinstance(inner := self.next(), yaml.SequenceEndEvent):
            items.append(self.node(inner))
        return Sequence(tuple(items), self.place(event))

    def map(self, event: yaml.Event) -> Map:
        entries: dict[str, tuple[Scalar, Node]] = {}
        partial = False
        while not isinstance(inner := self.next(), yaml.MappingEndEvent):
            key = self.node(inner)
            value = self.node(self.next())
            if isinstance(key, Scalar) and self.is_word(key):
                self.add(entries, key, value)
                continue
            partial = True
            if not isinstance(key, Broken | Scalar):
                hint = quoting.mended(self.lines[key.place.line - 1], key.place.column)
                self.report(Problem("XRM101", "a key must be a word", key.place, hint=hint))
        flow = bool(getattr(event, "flow_style", False))
        return Map(tuple(entries.values()), self.place(event), flow, partial)

    def is_word(self, key: Scalar) -> bool:
        if key.text == "<<" and key.plain:
            self.report(Problem("XRM103", "the merge key '<<' is refused", key.place, hint="write the keys out"))
        elif key.text == "":
            self.report(Problem("XRM101", "a key is missing here", key.place))
        else:
            return True
        return False

    def add(self, entries: dict[str, tuple[Scalar, Node]], key: Scalar, value: Node) -> None:
        if key.text in entries:
            first = entries[key.text][0].place
            message = f"the key '{key.text[:MOST_SHOWN]}' stands twice"
            self.report(Problem("XRM102", message, key.place, hint=f"it stands in line {first.line} already"))
        else:
            entries[key.text] = (key, value)
