"""Bombs are read in a process of their own, in two seconds of the processor and 256 MB, and what is said has a place and a hint."""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.soak.mutations.bombs import BOMBS, CHEAP
from tests.support.application import write_folder

SECONDS = 2.0
SOUND = 3.0
"""What is sound after all is large, and checked as quickly as an application of 6,000 fields."""
MEGABYTES = 256
LIMIT = 30
"""Seconds of the processor after which the process is ended."""
CHILD = r"""
import json, re, sys, time
from pathlib import Path
from xrm.source import load
base = time.process_time()
try:
    loaded, error = load(Path(sys.argv[1])), ""
    problems = loaded.problems
except BaseException as raised:
    problems, error = (), f"{type(raised).__name__}: {str(raised)[:200]}"
said = "".join(f"{one.place} {one.message} {one.hint}" for one in problems)
print(json.dumps({
    "seconds": time.process_time() - base, "whole": time.process_time(),
    "megabytes": int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
    "problems": len(problems), "error": error, "said": len(said), "codes": sorted({one.code for one in problems}),
    "bare": [f"{one.place} {one.code} {one.message[:200]}" for one in problems if not one.place or not one.hint][:3],
}))
"""


@dataclass(frozen=True)
class Burst:
    name: str
    seconds: float
    whole: float
    megabytes: float
    problems: int
    codes: tuple[str, ...]
    said: int
    bare: tuple[str, ...]
    error: str

    @property
    def harmless(self) -> bool:
        """However long it took: the suite runs on busy machines."""
        return not self.error and not self.bare and self.megabytes <= MEGABYTES

    @property
    def well(self) -> bool:
        return self.harmless and self.seconds <= (SECONDS if self.problems else SOUND)

    def __str__(self) -> str:
        told = f"{self.problems:>7} {' '.join(self.codes)}"
        more = "".join(f"\n    {one}" for one in (self.error, *self.bare) if one)
        return f"{'' if self.well else 'MISSED '}{self.name:<34}{self.seconds:>8.2f}s {self.megabytes:>6.0f} MB {self.said:>9}{told}{more}"


def limits() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


def burst(name: str, folder: Path) -> Burst:
    write_folder(folder, BOMBS[name]())
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limits,
        cwd=Path(__file__).parents[3],
    )
    if ran.returncode:
        return Burst(name, LIMIT, LIMIT, 0, 0, (), 0, (), f"ended with {ran.returncode}: {ran.stderr[-300:]}")
    found = json.loads(ran.stdout)
    return Burst(name, **{**found, "codes": tuple(found["codes"]), "bare": tuple(found["bare"])})


def bursts_of(names: tuple[str, ...], folder: Path) -> list[Burst]:
    bursts = [burst(name, folder / str(number)) for number, name in enumerate(names)]
    slowest, largest = max(one.seconds for one in bursts), max(one.megabytes for one in bursts)
    sys.stdout.write(
        "\n" + "\n".join(map(str, bursts)) + f"\n{len(bursts)} bombs, the slowest {slowest:.2f} s, the largest {largest:.0f} MB\n"
    )
    return bursts


def test_a_few_bombs_do_no_harm(tmp_path: Path) -> None:
    """Aliases, merge keys, depth, size, macros in macros, a repeated repeat and a huge integer."""
    assert not [str(one) for one in bursts_of(CHEAP, tmp_path) if not one.harmless]


@pytest.mark.soak
def test_no_bomb_does_harm(tmp_path: Path) -> None:
    """All of them."""
    assert not [str(one) for one in bursts_of(tuple(BOMBS), tmp_path) if not one.well]
