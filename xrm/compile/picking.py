"""What a read picks, and how a row of the driver becomes a row of values or a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from xrm.compile.columns import (
    Stored,
    from_database,
    json_from_database,
    json_point,
    point,
    short_instant,
    stored,
)
from xrm.compile.joining import Rows
from xrm.compile.policies import Policies
from xrm.model.fields import ENTITY, TARGET, Field

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picked:
    """One path of a row: its columns in the query, and what makes its value, or its JSON, of them."""

    path: str
    columns: tuple[sa.ColumnElement[Any], ...]
    convert: Callable[..., Any] | None
    convert_json: Callable[..., Any] | None = None
    part: bool = False
    """Whether it is a part of an address, which a document has whole."""

    @staticmethod
    def of(rows: Rows, path: str) -> Picked:
        field = rows.policies.resolve(rows.entity.name, path)
        if field is None:
            raise KeyError(path)
        return Picked.made(rows, path, field)

    @staticmethod
    def made(rows: Rows, path: str, field: Field) -> Picked:
        """The pick of a field that the caller knows to be visible."""
        prefix = path.rpartition(".")[0]
        if field.type == "point":
            parts: tuple[Stored, ...] = stored(field)
            if rows.several(path):
                return Picked(path, tuple(rows.column(f"{prefix}.{part.name}") for part in parts), point, json_point)
            table = rows.at(prefix)[0]
            return Picked(path, tuple(table.c[part.name] for part in parts), point, json_point)
        converters = (from_database(field, rows.dialect), json_from_database(field, rows.dialect))
        return Picked(path, (rows.column(path),), *converters, part=bool(field.within))


def list_of_links(path: str, link: Field, picked: Sequence[Picked], beyond: Sequence[str]) -> Picked:
    """A list of links: rows with the ``target`` and its title; in JSON ids, or what was asked of each. What the reader may
    not see is left out."""
    wanted = {TARGET, *(f"{TARGET}.{far}" for far in beyond), *([f"{TARGET}.{ENTITY.name}"] if link.several else [])}
    flat = row_decoder(picked)
    single = document_decoder([pick if pick.path in wanted else replace(pick, path="") for pick in picked])

    def rows(found: Sequence[Sequence[Any]]) -> tuple[Row, ...]:
        return tuple(row for row in map(flat, found) if row[TARGET] is not None)

    def documents(found: Sequence[Sequence[Any]]) -> list[Any]:
        links = [msgspec.structs.astuple(single(row))[0] for row in found]
        return [one for one in links if one is not None]

    return Picked(path, (), rows, documents)


def over_lists(paths: Sequence[str], policies: Policies, entity: str) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """What is read beyond each list of links, by its field; and the other paths, with those fields."""
    beyond: dict[str, list[str]] = {}
    own: dict[str, None] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        if rest and policies.beyond(entity, path) is not None:
            beyond.setdefault(first, []).append(rest)
        own[first if first in beyond and rest else path] = None
    return beyond, tuple(own)


def with_links(paths: Sequence[str], policies: Policies, entity: str) -> tuple[str, ...]:
    """The paths asked for, and each link on the way to one: ``category.title`` brings ``category``; of several entities, which it is."""
    wanted: dict[str, None] = {}
    for path in paths:
        parts = path.split(".")
        for depth in range(1, len(parts) + 1):
            wanted[".".join(parts[:depth])] = None
    for path in list(wanted):
        field = policies.resolve(entity, path)
        if field is not None and field.several and field.name != "id":
            wanted[f"{path}.{ENTITY.name}"] = None
    return tuple(wanted)


def row_decoder(picked: Sequence[Picked], width: int = 0) -> Callable[[Sequence[Any]], Row]:
    """A function written for this row: one dict display, each value converted in place.

    A pick without columns takes its value from behind the ``width`` columns of the statement.

    Written as Python source, since a loop over converters costs three times as much for a list of fifty.
    """
    scope: dict[str, Any] = {}
    values = _value_sources(picked, [pick.convert for pick in picked], scope, width)
    body = ", ".join(f"{path!r}: {source}" for path, source in values.items())
    exec(f"def decode(r):\n    return {{{body}}}", scope)  # noqa: S102  (our own source; names are repr'd)
    decode: Callable[[Sequence[Any]], Row] = scope["decode"]
    return decode


def document_decoder(picked: Sequence[Picked], width: int = 0) -> Callable[[Sequence[Any]], msgspec.Struct]:
    """A function that makes the JSON document of a row: nested structs, which are written to JSON at half the cost of dicts."""
    scope: dict[str, Any] = {}
    values = _value_sources(picked, [pick.convert_json for pick in picked], scope, width)
    body = _struct_source({pick.path: values[pick.path] for pick in picked if pick.path and not pick.part}, "", scope)
    exec(f"def decode(r):\n    return {body}", scope)  # noqa: S102  (our own source; names are repr'd)
    decode: Callable[[Sequence[Any]], msgspec.Struct] = scope["decode"]
    return decode


def _value_sources(
    picked: Sequence[Picked], converts: Sequence[Callable[..., Any] | None], scope: dict[str, Any], width: int
) -> dict[str, str]:
    """The Python source of each path's value, from the row ``r``; what it calls is put into ``scope``."""
    values: dict[str, str] = {}
    at, behind = 0, width
    for n, (pick, convert) in enumerate(zip(picked, converts, strict=True)):
        if not pick.columns:
            values[pick.path] = _value_source(convert, 1, n, behind, scope)
            behind += 1
            continue
        if pick.path:
            values[pick.path] = _value_source(convert, len(pick.columns), n, at, scope)
        at += len(pick.columns)
    return values


def _value_source(convert: Callable[..., Any] | None, width: int, n: int, at: int, scope: dict[str, Any]) -> str:
    if convert is None:
        return f"r[{at}]"
    scope[f"f{n}"] = convert
    if width == 2:
        return f"f{n}(r[{at}], r[{at + 1}])"
    made = IN_PLACE.get(convert) or f"f{n}(v)"
    return f"(None if (v := r[{at}]) is None else {made})"


IN_PLACE: Mapping[Callable[..., Any], str] = {
    bool: "v == 1",
    short_instant: "v if v[20:26] != '000000' else v[:19] + 'Z'",
}
"""Conversions so small that a call would cost more than they do; ``v`` is the value."""


def _struct_source(values: Mapping[str, str], prefix: str, scope: dict[str, Any]) -> str:
    """The source that makes the document of the paths below a prefix; each link that is followed is a document in it."""
    names: list[str] = []
    sources: list[str] = []
    if prefix:
        names.append("id")
        sources.append(values[prefix.removesuffix(".")])
    for path, source in values.items():
        name = path[len(prefix) :]
        if not path.startswith(prefix) or "." in name or name in names:
            continue
        follows = any(below.startswith(f"{path}.") for below in values)
        names.append(name)
        sources.append(f"(None if {source} is None else {_struct_source(values, f'{path}.', scope)})" if follows else source)
    attributes = [f"a{n}" for n in range(len(names))]
    kind = f"S{len(scope)}"
    rename = dict(zip(attributes, names, strict=True))
    scope[kind] = msgspec.defstruct("Document", [(attribute, Any) for attribute in attributes], rename=rename, gc=False)
    return f"{kind}({', '.join(sources)})"
