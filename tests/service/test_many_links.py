"""A link to many records: its list is written, guarded, read, emptied and brought back with its record."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.application import XRM, Applications, Person, Running, apply_to, loaded
from tests.transfer.samples import imported, words
from xrm import bootstrap
from xrm.errors import Forbidden, Invalid
from xrm.service.transfer.exporting import Export, export
from xrm.source import load_text

TEXTS = {
    "district": """
title: "{name}"
key: code
fields: {code: {type: text, unique: true, required: true}, name: text, secret: boolean}
access: {boss: [read, create, update, delete], agent: {read: secret == null}, guest: {read: secret == null}}
""",
    "party": "abstract: true\nfields: {name: text}\naccess: {boss: [read, create, update, delete], agent: read}\n",
    "person": 'extends: party\ntitle: "{name}"\n',
    "firm": 'extends: party\ntitle: "{name}"\n',
    "permit": """
title: "{name}"
fields:
  name: {type: text, unique: true}
  districts: {type: link, to: district, many: true, max: 4}
  parties: {type: link, to: party, many: true, on_delete: clear}
  group: {type: link, to: district, many: true, on_delete: cascade}
  spread: {compute: '=count(districts)', discloses: true}
access: {boss: [read, create, update, delete], agent: [read, create, update], guest: read}
""",
    "plan": """
title: "{name}"
fields: {name: text, wards: {type: user, many: true, required: true, min: 2}}
access: {boss: [read, create, update, delete]}
""",
}


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


def losses(running: Running, texts: dict[str, str]) -> list[str]:
    plan = bootstrap.plan_of(running.database, loaded(texts)[0])
    return [step.loses for step in plan.steps if step.loses]


FREE = "access: {agent: [read, create, update, delete]}\n"


def ids(value: Any) -> list[str]:
    return [row["target"] for row in value]


def made(boss: Person, *codes: str, **more: Any) -> list[str]:
    return [boss.create("district", code=code, name=code.title(), **more).id for code in codes]


def test_a_list_of_links_is_written_and_read_with_its_record(running: Running) -> None:
    """By id or key, each once, in order; the same list again changes nothing; REST gives ids, or what is asked of each."""
    boss = running.person("bea", "boss")
    a, b, c = made(boss, "a", "b", "c")
    ann, acme = boss.create("person", name="Ann").id, boss.create("firm", name="Acme").id
    one = boss.create("permit", name="One", districts=[b, "a", b], parties=[acme, {"id": ann}])
    seen = boss.get("permit", one.id)
    assert ids(seen["districts"]) == [b, a]
    assert [row["target.title"] for row in seen["parties"]] == ["Acme", "Ann"]
    assert seen["spread"] == 2
    assert not boss.update("permit", one.id, one.version, districts="b, a").changed
    assert boss.update("permit", one.id, one.version, districts=[c, a, b]).version == one.version + 1
    shown = boss.get("permit", one.id, nested=True)
    assert shown["districts"] == [c, a, b]
    assert shown["parties"] == [{"id": acme, "entity": "firm"}, {"id": ann, "entity": "person"}]
    assert boss.get("permit", one.id, "districts.title", "districts.code", "parties.name", nested=True) == {
        "id": one.id,
        "districts": [{"id": id, "title": code.title(), "code": code} for id, code in ((c, "c"), (a, "a"), (b, "b"))],
        "parties": [{"id": acme, "entity": "firm", "name": "Acme"}, {"id": ann, "entity": "person", "name": "Ann"}],
    }
    assert {"id": seen["districts"][0]["id"], "row": 3} in boss.history("permit", one.id)[0].fields["districts"][1]
    boss.update("permit", one.id, None, districts=[a])
    assert [row["target"] for row in boss.history("permit", one.id)[0].fields["districts"][0] if "target" in row] == [c, b]
    assert [row["name"] for row in boss.all("permit", filter="count(districts) == 1")] == ["One"]
    assert boss.all("permit", filter="count(districts) > 1") == []
    assert [boss.count("permit", filter=f'districts.exists(d, d.id == "{id}")') for id in (a, b)] == [1, 0]
    boss.update("permit", one.id, None, districts=None)
    assert boss.get("permit", one.id)["districts"] == ()
    assert running.rows("SELECT count(*) FROM permit__districts") == [(0,)]


REFUSED: list[tuple[object, str, str]] = [
    (["x"], "XRM511", "Districts: there is no such district “x”"),
    (["00000000-0000-0000-0000-000000000001"], "XRM511", "Districts: there is no such district"),
    (["GONE"], "XRM511", "Districts: there is no such district"),
    (["PERMIT"], "XRM511", "Districts: there is no such district"),
    (["a", "b", "c", "d", "e"], "XRM528", "Districts may have 4 links or fewer; it has 5"),
    ([1], "XRM502", "Districts must be the id of a record"),
    (7, "XRM502", "Districts must be a list of records"),
    ([f"00000000-0000-0000-0000-{n:012}" for n in range(1001)], "XRM502", "Districts may have 1,000 links; it has 1,001"),
]


def test_what_does_not_fit_is_refused(running: Running) -> None:
    boss = running.person("bea", "boss")
    *_, gone = made(boss, "a", "b", "c", "d", "e", "f")
    boss.delete("district", gone)
    permit = boss.create("permit", name="One")
    for value, code, message in REFUSED:
        sent = [{"GONE": gone, "PERMIT": permit.id}.get(str(one), one) for one in value] if isinstance(value, list) else value
        with pytest.raises(Invalid) as refused:
            boss.update("permit", permit.id, None, districts=sent)
        assert [(p.code, p.path, p.message) for p in refused.value.problems] == [(code, ("districts",), message)]
    with pytest.raises(Invalid) as refused:
        boss.create("plan", name="P")
    assert {(p.code, p.message) for p in refused.value.problems} >= {("XRM501", "Wards is required")}
    with pytest.raises(Invalid, match="Wards must have 2 links or more; it has 1"):
        boss.create("plan", name="P", wards=[boss.id])
    assert boss.create("plan", name="P", wards=[boss.id, running.person("cy", "boss").id])


def test_who_sees_a_part_of_a_list_changes_only_that(running: Running) -> None:
    """What is hidden is read by nobody who may not, cannot be added or asked about, and stays where it stands."""
    boss, agent, guest = running.person("bea", "boss"), running.person("al", "agent"), running.person("gus", "guest")
    a, b, c = made(boss, "a", "b", "c")
    x, y = made(boss, "x", "y", secret=True)
    one = boss.create("permit", name="One", districts=[x, a, y, b])
    assert ids(agent.get("permit", one.id)["districts"]) == [a, b]
    assert agent.get("permit", one.id, nested=True)["districts"] == [a, b]
    assert agent.get("permit", one.id, "districts.code", nested=True)["districts"] == [{"id": a, "code": "a"}, {"id": b, "code": "b"}]
    for hidden in (x, "x"):
        with pytest.raises(Invalid, match="there is no such district"):
            agent.update("permit", one.id, None, districts=[a, b, hidden])
    agent.update("permit", one.id, None, districts=[b, a])
    assert ids(boss.get("permit", one.id)["districts"]) == [x, b, a, y]
    with pytest.raises(Invalid, match="may have 4 links or fewer"):
        agent.update("permit", one.id, None, districts=[a, b, c])
    agent.update("permit", one.id, None, districts=[])
    assert ids(boss.get("permit", one.id)["districts"]) == [x, y]
    for asked in (f'districts.exists(d, d.id == "{x}")', f'"{x}" in districts', "count(districts) == 2", "districts.exists(d, d.secret)"):
        assert (boss.count("permit", filter=asked), agent.count("permit", filter=asked)) == (1, 0), asked
    told = agent.history("permit", one.id)
    assert [row["target"] for entry in told for side in entry.fields.get("districts", ()) for row in side if "target" in row] == [
        b,
        a,
        a,
        b,
    ]
    assert "parties" not in guest.get("permit", one.id)
    with pytest.raises(Invalid):
        guest.get("permit", one.id, "parties.title")


def test_a_deletion_is_refused_goes_along_or_empties(running: Running) -> None:
    boss = running.person("bea", "boss")
    a, b, c = made(boss, "a", "b", "c")
    ann, acme = boss.create("person", name="Ann").id, boss.create("firm", name="Acme").id
    one = boss.create("permit", name="One", districts=[a, b], parties=[ann, acme])
    two = boss.create("permit", name="Two", group=[c])
    with pytest.raises(Invalid, match=r"it is still used by 1 permit: “One” \(in Districts\)"):
        boss.delete("district", a)
    boss.delete("person", ann)
    assert ids(boss.get("permit", one.id)["parties"]) == [acme]
    entry = boss.history("permit", one.id)[0]
    assert (entry.version, [row["target"] for row in entry.fields["parties"][0] if "target" in row]) == (2, [ann])
    boss.restore("person", ann)
    assert ids(boss.get("permit", one.id)["parties"]) == [acme, ann]
    boss.delete("district", c)
    assert [row["name"] for row in boss.all("permit")] == ["One"]
    boss.restore("district", c)
    assert ids(boss.get("permit", two.id)["group"]) == [c]


def test_lists_of_links_are_exported_and_imported_by_key(running: Running, tmp_path: Path) -> None:
    boss = running.person("bea", "boss")
    a, b = made(boss, "a", "b")
    ann = boss.create("person", name="Ann").id
    boss.create("permit", name="One", districts=[b, a], parties=[ann])
    out = io.StringIO()
    export(boss.ctx, Export("permit", fields=("name", "districts", "parties")), out)
    assert out.getvalue() == f'name,districts,parties\r\nOne,"b, a",{ann}\r\n'
    lines = io.StringIO()
    export(boss.ctx, Export("permit", fields=("districts",), form="jsonl"), lines)
    assert json.loads(lines.getvalue()) == {"districts": ["b", "a"]}
    map_ = "import: permit\nkey: name\ncolumns: {name: name, districts: districts, parties: parties}\n"
    assert imported(boss, tmp_path, out.getvalue(), map_, entity="permit").unchanged == 1
    assert imported(boss, tmp_path, 'name,districts,parties\nTwo,"a, b",\n', map_, entity="permit").created == 1
    assert [ids(row["districts"]) for row in boss.all("permit", sort="name")] == [[b, a], [a, b]]
    wrong = imported(boss, tmp_path, "name,districts,parties\nTwo,zz,\n", map_, entity="permit")
    assert words(wrong) == ["row 2: districts: Districts: there is no such district “zz”"]


MISTAKES = {
    "{type: link, to: ward, many: true, default: x}": "XRM210 the default of 'links' must be an expression, such as =actor",
    "{type: link, to: ward, many: true, default: =actor}": "XRM309 gives link to user, but link to ward is wanted here",
    "{type: link, to: ward, many: true, filter: name > 3}": "XRM303 '>' does not go between text and int",
    "{type: link, to: ward, many: true, find: name == this.nothing}": "XRM302 'this' has no 'nothing'",
    "{type: link, to: ward, many: true, inverse: name}": "XRM204 'name' is on 'ward' already",
    "{type: link, to: ward, many: true, compute: '=1'}": "XRM244 a link to many has no 'compute'",
    "{type: link, to: ward, many: true, unique: true}": "XRM244 a link to many has no 'unique'",
    "{type: link, to: ward, many: true, index: true}": "XRM244 a link to many has no 'index'",
    "{type: link, to: ward, many: true, min: 3, max: 2}": "XRM206 'min' is more than 'max'",
    "{type: link, to: ward, many: true, min: =n}": "XRM235 the 'min' of rows is a number",
    "{type: link, to: ward, many: true, min: 1, on_delete: clear}": "XRM240 a deletion cannot clear this link: it must have some",
    "{type: link, to: ward, many: true, required: true, on_delete: clear}": "XRM240 a deletion cannot clear this link: it is required",
    "{type: link, to: nowhere, many: true}": "XRM203 unknown entity 'nowhere'",
    "{type: link, to: ward, min: 1}": "XRM244 'min' counts links, and this field has one",
    "{type: rows, fields: {a: {type: link, to: ward, many: true}}}": "XRM236 lists of links do not stand inside rows",
}


def test_mistakes_of_a_definition_are_told() -> None:
    for field, said in MISTAKES.items():
        text = f"entity: note\nfields:\n  n: integer\n  links: {field}\n"
        found = load_text({"xrm.yml": XRM, "entities/note.yml": text, "entities/ward.yml": "entity: ward\nfields: {name: text}\n"})
        assert said in [f"{problem.code} {problem.message}" for problem in found.problems]


def test_a_list_comes_goes_and_follows_new_names(application: Applications) -> None:
    access = "access: {agent: [read, create, update]}\n"
    ward = f"title: '{{name}}'\nfields: {{name: text}}\n{access}"
    old = {"ward": ward, "note": f"fields: {{name: text}}\n{access}"}
    new = {"ward": ward, "note": f"fields: {{name: text, wards: {{type: link, to: ward, many: true}}}}\n{access}"}
    field = "places: {type: link, to: area_of, many: true, renamed_from: wards}"
    later = {"area_of": f"renamed_from: ward\n{ward}", "memo": f"renamed_from: note\nfields: {{name: text, {field}}}\n{access}"}
    gone = {"area_of": ward, "memo": f"fields: {{name: text}}\n{access}"}
    running = application(old)
    running.person("ana", "agent").create("note", name="Zero")
    assert losses(running, new) == []
    apply_to(running.database, new)
    ana = application.opened(running.url).person("bo", "agent")
    north = ana.create("ward", name="North").id
    made = ana.create("note", name="One", wards=[north]).id
    assert losses(running, later) == []
    apply_to(running.database, later)
    ana = application.opened(running.url).person("cy", "agent")
    assert [row["target.title"] for row in ana.get("memo", made)["places"]] == ["North"]
    assert [row["target"] for row in ana.history("memo", made)[-1].fields["places"][1]] == [north]
    assert ana.update("memo", made, None, places=[ana.create("area_of", name="South").id, north])
    assert losses(running, gone) == ["2 rows of memo.places"]
    apply_to(running.database, gone)
    assert "places" not in application.opened(running.url).person("di", "agent").get("memo", made)


CITY = {
    "district": """
title: "{name}"
key: code
fields:
  code: {type: text, unique: true, required: true}
  name: text
  people: integer
  closed: boolean
  size: {compute: '=sum(permits.size)', discloses: true}
  busy: {compute: '=count(permits) > 1', discloses: true}
access: {boss: [read, create, update, delete], agent: {read: closed == null}}
""",
    "permit": """
title: "{name}"
fields:
  name: {type: text, unique: true}
  size: integer
  districts: {type: link, to: district, many: true, max: 4, inverse: permits, default: [a, b], filter: 'closed == null || this.size == 99'}
  near: {type: link, to: district, many: true, max: 3, find: 'people > this.size'}
  wards: {type: user, many: true, inverse: permits_of, default: =actor}
  lead: {type: text, show: 'districts.exists(d, d.people > 100)'}
  people: {compute: '=sum(districts.people)', discloses: true}
  most: {compute: '=coalesce(max(districts.people), 0) + count(districts)', type: integer, discloses: true}
checks: {few: {must: 'sum(districts.people) < 1000', message: Too many people}}
access: {boss: [read, create, update, delete], agent: {read: actor in wards, create: true, update: actor in wards}}
""",
}


def test_rules_rights_and_values_follow_a_list_of_links(application: Applications) -> None:
    """Defaults, filters and finds fill and bound it; what is computed over it, there and back, is right after every write."""
    running = application(CITY)
    boss, agent = running.person("bea", "boss"), running.person("al", "agent")
    a, b, c = (
        boss.create("district", code=code, name=code.title(), people=people).id for code, people in (("a", 5), ("b", 20), ("c", 500))
    )
    shut = boss.create("district", code="d", name="D", people=1, closed=True).id
    one = boss.create("permit", name="One", size=3).id

    def sums() -> list[tuple[Any, Any]]:
        return [(row["size"], row["busy"]) for row in boss.all("district", sort="code")][:3]

    def seen(*names: str) -> tuple[Any, ...]:
        row = boss.get("permit", one)
        return tuple(ids(row[name]) if isinstance(row[name], tuple) else row[name] for name in names)

    assert seen("districts", "near", "wards", "people", "most") == ([a, b], [a, b, c], [boss.id], 25, 22)
    assert sums() == [(3, False), (3, False), (0, False)]
    boss.update("district", b, None, people=30)
    assert (seen("people", "most"), boss.get("permit", one)["version"]) == ((35, 32), 1)
    two = boss.create("permit", name="Two", size=4, districts=[b], wards=[agent.id])
    assert [problem.message for problem in two.warnings] == []
    assert sums() == [(3, False), (7, True), (0, False)]
    boss.update("permit", one, None, size=7, districts=[c, b], lead="L")
    assert (seen("people", "most", "lead"), sums()) == ((530, 502, "L"), [(0, False), (11, True), (7, False)])
    boss.update("permit", one, None, districts=[b])
    assert seen("people", "most", "lead") == (30, 31, None)
    boss.delete("permit", two.id)
    assert sums()[1] == (7, False)
    boss.restore("permit", two.id)
    assert sums()[1] == (11, True)

    with pytest.raises(Invalid, match="Districts: one of these records cannot be chosen here"):
        boss.update("permit", one, None, districts=[a, shut])
    boss.update("permit", one, None, districts=[a, shut], size=99)
    boss.update("permit", one, None, districts=[shut, b], size=1)  # an old choice stays
    assert seen("districts", "people") == ([shut, b], 31)
    with pytest.raises(Invalid, match="Too many people"):
        boss.update("permit", one, None, districts=[c, *(boss.create("district", code="e", people=600).id,)])
    many = boss.create("permit", name="Three", size=0, districts=[])
    assert [(problem.code, problem.message) for problem in many.warnings] == [("XRM533", "Near was left empty: more than 3 records fit")]

    assert [row["name"] for row in agent.all("permit")] == ["Two"]
    agent.update("permit", two.id, None, name="Mine")
    with pytest.raises(Forbidden):
        agent.update("permit", two.id, None, wards=[boss.id])
    assert boss.count("permit", filter=f'"{agent.id}" in wards') == boss.count("permit", filter='wards.exists(w, w.name == "al")') == 1
    found = boss.all("user", filter="count(permits_of) > 1", fields=("name",))
    assert [row["name"] for row in found] == ["bea"]
    assert (agent.count("district", filter="count(permits) > 0"), boss.count("district", filter="count(permits) > 0")) == (1, 2)


QUESTIONS = [
    "count(links)", "sum(links.n)", "min(links.n)", "max(links.name)", "count(links.n)", "links.exists(l, l.n > 1)", "links.all(l, l.n > 1)",
    "sum(links.filter(l, l.on).n) + coalesce(n, 0)", "n in links.n", "links.exists(l, l.n == n && l.on)", "links.exists(l, l.boss.name == 'X')",
    "best in links", "best in links.filter(l, l.on)", "!(best in links) && links.all(l, l.on)", "count(any)", "any.exists(a, a.name == 'X')",
    "best in any", "any.exists(a, a.entity == 'firm' && a.n > 1)", "sum(any.filter(a, a.entity == 'item').n)", "max(any.n)",
]  # fmt: skip
HAVE = "title: '{name}'\nfields: {name: text, n: integer, on: boolean, boss: {type: link, to: item}}\naccess: {agent: [read, create, update]}\n"


def test_the_list_in_hand_and_the_stored_one_answer_alike(application: Applications) -> None:
    """Each question is a computed value (asked of what is being written) and a filter (asked of the tables), over random lists."""
    asked = [(f"q{n}", text) for n, text in enumerate(QUESTIONS)]
    computed = "".join(f'  {name}: {{compute: "={text}", discloses: true}}\n' for name, text in asked if "l.boss" not in text)
    fields = """  n: integer
  best: {type: link, to: item}
  links: {type: link, to: item, many: true}
  any: {type: link, to: [item, firm], many: true}
"""
    note = f"title: '{{n}}'\nfields:\n{fields}{computed}access: {{agent: [read, create, update]}}\n"
    running = application({"item": HAVE, "firm": HAVE, "note": note})
    ana, pick = running.person("ana", "agent"), random.Random(7)

    def made(entity: str) -> str:
        values = {"name": pick.choice(["X", "Y", None]), "n": pick.choice([None, 0, 1, 2, 9]), "on": pick.choice([None, True, False])}
        return ana.create(entity, **values).id

    items, firms = [made("item") for _ in range(6)], [made("firm") for _ in range(3)]

    def values() -> dict[str, Any]:
        both = [*items, *firms]
        return {
            "n": pick.choice([None, 1, 2]), "best": pick.choice([None, *items]),
            "links": pick.sample(items, pick.randrange(4)), "any": pick.sample(both, pick.randrange(4)),
        }  # fmt: skip

    notes = [ana.create("note", **values()).id for _ in range(12)]
    for id in notes[:6]:
        ana.update("note", id, None, **values())
    for id in pick.sample(items, 3):
        ana.update("item", id, None, n=pick.choice([None, 3]), on=pick.choice([True, None]))
    rows = {row["id"]: row for row in ana.all("note")}
    wrong = []
    for name, text in asked:
        if "l.boss" in text:
            assert ana.count("note", filter=text) == 0
            continue
        for value in {row[name] for row in rows.values()}:
            shown = "null" if value is None else json.dumps(value)
            found = {row["id"] for row in ana.all("note", filter=f"({text}) == {shown}")}
            wrong += [f"{text} == {shown}"] if found != {id for id, row in rows.items() if row[name] == value} else []
    assert wrong == []


def test_a_link_becomes_a_list_of_one(application: Applications) -> None:
    """Values, rights to delete and the history go on; a list is not made one link again by itself."""
    ward = f"title: '{{name}}'\nkey: name\nfields: {{name: {{type: text, unique: true, required: true}}}}\n{FREE}"
    old = {"ward": ward, "note": f"fields: {{name: text, ward: {{type: link, to: ward}}}}\n{FREE}"}
    field = "wards: {type: link, to: ward, many: true, renamed_from: ward}"
    new = {"ward": ward, "note": f"fields: {{name: text, {field}}}\n{FREE}"}
    running = application(old)
    ana = running.person("ana", "agent")
    north, south = (ana.create("ward", name=name).id for name in ("North", "South"))
    one, two = ana.create("note", name="One", ward=north).id, ana.create("note", name="Two").id
    ana.update("note", one, None, ward=south)
    assert losses(running, new) == []
    apply_to(running.database, new)
    bo = application.opened(running.url).person("bo", "agent")
    assert [ids(bo.get("note", id)["wards"]) for id in (one, two)] == [[south], []]
    told = bo.history("note", one)[0].fields["wards"]
    assert [[row["target"] for row in side] for side in told] == [[north], [south]]
    assert bo.update("note", one, None, wards=[north, south])
    assert [row["name"] for row in bo.all("note", filter=f'"{north}" in wards')] == ["One"]
    with pytest.raises(Invalid, match="still used"):
        bo.delete("ward", south)
    with pytest.raises(Invalid, match="cannot become a link to ward"):
        bootstrap.plan_of(running.database, loaded({**old, "note": old["note"].replace("ward: {", "wards: {")})[0])
