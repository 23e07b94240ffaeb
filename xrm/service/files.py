"""Files of records: taken in, attached by a write, given out again.

A file is staged first: its bytes are kept, and whoever brought them gets a sealed token, which only they can use and only
for a day. A write then attaches what its tokens name, beside files that the record has already. Bytes are given out through
a record alone, with the reader's policy on that record and field; a hash names a file of a record and opens nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, Protocol, Self, runtime_checkable

from xrm.compile.columns import bind_id, is_id
from xrm.errors import Invalid, NotFound, Problem
from xrm.model.contents import CONTENTS, UNKNOWN, clean_name, contradiction, refined, size_text, sniff
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import DIGEST, USUAL_SIZE
from xrm.service.context import Context, Service
from xrm.service.pictures import FORMATS, Picture, Unreadable, picture
from xrm.service.reading import get_record
from xrm.store.blobs import Blob
from xrm.store.database import Connection

TOKEN_LIFE = timedelta(days=1)
"""How long an uploaded file waits for the record it belongs to."""
SAFE_AGE = timedelta(days=2)
"""Bytes that nothing has and nobody wanted for so long are collected; longer than any token lives."""
PIECE = 262_144


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes on this machine's disk, as somebody sent them: under which name, as which type, and what they are."""

    path: Path
    name: str
    declared: str
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that waits for its record. ``token`` goes into the record's value."""

    token: str
    name: str
    type: str
    size: int
    expires_at: datetime

    def as_json(self) -> dict[str, object]:
        until = self.expires_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
        return {"token": self.token, "name": self.name, "type": self.type, "size": self.size, "expires_at": until}


class Draft:
    """Bytes that arrive: written to disk and counted. No more than ``most`` are kept; what comes after is only counted.

    Use it as a context manager: the bytes are gone at the end.
    """

    def __init__(self, most: int) -> None:
        self._file = NamedTemporaryFile(prefix="xrm-upload-")  # noqa: SIM115 (closed by this object's own end)
        self._digest = hashlib.sha256()
        self.most, self.size = most, 0

    @property
    def too_large(self) -> bool:
        return self.size > self.most

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if not self.too_large:
            self._file.write(piece)
            self._digest.update(piece)

    def upload(self, name: str, declared: str) -> Upload:
        """What has arrived. Raises Invalid (XRM521) if that was too much."""
        if self.too_large:
            raise Invalid(too_large(name, self.most))
        self._file.flush()
        return Upload(Path(self._file.name), name, declared, self.size, self._digest.digest())

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def too_large(name: str, most: int) -> Problem:
    shown = clean_name(name, UNKNOWN)
    return Problem("XRM521", f"“{shown}” is larger than {size_text(most)}", hint=f"at most {size_text(most)}")


# ----------------------------------------------------------------------------- in


def stage(ctx: Context, upload: Upload, field: Field | None = None) -> Staged:
    """Keep bytes until a record takes them. With a ``field`` it is known already where they go, and they must fit there.

    Raises:
        Invalid: empty, too large (XRM521), not what its name says or a broken image (XRM522), not accepted (XRM520).
    """
    with upload.path.open("rb") as file:
        content = refined(sniff(file), upload.name)
        name = clean_name(upload.name, content)
        if not upload.size:
            raise Invalid(Problem("XRM522", f"“{name}” is empty"))
        wrong = contradiction(content, name, upload.declared)
        if wrong:
            raise Invalid(Problem("XRM522", f"“{name}”: {wrong}", hint="rename it as what it is, or save it again"))
        seen = _picture(file, name, content.type, strict=field is None or field.type == "image" or "any" not in field.accept)
    token: dict[str, Any] = {"name": name, "type": content.type, "size": upload.size, "hash": upload.digest.hex()}
    if field is not None:
        _fits(field, token)
    size = (seen.width, seen.height, seen.thumbnail) if seen else (None, None, None)
    ctx.service.blobs.put(Blob(upload.path, upload.digest, upload.size, content.type, *size), ctx.moment.now)
    until = ctx.moment.now + TOKEN_LIFE
    sealed = ctx.service.seal.seal({**token, "until": until.timestamp()}, _purpose(ctx))
    return Staged(sealed, name, content.type, upload.size, until)


def _picture(file: BinaryIO, name: str, type_: str, *, strict: bool) -> Picture | None:
    """What is seen of an image; an image that cannot be read is refused where images are meant."""
    if type_ not in FORMATS:
        return None
    try:
        return picture(file, type_)
    except Unreadable as error:
        if strict:
            raise Invalid(Problem("XRM522", f"“{name}”: {error}", hint="open it and save it again as JPEG or PNG")) from error
        return None


def _fits(field: Field, file: Mapping[str, Any]) -> None:
    """Raises Invalid where a field does not take a file (XRM520, XRM521)."""
    content = CONTENTS.get(file["type"], UNKNOWN)
    if "any" not in field.accept and content.kind not in field.accept:
        kinds = ", ".join(field.accept)
        raise Invalid(Problem("XRM520", f"“{file['name']}” is {content.label}", path=(field.name,), hint=f"accepted here: {kinds}"))
    if field.type == "image" and content.type not in FORMATS:
        raise Invalid(Problem("XRM520", f"“{file['name']}” is {content.label}, not an image that can be shown", path=(field.name,)))
    most = field.size or USUAL_SIZE
    if file["size"] > most:
        raise Invalid(Problem("XRM521", f"“{file['name']}” is larger than {size_text(most)}", path=(field.name,)))


def _purpose(ctx: Context) -> str:
    return f"file|{ctx.actor.id}"


def opened(ctx: Context, token: str) -> dict[str, Any] | None:
    """What a token stands for; None where it is not this actor's or its time is over."""
    found = ctx.service.seal.open(token, _purpose(ctx))
    if not isinstance(found, dict) or found["until"] < ctx.moment.now.timestamp():
        return None
    return {name: found[name] for name in ("name", "type", "size", "hash")}


def claimed(ctx: Context, field: Field, items: Sequence[Mapping[str, Any]] | None) -> tuple[dict[str, Any], ...] | None:
    """What a caller wants in a field: tokens opened and judged; of files that are said to be there only the hash, to be found.

    Raises:
        Misfit: a token is not this actor's, or its time is over.
        Invalid: the file does not fit the field.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in items or ():
        if "token" not in item:
            found[item["hash"]] = {"hash": item["hash"]}
            continue
        file = opened(ctx, item["token"])
        if file is None:
            raise Misfit("names an upload that is not there any more", hint="upload the file again; an upload waits for a day")
        _fits(field, file)
        found[file["hash"]] = file
    return tuple(found.values()) or None


def attached(connection: Connection, entity: Entity, before: Mapping[str, Any] | None, values: Mapping[str, object]) -> dict[str, Any]:
    """The values with the files that the record has, or once had, put in where only their hash was said.

    Raises:
        Invalid: the record never had such a file in this field (XRM523).
    """
    whole = dict(values)
    for name, value in values.items():
        field = entity.fields.get(name)
        if field is not None and field.kind.kept == "files" and isinstance(value, tuple):
            whole[name] = _attached(connection, name, before, value)
        inner = [one.name for holder, one in row_file_fields(entity) if holder.name == name]
        if inner and isinstance(value, tuple):
            rows = [
                {**row, **{one: _attached(connection, f"{name}.{one}", before, row[one]) for one in inner if row.get(one)}} for row in value
            ]
            whole[name] = value.of(rows) if isinstance(value, Rows) else tuple(rows)
    return whole


@runtime_checkable
class Rows(Protocol):
    """Rows that were sent, which know more than their values."""

    def of(self, rows: Sequence[dict[str, Any]]) -> Self: ...


def _attached(
    connection: Connection, path: str, before: Mapping[str, Any] | None, value: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    return tuple(_one(connection, path, before or {}, file) for file in value)


def there(record: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """The files that a record has in a field, or in one of all its rows (``lines.photo``)."""
    name, _, inner = path.partition(".")
    holders = record.get(name) or ()
    return [file for row in holders for file in row.get(inner) or ()] if inner else list(holders)


def _one(connection: Connection, path: str, before: Mapping[str, Any], file: Mapping[str, Any]) -> Mapping[str, Any]:
    old = next((one for one in there(before, path) if one["hash"] == file["hash"]), None)
    if old is not None and file.get("name", old["name"]) == old["name"]:
        return old
    if "name" in file:
        return file
    mark = "?" if connection.dialect == "sqlite" else "%s"
    row = before and connection.one(
        "SELECT f.name, b.type, b.size FROM xrm_file f JOIN xrm_blob b ON b.digest = f.digest"
        f" WHERE f.record = {mark} AND f.field = {mark} AND f.digest = {mark}",
        (bind_id(before["id"], connection.dialect), path, bytes.fromhex(file["hash"])),
    )
    if not row:
        problem = Problem("XRM523", "the record has no such file", path=(path.partition(".")[0],), hint="send the token of an upload")
        raise Invalid(problem)
    return {"name": row[0], "type": row[1], "size": row[2], "hash": file["hash"]}


def settled(entity: Entity, before: Mapping[str, Any] | None, after: dict[str, Any]) -> None:
    """New files get the version of the record that brings them."""
    for field in file_fields(entity):
        files, old = after.get(field.name), (before or {}).get(field.name) or ()
        if files and files != old:
            after[field.name] = _dated(files, old, after["version"])
    for holder, inner in row_file_fields(entity):
        old = there(before or {}, f"{holder.name}.{inner.name}")
        after[holder.name] = tuple(
            {**row, inner.name: _dated(row[inner.name], old, after["version"])} if row.get(inner.name) else row
            for row in after[holder.name]
        )


def _dated(files: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]], version: int) -> tuple[Mapping[str, Any], ...]:
    return tuple(file if file in old else {**file, "version": version} for file in files)


def file_fields(entity: Entity) -> Iterable[Field]:
    return (field for field in entity.fields.values() if field.kind.kept == "files")


def row_file_fields(entity: Entity) -> Iterable[tuple[Field, Field]]:
    """The fields of files in rows, each with the field that holds the rows."""
    return ((holder, one) for holder in entity.fields.values() for one in holder.rows.values() if one.kind.kept == "files")


def added(entity: Entity, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """(field, file) for every file that a write brings in."""
    for field in file_fields(entity):
        old = (before or {}).get(field.name) or ()
        yield from ((field.name, file) for file in after.get(field.name) or () if file not in old)
    for holder, inner in row_file_fields(entity):
        path = f"{holder.name}.{inner.name}"
        was = there(before or {}, path)
        yield from ((path, file) for file in there(after, path) if file not in was)


# ---------------------------------------------------------------------------- out


@dataclass(frozen=True, slots=True)
class Held:
    """A file of a record that the actor may read."""

    name: str
    type: str
    size: int
    digest: bytes
    inline: bool


def held(ctx: Context, entity: str, id: str, field: str, digest: str) -> Held:
    """A file that a record has, or once had: what its change log shows, it also gives.

    Raises:
        NotFound: record, field or file are not there for this actor.
    """
    known = field_at(ctx.entity(entity).entity, field)
    if known is None or known.kind.kept != "files" or not ctx.policy(entity).sees(field) or not DIGEST.fullmatch(digest) or not is_id(id):
        raise _no_file()
    record = get_record(ctx, entity, id, (field.partition(".")[0],))
    now = next((file for file in there(record, field) if file["hash"] == digest), None)
    name = now["name"] if now else _earlier(ctx.service, id, field, digest)
    kept = ctx.service.blobs.known(bytes.fromhex(digest))
    if name is None or kept is None:
        raise _no_file()
    return Held(name, kept.type, kept.size, bytes.fromhex(digest), CONTENTS.get(kept.type, UNKNOWN).inline)


def field_at(entity: Entity, path: str) -> Field | None:
    """The field of a path: of the entity, or of the rows of one (``lines.photo``)."""
    name, _, inner = path.partition(".")
    field = entity.fields.get(name)
    return field.rows.get(inner) if field and inner else field


def _earlier(service: Service, id: str, field: str, digest: str) -> str | None:
    mark = "?" if service.database.dialect == "sqlite" else "%s"
    row = service.database.connection.one(
        f"SELECT name FROM xrm_file WHERE record = {mark} AND field = {mark} AND digest = {mark}",
        (bind_id(id, service.database.dialect), field, bytes.fromhex(digest)),
    )
    return row[0] if row else None


def _no_file() -> NotFound:
    return NotFound(Problem("XRM506", "there is no such file", path=("file",)))


def thumbnail(ctx: Context, file: Held) -> bytes:
    """The small image made of a file. Raises NotFound where it has none."""
    found = ctx.service.blobs.thumbnail(file.digest)
    if found is None:
        raise _no_file()
    return found


def most_bytes(service: Service) -> int:
    """The most bytes that any field of the application takes of one file; 0 without such fields."""
    entities = service.application.model.entities.values()
    every = (one for entity in entities for one in (*file_fields(entity), *(inner for _, inner in row_file_fields(entity))))
    return max((field.size or USUAL_SIZE for field in every), default=0)


def collect(service: Service) -> int:
    """Take away bytes that no record has or had and that nobody waits for; how many contents."""
    return service.blobs.collect(service.clock() - SAFE_AGE)
