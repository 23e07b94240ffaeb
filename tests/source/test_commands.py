"""What the one who writes definitions sees: check, schema, new, and problems as text and as JSON."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.source.definitions import FIELDS, files, problems
from xrm.commands import definition, report
from xrm.errors import Place, Problem

app = typer.Typer()
definition.register(app)
runner = CliRunner()


def written(folder: Path, entity: str, **more: str) -> str:
    for name, text in files(entity, **more).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def test_a_mistake_looks_like_this() -> None:
    """Place, code, message with its path; the line; carets and the hint."""
    category = "entity: service_category\nfields: {name: text}\n"
    entity = "entity: request\nfields:\n  category:  {type: link, to: servce_category, required: true}\n"
    assert report.as_text(problems(entity, service_category=category)) == (
        "entities/thing.yml:3:31  XRM203  unknown entity 'servce_category' in fields → category → to\n"
        "     3 |   category:  {type: link, to: servce_category, required: true}\n"
        "       |                               ^^^^^^^^^^^^^^^ did you mean 'service_category' (entities/service_category.yml:1)?"
    )


def test_colour_is_for_terminals_only() -> None:
    """Escapes in a file are not passed on."""
    problem = Problem("XRM101", "bad \x1b[31m", Place("x", 1, 3), source="a \x1b[31mb")
    assert "\x1b" not in report.as_text([problem])
    assert "\x1b[31mXRM101" in report.as_text([problem], colour=True)


def test_carets_stand_beneath_wide_and_distant_text() -> None:
    """A wide character takes two columns, and a long line is cut around the place."""
    wide = report.as_text([Problem("X", "m", Place("x", 1, 3, 2), source="漢字ab")])
    assert wide.splitlines()[2] == "       |     ^^"
    far = report.as_text([Problem("X", "m", Place("x", 1, 5001, 4), source="x" * 5000 + "here" + "y" * 5000)]).splitlines()
    assert far[1].index("here") == far[2].index("^^^^")
    assert len(far[1]) < 250


def test_problems_without_a_place_are_printed_too() -> None:
    """For the other commands."""
    assert report.as_text([Problem("XRM404", "no database", hint="start it")]) == "XRM404  no database\n       = start it"


def test_check_says_what_is_well(tmp_path: Path) -> None:
    """And ends with 0."""
    result = runner.invoke(app, ["check", "--app", written(tmp_path, f"entity: thing\n{FIELDS}")])
    assert (result.exit_code, result.stdout) == (0, "well: 1 entity, 5 fields\n")


def test_check_counts_problems(tmp_path: Path) -> None:
    """And ends with 1."""
    result = runner.invoke(app, ["check", "--app", written(tmp_path, f"entity: thing\n{FIELDS}colour: x\nicon: y\n")])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "2 problems"


def test_warnings_do_not_fail_the_check(tmp_path: Path) -> None:
    """They are shown and counted."""
    entity = "entity: thing\nfields: {a: text, b: {type: text, required: true}}\nforms: [{section: A, fields: [a]}]\n"
    result = runner.invoke(app, ["check", "--app", written(tmp_path, entity)])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "well: 1 entity, 2 fields; 1 warning")


def test_check_prints_json(tmp_path: Path) -> None:
    """A list, empty where all is well."""
    place = written(tmp_path, f"entity: thing\n{FIELDS}colour: x\n")
    (found,) = json.loads(runner.invoke(app, ["check", "--app", place, "--format", "json"]).stdout)
    assert (found["code"], found["file"], found["line"], found["column"]) == ("XRM201", "entities/thing.yml", 3, 1)
    written(tmp_path, f"entity: thing\n{FIELDS}")
    assert json.loads(runner.invoke(app, ["check", "--app", place, "--format", "json"]).stdout) == []


def test_check_reads_the_plugins(tmp_path: Path) -> None:
    """A plugin that cannot be loaded is a problem with its place and line; functions it would add are not reported as unknown."""
    place = written(tmp_path, f"entity: thing\n{FIELDS}checks: {{a: {{must: own(name), message: No}}}}\n")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/a.py").write_text("x = 1\nraise ValueError('no')\n", encoding="utf-8")
    result = runner.invoke(app, ["check", "--app", place])
    assert result.exit_code == 1
    assert result.stdout.startswith("plugins/a.py:2:1  XRM701")
    assert "raise ValueError" in result.stdout
    assert "1 problem\n" in result.stdout


def test_a_wrong_option_ends_with_2() -> None:
    """As in every command."""
    assert runner.invoke(app, ["check", "--format", "xml"]).exit_code == 2


def test_new_makes_an_application_that_is_well(tmp_path: Path) -> None:
    """Named after its folder; the editor's schema lies beside it."""
    folder = tmp_path / "My City-311"
    assert runner.invoke(app, ["new", str(folder)]).exit_code == 0
    result = runner.invoke(app, ["check", "--app", str(folder)])
    assert (result.exit_code, result.stdout) == (0, "well: 2 entities, 16 fields\n")
    assert "name: my_city_311" in (folder / "xrm.yml").read_text(encoding="utf-8")
    for name in ("xrm.yml", "entities/request.yml"):
        line = (folder / name).read_text(encoding="utf-8").splitlines()[0]
        schema = (folder / name).parent / line.removeprefix("# yaml-language-server: $schema=")
        assert json.loads(schema.read_text(encoding="utf-8"))["title"].startswith("xrm definition")


@pytest.mark.parametrize("name", ["", "a.txt"])
def test_new_refuses_a_folder_that_is_not_empty(tmp_path: Path, name: str) -> None:
    """Or that is a file; nothing is written."""
    (tmp_path / "a.txt").write_text("mine", encoding="utf-8")
    result = runner.invoke(app, ["new", str(tmp_path / name)])
    assert result.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_schema_prints_a_json_schema(tmp_path: Path) -> None:
    """Which knows the application's own entities and roles."""
    schema = json.loads(runner.invoke(app, ["schema", "--app", written(tmp_path, f"entity: thing\n{FIELDS}")]).stdout)
    assert schema["definitions"]["field"]["anyOf"][0]["properties"]["to"]["anyOf"][0]["enum"] == ["thing", "user", "any"]


def test_check_keeps_the_editors_schema_up_to_date(tmp_path: Path) -> None:
    """Where the folder has one, and only with what is sound."""
    folder = tmp_path / "city"
    assert runner.invoke(app, ["new", str(folder)]).exit_code == 0
    schema, entity = folder / ".xrm/schema.json", folder / "entities/category.yml"
    assert '"days"' in schema.read_text(encoding="utf-8")
    entity.write_text(entity.read_text(encoding="utf-8").replace("days:", "weeks:"), encoding="utf-8")
    assert runner.invoke(app, ["check", "--app", str(folder)]).exit_code == 0
    sound = schema.read_text(encoding="utf-8")
    assert '"weeks"' in sound and '"days"' not in sound
    entity.write_text("entity: category\nfields: {a: txt}\n", encoding="utf-8")
    assert runner.invoke(app, ["check", "--app", str(folder)]).exit_code == 1
    assert schema.read_text(encoding="utf-8") == sound
    schema.unlink()
    runner.invoke(app, ["check", "--app", str(folder)])
    assert not schema.exists()


@pytest.mark.parametrize("verb", ["check", "schema", "new"])
def test_every_command_has_help_with_an_example(verb: str) -> None:
    """So that nobody has to look it up."""
    assert f"Example: xrm {verb}" in runner.invoke(app, [verb, "--help"]).stdout
