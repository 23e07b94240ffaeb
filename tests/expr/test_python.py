"""What expressions give, as Python computes it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.expr.samples import ADA, MAX_INT, value


@pytest.mark.parametrize("left", [True, False, None])
@pytest.mark.parametrize("right", [True, False, None])
def test_logic_is_kleenes(left: bool | None, right: bool | None) -> None:
    """One operand may settle && and ||; otherwise an unknown one makes the whole unknown (Kleene's K3)."""
    both = False if False in (left, right) else None if None in (left, right) else True
    either = True if True in (left, right) else None if None in (left, right) else False
    assert value("flag && open", flag=left, open=right) is both
    assert value("flag || open", flag=left, open=right) is either
    assert value("!flag", flag=left) is (None if left is None else not left)


def test_equality_is_total() -> None:
    """== and != are true or false, never unknown; null equals null only."""
    assert value("a == b") is True
    assert value("a == b", a=1) is False
    assert value("a != null", a=1) is True
    assert value("a != 5") is True
    assert value("null == null") is True


@pytest.mark.parametrize("text", ["a < b", "a <= b", "a > b", "a >= b", "a + b", "a - b", "a * b", "a / b", "a % b", "-b", "name + word", "name < word",
                                  "name.contains(word)", "size(word)", "min(a, b)", "spent + budgeted", "born + days(b)"])  # fmt: skip
def test_with_null_is_null(text: str) -> None:
    """Order, arithmetic and functions are unknown when a part is."""
    assert value(text, a=1, name="x", spent=timedelta(1)) is None


def test_an_unknown_test_takes_the_other_branch() -> None:
    """`?:` treats unknown as not true."""
    assert value("flag ? 1 : 2") == 2


def test_membership_is_total_and_null_is_in_no_list() -> None:
    """`in` is true or false."""
    assert value("a in [1, 2]", a=2) is True
    assert value("a in [1, 2]") is False
    assert value("a in [b, 2]") is False
    assert value("a in counts", a=1) is False
    assert value("a in []", a=1) is False
    assert value("cost in [1, 1.5]", cost=Decimal("1.50")) is True


def test_empty_text_is_null() -> None:
    """The literal '' is null, so that a == '' asks for a missing text."""
    assert value("name == ''") is True
    assert value("name == ''", name="x") is False
    assert value("name + ''", name="x") is None


@pytest.mark.parametrize(
    ("text", "expected"), [("7 / 2", 3), ("-7 / 2", -3), ("7 / -2", -3), ("-7 / -2", 3), ("7 % 3", 1), ("-7 % 3", -1), ("7 % -3", 1)]
)
def test_division_truncates_toward_zero(text: str, expected: int) -> None:
    """As in CEL and SQL, not as in Python."""
    assert value(text) == expected


@pytest.mark.parametrize("text", ["a / 0", "a % 0", "1.5 / 0", "1.5 % 0", "9223372036854775807 + a", "9007199254740991 + a", "9000000000000000000 * a * a",
                                  "born + days(4000000)", "opened_at + duration('3000000d')", "born + months(1000000)", "days(a * 999999999)"])  # fmt: skip
def test_what_has_no_result_is_null(text: str) -> None:
    """Division by zero, numbers past their limit and dates outside the calendar."""
    assert value(text, a=100, born=date(2026, 1, 1), opened_at=datetime(9990, 1, 1, tzinfo=UTC)) is None


def test_on_the_way_numbers_have_64_bits() -> None:
    """Only what leaves the expression is bounded by 2**53."""
    assert value("a + a - a", a=MAX_INT) == MAX_INT
    assert value("a + a", a=MAX_INT) is None
    assert value("a + a > 1", a=MAX_INT) is True


def test_decimals_are_exact_and_mix_with_whole_numbers() -> None:
    """No float anywhere."""
    assert value("0.1 + 0.2 == 0.3") is True
    assert value("cost * 3", cost=Decimal("0.10")) == Decimal("0.30")
    assert value("a + 0.5", a=1) == Decimal("1.5")
    assert value("a < 1.5", a=1) is True
    assert value("1.0 == 1") is True
    assert value("1.0 / 3") == Decimal("0.333333333333")
    assert value("-7.5 % 2") == Decimal("-1.5")


def test_a_decimal_result_is_a_decimal() -> None:
    """Also where the branch that was taken is whole."""
    found = value("flag ? 1 : 1.5", flag=True)
    assert isinstance(found, Decimal)
    assert found == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today() + days(1)", date(2026, 3, 3)), ("date('2026-01-31') + months(1)", date(2026, 2, 28)), ("date('2024-01-31') + months(1)", date(2024, 2, 29)),
        ("date('2026-03-31') - months(1)", date(2026, 2, 28)), ("date('2026-01-15') - months(13)", date(2024, 12, 15)), ("days(2) + today()", date(2026, 3, 4)),
        ("due - born", timedelta(days=3)), ("now() - duration('30m')", datetime(2026, 3, 2, 9, 0, 0, 125000, tzinfo=UTC)),
        ("now() + months(1)", datetime(2026, 4, 2, 8, 30, 0, 125000, tzinfo=UTC)), ("duration('1h') * 3", timedelta(hours=3)),
        ("-duration('90m')", timedelta(minutes=-90)), ("days(1) == duration('24h')", True), ("timestamp('2026-03-02T10:00:00+01:00')", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("date(timestamp('2026-03-02T02:00:00Z'))", date(2026, 3, 1)), ("day(timestamp('2026-03-02T02:00:00Z'))", 1), ("year(born)", 2026), ("month(born)", 2),
        ("now() - timestamp('2026-03-02T09:30:00Z')", timedelta(microseconds=125000)), ("duration('1d2h3m4.5s')", timedelta(1, 2 * 3600 + 3 * 60 + 4, 500000)),
    ],
)  # fmt: skip
def test_dates(text: str, expected: Any) -> None:
    """Dates move by days and months, instants by durations and, on the local clock, by months."""
    assert value(text, due=date(2026, 2, 4), born=date(2026, 2, 1)) == expected


def test_options_with_an_order_compare_by_place() -> None:
    """Declared low, high, above: not by the alphabet."""
    assert value("urgency > 'low'", urgency="above") is True
    assert value("urgency >= 'high'", urgency="low") is False
    assert value("urgency < 'high'") is None


def test_the_actor_is_read_from_the_moment() -> None:
    """`actor` is its id; the rest has its own key."""
    assert value("owner == actor", owner=ADA) is True
    assert value("'agent' in actor.roles") is True
    assert value("actor.boss == null") is True


def test_a_path_through_an_empty_link_is_null() -> None:
    """The row has no category.code."""
    assert value("category.code == 'x'") is False
    assert value("category.code == 'x'", category__code="x") is True


def test_an_id_may_be_written_as_text() -> None:
    """A text literal beside a link is the id of a record, in any case of its letters."""
    assert value(f"owner == '{ADA.upper()}'", owner=ADA) is True
    assert value(f"owner in ['{ADA}']", owner=ADA) is True


def test_a_column_is_read_once_and_late_branches_not_at_all() -> None:
    """What && has settled is not evaluated further."""

    class Counting(dict[str, Any]):
        reads = 0

        def get(self, key: str, default: Any = None) -> Any:
            self.reads += 1
            return super().get(key, default)

    from tests.expr.samples import MOMENT, checked
    from xrm.expr import to_python

    row = Counting(a=1, b=2)
    assert to_python(checked("a == 2 && b == 2 && a > 0"))(row, MOMENT) is False
    assert row.reads == 1
