"""The driver: a folder of YAML → a checked, frozen Application, or every problem in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xrm.errors import Place, Problem, has_errors, ordered
from xrm.expr import STANDARD, Function
from xrm.model.application import Application
from xrm.source import build, checks, hints, inference, lay, listing, named_types, names, packs, schema, translations
from xrm.source.document import Document, read_text
from xrm.source.folder import APPLICATION, SUFFIXES, read_folder
from xrm.source.outline import Ghost, Outline, Part

Read = tuple[Part | None, tuple[Problem, ...]]
"""What the structure check gives for a file."""

MOST_FILES = 1_000
"""Files of one application that define entities: what checks them has an end."""

ENTITY_LINE = re.compile(r"(?:entity|add_to):\s*['\"]?([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """``application`` is None if one of the problems is an error; problems are ordered by place. ``meaning``: all that was found out."""

    application: Application | None
    problems: tuple[Problem, ...]
    meaning: checks.Meaning | None = None


def load(folder: Path, functions: Mapping[str, Function] = STANDARD) -> Loaded:
    """The application in a folder. ``functions`` are those that expressions may call."""
    files = read_folder(folder)
    if not files.texts:
        return Loaded(None, _shown(files.problems, ()))
    return _load(files.texts, functions, files.problems, files.unread)


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
    documents = [read_text(name, files[name]) for name in definitions]
    data = [read_text(name, text) for name, text in files.items() if name.startswith(listing.FOLDER)]
    types = next((named_types.declared(document) for document in documents if document.file == APPLICATION), ())
    parts = {document.file: schema.read(document, types) for document in documents}
    used, misnamed = packs.texts(parts[APPLICATION][0] if APPLICATION in parts else None, files)
    files = {**used, **files}
    documents = [*(read_text(name, text) for name, text in used.items()), *documents]
    parts |= {document.file: schema.read(document, types) for document in documents[: len(used)]}
    found, structure = _outlined(documents, parts, lost)
    listed = [listing.read(document) for document in data]
    found = replace(found, listings=tuple(one for one, _ in listed if one))
    own = names.locale_of(found.application)
    languages = [read_text(name, text) for name, text in files.items() if name.startswith(translations.FOLDER)]
    found, told = translations.translated(found, languages, own)
    told += translations.check_locales(found, own)
    documents += [*data, *languages]
    known = inference.inferred(names.index(found), functions)
    meaning, meant = checks.check(found, known, functions)
    read = [problem for document in documents for problem in document.problems]
    problems = _shown(
        (*unread, *read, *misnamed, *structure, *(problem for _, some in listed for problem in some), *told, *meant), documents
    )
    if has_errors(problems):
        return Loaded(None, problems, meaning)
    return Loaded(build.build(meaning, files), problems, meaning)


def _is_definition(name: str) -> bool:
    return name == APPLICATION or (name.startswith(("entities/", packs.PREFIX)) and name.endswith(SUFFIXES))


def _outlined(documents: Iterable[Document], parts: Mapping[str, Read], lost: tuple[str, ...]) -> tuple[Outline, tuple[Problem, ...]]:
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
    outline, laid = lay.lay(application, typed, ghosts)
    return outline, (*problems, *mistyped, *laid)


def _ghost(document: Document) -> Ghost:
    """The entity that a broken file most likely defines, so that links to it are not reported as well."""
    for number, line in enumerate(document.lines, 1):
        found = ENTITY_LINE.match(line)
        if found:
            return Ghost(found[1], Place(document.file, number, 1))
    return Ghost(Path(document.file).stem, Place(document.file, 1, 1))


def _shown(problems: Iterable[Problem], documents: Iterable[Document]) -> tuple[Problem, ...]:
    """In order, each with the line it is about and a hint; one problem at one place is said once."""
    lines = {document.file: document.lines for document in documents}
    once: dict[tuple[object, str, str], Problem] = {}
    for problem in problems:
        place = problem.place
        text = lines.get(place.file, ()) if place else ()
        source = text[place.line - 1] if place and place.line <= len(text) else None
        once.setdefault((place, problem.code, problem.message), replace(problem, source=source, hint=problem.hint or hints.usual(problem)))
    return ordered(once.values())
