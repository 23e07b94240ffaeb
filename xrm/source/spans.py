"""Where a character of a scalar's value stands in the file, so that a fault inside an expression is shown exactly.

Plain and quoted scalars map to the very column; so do block scalars, as long as their lines are joined one to one. A
scalar that cannot be followed gives the place of its beginning.
"""

from __future__ import annotations

import re

from xrm.errors import Place
from xrm.source.document import Scalar
from xrm.source.lines import BREAK

ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|[\s\S])")


def place_of(scalar: Scalar, start: int, end: int) -> Place:
    """The place of ``scalar.text[start:end]``."""
    offsets = _offsets(scalar)
    if offsets is None or not offsets:
        return scalar.place
    first = offsets[start] if start < len(offsets) else offsets[-1] + 1
    last = offsets[min(end, len(offsets)) - 1] + 1 if end > start else first + 1
    line, column = _line_and_column(scalar, first)
    end_line, _ = _line_and_column(scalar, max(first, last - 1))
    width = last - first if line == end_line else 1
    return scalar.place._replace(line=line, column=column, width=max(1, width))


def _line_and_column(scalar: Scalar, offset: int) -> tuple[int, int]:
    breaks = list(BREAK.finditer(scalar.raw, 0, offset))
    if not breaks:
        return scalar.place.line, scalar.place.column + offset
    return scalar.place.line + len(breaks), offset - breaks[-1].end() + 1


def _offsets(scalar: Scalar) -> list[int] | None:
    """For every character of the value its offset in ``raw``; None where the two cannot be matched."""
    if scalar.plain and scalar.raw == scalar.text:
        return list(range(len(scalar.raw)))
    match scalar.style:
        case "'" | '"':
            pieces = _quoted(scalar)
        case "|" | ">":
            pieces = _block(scalar.raw)
        case _:
            pieces = [(index, character) for index, character in enumerate(scalar.raw)]
    return _follow(scalar.text, pieces)


def _quoted(scalar: Scalar) -> list[tuple[int, str]]:
    pieces, index, end = [], 1, len(scalar.raw) - 1
    while index < end:
        step = 1
        character = scalar.raw[index]
        if scalar.style == "'" and character == "'":
            step = 2
        elif scalar.style == '"' and character == "\\":
            found = ESCAPE.match(scalar.raw, index, end)
            step, character = (len(found.group()), "") if found else (1, character)
        pieces.append((index, character))
        index += step
    return pieces


def _block(raw: str) -> list[tuple[int, str]]:
    """The characters after the header line (``>-``)."""
    header = BREAK.search(raw)
    start = header.end() if header else len(raw)
    return [(index, raw[index]) for index in range(start, len(raw))]


def _follow(text: str, pieces: list[tuple[int, str]]) -> list[int] | None:
    """Walks both; a run of white space in the file may stand for one blank or break, an escape ('') for any one."""
    offsets: list[int] = []
    at = 0
    for character in text:
        if character in " \n":
            if at < len(pieces) and pieces[at][1] not in (" ", "\n", "\r", "\t", ""):
                return None
        else:
            while at < len(pieces) and pieces[at][1] != "" and pieces[at][1] != character and pieces[at][1].isspace():
                at += 1
            if at >= len(pieces) or pieces[at][1] not in ("", character):
                return None
        offsets.append(pieces[at][0] if at < len(pieces) else (pieces[-1][0] if pieces else 0))
        at = min(at + 1, len(pieces))
    return offsets
