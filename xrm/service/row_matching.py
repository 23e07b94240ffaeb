"""Which standing row is meant by a row that is sent without its id: by what was sent of it, and by the order of the rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
NEAR = 50
"""How many of the standing rows that are left are looked at for one that holds most of the same."""


def matched(sent: Sequence[Row], was: Sequence[Row], named: Mapping[int, Row]) -> dict[int, Row]:
    """The standing rows that are meant, by the number of the row that was sent; ``named`` are those that their ids tell.

    First the row at the same place that holds the same, then any that does, in order; of those that are left, one in which more is
    the same than is not, or as much at the same place of as many rows. A row of which nothing was said but empty values means none.
    """
    found = dict(named)
    taken = {row["id"] for row in named.values()}
    left = {number: told for number, row in enumerate(sent) if number not in named and (told := _told(row))}

    def take(number: int, row: Row) -> None:
        found[number] = row
        taken.add(row["id"])
        del left[number]

    for number in [one for one in left if one < len(was)]:
        row = was[number]
        if row["id"] not in taken and all(row.get(name) == value for name, value in left[number].items()):
            take(number, row)
    marks: dict[tuple[str, ...], dict[tuple[Hashable, ...], list[Row]]] = {}
    for number, told in list(left.items()):
        names = tuple(told)
        if names not in marks:
            marks[names] = _index(names, [row for row in was if row["id"] not in taken])
        same = marks[names].get(tuple(map(_mark, told.values())), [])
        equal = next((one for one in same if one["id"] not in taken), None)
        if equal:
            take(number, equal)
    for number, told in list(left.items()):
        here = was[number] if len(sent) == len(was) and was[number]["id"] not in taken else None
        near = [one for one in was if one["id"] not in taken][:NEAR]
        like = here if here and _alike(told, here, 0) else next((one for one in near if _alike(told, one)), None)
        if like:
            take(number, like)
    return found


def _told(row: Row) -> Row:
    """What was sent of a row, in the order of the names; nothing where all of it is empty."""
    told = {name: row[name] for name in sorted(row) if name != "id"}
    return told if any(value is not None for value in told.values()) else {}


def _index(names: Sequence[str], rows: Sequence[Row]) -> dict[tuple[Hashable, ...], list[Row]]:
    found: dict[tuple[Hashable, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(_mark(row.get(name)) for name in names), []).append(row)
    return found


def _mark(value: object) -> Hashable:
    """The same for values that are equal."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _alike(told: Row, old: Row, least: int = 1) -> bool:
    """Whether more of the values are the same than are others; ``least`` is by how many. What either has not filled in says nothing."""
    both = [name for name, value in told.items() if value is not None and old.get(name) is not None]
    same = sum(1 for name in both if told[name] == old[name])
    return same > 0 and same - (len(both) - same) >= least
