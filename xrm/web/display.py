"""Values in the words of a locale: dates, numbers, money, durations.

CLDR data comes from Babel and is compiled once per locale and time zone; a value then costs a few string operations.
Everything here returns plain text, never HTML. Digits are Latin in every locale, as they are in what people type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import get_period_names
from babel.numbers import format_decimal, get_currency_symbol
from babel.units import format_unit

from xrm.model.fields import MONEY_PLACES

Piece = Callable[[datetime], str]
DAYS_IN_FULL = 14
"""A duration of this many days or more is said in days alone."""


@dataclass(frozen=True, slots=True)
class Display:
    """How one locale writes values. Instants are aware and are shown in ``zone``; ``direction`` is that of the script."""

    locale: str
    direction: str
    zone: ZoneInfo
    short_day: Callable[[date], str]
    day: Callable[[date], str]
    long_day: Callable[[date], str]
    time: Callable[[datetime | clock], str]
    number: Callable[[Decimal | int, int], str]
    money: Callable[[Decimal, str], str]
    duration: Callable[[timedelta], str]
    length: Callable[[timedelta], str]
    percent: Callable[[Decimal, int], str]
    symbol: Callable[[str], str]
    point: str
    group: str
    region: str | None

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def instant(self, instant: datetime) -> str:
        """Date and time in full: ``18 Nov 2026, 22:47``."""
        local = instant.astimezone(self.zone)
        return f"{self.day(local.date())}, {self.time(local)}"

    def typed(self, text: str) -> str:
        """A number as people of the locale type it, as stored numbers are written; what is none stays as it is.

        ``1.250,50`` and ``1250,5`` where the comma is the point; a text that is grouped wrongly is not guessed at: the last group has three
        digits (``12,50`` is no number where the comma groups), those before it three or, as in India, two.
        """
        tight = "".join(text.split())
        group, point = re.escape(self.group.strip() or " "), re.escape(self.point)
        if re.fullmatch(rf"[+-]?(\d{{1,3}}({group}\d{{2,3}})*{group}\d{{3}}|\d+)({point}\d+)?", tight):
            return tight.replace(self.group, "").replace(self.point, ".")
        return text.strip()

    def near(self, instant: datetime, today: date) -> str:
        """As short as is clear beside others in a list: the time today, the day this year, else the date."""
        local = instant.astimezone(self.zone)
        there = local.date()
        if there == today:
            return self.time(local)
        return self.short_day(there) if there.year == today.year else self.day(there)


@lru_cache(maxsize=64)
def display(locale: str, timezone: str) -> Display:
    """The display for ``en-US`` and ``America/Los_Angeles``. An unknown locale gives its language's, else English."""
    cldr = _cldr(locale)
    formats, symbols = cldr.date_formats, cldr.number_symbols.get("latn", {})
    return Display(
        locale=str(cldr).replace("_", "-"),
        direction=cldr.text_direction,
        zone=ZoneInfo(timezone),
        short_day=_of_date(_skeleton(cldr, "MMMd", formats["medium"].pattern), cldr),
        day=_of_date(formats["medium"].pattern, cldr),
        long_day=_of_date(formats["full"].pattern, cldr),
        time=_of_time(cldr.time_formats["short"].pattern, cldr),
        number=_numbers(cldr),
        money=_money(cldr),
        duration=_durations(cldr),
        length=_lengths(cldr),
        percent=_percents(cldr),
        symbol=lambda currency: str(get_currency_symbol(currency, locale=cldr)),
        point=symbols.get("decimal", "."),
        group=symbols.get("group", ","),
        region=cldr.territory,
    )


def phone(text: str) -> str:
    """An E.164 number as people read it (ITU-T E.123); other text as it is."""
    return _phone(text)


def dialled(text: str, region: str | None) -> str:
    """A number as people of a region dial it, in E.164; what is no valid number there stays as it is."""
    if text.strip().startswith("+") or region is None:
        return text
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(parsed):
        return text
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=4096)
def _phone(text: str) -> str:
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def language_name(locale: str) -> str:
    """The name of a language in itself: ``Español`` for es."""
    cldr = _cldr(locale)
    name = cldr.get_display_name(cldr) or locale
    return name[:1].upper() + name[1:]


def _cldr(locale: str) -> Locale:
    plain = locale.replace("_", "-")
    for name in (plain, plain.split("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _skeleton(cldr: Locale, name: str, otherwise: str) -> str:
    skeleton = cldr.datetime_skeletons.get(name)
    return str(skeleton.pattern) if skeleton is not None else otherwise


# ---------------------------------------------------------------- dates, times


def _of_date(pattern: str, cldr: Locale) -> Callable[[date], str]:
    write = _compiled(pattern, cldr)
    return lru_cache(4096)(lambda day: write(datetime(day.year, day.month, day.day, tzinfo=UTC)))


def _of_time(pattern: str, cldr: Locale) -> Callable[[datetime | clock], str]:
    write = _compiled(pattern, cldr)
    minute = lru_cache(1440)(lambda hour, minute: write(datetime(2000, 1, 1, hour, minute, tzinfo=UTC)))
    return lambda moment: minute(moment.hour, moment.minute)


def _compiled(pattern: str, cldr: Locale) -> Piece:
    """A CLDR date pattern (UTS 35, part 4, date field symbols) as one function."""
    pieces = [_symbol(run, cldr) if run else _fixed(text) for run, text in _tokens(pattern)]
    return lambda moment: "".join([piece(moment) for piece in pieces])


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """(run of one letter, "") for a symbol, ("", text) for what stands as it is; quotes make letters text."""
    found = re.finditer(r"'(?P<quoted>[^']*)'|(?P<run>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<text>[^A-Za-z']+)", pattern)
    return [(match["run"] or "", match["quoted"] or match["text"] or "") for match in found]


def _fixed(text: str) -> Piece:
    return lambda moment: text


def _symbol(run: str, cldr: Locale) -> Piece:
    letter, width = run[0], len(run)
    if letter in "ML" and width > 2:
        months = cldr.months["format" if letter == "M" else "stand-alone"]["abbreviated" if width == 3 else "wide"]
        return lambda moment: str(months[moment.month])
    if letter in "Ec":
        days = cldr.days["format" if letter == "E" else "stand-alone"]["wide" if width == 4 else "abbreviated"]
        return lambda moment: str(days[moment.weekday()])
    if letter in "abB":
        names = {**get_period_names("wide", locale=cldr), **get_period_names("abbreviated", locale=cldr)}
        before, after = str(names.get("am", "AM")), str(names.get("pm", "PM"))
        return lambda moment: before if moment.hour < 12 else after
    number = NUMBERS.get(letter)
    if number is None:
        return _fixed("")
    if letter == "y" and width == 2:
        return lambda moment: f"{moment.year % 100:02d}"
    return lambda moment: f"{number(moment):0{width}d}"


NUMBERS: dict[str, Callable[[datetime], int]] = {
    "y": lambda moment: moment.year,
    "M": lambda moment: moment.month,
    "L": lambda moment: moment.month,
    "d": lambda moment: moment.day,
    "H": lambda moment: moment.hour,
    "h": lambda moment: moment.hour % 12 or 12,
    "K": lambda moment: moment.hour % 12,
    "k": lambda moment: moment.hour or 24,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
}


# -------------------------------------------------------------- numbers, money


def _numbers(cldr: Locale) -> Callable[[Decimal | int, int], str]:
    symbols = cldr.number_symbols.get("latn", {})
    group, point = symbols.get("group", ","), symbols.get("decimal", ".")
    if cldr.decimal_formats[None].grouping != (3, 3):
        return lambda value, places: _grouped_otherwise(value, places, cldr)
    signs = str.maketrans({",": group, ".": point})

    def number(value: Decimal | int, places: int) -> str:
        text = f"{value:,.{places}f}" if places else f"{value:,}"
        return text.translate(signs)

    return number


def _grouped_otherwise(value: Decimal | int, places: int, cldr: Locale) -> str:
    pattern = cldr.decimal_formats[None].pattern.split(".")[0] + ("." + "0" * places if places else "")
    return str(format_decimal(value, format=pattern, locale=cldr))


def _money(cldr: Locale) -> Callable[[Decimal, str], str]:
    number = _numbers(cldr)
    pattern = cldr.currency_formats["standard"]

    @lru_cache(maxsize=64)
    def around(currency: str, negative: bool) -> tuple[str, str]:
        symbol = get_currency_symbol(currency, locale=cldr)
        prefix, suffix = pattern.prefix[negative], pattern.suffix[negative]
        if prefix.endswith("¤") and symbol[-1:].isalpha():
            prefix += "\u00a0"  # UTS 35, part 3: a space between a currency's letters and the digits
        return prefix.replace("¤", symbol), suffix.replace("¤", symbol)

    def money(value: Decimal, currency: str) -> str:
        prefix, suffix = around(currency, value < 0)
        return f"{prefix}{number(abs(value), MONEY_PLACES.get(currency, 2))}{suffix}"

    return money


# ------------------------------------------------------------------- durations


def _durations(cldr: Locale) -> Callable[[timedelta], str]:
    @lru_cache(maxsize=512)
    def unit(count: int, name: str) -> str:
        return str(format_unit(count, f"duration-{name}", "short", locale=cldr))

    def duration(length: timedelta) -> str:
        """``12 min``, ``2 hr 10 min``, ``1 day 4 hr``, ``19 days``: two units at most, nothing finer than a minute."""
        minutes = max(0, int(length.total_seconds() // 60))
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days >= DAYS_IN_FULL or (days and not hours):
            return unit(days, "day")
        if days:
            return f"{unit(days, 'day')} {unit(hours, 'hour')}"
        if hours:
            return f"{unit(hours, 'hour')} {unit(minutes, 'minute')}" if minutes else unit(hours, "hour")
        return unit(minutes, "minute")

    return duration


def _lengths(cldr: Locale) -> Callable[[timedelta], str]:
    @lru_cache(maxsize=4096)
    def length(value: timedelta) -> str:
        """All of a duration, in words: ``1 day 12 hours``, ``90.5 seconds`` is ``1 minute 30.5 seconds``."""
        left, words = abs(value) // timedelta(microseconds=1), []
        for name, size in (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000)):
            count, left = divmod(left, size)
            words += [str(format_unit(count, f"duration-{name}", "long", locale=cldr))] if count else []
        if left or not words:
            words.append(str(format_unit(Decimal(left) / 1_000_000, "duration-second", "long", locale=cldr)))
        return ("\N{MINUS SIGN}" if value < timedelta() else "") + " ".join(words)

    return length


def _percents(cldr: Locale) -> Callable[[Decimal, int], str]:
    """The sign stands where the locale puts it, and apart from the number where it wants that."""
    number, pattern = _numbers(cldr), cldr.percent_formats[None].pattern.split(";")[0]
    before, after = re.split(r"[#0,.]+", pattern, maxsplit=1)
    return lambda value, places: f"{before}{number(value, places)}{after}"
