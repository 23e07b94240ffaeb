"""What a file is, by its content and never by its name: magic bytes, and the kinds that `accept` names.

The signatures are those of the formats' own specifications (ISO 32000, PNG, JPEG File Interchange, GIF89a, RIFF, ISO/IEC
14496-12, OPC ISO/IEC 29500-2, OpenDocument 1.3 part 2, APPNOTE.TXT of ZIP, RFC 1952).
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

HEAD = 4096
"""Bytes at the start that are looked at."""
TAIL = 66_000
"""Bytes at the end that can hold the end of a ZIP's directory (22 and a comment of at most 65,535)."""
MOST_DIRECTORY = 2_000_000
"""Bytes of a ZIP's directory beyond which nobody looks inside."""
MOST_NAME = 120
"""Characters of a file's name."""


@dataclass(frozen=True, slots=True)
class Content:
    """A type of content: its media type, what people call it, its kind in `accept`, and the endings its names have.

    ``inline``: a browser may show it in its own window; everything else is only ever saved.
    """

    type: str
    label: str
    kind: str
    endings: tuple[str, ...]
    inline: bool = False


UNKNOWN = Content("application/octet-stream", "a file of an unknown type", "other", ())
_TABLE = (
    Content("application/pdf", "a PDF", "pdf", ("pdf",), inline=True),
    Content("image/jpeg", "a JPEG image", "images", ("jpg", "jpeg", "jpe", "jfif"), inline=True),
    Content("image/png", "a PNG image", "images", ("png",), inline=True),
    Content("image/gif", "a GIF image", "images", ("gif",), inline=True),
    Content("image/webp", "a WebP image", "images", ("webp",), inline=True),
    Content("image/tiff", "a TIFF image", "images", ("tif", "tiff")),
    Content("image/heic", "a HEIC image", "other", ("heic", "heif")),
    Content("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a Word document", "office", ("docx",)),
    Content("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "an Excel workbook", "office", ("xlsx",)),
    Content("application/vnd.openxmlformats-officedocument.presentationml.presentation", "a PowerPoint presentation", "office", ("pptx",)),
    Content("application/vnd.oasis.opendocument.text", "an OpenDocument text", "office", ("odt",)),
    Content("application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet", "office", ("ods",)),
    Content("application/vnd.oasis.opendocument.presentation", "an OpenDocument presentation", "office", ("odp",)),
    Content("application/x-cfb", "an older Office document", "office", ("doc", "xls", "ppt", "msg")),
    Content("application/rtf", "an RTF text", "office", ("rtf",)),
    Content("application/vnd.ms-office.macro", "an Office document with macros", "other",
            ("docm", "xlsm", "pptm", "dotm", "xltm", "potm")),
    Content("text/plain", "a text", "text", ("txt", "md", "log", "json", "eml", "yml", "yaml", "ics", "vcf", "geojson", "tsv")),
    Content("text/csv", "a CSV table", "text", ("csv",)),
    Content("text/html", "a web page", "other", ("html", "htm", "xhtml")),
    Content("image/svg+xml", "an SVG drawing", "other", ("svg",)),
    Content("text/xml", "an XML text", "text", ("xml", "gpx", "kml")),
    Content("audio/mpeg", "an MP3 recording", "audio", ("mp3",)),
    Content("audio/wav", "a WAV recording", "audio", ("wav",)),
    Content("audio/ogg", "an Ogg recording", "audio", ("ogg", "oga", "opus")),
    Content("audio/flac", "a FLAC recording", "audio", ("flac",)),
    Content("audio/mp4", "an MPEG-4 recording", "audio", ("m4a",)),
    Content("video/mp4", "an MPEG-4 video", "video", ("mp4", "m4v")),
    Content("video/quicktime", "a QuickTime video", "video", ("mov",)),
    Content("video/webm", "a WebM or Matroska video", "video", ("webm", "mkv")),
    Content("video/x-msvideo", "an AVI video", "video", ("avi",)),
    Content("application/zip", "a ZIP archive", "archives", ("zip",)),
    Content("application/gzip", "a gzip archive", "archives", ("gz", "tgz")),
    Content("application/x-7z-compressed", "a 7z archive", "archives", ("7z",)),
    Content("application/x-tar", "a tar archive", "archives", ("tar",)),
    Content("application/x-executable", "a program", "other",
            ("exe", "dll", "com", "scr", "msi", "so", "bin", "sh", "bat", "cmd", "ps1", "vbs", "js", "jar", "apk", "lnk")),
    UNKNOWN,
)  # fmt: skip
CONTENTS: Mapping[str, Content] = {content.type: content for content in _TABLE}
ENDINGS: Mapping[str, Content] = {ending: content for content in _TABLE for ending in content.endings}

ACCEPT: Mapping[str, str] = {
    "pdf": "PDF",
    "images": "JPEG, PNG, GIF, WebP, TIFF",
    "office": "Word, Excel, PowerPoint, OpenDocument, RTF; without macros",
    "text": "text, CSV, JSON, XML",
    "audio": "MP3, WAV, Ogg, FLAC, M4A",
    "video": "MP4, QuickTime, WebM, AVI",
    "archives": "ZIP, gzip, 7z, tar",
    "any": "everything",
}
"""The words of `accept`, and what each lets in."""
USUAL = ("pdf", "images", "office", "text")
"""What a file field lets in that says nothing."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-cfb"),
    (b"{\\rtf", "application/rtf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"MZ", "application/x-executable"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xcf\xfa\xed\xfe", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-executable"),
    (b"#!", "application/x-executable"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"msf1": "image/heic", b"M4A ": "audio/mp4",
           b"qt  ": "video/quicktime"}  # fmt: skip
_OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


def sniff(file: BinaryIO) -> Content:
    """What the content is. Never raises for what the bytes are; the file's position is left anywhere."""
    file.seek(0)
    head = file.read(HEAD)
    return CONTENTS[_type(head, file)]


def _type(head: bytes, file: BinaryIO) -> str:
    for magic, type_ in _MAGIC:
        if head.startswith(magic):
            return type_
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN.type)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return _zipped(head, file)
    if head[257:262] == b"ustar":
        return "application/x-tar"
    return _written(head)


def _zipped(head: bytes, file: BinaryIO) -> str:
    """A ZIP, or what is kept in one. OpenDocument says its type in its first entry, OPC by the name of its main part."""
    length, extra = struct.unpack("<HH", head[26:30].ljust(4, b"\0"))
    if head[30 : 30 + length] == b"mimetype":
        named = head[30 + length + extra :][:80].decode("ascii", "replace")
        own = [type_ for type_ in CONTENTS if "opendocument" in type_ and named.startswith(type_)]
        return max(own, key=len) if own else "application/zip"
    names = _names(file)
    if "[Content_Types].xml" not in names:
        return "application/x-executable" if "META-INF/MANIFEST.MF" in names else "application/zip"
    if any(name.rpartition("/")[2].lower() == "vbaproject.bin" for name in names):
        return "application/vnd.ms-office.macro"
    return next((type_ for part, type_ in _OFFICE.items() if part in names), "application/zip")


def _names(file: BinaryIO) -> frozenset[str]:
    """The names in a ZIP's directory; none where it is broken or larger than anybody needs."""
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 22 or struct.unpack("<L", tail[at + 12 : at + 16])[0] > MOST_DIRECTORY:
        return frozenset()
    try:
        with zipfile.ZipFile(file) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError, EOFError, OverflowError):
        return frozenset()


_NO_TEXT = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def _written(head: bytes) -> str:
    """Text in UTF-8, or in UTF-16 with its mark; else nothing that is known."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        words = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        try:
            words = head.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if len(head) < HEAD or error.start < len(head) - 4:  # a character cut at the end of what was read is none
                return _latin(head)
            words = head[: error.start].decode("utf-8-sig")
    if _NO_TEXT.search(words):
        return UNKNOWN.type
    start = words.lstrip().lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<script", "<iframe")):
        return "text/html"
    if start.startswith(("<?xml", "<svg", "<!doctype svg", "<!--")):
        marked = re.search(r"<(svg|html|script)[\s>:]", start)
        return "text/xml" if marked is None else "image/svg+xml" if marked[1] == "svg" else "text/html"
    return "text/plain"


def _latin(head: bytes) -> str:
    """Text in an older code page: no control characters, and hardly any beyond ASCII."""
    if re.search(rb"[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]", head) or sum(byte > 127 for byte in head) * 5 > len(head):
        return UNKNOWN.type
    return "text/plain"


# ---------------------------------------------------------------------------- names


def ending(name: str) -> str:
    """The ending of a name in small letters, without its dot; empty where there is none."""
    stem, _, last = name.rpartition(".")
    return last.lower() if stem and len(last) <= 12 else ""


def refined(content: Content, name: str) -> Content:
    """Kinds of text that no content tells apart go by the name: a CSV is a text, and nothing more is let in by it."""
    named = ENDINGS.get(ending(name))
    return named if named and content.type == "text/plain" and named.type == "text/csv" else content


def contradiction(content: Content, name: str, declared: str) -> str | None:
    """What the name or the sender says and the content is not, in words; None where they agree or say nothing."""
    named = ENDINGS.get(ending(name))
    if named and not _agrees(named, content):
        return f"its name ends in .{ending(name)}, but it is {content.label}"
    said = CONTENTS.get(declared.partition(";")[0].strip().lower())
    if said and said.kind in ("pdf", "images") and not _agrees(said, content):
        return f"it was sent as {said.label}, but it is {content.label}"
    return None


def _agrees(named: Content, content: Content) -> bool:
    """Text is text whatever its ending says of it, and an old Office name may hold RTF; everything else is exact."""
    if named.type == content.type or (named.kind == "text" and content.kind == "text"):
        return True
    if named.type == "application/x-cfb":
        return content.type == "application/rtf"
    return {named.type, content.type} <= {"video/mp4", "audio/mp4", "video/quicktime"}


_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f"*:<>?|/\\\u2028\u2029]')


def clean_name(name: str, content: Content) -> str:
    """A name to show and to save under: the last part of a path, without control characters or marks that turn the
    direction of text (which would show `gpj.exe` as `exe.jpg`), at most 120 characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in _FORBIDDEN.sub(" ", last) if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    tidy = " ".join(kept.split()).strip(". ")
    end = ending(tidy)
    stem = tidy[: -len(end) - 1] if end else tidy
    if not stem:
        return f"file.{content.endings[0]}" if content.endings else "file"
    return f"{stem[: MOST_NAME - len(end) - 1].rstrip()}.{end}" if end else stem[:MOST_NAME]


_UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


def bytes_of(text: str) -> int | None:
    """``10 MB`` in bytes (SI, as files are counted for people); None where it is no size."""
    found = re.fullmatch(r"(\d{1,9})(?:\.(\d))? ?([KMG]?B)?", text.strip(), re.ASCII)
    if found is None:
        return None
    tenths = int(found[1]) * 10 + int(found[2] or 0)
    return tenths * _UNITS[found[3] or ""] // 10


def size_text(size: int) -> str:
    """Bytes for people: ``1.4 MB``."""
    for unit, factor in (("GB", 1000**3), ("MB", 1000**2), ("KB", 1000)):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"
