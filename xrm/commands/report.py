"""Problems as people read them, and as programs do.

entities/service_request.yml:9:31  XRM203  unknown entity 'servce_category' in fields → category → to
     9 |   category:  {type: link, to: servce_category, required: true, filter: active}
       |                               ^^^^^^^^^^^^^^^ did you mean 'service_category' (entities/service_category.yml:1)?
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence

from xrm.errors import Place, Problem

NUMBER_WIDTH = 6
WINDOW = 200
"""Most characters of a source line that are shown."""
BEFORE = 60
"""How many of them stand before the place, where the line is longer."""

RED, YELLOW, BOLD, DIM, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """Every problem with its line and its hint, parted by an empty line."""
    return "\n\n".join(_problem(problem, colour) for problem in problems)


def as_json(problems: Iterable[Problem]) -> str:
    """A JSON array with one object for each problem (``Problem.as_json``)."""
    return json.dumps([problem.as_json() for problem in problems], indent=2, ensure_ascii=False)


def counted(problems: Sequence[Problem]) -> str:
    """``2 problems, 1 warning``."""
    warnings = sum(problem.severity == "warning" for problem in problems)
    errors = len(problems) - warnings
    parts = [_many(errors, "problem")] if errors or not warnings else []
    return ", ".join([*parts, _many(warnings, "warning")] if warnings else parts)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _problem(problem: Problem, colour: bool) -> str:
    path = f" in {' → '.join(problem.path)}" if problem.path else ""
    warning = "warning: " if problem.severity == "warning" else ""
    place = f"{problem.place}  " if problem.place else ""
    tint = YELLOW if warning else RED
    code = _painted(problem.code, tint, colour)
    head = f"{_painted(_safe(place), BOLD, colour)}{code}  {_safe(warning + problem.message + path)}"
    hint = _safe(problem.hint or "")
    if problem.place is None or problem.source is None:
        return f"{head}\n{' ' * NUMBER_WIDTH} = {hint}" if hint else head
    return "\n".join((head, *_pointed(problem.place, problem.source, hint, tint if colour else "")))


def _pointed(place: Place, source: str, hint: str, tint: str) -> tuple[str, str]:
    """The source line, and beneath it carets and the hint."""
    start = max(0, place.column - 1 - BEFORE) if len(source) > WINDOW else 0
    window = source[start : start + WINDOW]
    before, under = window[: place.column - 1 - start], window[place.column - 1 - start :][: place.width]
    bar = _painted("|", DIM, bool(tint))
    cut = "…" if start else ""
    carets = _painted("^" * max(1, _columns(under)), tint, bool(tint))
    pointer = f"{' ' * (_columns(before) + len(cut))}{carets} {hint}".rstrip()
    return f"{place.line:>{NUMBER_WIDTH}} {bar} {cut}{_safe(window)}", f"{' ' * NUMBER_WIDTH} {bar} {pointer}"


def _columns(text: str) -> int:
    """How wide a terminal shows it (Unicode TR 11)."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _safe(text: str) -> str:
    """Without what a terminal would obey: an escape in a file is shown, not run."""
    return "".join(" " if character in "\t\n" else character if unicodedata.category(character) != "Cc" else "·" for character in text)


def _painted(text: str, colour: str, on: bool) -> str:
    return f"{colour}{text}{PLAIN}" if on and text else text
