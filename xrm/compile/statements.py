"""A compiled statement: SQL text and the order of its parameters, made once; ``store`` runs it on its own connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from xrm.compile.columns import DialectName
from xrm.expr import Moment

DIALECTS: Mapping[DialectName, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}

RunTime = tuple[str, Callable[[Mapping[str, object], Moment], object]]
"""A parameter whose value is worked out for each operation (now, today, the actor): its name and its closure."""


class Statement:
    """One statement for one dialect's driver, compiled when it is first asked for: a large application has thousands, and a process
    needs few of them at once. ``names`` are in the order of the driver's parameters; ``constants`` are those that never vary."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]

    def __init__(self, clause: sa.sql.ClauseElement, dialect: DialectName, run_time: tuple[RunTime, ...]) -> None:
        self.run_time = run_time
        self._clause = clause
        self._dialect = dialect

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet. Two threads that compile at once come to the same."""
        if name not in Statement.__annotations__:
            raise AttributeError(name)
        made = self._clause.compile(dialect=DIALECTS[self._dialect], compile_kwargs={"render_postcompile": True})
        if not isinstance(made, SQLCompiler):
            raise TypeError(f"{type(self._clause).__name__} is not a statement")
        processors = made._bind_processors  # noqa: SLF001 (no public way to a value's own form)
        names = tuple(made.positiontup or ())
        constants = {own: _processed(processors.get(own), value) for own, value in made.params.items() if not _required(made, own)}
        self.__dict__ |= {"sql": str(made), "names": names, "constants": constants, "pick": _picker(names)}
        return self.__dict__[name]

    def bind(self, values: Mapping[str, Any], moment: Moment | None = None) -> tuple[Any, ...]:
        """The parameters in order. A name with no value is a programming error and raises ``KeyError``."""
        if self.constants:
            values = {**self.constants, **values}
        if self.run_time and moment is not None:
            values = {**values, **{name: closure({}, moment) for name, closure in self.run_time}}
        return self.pick(values)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def compiled(statement: sa.sql.ClauseElement, dialect: DialectName, run_time: Iterable[RunTime] = ()) -> Statement:
    """A statement for a dialect's driver. Parameters that carry a value are constants, the others are named by the caller."""
    return Statement(statement, dialect, tuple(run_time))


def _processed(processor: Any, value: Any) -> Any:
    return value if processor is None or value is None else processor(value)


def _required(made: SQLCompiler, name: str) -> bool:
    bind = made.binds.get(name)
    return bind is not None and bind.required
