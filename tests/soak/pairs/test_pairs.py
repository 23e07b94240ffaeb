"""One definition becomes another while records are there, and is stopped at every statement on the way: the database is old or new, a
second plan is empty, the tables are as if made at once, and what survives is what it was."""

import multiprocessing
import os
import random
import signal
from contextlib import closing
from typing import Any

import pytest

from tests.soak.pairs.models import Pair, pair, sample
from tests.store.test_evolution import shape
from tests.support.application import Applications, apply_to, loaded
from xrm import bootstrap
from xrm.store import applying, releases
from xrm.store.changes import verify
from xrm.store.database import Connection, Database
from xrm.store.plans import Step

PAIRS = int(os.environ.get("XRM_PAIRS", "200"))
Values = dict[tuple[str, str], dict[str, Any]]


class Stopped(BaseException):
    """As a kill: no handler on the way may take it for a failure."""


def statements(url: str, pair: Pair) -> int:
    with closing(Database(url)) as database:
        made = bootstrap.plan_of(database, loaded(pair.texts("after"))[0])
        return sum(len(step.sql) + (step.work is not None) for step in made.steps) + 1


def stop_at(place: int, stop: Any) -> Any:
    """In place of the function that runs a step: counts statements and stops before one of them."""
    run, seen = applying._run, [0]

    def counted(connection: Connection, step: Step) -> None:
        for part in [Step(step.words, (sql,)) for sql in step.sql] + ([Step(step.words, work=step.work)] if step.work else []):
            if seen[0] == place:
                stop()
            seen[0] += 1
            run(connection, part)

    return counted


def killed(url: str, pair: Pair, place: int) -> None:
    """In a process of its own: apply, and `kill -9` before a statement (or after the last, before the commit)."""
    applying._run = stop_at(place, lambda: os.kill(os.getpid(), signal.SIGKILL))
    then = releases.record_renamings
    if place >= 0:
        releases.record_renamings = lambda *given: (then(*given), os.kill(os.getpid(), signal.SIGKILL))[0]
    with closing(Database(url)) as database:
        apply_to(database, pair.texts("after"))


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


def one_pair(application: Applications, seed: int, *, kill: bool, monkeypatch: pytest.MonkeyPatch) -> int:
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
    stops = statements(first.url, made)
    for place in range(stops):
        if kill:
            process = multiprocessing.get_context("fork").Process(target=killed, args=(first.url, made, place))
            process.start()
            process.join(60)
            assert process.exitcode == -signal.SIGKILL
        else:
            _stopped(first.url, made, place, monkeypatch)
        with closing(Database(first.url)) as database:
            assert releases.active_id(database) == 1
    assert statements(first.url, made) == stops
    with closing(Database(first.url)) as database:
        apply_to(database, made.texts("after"))
        again = bootstrap.plan_of(database, loaded(made.texts("after"))[0])
        assert again.empty, [step.words for step in again.steps]
    last = application.opened(first.url)
    assert shape(last) == shape(application(made.texts("after")))
    new = read(application, first.url, {key: (entity, name) for key, (entity, name, _) in made.kept.items()})
    for key, (_, _, become) in made.kept.items():
        wanted = {id: become(value) for id, value in old[key].items()}
        assert {id: _plain(value) for id, value in new[key].items()} == {id: _plain(value) for id, value in wanted.items()}, (seed, key)
    for name in made.after:
        filled = {field: "given" for field in made.after[name].fields if field == "must"}
        assert last.system.create(name, **filled).version == 1
    return stops


def _stopped(url: str, made: Pair, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise Stopped

    with monkeypatch.context() as patched, closing(Database(url)) as database:
        patched.setattr(applying, "_run", stop_at(place, stop))
        patched.setattr(releases, "record_renamings", lambda *given: stop())
        with pytest.raises(Stopped):
            apply_to(database, made.texts("after"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_definition_becomes_another(application: Applications, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pairs, stopped at every statement."""
    assert one_pair(application, seed, kill=False, monkeypatch=monkeypatch)


@pytest.mark.soak
def test_many_definitions_become_others(
    application: Applications, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many pairs, with `kill -9` at every statement."""
    stops = sum(one_pair(application, 1_000 + seed, kill=True, monkeypatch=monkeypatch) for seed in range(PAIRS))
    with capsys.disabled():
        print(f"\n{application.engine}: {PAIRS} pairs, {stops} kills")  # noqa: T201 (the figures are what a soak is for)
