"""A CSV file, plain or gzipped, as rows of text. What cannot be read is a problem with its row (XRM603).

RFC 4180 with a header, in UTF-8 with or without a byte order mark. Rows are counted as a spreadsheet does: the header
is row 1. Size is bounded after unpacking, so that a small file cannot unpack into a large one.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from xrm.errors import Invalid, Place, Problem

MOST_BYTES = 2_000_000_000
"""Most bytes of a table, unpacked."""
MOST_LINE = 1_000_000
"""Most bytes of a line."""
MOST_COLUMNS = 1000
DELIMITERS = (",", ";", "\t", "|")
GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` counts rows as a spreadsheet does; ``line`` is where it begins in the file."""

    number: int
    line: int
    cells: list[str]


class Table:
    """An open table: its ``columns``, its rows (once), and how much of the file was read."""

    def __init__(self, name: str, packed: IO[bytes], size: int, delimiter: str, file: IO[bytes]) -> None:
        """``packed`` tells how much was read of the ``file``, which is what it holds."""
        self.name = name
        self._packed = packed
        self._size = size
        self._delimiter = delimiter
        self._line = 0
        self._row = 0
        self._bytes = 0
        self._reader = csv.reader(self._lines(file), delimiter=delimiter, strict=True)
        self.columns = self._header()

    @property
    def share(self) -> float:
        """How much of the file was read, from 0 to 1."""
        return min(1.0, self._packed.tell() / self._size) if self._size else 1.0

    def rows(self) -> Iterator[Row]:
        """The rows after the header; empty lines are left out.

        Raises:
            Invalid: XRM603, naming the row.
        """
        while (row := self._next()) is not None:
            if row.cells:
                yield row

    def _next(self) -> Row | None:
        line = self._line + 1
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except csv.Error as error:
            raise self.broken(_words(str(error)), "is a quote not closed, or one too many?") from None
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise self.broken(f"the file ends early or is damaged: {error}") from None
        self._row += 1
        if any("\0" in cell for cell in cells):
            raise self.broken("there is a NUL character in it", "is it a text file?", self._row)
        return Row(self._row, line, cells)

    def _lines(self, file: IO[bytes]) -> Iterator[str]:
        """Decoded line by line, so that a wrong byte is found in its own row."""
        while line := file.readline(MOST_LINE + 1):
            self._line += 1
            self._bytes += len(line)
            if len(line) > MOST_LINE:
                raise self.broken(f"a line has more than {MOST_LINE:,} bytes")
            if self._bytes > MOST_BYTES:
                raise self.broken(f"the table has more than {MOST_BYTES:,} bytes", "import it in parts")
            yield self._decoded(line)

    def _decoded(self, line: bytes) -> str:
        if self._line == 1:
            if line.startswith(UTF_16):
                raise self.broken("the file is in UTF-16", "save it as CSV UTF-8")
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise self.broken(f"the byte 0x{line[error.start]:02X} is not UTF-8", "save it as CSV UTF-8") from None

    def _header(self) -> tuple[str, ...]:
        first = self._next()
        if first is None or not first.cells:
            raise self.broken("the file is empty: its first row must name the columns", row=1)
        columns = tuple(cell.strip() for cell in first.cells)
        if len(columns) > MOST_COLUMNS:
            raise self.broken(f"there are more than {MOST_COLUMNS:,} columns", row=1)
        problem = self._named(columns)
        if problem:
            raise Invalid(problem)
        return columns

    def _named(self, columns: tuple[str, ...]) -> Problem | None:
        if "" in columns:
            return self._problem(f"column {columns.index('') + 1} has no name", "give it one in the first row", 1)
        twice = next((name for at, name in enumerate(columns) if name in columns[:at]), None)
        if twice is not None:
            return self._problem(f"two columns are called '{twice[:60]}'", None, 1)
        if len(columns) == 1:
            other = next((sign for sign in DELIMITERS if sign != self._delimiter and sign in columns[0]), None)
            if other:
                sign = "a tab" if other == "\t" else f"'{other}'"
                return self._problem("there is one column only", f"the file is parted by {sign}: say so with 'delimiter'", 1)
        return None

    def broken(self, message: str, hint: str | None = None, row: int | None = None) -> Invalid:
        """The table cannot be read on: XRM603, with the row it happened in."""
        return Invalid(self._problem(message, hint, row or self._row + 1))

    def _problem(self, message: str, hint: str | None, row: int) -> Problem:
        return Problem("XRM603", f"row {row:,}: {message}", Place(self.name, max(1, self._line), 1), hint=hint)


def unpacked(packed: IO[bytes]) -> IO[bytes]:
    """Gzip is known by its first bytes, not by the file's name."""
    start = packed.read(2)
    packed.seek(0)
    return gzip.GzipFile(fileobj=packed, mode="rb") if start == GZIP else packed  # type: ignore[return-value]


def _words(message: str) -> str:
    if "expected after" in message:
        return "after a closing quote comes something else than the end of the cell"
    return {
        "unexpected end of data": "the file ends inside quotes",
        "new-line character seen in unquoted field - do you need to open the file with newline=''?": "a line ends with CR only",
    }.get(message, message)
