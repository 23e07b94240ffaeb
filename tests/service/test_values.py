"""Values survive: what is sent comes back, the same on both databases, whichever way it is asked for."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.application import Applications, Running
from xrm.errors import Invalid
from xrm.expr.places import Point
from xrm.expr.values import duration_words
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce, fold

SAMPLE = """
title: "{short}"
fields:
  short: text
  long: long_text
  whole: integer
  d0: {type: decimal, places: 0}
  d2: decimal
  d9: {type: decimal, places: 9}
  usd: money
  jpy: {type: money, currency: JPY}
  kwd: {type: money, currency: KWD}
  flag: boolean
  day: date
  moment: datetime
  pick: {type: choice, options: [one, two_words, drei]}
  link: {type: link, to: other}
  rich: markdown
  rate: percent
  opens: time
  spent: duration
  within: {type: duration, unit: business days}
  level: {type: choice, options: [low, high, above], ordered: true}
  ways: {type: choice, options: [web, phone, desk], many: true}
  owner: user
  team: role
  mail: email
  tel: phone
  web: url
  place: point
  region: area
  data: json
access: {agent: [read, create, update, delete]}
"""
OTHER = "fields: {name: text}\naccess: {agent: [read, create, update, delete]}"
TEXTS = {"sample": SAMPLE, "other": OTHER}
RING = '{"type": "Polygon", "coordinates": [[[-118.3, 34.0], [-118.2, 34], [-118.2, 34.1234567], [-118.3, 34.0]]]}'
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# No control characters, which no keyboard sends; but every other script, sign, emoji, and what NFC would change.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
SPREAD = st.sampled_from(["+00:00", "+02:00", "-08:00", "+05:45", "Z"])
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(datetime.isoformat)  # noqa: DTZ001 (the zone comes after)


def scaled(places: int) -> st.SearchStrategy[str]:
    """Exact numbers with so many digits after the point, up to the limit of fifteen digits."""
    return st.integers(-(10**15) + 1, 10**15 - 1).map(lambda n: str(Decimal(n).scaleb(-places).quantize(Decimal(1).scaleb(-places))))


SENT: dict[str, st.SearchStrategy[Any]] = {
    "short": TEXT,
    "long": TEXT,
    "whole": st.integers(-(2**53) + 1, 2**53 - 1),
    "d0": scaled(0),
    "d2": scaled(2),
    "d9": scaled(9),
    "usd": scaled(2),
    "jpy": scaled(0),
    "kwd": scaled(3),
    "flag": st.booleans(),
    "day": st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat),
    "moment": st.tuples(INSTANTS, SPREAD).map("".join),
    "pick": st.sampled_from(["one", "two_words", "drei"]),
    "rich": TEXT,
    "rate": scaled(1),
    "opens": st.times().map(lambda time: time.isoformat("seconds")),
    "spent": st.timedeltas(timedelta(days=-900_000), timedelta(days=900_000)).map(duration_words),
    "within": st.integers(-999_999_999, 999_999_999).map(lambda n: f"{n} business days"),
    "level": st.sampled_from(["low", "high", "above"]),
    "ways": st.lists(st.sampled_from(["web", "phone", "desk"]), min_size=1),
    "team": st.sampled_from(["agent", "boss"]),
    "mail": st.sampled_from(["ada@example.org", "Ada.Lovelace+x@Example.ORG", "müller@bücher.example"]),
    "tel": st.sampled_from(["+1 213 555 0134", "+44 20 7946 0958", "+41 44 668 18 00"]),
    "web": st.sampled_from(["https://example.org/a?b=%25#c", "http://bücher.example/ü"]),
    "place": st.fixed_dictionaries({"lat": st.floats(-90, 90), "lon": st.floats(-180, 180)}),
    "data": st.recursive(
        st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=8,
    ).filter(lambda value: not isinstance(value, str)),
}
FILTERED = [name for name in SENT if name not in ("place", "data", "long", "rich", "ways")]


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


def literal(field: Field, value: Any) -> str:
    """The value as an expression's literal."""
    match field.type:
        case "decimal" | "money" | "percent":
            return format(value, "f")
        case "boolean":
            return "true" if value else "false"
        case "integer":
            return str(value)
        case "time":
            return f'time("{value.isoformat()}")'
        case "duration" if field.unit:
            return f"business_days({value})"
        case "duration":
            return f'duration("{value // timedelta(microseconds=1)}us")'
        case "date":
            return f'date("{value.isoformat()}")'
        case "datetime":
            return f'timestamp("{value.isoformat().replace("+00:00", "Z")}")'
        case _:
            return json.dumps(value, ensure_ascii=False)


def plain(field: Field, value: Any) -> Any:
    """A value as the API's JSON has it."""
    if field.type == "duration" and value is not None:
        return duration_words(value) if isinstance(value, timedelta) else f"{value} business day{'' if abs(value) == 1 else 's'}"
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return (
        value.as_json()
        if isinstance(value, Point)
        else value.isoformat()
        if isinstance(value, date | time)
        else str(value)
        if isinstance(value, Decimal)
        else value
    )


def fitting(field: Field, raw: Any) -> bool:
    """Whether the field takes it: some texts are too long once they are composed, or nothing but space."""
    try:
        return coerce(field, raw) is not None
    except Misfit:
        return False


@PROPERTY
@given(raws=st.fixed_dictionaries({}, optional=SENT), asked=st.sampled_from(FILTERED))
def test_values_come_back_as_they_were_sent(running: Running, raws: dict[str, Any], asked: str) -> None:
    """Created, got, found by equality, read as JSON and sent back: values are the same each time, and at the end nothing has changed."""
    ana = running.person("ana", "agent")
    fields = running.service.application.model.entities["sample"].fields
    raws = {name: raw for name, raw in raws.items() if fitting(fields[name], raw)}
    values = {name: coerce(fields[name], raws[name]) if name in raws else None for name in SENT}

    made = ana.create("sample", **raws)
    assert {name: made.record[name] for name in SENT} == values
    got = ana.get("sample", made.id)
    assert {name: got[name] for name in SENT} == values
    wanted = literal(fields[asked], values[asked]) if values[asked] is not None else "null"
    found = ana.all("sample", filter=f"{asked} == {wanted}", fields=(asked,))
    assert made.id in [row["id"] for row in found] and {row[asked] for row in found} == {values[asked]}

    shown = ana.get("sample", made.id, *SENT, nested=True)
    assert {name: shown[name] for name in SENT} == {name: plain(fields[name], value) for name, value in values.items()}
    assert not ana.update("sample", made.id, 1, **{name: shown[name] for name in SENT}).changed


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("short", "e\u0301", "é"),
        ("short", "  a \t b\u00a0 c ", "a b c"),
        ("short", "   ", None),
        ("short", "", None),
        ("long", " a\r\n b ", "a\n b"),
        ("whole", "-9007199254740991", -9007199254740991),
        ("whole", 12.0, 12),
        ("d2", "9999999999999.99", Decimal("9999999999999.99")),
        ("d2", 0.1, Decimal("0.10")),
        ("d9", "-0.000000001", Decimal("-0.000000001")),
        ("jpy", 5, Decimal("5")),
        ("kwd", "1.001", Decimal("1.001")),
        ("moment", "2026-03-29T01:30:00.123456+01:00", datetime(2026, 3, 29, 0, 30, 0, 123456, UTC)),
        ("moment", "2026-06-30T23:59:59.999999Z", datetime(2026, 6, 30, 23, 59, 59, 999999, UTC)),
        ("tel", "+1 (213) 555-0134 ext. 7", "+12135550134;ext=7"),
        ("mail", "Ada@EXAMPLE.org", "Ada@example.org"),
        ("place", "34.0522, -118.2437", Point(34.0522, -118.2437)),
        ("place", {"lat": 0.1 + 0.2, "lon": -1e-9}, Point(0.1 + 0.2, -1e-9)),
        ("region", RING, {"type": "Polygon", "coordinates": [[[-118.3, 34.0], [-118.2, 34.0], [-118.2, 34.123457], [-118.3, 34.0]]]}),
        (
            "region",
            {
                "type": "Feature",
                "properties": {},
                "geometry": {"type": "MultiPolygon", "coordinates": [[[[0, 0, 7], [1, 0], [1, 1], [0, 0, 7]]]]},
            },
            {"type": "MultiPolygon", "coordinates": [[[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]]},
        ),
        ("data", '{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("flag", "no", False),
        ("rich", " # A\r\n\r\n- b", "# A\n\n- b"),
        ("rate", "12.5", Decimal("12.5")),
        ("opens", "07:05", time(7, 5)),
        ("spent", "90 minutes", timedelta(minutes=90)),
        ("spent", "1 Day, 12 hours and 30 min", timedelta(days=1, hours=12, minutes=30)),
        ("spent", "1d12h", timedelta(days=1, hours=12)),
        ("spent", "2 weeks 1 day", timedelta(days=15)),
        ("spent", "P2W", timedelta(days=14)),
        ("spent", "-P1DT0.5S", -timedelta(days=1, seconds=0.5)),
        ("within", "5 business days", 5),
        ("within", "1 Business day", 1),
        ("within", 12, 12),
        ("ways", "desk, web", ("web", "desk")),
        ("ways", ["phone", "phone"], ("phone",)),
        ("ways", '["desk"]', ("desk",)),
        ("ways", [], None),
        ("team", "boss", "boss"),
    ],
)
def test_what_is_kept_of_a_value(running: Running, name: str, sent: object, kept: object) -> None:
    """Text is NFC and trimmed, empty is nothing, an instant is in UTC, a number is exact: and so it comes back."""
    ana = running.person("ana", "agent")
    made = ana.create("sample", **{name: sent})
    assert ana.get("sample", made.id)[name] == kept


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("short", "a\0b"),
        ("short", "\ud800"),
        ("short", "x" * 256),
        ("short", True),
        ("region", "{"),
        ("region", {"type": "Point", "coordinates": [0, 0]}),
        ("region", {"type": "Polygon", "coordinates": []}),
        ("region", {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}),
        ("region", {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}),
        ("region", {"type": "Polygon", "coordinates": [[[0, 0], [181, 0], [1, 1], [0, 0]]]}),
        ("region", {"type": "Polygon", "coordinates": [[[0, 0], [1], [1, 1], [0, 0]]]}),
        ("region", {"type": "Polygon", "coordinates": [[["x", 0], [1, 0], [1, 1], ["x", 0]]]}),
        ("region", {"type": "Polygon", "coordinates": {"a": 1}}),
        ("whole", 2**53),
        ("whole", "1.0"),
        ("whole", "\u0663"),
        ("whole", True),
        ("d2", "0.001"),
        ("d2", "10000000000000"),
        ("d2", "NaN"),
        ("d2", float("inf")),
        ("d2", "1e3"),
        ("jpy", "5.5"),
        ("rate", "0.55"),
        ("opens", "24:00"),
        ("opens", "7:05"),
        ("opens", "07:05Z"),
        ("spent", "5 business days"),
        ("spent", "3 months"),
        ("spent", "1 hour 90"),
        ("spent", 90),
        ("spent", "4000000 days"),
        ("within", "36 hours"),
        ("within", "5 business hours"),
        ("within", "1.5 business days"),
        ("ways", "web, fax"),
        ("ways", {"web": True}),
        ("ways", [None]),
        ("team", "mayor"),
        ("usd", "1,250.50"),
        ("day", "2026-02-30"),
        ("day", "2026-03-02T09:00:00Z"),
        ("moment", "2026-03-02T09:00:00"),
        ("moment", "0001-01-01T00:00:00+14:00"),
        ("pick", "three"),
        ("mail", "ada@"),
        ("tel", "555 0134"),
        ("web", "javascript:alert(1)"),
        ("place", "91, 0"),
        ("place", {"lat": float("nan"), "lon": 0}),
        ("data", "{"),
        ("data", '"a text alone"'),
        ("link", "1"),
        ("flag", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(running: Running, name: str, sent: object) -> None:
    """What a field cannot hold is refused with its name and nothing is written."""
    ana = running.person("ana", "agent")
    with pytest.raises(Invalid) as refused:
        ana.create("sample", **{name: sent})
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [("XRM502", (name,))]
    assert ana.count("sample") == 0


def test_everything_wrong_is_said_at_once(running: Running) -> None:
    """Every value that does not fit is named in one answer."""
    with pytest.raises(Invalid) as refused:
        running.person("ana", "agent").create("sample", whole="x", day="y", nothing=1, title="T")
    assert {problem.path[0]: problem.code for problem in refused.value.problems} == {
        "whole": "XRM502", "day": "XRM502", "nothing": "XRM302", "title": "XRM505",
    }  # fmt: skip


def test_a_link_comes_back(running: Running) -> None:
    """A link is the id of a live record, is found by it, and one that is not there is refused."""
    ana = running.person("ana", "agent")
    other = ana.create("other", name="One")
    made = ana.create("sample", link={"id": other.id.upper()})
    assert ana.get("sample", made.id, "link", "link.name") == {"id": made.id, "link": other.id, "link.name": "One"}
    assert [row["id"] for row in ana.all("sample", filter=f'link == "{other.id}"')] == [made.id]
    with pytest.raises(Invalid) as refused:
        ana.update("sample", made.id, 1, link=running.system.id)
    assert refused.value.problems[0].code == "XRM511"


WORDS = [
    "",
    "Äpfel",
    "apfel",
    "Apfel",
    "Zebra",
    "zebra",
    "straße",
    "STRASSE",
    "ÇAĞRI",
    "çağrı",
    "ｆｕｌｌ",
    "full",
    "東京",
    "ひらがな",
    "한국",
    "Ωμέγα",
    "ωμεγα",
    "100%",
    "a_b",
    "axb",
]


@pytest.mark.parametrize("name", ["short", "whole", "d9", "usd", "flag", "day", "moment", "pick", "mail"])
@pytest.mark.parametrize("way", ["", "-"])
def test_every_sort_is_that_of_python(running: Running, name: str, way: str) -> None:
    """Sorted lists stand in the same order on both databases: text by its folded key, the rest by value; empty ones last, either way."""
    ana = running.person("ana", "agent")
    values: dict[str, list[Any]] = {
        "short": WORDS,
        "whole": [3, -(2**53) + 1, 2**53 - 1, 0, 3],
        "d9": ["0.000000001", "-999999.999999999", "10", "9.999999999"],
        "usd": ["2.10", "2.09", "-1", "10"],
        "flag": [True, False, True],
        "day": ["0001-01-01", "9999-12-31", "2026-01-10", "2026-01-09"],
        "moment": ["0999-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00Z", "9999-12-31T00:00:00Z"],
        "pick": ["two_words", "one", "drei"],
        "mail": ["b@example.org", "a@example.org", "B@example.org"],
    }
    made = [ana.create("sample", **{name: value}) for value in [*values[name], None]]

    def key(record: Any) -> tuple[Any, ...]:
        value = record[name]
        return (fold(value) if name == "short" else value, record["id"])

    there = sorted((m.record for m in made if m.record[name] is not None), key=key, reverse=bool(way))
    empty = sorted((m.id for m in made if m.record[name] is None), reverse=bool(way))
    assert [row["id"] for row in ana.all("sample", sort=f"{way}{name}", limit=3)] == [*(r["id"] for r in there), *empty]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("apfel", {"Äpfel", "apfel", "Apfel"}),
        ("APFEL", {"Äpfel", "apfel", "Apfel"}),
        ("strasse", {"straße", "STRASSE"}),
        ("ÇAGRI", {"ÇAĞRI"}),
        ("ｆull", {"ｆｕｌｌ", "full"}),
        ("京", {"東京"}),
        ("ωμέγ", {"Ωμέγα", "ωμεγα"}),
        ("%", {"100%"}),
        ("_", {"a_b"}),
        ("'", set()),
        ("\\", set()),
    ],
)
def test_search_folds_and_takes_signs_as_they_are(running: Running, words: str, found: set[str]) -> None:
    """Case, accents and width do not count in a search; a per cent sign and an underscore stand for themselves."""
    ana = running.person("ana", "agent")
    for word in WORDS:
        ana.create("sample", short=word)
    assert {row["short"] for row in ana.all("sample", search=words)} == found
    assert ana.count("sample", search=words) == len(found)


@pytest.mark.parametrize("words", ["  oak   st ", "OAK ST", "oak\tst"])
def test_search_words_are_trimmed_like_text(running: Running, words: str) -> None:
    """What is searched is spaced as stored text is."""
    ana = running.person("ana", "agent")
    ana.create("sample", short="12 Oak St")
    assert ana.count("sample", search=words) == 1


@given(st.text(max_size=30))
@settings(max_examples=500, deadline=None)
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded key is its own folded key, so that what is searched and what is stored always meet."""
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("P7M", "has months or years, which have no fixed length"),
        ("P1Y", "has months or years, which have no fixed length"),
        ("P1W2M", "has months or years, which have no fixed length"),
        ("1 year 2 days", "has months or years, which have no fixed length"),
        ("7 Months", "has months or years, which have no fixed length"),
        ("PT7MX", "must be a length of time"),
        ("7 moons", "must be a length of time"),
    ],
)
def test_why_a_length_is_none(sent: str, said: str) -> None:
    """A term of months or years is told from what is no length at all."""
    with pytest.raises(Misfit) as refused:
        coerce(Field("spent", "duration", {"en": "Spent"}), sent)
    assert refused.value.message == said
