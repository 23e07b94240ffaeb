"""An application of 5,200 lines is checked in well under a second."""

import time
from collections.abc import Mapping
from pathlib import Path

from xrm.source import load_text, read_folder

APPLICATION = Path(__file__).parent / "applications/city311"


def test_five_thousand_lines_are_checked_in_under_a_second() -> None:
    """Some hundred entities and eight hundred expressions (in CPU seconds, as the suite runs on busy machines)."""
    base = read_folder(APPLICATION).texts
    files = dict(base)
    number = 0
    while sum(text.count("\n") for text in files.values()) < 5200:
        number += 1
        for name in ("service_request", "person", "district"):
            text = base[f"entities/{name}.yml"]
            files[f"entities/{name}{number}.yml"] = text.replace(f"entity: {name}", f"entity: {name}{number}")
    assert load_text(files).problems == ()
    assert min(seconds(files) for _ in range(3)) < 1


def seconds(files: Mapping[str, str]) -> float:
    start = time.process_time()
    load_text(files)
    return time.process_time() - start
