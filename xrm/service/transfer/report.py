"""What an import did: every count, every refused row with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from xrm.errors import Place, Problem
from xrm.service.transfer.table import Row

Mode = Literal["all", "good"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not written. Each reason's ``path`` is the column that it is about, where there is one."""

    row: Row
    reasons: tuple[Problem, ...]

    def problems(self, table: str) -> tuple[Problem, ...]:
        """One problem (XRM602) for each reason, at its row."""
        return tuple(
            Problem("XRM602", f"row {self.row.number:,}: {_words(reason)}", Place(table, self.row.line, 1), hint=reason.hint)
            for reason in self.reasons
        )

    def as_json(self) -> dict[str, object]:
        reasons = [
            {"code": one.code, "column": one.path[0] if one.path else None, "message": one.message, "hint": one.hint}
            for one in self.reasons
        ]
        return {"code": "XRM602", "row": self.row.number, "line": self.row.line, "reasons": reasons}


def _words(reason: Problem) -> str:
    return f"{reason.path[0]}: {reason.message}" if reason.path else reason.message


@dataclass(frozen=True, slots=True)
class Report:
    """``kept``: what is counted stands in the database. ``linked`` counts the records that links created, by entity."""

    entity: str
    mode: Mode
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    linked: Mapping[str, int] | None = None
    refusals: tuple[Refusal, ...] = ()
    flagged: int = 0
    left_out: tuple[str, ...] = ()
    times_skipped: int = 0
    times_twice: int = 0
    interrupted: bool = False
    kept: bool = True
    broken: tuple[Problem, ...] = ()
    """Where the file could not be read on."""

    @property
    def well(self) -> bool:
        return not (self.refusals or self.interrupted or self.broken)

    def nothing_written(self) -> Report:
        """The same, of an import that was undone."""
        return replace(self, created=0, updated=0, unchanged=0, linked={}, flagged=0, kept=False)

    def as_json(self) -> dict[str, object]:
        return {
            "entity": self.entity,
            "mode": self.mode,
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": len(self.refusals),
            "linked": dict(self.linked or {}),
            "flagged": self.flagged,
            "left_out": list(self.left_out),
            "times_skipped": self.times_skipped,
            "times_twice": self.times_twice,
            "interrupted": self.interrupted,
            "kept": self.kept,
            "broken": [problem.as_json() for problem in self.broken],
            "refusals": [refusal.as_json() for refusal in self.refusals],
        }
