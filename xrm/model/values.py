"""What a field accepts: from what a caller sent (JSON, a form, YAML, CSV) to the field's own Python value.

Python values by type: text kinds → ``str`` (NFC, no NUL, trimmed; empty is None); integer → ``int``; decimal, money →
``Decimal`` at the field's places (percent too); boolean → ``bool``; date → ``date``; time → naive ``time`` of whole seconds;
datetime → aware UTC ``datetime``; duration → ``timedelta``, in business units their ``int`` count; choice of many → ``tuple`` of
names in the order of the options; link → canonical UUID text; point → :class:`Point`; json → plain data; rows → a tuple of
dicts, each with what was sent of a row; file, image → a tuple of dicts: ``name``, ``type``, ``size``, ``hash`` (SHA-256,
hexadecimal) and ``version`` (of the record that brought it); what is to be attached has a ``token``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import lru_cache
from uuid import UUID

import msgspec
import re2

from xrm.expr.values import duration_words
from xrm.model.contacts import MOST_URL, as_email, as_phone, as_url
from xrm.model.fields import TARGET, Field
from xrm.model.geography import as_area, as_point
from xrm.model.kinds import ADDRESS_PARTS, FieldType
from xrm.model.misfits import Misfit, plain_number, plain_text
from xrm.model.moments import as_date, as_datetime, as_duration, as_time, counted

INTEGER_LIMIT = 2**53
"""Integers are exact in every JSON reader below this (RFC 8259, section 6)."""
SCALED_LIMIT = 10**15
"""Decimals and money, counted in their smallest unit, stay below this."""
JSON_LIMIT = 100_000
"""Most characters of a json value."""
TEXT_LENGTH = {"text": 255, "long_text": 20_000, "markdown": 20_000, "email": 254, "phone": 32, "url": MOST_URL, "choice": 100}
MOST_FILES = 100
"""Most files of one field."""
MOST_SIZE = 500_000_000
"""Most bytes of one file, whatever its field says."""
USUAL_SIZE = 10_000_000
"""Most bytes of one file where its field says nothing."""
DIGEST = re.compile("[0-9a-f]{64}")
"""A SHA-256 as its hexadecimal digits."""


MOST_ROWS = 1000
"""Rows that one field of one record holds at most."""


def fold(text: str) -> str:
    """The key by which people sort, search and match: case, accents and width do not count (Unicode TR 15 and 30)."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())  # a sign such as ™ opens into capitals
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


def coerce(field: Field, raw: object) -> object:
    """The field's own value for what was sent, or None where it is empty.

    Raises:
        Misfit: the value is not of the field's type, or outside its bounds.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return () if field.apart else None
    value = COERCERS[field.type](field, raw)
    _within(field, value)
    if isinstance(value, str) and (field.pattern or field.shortest or field.words or (field.length and len(value) > field.length)):
        _written(field, value)
    return value


def _within(field: Field, value: object) -> None:
    low, high = field.minimum, field.maximum
    if field.kind.kept == "files" and isinstance(value, tuple):
        _counted(field, len(value))
    if field.apart or field.kind.kept == "files":
        return
    if low is not None and value < low:  # type: ignore[operator]
        raise Misfit(f"must be {canonical(field, low)} or more", rule="min")
    if high is not None and value > high:  # type: ignore[operator]
        raise Misfit(f"must be {canonical(field, high)} or less", rule="max")


def canonical(field: Field, value: object) -> str:
    """The one text of a value, the same in every language, which its field reads back as the value."""
    match value:
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case date() | time():
            return value.isoformat()
        case timedelta():
            return duration_words(value)
        case int() if field.kind.kept == "count":
            return counted(field, value)
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case tuple():
            return ", ".join(str(item) for item in value)
        case _:
            return str(value)


def _counted(field: Field, count: int) -> None:
    """Files have a least and a most count; none at all is what `required` speaks of."""
    low, high = field.minimum, field.maximum
    if isinstance(low, int) and count < low:
        raise Misfit(f"must have {low} files or more; it has {count}")
    if isinstance(high, int) and count > high:
        raise Misfit(f"must have {high} files or fewer; it has {count}")


def _text(field: Field, raw: object) -> str | None:
    text = plain_text(raw)
    text = text.replace("\r\n", "\n").strip() if field.kind.long else " ".join(text.split())
    most = field.length or TEXT_LENGTH[field.type]
    if len(text) > most:
        raise Misfit(f"must have {most} characters or fewer; it has {len(text)}", rule="length")
    return text or None


def _written(field: Field, text: str) -> None:
    """The rules of what is written: its length, its most words, its pattern."""
    if field.length and len(text) > field.length:
        raise Misfit(f"must have {field.length} characters or fewer; it has {len(text)}", rule="length")
    if field.shortest and len(text) < field.shortest:
        raise Misfit(f"must have {field.shortest} characters or more; it has {len(text)}", rule="length")
    if field.words and (count := len(text.split())) > field.words:
        raise Misfit(f"must have {field.words} words or fewer; it has {count}", rule="words")
    if field.pattern and not _pattern(field.pattern).fullmatch(text):
        raise Misfit("does not have the form asked for", hint=f"pattern: {field.pattern}", rule="pattern")


def unruled(field: Field, raw: object) -> object:
    """The value of what only a rule of its field refuses (``Misfit.rule``), to see whether it stands in the record already."""
    if field.type == "choice":
        items = tuple(str(item) for item in _items(raw)) if field.many else ()
        return items if field.many else plain_text(raw).strip()
    bare = replace(field, minimum=None, maximum=None, pattern=None, shortest=None, words=None, length=TEXT_LENGTH["long_text"])
    return coerce(bare, raw)


def broken_rule(field: Field, value: object) -> str:
    """The rule of its field that a stored value breaks; empty if none."""
    if value is None or not (field.minimum is not None or field.maximum is not None or field.length or field.pattern or field.options):
        return ""
    try:
        coerce(field, value)
    except Misfit as misfit:
        return misfit.rule
    return ""


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re2._Regexp:
    """RE2: time linear in the text, whatever the pattern."""
    return re2.compile(pattern)


def _integer(field: Field, raw: object) -> int:
    if isinstance(raw, str):
        text = raw.strip()
        if not re.fullmatch(r"[+-]?\d{1,16}", text, re.ASCII):
            raise Misfit("must be a whole number")
        raw = int(text)
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise Misfit("must be a whole number")
    if abs(raw) >= INTEGER_LIMIT:
        raise Misfit("is too large a number")
    return raw


def _decimal(field: Field, raw: object) -> Decimal:
    number = plain_number(raw)
    try:
        exact = number.quantize(Decimal(1).scaleb(-field.places))
    except InvalidOperation:
        raise Misfit("is too large a number") from None
    if exact != number:
        raise Misfit(f"may have {field.places} digit{'' if field.places == 1 else 's'} after the point")
    if abs(exact.scaleb(field.places)) >= SCALED_LIMIT:
        raise Misfit("is too large a number")
    return exact


WORDS_FOR_BOOL = {
    "true": True, "yes": True, "y": True, "1": True, "on": True,
    "false": False, "no": False, "n": False, "0": False, "off": False,
}  # fmt: skip


def _boolean(field: Field, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    answer = WORDS_FOR_BOOL.get(str(raw).strip().lower())
    if answer is None:
        raise Misfit("must be yes or no")
    return answer


def _choice(field: Field, raw: object) -> str | tuple[str, ...] | None:
    if not field.many:
        return _option(field, raw)
    items = raw.split(",") if isinstance(raw, str) and not raw.lstrip().startswith("[") else _items(raw)
    names = {_option(field, item) for item in items if not isinstance(item, str) or item.strip()}
    return tuple(option.name for option in field.options if option.name in names) or None


def _items(raw: object) -> list[object]:
    """The items of a list, also of one that is written as JSON."""
    try:
        raw = msgspec.json.decode(raw) if isinstance(raw, str) else raw
    except msgspec.DecodeError:
        raw = None
    if not isinstance(raw, list | tuple) or any(item is None for item in raw):
        raise Misfit("must be a list of options", hint='for example ["web", "phone"]')
    return list(raw)


def _option(field: Field, raw: object) -> str:
    name = plain_text(raw).strip()
    if field.option(name) is None:
        names = [option.name for option in field.options]
        near = get_close_matches(name, names, 1)
        hint = f"did you mean '{near[0]}'?" if near else "one of " + ", ".join(names[:12])
        raise Misfit(f"'{name[:60]}' is not one of the options", hint=hint, rule="options")
    return name


def _link(field: Field, raw: object) -> str:
    if isinstance(raw, Mapping):
        entity = raw.get("entity")
        if entity is not None and field.targets and entity not in field.targets:
            raise Misfit(f"cannot lead to {str(entity)[:60]}", hint=f"it leads to {', '.join(field.targets)}")
        raw = raw.get("id")
    try:
        return str(UUID(raw)) if isinstance(raw, str) and len(raw) <= 45 else _refuse_link()
    except ValueError:
        return _refuse_link()


def _refuse_link() -> str:
    raise Misfit("must be the id of a record")


def _address(field: Field, raw: object) -> dict[str, str] | None:
    """Its parts that are filled in, in order; None where all are empty."""
    try:
        raw = msgspec.json.decode(raw) if isinstance(raw, str) else raw
    except msgspec.DecodeError:
        raw = None
    if not isinstance(raw, Mapping):
        raise Misfit("must be an address", hint='its parts by name, for example {"street": "200 N Spring St", "city": "Los Angeles"}')
    for name in raw:
        if name not in ADDRESS_PARTS:
            near = get_close_matches(str(name), ADDRESS_PARTS, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"an address has {', '.join(ADDRESS_PARTS)}"
            raise Misfit(f"has no part '{str(name)[:40]}'", hint=hint)
    parts = {name: text for name in ADDRESS_PARTS if raw.get(name) is not None and (text := _text(ADDRESS_TEXT, raw[name]))}
    if "country" in parts:
        parts["country"] = parts["country"].upper()
        if not COUNTRY.fullmatch(parts["country"]):
            raise Misfit("has a country that is not two letters", hint="as in ISO 3166, for example US")
    return parts or None


ADDRESS_TEXT = Field("address", "text", {})
"""What each part of an address is."""
COUNTRY = re.compile("[A-Z]{2}")


def _json(field: Field, raw: object) -> object:
    try:
        value = msgspec.json.decode(raw) if isinstance(raw, str) else raw
        if len(msgspec.json.encode(value)) > JSON_LIMIT:
            raise Misfit(f"must have {JSON_LIMIT} bytes or fewer")
        if isinstance(value, str):  # a text is read as JSON, so that one shown alone would not come back as it is
            raise Misfit("must be more than a text", hint='for example {"a": 1} or ["a"]')
    except (msgspec.DecodeError, TypeError, RecursionError, UnicodeEncodeError):
        raise Misfit("must be JSON") from None
    return value


def _rows(field: Field, raw: object) -> tuple[dict[str, object], ...]:
    """Rows as they were sent: each a map from field to value, with the ``id`` of a row that stays. How many there must
    be is judged with the record."""
    if field.each:
        return _targets(field.each, raw)
    if isinstance(raw, str):  # a cell of a table
        try:
            raw = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            raw = None
    if isinstance(raw, (str, bytes, Mapping)) or not isinstance(raw, Sequence):
        raise Misfit("must be a list of rows", hint=f"for example [{{{', '.join(list(field.rows)[:2])}}}]")
    if len(raw) > MOST_ROWS:
        raise Misfit(f"may have {MOST_ROWS:,} rows; it has {len(raw):,}")
    inside: list[tuple[int, str, Misfit]] = []
    rows = tuple(_row(field, number, row, inside) for number, row in enumerate(raw))
    if inside:
        raise Misfit("has rows that do not fit", inside=inside)
    return rows


def _targets(link: Field, raw: object) -> tuple[dict[str, object], ...]:
    """A list of links as it was sent, each once: ids, or the keys of records (whose ids are found with the record); ``a, b`` is one too."""
    items = [one for one in raw.split(",") if one.strip()] if isinstance(raw, str) and not raw.lstrip().startswith("[") else raw
    try:
        items = [items] if isinstance(items, Mapping) else _items(items)
    except Misfit:
        raise Misfit("must be a list of records", hint="their ids, or their keys") from None
    if len(items) > MOST_ROWS:
        raise Misfit(f"may have {MOST_ROWS:,} links; it has {len(items):,}")
    return tuple({TARGET: one} for one in dict.fromkeys(_target(link, item) for item in items))


def _target(link: Field, raw: object) -> str:
    if isinstance(raw, Mapping) and TARGET in raw:
        raw = raw[TARGET]
    if isinstance(raw, str) and raw.strip() and not UUID_FORM.fullmatch(raw.strip()):
        return raw.strip()
    return _link(link, raw.strip() if isinstance(raw, str) else raw)


UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def _row(field: Field, number: int, raw: object, inside: list[tuple[int, str, Misfit]]) -> dict[str, object]:
    if not isinstance(raw, Mapping):
        inside.append((number, "", Misfit("must be a map from field to value")))
        return {}
    row: dict[str, object] = {}
    for name, value in raw.items():
        inner = field.rows.get(name)
        try:
            if name == "id":
                row[name] = None if value in (None, "") else _row_id(value)
            elif inner is None:
                near = get_close_matches(str(name), list(field.rows), 1)
                raise Misfit("is not a field of these rows", hint=f"did you mean '{near[0]}'?" if near else None)
            else:
                row[name] = coerce(inner, value)
        except Misfit as misfit:
            inside.append((number, str(name), misfit))
    return row


def _row_id(value: object) -> str:
    try:
        return _link(ROW_ID, value)
    except Misfit:
        raise Misfit("must be the id of a row") from None


ROW_ID = Field("id", "link", {}, system=True)


def _files(field: Field, raw: object) -> tuple[dict[str, object], ...] | None:
    """Files as they are read and sent back (an object with its ``hash``), and tokens of uploads; one alone needs no list."""
    items = raw.split() if isinstance(raw, str) else list(raw) if isinstance(raw, (list, tuple)) else [raw]
    if len(items) > (MOST_FILES if field.many else 1):
        raise Misfit(f"must be {MOST_FILES} files or fewer" if field.many else "must be one file")
    return tuple(_file(item) for item in items) or None


def _file(item: object) -> dict[str, object]:
    if isinstance(item, str):
        return {"hash": item} if DIGEST.fullmatch(item) else {"token": item}
    if isinstance(item, Mapping) and isinstance(token := item.get("token"), str):
        return {"token": token}
    if isinstance(item, Mapping) and DIGEST.fullmatch(str(item.get("hash"))):
        return dict(item)
    raise Misfit("must be files: the token of an upload, or a file as it was read", hint="POST /api/files gives a token")


COERCERS: Mapping[FieldType, Callable[[Field, object], object]] = {
    "text": _text,
    "long_text": _text,
    "markdown": _text,
    "integer": _integer,
    "decimal": _decimal,
    "percent": _decimal,
    "money": _decimal,
    "boolean": _boolean,
    "date": as_date,
    "time": as_time,
    "datetime": as_datetime,
    "duration": as_duration,
    "choice": _choice,
    "link": _link,
    "email": as_email,
    "phone": as_phone,
    "url": as_url,
    "address": _address,
    "point": as_point,
    "area": as_area,
    "json": _json,
    "rows": _rows,
    "file": _files,
    "image": _files,
}
