"""Who may do what. Rights only add up; nothing takes one away (LANGUAGE, rule 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from xrm.model.fields import Expression, Text

Right = Literal["read", "create", "update", "delete"]
RIGHTS: tuple[Right, ...] = ("read", "create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Role:
    """``includes``: the roles whose rights this one has too, already complete (transitively)."""

    name: str
    label: Text
    includes: tuple[str, ...] = ()
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role may do with one entity.

    A right is True, or an expression over the record that must hold; a right that is not granted is absent, so that
    nothing can compile from an empty one. ``sees`` and ``edits`` name protected fields. ``historic`` allows importing
    records as they were (any state, any time) with a mark in the change log.
    """

    role: str
    rights: Mapping[Right, Expression | Literal[True]]
    sees: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    historic: bool = False
