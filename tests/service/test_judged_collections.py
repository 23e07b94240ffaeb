"""A check that asks a collection is judged when its rows are written or what links to the record is, and by nothing else."""

from typing import Any

from tests.support.application import Applications
from xrm.errors import Invalid

ACCESS = "access: {agent: [read, create, update, delete]}\n"
ORDER = """fields:
  name: text
  most: {type: integer}
  lines: {type: rows, fields: {amount: integer}}
  cap: {type: integer, max: =sum(lines.amount)}
checks:
  small: {must: 'sum(lines.amount) <= 10', message: Too much}
  few: {must: 'count(notes) <= 1', message: Too many}
  told: {should: 'notes.all(n, n.read)', message: Unread}
"""
NOTE = "fields: {order: {type: link, to: order, inverse: notes}, read: boolean, text: text}\n"


def test_what_is_touched_is_judged_and_an_old_value_blocks_nothing(application: Applications) -> None:
    running = application({"order": ORDER + ACCESS, "note": NOTE + ACCESS})
    ana = running.person("ana", "agent")
    old = ana.create("order", name="old", lines=[{"amount": 9}], cap=8).id

    def flags(person: Any, id: str) -> set[str]:
        return set((person.get("order", id)["flags"] or "").split())

    assert flags(ana, old) == set()
    note = ana.create("note", order=old, read=False).id
    assert flags(ana, old) == {"told"}
    ana.update("note", note, None, read=True)
    assert flags(ana, old) == set()
    second = ana.create("note", order=old, read=False).id
    assert flags(ana, old) == {"few", "told"}
    ana.update("note", second, None, text="an unrelated change")
    ana.update("order", old, None, name="it blocks no other change")
    assert (flags(ana, old), ana.get("order", old)["version"]) == ({"few", "told"}, 2)
    ana.delete("note", second)
    assert flags(ana, old) == set()
    ana.restore("note", second)
    assert flags(ana, old) == {"few", "told"}
    ana.update("note", second, None, order=None)
    assert flags(ana, old) == set()
    running.run("UPDATE order__lines SET amount = 90")  # an old value that breaks the rule
    ana.update("order", old, None, name="again it blocks nothing")
    assert flags(ana, old) == {"small"}

    def lines(amount: int) -> list[str]:
        row = ana.get("order", old)["lines"][0]["id"]
        try:
            ana.update("order", old, None, lines=[{"id": row, "amount": amount}])
        except Invalid as refused:
            return [problem.message for problem in refused.problems]
        return []

    assert (lines(80), lines(7), lines(8), flags(ana, old)) == (["Too much"], ["Cap must be 7 or less"], [], set())
