"""What an import will do, worked out before its first row: each cell's field and how it is read, and how links are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xrm.expr import Moment
from xrm.model.entity import Entity
from xrm.model.fields import Field

Reader = Callable[[str], object]
"""From the text of a cell, which is never empty, to a value that its field takes; raises ``Misfit``."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row, and the field that it fills."""

    at: int
    column: str
    field: Field
    read: Reader
    empty: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Halves:
    """A point or an address whose parts stand in cells of their own, by name."""

    field: Field
    parts: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that every row gets. ``finds``: it is the word by which a link is found, not the link itself."""

    field: Field
    value: Callable[[Mapping[str, object], Moment], object]
    finds: bool = False


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """How a link finds its record. ``cells`` and ``settings`` are for a record that is created."""

    field: Field
    entity: Entity
    find: Field
    missing: str
    cells: tuple[Cell, ...] = ()
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """``width`` is the number of cells of a row; ``left_out`` the columns that nothing is made of."""

    entity: Entity
    historic: bool
    key: tuple[Field, ...]
    cells: tuple[Cell, ...]
    halves: tuple[Halves, ...]
    settings: tuple[Setting, ...]
    links: Mapping[str, LinkPlan]
    width: int
    typed: frozenset[str] = frozenset()
    """The fields whose values must have their type before the write: the key's, and those that settings read."""
    left_out: tuple[str, ...] = ()
    files: Path = Path()
    """The folder in which cells of files name paths."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The column that fills each field, for messages."""
        halves = {half.field.name: next(iter(half.parts.values())).column for half in self.halves}
        return halves | {cell.field.name: cell.column for cell in self.cells}
