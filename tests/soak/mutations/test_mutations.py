"""One planted fault a file: is it found, where it is, with a hint that helps, quickly and without a traceback?"""

import multiprocessing
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.soak.mutations.plant import Planted
from tests.soak.mutations.wild import KINDS, planted
from xrm.errors import Place, Problem
from xrm.source import load_text, read_folder, starter

ROOT = Path(__file__).resolve().parents[3]
SEED = 20260302
SECONDS = 2.0
SHARE = 0.9
PLACED = 1
"""Lines that a report may be off."""
FILES = int(os.environ.get("XRM_MUTATIONS", "1000"))
PROCESSES = int(os.environ.get("XRM_PROCESSES", str(os.cpu_count() or 1)))
PART = 250
"""Files that a process makes at a time."""


@dataclass(frozen=True)
class Outcome:
    fault: Planted
    problems: tuple[Problem, ...]
    seconds: float
    """Of the processor: the suite runs on busy machines."""
    error: str

    @property
    def sound(self) -> bool:
        """A random edit that left a sound application."""
        return self.fault.perhaps_sound and not self.problems and not self.error

    @property
    def placed(self) -> bool:
        """The first thing that is said is about the right line, or about a name that a random edit took away."""
        place = self.problems[0].place if self.problems else None
        if place is None:
            return False
        near = place.file == self.fault.file and abs(place.line - self.fault.line) <= PLACED
        return near or bool(self.fault.words & {*told_words(self.fault, place), *re.findall(r"'(\w+)'", self.problems[0].message)})

    @property
    def bare(self) -> tuple[Problem, ...]:
        """What is said without a place or without a hint."""
        return tuple(one for one in self.problems if one.place is None or not one.hint)

    @property
    def hinted(self) -> bool:
        """What is said about the line speaks of what was meant; a line that is printed mended is well when it is put in."""
        if not self.problems:
            return False
        first = self.problems[0]
        told = self.fault.hint in f"{first.code} {first.message} {first.hint}"
        return told and (self.fault.kind != "quoting" or not first.hint or heals(self.fault, first.place, first.hint))


def told_words(fault: Planted, place: Place) -> list[str]:
    """The words that a report underlines."""
    lines = fault.files.get(place.file, "").split("\n")
    return re.findall(r"\w+", lines[place.line - 1][place.column - 1 : place.column - 1 + place.width]) if place.line <= len(lines) else []


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


@dataclass(frozen=True)
class Figure:
    """What is kept of one file. ``missed`` tells what to mend, "" where all is well."""

    mark: str
    kind: str
    sound: bool
    found: bool
    placed: bool
    hinted: bool
    bare: int
    alone: bool
    seconds: float
    error: str
    missed: str


def figure(one: Outcome) -> Figure:
    well = one.sound or (one.placed and one.hinted and not one.bare and not one.error)
    found = bool(one.problems)
    missed = "" if well else told(one)
    return Figure(
        one.fault.mark, one.fault.kind, one.sound, found, one.placed, one.hinted, len(one.bare), len(one.problems) == 1,
        one.seconds, one.error, missed,
    )  # fmt: skip


def told(one: Outcome) -> str:
    fault = one.fault
    lines = [f"{fault.kind} {fault.file}:{fault.line} {fault.what} [{fault.hint}] {one.error}"]
    lines += [f"    {found.place} {found.code} {found.message} | {found.hint}" for found in (*one.problems[:3], *one.bare[:3])]
    return "\n".join(lines)


def table(figures: Iterable[Figure]) -> str:
    """Figures by kind: how many files, how many sound after all, placed within a line, hinted, rightly so, said alone, the slowest."""
    by_kind: dict[str, list[Figure]] = defaultdict(list)
    for one in figures:
        by_kind[one.kind].append(one)
        by_kind["all"].append(one)
    rows = [f"{'kind':<20}{'files':>6}{'sound':>7}{'placed':>8}{'a hint':>8}{'right':>8}{'alone':>8}{'errors':>8}{'slowest':>10}"]
    for kind in (*KINDS, "all"):
        if kind in by_kind:
            faulty = [one for one in by_kind[kind] if not one.sound]
            shares = [
                sum(share) / max(1, len(faulty))
                for share in (
                    [one.placed for one in faulty],
                    [one.found and not one.bare for one in faulty],
                    [one.hinted for one in faulty],
                    [one.alone for one in faulty],
                )
            ]
            count, slowest = len(by_kind[kind]), max(one.seconds for one in by_kind[kind])
            errors = sum(bool(one.error) for one in faulty)
            rows.append(
                f"{kind:<20}{count:>6}{count - len(faulty):>7}"
                + "".join(f"{share:>8.1%}" for share in shares)
                + f"{errors:>8}{slowest:>9.3f}s"
            )
    return "\n".join(rows)


def prove(figures: list[Figure]) -> None:
    sys.stdout.write("\n" + "\n".join(one.missed for one in figures if one.missed) + f"\n{table(figures)}\n")
    faulty = [one for one in figures if not one.sound]
    assert not [one.missed for one in faulty if one.error]
    assert not [one.missed for one in faulty if not one.found]
    assert not [one.missed for one in faulty if one.bare]
    assert sum(one.placed for one in faulty) >= SHARE * len(faulty)
    assert sum(one.hinted for one in faulty) >= SHARE * len(faulty)


def part(number: int) -> list[Figure]:
    return [figure(tried(fault)) for fault in planted(applications(), PART, SEED + number)]


def distinct(count: int) -> list[Figure]:
    """So many different files; what two parts have made alike is counted once."""
    found: dict[str, Figure] = {}
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        at = 0
        while len(found) < count:
            more = range(at, at + max(2, (count - len(found)) // PART))
            at = more.stop
            for some in pool.map(part, more):
                found |= {one.mark: one for one in some}
                sys.stderr.write(f"{len(found)} files\n")
    return list(found.values())[:count]


def test_ninety_planted_faults_are_found_where_they_are() -> None:
    """Of ninety files with one fault each, nine in ten are reported within a line, with the right hint."""
    prove([figure(tried(fault)) for fault in planted(applications(), 90, SEED)])


@pytest.mark.soak
def test_thousands_of_planted_faults_are_found_where_they_are() -> None:
    """As many files as XRM_MUTATIONS says, a thousand otherwise: no traceback, a place and a hint for everything that is said."""
    figures = distinct(FILES)
    prove(figures)
    assert max(one.seconds for one in figures) < SECONDS
