"""Human numbers: unique, in blocks, with gaps. A block is taken in a transaction of its own, so creates never queue."""

from __future__ import annotations

import threading

from xrm.store.database import Connection, Database

BLOCK = 20
TAKE = {
    "sqlite": "INSERT INTO xrm_number (name, next) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
    "postgresql": (
        "INSERT INTO xrm_number (name, next) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET next = xrm_number.next + %s RETURNING next"
    ),
}
PASS = {
    "sqlite": ("INSERT INTO xrm_number (name, next) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = max(next, ? + 1) RETURNING next"),
    "postgresql": (
        "INSERT INTO xrm_number (name, next) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET next = greatest(xrm_number.next, %s + 1) RETURNING next"
    ),
}


def take(connection: Connection, series: str) -> int:
    """The next number of a series, in the caller's transaction: who comes after waits for its end, and nothing is left out."""
    row = connection.one(TAKE[connection.dialect], (series, 2, 1))
    return int(row[0]) - 1 if row else 1


class Numbers:
    """The next number of each series (an entity, or an entity's year). One block at a time is held in memory.

    ``most``: the largest block. Each block of a series is twice the one before, up to that, so that an import of many
    takes few, and one of few leaves no large gap.
    """

    def __init__(self, database: Database, most: int = BLOCK) -> None:
        self._database = database
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}
        self._sizes: dict[str, int] = {}

    def next(self, series: str) -> int:
        with self._lock:
            following, end = self._held.get(series, (0, 0))
            if following >= end:
                following, end = self._take(series)
            self._held[series] = (following + 1, end)
            return following

    def pass_over(self, series: str, used: int) -> None:
        """Go on after ``used``, which stands already. What is left of a block that was held is let go."""
        database = self._database
        with self._lock, database.transaction() as connection:
            connection.one(PASS[database.dialect], (series, used + 1, used))
            self._held.pop(series, None)

    def _take(self, series: str) -> tuple[int, int]:
        """A new block: the numbers from the first up to but not including the second are ours."""
        size = self._sizes.get(series, BLOCK)
        self._sizes[series] = min(2 * size, self._most)
        database = self._database
        with database.transaction() as connection:
            row = connection.one(TAKE[database.dialect], (series, size + 1, size))
        end = int(row[0]) if row else size + 1
        return end - size, end
