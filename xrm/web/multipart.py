"""A form with files as it arrives (RFC 7578): texts into memory, files to disk, both within limits while they stream.

A file that grows too large is not kept, but what was typed after it is still read, so that the form comes back whole with
its reason beside the file. What is larger than any form of ours is not read at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from xrm.errors import Problem
from xrm.service.files import Draft

FORM = b"multipart/form-data"
MOST_FIELDS = 2000
MOST_TEXT = 2_000_000
"""Bytes of all texts of a form together."""
MOST_PARTS = 200
"""Files of one form."""
MOST_BYTES = 1_000_000_000
"""Bytes of a whole form."""

Limit = Callable[[str], int | None]
"""The most bytes of a file that arrives under a name; None where no file is expected."""


@dataclass(slots=True)
class Arrived:
    """A file of a form: the input's name, what the browser said of it, and its bytes."""

    input: str
    name: str
    declared: str
    draft: Draft


@dataclass(slots=True)
class Form:
    """What arrived. Close it: its files are on the disk until then."""

    texts: dict[str, str] = field(default_factory=dict)
    files: list[Arrived] = field(default_factory=list)
    problem: Problem | None = None

    def close(self) -> None:
        for file in self.files:
            file.draft.close()


async def read(kind: str, length: str, body: AsyncIterator[bytes], limit: Limit, most: int = MOST_FIELDS) -> Form:
    """The form in a request's body; ``kind`` and ``length`` are its headers. ``problem`` says why it could not be read."""
    if length.isdigit() and int(length) > MOST_BYTES:
        return Form(problem=Problem("XRM521", f"the form has more than {MOST_BYTES // 1_000_000} MB"))
    boundary = parse_options_header(kind.encode("latin-1"))[1].get(b"boundary", b"")
    if not 1 <= len(boundary) <= 200:
        return Form(problem=Problem("XRM512", "the form cannot be read"))
    reader = _Reader(boundary, limit, most)
    try:
        async for chunk in body:
            reader.write(chunk)
        return reader.finished()
    except (FormParserError, UnicodeDecodeError):
        return reader.failed(Problem("XRM512", "the form cannot be read"))
    except _TooMuch as refusal:
        return reader.failed(refusal.problem)
    except BaseException:
        reader.form.close()
        raise


class _TooMuch(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Reader:
    """Follows the parser: one part after the other, each a text or a file."""

    def __init__(self, boundary: bytes, limit: Limit, most: int) -> None:
        self.form = Form()
        self._most = most
        self._limit = limit
        self._size = self._typed = 0
        self._whole = False
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._input = ""
        self._text: bytearray | None = None
        self._file: Draft | None = None
        self._parser = MultipartParser(boundary, {
            "on_part_begin": self._begin, "on_header_field": self._header_name, "on_header_value": self._header_value,
            "on_header_end": self._header, "on_headers_finished": self._part, "on_part_data": self._data, "on_part_end": self._end,
            "on_end": self._over,
        })  # fmt: skip

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > MOST_BYTES:
            raise _TooMuch(Problem("XRM521", f"the form has more than {MOST_BYTES // 1_000_000} MB"))
        self._parser.write(chunk)

    def finished(self) -> Form:
        return self.form if self._whole else self.failed(Problem("XRM512", "the form ended before it was whole"))

    def failed(self, problem: Problem) -> Form:
        self.form.close()
        return Form(problem=problem)

    def _begin(self) -> None:
        self._headers.clear()
        self._text = self._file = None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _part(self) -> None:
        """All headers are there. An input without a chosen file sends an empty name."""
        said = parse_options_header(self._headers.get(b"content-disposition", b""))[1]
        self._input = said.get(b"name", b"").decode()
        if b"filename" not in said:
            if len(self.form.texts) >= self._most:
                raise _TooMuch(Problem("XRM512", f"the form has more than {self._most} inputs"))
            self._text = bytearray()
            return
        name, most = said[b"filename"].decode("utf-8", "replace"), self._limit(self._input)
        if not name or most is None:
            return
        if len(self.form.files) >= MOST_PARTS:
            raise _TooMuch(Problem("XRM512", f"the form has more than {MOST_PARTS} files"))
        self._file = Draft(most)
        declared = self._headers.get(b"content-type", b"").decode("latin-1")
        self.form.files.append(Arrived(self._input, name, declared, self._file))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        elif self._text is not None:
            self._typed += end - start
            if self._typed > MOST_TEXT:
                raise _TooMuch(Problem("XRM512", f"the form has more than {MOST_TEXT} bytes of text"))
            self._text += data[start:end]

    def _end(self) -> None:
        if self._text is not None:
            self.form.texts[self._input] = self._text.decode()

    def _over(self) -> None:
        self._whole = True
