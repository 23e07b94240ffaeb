"""What a YAML error most likely means, with the line printed mended.

The parser reports where it could not go on; people want to know which line to change. So the lines up to there are
looked at one by one for the usual slips: a quote that is not closed, ``: `` or `` #`` in a plain value, a value that
begins with a sign YAML keeps for itself, a tab.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xrm.errors import Place, Problem
from xrm.source.lines import split_lines

ENTRY = re.compile(r"^(?P<lead>[ ]*(?:-[ ]+)*(?P<key>[\w.-]+|'[^']*'|\"[^\"]*\")[ ]*:[ ]+)(?P<value>\S.*?)\s*$")
ITEM = re.compile(r"^(?P<lead>[ ]*-[ ]+)(?P<value>\S.*?)\s*$")
FLOW_ENTRY = re.compile(r"(?P<lead>(?:^|[{,])\s*(?P<key>[\w.-]+):[ ]+)(?P<value>[^{}\]'\",][^{}]*?)(?=\s*(?:,\s*[\w.-]+:\s|\}|$))")
RESERVED = "!&*@`%|>"
CONDITIONS = {"when", "must", "should", "required", "filter", "read", "create", "update", "delete"}
IN_BRACES = r"[,{}\[\]]"
END_IN_BRACES = re.compile(r",\s*[\w.-]+:\s|\s*[}\]]+\s*(#.*)?$")
END_OF_VALUE = re.compile(r"\s+#\s.*$|\s*$")
COMMENT = re.compile(r"\s+#\s.*$")
TEXT_AFTER_SIGN = re.compile(r"[ \t]+#\S")
NEXT_KEY = re.compile(r"^\s*(?:-\s+)?[a-z_][\w-]*:(?:\s|$)")

WORDS = {
    "mapping values are not allowed in this context": "': ' is not allowed inside a value that is not quoted",
    "did not find expected key": "a key was expected here",
    "did not find expected '-' indicator": "a list item ('- …') was expected here",
    "did not find expected ',' or '}'": "',' or '}' was expected here",
    "did not find expected ',' or ']'": "',' or ']' was expected here",
    "did not find expected node content": "a value was expected here",
    "found unexpected end of stream": "the quote is not closed",
    "could not find expected ':'": "':' was expected after the key",
    "found unknown escape character": "an unknown escape after '\\' in double quotes",
    "found unexpected document indicator": "'---' is not allowed here",
}
UNCLOSED = ("did not find expected ',' or '}'", "did not find expected ',' or ']'")
INDENT = "keys of one map begin in the same column"


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the parser gave up, from 0, and where what it was reading began; ``context`` says what that was."""

    problem: str
    context: str
    at: tuple[int, int] | None
    start: tuple[int, int] | None


def explain(file: str, lines: Sequence[str], error: Stop) -> Problem:
    """The parser's error as a problem on the line that should be changed."""
    line, column = _stop(error)
    line = min(line, len(lines) - 1)
    if "\t" in lines[line][: column + 1] and not lines[line][:column].strip():
        place = Place(file, line + 1, lines[line].index("\t") + 1)
        return Problem("XRM101", "a tab stands where YAML wants spaces", place, hint="indent with spaces")
    suspect = _open_quote(lines[: line + 1]) or _endless(error)
    if suspect is not None:
        number, start = suspect
        hint = _closed(lines[number], start)
        return Problem("XRM101", "the quote is not closed", Place(file, number + 1, start + 1), hint=hint)
    message = _message(error, lines[line], column)
    number = _where_to_mend(lines, line)
    fix = mended(lines[number], column + 1 if number == line else 1) or _indent_hint(lines, line)
    place = Place(file, number + 1, (column if number == line else 0) + 1)
    return Problem("XRM101", message, place, hint=fix)


def _stop(error: Stop) -> tuple[int, int]:
    """The place to report: where a bracket, quote or key begins that is never ended, else where the parser gave up."""
    at, start = error.at, error.start
    if start is None or at is None:
        return start or at or (0, 0)
    unclosed = error.problem in UNCLOSED and at[0] > start[0] and at[1] == 0
    endless = error.context == "while scanning a quoted scalar" and "end of stream" in error.problem
    return start if unclosed or endless or error.context == "while scanning a simple key" else at


def _message(error: Stop, line: str, column: int) -> str:
    reserved = re.search(r":\s+([!&*@`%])\S", line[:column])
    if reserved:
        return f"a value may not begin with '{reserved[1]}' unless it is quoted"
    if error.problem == "found character that cannot start any token":
        return f"a value may not begin with '{line[column : column + 1]}' unless it is quoted"
    return WORDS.get(error.problem, error.problem)


def _open_quote(lines: Sequence[str]) -> tuple[int, int] | None:
    """The first line whose value opens a quote that the line does not close, as (line, column) from 0."""
    for number, line in enumerate(lines):
        found = ENTRY.match(line) or ITEM.match(line)
        if not found or found["value"][0] not in "'\"":
            continue
        if not _closes(found["value"]):
            return number, found.start("value")
    return None


def _endless(error: Stop) -> tuple[int, int] | None:
    return error.start if error.context == "while scanning a quoted scalar" and "end of stream" in error.problem else None


def commented(place: Place, line: str, end: int) -> Problem | None:
    """What follows `` #`` is a comment; without a blank after the sign it was most likely meant as text."""
    if not TEXT_AFTER_SIGN.match(line, end):
        return None
    hint = mended(line, place.column)
    return Problem("XRM101", "what follows ' #' is a comment, not text", place, hint=hint, severity="warning")


def _closes(value: str) -> bool:
    quote = value[0]
    body = value[1:].replace("''", "") if quote == "'" else re.sub(r"\\.", "", value[1:])
    return quote in body


def _closed(line: str, start: int) -> str:
    """The line with the quote at ``start`` closed: before the next key or brace within braces, else at the end."""
    quote, rest = line[start], line[start + 1 :]
    within = line[:start].count("{") > line[:start].count("}")
    end = END_IN_BRACES.search(rest) if within else END_OF_VALUE.search(rest)
    stop = end.start() if end else len(rest)
    return f"write: {line[:start].lstrip()}{quote}{rest[:stop]}{quote}{rest[stop:]}".rstrip()


def _where_to_mend(lines: Sequence[str], stop: int) -> int:
    """The error's own line, unless it is fine by itself and the one before plainly is not."""
    if mended(lines[stop], 1) or stop == 0:
        return stop
    before = stop - 1
    while before > 0 and not lines[before].strip():
        before -= 1
    entry = ENTRY.match(lines[before])
    if entry and entry["value"][0] in "[{" and _unbalanced(entry["value"]):
        return before
    return before if not lines[stop].strip() and mended(lines[before], 1) else stop


def _unbalanced(value: str) -> bool:
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", value)
    return bare.count("[") != bare.count("]") or bare.count("{") != bare.count("}")


def _indent_hint(lines: Sequence[str], line: int) -> str | None:
    text = lines[line]
    if not text.strip():
        return None
    indent = len(text) - len(text.lstrip(" "))
    before = next((other for other in reversed(lines[:line]) if other.strip() and not other.lstrip().startswith("#")), "")
    around = len(before) - len(before.lstrip(" "))
    if indent != around:
        return f"{INDENT}: this line is indented by {indent}, the one before by {around}"
    entry = ENTRY.match(text)
    if entry and _unbalanced(entry["value"]):
        return "a bracket or brace is not closed; quote ('single') what holds one as text"
    return None


def mended(line: str, column: int) -> str | None:
    """``write: …`` with the value quoted, where the line holds a plain value that wants quotes; else None."""
    found = ENTRY.match(line) or ITEM.match(line)
    if not found:
        return None
    value = COMMENT.sub("", found["value"])
    if value[0] == "{":
        return _mended_in_braces(line)
    if not _wants_quotes(value):
        return None
    key = found.groupdict().get("key") or ""
    return f"write: {found['lead'].strip()} {_rewritten(key, value)}{found['value'][len(value) :]}"


def _rewritten(key: str, value: str, unsafe: str = "^$") -> str:
    """The value in quotes; a condition that only begins with a sign of YAML's needs no more than ``=`` (rule 3)."""
    if key in CONDITIONS and value[0] in "![" and not re.search(unsafe, value[1:]) and not re.search(r":\s|\s#", value):
        return f"={value}"
    return _quoted(value)


def _wants_quotes(value: str) -> bool:
    if value[0] in RESERVED:
        return not re.fullmatch(r"[|>][-+0-9]*(\s+#.*)?", value)
    if value[0] in "'\"":
        return bool(re.match(r"('(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\")\s*[^\s#]", value))
    if value[0] == "[":
        return bool(re.search(r"\][^\s,\]#]|\]\s+[^\s#]", value))
    return bool(re.search(r":\s|:$|\s#\S", value)) or value[0] in ",]}"


def _mended_in_braces(line: str) -> str | None:
    """Inside ``{ }`` a value that holds a comma, a bracket, ``: `` or begins with a reserved sign wants quotes."""
    changed = FLOW_ENTRY.sub(_quote_entry, line)
    return f"write: {changed.strip()}" if changed != line else None


def _quote_entry(found: re.Match[str]) -> str:
    value = found["value"]
    if value[0] == "[":
        wants = not re.fullmatch(r"\[[^\[\]]*\]", value)
    else:
        wants = value[0] in RESERVED or bool(re.search(r"[,\[\]]|:\s|\s#", value))
    return f"{found['lead']}{_rewritten(found['key'], value, IN_BRACES)}" if wants else found.group()


def _quoted(value: str) -> str:
    """In single quotes, where a quote inside is doubled (YAML 1.2.2, section 7.3.2)."""
    if value[0] in "'\"" and value.count(value[0]) == 2 and value[-1] != value[0]:
        value = value.replace(value[0], "")
    return "'" + value.replace("'", "''") + "'"


def swallowed(place: Place, raw: str, line: str) -> Problem | None:
    """A quote that closes some lines on, with what looks like keys in between: most likely it was forgotten."""
    if not any(NEXT_KEY.match(line) for line in split_lines(raw)[1:]):
        return None
    hint = _closed(line, place.column - 1)
    return Problem("XRM101", "the quote is not closed on its line", place, hint=hint)
