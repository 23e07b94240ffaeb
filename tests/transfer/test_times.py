"""Dates and times without a zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from xrm.model.misfits import Misfit
from xrm.service.transfer.times import LocalTimes, date_reader, datetime_reader

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
US = "%m/%d/%Y %I:%M:%S %p"


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        (US, "12/31/2017 11:59:58 PM", datetime(2018, 1, 1, 7, 59, 58, tzinfo=UTC)),
        (None, "2020-07-01 00:05:00", datetime(2020, 7, 1, 7, 5, tzinfo=UTC)),
        (None, "2020-07-01T00:05:00+02:00", datetime(2020, 6, 30, 22, 5, tzinfo=UTC)),
        (None, "2020-07-01T00:05:00Z", datetime(2020, 7, 1, 0, 5, tzinfo=UTC)),
        (None, "2020-07-01", datetime(2020, 7, 1, 7, tzinfo=UTC)),
    ],
)
def test_a_time_without_zone_is_local(form: str | None, text: str, moment: datetime) -> None:
    """The map's zone counts, unless the time names its own."""
    times = LocalTimes(LOS_ANGELES)
    assert datetime_reader(form, times)(text) == moment
    assert (times.skipped, times.twice) == (0, 0)


def test_a_time_that_the_clocks_skip_keeps_the_offset_from_before() -> None:
    """On 8 March 2020 Los Angeles went from 2:00 to 3:00: 2:30 is read as 3:30, and counted (RFC 5545, 3.3.5)."""
    times = LocalTimes(LOS_ANGELES)
    assert datetime_reader(None, times)("2020-03-08 02:30:00") == datetime(2020, 3, 8, 10, 30, tzinfo=UTC)
    assert (times.skipped, times.twice) == (1, 0)


def test_a_time_that_comes_twice_is_the_first() -> None:
    """On 1 November 2020 1:30 came twice: the first is meant, and each is counted."""
    times = LocalTimes(LOS_ANGELES)
    read = datetime_reader(None, times)
    assert read("2020-11-01 01:30:00") == read("2020-11-01 01:30:00") == datetime(2020, 11, 1, 8, 30, tzinfo=UTC)
    assert (times.skipped, times.twice) == (0, 2)


def test_a_day_is_the_local_day() -> None:
    """For a date field the time of day is left out; a time with a zone is first brought to the map's."""
    times = LocalTimes(LOS_ANGELES)
    assert date_reader(US, times)("01/05/2018 12:00:00 AM") == date(2018, 1, 5)
    assert date_reader(None, times)("2018-01-05T03:00:00Z") == date(2018, 1, 4)


@pytest.mark.parametrize(("form", "text"), [(US, "2018-01-05"), (None, "01/05/2018"), (US, "02/30/2018 01:00:00 AM")])
def test_another_form_is_refused_with_an_example(form: str | None, text: str) -> None:
    """The hint shows a time in the form that is expected."""
    with pytest.raises(Misfit, match="not a date or time") as caught:
        datetime_reader(form, LocalTimes(LOS_ANGELES))(text)
    assert caught.value.hint in ("for example 03/02/2026 09:05:00 AM", "for example 2026-03-02T09:05:00")
