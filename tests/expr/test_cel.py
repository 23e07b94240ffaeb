"""On what both have, the language means what Google's CEL means by it."""

import os
from typing import Any

from cel_expr_python import cel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.expr.samples import MOMENT
from xrm.expr import BOOL, INT, TEXT, Names, compile_check, list_of, to_python

SCOPE = Names({"i": INT, "j": INT, "s": TEXT, "t": TEXT, "f": BOOL, "g": BOOL, "l": list_of(INT), "m": list_of(TEXT)})
ENVIRONMENT = cel.NewEnv(
    variables={
        "i": cel.Type.INT, "j": cel.Type.INT, "s": cel.Type.STRING, "t": cel.Type.STRING, "f": cel.Type.BOOL, "g": cel.Type.BOOL,
        "l": cel.Type.List(cel.Type.INT), "m": cel.Type.List(cel.Type.STRING),
    }
)  # fmt: skip
MOST = 2**53 - 1
EXAMPLES = settings(
    max_examples=5_000 if os.environ.get("XRM_SOAK") else 400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

INTS = st.one_of(st.sampled_from([0, 1, -1, 2, 7, -7, MOST, -MOST]), st.integers(-MOST, MOST))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4)
ROWS = st.fixed_dictionaries(
    {
        "i": INTS,
        "j": INTS,
        "s": TEXTS,
        "t": TEXTS,
        "f": st.booleans(),
        "g": st.booleans(),
        "l": st.lists(INTS, max_size=3),
        "m": st.lists(TEXTS, max_size=3),
    }
)


def whole(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["i", "j", "0", "1", "-3", "7", "size(s)", "size(l)", "9007199254740993"])
    if depth == 0:
        return leaves
    inner = whole(depth - 1)
    return st.one_of(
        leaves, st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner), st.builds("(-{})".format, inner),
        st.builds("({} ? {} : {})".format, condition(depth - 1), inner, inner), st.builds("size({})".format, text(depth - 1)),
    )  # fmt: skip


def text(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["s", "t", "'a'", r"'\u00e9'", '"\\"x\\\\"', "'\U0001f600'"])
    return st.one_of(leaves, st.builds("({} + {})".format, text(depth - 1), text(depth - 1))) if depth else leaves


def condition(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["f", "g", "true", "false"])
    if depth == 0:
        return leaves
    inner, signs = condition(depth - 1), st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        leaves, st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner), st.builds("!{}".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner), st.builds("({} {} {})".format, whole(depth - 1), signs, whole(depth - 1)),
        st.builds("({} {} {})".format, text(depth - 1), signs, text(depth - 1)), st.builds("({} in l)".format, whole(depth - 1)),
        st.builds("({} in [{}, {}])".format, whole(depth - 1), whole(0), whole(0)), st.builds("({} in m)".format, text(depth - 1)),
        st.builds("{}.{}({})".format, text(depth - 1), st.sampled_from(["contains", "startsWith", "endsWith"]), text(depth - 1)),
        st.builds("{}.matches('{}')".format, text(depth - 1), st.sampled_from(["^a", "[a-z]", "x$", "."])),
    )  # fmt: skip


def theirs(expression: str, row: dict[str, Any]) -> Any:
    """CEL's value; its errors are null."""
    found = ENVIRONMENT.compile(expression).eval(data=row)
    return None if found.type() == cel.Type.ERROR else found.plain_value()


def ours(expression: str, row: dict[str, Any]) -> Any:
    return to_python(compile_check(expression, SCOPE))(row, MOMENT)


def spared(expression: str, row: dict[str, Any]) -> bool:
    """Where an error of CEL meets what we make total: == with null, a test that is unknown, `in`."""
    return any(theirs(part, row) is None for part in _parts(expression))


def _parts(expression: str) -> list[str]:
    """Every bracketed part, as the generators bracket everything."""
    found, starts = [], []
    for place, character in enumerate(expression):
        if character == "(":
            starts.append(place)
        elif character == ")":
            start = starts.pop()
            if start == 0 or not (expression[start - 1].isalnum()):
                found.append(expression[start : place + 1])
    return found


@EXAMPLES
@given(condition(3), ROWS)
def test_conditions_mean_what_cel_means(expression: str, row: dict[str, Any]) -> None:
    """Logic, comparison, lists and texts, without null."""
    if not spared(expression, row):
        assert ours(expression, row) == theirs(expression, row)


@EXAMPLES
@given(whole(3), ROWS)
def test_numbers_mean_what_cel_means(expression: str, row: dict[str, Any]) -> None:
    """64 bits on the way; what leaves past 2**53 is null here."""
    if not spared(expression, row):
        expected = theirs(expression, row)
        assert ours(expression, row) == (expected if expected is not None and abs(expected) <= MOST else None)


@EXAMPLES
@given(
    st.sampled_from(["f", "g", "1 / 0 == 1", "i / 0 > 0", "true", "false"]),
    st.sampled_from(["&&", "||"]),
    st.sampled_from(["f", "g", "1 % 0 > 0", "true"]),
    ROWS,
)
def test_an_error_meets_logic_as_in_cel(left: str, sign: str, right: str, row: dict[str, Any]) -> None:
    """CEL's && and || absorb errors as Kleene's absorb unknown."""
    left, right = (part.replace(" == 1", " > 1") for part in (left, right))
    expression = f"{left} {sign} {right}"
    assert ours(expression, row) == theirs(expression, row)
