"""Commands: exit codes, output for people and for programs, and a problem instead of a traceback for whatever was given."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.application import write_folder
from tests.support.databases import TestDatabases
from tests.support.postgres import free_port
from xrm import bootstrap, commands
from xrm.commands.reference import all_commands, commands_page
from xrm.service import records
from xrm.service.context import SYSTEM_ACTOR
from xrm.settings import settings
from xrm.store import outbox
from xrm.store.database import Database

ROOT = Path(__file__).resolve().parents[2]
NOTE = "label: Note\ntitle: '{name}'\nfields: {name: {type: text, required: true}, size: integer}\naccess: {agent: [read, create, update], boss: delete}"
MORE = NOTE.replace("size: integer", "size: integer, more: {type: date, index: true}")
LESS = NOTE.replace(", size: integer", "")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


Xrm = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "town", NOTE)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Xrm]:
    """Runs the command line in this process: `run("check", "--app", …, typed="y\\n")`. No traceback is ever printed."""

    def ran(*words: object, typed: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["xrm", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        capsys.readouterr()
        try:
            commands.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    for name in ("XRM_DATABASE_URL", "XRM_SECRET_FILE", "XRM_THREADS", "XRM_APP"):
        monkeypatch.delenv(name, raising=False)
    return ran


@pytest.fixture
def xrm(run: Xrm, folder: Path, databases: TestDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Xrm:
    """The same with `--app`, on both databases, where the application was applied."""
    monkeypatch.setenv("XRM_DATABASE_URL", databases.empty())
    monkeypatch.setenv("XRM_SECRET_FILE", str(tmp_path / "secret.key"))
    found = run("apply", "--yes", "--app", folder)
    assert found.code == 0, found.err
    return lambda *words, typed="": run(*words, "--app", folder, typed=typed)


def hold_data(folder: Path) -> None:
    """A record with a value in every field."""
    service = bootstrap.open_service(settings(folder))
    records.create(service.acting(SYSTEM_ACTOR), "note", {"name": "x", "size": 1})
    service.database.close()


# The reference


def test_the_page_has_every_command() -> None:
    """The reference page is the one that is written from the commands."""
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert page == commands_page(), "python -m xrm.commands.reference commands > docs/reference/commands.md"


@pytest.mark.parametrize(("group", "verbs"), commands.VERBS.items())
def test_a_verb_stands_in_the_file_it_is_looked_for_in(group: str, verbs: tuple[str, ...]) -> None:
    """The other files are not imported for it."""
    assert {name.split()[0] for name, _ in all_commands([group])} == set(verbs)


def test_a_check_imports_no_server_and_no_database() -> None:
    """Whoever checks a definition at every save does not wait for them."""
    program = (
        "import sys; sys.argv = ['xrm', 'check', '--app', 'examples/city311']\nfrom xrm.commands import main\n"
        "try: main()\nexcept SystemExit: pass\nprint(*sorted({'starlette', 'sqlalchemy', 'psycopg', 'jinja2', 'pydantic'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.splitlines()[-1] == "", ran.stdout


@pytest.mark.parametrize(("name", "command"), list(all_commands()), ids=[name for name, _ in all_commands()])
def test_every_command_has_help_an_example_and_a_test(run: Xrm, name: str, command: object) -> None:
    """`--help` of each command says what it does and gives an example that names it; some test runs it."""
    shown = run(*name.split(), "--help")
    assert shown.code == 0 and f"Example: xrm {name}" in " ".join(shown.out.split())
    words = ", ".join(f'"{word}"' for word in name.split())
    tests = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/*/test_*.py")]
    assert any(words in text for text in tests), f"no test runs {name}"


@pytest.mark.parametrize("words", [["nope"], ["apply", "--nope"], ["user"], ["user", "add"], ["plan", "--format", "xml"], ["serve", "--port", "99999"], ["token", "add", "x", "--days", "0"], ["serve", "--workers", "0"]])  # fmt: skip
def test_wrong_usage_ends_with_2(run: Xrm, words: list[str]) -> None:
    """A command, option or argument that is not there or not possible is wrong usage."""
    assert run(*words).code == 2


def test_the_version(run: Xrm) -> None:
    """`--version` prints it."""
    assert re.fullmatch(r"xrm \d+\.\d+\.\d+\n", run("--version").out)


def test_jobs_that_wait_and_that_failed(run: Xrm, folder: Path, databases: TestDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    """`jobs` lists what waits and what failed for good, with its reason; `jobs retry` has it tried again, and says how that went."""
    monkeypatch.setenv("XRM_DATABASE_URL", databases.empty())
    monkeypatch.setenv("XRM_SECRET_FILE", str(folder / "secret.key"))
    run("apply", "--yes", "--app", folder)
    assert run("jobs", "--app", folder).out == "nothing waits\n"
    service = bootstrap.open_service(settings(folder))
    with closing(service.database) as database, database.transaction() as connection:
        outbox.enqueue(connection, "recompute", {"entity": "note"}, service.clock())
        outbox.enqueue(connection, "recompute", {"entity": "note"}, service.clock())
        connection.run("UPDATE xrm_job SET ended_at = run_at, attempts = 8, error = 'ValueError: no room' WHERE id = 1")
        connection.run("UPDATE xrm_job SET run_at = since, lease_until = '2999-01-01T00:00:00.000000Z' WHERE id = 2")
    lines = run("jobs", "--app", folder).out.splitlines()
    assert [line.split()[3:] for line in lines] == [
        ["FAILED", "recompute", "note", "attempts:", "8", "ValueError:", "no", "room"], ["waits", "recompute", "note", "attempts:", "0"]
    ]  # fmt: skip
    facts = json.loads(run("jobs", "--app", folder, "--format", "json").out)
    assert [(one["job"], one["failed"], one["error"]) for one in facts] == [(1, True, "ValueError: no room"), (2, False, None)]
    wrong = run("jobs", "retry", 2, "--app", folder)
    assert (wrong.code, "XRM804" in wrong.err) == (1, True)
    assert run("jobs", "retry", "--app", folder).out == "1: done\n"
    assert run("jobs", "retry", "--app", folder).out == ""


# Definitions and tables


def test_plan_apply_and_plan_again(run: Xrm, folder: Path, databases: TestDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` shows what `apply` does, in words and SQL or as JSON; afterwards there is nothing to do."""
    monkeypatch.setenv("XRM_DATABASE_URL", databases.empty())
    text = run("plan", "--app", folder)
    assert text.code == 0 and "create table note" in text.out and "CREATE TABLE note" in text.out
    made = run("plan", "--app", folder, "--format", "json").json
    assert isinstance(made, dict) and set(made) == {
        "empty",
        "steps",
        "recompute",
        "exports",
        "records",
        "release",
        "digest",
        "base",
        "writes",
        "locks",
    }
    assert not made["empty"] and {"words", "sql", "loses", "rows", "seconds", "online", "writers_wait"} == set(made["steps"][0])
    refused = run("apply", "--app", folder, typed="n\n")
    assert (refused.code, "nothing was changed" in refused.out) == (1, True)
    done = run("apply", "--app", folder, "--why", "the first", typed="y\n")
    assert (done.code, "applied: release 1 is active" in done.out) == (0, True)
    assert run("apply", "--app", folder, "--yes").out == "nothing to do: the database is what the definition says\n"
    assert run("plan", "--app", folder).out.startswith("nothing to do")
    assert run("plan", "--app", folder, "--format", "json").json["empty"] is True  # type: ignore[index]


def test_apply_loses_nothing_without_leave(xrm: Xrm, folder: Path) -> None:
    """What would destroy data is refused with what it is, and done with `--allow-loss`."""
    write_folder(folder, MORE)
    assert xrm("apply", "--yes").code == 0
    hold_data(folder)
    write_folder(folder, LESS)
    refused = xrm("apply", "--yes")
    assert refused.code == 1 and "XRM401" in refused.err and "--allow-loss" in refused.err
    assert xrm("apply", "--yes", "--allow-loss").code == 0


@pytest.mark.parametrize("command", [["check"], ["plan"], ["apply", "--yes"]])
@pytest.mark.parametrize(
    "broken", ["fields: {name: txt}", "fields: {name: text", "access: {agent: {read: }}\nfields: {a: text}", "\tfields: x", ""]
)
def test_a_broken_definition(run: Xrm, tmp_path: Path, command: list[str], broken: str) -> None:
    """What is wrong with a definition is printed with its place, and ends with 1; nothing is made."""
    place = write_folder(tmp_path / "broken", broken)
    said = run(*command, "--app", place)
    assert said.code == 1 and re.search(r"entities/note\.yml:\d+:\d+  XRM\d+", said.out + said.err)


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_broken_definition_as_json(run: Xrm, tmp_path: Path, command: str) -> None:
    """With `--format json` the problems are a list of objects, on the standard output."""
    place = write_folder(tmp_path / "broken", "fields: {name: txt}")
    said = run(command, "--app", place, "--format", "json")
    assert said.code == 1
    assert [set(problem) for problem in said.json] == [{"code", "severity", "file", "line", "column", "path", "message", "hint"}]  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", [["check"], ["plan"], ["apply", "--yes"], ["schema"], ["serve"], ["user", "list"], ["verify"]])
@pytest.mark.parametrize("place", ["nowhere", "a file", "empty", "xrm.yml is a folder"])
def test_a_folder_that_is_none(run: Xrm, tmp_path: Path, command: list[str], place: str) -> None:
    """A folder that is not there, is a file, is empty or odd is a problem, whatever the command."""
    where = tmp_path / place
    match place:
        case "a file":
            where.write_text("x")
        case "empty":
            where.mkdir()
        case "xrm.yml is a folder":
            (where / "xrm.yml").mkdir(parents=True)
    said = run(*command, "--app", where)
    if command == ["schema"] and said.code == 0:
        return
    assert said.code == 1 and "XRM" in said.out + said.err


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://x/y", "XRM801"),
        ("sqlite://", "XRM801"),
        ("nonsense", "XRM801"),
        ("postgresql://nobody@127.0.0.1:1/none", "XRM404"),
        ("postgresql://nobody:p%zz@host:notaport/none", "XRM404"),
        ("sqlite:////proc/nowhere/x.db", "XRM404"),
        ("sqlite:////etc/passwd", "XRM404"),
    ],
)
@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["serve"], ["user", "list"], ["verify"], ["token", "add", "ana"]])
def test_a_wrong_database(run: Xrm, folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], url: str, code: str) -> None:
    """A database that cannot be is a problem with a hint; no password is printed."""
    monkeypatch.setenv("XRM_DATABASE_URL", url)
    monkeypatch.setenv("XRM_SECRET_FILE", str(folder / "secret.key"))
    said = run(*command, "--app", folder)
    assert said.code == 1 and code in said.err, said


@pytest.mark.parametrize(
    "command", [["user", "list"], ["user", "add", "x", "--role", "agent"], ["token", "add", "x"], ["serve"], ["export", "note"]]
)
def test_nothing_was_applied(run: Xrm, folder: Path, command: list[str]) -> None:
    """Commands on a database without a release say how to make one."""
    said = run(*command, "--app", folder)
    assert (said.code, "XRM403" in said.err, "xrm apply" in said.err) == (1, True, True)


def test_a_folder_with_odd_signs(run: Xrm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database stands in the folder's data/, whatever signs the folder's name has."""
    place = write_folder(tmp_path / "a b%20c?d#e+ü", NOTE)
    assert run("apply", "--yes", "--app", place).code == 0
    assert (place / "data" / "xrm.db").is_file()
    assert run("plan", "--app", place).out.startswith("nothing to do")
    assert run("user", "add", "ana", "--role", "agent", "--app", place).code == 0


# Users and tokens


@pytest.mark.filterwarnings("ignore:Can not control echo")
@pytest.mark.filterwarnings("ignore::getpass.GetPassWarning")
def test_users(xrm: Xrm) -> None:
    """A user is added with a password that is shown once, listed, gets another password, and is no longer let in."""
    added = xrm("user", "add", "ana", "--label", "Ana Díaz", "--role", "agent", "--role", "boss")
    assert added.code == 0 and re.fullmatch(r"user ana, password \S{12,}\n", added.out)
    listed = xrm("user", "list", "--format", "json").json
    assert [(u["name"], u["label"], u["roles"], u["active"]) for u in listed] == [  # type: ignore[attr-defined]
        ("ana", "Ana Díaz", ["agent", "boss"], True), ("system", "System", [], False),
    ]  # fmt: skip
    assert "ana" in xrm("user", "list").out
    given = xrm("user", "password", "ana", "--password", "a long enough one")
    assert (given.code, given.out) == (0, "user ana\n")
    asked = xrm("user", "password", "ana", "--password", "-", typed="another long one\nanother long one\n")
    assert asked.code == 0
    assert xrm("user", "deactivate", "ana").out == "ana is no longer active\n"
    refused = xrm("user", "deactivate", "ana")
    assert refused.code == 1 and "XRM803" in refused.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["user", "add", "bo", "--role", "agnt"], "XRM803"),
        (["user", "add", "bo", "--role", "system"], "XRM803"),
        (["user", "add", "ana", "--role", "agent"], "XRM503"),
        (["user", "add", "ANA", "--role", "agent"], "XRM503"),
        (["user", "add", "", "--role", "agent"], "XRM501"),
        (["user", "add", "x" * 101, "--role", "agent"], "XRM502"),
        (["user", "add", "bo", "--role", "agent", "--password", "short"], "XRM502"),
        (["user", "password", "nobody"], "XRM803"),
        (["user", "password", "system"], "XRM803"),
        (["user", "password", "ana", "--password", "short"], "XRM502"),
        (["user", "deactivate", "nobody"], "XRM803"),
        (["token", "add", "nobody"], "XRM803"),
        (["token", "revoke", "xrm_nothing"], "XRM803"),
    ],
)
def test_a_user_that_cannot_be(xrm: Xrm, words: list[str], code: str) -> None:
    """A role, name or password that does not fit is a problem, and nothing is half done."""
    assert xrm("user", "add", "ana", "--role", "agent").code == 0
    before = xrm("user", "list", "--format", "json").json
    said = xrm(*words)
    assert said.code == 1 and code in said.err, said
    assert xrm("user", "list", "--format", "json").json == before


def test_an_unknown_role_has_a_hint(xrm: Xrm) -> None:
    """The role that was meant is named."""
    assert "did you mean 'agent'?" in xrm("user", "add", "bo", "--role", "agnt").err


def test_tokens(xrm: Xrm) -> None:
    """A token is printed alone, so that a script can take it, and can be ended once."""
    xrm("user", "add", "ana", "--role", "agent")
    token = xrm("token", "add", "ana", "--label", "script", "--days", "7")
    assert token.code == 0 and re.fullmatch(r"xrm_\S{40,}\n", token.out)
    assert xrm("token", "revoke", token.out.strip()).out == "revoked\n"
    assert xrm("token", "revoke", token.out.strip()).code == 1


def test_verify(xrm: Xrm) -> None:
    """`verify` walks the chain, ends with 0 while it is whole and with 1 when it is broken."""
    xrm("user", "add", "ana", "--role", "agent")
    assert "the chain is whole" in xrm("verify").out
    found = xrm("verify", "--format", "json").json
    assert isinstance(found, dict) and (found["broken"], found["waiting"]) == (None, 0) and found["length"] >= 2
    with closing(Database(os.environ["XRM_DATABASE_URL"])) as database:
        database.connection.run("UPDATE xrm_change SET action = 'delete' WHERE position = 2")
    broken = xrm("verify")
    assert broken.code == 1 and "broken at position 2" in broken.err
    assert xrm("verify", "--format", "json").code == 1


# Serving


def test_two_workers_want_postgresql(run: Xrm, folder: Path) -> None:
    """More than one worker on SQLite is refused and says what to do."""
    run("apply", "--yes", "--app", folder)
    said = run("serve", "--workers", "2", "--app", folder)
    assert (said.code, "XRM802" in said.err, "XRM_DATABASE_URL" in said.err) == (1, True, True)


def test_a_port_that_somebody_has_is_told(run: Xrm, folder: Path) -> None:
    """Before an address is printed at which nothing would answer; a host that is not of this machine too."""
    run("apply", "--yes", "--app", folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run("serve", "--port", str(port), "--app", folder)
    assert (said.code, "XRM801" in said.err, f"nothing can listen at 127.0.0.1:{port}" in said.err) == (1, True, True)
    assert "http://" not in said.err and "another port" in said.err
    assert "XRM801" in run("serve", "--host", "203.0.113.7", "--app", folder).err


def test_postgresql_wants_a_secret_file(run: Xrm, folder: Path, postgres_databases: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without XRM_SECRET_FILE nothing is served from PostgreSQL; a file that others may read is refused too."""
    url = postgres_databases.empty()  # type: ignore[attr-defined]
    monkeypatch.setenv("XRM_DATABASE_URL", url)
    assert run("apply", "--yes", "--app", folder).code == 0
    said = run("serve", "--app", folder)
    assert (said.code, "XRM801" in said.err, "XRM_SECRET_FILE" in said.err) == (1, True, True)
    key = folder / "key"
    key.write_bytes(bytes(32))
    key.chmod(0o644)
    monkeypatch.setenv("XRM_SECRET_FILE", str(key))
    assert "is open to others" in run("serve", "--app", folder).err
    key.chmod(0o600)
    key.write_bytes(bytes(31))
    assert "31 bytes" in run("serve", "--app", folder).err
    monkeypatch.setenv("XRM_SECRET_FILE", "/proc/nowhere/key")
    assert "XRM801" in run("user", "list", "--app", folder).err
    postgres_databases.drop(url)  # type: ignore[attr-defined]


def test_reload_goes_with_one_worker(run: Xrm, folder: Path) -> None:
    """`--reload` with several workers is wrong usage."""
    assert run("serve", "--reload", "--workers", "2", "--app", folder).code in (1, 2)


def answers(port: int, process: "subprocess.Popen[str]") -> dict[str, object]:
    """What /readyz says, as soon as it says something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", "/readyz")
            found: dict[str, object] = json.loads(connection.getresponse().read())
            return found
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate()[1])


def serving(folder: Path, port: int, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", "from xrm.commands import main; main()", "serve", "--app", str(folder), "--port", str(port), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})


def test_serve_and_stop(xrm: Xrm, folder: Path, databases: TestDatabases) -> None:
    """`serve` says what runs where and that the folder differs, answers, and ends in order at SIGTERM; with two workers on PostgreSQL."""
    write_folder(folder, MORE)
    port = free_port()
    process = serving(folder, port, "--workers", "2" if databases.engine == "postgresql" else "1")
    try:
        assert answers(port, process) == {"status": "ready", "release": 1}
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert "the folder differs from release 1" in err and f"http://127.0.0.1:{port}" in err and "Traceback" not in err
    assert process.returncode in (0, -signal.SIGTERM)


def test_serve_with_reload_applies(run: Xrm, folder: Path) -> None:
    """`serve --reload` applies the folder first, and refuses what would lose data."""
    port = free_port()
    process = serving(folder, port, "--reload")
    try:
        assert answers(port, process) == {"status": "ready", "release": 1}
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
        process.kill()
        process.communicate()
    hold_data(folder)
    write_folder(folder, LESS)
    said = run("serve", "--reload", "--app", folder)
    assert said.code == 1 and "XRM401" in said.err
