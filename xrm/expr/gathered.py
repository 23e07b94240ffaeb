"""Collections in the typed tree: the records of a collection, and what is asked of them.

A collection is the rows of a record, or the records that link to it. Asking is total, as a whole condition is
(an unknown one does not hold): `exists` is true when the condition holds for one of them, `all` when it holds for
each, `filter` keeps those for which it holds. The sum of nothing is 0, the least and the greatest of nothing are null;
a sum that no field could hold is null.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from xrm.expr.faults import TOO_LARGE, TYPE_MISMATCH, WRONG_CALL, Fault
from xrm.expr.syntax import Call, Path
from xrm.expr.typed import Column, Logical, Typed
from xrm.expr.types import BOOL, DATE, DATETIME, INT, NULL, NUMBERS, SPANS, Type

Operation = Literal["exists", "all", "count", "sum", "min", "max"]

MACROS = ("exists", "all", "filter", "map")
"""What is called on a collection: `lines.exists(l, l.amount > 3)`."""
AGGREGATES = ("count", "size", "sum", "min", "max")
"""What takes a collection: `sum(lines.amount)`."""
MOST_VARIABLES = 2
"""Collections inside one another."""


@dataclass(frozen=True)
class Collected(Typed):
    """The records of a collection where `where` holds, or one `value` of each; never the end of an expression.

    `member` tells the columns of these records apart from others. `held`: the records are part of the record itself.
    """

    path: str
    member: str
    held: bool
    where: Typed | None = None
    value: Typed | None = None

    @cached_property
    def fixed(self) -> bool:
        return False

    @property
    def parts(self) -> tuple[Typed, ...]:
        return tuple(part for part in (self.where, self.value) if part is not None)


@dataclass(frozen=True)
class Gather(Typed):
    """What is asked of a collection. For `exists` and `all` the `value` is the condition; `text` is how it was written."""

    operation: Operation
    path: str
    member: str
    held: bool
    where: Typed | None
    value: Typed | None
    text: str

    @cached_property
    def fixed(self) -> bool:
        return False

    @property
    def parts(self) -> tuple[Typed, ...]:
        return tuple(part for part in (self.where, self.value) if part is not None)

    def _bound(self) -> int:
        if self.operation in ("min", "max") and self.value is not None:
            return self.value.bound
        return super()._bound()


def narrowed(found: Collected, condition: Typed) -> Collected:
    """Those for which a condition holds too."""
    if found.where is None:
        return replace(found, where=condition)
    both = Logical(condition.start, condition.end, BOOL, "&&", (found.where, condition))
    return replace(found, where=both)


def asked(found: Collected, operation: Operation, type_: Type, node: Call, text: str, value: Typed | None = None) -> Gather:
    value = found.value if value is None else value
    return Gather(node.start, node.end, type_, operation, found.path, found.member, found.held, found.where, value, text)


def aggregate(node: Call, found: Collected, text: str) -> Gather | Fault:
    """`count`, `size`, `sum`, `min` or `max` of a collection or of one value of each of its records."""
    name = "count" if node.name == "size" else node.name
    if name == "count":
        return asked(found, "count", INT, node, text)
    example = f"{node.name}({found.path}.amount)"
    if found.value is None:
        return Fault(WRONG_CALL, f"'{node.name}' wants one value of each record", node.start, node.end, f"for example {example}")
    given = found.value.type
    if given == NULL or (name == "sum" and given.name not in NUMBERS):
        return Fault(WRONG_CALL, f"'{node.name}' does not take {given}", node.start, node.end, f"for example {example}")
    if name == "sum":
        return asked(found, "sum", given, node, text)
    if given.options or given.name not in (*NUMBERS, *SPANS, "text", DATE.name, DATETIME.name):
        shown = "options" if given.options else str(given)
        return Fault(WRONG_CALL, f"'{node.name}' does not take {shown}", node.start, node.end, f"for example {example}")
    return asked(found, "min" if name == "min" else "max", given, node, text)


def variable(node: Call, taken: int, names: frozenset[str]) -> str | Fault:
    """The name that stands for one record in a macro, or what is wrong with it."""
    written = f"write {node.name}(l, …): a name for one record, and what is asked of it"
    if len(node.arguments) != 2:
        return Fault(WRONG_CALL, f"'{node.name}' takes a name and an expression", node.place, node.place + len(node.name), written)
    first = node.arguments[0]
    if not isinstance(first, Path) or len(first.names) != 1:
        return Fault(WRONG_CALL, f"'{node.name}' wants a name here", first.start, first.end, written)
    if first.names[0] in names:
        return Fault(WRONG_CALL, f"'{first.names[0]}' is a name already", first.start, first.end, "take another, such as one letter")
    if taken >= MOST_VARIABLES:
        hint = "make a part of it a computed field"
        return Fault(TOO_LARGE, f"more than {MOST_VARIABLES} collections inside one another", node.start, node.end, hint)
    return first.names[0]


def loose(nodes: list[Typed]) -> list[Fault]:
    """Collections of which nothing is asked."""
    hint = "ask it: count(x), x.exists(l, …), sum(x.amount)"
    return [
        Fault(TYPE_MISMATCH, f"'{node.path}' is a collection, not a value", node.start, node.end, hint)
        for node in nodes
        if isinstance(node, Collected)
    ]


def linked(node: Typed) -> list[Gather]:
    """What an expression asks of records that link to the record: the database answers, wherever the rest is evaluated."""
    found: list[Gather] = []
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Gather) and not here.held:
            found.append(here)
        waiting.extend(here.parts)
    return found


def reads(nodes: list[Typed]) -> tuple[frozenset[str], frozenset[str]]:
    """The paths that are read of the record itself, and those of records in its collections (`lines`, `lines.amount`)."""
    gathers = [node for node in nodes if isinstance(node, Gather)]
    places = {node.member: node.path for node in gathers}
    columns = [node for node in nodes if isinstance(node, Column)]
    own = frozenset(node.name for node in columns if not node.member)
    inside = {f"{places[node.member]}.{node.name}" for node in columns if node.member}
    return own, frozenset(inside | set(places.values()))
