"""Did you mean …? The nearest of some names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from xrm.errors import comparable

CUTOFF = 0.6


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name most like the word, or None where none is near; the same letters in another order are nearest."""
    wanted = word.lower().replace("-", "_")
    letters = sorted(wanted)
    best, found = CUTOFF, None
    matcher = SequenceMatcher(b=wanted[:100])
    for name in comparable(word, names):
        lower = name.lower()
        if lower != wanted and sorted(lower) == letters:
            return name
        matcher.set_seq1(lower[:100])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and (score := matcher.ratio()) > best:
            best, found = score, name
    return found


def did_you_mean(word: str, names: Iterable[str]) -> str | None:
    """The hint with the nearest name."""
    name = nearest(word, names)
    return f"did you mean '{name}'?" if name else None
