"""A folder is read once: the application, its entities, its plugins' source."""

import os
from pathlib import Path

import pytest

from tests.source.definitions import FIELDS, files
from xrm.source import load, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in files(f"entity: thing\n{FIELDS}").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_folder_becomes_an_application(folder: Path) -> None:
    """Plugins are recorded with it; other data and what editors leave behind are not."""
    for name in ("plugins/a.py", "data/rows.csv", "entities/.#lock.yml", "entities/notes.txt", "entities/thing.yml~"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x = 1\n", encoding="utf-8")
    loaded = load(folder)
    assert loaded.problems == ()
    assert loaded.application
    assert list(loaded.application.files) == ["entities/thing.yml", "plugins/a.py", "xrm.yml"]


def test_a_folder_without_an_application_is_one_problem(tmp_path: Path) -> None:
    """With a hint that fits."""
    assert [(one.code, one.hint) for one in load(tmp_path).problems] == [("XRM105", "'xrm new DIR' makes one")]
    assert load(tmp_path / "none").problems[0].hint == "there is no such folder"
    (tmp_path / "xrm.yaml").touch()
    assert load(tmp_path).problems[0].hint == "rename xrm.yaml to xrm.yml"


def test_a_file_that_cannot_be_read_is_reported_with_the_rest(folder: Path) -> None:
    """Links to its entity are not reported as well."""
    (folder / "entities/thing.yml").write_text("entity: thing\nfields: {o: {type: link, to: other}}\ncolour: x\n", encoding="utf-8")
    (folder / "entities/other.yml").write_bytes(b"entity: other\nlabel: d\xe9j\xe0\n")
    assert [(one.code, str(one.place)) for one in load(folder).problems] == [
        ("XRM105", "entities/other.yml:2:9"),
        ("XRM201", "entities/thing.yml:3:1"),
    ]


def test_a_large_file_is_not_read(folder: Path) -> None:
    """One byte more than the limit is enough to know."""
    (folder / "entities/big.yml").write_bytes(b"#" * 2_000_000)
    assert [one.code for one in read_folder(folder).problems] == ["XRM104"]


def test_a_folder_in_place_of_a_file_is_a_problem(folder: Path) -> None:
    """And no traceback."""
    (folder / "entities/odd.yml").mkdir()
    assert [one.code for one in load(folder).problems] == ["XRM105"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text\n", "- a\n- b\n", "null\n", "12\n"])
def test_a_file_that_is_no_map_is_a_problem(folder: Path, text: str) -> None:
    """Empty, a text, a list, a number."""
    (folder / "entities/thing.yml").write_text(text, encoding="utf-8")
    loaded = load(folder)
    assert loaded.application is None
    assert loaded.problems[0].code in ("XRM106", "XRM202")


def test_a_pipe_in_place_of_a_file_does_not_wait(folder: Path) -> None:
    """What is not a file is not opened."""
    os.mkfifo(folder / "entities/pipe.yml")
    assert [one.message for one in load(folder).problems] == ["this is not a file"]
