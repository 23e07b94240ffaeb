"""No right, guard or filter compiles from nothing: an empty or missing expression is refused wherever one could come from."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

import pytest

from tests.support.application import files_of, loaded
from xrm import source
from xrm.compile.constraints import condition, truth
from xrm.compile.policies import SYSTEM, expand, policies
from xrm.compile.rules import rule_closure, rules
from xrm.expr import TEXT, ExpressionError, Names, check, parse
from xrm.expr.types import BOOL
from xrm.model.access import RIGHTS, Grant
from xrm.model.application import Application
from xrm.model.fields import Expression

NOTE = """
title: "{name}"
fields: {name: text, size: {type: integer, protected: true}}
lifecycle:
  states: {new: {initial: true}, done: {final: true}}
  transitions: {finish: {from: new, to: done, guards: [{must: name != null, message: Name it}]}}
access: {agent: {read: name != null}}
"""
EMPTY = ["", '""', "''", "=", "'='", "' '", "'= '", "null", "~", "{}", "[]", "no"]
NOTHING: list[Any] = ["", None, False, 0, (), "true", "name != null", [], 1, "None"]


@pytest.mark.parametrize("empty", [*EMPTY, "false"])
@pytest.mark.parametrize("right", RIGHTS)
def test_a_right_cannot_be_empty_in_yaml(right: str, empty: str) -> None:
    """`access: {agent: {read: }}` and everything else that says nothing is an error, and there is no application."""
    result = source.load_text(files_of(f"fields: {{name: text}}\naccess: {{agent: {{{right}: {empty} }}}}"))
    assert result.application is None
    assert {p.code for p in result.problems} <= {"XRM106", "XRM202", "XRM206", "XRM301", "XRM302", "XRM303", "XRM308", "XRM309"}


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    "where",
    [
        "lifecycle: {states: {a: {initial: true}, b: {}}, transitions: {go: {from: a, to: b, guards: [{must: EMPTY , message: M}]}}}",
        "checks: {c: {must: EMPTY , message: M}}",
        "checks: {c: {should: EMPTY , message: M}}",
        "checks: {c: {when: EMPTY , must: name != null, message: M}}",
        "views: {v: {filter: EMPTY }}",
        "unique: {u: {fields: name, when: EMPTY }}",
    ],
)
def test_a_condition_cannot_be_empty_in_yaml(where: str, empty: str) -> None:
    """No guard, check, filter of a view or rule of uniqueness is made from an empty condition."""
    result = source.load_text(files_of("fields: {name: text}\n" + where.replace("EMPTY", empty)))
    assert result.application is None


@pytest.mark.parametrize(
    "missing",
    [
        "lifecycle: {states: {a: {initial: true}, b: {}}, transitions: {go: {from: a, to: b, guards: [{message: M}]}}}",
        "lifecycle: {states: {a: {initial: true}, b: {}}, transitions: {go: {from: a, to: b, guards: [{}]}}}",
        "checks: {c: {message: M}}",
        "checks: {c: {when: name != null, message: M}}",
        "access: {agent: {read: {}}}",
        "access: {agent: {read: []}}",
        "access: {agent: ['']}",
    ],
)
def test_a_condition_cannot_be_missing_in_yaml(missing: str) -> None:
    """A guard without `must`, a check without a rule and a right without a condition are errors."""
    assert source.load_text(files_of("fields: {name: text}\n" + missing)).application is None


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u00a0", "//", "()", "=", ";", "\0", "\ufeff"])
def test_an_empty_expression_is_not_one(text: str) -> None:
    """The language has no empty expression."""
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize("text", ["1", '"true"', "name", "true ? 1 : 2", "[true]"])
def test_a_condition_is_a_boolean(text: str) -> None:
    """What gives no boolean is no condition."""
    with pytest.raises(ExpressionError):
        check(parse(text), Names({"name": TEXT}), BOOL)


def model_with(rights: dict[str, Any]) -> Application:
    """A sound application into which a grant was put that no check has seen."""
    model, _ = loaded(NOTE)
    note = model.entities["note"]
    access = MappingProxyType({"agent": Grant("agent", cast("Any", rights))})
    return replace(model, entities=MappingProxyType({**model.entities, "note": replace(note, access=access)}))


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
@pytest.mark.parametrize("right", RIGHTS)
def test_a_grant_of_nothing_does_not_compile(right: str, nothing: Any) -> None:
    """A right in the model that is neither True nor a checked condition stops the compiler, even beside one that is."""
    for rights in ({right: nothing}, {**dict.fromkeys(RIGHTS, True), right: nothing}):
        with pytest.raises(TypeError, match="neither True nor a condition"):
            policies(model_with(rights), frozenset({"agent"}))


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_a_grant_of_nothing_does_not_compile_beside_one_that_always_holds(nothing: Any) -> None:
    """A second role's full right does not cover up a broken one."""
    model = model_with({"read": nothing})
    note = model.entities["note"]
    access = MappingProxyType({**note.access, "boss": Grant("boss", {"read": True})})
    model = replace(model, entities=MappingProxyType({**model.entities, "note": replace(note, access=access)}))
    with pytest.raises(TypeError):
        policies(model, frozenset({"agent", "boss"}))


@pytest.mark.parametrize("nothing", [*NOTHING, True, Expression(cast("Any", None), "x")], ids=repr)
def test_a_closure_of_nothing_does_not_compile(nothing: Any) -> None:
    """Neither a guard nor a condition becomes a closure without a checked expression."""
    with pytest.raises((TypeError, AttributeError)):
        truth(nothing)
    if nothing is not True and nothing is not False:
        with pytest.raises((TypeError, AttributeError)):
            condition(nothing)


@pytest.mark.parametrize("nothing", ["", None, False, 0, (), []], ids=repr)
def test_a_rule_of_nothing_never_holds(nothing: Any) -> None:
    """A rule without conditions does not compile, or holds for nothing."""
    try:
        holds = rule_closure(nothing)
    except TypeError:
        return
    assert holds({}, cast("Any", None)) is False


def test_a_guard_of_nothing_does_not_compile() -> None:
    """A move whose guard lost its condition stops the compiler."""
    model, _ = loaded(NOTE)
    note = model.entities["note"]
    assert note.lifecycle is not None
    move = note.lifecycle.transitions["finish"]
    for nothing in NOTHING:
        broken = replace(move, guards=(replace(move.guards[0], must=nothing),))
        lifecycle = replace(note.lifecycle, transitions=MappingProxyType({"finish": broken}))
        with pytest.raises((TypeError, AttributeError)):
            rules(replace(note, lifecycle=lifecycle))


@pytest.mark.parametrize("roles", [(), ("",), ("nobody",), ("unknown",), ("system",), ("agent ",), ("Agent",)])
def test_unknown_roles_give_nothing(roles: tuple[str, ...]) -> None:
    """No roles, or names that the application does not know, make a policy in which nothing is granted and nothing seen."""
    model, _ = loaded(NOTE)
    found = policies(model, expand(model, roles))
    policy = found.by_entity["note"]
    assert dict(policy.rules) == {} and policy.rule("read") is None and not policy.may("read")
    assert found.names("note") == () and found.resolve("note", "name") is None
    assert not policy.historic and "size" not in policy.visible | policy.editable


@pytest.mark.parametrize("roles", [SYSTEM | {"agent"}, SYSTEM | {""}])
def test_system_among_other_roles_is_not_the_system(roles: frozenset[str]) -> None:
    """Only the system's own role alone is the system; in a set with others it gives nothing."""
    model, _ = loaded(NOTE)
    policy = policies(model, roles).by_entity["note"]
    assert "size" not in policy.visible and not policy.may("delete")
    assert policies(model, SYSTEM).by_entity["note"].may("delete")


@pytest.mark.parametrize("name", ["system", "admin", "root"])
def test_a_role_called_system_is_not_the_system(name: str) -> None:
    """A role of the application has the rights that it is granted, whatever it is called."""
    model, _ = loaded({"xrm.yml": f"xrm: 1\nname: tiny\nroles: [{name}]\n", "note": f"fields: {{name: text}}\naccess: {{{name}: create}}"})
    found = policies(model, expand(model, [name]))
    assert set(found.by_entity["note"].rules) == {"create"} and not found.by_entity["user"].may("delete")


@pytest.mark.parametrize("name", sorted(SYSTEM))
def test_the_roles_of_the_system_have_no_name_that_a_role_can_have(name: str) -> None:
    """No application can define what the system's own role is called."""
    assert source.load_text({"xrm.yml": f"xrm: 1\nname: tiny\nroles: {{'{name}': X}}\n"}).application is None
