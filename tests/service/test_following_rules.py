"""The rules of a record that read others follow them: what a change elsewhere breaks is a flag, what it mends is none, and rows that are
computed from what they link to are made anew."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.application import Applications, Person, Running
from xrm.errors import Invalid
from xrm.service import deriving

ACCESS = "access: {agent: [read, create, update, delete]}\n"
KIND = (
    "fields: {strict: boolean, known: {type: boolean, default: true}, limit: integer, name: text, top: {type: link, to: kind}}\n" + ACCESS
)
ARTICLE = "fields: {price: {type: decimal, places: 2}, strict: boolean, kind: {type: link, to: kind}}\n" + ACCESS
ORDER = (
    """fields:
  kind: {type: link, to: kind}
  name: {type: text, required: kind.strict}
  told: {type: text, recommended: kind.top.strict}
  note: {type: text, show: kind.known}
  size: {type: integer, max: =kind.limit}
  way: {type: choice, options: {a: A, b: {label: B, when: kind.known}}}
  reason: {type: text, required: 'tasks.exists(t, t.urgent)'}
  other: integer
  kinds: {type: link, to: kind, many: true}
  total: {compute: =sum(lines.cost)}
  lines:
    type: rows
    fields:
      article: {type: link, to: article}
      count: {type: integer, default: 1}
      cost: {compute: =article.price * count}
      mark: {type: text, required: article.kind.strict}
      most: {type: integer, max: =parent.kind.limit}
checks:
  open: {should: 'kinds.all(k, !k.strict)', message: Strict}
  cheap: {must: kind.limit == null || total <= kind.limit, message: Too dear}
forms:
  default: [{section: Rest, required: kind.name == "x", fields: [other]}]
"""
    + ACCESS
)
TASK = "fields: {order: {type: link, to: order, inverse: tasks}, urgent: boolean, what: text}\n" + ACCESS
TEXTS = {"kind": KIND, "article": ARTICLE, "order": ORDER, "task": TASK}


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


def flags(ana: Person, id: str) -> set[str]:
    return set((ana.get("order", id)["flags"] or "").split())


def test_rules_that_read_linked_records_follow_them(running: Running) -> None:
    """They refuse no change elsewhere and none of other fields; the record's version stands, and its ETag is another one."""
    ana = running.person("ana", "agent")
    top, spare = (ana.create("kind", strict=False).id for _ in "ab")
    kind = ana.create("kind", limit=50, top=top).id
    article = ana.create("article", price="2.50", kind=kind).id
    given = {
        "note": "n",
        "way": "b",
        "size": 5,
        "kinds": [spare],
        "lines": [{"article": article, "count": 2, "most": 40}, {"article": article}],
    }
    one = ana.create("order", kind=kind, **given).id
    bystander = ana.create("order", name="by", other=1).id
    before = ana.api.get(f"/api/order/{one}").headers["etag"]
    steps: list[tuple[str, str, dict[str, Any], set[str]]] = [
        ("kind", kind, {"strict": True}, {"name:required", "lines:required"}),
        ("kind", top, {"strict": True}, {"name:required", "lines:required", "told:recommended"}),
        ("kind", kind, {"strict": False}, {"told:recommended"}),
        ("kind", kind, {"top": None}, set()),
        ("kind", kind, {"known": False}, {"note:show", "way:options"}),
        ("kind", kind, {"known": True, "name": "x"}, {"other:required"}),
        ("kind", kind, {"name": "y", "limit": 39}, {"lines:max"}),
        ("kind", kind, {"limit": 4}, {"lines:max", "size:max", "cheap"}),
        ("article", article, {"price": "0.10"}, {"lines:max", "size:max"}),
        ("kind", kind, {"limit": None}, set()),
        ("kind", spare, {"strict": True}, {"open"}),
        ("kind", spare, {"strict": False}, set()),
    ]
    for entity, id, change, wanted in steps:
        ana.update(entity, id, None, **change)
        assert flags(ana, one) == wanted, change
    found = ana.get("order", one)
    assert (found["version"], found["note"], found["way"], found["total"]) == (1, "n", "b", Decimal("0.30"))
    assert [row["cost"] for row in found["lines"]] == [Decimal("0.20"), Decimal("0.10")]
    assert ana.api.get(f"/api/order/{one}").headers["etag"] != before
    ana.update("kind", kind, None, strict=True)
    ana.update("order", one, 1, other=3)
    assert flags(ana, one) == {"name:required", "lines:required"}, "an old value that breaks a rule holds up nothing else"
    other = ana.create("kind", strict=True).id
    with pytest.raises(Invalid, match="Name is required"):
        ana.update("order", one, None, kind=other)
    assert ana.get("order", bystander)["version"] == 1 and flags(ana, bystander) == set()


def test_rules_that_ask_what_links_to_a_record_follow_it(running: Running) -> None:
    ana = running.person("ana", "agent")
    one, two = (ana.create("order").id for _ in "ab")
    task = ana.create("task", order=one, urgent=True).id
    assert (flags(ana, one), flags(ana, two)) == ({"reason:required"}, set())
    ana.update("task", task, None, order=two)
    assert (flags(ana, one), flags(ana, two)) == (set(), {"reason:required"})
    ana.update("task", task, None, what="nothing that is asked")
    assert flags(ana, two) == {"reason:required"}
    ana.update("task", task, None, urgent=False)
    assert flags(ana, two) == set()
    ana.update("task", task, None, urgent=True)
    ana.delete("task", task)
    assert flags(ana, two) == set()


def test_very_many_are_judged_by_a_job(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is done the answers say that the flags are as of when."""
    ana = running.person("ana", "agent")
    kind = ana.create("kind").id
    article = ana.create("article", price=1, kind=kind).id
    ids = [ana.create("order", kind=kind, lines=[{"article": article}]).id for _ in range(3)]
    running.service.after.settle()
    monkeypatch.setattr(deriving, "MOST_AT_ONCE", 2)
    ana.update("kind", kind, None, strict=True)
    assert ana.api.get("/api/order").headers["as-of-fields"] == "flags"
    assert [flags(ana, one) for one in ids] == [set()] * 3
    running.service.after.settle()
    assert "as-of" not in ana.api.get("/api/order").headers
    assert [flags(ana, one) for one in ids] == [{"name:required", "lines:required"}] * 3
    ana.update("article", article, None, price=7)
    assert ana.api.get("/api/order").headers["as-of-fields"] == "lines, total"
    running.service.after.settle()
    assert {row["total"] for row in ana.all("order", fields=("total",))} == {Decimal("7.00")}
