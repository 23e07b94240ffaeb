"""A plan: steps in order, each in words and as the SQL that will be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xrm.compile.pairing import Renaming

if TYPE_CHECKING:
    from xrm.store.database import Connection

Work = Callable[["Connection"], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One change: what it is in words, its SQL, and what of the data would be lost (None: nothing).

    ``work`` is what no statement can do, run after the SQL. ``holds``: whom it keeps waiting while it runs; ``seconds``:
    for about how long, measured on this database. ``online``: it runs before the others, while everybody works.
    """

    words: str
    sql: tuple[str, ...] = ()
    loses: str | None = None
    work: Work | None = field(default=None, compare=False)
    table: str | None = None
    column: str | None = None
    rows: int | None = None
    """Records that it reads or writes one by one; None where their number does not matter."""
    replaces: bool = False
    """Values become others, as the definition decides: what they were is left as an export, like what is lost."""
    seconds: float | None = field(default=None, compare=False)
    online: bool = False
    instead: str = field(default="", compare=False)
    """What may have been meant by a step that loses something."""


@dataclass(frozen=True, slots=True)
class Writes:
    """Records that are written by the one way to write, into the change log, once the tables are as they will be.

    ``mapping`` gives the new value for each old one; None: the field's ``fill``, else its default, where it is empty.
    """

    entity: str
    field: str
    count: int
    mapping: Mapping[str, str | None] | None = None
    table: str | None = None
    """Where a mapping takes its old values from: the table by its name before the plan."""

    @property
    def words(self) -> str:
        if self.mapping is None:
            return f"fill {self.entity}.{self.field} in {counted(self.count, 'record')} where it is empty"
        said = ", ".join(f"{old} to {new or 'nothing'}" for old, new in self.mapping.items())
        return f"move {self.entity}.{self.field} in {counted(self.count, 'record')}: {said}"


SHOWN = 5
"""Records that are named before the others are counted."""


@dataclass(frozen=True, slots=True)
class Records:
    """What happens to the reference records of an entity, by their keys. ``changed``: what of each; ``left``: those that stand and
    are no longer in the file."""

    entity: str
    added: tuple[str, ...]
    changed: Mapping[str, str]
    left: tuple[str, ...]

    @property
    def writes(self) -> bool:
        return bool(self.added or self.changed)

    @property
    def words(self) -> tuple[str, ...]:
        """A line for each thing that happens: ``create 2 records of category: bench, lamp``."""
        changed = [f"{key} ({said})" for key, said in self.changed.items()]
        lines = [("create", self.added, ""), ("change", changed, ""), ("leave", self.left, " that the file no longer has")]
        return tuple(f"{verb} {counted(len(keys), 'record')} of {self.entity}{rest}: {_listed(keys)}" for verb, keys, rest in lines if keys)


def counted(count: int, noun: str) -> str:
    """``1 record``, ``2,000 records``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, in order. ``text_changed``: the definition differs from the active release even if no table does."""

    steps: tuple[Step, ...]
    digest: str
    text_changed: bool
    base: int | None = None
    """The release that was active when the plan was made: what it was made for."""
    recompute: tuple[str, ...] = ()
    """Entities whose derived values are made anew afterwards, in a job for each."""
    writes: tuple[Writes, ...] = ()
    renamed: tuple[Renaming, ...] = ()
    locks: tuple[str, ...] = ()
    """Tables in use that nobody else can read or write while the steps run."""
    records: tuple[Records, ...] = ()
    """What happens to the reference records of each entity."""

    @property
    def empty(self) -> bool:
        return not self.steps and not self.text_changed and not any(one.writes for one in self.records)

    @property
    def losing(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.loses)

    @property
    def exported(self) -> tuple[str, ...]:
        """The tables, by their names before the plan, of which something is lost or replaced: they are exported first."""
        lossy = [step.table for step in self.steps if step.table and (step.loses or step.replaces)]
        return tuple(dict.fromkeys([*lossy, *(one.table for one in self.writes if one.table)]))

    @property
    def entities_exported(self) -> tuple[str, ...]:
        """What these tables hold, in words."""
        return tuple(dict.fromkeys(name.partition("__")[0].removeprefix("xrm_") for name in self.exported))

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(sql for step in self.steps for sql in step.sql)
