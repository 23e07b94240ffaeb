"""What an import writes, refuses and keeps."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.application import Applications, Running
from tests.transfer.samples import FILES, MAP, TABLE, imported, words
from xrm.errors import Forbidden, Invalid
from xrm.service import records
from xrm.store import changes

HISTORY = """\
import: case
key: [source, source_id]
historic: true
timezone: America/Los_Angeles
dates: "%m/%d/%Y %H:%M"
set:
  source: old
  state_since: =coalesce(ended_at, created_at)
columns:
  Nr: source_id
  What: subject
  Begun: created_at
  Ended: ended_at
  Status: {to: state, values: {Open: new, Closed: done}}
"""
PAST = "Nr,What,Begun,Ended,Status\n1,Bench,01/02/2018 10:00,01/03/2018 11:30,Closed\n2,Lamp,01/02/2018 10:00,01/01/2018 09:00,Closed\n"


def cases(running: Running) -> dict[str, dict[str, object]]:
    return {row["source_id"]: row for row in running.system.all("case", sort="source_id")}


def change_count(running: Running) -> int:
    return int(running.rows("SELECT count(*) FROM xrm_change")[0][0])


def test_rows_become_records_and_links_find_or_make_theirs(application: Applications, tmp_path: Path) -> None:
    """Three rows of two kinds: three cases and two kinds, each kind made once."""
    running = application(FILES)
    report = imported(running.system, tmp_path, TABLE, MAP)
    assert (report.rows, report.created, report.linked, report.well) == (3, 3, {"kind": 2}, True)
    kinds = {row["id"]: (row["code"], row["label"]) for row in running.system.all("kind")}
    assert set(kinds.values()) == {("wood", "Of wood"), ("metal", "Of metal")}
    found = cases(running)
    assert [(row["subject"], kinds[str(row["kind"])][0]) for row in found.values()] == [
        ("Bench", "wood"),
        ("Lamp", "metal"),
        ("Table", "wood"),
    ]
    assert all(str(row["number"]).startswith("C-") for row in found.values())


@pytest.mark.parametrize("mode", ["all", "good"])
def test_importing_again_changes_nothing(application: Applications, tmp_path: Path, mode: str) -> None:
    """No write, no change row, no new version; a row that differs is updated, and only that one."""
    running = application(FILES)
    imported(running.system, tmp_path, TABLE, MAP, mode=mode)  # type: ignore[arg-type]
    before = change_count(running)
    again = imported(running.system, tmp_path, TABLE, MAP, mode=mode)  # type: ignore[arg-type]
    assert (again.created, again.updated, again.unchanged, again.linked) == (0, 0, 3, {})
    assert change_count(running) == before
    changed = imported(running.system, tmp_path, TABLE.replace("Lamp", "Lantern"), MAP, mode=mode)  # type: ignore[arg-type]
    assert (changed.created, changed.updated, changed.unchanged) == (0, 1, 2)
    assert (change_count(running), cases(running)["2"]["version"]) == (before + 1, 2)


def test_a_key_is_found_as_it_is_unique(application: Applications, tmp_path: Path) -> None:
    """Case does not count where it does not count for the unique rule."""
    running = application(FILES)
    imported(running.system, tmp_path, TABLE, MAP)
    report = imported(running.system, tmp_path, TABLE, MAP.replace("{source: old}", "{source: OLD}"))
    assert (report.created, report.updated) == (0, 3)


def test_all_or_nothing(application: Applications, tmp_path: Path) -> None:
    """One refused row, found while reading or while writing, and nothing is written, the made kinds neither."""
    running = application(FILES)
    for table in (TABLE + "4,A subject that is far too long for it,wood,\n", TABLE + "4,,wood,\n"):
        report = imported(running.system, tmp_path, table, MAP)
        assert (report.kept, report.created, len(report.refusals), report.well) == (False, 0, 1, False)
        assert report.refusals[0].row.number == 5
        assert (change_count(running), running.system.all("case"), running.system.all("kind")) == (1, [], [])


def test_the_good_rows(application: Applications, tmp_path: Path) -> None:
    """Each good row is written, each bad one told with row, column and reason; a kind that only it wants is not made."""
    running = application(FILES)
    table = (
        TABLE
        + "4,A subject that is far too long for it,glass,Of glass\n5,,stone,Of stone\n6,Chair,stone,Of stone\n7,Short\n1,Again,wood,\n"
    )
    report = imported(running.system, tmp_path, table, MAP, mode="good")
    assert (report.kept, report.created, report.well) == (True, 4, False)
    assert report.linked == {"kind": 3}
    assert words(report) == [
        "row 5: What: Subject must have 20 characters or fewer; it has 37",
        "row 6: What: Subject is required",
        "row 8: the row has 2 cells, and the header has 4",
        "row 9: row 2 has the same source 'old' and source_id '1'",
    ]
    assert sorted(row["code"] for row in running.system.all("kind")) == ["metal", "stone", "wood"]
    assert sorted(cases(running)) == ["1", "2", "3", "6"]


def test_a_link_that_finds_nothing(application: Applications, tmp_path: Path) -> None:
    """The row is refused, or the link stays empty, as the map says; two records of one name are one too many."""
    running = application(FILES)
    strict = (
        MAP.replace("  kind: {missing: create}", "  kind: {}")
        .replace("  Name: kind.label\n", "skip: Name\n")
        .replace("columns:", "columns:")
    )
    strict = strict.replace("skip: Name\n", "").replace("links:", "skip: Name\nlinks:")
    assert words(imported(running.system, tmp_path, TABLE, strict))[0] == "row 2: Sort: no kind has the code 'wood'"
    lenient = strict.replace("kind: {}", "kind: {missing: empty}")
    assert imported(running.system, tmp_path, TABLE, lenient).created == 3
    assert all(row["kind"] is None for row in cases(running).values())
    for code in ("a", "b"):
        running.system.create("kind", code=code, label="wood")
    by_label = strict.replace("kind: {}", "kind: {find: label}")
    assert "row 2: Sort: several of kind have the label 'wood'" in words(imported(running.system, tmp_path, TABLE, by_label))


def test_history_is_taken_as_it_was(application: Applications, tmp_path: Path) -> None:
    """State and times come from the file; crossed dates are kept and flagged; the change log marks them as history."""
    running = application(FILES)
    report = imported(running.system, tmp_path, PAST, HISTORY)
    assert (report.created, report.flagged) == (2, 1)
    first, second = cases(running).values()
    assert first["created_at"] == datetime(2018, 1, 2, 18, tzinfo=UTC)
    assert first["state_since"] == first["ended_at"] == datetime(2018, 1, 3, 19, 30, tzinfo=UTC)
    assert (first["state"], first["open"], first["flags"], second["flags"]) == ("done", False, None, "in_order")
    assert str(first["number"]).startswith("C-2018-")
    (entry,) = running.system.history("case", str(first["id"]))
    assert entry.historic
    assert entry.fields["created_at"] == (None, "2018-01-02T18:00:00Z")


def test_history_can_be_mended(application: Applications, tmp_path: Path) -> None:
    """A map with a better time zone moves the records that the first import made, and the log says so."""
    running = application(FILES)
    imported(running.system, tmp_path, PAST, HISTORY)
    report = imported(running.system, tmp_path, PAST, HISTORY.replace("America/Los_Angeles", "Europe/Paris"))
    assert (report.created, report.updated) == (0, 2)
    assert cases(running)["1"]["created_at"] == datetime(2018, 1, 2, 9, tzinfo=UTC)


def test_history_wants_its_right(application: Applications, tmp_path: Path) -> None:
    """An agent may create cases and may not import their history; a boss may."""
    running = application(FILES)
    with pytest.raises(Forbidden, match="history"):
        imported(running.person("ana", "agent"), tmp_path, PAST, HISTORY)
    assert imported(running.person("bea", "boss"), tmp_path, PAST, HISTORY).created == 2


def test_an_import_has_the_rights_of_its_actor(application: Applications, tmp_path: Path) -> None:
    """Who may not write is refused before the first row; a record that the actor does not see is neither found nor changed."""
    running = application(FILES)
    with pytest.raises(Forbidden):
        imported(running.person("gus", "guest"), tmp_path, TABLE, MAP)
    hidden = running.system.create("case", subject="Hidden", source="hidden", source_id="1")
    report = imported(running.person("ana", "agent"), tmp_path, TABLE, MAP.replace("source: old", "source: hidden"), mode="good")
    assert report.created == 2
    assert words(report) == ["row 2: Nr: Source and Source id is already in use"] or "already in use" in words(report)[0]
    assert running.system.get("case", hidden.id)["subject"] == "Hidden"
    made = running.system.history("case", str(cases(running)["2"]["id"]))[0]
    assert made.actor == "Ana"


def test_an_interrupted_import_says_what_it_kept(application: Applications, tmp_path: Path) -> None:
    """All or nothing keeps nothing; the good rows keep the batches that were whole."""
    running = application(FILES)
    table = "Nr,What,Sort,Name\n" + "".join(f"{n},Case {n},wood,Of wood\n" for n in range(600))
    asked = iter([False] * 300 + [True] * 1000)
    report = imported(running.system, tmp_path, table, MAP, mode="good", stop=lambda: next(asked))
    assert (report.interrupted, report.kept, report.created) == (True, True, 250)
    assert len(cases(running)) == 250
    asked = iter([False] * 300 + [True] * 1000)
    report = imported(running.system, tmp_path, table, MAP, stop=lambda: next(asked))
    assert (report.interrupted, report.kept, report.created, len(cases(running))) == (True, False, 0, 250)


def test_a_file_that_breaks_off(application: Applications, tmp_path: Path) -> None:
    """All or nothing writes nothing; the good rows keep the whole batches before the break, and say so."""
    running = application(FILES)
    table = "Nr,What,Sort,Name\n" + "".join(f"{n},Case {n},wood,Of wood\n" for n in range(300)) + '300,"x'
    report = imported(running.system, tmp_path, table, MAP)
    assert (report.kept, report.created, report.broken[0].code, len(cases(running))) == (False, 0, "XRM603", 0)
    report = imported(running.system, tmp_path, table, MAP, mode="good")
    assert (report.kept, report.created, report.well, len(cases(running))) == (True, 300, False, 300)
    assert report.broken[0].message.startswith("row 302: the file ends inside quotes")


def test_halves_of_a_place_words_and_empties(application: Applications, tmp_path: Path) -> None:
    """Latitude and longitude make a point; words are translated; listed words mean nothing."""
    running = application(FILES)
    map_ = """\
import: case
key: [source, source_id]
columns:
  a: source
  b: source_id
  c: {to: subject, values: {x: Bench}, else: Other}
  lat: place.lat
  lon: place.lon
  paid: {to: paid, empty: ["0", n/a]}
  day: {to: seen_on, optional: true, dates: "%d.%m.%Y"}
"""
    table = "a,b,c,lat,lon,paid\ns,1,x,34.05,-118.25,n/a\ns,2,y,,,1.50\n"
    imported(running.system, tmp_path, table, map_)
    first, second = cases(running).values()
    assert (first["subject"], first["place"], first["paid"]) == ("Bench", {"lat": 34.05, "lon": -118.25}, None) or first[
        "place"
    ].lat == 34.05  # type: ignore[attr-defined]
    assert (second["subject"], second["place"], str(second["paid"])) == ("Other", None, "1.50")
    report = imported(running.system, tmp_path, "a,b,c,lat,lon,paid\ns,3,y,1,,x\n", map_)
    assert words(report)[0] == "row 2: lon: is empty, and the other half of the place is not"


def test_a_deadlock_is_tried_again_and_counted_once(application: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole batch runs again from its start; its records stand once, and the report counts them once."""
    running = application(FILES)
    original, failures = records.locking.lock, iter([True])

    def failing(*arguments: object, **named: object) -> object:
        if next(failures, False):
            raise _passing(running)
        return original(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(records.locking, "lock", failing)
    report = imported(running.system, tmp_path, TABLE, MAP)
    assert (report.created, report.linked, len(cases(running))) == (3, {"kind": 2}, 3)


def _passing(running: Running) -> Exception:
    import sqlite3

    import psycopg

    return sqlite3.OperationalError("database is locked") if running.dialect == "sqlite" else psycopg.errors.DeadlockDetected("deadlock")


def test_the_chain_holds_over_an_import(application: Applications, tmp_path: Path) -> None:
    """Imported records stand in the change log like any others."""
    running = application(FILES)
    imported(running.system, tmp_path, TABLE, MAP)
    running.service.after.settle()
    found = changes.verify(running.database)
    assert (found.length, found.waiting, found.broken) == (6, 0, None)


def test_ids_and_numbers_are_history(application: Applications, tmp_path: Path) -> None:
    """A file with ids finds records by them; new ones with an id of their own want ``historic``."""
    running = application(FILES)
    made = running.system.create("case", subject="Bench")
    table = f"id,subject\n{made.id},Table\n"
    assert imported(running.system, tmp_path, table).updated == 1
    other = "id,subject\n01890000-0000-7000-8000-000000000009,Lamp\n"
    assert words(imported(running.system, tmp_path, other)) == ["row 2: id: there is no record with this id"]
    assert imported(running.system, tmp_path, other, historic=True).created == 1
    assert running.system.get("case", "01890000-0000-7000-8000-000000000009")["subject"] == "Lamp"
    assert imported(running.system, tmp_path, "id,subject\n,New\n").created == 1


def test_more_rows_than_fit_into_one_transaction(application: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing has a limit, which names the other mode."""
    monkeypatch.setattr("xrm.service.transfer.importing.MOST_AT_ONCE", 2)
    running = application(FILES)
    report = imported(running.system, tmp_path, TABLE, MAP)
    assert (report.kept, report.broken[0].hint) == (False, "import with --mode good, which writes the good rows some hundred at a time")


def test_a_small_import_leaves_a_small_gap(application: Applications, tmp_path: Path) -> None:
    """Numbers are taken in blocks that grow with the import."""
    running = application(FILES)
    imported(running.system, tmp_path, TABLE, MAP)
    after = running.system.create("case", subject="After").record["number"]
    assert int(str(after).rpartition("-")[2]) == 21


def test_the_watch_is_told(application: Applications, tmp_path: Path) -> None:
    """The phase, its share and the rows so far; the share only grows within a phase."""
    told: list[tuple[str, float, int]] = []
    imported(application(FILES).system, tmp_path, TABLE, MAP, watch=lambda *one: told.append(one))
    assert [phase for phase, _, _ in told] == ["Reading", "Writing"]
    assert told[0][1:] == (1.0, 3)


def test_a_map_is_no_way_round_a_rule(application: Applications, tmp_path: Path) -> None:
    """Without ``historic`` every check and requirement blocks, as on a page."""
    running = application(FILES)
    with pytest.raises(Invalid, match="state"):
        imported(running.system, tmp_path, "source,source_id,subject,state\na,1,x,done\n", MAP.replace("What: subject", "What: state"))
