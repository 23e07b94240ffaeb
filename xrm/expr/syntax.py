"""The tree that `parse` gives: what was written, without types.

Every node has `start` and `end`, 0-based code-point offsets in the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Node:
    """A part of an expression."""

    start: int
    end: int

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes directly inside."""
        return ()


@dataclass(frozen=True)
class Literal(Node):
    """A number, a text (NFC; may be empty), true, false or null."""

    value: int | Decimal | str | bool | None


@dataclass(frozen=True)
class Path(Node):
    """`a.b.c`; `places` holds where each name starts."""

    names: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Unary(Node):
    """`!x` or `-x`."""

    operator: str
    operand: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Binary(Node):
    """Arithmetic, a comparison or `in`."""

    operator: str
    left: Node
    right: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class Logical(Node):
    """`a && b && c` or `a || b || c`: one node however long the chain."""

    operator: str
    operands: tuple[Node, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.operands


@dataclass(frozen=True)
class Conditional(Node):
    """`test ? then : other`."""

    test: Node
    then: Node
    other: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.test, self.then, self.other)


@dataclass(frozen=True)
class Call(Node):
    """`name(arguments)`, or `target.name(arguments)`; `place` is where the name starts."""

    name: str
    place: int
    target: Node | None
    arguments: tuple[Node, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.arguments if self.target is None else (self.target, *self.arguments)


@dataclass(frozen=True)
class Member(Node):
    """`lines.filter(…).amount`: a path from each record of what stands before; `places` as in a Path."""

    target: Node
    names: tuple[str, ...]
    places: tuple[int, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.target,)


@dataclass(frozen=True)
class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.items


@dataclass(frozen=True)
class Root(Node):
    """A whole expression and its text."""

    text: str
    body: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.body,)


def height(node: Node) -> int:
    """Nodes on the longest way down; does not recurse, so any tree is safe."""
    tallest, waiting = 0, [(node, 1)]
    while waiting:
        current, depth = waiting.pop()
        tallest = max(tallest, depth)
        waiting.extend((part, depth + 1) for part in current.parts)
    return tallest
