"""A test that cannot run here is counted, named in red at the end, and fails the run when CI=true. Nothing is skipped in silence.

`missing(what, how)` stops the test. The two hooks at the end, called from `conftest.py`, carry the word from an xdist worker to the
process that prints the summary, and set the exit status.
"""

import os
from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

import pytest


@dataclass(frozen=True)
class Missing:
    """What was not there, how to get it, and whether CI may pass without it."""

    what: str
    how: str
    fatal: bool = True


class NotRun(pytest.skip.Exception):  # type: ignore[name-defined, misc]  # an attribute that pytest sets on the function
    """Ends a test that cannot run on this machine."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(f"not run: {missing.what} ({missing.how})")
        self.missing = missing


def missing(what: str, how: str, *, fatal: bool = True) -> NoReturn:
    """Marks the running test as not run because `what` is missing; `how` is the one command or setting that mends it.

    With CI=true one fatal `missing` makes the session exit with status 1.
    """
    raise NotRun(Missing(what, how, fatal))


def in_ci() -> bool:
    """Whether nothing may be left out: CI=true, as most CI services set it."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


class NotRunRegistry:
    """Counts the tests not run, for the summary. Lives in the process that prints it."""

    def __init__(self) -> None:
        self._counts: Counter[Missing] = Counter()

    def collect(self, report: pytest.TestReport) -> None:
        """Counts a report that `note_missing` marked, in whatever process the test ran."""
        noted = getattr(report, "xrm_missing", None)
        if noted is not None:
            self._counts[Missing(*noted)] += 1

    def fails_the_session(self) -> bool:
        return in_ci() and any(missing.fatal for missing in self._counts)

    def print_summary(self, terminal: pytest.TerminalReporter) -> None:
        """One red line for each missing thing, with its count and its cure."""
        if not self._counts:
            return
        total = sum(self._counts.values())
        terminal.section(f"{total} tests NOT RUN", sep="!", red=True, bold=True)
        for missing, count in sorted(self._counts.items(), key=lambda item: item[0].what):
            terminal.line(f"{count} not run: {missing.what}. To run them: {missing.how}", red=True)
        if self.fails_the_session():
            terminal.line("CI=true: what cannot run fails the run.", red=True, bold=True)


def note_missing(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Puts the missing thing on the report as plain data, since reports travel between processes."""
    if call.excinfo is not None and isinstance(call.excinfo.value, NotRun):
        missing = call.excinfo.value.missing
        report.xrm_missing = (missing.what, missing.how, missing.fatal)  # type: ignore[attr-defined]  # extra attributes travel by design
