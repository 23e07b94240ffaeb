"""What a word means, and where a thing is used."""

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.support.application import files_of, write_folder
from xrm import source
from xrm.commands import explaining
from xrm.errors import CODES, Invalid
from xrm.source.explain import explain_key
from xrm.source.keys import KINDS
from xrm.source.usage import named, uses

app = typer.Typer()


@app.callback()
def _root() -> None: ...


explaining.register(app)
runner = CliRunner()

CITY = {
    "category": "key: code\nfields:\n  code: {type: text, required: true, unique: true}\n  days: integer\naccess: {agent: read}\n",
    "request": """\
title: "{subject}"
fields:
  subject: {type: text, required: channel == "phone"}
  category: {type: link, to: category}
  channel: {type: choice, options: [phone, web], default: [{when: category.days > 9, use: phone}, {use: web}]}
  twice: {compute: =cost * 2, protected: true}
  cost: {type: decimal, protected: true}
checks:
  dear: {should: cost < 10 || category.days > 2, message: "{subject} is dear", field: cost}
lifecycle:
  states: {new: {initial: true}, closed: {final: true, edit: [subject]}}
  transitions:
    close: {from: new, to: closed, roles: boss, ask: [subject], set: {channel: web}, guards: [{must: cost > 0, message: No cost}]}
    reopen: {from: closed, to: new}
access:
  agent: {read: state != "closed", create: true}
  boss: {read: true, update: true, sees: [cost, twice], edits: cost}
views:
  default: {columns: [subject, category.days], sort: -category.code, filter: 'channel in ["web"]'}
compact: [subject]
forms: [{section: What, fields: [subject, category, cost]}]
""",
    "plugins/p.py": '"""subject"""\nx = find("request", "category.code == null", fields=["subject"])\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path, CITY)


def used(*thing: str) -> list[str]:
    """The uses of a thing of the city: line, column and path."""
    files = files_of(CITY)
    meaning = source.load_text(files).meaning
    assert meaning
    return [f"{use.place.file[-5]}{use.place.line}:{use.place.column} {'.'.join(use.by)}" for use in named(uses(meaning, files), thing)]


def test_every_place_that_names_a_field_is_found() -> None:
    """Titles, messages, rules, rights, moves, views over links, forms, plugins; in the definition with the very column."""
    assert used("field", "request", "subject") == [
        "t2:8 title",
        "t10:59 checks.dear.message",
        "t12:63 lifecycle.states.closed.edit",
        "t14:55 lifecycle.transitions.close.ask",
        "t20:23 views.default.columns",
        "t21:11 compact",
        "t22:34 forms.fields",
        "/2:54 text",
    ]
    assert used("field", "category", "days") == [
        "t6:67 fields.channel.default",
        "t10:31 checks.dear.should",
        "t20:32 views.default.columns",
    ]


def test_options_states_roles_and_entities_are_found_too() -> None:
    """In comparisons and lists as in keys."""
    assert [use.split()[1] for use in used("option", "request", "channel", "phone")] == [
        "fields.subject.required",
        "fields.channel.default",
    ]
    assert [use.split()[1] for use in used("option", "request", "channel", "web")] == [
        "fields.channel.default",
        "lifecycle.transitions.close.set.channel",
        "views.default.filter",
    ]
    assert [use.split()[1] for use in used("state", "request", "closed")] == [
        "lifecycle.transitions.close.to",
        "lifecycle.transitions.reopen.from",
        "access.agent.read",
    ]
    assert [use.split()[1] for use in used("role", "boss")] == ["lifecycle.transitions.close.roles", "access"]
    assert [use.split()[1] for use in used("entity", "category")] == ["fields.category.to", "text"]


def test_moves_views_and_checks_are_explained(folder: Path) -> None:
    """Under their own name, or after `transitions.`, `views.` and `checks.`; what plugins name of them is found."""
    (folder / "plugins/q.py").write_text('move("request", "close", "closed it")\n', encoding="utf-8")

    def said(word: str, *more: str) -> str:
        return runner.invoke(app, ["explain", word, "--app", str(folder), *more]).output

    assert "transition request.close" in said("request.close") and "guard  cost > 0" in said("request.transitions.close")
    assert "view request.default" in said("request.views.default") and "columns  subject, category.days" in said("request.views.default")
    assert "check request.dear" in said("request.dear") and "entities/request.yml:10" in said("request.dear")
    assert said("request.close", "--used").splitlines() == ["plugins/q.py:1:17  the text of a plugin", "request.close is used in 1 place."]


def test_records_and_translations_use_what_they_name() -> None:
    """The fields and options that reference records give, and whatever a language has words for."""
    files = files_of(CITY) | {
        "data/category.yml": "roads: {days: 5}\n",
        "locale/es.yml": "entities: {request: {fields: {channel: {label: Vía, options: {web: Red}}}, lifecycle: {transitions: {close: {label: Fin}}}}}\n",
    }
    meaning = source.load_text(files).meaning
    assert meaning
    found = uses(meaning, files)

    def said(*thing: str) -> list[str]:
        return [
            f"{use.place} {' '.join(use.by)}" for use in named(found, thing) if not use.place.file.startswith(("entities/", "plugins/"))
        ]

    assert said("entity", "category") == ["data/category.yml:1:1 records"]
    assert said("field", "category", "days") == ["data/category.yml:1:9 roads"]
    assert said("field", "request", "channel") == ["locale/es.yml:1:31 words"]
    assert said("option", "request", "channel", "web") == ["locale/es.yml:1:63 words"]
    assert said("transition", "request", "close") == ["locale/es.yml:1:102 words"]


def test_types_packs_and_records_are_explained(tmp_path: Path) -> None:
    """An application's own types, the packs that it uses, and its reference records, each with where it is used."""
    texts = {
        "xrm.yml": "xrm: 1\nname: test\nroles: [agent]\nuse: [contacts]\ntypes: {cost: {type: money, min: 0}, fee: {type: cost}}\n",
        "category": "key: code\nfields: {code: {type: text, required: true, unique: true}, fee: {type: fee, max: 9}}\n",
        "request": "fields: {name: text, category: {type: link, to: category, default: roads}, paid: {type: cost}}\n",
        "data/category.yml": "roads: {fee: 5}\n",
    }
    folder = str(write_folder(tmp_path, texts))

    def said(*words: str) -> list[str]:
        result = runner.invoke(app, ["explain", *words, "--app", folder])
        assert result.exit_code == 0, result.output
        return [" ".join(line.split()) for line in result.stdout.splitlines() if line]

    assert said("cost")[:2] == ["type cost", "type money"] and "xrm.yml:5:9" in said("cost")
    assert said("cost", "--used") == [
        "entities/request.yml:2:89 fields → paid → type", "xrm.yml:5:50 types → fee → type", "cost is used in 2 places.",
    ]  # fmt: skip
    assert said("fee", "--used")[-1] == "fee is used in 1 place."
    assert said("contacts")[0] == "pack contacts" and "xrm.yml:4:7" in said("contacts")
    assert said("category.roads")[:4] == ["category roads", "code roads", "fee 5.00", "data/category.yml:1:1"]
    assert said("category.roads", "--used") == [
        "entities/request.yml:2:68 fields → category → default",
        "category.roads is used in 1 place.",
    ]


ORDERS = {
    "order": """\
fields:
  subject: text
  lines: {type: rows, fields: {item: text, kind: {type: choice, options: [x, y]}, amount: {type: decimal, required: parent.subject != null}}}
  total: {compute: =sum(lines.amount)}
  big: {compute: '=lines.exists(l, l.amount > 5 && l.item != subject && l.kind == "x")'}
  owner: {type: link, to: person, inverse: orders, filter: name != this.subject}
""",
    "person": "fields: {name: text, load: {compute: =count(orders)}, worst: {compute: =max(orders.total)}}\n",
}


def test_uses_in_rows_and_collections_are_found(tmp_path: Path) -> None:
    """Of the fields of rows, of the record around them, of inverse links and what lies beyond them."""
    files = files_of(ORDERS)
    meaning = source.load_text(files).meaning
    assert meaning
    found = uses(meaning, files)

    def by(*thing: str) -> list[str]:
        return [f"{use.place.line}:{use.place.column} {use.by[1]}" for use in named(found, thing)]

    assert by("field", "order.lines", "amount") == ["5:25 total", "6:36 big"]
    assert by("field", "order.lines", "item") == ["6:52 big"]
    assert by("option", "order.lines", "kind", "x") == ["6:73 big"]
    assert [use.split()[1] for use in by("field", "order", "subject")] == ["lines", "big", "owner"]
    assert by("field", "person", "name") == ["7:60 owner"]
    assert by("inverse", "person", "orders") == by("field", "order", "owner") == ["2:39 load", "2:73 worst"]
    assert by("field", "order", "total") == ["2:77 worst"]
    folder = write_folder(tmp_path, ORDERS)
    for word, words in (
        ("order.lines.amount", "parent.subject != null"),
        ("person.orders", "the records of order whose owner"),
        ("order.lines.kind.x", "kind"),
    ):
        assert words in runner.invoke(app, ["explain", word, "--app", str(folder)]).stdout


def test_a_thing_is_explained_with_its_lines(folder: Path) -> None:
    """What it is, who sees it, where it stands."""
    said = runner.invoke(app, ["explain", "request.cost", "--app", str(folder)]).stdout
    for words in (
        "request.cost",
        "decimal",
        "seen by     boss",
        "changed by  boss",
        "entities/request.yml:8:3",
        "cost: {type: decimal, protected: true}",
    ):
        assert words in said
    assert "xrm explain request.cost --used" in said
    shown = json.loads(runner.invoke(app, ["explain", "request", "--app", str(folder), "--format", "json"]).stdout)
    assert shown["facts"]["states"] == "new, closed" and shown["facts"]["may: agent"] == 'read where state != "closed", create'
    shown = json.loads(runner.invoke(app, ["explain", "category", "--app", str(folder), "--format", "json"]).stdout)
    assert shown["facts"]["linked from"] == "request.category"


def test_uses_are_listed_by_place(folder: Path) -> None:
    """And as JSON; what is used nowhere says so."""
    listed = runner.invoke(app, ["explain", "request.channel", "--used", "--app", str(folder)]).stdout.splitlines()
    assert listed[0].startswith("entities/request.yml:4:35") and listed[-1] == "request.channel is used in 3 places."
    found = json.loads(runner.invoke(app, ["explain", "request.twice", "--used", "--app", str(folder), "--format", "json"]).stdout)
    assert [use["by"] for use in found["used"]] == [["access", "boss", "sees"]]
    assert "used nowhere" in runner.invoke(app, ["explain", "guest", "--used", "--app", str(folder)]).stdout


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("fields.link.to", ["entity a link leads to", "one or more entities"]),
        ("lifecycle.transitions.guards.must", ["What must hold."]),
        ("fields.money", ["currency"]),
        ("access", ["map from role to grant", "read, create"]),
        ("state", ["initial", "Records begin here"]),
        ("roles.includes", ["Roles whose rights"]),
    ],
)
def test_keys_of_the_language_are_explained(word: str, words: list[str], tmp_path: Path) -> None:
    """By the keys that lead to them, with a type between; no application is needed."""
    result = runner.invoke(app, ["explain", word, "--app", str(tmp_path)])
    assert result.exit_code == 0
    assert all(one in result.stdout for one in words), result.stdout


def test_every_key_of_every_kind_is_explained() -> None:
    """With its example."""
    for kind in KINDS.values():
        for key in kind.keys:
            found = explain_key(f"{kind.name}.{key.name}")
            assert found and found.example == key.example, f"{kind.name}.{key.name}"


def test_every_code_is_explained(tmp_path: Path) -> None:
    """From its section of the page."""
    for code in CODES:
        said = runner.invoke(app, ["explain", code, "--app", str(tmp_path)]).stdout
        assert said.startswith(f"{code}: {CODES[code]}\n\n") and len(said.splitlines()) > 2, code
    assert "XRM203" in runner.invoke(app, ["explain", "203", "--app", str(tmp_path)]).stdout


def test_what_nothing_is_called_gets_the_nearest(folder: Path, tmp_path: Path) -> None:
    """A problem, not a traceback."""
    for word, near in (("request.categry", "request.category"), ("fields.link.too", "did you mean"), ("xrm299", "XRM2")):
        result = runner.invoke(app, ["explain", word, "--app", str(folder)])
        assert isinstance(result.exception, Invalid) and near in (result.exception.problems[0].hint or "")
    result = runner.invoke(app, ["explain", "request.cost", "--app", str(tmp_path / "none")])
    assert isinstance(result.exception, Invalid) and "--app" in (result.exception.problems[0].hint or "")


def test_an_application_that_is_not_sound_says_what_is_wrong(tmp_path: Path) -> None:
    """Keys of the language are explained all the same."""
    folder = write_folder(tmp_path, {"note": "fields: {a: txt}\n"})
    result = runner.invoke(app, ["explain", "note.a", "--app", str(folder)])
    assert isinstance(result.exception, Invalid) and result.exception.problems[0].place
    assert runner.invoke(app, ["explain", "fields.min", "--app", str(folder)]).exit_code == 0


def test_a_state_tells_how_records_come_and_leave(folder: Path) -> None:
    """And a field who sees it, with those whose role includes that of another."""
    result = runner.invoke(app, ["explain", "request.closed", "--app", str(folder)])
    assert [" ".join(line.split()) for line in result.stdout.splitlines() if line][2:5] == [
        "comes here close from new", "leaves reopen to new", "may be edited subject",
    ]  # fmt: skip
    (folder / "xrm.yml").write_text(
        "xrm: 1\nname: test\nroles: {agent: Agent, boss: {includes: agent}, head: {includes: boss}}\n", encoding="utf-8"
    )
    told = runner.invoke(app, ["explain", "request.cost", "--app", str(folder)]).stdout
    assert re.search(r"seen by +boss, head\n", told) and re.search(r"changed by +boss, head\n", told)
