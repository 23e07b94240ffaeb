"""`kill -9` in a process of its own, before one of the statements that an apply sends to its database."""

import gc
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.application import Texts, loaded
from xrm import bootstrap
from xrm.compile.application import compile_application
from xrm.store.database import Database

DONE = 0
SECONDS = 60
SENT = ("execute", "executemany")
READING = ("SELECT", "PRAGMA", "SHOW", "BEGIN", "SET ", "LOCK ", "SAVEPOINT", "RELEASE")
"""What changes nothing: to be killed before it is to be killed before what follows."""


class Watched:
    """A driver's connection or cursor; ``before`` is called before each statement that it sends and that may change something."""

    def __init__(self, inner: Any, before: Callable[[], None]) -> None:
        self.inner, self.before = inner, before

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name in SENT:
            return lambda sql, *given, **more: (sql.lstrip().upper().startswith(READING) or self.before(), found(sql, *given, **more))[1]
        return (lambda *given, **more: Watched(found(*given, **more), self.before)) if name == "cursor" else found


def killed_before(place: int) -> Callable[[], None]:
    """Counts statements from 0, and ends the process before one of them."""
    seen = [0]

    def before() -> None:
        if seen[0] == place:
            os.kill(os.getpid(), signal.SIGKILL)
        seen[0] += 1

    return before


def watch(database: Database, before: Callable[[], None]) -> None:
    connection: Any = database.connection
    connection.raw = Watched(connection.raw, before)
    if hasattr(connection, "cursor"):
        connection.cursor = Watched(connection.cursor, before)


class Applying:
    """A plan to be applied by processes that are killed. What each would read and compile again is made here once."""

    def __init__(self, url: str, texts: Texts, exports: Path) -> None:
        self.url, self.exports = url, exports
        self.model, _ = loaded(texts)
        with closing(Database(url)) as database:
            self.before = bootstrap._current(database)
            self.plan = bootstrap.plan_of(database, self.model)
            self.compiled = {id(one): compile_application(one, database.dialect) for one in (self.before, self.model) if one}

    def killed(self, place: int) -> bool:
        """Apply, and be killed before the statement ``place`` (from 0). False: there were not so many, and it is done."""
        sys.stdout.flush()
        process = multiprocessing.get_context("fork").Process(target=self._apply, args=(place,))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: the child asks for none of their locks
            process.start()
        process.join(SECONDS)
        assert process.exitcode in (-signal.SIGKILL, DONE), f"the process at statement {place} ended with {process.exitcode}"
        return process.exitcode != DONE

    def _apply(self, place: int) -> None:
        gc.disable()  # it would walk, and so copy, all that the parent has
        bootstrap.compile_application = lambda given, dialect: self.compiled[id(given)]  # type: ignore[attr-defined]
        bootstrap._current = lambda database: self.before
        if place:  # the first has left them: they are read before anything changes, and take half the time
            bootstrap.leave_exports = lambda *given: ()  # type: ignore[assignment]
        with closing(Database(self.url)) as database:
            watch(database, killed_before(place))
            bootstrap.apply(database, self.model, self.plan, by="test", export_to=self.exports)
