"""Dates and times as a table writes them, mostly without a zone.

A time that the clocks skip in spring is read with the offset from before the gap, and one that they show twice in
autumn as the first of the two (RFC 5545, section 3.3.5). Both are counted, for the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from xrm.model.misfits import Misfit

MOST_REMEMBERED = 20_000
SHOWN = datetime(2026, 3, 2, 9, 5)  # noqa: DTZ001  (an example of a form, no moment)


@dataclass(slots=True)
class LocalTimes:
    """Reads the times of one import in its zone, and counts those that the clocks skip or show twice."""

    zone: ZoneInfo
    skipped: int = 0
    twice: int = 0
    _known: dict[datetime, tuple[datetime, bool, bool]] = field(default_factory=dict)

    def instant(self, local: datetime) -> datetime:
        """The moment in UTC; a time with a zone of its own keeps it."""
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        found = self._known.get(local)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[local] = self._read(local)
        self.skipped += found[1]
        self.twice += found[2]
        return found[0]

    def _read(self, local: datetime) -> tuple[datetime, bool, bool]:
        first, second = (local.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        moment = first.astimezone(UTC)
        skipped = moment.astimezone(self.zone).replace(tzinfo=None) != local
        return moment, skipped, not skipped and first.utcoffset() != second.utcoffset()


def date_reader(form: str | None, times: LocalTimes) -> Callable[[str], object]:
    """What reads a cell for a ``date`` field: a time of day is left out."""
    parse = _parser(form)

    def read(text: str) -> date:
        found = parse(text)
        return (found.astimezone(times.zone) if found.tzinfo else found).date()

    return read


def datetime_reader(form: str | None, times: LocalTimes) -> Callable[[str], object]:
    """What reads a cell for a ``datetime`` field; a day alone is its first moment."""
    parse = _parser(form)

    def read(text: str) -> datetime:
        try:
            return times.instant(parse(text))
        except OverflowError:
            raise Misfit("is outside the years 1 to 9999") from None

    return read


def _parser(form: str | None) -> Callable[[str], datetime]:
    known: dict[str, datetime] = {}

    def parse(text: str) -> datetime:
        found = known.get(text)
        if found is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            found = known[text] = _parsed(text, form)
        return found

    return parse


def _parsed(text: str, form: str | None) -> datetime:
    try:
        return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007  (the zone follows)
    except ValueError:
        example = SHOWN.strftime(form) if form else SHOWN.isoformat()
        raise Misfit(f"'{text[:40]}' is not a date or time of the form expected", hint=f"for example {example}") from None
