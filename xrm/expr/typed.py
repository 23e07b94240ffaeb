"""The tree that `check` gives: every node has its type, every path is one name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from xrm.expr.types import INT, Type, decimal, scale_of, unify
from xrm.expr.values import INT64_LIMIT, SCALED_LIMIT, STORED_LIMIT

if TYPE_CHECKING:
    from xrm.expr.functions import Function

UNBOUNDED = INT64_LIMIT * INT64_LIMIT
"""The bound of a number of which nothing is known."""


def _units(type_: Type) -> int:
    """How many units of its last decimal a number has in one."""
    units: int = 10 ** (scale_of(type_) or 0)
    return units


@dataclass(frozen=True)
class Moment:
    """What an operation knows besides the record, fixed once per operation.

    `now` is aware and in UTC; `today` is the date in the application's zone `tz`; `actor` maps `id`,
    `name`, `roles` … to the values of who acts.
    """

    now: datetime
    today: date
    actor: Mapping[str, object]
    tz: tzinfo = UTC


@dataclass(frozen=True)
class Typed:
    """A checked part of an expression; `start` and `end` are code-point offsets."""

    start: int
    end: int
    type: Type

    @property
    def parts(self) -> tuple[Typed, ...]:
        """The nodes directly inside."""
        return ()

    @cached_property
    def fixed(self) -> bool:
        """Whether no column is read: the value is the same for every record of one operation."""
        return all(part.fixed for part in self.parts)

    @cached_property
    def bound(self) -> int:
        """The largest magnitude of a number, in units of its last decimal; 0 for what is no number."""
        if self.type.name not in ("int", "decimal"):
            return 0
        if self.type.name == "decimal" and self.type.scale is None:
            return UNBOUNDED
        return self._bound()

    def _bound(self) -> int:
        return (STORED_LIMIT if self.type == INT else SCALED_LIMIT) - 1


@dataclass(frozen=True)
class Constant(Typed):
    """A value known when the expression is checked; None is null."""

    value: object

    def _bound(self) -> int:
        if self.value is None:
            return 0
        assert isinstance(self.value, int | Decimal), self
        return abs(int(self.value * _units(self.type)))


@dataclass(frozen=True)
class Column(Typed):
    """A field of the record, or of a record that it links to: `category.code`.

    `member` is empty, or names the collection (`Gather.member`) whose records have the field. `part` is the
    part of the field that is meant, where it is an address: it is the field that is read.
    """

    name: str
    member: str = ""
    part: str = ""

    @cached_property
    def fixed(self) -> bool:
        return False


@dataclass(frozen=True)
class ActorValue(Typed):
    """A fact about who acts; `key` is `id` for bare `actor`."""

    key: str


@dataclass(frozen=True)
class Not(Typed):
    """`!x`."""

    operand: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Negate(Typed):
    """`-x`."""

    operand: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        return (self.operand,)

    def _bound(self) -> int:
        return self.operand.bound


@dataclass(frozen=True)
class Pair(Typed):
    """Two operands and what stands between them."""

    operator: str
    left: Typed
    right: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class Arithmetic(Pair):
    """`+ - * / %`, text concatenation and moving dates."""

    def _bound(self) -> int:
        if self.operator == "*":
            return self.left.bound * self.right.bound
        if self.operator in ("/", "%"):
            return self.left.bound if self.type == INT else UNBOUNDED
        scale = self.type.scale or 0
        return rescaled_bound(self.left, scale) + rescaled_bound(self.right, scale)


@dataclass(frozen=True)
class Equality(Pair):
    """`==` and `!=`: total."""


@dataclass(frozen=True)
class Order(Pair):
    """`< <= > >=`: unknown with null."""


@dataclass(frozen=True)
class Membership(Pair):
    """`left in right`: total."""


@dataclass(frozen=True)
class Logical(Typed):
    """`&&` or `||` over two operands or more: three-valued."""

    operator: str
    operands: tuple[Typed, ...]

    @property
    def parts(self) -> tuple[Typed, ...]:
        return self.operands


@dataclass(frozen=True)
class Choice(Typed):
    """`test ? then : other`; an unknown test takes `other`."""

    test: Typed
    then: Typed
    other: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        return (self.test, self.then, self.other)

    def _bound(self) -> int:
        scale = scale_of(self.type) or 0
        return max(rescaled_bound(self.then, scale), rescaled_bound(self.other, scale))


@dataclass(frozen=True)
class Items(Typed):
    """A list literal."""

    items: tuple[Typed, ...]

    @property
    def parts(self) -> tuple[Typed, ...]:
        return self.items


@dataclass(frozen=True)
class Place(Typed):
    """The place of a text among ordered options, counted from 0; null for null and for what is no option."""

    operand: Typed
    options: tuple[str, ...]

    @property
    def parts(self) -> tuple[Typed, ...]:
        return (self.operand,)

    def _bound(self) -> int:
        return len(self.options)


@dataclass(frozen=True)
class Apply(Typed):
    """A function and its arguments, the target of a method first."""

    function: Function
    arguments: tuple[Typed, ...]

    @property
    def parts(self) -> tuple[Typed, ...]:
        return self.arguments

    def _bound(self) -> int:
        if self.function.name in ("coalesce", "min", "max", "abs"):
            return max(rescaled_bound(argument, scale_of(self.type) or 0) for argument in self.arguments)
        if self.function.name == "int":
            return min(self.arguments[0].bound // _units(self.arguments[0].type) + 1, INT64_LIMIT)
        return STORED_LIMIT - 1 if self.type == INT else UNBOUNDED


def rescaled_bound(node: Typed, scale: int) -> int:
    """The bound of a number when it is counted in units of `scale` decimals, at least its own scale."""
    missing = max(0, scale - (scale_of(node.type) or 0))
    return node.bound * _units(decimal(missing))


def common_type(left: Typed, right: Typed) -> Type | None:
    """The type of what is one or the other; a literal that is one of the options keeps it a choice."""
    for one, other in ((left, right), (right, left)):
        if one.type.options and isinstance(other, Constant) and other.value in one.type.options:
            return one.type
    return unify(left.type, right.type)


def walked(node: Typed) -> Iterator[Typed]:
    """A node and every node in it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.parts)
