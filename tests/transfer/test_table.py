"""Reading CSV files."""

import gzip
from pathlib import Path

import pytest

from xrm.errors import Invalid
from xrm.service.transfer import table as tables
from xrm.service.transfer.starting import open_table
from xrm.service.transfer.table import Row


def rows(path: Path, content: bytes, delimiter: str = ",") -> list[list[str]]:
    path.write_bytes(content)
    with open_table(path, delimiter) as table:
        return [list(table.columns), *(row.cells for row in table.rows())]


def refused(path: Path, content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        rows(path, content)
    (problem,) = caught.value.problems
    assert problem.code == "XRM603"
    assert problem.place is not None
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
        (b'a,b\n"x, ""y""","two\nlines"', [["a", "b"], ['x, "y"', "two\nlines"]]),
        (b" a , b \n\n1,2\n\n", [["a", "b"], ["1", "2"]]),
        ("ä,b\né,2\n".encode(), [["ä", "b"], ["é", "2"]]),
    ],
)
def test_what_rfc_4180_allows_is_read(tmp_path: Path, content: bytes, cells: list[list[str]]) -> None:
    """With or without a byte order mark, with quotes, line breaks in quotes and empty lines; gzipped the same."""
    assert rows(tmp_path / "t.csv", content) == cells
    assert rows(tmp_path / "t.any", gzip.compress(content)) == cells


def test_the_delimiter_can_be_another(tmp_path: Path) -> None:
    """A file parted by semicolons is read as one."""
    assert rows(tmp_path / "t.csv", b"a;b\n1;2,5\n", ";") == [["a", "b"], ["1", "2,5"]]


def test_rows_are_counted_as_in_a_spreadsheet(tmp_path: Path) -> None:
    """The header is row 1; a row that runs over several lines is one, and keeps the line where it begins."""
    path = tmp_path / "t.csv"
    path.write_bytes(b'a\n"x\ny"\nz\n')
    with open_table(path) as table:
        assert list(table.rows()) == [Row(2, 2, ["x\ny"]), Row(3, 4, ["z"])]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "row 1: the file is empty: its first row must name the columns"),
        (b"a,,c\n", "row 1: column 2 has no name (give it one in the first row)"),
        (b"a,b,a\n", "row 1: two columns are called 'a'"),
        (b"a;b\n1;2\n", "row 1: there is one column only (the file is parted by ';': say so with 'delimiter')"),
        (b'a,b\n1,2\n3,"x\n', "row 3: the file ends inside quotes (is a quote not closed, or one too many?)"),
        (b'a,b\n1,"x"y\n', "row 2: after a closing quote comes something else than the end of the cell"),
        (b"a,b\n1,2\n3,\xe9\n", "row 3: the byte 0xE9 is not UTF-8 (save it as CSV UTF-8)"),
        (b"a,b\n1,2\x00\n", "row 2: there is a NUL character in it"),
        ("a,b\n1,2\n".encode("utf-16"), "row 1: the file is in UTF-16 (save it as CSV UTF-8)"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 9000, mtime=0)[:-20], "the file ends early or is damaged"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6] + b"xxxxxx", "the file ends early or is damaged"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_row(tmp_path: Path, content: bytes, says: str) -> None:
    """XRM603 names the row, what is wrong with it, and mostly what to do."""
    assert says in refused(tmp_path / "t.csv", content)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small gzip file is not unpacked without end, nor a line without one."""
    monkeypatch.setattr(tables, "MOST_BYTES", 10_000)
    assert "more than 10,000 bytes" in refused(tmp_path / "t.csv", gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    monkeypatch.setattr(tables, "MOST_LINE", 100)
    assert "a line has more than 100 bytes" in refused(tmp_path / "t.csv", b"a,b\n" + b"x" * 200)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A missing file is XRM603, no traceback."""
    with pytest.raises(Invalid, match="cannot be read"), open_table(tmp_path / "none.csv"):
        pass
