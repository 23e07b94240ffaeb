"""Addresses: one value with parts, that expressions, lists, REST, imports and forms name."""

import re
from pathlib import Path

import pytest

from tests.support.application import Applications, apply_to, files_of, loaded
from tests.transfer.samples import imported
from tests.transfer.samples import words as words_of
from tests.web.city import City
from tests.web.test_pages import words
from xrm import bootstrap, source
from xrm.errors import Invalid

PERSON = """
title: "{name}"
fields:
  name: text
  home: {type: address, label: Home, required: name != "hermit", renamed_from: []}
  friend: {type: link, to: person}
  near: {compute: '=home.city == friend.home.city'}
  zip: {compute: =home.postcode}
  moves: {type: rows, fields: {until: integer, where: address}}
  visited: {type: boolean, compute: '=moves.exists(m, m.where.city == home.city)'}
views: {towns: {columns: [name, home.city, home, friend.home.postcode], sort: [home.city, name], filter: home.country == "US"}}
access: {agent: [read, create, update, delete]}
"""
LA = {"street": "200  N Spring St", "postcode": "90012", "city": "Los Angeles", "region": "CA", "country": "us"}
KEPT = {"street": "200 N Spring St", "postcode": "90012", "city": "Los Angeles", "region": "CA", "country": "US"}
SLO = {"street": "990 Palm St", "unit": "", "city": "San Luis Obispo", "country": "US"}


def test_an_address_is_one_value_with_parts(application: Applications) -> None:
    text = PERSON.replace(", renamed_from: []", "")
    running = application({"person": text})
    ana = running.person("zoe", "agent")
    one = ana.create("person", name="One", home=LA, moves=[{"until": 1990, "where": SLO}, {"until": 2001, "where": LA}]).id
    two = ana.create("person", name="Two", home=SLO, friend=one).id
    hermit = ana.create("person", name="hermit", home={"city": "  "}).id
    row = ana.get("person", one)
    assert (row["home"], row["zip"], row["visited"], row["moves"][1]["where"]) == (KEPT, "90012", True, KEPT)
    assert ana.get("person", two)["near"] is False and ana.get("person", hermit)["home"] is None
    cases = {
        'home.city == "Los Angeles"': {"One"}, "home.postcode == null": {"Two", "hermit"}, "home == null": {"hermit"}, "near": {"hermit"},
        'home.city.startsWith("San")': {"Two"}, 'friend.home.postcode == "90012"': {"Two"}, 'home.city in ["Los Angeles", "x"]': {"One"},
        'moves.exists(m, m.where.country == "US")': {"One"},
    }  # fmt: skip
    for condition, wanted in cases.items():
        assert {row["name"] for row in ana.all("person", fields=("name",), filter=condition)} == wanted, condition
    ana.update("person", two, None, home={**SLO, "city": "Los Angeles"})
    assert ana.get("person", two)["near"] is True

    api = ana.api
    found = api.get("/api/person", view="towns", fields="name,home.city,friend.home.postcode").json
    shown = next(part for part in found.values() if isinstance(part, list))
    assert [(r["name"], r["home"]["city"], (r["friend"] or {}).get("home")) for r in shown] == [
        ("One", "Los Angeles", None),
        ("Two", "Los Angeles", KEPT),
    ], shown
    assert [r["name"] for r in ana.all("person", fields=("name",), sort="-home.postcode")] == ["One", "hermit", "Two"]
    for wrong, said in (
        ({"town": "x"}, "no part"),
        ({"country": "USA"}, "two letters"),
        ("Main St", "address"),
        ({"city": "x" * 256}, "255"),
    ):
        answer = api.post("/api/person", {"name": "Three", "home": wrong})
        assert answer.status == 422 and said in str(answer.json), answer.json
    assert api.post("/api/person", {"name": "Three"}).status == 422  # required: the whole
    history = ana.history("person", two)
    assert "Los Angeles" in str(history)
    page = City(running.service).visitor("ana")
    form = page.get(f"/w/person/{one}/edit").text
    assert 'name="home.postcode" type="text" value="90012"' in form and 'autocomplete="postal-code"' in form
    saved = page.submit(form, **{"home.city": "Ojai", "home.country": "us"})
    assert saved.status_code == 303 and ana.get("person", one)["home"] == {**KEPT, "city": "Ojai"}
    assert "200 N Spring St , 90012 Ojai, CA , US" in words(page.get("/w/person?view=towns").text)
    assert page.submit(page.get(f"/w/person/{one}/edit").text, **{"home.country": "Germany"}).status_code == 422
    ana.update("person", one, None, home=LA)
    assert running.rows("SELECT home_city FROM person WHERE name = 'One'") == [("Los Angeles",)]


def test_what_an_address_is_not() -> None:
    text = PERSON.replace("name: text", "name: text\n  home_city: text").replace(
        "zip: {compute: =home.postcode}", "zip: {compute: =home.zip}"
    )
    found = source.load_text(files_of({"person": text.replace(", renamed_from: []", "")}), {})
    said = {problem.code: problem.message for problem in found.problems if problem.severity == "error"}
    assert re.search("home_city", said["XRM205"]) and "'home' has no 'zip'" in str(said), said


HOUSE = """
title: "{name} {town}"
fields:
  name: {type: text, unique: true}
  {home}: {type: address{renamed}}
  town: {compute: ={home}.city}
  voter: {type: text, show: '{home}.country == "US"'}
  sealed: {type: text, readonly: '{home}.region == "CA"'}
  stays: {type: rows, fields: {{where}: {type: address{inside}}}}
views: {default: {columns: [name, {home}.city]}}
access: {agent: [read, create, update]}
"""


def house(**words: str) -> str:
    text = HOUSE
    for name, word in {"home": "home", "where": "where", "renamed": "", "inside": "", **words}.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def test_rules_search_files_and_new_names_know_the_parts(application: Applications, tmp_path: Path) -> None:
    """A rule reads a part, a title and a search find it by a computed field, a column fills it, and a new name keeps them all."""
    running = application({"house": house()})
    ana = running.person("ana", "agent")
    one = ana.create("house", name="One", home=LA, voter="CA", stays=[{"where": SLO}]).id
    assert ana.get("house", one)["title"] == "One Los Angeles"
    assert [row["name"] for row in ana.all("house", search="los ang")] == ["One"]
    with pytest.raises(Invalid, match="may not be changed"):
        ana.update("house", one, None, sealed="x")
    ana.update("house", one, None, home={**LA, "region": "NY"}, sealed="x")
    ana.update("house", one, None, home={"city": "Ghent", "country": "BE"})
    assert (ana.get("house", one)["voter"], ana.get("house", one)["sealed"]) == (None, "x")
    map_ = "import: house\nkey: name\ncolumns: {name: name, c: home.city, p: home.postcode}\n"
    assert words_of(imported(ana, tmp_path, "name,c,p\nTwo,Ojai,00930\nThree,,\n", map_, entity="house")) == []
    homes = {row["name"]: row["home"] for row in ana.all("house")}
    assert homes == {"One": {"city": "Ghent", "country": "BE"}, "Two": {"city": "Ojai", "postcode": "00930"}, "Three": None}
    ana.update("house", one, None, home=LA)

    later = house(home="lives", where="at", renamed=", renamed_from: home", inside=", renamed_from: where")
    plan = bootstrap.plan_of(running.database, loaded({"house": later})[0])
    assert [step.loses for step in plan.steps if step.loses] == []
    apply_to(running.database, {"house": later})
    bo = application.opened(running.url).person("bo", "agent")
    found = {row["name"]: row for row in bo.all("house")}
    assert (found["One"]["lives"], found["Two"]["lives"]) == (KEPT, {"city": "Ojai", "postcode": "00930"})
    assert found["One"]["stays"][0]["at"]["city"] == "San Luis Obispo"
    assert [row["name"] for row in bo.all("house", filter='lives.postcode == "90012" && stays.exists(s, s.at.country == "US")')] == ["One"]
    assert bo.history("house", one)[0].fields["lives"][1]["city"] == "Los Angeles"
    assert running.rows("SELECT lives_city, lives_postcode FROM house WHERE name = 'Two'") == [("Ojai", "00930")]
