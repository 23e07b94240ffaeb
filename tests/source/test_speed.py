"""An application of 5,200 lines is checked in a small multiple of what reading its YAML takes."""

import time
from collections.abc import Callable
from pathlib import Path

import yaml

from xrm.source import load_text, read_folder

APPLICATION = Path(__file__).parent / "applications/city311"
MOST = 20
"""The check of everything (some hundred entities, eight hundred expressions) against PyYAML's C parser over the same text."""


def test_five_thousand_lines_are_checked_in_a_small_multiple_of_reading_them() -> None:
    """A ratio in one run, in time of the processor: machines differ, and this one is busy."""
    base = read_folder(APPLICATION).texts
    files = dict(base)
    number = 0
    while sum(text.count("\n") for text in files.values()) < 5200:
        number += 1
        for name in ("service_request", "person", "district"):
            text = base[f"entities/{name}.yml"]
            files[f"entities/{name}{number}.yml"] = text.replace(f"entity: {name}", f"entity: {name}{number}")
    texts = [text for name, text in files.items() if name.endswith(".yml")]
    assert load_text(files).problems == ()
    read = min(seconds(lambda: [list(yaml.parse(text, Loader=yaml.CSafeLoader)) for text in texts]) for _ in range(5))
    checked = min(seconds(lambda: load_text(files)) for _ in range(5))
    assert checked < MOST * read


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
