"""Exports, and the way back."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.application import Applications, Person
from tests.transfer.samples import FILES, imported, words
from xrm.errors import Invalid
from xrm.expr.places import Point
from xrm.model.fields import Field
from xrm.model.values import coerce
from xrm.service.transfer.exporting import Export, cell_text, export

EVERYTHING = """\
fields:
  text: text
  long_text: long_text
  integer: integer
  decimal: {type: decimal, places: 4}
  money: money
  boolean: boolean
  date: date
  datetime: datetime
  choice: {type: choice, options: [low, High-1, a.b]}
  email: email
  phone: phone
  url: url
  point: point
  json: json
  markdown: markdown
  percent: percent
  time: time
  duration: duration
  business: {type: duration, unit: business hours}
  many: {type: choice, options: [low, High-1, a.b], many: true}
  home: address
  rows: {type: rows, fields: {n: integer, kind: {type: link, to: kind}, any: {type: link, to: [kind, tag]}}}
  kind: {type: link, to: kind}
  any: {type: link, to: [kind, tag, bare]}
  some: {type: link, to: kind, many: true}
  mixed: {type: link, to: [kind, tag, bare], many: true}
  note: {type: link, to: note}
access: {agent: [read, create, update]}
"""
KIND = """\
key: code
fields: {code: {type: text, unique: true, required: true}}
access: {agent: [read, create]}
"""
TAG = "key: name\nfields: {name: {type: text, unique: true, required: true}}\naccess: {agent: [read, create]}\n"
BARE = "fields: {name: text}\naccess: {agent: [read, create]}\n"

PRINTED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | PRINTED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PRINTED, inner, max_size=2),
    max_leaves=4,
)
DEGREES = st.floats(-180, 180).map(lambda x: round(x, 12)) | st.sampled_from([1e-05, -0.0, 89.999999999])
ALONE = st.fixed_dictionaries(
    {
        "text": PRINTED,
        "long_text": PRINTED | st.sampled_from(["a\n\nb", 'say "x",\r\ny', "=1+1", "\tx", "'", "-5"]),
        "integer": st.integers(-(2**53) + 1, 2**53 - 1),
        "decimal": st.integers(-(10**14), 10**14).map(lambda n: Decimal(n).scaleb(-4)),
        "money": st.integers(-(10**14), 10**14).map(lambda n: Decimal(n).scaleb(-2)),
        "boolean": st.booleans(),
        "markdown": PRINTED,
        "percent": st.integers(-(10**14), 10**14).map(lambda n: Decimal(n).scaleb(-1)),
        "time": st.times().map(lambda time: time.replace(microsecond=0)),
        "duration": st.timedeltas(timedelta(days=-900_000), timedelta(days=900_000)),
        "business": st.integers(-1000, 1000),
        "many": st.sets(st.sampled_from(["low", "High-1", "a.b"])).map(sorted),
        "date": st.dates(),
        "datetime": st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        "choice": st.sampled_from(["low", "High-1", "a.b"]),
        "email": st.sampled_from(["a@b.org", "x.y+z@example.org"]),
        "phone": st.sampled_from(["+12135550134", "+4930123456"]),
        "url": st.sampled_from(["https://example.org/a?b=c,d#e", "http://x.org/\"'"]),
        "point": st.builds(Point, DEGREES.filter(lambda x: abs(x) <= 90), DEGREES),
        "home": st.dictionaries(st.sampled_from(["street", "city", "postcode"]), st.sampled_from(["a b", '"x", y', "0012"]), min_size=1),
        "json": st.lists(JSON, max_size=3) | st.dictionaries(PRINTED, JSON, max_size=3),
    }
)
SPARSE = st.builds(lambda values, kept: {k: v for k, v in values.items() if k in kept}, ALONE, st.sets(st.sampled_from(sorted(
    ["text", "long_text", "integer", "decimal", "money", "boolean", "date", "datetime", "choice", "email", "phone", "url", "point", "json",
     "markdown", "percent", "time", "duration", "business", "many", "home"]
))))  # fmt: skip


def exported(who: Person, entity: str, **wanted: Any) -> str:
    out = io.StringIO(newline="")
    export(who.ctx, Export(entity, **wanted), out)
    return out.getvalue()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_what_is_exported_is_imported_as_the_same(application: Applications, tmp_path: Path) -> None:
    """For every type: the exported file, imported into an empty application, gives the same records; into its own, no write."""
    texts = {"note": EVERYTHING, "kind": KIND, "tag": TAG, "bare": BARE}
    here, there = application(texts), application(texts)
    for running in (here, there):
        running.system.create("kind", code="k 1")
        running.system.create("tag", name="red: 2")
    kind, tag, bare = here.system.all("kind")[0]["id"], here.system.all("tag")[0]["id"], here.system.create("bare").id
    odd = {
        "rows": [{"n": 1, "kind": "k 1", "any": "tag:red: 2"}, {"any": kind}],
        "any": "tag:red: 2",
        "some": ["k 1"],
        "mixed": [tag, kind],
    }
    made: list[str] = []

    @settings(max_examples=60, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(SPARSE)
    def fill(values: dict[str, object]) -> None:
        link = {"note": made[-1], **(odd if len(made) % 2 else {})} if made else {"any": bare}
        made.append(here.system.create("note", **values, kind=kind, **link).id)

    fill()
    text = exported(here.system, "note", sort="created_at")
    own = imported(here.system, tmp_path, text, entity="note", historic=True)
    assert words(own) == []
    assert (own.created, own.updated, own.unchanged) == (0, 0, len(made))
    lines = exported(here.system, "note", sort="created_at", form="jsonl")
    own = imported(here.system, tmp_path, lines, entity="note", historic=True)
    assert (words(own), own.unchanged) == ([], len(made))
    for told in (rows(text)[1:3], [json.loads(line) for line in lines.split("\n")[1:3]]):
        assert {str(row["any"]) for row in told} - {"", "None"} == {"tag:red: 2"}
    # links among the rows of one file are found once their records are there
    without = exported(here.system, "note", sort="created_at", fields=tuple(n for n in rows(text)[0] if n not in ("note", "any")))
    assert imported(there.system, tmp_path, without, entity="note", historic=True).created == len(made)
    told = lines.partition("\n")[2]
    assert words(imported(there.system, tmp_path, told, entity="note", historic=True)) == []
    bookkeeping = {"version", "updated_at", "updated_by", "created_by", "kind", "any", "any.entity", "some", "mixed", "rows"}
    for before, after in zip(here.system.all("note", sort="created_at"), there.system.all("note", sort="created_at"), strict=True):
        assert {k: v for k, v in before.items() if k not in bookkeeping} == {k: v for k, v in after.items() if k not in bookkeeping}
    assert {row["kind"] for row in rows(text)} == {"k 1"}
    linked = ("any", "some", "mixed", "rows")
    shown = [rows(exported(one.system, "note", sort="created_at", fields=linked))[1:] for one in (here, there)]
    for row in (*shown[0], *shown[1]):
        row["rows"] = re.sub(r'"id":"[^"]*",', "", row["rows"])
    assert shown[0] == shown[1]
    assert {row["mixed"] for row in shown[0]} == {"", "tag:red: 2, kind:k 1"}


def test_json_lines_are_read_strictly(application: Applications, tmp_path: Path) -> None:
    """Every line has the names of the first; numbers are exact; what is no object names its line."""
    ana = application(FILES).person("bea", "boss")
    map_ = "import: case\nkey: [source, source_id]\ncolumns: {id: source_id, s: subject, p: paid, x: source}\n"

    def report(*lines: str) -> Any:
        return imported(ana, tmp_path, "\n".join(lines), map_, entity="case")

    assert report('{"id": 1, "s": "A", "p": 12.50, "x": "a"}', "", '{"id": "2", "s": "B", "p": null, "x": "a"}').created == 2
    assert [(row["source_id"], row["paid"]) for row in ana.all("case", sort="source_id")] == [("1", Decimal("12.50")), ("2", None)]
    for line, said in {
        '{"id": 3}': "row 2: the line has no 's', and the first one has",
        '{"id": 3, "s": "", "p": 1, "x": "", "y": 1}': "row 2: the line has 'y', and not the first one has",
        "[1]": "row 2: this is no JSON object",
        '{"id": 3,': "row 2: this is no JSON object",
    }.items():
        broken = report('{"id": 1, "s": "A", "p": 12.50, "x": "a"}', line)
        assert not broken.well
        assert [said in problem.message for problem in broken.broken] == [True], broken.broken
    assert words(report('{"id": 1, "s": "A", "p": {"a": 1}, "x": "a"}')) == ["row 1: p: Paid must be a number"]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (Field("x", "decimal", {}, places=2), Decimal("1E+3"), "1000"),
        (Field("x", "decimal", {}, places=2), Decimal("-0.50"), "-0.50"),
        (Field("x", "point", {}), Point(1e-05, -0.1), "0.00001, -0.1"),
        (Field("x", "point", {}), Point(1.5, 0.0), "1.5, 0.0"),
        (Field("x", "datetime", {}), datetime(2026, 3, 2, 9, 0, 0, 5, tzinfo=UTC), "2026-03-02T09:00:00.000005Z"),
        (Field("x", "date", {}), date(2026, 3, 2), "2026-03-02"),
        (Field("x", "boolean", {}), False, "false"),
        (Field("x", "json", {}), ["a", None], '["a",null]'),
        (Field("x", "text", {}), None, ""),
    ],
)
def test_values_are_exact(field: Field, value: object, text: str) -> None:
    """No rounding, no exponent, no local form; the field reads the same value back."""
    assert cell_text(field, value) == text
    assert coerce(field, text) == value


def test_an_export_has_the_rights_of_its_actor(application: Applications) -> None:
    """Records and fields that the actor may not see are not in it; to name one is the mistake of naming nothing."""
    running = application(FILES)
    running.system.create("case", subject="Open", secret="s", source="a", source_id="1")
    running.system.create("case", subject="Hidden", source="hidden", source_id="2")
    ana = running.person("ana", "agent")
    assert [row["subject"] for row in rows(exported(ana, "case"))] == ["Open"]
    assert "secret" not in rows(exported(ana, "case"))[0]
    assert rows(exported(running.person("bea", "boss"), "case", fields=("secret",))) == [{"secret": "s"}]
    for wanted in ({"fields": ("secret",)}, {"filter": 'secret == "s"'}, {"sort": "secret"}):
        with pytest.raises(Invalid, match="unknown"):
            exported(ana, "case", **wanted)


def test_filter_order_paths_and_pages(application: Applications) -> None:
    """More than one page, in order, each record once; a path follows links; a link is its record's key."""
    running = application(FILES)
    kind = running.system.create("kind", code="wood", label="Of wood").id
    for n in range(30):
        running.system.create("case", subject=f"Case {n:02}", kind=kind if n % 2 else None, source="a", source_id=str(n))
    found = rows(exported(running.system, "case", fields=("subject", "kind", "kind.label"), filter="kind != null", sort="-subject"))
    assert [row["subject"] for row in found] == [f"Case {n:02}" for n in range(29, 0, -2)]
    assert found[0] == {"subject": "Case 29", "kind": "wood", "kind.label": "Of wood"}


def test_pages_follow_each_other(application: Applications, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export longer than a page has every record once, the oldest first."""
    monkeypatch.setattr("xrm.service.transfer.exporting.MOST_ROWS", 7)
    running = application(FILES)
    for n in range(30):
        running.system.create("case", subject=f"Case {n:02}", source="a", source_id=str(n))
    assert [row["subject"] for row in rows(exported(running.system, "case"))] == [f"Case {n:02}" for n in range(30)]


def test_json_lines(application: Applications) -> None:
    """One object a line; decimals are text, so that no reader rounds them."""
    running = application(FILES)
    running.system.create("case", subject="A", paid="12.50", place="1.5, 2", source="a", source_id="1")
    (line,) = exported(running.system, "case", form="jsonl", fields=("subject", "paid", "place", "open", "ended_at")).splitlines()
    assert json.loads(line) == {"subject": "A", "paid": "12.50", "place": {"lat": 1.5, "lon": 2.0}, "open": True, "ended_at": None}


def test_formulas_are_guarded_on_demand(application: Applications) -> None:
    """For a spreadsheet, text that it would run gets an apostrophe; numbers do not, and without the wish nothing does."""
    running = application(FILES)
    running.system.create("case", subject='=HYPERLINK("x")', paid="1.00", source="@a", source_id="-1")
    (plain,) = rows(exported(running.system, "case", fields=("subject", "source", "source_id", "paid")))
    assert (plain["subject"], plain["source_id"]) == ('=HYPERLINK("x")', "-1")
    (guarded,) = rows(exported(running.system, "case", fields=("subject", "source", "source_id", "paid"), guarded=True))
    assert guarded == {"subject": '\'=HYPERLINK("x")', "source": "'@a", "source_id": "'-1", "paid": "1.00"}
