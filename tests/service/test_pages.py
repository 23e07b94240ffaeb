"""Lists in pages: whatever the order, every record once; and a cursor that fits its own list only."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.application import Applications, Person, Running
from xrm.errors import Invalid
from xrm.model.values import fold
from xrm.service import reading

TEXTS = {
    "item": """
title: "{name}"
fields:
  name: text
  size: integer
  price: money
  day: date
  when: datetime
  flag: boolean
  group: {type: link, to: group}
access:
  agent: [read, create, update]
  boss: {delete: true}
  guest: {read: flag}
views:
  flagged: {filter: flag == true, sort: size}
""",
    "group": 'title: "{name}"\nfields: {name: text}\naccess: {agent: [read, create], guest: read}',
}
NAMES = ["name", "size", "price", "day", "when", "flag", "group", "group.name", "created_at", "title", "version", "id", "created_by"]
ROWS: list[dict[str, Any]] = [
    {
        "name": [None, "b", "B", "ä", "a", "a"][n % 6],
        "size": [3, None, 3, 1][n % 4],
        "price": [None, "1.00", "-2.50"][n % 3],
        "day": [None, "2026-01-02", "2026-01-01"][(n // 2) % 3],
        "when": ["2026-01-01T00:00:00.5Z", None][n % 2],
        "flag": [True, False, None][n % 3],
    }
    for n in range(17)
]


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


@pytest.fixture
def ana(running: Running) -> Person:
    return running.person("ana", "agent")


@pytest.fixture
def records(ana: Person) -> list[dict[str, Any]]:
    """Seventeen records with every kind of value, empty ones and equal ones."""
    groups = [ana.create("group", name=name).id for name in ("zeta", "Alpha", "alpha")]
    made = [ana.create("item", **row, group=[None, *groups][n % 4]).id for n, row in enumerate(ROWS)]
    fields = ("id", *NAMES[:6], "group", "group.name", "group.title", "created_at", "title", "version", "created_by.title")
    return [ana.get("item", id, *fields) for id in made]


def value(record: dict[str, Any], name: str) -> Any:
    """What a record is sorted by: a link by the title of what it leads to, text by its folded key."""
    path = {"group": "group.title", "created_by": "created_by.title"}.get(name, name)
    found = record[path]
    return fold(found) if isinstance(found, str) and path != "id" else found


def sorted_in_python(records: list[dict[str, Any]], keys: list[str]) -> list[str]:
    """The ids in order: empty values last in either direction, the id decides, in the direction of the last key."""
    rows = sorted(records, key=lambda record: record["id"], reverse=keys[-1].startswith("-"))
    for key in reversed(keys):
        name = key.removeprefix("-")
        there = [row for row in rows if value(row, name) is not None]
        there.sort(key=lambda row: value(row, name), reverse=False) if key == name else _descending(there, name)
        rows = there + [row for row in rows if value(row, name) is None]
    return [row["id"] for row in rows]


def _descending(rows: list[dict[str, Any]], name: str) -> None:
    rows.reverse()
    rows.sort(key=lambda row: value(row, name))
    rows.reverse()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    ways=st.lists(st.sampled_from(["", "-"]), min_size=4, max_size=4),
    limit=st.sampled_from([1, 2, 5, 16, 17, 18]),
)
def test_every_page_in_every_order(ana: Person, records: list[dict[str, Any]], names: list[str], ways: list[str], limit: int) -> None:
    """Walking the pages of any sort gives each record exactly once, in the order that Python's sort gives."""
    keys = [way + name for way, name in zip(ways, names, strict=False)]
    found = [row["id"] for row in ana.all("item", sort=",".join(keys), limit=limit, fields=("name",))]
    assert found == sorted_in_python(records, keys)


def test_the_default_order_is_newest_first(ana: Person, records: list[dict[str, Any]]) -> None:
    """Without a sort, a list without a view begins with what was made last."""
    assert [row["id"] for row in ana.all("item", limit=4)] == [record["id"] for record in reversed(records)]


@pytest.mark.parametrize("sort", ["name", "-name", "size,-name", "group", "-created_at", "id"])
def test_pages_hold_while_others_write(ana: Person, records: list[dict[str, Any]], sort: str) -> None:
    """Records that stand still are each seen once, whatever is put in between meanwhile."""
    seen: list[str] = []
    after = None
    for n in range(100):
        page = ana.page("item", sort=sort, limit=2, after=after)
        seen += [row["id"] for row in page.rows]
        ana.create("item", name=["a", "zz", None][n % 3], size=n % 5)
        after = page.next
        if after is None:
            break
    old = {record["id"] for record in records}
    assert len(seen) == len(set(seen))
    assert old <= set(seen)


@pytest.mark.parametrize(
    "changed",
    [
        {"sort": "-name"},
        {"sort": "name,size"},
        {"filter": "size > 2"},
        {"filter": None},
        {"search": "a"},
        {"view": "flagged"},
    ],
)
def test_a_cursor_fits_its_own_list(ana: Person, records: list[dict[str, Any]], changed: dict[str, Any]) -> None:
    """A cursor of one entity, sort, filter, search or view is refused by another."""
    asked: dict[str, Any] = {"entity": "item", "sort": "name", "filter": "size >= 1", "limit": 2}
    cursor = ana.page(**asked).next
    assert ana.page(**asked, after=cursor).rows
    with pytest.raises(Invalid) as refused:
        ana.page(**{**asked, **changed}, after=cursor)
    assert refused.value.problems[0].code == "XRM513"


def test_a_cursor_fits_its_own_entity(ana: Person, records: list[dict[str, Any]]) -> None:
    """A cursor of one entity is refused by another, though both are sorted alike."""
    with pytest.raises(Invalid, match="XRM513"):
        ana.page("group", sort="name", limit=2, after=ana.page("item", sort="name", limit=2).next)


def test_a_cursor_fits_its_own_roles(running: Running, ana: Person, records: list[dict[str, Any]]) -> None:
    """A cursor that one set of roles got is refused when another brings it."""
    cursor = ana.page("item", sort="size", limit=2).next
    for name, role in (("bo", "boss"), ("gil", "guest")):
        with pytest.raises(Invalid, match="XRM513"):
            running.person(name, role).page("item", sort="size", limit=2, after=cursor)
    assert running.person("al", "agent").page("item", sort="size", limit=2, after=cursor).rows


def test_a_cursor_cannot_be_changed(ana: Person, records: list[dict[str, Any]]) -> None:
    """A cursor with any one character changed, cut or made up is refused."""
    cursor = ana.page("item", limit=2).next
    assert cursor
    changed = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(len(cursor) - 1)]
    for made_up in [*changed, cursor[:-4], cursor + "AAAA", "", "null", "é", "A" * 5000, "=", "\0"]:
        with pytest.raises(Invalid, match="XRM513"):
            ana.page("item", limit=2, after=made_up)


def test_a_cursor_says_nothing(ana: Person, records: list[dict[str, Any]]) -> None:
    """The values a cursor holds cannot be read from it, and two for the same place differ."""
    one, two = (ana.page("item", sort="name", limit=9).next or "" for _ in range(2))
    assert one != two and len(one) == len(two)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_the_size_of_a_page_is_bounded(ana: Person, limit: int) -> None:
    """A page has 1 to 500 records."""
    with pytest.raises(Invalid, match="XRM512"):
        ana.page("item", limit=limit)


@pytest.mark.parametrize(
    "sort", ["name,name", "-size,size", "name,size,price,day,flag", "nope", "name.x", "group.nope", "-", "--name", "group.created_by.roles"]
)
def test_a_sort_that_cannot_be_is_refused(ana: Person, records: list[dict[str, Any]], sort: str) -> None:
    """A sort by what is not there, too much or twice is a problem that names the sort; it is never a failure of ours."""
    try:
        ana.page("item", sort=sort)
    except Invalid as error:
        refused = error
    else:
        return
    assert {problem.path for problem in refused.problems} == {("sort",)}


def test_counting_is_of_the_same_list(ana: Person, records: list[dict[str, Any]]) -> None:
    """A count is that of the list with the same filter and view, and stops where it is told to."""
    assert ana.count("item") == 17
    assert ana.count("item", filter="size == 3") == len(ana.all("item", filter="size == 3"))
    assert ana.count("item", view="flagged") == len(ana.all("item", view="flagged"))


def test_a_list_follows_so_many_links(application: Applications) -> None:
    """A list that would join more tables than a database takes is a problem of the caller on both."""
    links = ", ".join(f"l{n}: {{type: link, to: note}}" for n in range(10))
    ana = application(f"fields: {{name: text, {links}}}\naccess: {{agent: [read, create]}}").person("ana", "agent")
    ana.create("note", name="x")
    paths = [f"l{a}.l{b}.name" for a in range(10) for b in range(10)]
    assert len(ana.all("note", fields=tuple(paths[:20]))) == 1
    for query in ({"fields": tuple(paths)}, {"filter": " || ".join(f'{path} == "x"' for path in paths)}):
        with pytest.raises(Invalid, match="XRM512 a list follows 30 links at most"):
            ana.all("note", **query)


def test_many_different_lists_at_once(application: Applications, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled lists are kept up to a bound, whatever number of threads ask for however many."""
    monkeypatch.setattr(reading, "MOST_PREPARED", 20)
    running = application("fields: {name: text, size: integer}\naccess: {agent: [read, create]}")
    ana = running.person("ana", "agent")

    def ask(seed: int) -> None:
        for n in range(60):
            ana.all("note", filter=f"size == {seed * 1000 + n}")
            ana.count("note", filter=f"size == {seed * 1000 + n}")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(ask, range(6)))
    finally:
        sys.setswitchinterval(interval)
    assert len(running.service.prepared) <= 20 + 6
