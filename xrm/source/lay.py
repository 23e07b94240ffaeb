"""Composition: entities that inherit, and what is added to an entity in place, laid out in full. Parts → Outline.

It stands between the structure check and the names: nothing after it knows that an entity was written in several
pieces. Every part keeps the place where it was written, so that a problem in it points there.

Two ways of laying one part over another are all there is: an heir's parts lie *over* those of its base and win, key by
key; an addition's parts lie *beside* those of its entity, and a key that both have is two definitions of one thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter

from xrm.errors import Problem
from xrm.model.standard import USER, user_fields
from xrm.source.nearness import nearest
from xrm.source.outline import Answer, Ghost, Outline, Part, Word, Words
from xrm.source.schema import absent

OWN = ("entity", "extends", "abstract", "label", "plural", "help", "renamed_from")
"""Keys of a base that its heirs do not get: what it is, and what it is or was called."""

STANDARD = frozenset(user_fields("en"))
"""Fields of the user that xrm defines."""

MOST_BASES = 20
"""Entities that one may inherit through, each from the next."""

Clash = Callable[[Part, Part, str], None]
"""Called with two parts of one name and the key that both have."""


def lay(application: Part | None, parts: Sequence[Part], ghosts: Iterable[Ghost]) -> tuple[Outline, tuple[Problem, ...]]:
    """Every entity in full. An entity whose base is broken or unknown is a ghost itself: only its name is known."""
    laying = _Laying(parts, ghosts)
    laying.run()
    return Outline(application, tuple(laying.laid), tuple(laying.ghosts)), tuple(laying.problems)


class _Laying:
    def __init__(self, parts: Sequence[Part], ghosts: Iterable[Ghost]) -> None:
        self.parts = parts
        self.ghosts = list(ghosts)
        self.defined = [(word.text, part) for part in parts if (word := part.word("entity"))]
        self.first: dict[str, Part] = {}
        for name, part in self.defined:
            self.first.setdefault(name, part)
        self.additions: dict[str, list[Part]] = {}
        self.full: dict[str, Part] = {}
        self.laid: list[Part] = []
        self.problems: list[Problem] = []
        for part in parts:
            word = part.word("add_to")
            if word and not part.word("entity"):
                self.additions.setdefault(word.text, []).append(part)

    def run(self) -> None:
        self.check_additions()
        self.check_targets()
        circular = self.circles()
        for name in self.in_order(circular):
            self.full[name] = self.entity(name, self.first[name])
        for name, part in self.defined:
            if self.first[name] is not part:
                self.laid.append(part)  # a second definition: the check shows both places
            elif name in self.full:
                self.laid.append(self.full[name])
        if USER in self.additions:
            self.laid.append(self.user())

    # -- names ------------------------------------------------------------------------------------------------------

    def check_additions(self) -> None:
        """An addition says what it adds to, and nothing about what the entity is."""
        for part in self.parts:
            for key in ("entity", "extends", "abstract") if part.has("add_to") else ():
                if part.has(key):
                    message = f"'{key}' does not stand beside 'add_to'"
                    self.problems.append(Problem("XRM206", message, part.at(key), (key,), "take one of them out"))
        for addition in self.additions.get(USER, ()):
            for key in ("lifecycle", "number", "key", "title"):
                if addition.has(key):
                    message = f"the user has no '{key}' of an application's own"
                    self.problems.append(Problem("XRM206", message, addition.at(key), (key,), "take it out"))
            for name, part in addition.named("fields").items():
                if name in STANDARD:
                    self.problems.append(
                        Problem("XRM204", f"the field '{name}' is defined twice", part.place, part.path, "every user has it")
                    )

    def check_targets(self) -> None:
        known = (*self.first, *(ghost.name for ghost in self.ghosts))
        for name, additions in self.additions.items():
            for part in additions:
                if name not in (*known, USER):
                    self.unknown(part.word("add_to"), ("add_to",), (*known, USER))
        for part in self.first.values():
            base = part.word("extends")
            if base and base.text not in known:
                self.unknown(base, ("extends",), known)

    def unknown(self, word: Word | None, path: tuple[str, ...], known: Iterable[str]) -> None:
        assert word is not None
        near = nearest(word.text, known)
        place = self.first[near].place if near in self.first else None
        where = f" ({place.file}:{place.line})" if place else ""
        hint = f"did you mean '{near}'{where}?" if near else f"known here: {', '.join(known)}"
        if word.text == USER:
            hint = "nothing extends the user; 'add_to: user' adds to it"
        self.problems.append(Problem("XRM203", f"unknown entity '{word.text[:60]}'", word.place, path, hint))

    # -- order ------------------------------------------------------------------------------------------------------

    def circles(self) -> frozenset[str]:
        """Entities that inherit from themselves; every circle is told once, whole."""
        graph = {name: _base(part) for name, part in self.first.items()}
        found: set[str] = set()
        walked: set[str] = set()
        for name in graph:
            way: dict[str, None] = {}
            here: str | None = name
            while here in graph and here not in way and here not in walked:
                way[here] = None
                here = graph[here]
            walked |= way.keys()
            if here in way:
                trail = list(way)
                circle = trail[trail.index(here) :]
                part = self.first[circle[0]]
                shown = " → ".join((*circle, circle[0]))
                hint = "take 'extends' out of one of them"
                self.problems.append(Problem("XRM211", f"this inherits from itself: {shown}", part.at("extends"), ("extends",), hint))
                found.update(circle)
        return frozenset(found)

    def in_order(self, circular: frozenset[str]) -> Iterable[str]:
        """Bases before their heirs; what has no whole base becomes a ghost."""
        gone = {ghost.name for ghost in self.ghosts if ghost.name not in self.first} | circular
        order: TopologicalSorter[str] = TopologicalSorter()
        for name, part in self.first.items():
            base = _base(part)
            if name not in circular:  # every circle was told already
                order.add(name, *([base] if base in self.first and base not in circular else []))
        sound: list[str] = []
        above: dict[str, int] = {}
        for name in (*circular, *order.static_order()):
            base = _base(self.first[name])
            above[name] = above.get(base or "", -1) + 1
            if above[name] > MOST_BASES and base not in gone:
                message, part = f"this inherits through more than {MOST_BASES} entities", self.first[name]
                self.problems.append(Problem("XRM206", message, part.at("extends"), ("extends",), "extend an earlier one of them"))
                gone.add(base or "")
            if name in circular or base in gone or (base and base not in self.first):
                gone.add(name)
                links = self.first[name].named("fields").values()
                inverses = tuple(word.text for link in links if (word := link.word("inverse")))
                self.ghosts.append(Ghost(name, self.first[name].place, inverses))
            else:
                sound.append(name)
        return sound

    # -- laying -----------------------------------------------------------------------------------------------------

    def entity(self, name: str, part: Part) -> Part:
        """An entity in full: its base beneath it, what is added to it beside it."""
        whole = part
        base = _base(part)
        if base:
            under = self.full[base]
            values = {key: value for key, value in under.values.items() if key not in OWN}
            whole = over(replace(under, values=values, broken=under.broken - set(OWN)), part)
        for addition in self.additions.get(name, ()):
            whole = beside(whole, _added(addition), self.clash)
        if whole is not part:
            for inner in whole.walk():
                self.problems += absent(inner)
        return whole

    def user(self) -> Part:
        """What is added to the user, which itself stands in no file."""
        first, *others = self.additions[USER]
        whole = _added(first)
        for addition in others:
            whole = beside(whole, _added(addition), self.clash)
        named = first.word("add_to")
        assert named is not None
        for inner in whole.walk():
            self.problems += absent(inner) if inner.path else ()
        return replace(whole, values={**whole.values, "entity": named, "add_to": named})

    def clash(self, one: Part, other: Part, key: str) -> None:
        """XRM204, once for each thing that is defined twice."""
        if other.name is None:
            what, place, first = f"'{key}'", other.at(key), one.at(key)
        elif key in ("type", "compute") or other.keys.keys() <= one.keys.keys():
            what, place, first = f"the {other.kind} '{other.name.text}'", other.place, one.place
        else:
            what, place, first = f"'{key}' of the {other.kind} '{other.name.text}'", other.at(key), one.at(key)
        hint = f"the other one stands at {first}"
        self.problems.append(Problem("XRM204", f"{what} is defined twice", place, other.path, hint))


def _base(part: Part) -> str | None:
    word = part.word("extends")
    return word.text if word else None


def _added(part: Part) -> Part:
    """An addition without the keys that say what it is."""
    kept = {name: value for name, value in part.values.items() if name not in ("add_to", "entity", "extends", "abstract")}
    return replace(part, values=kept)


def over(under: Part, part: Part) -> Part:
    """A part with another beneath it: what both have is laid in turn, and at the end what lies above holds."""
    return _laid(under, part, None)


def beside(part: Part, addition: Part, clash: Clash) -> Part:
    """A part with another added: names are joined, lists grow, and what both say is a clash."""
    return replace(_laid(part, addition, clash), name=part.name, place=part.place)


def _laid(under: Part, part: Part, clash: Clash | None) -> Part:
    values = dict(under.values)
    clashes = []
    for key, value in part.values.items():
        if key not in under.values:
            values[key] = value
            continue
        joined = _joined(under.values[key], value, clash)
        if joined is None:
            clashes.append(key)
        else:
            values[key] = joined
    if clashes and clash:
        clash(under, part, "type" if "type" in clashes else clashes[0])
    broken = (under.broken - part.values.keys()) | part.broken
    values = {key: value for key, value in values.items() if key not in broken}
    return replace(part, values=values, keys={**under.keys, **part.keys}, broken=broken, partial=under.partial or part.partial)


def _joined(under: Answer, value: Answer, clash: Clash | None) -> Answer | None:
    """Two values of one key as one; None where they clash."""
    if isinstance(under, Part) and isinstance(value, Part):
        return _laid(under, value, clash)
    if isinstance(under, Mapping) and isinstance(value, Mapping):
        both = {name: _joined(under[name], value[name], clash) for name in under if name in value}
        return {**under, **{name: answer for name, answer in both.items() if answer is not None}, **_new(under, value)}
    if clash is None:
        return value
    if isinstance(under, Words) and isinstance(value, Words):
        return Words((*under.items, *(word for word in value.items if word.text not in _texts(under))), under.place)
    if isinstance(under, tuple) and isinstance(value, tuple) and all(isinstance(one, Part) for one in (*under, *value)):
        return (*under, *value)
    return None


def _new(under: Mapping[str, Answer], value: Mapping[str, Answer]) -> dict[str, Answer]:
    return {name: answer for name, answer in value.items() if name not in under}


def _texts(words: Words) -> frozenset[str]:
    return frozenset(word.text for word in words.items)
