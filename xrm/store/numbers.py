"""Human numbers: unique, in blocks, with gaps. A block is taken in a transaction of its own, so creates never queue."""

from __future__ import annotations

import threading

from xrm.store.database import Database

BLOCK = 20
TAKE = {
    "sqlite": "INSERT INTO xrm_number (name, next) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
    "postgresql": (
        "INSERT INTO xrm_number (name, next) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET next = xrm_number.next + %s RETURNING next"
    ),
}


class Numbers:
    """The next number of each series (an entity, or an entity's year). One block at a time is held in memory."""

    def __init__(self, database: Database, block: int = BLOCK) -> None:
        self._database = database
        self._block = block
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}

    def next(self, series: str) -> int:
        with self._lock:
            following, end = self._held.get(series, (0, 0))
            if following >= end:
                end = self._take(series)
                following = end - self._block
            self._held[series] = (following + 1, end)
            return following

    def _take(self, series: str) -> int:
        """The end of a new block: numbers from ``end - block`` up to but not including ``end`` are ours."""
        database = self._database
        with database.transaction() as connection:
            row = connection.one(TAKE[database.dialect], (series, self._block + 1, self._block))
        return int(row[0]) if row else self._block + 1
