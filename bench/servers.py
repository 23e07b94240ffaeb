"""The servers that are measured: processes of their own on loopback ports, and the CPU time they have used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

ROOT = Path(__file__).parent.parent
START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``backend`` gives the nanoseconds its database's own processes have used (0 for SQLite)."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    backend: Callable[[], int]

    def cpu(self) -> int:
        """Nanoseconds of CPU, user and system, over all threads of the process."""
        return cpu_of(self.process.pid)


def cpu_of(pid: int) -> int:
    """What a process has used so far: its CPU clock (clock_getcpuclockid(3)), as /proc/PID/stat but in nanoseconds."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def no_backend() -> int:
    return 0


def backends_of(admin_url: str, database: str) -> Callable[[], int]:
    """A meter of the PostgreSQL backends that serve one database."""
    sql = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"

    def used() -> int:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            pids = [pid for (pid,) in connection.execute(sql, (database,)).fetchall()]
        total = 0
        for pid in pids:
            with suppress(OSError):  # it has just ended
                total += cpu_of(pid)
        return total

    return used


@contextmanager
def running(name: str, arguments: list[str], port: int, environment: Mapping[str, str], backend: Callable[[], int]) -> Iterator[Server]:
    """Start a server, wait until it accepts connections, and end it at the end of the block."""
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env={**os.environ, **environment})
    try:
        _wait(name, process, port)
        yield Server(name, port, process, backend)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(name: str, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode} before it served")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{name} did not serve within {START_SECONDS} s")
