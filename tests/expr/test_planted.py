"""The comparison of the engines has teeth: a mistake planted in one of them is found."""

import operator
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, find, settings
from hypothesis.errors import NoSuchExample

from tests.expr.engines import Database, disagreements, postgres_database, sqlite_database
from tests.expr.expressions import conditions, systematic
from tests.expr.samples import checked
from xrm.expr import Checked, ExpressionError, python, sql, values
from xrm.expr.typed import Logical, Membership

Patch = pytest.MonkeyPatch
WRITER = sql._Writer


def plain_inequality(patch: Patch) -> None:
    """!= as SQL's <>."""
    infix = sql._infix

    def mistaken(left: Any, sign: str, right: Any, type_: Any = None) -> Any:
        null = isinstance(right, sa.sql.elements.Null)
        return infix(left, "<>" if sign in ("IS NOT", "IS DISTINCT FROM") and not null else sign, right, type_)

    patch.setattr(sql, "_infix", mistaken)


def plain_equality(patch: Patch) -> None:
    """== as SQL's = everywhere."""
    patch.setattr(sql, "_never_null", lambda node: True)


def two_valued_logic(patch: Patch) -> None:
    """Unknown operands of && and || as false."""
    logical = WRITER._logical

    def mistaken(self: Any, node: Logical, positive: bool) -> Any:
        return sa.func.coalesce(logical(self, node, positive), sa.false())

    patch.setattr(WRITER, "_logical", mistaken)


def pythons_own_and(patch: Patch) -> None:
    """&& and || that stop at an unknown operand, in the closure."""
    logical = python._Writer._logical

    def mistaken(self: Any, node: Logical) -> str:
        result = logical(self, node)
        return str(self._assign(f"{result} is True"))

    patch.setattr(python._Writer, "_logical", mistaken)


def like_for_contains(patch: Patch) -> None:
    """contains as LIKE, whose % and _ are wild and whose ASCII letters have no case in SQLite."""
    text_test = WRITER._text_test

    def mistaken(self: Any, name: str, text: Any, part: Any) -> Any:
        if name == "contains":
            return text.op("LIKE")(sa.literal_column("'%'").op("||")(part).op("||")(sa.literal_column("'%'")))
        return text_test(self, name, text, part)

    patch.setattr(WRITER, "_text_test", mistaken)


def floor_division(patch: Patch) -> None:
    """Python's // for /."""
    patch.setitem(python._NUMBER_CALLS, "int/", lambda left, right: left // right if right else None)


def pythons_own_modulo(patch: Patch) -> None:
    """The sign of the divisor for %."""
    patch.setitem(python._NUMBER_CALLS, "int%", operator.mod)


def collation_without_case(patch: Patch) -> None:
    """Text in the order of people."""
    order = WRITER._order
    patch.setattr(WRITER, "_order", lambda self, node: _collated(order(self, node), node, "NOCASE"))


def _collated(clause: Any, node: Any, collation: str) -> Any:
    if node.left.type.name == "text" and isinstance(clause, sa.BinaryExpression):
        return sa.collate(clause.left, collation).op(clause.operator.opstring)(clause.right)
    return clause


def membership_with_unknown(patch: Patch) -> None:
    """`in` as SQL's IN, which is unknown for null."""
    membership = WRITER._membership

    def mistaken(self: Any, node: Membership, positive: bool) -> Any:
        return membership(self, node, True)

    patch.setattr(WRITER, "_membership", mistaken)


def unknown_test_is_unknown(patch: Patch) -> None:
    """`?:` that gives null for an unknown test."""
    choice = WRITER._choice

    def mistaken(self: Any, node: Any, positive: bool) -> Any:
        return sa.case((self.write(node.test).is_(None), sa.null()), else_=choice(self, node, positive))

    patch.setattr(WRITER, "_choice", mistaken)


def wrong_rounding(patch: Patch) -> None:
    """A bound between two units of a column, rounded to the wrong one."""
    patch.setitem(sql._ROUNDING, "<", "floor")


def forgotten_scale(patch: Patch) -> None:
    """Two decimals compared in units of different size."""
    patch.setattr(WRITER, "_at_scale", lambda self, node, scale: self.write(node))


def too_small_numbers(patch: Patch) -> None:
    """Numbers on the way bounded by 2**53."""
    patch.setattr(values, "INT64_LIMIT", 2**53)
    patch.setattr(python, "INT64_LIMIT", 2**53)


def positive_under_not(patch: Patch) -> None:
    """Plain = also where unknown and false differ."""
    write = WRITER.write
    patch.setattr(WRITER, "write", lambda self, node, positive=False: write(self, node, True))


def actor_without_null(patch: Patch) -> None:
    """Every fact of the actor taken for not null."""
    never_null = sql._never_null
    patch.setattr(sql, "_never_null", lambda node: type(node).__name__ == "ActorValue" or never_null(node))


PLANTS = [
    plain_inequality, plain_equality, two_valued_logic, pythons_own_and, like_for_contains, floor_division, pythons_own_modulo, collation_without_case,
    membership_with_unknown, unknown_test_is_unknown, wrong_rounding, forgotten_scale, too_small_numbers, positive_under_not, actor_without_null,
]  # fmt: skip
EASY = [
    plain_inequality,
    two_valued_logic,
    pythons_own_and,
    membership_with_unknown,
    like_for_contains,
    floor_division,
    collation_without_case,
]
SEARCH = settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)


def compiled(text: str) -> Checked | None:
    try:
        return checked(text)
    except ExpressionError:
        return None


@pytest.fixture(scope="module")
def cases() -> list[Checked]:
    """The enumeration, shuffled so that a kind of mistake is met early."""
    found = [case for case in map(compiled, dict.fromkeys(systematic())) if case is not None and not case.sql_faults]
    random.Random(5).shuffle(found)
    return found


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Database]:
    with sqlite_database() as database:
        yield database


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_the_enumeration_finds_a_planted_mistake(
    plant: Callable[[Patch], None], cases: list[Checked], sqlite: Database, monkeypatch: Patch
) -> None:
    """Every one of them."""
    plant(monkeypatch)
    assert any(disagreements(case, [sqlite]) for case in cases)


@pytest.mark.parametrize("plant", EASY, ids=lambda plant: plant.__name__)
def test_the_random_search_finds_a_planted_mistake(plant: Callable[[Patch], None], sqlite: Database, monkeypatch: Patch) -> None:
    """And shrinks it to something short."""
    plant(monkeypatch)

    def differs(text: str) -> bool:
        case = compiled(text)
        return case is not None and bool(disagreements(case, [sqlite]))

    try:
        found = find(conditions(2), differs, settings=SEARCH)
    except NoSuchExample:
        pytest.fail("not found")
    assert len(found) < 120, found


def test_the_enumeration_finds_the_default_collation_of_postgresql(postgres_url: str, cases: list[Checked], monkeypatch: Patch) -> None:
    """A server sorts as people do unless it is told not to."""

    def mistaken(self: Any, node: Any) -> Any:
        left, sign, right = self._operands(node)
        return sql._infix(sa.collate(left, "default"), sign, right)

    with postgres_database(postgres_url) as database:
        (default,) = database.connection.execute("SELECT 'Z' < 'a' COLLATE \"default\"").fetchone()
        if default:
            pytest.skip("this server's default order is that of code points")
        monkeypatch.setattr(WRITER, "_order", mistaken)
        texts = [case for case in cases if case.text.startswith(("name <", "word <"))]
        assert any(disagreements(case, [database]) for case in texts)
