"""How much a check tells of one file, and how much an application may be in all."""

import pytest

from xrm.errors import Problem, comparable
from xrm.source import load_text, weighing
from xrm.source.load import _Reading

XRM = "xrm: 1\nname: city\nroles: {agent: Agent}\n"
THING = "entity: thing\nkey: code\nfields: {code: {type: text, unique: true, required: true}, size: integer}\n"


def problems(files: dict[str, str]) -> tuple[Problem, ...]:
    return load_text({"xrm.yml": XRM, **files}).problems


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("data/thing.yml", "".join(f"k{n}: {{sise: 1}}\n" for n in range(300)), "XRM203"),
        ("locale/es.yml", "entities:\n" + "".join(f"  e{n}: {{label: E}}\n" for n in range(300)), "XRM203"),
    ],
)
def test_two_hundred_problems_of_a_file_are_told_and_how_many_more_there_are(name: str, text: str, code: str) -> None:
    """The last line counts the others; every file has its own."""
    told = [one for one in problems({"entities/thing.yml": THING, name: text}) if one.place and one.place.file == name]
    assert [one.code for one in told] == [code] * 200 + ["XRM104"]
    assert told[-1].message == "100 more problems follow in this file" and told[-1].severity == "error" and told[-1].hint


def test_an_application_is_weighed_with_what_its_entities_inherit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One problem, at the entity with which it is too much; nothing is made of the rest."""
    base = "entity: base\nabstract: true\nfields:\n" + "".join(f"  f{n}: text\n" for n in range(50))
    heirs = {f"entities/e{n}.yml": f"entity: e{n}\nextends: base\nfields: {{own: nothing_of_the_kind}}\n" for n in range(9)}
    monkeypatch.setattr(weighing, "MOST", 1_000)
    told = problems({"entities/base.yml": base, **heirs})
    assert [(one.code, str(one.place)) for one in told] == [("XRM104", "entities/e2.yml:1:1")]
    assert "more than 1,000 values" in told[0].message
    monkeypatch.setattr(weighing, "MOST", 10_000)
    assert {one.code for one in problems({"entities/base.yml": base, **heirs})} == {"XRM203"}


def test_the_files_of_an_application_hold_so_many_values_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data and languages count too, and no file is read after the one with which it is too much."""
    monkeypatch.setitem(_Reading.__init__.__globals__, "MOST_VALUES", 60)
    told = problems({"entities/thing.yml": THING, "data/thing.yml": "".join(f"k{n}: {{}}\n" for n in range(30))})
    assert [(one.code, str(one.place)) for one in told] == [("XRM104", "data/thing.yml:1:1")]


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"xrm.yml": XRM + "use: [" + ", ".join(f"p{n}" for n in range(1_001)) + "]\n"}, "xrm.yml:4:5897"),
        ({"entities/thing.yml": THING + "forms:\n" + "  - {section: S, fields: [size]}\n" * 1_001}, "entities/thing.yml:1005:5"),
        ({"data/thing.yml": "a: {" + ", ".join(f"f{n}: 1" for n in range(1_001)) + "}\n"}, "data/thing.yml:1:8895"),
    ],
)
def test_a_list_is_no_longer_than_a_map_may_be(files: dict[str, str], place: str) -> None:
    """A thousand: names in `use`, sections, the fields of a record."""
    told = problems({"entities/thing.yml": THING, **files})
    assert [one.code for one in told] == ["XRM104"] and str(told[0].place) == place and told[0].hint


def test_a_word_is_compared_with_names_that_one_slip_leads_from() -> None:
    """However many there are, the one that was meant is among the few that are compared."""
    names = [f"field_of_the_number_{n}" for n in range(900)] + ["district"]
    for slip in ("distrct", "distritc", "district_", "ditsrict", "istrict", "dixtrict"):
        assert "district" in comparable(slip, names) and len(comparable(slip, names)) <= 100
