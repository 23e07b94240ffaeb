"""Lists of links on the pages: boxes to tick, names one a line, links to follow, the past and a conflict; all without script."""

import re
from html import unescape

from tests.support.application import Applications
from tests.web.city import City, form_in
from xrm.service import records

ROLES = "xrm: 1\nname: tiny\nlocale: en-US\nroles: {agent: Agent, supervisor: {includes: agent}, clerk: Clerk}\n"
WARD = 'title: "{name}"\nfields: {name: text, secret: boolean}\naccess: {agent: {read: secret == null, create: true}}\n'
TAG = 'title: "{name}"\nfields: {name: text}\naccess: {agent: [read, create]}\n'
PERMIT = """
title: "{name}"
fields:
  name: {type: text, required: true}
  wards: {type: link, to: ward, many: true, max: 4}
  tags: {type: link, to: tag, many: true}
access: {agent: [read, create, update]}
views: {default: {columns: [name, wards]}}
"""
FILES = {"xrm.yml": ROLES, "ward": WARD, "tag": TAG, "permit": PERMIT}


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_list_of_links_is_edited_without_script(application: Applications) -> None:
    city = City(application(FILES).service)
    ana = city.visitor("ana")
    north, south, east = (records.create(city.acting("ana"), "ward", {"name": name}).id for name in ("North", "South", "East"))
    hidden = records.create(city.system, "ward", {"name": "Hidden", "secret": True}).id
    tags = [records.create(city.acting("ana"), "tag", {"name": f"Tag {n:02}"}).id for n in range(32)]
    page = ana.get("/w/permit/new").text
    assert f'name="wards.{north}"' in page
    assert hidden not in page
    wrong = ana.submit(page, **{"name": "One", f"wards.{south}": "1", "tags": "Tag 31\nTag 07\nNone such"})
    assert wrong.status_code == 422
    assert "Tags: no record fits “None such”" in plain(wrong.text)
    assert "Tag 31\nTag 07\nNone such" in wrong.text
    saved = ana.submit(wrong.text, tags="Tag 31\nTag 07")
    assert saved.status_code == 303
    id = saved.headers["location"].partition("?")[0].rpartition("/")[2]
    page = ana.get(f"/w/permit/{id}/edit").text
    assert form_in(page)[1]["tags"].strip().splitlines() == ["Tag 31", "Tag 07"]
    assert ana.submit(page).status_code == 303
    assert city.get(id, "permit")["version"] == 1
    records.update(city.system, "permit", id, None, {"wards": [hidden, south]})
    page = ana.get(f"/w/permit/{id}/edit").text
    assert ana.submit(page, **{f"wards.{north}": "1"}).status_code == 303
    stands = [row["target"] for row in city.get(id, "permit")["wards"]]
    assert stands == [hidden, south, north]
    shown = ana.get(f"/w/permit/{id}").text
    assert f'<a href="/w/ward/{south}"><bdi>South</bdi></a>, <a href="/w/ward/{north}"><bdi>North</bdi></a>' in shown
    assert "Hidden" not in shown
    assert "South, North" in plain(ana.get("/w/permit").text).replace(" ,", ",")
    assert tags[7] in shown

    page = ana.get(f"/w/permit/{id}/edit").text
    records.update(city.system, "permit", id, None, {"wards": [hidden, east]})
    clash = ana.submit(page, tags="Tag 01", **{f"wards.{east}": "1"})
    assert clash.status_code == 412
    assert "South, North, East" in plain(clash.text)
    assert ana.submit(clash.text, keep__wards="yours").status_code == 303
    assert [row["target"] for row in city.get(id, "permit")["wards"]] == [hidden, south, north, east]
