"""What names an expression may use: asked of the caller, who knows the entity and the role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from xrm.expr.faults import UNKNOWN_NAME, Fault, did_you_mean
from xrm.expr.syntax import Path
from xrm.expr.types import Type


class Scope(Protocol):
    """The namespace of an expression.

    A name that the reader may not see is not in it at all, so that a hidden name and one that does
    not exist give the same answer.
    """

    def type_of(self, path: tuple[str, ...]) -> Type | None:
        """The type at the end of a path (`("category", "code")`), or None when there is no such path."""

    def names(self, path: tuple[str, ...]) -> Iterable[str]:
        """What may follow a path; for `()`, what it may begin with. Used for hints only."""


@dataclass(frozen=True)
class Names:
    """A scope from a flat mapping: `{"category.code": TEXT}`."""

    types: Mapping[str, Type]

    def type_of(self, path: tuple[str, ...]) -> Type | None:
        return self.types.get(".".join(path))

    def names(self, path: tuple[str, ...]) -> Iterable[str]:
        places = [name.split(".") for name in self.types]
        return {parts[len(path)] for parts in places if len(parts) > len(path) and tuple(parts[: len(path)]) == path}


def unknown_name(path: Path, scope: Scope) -> Fault:
    """The fault of a path without a type, at the first name that leads nowhere."""
    for place, name in enumerate(path.names):
        before = path.names[:place]
        following = set(scope.names(before))
        if name in following or scope.type_of((*before, name)) is not None:
            continue
        start = path.places[place]
        shown = f"'{'.'.join(before)}' has no '{name}'" if before else f"unknown name '{name}'"
        elsewhere = next((f"{one}.{name}" for one in ("this", "parent") if not before and scope.type_of((one, name)) is not None), None)
        hint = f"write {elsewhere}" if elsewhere else _hint(name, before, following)
        return Fault(UNKNOWN_NAME, shown, start, start + len(name), hint)
    names = sorted(scope.names(path.names))
    hint = f"write {'.'.join(path.names)}.{names[0]}, for example" if names else "make it a computed field there, and read that"
    return Fault(UNKNOWN_NAME, f"'{'.'.join(path.names)}' is not a value", path.start, path.end, hint)


WRITTEN = {"yes": "true", "true": "true", "no": "false", "false": "false", "none": "null"}
"""Words that other languages have for these values."""
ACTOR = ("user", "current_user", "me", "self", "own", "mine", "owned")
"""Words that other systems have for who acts, and for what is theirs."""
DECLARED = {"number": "number", "state": "lifecycle", "state_since": "lifecycle"}
"""Names that a record has where a key of its entity brings them."""


def _hint(name: str, before: tuple[str, ...], following: set[str]) -> str | None:
    if not before and name.lower() in WRITTEN:
        return f"write {WRITTEN[name.lower()]}, or quote it as a text: '{name}'"
    if not before and name in DECLARED:
        return f"records have it where the entity says '{DECLARED[name]}'"
    if not before and name in ("today", "now"):
        return f"write {name}()"
    if not before and name in ACTOR:
        return "who acts is 'actor': created_by == actor, for example"
    near = did_you_mean(name, following)
    if near is None and not before and following:
        return f"a text is quoted: '{name}'"
    return near
