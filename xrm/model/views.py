"""Views (list definitions) and forms (edit layouts)."""

from __future__ import annotations

from dataclasses import dataclass

from xrm.model.fields import Expression, Text


@dataclass(frozen=True, slots=True)
class SortKey:
    path: str
    descending: bool = False

    def __str__(self) -> str:
        return f"-{self.path}" if self.descending else self.path


@dataclass(frozen=True, slots=True)
class View:
    """A named list: columns are paths (``category.title`` follows a link)."""

    name: str
    label: Text
    columns: tuple[str, ...]
    sort: tuple[SortKey, ...]
    filter: Expression | None = None
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under a heading. ``show``, ``required`` and ``readonly`` hold for each of them beside its own."""

    label: Text
    fields: tuple[str, ...]
    show: Expression | None = None
    required: Expression | bool = False
    readonly: Expression | bool = False
    columns: int = 0
    """How many fields stand beside each other at most; 0: as many as fit."""


@dataclass(frozen=True, slots=True)
class Form:
    """``default`` is for editing and looking, ``new`` for making a record quickly, ``print`` for paper."""

    name: str
    sections: tuple[Section, ...]
