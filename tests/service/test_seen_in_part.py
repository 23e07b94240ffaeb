"""What somebody sees only in part: they do not learn of the rest, and they do not lose it by writing."""

from tests.support.application import Applications
from tests.web.city import PASSWORD, City
from xrm.service.sessions import set_password

NOTE = """
title: "{name}"
fields:
  name: {type: text}
  helper: {type: link, to: person}
  lines: {type: rows, protected: true, min: 1, fields: {what: {type: text}, why: {type: text, recommended: true}}}
  steps:
    type: rows
    fields:
      what: {type: text}
      at: {type: datetime}
      by: {type: link, to: person}
      seen: {type: link, to: person, protected: true}
lifecycle:
  states: {new: {initial: true}, done: {final: true}}
  transitions: {finish: {from: new, to: done, ask: {helper: {required: false}, steps: {required: false}}}}
access:
  guest: {read: true, create: true, update: true, sees: [steps.seen]}
  boss: {read: true, create: true, update: true, sees: [lines, steps.seen], edits: [lines, steps.seen]}
"""
PERSON = """
title: "{name}"
fields: {name: {type: text}}
access: {guest: {read: 'name == "open"'}, boss: [read, create, update, delete]}
"""


def test_what_is_not_seen_of_rows_stays_and_stays_unknown(application: Applications) -> None:
    running = application({"note": NOTE, "person": PERSON})
    boss, guest = running.person("ana", "boss"), running.person("gus", "guest")
    hidden = boss.create("person", name="hidden").id
    shown = boss.create("person", name="open").id
    step = {"what": "dig", "at": "2026-01-02T10:00:33.250000Z", "by": hidden, "seen": hidden}
    made = boss.create("note", name="x", helper=hidden, lines=[{"what": "a"}], steps=[step, {"what": "fill", "by": shown}])

    seen = guest.get("note", made.id, nested=True)
    assert seen["flags"] is None, "flags name no protected rows"
    assert [row["by"] for row in seen["steps"]] == [None, shown]
    seen["steps"][0]["what"] = "dig deep"
    seen["steps"][1]["by"] = None
    assert guest.api.patch(f"/api/note/{made.id}", {"steps": seen["steps"]}).status == 200
    first, second = boss.get("note", made.id)["steps"]
    assert (first["what"], first["by"], first["seen"], second["by"]) == ("dig deep", hidden, hidden, None)

    before = first["at"]
    set_password(running.service, guest.id, PASSWORD)
    visitor = City(running.service).visitor("gus")
    page = visitor.get(f"/w/note/{made.id}/edit").text
    assert visitor.submit(page, steps__0__what="dig deeper").status_code == 303
    first = boss.get("note", made.id)["steps"][0]
    assert (first["what"], first["by"], first["at"]) == ("dig deeper", hidden, before)

    page = visitor.get(f"/w/note/{made.id}/move/finish").text
    assert visitor.submit(page).status_code == 303
    after = boss.get("note", made.id)
    assert (after["state"], after["helper"], after["steps"][0]["by"], after["steps"][0]["at"]) == ("done", hidden, hidden, before)


def test_history_tells_of_no_row_in_which_only_hidden_values_changed(application: Applications) -> None:
    running = application({"note": NOTE, "person": PERSON})
    boss, guest = running.person("ana", "boss"), running.person("gus", "guest")
    one, two = (boss.create("person", name=name).id for name in ("one", "two"))
    made = boss.create("note", name="x", lines=[{"what": "a"}], steps=[{"what": "dig", "by": one}, {"what": "fill"}])
    first, second = ({"id": row["id"]} for row in boss.get("note", made.id)["steps"])
    boss.update("note", made.id, None, steps=[{**first, "by": two}, second])
    boss.update("note", made.id, None, steps=[{**first, "by": one}, {**second, "what": "fill in"}])
    told = {entry.version: entry.fields for entry in guest.history("note", made.id)}
    assert told[2] == {}
    assert told[3] == {"steps": ([{**second, "row": 2, "what": "fill"}], [{**second, "row": 2, "what": "fill in"}])}
    assert [row["row"] for row in boss.history("note", made.id)[1].fields["steps"][0]] == [1]


def test_a_list_sorts_by_what_lies_beyond_a_link_to_several(application: Applications) -> None:
    case = 'title: "{name}"\nfields: {name: {type: text}, about: {type: link, to: [thing, person]}}\naccess: {agent: [read, create]}'
    other = 'title: "{name}"\nfields: {name: {type: text}}\naccess: {agent: [read, create]}'
    ana = application({"case": case, "thing": other, "person": other}).person("ana", "agent")
    for name, entity in (("b", "thing"), ("a", "person")):
        ana.create("case", name=name, about=ana.create(entity, name=name).id)
    for sort in ("about", "about.title", "about.name"):
        assert [row["name"] for row in ana.api.get("/api/case", sort=sort).json["items"]] == ["a", "b"], sort


def test_a_flag_goes_with_the_next_write_when_its_field_has_become_protected(application: Applications) -> None:
    before = 'title: "{name}"\nfields: {name: {type: text}, code: {type: text}}\naccess: {guest: {read: true, create: true, update: true}}'
    running = application({"note": before.replace("code: {type: text}", "code: {type: text, protected: true, length: 3}")})
    guest = running.person("gus", "guest")
    made = guest.create("note", name="x")
    running.run("UPDATE note SET flags = ?", "code:length")  # as a release left it in which everybody saw the field
    guest.update("note", made.id, None, name="y")
    assert guest.get("note", made.id)["flags"] is None
