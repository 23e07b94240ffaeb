"""Rules on the values of fields: on every way to write, and without a hold on what a write leaves alone."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.application import Applications, Person, Running
from tests.transfer.samples import imported
from xrm.errors import Invalid

PLACE = """
title: "{name}"
key: name
fields:
  name: {type: text, unique: true, required: true}
  deep: boolean
access: {agent: read}
"""
NOTE = """
title: "{nr}"
fields:
  nr: {type: text, unique: true}
  kind: {type: choice, options: {hole: {}, tree: {}, leak: {when: place.deep}}}
  place: {type: link, to: place}
  depth: {type: integer, show: kind == "hole", required: place.deep, min: 0}
  most: {type: integer, min: 1}
  least: {type: integer, max: =most}
  why: {type: text, recommended: most > 100, length: {min: 3, max: 20}, words: 3}
  code: {type: text, pattern: '[A-Z]{2}', pattern_message: Two capitals, readonly: kind == "tree"}
  twice: {type: integer, compute: =depth * 2}
  from_twice: {type: integer, show: twice > 10}
  first: {type: text, default: =second + "!"}
  second: {type: text, default: [{when: most > 5, use: =nr + "+"}, {use: few}]}
  tax: {type: text, protected: true, required: kind == "leak"}
  sort: {type: choice, options: [big, small]}
  size: {type: integer}
  site: text
checks:
  deep_enough: {must: depth > 1, message: 'It is {depth} deep, a {kind}', field: depth}
  not_both: {when: code != null, should: why == null, message: Not both}
forms:
  - {section: What, fields: [nr, kind, place, depth, most, least, code, from_twice, first, second, tax, sort]}
  - {section: More, fields: [why, size], show: kind != "tree", required: kind == "leak", readonly: size > 8}
  - {section: End, fields: [site]}
lifecycle:
  states: {new: {initial: true}, done: {final: true}}
  transitions:
    finish:
      from: new
      to: done
      ask: {site: {required: kind == "hole"}, size: {required: false, show: kind == "hole"}}
access:
  agent: {read: true, create: true, update: true}
  boss: {sees: [tax], edits: [tax]}
"""


@pytest.fixture
def running(application: Applications) -> Running:
    made = application({"place": PLACE, "note": NOTE})
    made.system.create("place", name="pit", deep=True)
    return made


Said = list[tuple[str, str]]
Case = tuple[str, dict[str, Any], Said, dict[str, Any] | None, str]
HOLE = {"kind": "hole", "depth": 7}
CASES: list[Case] = [
    # what, values, what refuses (field, code), what stands then, flags
    ("shown and in bounds", HOLE, [], {"depth": 7, "twice": 14}, ""),
    ("a check beside a shown field, its message with values", HOLE | {"depth": 1}, [("depth", "XRM504 It is 1 deep, a Hole")], None, ""),
    ("what is hidden is left out, and not checked", {"kind": "tree", "depth": 1}, [], {"depth": None}, ""),
    ("nothing is known: it does not apply", {"depth": 1}, [], {"depth": None}, ""),
    ("required by a path", {"kind": "hole", "place": "pit"}, [("depth", "XRM504 It is – deep, a Hole"), ("depth", "XRM501")], None, ""),
    ("hidden, so not required", {"kind": "tree", "place": "pit"}, [], {}, ""),
    ("shown by a computed value", HOLE | {"from_twice": 3}, [], {"from_twice": 3}, ""),
    ("a computed value follows what was left out", {"kind": "tree", "depth": 9, "from_twice": 3}, [], {"from_twice": None, "twice": None}, ""),
    ("a bound by another field", {"most": 5, "least": 6}, [("least", "XRM502 Least must be 5 or less")], None, ""),
    ("an unknown bound bounds nothing", {"least": 6}, [], {"least": 6}, ""),
    ("too short", {"why": "no"}, [("why", "XRM502 Why must have 3 characters or more; it has 2")], None, ""),
    ("too many words", {"why": "a b c d"}, [("why", "XRM502 Why must have 3 words or fewer; it has 4")], None, ""),
    ("the pattern's own words", {"code": "x"}, [("code", "XRM502 Code: Two capitals")], None, ""),
    ("by no hand", {"kind": "tree", "code": "AB"}, [("code", "XRM505")], None, ""),
    ("recommended", {"most": 101}, [], {"most": 101}, "why:recommended"),
    ("should", {"code": "AB", "why": "yes"}, [], {}, "not_both"),
    ("an option that does not go with the rest", {"kind": "leak"}, [("", "XRM501"), ("size", "XRM501"), ("why", "XRM501"), ("kind", "XRM539")], None, ""),
    ("defaults that read defaults", {"nr": "d"}, [], {"second": "few", "first": "few!"}, ""),
    ("a default by cases", {"most": 6}, [], {"second": "{nr}+", "first": "{nr}+!"}, ""),
    ("a section's readonly", {"size": 9}, [("size", "XRM505")], None, ""),
    ("an unseen value that is missing is not named", {"kind": "leak", "place": "pit", "why": "yes", "size": 1}, [("", "XRM501")], None, ""),
]  # fmt: skip


def said(problems: list[dict[str, Any]], expected: Said) -> Said:
    """The problems, with their words where words are expected, in the order of what is expected."""
    found = []
    wanted = list(expected)
    for one in problems:
        pair = (one["field"] or "", one["code"])
        whole = (pair[0], f"{one['code']} {one['message']}")
        found.append(whole if whole in wanted else pair)
    return sorted(found)


def by_service(ana: Person, values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    try:
        ana.create("note", **values)
    except Invalid as refused:
        return [{"field": ".".join(p.path), "code": p.code, "message": p.message} for p in refused.problems]
    return []


def by_rest(ana: Person, values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    answer = ana.api.post("/api/note", values)
    assert answer.status in (201, 403, 422)
    return answer.json["errors"] if answer.status != 201 else []


def by_import(ana: Person, values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(values))
    writer.writeheader()
    writer.writerow(values)
    report = imported(
        ana, folder, text.getvalue(), "import: note\nkey: nr\ncolumns:\n" + "".join(f"  {name}: {name}\n" for name in values), entity="note"
    )
    return [one | {"field": one["column"]} for refusal in report.as_json()["refusals"] for one in refusal["reasons"]]  # type: ignore[attr-defined]


WAYS = {"service": by_service, "rest": by_rest, "import": by_import}


@pytest.mark.parametrize("way", WAYS)
def test_every_rule_holds_on_every_way_to_write(running: Running, tmp_path: Path, way: str) -> None:
    """One table of cases: the same answer, values and flags by the service, by REST and by import."""
    ana, pit = running.person("ana", "agent"), running.system.all("place")[0]["id"]
    for at, (what, values, expected, stands, flags) in enumerate(CASES):
        nr = values.get("nr", f"{way}{at}")
        sent = {"nr": nr} | values
        if "place" in sent and way != "import":
            sent["place"] = pit
        problems = WAYS[way](ana, sent, tmp_path)
        assert said(problems, expected) == sorted(expected), what
        row = next(iter(ana.all("note", filter=f'nr == "{nr}"')), None)
        assert (row is None) == (stands is None), what
        if row is not None and stands is not None:
            kept = {name: value.format(nr=nr) if isinstance(value, str) else value for name, value in stands.items()}
            assert {name: row[name] for name in kept} == kept and (row["flags"] or "") == flags, what


def test_a_change_of_what_shows_a_field_empties_it_and_the_log_keeps_it(running: Running) -> None:
    """Beyond a link and through a computed value too; what was sent for it is left out with a warning, never in silence."""
    ana = running.person("ana", "agent")
    made = ana.create("note", **HOLE, from_twice=3)
    changed = ana.update("note", made.id, 1, kind="tree")
    assert (changed.record["depth"], changed.record["twice"], changed.record["from_twice"]) == (None, None, None)
    assert ana.history("note", made.id)[0].fields == {
        "kind": ("hole", "tree"), "depth": (7, None), "twice": (14, None), "from_twice": (3, None),
    }  # fmt: skip
    left = ana.update("note", made.id, 2, depth=5, most=3)
    assert [(p.code, p.path, p.severity) for p in left.warnings] == [("XRM537", ("depth",), "warning")]
    assert (left.record["depth"], left.record["most"]) == (None, 3)
    answer = ana.api.patch(f"/api/note/{made.id}", {"most": 200, "depth": 5, "kind": None})
    assert [(one["code"], one["field"]) for one in answer.json["warnings"]] == [("XRM537", "depth"), ("XRM538", "why")]


def test_a_move_asks_as_its_conditions_say(running: Running) -> None:
    """Required under a condition; what is not asked now is left out, with a warning."""
    ana = running.person("ana", "agent")
    made, tree = ana.create("note", **HOLE), ana.create("note", kind="tree")
    with pytest.raises(Invalid) as refused:
        ana.move("note", made.id, 1, "finish")
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM501", ("site",))]
    assert ana.move("note", made.id, 1, "finish", site="x", size=3).record["size"] == 3
    moved = ana.move("note", tree.id, 1, "finish", size=3)
    assert moved.record["state"] == "done" and moved.record["size"] is None
    assert [(p.code, p.path) for p in moved.warnings] == [("XRM537", ("size",))]


def test_a_flag_names_no_field_that_a_reader_does_not_see(running: Running) -> None:
    """The rule holds; the flag that all read says nothing of a protected field."""
    running.person("ana", "agent")
    boss = running.person("bea", "boss", "agent")
    pit = running.system.all("place")[0]["id"]
    made = boss.create("note", kind="leak", place=pit, why="yes", size=1, tax="x")
    running.run("UPDATE note SET tax = NULL, tax_key = NULL WHERE nr IS NULL")
    assert boss.update("note", made.id, 1, site="here").record["flags"] is None


# -- ratcheting ------------------------------------------------------------------------------------------------------

OLD: Mapping[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from([None, "hole", "tree", "gone"]),
    "most": st.sampled_from([None, -3, 3, 200]),
    "least": st.sampled_from([None, 2, 9]),
    "why": st.sampled_from([None, "no", "yes", "a b c d", "x" * 30]),
    "code": st.sampled_from([None, "AB", "nope"]),
    "sort": st.sampled_from([None, "big", "old"]),
    "depth": st.sampled_from([None, -1, 1, 7]),
}
ROWS = st.fixed_dictionaries(dict(OLD))
UPDATES = st.fixed_dictionaries({}, optional=dict(OLD))


def fits(name: str, value: Any) -> bool:
    """The rules of a value alone."""
    if value is None:
        return True
    rules = {
        "kind": value in ("hole", "tree"), "most": isinstance(value, int) and value >= 1, "least": True,
        "why": 3 <= len(str(value)) <= 20 and len(str(value).split()) <= 3, "code": value == "AB",
        "sort": value == "big", "depth": isinstance(value, int) and value >= 0,
    }  # fmt: skip
    return rules[name]


def passes(old: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """What the rules of NOTE say of an update, written a second time and plainly."""
    new = {**old, **sent}
    if any(new[name] != old[name] and not fits(name, new[name]) for name in sent):
        return False
    shown, touched = new["kind"] == "hole", {name for name in old if new[name] != old[name]}
    if not shown and touched & {"kind", "depth"}:
        new["depth"] = None
    touched = {name for name in old if new[name] != old[name]}
    bound = not {"most", "least"} & touched or None in (new["most"], new["least"]) or new["least"] <= new["most"]
    deep = not shown or "depth" not in touched or (new["depth"] is not None and new["depth"] > 1)
    hands = not ({"code"} & set(sent) & touched and new["kind"] == "tree")
    return bound and deep and hands


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=ROWS, sent=UPDATES)
def test_an_update_answers_for_what_it_touches_and_nothing_else(running: Running, old: dict[str, Any], sent: dict[str, Any]) -> None:
    """An old value that breaks a rule which is new to it stays, and is flagged; touching it is refused."""
    ana = running.person("ana", "agent")
    made = ana.create("note", nr=None)
    row = dict(old)
    columns = [*row, "why_key", "code_key"]
    values = [*row.values(), row["why"], (row["code"] or "").lower() or None]
    key = made.id if running.dialect == "postgresql" else bytes.fromhex(made.id.replace("-", ""))
    running.run(f"UPDATE note SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?", *values, key)
    before = ana.get("note", made.id)
    if not passes(before, sent):
        with pytest.raises(Invalid):
            ana.update("note", made.id, 1, **sent)
        assert ana.get("note", made.id) == before
        return
    written = ana.update("note", made.id, 1, **sent)
    after = written.record
    assert all(after[name] == value for name, value in sent.items() if name not in ("depth", "why"))
    beyond = None not in (after["most"], after["least"]) and after["least"] > after["most"]
    assert not written.changed or ("least:max" in (after["flags"] or "").split()) == beyond


def test_rows_are_judged_by_their_rules_row_by_row(application: Applications) -> None:
    """Conditions in a row read the row and its record; what does not apply to a row is emptied; old rows hold up nothing."""
    order = """
fields:
  name: text
  big: boolean
  lines:
    type: rows
    fields:
      item: {type: text, recommended: parent.big}
      kind: {type: choice, options: {free: {}, dear: {when: parent.big}}}
      price: {type: integer, show: kind == "dear", required: parent.big, min: =least}
      least: integer
access: {agent: {read: true, create: true, update: true}}
"""
    running = application({"order": order})
    ana = running.person("ana", "agent")
    with pytest.raises(Invalid) as refused:
        ana.create("order", big=True, lines=[{"kind": "dear"}, {"kind": "dear", "price": 1, "least": 2, "item": "x"}])
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM501", ("lines", "0", "price")), ("XRM502", ("lines", "1", "price"))]
    with pytest.raises(Invalid) as refused:
        ana.create("order", lines=[{"kind": "dear"}])
    assert [(p.code, p.message) for p in refused.value.problems] == [("XRM539", "Lines, row 1: Kind cannot be 'Dear' here")]
    made = ana.create("order", big=True, lines=[{"kind": "free", "price": 7}, {"kind": "dear", "price": 3}])
    assert [row["price"] for row in made.record["lines"]] == [None, 3]
    assert made.record["flags"] == "lines:recommended" and [p.path for p in made.warnings] == [
        ("lines", "0", "item"),
        ("lines", "1", "item"),
    ]
    running.run("UPDATE order__lines SET price = NULL" if running.dialect == "sqlite" else 'UPDATE "order__lines" SET price = NULL')
    named = ana.update("order", made.id, 1, name="x")
    assert named.record["flags"] == "lines:recommended lines:required"
    rows = [{"id": row["id"], "kind": row["kind"]} for row in named.record["lines"]]
    assert ana.update("order", made.id, 2, lines=[rows[0] | {"item": "y"}, rows[1]]).record["flags"] == "lines:recommended lines:required"
    assert ana.update("order", made.id, 3, lines=[rows[0], rows[1] | {"least": 1}]).changed
    with pytest.raises(Invalid, match="row 3: Price is required"):
        ana.update("order", made.id, 4, lines=[*rows, {"kind": "dear"}])


def test_a_value_in_use_names_the_record_that_has_it(application: Applications) -> None:
    """Alone, together with others, under a condition; never a record that the actor may not see."""
    note = """
title: "{name}"
unique: {source: {fields: [code, part], when: live}}
fields: {name: {type: text, unique: true}, code: text, part: integer, live: boolean, mine: boolean}
access: {agent: {read: mine, create: true, update: true}}
"""
    running = application({"note": note})
    ana = running.person("ana", "agent")
    ana.create("note", name="One", code="A", part=1, live=True, mine=True)
    running.system.create("note", name="Two", mine=False)
    for values, said in (
        ({"name": "ONE", "mine": True}, "Name is already in use by One"),
        ({"name": "x", "code": "a", "part": 1, "live": True, "mine": True}, "Code and Part are together already in use by One"),
        ({"name": "two", "mine": True}, "Name is already in use"),
    ):
        with pytest.raises(Invalid) as refused:
            ana.create("note", **values)
        assert [problem.message for problem in refused.value.problems] == [said]
    free = ana.create("note", name="y", code="a", part=1, live=False, mine=True)
    with pytest.raises(Invalid, match="Code and Part are together already in use by One"):
        ana.update("note", free.id, 1, live=True)
    assert ana.update("note", free.id, 1, live=True, part=2).changed


PROGRAMMES = {
    "prog": 'key: code\ntitle: "{name}"\nfields: {code: {type: text, unique: true, required: true}, name: text, rate: integer}\n',
    "data/prog.yml": "CUL: {name: Culture, rate: 7}\nSPO: {name: Sport, rate: 9}\n",
    "app": """number: "{p1.code}-{grp}-{seq:3}"
fields:
  viatot: {type: integer, default: =tot}
  viasum: {type: integer, default: '=sum(lines.map(l, l.a * l.b))'}
  viadbl: {type: integer, default: =dbl + 1}
  dbl: {type: integer, compute: =qty * rate}
  rate: {type: integer, default: =p1.rate}
  p1: {type: link, to: prog, default: [{when: grp == "a", use: CUL}, {use: SPO}]}
  grp: {type: choice, options: [a, b], default: a}
  qty: {type: integer, default: 3}
  lines: {type: rows, fields: {a: {type: integer, default: =parent.qty}, b: integer, c: {type: integer, compute: =a * b}}}
  tot: {type: integer, compute: =sum(lines.c)}
""",
}


@pytest.mark.parametrize(
    ("sent", "made"),
    [
        ({}, {"number": "CUL-a-001", "rate": 7, "dbl": 21, "viadbl": 22, "tot": 15, "viatot": 15, "viasum": 15}),
        ({"grp": "b", "qty": 10}, {"number": "SPO-b-001", "rate": 9, "dbl": 90, "viadbl": 91, "tot": 50, "viatot": 50, "viasum": 50}),
        ({"rate": 1, "viatot": 4}, {"number": "CUL-a-001", "rate": 1, "dbl": 3, "viadbl": 4, "tot": 15, "viatot": 4, "viasum": 15}),
    ],
)
def test_a_default_reads_what_follows_from_other_defaults(
    application: Applications, sent: dict[str, object], made: dict[str, object]
) -> None:
    """Records that defaults name and what lies beyond them, computed fields, and rows with defaults of their own; whatever stands first
    in the file. The number is made from the same."""
    access = "access: {boss: [read, create]}\n"
    running = application({name: text if "/" in name else text + access for name, text in PROGRAMMES.items()})
    person = running.person("ana", "boss")
    record = person.get("app", person.create("app", lines=[{"b": 1}, {"b": 4}], **sent).id)
    assert {name: record[name] for name in made} == made
