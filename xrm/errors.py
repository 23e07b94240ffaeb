"""Problems are data: a code, a message, a place, a hint. They are printed at the edge and nowhere else.

The shape follows RFC 9457 (for requests) and compiler practice (file:line:column, the path, a hint). ``CODES`` lists
every code with its title; ``docs/reference/problems.md`` documents each, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Place(NamedTuple):
    """A span in a text file: 1-based line and column; ``width`` in characters, at least 1."""

    file: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in a definition or in a request.

    ``path`` names the key or field it stands on (``("fields", "amount", "min")``); ``source`` is the line of text at
    ``place``, where there is one.
    """

    code: str
    message: str
    place: Place | None = None
    path: tuple[str, ...] = ()
    hint: str | None = None
    severity: Severity = "error"
    source: str | None = None

    def at(self, place: Place, source: str | None = None) -> Problem:
        return replace(self, place=place, source=source)

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        place = self.place
        if place is None:
            return ("", 0, 0, self.code, self.message)
        return (place.file, place.line, place.column, self.code, self.message)

    def as_json(self) -> dict[str, object]:
        """The object that ``--format json`` prints: code, severity, file, line, column, path, message, hint."""
        place = self.place
        return {
            "code": self.code,
            "severity": self.severity,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "path": list(self.path),
            "message": self.message,
            "hint": self.hint,
        }


class XrmError(Exception):
    """What could not be done, with every reason. Raises carry at least one problem."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.code} {p.message}" for p in problems))
        self.problems = problems


class NotFound(XrmError):
    """The entity, record, field or transition does not exist for this actor."""


class Forbidden(XrmError):
    """The actor may see it but not do this to it."""


class Stale(XrmError):
    """The record has changed since the version the writer saw."""


class Invalid(XrmError):
    """The values, filter or file given are wrong; each problem names its field or place."""


class Unavailable(XrmError):
    """The application cannot serve this now (no release, not admitted, database away)."""


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems by place, so that a file reads from top to bottom; exact repeats once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: p.sort_key))


MOST_COMPARED = 100
"""Names that one word is compared with in full."""


def comparable(word: str, names: Iterable[str]) -> list[str]:
    """Of many names those that may have become the word by one slip: it leaves the beginning or the end as it was."""
    found = list(names)
    if len(found) > MOST_COMPARED:
        head, tail = word[: (len(word) - 1) // 2], word[(len(word) + 2) // 2 :]
        found = [name for name in found if name.startswith(head) or name.endswith(tail)]
    return found[:MOST_COMPARED]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, for a hint."""
    found = get_close_matches(name, comparable(name, names), 1)
    return found[0] if found else None


def has_errors(problems: Iterable[Problem]) -> bool:
    return any(p.severity == "error" for p in problems)


CODES: dict[str, str] = {
    # 1xx: the document
    "XRM101": "The file is not valid YAML",
    "XRM102": "A key stands twice",
    "XRM103": "Anchors, aliases, merge keys and tags are refused",
    "XRM104": "The file is too large or nested too deeply",
    "XRM105": "The file cannot be read",
    "XRM106": "The value has the wrong kind",
    # 2xx: structure and meaning of definitions
    "XRM201": "Unknown key",
    "XRM202": "A required key is missing",
    "XRM203": "An unknown name",
    "XRM204": "Two definitions of one thing",
    "XRM205": "The name is reserved or not well formed",
    "XRM206": "The value is not allowed here",
    "XRM207": "The lifecycle is not sound",
    "XRM208": "A computed field depends on itself",
    "XRM209": "A right or rule would disclose what a role may not see",
    "XRM245": "A computed field reads what it cannot follow",
    "XRM242": "A condition on a link does not go here",
    "XRM241": "A link leads to nothing",
    "XRM244": "This does not go with a link to many",
    "XRM240": "A deletion cannot do that to this link",
    "XRM210": "A default, set or option does not fit its field",
    "XRM211": "An entity inherits from itself",
    "XRM226": "Texts are not translated yet",
    "XRM220": "A state that nothing leaves",
    "XRM221": "A condition that can never hold",
    "XRM222": "A role is asked for, or held up by, what it does not see",
    "XRM223": "An order that no index gives",
    "XRM224": "A colour that cannot be made out",
    "XRM235": "The key does not go with rows",
    "XRM236": "This cannot stand in a row",
    "XRM255": "What a field of files accepts is not possible",
    "XRM256": "A field of files has no value that is written or computed",
    "XRM250": "A rule that holds for everybody depends on who acts",
    "XRM251": "Defaults or conditions follow from each other in a circle",
    # 3xx: expressions
    "XRM301": "The expression cannot be read",
    "XRM302": "An unknown name in an expression",
    "XRM303": "The types in an expression do not fit",
    "XRM304": "An unknown function or wrong arguments",
    "XRM305": "Not one of the options",
    "XRM306": "The expression is too long or nested too deeply",
    "XRM307": "The database cannot evaluate this here",
    "XRM308": "An expression is empty",
    "XRM309": "The expression gives the wrong type",
    "XRM320": "Amounts in several currencies",
    # 4xx: plan and apply
    "XRM401": "The change would lose data",
    "XRM402": "The change cannot be made to the data that is there",
    "XRM403": "There is no release to run",
    "XRM404": "The database is not reachable or not supported",
    "XRM405": "This process runs an older release and may not write",
    "XRM406": "An old name is still in use",
    "XRM407": "Values do not fit the new type",
    "XRM408": "Something must be decided first",
    "XRM409": "The plan no longer fits",
    "XRM410": "There is no such release",
    "XRM412": "A plugin names what is gone",
    "XRM413": "A conversion reads its own record alone",
    # 5xx: requests and writes
    "XRM501": "A value is required",
    "XRM502": "The value does not fit the field",
    "XRM503": "The value is already in use",
    "XRM504": "A check does not hold",
    "XRM505": "The field may not be changed",
    "XRM506": "Not found",
    "XRM507": "Not allowed",
    "XRM508": "The record has changed meanwhile",
    "XRM509": "A precondition is required",
    "XRM510": "The move is not possible now",
    "XRM511": "The linked record does not exist",
    "XRM512": "The request cannot be read",
    "XRM513": "The cursor does not belong to this list",
    "XRM514": "Sign-in is required",
    "XRM515": "The record is still in use",
    "XRM530": "The delete would take along what you may not delete",
    "XRM534": "What follows in another record does not fit",
    "XRM532": "The record cannot be chosen here",
    "XRM533": "A link that finds its record by itself was left empty",
    "XRM531": "The delete would reach too many records",
    "XRM516": "The form has expired or comes from elsewhere",
    "XRM517": "Too many attempts",
    "XRM527": "There is no such row in this record",
    "XRM528": "There are too few or too many rows",
    "XRM520": "The field does not take this kind of file",
    "XRM521": "The file is too large",
    "XRM522": "The content of the file does not fit",
    "XRM523": "The record has no such file",
    "XRM537": "The field does not apply here",
    "XRM538": "A recommended value is missing",
    "XRM539": "The option cannot be chosen here",
    # 6xx: import and export
    "XRM601": "The import map does not fit the file or the entity",
    "XRM602": "The row was refused",
    "XRM603": "The file cannot be read as a table",
    # 7xx: plugins
    "XRM701": "The plugin cannot be loaded",
    "XRM702": "The hook or one of its arguments does not exist",
    "XRM703": "The plugin failed",
    # 8xx: operation
    "XRM801": "The setting is wrong",
    "XRM802": "The command needs PostgreSQL",
    "XRM803": "The user, role or token does not fit",
    "XRM804": "There is no such failed job",
}
