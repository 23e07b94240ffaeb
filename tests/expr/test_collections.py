"""Collections in expressions: Python, SQLite and PostgreSQL agree, null and nothing included."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.expr.engines import Database, sql_type, sqlite_database
from tests.expr.samples import ADA, BOB, MAX_COST, MAX_INT, MOMENT, SCOPE
from xrm.expr import BOOL, DATE, INT, TEXT, Checked, ExpressionError, Names, Type, compile_check, decimal, ref, to_python
from xrm.expr.sql import to_database, to_sql
from xrm.expr.types import choice, collection

LINE: dict[str, Type] = {
    "lines.amount": decimal(2), "lines.count": INT, "lines.name": TEXT, "lines.paid": BOOL, "lines.due": DATE, "lines.owner": ref("user"),
    "lines.state": choice("new", "done"),
}  # fmt: skip
OWN: dict[str, Type] = {"a": INT, "cost": decimal(2), "flag": BOOL, "name": TEXT}
INSIDE = Names(
    {
        **OWN,
        **{name: type_ for name, type_ in SCOPE.types.items() if name.startswith("actor")},
        **LINE,
        "lines": collection("line", held=True),
    }
)


def line(
    amount: str | None = None, count: int | None = None, name: str | None = None, paid: bool | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "amount": None if amount is None else Decimal(amount), "count": count, "name": name, "paid": paid,
        "due": None, "owner": None, "state": None, **more,
    }  # fmt: skip


LINES: list[list[dict[str, Any]]] = [
    [],
    [line()],
    [line("1.50", 3, "é", True, owner=ADA, state="new"), line("-2.25", -7, "Z", False, owner=BOB, state="done")],
    [line("1.50", 3, "a", True), line(None, None, "a", None), line("10.00", 0, None, False)],
    [line(str(MAX_COST), MAX_INT, "\U0001f600", True), line(str(MAX_COST), MAX_INT, "\uffee", True), line("-0.01", 1, "z", True)],
    [line(str(MAX_COST), MAX_INT, "x", True)] * 3 + [line(str(-MAX_COST), -MAX_INT, "x", True)] * 3,
]  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"a": a, "cost": None if cost is None else Decimal(cost), "flag": flag, "name": name, "lines": lines}
    for lines in LINES
    for a, cost, flag, name in [(0, "1.50", True, "a"), (None, None, None, None), (3, "-2.25", False, "é")]
]

MANY = {**ROWS[0], "lines": [line(str(-MAX_COST), -MAX_INT, "x", False)] * 1100}
"""More than 64 bits hold together; asked by itself, as it is long."""
TOGETHER = 30


class Owned:
    """The lines of a record, for `to_sql`."""

    def __init__(self, outer: Any, table: Any, place: int) -> None:
        self._table = table.alias(f"m{place}")
        self.source = self._table
        self.where = [self._table.c.record == outer.c.place]

    def column(self, path: str) -> Any:
        return self._table.c[path]


class Owners:
    """One database with the records and their lines."""

    def __init__(self, database: Database) -> None:
        self.database = database
        name = database.name
        kinds = {column: sql_type(type_, name) for column, type_ in OWN.items()}
        inner = {column.partition(".")[2]: sql_type(type_, name) for column, type_ in LINE.items()}
        self.records = sa.Table(
            "gather_record", sa.MetaData(), sa.Column("place", sa.BigInteger()), *(sa.Column(*pair) for pair in kinds.items())
        )
        self.lines = sa.Table(
            "gather_line", sa.MetaData(), sa.Column("record", sa.BigInteger()), *(sa.Column(*pair) for pair in inner.items())
        )
        self._filled(self.records, [(place, *self._stored(OWN, row)) for place, row in enumerate([*ROWS, MANY])])
        types = {column.partition(".")[2]: type_ for column, type_ in LINE.items()}
        self._filled(self.lines, [(place, *self._stored(types, one)) for place, row in enumerate([*ROWS, MANY]) for one in row["lines"]])

    def _stored(self, types: Mapping[str, Type], row: Mapping[str, Any]) -> list[object]:
        return [to_database(row[column], type_, self.database.name) for column, type_ in types.items()]

    def _filled(self, table: sa.Table, rows: Sequence[Sequence[object]]) -> None:
        made = sa.schema.CreateTable(table).compile(dialect=self.database.dialect)
        self.database.connection.execute(str(made))
        marks = ", ".join(["%s" if self.database.name == "postgresql" else "?"] * len(table.c))
        cursor = self.database.connection.cursor()
        cursor.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)

    def values(self, cases: Sequence[Checked], first: int = 0, last: int = len(ROWS) - 1) -> list[list[object]]:
        """For each case its values for some records, all in one statement."""
        made: list[str] = []

        def members(path: str) -> Owned:
            made.append(path)
            return Owned(self.records, self.lines, len(made))

        clauses = [
            to_sql(case, lambda path: self.records.c[path], self.database.name, False, f"c{n}_", members)  # type: ignore[arg-type]
            for n, case in enumerate(cases)
        ]
        statement = sa.select(*(clause.clause.label(f"v{n}") for n, clause in enumerate(clauses))).select_from(self.records)
        statement = statement.where(self.records.c.place.between(first, last)).order_by(self.records.c.place)
        found = self.database.run(statement, clauses)
        return [[_plain(case, row[n]) for row in found] for n, case in enumerate(cases)]


def _plain(case: Checked, value: object) -> object:
    return bool(value) if case.type == BOOL and value is not None else value


@pytest.fixture(scope="module")
def owners(postgres_url: str) -> Iterator[list[Owners]]:
    with sqlite_database() as sqlite, psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA gather_tests")
        connection.execute("SET search_path = gather_tests")
        database = Database("postgresql", connection)
        try:
            yield [Owners(sqlite), Owners(database)]
        finally:
            connection.execute("DROP SCHEMA gather_tests CASCADE")


def checked(text: str) -> Checked:
    return compile_check(text, INSIDE)


def disagreements(texts: Sequence[str], owners: Sequence[Owners]) -> list[str]:
    """Where a database gives another value than Python; what databases cannot evaluate is only run in Python."""
    cases = [case for case in map(checked, texts) if in_python(case) is not None and not case.sql_faults]
    wrong = []
    for one in owners:
        for start in range(0, len(cases), TOGETHER):
            batch = cases[start : start + TOGETHER]
            for case, theirs in zip(batch, one.values(batch), strict=True):
                wanted = in_python(case, one.database.name)
                places = [place for place in range(len(ROWS)) if wanted[place] != theirs[place]]
                wrong += [f"{one.database.name}: {case.text} gives {theirs[n]}, Python {wanted[n]}, for record {n}" for n in places]
    return wrong


def in_python(case: Checked, database: str | None = None, rows: Sequence[Mapping[str, Any]] = ROWS) -> list[object]:
    evaluate = to_python(case)
    values = [evaluate(row, MOMENT) for row in rows]
    return values if case.type == BOOL or database is None else [to_database(value, case.type, database) for value in values]


CONDITIONS = [
    "l.amount > 1", "l.amount == cost", "l.count < a", "l.paid", "!l.paid", "l.name == name", "l.name.startsWith('a')", "l.amount == null", "l.due < today()",
    "l.owner == actor", "l.state == 'done'", "l.paid == flag", "l.count in [3, 0]", "l.count * 2 == l.count + a", "flag", "coalesce(l.paid, true)",
    "lines.exists(k, k.amount < l.amount)", "null",
]  # fmt: skip
VALUES = ["amount", "count", "name", "due"]


def systematic() -> Iterator[str]:
    for condition in CONDITIONS:
        yield from (f"lines.exists(l, {condition})", f"lines.all(l, {condition})", f"count(lines.filter(l, {condition})) + a")
        yield f"sum(lines.filter(l, {condition}).amount) < cost"
    for value in VALUES:
        yield from (f"min(lines.{value})", f"max(lines.{value})", f"count(lines.{value})")
        yield f"max(lines.filter(l, l.paid).filter(k, k.amount > 0).{value}) == min(lines.{value})"
    yield from ("sum(lines.amount)", "sum(lines.count)", "size(lines)", "count(lines) == 0 || flag", "sum(lines.amount) * 2 > cost")
    yield from ("sum(lines.map(l, l.amount + cost))", "sum(lines.map(l, l.paid ? l.count : a))", "max(lines.map(l, l.name + 'é'))")
    yield from (
        "coalesce(min(lines.amount), 0)",
        "!lines.exists(l, l.paid) && lines.all(l, l.count > 0)",
        "sum(lines.amount) == max(lines.amount)",
    )
    yield "(flag ? sum(lines.count) : max(lines.count)) > a"
    yield from (
        "a in lines.count",
        "!(cost in lines.amount)",
        "name in lines.filter(l, l.paid).name",
        "null in lines.due",
        "actor in lines.owner",
    )


def test_every_question_agrees(owners: list[Owners]) -> None:
    """The sum of nothing is 0, the least of nothing is null, and a sum that no field holds is null on each."""
    cases = list(systematic())
    stored = [case for case in cases if not checked(case).sql_faults]
    assert len(stored) > 75, [checked(case).sql_faults for case in cases if checked(case).sql_faults]
    wrong = disagreements(cases, owners)
    assert not wrong, "\n".join(wrong[:20])


def test_a_sum_past_64_bits_is_unknown_and_no_error(owners: list[Owners]) -> None:
    cases = [
        checked(text) for text in ("sum(lines.amount)", "sum(lines.count)", "count(lines)", "min(lines.amount)", "sum(lines.count) == null")
    ]
    for one in owners:
        wanted = [in_python(case, one.database.name, [MANY]) for case in cases]
        assert one.values(cases, len(ROWS), len(ROWS)) == wanted
        assert [values[0] for values in wanted] == [None, None, 1100, wanted[3][0], True]


def conditions(depth: int = 2) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(CONDITIONS)
    joined = st.tuples(leaves, st.sampled_from(["&&", "||"]), leaves).map(lambda parts: f"({parts[0]}) {parts[1]} !({parts[2]})")
    inside = st.one_of(leaves, joined)
    asked = st.tuples(st.sampled_from(["exists", "all"]), inside).map(lambda parts: f"lines.{parts[0]}(l, {parts[1]})")
    summed = st.tuples(
        st.sampled_from(["sum", "min", "max", "count"]), inside, st.sampled_from(["amount", "count"]), st.sampled_from(["cost", "a", "0"])
    )
    compared = summed.map(lambda parts: f"{parts[0]}(lines.filter(l, {parts[1]}).{parts[2]}) >= {parts[3]}")
    whole = st.one_of(asked, compared)
    return st.tuples(whole, st.sampled_from(["&&", "||", "==", "!="]), whole).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(conditions())
def test_random_questions_agree(owners: list[Owners], text: str) -> None:
    assert disagreements([text], owners) == []


REFUSED = [
    ("lines", "XRM303", "'lines' is a collection, not a value"),
    ("lines.amount", "XRM303", "'lines' is a collection, not a value"),
    ("lines == null", "XRM303", "'lines' is a collection, not a value"),
    ("sum(lines)", "XRM304", "'sum' wants one value of each record"),
    ("sum(lines.name)", "XRM304", "'sum' does not take text"),
    ("min(lines.paid)", "XRM304", "'min' does not take bool"),
    ("max(lines.state)", "XRM304", "'max' does not take options"),
    ("lines.exists(l, l.amout > 1)", "XRM302", "'lines' has no 'amout'"),
    ("lines.exists(a, a > 1)", "XRM304", "'a' is a name already"),
    ("lines.exists(l.amount > 1)", "XRM304", "'exists' takes a name and an expression"),
    ("lines.exists(l, l.amount)", "XRM303", "'exists' wants a condition, not decimal"),
    ("a.exists(l, true)", "XRM304", "'exists' is called on a collection"),
    ("lines.map(l, l.amount).filter(k, true)", "XRM304", "'filter' is called on a collection"),
    ("lines.exists(l, lines.exists(k, lines.exists(j, true)))", "XRM306", "more than 2 collections inside one another"),
    ("name.contains('a').b", "XRM303", "'.b' may follow a name or a collection only"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "message"), REFUSED)
def test_what_cannot_be_asked_is_refused_at_its_place(text: str, code: str, message: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        checked(text)
    assert [(fault.code, fault.message) for fault in refused.value.faults] == [(code, message)]


def test_what_is_read_is_known() -> None:
    """Of the record itself and of its collections apart."""
    case = checked("lines.filter(l, l.paid == flag).exists(k, k.amount > cost) || count(lines) > a")
    assert case.paths == {"flag", "cost", "a"}
    assert case.gathered == {"lines", "lines.paid", "lines.amount"}
    assert case.reads == case.paths | case.gathered
