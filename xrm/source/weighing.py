"""How much an application is, laid out in full: what many entities inherit counts for each of them.

A few files can say very much: a base of a hundred fields with a thousand heirs, a type of a thousand options in a thousand fields.
It is weighed before anything is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xrm.errors import Problem
from xrm.source.outline import Answer, Formula, Given, Part, Words

MOST = 90_000
"""Values: keys, names in lists, and every so many characters of an expression. An application of 300 entities with 6,000 fields has
about 60,000."""
CHARACTERS = 4
FIELD = 4
"""What a field weighs beside its keys: a column, an input, a place in every check."""


def too_much(parts: Sequence[Part]) -> Problem | None:
    """XRM104 at the entity with which it is too much. ``parts``: entities and additions, as they are written."""
    own: dict[str, int] = {}
    bases: dict[str, str] = {}
    left = MOST
    for part in parts:
        name = part.word("entity") or part.word("add_to")
        base = part.word("extends")
        if name is None:
            continue
        weight = _weight(part, left)
        own[name.text] = own.get(name.text, 0) + weight
        if base:
            bases.setdefault(name.text, base.text)
        left -= weight
        if left < 0:
            return _told(part)
    for part in parts:
        word = part.word("entity")
        if word and word.text in bases:
            left -= sum(own.get(base, 0) for base in _above(word.text, bases))
            if left < 0:
                return _told(part)
    return None


def _told(part: Part) -> Problem:
    message = f"with this entity the application holds more than {MOST:,} values, counting what entities inherit and what types bring"
    return Problem("XRM104", message, part.place, (), "let fewer entities inherit so much, or part it into several applications")


def _above(name: str, bases: Mapping[str, str]) -> Iterator[str]:
    seen = {name}
    while (name := bases.get(name, name)) not in seen:
        seen.add(name)
        yield name


def _weight(part: Part, most: int) -> int:
    """The values in a part; no further than a little over ``most``."""
    found = 0
    for inner in part.walk():
        found += (FIELD if inner.kind == "field" else 1) + sum(_value(answer) for answer in inner.values.values())
        if found > most:
            break
    return found


def _value(answer: Answer) -> int:
    if isinstance(answer, Formula):
        return 2 + len(answer.text) // CHARACTERS
    if isinstance(answer, Given):
        return len(answer.cases) + sum(_value(part) for case in answer.cases for part in (case.when, case.use) if part is not None)
    if isinstance(answer, Words):
        return len(answer.items)
    if isinstance(answer, tuple):
        return sum(_value(one[1]) for one in answer if isinstance(one, tuple))
    return 1
