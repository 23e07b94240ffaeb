"""Broken quoting is reported on the line that should be changed, with that line printed mended."""

import pytest

from tests.source.definitions import told
from xrm.source.document import read_text


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("label: Note: read this", "label: 'Note: read this'"),
        ("label: it's: so", "label: 'it''s: so'"),
        ("label: @home", "label: '@home'"),
        ("label: `home`", "label: '`home`'"),
        ("label: %home", "label: '%home'"),
        ("label: 'home", "label: 'home'"),
        ('label: "home   # where', 'label: "home"   # where'),
        ("filter: !paid", "filter: =!paid"),
        ("filter: [1] == a", "filter: =[1] == a"),
        ("filter: !paid && a: b", "filter: '!paid && a: b'"),
        ("a: {when: q in [x, y], must: z}", "a: {when: 'q in [x, y]', must: z}"),
        ("a: {must: !paid, message: No}", "a: {must: =!paid, message: No}"),
        ("a: {hint: 'Street, or, label: B}", "a: {hint: 'Street, or', label: B}"),
        ("- @home", "- '@home'"),
        ("label: 'one' two", "label: 'one two'"),
    ],
)
def test_the_hint_prints_the_line_mended(line: str, mended: str) -> None:
    """And the mended line is YAML."""
    found = [one for one in read_text("x.yml", f"{line}\nb: c\n" if line[0] != "-" else f"{line}\n").problems if one.severity == "error"]
    assert found[0].hint == f"write: {mended}"
    assert found[0].place
    assert found[0].place.line == 1
    assert read_text("x.yml", f"{mended}\n").problems == ()


def test_an_open_quote_is_reported_where_it_opens() -> None:
    """Even if the next quote, lines below, closes it."""
    text = "a: 'one\nb: two\nc: 'three'\n"
    problem = read_text("x.yml", text).problems[0]
    assert (str(problem.place), problem.message) == ("x.yml:1:4", "the quote is not closed on its line")


def test_a_quote_that_swallows_keys_is_reported() -> None:
    """It is YAML, and not what was meant."""
    problem = read_text("x.yml", "a: 'one\nb: two'\n").problems[0]
    assert (problem.message, problem.hint) == ("the quote is not closed on its line", "write: a: 'one'")


def test_a_comma_in_braces_is_reported_with_the_line_mended() -> None:
    """An unquoted call with two arguments falls apart into a key that is not known."""
    found = told("entity: thing\nfields: {a: integer}\nchecks:\n  big: {must: max(a, 1) > 0, message: No}\n")
    assert found == ["4:22 XRM201 unknown key '1) > 0' (write: big: {must: 'max(a, 1) > 0', message: No})"]


def test_text_behind_a_number_sign_is_a_warning() -> None:
    """``#5`` behind a blank is a comment for YAML, and most likely a room for its author; a comment with a blank is one."""
    assert told("entity: thing\nlabel: Room #5\nfields: {name: text}   # all\n") == [
        "2:8 XRM101 what follows ' #' is a comment, not text (write: label: 'Room #5')"
    ]


def test_indentation_is_explained() -> None:
    """A line that fits none above says by how much."""
    found = told("entity: thing\nfields:\n  a: {type: text}\n   b: {type: text}\n")
    assert found == [
        "4:4 XRM101 a key was expected here (keys of one map begin in the same column: this line is indented by 3, the one before by 2)"
    ]
