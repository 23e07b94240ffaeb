"""One namespace, its records and its actor, for all tests of expressions."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from xrm.expr import (
    BOOL,
    DATE,
    DATETIME,
    DURATION,
    INT,
    JSON,
    POINT,
    TEXT,
    Checked,
    Moment,
    Names,
    Type,
    choice,
    compile_check,
    decimal,
    list_of,
    ref,
    to_python,
)
from xrm.expr.types import BUSINESS_DAYS, TIME

ADA = "0190a000-0000-7000-8000-000000000001"
BOB = "0190a000-0000-7000-8000-000000000002"
EVE = "ffffffff-ffff-7fff-bfff-ffffffffffff"

COLUMNS: dict[str, Type] = {
    "flag": BOOL, "open": BOOL,
    "a": INT, "b": INT,
    "cost": decimal(2), "rate": decimal(4),
    "name": TEXT, "word": TEXT, "category.code": TEXT,
    "state": choice("new", "waiting", "done"),
    "urgency": choice("low", "high", "above", ordered=True),
    "born": DATE, "due": DATE,
    "opened_at": DATETIME, "closed_at": DATETIME,
    "owner": ref("user"), "creator": ref("user"),
    "spent": DURATION, "budgeted": DURATION, "opens": TIME, "closes": TIME, "within": BUSINESS_DAYS, "allowed": BUSINESS_DAYS,
    "tags": list_of(TEXT), "counts": list_of(INT), "prices": list_of(decimal(2)), "members": list_of(ref("user")), "days_off": list_of(DATE),
}  # fmt: skip
UNSTORED: dict[str, Type] = {"place": POINT, "answers": JSON, "category": ref("category"), "loose": decimal()}
ACTOR: dict[str, Type] = {
    "actor": ref("user"), "actor.name": TEXT, "actor.nickname": TEXT, "actor.level": INT, "actor.limit": decimal(3), "actor.admin": BOOL,
    "actor.boss": ref("user"), "actor.joined": DATETIME, "actor.born": DATE, "actor.shift": DURATION, "actor.unset": INT,
    "actor.start": TIME, "actor.roles": list_of(TEXT), "actor.team": list_of(ref("user")), "actor.levels": list_of(INT), "actor.fees": list_of(decimal(3)),
    "actor.holidays": list_of(DATE), "actor.nothing": list_of(TEXT), "actor.empty": list_of(ref("user")),
}  # fmt: skip
SCOPE = Names({**COLUMNS, **UNSTORED, **ACTOR})

MOMENT = Moment(
    now=datetime(2026, 3, 2, 9, 30, 0, 125000, tzinfo=UTC),
    today=date(2026, 3, 2),
    actor={
        "id": ADA, "name": "Ada", "nickname": None, "level": 3, "limit": Decimal("10.005"), "admin": True, "boss": None,
        "joined": datetime(2024, 2, 29, 12, tzinfo=UTC), "born": date(1980, 1, 31), "shift": timedelta(hours=8), "start": time(9, 30), "unset": None,
        "roles": ["agent", "é", "new"], "team": [ADA, EVE], "levels": [1, 3, -7], "fees": [Decimal("1.5"), Decimal("10.005")],
        "holidays": [date(2026, 3, 2)], "nothing": None, "empty": [],
    },
    tz=ZoneInfo("America/Los_Angeles"),
)  # fmt: skip

MAX_INT = 2**53 - 1
MAX_COST = Decimal(10**15 - 1).scaleb(-2)
VALUES: dict[str, list[Any]] = {
    "flag": [True, False], "open": [False, True],
    "a": [0, 1, -1, 7, -7, 3, MAX_INT, -MAX_INT, 2], "b": [3, -7, 0, 1, MAX_INT, 2],
    "cost": [Decimal("0.00"), Decimal("1.50"), Decimal("-1.50"), Decimal("10.00"), Decimal("10.01"), MAX_COST, -MAX_COST, Decimal("3.00")],
    "rate": [Decimal("1.5000"), Decimal("0.0001"), Decimal("-0.0001"), Decimal("10.0050"), Decimal("3.0000"), Decimal("99999999999.9999")],
    "name": ["Ada", "ada", "é", "É", "a%b_c", "z", "Z", "ab", "a", "%", "\U0001f600x", "\uffee", "new", "x'y\"\\", "ß"],
    "word": ["a", "A", "é", "a_", "\uffee", "\U0001f600", "Adam", "b"], "category.code": ["pothole", "x", "é"],
    "state": ["new", "waiting", "done"], "urgency": ["low", "high", "above"],
    "born": [date(2026, 3, 2), date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29), date(1980, 1, 31)],
    "due": [date(2026, 3, 2), date(2026, 3, 3), date(1999, 12, 31)],
    "opened_at": [MOMENT.now, datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
                  datetime(2026, 3, 2, 9, 30, 0, 125001, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=UTC)],
    "closed_at": [MOMENT.now, datetime(2026, 3, 1, 9, 30, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)],
    "owner": [ADA, BOB, EVE], "creator": [BOB, ADA],
    "spent": [timedelta(0), timedelta(hours=8), timedelta(days=-1, microseconds=1), timedelta(days=3_652_059)],
    "budgeted": [timedelta(hours=8), timedelta(days=3)],
    "opens": [time(9, 30), time(0, 0), time(23, 59, 59)], "closes": [time(17, 30), time(9, 30), time(9, 30, 1)],
    "within": [5, 0, 10, MAX_INT], "allowed": [10, 5, 1],
    "tags": [["a", "é", "new"], [], ["x"]], "counts": [[1, 2, 3], [], [MAX_INT, -7]],
    "prices": [[Decimal("1.50"), Decimal("10.00")], []], "members": [[ADA], [BOB, EVE], []],
    "days_off": [[date(2026, 3, 2)], []],
}  # fmt: skip


def sample_rows() -> list[dict[str, Any]]:
    """Records that hold every value of every column beside many others, and nulls in all places."""
    rows: list[dict[str, Any]] = [dict.fromkeys(COLUMNS)]
    columns = [[*found, None] for found in VALUES.values()]
    for turn in range(4):
        turned = [found[(turn * place) % len(found) :] + found[: (turn * place) % len(found)] for place, found in enumerate(columns)]
        rows.extend(
            dict(zip(VALUES, record, strict=True)) for record in zip_longest(*(_stretched(found, 9 + 3 * turn) for found in turned))
        )
    return rows


def _stretched(found: list[Any], length: int) -> list[Any]:
    return [found[place % len(found)] for place in range(length)]


ROWS = sample_rows()


def checked(text: str, expect: Type | None = None) -> Checked:
    return compile_check(text, SCOPE, expect)


def value(text: str, /, expect: Type | None = None, **row: Any) -> Any:
    """The expression's value for a record with these fields; the others are null."""
    return to_python(checked(text, expect))({name.replace("__", "."): field for name, field in row.items()}, MOMENT)
