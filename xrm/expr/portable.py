"""What a database may evaluate: found when the expression is checked, never when a query runs.

A part that reads no column is evaluated in Python once per operation and bound, so anything may
stand there. What reads a column must give the same value in SQLite, PostgreSQL and Python.
"""

from __future__ import annotations

from xrm.expr.faults import NOT_IN_DATABASE, Fault
from xrm.expr.gathered import Gather
from xrm.expr.storage import BEYOND
from xrm.expr.typed import (
    Apply,
    Arithmetic,
    Choice,
    Column,
    Constant,
    Equality,
    Items,
    Membership,
    Negate,
    Not,
    Order,
    Place,
    Typed,
    rescaled_bound,
)
from xrm.expr.types import NUMBERS, scale_of

MAX_COST = 20_000
"""Most parts of the SQL of one expression, counting each as often as it is written."""

MAX_NESTING = 60
"""Most entries that an expression takes on the stack of SQLite's parser, which has 100 (YYSTACKDEPTH; unbounded since 3.46)."""

_MOVE = 'move the arithmetic to the constant side: opened_at < now() - duration("5d")'
_FIELD = "make it a computed field and ask for that"


def database_faults(root: Typed) -> tuple[Fault, ...]:
    """Why the database cannot evaluate an expression; empty when it can."""
    inspection = _Inspection()
    if root.type.name == "list" and not root.fixed:
        inspection.refuse(root, "a list is no value of a query", "write x in list")
    if root.fixed and root.type.name == "decimal" and root.bound >= BEYOND:
        inspection.refuse(root, "the number could pass 64 bits in the database", "round(x, 2) it")
    if inspection.visit(root) > MAX_COST:
        inspection.refuse(root, "the query would be too large", "make a part of it a computed field")
    if nesting(root) > MAX_NESTING:
        inspection.refuse(root, "nested too deeply for the database", _FIELD)
    return tuple(sorted(inspection.faults, key=lambda fault: (fault.start, fault.end)))


class _Inspection:
    """`visit` gives the cost of a node's SQL and notes what is refused."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def refuse(self, node: Typed, message: str, hint: str) -> None:
        self.faults.append(Fault(NOT_IN_DATABASE, message, node.start, node.end, hint))

    def visit(self, node: Typed) -> int:
        if node.fixed:
            return 1
        self._inspect(node)
        costs = [self.visit(part) for part in node.parts]
        return 1 + sum(costs) * _written(node)

    def _inspect(self, node: Typed) -> None:
        match node:
            case Column():
                self._column(node)
            case Arithmetic():
                self._arithmetic(node)
            case Negate() if node.type.name not in NUMBERS:
                self.refuse(node, "the database does not compute with durations", _MOVE)
            case Apply():
                self._apply(node)
            case Equality() | Order():
                self._compared(node, node.left, node.right)
            case Membership():
                self._membership(node)
            case Choice():
                self._alike(node, node.then, node.other)
            case _:
                pass

    def _column(self, node: Column) -> None:
        item = node.type.item or node.type
        if item.name == "decimal" and item.scale is None:
            self.refuse(node, f"the decimals of '{node.name}' are not known", _FIELD)

    def _arithmetic(self, node: Arithmetic) -> None:
        if node.type.name not in NUMBERS and node.type.name != "text":
            self.refuse(node, "the database does not compute with dates of records", _MOVE)
        elif node.operator in ("/", "%"):
            self._division(node)
        elif node.bound >= BEYOND and not any(part.bound >= BEYOND and not part.fixed for part in node.parts):
            self.refuse(node, "the number could pass 64 bits in the database", _FIELD)

    def _division(self, node: Arithmetic) -> None:
        if node.type.name == "decimal":
            self.refuse(node, "the database does not divide decimals", _FIELD)
        elif not isinstance(node.right, Constant) or not node.right.value:
            self.refuse(node, "the database divides by a literal other than 0 only", _FIELD)

    def _apply(self, node: Apply) -> None:
        if not node.function.runs_in_sql(node.arguments):
            self.refuse(node, f"the database does not evaluate '{node.function.name}' on a field", _FIELD)
        elif node.function.name == "coalesce":
            self._alike(node, *node.arguments)
        elif node.function.name in ("size", "count", "bytes") and node.arguments[0].type.name in ("list", "files"):
            self._list(node.arguments[0])

    def _alike(self, node: Typed, *parts: Typed) -> None:
        """Parts that become one column: one scale, and no list."""
        if node.type.name == "list":
            self.refuse(node, "the database does not choose between lists", "write (a in b) || (a in c)")
        if node.type.name in ("point", "area"):
            self.refuse(node, "the database does not choose between places", _FIELD)
        self._rescaled(node, scale_of(node.type) or 0, *parts)

    def _compared(self, node: Typed, left: Typed, right: Typed) -> None:
        if left.fixed or right.fixed or left.type.name not in NUMBERS:
            return
        self._rescaled(node, max(scale_of(left.type) or 0, scale_of(right.type) or 0), left, right)

    def _rescaled(self, node: Typed, scale: int, *parts: Typed) -> None:
        wide = [part for part in parts if rescaled_bound(part, scale) >= BEYOND]
        if any(part.fixed or part.bound < BEYOND for part in wide):
            self.refuse(node, "the decimals differ too much for 64 bits in the database", _FIELD)

    def _membership(self, node: Membership) -> None:
        if isinstance(node.right, Items):
            for item in node.right.items:
                self._compared(item, node.left, item)
            return
        self._list(node.right)
        listed = node.right.type.item
        both_columns = not node.right.fixed and not node.left.fixed
        if both_columns and listed and listed.name in NUMBERS and scale_of(listed) != scale_of(node.left.type):
            self.refuse(node, "the decimals of the list are others", _FIELD)

    def _list(self, node: Typed) -> None:
        if not node.fixed and not isinstance(node, Column):
            self.refuse(node, "the database takes a list from a field or a literal only", _FIELD)


_BEFORE: dict[type[Typed], tuple[int, int]] = {
    Not: (2, 2),
    Negate: (3, 3),
    Apply: (5, 7),
    Place: (4, 4),
    Items: (0, 0),
    Gather: (22, 22),
}
"""What stands on the parser's stack before the first, and before a later operand: `(`, an operator, CASE … THEN."""


def _before(node: Typed) -> tuple[int, int]:
    if isinstance(node, Apply) and node.function.name in ("bytes", "covers"):
        return (18, 18) if node.function.name == "bytes" else (30, 30)
    if not isinstance(node, Membership):
        return _BEFORE.get(type(node), (1, 3))
    return (8, 9) if isinstance(node.right, Items) else (18, 18)


def nesting(node: Typed) -> int:
    """Entries on the parser's stack that the SQL of a node takes, at most."""
    if node.fixed:
        return 1
    if isinstance(node, Choice):
        chained = 0 if isinstance(node.other, Choice) else 5  # a chain of conditions is one CASE
        return max(5 + nesting(node.test), 5 + nesting(node.then), chained + nesting(node.other))
    first, later = _before(node)
    depths = [nesting(part) + (later if place else first) for place, part in enumerate(node.parts)]
    return max(depths, default=1)


def _written(node: Typed) -> int:
    """How often the SQL of a node writes each of its operands, at most."""
    if isinstance(node, Place):
        return 1 + len(node.options)
    if isinstance(node, Gather):
        return 5 if node.operation == "sum" else 1
    if isinstance(node, Apply) and node.function.name == "covers":
        return 30
    if isinstance(node, Apply) and node.function.name in ("startsWith", "endsWith"):
        return 2
    return 1
