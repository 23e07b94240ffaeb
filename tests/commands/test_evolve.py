"""The commands that change a definition with data in it: plans in files, rehearsals, exports, releases, the way back."""

import csv
import json
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from tests.support.application import Applications, Running, apply_to, loaded, write_folder
from xrm import bootstrap, source
from xrm.commands import command, main
from xrm.errors import XrmError
from xrm.store import planning
from xrm.store.changes import verify
from xrm.store.database import Database

ACCESS = "access: {agent: [read, create, update, delete]}"
ONE = {"note": f"title: '{{name}}'\nfields: {{name: text, size: integer, way: {{type: choice, options: [fax, web]}}}}\n{ACCESS}"}
TWO = {
    "memo": f"renamed_from: note\ntitle: '{{name}}'\nfields: {{name: text, extent: {{type: integer, renamed_from: size}}, big: {{type: boolean, compute: =extent > 1}}}}\n{ACCESS}"
}


class Town:
    def __init__(self, application: Applications, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.application, self.running = application, application(ONE)
        self.folder = write_folder(folder / "app", ONE)
        monkeypatch.setenv("XRM_DATABASE_URL", self.running.url)
        monkeypatch.setenv("XRM_SECRET_FILE", str(self.running.secret))
        for n in range(3):
            self.running.system.create("note", name=f"n{n}", size=n, way="fax")

    def write(self, texts: dict[str, str]) -> None:
        for old in (self.folder / "entities").glob("*.yml"):
            old.unlink()
        write_folder(self.folder, texts)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(command(), [words[0], *words[1:], "--app", str(self.folder)])


@pytest.fixture
def town(application: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    return Town(application, tmp_path, monkeypatch)


def codes(result: Result) -> list[str]:
    return [problem.code for problem in result.exception.problems] if isinstance(result.exception, XrmError) else []


def test_a_plan_is_shown_rehearsed_kept_and_run(town: Town, application: Applications, tmp_path: Path) -> None:
    """The plan in a file is run exactly or not at all; a rehearsal changes nothing and tells what would be computed anew; what is dropped
    is left as CSV; releases are listed, told apart in words, and the way back takes the old names."""
    town.write(TWO)
    file = tmp_path / "plan.json"
    shown = town.run("plan", "--rehearse", "--out", str(file))
    assert shown.exit_code == 0, shown.output
    assert "rename table note to memo" in shown.output and "LOSES 3 values of memo.way" in shown.output and "writers wait" in shown.output
    assert "3 records of memo would be computed anew" in shown.output and "n2: big – → true" in shown.output
    as_json = json.loads(town.run("plan", "--rehearse", "--format", "json").output)
    assert as_json["rehearsed"]["recompute"][0]["changed"] == 3 and as_json["locks"] == ["note"] and file.exists()
    assert town.running.system.count("note") == 3 and verify(town.running.database).broken is None
    assert codes(town.run("apply", "--yes", "--plan", str(file))) == ["XRM401"]
    more = town.running.system.create("note", name="later", way="web").id
    assert codes(town.run("apply", "--yes", "--allow-loss", "--plan", str(file))) == ["XRM409"]
    town.run("plan", "--out", str(file))
    done = town.run("apply", "--yes", "--allow-loss", "--why", "new words", "--plan", str(file), "--export-to", str(tmp_path / "kept"))
    assert done.exit_code == 0 and "release 2 is active" in done.output, done.output
    rows = list(csv.DictReader((tmp_path / "kept" / "note.csv").read_text(encoding="utf-8").splitlines()))
    assert sorted((row["name"], row["way"]) for row in rows) == [("later", "web"), ("n0", "fax"), ("n1", "fax"), ("n2", "fax")]
    assert "exported note as before to" in done.output
    assert "new words" in town.run("releases").output and [
        one["release"] for one in json.loads(town.run("releases", "--format", "json").output)
    ] == [2, 1]
    assert "renamed_from: note" in town.run("releases", "show", "2").output
    assert codes(town.run("releases", "show", "9")) == ["XRM410"]
    said = town.run("diff", "1", "2").output.splitlines()
    assert said == [
        "entity note renamed to memo", "memo: field size renamed to extent", "memo: field way removed", "memo: field big added",
    ]  # fmt: skip
    back = town.run("apply", "--yes", "--allow-loss", "--from", "1")
    assert back.exit_code == 0 and "rename table memo to note" in back.output, back.output
    listed = json.loads(town.run("releases", "--format", "json").output)
    assert [(one["release"], one["same_as"]) for one in listed] == [(3, 1), (2, None), (1, None)]
    assert town.run("releases").output.splitlines()[0].endswith("(the text of 1)")
    last = application.opened(town.running.url)
    assert sorted(row["size"] for row in last.system.all("note") if row["size"] is not None) == [0, 1, 2]
    assert last.system.get("note", more)["name"] == "later"
    assert town.run("plan", "--from", "1").output.strip() == "nothing to do: the database is what the definition says"


def test_a_rehearsal_counts_what_follows_in_other_entities(town: Town) -> None:
    """A total over other records changes with these, before it is its own turn: it is counted, with an example, and a record that
    cannot be made anew is named."""

    def texts(weight: str) -> dict[str, str]:
        note = f"title: '{{name}}'\nfields: {{name: text, size: integer, box: {{type: link, to: box, inverse: notes}}, weight: {{type: integer, compute: ={weight}}}}}\n"
        box = "title: '{name}'\nfields: {name: text, total: {type: integer, compute: =sum(notes.weight)}}\n"
        return {"note": note + ACCESS, "box": box + ACCESS}

    town.write(texts("size * 2"))
    assert town.run("apply", "--yes", "--allow-loss").exit_code == 0
    running = town.application.opened(town.running.url)
    boxes = [running.system.create("box", name=name).id for name in ("left", "right", "empty")]
    for n, box in enumerate(boxes[:2], 1):
        running.system.create("note", name=f"m{n}", size=n, box=box)
    town.write(texts("size * 3"))
    anew = {one["entity"]: one for one in json.loads(town.run("plan", "--rehearse", "--format", "json").output)["rehearsed"]["recompute"]}
    assert [anew[name]["changed"] for name in ("note", "box")] == [4, 2]  # of n0 nothing differs: 0 * 3
    assert anew["box"]["examples"] == ["left: total 2 → 3", "right: total 4 → 6"]
    plugin = (
        "from xrm.errors import Problem\nfrom xrm.plugins import hookimpl\n\n\n@hookimpl\ndef validate_record(entity, record):\n"
        "    return [Problem('XRM502', 'too heavy', path=('size',))] if entity == 'note' and record['size'] == 2 else None\n"
    )
    town.write({**texts("size * 3"), "plugins/p.py": plugin})
    shown = town.run("plan", "--rehearse").output
    assert "- 2 records of note would be computed anew" in shown, shown
    assert "- 2 records of note could not be:\n    n2: too heavy\n    m2: too heavy" in shown
    assert "- 1 record of box would be computed anew:\n    left: total 2 → 3" in shown


def test_what_is_replaced_is_left_as_an_export(town: Town, tmp_path: Path) -> None:
    """Options that are mapped, and values that are converted as somebody said, want no leave; what they were is a file before they are
    others."""
    fewer = ONE["note"].replace("size: integer", "size: {type: text, converted_from: integer}")
    town.write({"note": fewer.replace("options: [fax, web]", "options: [web], removed: {fax: web}")})
    shown = town.run("plan").output
    assert "before all else, export note with what is lost or replaced" in shown and "LOSES" not in shown
    assert json.loads(town.run("plan", "--format", "json").output)["exports"] == ["note"]
    done = town.run("apply", "--yes", "--export-to", str(tmp_path / "kept"))
    assert done.exit_code == 0 and f"exported note as before to {tmp_path / 'kept'}" in done.output, done.output
    rows = list(csv.DictReader((tmp_path / "kept" / "note.csv").read_text(encoding="utf-8").splitlines()))
    assert sorted((row["name"], row["way"], row["size"]) for row in rows) == [("n0", "fax", "0"), ("n1", "fax", "1"), ("n2", "fax", "2")]


def test_every_verb_speaks_json(town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What was planned and what came of it; and where a verb refuses, its problems."""
    town.write({"note": ONE["note"].replace("size: integer, ", "")})
    done = json.loads(town.run("apply", "--yes", "--allow-loss", "--format", "json").output)
    assert (done["applied"], done["exports"], done["steps"][-1]["loses"]) == (2, ["note"], "3 values of note.size")
    assert json.loads(town.run("apply", "--yes", "--format", "json").output)["applied"] is None
    monkeypatch.setattr("sys.argv", ["xrm", "diff", "1", "9", "--app", str(town.folder), "--format", "json"])
    with pytest.raises(SystemExit) as ended:
        main()
    problems = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1 and [(one["code"], one["hint"]) for one in problems] == [("XRM410", "xrm releases lists them")]


def test_a_reader_is_never_kept(application: Applications) -> None:
    """PostgreSQL: while a long reader holds a table, an apply that waits for it lets other readers through, and ends well afterwards."""
    running = application(ONE)
    if running.dialect == "sqlite":
        assert running.rows("PRAGMA journal_mode") == [("wal",)]  # readers and the writer do not wait for each other
        return
    running.system.create("note", name="n")
    after = {"note": ONE["note"].replace("size: integer", "size: integer, more: text")}
    failed: list[BaseException] = []

    def applied() -> None:
        try:
            with closing(Database(running.url)) as own:
                apply_to(own, after)
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            failed.append(error)

    with psycopg.connect(running.url) as reader, psycopg.connect(running.url, autocommit=True) as other:
        reader.execute("SELECT count(*) FROM note")
        thread = threading.Thread(target=applied)
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'note'::regclass"
        while thread.is_alive() and other.execute(waiting).fetchone() == (0,):
            pass
        other.execute("SET statement_timeout = '4s'")
        for _ in range(3):
            assert other.execute("SELECT count(*) FROM note").fetchone() == (1,)
        assert thread.is_alive()
        reader.rollback()
        thread.join(30)
    assert not failed and running.rows("SELECT more FROM note") == [(None,)]


def test_indexes_of_large_tables_are_made_meanwhile(application: Applications, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL: such an index is its own step before the others; one that a stopped build left broken is made again."""
    running = application(ONE)
    running.system.create("note", name="n", size=1)
    monkeypatch.setattr(planning, "ONLINE", 1)
    after = {"note": ONE["note"].replace("size: integer", "size: {type: integer, index: true}")}
    made = plan(running, after)
    assert [step.online for step in made.steps] == [running.dialect == "postgresql"]
    if running.dialect == "postgresql":
        assert "CONCURRENTLY" in made.steps[0].sql[0]
        running.run(made.steps[0].sql[0])
        running.run(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = (SELECT oid FROM pg_class WHERE starts_with(relname, 'ix_note_size'))"
        )
        assert plan(running, after).steps[0].sql[0].startswith("DROP INDEX CONCURRENTLY")
    with closing(Database(running.url)) as own:
        apply_to(own, after)
    assert plan(running, after).empty


def plan(running: Running, texts: dict[str, str]) -> planning.Plan:
    return bootstrap.plan_of(running.database, loaded(texts)[0])


def test_differences_are_said_in_the_words_of_the_language() -> None:
    """Every key that is written is told, each under the name of what it stands on; what only looks different is not."""
    before = {
        "xrm.yml": "xrm: 1\nname: a\nroles: {agent: Agent}\n",
        "entities/note.yml": "entity: note\nlabel: Note\nfields:\n  size: {type: integer, max: 5}\n  way: {type: choice, options: [fax, web]}\n  old: text\n",
        "plugins/a.py": "A = 1\n",
    }
    after = {
        "xrm.yml": "xrm: 1\nname: a\nroles: {agent: {label: Agent}, boss: Boss}\n",
        "entities/note.yml": "entity: note\nlabel: {en: Remark}\nfields:\n  way: {type: choice, options: {web: Web}}\n  size: {type: integer, max: 7, required: way == 'web'}\n"
        "  new: {type: text, renamed_from: old}\nchecks: {small: {must: size < 3, message: Too large}}\n",
        "plugins/a.py": "A = 2\n",
        "entities/more.yml": "add_to: user\nfields: {desk: text}\n",
    }
    assert source.differences(before, before) == ()
    assert list(source.differences(before, after)) == [
        "application: role boss added",
        "note: label is en: Remark, was Note",
        "note.size: max is 7, was 5",
        "note.size: required is =way == 'web', was not said",
        "note.way: option fax removed",
        "note.way.web: label is Web, was not said",
        "note: field old renamed to new",
        "note: fields in another order",
        "note: check small added",
        "what is added to user: added",
        "plugins/a.py: changed",
    ]


def test_a_plan_refuses_what_a_plugin_still_names(town: Town) -> None:
    """At the line of the plugin; a field that another entity still has may be that one's."""
    plugin = '"""size"""\nfrom xrm.plugins import hookimpl\n\n\n@hookimpl\ndef prepare_record(entity, values):\n    if entity == "note":\n        values.setdefault("size", 1)\n'
    grown = {"note": ONE["note"].replace("size: integer, ", ""), "plugins/p.py": plugin}
    town.write(grown)
    refused = town.run("plan")
    assert codes(refused) == ["XRM412"] and isinstance(refused.exception, XrmError)
    assert str(refused.exception.problems[0].place) == "plugins/p.py:8:27"
    town.write({**grown, "box": "fields: {size: integer}"})
    assert codes(town.run("plan")) == []
    town.write({"box": "fields: {size: integer}", "plugins/p.py": plugin})
    assert codes(town.run("plan")) == ["XRM412"]
