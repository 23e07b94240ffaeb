"""Links: what deletion does, where they may lead, what fits them, and links to many records."""

import pytest

from tests.support.application import Applications, Person, Running, files_of
from xrm import source
from xrm.compile.fitting import with_this
from xrm.errors import Invalid, NotFound
from xrm.service import deleting

DELETING = {
    "case": """
title: "{name}"
fields: {name: text}
access: {agent: [read, create, update, delete], boss: [read, create, update, delete]}
""",
    "task": """
title: "{name}"
fields:
  name: text
  case: {type: link, to: case, on_delete: cascade}
  above: {type: link, to: task, on_delete: cascade}
  kept: {type: boolean}
access: {agent: {read: true, create: true, update: true, delete: kept == null}, boss: [read, create, update, delete], guest: read}
""",
    "note": """
title: "{text}"
fields:
  text: text
  about: {type: link, to: case, on_delete: clear}
  step: {type: link, to: task, on_delete: clear}
  length: {compute: "=about == null ? 0 : 1"}
checks: {spoken: {must: about != null || step != null, message: Say what it is about}}
access: {agent: [read, create], boss: [read, create]}
""",
    "bill": """
title: "{name}"
fields: {name: text, case: {type: link, to: case}, task: {type: link, to: task}}
access: {boss: [read, create, update, delete]}
""",
}


@pytest.fixture
def running(application: Applications) -> Running:
    return application(DELETING)


def codes(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [problem.code for problem in refused.value.problems]


def messages(refused: pytest.ExceptionInfo[Invalid]) -> str:
    return "; ".join(problem.message for problem in refused.value.problems)


def alive(person: Person, entity: str) -> set[str]:
    return {str(row["title"]) for row in person.all(entity)}


def test_a_delete_takes_along_what_cascades_and_clears_and_a_restore_brings_it_back(running: Running) -> None:
    """A tree with a circle in it goes whole; links that clear are emptied; each touched record has its own change; restore undoes it."""
    boss = running.person("bo", "boss")
    case = boss.create("case", name="Case").id
    other = boss.create("case", name="Other").id
    top = boss.create("task", name="Top", case=case).id
    low = boss.create("task", name="Low", above=top).id
    boss.update("task", top, None, above=low)
    spare = boss.create("task", name="Spare", case=other).id
    note = boss.create("note", text="Note", about=case).id
    step = boss.create("note", text="Step", step=low).id
    free = boss.create("note", text="Free", about=other).id

    boss.delete("case", case)
    assert alive(boss, "task") == {"Spare"}
    assert alive(boss, "case") == {"Other"}
    seen = boss.get("note", note)
    assert (seen["about"], seen["length"], seen["flags"], seen["version"]) == (None, 0, "spoken", 2)
    assert boss.get("note", step)["step"] is None
    assert boss.get("note", free)["about"] == other and boss.get("note", free)["version"] == 1
    newest = boss.history("note", note)[0]
    assert (newest.action, newest.actor, newest.fields["length"]) == ("update", "Bo", (1, 0))

    boss.restore("case", case)
    assert alive(boss, "task") == {"Top", "Low", "Spare"}
    assert boss.get("task", top)["case"] == case and boss.get("task", low)["above"] == top
    back = boss.get("note", note)
    assert (back["about"], back["length"], back["flags"], back["version"]) == (case, 1, None, 3)
    assert boss.get("note", step)["step"] == low
    assert [entry.action for entry in boss.history("task", low)] == ["restore", "delete", "create"]
    assert boss.get("task", spare)["version"] == 1
    assert running.rows("SELECT count(*) FROM xrm_along")[0][0] == 0


def test_what_changed_meanwhile_is_left_as_it_is_by_a_restore(running: Running) -> None:
    """A link that was given another record stays with it; a record deleted before does not come back with the rest."""
    boss = running.person("bo", "boss")
    case, other = boss.create("case", name="Case").id, boss.create("case", name="Other").id
    early = boss.create("task", name="Early", case=case).id
    boss.create("task", name="Late", case=case)
    note = boss.create("note", text="Note", about=case).id
    boss.delete("task", early)
    boss.delete("case", case)
    running.system.update("note", note, None, about=other)
    boss.restore("case", case)
    assert alive(boss, "task") == {"Late"}
    assert boss.get("note", note)["about"] == other


def test_what_may_not_go_along_refuses_the_whole_delete(running: Running) -> None:
    """Restrict counts and names what the actor sees, a cascade wants the right to delete all of it, and nothing was written."""
    boss, ana = running.person("bo", "boss"), running.person("ana", "agent")
    case = boss.create("case", name="Case").id
    task = boss.create("task", name="Task", case=case).id
    boss.create("task", name="Kept", case=case, kept=True)
    for name in ("Big", "Small", "Odd", "Even"):
        bill = boss.create("bill", name=name, task=task).id
    with pytest.raises(Invalid) as refused:
        boss.delete("case", case)
    assert codes(refused) == ["XRM515"]
    assert messages(refused) == "it is still used by 4 bills: “Big”, “Small”, “Odd”, … (in Task)"
    with pytest.raises(Invalid) as refused:
        ana.delete("case", case)
    assert codes(refused) == ["XRM515", "XRM530"]
    assert messages(refused) == "it is still used by other records; 1 task: “Kept” would be deleted with it, and you may not delete them"
    assert alive(boss, "task") == {"Task", "Kept"} and boss.get("case", case)["version"] == 1
    known = deleting.preview(ana.ctx, "case", case)
    assert [(group.entity, group.count) for group in known.gone] == [("task", 2)] and len(known.refusals) == 2

    for row in boss.all("bill"):
        boss.delete("bill", row["id"])
    assert bill
    boss.delete("case", case)
    with pytest.raises(Invalid) as refused:
        ana.restore("case", case)
    assert codes(refused) == ["XRM530"]
    boss.restore("case", case)
    assert alive(boss, "task") == {"Task", "Kept"}


def test_a_delete_reaches_a_bounded_number_of_records(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit it is refused before anything is written."""
    monkeypatch.setattr(deleting, "MOST_ALONG", 3)
    boss = running.person("bo", "boss")
    case = boss.create("case", name="Case").id
    for n in range(3):
        boss.create("task", name=f"Task {n}", case=case)
    note = boss.create("note", text="Note", about=case).id
    with pytest.raises(Invalid) as refused:
        boss.delete("case", case)
    assert codes(refused) == ["XRM531"]
    running.system.update("note", note, None, about=None, step=boss.all("task")[0]["id"])
    assert len(alive(boss, "task")) == 3


def test_rest_says_why_and_deletes_and_only_its_holder_restores(running: Running) -> None:
    """Over REST a blocked delete is 409 with the reason; afterwards the children are gone for everybody."""
    boss, guest = running.person("bo", "boss"), running.person("gus", "guest")
    case = boss.create("case", name="Case").id
    task = boss.create("task", name="Task", case=case).id
    bill = boss.create("bill", name="Bill", case=case).id
    answer = boss.api.delete(f"/api/case/{case}")
    assert (answer.status, answer.codes) == (409, ["XRM515"]), answer.json
    boss.update("bill", bill, None, case=None)
    assert boss.api.delete(f"/api/case/{case}").status == 204
    with pytest.raises(NotFound):
        guest.get("task", task)


# --- links to several entities

SEVERAL = {
    "person": """
key: code
title: "{name}"
fields: {code: {type: text, unique: true, required: true}, name: text, city: text, born: date, secret: {type: text, protected: true}}
access: {agent: [read, create, update], boss: {read: true, create: true, update: true, delete: true, sees: secret, edits: secret}, guest: {read: city == "Rome"}}
""",
    "organisation": """
title: "{name}"
fields: {name: text, city: text, born: integer, secret: text}
access: {agent: [read, create], boss: [read, create, delete]}
""",
    "party": """
abstract: true
title: "{name}"
fields: {name: text}
access: {agent: [read, create], boss: [read, create]}
""",
    "club": "extends: party\nfields: {city: text}\n",
    "firm": "extends: party\nfields: {city: text}\n",
    "request": """
title: "{subject}"
fields:
  subject: text
  requester: {type: link, to: [person, organisation], required: true, on_delete: cascade}
  payer: {type: link, to: party}
  about: {type: link, to: any, on_delete: clear}
  kind: {type: text, default: =entity(requester)}
  town: {type: text, default: =requester.city}
checks: {here: {must: payer == null || payer.city != "Oslo", message: Not from Oslo}}
access:
  agent: [read, create, update]
  boss: [read, create, update, delete]
  guest: read
""",
}


@pytest.fixture
def several(application: Applications) -> Running:
    return application(SEVERAL)


def test_a_link_to_several_entities_is_written_read_filtered_and_sorted(several: Running) -> None:
    """It takes an id, or an id with its entity; what all targets have can be read through it; each shows by its own policy."""
    ana, guest = several.person("ana", "agent"), several.person("gus", "guest")
    ada = ana.create("person", code="a", name="Ada", city="Rome").id
    bob = ana.create("person", code="b", name="Bob", city="Bern").id
    acme = ana.create("organisation", name="Acme", city="Rome").id
    oslo = ana.create("firm", name="Fjord", city="Oslo").id
    club = ana.create("club", name="Chess", city="Rome").id
    one = ana.create("request", subject="One", requester=ada, payer=club, about=acme).id
    two = ana.create("request", subject="Two", requester={"entity": "organisation", "id": acme}, about=one).id
    three = ana.create("request", subject="Three", requester=bob, about=ana.id).id

    row = ana.get("request", two, "requester.title", "about.title", "kind", "town")
    assert {name: row[name] for name in row if name != "id"} == {
        "requester": acme, "requester.title": "Acme", "requester.entity": "organisation", "kind": "organisation", "town": "Rome",
        "about": one, "about.title": "One", "about.entity": "request",
    }  # fmt: skip
    assert ana.get("request", one, "requester", nested=True)["requester"] == {"id": ada, "entity": "person"}
    assert ana.get("request", three, "about.title", nested=True)["about"]["title"] == "Ana"

    def found(person: Person, **query: str) -> list[str]:
        return [row["subject"] for row in person.all("request", fields=("subject",), **query)]

    assert found(ana, filter='entity(requester) == "person"', sort="subject") == ["One", "Three"]
    assert found(ana, filter='requester.city == "Rome" && requester.title.contains("c")') == ["Two"]
    assert found(ana, filter=f'requester == "{bob}"') == ["Three"]
    assert found(ana, sort="requester") == ["Two", "One", "Three"] and found(ana, sort="-requester", limit=1) == ["Three", "One", "Two"]
    assert found(ana, filter="payer.name != null") == ["One"]

    assert [guest.get("request", id)["requester"] for id in (one, two, three)] == [ada, None, None]
    assert found(guest, filter='requester.city == "Rome"') == ["One"] and found(guest, filter="requester == null", sort="subject") == [
        "Three",
        "Two",
    ]
    assert guest.get("request", one)["about"] is None and "payer" not in guest.get("request", one)

    for values, code in (
        ({"requester": club}, "XRM511"),
        ({"requester": {"entity": "club", "id": club}}, "XRM502"),
        ({"requester": {"entity": "person", "id": acme}}, "XRM502"),
        ({"payer": oslo}, "XRM504"),
        ({"about": "00000000-0000-7000-8000-000000000000"}, "XRM511"),
    ):
        with pytest.raises(Invalid) as refused:
            ana.update("request", one, None, **values)
        assert codes(refused) == [code], values

    boss = several.person("bo", "boss")
    boss.delete("organisation", acme)
    assert found(ana) == ["Three", "One"] and ana.get("request", one)["about"] is None
    boss.restore("organisation", acme)
    assert ana.get("request", one)["about"] == acme and ana.get("request", two)["requester"] == acme


@pytest.mark.parametrize("wanted", ["secret", "born", "code"])
def test_what_not_every_target_has_is_not_there_through_the_link(several: Running, wanted: str) -> None:
    """A field that is of another type, protected from the reader, or missing in one target is no name."""
    with pytest.raises(Invalid) as refused:
        several.person("ana", "agent").page("request", filter=f"requester.{wanted} != null")
    assert codes(refused) == ["XRM302"]


# --- what fits a link

FITTING = {
    "area": """
title: "{name}"
fields: {name: text, low: integer, high: integer}
access: {agent: [read, create, update]}
""",
    "topic": """
key: code
title: "{code}"
fields: {code: {type: text, unique: true, required: true}, active: boolean, area: {type: link, to: area}}
access: {agent: [read, create, update]}
""",
    "report": """
title: "{subject}"
fields:
  subject: text
  place: integer
  part: {type: link, to: area, find: "low <= this.place && this.place < high"}
  named: {type: link, to: area, find: "lower(name) == this.subject"}
  topic: {type: link, to: topic, filter: "active == true && (area == null || area == this.part)"}
  inside: {compute: =part != null}
access: {agent: [read, create, update]}
""",
}


def test_what_fits_a_link_is_found_offered_and_enforced(application: Applications) -> None:
    """`find` fills an empty link with the one that fits and warns otherwise; `filter` refuses what is newly chosen and does not fit."""
    running = application(FITTING)
    ana = running.person("ana", "agent")
    north = ana.create("area", name="North", low=0, high=10).id
    south = ana.create("area", name="South", low=8, high=20).id
    free = ana.create("topic", code="free", active=True).id
    own = ana.create("topic", code="own", active=True, area=north).id
    old = ana.create("topic", code="old", active=False).id

    made = ana.create("report", subject="x", place=3)
    assert made.record["part"] == north and made.record["inside"] is True
    assert [(problem.code, problem.path) for problem in made.warnings] == [("XRM533", ("named",))]
    both = ana.create("report", subject="south", place=9)
    assert both.record["part"] is None and both.record["named"] == south
    assert [problem.message for problem in both.warnings] == ["Part was left empty: more than one record fits"]
    assert ana.create("report", place=None).warnings == ()
    assert ana.create("report", place=3, part=south).record["part"] == south
    moved = ana.update("report", both.id, None, place=15)
    assert moved.record["part"] == south
    assert ana.update("report", both.id, None, part=None).record["part"] is None

    for id, fits in ((free, True), (own, True), (old, False)):
        if fits:
            assert ana.update("report", made.id, None, topic=id).record["topic"] == id
        else:
            with pytest.raises(Invalid) as refused:
                ana.update("report", made.id, None, topic=id)
            assert codes(refused) == ["XRM532"]
    moment = with_this(ana.ctx.moment, ["part"], {"part": south})
    assert {row["code"] for row in ana.all("topic", fitting=("report", "topic", moment))} == {"free"}
    ana.update("report", made.id, None, topic=free)
    ana.update("topic", free, None, active=False)
    assert ana.update("report", made.id, None, subject="Old choices stay").changed
    with pytest.raises(Invalid) as refused:
        ana.create("report", place=9, part=south, topic=own)
    assert codes(refused) == ["XRM532"]


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("{type: link, to: user, filter: nme == 'a'}", "XRM302"),
        ("{type: link, to: user, filter: this.nme == 'a'}", "XRM302"),
        ("{type: link, to: user, filter: 'name.matches(\"a\")'}", "XRM307"),
        ("{type: link, to: user, find: id == this.it}", "XRM242"),
        ("{type: link, to: user, find: name}", "XRM309"),
        ("{type: link, to: user, required: true, on_delete: clear}", "XRM240"),
        ("{type: link, to: [user, any]}", "XRM241"),
        ("{type: link, to: [user, usr]}", "XRM203"),
        ("{type: link, to: [user, note], filter: text != null}", "XRM302"),
    ],
)
def test_what_a_link_cannot_say_is_found_by_the_check(field: str, code: str) -> None:
    """Each slip in a link has its code."""
    files = files_of(f"fields:\n  text: text\n  it: {field}\n")
    assert [problem.code for problem in source.load_text(files).problems if problem.severity == "error"] == [code]


def test_a_link_is_told_by_the_key_of_its_record(application: Applications) -> None:
    """In the record, its rows and its lists; of several entities with the entity's name; what is hidden is as what is not there."""
    key = "key: code\nfields: {code: {type: text, unique: true, required: true}, secret: boolean}\n"
    access = "access: {boss: [read, create], agent: {read: secret == null}}\n"
    one = "one: {type: link, to: item}, any: {type: link, to: [item, tool]}, some: {type: link, to: [item, tool], many: true}"
    inside = "{type: rows, fields: {one: {type: link, to: item}, any: {type: link, to: [item, tool]}}}"
    note = f"fields: {{{one}, rows: {inside}}}\naccess: {{agent: [read, create, update]}}\n"
    running = application({"item": key + access, "tool": key + access, "note": note})
    boss, ana = running.person("bea", "boss"), running.person("ana", "agent")
    a, b = boss.create("item", code="A").id, boss.create("tool", code="A").id
    boss.create("item", code="H", secret=True)
    made = ana.create("note", one="a", any="tool:A", some=["item:A", "tool:A"], rows=[{"one": "A", "any": "tool:A"}, {"any": a}]).id
    seen = ana.get("note", made, nested=True)
    assert (seen["one"], seen["any"]) == (a, {"id": b, "entity": "tool"})
    assert [link["id"] for link in seen["some"]] == [a, b]
    assert [(row["one"], row["any"]) for row in ana.get("note", made)["rows"]] == [(a, b), (None, a)]
    cases: list[tuple[dict[str, object], str]] = [
        ({"one": "X"}, "One: there is no such item “X”"),
        ({"one": "H"}, "One: there is no such item “H”"),
        ({"any": "A"}, "Any: there is no such record “A”"),
        ({"any": "tool:H"}, "Any: there is no such record “tool:H”"),
        ({"some": ["item:H"]}, "Some: there is no such record “item:H”"),
        ({"rows": [{"one": "A"}, {"one": "H"}]}, "Rows, row 2: One leads to no item “H”"),
    ]
    for values, said in cases:
        with pytest.raises(Invalid) as refused:
            ana.update("note", made, None, **values)
        assert [(problem.code, problem.message) for problem in refused.value.problems] == [("XRM511", said)]
