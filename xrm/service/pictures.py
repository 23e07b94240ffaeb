"""Images: whether they can be read, how large they are, and a small one made anew.

A thumbnail is drawn from the pixels alone, so that nothing of the original's metadata (where it was taken, with what) goes
with it. What claims more pixels than a camera makes is refused before it is unpacked.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/tiff": "TIFF"}
MOST_PIXELS = 60_000_000
"""Width times height; 60 megapixels take 240 MB unpacked."""
_ONE_AT_A_TIME = threading.Lock()
"""So much memory is taken by one image of a process at a time."""
EDGE = 320
"""Pixels of a thumbnail's longer side."""
BROKEN = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, AttributeError,
    OverflowError, ZeroDivisionError, MemoryError, struct.error, Image.DecompressionBombError, RuntimeError,
)  # fmt: skip
"""What Pillow raises for bytes that are no image (its plugins parse by hand)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """``width`` and ``height`` as it is seen (turned as its maker said); ``thumbnail`` is a JPEG, or a PNG where it is clear."""

    width: int
    height: int
    thumbnail: bytes


class Unreadable(Exception):
    """It is no image that can be shown; the message says why, for people."""


def picture(file: BinaryIO, type_: str) -> Picture:
    """Read an image of a type that ``FORMATS`` names.

    Raises:
        Unreadable: it is broken, cut short or claims too many pixels.
    """
    file.seek(0)
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which is not kept
            with Image.open(file, formats=[FORMATS[type_]]) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Unreadable(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")
                return _drawn(image)
    except BROKEN as error:
        raise Unreadable("the image is broken or cut short") from error


def _drawn(image: Image.Image) -> Picture:
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # Exif 2.32, Orientation: lying on a side
    width, height = (image.height, image.width) if turned else image.size
    image.draft("RGB", (EDGE, EDGE))  # a JPEG is unpacked at an eighth, a quarter or a half where that is enough
    upright = ImageOps.exif_transpose(image)
    clear = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    small = upright.convert("RGBA" if clear else "RGB")
    small.thumbnail((EDGE, EDGE))
    plain = Image.new(small.mode, small.size)
    plain.paste(small)
    out = io.BytesIO()
    if clear:
        plain.save(out, "PNG", optimize=True)
    else:
        plain.save(out, "JPEG", quality=80)
    return Picture(width, height, out.getvalue())
