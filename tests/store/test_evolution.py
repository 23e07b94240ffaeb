"""A definition changes while records are there: renames, drops, conversions, fills. What survives is the same, on both databases."""

from contextlib import closing
from typing import Any

import pytest

from tests.support.application import Applications, Person, Running, apply_to, loaded
from xrm import bootstrap
from xrm.errors import Invalid, Problem
from xrm.store.database import Database
from xrm.store.plans import Plan

ACCESS = "access: {agent: [read, create, update, delete], boss: {read: true, create: true, update: true, historic: true}}"


def note(fields: str, rest: str = "") -> str:
    return f"fields: {{{fields}}}\n{ACCESS}\n{rest}"


def planned(running: Running, texts: dict[str, str] | str) -> Plan:
    model, _ = loaded(texts)
    return bootstrap.plan_of(running.database, model)


def refused(running: Running, texts: dict[str, str] | str) -> list[Problem]:
    with pytest.raises(Invalid) as found:
        planned(running, texts)
    return list(found.value.problems)


def evolve(application: Applications, running: Running, texts: dict[str, str] | str, *, allow: bool = False) -> Running:
    """Apply, and see that nothing is left to plan and that the tables are as if they had been made at once."""
    with closing(Database(running.url)) as database:
        apply_to(database, texts, allow=allow)
        again = bootstrap.plan_of(database, loaded(texts)[0])
        assert [step.words for step in again.steps] == [] and again.empty
    after = application.opened(running.url)
    assert shape(after) == shape(application(texts))
    return after


def shape(running: Running) -> Any:
    """Tables with their columns, indexes, and on PostgreSQL their constraints by name."""
    if running.dialect == "sqlite":
        columns = running.rows("SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'")
        keys = running.rows(
            'SELECT m.name, k."from", k."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = \'table\''
        )
        indexes = running.rows("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'")
    else:
        columns = running.rows(
            "SELECT table_name, column_name, data_type || is_nullable || coalesce(column_default, '') FROM information_schema.columns"
            " WHERE table_schema = current_schema()"
        )
        keys = running.rows(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('f', 'p')"
        )
        indexes = running.rows("SELECT tablename, indexdef, '' FROM pg_indexes WHERE schemaname = current_schema()")
    return sorted(columns), sorted(keys), sorted(indexes)


def ana(running: Running) -> Person:
    return running.person("ana", "boss") if "ana" not in [row[0] for row in running.rows("SELECT name FROM xrm_user")] else _again(running)


def _again(running: Running) -> Person:
    from xrm.service import sessions

    actor = sessions.actor_named(running.service, "ana")
    assert actor is not None
    return Person(running, actor)


def test_everything_is_renamed(application: Applications) -> None:
    """An entity with its numbers, fields with their folded keys, indexes and links, options and states keep what they hold; the change
    log reads under the new names; and the old names are free for something new in the next release."""
    before = {
        "note": note(
            "name: {type: text, unique: true}, size: {type: integer, index: true}, way: {type: choice, options: [fax, web]}, at: point, box: {type: link, to: box}",
            'number: "N-{year}-{seq:4}"\ntitle: "{name}"\nviews: {default: {sort: size}}\n'
            "lifecycle: {states: {new: {initial: true}, busy: {}, done: {final: true}}, transitions: {go: {from: new, to: busy}, end: {from: busy, to: done}}}",
        ),
        "box": note("name: text, up: {type: link, to: note}"),
    }
    after = {
        "memo": note(
            "label: {type: text, unique: true, renamed_from: [title_of_it, name]}, extent: {type: integer, index: true, renamed_from: size}, "
            "way: {type: choice, options: {telefax: {renamed_from: fax}, web: {}}}, place: {type: point, renamed_from: at}, crate: {type: link, to: crate, renamed_from: box}",
            'renamed_from: note\nnumber: "N-{year}-{seq:4}"\ntitle: "{label}"\nviews: {default: {sort: extent}}\n'
            "lifecycle: {states: {new: {initial: true}, working: {renamed_from: busy}, done: {final: true}}, transitions: {go: {from: new, to: working}, end: {from: working, to: done}}}",
        ),
        "crate": note("name: text, up: {type: link, to: memo}", "renamed_from: box"),
    }
    first = application(before)
    box = ana(first).create("box", name="b").id
    made = ana(first).create("note", name="Kept", size=3, way="fax", at={"lat": 1, "lon": 2}, box=box)
    ana(first).move("note", made.id, 1, "go")
    deleted = ana(first).create("note", name="gone", way="fax")
    ana(first).delete("note", deleted.id, 1)
    ana(first).update("box", box, 1, up=made.id)
    made_plan = planned(first, after)
    assert not made_plan.losing and "rename table note to memo" in [step.words for step in made_plan.steps]
    second = evolve(application, first, after)
    person = ana(second)
    record = person.get("memo", made.id)
    assert (record["label"], record["extent"], record["way"], record["state"], record["crate"], record["version"]) == (
        "Kept",
        3,
        "telefax",
        "working",
        box,
        2,
    )
    assert str(record["place"]) == "1.0, 2.0"
    history = [entry.fields for entry in person.history("memo", made.id)]
    assert history[0]["state"] == ("new", "working") and history[1]["label"] == (None, "Kept") and history[1]["way"] == (None, "telefax")
    assert person.create("memo", label="x").record["number"] > record["number"]
    with pytest.raises(Invalid, match="Label is already in use"):
        person.create("memo", label="KEPT")
    assert person.count("memo", filter='label == "Kept"') == 1
    assert person.restore("memo", deleted.id, 2).record["way"] == "telefax"
    third = {
        "memo": after["memo"]
        .replace("renamed_from: [title_of_it, name]", "length: 200")
        .replace("way: {", "name: text, size: text, way: {")
        .replace("renamed_from: note\n", ""),
        "crate": after["crate"],
        "note": note("name: text, memo: {type: link, to: memo}"),
    }
    last = evolve(application, second, {**third, "memo": third["memo"].replace(", renamed_from: size", "")})
    person = ana(last)
    record = person.get("memo", made.id)
    assert (record["label"], record["name"], record["extent"], record["size"]) == ("Kept", None, 3, None)
    assert [entry.fields for entry in person.history("memo", made.id)][1]["label"] == (None, "Kept")
    assert person.create("note", name="new", memo=made.id).version == 1


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (note("a: text, b: {type: text, renamed_from: a}"), ["'a' is still the name of a field"]),
        (note("a: {type: text, renamed_from: x}, b: {type: text, renamed_from: x}"), ["'a' was called 'x' too"]),
        (note("a: {type: choice, options: {x: {renamed_from: y}, y: {}}}"), ["'y' is still the name of an option"]),
        ({"note": note("a: text"), "box": note("a: text", "renamed_from: note")}, ["'note' is still the name of an entity"]),
    ],
)  # fmt: skip
def test_an_old_name_is_free(texts: dict[str, str] | str, said: list[str]) -> None:
    """`renamed_from` with a name that the definition still has is refused at its place."""
    from tests.support.application import files_of
    from xrm import source

    problems = source.load_text(files_of(texts)).problems
    assert [(p.code, p.message, p.place is not None) for p in problems] == [("XRM406", message, True) for message in said]
