"""The rows of one transaction on their way: linked, prepared, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from xrm.service.records import PreparedWrite, Written
from xrm.service.transfer.report import Refusal
from xrm.service.transfer.table import Row


@dataclass(frozen=True, slots=True)
class Pending:
    """A record that a link creates with the first row that needs it."""

    id: str
    entity: str
    run: PreparedWrite


@dataclass(frozen=True, slots=True)
class Linked:
    """A draft whose links are ids."""

    row: Row
    values: Mapping[str, object]
    pending: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that is ready to be written."""

    row: Row
    creates: bool
    run: PreparedWrite
    pending: tuple[Pending, ...]


@dataclass(slots=True)
class Tally:
    """What one transaction did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    flagged: int = 0
    linked: Counter[str] = field(default_factory=Counter)
    made: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)

    def count(self, prepared: Prepared, written: Written) -> None:
        self.created += prepared.creates
        self.updated += written.changed and not prepared.creates
        self.unchanged += not written.changed
        self.flagged += bool(written.record.get("flags") or written.warnings)

    def add(self, other: Tally) -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.flagged += other.flagged
        self.linked += other.linked
        self.made |= other.made
