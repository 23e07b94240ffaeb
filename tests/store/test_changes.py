"""The change log: one chain that covers everything a change says, whoever wrote it down, and stays whole when payloads are erased."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.application import Applications, Person, Running
from xrm.errors import Forbidden
from xrm.service import records
from xrm.store import changes

NOTE = """
title: "{name}"
fields: {name: text, size: integer}
lifecycle: {states: {new: {initial: true}, done: {final: true}}, transitions: {finish: {from: new, to: done}}}
access: {agent: {read: true, create: true, update: true, delete: true}, boss: {historic: true}}
"""


@pytest.fixture
def running(application: Applications) -> Running:
    return application(NOTE)


@pytest.fixture
def ana(running: Running) -> Person:
    return running.person("ana", "agent")


@pytest.fixture
def chained(running: Running, ana: Person) -> Running:
    """A chain with a create, an update, a move, a delete and a restore."""
    made = ana.create("note", name="one", size=1)
    ana.update("note", made.id, 1, size=2)
    ana.move("note", made.id, 2, "finish")
    ana.delete("note", made.id, 3)
    ana.restore("note", made.id, 4)
    changes.sequence(running.database)
    return running


def test_every_write_is_one_change(running: Running, ana: Person) -> None:
    """Each write that changes something adds one change, with what was before and after; one that changes nothing adds none."""
    made = ana.create("note", name="one")
    assert ana.update("note", made.id, 1, name="one").changed is False
    assert ana.update("note", made.id, 1).changed is False
    assert ana.update("note", made.id, 1, name=" one ", size=None).changed is False
    ana.update("note", made.id, 1, name="two", size=5)
    ana.move("note", made.id, 2, "finish")
    ana.delete("note", made.id, 3)
    ana.restore("note", made.id, 4)
    said = [(e.version, e.action, e.transition, e.fields.get("name"), e.fields.get("size")) for e in ana.history("note", made.id)]
    assert said == [
        (5, "restore", None, None, None),
        (4, "delete", None, None, None),
        (3, "transition", "finish", None, None),
        (2, "update", None, ("one", "two"), (None, 5)),
        (1, "create", None, (None, "one"), None),
    ]
    assert ana.get("note", made.id)["version"] == 5


def test_the_chain_is_whole(chained: Running) -> None:
    """After sequencing, every change has its place, without a gap, and the chain verifies; sequencing again does nothing."""
    total = chained.rows("SELECT count(*) FROM xrm_change")[0][0]
    assert changes.verify(chained.database) == changes.ChainReport(total, 0, 0, None)
    assert changes.sequence(chained.database) == 0
    assert [row[0] for row in chained.rows("SELECT position FROM xrm_change ORDER BY position")] == list(range(1, total + 1))


def test_what_waits_for_its_place_is_counted(chained: Running) -> None:
    """A change that was committed and not yet sequenced is waiting, not broken."""
    chained.people["ana"].create("note", name="late")
    found = changes.verify(chained.database)
    assert (found.waiting, found.broken) == (1, None)
    assert changes.sequence(chained.database) == 1


TAMPERED = {
    "record": "SELECT record FROM xrm_change WHERE position = 1",
    "actor": "SELECT record FROM xrm_change WHERE position = 1",
    "entity": "'user'",
    "version": "version + 1",
    "action": "'update'",
    "transition": "'finish'",
    "historic": "NOT historic",
    "at": "SELECT at FROM xrm_change WHERE position = 1",
    "release": "release + 1",
    "digest": "SELECT digest FROM xrm_change WHERE position = 1",
    "hash": "SELECT hash FROM xrm_change WHERE position = 1",
    "position": "position + 1000",
    "id": "id + 1000",
}


@pytest.mark.parametrize("column", TAMPERED)
def test_tampering_with_a_change_is_found(chained: Running, column: str) -> None:
    """Whatever is altered in one row of the log, the walk finds that very row."""
    place = chained.rows("SELECT position FROM xrm_change WHERE entity = 'note' AND action = 'create'")[0][0]
    if chained.dialect == "sqlite":
        chained.run("PRAGMA foreign_keys = OFF")
    else:
        chained.run("ALTER TABLE xrm_payload DROP CONSTRAINT fk_xrm_payload_change")
    chained.run("DROP INDEX uq_xrm_change_record")
    if column == "at":
        chained.run(
            "UPDATE xrm_change SET at = ? WHERE position = 1",
            "2020-01-01T00:00:00.000000Z" if chained.dialect == "sqlite" else datetime(2020, 1, 1, tzinfo=UTC),
        )
        place = 1
    else:
        value = TAMPERED[column]
        chained.run(f"UPDATE xrm_change SET {column} = ({value}) WHERE position = ?", place)
    assert changes.verify(chained.database).broken is not None
    if column not in ("position", "id"):
        assert changes.verify(chained.database).broken == place


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE xrm_payload SET body = '{}' WHERE change = ?",
        "UPDATE xrm_payload SET salt = (SELECT salt FROM xrm_payload WHERE change = 1) WHERE change = ?",
    ],
)
def test_tampering_with_a_payload_is_found(chained: Running, statement: str) -> None:
    """A payload or a salt that was altered does not fit its digest."""
    number, place = chained.rows("SELECT id, position FROM xrm_change WHERE entity = 'note' AND version = 2")[0]
    chained.run(statement, number)
    assert changes.verify(chained.database).broken == place


def test_taking_a_change_out_is_found(chained: Running) -> None:
    """A change that was removed from the middle leaves a gap."""
    number, place = chained.rows("SELECT id, position FROM xrm_change WHERE entity = 'note' AND version = 2")[0]
    chained.run("DELETE FROM xrm_payload WHERE change = ?", number)
    chained.run("DELETE FROM xrm_change WHERE id = ?", number)
    assert changes.verify(chained.database).broken == place + 1


def test_swapping_payloads_is_found(chained: Running) -> None:
    """A payload belongs to its own change."""
    one, two = (row[0] for row in chained.rows("SELECT id FROM xrm_change WHERE entity = 'note' AND version IN (1, 2) ORDER BY id"))
    body, salt = chained.rows("SELECT body, salt FROM xrm_payload WHERE change = ?", one)[0]
    chained.run("UPDATE xrm_payload SET body = ?, salt = ? WHERE change = ?", body, salt, two)
    assert changes.verify(chained.database).broken is not None


def test_erasing_keeps_the_chain_whole(chained: Running) -> None:
    """Payloads can be erased: the chain still verifies, counts them, and history shows the change without its values."""
    note = chained.rows("SELECT id FROM note")[0][0]
    erased = chained.run("DELETE FROM xrm_payload WHERE change IN (SELECT id FROM xrm_change WHERE record = ?)", note)
    found = changes.verify(chained.database)
    assert (found.erased, found.broken) == (erased, None)
    ana = chained.people["ana"]
    history = ana.history("note", ana.all("note")[0]["id"])
    assert [entry.version for entry in history] == [5, 4, 3, 2, 1] and not any(entry.fields for entry in history)


def test_two_processes_make_one_chain(running: Running, ana: Person, tmp_path: Path) -> None:
    """Processes that sequence at the same time, while a third writes, give one chain without gaps or forks."""
    script = (
        "import sys\nfrom xrm.store import changes\nfrom xrm.store.database import Database\n"
        "database = Database(sys.argv[1])\nprint('ready', flush=True)\n"
        "done = 0\nwhile not __import__('os').path.exists(sys.argv[2]):\n    done += changes.sequence(database)\nprint(done)\n"
    )
    stop = tmp_path / "stop"
    before = changes.verify(running.database).length
    found = [subprocess.Popen([sys.executable, "-c", script, running.url, str(stop)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for process in found:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        made = ana.create("note", name="x")
        for n in range(120):
            ana.update("note", made.id, n + 1, size=n)
    finally:
        stop.touch()
        counts = [int(process.communicate(timeout=60)[0]) for process in found]
    counts.append(changes.sequence(running.database))
    report = changes.verify(running.database)
    assert report.broken is None and report.waiting == 0
    assert before + sum(counts) == report.length == running.rows("SELECT count(*) FROM xrm_change")[0][0]
    versions = [row[0] for row in running.rows("SELECT version FROM xrm_change WHERE entity = 'note' ORDER BY position")]
    assert versions == list(range(1, 122))


def test_the_digest_is_salted(running: Running, ana: Person) -> None:
    """Two changes that say the same have different digests, so that nothing can be guessed from one."""
    for _ in range(2):
        ana.create("note", name="same")
    rows = running.rows("SELECT c.digest, p.salt, p.body FROM xrm_change c JOIN xrm_payload p ON p.change = c.id WHERE c.entity = 'note'")
    assert len({bytes(row[0]) for row in rows}) == 2
    assert all(changes.digest(bytes(salt), body.encode()) == bytes(digest) for digest, salt, body in rows)
    assert json.loads(rows[0][2])["name"] == [None, "same"]


def test_history_is_marked(running: Running, ana: Person) -> None:
    """A record imported as it was keeps its own times and state, needs the right to it, and says so in the log."""
    values = {"name": "old", "state": "done", "created_at": "2017-01-01T08:00:00Z", "state_since": "2017-02-01T08:00:00Z"}
    with pytest.raises(Forbidden, match="XRM507"):
        records.create(ana.ctx, "note", values, historic=True)
    boss = running.person("bo", "agent", "boss")
    made = records.create(boss.ctx, "note", values, historic=True)
    assert (made.record["state"], made.record["open"]) == ("done", False)
    assert made.record["created_at"] == datetime(2017, 1, 1, 8, tzinfo=UTC)
    assert boss.history("note", made.id)[0].historic
    assert not boss.history("note", ana.create("note", name="new").id)[0].historic


def test_who_and_what_release_stands_in_each_change(running: Running, ana: Person) -> None:
    """Every change names an actor that is a user, and the release that wrote it."""
    ana.create("note", name="x")
    assert running.rows("SELECT count(*) FROM xrm_change c LEFT JOIN xrm_user u ON u.id = c.actor WHERE u.id IS NULL") == [(0,)]
    assert running.rows("SELECT DISTINCT release FROM xrm_change WHERE entity = 'note'") == [(running.service.release,)]


def test_the_spine_and_the_log_cover_every_record(chained: Running) -> None:
    """Each record has its row in the spine and as many changes as its version says, users too."""
    for table, entity in (("note", "note"), ("xrm_user", "user")):
        count = chained.rows(f"SELECT count(*) FROM {table}")
        assert chained.rows(f"SELECT count(*) FROM {table} t JOIN xrm_record r ON r.id = t.id AND r.entity = ?", entity) == count
        wrong = f"SELECT count(*) FROM {table} t WHERE t.version <> (SELECT count(*) FROM xrm_change c WHERE c.record = t.id)"
        assert chained.rows(wrong) == [(0,)]
