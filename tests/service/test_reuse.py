"""Packs, heirs and additions run on both databases as if they had been written in one piece."""

from contextlib import closing
from datetime import date

import pytest

from tests.support.application import XRM, Applications, Person, Running, apply_to, loaded
from xrm import bootstrap
from xrm.errors import Invalid
from xrm.service import sessions
from xrm.web import personal
from xrm.web.site import Site

CITY = {
    "xrm.yml": XRM + "use: contacts\n",
    "entities/contacts.yml": "add_to: party\nfields: {tax_id: {type: text, protected: true}, contact_points: {fields: {since: date}}}\naccess: {agent: [read, create, update], boss: {sees: [tax_id], edits: [tax_id]}}\n",
    "entities/resident.yml": "entity: resident\nextends: person\nfields: {card: {type: text, unique: true}, born: {required: true}}\n",
    "entities/badge.yml": "add_to: user\nfields: {badge: {type: text, unique: true}, shout: {compute: =badge}, pay: {type: integer, protected: true}}\n"
    "checks: {b: {must: badge != 'x', message: No such badge, field: badge}}\naccess: {boss: {sees: [pay]}}\n",
}  # fmt: skip


def test_what_was_written_in_pieces_runs_as_one(application: Applications) -> None:
    """A pack's entity with an addition to its base, an heir of it, and a user with fields of the agency's own."""
    running = application(CITY)
    ana, bea = running.person("ana", "agent"), running.person("bea", "boss")
    person = ana.create("person", name="Ada Byron", email="ada@example.org")
    bea.update("person", person.id, None, tax_id="NL1")
    ana.update("person", person.id, None, contact_points=[{"kind": "web", "value": "example.org", "since": date(2026, 1, 1)}])
    assert [(row["kind"], row["since"]) for row in ana.get("person", person.id)["contact_points"]] == [("web", date(2026, 1, 1))]
    assert "tax_id" not in ana.get("person", person.id) and bea.get("person", person.id)["tax_id"] == "NL1"

    with pytest.raises(Invalid) as refused:
        ana.create("resident", name="Bo", preferred_channel="email")
    assert {(problem.code, *problem.path) for problem in refused.value.problems} == {("XRM501", "born"), ("XRM504", "preferred_channel")}
    resident = ana.create("resident", name="Bo", born=date(1990, 1, 1), card="7")
    assert ana.get("resident", resident.id)["title"] == "Bo"
    assert (ana.count("resident"), ana.count("person")) == (1, 1)

    with pytest.raises(Invalid) as refused:
        running.system.create("user", name="carl", label="Carl", roles=["agent"], badge="x")
    assert [problem.message for problem in refused.value.problems] == ["No such badge"]
    carl = running.system.create("user", name="carl", label="Carl", roles=["agent"], badge="B7", pay=9)
    seen = ana.get("user", carl.id)
    assert (seen["badge"], seen["shout"], "pay" in seen) == ("B7", "B7", False)
    assert bea.get("user", carl.id)["pay"] == 9
    assert [row["label"] for row in ana.page("user", filter='badge == "B7"').rows] == ["Carl"]


DATA = {
    "entities/district.yml": "entity: district\nkey: code\nfields:\n  code: {type: text, unique: true, required: true}\n  name: text\n  part_of: {type: link, to: district}\naccess: {agent: [read, create, update, delete]}\n",
    "entities/category.yml": "entity: category\nkey: code\nfields:\n  code: {type: text, unique: true, required: true}\n  label: {type: text, required: true}\n"
    "  days: {type: integer, min: 1}\n  price: money\n  district: {type: link, to: district}\n  note: text\n"
    "checks: {short: {must: days == null || days < 100, message: Less than 100 days, field: days}}\naccess: {agent: [read, create, update]}\n",
    "entities/request.yml": "entity: request\nfields:\n  what: text\n  category: {type: link, to: category, default: [{when: what == 'tree', use: tree}, {use: pothole}]}\n"
    "  district: {type: link, to: district}\nlifecycle:\n  states: {new: {initial: true}, sent: {final: true}}\n"
    "  transitions: {send: {from: new, to: sent, set: {district: south}}}\naccess: {agent: [read, create, update]}\n",
    "data/district.yml": "north: {part_of: all}\nsouth: {part_of: all}\nall: {name: Everything, part_of: north}\n",
    "data/category.yml": "- {code: pothole, label: Pothole, days: 5, price: 12.50, district: south}\n- {code: tree, label: Tree}\n",
}  # fmt: skip


def test_reference_records_are_written_by_apply_and_named_by_their_key(application: Applications) -> None:
    """Links in a circle too; a default and a move's `set` find them; a key that is gone is said when it is wanted."""
    running = application(DATA)
    ana = running.person("ana", "agent")
    districts = {row["code"]: row for row in ana.all("district")}
    assert {code: row["part_of"] for code, row in districts.items()} == {
        "north": districts["all"]["id"],
        "south": districts["all"]["id"],
        "all": districts["north"]["id"],
    }
    pothole, tree = (next(row for row in ana.all("category") if row["code"] == code) for code in ("pothole", "tree"))
    assert (pothole["label"], pothole["days"], str(pothole["price"]), pothole["district"]) == (
        "Pothole",
        5,
        "12.50",
        districts["south"]["id"],
    )
    assert [entry.action for entry in ana.history("category", pothole["id"])] == ["create"]

    request = ana.create("request")
    assert ana.get("request", request.id)["category"] == pothole["id"]
    assert ana.create("request", what="tree").record["category"] == tree["id"]
    assert ana.move("request", request.id, 1, "send").record["district"] == districts["south"]["id"]

    bare = ana.create("request", category=tree["id"])
    running.run("UPDATE district SET deleted_at = created_at WHERE code = ?", "south")
    with pytest.raises(Invalid) as refused:
        ana.move("request", bare.id, 1, "send")
    assert [(problem.code, problem.message) for problem in refused.value.problems] == [("XRM511", "District: there is no district 'south'")]


def planned(running: Running, texts: dict[str, str]) -> list[str]:
    """What a plan says of the reference records."""
    return [words for one in bootstrap.plan_of(running.database, loaded(texts)[0]).records for words in one.words]


def test_the_file_wins_at_apply_and_the_plan_says_so(application: Applications) -> None:
    """Added, changed, left; fields that the file does not name are the people's; a second plan is empty."""
    running = application(DATA)
    ana = running.person("ana", "agent")
    pothole = next(row for row in ana.all("category") if row["code"] == "pothole")
    ana.update("category", pothole["id"], None, label="Hole", note="Ours")
    assert planned(running, DATA) == ["change 1 record of category: pothole (label Pothole, was Hole)"]

    newer = {**DATA, "data/category.yml": "pothole: {label: Pothole, days: 7}\nbench: {label: Bench}\nlamp: {label: Lamp, district: new}\n",
             "entities/request.yml": DATA["entities/request.yml"].replace("use: tree", "use: lamp"),
             "data/district.yml": DATA["data/district.yml"] + "new:\n"}  # fmt: skip
    assert planned(running, newer) == [
        "create 1 record of district: new",
        "create 2 records of category: bench, lamp",
        "change 1 record of category: pothole (label Pothole, was Hole; days 7, was 5)",
        "leave 1 record of category that the file no longer has: tree",
    ]
    apply_to(running.database, newer)
    with closing(running.another()) as after:
        bea = after.person("bea", "agent")
        found = {row["code"]: row for row in bea.all("category")}
        assert {code: row["label"] for code, row in found.items()} == {
            "pothole": "Pothole",
            "tree": "Tree",
            "bench": "Bench",
            "lamp": "Lamp",
        }
        assert (found["pothole"]["days"], found["pothole"]["note"], found["pothole"]["version"]) == (7, "Ours", 3)
        assert found["lamp"]["district"] == next(row["id"] for row in bea.all("district") if row["code"] == "new")
        assert planned(after, newer) == []

    wanted = {
        **newer,
        "entities/category.yml": DATA["entities/category.yml"].replace("note: text", "note: text\n  ward: {type: text, required: true}"),
    }
    some = newer["data/category.yml"].replace("{label", "{ward: W, label")
    with pytest.raises(Invalid) as asked:
        planned(running, {**wanted, "data/category.yml": some})
    assert [problem.message for problem in asked.value.problems] == ["category.ward is required now, and 1 record has no value"]
    assert len(planned(running, {**wanted, "data/category.yml": f"{some}tree: {{label: Tree, ward: W}}\n"})) == 1

    refused = {**newer, "data/category.yml": "pothole: {label: Pothole}\nbench:\n  label: Bench\n  days: 200\nlamp: {label: Lamp}\n"}
    with pytest.raises(Invalid) as problem:
        apply_to(running.database, refused)
    assert [f"{one.place} {one.code} {one.message}" for one in problem.value.problems] == [
        "data/category.yml:2:1 XRM504 Less than 100 days"
    ]


SPANISH = {
    "xrm.yml": XRM + "locale: en\nlocales: [en, es]\nuse: contacts\n",
    "entities/access.yml": "add_to: party\nfields: {ward: {type: text, required: true}}\naccess: {agent: [read, create]}\n",
    "locale/es.yml": "entities: {party: {fields: {ward: {label: Barrio}}}}\n",
}


def test_labels_follow_the_language_that_a_user_has_chosen(application: Applications) -> None:
    """On the page and in problems of REST; another user keeps the application's own; a language it has not is not taken."""
    running = application(SPANISH)
    ana, bea = running.person("ana", "agent"), running.person("bea", "agent")
    assert [label for _, label in personal.preferences_page(running.service.application.model, ana.actor).languages] == [
        "English",
        "Español",
    ]
    personal.keep_look(ana.ctx, {"locale": "nl"})
    personal.keep_look(ana.ctx, {"locale": "es"})
    chosen = sessions.actor_named(running.service, "ana")
    assert chosen and chosen.preferences["locale"] == "es"
    spanish, english = (one.api.post("/api/person", {"name": "Bo"}).json["errors"] for one in (Person(running, chosen), bea))
    assert (spanish[0]["message"], english[0]["message"]) == ("Barrio is required", "Ward is required")
    screen = Site(running.service).screens_of(chosen).by_entity["person"]
    assert (screen.plural, screen.words("ward"), screen.words("family_name")) == ("Personas", "Barrio", "Apellidos")


EVERY = {
    "entities/every.yml": "entity: every\nkey: code\nfields:\n  code: {type: text, unique: true, required: true}\n  long: long_text\n  whole: integer\n  exact: decimal\n"
    "  price: money\n  yes: boolean\n  day: date\n  at: datetime\n  hour: time\n  span: duration\n  share: percent\n  one: {type: choice, options: [a, b]}\n"
    "  some: {type: choice, many: true, options: [a, b, c]}\n  place: point\n  any: json\n  mail: email\n  call: phone\n  page: url\n  who: user\naccess: {agent: [read, create]}\n",
    "data/every.yml": "A1:\n  long: Two words\n  whole: 7\n  exact: 1.50\n  price: 12.50\n  yes: true\n  day: 2026-01-31\n  at: 2026-01-31T10:00:00Z\n  hour: 09:30\n  span: 2 hours\n"
    "  share: 12.5\n  one: a\n  some: [a, c]\n  place: {lat: 1.5, lon: 2.5}\n  any: {x: [1, 2.5]}\n  mail: a@example.org\n  call: +31201234567\n  page: https://example.org\n  who: system\n",
}  # fmt: skip


def test_a_record_with_a_value_of_every_type_is_written_once(application: Applications) -> None:
    """What the database gives back is what the file says: a second plan has nothing to write."""
    running = application(EVERY)
    assert planned(running, EVERY) == []
    assert running.system.all("every")[0]["version"] == 1
