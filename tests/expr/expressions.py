"""Expressions to compare the engines on: every operator and function with every type, and random ones."""

from collections.abc import Iterator
from itertools import product

from hypothesis import strategies as st

from tests.expr.samples import ADA, BOB

COLUMN = {
    "bool": ["flag", "open"], "number": ["a", "b", "cost", "rate"], "int": ["a", "b"], "decimal": ["cost", "rate"], "text": ["name", "word", "category.code"],
    "state": ["state"], "urgency": ["urgency"], "date": ["born", "due"], "datetime": ["opened_at", "closed_at"], "ref": ["owner", "creator"],
    "duration": ["spent", "budgeted"], "time": ["opens", "closes"], "business": ["within", "allowed"],
}  # fmt: skip
FIXED = {
    "bool": ["true", "false", "null", "actor.admin", "actor.boss == null"],
    "number": ["0", "3", "-7", "1.5", "10.005", "-0.0001", "9007199254740991", "9223372036854775807", "actor.level", "actor.limit", "actor.unset",
               "actor.level + 0.5", "1.00000000001", "9007199254740991 * 2"],
    "text": ["'a'", "'é'", "'e\\u0301'", "'%'", "'_'", "'ß'", "''", "'\\U0001f600'", "'\\uffee'", "'Ada'", "actor.name", "actor.nickname", "actor.name + 'm'"],
    "state": ["'new'", "'done'"], "urgency": ["'low'", "'high'", "'above'"],
    "date": ["today()", "date('2026-03-02')", "today() + days(1)", "actor.born + months(1)", "today() - days(4000000)"],
    "datetime": ["now()", "timestamp('2026-03-02T09:30:00.125Z')", "now() - duration('1d')", "actor.joined", "now() - duration('3000000d')", "now() - months(1)"],
    "ref": ["actor", "actor.boss", f"'{BOB}'"], "duration": ["duration('8h')", "actor.shift", "days(3)", "now() - actor.joined"],
    "time": ["time('09:30')", "actor.start", "time(now())"], "business": ["business_days(5)", "business_days(actor.level)"],
}  # fmt: skip
LISTS = {
    "number": ["counts", "prices", "actor.levels", "actor.fees", "[1, -7]", "[1.5, 10.005, 3]", "[a, b]", "[cost, 2, actor.limit]", "[]"],
    "text": ["tags", "actor.roles", "actor.nothing", "['a', 'é', '%']", "[word, 'z']", "[actor.name, 'new']"],
    "state": ["['new', 'done']", "actor.roles", "tags"], "date": ["days_off", "actor.holidays", "[today(), born]", "[today()]"],
    "datetime": ["[now()]", "[closed_at]"], "ref": ["members", "actor.team", "actor.empty", "[actor, actor.boss]", "[creator]", f"['{ADA}']"],
    "duration": ["[actor.shift]", "[budgeted, days(3)]"],
    "time": ["[time('09:30'), closes]", "[actor.start]"], "business": ["[business_days(5), allowed]", "[business_days(10)]"], "bool": ["[true]", "[open]"],
}  # fmt: skip
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
UNORDERED = {"bool", "state", "ref"}
NUMBER_MAKERS = ["({x} + {y})", "({x} - {y})", "({x} * 3)", "(-{x})", "abs({x})", "int({x})", "({x} / 7)", "({x} / -2)", "({x} % 7)", "({x} % -3)",
                 "({x} * {y})", "coalesce({x}, {y})", "(flag ? {x} : {y})", "({x} - 1.25)", "({x} + actor.limit)", "({x} * actor.level)"]  # fmt: skip
TEXT_MAKERS = ["({x} + {y})", "coalesce({x}, {y})", "(flag ? {x} : {y})", "coalesce({x}, 'new')", "({x} + 'é')"]
TEXT_TESTS = [
    "{x}.contains({y})",
    "{x}.startsWith({y})",
    "{x}.endsWith({y})",
    "{x} < {y}",
    "{x} >= {y}",
    "{x} == {y}",
    "size({x}) > size({y})",
]


def pairs(kind: str) -> Iterator[tuple[str, str]]:
    """Two operands of which at least one is a column."""
    columns, fixed = COLUMN[kind], FIXED.get(kind, [])
    for left in columns:
        yield from ((left, right) for right in [*columns, *fixed])
        yield from ((right, left) for right in fixed)


def systematic() -> Iterator[str]:
    """Every operator and function with operands of every type."""
    yield from _comparisons()
    yield from _memberships()
    yield from _logic()
    yield from _nulls()
    yield from _numbers()
    yield from _texts()
    yield from _others()


def _comparisons() -> Iterator[str]:
    for kind in COLUMN:
        operators = COMPARISONS[:2] if kind in UNORDERED else COMPARISONS
        for (left, right), operator in product(pairs(kind), operators):
            if "null" in (left, right) and operator not in ("==", "!="):
                continue
            yield f"{left} {operator} {right}"
            if operator == "==":
                yield f"!({left} == {right})"
                yield f"({left} == {right}) == open"
    for columns in COLUMN.values():
        for column in columns:
            yield from (f"{column} == null", f"null != {column}", f"has({column})", f"!has({column})")
    yield from (f"{column} {operator} null" for column in ("tags", "members") for operator in ("==", "!="))


def _memberships() -> Iterator[str]:
    for kind, lists in LISTS.items():
        for operand, found in product([*COLUMN[kind], *FIXED.get(kind, [])], lists):
            yield from (f"{operand} in {found}", f"!({operand} in {found})", f"({operand} in {found}) == flag")
    yield from (
        "(name in tags ? 'a' : word) in tags",
        "!((owner in members ? creator : owner) in members)",
        "(name in actor.roles ? 'a' : word) in actor.roles",
    )
    yield from (f"size({found}) == {count}" for found in ("tags", "counts", "members", "actor.roles") for count in (0, 1, "a"))


def _logic() -> Iterator[str]:
    operands = ["flag", "open", "true", "false", "null", "a > 1", "actor.admin", "flag != open", "(owner == actor)"]
    for left, right in product(operands, operands):
        yield from (
            f"{left} && {right}",
            f"{left} || {right}",
            f"!({left} && {right})",
            f"{left} || !{right} && flag",
            f"{left} ? {right} : open",
        )
        yield from (f"coalesce({left}, {right})", f"({left}) == ({right})", f"!({left} ? {right} : flag)", f"flag ? {left} : {right}")


def _nulls() -> Iterator[str]:
    """A null that was not written as one."""
    nothing = "(flag ? null : null)"
    yield from (f"flag && {nothing}", f"{nothing} == flag", f"coalesce({nothing}, a)", f"coalesce(flag, {nothing})", f"has({nothing})")
    yield from (
        f"{nothing} in tags",
        f"{nothing} in counts",
        "null in members",
        f"name.contains({nothing})",
        f"{nothing} ? a : b",
        "abs(null) == a",
    )
    yield from (
        f"(open ? {nothing} : a) == 1",
        f"(open ? {nothing} : cost)",
        f"(open ? owner : {nothing}) == owner",
        nothing,
        "size(null)",
        "int(null) == a",
    )


def _numbers() -> Iterator[str]:
    for maker, x, y in product(NUMBER_MAKERS, COLUMN["number"], [*COLUMN["number"], "2", "0.5", "actor.level", "actor.unset"]):
        made = maker.format(x=x, y=y)
        yield from (made, f"{made} > 1", f"{made} == {y}", f"1.5 <= {made}", f"{made} in [1, 1.5, {x}]")


def _texts() -> Iterator[str]:
    texts = [*COLUMN["text"][:2], "state", "'a'", "'%'", "actor.name", "actor.nickname", "'é'"]
    for x, y in product(texts, texts):
        yield from (test.format(x=x, y=y) for test in TEXT_TESTS)
        for maker in TEXT_MAKERS:
            made = maker.format(x=x, y=y)
            yield from (made, f"size({made})", f"{made} < 'n'", f"'a' < {made}", f"{made}.contains('a')", f"!{made}.startsWith({y})")


def _others() -> Iterator[str]:
    for part, date in product(("year", "month", "day"), ("born", "due", "today()", "opened_at")):
        yield from (f"{part}({date})", f"{part}({date}) > 2")
    for kind in ("date", "datetime", "ref", "duration", "urgency", "state", "time", "business"):
        for left, right in pairs(kind):
            yield from (f"coalesce({left}, {right})", f"flag ? {left} : {right}", f"(flag ? {left} : {right}) == {left}")
    yield from (
        "a",
        "name",
        "owner",
        "born",
        "opened_at",
        "spent",
        "actor",
        "now()",
        "actor.admin",
        "'a' == actor.name",
        "1",
        "null",
        "true",
        "a + a",
        "a + a - b",
    )


def _spread(parts: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(parts)


def conditions(depth: int = 4) -> st.SearchStrategy[str]:
    """Random conditions over columns of every type."""
    leaves = _spread([*COLUMN["bool"], *FIXED["bool"]])
    if depth == 0:
        return leaves
    inner = conditions(depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, inner, _spread(["&&", "||", "==", "!="]), inner),
        st.builds("!({})".format, inner),
        st.builds("(({}) ? ({}) : ({}))".format, inner, inner, inner),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("({} {} {})".format, numbers(depth - 1), _spread(COMPARISONS), numbers(depth - 1)),
        st.builds("({} {} {})".format, texts(depth - 1), _spread(COMPARISONS), texts(depth - 1)),
        st.builds("({}).{}({})".format, texts(depth - 1), _spread(["contains", "startsWith", "endsWith"]), texts(depth - 1)),
        st.builds("({} in {})".format, numbers(depth - 1), _spread(LISTS["number"])),
        st.builds("({} in {})".format, texts(depth - 1), _spread(LISTS["text"])),
        *(_compared(kind) for kind in ("state", "urgency", "date", "datetime", "ref", "duration", "time", "business")),
        *(_listed(kind) for kind in ("state", "date", "datetime", "ref", "duration")),
    )


def _compared(kind: str) -> st.SearchStrategy[str]:
    operators = COMPARISONS[:2] if kind in UNORDERED else COMPARISONS
    operand = _spread([*COLUMN[kind], *FIXED[kind]])
    return st.builds("({} {} {})".format, _spread(COLUMN[kind]), _spread(operators), operand)


def _listed(kind: str) -> st.SearchStrategy[str]:
    return st.builds("({} in {})".format, _spread([*COLUMN[kind], *FIXED[kind]]), _spread(LISTS[kind]))


def numbers(depth: int) -> st.SearchStrategy[str]:
    """Random numbers."""
    literals = st.one_of(st.integers(-20, 20).map(str), st.decimals(-20, 20, places=2, allow_nan=False).map(str))
    leaves = st.one_of(_spread([*COLUMN["number"], *COLUMN["number"], *FIXED["number"]]), literals)
    if depth == 0:
        return leaves
    inner = numbers(depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, inner, _spread(["+", "-"]), inner),
        st.builds("({} * {})".format, inner, _spread(["2", "-3", "1.5", "a", "actor.level"])),
        st.builds(
            "({} {} {})".format, _spread(["a", "b", "(a + b)", "size(name)"]), _spread(["/", "%"]), _spread(["7", "-2", "1", "1000000"])
        ),
        st.builds("{}({})".format, _spread(["abs", "int", "-"]), inner),
        st.builds("size({})".format, texts(depth - 1)),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("({} ? {} : {})".format, conditions(depth - 1), inner, inner),
    )


def texts(depth: int) -> st.SearchStrategy[str]:
    """Random texts."""
    leaves = _spread([*COLUMN["text"], *COLUMN["text"], *FIXED["text"]])
    if depth == 0:
        return leaves
    inner = texts(depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} + {})".format, inner, inner),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("({} ? {} : {})".format, conditions(depth - 1), inner, inner),
    )
