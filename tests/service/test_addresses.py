"""Addresses: one value with parts, that expressions, lists, REST, imports and forms name."""

import re

from tests.support.application import Applications, files_of
from tests.web.city import City
from tests.web.test_pages import words
from xrm import source

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
