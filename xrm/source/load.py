"""The driver: a folder of YAML → a checked, frozen Application, or every problem in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from xrm.collecting import uncollected
from xrm.errors import Place, Problem, Severity, has_errors, ordered
from xrm.expr import STANDARD, Function
from xrm.model.application import Application
from xrm.model.standard import USER
from xrm.source import build, checks, hints, inference, lay, listing, named_types, names, packs, schema, translations, weighing
from xrm.source.document import MOST_NODES, Document, read_text
from xrm.source.folder import APPLICATION, SUFFIXES, read_folder
from xrm.source.outline import Ghost, Part

Read = tuple[Part | None, tuple[Problem, ...]]
"""What the structure check gives for a file."""

MOST_VALUES = 130_000
"""Values in all files together."""
MOST_IN_DEFINITION = 40_000
"""Values in a file that defines an entity: a thousand fields with forty each."""
MOST_TOLD = 200
"""Problems of one file that are told."""
MOST_FILES = 1_000
"""Files of one application that define entities: what checks them has an end."""

STRANGE = {"entity": ("extends", "add_to"), "field": ("to",)}
"""Keys that name entities, by kind of map."""

INVERSE = re.compile(r"\binverse:\s*['\"]?([a-z][a-z0-9_]*)")
ENTITY_LINE = re.compile(r"(?:entity|add_to):\s*['\"]?([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """``application`` is None if one of the problems is an error; problems are ordered by place. ``meaning``: all that was found out."""

    application: Application | None
    problems: tuple[Problem, ...]
    meaning: checks.Meaning | None = None


@uncollected()
def load(folder: Path, functions: Mapping[str, Function] = STANDARD) -> Loaded:
    """The application in a folder. ``functions`` are those that expressions may call."""
    files = read_folder(folder)
    if not files.texts:
        return Loaded(None, _shown(files.problems, ()))
    return _load(files.texts, functions, files.problems, files.unread)


@uncollected()
def load_text(files: Mapping[str, str], functions: Mapping[str, Function] = STANDARD) -> Loaded:
    """The application in some texts, by path (``xrm.yml``, ``entities/x.yml``, ``plugins/x.py``)."""
    if APPLICATION not in files:
        return Loaded(None, _shown([Problem("XRM105", f"there is no {APPLICATION}", Place(APPLICATION, 1, 1))], ()))
    return _load(files, functions, (), ())


def _load(files: Mapping[str, str], functions: Mapping[str, Function], unread: tuple[Problem, ...], lost: tuple[str, ...]) -> Loaded:
    definitions = [name for name in files if _is_definition(name)]
    if len(definitions) > MOST_FILES:
        message, place = f"there are more than {MOST_FILES:,} files of definitions", Place(definitions[MOST_FILES], 1, 1)
        return Loaded(None, (Problem("XRM104", message, place, hint="part it into several applications"),))
    reading = _Reading()
    documents = [reading.text(name, files[name]) for name in definitions]
    data = [reading.text(name, text) for name, text in files.items() if name.startswith(listing.FOLDER)]
    languages = [reading.text(name, text) for name, text in files.items() if name.startswith(translations.FOLDER)]
    if reading.problem:
        return Loaded(None, _shown((reading.problem,), ()))
    types = next((named_types.declared(document) for document in documents if document.file == APPLICATION), None)
    parts = {document.file: schema.read(document, types) for document in documents}
    used, misnamed = packs.texts(parts[APPLICATION][0] if APPLICATION in parts else None, files)
    files = {**used, **files}
    documents = [*(read_text(name, text) for name, text in used.items()), *documents]
    parts |= {document.file: schema.read(document, types) for document in documents[: len(used)]}
    application, typed, ghosts, structure = _typed(documents, parts, lost, foreign=bool(misnamed))
    heavy = weighing.too_much(typed)
    if heavy:
        return Loaded(None, _shown((heavy,), documents))
    found, laid = lay.lay(application, typed, ghosts)
    listed = [listing.read(document) for document in data]
    found = replace(found, listings=tuple(one for one, _ in listed if one))
    own = names.locale_of(found.application)
    found, told = translations.translated(found, languages, own)
    told += translations.check_locales(found, own)
    documents += [*data, *languages]
    known = inference.inferred(names.index(found), functions)
    meaning, meant = checks.check(found, known, functions)
    read = [problem for document in documents for problem in document.problems]
    problems = _shown(
        (*unread, *read, *misnamed, *structure, *laid, *(problem for _, some in listed for problem in some), *told, *meant), documents
    )
    if has_errors(problems):
        return Loaded(None, problems, meaning)
    return Loaded(build.build(meaning, files), problems, meaning)


class _Reading:
    """Reads one file after the other, until they hold more values than an application may."""

    def __init__(self) -> None:
        self.left = MOST_VALUES
        self.problem: Problem | None = None

    def text(self, name: str, text: str) -> Document:
        if self.problem:
            return Document(name, (text,), None)
        document = read_text(name, text, min(self.left, MOST_IN_DEFINITION if _is_definition(name) else MOST_NODES))
        self.left -= document.count
        if self.left < 0:
            message = f"with this file there are more than {MOST_VALUES:,} values in the application's files"
            self.problem = Problem("XRM104", message, Place(name, 1, 1), hint="import records: xrm import; part what else is too large")
        return document


def _is_definition(name: str) -> bool:
    return name == APPLICATION or (name.startswith(("entities/", packs.PREFIX)) and name.endswith(SUFFIXES))


def _typed(
    documents: Iterable[Document], parts: Mapping[str, Read], lost: tuple[str, ...], *, foreign: bool
) -> tuple[Part | None, tuple[Part, ...], tuple[Ghost, ...], tuple[Problem, ...]]:
    """The application, the entities and what is added to them as they are written, every field with a type of the language, and the
    entities of which no more than the name is known. ``foreign``: a pack that it uses is not known."""
    application: Part | None = None
    entities: list[Part] = []
    ghosts = [Ghost(Path(name).stem, Place(name, 1, 1)) for name in lost if name.startswith("entities/")]
    problems: list[Problem] = []
    for document in documents:
        part, found = parts[document.file]
        problems += found
        if document.file == APPLICATION:
            application = part
        elif part is not None and (part.word("entity") or part.word("add_to")):
            entities.append(part)
        else:
            ghosts.append(_ghost(document))
    typed, mistyped = named_types.resolve(application, entities)
    if foreign or application is None or "use" in application.broken:
        defined = {word.text for part in typed if (word := part.word("entity"))} | {ghost.name for ghost in ghosts}
        ghosts += [ghost for ghost in _strangers(typed) if ghost.name not in defined]
    return application, typed, tuple(ghosts), (*problems, *mistyped)


def _ghost(document: Document) -> Ghost:
    """The entity that a broken file most likely defines, so that links to it, and what its links call their inverses, are not
    reported as well."""
    inverses = tuple(name for line in document.lines for name in INVERSE.findall(line))
    for number, line in enumerate(document.lines, 1):
        found = ENTITY_LINE.match(line)
        if found:
            return Ghost(found[1], Place(document.file, number, 1), inverses)
    return Ghost(Path(document.file).stem, Place(document.file, 1, 1), inverses)


def _strangers(parts: Iterable[Part]) -> Iterator[Ghost]:
    """What entities speak of where the packs are not known: it may stand in one of them."""
    for part in parts:
        for inner in part.walk():
            for key in STRANGE.get(inner.kind, ()):
                yield from (Ghost(word.text, word.place) for word in inner.words(key) if word.text not in (USER, names.ANY_ENTITY))


def _shown(problems: Iterable[Problem], documents: Iterable[Document]) -> tuple[Problem, ...]:
    """In order, each with the line it is about and a hint; one problem at one place is said once."""
    lines = {document.file: document.lines for document in documents}
    once: dict[tuple[object, str, str], Problem] = {}
    for problem in problems:
        place = problem.place
        text = lines.get(place.file, ()) if place else ()
        source = text[place.line - 1] if place and place.line <= len(text) else None
        once.setdefault((place, problem.code, problem.message), replace(problem, source=source, hint=problem.hint or hints.usual(problem)))
    return ordered(_told(ordered(once.values())))


def _told(problems: Iterable[Problem]) -> Iterator[Problem]:
    """So many of a file, in order, and then how many more there are; nobody mends more at once."""
    for _, some in groupby(problems, lambda problem: problem.place.file if problem.place else ""):
        told = tuple(some)
        yield from told[:MOST_TOLD]
        rest = told[MOST_TOLD:]
        if rest:
            severity: Severity = "error" if has_errors(rest) else "warning"
            message = f"{len(rest):,} more problems follow in this file"
            yield replace(
                rest[-1], code="XRM104", message=message, path=(), hint="mend those above first, then check again", severity=severity
            )
