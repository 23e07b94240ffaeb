"""The reference page of the language, written from the table of functions and of faults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from xrm.expr.faults import CODES, MAX_DEPTH, MAX_LENGTH
from xrm.expr.functions import STANDARD, Function

HEAD = f"""# Expressions

<!-- Written by xrm.expr.reference; change it there. `python -m xrm.expr.reference > docs/reference/expressions.md` -->

Conditions, computed values, row rules and `?filter=` are one language: a subset of Google's
[Common Expression Language](https://github.com/google/cel-spec/blob/master/doc/langdef.md). An expression is
checked when the definition is checked: every name, type, function and option. What it means is the same in
Python, SQLite and PostgreSQL.

    category.code == "pothole" && depth > 20
    queue in actor.queues || owner == actor
    opened_at < now() - duration("5d") && state != "closed"

An expression has at most {MAX_LENGTH} characters and is at most {MAX_DEPTH} deep.

## Values

| type | written | notes |
|---|---|---|
| text | `"road"` `'road'` | escapes as in CEL: `\\n \\" \\u00e9`; NFC; by code point; **empty text is null** |
| int | `42` | less than 2^53 in magnitude; a result on the way has 64 bits |
| decimal | `1.50` | exact, never binary; at most 18 decimals; mixes with int |
| bool | `true` `false` | |
| date | `date("2026-03-02")` | |
| datetime | `timestamp("2026-03-02T09:00:00Z")` | an instant, kept in UTC |
| time | `time("17:30")` | of the wall clock |
| business days, business hours | `business_days(5)` | compare with their own kind only |
| duration | `duration("36h")` | at most 10,000 years; `days(3)` is one too |
| link | a field; or the id as text | `category.code` reads the linked record; through an empty link it is null |
| list | `["a", "b"]` | holds no null |
| point, area, json | a field | compared with null only; `covers(area, point)` |
| null | `null` | |

A text that is one of several options (a choice, a state) is only compared with texts that are among them. When
the options are `ordered: true`, `<` and `>` go by their place.

## Operators

From the loosest to the tightest; brackets as usual.

| | | |
|---|---|---|
| `a ? b : c` | if a, then b, otherwise c | |
| `\\|\\|` | or | |
| `&&` | and | |
| `== != < <= > >= in` | compare; `x in list` | `a < b < c` is refused: write `a < b && b < c` |
| `+ -` | add, subtract, join texts, move dates | `today() - days(3)` |
| `* / %` | multiply, divide, remainder | toward zero: `-7 / 2` is `-3`, `-7 % 2` is `-1` |
| `! -` | not, minus | |

A date moves by `days(n)` and `months(n)`, an instant also by a duration. The difference of two dates is in days,
of two instants a duration; a duration is multiplied by a whole number. Division of decimals is rounded to 12
decimals, half away from zero.

## Unknown

Null, unknown and error are one thing. A missing value, a path through an empty link, a division by zero, a number
beyond its limits and a date outside the years 1 to 9999 are all null, and the rules are these:

| | with null |
|---|---|
| `==` `!=` | **total**: true or false, never unknown. `null == null` is true, `x != 5` is true when x is null |
| `in` | **total**: null is in no list, and nothing is in a null list |
| `<` `<=` `>` `>=` | unknown |
| `+ - * / %`, unary `-` | null |
| functions | null, but for `has` and `coalesce` |
| `&&` | false if any side is false; otherwise unknown if any is unknown (Kleene) |
| `\\|\\|` | true if any side is true; otherwise unknown if any is unknown |
| `!` | unknown stays unknown |
| `test ? a : b` | an unknown test takes `b` |

**A condition holds only when it is true.** Unknown is not true: a rule `must: due_at > opened_at` is not met while
`due_at` is null (say `when: due_at != null`), a filter does not find the record, a right is not given. Mind the
negation: `!(a > 5)` is unknown too when `a` is null; `!(a == 5)` is true. Empty text is null, so `name == ""` and
`name == null` ask the same, and `name + ""` is null.
"""

COLLECTIONS = """## Collections

The records that link to a record are a collection of it, when the link says `inverse: requests`; so are its rows, and the
records of a link with `many: true`.
A link that several entities take from the one that they extend makes one collection of them all: it has the fields that
are alike in each, and `entity` says which one a record is (`cases.exists(c, c.entity == "permit")`).
A collection is no value: something is asked of it.

| | |
|---|---|
| `requests.exists(r, r.paid)` | whether it holds for one of them |
| `requests.all(r, r.paid)` | whether it holds for each; of none it is true |
| `actor in wards`, `category in categories` | whether a record is one of them; of values `"A" in lines.code`, of rows too |
| `count(requests)`, `size(requests)` | how many; `count(requests.amount)` counts those that have a value |
| `sum(requests.amount)` | of nothing it is 0; a sum that no field could hold is null |
| `min(requests.amount)`, `max(requests.amount)` | of numbers, texts, dates, instants and durations; of nothing null |
| `requests.filter(r, r.paid)` | those for which it holds: `sum(requests.filter(r, r.paid).amount)`, `count(requests.filter(r, r.paid))` |
| `requests.map(r, r.amount * 2)` | one value of each: `sum(requests.map(r, r.amount * 2))` |

`r` stands for one record; any name does that is not taken. An unknown condition does not hold for a record, so these
answer true or false. Null values are left out. Rows may be asked inside rows; a collection of a collection is a
computed field there.
"""

CEL = """## Differences from CEL

What both have means the same, and a test compares them. Here are no floats (a number with a point is an exact
decimal), bytes, maps, indexes or type conversions; `null` and errors are one thing, so `==`, `in` and `?:` never fail;
empty text is null; durations have `d`. `days`, `months`, `year`, `month`, `day`, `lower`, `upper`, `abs`, `min`, `max`,
`round`, `sum`, `count` and `coalesce` are added; `exists`, `all`, `filter` and `map` are those of CEL, and total.
"""

DATABASE = """## What the database evaluates

Filters, row rules and searches run in the database. There a part that reads no field (`now() - duration("5d")`,
`lower(actor.name)`) may be anything: it is computed once per operation. What reads a field may use the operators
and the functions marked above, except:

- dates and instants of records do not move: write `opened_at < now() - duration("5d")`, not
  `opened_at + duration("5d") < now()`;
- division and remainder want whole numbers and a literal divisor other than 0;
- a number that could pass 64 bits is refused: two fields are added, but not multiplied;
- a list comes from a field, the actor or a literal;
- nesting is bounded by what SQLite's parser takes; a chain of `&&`, `||` or `?:` is not nesting.

Anything else is found when the definition is checked (XRM307). A computed field makes it available.
"""


def reference(functions: Mapping[str, Function] = STANDARD) -> str:
    """The page, in Markdown."""
    return "\n".join([HEAD, COLLECTIONS, _functions(functions), DATABASE, CEL, _faults()])


def _functions(functions: Mapping[str, Function]) -> str:
    rows = [_row(functions[name]) for name in sorted(functions, key=str.lower)]
    head = ["## Functions", "", "| function | gives | example | in the database |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _row(function: Function) -> str:
    example = f"`{function.example}`" + (f" is `{function.gives}`" if function.gives else "")
    return f"| `{function.signature}` | {function.doc} | {example} | {_where(function)} |"


def _where(function: Function) -> str:
    if isinstance(function.sql, tuple):
        return "of a " + ", ".join(function.sql)
    return "yes" if function.sql else ""


def _faults() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in sorted(CODES.items())]
    return "\n".join(["## Faults", "", "| code | meaning |", "|---|---|", *rows, ""])


def shown(value: object) -> str:
    """A value as the page shows it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _hours(value)
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def _hours(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    return f"{seconds // 3600}h" + (f"{seconds % 3600}s" if seconds % 3600 else "")


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201  # the page is what the module gives
