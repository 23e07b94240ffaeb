"""Can a condition ever hold? What its types, options and bounds say about it, without a record.

Only what is certain is said: parts that this does not understand are taken to hold. A conjunction is looked at by what it asks of each
path, as an interval or a set of texts; a disjunction holds if one side can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from xrm.expr.typed import Column, Constant, Equality, Items, Logical, Membership, Not, Order, Pair, Typed

Ordered = int | Decimal | date | datetime
Bounds = Callable[[str], tuple[Any, Any]]
"""The least and the greatest value of a path, None where there is no bound."""

MOST_CASES = 64
"""More cases of a disjunction than this are not looked at."""

MIRRORED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
OPPOSITE: Mapping[str, str] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def never(condition: Typed, bounds: Bounds, known: Mapping[str, object]) -> tuple[str, ...]:
    """The paths on which a condition contradicts itself, the bounds or what is known of a path; empty if it may hold. ``("",)`` where it
    is plainly false."""
    cases = list(_cases(condition, holds=True))
    if len(cases) > MOST_CASES:
        return ()
    failures = [_contradiction(case, bounds, known) for case in cases]
    return failures[0] if failures and all(failures) else ()


@dataclass(slots=True)
class _Asked:
    """What a conjunction asks of one path."""

    low: Any = None
    high: Any = None
    open_low: bool = False
    open_high: bool = False
    among: frozenset[object] | None = None
    apart: set[object] = field(default_factory=set)
    null: bool | None = None
    torn: bool = False

    @property
    def impossible(self) -> bool:
        if self.torn or (self.among is not None and not {one for one in self.among if one not in self.apart and self.within(one)}):
            return True
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high or (self.low == self.high and (self.open_low or self.open_high)))

    def within(self, value: Any) -> bool:
        low = self.low is None or (value > self.low if self.open_low else value >= self.low)
        high = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return bool(low and high)

    def above(self, value: Any, *, open_: bool) -> None:
        if self.low is None or value > self.low or (value == self.low and open_):
            self.low, self.open_low = value, open_

    def below(self, value: Any, *, open_: bool) -> None:
        if self.high is None or value < self.high or (value == self.high and open_):
            self.high, self.open_high = value, open_

    def one_of(self, values: Iterable[object]) -> None:
        found = frozenset(values)
        self.among = found if self.among is None else self.among & found
        self.is_null(value=False)

    def is_null(self, *, value: bool) -> None:
        self.torn |= self.null is (not value)
        self.null = value


Case = list[tuple[Typed, bool]]
"""Parts that must all hold, or not hold where False."""


def _cases(node: Typed, *, holds: bool) -> Iterator[Case]:
    """The disjunctive form: a condition holds in one of these cases."""
    if isinstance(node, Not):
        yield from _cases(node.operand, holds=not holds)
    elif isinstance(node, Logical):
        together = (node.operator == "&&") is holds
        inner = [list(_cases(operand, holds=holds)) for operand in node.operands]
        if not together:
            for cases in inner:
                yield from cases
            return
        made: list[Case] = [[]]
        for cases in inner:
            made = [[*one, *other] for one in made for other in cases]
            if len(made) > MOST_CASES:
                yield from ([] for _ in range(MOST_CASES + 1))
                return
        yield from made
    else:
        yield [(node, holds)]


def _contradiction(case: Case, bounds: Bounds, known: Mapping[str, object]) -> tuple[str, ...]:
    asked = {path: _Asked(among=frozenset({value})) for path, value in known.items()}
    for node, holds in case:
        if isinstance(node, Constant):
            if node.value is not None and bool(node.value) is not holds:
                return ("",)
            continue
        if isinstance(node, Pair):
            _ask(node, asked, bounds, holds=holds)
        elif isinstance(node, Column):
            _equal(_of(asked, bounds, node), holds, equal=True)
    return tuple(path for path, found in asked.items() if found.impossible)


def _ask(node: Pair, asked: dict[str, _Asked], bounds: Bounds, *, holds: bool) -> None:
    column, value, mirrored = _sides(node)
    if column is None or value is None:
        return
    if isinstance(node, Membership):
        if isinstance(value, Items) and not mirrored and holds and all(isinstance(item, Constant) for item in value.items):
            _of(asked, bounds, column).one_of(item.value for item in value.items if isinstance(item, Constant))
        return
    if not isinstance(value, Constant):
        return
    if isinstance(node, Equality):
        _equal(_of(asked, bounds, column), value.value, equal=(node.operator == "==") is holds)
    elif isinstance(node, Order) and value.value is not None and isinstance(value.value, Ordered):
        operator = node.operator if holds else OPPOSITE[node.operator]
        operator = MIRRORED[operator] if mirrored else operator
        own = _of(asked, bounds, column)
        own.is_null(value=False)
        (own.above if operator[0] == ">" else own.below)(value.value, open_=operator in "<>")


def _equal(own: _Asked, value: object, *, equal: bool) -> None:
    if value is None:
        own.is_null(value=equal)
    elif equal:
        own.one_of([value])
    else:
        own.apart.add(value)


def _of(asked: dict[str, _Asked], bounds: Bounds, column: Column) -> _Asked:
    found = asked.get(column.name)
    if found is None:
        low, high = bounds(column.name)
        found = asked[column.name] = _Asked(low, high)
    return found


def _sides(node: Pair) -> tuple[Column | None, Typed | None, bool]:
    """The column, what it is compared with, and whether they stand the other way round."""
    if isinstance(node.left, Column):
        return node.left, node.right, False
    if isinstance(node.right, Column):
        return node.right, node.left, True
    return None, None, False
