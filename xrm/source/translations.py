"""Translations: `locale/<language>.yml` laid over the labels of a definition, and what is still missing.

A file has the tree of the definition: ``entities → request → fields → address → label``; the sections of a form and the
guards of a move are counted from 1. A text that is empty is still to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath

from xrm.errors import Place, Problem
from xrm.source.document import Broken, Document, Map, Node, Scalar
from xrm.source.keys import KINDS
from xrm.source.kinds import Label as LabelKind
from xrm.source.nearness import nearest
from xrm.source.outline import Answer, Label, Outline, Part
from xrm.source.scalars import LOCALE

FOLDER = "locale/"
NAMED = ("application", "role", "entity", "field", "option", "state", "transition", "view")
"""Kinds of map whose label is made from their name where none is given."""
OWN = ("label", "plural", "help")
"""Labels that say what an entity is called: an heir has its own."""
MOST_SHOWN = 3
MOST_HINTS = 500
"""Problems after which no near name is looked for."""

Tree = Mapping[str, "Tree | Scalar"]


@lru_cache(maxsize=64)
def is_language(locale: str) -> bool:
    """Whether a locale is of a language (CLDR)."""
    from babel.localedata import exists  # most definitions never ask

    return bool(exists(locale.split("-", maxsplit=1)[0]))


@dataclass(frozen=True, slots=True)
class Slot:
    """A text for people: where it stands in the tree, its own words, the languages it has, and its place."""

    path: tuple[str, ...]
    words: str
    languages: frozenset[str]
    place: Place


def translated(outline: Outline, documents: Iterable[Document], locale: str) -> tuple[Outline, tuple[Problem, ...]]:
    """The outline with the texts of the files in it. ``locale``: the application's own."""
    problems: list[Problem] = []
    for document in documents:
        language = PurePosixPath(document.file).name.split(".")[0]
        if not LOCALE.fullmatch(language):
            hint = "name it locale/es.yml or locale/es-MX.yml"
            problems.append(Problem("XRM206", f"'{language}' is not a locale", Place(document.file, 1, 1), (), hint))
            continue
        if document.root is None or isinstance(document.root, Scalar):
            continue
        reading = _Translation(language, locale, problems)
        outline = reading.outline(outline, reading.tree(document.root, ()))
    return outline, tuple(problems)


class _Translation:
    def __init__(self, language: str, locale: str, problems: list[Problem]) -> None:
        self.language = language
        self.locale = locale
        self.problems = problems

    def note(self, code: str, message: str, place: Place, path: tuple[str, ...], hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, place, path, hint))

    def tree(self, node: Node, path: tuple[str, ...]) -> dict[str, tuple[Scalar, object]]:
        """Texts by key, each with the scalar of its key."""
        if not isinstance(node, Map):
            if not isinstance(node, Broken):
                self.note(
                    "XRM106",
                    "this must be a map, as in the definition",
                    node.place,
                    path,
                    "for example: fields: {address: {label: Dirección}}",
                )
            return {}
        return {key.text: (key, value if isinstance(value, Scalar) else self.tree(value, (*path, key.text))) for key, value in node.entries}

    def outline(self, outline: Outline, tree: Mapping[str, tuple[Scalar, object]]) -> Outline:
        above = {key: value for key, value in tree.items() if key != "entities"}
        application = self.part(outline.application, above, ()) if outline.application else None
        trees = self.below(tree.get("entities"))
        names = [word.text for part in outline.entities if (word := part.word("entity"))]
        for name, (key, _) in trees.items():
            if name not in names and name not in {ghost.name for ghost in outline.ghosts}:
                self.unknown(key, names, ("entities",))
        bases = {word.text: part for part in outline.entities if (word := part.word("entity"))}
        entities = tuple(self.entity(part, trees, bases) for part in outline.entities)
        if "types" in tree and application:
            known = {label.place: label for one in application.parts("types") for inner in one.walk() for label in _labels(inner)}
            entities = tuple(_shared(part, known) for part in entities)
        return replace(outline, application=application, entities=entities)

    def below(self, found: tuple[Scalar, object] | None) -> dict[str, tuple[Scalar, object]]:
        return found[1] if found and isinstance(found[1], dict) else {}

    def entity(self, part: Part, trees: Mapping[str, tuple[Scalar, object]], parts: Mapping[str, Part]) -> Part:
        """An entity with its own texts over those of its bases; a base's mistakes are told at the base."""
        word = part.word("entity")
        chain: list[str] = []
        here = word.text if word else None
        while here and here not in chain:
            chain.append(here)
            base = parts[here].word("extends") if here in parts else None
            here = base.text if base else None
        for name in chain:
            tree = self.below(trees.get(name))
            own = word is not None and name == word.text
            if not own:
                tree = {key: value for key, value in tree.items() if key not in OWN}
            told = len(self.problems)
            part = self.part(part, tree, ("entities", name))
            if not own:
                del self.problems[told:]
        return part

    def part(self, part: Part, tree: Mapping[str, tuple[Scalar, object]], path: tuple[str, ...]) -> Part:
        values = dict(part.values)
        kind = KINDS[part.kind]
        for name, (key, value) in tree.items():
            below = (*path, name)
            known = kind.by_name.get(name)
            if known is None:
                texts = [
                    own.name
                    for own in kind.keys
                    if isinstance(own.kind, LabelKind) or isinstance(part.values.get(own.name), Part | Mapping | tuple)
                ]
                self.unknown(key, [*texts, "entities"] if part.kind == "application" else texts, path)
            elif isinstance(known.kind, LabelKind):
                if isinstance(value, dict):
                    self.no_text(name, key, value, below)
                elif isinstance(value, Scalar) and value.text.strip():
                    label = self.label(part, name, value, below)
                    if label:
                        values[name] = label
            elif name in values and isinstance(value, dict):
                values[name] = self.answer(values[name], value, below)
            elif name not in part.broken and not (known.required and name not in values):
                self.note("XRM203", f"there is no text beneath '{name}'", key.place, below, "the tree is that of the definition")
        return replace(part, values=values)

    def no_text(self, name: str, key: Scalar, value: Mapping[str, object], path: tuple[str, ...]) -> None:
        """A map where a text belongs; of a list that was told already."""
        if value:
            hint = f"the file is for one language: write {name}: and the words"
            self.note("XRM106", f"'{name}' must be text, and it is a map", key.place, path, hint)

    def label(self, part: Part, name: str, value: Scalar, path: tuple[str, ...]) -> Label | None:
        """The label with one text more."""
        there = part.label(name) or made_label(part, name, self.locale)
        if there is None:
            self.note("XRM206", f"there is no '{name}' to translate", value.place, path, "write it in the definition first")
            return None
        if any(language == self.language for language, _ in there.texts):
            self.note(
                "XRM204", f"the text in '{self.language}' is written twice", value.place, path, f"the other one stands at {there.place}"
            )
            return None
        return Label((*there.texts, (self.language, value.text)), there.place)

    def answer(self, answer: Answer, tree: dict[str, tuple[Scalar, object]], path: tuple[str, ...]) -> Answer:
        """What a key holds, translated: one map, a map of maps, or a list whose places are counted from 1."""
        if isinstance(answer, Part):
            return self.part(answer, tree, path)
        parts = dict(_children(answer))
        for name, (key, value) in tree.items():
            if name not in parts:
                if _words_in(value):
                    self.unknown(key, list(parts), path)
            else:
                inner = value if isinstance(value, dict) else {"label": (key, value)}
                parts[name] = self.part(parts[name], inner, (*path, name))
        return parts if isinstance(answer, Mapping) else tuple(parts.values())

    def unknown(self, key: Scalar, known: Iterable[str], path: tuple[str, ...]) -> None:
        names = list(known)
        near = nearest(key.text, names) if len(self.problems) < MOST_HINTS else None
        hint = f"did you mean '{near}'?" if near else f"known here: {', '.join(names[:12])}" if names else None
        self.note("XRM203", f"nothing is called '{key.text[:60]}' here", key.place, (*path, key.text), hint)


def _words_in(value: object) -> bool:
    """Whether anything is translated there: what still waits for its words goes with the thing that it was for."""
    if isinstance(value, dict):
        return not value or any(_words_in(inner) for _, inner in value.values())
    return not isinstance(value, Scalar) or bool(value.text.strip())


def _labels(part: Part) -> Iterator[Label]:
    return (value for value in part.values.values() if isinstance(value, Label))


def _shared(part: Part, known: Mapping[Place, Label]) -> Part:
    """A part with the texts of the named types in it, which stand where the types are written."""
    values = {key: _known(value, known) for key, value in part.values.items()}
    if part.kind in NAMED and "label" not in values and part.place in known:
        values["label"] = known[part.place]
    return replace(part, values=values)


def _known(value: Answer, known: Mapping[Place, Label]) -> Answer:
    if isinstance(value, Label):
        return known.get(value.place, value)
    if isinstance(value, Part):
        return _shared(value, known)
    if isinstance(value, Mapping):
        return {name: _known(one, known) for name, one in value.items()}
    return tuple(_known(one, known) if isinstance(one, Part) else one for one in value) if isinstance(value, tuple) else value


def _children(answer: Answer) -> Iterator[tuple[str, Part]]:
    if isinstance(answer, Mapping):
        yield from ((str(name), part) for name, part in answer.items() if isinstance(part, Part))
    elif isinstance(answer, tuple):
        yield from ((str(number), part) for number, part in enumerate(answer, 1) if isinstance(part, Part))


def made_label(part: Part, key: str, locale: str) -> Label | None:
    """The label that is made where none is given: from the name, or the plural from the label."""
    name = part.name or part.word("name" if part.kind == "application" else "entity")
    if part.kind not in NAMED or name is None or key not in ("label", "plural") or (key == "plural" and part.kind != "entity"):
        return None
    word = name.text.replace("_", " ").replace("-", " ").strip().capitalize() or name.text
    if key == "plural":
        own = part.label("label")
        word = f"{own.texts[0][1] if own else word}s"
    return Label((("", word),), name.place)


# -- what is missing ---------------------------------------------------------------------------------------------------


def slots(outline: Outline, locale: str) -> Iterator[Slot]:
    """Every text for people, inherited ones where they were written."""
    if outline.application:
        yield from _slots(outline.application, (), locale)
    seen: set[tuple[Place, str]] = set()
    for part in sorted(outline.entities, key=lambda one: one.word("extends") is not None):
        word = part.word("entity")
        for slot in _slots(part, ("entities", word.text if word else ""), locale):
            if (slot.place, slot.path[-1]) not in seen:
                seen.add((slot.place, slot.path[-1]))
                yield slot


def _slots(part: Part, path: tuple[str, ...], locale: str) -> Iterator[Slot]:
    for key in KINDS[part.kind].keys:
        if isinstance(key.kind, LabelKind):
            label = part.label(key.name) or (made_label(part, key.name, locale) if key.name in ("label", "plural") else None)
            unseen = (part.kind == "entity" and part.has("add_to")) or (
                path[:1] == ("types",) and len(path) == 2 and not part.label(key.name)
            )
            if label and not unseen:
                texts = {(language or locale).split("-")[0]: text for language, text in reversed(label.texts)}
                own = texts.get(locale.split("-", maxsplit=1)[0], label.texts[0][1])
                yield Slot((*path, key.name), own, frozenset(texts), label.place)
    for name, value in part.values.items():
        if isinstance(value, Part):
            yield from _slots(value, (*path, name), locale)
        else:
            for inner, child in _children(value):
                yield from _slots(child, (*path, name, inner), locale)


def missing(outline: Outline, locale: str, language: str) -> tuple[Slot, ...]:
    """The texts that a language lacks; that of ``es-MX`` may be written for ``es``."""
    wanted = language.split("-", maxsplit=1)[0]
    return tuple(slot for slot in slots(outline, locale) if wanted not in slot.languages)


def check_locales(outline: Outline, locale: str) -> tuple[Problem, ...]:
    """XRM226, one for each language that an application declares and does not have whole."""
    problems = []
    for word in outline.application.words("locales") if outline.application else ():
        if not LOCALE.fullmatch(word.text):
            problems.append(Problem("XRM206", f"'{word.text[:60]}' is not a locale", word.place, ("locales",), "for example en or es-MX"))
            continue
        lacking = missing(outline, locale, word.text)
        if lacking:
            count = "1 text has" if len(lacking) == 1 else f"{len(lacking):,} texts have"
            places = ", ".join(f"{slot.place.file}:{slot.place.line}" for slot in lacking[:MOST_SHOWN])
            more = ", …" if len(lacking) > MOST_SHOWN else ""
            hint = f"{places}{more}; 'xrm translations {word.text}' writes what is missing"
            problems.append(Problem("XRM226", f"{count} no words in '{word.text}' yet", word.place, ("locales",), hint, "warning"))
    return tuple(problems)


def as_tree(lacking: Iterable[Slot]) -> dict[str, object]:
    """The missing texts as nested maps, each text in the application's own language."""
    tree: dict[str, object] = {}
    for slot in lacking:
        here: dict[str, object] = tree
        for name in slot.path[:-1]:
            inner = here.setdefault(name, {})
            assert isinstance(inner, dict)
            here = inner
        here[slot.path[-1]] = slot.words
    return tree


def as_yaml(tree: Mapping[str, object], depth: int = 0) -> str:
    """A file to fill in: every text is empty, with the words to translate behind it."""
    lines = []
    for name, value in tree.items():
        key = name if name.replace("_", "").isalnum() and not name.isdigit() else f'"{name}"'
        if isinstance(value, Mapping):
            lines.append(f"{'  ' * depth}{key}:\n{as_yaml(value, depth + 1)}")
        else:
            lines.append(f'{"  " * depth}{key}: ""  # {" ".join(str(value).split())}\n')
    return "".join(lines)
