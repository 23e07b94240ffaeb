"""What is made from a protected field shows no more than it (ARCHITECTURE, decision 4)."""

import pytest

from tests.source.definitions import told

FIELDS = "{name: text, tax: {type: text, protected: true}, o: {type: link, to: user}, EXTRA}"


def thing(extra: str = "x: text", rest: str = "") -> list[str]:
    return [line.split(" ", 1)[1] for line in told(f"entity: thing\nfields: {FIELDS.replace('EXTRA', extra)}\n{rest}")]


WOULD_SHOW = "XRM209 'x' would show the protected field 'tax' (make it protected too, or say discloses: true)"


@pytest.mark.parametrize(
    "written",
    [
        "{compute: =tax}",
        "{compute: =tax != null}",
        "{type: text, default: =tax}",
        "{type: text, default: [{when: tax != null, use: a}, {use: b}]}",
    ],
)
def test_a_field_made_from_a_protected_one_is_protected_or_discloses(written: str) -> None:
    """Computed or copied, by value or by condition."""
    assert thing(f"x: {written}") == [WOULD_SHOW]
    assert thing(f"x: {written[:-1]}, discloses: true}}") == []
    assert thing(f"x: {written[:-1]}, protected: true}}") == []


def test_a_field_copied_over_a_link_counts_too() -> None:
    """The user's email address is protected."""
    assert thing("x: {type: text, default: =o.email}")[0].startswith("XRM209 'x' would show the protected field 'o.email'")


def test_a_transition_does_not_copy_it_either() -> None:
    """``set`` is a value key like ``default``."""
    moves = "lifecycle:\n  states: {a: {initial: true}}\n  transitions: {t: {from: a, to: a, set: {x: =tax}}}\n"
    assert thing(rest=moves) == [WOULD_SHOW]


def test_a_role_that_sees_the_copy_sees_the_original() -> None:
    """Protecting both is not enough where one role is given only the copy."""
    copy = "x: {compute: =tax, protected: true}"
    assert thing(copy, "access: {agent: {read: true, sees: [x]}}\n") == [
        "XRM209 the role 'agent' sees 'x', which is made from 'tax', and it does not see that (give 'agent' both in 'sees', or say discloses: true)",
        "XRM209 the role 'chief' sees 'x', which is made from 'tax', and it does not see that (give 'chief' both in 'sees', or say discloses: true)",
    ] or thing(copy, "access: {agent: {read: true, sees: [x]}}\n")[0].startswith("XRM209 the role 'agent' sees 'x'")
    assert thing(copy, "access: {agent: {read: true, sees: [x, tax]}}\n") == []


def test_a_title_does_not_show_it() -> None:
    """A computed field that discloses may stand there."""
    assert thing(rest="title: '{tax}'\n")[0].startswith("XRM209 the title would show the protected field 'tax'")
    assert thing("x: {compute: =tax, discloses: true}", "title: '{x}'\n") == []


def test_a_message_does_not_show_it() -> None:
    """In braces."""
    check = "checks: {c: {must: tax != null, message: 'It is {tax}'}}\n"
    assert thing(rest=check) == ["XRM209 the message would show the protected field 'tax' (take it out of the message)"]


@pytest.mark.parametrize("line", ["sort: tax", "filter: tax == 'x'"])
def test_a_view_is_not_ordered_by_what_a_reader_does_not_see(line: str) -> None:
    """The order and the choice of records tell what they hold; columns are simply not shown."""
    view = f"views: {{a: {{{line}}}}}\n"
    assert thing(rest=f"access: {{agent: read}}\n{view}")[0].startswith(
        f"XRM209 the {line.split(':', maxsplit=1)[0]} of this view would disclose"
    )
    assert thing(rest=f"access: {{agent: {{read: true, sees: tax}}}}\n{view}") == []
    assert thing(rest="access: {agent: read}\nviews: {a: {columns: [name, tax]}}\n") == []


def test_row_rules_and_checks_read_what_they_need() -> None:
    """Conditions are no values."""
    assert thing(rest="access: {agent: {read: tax == null}}\nchecks: {c: {must: tax != null, message: No}}\n") == []
