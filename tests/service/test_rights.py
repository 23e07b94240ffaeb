"""Rights: they only add up, and what they hide does not exist, whichever way it is asked for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.application import Applications, Person, Running
from xrm.errors import Forbidden, Invalid, NotFound, XrmError
from xrm.service.reading import Query, list_records
from xrm.service.sessions import actor_named

TEXTS = {
    "xrm.yml": """
xrm: 1
name: tiny
roles:
  reader: Reader
  maker: Maker
  own: Own
  clerk: {includes: reader}
  chief: {includes: [clerk, maker]}
  secret: Secret
  nobody: Nobody
""",
    "paper": """
title: "{name}"
fields:
  name: {type: text, required: true}
  level: integer
  salary: {type: integer, protected: true}
  folder: {type: link, to: folder}
  vault: {type: link, to: vault}
checks:
  fair: {must: salary == null || salary < 1000, message: That is too much}
lifecycle:
  states: {draft: {initial: true}, filed: {final: true}}
  transitions:
    file: {from: draft, to: filed, roles: clerk}
    sneak: {from: draft, to: filed, roles: secret, ask: [salary]}
access:
  reader: {read: level == null || level < 5}
  maker: {create: level == null || level < 9, update: level < 3}
  own: {read: created_by == actor, create: true, update: true}
  clerk: {read: level < 7, update: level != 4}
  chief: {read: true, delete: state == "draft", sees: salary, edits: salary}
  secret: {read: true, update: true, sees: salary}
""",
    "folder": """
title: "{name}"
fields: {name: text, shelf: {type: integer, protected: true}, open_to_all: boolean}
access:
  reader: {read: open_to_all == true}
  chief: [read, create, update, delete]
""",
    "vault": """
title: "{name}"
fields: {name: text}
access: {secret: [read, create]}
""",
}


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


@pytest.fixture
def people(running: Running) -> Callable[[str], Person]:
    return lambda role: running.person(f"the_{role}", role)


def levels(person: Person, **query: Any) -> list[int | None]:
    return sorted((row["level"] for row in person.all("paper", **query)), key=lambda level: (level is None, level))


@pytest.mark.parametrize(
    ("roles", "seen"),
    [
        (["reader"], [1, 2, 3, 4, None]),
        (["clerk"], [1, 2, 3, 4, 6, None]),
        (["chief"], [1, 2, 3, 4, 6, 8, None]),
        (["reader", "clerk"], [1, 2, 3, 4, 6, None]),
        (["own"], []),
        (["own", "reader"], [1, 2, 3, 4, None]),
    ],
)
def test_reading_is_the_union_of_the_roles(running: Running, roles: list[str], seen: list[int | None]) -> None:
    """A person sees what any of their roles, with all that these include, may see; a list, a count and a get agree."""
    made = {level: running.system.create("paper", name=f"p{level}", level=level).id for level in (1, 2, 3, 4, 6, 8, None)}
    person = running.person("someone", *roles)
    assert levels(person) == seen
    assert person.count("paper") == len(seen)
    for level, id in made.items():
        if level in seen:
            assert person.get("paper", id)["level"] == level
        else:
            with pytest.raises(NotFound):
                person.get("paper", id)
            with pytest.raises(NotFound):
                person.history("paper", id)
            with pytest.raises(NotFound):
                person.moves("paper", id)


@pytest.mark.parametrize("roles", [["nobody"], ["vanished"], [], ["system"], ["System"], [""], None, {"chief": 1}, [["chief"]], [7]])
def test_without_a_granted_role_there_is_nothing(running: Running, roles: object) -> None:
    """No roles, unknown ones, none that is granted, one called as the system is, or a misshapen list: no entity is there to be asked for."""
    paper = running.system.create("paper", name="p").id
    running.system.create("user", name="stray", label="Stray", roles=roles)
    actor = actor_named(running.service, "stray")
    assert actor is not None
    stray = Person(running, actor)
    assert stray.ctx.policies.names("paper") == ()
    tries: list[Callable[[], object]] = [
        lambda: stray.all("paper"),
        lambda: stray.count("paper"),
        lambda: stray.get("paper", paper),
        lambda: stray.create("paper", name="x"),
        lambda: stray.update("paper", paper, 1, name="x"),
        lambda: stray.delete("paper", paper),
        lambda: stray.move("paper", paper, 1, "file"),
        lambda: stray.history("paper", paper),
        lambda: stray.moves("paper", paper),
        lambda: stray.restore("paper", paper),
    ]
    for attempt in tries:
        with pytest.raises(NotFound, match="there is no entity 'paper'"):
            attempt()
    assert not any("paper" in path for path in stray.api.get("/api/openapi.json").json["paths"])


def test_an_unknown_entity_and_a_hidden_one_are_the_same(running: Running, people: Callable[[str], Person]) -> None:
    """The answer about an entity without rights differs in nothing but the name that was asked."""
    reader = people("reader")
    for attempt in (reader.all, reader.count):
        said = []
        for name in ("vault", "vaultt"):
            with pytest.raises(NotFound) as refused:
                attempt(name)
            problem = refused.value.problems[0]
            said.append((problem.code, problem.message.replace(name, ""), problem.hint, problem.path))
        assert said[0] == said[1]


def test_creating(running: Running, people: Callable[[str], Person]) -> None:
    """The right to create is judged on the final values, and without it nothing is made."""
    maker = people("maker")
    assert maker.create("paper", name="x", level=8).version == 1
    with pytest.raises(Forbidden, match="XRM507"):
        maker.create("paper", name="x", level=9)
    with pytest.raises(Forbidden, match="XRM507"):
        people("reader").create("paper", name="x")
    assert running.system.count("paper") == 1


def test_updating(running: Running, people: Callable[[str], Person]) -> None:
    """The right to update holds before and after, so that nobody changes a record into or out of their reach."""
    paper = running.system.create("paper", name="x", level=1)
    clerk = people("clerk")
    with pytest.raises(Forbidden, match="XRM507"):
        clerk.update("paper", paper.id, 1, level=4)
    assert clerk.update("paper", paper.id, 1, level=5).version == 2
    running.system.update("paper", paper.id, 2, level=4)
    with pytest.raises(Forbidden, match="XRM507"):
        clerk.update("paper", paper.id, 3, level=5)
    with pytest.raises(Forbidden, match="XRM507"):
        people("reader").update("paper", paper.id, 3, level=5)


def test_what_is_not_seen_is_not_updated(running: Running, people: Callable[[str], Person]) -> None:
    """To write a record that one may not read is to write one that is not there, whatever else one may."""
    far = running.system.create("paper", name="x", level=8)
    clerk = people("clerk")
    for attempt in (
        lambda: clerk.update("paper", far.id, 1, name="y"),
        lambda: clerk.update("paper", far.id, 99, name="y"),
        lambda: clerk.move("paper", far.id, 1, "file"),
        lambda: clerk.update("paper", running.system.id, 1, name="y"),
    ):
        with pytest.raises(NotFound) as refused:
            attempt()
        assert refused.value.problems[0].message == "there is no such record"


def test_deleting(running: Running, people: Callable[[str], Person]) -> None:
    """Only who may delete this very record deletes it; then it is gone for every question, and can be restored."""
    paper = running.system.create("paper", name="x", level=1)
    filed = running.system.create("paper", name="y", level=1)
    running.system.move("paper", filed.id, 1, "file")
    chief = people("chief")
    with pytest.raises(Forbidden, match="XRM507"):
        people("clerk").delete("paper", paper.id)
    with pytest.raises(Forbidden, match="XRM507"):
        chief.delete("paper", filed.id)
    chief.delete("paper", paper.id, 1)
    for attempt in (
        lambda: chief.get("paper", paper.id),
        lambda: chief.update("paper", paper.id, 2, name="z"),
        lambda: chief.delete("paper", paper.id),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert chief.count("paper", filter='name == "x"') == 0 and chief.count("paper", search="x") == 0
    assert chief.restore("paper", paper.id).version == 3
    assert chief.get("paper", paper.id)["name"] == "x"


HIDDEN_FIELD: list[dict[str, Any]] = [
    {"filter": "salary > 1"},
    {"filter": "salary == null"},
    {"filter": "has(salary)"},
    {"sort": "salary"},
    {"sort": "-salary,name"},
    {"fields": ("salary",)},
    {"filter": "folder.shelf == 1"},
    {"sort": "folder.shelf"},
    {"fields": ("folder.shelf",)},
    {"filter": "vault == null"},
    {"filter": 'vault.name == "x"'},
    {"sort": "vault"},
    {"fields": ("vault",)},
    {"fields": ("vault.name",)},
    {"filter": "created_by.roles == null"},
    {"fields": ("created_by.email",)},
]


@pytest.mark.parametrize("query", HIDDEN_FIELD, ids=str)
def test_a_hidden_field_is_one_that_does_not_exist(people: Callable[[str], Person], query: dict[str, Any]) -> None:
    """Filter, sort and fields answer a protected field, one beyond a link and a blind link exactly as one that nobody defined."""
    clerk = people("clerk")
    hidden = _refusal(clerk, query)
    names = ("salary", "shelf", "vault", "roles", "email")
    word = next(name for name in names if name in str(query))
    unknown = json.loads(json.dumps(query).replace(word, "q" * len(word)))
    assert hidden == _refusal(clerk, {k: tuple(v) if isinstance(v, list) else v for k, v in unknown.items()}, "q" * len(word), word)


def _refusal(person: Person, query: dict[str, Any], made_up: str = "", word: str = "") -> list[tuple[Any, ...]]:
    with pytest.raises(Invalid) as refused:
        person.all("paper", **query)
    said = [(p.code, p.message, p.path, str(p.hint)) for p in refused.value.problems]
    return (
        [(code, message.replace(made_up, word), path, hint.replace(made_up, word)) for code, message, path, hint in said]
        if made_up
        else said
    )


@pytest.mark.parametrize("name", ["salry", "salari", "vaul", "folder.shelff", "created_by.rolse", "created_by.emial"])
def test_a_hint_never_names_what_is_hidden(running: Running, people: Callable[[str], Person], name: str) -> None:
    """'Did you mean' knows no hidden name."""
    clerk = people("clerk")
    tries: list[Callable[[], object]] = [
        lambda: clerk.all("paper", fields=(name,)),
        lambda: clerk.all("paper", sort=name),
        lambda: clerk.all("paper", filter=f"{name} == null"),
        lambda: clerk.update("paper", running.system.id, 1, **{name.rpartition(".")[2]: 1}),
    ]
    for attempt in tries:
        with pytest.raises(XrmError) as refused:
            attempt()
        said = " ".join(str(problem.hint) for problem in refused.value.problems)
        assert not any(word in said for word in ("salary", "vault", "shelf", "roles", "email")), said


def test_a_protected_field_is_in_no_answer(running: Running, people: Callable[[str], Person]) -> None:
    """Neither a get, a list, a history, a write, a move nor the OpenAPI document names a protected field to who may not see it."""
    paper = running.system.create("paper", name="x", level=1, salary=77)
    running.system.update("paper", paper.id, 1, salary=78)
    clerk, chief = people("clerk"), people("chief")
    shown = [
        clerk.get("paper", paper.id),
        clerk.all("paper"),
        [entry.fields for entry in clerk.history("paper", paper.id)],
        [vars_of(move) for move in clerk.moves("paper", paper.id).values()],
        clerk.api.get(f"/api/paper/{paper.id}").json,
        clerk.api.patch(f"/api/paper/{paper.id}", {"name": "y"}).json,
        clerk.api.get(f"/api/paper/{paper.id}/transitions").json,
        clerk.api.get("/api/openapi.json").json,
    ]
    for answer in shown:
        assert "salary" not in str(answer) and "vault" not in str(answer), answer
    assert chief.get("paper", paper.id)["salary"] == 78
    assert chief.history("paper", paper.id)[-1].fields["salary"] == (None, 77)


def vars_of(move: Any) -> tuple[Any, ...]:
    return (move.name, move.label, move.target, move.allowed, move.reasons, move.ask)


def test_a_protected_field_is_written_by_who_edits_it(running: Running, people: Callable[[str], Person]) -> None:
    """Who does not see a field cannot set it, who sees it may not change it, who edits it may."""
    paper = running.system.create("paper", name="x", level=1)
    with pytest.raises(Invalid) as unseen:
        people("clerk").update("paper", paper.id, 1, salary=5)
    assert unseen.value.problems[0].code == "XRM302"
    with pytest.raises(XrmError) as seen:
        people("secret").update("paper", paper.id, 1, salary=5)
    assert seen.value.problems[0].code == "XRM505"
    running.person("both", "chief", "clerk").update("paper", paper.id, 1, salary=5)
    assert running.system.get("paper", paper.id)["salary"] == 5


def test_search_does_not_look_into_hidden_texts(application: Applications) -> None:
    """A text that a role does not see is not searched for it."""
    running = application(
        "title: '{name}'\nfields: {name: text, note: {type: text, protected: true}}\naccess: {agent: read, boss: {sees: note}}"
    )
    running.system.create("note", name="x", note="classified")
    assert running.person("ana", "agent").count("note", search="classified") == 0
    assert running.person("bo", "boss").count("note", search="classified") == 1


def test_a_link_to_a_hidden_record_is_an_empty_one(running: Running, people: Callable[[str], Person]) -> None:
    """A link whose target a row rule hides is null for get, list, filter, sort, expand and history."""
    shut = running.system.create("folder", name="Aaa", open_to_all=False)
    wide = running.system.create("folder", name="Bbb", open_to_all=True)
    one = running.system.create("paper", name="one", level=1, folder=shut.id)
    two = running.system.create("paper", name="two", level=1, folder=wide.id)
    clerk = people("clerk")
    assert clerk.get("paper", one.id)["folder"] is None
    assert clerk.get("paper", one.id, "folder.name", nested=True)["folder"] is None
    assert clerk.get("paper", two.id, "folder.name", nested=True)["folder"] == {"id": wide.id, "name": "Bbb"}
    assert [row["name"] for row in clerk.all("paper", filter="folder == null")] == ["one"]
    assert clerk.count("paper", filter=f'folder == "{shut.id}"') == 0
    assert clerk.count("paper", filter='folder.name == "Aaa"') == 0
    assert clerk.count("paper", filter='folder.name != "Bbb"') == 1
    assert [row["name"] for row in clerk.all("paper", sort="folder")] == ["two", "one"]
    assert [row["name"] for row in clerk.all("paper", sort="-folder.name")] == ["two", "one"]
    assert shut.id not in str([entry.fields for entry in clerk.history("paper", one.id)])
    assert shut.id not in str(clerk.api.patch(f"/api/paper/{one.id}", {"level": 2}).json)


def test_a_link_is_set_only_to_what_one_sees(running: Running, people: Callable[[str], Person]) -> None:
    """A hidden record, one of another entity, a deleted one and none at all are the same to who wants to link to it."""
    shut = running.system.create("folder", name="Aaa", open_to_all=False)
    gone = running.system.create("folder", name="Ccc", open_to_all=True)
    running.system.delete("folder", gone.id)
    paper = running.system.create("paper", name="one", level=1)
    clerk = people("clerk")
    said = set()
    for id in (shut.id, gone.id, paper.id, "00000000-0000-7000-8000-0000000000ff"):
        with pytest.raises(Invalid) as refused:
            clerk.update("paper", paper.id, 1, folder=id)
        said.add(str(refused.value))
    assert said == {"XRM511 Folder: there is no such folder"}


def test_a_users_own_filter_sees_through_policy_and_a_rule_sees_raw(application: Applications) -> None:
    """A row rule may read what its role does not see; the role's own filter may not."""
    running = application({
        "note": "title: '{name}'\nfields: {name: text, secret: {type: boolean, protected: true}, box: {type: link, to: box}}\n"
        "access: {agent: {read: secret != true && (box == null || box.shut != true)}}",
        "box": "title: '{name}'\nfields: {name: text, shut: {type: boolean, protected: true}}\naccess: {boss: read}",
    })  # fmt: skip
    shut, wide = (running.system.create("box", name="b", shut=shut).id for shut in (True, False))
    for name, secret, box in (("a", True, None), ("b", None, None), ("c", None, shut), ("d", False, wide)):
        running.system.create("note", name=name, secret=secret, box=box)
    ana = running.person("ana", "agent")
    assert {row["name"] for row in ana.all("note")} == {"b", "d"}
    with pytest.raises(Invalid, match="XRM302"):
        ana.all("note", filter="secret == true")
    with pytest.raises(Invalid, match="XRM302"):
        ana.all("note", filter="box == null")


@pytest.mark.parametrize("text", ["", " ", "\t", "=", "()", "null", "//"])
@pytest.mark.parametrize("role", ["reader", "chief"])
def test_an_empty_filter_is_no_way_around_a_right(running: Running, people: Callable[[str], Person], role: str, text: str) -> None:
    """A filter of nothing gives what the policy gives, or is refused; never more."""
    for level in (1, 8):
        running.system.create("paper", name="x", level=level)
    person = people(role)
    allowed = [1] if role == "reader" else [1, 8]
    try:
        seen = levels(person, filter=text)
    except Invalid:
        return
    assert seen in (allowed, [])


@pytest.mark.parametrize(
    "text", ["true || level > 0", "level > 0 || true", "1 == 1", "level == level || id == id", "!(level == 8) || level == 8"]
)
def test_a_filter_cannot_widen_a_right(running: Running, people: Callable[[str], Person], text: str) -> None:
    """Whatever is or-ed into a filter, the policy stands beneath it."""
    for level in (1, 8):
        running.system.create("paper", name="x", level=level)
    assert levels(people("reader"), filter=text) == [1]


def test_users_are_seen_and_not_written(running: Running, people: Callable[[str], Person]) -> None:
    """Every role sees who the users are, none sees their roles and settings, and none writes them."""
    clerk = people("clerk")
    row = clerk.all("user", filter='name == "the_clerk"')[0]
    assert row["label"] == "The_Clerk" and not {"roles", "email", "theme"} & set(row)
    for attempt in (
        lambda: clerk.create("user", name="evil", label="Evil"),
        lambda: clerk.update("user", clerk.id, None, label="Boss"),
        lambda: clerk.delete("user", clerk.id),
    ):
        with pytest.raises(Forbidden):
            attempt()
    with pytest.raises(XrmError):
        clerk.update("user", clerk.id, None, roles=["chief"])


def test_roles_are_asked_anew_with_each_request(running: Running, people: Callable[[str], Person]) -> None:
    """A role that is taken away, and a user who is no longer active, are so for the very next request."""
    clerk = people("clerk")
    api = clerk.api
    running.system.create("paper", name="x", level=6)
    assert len(api.get("/api/paper").json["items"]) == 1
    running.system.update("user", clerk.id, None, roles=["reader"])
    assert len(api.get("/api/paper").json["items"]) == 0
    running.system.update("user", clerk.id, None, active=False)
    assert api.get("/api/paper").status == 401


def test_a_problem_of_a_hidden_field_does_not_name_it(application: Applications) -> None:
    """A required, computed or unique field that is hidden refuses a write without its name."""
    running = application({
        "note": "title: '{name}'\nfields: {name: text, secret: {type: text, protected: true, required: name == \"x\"}}\n"
        "access: {agent: [read, create], boss: {sees: secret, edits: secret}}",
    })  # fmt: skip
    with pytest.raises(Invalid) as refused:
        running.person("ana", "agent").create("note", name="x")
    assert "ecret" not in str([(p.message, p.path, p.hint) for p in refused.value.problems])
    with pytest.raises(Invalid, match="Secret is required"):
        running.person("bo", "boss").create("note", name="x")


def test_a_view_is_no_way_around(application: Applications) -> None:
    """A view that reads what a role does not see is not there for that role."""
    running = application({
        "note": "title: '{name}'\nfields: {name: text, box: {type: link, to: box}}\naccess: {agent: read, boss: read}\n"
        'views: {boxed: {filter: box.name == "b"}}',
        "box": "title: '{name}'\nfields: {name: text}\naccess: {boss: read}",
    })  # fmt: skip
    with pytest.raises(NotFound, match="there is no view 'boxed'"):
        running.person("ana", "agent").all("note", view="boxed")
    assert running.person("bo", "boss").all("note", view="boxed") == []


def test_a_query_by_hand_is_checked_too(running: Running, people: Callable[[str], Person]) -> None:
    """The service refuses what the edge would: there is no unchecked way in."""
    with pytest.raises(Invalid):
        list_records(people("reader").ctx, Query("paper", filter="level >"))
