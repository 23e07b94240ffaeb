"""The three that must agree: the Python closure, SQLite and PostgreSQL, over the same records."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from tests.expr.samples import COLUMNS, MOMENT, ROWS
from xrm.expr import Checked, Type, to_python
from xrm.expr.sql import SqlExpression, to_database, to_sql

SQL_TYPES: dict[str, dict[str, Any]] = {
    "sqlite": {
        "text": sa.Text(), "int": sa.BigInteger(), "decimal": sa.BigInteger(), "bool": sa.Boolean(create_constraint=False), "date": sa.Text(),
        "datetime": sa.Text(), "duration": sa.BigInteger(), "ref": sa.LargeBinary(16), "list": sa.Text(),
    },
    "postgresql": {
        "text": postgresql.TEXT(collation="C"), "int": sa.BigInteger(), "decimal": sa.BigInteger(), "bool": sa.Boolean(), "date": sa.Date(),
        "datetime": postgresql.TIMESTAMP(timezone=True), "duration": sa.BigInteger(), "ref": postgresql.UUID(as_uuid=False),
    },
}  # fmt: skip


def sql_type(type_: Type, dialect: str) -> Any:
    if dialect == "postgresql" and type_.name == "list":
        assert type_.item is not None
        return postgresql.ARRAY(sql_type(type_.item, dialect))
    return SQL_TYPES[dialect][type_.name]


class Database:
    """One database with the sample records; executes compiled text on the driver's own connection."""

    def __init__(self, name: str, connection: Any) -> None:
        self.name = name
        self.connection = connection
        self.dialect: Any = psycopg_dialect(paramstyle="format") if name == "postgresql" else sqlite_dialect(paramstyle="qmark")
        columns = [sa.Column(column.replace(".", "_"), sql_type(type_, name)) for column, type_ in COLUMNS.items()]
        self.table = sa.Table("expr_sample", sa.MetaData(), sa.Column("place", sa.BigInteger()), *columns)
        self._fill()

    def column(self, name: str) -> Any:
        return self.table.c[name.replace(".", "_")]

    def _fill(self) -> None:
        from sqlalchemy.schema import CreateTable

        self.connection.execute(str(CreateTable(self.table, if_not_exists=False).compile(dialect=self.dialect)))
        mark = "%s" if self.name == "postgresql" else "?"
        places = ", ".join([mark] * (1 + len(COLUMNS)))
        for place, row in enumerate(ROWS):
            stored = [to_database(row[column], type_, self.name) for column, type_ in COLUMNS.items()]
            self.connection.execute(f"INSERT INTO expr_sample VALUES ({places})", [place, *stored])

    def clause(self, checked: Checked, positive: bool, prefix: str = "xrm_") -> SqlExpression:
        return to_sql(checked, self.column, self.name, positive, prefix)  # type: ignore[arg-type]

    def run(self, statement: Any, expressions: Sequence[SqlExpression]) -> list[tuple[Any, ...]]:
        compiled = statement.compile(dialect=self.dialect)
        given = dict(compiled.params)
        for expression in expressions:
            given.update((name, evaluate({}, MOMENT)) for name, evaluate in expression.run_time)
        return list(self.connection.execute(str(compiled), [given[name] for name in compiled.positiontup]).fetchall())

    def values(self, checked: Checked) -> list[tuple[Any, bool]]:
        """For each record the value in the database's form, and whether a WHERE holds: two expressions in one statement."""
        exact, where = self.clause(checked, positive=False), self.clause(checked, positive=True, prefix="where_")
        holds = sa.case((where.clause, sa.literal_column("1")), else_=sa.literal_column("0")) if checked.type.name == "bool" else sa.null()
        statement = sa.select(exact.clause, holds).order_by(self.table.c.place).select_from(self.table)
        return [(_plain(value), bool(held)) for value, held in self.run(statement, [exact, where])]

    def found(self, checked: Checked) -> list[int]:
        """The places of the records for which a WHERE holds."""
        where = self.clause(checked, positive=True)
        statement = sa.select(self.table.c.place).where(where.clause).order_by(self.table.c.place)
        return [row[0] for row in self.run(statement, [where])]


@contextmanager
def sqlite_database() -> Iterator[Database]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield Database("sqlite", connection)


@contextmanager
def postgres_database(url: str) -> Iterator[Database]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA expr_tests")
        connection.execute("SET search_path = expr_tests")
        connection.execute("SET timezone = 'Asia/Kathmandu'")
        try:
            yield Database("postgresql", connection)
        finally:
            connection.execute("DROP SCHEMA expr_tests CASCADE")


def in_python(checked: Checked) -> list[Any]:
    evaluate = to_python(checked)
    return [evaluate(row, MOMENT) for row in ROWS]


def disagreements(checked: Checked, databases: Sequence[Database]) -> list[str]:
    """Where a database gives another value than Python, or finds other records; empty when all agree."""
    expected = in_python(checked)
    if checked.sql_faults:
        return []
    return [message for database in databases for message in _differing(checked, database, expected)]


def _differing(checked: Checked, database: Database, expected: list[Any]) -> list[str]:
    wanted = [(to_database(value, checked.type, database.name), value is True) for value in expected]
    return [
        f"{database.name}: {checked.text} gives {theirs}, Python {ours}, for {_read(checked, place)}"
        for place, (ours, theirs) in enumerate(zip(wanted, database.values(checked), strict=True))
        if ours != theirs
    ]


def _plain(value: Any) -> Any:
    return str(value) if type(value).__name__ == "UUID" else value


def _read(checked: Checked, place: int) -> dict[str, Any]:
    return {path: ROWS[place].get(path) for path in sorted(checked.paths)}
