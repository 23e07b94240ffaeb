"""What was measured, as a table of medians and ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

_console = Console(width=150, highlight=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """One load: ``cpu`` and ``backend`` in nanoseconds for all its requests, ``size`` the bytes of a body."""

    database: str
    operation: str
    aim: float | None
    server: str
    round: int
    requests: int
    seconds: float
    cpu: int
    backend: int
    size: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over the rounds, with the least and the most."""

    middle: float
    least: float
    most: float

    @staticmethod
    def of(values: Sequence[float]) -> Figure:
        return Figure(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.middle:.0f} ({self.least:.0f}–{self.most:.0f})"


def say(line: str) -> None:
    _console.print(line, soft_wrap=True, markup=False)


def show(database: str, samples: Sequence[Sample]) -> None:
    """Print one database's tables: CPU of the server's process, then requests per second and the backend's CPU."""
    names = list(dict.fromkeys(sample.operation for sample in samples))
    _console.print(_cpu_table(database, names, samples))
    _console.print(_rate_table(database, names, samples))


def _cpu_table(database: str, names: Sequence[str], samples: Sequence[Sample]) -> Table:
    table = Table(title=f"{database}: µs of server CPU for a request, median of the rounds (least–most)")
    for heading in ("operation", "raw", "core", "xrm", "raw / xrm", "of the least", "core / xrm", "aim", ""):
        table.add_column(heading, justify="left" if heading in ("operation", "") else "right")
    for name in names:
        table.add_row(name, *_cpu_row([sample for sample in samples if sample.operation == name]))
    return table


def _cpu_row(its: Sequence[Sample]) -> list[str]:
    """``of the least``: the ratio of each side's least disturbed round; on a busy machine the nearest to the truth."""
    cpu = {server: Figure.of([s.cpu / s.requests / 1000 for s in its if s.server == server]) for server in ("raw", "core", "xrm")}
    ratio, beside, aim = ratios(its, "raw"), ratios(its, "core"), its[0].aim
    verdict = "" if aim is None else "met" if ratio.middle >= aim else "missed"
    return [
        *map(str, cpu.values()),
        f"{ratio.middle:.2f} ({ratio.least:.2f}–{ratio.most:.2f})",
        f"{cpu['raw'].least / cpu['xrm'].least:.2f}",
        f"{beside.middle:.2f}",
        f"{aim:.2f}" if aim else "–",
        verdict,
    ]


def _rate_table(database: str, names: Sequence[str], samples: Sequence[Sample]) -> Table:
    table = Table(title=f"{database}: requests per second, bytes of an answer, µs of database backend CPU for a request")
    table.add_column("operation")
    for heading in ("raw/s", "core/s", "xrm/s", "raw bytes", "core bytes", "xrm bytes", "raw backend", "core backend", "xrm backend"):
        table.add_column(heading, justify="right")
    for name in names:
        its = {server: [s for s in samples if s.operation == name and s.server == server] for server in ("raw", "core", "xrm")}
        rates = [f"{median(s.requests / s.seconds for s in found):.0f}" for found in its.values()]
        sizes = [f"{median(s.size for s in found):.0f}" for found in its.values()]
        backends = [f"{median(s.backend / s.requests / 1000 for s in found):.0f}" for found in its.values()]
        table.add_row(name, *rates, *sizes, *backends)
    return table


def ratios(samples: Sequence[Sample], server: str) -> Figure:
    """CPU of a hand-written service over CPU of xrm, round by round: what was slow in a round was slow for both."""
    cpu = {(s.server, s.round): s.cpu / s.requests for s in samples}
    return Figure.of([cpu[server, number] / cpu["xrm", number] for number in sorted({s.round for s in samples})])
