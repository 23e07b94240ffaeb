"""Many at once: no write is lost, no rule is broken by a race, nothing waits for ever."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.application import Applications, Running
from xrm.errors import Invalid, NotFound, Stale, XrmError
from xrm.model.values import fold

TEXTS = {
    "account": """
number: "A-{seq:4}"
title: "{name}"
fields:
  name: {type: text, unique: true}
  count: {type: integer, default: 0}
  left: {type: link, to: account}
  right: {type: link, to: account}
  bank: {type: link, to: bank}
lifecycle:
  states: {new: {initial: true}, doing: {}, done: {final: true}}
  transitions: {start: {from: new, to: doing, set: {count: =count + 1}}, finish: {from: doing, to: done}}
access: {agent: [read, create, update, delete]}
""",
    "bank": 'title: "{name}"\nfields: {name: text}\naccess: {agent: [read, create, update, delete]}',
}
THREADS = 8


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each gives, or the problem it raised; all begin at one moment, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        gate.wait(30)
        try:
            return work()
        except XrmError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_no_update_is_lost(running: Running) -> None:
    """Eight threads that each add one, five times, to the same record with its version: every one counts, and versions are changes."""
    ana = running.person("ana", "agent")
    id = ana.create("account", name="x").id
    stale = Counter[str]()

    def add() -> None:
        for _ in range(5):
            while True:
                seen = ana.get("account", id)
                try:
                    ana.update("account", id, seen["version"], count=seen["count"] + 1)
                    break
                except Stale:
                    stale["stale"] += 1

    assert together(*[add] * THREADS) == [None] * THREADS
    record = ana.get("account", id)
    assert record["count"] == THREADS * 5 and record["version"] == THREADS * 5 + 1
    assert running.rows("SELECT count(*), max(version) FROM xrm_change WHERE entity = ?", "account") == [(THREADS * 5 + 1, THREADS * 5 + 1)]


def test_one_of_two_moves_wins(running: Running) -> None:
    """Eight threads make the same move of one version: one does it, once, the others are told."""
    ana = running.person("ana", "agent")
    for _ in range(5):
        id = ana.create("account", name=None).id
        results = together(*[lambda id=id: ana.move("account", id, 1, "start")] * THREADS)
        assert sum(not isinstance(result, XrmError) for result in results) == 1
        assert {type(result) for result in results if isinstance(result, XrmError)} == {Stale}
        assert ana.get("account", id)["count"] == 1


def test_one_of_two_moves_wins_without_a_version(running: Running) -> None:
    """Without a version too a move is made once: the second finds the record in another state."""
    ana = running.person("ana", "agent")
    id = ana.create("account", name=None).id
    results = together(*[lambda: ana.move("account", id, None, "start")] * THREADS)
    assert sum(not isinstance(result, XrmError) for result in results) == 1
    assert {result.problems[0].code for result in results if isinstance(result, XrmError)} == {"XRM510"}


def test_unique_holds_under_a_race(running: Running) -> None:
    """Of eight creates of one name, however it is written, one is made; the others are told which field is in use."""
    ana = running.person("ana", "agent")
    for n in range(4):
        names = [f"Name {n}", f"NAME {n}", f"näme {n}", f" name  {n}"] * 2
        results = together(*[lambda name=name: ana.create("account", name=name) for name in names])
        refused = [result for result in results if isinstance(result, XrmError)]
        assert len(refused) == 7
        assert {(e.problems[0].code, e.problems[0].path, fold(e.problems[0].message)) for e in refused} == {
            ("XRM503", ("name",), f"name is already in use by name {n}")
        }
    assert ana.count("account") == 4
    assert running.rows("SELECT count(*) FROM xrm_record WHERE entity = ?", "account") == [(4,)]
    assert running.rows("SELECT count(*) FROM xrm_change WHERE entity = ?", "account") == [(4,)]


def test_a_delete_and_a_link_never_leave_a_dangling_link(running: Running) -> None:
    """While some link to a record and others delete it, at the end no live record links to a deleted one."""
    ana = running.person("ana", "agent")
    outcomes = Counter[str]()
    for _ in range(10):
        bank = ana.create("bank", name="b").id
        accounts = [ana.create("account", name=None).id for _ in range(4)]
        works: list[Callable[[], Any]] = [lambda a=a, b=bank: ana.update("account", a, 1, bank=b) for a in accounts]
        works += [lambda b=bank: ana.delete("bank", b) for _ in range(2)]
        random.shuffle(works)
        results = together(*works)
        outcomes.update(type(result).__name__ for result in results)
        assert all(isinstance(r, NotFound) or r.problems[0].code in ("XRM511", "XRM515") for r in results if isinstance(r, XrmError)), (
            results
        )
    dangling = running.rows(
        "SELECT count(*) FROM account a JOIN bank b ON b.id = a.bank WHERE a.deleted_at IS NULL AND b.deleted_at IS NOT NULL"
    )
    assert dangling == [(0,)], outcomes


def test_links_in_every_direction_do_not_deadlock(running: Running) -> None:
    """Threads that link the same few records to each other, this way and that, all come to an end."""
    ana = running.person("ana", "agent")
    ids = [ana.create("account", name=None).id for _ in range(4)]

    def link(seed: int) -> int:
        chance = random.Random(seed)
        for _ in range(15):
            one, two, three = chance.sample(ids, 3)
            ana.update("account", one, None, left=two, right=three, count=chance.randrange(10**9))
        return 15

    assert together(*[lambda n=n: link(n) for n in range(THREADS)]) == [15] * THREADS
    versions = running.rows("SELECT sum(version) FROM account")[0][0]
    assert versions == running.rows("SELECT count(*) FROM xrm_change WHERE entity = ?", "account")[0][0] == 4 + THREADS * 15


def test_numbers_are_unique_across_processes(running: Running) -> None:
    """Two processes that create at once never give one number twice, and each number has its form."""
    other = running.another()
    try:
        people = [running.person("ana", "agent"), other.person("bea", "agent")]
        results = together(
            *[lambda p=people[n % 2]: [p.create("account", name=None).record["number"] for _ in range(15)] for n in range(6)]
        )
        numbers = [number for made in results for number in made]
        assert len(set(numbers)) == 90
        assert all(number.startswith("A-") and number[2:].isdigit() for number in numbers)
    finally:
        other.close()


def test_creates_and_deletes_keep_the_spine(running: Running) -> None:
    """After many writes of every kind at once, the spine has one row for each record, with its state."""
    ana = running.person("ana", "agent")

    def work(seed: int) -> None:
        chance = random.Random(seed)
        mine: list[str] = []
        for _ in range(12):
            if not mine or chance.random() < 0.5:
                mine.append(ana.create("account", name=None).id)
                continue
            id = chance.choice(mine)
            try:
                match chance.randrange(4):
                    case 0:
                        ana.delete("account", id)
                    case 1:
                        ana.restore("account", id)
                    case 2:
                        ana.move("account", id, None, chance.choice(["start", "finish"]))
                    case _:
                        ana.update("account", id, None, count=chance.randrange(100))
            except (NotFound, Invalid):
                pass

    assert together(*[lambda n=n: work(n) for n in range(THREADS)]) == [None] * THREADS
    wrong = running.rows(
        'SELECT count(*) FROM account a LEFT JOIN xrm_record r ON r.id = a.id AND r."open" = a."open"'
        " AND (r.deleted_at IS NULL) = (a.deleted_at IS NULL) WHERE r.id IS NULL"
    )
    assert wrong == [(0,)]
    assert running.rows("SELECT count(*) FROM account") == running.rows("SELECT count(*) FROM xrm_record WHERE entity = 'account'")
    off = "SELECT count(*) FROM account a WHERE a.version <> (SELECT count(*) FROM xrm_change c WHERE c.record = a.id)"
    assert running.rows(off) == [(0,)]


def test_a_restore_never_leaves_a_dangling_link(running: Running) -> None:
    """A record comes back only while what it links to is there."""
    ana = running.person("ana", "agent")
    bank = ana.create("bank", name="b").id
    account = ana.create("account", bank=bank).id
    ana.delete("account", account)
    ana.delete("bank", bank)
    with pytest.raises(Invalid, match="XRM511"):
        ana.restore("account", account)
    ana.restore("bank", bank)
    assert ana.restore("account", account).record["bank"] == bank


def test_a_record_that_links_to_itself_can_be_deleted(running: Running) -> None:
    """A link of a record to itself is no use of it by another."""
    ana = running.person("ana", "agent")
    id = ana.create("account").id
    ana.update("account", id, 1, left=id)
    assert ana.delete("account", id).version == 3
