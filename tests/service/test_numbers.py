"""Human numbers: each record has one of its own, whatever history brought."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.application import Applications
from xrm.errors import Invalid
from xrm.model.check_digits import luhn, mod11_10, mod97_10
from xrm.service import records

NOTE: Mapping[str, str] = {
    "note": 'number: "N-{year}-{seq:3}"\ntitle: "{name}"\nfields: {name: text}\naccess: {agent: {read: true, create: true, historic: true}}'
}


def test_numbers_go_on_after_imported_ones(application: Applications) -> None:
    """Records that history brought with their numbers, deleted ones too, do not stand in the way of new ones."""
    running = application(NOTE)
    ana = running.person("ana", "agent")
    first = ana.create("note", name="first").record["number"]
    prefix = first.rpartition("-")[0]
    for n in range(2, 60):
        records.create(ana.ctx, "note", {"name": "old", "number": f"{prefix}-{n:03d}"}, historic=True)
    last = ana.page("note", sort="-number", limit=1).rows[0]
    running.system.delete("note", last["id"])
    numbers = [ana.create("note", name="new").record["number"] for _ in range(30)]
    assert numbers == [f"{prefix}-{n:03d}" for n in range(60, 90)]


def test_a_number_of_ones_own_choice_is_refused_when_taken(application: Applications) -> None:
    """Importing a number that stands is the importer's mistake and is said."""
    ana = application(NOTE).person("ana", "agent")
    number = ana.create("note", name="first").record["number"]
    with pytest.raises(Invalid, match="XRM503"):
        records.create(ana.ctx, "note", {"name": "again", "number": number}, historic=True)


CASES: Mapping[str, str] = {
    "district": "key: code\nfields: {code: {type: text, unique: true, required: true}}\naccess: {agent: [read, create]}",
    "permit": """
number: "{district.code}-{kind}-{seq:4}-{check:mod97_10}"
title: "{number}"
fields:
  district: {type: link, to: district}
  kind: {type: choice, options: [A, B], default: A}
access: {agent: [read, create], boss: {read: true, create: true, historic: true}}
""",
    "receipt": """
number: "{year}/{seq:5}{check:luhn}"
gapless: true
title: "{number} {name}"
fields: {name: {type: text, required: true}}
access: {agent: [read, create]}
""",
}


def test_a_number_counts_for_each_record_it_is_made_from(application: Applications) -> None:
    """By district and kind, given or by default, each from 1; with check digits; past what history brought."""
    running = application(CASES)
    ana, bea = running.person("ana", "agent"), running.person("bea", "boss")
    north, south = (ana.create("district", code=code).id for code in ("N1", "S2"))
    made = [ana.create("permit", **values).record["number"] for values in (
        {"district": north}, {"district": south}, {"district": north, "kind": "B"}, {"district": {"id": north}}, {"district": north, "kind": "A"},
    )]  # fmt: skip
    assert [number.rpartition("-")[0] for number in made] == ["N1-A-0001", "S2-A-0001", "N1-B-0001", "N1-A-0002", "N1-A-0003"]
    for number in made:
        assert number[-2:] == mod97_10(number[:-2])
        assert int("".join(str(int(c, 36)) for c in number if c != "-")) % 97 == 1
    old = f"S2-A-0002-{mod97_10('S2-A-0002')}"
    records.create(bea.ctx, "permit", {"district": south, "number": old}, historic=True)
    assert int(ana.create("permit", district=south).record["number"].split("-")[2]) > 2
    for values, said in (
        ({}, "District is required: the number is made from it"),
        ({"district": ana.id}, "XRM511"),
        ({"district": "x"}, "there is no such district"),
    ):
        with pytest.raises(Invalid, match=said):
            ana.create("permit", **values)


def test_numbers_without_gaps(application: Applications) -> None:
    """What is refused takes none, in whichever process; two writers at once get two that follow each other."""
    running = application(CASES)
    other = running.another()
    ana, again = running.person("ana", "agent"), other.system
    numbers = []
    try:
        for turn in range(6):
            with pytest.raises(Invalid):
                ana.create("receipt")
            who = again if turn % 2 else ana
            numbers.append(who.create("receipt", name="x").record["number"])
        with ThreadPoolExecutor(4) as pool:
            numbers += [made.record["number"] for made in pool.map(lambda n: (ana, again)[n % 2].create("receipt", name=str(n)), range(8))]
    finally:
        other.close()
    counted = sorted(int(number.partition("/")[2][:5]) for number in numbers)
    assert counted == list(range(1, 15))
    assert all(number[-1] == luhn(number[:-1]) for number in numbers)


@pytest.mark.parametrize(
    ("check", "text", "digit"),
    [
        (luhn, "7992739871", "3"), (luhn, "", "0"), (luhn, "SR-2026-000001", luhn("2026000001")), (mod11_10, "0794", "5"), (mod11_10, "AB 0794", "5"),
        (mod97_10, "794", "44"), (mod97_10, "1111", "63"), (mod97_10, "ab", mod97_10("AB")),
    ],
)  # fmt: skip
def test_check_digits(check: Callable[[str], str], text: str, digit: str) -> None:
    """The examples of the standards; one wrong digit, and two that changed places, give another."""
    assert check(text) == digit
    for place in range(1, 8):
        number = "2026000347"
        swapped = number[: place - 1] + number[place] + number[place - 1] + number[place + 1 :]
        assert check(number[:place] + "9" + number[place + 1 :]) != check(number) or number[place] == "9"
        assert swapped == number or check(swapped) != check(number) or check is luhn
