"""A part of a transaction that can be undone alone. Both databases know SQL's savepoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from xrm.store.database import Connection


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What happens inside is undone when it raises, and the transaction goes on."""
    connection.run("SAVEPOINT part")
    try:
        yield
    except BaseException:
        connection.run("ROLLBACK TO SAVEPOINT part")
        connection.run("RELEASE SAVEPOINT part")
        raise
    connection.run("RELEASE SAVEPOINT part")
