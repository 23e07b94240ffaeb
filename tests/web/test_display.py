"""Values in the words of a locale."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from xrm.web.display import display, phone

WHEN = datetime(2026, 11, 19, 6, 47, tzinfo=UTC)
LA = "America/Los_Angeles"


def plain(text: str) -> str:
    """CLDR puts narrow and non-breaking spaces where people see a space."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en-US", "Nov 18, 2026, 10:47 PM"),
        ("en-GB", "18 Nov 2026, 22:47"),
        ("de-DE", "18.11.2026, 22:47"),
        ("es", "18 nov 2026, 22:47"),
    ],
)
def test_instants_are_shown_in_the_zone(locale: str, expected: str) -> None:
    assert plain(display(locale, LA).instant(WHEN)) == expected


@pytest.mark.parametrize(
    ("locale", "text", "number"),
    [
        ("en-US", "1,250.50", "1250.50"), ("en-US", "12,50", "12,50"), ("en-US", "1,2500", "1,2500"), ("en-IN", "12,34,567", "1234567"),
        ("de-DE", "1.250,5", "1250.5"), ("de-DE", "12.50", "12.50"), ("fr-FR", "1 250,5", "1250.5"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_of_the_locale_type_it(locale: str, text: str, number: str) -> None:
    """What is grouped wrongly stays as it is, and is refused or is what it says; it is never another number."""
    assert display(locale, LA).typed(text) == number


def test_near_says_only_what_differs() -> None:
    """Today the time, this year the day, else the whole date."""
    words = display("en-GB", LA)
    assert [words.near(WHEN, day) for day in (date(2026, 11, 18), date(2026, 1, 1), date(2027, 1, 1))] == ["22:47", "18 Nov", "18 Nov 2026"]


@pytest.mark.parametrize(
    ("locale", "number", "money", "yen"),
    [
        ("en-US", "-1,234.50", "-$1,234.50", "¥1,234"),
        ("de-DE", "-1.234,50", "-1.234,50 $", "1.234 ¥"),
        ("hi", "-12,34,567.50", "-$12,34,567.50", "JP¥12,34,567"),
        ("fr", "-1 234,50", "-1 234,50 $US", "1 234 JPY"),
    ],
)
def test_numbers_and_money(locale: str, number: str, money: str, yen: str) -> None:
    words = display(locale, LA)
    value = Decimal("-1234567.50") if locale == "hi" else Decimal("-1234.50")
    assert plain(words.number(value, 2)) == number
    assert plain(words.money(value, "USD")) == money
    assert plain(words.money(Decimal(int(-value)), "JPY")) == yen


def test_a_currency_of_letters_stands_off() -> None:
    assert plain(display("en-US", LA).money(Decimal(12), "CHF")) == "CHF 12.00"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=20), "0 min"),
        (timedelta(minutes=130), "2 hr 10 min"),
        (timedelta(hours=3), "3 hr"),
        (timedelta(days=1, hours=4, minutes=50), "1 day 4 hr"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=19, hours=9), "19 days"),
    ],
)
def test_durations_have_two_units_at_most(length: timedelta, words: str) -> None:
    assert plain(display("en-US", LA).duration(length)) == words


def test_an_unknown_locale_is_shown_as_english() -> None:
    assert display("xx-YY", LA).locale == "en"


def test_phone_numbers_are_grouped_and_other_text_is_left() -> None:
    assert phone("+12135550134") == "+1 213-555-0134"
    assert phone("front desk") == "front desk"
