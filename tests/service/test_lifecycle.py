"""Moves: from the right state, by the right people, with what they ask for, and each blocked one with its reason."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.application import Applications, Person, Running
from xrm.errors import Forbidden, Invalid, NotFound, Stale

CASE = """
title: "{name}"
fields:
  name: {type: text, required: true}
  owner: {type: link, to: user}
  cost: money
  outcome: {type: choice, options: [fixed, refused]}
  note: long_text
  taken: datetime
  total: {type: money, compute: =cost * 2}
lifecycle:
  states:
    new: {initial: true, label: Brand new}
    doing: {edit: [note, cost]}
    done: {final: true, edit: []}
  transitions:
    start: {label: Take it, from: new, to: doing, set: {owner: =actor, taken: =now()}}
    give_up: {from: doing, to: new, roles: boss, set: {owner: null}}
    finish:
      from: [new, doing]
      to: done
      ask: {outcome: {}, note: {required: false}}
      guards:
        - {must: cost > 0, message: 'Enter the cost of {name} first'}
        - {must: outcome != "refused" || note != null, message: Say why it was refused}
    reopen: {from: done, to: doing, roles: boss, guards: [{must: 'state == "doing" && open', message: It goes on}]}
access:
  agent: {read: true, create: true, update: open && (owner == null || owner == actor)}
  boss: {read: true, update: true}
  guest: read
"""


@pytest.fixture
def running(application: Applications) -> Running:
    return application({"case": CASE})


@pytest.fixture
def ana(running: Running) -> Person:
    return running.person("ana", "agent")


def test_a_record_begins_in_the_initial_state(running: Running, ana: Person) -> None:
    """A new record is open, in the initial state, since now; nobody can say otherwise."""
    moment = datetime(2026, 3, 2, 9, 0, 0, 5, UTC)
    made = running.at(moment).person("bea", "agent").create("case", name="x")
    assert {name: made.record[name] for name in ("state", "state_since", "open", "version")} == {
        "state": "new", "state_since": moment, "open": True, "version": 1,
    }  # fmt: skip
    with pytest.raises(Invalid, match="XRM505"):
        ana.create("case", name="y", state="done")
    with pytest.raises(Invalid, match="XRM505"):
        ana.update("case", made.id, 1, state="done")


def test_a_move_sets_what_it_says(ana: Person) -> None:
    """A move changes the state and makes its sets: the actor, the time, the version and the change log follow."""
    made = ana.create("case", name="x")
    moved = ana.move("case", made.id, 1, "start")
    assert (moved.record["state"], moved.record["owner"], moved.version) == ("doing", ana.id, 2)
    assert moved.record["taken"] == moved.record["state_since"]
    entry = ana.history("case", made.id)[0]
    assert (entry.action, entry.transition, entry.version, entry.actor) == ("transition", "start", 2, "Ana")
    assert entry.fields["state"] == ("new", "doing") and entry.fields["owner"] == (None, ana.id)


def test_a_move_from_another_state_is_refused(ana: Person) -> None:
    """A move that does not leave the record's state is not possible now, and says in which state it is."""
    made = ana.create("case", name="x")
    ana.move("case", made.id, 1, "start")
    with pytest.raises(Invalid) as refused:
        ana.move("case", made.id, 2, "start")
    assert (refused.value.problems[0].code, refused.value.problems[0].message) == ("XRM510", "'Take it' is not possible in state Doing")
    assert ana.get("case", made.id)["version"] == 2


def test_what_is_asked_is_required_and_nothing_else_is_taken(ana: Person) -> None:
    """What a move asks for must be there; it takes no other value; and all that is wrong is said together."""
    made = ana.create("case", name="x", cost=5)
    with pytest.raises(Invalid) as refused:
        ana.move("case", made.id, 1, "finish")
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM501", ("outcome",))]
    with pytest.raises(Invalid) as refused:
        ana.move("case", made.id, 1, "finish", outcome="fixed", name="y", cost=7)
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM505", ("name",)), ("XRM505", ("cost",))]
    moved = ana.move("case", made.id, 1, "finish", outcome="fixed")
    assert moved.record["state"] == "done" and not moved.record["open"]


def test_guards_block_with_their_words(ana: Person) -> None:
    """Every guard that does not hold on the record as it would be is said in its own words."""
    made = ana.create("case", name="x")
    with pytest.raises(Invalid) as refused:
        ana.move("case", made.id, 1, "finish", outcome="refused")
    assert [(p.code, p.message) for p in refused.value.problems] == [
        ("XRM510", "Enter the cost of x first"), ("XRM510", "Say why it was refused"),
    ]  # fmt: skip
    ana.update("case", made.id, 1, cost=1)
    assert ana.move("case", made.id, 2, "finish", outcome="refused", note="Because").changed


def test_everything_is_judged_on_the_result(application: Applications) -> None:
    """Guards, checks and computed values see what a default, an answer, a set or a computed value has just made, beyond a link too."""
    running = application({
        "kind": 'title: "{name}"\nkey: name\nfields: {name: {type: text, unique: true, required: true}, ready: boolean}\naccess: {agent: read}',
        "note": """
title: "{name}"
fields:
  name: text
  cost: money
  total: {type: money, compute: =cost * 2}
  kind: {type: link, to: kind}
  other: {type: link, to: kind, compute: =kind}
lifecycle:
  states: {new: {initial: true}, done: {}, gone: {}}
  transitions:
    finish: {from: new, to: done, ask: [cost], guards: [{must: total > 10, message: Too cheap}]}
    adopt: {from: new, to: gone, ask: [kind], guards: [{must: kind.ready, message: Not ready}, {must: other.ready, message: The other is not ready}]}
    drop: {from: [done, gone], to: new, set: {kind: null}, guards: [{must: kind.name == null, message: Still there}]}
checks: {same: {when: kind != null, must: other.name == kind.name, message: Stale}}
access: {agent: [read, create, update]}
""",
    })  # fmt: skip
    ana = running.person("ana", "agent")
    kind = running.system.create("kind", name="good", ready=True).id
    bad = running.system.create("kind", name="bad", ready=False).id
    one = ana.create("note", name="x", cost=1).id
    with pytest.raises(Invalid, match="Too cheap"):
        ana.move("note", one, 1, "finish", cost=5)
    assert ana.move("note", one, 1, "finish", cost=6).changed
    two = ana.create("note", name="y").id
    with pytest.raises(Invalid, match="Not ready"):
        ana.move("note", two, 1, "adopt", kind=bad)
    assert ana.move("note", two, 1, "adopt", kind=kind).record["other"] == kind
    assert ana.move("note", two, 2, "drop").record["other"] is None


def test_a_link_that_a_move_sets_is_to_what_is_there(application: Applications) -> None:
    """A deleted record is not linked to, even by a move or a computed value."""
    running = application({
        "box": 'title: "{name}"\nfields: {name: text, next: {type: link, to: box}}\naccess: {agent: [read, create, update, delete]}',
        "note": "title: '{name}'\nfields: {name: text, hint: {type: link, to: user}, box: {type: link, to: user}}\n"
        "lifecycle: {states: {a: {initial: true}, b: {}}, transitions: {go: {from: a, to: b, set: {box: =hint}}}}\n"
        "access: {agent: [read, create, update, delete]}",
    })  # fmt: skip
    ana, bea = running.person("ana", "agent"), running.person("bea", "agent")
    note = ana.create("note", name="x", hint=bea.id).id
    running.run("UPDATE xrm_user SET deleted_at = created_at WHERE name = ?", "bea")
    with pytest.raises(Invalid) as refused:
        ana.move("note", note, 1, "go")
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM511", ("box",))]


def test_moves_are_shown_with_their_reasons(running: Running, ana: Person) -> None:
    """The moves that leave a state are listed, allowed or blocked with why; a guard on what is asked waits for the answer."""
    made = ana.create("case", name="x")
    shown = ana.moves("case", made.id)
    assert list(shown) == ["start", "finish"]
    assert (shown["start"].allowed, shown["start"].reasons) == (True, ())
    assert (shown["finish"].allowed, shown["finish"].reasons) == (False, ("Enter the cost of x first",))
    assert [(ask.field, ask.required) for ask in shown["finish"].ask] == [("outcome", True), ("note", False)]
    ana.move("case", made.id, 1, "start")
    assert ana.moves("case", made.id)["give_up"].reasons == ("Only for: Boss",)
    assert running.person("bo", "boss").moves("case", made.id)["give_up"].allowed
    guest = running.person("gil", "guest").moves("case", made.id)
    assert {name: move.allowed for name, move in guest.items()} == {"give_up": False, "finish": False}
    assert guest["finish"].reasons[0] == "You may not change this record"


def test_what_is_shown_as_allowed_is_allowed(running: Running, ana: Person) -> None:
    """For every person, state and move, the list of moves says what making the move then does."""
    for role in ("agent", "boss", "guest"):
        person = running.person(f"the_{role}", role)
        for steps in ([], ["start"], ["finish"]):
            for move in ("start", "give_up", "finish", "reopen"):
                made = ana.create("case", name="x", cost=1, outcome="fixed")
                for step in steps:
                    ana.move("case", made.id, None, step)
                shown = person.moves("case", made.id)
                allowed = move in shown and shown[move].allowed
                try:
                    person.move("case", made.id, None, move)
                    did = True
                except (Invalid, Forbidden):
                    did = False
                assert did == allowed, (role, steps, move, shown)


LICENCE = """
title: "{name}"
fields:
  name: {type: text, required: true}
  fee: {type: money, required: state == "granted"}
  why: {type: text, required: state == "refused"}
  shots: {type: rows, required: state == "granted", fields: {what: text}}
  reason: {type: text, required: not_open}
  not_open: {compute: "=!open"}
checks:
  paid: {must: state != "granted" || fee > 0.0, message: "The fee of {name} is not paid", field: fee}
lifecycle:
  states: {applied: {initial: true}, granted: {final: true}, refused: {}}
  transitions:
    grant: {from: applied, to: granted}
    refuse: {from: applied, to: refused, ask: why}
access: {agent: {read: true, create: true, update: true}}
"""


def test_what_the_next_state_requires_blocks_a_move_before_it_is_made(application: Applications) -> None:
    """With what is wrong in words; what the move itself asks or a computed value may change is left to the move."""
    ana = application({"licence": LICENCE}).person("ana", "agent")
    made = ana.create("licence", name="Rex")
    shown = ana.moves("licence", made.id)
    assert shown["grant"].reasons == ("Fee is required", "Shots is required", "The fee of Rex is not paid")
    assert shown["refuse"].allowed
    with pytest.raises(Invalid, match="Shots is required"):
        ana.move("licence", made.id, None, "grant")
    ana.update("licence", made.id, None, fee="5", shots=[{"what": "Rabies"}], reason="Done")
    assert ana.moves("licence", made.id)["grant"].allowed
    assert ana.move("licence", made.id, None, "grant").record["state"] == "granted"


def test_the_roles_of_a_move(running: Running, ana: Person) -> None:
    """A move with roles is for these, whoever else may update; one without is for whoever may update this very record."""
    made = ana.create("case", name="x")
    ana.move("case", made.id, 1, "start")
    with pytest.raises(Forbidden) as refused:
        ana.move("case", made.id, 2, "give_up")
    assert (refused.value.problems[0].code, refused.value.problems[0].hint) == ("XRM507", "who may: Boss")
    with pytest.raises(Forbidden):
        running.person("bea", "agent").move("case", made.id, 2, "finish", outcome="fixed")
    assert running.person("bo", "boss").move("case", made.id, 2, "give_up").record["owner"] is None


def test_an_unknown_move(ana: Person) -> None:
    """A move that nobody defined is not found, and the one that was meant is named."""
    made = ana.create("case", name="x")
    with pytest.raises(NotFound) as refused:
        ana.move("case", made.id, 1, "strat")
    assert refused.value.problems[0].hint == "did you mean 'start'?"
    with pytest.raises(NotFound):
        ana.move("case", made.id, 1, "strat", outcome="fixed")


def test_a_state_locks_what_it_does_not_let_change(ana: Person) -> None:
    """In a state with `edit` only what it names may change; the same value again is no change; a move is no edit."""
    made = ana.create("case", name="x", cost=1)
    ana.move("case", made.id, 1, "start")
    with pytest.raises(Invalid) as refused:
        ana.update("case", made.id, 2, name="y", note="fine", outcome="fixed")
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM505", ("name",)), ("XRM505", ("outcome",))]
    assert ana.update("case", made.id, 2, name="x", note="fine").version == 3
    assert ana.move("case", made.id, 3, "finish", outcome="fixed").record["outcome"] == "fixed"


def test_a_final_state_is_closed(running: Running, ana: Person) -> None:
    """A record in a final state is not open: rules, filters and the spine know it; reopening opens it again."""
    made = ana.create("case", name="x", cost=1)
    ana.move("case", made.id, 1, "finish", outcome="fixed")
    assert ana.count("case", filter="open") == 0 and ana.count("case", filter="!open") == 1
    with pytest.raises(Forbidden):
        ana.update("case", made.id, 2, note="late")
    assert running.rows('SELECT "open" FROM xrm_record WHERE entity = ?', "case") in ([(0,)], [(False,)])
    running.person("bo", "boss").move("case", made.id, 2, "reopen")
    assert running.rows('SELECT "open" FROM xrm_record WHERE entity = ?', "case") in ([(1,)], [(True,)])


def test_a_move_knows_the_version(ana: Person) -> None:
    """A move made to an older version is refused, like any write."""
    made = ana.create("case", name="x")
    ana.update("case", made.id, 1, note="n")
    with pytest.raises(Stale, match="you saw version 1, it is 2"):
        ana.move("case", made.id, 1, "start")


def test_the_time_of_a_write_is_one(running: Running) -> None:
    """`now()` is the same in every part of one write, and time never needs the machine's clock to be right."""
    early = running.at(datetime(2020, 1, 1, tzinfo=UTC)).person("ana", "agent").create("case", name="x")
    late = running.at(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=1)).person("bea", "agent").move("case", early.id, 1, "start").record
    assert late["taken"] == late["state_since"] == late["updated_at"] == datetime(2020, 1, 2, tzinfo=UTC)
    assert late["created_at"] == datetime(2020, 1, 1, tzinfo=UTC)


def test_computed_values_follow_every_write(ana: Person) -> None:
    """A computed field is right after a create, an update and a move, and is never sent."""
    made = ana.create("case", name="x", cost="1.25")
    assert str(made.record["total"]) == "2.50"
    assert str(ana.update("case", made.id, 1, cost="2").record["total"]) == "4.00"
    assert ana.update("case", made.id, 2, cost=None).record["total"] is None
    with pytest.raises(Invalid, match="it is computed"):
        ana.update("case", made.id, 3, total=1)


def test_a_guard_that_asks_a_collection_is_judged_ahead(application: Applications) -> None:
    """Of rows, and of the records that link to it."""
    guards = "[{must: 'notes.exists(n, n.size > 2)', message: No notes}, {must: 'lines.exists(l, l.a > 1)', message: No lines}]"
    box = f"""
fields: {{name: text, lines: {{type: rows, fields: {{a: integer}}}}}}
checks: {{full: {{must: 'open || count(notes) < 3', message: Too many}}}}
lifecycle: {{states: {{new: {{initial: true}}, done: {{final: true}}}}, transitions: {{go: {{from: new, to: done, guards: {guards}}}}}}}
access: {{boss: [read, create, update]}}
"""
    note = "fields: {size: integer, box: {type: link, to: box, inverse: notes}}\naccess: {boss: [read, create, update]}\n"
    boss = application({"box": box, "note": note}).person("bea", "boss")
    id = boss.create("box", name="x", lines=[{"a": 2}]).id
    assert boss.moves("box", id)["go"].reasons == ("No notes",)
    boss.create("note", size=3, box=id)
    assert boss.moves("box", id)["go"].allowed
    for _ in range(2):
        boss.create("note", size=3, box=id)
    assert boss.moves("box", id)["go"].reasons == ("Too many",)
