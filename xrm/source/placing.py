"""Where in a definition a thing stands that a problem of its data is about."""

from __future__ import annotations

from dataclasses import replace

from xrm.errors import Place, Problem
from xrm.source.checks import Meaning
from xrm.source.outline import Part


def placed(meaning: Meaning, problem: Problem) -> Problem:
    """The problem at the part that its path leads to, as far as that goes: ``note → fields → size``."""
    if problem.place is not None or not problem.path:
        return problem
    name, *rest = problem.path
    known = meaning.names.entities.get(name)
    part = known.part if known else meaning.outline.application
    place = _place(part, rest if known else [name, *rest]) if part else None
    return replace(problem, place=place) if place else problem


def _place(part: Part, path: list[str]) -> Place:
    if not path:
        return part.place
    key, *rest = path
    inner = part.named(key).get(rest[0]) if rest else part.part(key)
    if inner is not None:
        return _place(inner, rest[1:])
    return part.at(key) if part.has(key) else part.place
