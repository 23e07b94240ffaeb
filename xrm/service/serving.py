"""How a file's bytes go out: whole or in part, to be shown or to be saved, and nothing that a browser could run.

RFC 9110 (sections 13 and 14: conditions and ranges), RFC 6266 (Content-Disposition), Content Security Policy Level 3.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from xrm.service.context import Service
from xrm.service.files import Held

PIECE = 262_144
"""Bytes that are read at once."""
SANDBOX = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; media-src 'self'; frame-ancestors 'none'"
"""Whatever the bytes are, they run nothing, load nothing and have an origin of their own."""
UNBOXED = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
"""Of a PDF that is shown: browsers open none in a sandbox; their viewers keep its scripts away from this site."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of the bytes it wants: the headers' own texts."""

    range: str | None = None
    if_range: str | None = None
    if_none_match: str | None = None
    save: bool = True


@dataclass(frozen=True, slots=True)
class Served:
    """The answer: its status and headers, and which bytes of which content follow (``start`` to before ``stop``)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    digest: bytes
    start: int = 0
    stop: int = 0


def served(file: Held, asked: Asked) -> Served:
    """304 for what the asker has, 206 for a part, 416 for a part that is not there, else 200."""
    tag = f'"{file.digest.hex()}"'
    shown = file.inline and not asked.save
    always = (
        ("etag", tag),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", UNBOXED if shown and file.type == "application/pdf" else SANDBOX),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
    )
    if asked.if_none_match is not None and _names(asked.if_none_match, tag):
        return Served(304, always, file.digest)
    described = (
        *always,
        ("content-type", file.type if shown or _harmless(file.type) else "application/octet-stream"),
        ("content-disposition", _disposition(file.name, shown=shown)),
        ("accept-ranges", "bytes"),
    )
    part = _part(asked.range, file.size) if asked.range and asked.if_range in (None, tag) else None
    if part is None:
        return Served(200, (*described, ("content-length", str(file.size))), file.digest, 0, file.size)
    start, stop = part
    if start >= stop:
        return Served(416, (*always, ("content-range", f"bytes */{file.size}"), ("content-length", "0")), file.digest)
    span = (("content-range", f"bytes {start}-{stop - 1}/{file.size}"), ("content-length", str(stop - start)))
    return Served(206, (*described, *span), file.digest, start, stop)


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in header.split(",")]


def _harmless(type_: str) -> bool:
    """Types whose name may be said to a browser: none that it would run."""
    return type_ not in ("text/html", "image/svg+xml", "text/xml", "application/x-executable")


def _disposition(name: str, *, shown: bool) -> str:
    """The name twice: in ASCII, and as it is (RFC 8187)."""
    plain = re.sub(r"[^ !#-\[\]-~]", "_", name)
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _part(header: str, size: int) -> tuple[int, int] | None:
    """One range of bytes as (first, past the last); None for what is no single range, which is answered whole."""
    found = re.fullmatch(r"\s*bytes=\s*(\d{0,15})-(\d{0,15})\s*", header, re.ASCII)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    return None if found[2] and last < first else (first, min(size, last + 1))


async def pieces(service: Service, answer: Served) -> AsyncIterator[bytes]:
    """The bytes, some at a time. No connection is held between two pieces, however slowly they are taken."""
    at = answer.start
    while at < answer.stop:
        length = min(PIECE, answer.stop - at)
        piece = await service.database.read(partial(service.blobs.read, answer.digest, at, length))
        if not piece:
            return  # collected meanwhile: the connection ends short of its length
        yield piece
        at += len(piece)
