"""One definition becomes another while records are there, and is stopped at every statement on the way: the database is old or new, a
second plan is empty, the tables are as if made at once, its reference records are there with it, and what survives is what it was."""

import os
import random
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.soak.pairs.killing import Applying
from tests.soak.pairs.models import Pair, pair, sample
from tests.soak.pairs.rich import Rich, records, rich
from tests.store.test_evolution import shape
from tests.support.application import Applications, Running, loaded
from xrm import bootstrap
from xrm.store import releases
from xrm.store.changes import verify
from xrm.store.database import Database

PAIRS = int(os.environ.get("XRM_PAIRS", "200"))
FIRST = int(os.environ.get("XRM_PAIRS_FROM", "1000"))
"""The seed of the first pair."""
Values = dict[tuple[str, str], dict[str, Any]]


def kinds(url: str, pair: Pair) -> tuple[int | None, dict[str, str]]:
    """The release that is active, and the reference records that stand, straight from the tables."""
    with closing(Database(url)) as database:
        active = releases.active_id(database)
        its = pair.kinds[0 if active == 1 else 1]
        return active, dict(database.connection.all(f"SELECT code, {its.words} FROM {its.entity}"))


def read(running: Running, names: dict[tuple[str, str], tuple[str, str]]) -> Values:
    found: Values = {}
    for key, (entity, name) in names.items():
        found[key] = {row["id"]: _plain(row[name]) for row in running.system.all(entity, fields=("id", name))}
    assert verify(running.database).broken is None
    return found


def _plain(value: Any) -> Any:
    """As JSON has it, without the titles that are made of what is linked to."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if not name.endswith(".title")}
    return str(value) if isinstance(value, Decimal) else value


def one_pair(application: Applications, folder: Path, seed: int, more: Rich | None) -> int:
    """The kills that a pair took."""
    made, r = pair(seed), random.Random(seed)
    more, enriched = more or Rich({}, {}), more is not None
    before, after = made.texts("before") | more.before, made.texts("after") | more.after
    kept = made.kept | more.kept
    first = application.made(before)
    if enriched:
        records(first, seed)
    for name, entity in made.before.items():
        ids: list[str] = []
        for _ in range(4):
            values = {field: sample(r, its) for field, its in entity.fields.items()}
            values |= {field: ids[0] for field, its in entity.fields.items() if its.type == "link" and its.to == name and ids}
            ids.append(first.system.create(name, **values).id)
        first.system.delete(name, ids[-1], 1)
    old = read(first, {key: key for key in kept})
    first.close()
    kills = kill_at_every_statement(first.url, made, after, folder)
    with closing(Database(first.url)) as database:
        again = bootstrap.plan_of(database, loaded(after)[0])
        assert again.empty, [step.words for step in again.steps]
    last = application.opened(first.url)
    last.service.after.settle()
    assert shape(last) == shape(application.made(after))
    new = read(last, {key: (entity, name) for key, (entity, name, _) in kept.items()})
    for key, (_, _, become) in kept.items():
        wanted = {id: become(value) for id, value in old[key].items()}
        assert {id: _plain(value) for id, value in new[key].items()} == {id: _plain(value) for id, value in wanted.items()}, (seed, key)
    for name in made.after:
        filled = {field: "given" for field in made.after[name].fields if field == "must"}
        assert last.system.create(name, **filled).version == 1
    return kills


def kill_at_every_statement(url: str, made: Pair, texts: dict[str, str], folder: Path) -> int:
    """Until the commit the database is the old one, and the same plan is made again; after it, it is the new one."""
    before = dict(made.kinds[0].records)
    after = before | made.kinds[1].records
    applying = Applying(url, texts, folder)
    place = 0
    assert kinds(url, made) == (1, before)
    while applying.killed(place):
        place += 1
        found = kinds(url, made)
        assert found in ((1, before), (2, after)), place
        if found[0] == 2:
            return place
        if place % 10 == 0:
            assert Applying(url, texts, folder).plan == applying.plan
    assert kinds(url, made) == (2, after)  # nothing was sent after the commit
    return place


def test_a_definition_becomes_another(application: Applications, tmp_path: Path) -> None:
    """One pair, killed at every statement."""
    assert one_pair(application, tmp_path, 1, None)


@pytest.mark.soak
def test_many_definitions_become_others(application: Applications, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Many pairs, with `kill -9` at every statement."""
    kills = 0
    for seed in range(FIRST, FIRST + PAIRS):
        kills += one_pair(application, tmp_path / str(seed), seed, rich(seed))
        application.clear()
    with capsys.disabled():
        print(f"\n{application.engine}: {PAIRS} pairs, {kills} kills")  # noqa: T201 (the figures are what a soak is for)
