"""Tiny definitions for tests: one entity around a few lines."""

from collections.abc import Mapping

from xrm.errors import Problem
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.source import load_text
from xrm.source.hints import usual

APPLICATION = "xrm: 1\nname: city\nroles: {agent: Agent, chief: {includes: agent}}\n"
FIELDS = "fields: {name: text, size: integer, owner: {type: link, to: user}, made: date, secret: {type: text, protected: true}}\n"


def files(entity: str, **more: str) -> Mapping[str, str]:
    """The texts of an application: ``entities/thing.yml``, and more entities by name; ``xrm`` replaces ``xrm.yml``."""
    application = more.pop("xrm", APPLICATION)
    others = {f"entities/{name}.yml": text for name, text in more.items()}
    return {"xrm.yml": application, "entities/thing.yml": entity, **others}


def problems(entity: str, **more: str) -> tuple[Problem, ...]:
    return load_text(files(entity, **more)).problems


def told(entity: str, **more: str) -> list[str]:
    """Every problem as ``line:column code message (hint)``, without the hint that every problem of its code or key has."""
    return [_told(problem) for problem in problems(entity, **more)]


def _told(problem: Problem) -> str:
    place = f"{problem.place.line}:{problem.place.column} " if problem.place else ""
    own = problem.hint if problem.hint != usual(problem) else None
    return f"{place}{problem.code} {problem.message}" + (f" ({own})" if own else "")


def thing(rest: str) -> list[str]:
    """What is told about the entity ``thing`` with the usual fields and these lines; its own begin in line 3."""
    return told(f"entity: thing\n{FIELDS}{rest}")


def application(entity: str, **more: str) -> Application:
    loaded = load_text(files(entity, **more))
    assert loaded.application is not None, loaded.problems
    return loaded.application


def built(rest: str = "", fields: str = FIELDS) -> Entity:
    return application(f"entity: thing\n{fields}{rest}").entities["thing"]
