"""Names, types and functions: every fault is found, has its place, and says what to write."""

from dataclasses import replace

import pytest

from tests.expr.samples import SCOPE, checked
from xrm.expr import BOOL, INT, STANDARD, TEXT, ExpressionError, Fault, Function, choice, compile_check, decimal, ref


def faults(text: str, **options: object) -> tuple[Fault, ...]:
    with pytest.raises(ExpressionError) as caught:
        compile_check(text, SCOPE, **options)  # type: ignore[arg-type]
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "code", "span", "hint"),
    [
        ("stat == 'new'", "XRM302", "stat", "'state'"), ("category.cod == 'x'", "XRM302", "cod", "'code'"), ("actor.rolls == null", "XRM302", "rolls", "'roles'"),
        ("state == new", "XRM302", "new", "'new'"), ("siz(name) > 1", "XRM304", "siz", "'size'"), ("length(name) > 1", "XRM304", "length", "size("),
        ("name.size() > 1", "XRM304", "size", "size("), ("startsWith(name, 'a')", "XRM304", "startsWith", "text.startsWith"), ("name.startsWith()", "XRM304", "startsWith", "startsWith("),
        ("state == 'nwe'", "XRM305", "'nwe'", "'new'"), ("state in ['new', 'don']", "XRM305", "'don'", "'done'"), ("'dome' != state", "XRM305", "'dome'", "'done'"),
        ("coalesce(state, 'new') == 'nw'", "XRM305", "'nw'", "'new'"), ("urgency > 'hig'", "XRM305", "'hig'", "'high'"), ("(flag ? state : 'done') == 'x'", "XRM305", "'x'", "one of new"),
        ("a == 'x'", "XRM303", "a == 'x'", ""), ("a < null", "XRM303", "a < null", "== null"), ("a + null", "XRM303", "a + null", "coalesce"), ("due + 3 == born", "XRM303", "due + 3", "days(3)"),
        ("due + duration('1h') == born", "XRM303", "due + duration('1h')", "days(3)"), ("due == '2026-01-01'", "XRM303", "due == '2026-01-01'", 'date("'), ("opened_at < due", "XRM303", "opened_at < due", "date(x)"),
        ("opened_at > 'x'", "XRM303", "opened_at > 'x'", "timestamp("), ("owner == 'ada'", "XRM303", "owner == 'ada'", ".code"), ("a < b < 3", "XRM303", "a < b < 3", "a < b && b < c"),
        ("!name", "XRM303", "name", "!= null"), ("name && flag", "XRM303", "name", "compares"), ("'a' in name", "XRM303", "'a' in name", "contains"), ("a in [null]", "XRM303", "null", "== null"),
        ("name in ['']", "XRM303", "''", "== null"), ("a in [1, 'x']", "XRM303", "'x'", "one type"), ("tags == ['a']", "XRM303", "tags == ['a']", "in list"), ("place == place", "XRM303", "place == place", ""),
        ("state > 'new'", "XRM303", "state > 'new'", "ordered: true"), ("flag ? 1 : 'x'", "XRM303", "flag ? 1 : 'x'", "one type"), ("-name == 'x'", "XRM303", "-name", ""), ("name + 1 == 'x'", "XRM303", "name + 1", "texts"),
        ("0.000000000001 * rate * rate > 1", "XRM303", "0.000000000001 * rate * rate", "round"), ("duration('3 days') == spent", "XRM304", "'3 days'", "1d12h"), ("date('2026-02-30') == due", "XRM304", "'2026-02-30'", "date("),
        ("timestamp('2026-03-02T09:00:00') == opened_at", "XRM304", "'2026-03-02T09:00:00'", "timestamp("), ("name.matches('(')", "XRM304", "'('", "matches"), ("name.matches(word)", "XRM304", "word", "matches"),
        ("date(name) == due", "XRM304", "name", "date("), ("round(1.5, 19) == 1", "XRM304", "19", "round"), ("min(1, 'x') == 1", "XRM304", "min", "min("), ("sum(tags) == 1", "XRM304", "sum", "sum("),
        ("min(urgency, 'low') == 'low'", "XRM304", "min", "min(value, value)"),
        ("flag == 'true'", "XRM303", "flag == 'true'", "without quotes"),
        ("has()", "XRM304", "has", "has(any)"), ("category", "XRM309", "category", "compares"), ("open(1)", "XRM304", "open", ""),
    ],
)  # fmt: skip
def test_a_fault_has_code_place_and_hint(text: str, code: str, span: str, hint: str) -> None:
    """One mistake, one fault, on the words that are wrong."""
    (found,) = faults(text, expect=BOOL)
    assert found.code == code, found
    assert text[found.start : found.end] == span, found
    assert hint in (found.hint or ""), found


def test_all_faults_are_reported_by_place() -> None:
    """Not only the first."""
    found = faults("stat == 'x' && a == 'y' || siz(name) > 0 || state == 'nix'")
    assert [fault.code for fault in found] == ["XRM302", "XRM303", "XRM304", "XRM305"]


def test_the_result_must_be_what_the_place_wants() -> None:
    """An int does for a decimal, null for anything."""
    assert faults("name", expect=INT)[0].code == "XRM309"
    assert checked("a", decimal(2)).type == INT
    assert checked("null", INT).type == INT
    assert checked("null").type.name == "null"
    assert checked("owner", ref()).type == ref("user")
    assert faults("flag ? 'new' : 'nwe'", expect=choice("new"))[0].code == "XRM305"


def test_checked_tells_what_it_reads() -> None:
    """Paths, facts of the actor, and the clock."""
    found = checked("category.code == 'x' && owner == actor && 'a' in actor.roles && opened_at < now()")
    assert found.paths == {"category.code", "owner", "opened_at"}
    assert found.actor_keys == {"id", "roles"}
    assert found.reads_clock
    assert not checked("date(opened_at) == due").reads_clock
    assert not checked("a == 1").reads_clock


def test_a_plugin_adds_functions() -> None:
    """They run in Python; what they raise or give beyond the limits is null."""
    from tests.expr.samples import MOMENT
    from xrm.expr import to_python

    twice = Function("twice", (INT,), INT, lambda number: 10 // number * 2**70 if number < 5 else 10 // (number - 5), "Twice.", "twice(2)")
    functions = {**STANDARD, "twice": twice}
    found = compile_check("twice(a) == null", SCOPE, functions=functions)
    assert found.sql_faults[0].code == "XRM307"
    evaluate = to_python(found)
    assert [evaluate({"a": number}, MOMENT) for number in (1, 5, 10, None)] == [True, True, False, True]
    assert not compile_check("twice(actor.level) == a", SCOPE, functions=functions).sql_faults


def test_functions_that_raise_anything_else_are_not_hidden() -> None:
    """A bug of a plugin is not an unknown."""
    from tests.expr.samples import MOMENT
    from xrm.expr import to_python

    broken = Function("broken", (INT,), TEXT, lambda number: number.nonsense, "Broken.", "broken(1)")
    with pytest.raises(AttributeError):
        to_python(compile_check("broken(a)", SCOPE, functions={"broken": broken}))({"a": 1}, MOMENT)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a * b > 0", "computed field"), ("a / b > 0", "computed field"), ("a / 0 > 1", "computed field"), ("cost / 2 > 1", "computed field"), ("opened_at + duration('5d') < now()", "constant side"),
        ("lower(name) == 'x'", "computed field"), ("name.matches('x')", "computed field"), ("due + days(3) > today()", "constant side"), ("closed_at - opened_at > duration('1h')", "constant side"),
        ("year(opened_at) == 2026", "computed field"), ("loose > 1", "computed field"), ("round(rate, 1) > 1", "computed field"), ("'a' in (flag ? tags : actor.roles)", ""), ("a * 1000 * 1000 > 1", ""),
        ("cost * 100000 > a", ""), ("-spent > duration('1h')", "constant side"), ("rate in prices", "computed field"), ("size([name, word]) == a", ""), ("cost * actor.level * a > 1", ""),
        ("9223372036854775807 * 1.5", "round"),
    ],
)  # fmt: skip
def test_what_the_database_cannot_evaluate_is_known_at_once(text: str, hint: str) -> None:
    """With the place, and what to do instead; Python evaluates it all the same."""
    found = checked(text)
    assert found.sql_faults
    assert all(fault.code == "XRM307" for fault in found.sql_faults)
    assert hint in (found.sql_faults[0].hint or "")


def test_what_reads_no_column_is_never_refused() -> None:
    """It is computed once per operation and bound."""
    assert not checked("opened_at < now() - duration('5d') && name == lower(actor.name) && cost > actor.limit / 3").sql_faults


def test_the_query_has_a_bounded_size() -> None:
    """Functions that write an operand twice do not double without end."""
    text = "name"
    for _ in range(14):
        text = f"(('a'.startsWith({text})) ? name : word)"
    assert len(text) < 4096
    assert any("too large" in fault.message for fault in checked(f"name == {text}").sql_faults)


def test_types_are_hashable_and_readable() -> None:
    """They are printed in messages."""
    assert str(ref("user")) == "link to user"
    assert str(replace(choice("a"), ordered=True)) == "text"
