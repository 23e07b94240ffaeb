"""One definition becomes another while records are there, and is stopped at every statement on the way: the database is old or new, a
second plan is empty, the tables are as if made at once, its reference records are there with it, and what survives is what it was."""

import multiprocessing
import os
import random
import signal
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.soak.pairs.models import Pair, pair, sample
from tests.store.test_evolution import shape
from tests.support.application import Applications, apply_to, loaded
from xrm import bootstrap
from xrm.service import commit
from xrm.store import applying, releases
from xrm.store.changes import verify
from xrm.store.connections import PostgresConnection, SqliteConnection
from xrm.store.database import Connection, Database
from xrm.store.plans import Step

PAIRS = int(os.environ.get("XRM_PAIRS", "200"))
Values = dict[tuple[str, str], dict[str, Any]]


class Stopped(BaseException):
    """As a kill: no handler on the way may take it for a failure."""


def statements(url: str, pair: Pair) -> int:
    with closing(Database(url)) as database:
        made = bootstrap.plan_of(database, loaded(pair.texts("after"))[0])
        return sum(len(step.sql) + (step.work is not None) for step in made.steps)


def stopped_at(place: int, stop: Callable[[], object], patched: pytest.MonkeyPatch) -> None:
    """Counts the statements of the steps, the records that are written and the commits, and stops before one of them."""
    seen = [0]

    def look() -> None:
        if seen[0] == place:
            stop()
        seen[0] += 1

    run, insert = applying._run, commit.insert

    def counted(connection: Connection, step: Step) -> None:
        for part in [Step(step.words, (sql,)) for sql in step.sql] + ([Step(step.words, work=step.work)] if step.work else []):
            look()
            run(connection, part)

    def inserted(*given: Any) -> None:
        look()
        insert(*given)

    patched.setattr(applying, "_run", counted)
    patched.setattr(commit, "insert", inserted)
    for kind in (SqliteConnection, PostgresConnection):
        patched.setattr(kind, "commit", lambda own, plain=kind.commit: (look(), plain(own))[1])


def killed(url: str, pair: Pair, place: int) -> None:
    """In a process of its own: apply, and `kill -9` on the way."""
    with pytest.MonkeyPatch.context() as patched, closing(Database(url)) as database:
        stopped_at(place, lambda: os.kill(os.getpid(), signal.SIGKILL), patched)
        apply_to(database, pair.texts("after"))


def stopped(url: str, pair: Pair, place: int) -> None:
    """In this process; the same but for the operating system."""

    def stop() -> None:
        raise Stopped

    with pytest.MonkeyPatch.context() as patched, closing(Database(url)) as database:
        stopped_at(place, stop, patched)
        with pytest.raises(Stopped):
            apply_to(database, pair.texts("after"))


def kinds(url: str, pair: Pair) -> tuple[int | None, dict[str, str]]:
    """The release that is active, and the reference records that stand, straight from the tables."""
    with closing(Database(url)) as database:
        active = releases.active_id(database)
        its = pair.kinds[0 if active == 1 else 1]
        return active, dict(database.connection.all(f"SELECT code, {its.words} FROM {its.entity}"))


def read(application: Applications, url: str, names: dict[tuple[str, str], tuple[str, str]]) -> Values:
    running = application.opened(url)
    found: Values = {}
    for key, (entity, name) in names.items():
        found[key] = {row["id"]: _plain(row[name]) for row in running.system.all(entity, fields=("id", name))}
    assert verify(running.database).broken is None
    return found


def _plain(value: Any) -> Any:
    from decimal import Decimal

    return str(value) if isinstance(value, Decimal) else value


def one_pair(application: Applications, seed: int, *, kill: bool) -> int:
    made, r = pair(seed), random.Random(seed)
    first = application(made.texts("before"))
    for name, entity in made.before.items():
        ids: list[str] = []
        for _ in range(4):
            values = {field: sample(r, its) for field, its in entity.fields.items()}
            values |= {field: ids[0] for field, its in entity.fields.items() if its.type == "link" and its.to == name and ids}
            ids.append(first.system.create(name, **values).id)
        first.system.delete(name, ids[-1], 1)
    old = read(application, first.url, {key: key for key in made.kept})
    before = dict(made.kinds[0].records)
    after = before | made.kinds[1].records
    steps, place = statements(first.url, made), 0
    assert kinds(first.url, made) == (1, before)
    while kinds(first.url, made)[0] == 1:  # the last stop is that after the commit
        if kill:
            process = multiprocessing.get_context("fork").Process(target=killed, args=(first.url, made, place))
            process.start()
            process.join(60)
            assert process.exitcode == -signal.SIGKILL
        else:
            stopped(first.url, made, place)
        assert kinds(first.url, made) in ((1, before), (2, after)), (seed, place)
        place += 1
        assert place != steps or statements(first.url, made) == steps
    assert place > steps
    with closing(Database(first.url)) as database:
        again = bootstrap.plan_of(database, loaded(made.texts("after"))[0])
        assert again.empty, [step.words for step in again.steps]
    last = application.opened(first.url)
    last.service.after.settle()
    assert shape(last) == shape(application(made.texts("after")))
    new = read(application, first.url, {key: (entity, name) for key, (entity, name, _) in made.kept.items()})
    for key, (_, _, become) in made.kept.items():
        wanted = {id: become(value) for id, value in old[key].items()}
        assert {id: _plain(value) for id, value in new[key].items()} == {id: _plain(value) for id, value in wanted.items()}, (seed, key)
    for name in made.after:
        filled = {field: "given" for field in made.after[name].fields if field == "must"}
        assert last.system.create(name, **filled).version == 1
    return place


@pytest.mark.parametrize("seed", [1, 2])
def test_a_definition_becomes_another(application: Applications, seed: int) -> None:
    """Two pairs, stopped at every statement, before every record and every commit."""
    assert one_pair(application, seed, kill=False)


@pytest.mark.soak
def test_many_definitions_become_others(application: Applications, capsys: pytest.CaptureFixture[str]) -> None:
    """Many pairs, with `kill -9` at every statement."""
    stops = sum(one_pair(application, 1_000 + seed, kill=True) for seed in range(PAIRS))
    with capsys.disabled():
        print(f"\n{application.engine}: {PAIRS} pairs, {stops} kills")  # noqa: T201 (the figures are what a soak is for)
