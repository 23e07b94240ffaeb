"""How forms are laid out: the short one that makes a record, columns, the one for paper; and the brand."""

import re

import pytest

from tests.support.application import Applications, files_of
from tests.web.city import FILES, City
from xrm.source import load_text

PERMIT = """
entity: permit
title: "{name}"
fields:
  name: {type: text, required: true}
  street: {type: text, required: kind == "stall"}
  kind: {type: choice, options: [stall, works], default: works}
  note: long_text
  fee: {type: money, protected: true}
  lines: {type: rows, fields: {count: integer}}
  total: {compute: =sum(lines.count)}
  twice: {compute: =total * 2}
forms:
  default:
    - {section: What, fields: [name, kind], columns: 1}
    - {section: Rest, fields: [street, note, fee], columns: 2}
  new: [{section: Quickly, fields: [kind, name]}]
  print: [{section: The permit, fields: [name, note, fee]}]
access: {agent: {read: true, create: true, update: true}, supervisor: {sees: fee, edits: fee}}
"""
BRANDED = {**FILES, "entities/permit.yml": PERMIT, "xrm.yml": FILES["xrm.yml"] + "brand: '#7a1f5c'\n"}


@pytest.fixture
def city(application: Applications) -> City:
    return City(application(BRANDED).service)


def inputs(html: str) -> list[str]:
    return re.findall(r'id="f-([a-z]+)"', html)


def test_the_short_form_makes_a_record_with_its_own_fields(city: City) -> None:
    """And those that a rule may require; the rest is filled in when it is edited."""
    ana = city.visitor("ana")
    page = ana.get("/w/permit/new").text
    assert inputs(page) == ["kind", "name", "street"] and "Quickly" in page
    assert ana.fill("/w/permit/new", name="Fair", kind="stall").status_code == 422
    made = ana.fill("/w/permit/new", name="Fair", kind="stall", street="Oak St")
    assert made.status_code == 303, made.text
    record = city.get(made.headers["location"].split("/")[-1].split("?")[0], "permit")
    assert (record["name"], record["street"], record["note"]) == ("Fair", "Oak St", None)
    assert inputs(ana.get(f"/w/permit/{record['id']}/edit").text) == ["name", "kind", "street", "note", "lines"]


def test_a_section_says_how_many_fields_stand_beside_each_other(city: City) -> None:
    """Where it says nothing, as many as fit."""
    ana = city.visitor("ana")
    made = ana.fill("/w/permit/new", name="Fair")
    page = ana.get(made.headers["location"].split("?")[0] + "/edit").text
    assert re.findall(r'class="body cols([^"]*)"', page) == [" at-most-1", " at-most-2", ""]
    assert re.findall(r'class="body cols([^"]*)"', ana.get("/w/permit/new").text) == ["", ""]


def test_a_record_is_printed_as_its_form_for_paper_says(city: City) -> None:
    """With what these roles see; an entity without one has no such link, and prints as its page."""
    ana, sam = city.visitor("ana"), city.visitor("sam")
    here = ana.fill("/w/permit/new", name="Fair").headers["location"].split("?")[0]
    assert f'href="{here}/print"' in ana.get(here).text
    labels = [re.findall(r"<dt>(.*?)</dt>", who.get(f"{here}/print").text) for who in (ana, sam)]
    assert labels == [["Name", "Note"], ["Name", "Note", "Fee"]]
    request = f"/w/request/{city.request('Noise')}"
    assert "/print" not in ana.get(request).text and "Noise" in ana.get(f"{request}/print").text
    assert ana.get("/w/permit/00000000-0000-7000-8000-000000000000/print").status_code == 404


def test_the_pages_bear_the_brand(city: City) -> None:
    """In the one style sheet: nothing more is loaded, and nothing is inline."""
    ana = city.visitor("ana")
    sheet = re.search(r'href="(/static/xrm\.css[^"]*)"', ana.get("/w/permit").text)
    assert sheet is not None
    css = ana.get(sheet[1]).text
    assert "--brand: light-dark(#7a1f5c, " in css and "--brand-bar: #7a1f5c" in css


@pytest.mark.parametrize(
    ("forms", "code", "hint"),
    [
        ("{quick: [{section: A, fields: [name]}]}", "XRM203", "there are default, new, print"),
        ("{nwe: [{section: A, fields: [name]}]}", "XRM203", "did you mean 'new'?"),
        ("{new: [{section: A, fields: [name], show: name == null}]}", "XRM206", "write it there, or at the field"),
        ("{print: [{section: A, fields: name}, {section: B, fields: name}]}", "XRM204", "the other one is in line 3"),
        ("[{section: A, fields: [name], columns: 9}]", "XRM206", "for example: {section: Where, fields: [address, depth], columns: 2}"),
    ],
)
def test_slips_in_forms_are_told(forms: str, code: str, hint: str | None) -> None:
    """At their place, with a hint."""
    (problem,) = load_text(files_of({"note": f"fields: {{name: text}}\nforms: {forms}\n"})).problems
    assert problem.code == code and problem.place and problem.place.line == 3
    assert problem.hint == hint
