"""Rows: a child table, written and read with its record by the one way to write and the one way to read."""

import io
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.application import XRM, Applications, Running, apply_to, loaded
from tests.transfer.samples import imported, words
from xrm.compile.application import compile_application
from xrm.compile.differences import refigured
from xrm.errors import Invalid, Stale
from xrm.service.transfer.exporting import Export, export
from xrm.source import load_text
from xrm.store import migrate

ITEM = """
title: "{name}"
fields: {name: {type: text, required: true}, price: money}
access: {boss: [read, create, update, delete], agent: read}
"""
ORDER = """
title: "{name}"
fields:
  name: {type: text, unique: true}
  rush: boolean
  rate: {type: decimal, compute: '=rush == true ? 2.00 : 1.00'}
  lines:
    type: rows
    max: 4
    fields:
      item: {type: text, required: true, length: 10, pattern: '[A-Za-z ]+'}
      article: {type: link, to: item}
      amount: {type: money, min: 0, required: parent.rush == true}
      kind: {type: choice, options: [part, work], default: part}
      due: date
      where: point
      secret: {type: text, protected: true}
      price: {type: money, default: =article.price}
      total: {type: money, compute: =amount * parent.rate}
access:
  boss: {read: true, create: true, update: true, delete: true, sees: [lines.secret], edits: [lines.secret]}
  agent: [read, create, update]
"""


@pytest.fixture
def running(application: Applications) -> Running:
    return application({"order": ORDER, "item": ITEM})


HELD = """
title: "{name}"
fields:
  name: text
  closed: boolean
  lines:
    type: rows
    fields:
      item: text
      rate: {type: integer, default: 7, readonly: true}
      hours: {type: integer, readonly: 'parent.closed == true || rate > 8'}
access:
  boss: [read, create, update]
"""


def test_what_nobody_changes_by_hand_stays_in_each_row(application: Applications) -> None:
    """Under the row's own condition or its record's; what is the same as before may be sent back, and defaults fill in the rest."""
    boss = application({"order": HELD}).person("bea", "boss")
    refused = {"rate": 3}, {"rate": 9, "hours": 1}
    with pytest.raises(Invalid) as told:
        boss.create("order", name="A", lines=[{"item": "x", **sent} for sent in refused])
    assert [(one.code, one.path) for one in told.value.problems] == [
        ("XRM505", ("lines", "0", "rate")), ("XRM505", ("lines", "1", "rate")), ("XRM505", ("lines", "1", "hours")),
    ]  # fmt: skip
    made = boss.create("order", name="A", lines=[{"item": "x", "hours": 2}, {"item": "y"}])
    lines = [dict(row) for row in boss.get("order", made.id)["lines"]]
    assert plain(lines, "item", "rate", "hours") == [("x", 7, 2), ("y", 7, None)]
    boss.update("order", made.id, None, lines=[{**lines[0], "hours": 3}, {**lines[1], "item": "z"}])
    boss.update("order", made.id, None, closed=True)
    with pytest.raises(Invalid, match="Lines, row 2: Hours may not be changed here"):
        boss.update("order", made.id, None, lines=[{"id": lines[0]["id"], "hours": 3}, {"id": lines[1]["id"], "hours": 1}])
    boss.update("order", made.id, None, lines=[{"id": lines[0]["id"], "item": "w", "hours": 3}])
    assert plain(boss.get("order", made.id)["lines"], "item", "rate", "hours") == [("w", 7, 3)]


def plain(rows: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_rows_are_written_and_read_with_their_record(running: Running) -> None:
    """In order; a row keeps its id; the list that is sent replaces the one that stands."""
    boss = running.person("bea", "boss")
    bolt = boss.create("item", name="Bolt", price="0.50").id
    made = boss.create(
        "order", name="One", lines=[{"item": "Bolt", "article": bolt, "amount": "2.50"}, {"item": "Paint", "kind": None, "secret": "s"}]
    )
    lines = boss.get("order", made.id)["lines"]
    assert plain(lines, "item", "amount", "kind", "total", "article.title") == [
        ("Bolt", Decimal("2.50"), "part", Decimal("2.50"), "Bolt"), ("Paint", None, None, None, None)
    ]  # fmt: skip
    first, second = (row["id"] for row in lines)
    again = boss.update("order", made.id, made.version, lines=[{"id": second}, {"item": "Wood"}, {"id": first, "amount": 3}])
    lines = boss.get("order", made.id)["lines"]
    assert plain(lines, "item", "secret") == [("Paint", "s"), ("Wood", None), ("Bolt", None)]
    assert (lines[0]["id"], lines[2]["id"]) == (second, first)
    assert again.version == made.version + 1
    with pytest.raises(Invalid, match="Lines, row 2: it is no row of this record"):
        boss.update("order", made.id, None, lines=[{"id": first}, {"id": first}])
    with pytest.raises(Stale):
        boss.update("order", made.id, made.version, lines=[])
    assert not boss.update(
        "order", made.id, None, lines=[{"item": "Paint", "kind": None, "secret": "s"}, {"item": "Wood"}, {"id": first}]
    ).changed
    assert boss.update("order", made.id, None, rush=True, lines=[{"id": first}]).record["lines"][0]["total"] == Decimal("6.00")
    assert running.rows("SELECT count(*) FROM order__lines") == [(1,)]
    boss.update("order", made.id, None, lines=None)
    assert boss.get("order", made.id)["lines"] == ()


def planned(running: Running, texts: dict[str, str]) -> migrate.Plan:
    model, _ = loaded(texts)
    return migrate.plan(running.database, compile_application(model, running.dialect).tables, model.digest)


REFUSED: list[tuple[Any, list[tuple[str, tuple[str, ...], str]]]] = [
    ([{"amount": -1, "itm": "x"}, "y"], [
        ("XRM502", ("lines", "0", "amount"), "Lines, row 1: Amount must be 0.00 or more"),
        ("XRM502", ("lines", "0", "itm"), "Lines, row 1: 'itm' is not a field of these rows"),
        ("XRM502", ("lines", "1"), "Lines, row 2: it must be a map from field to value"),
    ]),
    ([{"item": "Ok"}, {"amount": 1}], [("XRM501", ("lines", "1", "item"), "Lines, row 2: Item is required")]),
    ([{"item": "R2"}], [("XRM502", ("lines", "0", "item"), "Lines, row 1: Item does not have the form asked for")]),
    ([{"item": "a"}] * 5, [("XRM528", ("lines",), "Lines may have 4 rows or fewer; it has 5")]),
    ([{"item": "a"}] * 1001, [("XRM502", ("lines",), "Lines may have 1,000 rows; it has 1,001")]),
    ("x", [("XRM502", ("lines",), "Lines must be a list of rows")]),
    ([{"id": "00000000-0000-0000-0000-000000000001", "item": "a"}], [("XRM527", ("lines", "0"), "Lines, row 1: it is no row of this record")]),
    ([{"item": "a", "total": 1}], [("XRM505", ("lines", "0", "total"), "Lines, row 1: Total may not be changed: it is computed")]),
    ([{"item": "a", "kind": "x"}], [("XRM502", ("lines", "0", "kind"), "Lines, row 1: Kind 'x' is not one of the options")]),
    ([{"item": "a", "article": "00000000-0000-0000-0000-000000000001"}], [("XRM511", ("lines", "0", "article"), "Lines, row 1: Article leads to no item that is there")]),
]  # fmt: skip


def test_what_does_not_fit_is_refused_at_its_row(running: Running) -> None:
    boss = running.person("bea", "boss")
    for lines, expected in REFUSED:
        with pytest.raises(Invalid) as refused:
            boss.create("order", name="One", lines=lines)
        assert [(p.code, p.path, p.message) for p in refused.value.problems] == expected
    with pytest.raises(Invalid) as refused:
        boss.create("order", rush=True, lines=[{"item": "a"}])
    assert [p.message for p in refused.value.problems] == ["Lines, row 1: Amount is required"]


def test_rights_reach_into_rows(running: Running) -> None:
    """A protected field of a row is not there for who may not see it, in the record, the history, a write; it outlives one."""
    boss, ana = running.person("bea", "boss"), running.person("ana", "agent")
    made = boss.create("order", name="One", lines=[{"item": "a", "secret": "s"}])
    seen = ana.get("order", made.id)["lines"]
    assert "secret" not in seen[0]
    assert "secret" not in ana.history("order", made.id)[0].fields["lines"][1][0]
    for secret in ({"secret": "t"}, {"secret": None}):
        with pytest.raises(Invalid) as refused:
            ana.update("order", made.id, None, lines=[{"id": seen[0]["id"], **secret}])
        assert [p.code for p in refused.value.problems] == ["XRM302"]
    ana.update("order", made.id, None, lines=[{**{n: v for n, v in seen[0].items() if "." not in n}, "item": "b"}])
    assert plain(boss.get("order", made.id)["lines"], "item", "secret") == [("b", "s")]


KEPT: list[tuple[list[dict[str, Any]], list[tuple[str, str | None, str | None]]]] = [
    ([{"item": "a"}, {"item": "b"}, {"item": "b"}], [("a", "sa", "1"), ("b", "sb", "2"), ("b", "sc", "3")]),
    ([{"item": "b"}, {"item": "a"}], [("b", "sb", "2"), ("a", "sa", "1")]),
    ([{"item": "b"}, {"item": "z"}, {"id": "2", "item": "b"}], [("b", "sc", "3"), ("z", None, None), ("b", "sb", "2")]),
    ([{"item": "a", "kind": "part", "due": "2026-01-02"}, {"item": "b", "price": "3"}], [("a", "sa", "1"), ("b", "sb", "2")]),
    ([{"item": "c", "kind": "work"}, {"item": "b", "kind": "work"}], [("c", None, None), ("b", None, None)]),
    ([{"item": "a"}, {"item": "b", "kind": "work"}, {"item": "c"}], [("a", "sa", "1"), ("b", "sb", "2"), ("c", None, None)]),
    ([{"item": "c"}, {"item": "d"}], [("c", None, None), ("d", None, None)]),
]  # fmt: skip
"""Rows sent by who does not see the secret, and what stands then: item, secret, and which row of three it was."""


def test_rows_sent_without_ids_keep_what_is_hidden(running: Running, tmp_path: Path) -> None:
    """By what the sender sees and their order; in an import of an export too, whether the ids stand in it or were taken out."""
    boss, ana = running.person("bea", "boss"), running.person("ana", "agent")
    standing = [{"item": "a", "secret": "sa"}, {"item": "b", "secret": "sb", "due": "2026-01-02"}, {"item": "b", "secret": "sc"}]
    for number, (lines, expected) in enumerate(KEPT):
        made = boss.create("order", name=f"K{number}", lines=standing)
        ids = {str(n): row["id"] for n, row in enumerate(boss.get("order", made.id)["lines"], 1)}
        ana.update("order", made.id, None, lines=[{**row, "id": ids[row["id"]]} if "id" in row else row for row in lines])
        rows = boss.get("order", made.id)["lines"]
        which = {id: n for n, id in ids.items()}
        assert [(row["item"], row["secret"], which.get(row["id"])) for row in rows] == expected, lines
    made = boss.create("order", name="Out", lines=standing)
    table = io.StringIO(newline="")
    export(ana.ctx, Export("order", ("name", "lines"), filter="name == 'Out'"), table)
    map_ = "import: order\nkey: name\ncolumns: {name: name, lines: lines}\n"
    assert imported(ana, tmp_path, table.getvalue(), map_, entity="order").unchanged == 1
    bare = re.sub(r'""id"":""[^"]*"",', "", table.getvalue())
    assert bare != table.getvalue()
    assert imported(ana, tmp_path, bare, map_, entity="order").unchanged == 1
    before = boss.get("order", made.id)["lines"]
    assert imported(ana, tmp_path, bare.replace('""due"":""2026-01-02""', '""due"":""2026-01-03""'), map_, entity="order").updated == 1
    after = boss.get("order", made.id)["lines"]
    assert [{**row, "due": None} for row in after] == [{**row, "due": None} for row in before]
    assert after[1]["due"] == date(2026, 1, 3)


def test_a_changed_row_is_a_change_of_its_record(running: Running) -> None:
    """The change log keeps which row, which field, before and after."""
    boss = running.person("bea", "boss")
    made = boss.create("order", name="One", lines=[{"item": "a"}, {"item": "b"}])
    one, two = (row["id"] for row in boss.get("order", made.id)["lines"])
    boss.update("order", made.id, None, lines=[{"id": two, "amount": "1.00"}, {"item": "c"}])
    before, after = boss.history("order", made.id)[0].fields["lines"]
    new = after[1].pop("id")
    assert before[0] == {"id": one, "row": 1, "item": "a", "kind": "part", "amount": None, "article": None, "due": None, "price": None,
                         "secret": None, "total": None, "where": None}  # fmt: skip
    assert before[1] == {"id": two, "row": 2, "amount": None, "total": None}
    assert after[0] == {"id": two, "row": 1, "amount": "1.00", "total": "1.00"}
    assert new not in (one, two)
    assert after[1]["item"] == "c"
    boss.delete("order", made.id)
    boss.restore("order", made.id)
    assert plain(boss.get("order", made.id)["lines"], "item") == [("b",), ("c",)]


def test_what_rows_link_to_is_not_deleted(running: Running) -> None:
    boss = running.person("bea", "boss")
    bolt = boss.create("item", name="Bolt").id
    made = boss.create("order", lines=[{"item": "a", "article": bolt}])
    with pytest.raises(Invalid) as refused:
        boss.delete("item", bolt)
    assert [p.code for p in refused.value.problems] == ["XRM515"]
    boss.delete("order", made.id)
    boss.delete("item", bolt)
    with pytest.raises(Invalid) as refused:
        boss.restore("order", made.id)
    assert [p.code for p in refused.value.problems] == ["XRM511"]


def test_rest_reads_and_writes_rows(running: Running) -> None:
    """Nested, with what JSON has for each type; what was read can be sent back as it is; OpenAPI tells."""
    boss = running.person("bea", "boss")
    api = boss.api
    line = {"item": "a", "amount": "2.00", "due": "2026-03-02", "where": {"lat": 1.5, "lon": 2.5}}
    answer = api.post("/api/order", {"name": "One", "lines": [line, {"item": "b"}]})
    assert answer.status == 201, answer.body
    path = answer.headers["location"]
    read = api.get(path).json
    assert {name: read["lines"][0][name] for name in line} == line
    assert api.patch(path, {"lines": read["lines"]}).json["version"] == 1
    listed = api.get("/api/order", fields="name,lines").json["items"]
    assert listed == [{"id": read["id"], "name": "One", "lines": read["lines"]}]
    wrong = api.patch(path, {"lines": [{"item": ""}]}).json["errors"]
    assert [(error["field"], error["message"]) for error in wrong] == [("lines.0.item", "Lines, row 1: Item is required")]
    schema = api.get("/api/openapi.json").json["components"]["schemas"]["order"]["properties"]["lines"]
    assert schema["type"] == ["array", "null"]
    assert schema["items"]["properties"]["amount"]["type"] == ["string", "null"]
    assert api.get("/api/order", sort="lines").codes == ["XRM512"]
    assert api.get("/api/order", filter="lines == null").codes == ["XRM303"]
    assert api.get("/api/order", filter="sum(lines.amount) > 2").json["items"] == []
    assert [item["name"] for item in api.get("/api/order", filter="lines.exists(l, l.item == 'a')").json["items"]] == ["One"]


def test_rows_are_exported_and_read_back(application: Applications, running: Running, tmp_path: Path) -> None:
    """A table has the rows of a record in one cell, as JSON; imported again it changes nothing; into another application it is the same."""
    boss = running.person("bea", "boss")
    line = {"item": "a", "amount": "2.00", "due": date(2026, 3, 2), "where": {"lat": 1.5, "lon": 2.5}, "secret": "s"}
    boss.create("order", name="One", lines=[line, {"item": "b", "kind": None}])
    boss.create("order", name="Two")
    out = io.StringIO(newline="")
    assert export(boss.ctx, Export("order", ("name", "lines")), out) == 2
    map_ = "import: order\nkey: name\ncolumns: {name: name, lines: lines}\n"
    other = application({"order": ORDER, "item": ITEM}).person("bea", "boss")
    assert imported(boss, tmp_path, out.getvalue(), map_, entity="order").unchanged == 2
    assert imported(other, tmp_path, out.getvalue(), map_, entity="order").created == 2
    rows, again = ([{**row, "id": ""} for row in who.all("order", sort="name")[0]["lines"]] for who in (boss, other))
    assert rows == again
    assert rows[0]["total"] == Decimal("2.00")
    lines = io.StringIO()
    export(boss.ctx, Export("order", ("name", "lines"), form="jsonl"), lines)
    first = json.loads(lines.getvalue().splitlines()[0])["lines"]
    assert first[0]["due"] == "2026-03-02"
    one = boss.all("order", sort="name")[0]
    assert [row["id"] for row in first] == [row["id"] for row in one["lines"]]
    assert not boss.update("order", one["id"], None, lines=first).changed
    wrong = imported(boss, tmp_path, 'name,lines\nOne,"[{""itm"": 1}]"\n', map_, entity="order")
    assert words(wrong) == ["row 2: lines: Lines, row 1: 'itm' is not a field of these rows"]


def test_links_in_rows_are_exported_as_keys(application: Applications, tmp_path: Path) -> None:
    """The key of what they lead to, as it is elsewhere too; an id is read as well; what leads nowhere is told with its row."""
    texts = {"item": ITEM.replace("fields: {name: {", "key: name\nfields: {name: {unique: true, "), "order": ORDER}
    boss, other = (application(texts).person("bea", "boss") for _ in range(2))
    bolt, nut = (boss.create("item", name=name).id for name in ("Bolt", "Nut"))
    for name in ("Nut", "Bolt"):
        other.create("item", name=name)
    boss.create("order", name="One", lines=[{"item": "a", "article": bolt}, {"item": "b"}, {"item": "c", "article": nut}])
    map_ = "import: order\nkey: name\ncolumns: {name: name, lines: lines}\n"
    out, lines = io.StringIO(newline=""), io.StringIO()
    export(boss.ctx, Export("order", ("name", "lines")), out)
    export(boss.ctx, Export("order", ("name", "lines"), form="jsonl"), lines)
    assert [row["article"] for row in json.loads(lines.getvalue())["lines"]] == ["Bolt", None, "Nut"]
    assert imported(boss, tmp_path, out.getvalue(), map_, entity="order").unchanged == 1
    assert imported(other, tmp_path, out.getvalue(), map_, entity="order").created == 1
    assert plain(other.all("order")[0]["lines"], "item", "article.title") == [("a", "Bolt"), ("b", None), ("c", "Nut")]
    assert imported(boss, tmp_path, out.getvalue().replace("Bolt", bolt), map_, entity="order").unchanged == 1
    wrong = imported(other, tmp_path, out.getvalue().replace("Nut", "Screw"), map_, entity="order")
    assert words(wrong) == ["row 2: lines: Lines, row 3: Article leads to no item with the name 'Screw'"]


TASK = """
key: name
fields:
  name: {type: text, unique: true, required: true}
  parts: {type: rows, max: 2, fields: {item: {type: text, required: true}, hours: integer, secret: {type: text, protected: true}}}
lifecycle:
  states: {new: {initial: true}, done: {final: true, edit: []}}
  transitions:
    finish: {from: new, to: done, ask: [parts], guards: [{must: "parts.exists(p, p.hours > 0)", message: Say the hours}]}
access:
  agent: [read, create, update]
  boss: {read: true, create: true, update: true, historic: true, sees: parts.secret, edits: parts.secret}
"""


def test_history_is_imported_with_its_rows(application: Applications, tmp_path: Path) -> None:
    """What breaks a rule is taken as it was, flagged; a state that lets nothing be edited does not stop it; again nothing changes."""
    boss = application({"task": TASK}).person("bea", "boss")
    map_ = "import: task\nkey: name\nhistoric: true\ncolumns: {name: name, state: state, parts: parts}\n"
    text = 'name,state,parts\nOld,done,"[{""hours"":1},{""item"":""b""},{""item"":""c"",""secret"":""s""}]"\n'
    assert imported(boss, tmp_path, text, map_, entity="task").created == 1
    record = boss.all("task")[0]
    assert (record["state"], plain(record["parts"], "item", "hours", "secret")) == (
        "done", [(None, 1, None), ("b", None, None), ("c", None, "s")]
    )  # fmt: skip
    assert imported(boss, tmp_path, text, map_, entity="task").unchanged == 1
    assert imported(boss, tmp_path, text.replace('""b""', '""B""'), map_, entity="task").updated == 1
    again = boss.all("task")[0]["parts"]
    assert [row["id"] for row in again][::2] == [row["id"] for row in record["parts"]][::2]
    with pytest.raises(Invalid, match="may not be changed in state"):
        boss.update("task", record["id"], None, parts=[])


def test_a_move_asks_for_rows(application: Applications) -> None:
    """They are written with the move, judged by its guards, and keep what the person does not see."""
    running = application({"task": TASK})
    boss, ana = running.person("bea", "boss"), running.person("ana", "agent")
    made = boss.create("task", name="One", parts=[{"item": "a", "secret": "s"}])
    seen = ana.get("task", made.id)["parts"]
    for parts, said in (
        ([{"id": seen[0]["id"]}], "Say the hours"),
        ([{"hours": 1}], "Parts, row 1: Item is required"),
        ([{"item": "a", "hours": "x"}], "Parts, row 1: Hours"),
    ):
        with pytest.raises(Invalid, match=said):
            ana.move("task", made.id, None, "finish", parts=parts)
    ana.move("task", made.id, None, "finish", parts=[{"item": "a", "hours": 2}, {"item": "b"}])
    record = boss.get("task", made.id)
    assert (record["state"], plain(record["parts"], "item", "hours", "secret")) == ("done", [("a", 2, "s"), ("b", None, None)])
    assert record["parts"][0]["id"] == seen[0]["id"]


def test_a_circle_through_rows_is_refused() -> None:
    """A row may follow a computed field of its record, unless that follows the rows."""
    rate = "{{type: decimal, compute: {}}}"
    lines = "{type: rows, fields: {a: integer, total: {type: decimal, places: 4, compute: =a * parent.rate}}}"
    for compute, said in (("=n * 2", []), ("=sum(lines.total)", ["this depends on itself: note.rate → note.lines.total → note.rate"])):
        text = f"entity: note\nfields:\n  n: integer\n  rate: {rate.format(compute)}\n  lines: {lines}\n"
        assert [problem.message for problem in load_text({"xrm.yml": XRM, "entities/note.yml": text}).problems] == said


def test_rows_come_and_go_with_the_definition(application: Applications) -> None:
    """A new field of a row is a column, a field or a whole table that goes is counted first; what stays is as it was."""
    access = "access: {agent: [read, create, update]}\n"
    old = {"note": f"fields: {{name: text, lines: {{type: rows, fields: {{a: text, b: integer}}}}}}\n{access}"}
    new = {"note": f"fields: {{name: text, lines: {{type: rows, fields: {{a: text, c: {{compute: =a + '!'}}}}}}}}\n{access}"}
    gone = {"note": f"fields: {{name: text}}\n{access}"}
    running = application(old)
    made = running.person("ana", "agent").create("note", name="One", lines=[{"a": "x", "b": 1}, {"a": "y"}])
    assert [step.loses for step in planned(running, new).steps if step.loses] == ["1 value of note.lines.b"]
    apply_to(running.database, new)
    later = application.opened(running.url)
    assert refigured(loaded(old)[0], loaded(new)[0]) == ("note",)
    ana = later.person("bo", "agent")
    assert plain(ana.get("note", made.id)["lines"], "a", "c") == [("x", "x!"), ("y", "y!")]
    assert [step.loses for step in planned(running, gone).steps if step.loses] == ["2 rows of note.lines"]
    apply_to(running.database, gone)
    assert "lines" not in application.opened(running.url).person("cy", "agent").get("note", made.id)
    assert planned(running, gone).empty
