"""An application's folder → the text of its files, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xrm.errors import Place, Problem
from xrm.source.document import MOST_BYTES

APPLICATION = "xrm.yml"
SUFFIXES = (".yml", ".yaml")
FOLDERS = {"entities": SUFFIXES, "data": SUFFIXES, "locale": SUFFIXES, "plugins": (".py",)}
"""The folders of an application, and which of their files belong to its definition."""


@dataclass(frozen=True, slots=True)
class Files:
    """``texts`` by path with ``/``, relative to the folder; ``unread``: definitions that are there but could not be read."""

    texts: Mapping[str, str]
    problems: tuple[Problem, ...]
    unread: tuple[str, ...] = ()


def read_folder(folder: Path) -> Files:
    """``xrm.yml``, the entities, reference records, translations and the plugins' source; other folders are not read here."""
    if not (folder / APPLICATION).is_file():
        return Files({}, (_absent(folder),))
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        paths = tuple(_paths(folder))
    except OSError as error:
        return Files({}, (Problem("XRM105", f"the folder cannot be read: {error.strerror}", Place(APPLICATION, 1, 1)),))
    for path in paths:
        name = path.relative_to(folder).as_posix()
        found = _read(path, name)
        if isinstance(found, str):
            texts[name] = found
        else:
            problems.append(found)
    return Files(texts, tuple(problems), tuple(problem.place.file for problem in problems if problem.place))


def _absent(folder: Path) -> Problem:
    hint = "'xrm new DIR' makes one"
    if (folder / "xrm.yaml").is_file():
        hint = "rename xrm.yaml to xrm.yml"
    elif not folder.is_dir():
        hint = "there is no such folder"
    return Problem("XRM105", "there is no xrm.yml in the folder of the application", Place(APPLICATION, 1, 1), hint=hint)


def _paths(folder: Path) -> Iterator[Path]:
    yield folder / APPLICATION
    for name, suffixes in FOLDERS.items():
        if (folder / name).is_dir():
            yield from sorted(path for path in (folder / name).iterdir() if path.suffix in suffixes and path.name[0] != ".")


def _read(path: Path, name: str) -> str | Problem:
    if path.exists() and not path.is_file():
        return Problem("XRM105", "this is not a file", Place(name, 1, 1))
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        return Problem("XRM105", f"the file cannot be read: {error.strerror}", Place(name, 1, 1))
    if len(content) > MOST_BYTES:
        message = f"the file has more than {MOST_BYTES:,} bytes"
        return Problem("XRM104", message, Place(name, 1, 1), hint="split it into several files")
    return decoded(name, content)


def decoded(name: str, content: bytes) -> str | Problem:
    """The text of a file in UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem("XRM105", "the file is in UTF-16", Place(name, 1, 1), hint="save it as UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = f"the byte 0x{content[error.start]:02X} is not UTF-8"
        return Problem("XRM105", message, Place(name, line, column), hint="save the file as UTF-8")
