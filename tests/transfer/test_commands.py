"""``xrm import`` and ``xrm export`` as they are typed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.application import Applications, Running, write_folder
from tests.support.databases import SqliteDatabases, TestDatabases
from tests.transfer.samples import FILES, MAP, TABLE
from xrm.commands import command
from xrm.errors import XrmError


@pytest.fixture
def city(sqlite_databases: SqliteDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A running application whose folder and database the commands find. What they call is tested on both engines."""
    applications = Applications(TestDatabases(sqlite_databases), tmp_path)
    running = applications(FILES)
    write_folder(tmp_path / "app", FILES)
    monkeypatch.setenv("XRM_DATABASE_URL", running.url)
    monkeypatch.setenv("XRM_SECRET_FILE", str(running.secret))
    (tmp_path / "map.yml").write_text(MAP)
    (tmp_path / "table.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    yield running
    applications.close()


def xrm(*arguments: str) -> Result:
    result = CliRunner().invoke(command(), [*arguments, "--app", "app"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_import_says_what_it_did(city: Running) -> None:
    """Counts, what links created, and the pace; the exit code is 0."""
    result = xrm("import", "case", "table.csv", "--map", "map.yml")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("3 rows of case in ")
    assert lines[1:] == ["created 3, updated 0, unchanged 0, refused 0", "also created 2 of kind, because rows link to them"]
    assert "unchanged 3" in xrm("import", "case", "table.csv", "--map", "map.yml").stdout


def test_refused_rows_are_printed_and_nothing_is_written(city: Running, tmp_path: Path) -> None:
    """Row, column and reason on the error output; ``nothing was written``; exit code 1."""
    (tmp_path / "table.csv").write_text(TABLE + "".join(f"{n},,wood,\n" for n in range(10, 40)))
    result = xrm("import", "case", "table.csv", "--map", "map.yml")
    assert result.exit_code == 1
    assert "table.csv:5:1  XRM602  row 5: What: Subject is required" in result.stderr
    assert "… and 10 more refused rows" in result.stderr
    assert result.stdout.splitlines()[1:] == ["refused 30", "nothing was written"]
    assert city.system.all("case") == []


def test_the_refused_rows_can_be_mended_and_imported(city: Running, tmp_path: Path) -> None:
    """``--refused`` writes them as they were with row and reason; the mended file is imported as it is."""
    (tmp_path / "table.csv").write_text(TABLE + "4,,wood,Of wood\n")
    result = xrm("import", "case", "table.csv", "--map", "map.yml", "--mode", "good", "--refused", "refused.csv")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "rows were refused: what is counted above was written, and nothing else"
    text = (tmp_path / "refused.csv").read_text()
    assert text.splitlines() == ["Nr,What,Sort,Name,xrm_row,xrm_reason", "4,,wood,Of wood,5,What: Subject is required"]
    (tmp_path / "refused.csv").write_text(text.replace("4,,", "4,Stool,"))
    assert xrm("import", "case", "refused.csv", "--map", "map.yml", "--refused", "again.csv").exit_code == 0
    assert len(city.system.all("case")) == 4


def test_json_has_everything(city: Running, tmp_path: Path) -> None:
    """Every count and every refused row with its reasons, and nothing else on the output."""
    (tmp_path / "table.csv").write_text(TABLE + "4,,wood,\n")
    result = xrm("import", "case", "table.csv", "--map", "map.yml", "--mode", "good", "--format", "json")
    body = json.loads(result.stdout)
    assert result.stderr == ""
    assert (body["created"], body["refused"], body["linked"], body["kept"]) == (3, 1, {"kind": 2}, True)
    assert body["refusals"] == [
        {
            "code": "XRM602", "row": 5, "line": 5,
            "reasons": [{"code": "XRM501", "column": "What", "message": "Subject is required", "hint": None}],
        }
    ]  # fmt: skip


def test_a_wrong_map_is_shown_with_its_line(city: Running, tmp_path: Path) -> None:
    """The problem is raised with place and hint, for the edge to print."""
    (tmp_path / "map.yml").write_text(MAP.replace("What: subject", "What: subjct"))
    with pytest.raises(XrmError) as caught:
        xrm("import", "case", "table.csv", "--map", "map.yml")
    (problem,) = caught.value.problems
    assert (str(problem.place), problem.source, problem.hint) == ("map.yml:6:9", "  What: subjct", "did you mean 'subject'?")


def test_as_acts_for_a_user(city: Running) -> None:
    """``--as`` has that user's rights and name; an unknown one is refused."""
    city.person("ana", "agent")
    assert xrm("import", "case", "table.csv", "--map", "map.yml", "--as", "ana").exit_code == 0
    (first, *_) = city.system.all("case")
    assert city.system.history("case", first["id"])[0].actor == "Ana"
    with pytest.raises(XrmError, match="XRM803"):
        xrm("export", "case", "--as", "nosuch")


def test_export_writes_to_the_output(city: Running) -> None:
    """CSV by default, JSON lines on demand; filter, fields and order as asked for."""
    xrm("import", "case", "table.csv", "--map", "map.yml")
    result = xrm("export", "case", "--fields", "subject,kind", "--sort", "-subject", "--filter", 'subject != "Lamp"')
    assert result.stdout_bytes == b"subject,kind\r\nTable,wood\r\nBench,wood\r\n"
    result = xrm("export", "kind", "--fields", "code", "--sort", "code", "--format", "jsonl")
    assert result.stdout_bytes == b'{"code":"metal"}\n{"code":"wood"}\n'


def test_what_is_exported_can_be_imported(city: Running, tmp_path: Path) -> None:
    """Without a map: the same rows change nothing."""
    xrm("import", "case", "table.csv", "--map", "map.yml")
    (tmp_path / "out.csv").write_bytes(xrm("export", "case").stdout_bytes)
    result = xrm("import", "case", "out.csv", "--historic")
    assert "created 0, updated 0, unchanged 3, refused 0" in result.stdout
