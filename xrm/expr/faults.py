"""What is wrong with an expression: faults are values, and one exception carries all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from xrm.errors import comparable

MAX_LENGTH = 4096
"""Longest expression, in code points."""

MAX_DEPTH = 64
"""Deepest nesting, of the text (brackets) and of the tree (a chain of 64 additions is 64 deep)."""

SYNTAX = "XRM301"
UNKNOWN_NAME = "XRM302"
TYPE_MISMATCH = "XRM303"
WRONG_CALL = "XRM304"
NOT_AN_OPTION = "XRM305"
TOO_LARGE = "XRM306"
NOT_IN_DATABASE = "XRM307"
EMPTY = "XRM308"
WRONG_RESULT = "XRM309"

CODES: dict[str, str] = {
    SYNTAX: "the text is not an expression",
    UNKNOWN_NAME: "a name that does not exist here",
    TYPE_MISMATCH: "types that do not go together",
    WRONG_CALL: "an unknown function, or wrong arguments",
    NOT_AN_OPTION: "a text that is not among the options",
    TOO_LARGE: "the expression is too long or nested too deeply",
    NOT_IN_DATABASE: "the database cannot evaluate this",
    EMPTY: "the expression is empty",
    WRONG_RESULT: "the expression gives another type than the place wants",
}


@dataclass(frozen=True)
class Fault:
    """One mistake; `start` and `end` are 0-based code-point offsets in the expression's text."""

    code: str
    message: str
    start: int
    end: int
    hint: str | None = None

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.code} at {self.start}: {self.message}{hint}"


class ExpressionError(Exception):
    """Raised with every fault that was found, ordered by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda f: (f.start, f.end, f.code)))
        super().__init__("; ".join(str(fault) for fault in self.faults))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known word, or None when nothing is near."""
    candidates = {name.lower(): name for name in sorted(comparable(word, known))}
    near = get_close_matches(word.lower(), candidates, n=1, cutoff=0.6)
    return f"did you mean '{candidates[near[0]]}'?" if near else None
