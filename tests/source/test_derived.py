"""What the check says of values that follow from other records: names, circles, reach, and what they would disclose."""

import pytest

from xrm.source import load_text

XRM = "xrm: 1\nname: tiny\nroles: {agent: Agent, boss: Boss}\n"
ALL = "access: {agent: [read, create], boss: [read, create]}\n"


def told(**entities: str) -> list[str]:
    files = {"xrm.yml": XRM} | {f"entities/{name}.yml": f"entity: {name}\n{text}" for name, text in entities.items()}
    loaded = load_text(files)
    return [f"{p.place} {p.code} {p.message}" + (f" ({p.hint})" if p.hint else "") for p in loaded.problems]


def test_a_circle_through_entities_is_shown_whole_with_every_place() -> None:
    found = told(
        a="fields:\n  total: {type: integer, compute: =sum(bs.size)}\n" + ALL,
        b="fields:\n  a: {type: link, to: a, inverse: bs}\n  size: {type: integer, compute: =a.total + 1}\n" + ALL,
    )
    assert found == [
        "entities/a.yml:3:26 XRM208 this depends on itself: a.total → b.size → a.total (a.total at entities/a.yml:3:26, b.size at entities/b.yml:4:25)"
    ]


CLASHES = {
    "inverse: name": "XRM204 'name' is on 'a' already (the other one stands at entities/a.yml:2:10)",
    "inverse: title": "XRM205 the name 'title' is reserved (take another, such as a plural)",
}


@pytest.mark.parametrize(("written", "message"), CLASHES.items(), ids=list(CLASHES))
def test_the_name_of_a_collection_is_its_own(written: str, message: str) -> None:
    """Both places are shown."""
    found = told(a="fields: {name: text}\n" + ALL, b=f"fields: {{a: {{type: link, to: a, {written}}}}}\n" + ALL)
    assert len(found) == 1
    assert message.partition(" (")[0] in found[0]


REACH = {
    "=r.exists(x, x.b.n > 1)": "XRM245 'r.b.n' follows a link from each record of a collection",
    "=count(r.version)": "XRM245 'r.version' changes with every write",
    "=r": "XRM303 'r' is a collection, not a value",
    "=sum(r.n / 3.0)": "XRM303",
}


@pytest.mark.parametrize(("written", "message"), REACH.items(), ids=list(REACH))
def test_a_computed_field_reads_what_can_be_followed(written: str, message: str) -> None:
    found = told(
        a=f"fields: {{v: {{compute: '{written}'}}}}\n" + ALL,
        b="fields: {n: integer}\n" + ALL,
        c="fields: {n: integer, a: {type: link, to: a, inverse: r}, b: {type: link, to: b}}\n" + ALL,
    )
    assert any(message in one for one in found), found


DISCLOSED = {
    "access: {boss: [read, create]}\n": "the role 'agent' sees 'total', which is made from 'bs', and it may not read every 'b'",
    "access: {boss: [read, create], agent: {read: size > 3}}\n": "the role 'agent' sees 'total', which is made from 'bs', and",
}


@pytest.mark.parametrize(("access", "message"), DISCLOSED.items(), ids=["not at all", "where a condition holds"])
def test_a_value_shows_no_more_than_what_it_is_made_from(access: str, message: str) -> None:
    """Unless it says so."""
    b = "fields: {size: integer, a: {type: link, to: a, inverse: bs}}\n" + access
    a = "fields: {total: {compute: =sum(bs.size)}}\n" + ALL
    found = told(a=a, b=b)
    assert len(found) == 1
    assert "XRM209" in found[0]
    assert message in found[0]
    assert told(a=a.replace("size)", "size), discloses: true"), b=b) == []
