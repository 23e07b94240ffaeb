"""A compiled statement: SQL text and the order of its parameters, made once; ``store`` runs it on its own connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Statement:
    """``names`` in the order of the driver's parameters; ``constants`` are those that never vary."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    run_time: tuple[RunTime, ...]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]

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
    """Compile for a dialect's driver. Parameters that carry a value are constants, the others are named by the caller."""
    made = statement.compile(dialect=DIALECTS[dialect], compile_kwargs={"render_postcompile": True})
    if not isinstance(made, SQLCompiler):
        raise TypeError(f"{type(statement).__name__} is not a statement")
    processors = made._bind_processors  # noqa: SLF001 (no public way to a value's own form)
    constants = {name: _processed(processors.get(name), value) for name, value in made.params.items() if not _required(made, name)}
    names = tuple(made.positiontup or ())
    return Statement(str(made), names, constants, tuple(run_time), _picker(names))


def _processed(processor: Any, value: Any) -> Any:
    return value if processor is None or value is None else processor(value)


def _required(made: SQLCompiler, name: str) -> bool:
    bind = made.binds.get(name)
    return bind is not None and bind.required
