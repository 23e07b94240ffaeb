"""Fixtures and hooks of the whole suite; what they stand on is in `tests/support`.

Databases: `postgres_url`, `sqlite_url`, `database_url` (both engines, empty), `databases` (both engines, empty ones and clones).
Applications: `application` (both engines: from YAML texts to a service that runs).
Browser: `page`, `new_page`, `browser`, `tolerate`. Real data: `shared_data`.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support import browser as chromium
from tests.support import postgres
from tests.support.databases import PostgresDatabases, SqliteDatabases, TemplateDatabases, TestDatabases
from tests.support.missing import NotRunRegistry, missing, note_missing
from tests.support.scratch import scratch_folder
from tests.support.shared import shared_data as find_shared_data

if TYPE_CHECKING:
    from tests.support.application import Applications

ENGINES = ("sqlite", "postgresql")
ON_REQUEST = {"soak": "XRM_SOAK", "bench": "XRM_BENCH"}
NOT_RUN = pytest.StashKey[NotRunRegistry]()
SERVER = pytest.StashKey["SuiteServer"]()


class SuiteServer:
    """The one PostgreSQL of a session: started when first asked for, in the process that prints the summary, and stopped at its end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._found: dict[str, str] | None = None

    def found(self) -> dict[str, str]:
        """`{"url": …}`, or `{"why": …}` when there is none: plain data, as it goes to the xdist workers."""
        if self._found is None:
            try:
                self._found = {"url": self._stack.enter_context(postgres.suite_server())}
            except postgres.NoPostgres as error:
                self._found = {"why": str(error)}
        return self._found

    def stop(self) -> None:
        self._stack.close()


def worker_input(config: pytest.Config) -> dict[str, Any] | None:
    """What the xdist controller sent, or None in a process that is not a worker."""
    sent: dict[str, Any] | None = getattr(config, "workerinput", None)
    return sent


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_RUN] = NotRunRegistry()
    config.stash[SERVER] = SuiteServer()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The xdist controller starts the server before its first worker, and tells each where it is."""
    node.workerinput["postgres"] = node.config.stash[SERVER].found()


def pytest_unconfigure(config: pytest.Config) -> None:
    if (server := config.stash.get(SERVER, None)) is not None:
        server.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what runs only on request; pytest counts it as deselected."""
    left_out = [
        item for item in items if any(item.get_closest_marker(marker) and not os.environ.get(name) for marker, name in ON_REQUEST.items())
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    note_missing(report, call)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """CI fails when something could not run; a status that says so already is kept."""
    yield
    if session.config.stash[NOT_RUN].fails_the_session() and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    config.stash[NOT_RUN].print_summary(terminalreporter)


class _Collector:
    """Hears every report, whichever process ran the test."""

    def __init__(self, registry: NotRunRegistry) -> None:
        self._registry = registry

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._registry.collect(report)


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(_Collector(session.config.stash[NOT_RUN]))


# Databases


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """`gw0`, `gw1` … under xdist, else `main`."""
    return str((worker_input(request.config) or {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def postgres_server_url(request: pytest.FixtureRequest) -> str:
    """The maintenance database of the suite's server; tests want `postgres_url`, `database_url` or `databases`."""
    sent = worker_input(request.config)
    found = request.config.stash[SERVER].found() if sent is None else sent["postgres"]
    if "url" not in found:
        missing(f"PostgreSQL: {found['why']}", postgres.HOW_TO_GET)
    return str(found["url"])


@pytest.fixture(scope="session")
def postgres_databases(postgres_server_url: str, worker_name: str) -> Iterator[PostgresDatabases]:
    """This worker's databases on PostgreSQL."""
    source = PostgresDatabases(postgres_server_url, worker_name)
    yield source
    source.close()


@pytest.fixture(scope="session")
def sqlite_databases() -> Iterator[SqliteDatabases]:
    """This worker's databases on SQLite, in memory where there is room."""
    with scratch_folder("sqlite") as folder:
        yield SqliteDatabases(folder)


@pytest.fixture(scope="session")
def postgres_url(postgres_databases: PostgresDatabases) -> str:
    """One database of this worker's own on PostgreSQL, shared by its tests: `postgresql://user@127.0.0.1:port/name`."""
    return postgres_databases.empty()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A new SQLite file for this test, on disk: `sqlite:////absolute/path`."""
    return f"sqlite:///{tmp_path / 'xrm.sqlite3'}"


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest) -> Iterator[TestDatabases]:
    """Runs the test on both engines: `.engine`, `.empty()`, `.fresh(name, build)`. Everything it gave is dropped after the test."""
    source: TemplateDatabases = request.getfixturevalue("sqlite_databases" if request.param == "sqlite" else "postgres_databases")
    mine = TestDatabases(source)
    yield mine
    mine.drop_all()


@pytest.fixture
def database_url(databases: TestDatabases) -> str:
    """Runs the test on both engines, each time with an empty database."""
    return databases.empty()


@pytest.fixture
def application(databases: TestDatabases, tmp_path: Path) -> "Iterator[Applications]":
    """Runs the test on both engines: `application({"note": "fields: {name: text}"})` gives a running service (see tests/support)."""
    from tests.support.application import Applications  # here, since loading xrm costs those who test something else half a second

    mine = Applications(databases, tmp_path)
    yield mine
    mine.close()


# Browser


@pytest.fixture(scope="session")
def browser_session() -> Iterator[chromium.BrowserSession]:
    """The worker's Chromium; tests want `page`, `new_page` or `browser`."""
    program = chromium.find_chromium()
    if program is None:
        missing("browser: no Chromium", chromium.HOW_TO_GET)
    with chromium.browser_session(program) as session:
        yield session


@pytest.fixture
def browser(browser_session: chromium.BrowserSession) -> Iterator[Browser]:
    """The worker's Chromium, for a test that makes its own contexts (which it also closes, and nobody watches)."""
    with browser_session.in_use() as running:
        yield running


@pytest.fixture
def page_watch() -> chromium.PageWatch:
    """What the test's pages reported."""
    return chromium.PageWatch()


@pytest.fixture
def tolerate(page_watch: chromium.PageWatch) -> Callable[[str], None]:
    """`tolerate("status of 422")`: what this regular expression finds among the page's problems does not fail the test."""
    return page_watch.tolerate


@pytest.fixture
def new_page(browser: Browser, page_watch: chromium.PageWatch) -> Iterator[Callable[..., Page]]:
    """Makes watched pages, each in a context of its own: `new_page(viewport=…, color_scheme="dark", java_script_enabled=False)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(chromium.watched_page(browser, page_watch, **options))


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page that fails the test on a console error, a policy violation, an uncaught exception or a request to elsewhere."""
    return new_page()


# Real data


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("la311")`: that folder of the shared data, or the test is loudly not run."""
    return find_shared_data
