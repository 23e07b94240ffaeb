"""One planted fault a file: is it found, where it is, with a hint that helps, quickly and without a traceback?"""

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.soak.mutations.plant import KINDS, Planted, planted
from xrm.errors import Place, Problem
from xrm.source import load_text, read_folder, starter

ROOT = Path(__file__).resolve().parents[3]
SEED = 20260302
SECONDS = 2.0
SHARE = 0.9
PLACED = 1
"""Lines that a report may be off."""


@dataclass(frozen=True)
class Outcome:
    fault: Planted
    problems: tuple[Problem, ...]
    seconds: float
    """Of the processor: the suite runs on busy machines."""
    error: str

    @property
    def placed(self) -> bool:
        """The first thing that is said is about the right line."""
        place = self.problems[0].place if self.problems else None
        return bool(place and place.file == self.fault.file and abs(place.line - self.fault.line) <= PLACED)

    @property
    def hinted(self) -> bool:
        """What is said about the line speaks of what was meant; a line that is printed mended is well when it is put in."""
        if not self.problems:
            return False
        first = self.problems[0]
        told = self.fault.hint in f"{first.code} {first.message} {first.hint}"
        return told and (self.fault.kind != "quoting" or not first.hint or heals(self.fault, first.place, first.hint))


def heals(fault: Planted, place: Place | None, hint: str) -> bool:
    """Whether the file is YAML again with the line that the hint prints."""
    if place is None or not hint.startswith("write: "):
        return False
    lines = fault.files[place.file].split("\n")
    indent = len(lines[place.line - 1]) - len(lines[place.line - 1].lstrip())
    lines[place.line - 1] = " " * indent + hint.removeprefix("write: ")
    problems = load_text({**fault.files, place.file: "\n".join(lines)}).problems
    return not any(problem.code.startswith("XRM1") for problem in problems)


def applications() -> list[Mapping[str, str]]:
    own = sorted((ROOT / "tests/source/applications").iterdir())
    examples = sorted(path for path in (ROOT / "examples").glob("*") if (path / "xrm.yml").is_file())
    found = [read_folder(path).texts for path in (*own, *examples)]
    found.append({name: text for name, text in starter.files("my_agency").items() if name != "README.md"})
    return [files for files in found if load_text(files).application is not None]


def tried(fault: Planted) -> Outcome:
    start = time.process_time()
    try:
        problems, error = load_text(fault.files).problems, ""
    except Exception as raised:  # noqa: BLE001 - any traceback is what this looks for
        problems, error = (), f"{type(raised).__name__}: {raised}"
    return Outcome(fault, problems, time.process_time() - start, error)


def table(outcomes: Iterable[Outcome]) -> str:
    """Figures by kind: how many, placed within a line, hinted, said alone, the slowest."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.fault.kind].append(outcome)
        by_kind["all"].append(outcome)
    rows = [f"{'kind':<18}{'files':>6}{'placed':>8}{'hinted':>8}{'alone':>8}{'slowest':>10}"]
    for kind in (*KINDS, "all"):
        some = by_kind.get(kind, [])
        if some:
            placed = sum(one.placed for one in some) / len(some)
            hinted = sum(one.hinted for one in some) / len(some)
            alone = sum(len(one.problems) == 1 for one in some) / len(some)
            slowest = max(one.seconds for one in some)
            rows.append(f"{kind:<18}{len(some):>6}{placed:>8.1%}{hinted:>8.1%}{alone:>8.1%}{slowest:>9.3f}s")
    return "\n".join(rows)


def missed(outcomes: Iterable[Outcome]) -> str:
    lines = []
    for one in outcomes:
        if not (one.placed and one.hinted):
            fault = one.fault
            lines.append(f"{fault.kind} {fault.file}:{fault.line} {fault.what} [{fault.hint}] {one.error}")
            lines += [f"    {found.place} {found.code} {found.message} | {found.hint}" for found in one.problems[:3]]
    return "\n".join(lines)


def prove(count: int) -> None:
    outcomes = [tried(fault) for fault in planted(applications(), count, SEED)]
    sys.stdout.write(f"\n{missed(outcomes)}\n{table(outcomes)}\n")
    assert not [one.error for one in outcomes if one.error]
    assert not [one.fault for one in outcomes if not one.problems]
    assert max(one.seconds for one in outcomes) < SECONDS
    assert sum(one.placed for one in outcomes) >= SHARE * count
    assert sum(one.hinted for one in outcomes) >= SHARE * count


def test_sixty_planted_faults_are_found_where_they_are() -> None:
    """Of sixty files with one fault each, nine in ten are reported within a line, with the right hint, in two seconds."""
    prove(60)


@pytest.mark.soak
def test_a_thousand_planted_faults_are_found_where_they_are() -> None:
    """Of a thousand files with one fault each, nine in ten are reported within a line, with the right hint, in two seconds."""
    prove(1000)
