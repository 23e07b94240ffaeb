"""What a folder proposes to be: its definition, read and checked with its plugins. Needs no database, and imports nothing that does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xrm import plugins, source
from xrm.collecting import uncollected
from xrm.errors import Invalid, Problem, has_errors, ordered
from xrm.model.application import Application
from xrm.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a folder says, checked with its plugins; ``application`` is None when it has errors."""

    application: Application | None
    plugins: Plugins
    problems: tuple[Problem, ...]


@uncollected()
def propose(folder: Path) -> Proposed:
    """Read and check a folder with its plugins. Never raises for what an administrator wrote."""
    files = source.read_folder(folder).texts
    loaded, refused = plugins.load(files)
    found = source.load(folder, loaded.functions)
    own = found.problems
    if refused:  # functions of a plugin that did not load are not unknown, only away
        own = tuple(problem for problem in own if problem.code != UNKNOWN_FUNCTION)
    problems = ordered([*own, *(with_line(problem, files) for problem in refused)])
    return Proposed(None if has_errors(problems) else found.application, loaded, problems)


UNKNOWN_FUNCTION = "XRM304"


def with_line(problem: Problem, files: Mapping[str, str]) -> Problem:
    """The problem with the line of text it is about."""
    place = problem.place
    lines = files.get(place.file, "").splitlines() if place else []
    return replace(problem, source=lines[place.line - 1]) if place and place.line <= len(lines) else problem


def proposed_application(folder: Path) -> Application:
    """The application in a folder.

    Raises:
        Invalid: with every problem of the definition.
    """
    proposed = propose(folder)
    if proposed.application is None:
        raise Invalid(*proposed.problems)
    return proposed.application
