"""The grammar, its limits and what it says about mistakes."""

import time

import pytest

from xrm.expr import ExpressionError, parse
from xrm.expr.faults import EMPTY, MAX_LENGTH, SYNTAX, TOO_LARGE, Fault
from xrm.expr.syntax import Binary, Conditional, Literal, Logical, Path, Unary


def fault(text: str) -> Fault:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    (found,) = caught.value.faults
    return found


def test_precedence_is_that_of_cel() -> None:
    """`?:` binds loosest, then ||, &&, comparisons, + and -, * / %, and unary."""
    body = parse("a || b && c == d + e * -f ? g : h").body
    assert isinstance(body, Conditional)
    assert isinstance(body.test, Logical)
    assert body.test.operator == "||"
    both = body.test.operands[1]
    assert isinstance(both, Logical)
    same = both.operands[1]
    assert isinstance(same, Binary)
    assert same.operator == "=="
    assert isinstance(same.right, Binary)
    assert same.right.operator == "+"
    assert isinstance(same.right.right, Binary)
    assert isinstance(same.right.right.right, Unary)


def test_subtraction_is_from_the_left() -> None:
    """a - b - c is (a - b) - c."""
    body = parse("a - b - c").body
    assert isinstance(body, Binary)
    assert isinstance(body.left, Binary)
    assert isinstance(body.right, Path)


def test_nodes_know_their_place() -> None:
    """Offsets are code points, also behind characters outside the basic plane."""
    body = parse("'\U0001f600' == a.b").body
    assert isinstance(body, Binary)
    assert (body.right.start, body.right.end) == (7, 10)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'a\'b'", "a'b"), (r'"a\"b\\"', 'a"b\\'), (r"'\n\t\r'", "\n\t\r"), (r"'\u00e9\x41\U0001F600'", "éA\U0001f600"), ("'e\u0301'", "é"),
        ("0", 0), ("007", 7), ("9223372036854775807", 2**63 - 1), ("true", True), ("null", None),
    ],
)  # fmt: skip
def test_literals(text: str, value: object) -> None:
    """Texts have escapes and become NFC; whole numbers have 64 bits."""
    body = parse(text).body
    assert isinstance(body, Literal)
    assert body.value == value


def test_a_decimal_is_exact() -> None:
    """1.10 is the decimal 1.1, not a binary fraction."""
    body = parse("1.10").body
    assert isinstance(body, Literal)
    assert str(body.value) == "1.1"


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_empty_is_a_fault_of_its_own(text: str) -> None:
    """An empty expression is never true."""
    assert fault(text).code == EMPTY


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a = 1", 2, "=="), ("a and b", 2, "&&"), ("a OR b", 2, "||"), ("not a", 4, "!"), ("!(a) & b", 5, "&&"), ("a | b", 2, "||"), ("a <> b", 2, "!="),
        ("(a", 0, ")"), ("f(a, [1, 2", 5, "]"), ("'abc", 0, "'"), ('a == "x', 5, '"'), ("a == 'x\\", 5, "'"), ("'a\nb'", 0, "'"), ("5d < a", 0, 'duration("5d")'),
        ("1e5", 0, "exponent"), ("“x”", 0, "straight"), ("straße", 4, "a to z"), ("a\u00a0b", 1, "plain space"), (r"'\q'", 1, "\\\\"), ("a is null", 2, "=="),
        ("a not in b", 2, "!"), ("a[0]", 1, "in [a, b]"), ("a like 'x'", 2, "contains"), ("a => 1", 2, ">="), ("a === 1", 2, "=="),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_a_hint(text: str, place: int, hint: str) -> None:
    """What people write from other languages is answered with what to write here."""
    found = fault(text)
    assert (found.code, found.start) == (SYNTAX, place)
    assert hint in (found.hint or "")


@pytest.mark.parametrize(
    "text", ["a b", "a +", "a ? b", "f(a,)", "[1,]", ")", "a.", "a..b", ".5", "1.", "1..2", "1abc", "in", "a in", "'\\0'", "'\\x00'", "'\\ud800'", "\0", "a;b", "{}",
             "f(x).b", "99999999999999999999", "1.0000000000000000001"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    """Anything else is a fault of syntax inside the text."""
    found = fault(text)
    assert found.code == SYNTAX
    assert 0 <= found.start <= found.end <= len(text)


def test_too_long() -> None:
    """More than 4096 characters are refused."""
    parse("'" + "a" * (MAX_LENGTH - 2) + "'")
    assert fault("'" + "a" * (MAX_LENGTH - 1) + "'").code == TOO_LARGE


HOSTILE = [
    "(" * 4000, "[" * 4000, "!" * 4000, "-" * 4000, "!" * 3000 + "a", "a" + "+a" * 2000, "a" + "-1" * 2000, "f(" * 2000, "a.f(" * 1000, "!(" * 2000,
    "(" * 1000 + "a" + ")" * 1000, "a?b:" * 1000 + "c", "a ? " * 1000, "a" + ".a" * 2000, "a<" * 2000 + "a", "a," * 2000, "a" + " in a" * 800,
    "a?(" * 1300, "- " * 2000 + "1", "'" * 4000, "\\" * 4000, "a&&(" * 1000, "[[" * 2000, "a%" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_hostile_text_is_refused_or_parsed_in_bounded_time(text: str) -> None:
    """Nesting never exhausts the stack."""
    started = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.faults[0].code in (TOO_LARGE, SYNTAX)
    assert time.process_time() - started < 2


def test_a_long_chain_of_conditions_is_one_level() -> None:
    """A filter of a thousand alternatives is fine."""
    body = parse("||".join(["a"] * 1300)).body
    assert isinstance(body, Logical)
    assert len(body.operands) == 1300
