"""Reads of a SQLite file are done where they are asked, as long as they are short."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from xrm.store.database import Database

LONG = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT count(*) FROM c"


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    made = Database(sqlite_url, threads=1)
    yield made
    made.close()


def read(database: Database, sql: str) -> tuple[object, list[str]]:
    threads: list[str] = []

    def work() -> object:
        threads.append(threading.current_thread().name)
        return database.connection.one(sql)

    return asyncio.run(database.read(work)), threads


def test_a_short_read_crosses_no_thread(database: Database) -> None:
    """A short read is done on the thread that asked."""
    assert read(database, "SELECT 1") == ((1,), [threading.current_thread().name])


def test_a_long_read_is_done_again_in_a_thread(database: Database) -> None:
    """A read that turns out long is stopped and done again where it holds nobody up, and gives the right answer."""
    answer, threads = read(database, LONG)
    assert answer == (300_000,)
    assert threads == [threading.current_thread().name, "xrm-store-0"]


def test_nothing_on_the_way_can_take_the_stop_for_a_failure(database: Database) -> None:
    """Code that answers every Exception with a page of its own does not swallow the stop."""

    def work() -> object:
        try:
            return database.connection.one(LONG)
        except Exception:  # noqa: BLE001 (as an endpoint does)
            return "an error page"

    assert asyncio.run(database.read(work)) == (300_000,)


def test_an_error_is_still_an_error(database: Database) -> None:
    """What is wrong with a statement comes out as it was."""
    with pytest.raises(Exception, match="no such table"):
        read(database, "SELECT * FROM nowhere")


def test_short_reads_stay_in_place_however_often(database: Database) -> None:
    """SQLite adds up the steps of a statement that it keeps; a short read is not taken for a long one for that."""
    short = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT count(*) FROM c"
    here = threading.current_thread().name
    assert {tuple(read(database, short)[1]) for _ in range(200)} == {(here,)}
