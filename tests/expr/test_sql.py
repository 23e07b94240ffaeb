"""The clauses themselves: plain enough for indexes, bound, of bounded size, and run as the executor runs them."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.expr.engines import Database, disagreements, in_python, postgres_database, sqlite_database
from tests.expr.samples import ADA, MOMENT, checked
from xrm.expr import BOOL, DATE, DATETIME, DURATION, INT, TEXT, Checked, ExpressionError, decimal, list_of, ref
from xrm.expr.sql import to_database, to_sql


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Database]:
    with sqlite_database() as database:
        yield database


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Database]:
    with postgres_database(postgres_url) as database:
        yield database


def written(database: Database, text: str, positive: bool = True) -> str:
    clause = database.clause(checked(text), positive).clause
    return " ".join(str(clause.compile(dialect=database.dialect)).replace("expr_sample.", "").split())


@pytest.mark.parametrize(
    ("text", "postgres_sql", "sqlite_sql"),
    [
        ("a == 1", "a = CAST(%s AS BIGINT)", "a = ?"),
        ("1 == a", "a = CAST(%s AS BIGINT)", "a = ?"),
        ("a != 1", "a IS DISTINCT FROM CAST(%s AS BIGINT)", "a IS NOT ?"),
        ("a == b", "a IS NOT DISTINCT FROM b", "a IS b"),
        ("a == null", "a IS NULL", "a IS NULL"),
        ("name == ''", "name IS NULL", "name IS NULL"),
        ("owner == actor", "owner = CAST(%s AS UUID)", "owner = ?"),
        ("owner == actor.boss", "(owner = CAST(%s AS UUID)) OR (CAST(%s AS UUID) IS NULL) AND (owner IS NULL)", "owner IS ?"),
        ("!(a == 1)", "NOT (a IS NOT DISTINCT FROM CAST(%s AS BIGINT))", "(a IS ?) = 0"),
        ("a in [1, 2]", "a IN (CAST(%s AS BIGINT), CAST(%s AS BIGINT))", "a IN (?, ?)"),
        (
            "owner in actor.team",
            "owner = any(CAST(%s AS UUID[]))",
            "owner IN (SELECT substr(?, anon_1.value, 16) AS substr_1 FROM json_each(?) AS anon_1)",
        ),
        (
            "'x' in tags",
            "tags @> CAST(ARRAY[CAST(%s AS TEXT)] AS TEXT[])",
            "EXISTS (SELECT 1 FROM json_each(tags) AS anon_1 WHERE anon_1.value = ?)",
        ),
        ("cost > 1.005", "cost > CAST(%s AS BIGINT)", "cost > ?"),
        ("cost > rate", "(cost * CAST(%s AS BIGINT)) > rate", "(cost * ?) > rate"),
        ("name.contains('%')", "strpos(name, CAST(%s AS TEXT)) > 0", "instr(name, ?) > 0"),
        ("opened_at < now() - duration('5d')", "opened_at < CAST(%s AS TIMESTAMP WITH TIME ZONE)", "opened_at < ?"),
    ],
)
def test_the_clause_is_what_a_person_would_write(
    text: str, postgres_sql: str, sqlite_sql: str, postgres: Database, sqlite: Database
) -> None:
    """Columns stand bare, so that indexes serve."""
    assert written(postgres, text) == postgres_sql
    assert written(sqlite, text) == sqlite_sql


def test_positive_goes_through_and_or_and_branches(postgres: Database) -> None:
    """There too only `true` matters."""
    assert "DISTINCT" not in written(postgres, "a == 1 && (b == 2 || flag ? name == 'x' : word == 'y')")
    assert "DISTINCT" in written(postgres, "a == 1", positive=False)
    assert "DISTINCT" in written(postgres, "(a == 1) == flag")
    assert "DISTINCT" not in written(postgres, "!(a == 1 ? true : false)")


def test_postgresql_uses_an_index_for_what_the_actor_may_see(postgres: Database) -> None:
    """The queue and owner of a row rule are found, not scanned for."""
    postgres.connection.execute('CREATE TABLE seen (place int, owner uuid, name text COLLATE "C", cost bigint)')
    postgres.connection.execute("INSERT INTO seen SELECT n, gen_random_uuid(), 'n' || n, n FROM generate_series(1, 5000) n")
    for column in ("owner", "name", "cost"):
        postgres.connection.execute(f"CREATE INDEX ON seen ({column})")
    postgres.connection.execute("ANALYZE seen")
    seen = sa.table("seen", sa.column("place"), sa.column("owner"), sa.column("name"), sa.column("cost"))
    for text in (
        "owner == actor",
        "owner in actor.team",
        "owner == actor.boss",
        "name == 'n7'",
        "name >= 'n999'",
        "cost < 10.5",
        "owner == actor || name == 'n8'",
    ):
        found = to_sql(checked(text), lambda name: seen.c[name], "postgresql")
        compiled = sa.select(seen.c.place).where(found.clause).compile(dialect=postgres.dialect)
        given = {**compiled.params, **{name: evaluate({}, MOMENT) for name, evaluate in found.run_time}}
        if text == "owner == actor.boss":
            given = {name: value or ADA for name, value in given.items()}
        plan = postgres.connection.execute(f"EXPLAIN {compiled}", [given[name] for name in compiled.positiontup]).fetchall()
        assert "Index" in str(plan) and "Seq Scan" not in str(plan), (text, plan)
    postgres.connection.execute("DROP TABLE seen")


def test_what_reads_no_column_is_bound_once(sqlite: Database) -> None:
    """Equal parts share a bind, and the binds have the prefix."""
    found = sqlite.clause(checked("owner == actor || creator == actor || due < today() - days(3) || opened_at < now()"), True, "p1_")
    assert [name for name, _ in found.run_time] == ["p1_k0", "p1_k1", "p1_k2"]
    values = [evaluate({}, MOMENT) for _, evaluate in found.run_time]
    assert values == [bytes.fromhex(ADA.replace("-", "")), "2026-02-27", "2026-03-02T09:30:00.125000Z"]


def test_the_same_statement_serves_another_actor(sqlite: Database) -> None:
    """Statements vary by shape, never by actor."""
    found = sqlite.clause(checked("'new' in actor.roles && state == 'new'"), True)
    (bind,) = found.run_time
    assert bind[1]({}, MOMENT) == 1


@pytest.mark.parametrize("text", ["null", "flag ? null : null", "coalesce(null, null)", "actor.admin", "false", "true"])
def test_a_condition_may_be_no_more_than_a_value(text: str, sqlite: Database, postgres: Database) -> None:
    """Also null itself is a condition, which holds for nothing."""
    case = checked(text, BOOL)
    for database in (sqlite, postgres):
        assert disagreements(case, [database]) == []
        assert bool(database.found(case)) is (text in ("actor.admin", "true"))


def test_refused_expressions_raise(sqlite: Database) -> None:
    """With the faults that checking found."""
    with pytest.raises(ExpressionError) as caught:
        sqlite.clause(checked("lower(name) == 'x'"), True)
    assert caught.value.faults[0].code == "XRM307"


@pytest.mark.parametrize(
    ("value", "type_", "sqlite_form", "postgres_form"),
    [
        (None, TEXT, None, None), ("é", TEXT, "é", "é"), (True, BOOL, 1, True), (Decimal("1.50"), decimal(2), 150, 150), (3, decimal(2), 300, 300),
        (date(2026, 3, 2), DATE, "2026-03-02", date(2026, 3, 2)), (timedelta(seconds=1), DURATION, 1_000_000, 1_000_000), (ADA, ref(), bytes.fromhex(ADA.replace("-", "")), ADA),
        (datetime(987, 3, 2, tzinfo=UTC), DATETIME, "0987-03-02T00:00:00.000000Z", datetime(987, 3, 2, tzinfo=UTC)),
        ([1, 2], list_of(INT), "[1, 2]", [1, 2]), ([ADA], list_of(ref()), f'["{ADA.replace("-", "")}"]', [ADA]), ([Decimal("0.5")], list_of(decimal(1)), "[5]", [5]),
    ],
)  # fmt: skip
def test_values_have_one_form_in_each_database(value: Any, type_: Any, sqlite_form: Any, postgres_form: Any) -> None:
    """The form the store keeps them in."""
    assert to_database(value, type_, "sqlite") == sqlite_form
    assert to_database(value, type_, "postgresql") == postgres_form


@pytest.mark.parametrize("value", [Decimal("1.001"), Decimal(10) ** 20])
def test_a_decimal_that_does_not_fit_is_refused(value: Decimal) -> None:
    """Nothing is rounded in silence."""
    with pytest.raises(ValueError, match="no exact form"):
        to_database(value, decimal(2), "sqlite")


DEEP: dict[str, Callable[[int], str]] = {
    "not": lambda n: "!" * n + "flag",
    "brackets": lambda n: "(" * n + "flag" + ")" * n,
    "and": lambda n: " && ".join(["flag"] * n * 8),
    "or": lambda n: " || ".join(f"a == {k}" for k in range(n * 5)),
    "sum": lambda n: "a" + " + a" * n + " > 1",
    "right sum": lambda n: "a + (" * n + "a" + ")" * n + " > 0",
    "chain": lambda n: "flag ? a == 1 : " * n + "open",
    "then": lambda n: "flag ? (" * n + "a == 1" + ") : open" * n,
    "test": lambda n: "(" * n + "a == 1" + " ? a == 2 && flag : open)" * n,
    "mixed": lambda n: "(flag && open || " * n + "flag" + ")" * n,
    "coalesce": lambda n: "coalesce(" * n + "flag" + ", open)" * n,
    "late coalesce": lambda n: "coalesce(flag, " * n + "open" + ")" * n,
    "equal": lambda n: "(" * n + "flag" + " == open)" * n,
    "equal right": lambda n: "(flag == " * n + "open" + ")" * n,
    "minus": lambda n: "-" * n + "a > 0",
    "abs": lambda n: "abs(" * n + "a" + ")" * n + " > 0",
    "in": lambda n: "(" * n + "flag" + " in [open, flag])" * n,
    "in late": lambda n: "(flag in [open, " * n + "flag" + "])" * n,
    "item": lambda n: "(" * n + "name" + " in tags ? 'a' : word)" * n + " == 'a'",
    "list": lambda n: "a in [" + ", ".join(str(k) for k in range(n * 12)) + "]",
    "columns": lambda n: "a in [" + ", ".join(["b"] * n * 12) + "]",
    "prefix": lambda n: "name.startsWith(" + "coalesce(" * n + "name" + " + 'x', word)" * n + ")",
    "place": lambda n: "urgency > " + "coalesce(urgency, " * n + "'low'" + ")" * n,
}  # fmt: skip


def deepest(make: Callable[[int], str]) -> tuple[Checked, int]:
    """The deepest expression of a shape that the language takes and the database may evaluate."""
    for depth in range(62, 0, -1):
        try:
            case = checked(make(depth))
        except ExpressionError as error:
            if error.faults[0].code != "XRM306":
                raise
            continue
        in_python(case)
        if not case.sql_faults:
            return case, depth
        assert "deep" in case.sql_faults[-1].message or "large" in case.sql_faults[-1].message
    raise AssertionError(make(1))


@pytest.mark.parametrize("shape", DEEP)
def test_the_deepest_expressions_compile_and_run_everywhere(shape: str, sqlite: Database, postgres: Database) -> None:
    """No back-end runs out of stack, brackets or depth, and all agree: also as a part of a larger statement."""
    case, depth = deepest(DEEP[shape])
    assert depth >= 2
    for database in (sqlite, postgres):
        try:
            assert disagreements(case, [database]) == []
            _found_inside(database, case)
        except (sqlite3.Error, psycopg.Error, RecursionError) as error:
            pytest.fail(f"{database.name}, {depth} deep: {error}")


def _found_inside(database: Database, case: Checked) -> None:
    """As the row rule beneath a search: in a subquery of a bracketed condition of a subquery."""
    rule, table = database.clause(case, True), database.table
    seen = sa.select(table.c.place).where(
        sa.or_(sa.and_(sa.or_(sa.and_(rule.clause, table.c.place >= 0), table.c.place < -9), table.c.place >= -1), table.c.place < -7)
    )
    inner = sa.select(sa.func.count()).where(table.c.place.in_(sa.select(seen.subquery().c.place)))
    ((count,),) = database.run(sa.select(inner.scalar_subquery()), [rule])
    assert count == sum(value is True for value in in_python(case))
