"""A form shows what the rules say of what stands in it, asks the server, and decides nothing itself."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.application import Applications, build
from tests.support.databases import SqliteDatabases
from tests.web.city import FILES, PASSWORD, City, form_in, served
from tests.web.test_pages import words
from xrm import bootstrap
from xrm.service import records
from xrm.settings import Settings

PIT = {
    "entities/place.yml": """
entity: place
title: "{name}"
fields:
  name: text
  deep: boolean
  secret: {type: boolean, protected: true}
access: {agent: {read: name != "closed", create: true}, supervisor: {sees: secret, edits: secret}}
""",
    "entities/pit.yml": """
entity: pit
title: "{name}"
fields:
  name: {type: text, required: true}
  kind: {type: choice, options: {hole: Hole, tree: Tree, leak: {label: Leak, when: place.deep}}}
  place: {type: link, to: place}
  depth: {type: integer, show: kind == "hole", required: place.deep}
  twice: {type: integer, compute: =depth * 2, label: Twice as deep}
  secret: {type: boolean, protected: true}
  veiled: {type: text, required: secret}
  short: {type: text, default: '=name + "!"'}
  reason: {type: text, recommended: kind == "tree", readonly: short == "x"}
  far: {type: text, show: kind == "tree"}
checks: {deep: {should: depth > 3, message: 'Only {depth} deep', field: depth, when: depth != null}}
forms:
  - {section: What, fields: [name, kind, place, depth, veiled, short, reason]}
  - {section: Far, fields: [far]}
lifecycle:
  states: {new: {initial: true}, done: {final: true}}
  transitions: {finish: {from: new, to: done, ask: {reason: {required: kind == "tree"}, short: {show: kind == "hole", required: false}}}}
access: {agent: {read: true, create: true, update: true}, supervisor: {sees: secret, edits: secret}}
""",
}
TEXTS = {**FILES, **PIT}


@pytest.fixture
def city(application: Applications) -> City:
    return City(application(TEXTS).service)


def test_the_server_says_what_a_form_shows_and_writes_nothing(city: City) -> None:
    """Fields that apply, are required or fixed, options, computed values, defaults; with the rights of who asks."""
    ana = city.visitor("ana")
    deep, closed = (records.create(city.system, "place", {"name": name, "deep": True}).id for name in ("pit", "closed"))
    sent = {"name": "A", "kind": "hole", "place": deep, "depth": "4", "short": "", "reason": ""}
    told = ana.post("/w/pit/new/mirror", sent).json()
    fields = told["fields"]
    assert "secret" not in fields
    assert fields["depth"] == {"applies": True, "must": True, "fixed": False, "closed": []}
    assert (fields["far"]["applies"], told["computed"], told["defaults"]) == (False, {"twice": "8"}, {"short": "A!"})
    assert fields["kind"]["closed"] == []
    told = ana.post("/w/pit/new/mirror", sent | {"kind": "tree", "short": "x", "depth": "many"}).json()
    assert [told["fields"][name]["applies"] for name in ("depth", "far")] == [False, True]
    assert told["fields"]["reason"]["fixed"] and told["computed"] == {"twice": ""}
    # what lies beyond a link to a record that this person may not see is unknown
    told = ana.post("/w/pit/new/mirror", sent | {"place": closed}).json()
    assert (told["fields"]["depth"]["must"], told["fields"]["kind"]["closed"]) == (False, ["leak"])
    # nor does a form answer questions about fields that are hidden, whatever is sent for them
    assert [ana.post("/w/pit/new/mirror", sent | {"secret": value}).json()["fields"]["veiled"]["must"] for value in ("yes", "no")] == [
        False
    ] * 2
    sam = city.visitor("sam")
    assert sam.post("/w/pit/new/mirror", sent | {"secret": "yes"}).json()["fields"]["veiled"]["must"]
    assert city.visitor("cleo").post("/w/pit/new/mirror", sent).status_code in (403, 404)
    assert ana.post("/w/pit/nothing/edit/mirror", sent).status_code == 404
    assert "0 " in words(ana.get("/w/pit").text) or "No " in words(ana.get("/w/pit").text)


def test_without_script_every_field_is_there_and_the_server_decides(city: City) -> None:
    """A refused form keeps all that was typed, also in fields that do not apply; a saved one leaves those out and says what to look at."""
    ana = city.visitor("ana")
    page = ana.get("/w/pit/new").text
    assert page.count("Fill this in where it applies") == 2 and 'data-field="depth"' in page
    refused = ana.submit(page, kind="tree", depth="1", far="away")
    assert refused.status_code == 422
    assert {"depth": "1", "far": "away", "kind": "tree"}.items() <= form_in(refused.text)[1].items()
    saved = ana.submit(refused.text, name="A")
    assert saved.status_code == 303
    shown = ana.get(saved.headers["location"]).text
    assert "Created, with 1 warning." in words(shown) and "Reason should be given" in words(shown)
    assert "Depth" not in words(shown).partition("Details")[2].partition("History")[0]
    id = saved.headers["location"].partition("?")[0].rpartition("/")[2]
    assert (city.get(id, "pit")["depth"], city.get(id, "pit")["far"]) == (None, "away")
    ana.fill(f"/w/pit/{id}/edit", kind="hole", depth="2")
    text = words(ana.get(f"/w/pit/{id}").text)
    assert "Only 2 deep" in text and "should be given" not in text
    assert "changed 0 fields" not in text


def test_a_move_on_a_record_that_changed_meanwhile_keeps_what_was_typed(city: City) -> None:
    """The conflict page of an edit, field by field; choosing makes the move."""
    ana, bo = city.visitor("ana"), city.visitor("bo")
    id = records.create(city.acting("ana"), "pit", {"name": "A", "kind": "tree"}).id
    form = ana.get(f"/w/pit/{id}/move/finish").text
    assert "(optional)" not in form.partition('data-field="reason"')[2].partition("</label>")[0]
    assert ana.submit(form).status_code == 422
    bo.fill(f"/w/pit/{id}/edit", reason="Bo's")
    answer = ana.submit(form, reason="Ana's")
    assert answer.status_code == 412
    assert all(said in words(answer.text) for said in ("Bo's", "Ana's", "Choose what to keep"))
    assert ana.submit(answer.text, keep__reason="yours").status_code == 303
    record = city.get(id, "pit")
    assert (record["state"], record["reason"]) == ("done", "Ana's")


@pytest.fixture
def site(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[tuple[str, City]]:
    service = bootstrap.open_service(Settings(tmp_path, sqlite_databases.fresh("web-mirror", build(TEXTS)), tmp_path / "key", 4))
    with closing(service.database):
        city = City(service)
        with served(city.app) as address:
            yield address, city


def test_a_form_follows_what_is_typed_in_place(page: Page, site: tuple[str, City]) -> None:
    """Fields come and go, defaults and computed values follow, what was typed and the focus stay."""
    address, city = site
    city.acting("ana")
    page.goto(f"{address}/w/sign-in")
    page.fill("#name", "ana")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/w/")
    page.goto(f"{address}/w/pit/new")
    expect(page.locator("#f-depth")).to_be_hidden()
    page.fill("#f-name", "A")
    page.select_option("#f-kind", "hole")
    expect(page.locator("#f-depth")).to_be_visible()
    expect(page.locator("#f-short")).to_have_value("A!")
    page.fill("#f-depth", "21")
    page.locator("#f-reason").focus()
    expect(page.locator("[data-computed=twice]")).to_have_text("42")
    expect(page.locator("#f-reason")).to_be_focused()
    expect(page.locator("#f-far")).to_be_hidden()
    page.select_option("#f-kind", "tree")
    expect(page.locator("#f-far")).to_be_visible()
    expect(page.locator("#f-depth")).to_be_hidden()
    page.select_option("#f-kind", "hole")
    expect(page.locator("#f-depth")).to_be_visible()
    expect(page.locator("#f-depth")).to_have_value("21")
    expect(page.locator("[data-computed=twice]")).to_have_text("42")
    page.click("button.primary")
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator("h1")).to_have_text("A")
