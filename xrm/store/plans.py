"""A plan: steps in order, each in words and as the SQL that will be run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One change: what it is in words, its SQL, and what of the data would be lost (None: nothing)."""

    words: str
    sql: tuple[str, ...]
    loses: str | None = None


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

    records: tuple[str, ...] = ()
    """What happens to the reference records of each entity, in words."""
    seeds: bool = False
    """Whether any of them is written."""

    @property
    def empty(self) -> bool:
        return not self.steps and not self.text_changed and not self.seeds

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(sql for step in self.steps for sql in step.sql)
