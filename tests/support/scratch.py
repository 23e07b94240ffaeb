"""Folders for what the suite throws away, in memory where there is room: PostgreSQL makes a database there five to ten times faster."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2 * 1024**3
STALE_SECONDS = 3600


def fast_place() -> Path:
    """The memory file system when it can be written and has room, else the usual place for temporary files."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())


@contextmanager
def scratch_folder(kind: str, *, in_memory: bool = True) -> Iterator[Path]:
    """A folder of one's own, removed at the end of the block. One that a killed run left behind is removed by a later run."""
    place = fast_place() if in_memory else Path(tempfile.gettempdir())
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=f"xrm-{kind}-{os.getpid()}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Removes the scratch folders whose process is gone, an hour after they were made."""
    for folder in place.glob("xrm-*-*-*"):
        made_by = re.fullmatch(r"xrm-[a-z]+-(\d+)-\w+", folder.name)
        if made_by and not psutil.pid_exists(int(made_by[1])) and time.time() - folder.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
