"""An export: every record that the actor may see, as CSV or as JSON lines, page by page through the one way to read.

Values are exact: what ``xrm import`` reads back is what was there. A link is written as its record's key where there is
one, else as its id.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as part
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from xrm.compile.columns import is_id
from xrm.expr.places import Point
from xrm.model.fields import ENTITY, TARGET, Field
from xrm.model.values import canonical
from xrm.service.context import Context
from xrm.service.finding import named
from xrm.service.reading import MOST_ROWS, Query, list_records
from xrm.service.transfer.attachments import cell_of, written

Form = Literal["csv", "jsonl"]
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the start of a cell (OWASP, CSV injection)."""
MOST_DEGREES = 20
"""Digits after the point of a degree."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export: its name, the path that is read for it, and the field at its end. Of rows, ``keys`` are the keys
    of what their links lead to."""

    name: str
    path: str
    field: Field
    keys: Mapping[str, str] = part(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be exported. ``guarded``: text that a spreadsheet would run gets an apostrophe before it.
    ``files``: the folder into which the bytes of files are written.
    """

    entity: str
    fields: tuple[str, ...] = ()
    filter: str | None = None
    sort: str | None = None
    form: Form = "csv"
    guarded: bool = False
    files: Path | None = None
    deleted: bool = False
    """Records that were deleted, instead of those that are there."""


def export(ctx: Context, wanted: Export, out: TextIO, watch: Callable[[int], None] = lambda rows: None) -> int:
    """Write every record to ``out``; how many they were.

    Raises:
        NotFound: the entity is not there for this actor.
        Invalid: a field, the filter or the order is wrong.
    """
    columns = columns_of(ctx, wanted)
    pages = _with_names(ctx, columns, pages_of(ctx, wanted, columns))
    write = _csv if wanted.form == "csv" else _lines
    rows = _counted(pages, watch)
    if wanted.files is not None:
        own = tuple(column.path for column in columns if column.field.kind.kept == "files" and "." not in column.path)
        inside = tuple(
            f"{column.path}.{inner.name}"
            for column in columns
            for inner in column.field.rows.values()
            if inner.kind.kept == "files" and ctx.policy(wanted.entity).sees(f"{column.path}.{inner.name}")
        )
        rows = written(ctx, wanted.files, own + inside, rows)
    return write(out, columns, rows, wanted.guarded)


def columns_of(ctx: Context, wanted: Export) -> tuple[Column, ...]:
    """The columns: those asked for, or every field that the actor sees."""
    ctx.entity(wanted.entity)
    names = wanted.fields or ctx.policies.names(wanted.entity)
    query = Query(wanted.entity, tuple(names), wanted.filter, wanted.sort, limit=1)
    list_records(ctx, query)  # refuses what is not there, before anything is written
    return tuple(_column(ctx, wanted.entity, name) for name in names)


def _column(ctx: Context, entity: str, name: str) -> Column:
    """A link is read through to the key of its record, if the actor sees that."""
    found = ctx.policies.resolve(entity, name)
    assert found is not None
    if found.type == "link" and found.to and found.name != "id":
        key = ctx.service.application.model.entities[found.to].key
        target = ctx.policies.resolve(entity, f"{name}.{key}") if key else None
        if target is not None:
            return Column(name, f"{name}.{key}", target)
    links = {inner.name: inner.to for inner in found.rows.values() if inner.type == "link" and inner.to}
    keys = {link: key for link, to in links.items() if (key := ctx.service.application.model.entities[to].key)}
    return Column(name, name, found, keys)


def pages_of(ctx: Context, wanted: Export, columns: tuple[Column, ...]) -> Iterator[list[dict[str, Any]]]:
    """Page after page, by cursor. Without an order they come as they were made (ids grow), so that what is added meanwhile comes last."""
    query = Query(
        wanted.entity, tuple(column.path for column in columns), wanted.filter, wanted.sort or "id", limit=MOST_ROWS, deleted=wanted.deleted
    )
    while True:
        page = list_records(ctx, query)
        yield page.rows
        if page.next is None:
            return
        query = replace(query, after=page.next)


def _with_names(ctx: Context, columns: tuple[Column, ...], pages: Iterator[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """The pages, where a link to one of several entities is what its record is called: ``person:4711``."""
    single = [column.path for column in columns if column.field.type == "link" and column.field.several and column.field.name != "id"]
    inside = [(column.path, link.name) for column in columns for link in column.field.rows.values() if link.several]
    targets = {target for column in columns for link in (column.field, *column.field.rows.values()) for target in link.several}
    for page in pages:
        places = [(row, path) for row in page for path in single if row[path]]
        places += [(inner, link) for row in page for path, link in inside for inner in row[path] or () if inner.get(link)]
        ids = [row[name] for row, name in places]
        seen = (target for target in sorted(targets) if places and ctx.policies.readable(target))
        names = {id: name for target in seen for id, name in named(ctx, ids, target).items() if "," not in name}
        for row, name in places:
            row[name] = names.get(row[name], row[name])
        yield page


def _counted(pages: Iterator[list[dict[str, Any]]], watch: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    rows = 0
    for page in pages:
        rows += len(page)
        yield from page
        watch(rows)


def _csv(out: TextIO, columns: tuple[Column, ...], rows: Iterator[dict[str, Any]], guarded: bool) -> int:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    count = 0
    for row in rows:
        writer.writerow([_cell(column, row[column.path], guarded) for column in columns])
        count += 1
    return count


def _cell(column: Column, value: object, guarded: bool) -> str:
    if column.field.type == "rows" and not column.field.each:
        return ROWS.encode(rows_of(column, value)).decode() if value else ""
    text = cell_text(column.field, value)
    if guarded and column.field.kind.worded and text.startswith(DANGEROUS):
        return f"'{text}"
    return text


def cell_text(field: Field, value: object) -> str:
    """The text of a value, which its field reads back as the same."""
    if value is None:
        return ""
    if field.each:
        return ", ".join(links_of(value))
    if field.kind.kept == "json":
        return msgspec.json.encode(value, order="deterministic").decode()
    if field.kind.kept == "files":
        return cell_of(value)
    if isinstance(value, Point):
        return f"{_degrees(value.lat)}, {_degrees(value.lon)}"
    return canonical(field, value)


def _degrees(value: float) -> str:
    """The shortest decimal that is the same float, without an exponent; no more digits than are read back (atoms are larger)."""
    exact = Decimal(repr(value))
    return f"{exact:f}" if int(exact.as_tuple().exponent) >= -MOST_DEGREES else f"{exact:.{MOST_DEGREES}f}"


def _lines(out: TextIO, columns: tuple[Column, ...], rows: Iterator[dict[str, Any]], guarded: bool) -> int:
    """One JSON object a line; decimals as text, since JSON's numbers are floats to many readers."""
    encode = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string").encode
    count = 0
    for row in rows:
        out.write(encode(_object(columns, row)).decode() + "\n")
        count += 1
    return count


def _object(columns: tuple[Column, ...], row: Mapping[str, Any]) -> dict[str, Any]:
    def written(column: Column, value: object) -> object:
        if column.field.each:
            return links_of(value)
        return rows_of(column, value) if column.field.type == "rows" else _json(column.field, value)

    return {column.name: written(column, row[column.path]) for column in columns}


def rows_of(column: Column, value: object) -> list[dict[str, Any]]:
    """Rows as they can be read back: each with its id, by which the same application knows it again; what is computed follows.
    A link is the key of its record, or its id where the actor sees no key."""
    rows = value if isinstance(value, tuple) else ()
    kept = [inner for inner in column.field.rows.values() if inner.compute is None]
    made = []
    for row in rows:
        told = {inner.name: _json(inner, row[inner.name]) for inner in kept if inner.name in row}
        keys = {link: found for link, key in column.keys.items() if (found := row.get(f"{link}.{key}")) is not None}
        made.append({"id": row["id"], **told, **keys})
    return made


def links_of(value: object) -> list[str]:
    """A list of links as it is read back: the keys of its records, where the actor sees them, or their ids."""
    rows = value if isinstance(value, tuple) else ()
    return [_named(row) for row in rows]


def _named(row: Mapping[str, Any]) -> str:
    known = (TARGET, f"{TARGET}.title", f"{TARGET}.{ENTITY.name}")
    key = next((str(value) for name, value in row.items() if name.startswith(TARGET) and name not in known and value is not None), "")
    plain = key and not is_id(key) and "," not in key and key == key.strip() and not key.startswith("[")
    return key if plain else str(row[TARGET])


def _json(field: Field, value: object) -> object:
    worded = isinstance(value, datetime | timedelta) or (field.kind.kept == "count" and value is not None)
    return canonical(field, value) if worded else value


def _plain(value: Any) -> object:
    return value.as_json()


ROWS = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string")
"""Writes the rows of a record into one cell, as a JSON list."""
