"""A file of JSON lines as a table, as ``xrm export --format jsonl`` writes it: an object a line, all with the names of the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, Self

import msgspec

from xrm.errors import Invalid
from xrm.service.transfer.table import Row, Table


class Told(str):
    """A JSON value as the text of a cell: a string's own words, nothing of null, else the JSON. ``raw`` is how it was written."""

    __slots__ = ("raw",)
    raw: msgspec.Raw

    def __new__(cls, raw: msgspec.Raw) -> Self:
        plain = bytes(raw).decode()
        made = super().__new__(cls, msgspec.json.decode(raw, type=str) if plain.startswith('"') else "" if plain == "null" else plain)
        made.raw = raw
        return made

    @property
    def value(self) -> Any:
        return msgspec.json.decode(self.raw)

    @property
    def compound(self) -> bool:
        return self.startswith(("[", "{")) and not bytes(self.raw).startswith(b'"')


class JsonLines(Table):
    """Rows are lines here: the first is row 1."""

    def __init__(self, name: str, packed: IO[bytes], size: int, file: IO[bytes]) -> None:
        self._first: list[Row] = []
        self._all = iter(self._lines(file))
        super().__init__(name, packed, size, ",", file)

    def rows(self) -> Iterator[Row]:
        """Raises Invalid (XRM603), naming the line."""
        yield from self._first
        while (row := self._next()) is not None:
            yield row

    def _header(self) -> tuple[str, ...]:
        told = self._object()
        if not told:
            raise self.broken("the file is empty: its first line must name the columns", row=1)
        columns = tuple(told)
        problem = self._named(columns) if len(columns) > 1 else None
        if problem:
            raise Invalid(problem)
        self._first = [Row(self._row, self._line, [Told(told[name]) for name in columns])]
        return columns

    def _next(self) -> Row | None:
        told = self._object()
        if told is None:
            return None
        wrong = next((name for name in (*told, *self.columns) if name not in told or name not in self.columns), None)
        if wrong is not None:
            which = f"the line has no '{wrong[:60]}', and" if wrong in self.columns else f"the line has '{wrong[:60]}', and not"
            raise self.broken(f"{which} the first one has", "every line has the same names; null is for what is empty", self._row)
        return Row(self._row, self._line, [Told(told[name]) for name in self.columns])

    def _object(self) -> Mapping[str, msgspec.Raw] | None:
        """The next object; empty lines are left out."""
        for line in self._all:
            self._row += 1
            if line.strip():
                try:
                    return msgspec.json.decode(line, type=dict[str, msgspec.Raw])
                except msgspec.MsgspecError as error:
                    raise self.broken(f"this is no JSON object: {error}", row=self._row) from None
        return None
