"""Releases: a plan first, all of it or none, and a process that runs an older one writes nothing."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.application import Applications, Running, apply_to, loaded, write_folder
from tests.support.databases import TestDatabases
from xrm import bootstrap
from xrm.compile.application import compile_application
from xrm.errors import Invalid, NotFound, Unavailable, XrmError
from xrm.settings import Settings
from xrm.store import migrate, releases
from xrm.store.database import Database

ACCESS = "access: {agent: [read, create, update, delete]}"
NOTE = f'title: "{{name}}"\nfields: {{name: text}}\n{ACCESS}'


def plan(database: Database, texts: dict[str, str] | str) -> migrate.Plan:
    model, _ = loaded(texts)
    return migrate.plan(database, compile_application(model, database.dialect).tables, model.digest)


def step_words(database: Database, texts: dict[str, str] | str) -> list[str]:
    return [step.words for step in plan(database, texts).steps]


KINDS = [
    "text",
    "long_text",
    "integer",
    "decimal",
    "money",
    "boolean",
    "date",
    "datetime",
    "{type: choice, options: [a]}",
    "email",
    "phone",
    "url",
    "point",
    "json",
]
EVERYTHING = {
    "note": 'title: "{f0}"\nnumber: "N-{seq:4}"\nfields:\n'
    + "".join(f"  f{n}: {kind}\n" for n, kind in enumerate(KINDS))
    + "  one: {type: text, unique: true}\n  two: {type: integer, index: true}\n  three: {type: link, to: box}\n  four: {type: date, unique: true}\n"
    + "unique: {both: [f0, f2], some: {fields: [f2, one], when: f2 != null}}\n"
    + "lifecycle: {states: {a: {initial: true}, b: {}}, transitions: {go: {from: a, to: b}}}\n"
    + "views: {default: {sort: -f2}, late: {sort: f7}, named: {sort: [f0, -f2]}, made: {sort: -created_at}}\n"
    + ACCESS,
    "box": f"fields: {{name: text, up: {{type: link, to: box}}, note: {{type: link, to: note}}}}\n{ACCESS}",
}


def test_a_second_plan_is_empty(databases: TestDatabases) -> None:
    """After applying a definition with every type, index and link, circles too, there is nothing left to plan, step or text."""
    with closing(Database(databases.empty())) as database:
        assert apply_to(database, EVERYTHING) == 1
        found = plan(database, EVERYTHING)
        assert [step.words for step in found.steps] == [] and found.empty


def test_long_names_are_planned_once(databases: TestDatabases) -> None:
    """Names at their longest, whose indexes and keys are longer than PostgreSQL takes, come to rest after one plan."""
    long = "a" * 48
    texts = {
        long: f"fields:\n  {'b' * 48}: {{type: text, unique: true}}\n  {'c' * 48}: {{type: link, to: {long}}}\n  {'c' * 47}: {{type: link, to: {long}}}\n"
        f"  {'d' * 48}: {{type: integer, index: true}}\nunique: {{{'e' * 48}: [{'b' * 48}, {'d' * 48}]}}\n{ACCESS}",
    }  # fmt: skip
    with closing(Database(databases.empty())) as database:
        apply_to(database, texts)
        assert step_words(database, texts) == []


def test_only_the_text_changed(databases: TestDatabases) -> None:
    """A definition that differs in words only makes a release without a step."""
    with closing(Database(databases.empty())) as database:
        apply_to(database, NOTE)
        found = plan(database, f"label: Remark\n{NOTE}")
        assert (found.steps, found.text_changed, found.empty) == ((), True, False)
        assert apply_to(database, f"label: Remark\n{NOTE}") == 2
        active = releases.active(database)
        assert active is not None and "Remark" in active.files["entities/note.yml"] and active.by == "test"


def foreign_keys(running: Running) -> set[tuple[str, str]]:
    """(table.column, table it leads to) of every foreign key of the entities."""
    if running.dialect == "sqlite":
        tables = [row[0] for row in running.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'xrm%'")]
        return {(f"{table}.{row[3]}", row[2]) for table in tables for row in running.rows(f"PRAGMA foreign_key_list({table})")}
    sql = (
        "SELECT c.conrelid::regclass || '.' || a.attname, c.confrelid::regclass::text FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND left(c.conrelid::regclass::text, 3) <> 'xrm'"
    )
    return {(row[0], row[1]) for row in running.database.connection.all(sql)}


def test_a_definition_grows(application: Applications) -> None:
    """Fields, links, indexes and entities are added beside the data, which stays; new links are foreign keys on both databases."""
    first = application(NOTE)
    made = first.person("ana", "agent").create("note", name="kept")
    grown = {
        "note": f'title: "{{name}}"\nfields: {{name: {{type: text, unique: true}}, box: {{type: link, to: box}}, day: {{type: date, index: true}}, at: point, '
        f"cost: {{type: money, default: 5}}, size: {{type: integer, required: name != null}}}}\nviews: {{default: {{sort: day}}}}\n{ACCESS}",
        "box": f"fields: {{name: text, note: {{type: link, to: note}}}}\n{ACCESS}",
    }  # fmt: skip
    with closing(Database(first.url)) as database:
        apply_to(database, grown, allow=False)
        assert step_words(database, grown) == []
    second = application.opened(first.url)
    assert foreign_keys(second) >= {("note.box", "box"), ("box.note", "note")}
    ana = second.person("bea", "agent")
    old = ana.get("note", made.id)
    assert (old["name"], old["box"], old["cost"]) == ("kept", None, None)
    box = ana.create("box", name="b", note=made.id).id
    with pytest.raises(Invalid, match="Size is required"):
        ana.create("note", name="other", box=box)
    assert ana.update("note", made.id, old["version"], box=box, size=1).record["box"] == box
    with pytest.raises(Invalid, match="Name is already in use"):
        ana.create("note", name="KEPT", size=2)


def test_links_in_circles(application: Applications) -> None:
    """Entities that link to each other, to themselves and to users are made in one go, with every foreign key."""
    running = application({
        "a": f"fields: {{b: {{type: link, to: b}}, a: {{type: link, to: a}}}}\n{ACCESS}",
        "b": f"fields: {{c: {{type: link, to: c}}, who: {{type: link, to: user}}}}\n{ACCESS}",
        "c": f"fields: {{a: {{type: link, to: a}}, b: {{type: link, to: b}}}}\n{ACCESS}",
    })  # fmt: skip
    assert foreign_keys(running) == {("a.b", "b"), ("a.a", "a"), ("b.c", "c"), ("b.who", "xrm_user"), ("c.a", "a"), ("c.b", "b")}
    ana = running.person("ana", "agent")
    one = ana.create("a").id
    two = ana.create("c", a=one).id
    three = ana.create("b", c=two, who=ana.id).id
    assert ana.update("a", one, 1, b=three, a=one).record["b"] == three


@pytest.mark.parametrize(
    ("after", "loses"),
    [
        ({"note": f"fields: {{name: text, box: {{type: link, to: box}}}}\n{ACCESS}", "box": NOTE}, ["1 value of note.size"]),
        ({"note": f"fields: {{name: text, size: integer}}\n{ACCESS}", "box": NOTE}, ["1 value of note.box"]),
        ({"note": f"fields: {{name: text, size: integer}}\n{ACCESS}"}, ["1 value of note.box", "1 record of box"]),
        ({"box": NOTE}, ["2 records of note"]),
    ],
)
def test_what_would_be_lost_is_counted_and_dropped_only_then(application: Applications, after: dict[str, str], loses: list[str]) -> None:
    """A plan says for each step what of the data it would destroy; applied, the rest works and a second plan is empty."""
    first = application({"note": f"fields: {{name: text, size: integer, box: {{type: link, to: box}}}}\n{ACCESS}", "box": NOTE})
    ana = first.person("ana", "agent")
    box = ana.create("box", name="b").id
    ana.create("note", name="n", size=1, box=box)
    ana.create("note", name="m")
    with closing(Database(first.url)) as database:
        found = plan(database, after)
        assert [step.loses for step in found.steps if step.loses] == loses
        apply_to(database, after)
        assert step_words(database, after) == []
    second = application.opened(first.url)
    person = second.person("bea", "agent")
    for entity in after:
        person.create(entity, name="after")
        assert person.count(entity, filter='name == "after"') == 1


def test_a_link_field_can_go_and_come_back(application: Applications) -> None:
    """A link is dropped, foreign key and all, and added again."""
    with_link = {"note": f"fields: {{name: text, box: {{type: link, to: box}}}}\n{ACCESS}", "box": NOTE}
    without = {"note": f"fields: {{name: text}}\n{ACCESS}", "box": NOTE}
    running = application(with_link)
    for texts in (without, with_link):
        with closing(Database(running.url)) as database:
            apply_to(database, texts)
            assert step_words(database, texts) == []
    assert ("note.box", "box") in foreign_keys(application.opened(running.url))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("text", "integer"),
        ("text", "date"),
        ("integer", "text"),
        ("date", "datetime"),
        ("decimal", "{type: decimal, places: 1}"),
        ("email", "url"),
        ("money", "{type: money, currency: JPY}"),
        ("text", "{type: link, to: box}"),
        ("text", "point"),
        ("boolean", "integer"),
    ],
)
def test_a_change_of_type_never_changes_values_in_silence(application: Applications, tmp_path: Path, before: str, after: str) -> None:
    """A field whose values would be read as something else is refused, with a way round."""
    running = application({"note": f"fields: {{name: text, field: {before}}}\n{ACCESS}", "box": NOTE})
    sent = {
        "text": "12",
        "integer": 12,
        "date": "2026-01-01",
        "decimal": "1.25",
        "money": "1.25",
        "boolean": True,
        "email": "a@example.org",
    }[before]
    running.person("ana", "agent").create("note", field=sent)
    texts = {"note": f"fields: {{name: text, field: {after}}}\n{ACCESS}", "box": NOTE}
    with closing(Database(running.url)) as database:
        folder = write_folder(tmp_path / "app", texts)
        with pytest.raises(Invalid) as refused:
            bootstrap.plan(Settings(folder, running.url, None, 1), database)
    assert [(p.code, p.path) for p in refused.value.problems] == [("XRM402", ("note", "fields", "field"))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("text", "long_text"),
        ("email", "text"),
        ("decimal", "money"),
        ("decimal", "{type: decimal, places: 3}"),
        ("integer", "decimal"),
        ("{type: choice, options: [a]}", "long_text"),
        ("text", "{type: text, length: 9, required: true}"),
    ],
)
def test_what_is_kept_alike_can_follow(application: Applications, tmp_path: Path, before: str, after: str) -> None:
    """A text can become another kind of text, and a decimal an amount: the values are the same."""
    running = application({"note": f"fields: {{name: text, field: {before}}}\n{ACCESS}"})
    with closing(Database(running.url)) as database:
        folder = write_folder(tmp_path / "app", {"note": f"fields: {{name: text, field: {after}}}\n{ACCESS}"})
        assert not bootstrap.plan(Settings(folder, running.url, None, 1), database)[1].empty


def test_apply_is_all_or_nothing(databases: TestDatabases) -> None:
    """When one statement fails, nothing of the plan is there, the release is the old one, and the problem is one that can be read."""
    with closing(Database(databases.empty())) as database:
        apply_to(database, NOTE)
        model, _ = loaded({"note": NOTE, "box": NOTE})
        made = migrate.plan(database, compile_application(model, database.dialect).tables, model.digest)
        broken = replace(made, steps=(*made.steps, migrate.Step("break it", ("CREATE TABLE note (id integer)",))))
        with pytest.raises(Invalid) as refused:
            bootstrap.apply(database, model, broken)
        assert refused.value.problems[0].code == "XRM402"
        assert releases.active_id(database) == 1
        assert step_words(database, {"note": NOTE, "box": NOTE}) == [step.words for step in made.steps]
        assert bootstrap.apply(database, model, made) == 2


def test_unique_over_what_is_there_is_refused(application: Applications) -> None:
    """A field cannot become unique while records share a value; nothing is changed, and the problem says what to do."""
    running = application(NOTE)
    ana = running.person("ana", "agent")
    for name in ("Same", "same"):
        ana.create("note", name=name)
    texts = f"fields: {{name: {{type: text, unique: true}}, more: text}}\n{ACCESS}"
    with closing(Database(running.url)) as database:
        with pytest.raises(Invalid) as refused:
            apply_to(database, texts)
        assert refused.value.problems[0].code == "XRM402" and "told apart" in str(refused.value.problems[0].hint)
        assert releases.active_id(database) == running.service.release
    assert ana.create("note", name="still works").version == 1


def test_an_older_process_writes_nothing(application: Applications) -> None:
    """Once another release is active, a process of the old one reads on, refuses every write with XRM405, and is not ready."""
    old = application(NOTE)
    ana = old.person("ana", "agent")
    made = ana.create("note", name="x")
    api = ana.api
    assert api.get("/readyz").json == {"status": "ready", "release": 1}
    with closing(Database(old.url)) as database:
        apply_to(database, f"label: Remark\n{NOTE}")
    for attempt in (
        lambda: ana.create("note", name="y"),
        lambda: ana.update("note", made.id, 1, name="y"),
        lambda: ana.delete("note", made.id, 1),
    ):
        with pytest.raises(Unavailable, match="XRM405"):
            attempt()
    assert ana.get("note", made.id)["name"] == "x"
    ready = api.get("/readyz")
    assert (ready.status, ready.json["status"]) == (503, "outdated")
    assert api.get("/healthz").status == 200
    answer = api.post("/api/note", {"name": "y"})
    assert (answer.status, answer.json["code"]) == (503, "XRM405")
    new = application.opened(old.url)
    assert new.person("bea", "agent").update("note", made.id, 1, name="y").version == 2


def test_nothing_was_applied(databases: TestDatabases, application: Applications) -> None:
    """A database without a release is told apart from one that is away."""
    with pytest.raises(Unavailable, match="XRM403"):
        application.opened(databases.empty())


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////proc/nowhere/x.db"])
def test_a_database_that_is_away(application: Applications, url: str) -> None:
    """A database that cannot be reached is a problem with a hint."""
    with pytest.raises(Unavailable) as refused:
        application.opened(url)
    assert (refused.value.problems[0].code, bool(refused.value.problems[0].hint)) == ("XRM404", True)


def test_other_tables_are_left_alone(databases: TestDatabases) -> None:
    """Tables that xrm did not make are neither planned nor dropped."""
    url = databases.empty()
    with closing(Database(url)) as database:
        database.connection.run("CREATE TABLE theirs (id integer)")
        apply_to(database, NOTE)
        assert step_words(database, NOTE) == []
        apply_to(database, {"box": NOTE})
        assert database.connection.all("SELECT count(*) FROM theirs") == [(0,)]


def test_two_applies_at_once(databases: TestDatabases) -> None:
    """Of two processes that apply the same plan, one does it and the other is told; the database is what the definition says."""
    with closing(Database(databases.empty())) as one, closing(Database(databases.empty())):
        apply_to(one, NOTE)
        model, _ = loaded({"note": NOTE, "box": NOTE})
        made = migrate.plan(one, compile_application(model, one.dialect).tables, model.digest)
        bootstrap.apply(one, model, made)
        with pytest.raises(XrmError):
            bootstrap.apply(one, model, made)
        assert step_words(one, {"note": NOTE, "box": NOTE}) == [] and releases.active_id(one) == 2


def test_old_releases_are_kept(databases: TestDatabases) -> None:
    """Each release keeps its whole text and the statements that made it."""
    with closing(Database(databases.empty())) as database:
        apply_to(database, NOTE)
        apply_to(database, {"note": NOTE, "box": NOTE})
        rows = database.connection.all("SELECT id, active, files, plan FROM xrm_release ORDER BY id")
        assert [(row[0], bool(row[1])) for row in rows] == [(1, False), (2, True)]
        assert "box" not in rows[0][2] and "CREATE TABLE box" in rows[1][3]


def test_unique_with_a_condition(application: Applications) -> None:
    """`unique` with `when` holds only among records for which the condition does."""
    running = application(
        "fields: {name: text, size: integer}\nunique: {open_ones: {fields: name, when: size > 1}}\n"
        "access: {agent: [read, create, update, delete]}"
    )  # fmt: skip
    ana = running.person("ana", "agent")
    ana.create("note", name="x", size=1)
    ana.create("note", name="x", size=1)
    ana.create("note", name="x", size=2)
    with pytest.raises(Invalid, match="XRM503"):
        ana.create("note", name="X", size=3)


def test_deleted_records_do_not_hold_their_name(application: Applications) -> None:
    """What is unique is so among records that are there; a deleted one comes back only if its name is free."""
    running = application(f"fields: {{name: {{type: text, unique: true}}}}\n{ACCESS}")
    ana = running.person("ana", "agent")
    one = ana.create("note", name="x")
    ana.delete("note", one.id, 1)
    two = ana.create("note", name="x")
    with pytest.raises(Invalid, match="XRM503"):
        ana.restore("note", one.id, 2)
    ana.delete("note", two.id, 1)
    assert ana.restore("note", one.id, 2).version == 3
    with pytest.raises(NotFound):
        ana.restore("note", one.id, 3)


def test_what_is_too_long_for_an_index_is_no_failure(application: Applications) -> None:
    """A title of several long texts, and long unique or indexed values, are written on both databases, or refused as a problem."""
    running = application(
        "title: '{a} {b} {c} {d}'\nfields: {a: text, b: text, c: text, d: {type: text, length: 10000}, u: {type: url, index: true}, w: {type: text, length: 5000, unique: true}}\n"
        "access: {agent: [read, create, update, delete]}"
    )  # fmt: skip
    ana = running.person("ana", "agent")
    noise = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(20_000))
    for values in (
        {"a": noise[:255], "b": noise[300:555], "c": noise[600:855], "d": noise[:9_999]},
        {"u": "https://example.org/" + noise[:1900]},
        {"w": noise[:4900]},
    ):
        try:
            made = ana.create("note", **values)
        except Invalid:
            continue
        assert ana.get("note", made.id)["version"] == 1
