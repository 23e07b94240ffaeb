"""Single values of a definition: what a scalar must be under each kind of key."""

from __future__ import annotations

import re
from collections import abc

from xrm.errors import Place, Problem
from xrm.model.kinds import TYPES
from xrm.source import kinds, quoting
from xrm.source.document import Broken, Document, Map, Node, Scalar, Sequence
from xrm.source.nearness import did_you_mean, nearest
from xrm.source.outline import Answer, Datum, Extent, Flag, Formula, Label, Number, Word, Words
from xrm.source.vocabulary import FOREIGN_TYPES, LATER_TYPES, MOST_NAME, NO_TYPES

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
OPTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
MOST_NAMES = 1_000
"""Names in one map: a table of PostgreSQL has at most 1,600 columns, and nobody chooses from more options."""
LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")
INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")
MOST_OPTION = 100
MOST_PROBLEMS = 200
"""Problems in the structure of one file after which the rest is not looked at."""
NULLS = ("null", "Null", "NULL", "~", "")

Path = tuple[str, ...]


class Refused(Exception):
    """The value under a key was refused; the problem is noted already."""


class TooMany(Exception):
    """So much is wrong with the file that more would not help."""


class Scalars:
    """Reads single values; what is wrong is noted in ``problems``, and the value refused."""

    def __init__(self, document: Document, types: tuple[str, ...] | None) -> None:
        self.document = document
        self.types = types
        self.problems: list[Problem] = []

    # -- problems ---------------------------------------------------------------------------------------------------

    def note(self, code: str, message: str, place: Place, path: Path, hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, place, path, hint))
        if len(self.problems) >= MOST_PROBLEMS:
            rest = f"more than {MOST_PROBLEMS} problems: the rest of the file is not checked"
            self.problems.append(Problem("XRM104", rest, place))
            raise TooMany

    def refuse(self, code: str, message: str, place: Place, path: Path, hint: str | None = None) -> Refused:
        self.note(code, message, place, path, hint)
        return Refused()

    def wrong(self, wanted: str, node: Node, path: Path, hint: str | None = None) -> Refused:
        """XRM106, with what stands there instead."""
        if isinstance(node, Broken):
            return Refused()
        message = f"this must be {wanted}, and it is {_described(node)}"
        return self.refuse("XRM106", message, node.place, path, hint or self.mended(node))

    def bounded(self, inner: abc.Sequence[Node], path: Path, hint: str = "so long a list is never needed here") -> None:
        if len(inner) > MOST_NAMES:
            raise self.refuse("XRM104", f"there are more than {MOST_NAMES:,} here", inner[MOST_NAMES].place, path, hint)

    def mended(self, node: Node) -> str | None:
        return quoting.mended(self.document.lines[node.place.line - 1], node.place.column)

    # -- single values ----------------------------------------------------------------------------------------------

    def scalar(self, wanted: str, node: Node, path: Path) -> Scalar:
        if not isinstance(node, Scalar):
            raise self.wrong(wanted, node, path)
        return node

    def text(self, kind: kinds.Kind, node: Node, path: Path) -> Word:
        assert isinstance(kind, kinds.Text)
        scalar = self.scalar("text", node, path)
        self.filled(scalar, kind.most, path)
        return Word(scalar.text, scalar)

    def filled(self, scalar: Scalar, most: int, path: Path) -> None:
        if not scalar.text.strip():
            raise self.refuse("XRM206", "the text is empty", scalar.place, path)
        if len(scalar.text) > most:
            message = f"the text has {len(scalar.text):,} characters, and {most:,} are allowed"
            raise self.refuse("XRM206", message, scalar.place, path)

    def label(self, kind: kinds.Kind, node: Node, path: Path) -> Label:
        if isinstance(node, Scalar):
            self.filled(node, 4000, path)
            return Label((("", node.text),), node.place)
        if not isinstance(node, Map):
            raise self.wrong("text, or a map from locale to text", node, path, "write one text; quote it if need be")
        if node.partial:
            raise Refused
        self.bounded([key for key, _ in node.entries], path)
        texts = []
        for locale, value in node.entries:
            if not LOCALE.fullmatch(locale.text):
                message = f"'{cut(locale.text)}' is not a locale"
                hint = self.mended(node) or "a locale is like 'en' or 'es-MX'"
                raise self.refuse("XRM206", message, locale.place, path, hint)
            scalar = self.scalar("text", value, (*path, locale.text))
            self.filled(scalar, 4000, (*path, locale.text))
            texts.append((locale.text, scalar.text))
        if not texts:
            raise self.refuse("XRM206", "the text is empty", node.place, path)
        return Label(tuple(texts), node.place)

    def name(self, kind: kinds.Kind, node: Node, path: Path) -> Word:
        scalar = self.scalar("a name", node, path)
        self.well_formed(scalar, path)
        return Word(scalar.text, scalar)

    def well_formed(self, scalar: Scalar, path: Path) -> None:
        name = scalar.text
        if not IDENTIFIER.fullmatch(name):
            hint = "lower case letters, digits and _, beginning with a letter"
            if any(letter.isspace() and letter not in " \n" for letter in name):
                hint = "a space that is no plain one (a no-break space, most likely) stands here: write a plain one"
                raise self.refuse("XRM205", f"'{cut(name)}' is not a name", scalar.place, path, hint)
            better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
            if IDENTIFIER.fullmatch(better):
                hint += f": '{better[:MOST_NAME]}'"
            raise self.refuse("XRM205", f"'{cut(name)}' is not a name", scalar.place, path, hint)
        if len(name) > MOST_NAME:
            raise self.refuse("XRM205", f"the name has more than {MOST_NAME} characters", scalar.place, path)

    def well_named(self, scalar: Scalar, path: Path, *, option: bool) -> None:
        """A name that something had: of an option, or of anything else."""
        if not option:
            self.well_formed(scalar, path)
        elif not OPTION_NAME.fullmatch(scalar.text) or len(scalar.text) > MOST_OPTION:
            hint = "letters, digits and _ . -"
            raise self.refuse("XRM205", f"'{cut(scalar.text)}' was no name of an option", scalar.place, path, hint)

    def ref(self, kind: kinds.Kind, node: Node, path: Path) -> Answer:
        assert isinstance(kind, kinds.Ref)
        if kind.of == "type":
            return self.type(node, path)
        if not kind.many:
            scalar = self.scalar(f"the name of {article(kind.of)}", node, path)
            return Word(scalar.text, scalar)
        items = node.items if isinstance(node, Sequence) else (node,)
        if not items and not kind.may_be_empty:
            raise self.refuse("XRM206", "the list is empty", node.place, path, "name something, or take the key out")
        self.bounded(items, path)
        words: dict[str, Word] = {}
        for item in items:
            scalar = self.scalar(f"the name of {article(kind.of)}, or a list of them", item, path)
            self.one_name(scalar, path)
            if kind.of == "earlier name":
                self.well_named(scalar, path, option=path[-3:-2] == ("options",))
            if scalar.text in words:
                self.note("XRM204", f"'{cut(scalar.text)}' stands twice in the list", scalar.place, path)
            words.setdefault(scalar.text, Word(scalar.text, scalar))
        return Words(tuple(words.values()), node.place)

    def one_name(self, scalar: Scalar, path: Path) -> None:
        """Names that stand in one text are no list."""
        if "," in scalar.text:
            names = ", ".join(filter(None, map(str.strip, scalar.text.split(","))))
            raise self.refuse("XRM106", "several names are a list", scalar.place, path, f"write: [{cut(names)}]")

    def type(self, node: Node, path: Path) -> Word:
        scalar = self.scalar("the name of a type", node, path)
        known = (*TYPES, *(self.types or ()))
        if scalar.text in known:
            return Word(scalar.text, scalar)
        if self.types is None:
            raise Refused  # it may be one that xrm.yml declares, which cannot be read
        near = FOREIGN_TYPES.get(scalar.text.lower()) or nearest(scalar.text, known)
        hint = f"did you mean '{near}'?" if near else f"the types: {', '.join(known)}"
        if scalar.text in LATER_TYPES:
            near, hint = None, "it is not part of this version"
        if scalar.text in NO_TYPES:
            near, hint = None, NO_TYPES[scalar.text]
        self.note("XRM203", f"unknown type '{cut(scalar.text)}'", scalar.place, path, hint)
        if near is None or (path[:1] == ("types",) and near in self.types):
            raise Refused
        return Word(near, scalar)

    def integer(self, kind: kinds.Kind, node: Node, path: Path) -> Number:
        assert isinstance(kind, kinds.Integer)
        wanted = f"a whole number from {kind.low:,} to {kind.high:,}"
        scalar = self.scalar(wanted, node, path)
        if not scalar.plain or not INTEGER.fullmatch(scalar.text):
            hint = "write it without quotes" if INTEGER.fullmatch(scalar.text) else None
            raise self.wrong(wanted, node, path, hint)
        if len(scalar.text) > 9 or not kind.low <= int(scalar.text) <= kind.high:
            raise self.refuse("XRM206", f"this must be {wanted}", scalar.place, path)
        return Number(int(scalar.text), scalar.place)

    def boolean(self, kind: kinds.Kind, node: Node, path: Path) -> Flag:
        scalar = self.scalar("true or false", node, path)
        if not scalar.plain or scalar.text not in ("true", "false"):
            meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(scalar.text.lower())
            meant = meant or nearest(scalar.text, ("true", "false"))
            hint = f"write {meant}, without quotes" if meant else None
            raise self.wrong("true or false", node, path, hint)
        return Flag(scalar.text == "true", scalar.place)

    def one_of(self, kind: kinds.Kind, node: Node, path: Path) -> Word:
        assert isinstance(kind, kinds.OneOf)
        scalar = self.scalar(f"one of {', '.join(kind.words)}", node, path)
        if scalar.text not in kind.words:
            near = did_you_mean(scalar.text, kind.words)
            message = f"'{cut(scalar.text)}' is not allowed here"
            raise self.refuse("XRM206", message, scalar.place, path, near or f"one of: {', '.join(kind.words)}")
        return Word(scalar.text, scalar)

    def condition(self, kind: kinds.Kind, node: Node, path: Path) -> Answer:
        assert isinstance(kind, kinds.Condition)
        scalar = self.scalar("a condition", node, path)
        if scalar.plain and scalar.text in kind.constant:
            return Flag(scalar.text == "true", scalar.place)
        if scalar.plain and scalar.text == "false" and kind.constant:
            hint = "rights only add up: take the key out, and the right is not given"
            raise self.refuse("XRM206", "a right cannot be false", scalar.place, path, hint)
        return self.formula(scalar, path)

    def formula(self, scalar: Scalar, path: Path) -> Formula:
        text = scalar.text.removeprefix("=")
        if not text.strip():
            raise self.refuse("XRM308", "the expression is empty", scalar.place, path, "write a condition")
        return Formula(text, len(scalar.text) - len(text), scalar)

    def data(self, kind: kinds.Kind, node: Node, path: Path) -> Datum:
        scalar = self.scalar("a single value", node, path)
        if scalar.text.startswith("="):
            raise self.refuse("XRM206", "this takes data, not an expression", scalar.place, path,
                              "write the rule as a check")  # fmt: skip
        return Datum(scalar)

    def bound(self, kind: kinds.Kind, node: Node, path: Path) -> Answer:
        scalar = self.scalar("a single value, or an =expression", node, path)
        return self.formula(scalar, path) if scalar.text.startswith("=") else Datum(scalar)

    def range(self, kind: kinds.Kind, node: Node, path: Path) -> Extent:
        assert isinstance(kind, kinds.Range)
        number = kinds.Integer(kind.low, kind.high)
        if not isinstance(node, Map):
            return Extent(None, self.integer(number, node, path).value, node.place)
        found: dict[str, int] = {}
        for key, value in node.entries:
            if key.text not in ("min", "max"):
                hint = did_you_mean(key.text, ("min", "max")) or "the keys here: min, max"
                raise self.refuse("XRM201", f"unknown key '{cut(key.text)}'", key.place, path, hint)
            found[key.text] = self.integer(number, value, (*path, key.text)).value
        least, most = found.get("min"), found.get("max")
        if not found or (least is not None and most is not None and least > most):
            message = "'min' is more than 'max'" if found else "this wants 'min' or 'max'"
            raise self.refuse("XRM206", message, node.place, path)
        return Extent(least, most, node.place)


def _described(node: Node) -> str:
    if isinstance(node, Map):
        return "a map"
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Scalar) and node.plain and node.text in NULLS:
        return "empty"
    text = node.text if isinstance(node, Scalar) else ""
    quoted = isinstance(node, Scalar) and not node.plain
    return f"the text '{cut(text)}'" if quoted else f"'{cut(text)}'"


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def cut(text: str) -> str:
    """A text of any length, short enough for a message."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:59] + "…"
