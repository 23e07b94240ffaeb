"""A link that several entities share makes one collection: the records of all of them, under the policy of each."""

from decimal import Decimal

import pytest

from tests.support.application import Applications, Person, Running
from xrm.errors import Invalid

OFFICE = """fields:
  name: {type: text, required: true}
  many: {compute: =count(cases), index: true}
  cost: {compute: =sum(cases.cost)}
  dear: {compute: '=cases.exists(c, c.cost > 100)'}
  done: {compute: '=cases.all(c, c.done)'}
  least: {compute: =min(cases.name)}
  fines: {compute: '=count(cases.filter(c, c.entity == "fine"))'}
  spread: {type: decimal, places: 2, compute: '=coalesce(max(cases.cost), 0) - coalesce(min(cases.cost), 0)'}
views:
  default: {columns: [name, cases, cost], sort: -cost}
"""
CASE = """abstract: true
title: "{name}"
fields:
  name: {type: text, required: true}
  office: {type: link, to: office, inverse: cases}
  cost: {type: decimal, places: 2}
  done: boolean
access: {agent: [read, create, update, delete]}
"""
TEXTS = {
    "office": OFFICE + "access: {agent: [read, create, update, delete]}\n",
    "case": CASE,
    "fine": "extends: case\nfields: {payer: text}\n",
    "permit": "extends: case\nfields: {until: date}\n",
}


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


def test_one_collection_of_the_records_of_both(running: Running) -> None:
    """Kept right through creates, changes, moves, deletions and restores; asked in lists and by a person's own questions."""
    ana = running.person("ana", "agent")
    a, b = (ana.create("office", name=name).id for name in "ab")

    def values(office: str, *names: str) -> tuple[object, ...]:
        record = ana.get("office", office)
        return tuple(record[name] for name in names)

    shown = ("many", "cost", "dear", "done", "least", "fines", "spread")
    assert values(a, *shown) == (0, Decimal(0), False, True, None, 0, Decimal(0))
    fine = ana.create("fine", name="f", office=a, cost="150.00", done=True).id
    permit = ana.create("permit", name="d", office=a, cost="20.50").id
    assert values(a, *shown) == (2, Decimal("170.50"), True, False, "d", 1, Decimal("129.50"))
    ana.update("permit", permit, None, done=True, cost="30")
    ana.create("permit", name="e", office=b, cost="500")
    assert values(a, *shown) == (2, Decimal(180), True, True, "d", 1, Decimal(120))
    ana.update("fine", fine, None, office=b)
    assert values(a, *shown) == (1, Decimal(30), False, True, "d", 0, Decimal(0))
    assert values(b, *shown) == (2, Decimal(650), True, False, "e", 1, Decimal(350))
    ana.delete("permit", permit)
    assert values(a, *shown) == (0, Decimal(0), False, True, None, 0, Decimal(0))
    ana.restore("permit", permit)
    assert values(a, *shown) == (1, Decimal(30), False, True, "d", 0, Decimal(0))
    listed = [(row["name"], row["cases"]) for row in ana.all("office", fields=("name", "cases"), view="default")]
    assert listed == [("b", 2), ("a", 1)]
    assert [row["name"] for row in ana.all("office", fields=("name", "cases"), sort="cases")] == ["a", "b"]
    asked = {
        "count(cases) > 1": ["b"], "cases.exists(c, c.cost == 30)": ["a"], "cases.all(c, c.done)": ["a"], "max(cases.cost) > 400": ["b"],
        "min(cases.name) == 'd'": ["a"], "cases.exists(c, c.entity == 'fine' && c.done)": ["b"], "sum(cases.cost) == cost": ["a", "b"],
    }  # fmt: skip
    assert {text: sorted(row["name"] for row in ana.all("office", filter=text)) for text in asked} == asked
    with pytest.raises(Invalid):
        ana.all("office", filter="cases.exists(c, c.payer == 'x')")  # only one of them has it


def test_each_of_the_heirs_under_its_own_policy(application: Applications) -> None:
    """A question about the collection tells nothing of records that a rule hides, nor of an heir that one may not read."""
    case = CASE.replace("access: {agent: [read, create, update, delete]}\n", "")
    whole = "agent: [read, create, update, delete]"
    running = application(
        {
            "office": f"fields: {{name: text}}\naccess: {{{whole}, guest: [read], nobody: [read]}}\n",
            "case": case,
            "fine": f"extends: case\naccess: {{{whole}, guest: {{read: =done}}}}\n",
            "permit": f"extends: case\naccess: {{{whole}, guest: [read]}}\n",
        },
    )
    ana, clerk, nobody = (running.person(name, role) for name, role in (("ana", "agent"), ("cleo", "guest"), ("gus", "nobody")))
    office = ana.create("office", name="a").id
    for name, done in (("hidden", False), ("open", True)):
        ana.create("fine", name=name, office=office, done=done, cost="7")
        ana.create("permit", name=f"p-{name}", office=office, done=done, cost="1")

    def seen(person: Person, text: str) -> bool:
        return bool(person.all("office", filter=text))

    asked = {
        "count(cases) == 4": (True, False), "count(cases) == 3": (False, True), "sum(cases.cost) == 16": (True, False),
        "sum(cases.cost) == 9": (False, True), "cases.exists(c, c.name == 'hidden')": (True, False),
        "cases.exists(c, c.name == 'p-hidden')": (True, True), "min(cases.name) == 'hidden'": (True, False),
        "cases.all(c, c.done || c.entity == 'permit')": (False, True),
    }  # fmt: skip
    assert {text: (seen(ana, text), seen(clerk, text)) for text in asked} == asked
    assert [row["cases"] for row in clerk.all("office", fields=("cases",))] == [3]
    with pytest.raises(Invalid):
        nobody.all("office", filter="count(cases) > 0")
