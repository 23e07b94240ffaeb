"""A file becomes plain data with the place of every key and value, or problems."""

import time

import pytest

from tests.source.definitions import told
from xrm.source.data import plain
from xrm.source.document import Map, Scalar, read_text
from xrm.source.folder import decoded


def codes(text: str) -> list[str]:
    return [problem.code for problem in read_text("x.yml", text).problems]


def value(text: str) -> object:
    root = read_text("x.yml", f"a: {text}\n").root
    assert isinstance(root, Map)
    return plain(root.entries[0][1])


@pytest.mark.parametrize(
    "text", ["NO", "no", "yes", "on", "010", "17:30", "2026-01-01", "0x1F", "0o7", "1e3", ".5", "1_000", ".inf", "True"]
)
def test_only_true_false_null_and_decimal_numbers_are_not_text(text: str) -> None:
    """What YAML 1.1 reads as a truth, an octal, a time or a date is text."""
    assert value(text) == text


def test_the_core_types_are_read() -> None:
    """true, false, null and decimal numbers are what they say; in quotes they are text."""
    assert [value(text) for text in ("true", "false", "null", "~", "12", "-3", "'12'", '"true"')] == [
        True,
        False,
        None,
        None,
        12,
        -3,
        "12",
        "true",
    ]
    assert str(value("1.50")) == "1.50"


def test_every_key_and_value_has_its_place() -> None:
    """Line and column count from 1, in characters."""
    root = read_text("x.yml", "ü: {é: '😀', b: c}\n").root
    assert isinstance(root, Map)
    inner = root.entries[0][1]
    assert isinstance(inner, Map)
    assert [(key.place.column, node.place.column, node.place.width) for key, node in inner.entries] == [(5, 8, 3), (13, 16, 1)]


def test_a_duplicate_key_is_reported_with_the_line_of_the_first() -> None:
    """Nothing is guessed."""
    assert told("entity: thing\nlabel: A\nlabel: B\nfields: {name: text}\n") == [
        "3:1 XRM102 the key 'label' stands twice (it stands in line 2 already)"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x b", "the anchor '&x' is refused"),
        ("a: *x", "the alias '*x' is refused"),
        ("a: !x b", "the tag '!x' is refused"),
        ("a: !!str b", "the tag 'tag:yaml.org,2002:str' is refused"),
        ("<<: {a: b}", "the merge key '<<' is refused"),
    ],
)
def test_anchors_aliases_tags_and_merge_keys_are_refused(text: str, message: str) -> None:
    """Each where it stands."""
    assert [(one.code, one.message) for one in read_text("x.yml", text).problems] == [("XRM103", message)]


BOMBS = {
    "brackets": "a: " + "[" * 100_000,
    "braces": "a: " + "{a: " * 50_000,
    "blocks": "\n".join(" " * depth + "a:" for depth in range(1200)),
    "lists": "- " * 300_000,
    "questions": "? " * 300_000,
    "laughs": "a: &a [x, x]\n" + "\n".join(f"b{n}: &b{n} [*a, *a, *a, *a]" for n in range(2000)),
    "merges": "a: &a {x: 1}\n" + "\n".join(f"m{n}: {{<<: [*a, *a, *a]}}" for n in range(2000)),
    "values": "a: [" + "x," * 400_000 + "]",
    "size": "a: " + "x" * 1_100_000,
    "keys": "\n".join(f"k{n}: 1" for n in range(59_000)),
    "quote": "a: '" + "x\n\n" * 300_000,
    "anchors": "\n".join(f"k{n}: &a{n} 1" for n in range(30_000)),
    "colons": "a: " + "b: " * 300_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_seconds(name: str) -> None:
    """Depth, size, number, aliases and merge keys cost next to nothing, alone and in an application."""
    start = time.process_time()
    found = told(BOMBS[name])
    assert found
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: b\nc: \x00", 2, 4),
        ("a: b\n\ufeffc: d", 2, 1),
        ("\ufeffa: b", 1, 1),
        ("a: \ud800", 1, 4),
        ("a: \x1b[31m", 1, 4),
        ("a:\n\tb: c", 2, 1),
        ("a: 'b\nc: d", 1, 4),
    ],
)
def test_what_is_not_text_is_reported_where_it_stands(text: str, line: int, column: int) -> None:
    """NUL, escapes, a byte order mark, half characters, tabs, and a quote that is not closed."""
    problem = read_text("x.yml", text).problems[0]
    assert problem.code == "XRM101"
    assert problem.place
    assert (problem.place.line, problem.place.column) == (line, column)


def test_bytes_that_are_not_utf_8_are_reported_with_their_place() -> None:
    """Latin-1 is not guessed; UTF-16 is named."""
    latin, wide = decoded("x.yml", "a: b\nc: dé".encode("latin-1")), decoded("x.yml", "a: b".encode("utf-16"))
    assert not isinstance(latin, str)
    assert not isinstance(wide, str)
    assert (str(latin.place), latin.code) == ("x.yml:2:5", "XRM105")
    assert wide.message == "the file is in UTF-16"


def test_a_second_document_is_refused() -> None:
    """One file holds one definition."""
    assert codes("a: b\n---\nc: d\n") == ["XRM101"]


def test_a_key_must_be_a_word() -> None:
    """Lists and maps as keys are refused, and a missing key too."""
    assert codes("? [a]\n: b\n") == ["XRM101"]
    assert codes(": b\n") == ["XRM101"]


def test_windows_lines_count_once() -> None:
    """A carriage return and a line feed are one break."""
    root = read_text("x.yml", "a: b\r\nc: d\r\n").root
    assert isinstance(root, Map)
    assert [key.place.line for key, _ in root.entries] == [1, 2]


def test_the_raw_text_of_a_scalar_is_kept() -> None:
    """Quotes included, so that a fault inside can be shown."""
    root = read_text("x.yml", "a: 'it''s'\n").root
    assert isinstance(root, Map)
    scalar = root.entries[0][1]
    assert isinstance(scalar, Scalar)
    assert (scalar.raw, scalar.text, scalar.style) == ("'it''s'", "it's", "'")
