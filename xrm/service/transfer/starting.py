"""From a file and its map to an import that is ready to run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from xrm.errors import Invalid, Problem
from xrm.model.entity import Entity
from xrm.service.context import Context
from xrm.service.transfer.implied import implied
from xrm.service.transfer.importing import Watch, import_table, never, nobody
from xrm.service.transfer.lines import JsonLines
from xrm.service.transfer.outline import Outline, read_map
from xrm.service.transfer.plan import ImportPlan
from xrm.service.transfer.planning import planned, targets_of
from xrm.service.transfer.report import Mode, Report
from xrm.service.transfer.table import Table, unpacked
from xrm.service.transfer.times import LocalTimes
from xrm.source.folder import decoded


@dataclass(frozen=True, slots=True)
class Ready:
    """An open table with its plan."""

    ctx: Context
    table: Table
    plan: ImportPlan
    times: LocalTimes

    def run(self, mode: Mode = "all", watch: Watch = nobody, stop: Callable[[], bool] = never) -> Report:
        """Import it. See ``import_table``."""
        return import_table(self.ctx, self.table, self.plan, self.times, mode, watch, stop)


@contextmanager
def open_import(
    ctx: Context,
    entity: str,
    file: Path,
    map: Path | None = None,  # noqa: A002
    *,
    historic: bool = False,
    files: Path | None = None,
) -> Iterator[Ready]:
    """Check everything that can be checked before the first row. ``files`` is the folder that cells of files name paths in; else
    the folder of the file itself.

    Raises:
        NotFound: the entity is not there for this actor.
        Invalid: the map or the file is wrong; every problem has its place.
    """
    its = ctx.entity(entity).entity
    outline = read_outline(map, entity) if map else None
    delimiter = outline.delimiter.text if outline and outline.delimiter else ","
    with open_table(file, delimiter) as table:
        outline = outline or _implied(ctx, its, table, historic=historic)
        plan, times = planned(ctx, outline, table.name, table.columns)
        yield Ready(ctx, table, replace(plan, files=files or file.parent), times)


@contextmanager
def open_table(path: Path, delimiter: str = ",") -> Iterator[Table]:
    """The table in a file: CSV, or JSON lines, which begin with a brace.

    Raises:
        Invalid: the file is not there, or not a table (XRM603).
    """
    try:
        packed = path.open("rb")
    except OSError as error:
        raise Invalid(Problem("XRM603", f"{path} cannot be read: {error.strerror}")) from None
    with packed:
        size, file = path.stat().st_size, unpacked(packed)
        if _begins(file) == b"{":
            yield JsonLines(path.name, packed, size, file)
        else:
            yield Table(path.name, packed, size, delimiter, file)


def _begins(file: IO[bytes]) -> bytes:
    """The first byte that is no space; nothing where the file cannot be read, of which the table says what is wrong."""
    try:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        file.seek(0)
    except (EOFError, OSError, zlib.error):
        file.seek(0)
        return b""
    return start


def read_outline(path: Path, entity: str) -> Outline:
    """The map in a file.

    Raises:
        Invalid: it cannot be read, its structure is wrong, or it is for another entity.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(Problem("XRM105", f"{path} cannot be read: {error.strerror}")) from None
    text = decoded(path.name, content)
    if isinstance(text, Problem):
        raise Invalid(text)
    outline, problems = read_map(path.name, text)
    if outline is None:
        raise Invalid(*problems)
    if outline.entity.text != entity:
        message = f"the map is for '{outline.entity.text[:60]}', and '{entity}' is imported"
        raise Invalid(Problem("XRM601", message, outline.entity.place, ("import",)))
    return outline


def _implied(ctx: Context, entity: Entity, table: Table, *, historic: bool) -> Outline:
    names = targets_of(ctx, entity, historic=historic)
    return implied(entity, names, table.name, table.columns, historic=historic)


__all__ = ["Ready", "open_import", "open_table", "read_outline"]
