"""Rules in rows, as a form shows them: what applies, is required and can be chosen in each row; also in new rows, also without script."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.service.test_files import PDF
from tests.support.application import Applications, build
from tests.support.browser import axe
from tests.support.databases import SqliteDatabases
from tests.web.city import PASSWORD, City, form_in, served
from xrm import bootstrap
from xrm.service import records
from xrm.settings import Settings

ROLES = "xrm: 1\nname: tiny\nlocale: en-US\nroles: {agent: Agent, supervisor: {includes: agent}, clerk: Clerk}\n"
ARTICLE = 'title: "{name}"\nfields: {name: text, heavy: boolean, secret: {type: boolean, protected: true}}\naccess: {agent: [read, create], supervisor: {sees: secret, edits: secret}}\n'
ORDER = """
title: "{name}"
fields:
  name: {type: text, required: true}
  rush: boolean
  lines:
    type: rows
    fields:
      kind: {type: choice, options: {part: Part, work: Work, gift: {label: Gift, when: '!parent.rush'}}}
      hours: {type: decimal, places: 1, show: kind == "work", required: true}
      article: {type: link, to: article, show: kind == "part"}
      weight: {type: decimal, places: 1, required: article.heavy}
      reason: {type: text, required: parent.rush}
      veiled: {type: text, required: article.secret}
      proof: {type: file, accept: [pdf]}
      price: {type: decimal, places: 1, readonly: kind == "part"}
      grade: {type: choice, options: [a, b], readonly: kind == "part"}
      rate: {type: integer, default: 7, readonly: true}
access: {agent: [read, create, update]}
"""
FILES = {"xrm.yml": ROLES, "article": ARTICLE, "order": ORDER}
MIRROR = "/w/order/new/mirror"


def state(html: str, name: str) -> str:
    """The marks of an input's place in a page."""
    found = re.search(rf'<(?:div|fieldset) class="f[^>]*data-field="{re.escape(name)}"', html)
    assert found is not None, name
    return found[0]


def test_each_row_is_as_the_rules_are_in_it(application: Applications) -> None:
    """The server says it for what is typed, with the rights of who asks; it renders it so, and refuses what the rules refuse."""
    city = City(application(FILES).service)
    ana = city.visitor("ana")
    heavy, light = (
        records.create(city.system, "article", {"name": name, "heavy": name == "heavy", "secret": True}).id for name in ("heavy", "light")
    )
    sent = {"name": "A", "lines": "rows", "rush": "no", "lines.0.id": "", "lines.0.kind": "work", "lines.2.id": "", "lines.2.kind": "part"}
    sent |= {"lines.2.article": heavy, "lines.1.id": "", "lines.1.kind": ""}
    told = ana.post(MIRROR, sent).json()["fields"]
    assert [told[f"lines.{n}.hours"]["applies"] for n in range(3)] == [True, False, False]
    assert [told[f"lines.{n}.article"]["applies"] for n in range(3)] == [False, False, True]
    assert [told[f"lines.{n}.weight"]["must"] for n in range(3)] == [False, False, True]
    assert [told["lines.0.kind"]["closed"], told["lines.0.reason"]["must"], told["lines.2.veiled"]["must"]] == [[], False, False]
    fixed = [told[f"lines.{n}.price"]["fixed"] for n in range(3)]
    assert fixed == [False, False, True] and "lines.0.rate" not in told
    told = ana.post(MIRROR, sent | {"rush": "yes", "lines.2.article": light}).json()["fields"]
    assert [told["lines.0.kind"]["closed"], told["lines.0.reason"]["must"], told["lines.2.weight"]["must"]] == [["gift"], True, False]
    sam = city.visitor("sam").post(MIRROR, sent).json()["fields"]
    assert (sam["lines.2.veiled"]["must"], sam["lines.0.veiled"]["must"]) == (True, False)

    page = ana.fill("/w/order/new", name="One", rush="yes", do="lines.add").text
    assert page.count("Fill this in where it applies") == 1, "without script it is said once for the whole table"
    assert "data-out" in state(page, "lines.0.hours") and "data-asked" in state(page, "lines.0.kind")
    assert "data-must" in state(page, "lines.0.reason") and re.search(r'name="lines.0.reason"[^>]*aria-required="true"', page)
    assert re.search(r'<option value="gift" disabled>', page)
    page = ana.submit(page, lines__0__kind="work", do="lines.add").text
    assert ["data-out" in state(page, f"lines.{n}.hours") for n in (0, 1)] == [False, True]
    refused = ana.submit(page, lines__0__hours="2", lines__1__kind="part", lines__1__hours="9", lines__1__reason="r")
    assert refused.status_code == 422 and "Lines, row 1: Reason is required" in refused.text
    values = form_in(refused.text)[1]
    assert (values["lines.1.hours"], values["lines.1.kind"]) == ("9", "part"), "what does not apply stays while the form is wrong"
    assert ["data-out" in state(refused.text, f"lines.{n}.hours") for n in (0, 1)] == [False, True]
    saved = ana.submit(refused.text, lines__0__reason="r")
    assert saved.status_code == 303
    id = saved.headers["location"].partition("?")[0].rpartition("/")[2]
    assert [(row["kind"], str(row["hours"])) for row in city.get(id, "order")["lines"]] == [("work", "2.0"), ("part", "None")]
    edit = ana.get(f"/w/order/{id}/edit").text
    assert ["data-out" in state(edit, f"lines.{n}.hours") for n in (0, 1)] == [False, True]
    answer = ana.post(f"/w/order/{id}/edit/mirror", form_in(edit)[1] | {"lines.1.kind": "work"}).json()["fields"]
    assert [answer[f"lines.{n}.hours"]["applies"] for n in (0, 1)] == [True, True]


@pytest.fixture
def site(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[str]:
    service = bootstrap.open_service(Settings(tmp_path, sqlite_databases.fresh("web-row-mirror", build(FILES)), tmp_path / "key", 4))
    with closing(service.database):
        city = City(service)
        city.acting("ana")
        with served(city.app) as address:
            yield address


def test_rows_follow_what_is_typed_in_place(page: Page, site: str) -> None:
    """Inputs come and go in their row, new rows too, by what stands in the row and in the record; a file that was chosen stays."""
    page.goto(f"{site}/w/sign-in")
    page.fill("#name", "ana")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{site}/w/")
    page.goto(f"{site}/w/order/new")
    page.fill("#f-name", "A")
    page.click("#f-lines-add")
    kind, hours = page.locator("[id='f-lines.0.kind']"), page.locator("[id='f-lines.0.hours']")
    expect(kind).to_be_focused()
    expect(hours).to_be_hidden()
    price, grade = page.locator("[id='f-lines.0.price']"), page.locator("[id='f-lines.0.grade']")
    price.fill("4")
    kind.select_option("part")
    expect(price).not_to_be_editable()
    expect(grade.locator("option[value=a]")).to_be_disabled()
    kind.select_option("work")
    expect(hours).to_be_visible()
    expect(price).to_be_editable()
    price.fill("")
    expect(grade.locator("option[value=a]")).to_be_enabled()
    hours.fill("3")
    page.set_input_files("[id='f-lines.0.proof-new']", files=[{"name": "p.pdf", "mimeType": "application/pdf", "buffer": PDF}])
    page.click("#f-lines-add")
    expect(page.locator("[id='f-lines.1.kind']")).to_be_focused()
    expect(page.locator("[id='f-lines.1.hours']")).to_be_hidden()
    expect(hours).to_be_visible()
    expect(page.locator("#f-lines")).to_contain_text("p.pdf")
    page.check("[name=rush][value=yes]")
    reason = page.locator("[id='f-lines.1.reason']")
    expect(reason).to_have_attribute("aria-required", "true")
    assert axe(page) == []
    page.set_viewport_size({"width": 320, "height": 2400})  # so high that the navigation at its foot covers no input
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    kind.select_option("part")
    expect(hours).to_be_hidden()
    expect(page.locator("[id='f-lines.0.article']")).to_be_visible()
    page.fill("[id='f-lines.0.reason']", "x")
    page.locator("#f-lines-remove-1").click()
    expect(page.locator("#f-lines-remove-0")).to_be_focused()
    page.click("button.primary")
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator("table.rows")).to_contain_text("p.pdf")
    expect(page.locator("table.rows")).to_contain_text("7")
