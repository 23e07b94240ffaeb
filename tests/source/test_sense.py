"""What is written correctly and makes no sense: told as warnings, each with its code, place and hint."""

import colorsys
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.application import files_of
from xrm.expr import Moment, to_python
from xrm.model.brand import DARK_SURFACE, LIGHT_SURFACE, MARK_CONTRAST, TEXT_CONTRAST, brand, contrast, on, readable
from xrm.source import load_text

NOTE = """\
fields:
  depth: {{type: decimal, min: 0, max: 300}}
  count: integer
  day: date
  kind: {{type: choice, options: [a, b, c]}}
  secret: {{type: text, protected: true}}
  owner: {{type: link, to: user}}
{rest}
"""
STATES = "lifecycle: {states: {new: {initial: true}, held: {}, done: {final: true}}, transitions: {go: {from: new, to: done}, hold: {from: new, to: held}}}"


def told(rest: str) -> list[tuple[str, str, int]]:
    """Code, severity and line of the problems."""
    return [
        (problem.code, problem.severity, problem.place.line if problem.place else 0)
        for problem in load_text(files_of({"note": NOTE.format(rest=rest)})).problems
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "depth > 300",
        "depth < 0 || depth > 400",
        "count > 3 && count < 3",
        "count >= 3 && count < 3",
        'kind == "a" && kind == "b"',
        'kind in ["a", "b"] && kind == "c"',
        'kind in ["a"] && kind != "a"',
        'day > date("2026-01-01") && day < date("2025-01-01")',
        "count == null && count > 3",
        "!(depth <= 300)",
        "!(count == null || count < 5) && count < 4",
        "false && count > 1",
        "5 < count && 4 > count",
    ],
)
def test_a_condition_that_can_never_hold_is_told(condition: str) -> None:
    """By its types, options and bounds."""
    assert told(f"checks:\n  a: {{must: '{condition}', message: No}}") == [("XRM221", "warning", 10)]


@pytest.mark.parametrize(
    "condition",
    [
        "depth >= 300",
        "depth > 400 || count > 1",
        "count > 3 && count < 5",
        'kind != "a" && kind != "b"',
        'kind == "a" || kind == "b"',
        "count != null && count > 3",
        "!(depth > 300)",
        "depth + 500 > 400",
        "owner.name == 'a' && owner.name == owner.label",
    ],
)
def test_a_condition_that_may_hold_is_not_told(condition: str) -> None:
    """What is not certain is not said."""
    quoted = condition.replace("'", '"')
    assert told(f"checks:\n  a: {{must: '{quoted}', message: No}}") == []


SMALL = st.integers(0, 4)
TERMS = st.one_of(
    st.builds(
        lambda name, sign, value: f"{name} {sign} {value}",
        st.sampled_from("xy"),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        SMALL,
    ),
    st.builds(lambda name, sign: f"{name} {sign} null", st.sampled_from("xy"), st.sampled_from(["==", "!="])),
    st.builds(lambda name, some: f"{name} in {some}", st.sampled_from("xy"), st.lists(SMALL, min_size=1, max_size=3)),
    st.sampled_from(["z", "z == true", "z != false", "z == null"]),
)
CONDITIONS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a}) && ({b})", inner, inner),
        st.builds(lambda a, b: f"({a}) || ({b})", inner, inner),
        st.builds(lambda a: f"!({a})", inner),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CONDITIONS, min_size=20, max_size=20))
def test_what_is_told_never_to_hold_holds_for_no_record(conditions: list[str]) -> None:
    """Tried with every record of two small numbers and a flag, null among them."""
    lines = "\n".join(f"  c{n}: {{must: '{text}', message: No}}" for n, text in enumerate(conditions))
    loaded = load_text(files_of({"note": f"fields: {{x: {{type: integer, min: 1, max: 3}}, y: integer, z: boolean}}\nchecks:\n{lines}\n"}))
    assert loaded.application, loaded.problems
    never = {problem.path[1] for problem in loaded.problems if problem.code == "XRM221"}
    moment = Moment(datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1), {})
    for check in loaded.application.entities["note"].checks:
        if check.name in never and check.must:
            holds = to_python(check.must.checked)
            records = ({"x": x, "y": y, "z": z} for x in (None, 1, 2, 3) for y in (None, -1, 0, 1, 2, 3, 4, 5) for z in (None, True, False))
            assert not [record for record in records if holds(record, moment) is True], check.must.checked.text


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ('state == "new"', """a guard sees the record as the move leaves it: 'state' is "done\""""),
        ("open && count > 1", "a guard sees the record as the move leaves it: 'open' is false"),
        ('state != "done" || open', """a guard sees the record as the move leaves it: 'state' is "done\""""),
        ('state == "done" && !open', None),
        ('state == "new" || count > 1', None),
    ],
)
def test_a_guard_on_another_state_than_the_moves_is_told(guard: str, said: str | None) -> None:
    """It would block the move for everybody."""
    move = f"transitions: {{go: {{from: new, to: done, guards: [{{must: '{guard}', message: No}}]}}}}"
    text = NOTE.format(rest=f"lifecycle: {{states: {{new: {{initial: true}}, done: {{final: true}}}}, {move}}}")
    found = [(problem.code, problem.severity, problem.hint) for problem in load_text(files_of({"note": text})).problems]
    assert found == ([("XRM221", "warning", said)] if said else [])


def test_a_state_that_nothing_leaves_is_told() -> None:
    """Unless it is final."""
    assert told(STATES) == [("XRM220", "warning", 9)]
    assert told(STATES.replace("held: {}", "held: {final: true}")) == []


def test_a_role_is_asked_only_for_what_it_sees() -> None:
    """And held up only by what it sees."""
    ask = "lifecycle: {states: {new: {initial: true}, done: {final: true}}, transitions: {go: {from: new, to: done, roles: agent, ask: [secret]}}}\n"
    guard = ask.replace("ask: [secret]", "guards: [{must: secret != null, message: No}]")
    seen = "access: {agent: {read: true, update: true, sees: secret, edits: secret}}\n"
    assert told(ask) == told(guard) == [("XRM222", "warning", 9)]
    assert told(ask + seen) == told(guard + seen) == []


@pytest.mark.parametrize(
    ("field", "access", "said"),
    [
        ("required: true", "agent: [read, create]", ["the role 'agent' may add records, and may not fill in 'secret', which is required: it can add none"]),
        ("required: true", "agent: {read: true, create: true, sees: secret, edits: secret}", []),
        ("required: true", "agent: [read], boss: {create: true, sees: secret, edits: secret}", []),
        ("required: true, default: x", "agent: [read, create]", []),
        ("required: name != null", "agent: [read, create]", []),
    ],
)  # fmt: skip
def test_a_role_that_adds_records_can_fill_them_in(field: str, access: str, said: list[str]) -> None:
    """A protected field that is required always, and that nothing else gives a value."""
    text = f"fields: {{name: text, secret: {{type: text, protected: true, {field}}}}}\naccess: {{{access}}}\n"
    problems = load_text(files_of({"note": text})).problems
    assert [(one.code, one.severity, one.message, bool(one.hint)) for one in problems] == [
        ("XRM222", "warning", told, True) for told in said
    ]


def test_an_order_that_no_index_gives_is_told() -> None:
    """The first field counts."""
    assert told("views: {default: {sort: [-owner.label]}}") == [("XRM223", "warning", 9)]
    assert told("views: {default: {sort: [day, owner.label]}}") == []


# -- the brand -------------------------------------------------------------------------------------------------------


def brand_problems(text: str) -> list[tuple[str, str | None]]:
    files = files_of({"note": "fields: {name: text}\n"})
    return [(problem.code, problem.hint) for problem in load_text({**files, "xrm.yml": files["xrm.yml"] + f"brand: {text}\n"}).problems]


def test_colours_that_cannot_be_made_out_are_refused() -> None:
    """With one that can; what is no colour, too."""
    ((code, hint),) = brand_problems("'#ffdd00'")
    assert code == "XRM224" and hint and contrast(hint.split()[-1], LIGHT_SURFACE) >= MARK_CONTRAST
    assert [code for code, _ in brand_problems("{colour: '#1f4e8c', dark: '#101010'}")] == ["XRM224"]
    assert [code for code, _ in brand_problems("{colour: blue, bar: '#12'}")] == ["XRM206", "XRM206"]
    assert brand_problems("{colour: '#1f4e8c', dark: '#8fb8f0', bar: '#16324f'}") == []


def test_every_hue_makes_a_brand_that_can_be_read() -> None:
    """Text on it has 4.5 to 1, marks on the dark pages too (WCAG 2.2)."""
    for hue in range(0, 360, 15):
        for light in (0.2, 0.5, 0.8):
            colour = "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue / 360, light, 0.9))
            made = brand(readable(colour, LIGHT_SURFACE, MARK_CONTRAST))
            for own in (made.colour, made.dark, made.bar):
                assert contrast(on(own), own) >= TEXT_CONTRAST
            assert contrast(made.dark, DARK_SURFACE) >= MARK_CONTRAST
