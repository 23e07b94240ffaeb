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
        "time": sa.Text(), "business days": sa.BigInteger(),
    },
    "postgresql": {
        "text": postgresql.TEXT(collation="C"), "int": sa.BigInteger(), "decimal": sa.BigInteger(), "bool": sa.Boolean(), "date": sa.Date(),
        "datetime": postgresql.TIMESTAMP(timezone=True), "duration": sa.BigInteger(), "ref": postgresql.UUID(as_uuid=False),
        "time": postgresql.TEXT(collation="C"), "business days": sa.BigInteger(),
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

    def values(self, cases: Sequence[Checked]) -> list[list[tuple[Any, bool]]]:
        """For each case and record the value in the database's form, and whether a WHERE holds: all in one statement."""
        columns: list[Any] = []
        expressions: list[SqlExpression] = []
        for place, case in enumerate(cases):
            exact, where = self.clause(case, positive=False, prefix=f"v{place}_"), self.clause(case, positive=True, prefix=f"w{place}_")
            expressions += [exact, where]
            columns += [exact.clause, _held(where.clause) if case.type.name == "bool" else sa.null()]
        statement = sa.select(*(column.label(f"c{place}") for place, column in enumerate(columns)))
        rows = self.run(statement.select_from(self.table).order_by(self.table.c.place), expressions)
        return [[(_plain(row[2 * place]), bool(row[2 * place + 1])) for row in rows] for place in range(len(cases))]

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


def disagreements(case: Checked, databases: Sequence[Database]) -> list[str]:
    """Where a database gives another value than Python, or finds other records; empty when all agree."""
    return all_disagreements([case], databases)


def all_disagreements(cases: Sequence[Checked], databases: Sequence[Database], together: int = 25) -> list[str]:
    """The disagreements of many expressions, `together` in one statement; what databases cannot evaluate is only run in Python."""
    expected = {case: in_python(case) for case in cases}
    stored = [case for case in expected if not case.sql_faults]
    batches = [stored[start : start + together] for start in range(0, len(stored), together)]
    return [
        message
        for database in databases
        for batch in batches
        for case, given in zip(batch, database.values(batch), strict=True)
        for message in _differing(case, database, expected[case], given)
    ]


def _differing(case: Checked, database: Database, expected: list[Any], given: list[tuple[Any, bool]]) -> list[str]:
    wanted = [(to_database(value, case.type, database.name), value is True) for value in expected]
    return [
        f"{database.name}: {case.text} gives {theirs}, Python {ours}, for {_read(case, place)}"
        for place, (ours, theirs) in enumerate(zip(wanted, given, strict=True))
        if ours != theirs
    ]


def _held(clause: Any) -> Any:
    return sa.case((clause, sa.literal_column("1")), else_=sa.literal_column("0"))


def _plain(value: Any) -> Any:
    return str(value) if type(value).__name__ == "UUID" else value


def _read(checked: Checked, place: int) -> dict[str, Any]:
    return {path: ROWS[place].get(path) for path in sorted(checked.paths)}
