"""Text to tokens: the lexical rules."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from xrm.expr.faults import EMPTY, MAX_LENGTH, SYNTAX, TOO_LARGE, ExpressionError, Fault

INT64_MAX = 2**63 - 1
MAX_DECIMALS = 18
MAX_WHOLE_DIGITS = 28

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<quote>["'])
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator>&&|\|\||===|==|!=|<>|<=|>=|=>|[-+*/%<>!?:.,()\[\]=&|;{}])""",
    re.VERBOSE,
)
_TEXT = {
    '"': re.compile(r'[^"\\\n\r]+'),
    "'": re.compile(r"[^'\\\n\r]+"),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_CODED = {"x": 2, "u": 4, "U": 8}
_QUOTES = "`“”„«»‘’‚"


@dataclass(frozen=True)
class Token:
    """A lexical unit; `value` is set for numbers and texts."""

    kind: str
    text: str
    start: int
    end: int
    value: int | Decimal | str | None = None


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression, the last of kind "end".

    Raises ExpressionError when the text is empty, too long, or holds what is no token.
    """
    if len(text) > MAX_LENGTH:
        raise _error(f"longer than {MAX_LENGTH} characters", 0, len(text), code=TOO_LARGE)
    if not text.strip():
        raise _error("the expression is empty", 0, len(text), "write true for 'always'", code=EMPTY)
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        token = _token_at(text, place)
        place = token.end
        if token.kind != "space":
            tokens.append(token)
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _error(message: str, start: int, end: int, hint: str | None = None, code: str = SYNTAX) -> ExpressionError:
    return ExpressionError([Fault(code, message, start, end, hint)])


def _token_at(text: str, place: int) -> Token:
    match = _TOKEN.match(text, place)
    if match is None:
        raise _unexpected(text[place], place)
    kind = match.lastgroup or ""
    if kind == "quote":
        return _string(text, place)
    if kind == "number":
        return _number(text, match.group(), place, match.end())
    return Token(kind, match.group(), place, match.end())


def _unexpected(character: str, place: int) -> ExpressionError:
    name = unicodedata.name(character, "a control character").lower()
    hint = None
    if character in _QUOTES:
        hint = "use straight quotes: \" or '"
    elif character.isspace():
        hint = "use a plain space"
    elif character.isalpha():
        hint = "names are written with a to z, 0 to 9 and _"
    shown = f"'{character}' ({name})" if character.isprintable() else f"U+{ord(character):04X} ({name})"
    return _error(f"unexpected {shown}", place, place + 1, hint)


def _number(text: str, digits: str, start: int, end: int) -> Token:
    following = re.compile(r"[A-Za-z0-9_]+|\.(?![A-Za-z_])").match(text, end)
    if following:
        raise _error(f"'{digits}{following.group()}' is not a number", start, following.end(), _number_hint(digits, following.group()))
    whole, _, decimals = digits.partition(".")
    if not decimals:
        return _whole(digits, start, end)
    if len(decimals) > MAX_DECIMALS or len(whole.lstrip("0")) > MAX_WHOLE_DIGITS:
        raise _error(f"a number has at most {MAX_WHOLE_DIGITS} digits and {MAX_DECIMALS} decimals", start, end)
    return Token("number", digits, start, end, Decimal(digits.rstrip("0").rstrip(".")))


def _whole(digits: str, start: int, end: int) -> Token:
    if len(digits.lstrip("0")) > 19 or int(digits) > INT64_MAX:
        raise _error("the number is past 64 bits", start, end)
    return Token("number", digits, start, end, int(digits))


def _number_hint(digits: str, unit: str) -> str | None:
    if unit in ("d", "h", "m", "s"):
        return f'write duration("{digits}{unit}")'
    return "write the number in full, without an exponent" if unit[0] in "eE" else None


def _string(text: str, start: int) -> Token:
    quote = text[start]
    pieces: list[str] = []
    place = start + 1
    while place < len(text) and text[place] != quote:
        piece, place = _piece(text, place, quote, start)
        pieces.append(piece)
    if place >= len(text):
        raise _unclosed(quote, start, len(text))
    return Token("string", text[start : place + 1], start, place + 1, _clean("".join(pieces), start, place + 1))


def _unclosed(quote: str, start: int, end: int) -> ExpressionError:
    return _error("the text is not closed", start, end, f"add the closing {quote}")


def _piece(text: str, place: int, quote: str, start: int) -> tuple[str, int]:
    """The next run of plain characters or one escape, and where it ends."""
    plain = _TEXT[quote].match(text, place)
    if plain:
        return plain.group(), plain.end()
    if text[place] != "\\":
        raise _unclosed(quote, start, place)
    if place + 1 >= len(text):
        raise _unclosed(quote, start, len(text))
    return _escape(text, place)


def _escape(text: str, place: int) -> tuple[str, int]:
    letter = text[place + 1]
    if letter in _ESCAPES:
        return _ESCAPES[letter], place + 2
    width = _CODED.get(letter, 0)
    digits = text[place + 2 : place + 2 + width]
    if not width or not re.fullmatch(f"[0-9a-fA-F]{{{width}}}", digits) or int(digits, 16) > 0x10FFFF:
        raise _error(f"unknown escape \\{letter}", place, place + 2, "a backslash is written \\\\")
    return chr(int(digits, 16)), place + 2 + width


def _clean(value: str, start: int, end: int) -> str:
    if "\0" in value:
        raise _error("a text cannot hold the NUL character", start, end)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _error("a text cannot hold half a surrogate pair", start, end)
    return unicodedata.normalize("NFC", value)
