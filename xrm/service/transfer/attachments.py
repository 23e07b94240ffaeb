"""Files beside a table: written into a folder by an export, taken from one by an import.

A cell names them with ``|`` between, by their paths in that folder (``0192…/photos/bench.jpg``). Without a folder an export
names them by their hashes, by which a record keeps what it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xrm.errors import Invalid, Problem
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.values import DIGEST, USUAL_SIZE
from xrm.service import files
from xrm.service.context import Context
from xrm.service.transfer.row_links import rows_of_cell

BETWEEN = "|"
PIECE = 262_144


class Brought(str):
    """The path of a file in the folder of an import."""

    __slots__ = ()


def read_cell(text: str) -> tuple[object, ...]:
    """What a cell names: files that the record has, by hash, and files to be taken from the folder."""
    names = (name.strip() for name in text.split(BETWEEN))
    return tuple({"hash": name} if DIGEST.fullmatch(name) else Brought(name) for name in names if name)


def cell_of(value: object) -> str:
    """The cell of a value, as ``read_cell`` reads it."""
    items = value if isinstance(value, tuple) else ()
    return BETWEEN.join(file.get("path") or file["hash"] for file in items)


def taken(ctx: Context, entity: Entity, folder: Path, values: Mapping[str, object]) -> dict[str, object]:
    """The values with the files of the folder staged.

    Raises:
        Invalid: a file is not there, lies outside the folder, or does not fit its field.
    """
    found = dict(values)
    for name, value in values.items():
        field = entity.fields.get(name)
        if field is not None and isinstance(value, tuple) and any(isinstance(one, Brought) for one in value):
            found[name] = [_staged(ctx, field, folder, one) if isinstance(one, Brought) else one for one in value]
    for holder, inner in files.row_file_fields(entity):
        rows = rows_of_cell(found.get(holder.name))
        if any(row.get(inner.name) for row in rows):
            found[holder.name] = [{**row, inner.name: _taken(ctx, inner, folder, row.get(inner.name))} for row in rows]
    return found


def _taken(ctx: Context, field: Field, folder: Path, value: object) -> object:
    """The files of a row, as they stand in the JSON of its cell: those with a ``path`` come from the folder."""
    items = value if isinstance(value, list) else [value]
    paths = [one.get("path") if isinstance(one, dict) else None for one in items]
    return [_staged(ctx, field, folder, path) if isinstance(path, str) else one for one, path in zip(items, paths, strict=True)]


def _staged(ctx: Context, field: Field, folder: Path, name: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Invalid(Problem("XRM105", f"there is no file '{name[:200]}' in the folder", path=(field.name,), hint="--files names it"))
    with files.Draft(field.size or USUAL_SIZE) as draft, path.open("rb") as source:
        while piece := source.read(PIECE):
            draft.write(piece)
        try:
            return files.stage(ctx, draft.upload(path.name, ""), field).token
        except Invalid as refused:
            raise Invalid(*(Problem(one.code, one.message, path=(field.name,), hint=one.hint) for one in refused.problems)) from None


def written(ctx: Context, folder: Path, names: tuple[str, ...], rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, with the bytes of their files written into the folder and each file's ``path`` there."""
    for row in rows:
        for name in names:
            holder, _, inner = name.partition(".")
            if inner:
                row[holder] = tuple(_with_paths(ctx, folder, str(row["id"]), name, one) for one in row[holder] or ())
            elif row[name]:
                row[name] = tuple(_put(ctx, folder, Path(str(row["id"])) / name, place, file) for place, file in enumerate(row[name]))
        yield row


def _with_paths(ctx: Context, folder: Path, id: str, name: str, row: dict[str, Any]) -> dict[str, Any]:
    inner = name.partition(".")[2]
    if not row.get(inner):
        return row
    return {**row, inner: tuple(_put(ctx, folder, Path(id) / name, place, file) for place, file in enumerate(row[inner]))}


def _put(ctx: Context, folder: Path, where: Path, place: int, file: Mapping[str, Any]) -> dict[str, Any]:
    """Under its own name, with its place before it where that is taken."""
    path = where / file["name"]
    if (folder / path).exists():
        path = where / f"{place + 1} {file['name']}"
    (folder / where).mkdir(parents=True, exist_ok=True)
    with (folder / path).open("wb") as out:
        for start in range(0, file["size"], PIECE):
            out.write(ctx.service.blobs.read(bytes.fromhex(file["hash"]), start, min(PIECE, file["size"] - start)))
    return {**file, "path": path.as_posix()}
