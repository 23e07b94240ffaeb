"""Named types: a field whose type the application has named gets the keys of that type beneath its own. Parts → parts.

It stands before composition, so that nothing after it knows that a type had a name. What is inherited keeps the place where
it was written, in ``xrm.yml``, so that a problem in it points there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from xrm.errors import Problem
from xrm.model.kinds import TYPES
from xrm.source.circles import circle_from
from xrm.source.document import Document, Map
from xrm.source.keys import KINDS
from xrm.source.lay import over
from xrm.source.nearness import nearest
from xrm.source.outline import Part, Word
from xrm.source.scalars import article


def declared(document: Document) -> tuple[str, ...] | None:
    """The names of the types that ``xrm.yml`` declares, before anything in it is read; None where they cannot be made out."""
    root = document.root
    if not isinstance(root, Map):
        return None
    keys = KINDS["application"].by_name
    written = {key.text: value for key, value in root.entries}
    meant = [key for key in written if key not in keys and nearest(key, [name for name in keys if name not in written]) == "types"]
    found = written.get("types" if "types" in written else next(iter(meant), ""))
    if isinstance(found, Map):
        return None if found.partial else tuple(key.text for key, _ in found.entries)
    return () if found is None and not root.partial else None


def resolve(application: Part | None, parts: Iterable[Part]) -> tuple[tuple[Part, ...], tuple[Problem, ...]]:
    """The parts of entities, every field with a type of the language."""
    named = _Named(application.named("types") if application else {})
    named.check()
    return tuple(named.entity(part) for part in parts), tuple(named.problems)


MOST_BENEATH = 20
"""Types that one may be made from, each from the next."""


class _Named:
    def __init__(self, types: Mapping[str, Part]) -> None:
        self.types = types
        self.full: dict[str, Part | None] = {}
        self.problems: list[Problem] = []

    def check(self) -> None:
        """Every type, used or not."""
        self._circles()
        self._chains()
        for name, part in self.types.items():
            if name in TYPES:
                message = f"'{name}' is a type of the language"
                self.problems.append(Problem("XRM204", message, part.place, part.path, "give it another name"))
            elif not part.has("type") and not part.partial:
                self.problems.append(Problem("XRM202", "a type needs the key 'type'", part.place, part.path, "for example: type: text"))
            else:
                self.whole(name)

    def beneath(self, name: str) -> str | None:
        """The type of the application that one is made from."""
        word = self.types[name].word("type")
        return word.text if word and word.text in self.types and word.text not in TYPES else None

    def _circles(self) -> None:
        graph = {name: tuple(filter(None, [self.beneath(name)])) for name in self.types}
        done: set[str] = set()
        for name in self.types:
            if circle := circle_from(graph, name, done):
                shown = " → ".join((*circle, circle[0]))
                self._refused(circle[0], f"this type is made from itself: {shown}", "give one of them a type of the language")
                self.full |= dict.fromkeys(circle)

    def _chains(self) -> None:
        """``whole`` goes down type by type, which has an end."""
        depth: dict[str, int] = {}
        for start in self.types:
            trail: list[str] = []
            name: str | None = start
            while name is not None and name not in depth and name not in self.full:
                trail.append(name)
                name = self.beneath(name)
            for above in reversed(trail):
                depth[above] = depth.get(name or "", 0) + 1
                if depth[above] > MOST_BENEATH:
                    self._refused(
                        above, f"this type is made from {MOST_BENEATH} others, each from the next", "name a type of the language earlier"
                    )
                    depth[above], self.full[above] = 0, None
                name = above

    def _refused(self, name: str, message: str, hint: str) -> None:
        part = self.types[name]
        self.problems.append(Problem("XRM206", message, part.at("type"), part.path, hint))

    def whole(self, name: str) -> Part | None:
        """A type with those beneath it; None where it is broken, which is told."""
        if name not in self.full:
            self.full[name] = self.field(self.types[name])
        return self.full[name]

    def entity(self, part: Part) -> Part:
        return replace(part, values={key: self.fields(value) if key == "fields" else value for key, value in part.values.items()})

    def fields(self, answer: object) -> object:
        return {name: self.field(part) for name, part in answer.items()} if isinstance(answer, Mapping) else answer

    def field(self, part: Part) -> Part:
        word = part.word("type")
        if part.has("fields"):  # of rows
            part = self.entity(part)
        if word is None or word.text in TYPES or word.text not in self.types:
            return part
        beneath = self.whole(word.text)
        type_ = beneath.word("type") if beneath else None
        values = {key: value for key, value in part.values.items() if key != "type"}
        if beneath is None or type_ is None or type_.text not in TYPES:
            return replace(part, values=values, broken=part.broken | {"type"})
        values["type"] = Word(type_.text, word.scalar)  # the type that it is, and the word that was written
        for key in KINDS["field"].keys:
            if key.types and key.name in values and type_.text not in key.types:
                message = f"'{key.name}' does not go with type {word.text}, which is {article(type_.text)}"
                hint = f"it goes with {', '.join(key.types)}"
                self.problems.append(Problem("XRM206", message, part.at(key.name), (*part.path, key.name), hint))
                values.pop(key.name)
        return over(beneath, replace(part, values=values))
