"""Structure: is every key known, given where it must be, and of the right kind? Document → Part.

Short forms become long ones here, so that nothing after it knows them. A misspelt key that is close to exactly what is
missing is reported once and read as what it was meant to be: one slip gives one problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from xrm.errors import Place, Problem
from xrm.model.kinds import TYPES
from xrm.source import kinds, quoting
from xrm.source.document import Broken, Document, Map, Node, Scalar, Sequence
from xrm.source.keys import KINDS
from xrm.source.kinds import Key, MapKind
from xrm.source.nearness import did_you_mean, nearest
from xrm.source.outline import DEFAULT, Answer, Case, Datum, Formula, Given, Part, Word
from xrm.source.scalars import LOCALE, MOST_OPTION, NULLS, OPTION_NAME, Path, Refused, Scalars, TooMany, article, cut
from xrm.source.vocabulary import FOREIGN_KEYS, NO_KEYS


def read(document: Document, types: tuple[str, ...] | None = ()) -> tuple[Part | None, tuple[Problem, ...]]:
    """The application or entity that a file defines. ``types``: the names of the application's own, None where they are not known."""
    structure = _Structure(document, types)
    kind = KINDS["application" if document.file == "xrm.yml" else "entity"]
    top = Place(document.file, 1, 1, max(1, len(document.lines[0])))
    if document.root is None:
        if not document.problems:
            structure.note("XRM202", "the file is empty", top, (), hint=f"it wants {_needs(kind)}")
        return None, tuple(structure.problems)
    try:
        part = structure.part(kind, None, document.root, top, ())
    except (Refused, TooMany):
        part = None
    return part, tuple(structure.problems)


def _needs(kind: MapKind) -> str:
    return ", ".join(f"'{key.name}'" for key in kind.keys if key.required)


class _Structure(Scalars):
    def __init__(self, document: Document, types: tuple[str, ...] | None) -> None:
        super().__init__(document, types)
        self.whole = not _in_pieces(document.root)

    # -- maps -------------------------------------------------------------------------------------------------------

    def part(self, kind: MapKind, name: Word | None, node: Node, place: Place, path: Path) -> Part:
        entries = self.entries(kind, node, path)
        given = {written.text: value for written, value in entries}
        values: dict[str, Answer] = {}
        keys: dict[str, Place] = {}
        broken: set[str] = set()
        for written, value in entries:
            key = self.key(kind, written, given, path)
            if key is None:
                continue
            keys[key.name] = written.place
            try:
                values[key.name] = self.answer(key, value, written.place, (*path, key.name))
            except Refused:
                broken.add(key.name)
        if isinstance(node, Map) and _fell_apart(kind, node):
            broken |= {name for name in values if isinstance(kind.by_name[name].kind, kinds.Condition | kinds.Value)}
        partial = isinstance(node, Map) and node.partial
        values = {name: value for name, value in values.items() if name not in broken}
        part = Part(kind.name, name, place, path, values, keys, frozenset(broken), partial)
        if self.whole or not path:
            for problem in absent(part):
                self.note(problem.code, problem.message, part.place, part.path, problem.hint)
        return part

    def entries(self, kind: MapKind, node: Node, path: Path) -> tuple[tuple[Scalar, Node], ...]:
        """The keys and values of a map; a short form is made long."""
        if isinstance(node, Map):
            if kind.short == "label" and node.entries and not any(key.text in kind.by_name for key, _ in node.entries):
                self.words_by_locale(node, path)
            return node.entries
        if isinstance(node, Scalar) and node.plain and node.text in NULLS:
            if kind.unsaid:
                raise self.refuse("XRM106", f"'{cut(path[-1])}' is empty", node.place, path, kind.unsaid)
            return ()
        if isinstance(node, Broken):
            raise Refused
        if kind.flags and isinstance(node, Scalar | Sequence):
            return self.flags(kind, node, path)
        short = kind.by_name.get(kind.short or "")
        takes_list = short is not None and isinstance(short.kind, kinds.Ref) and short.kind.many
        if short and (isinstance(node, Scalar) or takes_list):
            return ((Scalar(short.name, short.name, "", node.place), node),)
        raise self.wrong(f"a map with {_needs(kind) or 'its keys'}", node, path)

    def words_by_locale(self, node: Map, path: Path) -> None:
        """``{en: …, es: …}`` where a bare text would be the label: they stand beneath ``label``."""
        key = node.entries[0][0]
        if all(LOCALE.fullmatch(key.text) and isinstance(value, Scalar) for key, value in node.entries):
            raise self.refuse("XRM201", f"unknown key '{cut(key.text)}'", key.place, path, f"write: label: {{{key.text}: …}}")

    def flags(self, kind: MapKind, node: Scalar | Sequence, path: Path) -> tuple[tuple[Scalar, Node], ...]:
        entries = []
        for item in node.items if isinstance(node, Sequence) else (node,):
            if not isinstance(item, Scalar):
                raise self.wrong("a name", item, path)
            if item.text not in kind.flags:
                hint = did_you_mean(item.text, kind.flags) or f"one of {', '.join(kind.flags)}"
                raise self.refuse("XRM203", f"unknown right '{item.text}'", item.place, path, hint)
            entries.append((item, Scalar("true", "true", "", item.place)))
        return tuple(entries)

    def key(self, kind: MapKind, written: Scalar, entries: Mapping[str, Node], path: Path) -> Key | None:
        """The key that was written or, where it is unknown, the one that was most likely meant."""
        known = kind.by_name.get(written.text)
        if known:
            return self.fitting(kind, known, written, entries, path)
        free = [key for key in kind.by_name if key not in entries]
        foreign = _foreign(kind, written.text)
        near = None if written.text in NO_KEYS else foreign if foreign in free else nearest(written.text, free)
        hint = f"did you mean '{near}'?" if near else self.unknown_hint(kind, written, entries[written.text])
        if near == _plainly(written.text) != written.text:
            hint = "a space that is no plain one (a no-break space, most likely) stands before or behind it: take it out"
        if written.text in kind.later:
            near, hint = None, "it is not part of this version"
        self.note("XRM201", f"unknown key '{cut(written.text)}'", written.place, path, hint)
        return kind.by_name[near] if near else None

    def unknown_hint(self, kind: MapKind, written: Scalar, value: Node) -> str:
        if written.text in NO_KEYS and kind.name == "field":
            return NO_KEYS[written.text]
        if ":" in written.text and _plainly(written.text) != written.text:
            return "a space that is no plain one (a no-break space, most likely) stands behind the colon: write a plain one"
        line = self.document.lines[written.place.line - 1]
        if isinstance(value, Scalar) and value.text == "" and "{" in line:
            mend = quoting.mended(line, 1)
            if mend:
                return mend
        like_field = isinstance(value, Map) and any(key.text in ("type", "compute") for key, _ in value.entries)
        if kind.name == "entity" and (like_field or (isinstance(value, Scalar) and value.text in (*TYPES, *(self.types or ())))):
            return "this looks like a field: indent it beneath 'fields'"
        again = nearest(written.text, kind.by_name)
        if again:
            return f"did you mean '{again}'? It stands here already"
        others = [other.name for other in KINDS.values() if written.text in other.by_name]
        if others:
            return f"'{written.text}' is a key of {article(others[0])}: is the indentation right?"
        return f"the keys here: {', '.join(kind.by_name)}"

    def fitting(self, kind: MapKind, key: Key, written: Scalar, entries: Mapping[str, Node], path: Path) -> Key | None:
        """The key, if it goes with the field's type."""
        if not key.types or kind.name != "field":
            return key
        node = entries.get("type")
        type_ = node.text if isinstance(node, Scalar) else None
        if type_ is None or type_ in key.types or type_ not in TYPES:
            return key
        message = f"'{key.name}' does not go with type {type_}"
        self.note("XRM206", message, written.place, (*path, key.name), f"it goes with {', '.join(key.types)}")
        return None

    def answer(self, key: Key, node: Node, place: Place, path: Path) -> Answer:
        if isinstance(node, Broken):
            raise Refused
        if isinstance(key.kind, kinds.One):
            return self.part(KINDS[key.kind.of], None, node, place, path)
        if isinstance(node, Scalar) and node.plain and node.text in NULLS and key.name != "use":
            if isinstance(key.kind, kinds.Condition):
                raise self.refuse("XRM308", f"'{key.name}' is empty", place, path, "write a condition, or take it out")
            message = f"'{key.name}' is empty"
            raise self.refuse("XRM106", message, place, path, "give it a value, or take the key out")
        return READERS[type(key.kind)](self, key.kind, node, path)

    # -- expressions and data ---------------------------------------------------------------------------------------

    def value(self, kind: kinds.Kind, node: Node, path: Path) -> Given:
        if isinstance(node, Sequence) and node.items and all(_is_case(item) for item in node.items):
            self.bounded(node.items, path)
            cases = tuple(self.case(item, path) for item in node.items)
            for case, item in zip(cases[:-1], node.items, strict=False):
                if case.when is None:
                    hint = "give it a 'when', or put it last"
                    self.note("XRM206", "the cases after this one are never reached", item.place, path, hint)
            return Given(cases, node.place)
        return Given((Case(None, self.use(node, path)),), node.place)

    def use(self, node: Node, path: Path) -> Formula | Datum:
        if isinstance(node, Broken):
            raise Refused
        if isinstance(node, Scalar) and node.text.startswith("="):
            return self.formula(node, path)
        return Datum(node)

    def case(self, node: Node, path: Path) -> Case:
        part = self.part(KINDS["case"], None, node, node.place, path)
        use = part.given("use")
        if use is None or "when" in part.broken:
            raise Refused
        if len(use.cases) != 1:
            raise self.refuse("XRM106", "cases cannot stand inside a case", use.place, path)
        return Case(part.formula("when"), use.cases[0].use)

    def value_map(self, kind: kinds.Kind, node: Node, path: Path) -> Answer:
        if not isinstance(node, Map):
            raise self.wrong("a map from field to value", node, path)
        self.bounded([key for key, _ in node.entries], path)
        return tuple((Word(key.text, key), self.value(kinds.Value(), value, (*path, key.text))) for key, value in node.entries)

    # -- maps under a key -------------------------------------------------------------------------------------------

    def many(self, kind: kinds.Kind, node: Node, path: Path) -> tuple[Part, ...]:
        assert isinstance(kind, kinds.Many | kinds.Layouts)
        items = node.items if isinstance(node, Sequence) else (node,)
        self.bounded(items, path)
        parts = []
        for number, item in enumerate(items, 1):
            inner = (*path, str(number)) if len(items) > 1 else path
            parts.append(self.part(KINDS[kind.of], None, item, item.place, inner))
        return tuple(parts)

    def named(self, kind: kinds.Kind, node: Node, path: Path) -> Answer:
        assert isinstance(kind, kinds.Named)
        inner = KINDS[kind.of]
        parts: dict[str, Part] = {}
        pairs = self.pairs(inner, node, path)
        hint = "what has so many is an entity with records of its own" if inner.name == "option" else "split it into several entities"
        self.bounded([key for key, _ in pairs], path, hint)
        for key, value in pairs:
            name, below = Word(key.text, key), (*path, key.text)
            try:
                self.new_name(kind, key, path)
                parts[key.text] = self.part(inner, name, value, key.place, below)
            except Refused:
                parts[key.text] = Part(inner.name, name, key.place, below, partial=True)
        if not parts and not kind.may_be_empty:
            empty = isinstance(node, Map | Sequence) and not (node.entries if isinstance(node, Map) else node.items)
            if empty:
                self.note("XRM206", f"there must be at least one {inner.name}", node.place, path)
            raise Refused
        return parts

    def pairs(self, inner: MapKind, node: Node, path: Path) -> tuple[tuple[Scalar, Node], ...]:
        if isinstance(node, Map):
            return node.entries
        items = node.items if isinstance(node, Sequence) else (node,)
        pairs: dict[str, tuple[Scalar, Node]] = {}
        for item in items:
            if not isinstance(item, Scalar):
                raise self.wrong(f"a map from name to {inner.name}", node, path, "names and a colon, no '-'")
            self.one_name(item, path)
            if item.text in pairs:
                self.note("XRM204", f"'{cut(item.text)}' stands twice in the list", item.place, path)
            pairs.setdefault(item.text, (item, Map((), item.place, flow=True)))
        return tuple(pairs.values())

    def new_name(self, kind: kinds.Named, key: Scalar, path: Path) -> None:
        if kind.names == "new":
            self.well_formed(key, (*path, cut(key.text)))
        elif kind.names == "option" and (not OPTION_NAME.fullmatch(key.text) or len(key.text) > MOST_OPTION):
            hint = "letters, digits and _ . -; the words for people are its label"
            better = re.sub(r"[^A-Za-z0-9_.-]+", "_", key.text).strip("_.-")
            hint = f"write: {better.lower()}: {key.text}" if better else hint
            raise self.refuse("XRM205", f"'{cut(key.text)}' is not a name for an option", key.place, path, hint)

    def layouts(self, kind: kinds.Kind, node: Node, path: Path) -> Answer:
        assert isinstance(kind, kinds.Layouts)
        if isinstance(node, Sequence):
            return self.many(kind, node, path)
        if not isinstance(node, Map):
            raise self.wrong("a list of sections", node, path)
        sections: list[Part] = []
        for key, value in node.entries:
            if key.text not in kind.names:
                message = f"unknown form '{cut(key.text)}'"
                hint = did_you_mean(key.text, kind.names) or f"there are {', '.join(kind.names)}"
                self.note("XRM203", message, key.place, path, hint)
                continue
            found = self.many(kind, value, (*path, key.text))
            name = None if key.text == DEFAULT else Word(key.text, key)
            sections += [replace(section, name=name) for section in found]
        return tuple(sections)


READERS: Mapping[type, Callable[[_Structure, kinds.Kind, Node, Path], Answer]] = {
    kinds.Text: _Structure.text,
    kinds.Label: _Structure.label,
    kinds.Name: _Structure.name,
    kinds.Ref: _Structure.ref,
    kinds.Integer: _Structure.integer,
    kinds.Boolean: _Structure.boolean,
    kinds.OneOf: _Structure.one_of,
    kinds.Condition: _Structure.condition,
    kinds.Value: _Structure.value,
    kinds.Data: _Structure.data,
    kinds.Bound: _Structure.bound,
    kinds.Range: _Structure.range,
    kinds.ValueMap: _Structure.value_map,
    kinds.Many: _Structure.many,
    kinds.Named: _Structure.named,
    kinds.Layouts: _Structure.layouts,
}
"""What reads each kind of key."""


def absent(part: Part) -> tuple[Problem, ...]:
    """The keys that a map must have and has not. What inherits or adds is asked when it is laid out in full."""
    kind = KINDS[part.kind]
    if part.partial:
        return ()
    return tuple(
        Problem(
            "XRM202",
            f"{article(kind.name)} needs the key '{key.name}'",
            part.place,
            part.path,
            f"for example: {key.example.splitlines()[0]}",
        )
        for key in kind.keys
        if key.required and not part.has(key.name) and not any(part.has(other) for other in key.unless)
    )


def _foreign(kind: MapKind, word: str) -> str | None:
    """The key of this kind that other systems call so."""
    return next((key for key, words in FOREIGN_KEYS.items() if key in kind.by_name and word in words.split()), None)


def _plainly(word: str) -> str:
    """Without the spaces that are no plain ones, which YAML takes for letters."""
    return "".join(letter for letter in word if letter == " " or not letter.isspace())


def _in_pieces(root: Node | None) -> bool:
    """Whether a file holds a piece of an entity: what is missing in it may stand in another."""
    return isinstance(root, Map) and any(key.text in ("extends", "add_to") for key, _ in root.entries)


def _fell_apart(kind: MapKind, node: Map) -> bool:
    """Whether a comma in braces cut an expression in two, so that its rest stands there as a key without a value."""
    return node.flow and any(key.text not in kind.by_name and isinstance(value, Scalar) and value.raw == "" for key, value in node.entries)


def _is_case(node: Node) -> bool:
    return isinstance(node, Map) and any(key.text in ("use", "when") for key, _ in node.entries)
