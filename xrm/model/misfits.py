"""What is said of a value that its field does not accept, and the texts and numbers that most types are read from."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal


class Misfit(ValueError):
    """A value that its field does not accept, in words for the person who typed it.

    ``rule``: the rule of the field that refuses it (``min``, ``pattern`` …); empty where it is not of the type.
    ``inside``: what is wrong in the rows of it, each with the way there: the number of the row, from 0, and the field.
    """

    def __init__(self, message: str, hint: str | None = None, inside: Sequence[tuple[int, str, Misfit]] = (), *, rule: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.inside = inside
        self.rule = rule


NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""NUL, and halves of a surrogate pair: no database holds them as text."""


def plain_text(raw: object) -> str:
    """A text or number as the text it is (NFC)."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int, Decimal)):
        raise Misfit("must be text")
    text = str(raw)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if NO_TEXT.search(text):
        raise Misfit("contains a character that text cannot hold")
    return text


def plain_number(raw: object) -> Decimal:
    """A number, or a text that is one."""
    if isinstance(raw, float) and math.isfinite(raw):
        return Decimal(repr(raw))
    if isinstance(raw, str):
        text = raw.strip()
        if not re.fullmatch(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", text, re.ASCII):
            raise Misfit("must be a number", hint="for example 1250.50, without signs for thousands")
        return Decimal(text)
    if isinstance(raw, bool) or not isinstance(raw, (int, Decimal)) or not Decimal(raw).is_finite():
        raise Misfit("must be a number")
    return Decimal(raw)
