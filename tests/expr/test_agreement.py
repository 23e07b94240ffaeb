"""Python, SQLite and PostgreSQL give the same value for every expression and record, null included."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.expr.engines import Database, all_disagreements, disagreements, postgres_database, sqlite_database
from tests.expr.expressions import conditions, numbers, systematic, texts
from tests.expr.samples import ROWS, checked
from xrm.expr import Checked, ExpressionError

SOAK = bool(os.environ.get("XRM_SOAK"))
RANDOM = settings(
    max_examples=5_000 if SOAK else 300, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, derandomize=not SOAK
)


@pytest.fixture(scope="module")
def databases(postgres_url: str) -> Iterator[list[Database]]:
    with sqlite_database() as sqlite, postgres_database(postgres_url) as postgres:
        yield [sqlite, postgres]


def compiled(text: str) -> Checked | None:
    """The expression, or None when it is refused: not all that is made up goes together."""
    try:
        return checked(text)
    except ExpressionError as error:
        if {fault.code for fault in error.faults} <= {"XRM303", "XRM304", "XRM305", "XRM306"}:
            return None
        raise


def test_every_operator_and_function_agrees_for_every_type(databases: list[Database]) -> None:
    """Enumerated, not drawn."""
    cases = list(dict.fromkeys(systematic()))
    kept = [case for case in map(compiled, cases) if case is not None]
    in_database = [case for case in kept if not case.sql_faults]
    wrong = all_disagreements(in_database, databases)
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:20])
    assert len(in_database) > 7000
    assert len(ROWS) > 50


@RANDOM
@given(conditions())
def test_random_conditions_agree(databases: list[Database], text: str) -> None:
    """Nested, over columns of every type."""
    case = compiled(text)
    assert case is None or disagreements(case, databases) == []


@RANDOM
@given(numbers(3))
def test_random_numbers_agree(databases: list[Database], text: str) -> None:
    """Also where they pass 2**53 on the way."""
    case = compiled(text)
    assert case is None or disagreements(case, databases) == []


@RANDOM
@given(texts(3))
def test_random_texts_agree(databases: list[Database], text: str) -> None:
    """Compared and measured by code point."""
    case = compiled(text)
    assert case is None or disagreements(case, databases) == []
