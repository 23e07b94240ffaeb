"""Real data that lies beside the checkout and is not part of it: `XRM_SHARED_DATA`, else `../shared/data`.

A machine without any of it skips such a test aloud. Where the data is announced (the variable is set, or `../shared` exists) and the
wanted folder is not in it, something is broken, and CI fails.
"""

import os
from pathlib import Path

from tests.support.missing import missing

BESIDE = Path(__file__).resolve().parents[2].parent / "shared"


def shared_data(folder: str) -> Path:
    """The folder of that name in the shared data; the test is not run when it is absent."""
    announced = os.environ.get("XRM_SHARED_DATA")
    found = Path(announced) if announced else BESIDE / "data"
    if not (found / folder).exists():
        missing(f"shared data '{folder}'", "set XRM_SHARED_DATA to its folder", fatal=bool(announced) or BESIDE.is_dir())
    return found / folder
