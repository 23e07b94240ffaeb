"""Rows on the pages: a table of inputs that works without script, in place with it; on a record's page, in its past, in a conflict."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.application import Applications, build
from tests.support.browser import axe
from tests.support.databases import SqliteDatabases
from tests.web.city import PASSWORD, City, form_in, served
from xrm import bootstrap
from xrm.service import records
from xrm.settings import Settings
from xrm.web.row_merging import merged

ROLES = "xrm: 1\nname: tiny\nlocale: en-US\nroles: {agent: Agent, supervisor: {includes: agent}, clerk: Clerk}\n"
ITEM = 'title: "{name}"\nfields: {name: text}\naccess: {agent: [read, create]}\n'
ORDER = """
title: "{name}"
fields:
  name: {type: text, required: true}
  lines:
    type: rows
    max: 5
    fields:
      item: {type: text, required: true}
      article: {type: link, to: item}
      amount: {type: money, min: 0}
      kind: {type: choice, options: {part: Part, work: Work}, default: part}
      tags: {type: choice, options: [red, blue], many: true}
      done: boolean
      total: {type: money, compute: =amount * 2}
access: {agent: [read, create, update]}
views: {default: {columns: [name, lines]}}
"""
FILES = {"xrm.yml": ROLES, "item": ITEM, "order": ORDER}
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_table_of_rows_works_without_script(application: Applications) -> None:
    """Add, move, remove and save are buttons of the form; what was typed stays; untouched new rows are left out."""
    city = City(application(FILES).service)
    ana = city.visitor("ana")
    bolt = records.create(city.acting("ana"), "item", {"name": "Bolt"}).id
    page = ana.fill("/w/order/new", name="One", do="lines.add").text
    assert re.search(r'<input[^>]*id="f-lines.0.item"[^>]*autofocus', page)
    page = ana.submit(page, lines__0__item="Bolts", lines__0__article=bolt, lines__0__amount="2.50", do="lines.add").text
    page = ana.submit(page, lines__1__item="Paint", lines__1__tags__red="1", do="lines.up.1").text
    values = form_in(page)[1]
    assert (values["name"], values["lines.0.item"], values["lines.1.item"], values["lines.1.article"]) == ("One", "Paint", "Bolts", bolt)
    assert re.search(r'<button[^>]*id="f-lines-down-0"[^>]*autofocus', page)
    page = ana.submit(page, do="lines.add").text
    wrong = ana.submit(page, lines__0__amount="-1")
    assert wrong.status_code == 422
    assert '<a href="#f-lines.0.amount">' in wrong.text
    assert "Lines, row 1: Amount must be 0.00 or more" in plain(wrong.text)
    saved = ana.submit(wrong.text, lines__0__amount="1")
    assert saved.status_code == 303
    id = saved.headers["location"].partition("?")[0].rpartition("/")[2]
    rows = city.get(id, "order")["lines"]
    assert [(row["item"], row["article"], str(row["amount"]), row["kind"], row["tags"]) for row in rows] == [
        ("Paint", None, "1.00", "part", ("red",)), ("Bolts", bolt, "2.50", "part", None)
    ]  # fmt: skip
    first, second = (row["id"] for row in rows)
    assert ana.fill(f"/w/order/{id}/edit").status_code == 303
    assert city.get(id, "order")["version"] == 1
    assert "Total , row 1 $2.00" in plain(ana.get(f"/w/order/{id}/edit").text), "what is computed is shown beside the inputs"
    page = ana.fill(f"/w/order/{id}/edit", do="lines.remove.0").text
    assert "Total , row 1 $5.00" in plain(page)
    assert ana.submit(page, lines__0__amount="3", lines__0__done="yes").status_code == 303
    shown = plain(ana.get(f"/w/order/{id}").text)
    assert "Item Article Amount Kind Tags Done Total Bolts Bolt $3.00 Part Not given Yes $6.00" in shown
    assert "Lines, row 1 Item: Paint, Amount: $1.00, Kind: Part, Tags: Red, Total: $2.00 became empty" in shown
    assert "Lines, row 1: Amount $2.50 became $3.00" in shown
    assert [row["id"] for row in city.get(id, "order")["lines"]] == [second] != [first]
    assert "1 row" in ana.get("/w/order").text
    many = {f"lines.{n}.{name}": "x" for n in range(300) for name in ("id", "item")}
    answer = ana.post("/w/order/new", {"name": "Many", "lines": "", **many})
    assert answer.status_code != 400, "a table may have more inputs than the rest of a form"
    assert ana.post("/w/item/new", {"name": "Many", **many}).status_code == 400


def test_two_who_change_rows_choose_between_them(application: Applications) -> None:
    """Before, mine and theirs stand side by side row by row; what is chosen is saved, and rows stay the rows they were."""
    city = City(application(FILES).service)
    ana = city.visitor("ana")
    made = records.create(city.acting("ana"), "order", {"name": "One", "lines": [{"item": "Bolts"}, {"item": "Paint"}]})
    page = ana.get(f"/w/order/{made.id}/edit").text
    first, second = (row["id"] for row in city.get(made.id, "order")["lines"])
    records.update(city.acting("bo"), "order", made.id, None, {"lines": [{"id": second, "amount": 7}, {"id": first, "item": "Screws"}]})
    clash = ana.submit(page, lines__0__item="Nuts")
    assert clash.status_code == 412
    shown = plain(clash.text)
    assert "Before: 1. Item: Bolts, Kind: Part 2. Item: Paint, Kind: Part" in shown
    assert "Yours 1. Item: Nuts, Kind: Part 2. Item: Paint, Kind: Part" in shown
    assert "Bo Second 1. Item: Paint, Amount: $7.00, Kind: Part 2. Item: Screws, Kind: Part" in shown
    assert ana.submit(clash.text, keep__lines="yours").status_code == 303
    assert [(row["id"], row["item"]) for row in city.get(made.id, "order")["lines"]] == [(first, "Nuts"), (second, "Paint")]


def test_two_who_change_different_rows_do_not_clash(application: Applications) -> None:
    """Each change is kept: rows moved, fields of the same row, new rows."""
    city = City(application(FILES).service)
    ana = city.visitor("ana")
    lines = [{"item": "Bolts"}, {"item": "Paint"}, {"item": "Wood"}]
    made = records.create(city.acting("ana"), "order", {"name": "One", "lines": lines})
    page = ana.get(f"/w/order/{made.id}/edit").text
    one, two, three = ({"id": row["id"]} for row in city.get(made.id, "order")["lines"])
    theirs = [three, {**one, "amount": 7}, {"item": "Glue"}, two]
    records.update(city.acting("bo"), "order", made.id, None, {"lines": theirs})
    answer = ana.submit(page, lines__0__item="Nuts", lines__2__done="yes")
    assert answer.status_code == 412
    assert "Your changes touch other fields, so they can be saved as they are." in plain(answer.text)
    assert ana.submit(answer.text).status_code == 303
    rows = city.get(made.id, "order")["lines"]
    assert [(row["item"], str(row["amount"] or ""), row["done"]) for row in rows] == [
        ("Wood", "", True), ("Nuts", "7.00", None), ("Glue", "", None), ("Paint", "", None)
    ]  # fmt: skip
    assert [rows[place]["id"] for place in (0, 1, 3)] == [three["id"], one["id"], two["id"]]


def row(text: str) -> dict[str, str]:
    id, _, item = text.partition(":")
    return {"id": id, "item": item}


MERGED: list[tuple[str, str, str, str | None]] = [
    ("1:a 2:b", "1:a 2:c", "1:d 2:b", "1:d 2:c"),
    ("1:a 2:b", "1:c 2:b", "1:d 2:b", None),
    ("1:a 2:b", "1:c 2:b", "1:c 2:b", "1:c 2:b"),
    ("1:a 2:b", "1:a", "1:d 2:b", "1:d"),
    ("1:a 2:b", "1:a", "1:a 2:d", None),
    ("1:a 2:b", "1:a 2:d", "1:a", None),
    ("1:a 2:b", "2:b 1:a 3:c", "1:a :x 2:b :y :y", "2:b :y :y 1:a :x 3:c"),
    ("1:a 2:b 4:d", "1:a 2:b 3:c 4:e", "4:d 2:b 1:a", "4:e 2:b 3:c 1:a"),
    ("1:a", "", ":x", ":x"),
]
"""Rows as they were, theirs, mine, and with both; None: they clash."""


def test_rows_are_merged_by_their_ids() -> None:
    for texts in MERGED:
        base, theirs, mine = ([row(one) for one in (text or "").split()] for text in texts[:3])
        expected = None if texts[3] is None else [row(one) for one in texts[3].split()]
        assert merged(base, theirs, mine) == expected, texts


@pytest.fixture
def enter(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[Callable[[Page], str]]:
    """Signs in; the address of an order's form with two rows."""
    service = bootstrap.open_service(Settings(tmp_path, sqlite_databases.fresh("web-rows", build(FILES)), tmp_path / "key", 4))
    with closing(service.database):
        city = City(service)
        made = records.create(city.acting("ana"), "order", {"name": "One", "lines": [{"item": "Bolts", "amount": 2}, {"item": "Paint"}]})
        with served(city.app) as address:

            def signed_in(page: Page) -> str:
                page.goto(f"{address}/w/sign-in")
                page.fill("#name", "ana")
                page.fill("#password", PASSWORD)
                page.click("button[type=submit]")
                page.wait_for_url(f"{address}/w/")
                return f"{address}/w/order/{made.id}"

            yield signed_in


def test_a_table_of_rows_changes_in_place(new_page: Callable[..., Page], enter: Callable[[Page], str]) -> None:
    """With script nothing else on the page is touched, the focus goes where the work is, and the keyboard does it all."""
    page = new_page(viewport={"width": 1280, "height": 900})
    record = enter(page)
    page.goto(f"{record}/edit")
    page.fill("#f-name", "Two")
    page.click("#f-lines-add")
    third = page.locator("[id='f-lines.2.item']")
    expect(third).to_be_focused()
    third.fill("Wood")
    page.locator("#f-lines-up-2").focus()
    expect(page.locator("#f-lines-up-2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#f-lines-up-1")).to_be_focused()
    expect(page.locator("[id='f-lines.1.item']")).to_have_value("Wood")
    expect(page.locator("#f-name")).to_have_value("Two")
    assert axe(page) == []
    page.locator("[id='f-lines.1.item']").focus()
    expect(page.locator("[id='f-lines.1.item']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(record) + r"(\?done=saved)?$"))
    expect(page.locator("table.rows tbody tr")).to_have_count(3)
    assert axe(page) == []
    page.set_viewport_size({"width": 320, "height": 2400})  # so high that the navigation at its foot covers no input
    assert not page.evaluate(SIDEWAYS)
    page.goto(f"{record}/edit")
    assert not page.evaluate(SIDEWAYS)
    assert axe(page) == []
