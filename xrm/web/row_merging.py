"""Rows that two people changed at once, put together row by row: a clash is only where both changed the same field of one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Row = Mapping[str, str]
"""The texts of one row's inputs, and its ``id`` (empty for a new one)."""


def merged(base: Sequence[Row], theirs: Sequence[Row], mine: Sequence[Row]) -> list[dict[str, str]] | None:
    """The rows with both changes; None where they clash. New rows stand after the row that they were put after.

    Who moved rows has the order; where both did, it is mine.
    """
    was, now, own = ({row["id"]: row for row in rows if row["id"]} for rows in (base, theirs, mine))
    found: dict[str, dict[str, str]] = {}
    for id, row in was.items():
        if id in now and id in own:
            both = _fields(row, now[id], own[id])
            if both is None:
                return None
            found[id] = both
        elif (id in now and now[id] != row) or (id in own and own[id] != row):
            return None  # one took away what the other changed
    found |= {id: dict(row) for id, row in now.items() if id not in was}
    staying = [id for id in was if id in found]
    moved = [id for id in own if id in staying] != staying
    first, second = (mine, theirs) if moved else (theirs, mine)
    order = [dict(found[row["id"]]) if row["id"] else dict(row) for row in first if not row["id"] or row["id"] in found]
    there = {row["id"] for row in order}
    for place, row in enumerate(second):
        if not row["id"] or (row["id"] in found and row["id"] not in there):
            order.insert(_after(order, second[:place]), found.get(row["id"]) or dict(row))
    return order


def _fields(base: Row, theirs: Row, mine: Row) -> dict[str, str] | None:
    """One row with what either changed in it; None where both changed a field, each to something else."""
    found = {}
    for name in {**theirs, **mine}:
        was, now, own = (row.get(name, "") for row in (base, theirs, mine))
        if now != was and own not in (was, now):
            return None
        found[name] = own if own != was else now
    return found


def _after(order: Sequence[Row], before: Sequence[Row]) -> int:
    """The place after the last of the rows that stood before it: itself a row that was put in, or one known by its id."""
    for row in reversed(before):
        for place, one in enumerate(order):
            if (row["id"] and one["id"] == row["id"]) or (not row["id"] and one == row):
                return place + 1
    return 0
