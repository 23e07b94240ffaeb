"""Typed tree to SQLAlchemy: a clause, and what to bind for it when it runs.

Every part that reads no column is evaluated in Python once per operation and bound. Values are bound
in the database's own form, so the compiled text runs on a driver's connection as it is.

Where only `true` matters (a WHERE, through && and || and the branches of a condition) `==` with a
value that is not null is a plain `=`, because PostgreSQL's indexes do not serve IS NOT DISTINCT FROM.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import BindParameter, ColumnClause, Grouping, Null
from sqlalchemy.types import NullType, TypeEngine

from xrm.expr.checked import Checked
from xrm.expr.faults import ExpressionError
from xrm.expr.gathered import Gather
from xrm.expr.places import BOUNDS, micro, shape
from xrm.expr.python import Closure
from xrm.expr.runtime import bound_number, bound_numbers, bound_part, bound_ref_offsets, bound_refs, bound_value
from xrm.expr.sql.covering import covered
from xrm.expr.storage import Dialect, Rounding, to_database, units_of
from xrm.expr.typed import (
    ActorValue,
    Apply,
    Arithmetic,
    Choice,
    Column,
    Constant,
    Equality,
    Items,
    Logical,
    Membership,
    Negate,
    Not,
    Order,
    Place,
    Typed,
)
from xrm.expr.types import BOOL, INT, NUMBERS, TEXT, Type, scale_of
from xrm.expr.values import SCALED_LIMIT, STORED_LIMIT

__all__ = ["SqlExpression", "to_database", "to_sql"]

Element = sa.ColumnElement[Any]
ColumnOf = Callable[[str], Element]


class Members(Protocol):
    """The records of one collection, in a query of their own; `source` and `where` are read after the columns."""

    def column(self, path: str) -> Element: ...

    @property
    def source(self) -> sa.FromClause: ...

    @property
    def where(self) -> list[sa.ColumnElement[bool]]: ...


MembersOf = Callable[[str], Members]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ROUNDING: dict[str, Rounding] = {"<": "ceiling", "<=": "floor", ">": "floor", ">=": "ceiling", "==": "exact", "!=": "exact"}
_CHAIN = 50
"""Operands of && or || in one run; longer chains are bracketed, as SQLite bounds the depth of a tree."""


@dataclass(frozen=True)
class SqlExpression:
    """A clause, and its run-time binds: the parameter's name and the function that gives its value.

    The functions take a record (not read: pass {}) and the Moment, and give the value in the database's form.
    """

    clause: Element
    run_time: tuple[tuple[str, Closure], ...]


def to_sql(
    checked: Checked, column: ColumnOf, dialect: Dialect, positive: bool = True, prefix: str = "xrm_", members: MembersOf | None = None
) -> SqlExpression:
    """The clause of a checked expression.

    `column` gives the column of a path, `members` the records of a collection.
    `positive` says that only `true` matters, as in a WHERE; then
    false and unknown may change places. `prefix` begins the names of the binds (`xrm_k0`, …) and must
    differ between expressions of one statement. A decimal comes as units of its last decimal.

    Raises ExpressionError when the database cannot evaluate the expression (`checked.sql_faults`).
    """
    if checked.sql_faults:
        raise ExpressionError(checked.sql_faults)
    writer = _Writer(checked, column, dialect, prefix, members)
    clause = writer.write(checked.node, positive=positive and checked.type == BOOL)
    if checked.type == INT and checked.node.bound >= STORED_LIMIT:
        limit = writer.value(STORED_LIMIT, INT)
        clause = sa.case((_infix(sa.func.abs(clause, type_=sa.BigInteger()), "<", limit), clause))
    return SqlExpression(clause, tuple(writer.run_time.values()))


def _grouped(element: Element) -> Element:
    """Brackets around all but the simplest, so that no precedence is relied on."""
    plain = isinstance(element, ColumnClause | BindParameter | Grouping | Null | sa.Column | sa.Cast | sa.Case | sa.sql.functions.Function)
    return element if plain else Grouping(element)


def _infix(left: Element, operator: str, right: Element, type_: TypeEngine[Any] | None = None) -> Element:
    made: Element = _grouped(left).op(operator, return_type=type_ or sa.Boolean())(_grouped(right))
    return made


class _Writer:
    """Writes one expression for one database."""

    def __init__(self, checked: Checked, column: ColumnOf, dialect: Dialect, prefix: str, members: MembersOf | None) -> None:
        self._text = checked.text
        self._root = checked.node
        self._column_of = column
        self._dialect = dialect
        self._prefix = prefix
        self._members_of = members
        self._members: dict[str, Members] = {}
        self.run_time: dict[object, tuple[str, Closure]] = {}

    @property
    def _sqlite(self) -> bool:
        return self._dialect == "sqlite"

    # Values

    def _sql_type(self, type_: Type) -> TypeEngine[Any]:
        if type_.name == "list":
            return sa.Text() if self._sqlite else postgresql.ARRAY(self._sql_type(type_.item or type_))
        if type_.name in ("int", "decimal", "duration", "days", "business days", "business hours"):
            return sa.BigInteger()
        if type_.name == "bool":
            return sa.Boolean()
        if self._sqlite:
            return sa.LargeBinary() if type_.name == "ref" else sa.Text()
        native: dict[str, TypeEngine[Any]] = {"date": sa.Date(), "datetime": sa.DateTime(timezone=True), "ref": sa.Uuid()}
        return native.get(type_.name, sa.Text())

    def _typed(self, bind: Element, type_: Type) -> Element:
        """PostgreSQL is told the type of each bind; SQLite sees it in the value."""
        return bind if self._sqlite else sa.cast(bind, self._sql_type(type_))

    def value(self, value: object, type_: Type) -> Element:
        """A value known now, as a bind that carries it."""
        if value is None:
            return sa.null() if self._sqlite else sa.cast(sa.null(), self._sql_type(type_))
        if isinstance(value, bool):
            return sa.true() if value else sa.false()
        stored = to_database(value, type_, self._dialect)
        return self._typed(sa.bindparam(None, stored, type_=NullType(), unique=True), type_)

    def _bind(self, node: Typed, use: str, type_: Type, make: Callable[[], Closure]) -> Element:
        """The run-time bind of a part without columns; equal parts that are used alike share one."""
        key = (type(node), self._text[node.start : node.end] or id(node), use)
        if key not in self.run_time:
            self.run_time[key] = (f"{self._prefix}k{len(self.run_time)}", make())
        name = self.run_time[key][0]
        return self._typed(sa.bindparam(name, required=True, type_=NullType()), type_)

    def _fixed(self, node: Typed) -> Element:
        if isinstance(node, Constant):
            return self.value(node.value, node.type)
        return self._bind(node, "value", node.type, lambda: bound_value(node, node.type, self._dialect, node is self._root))

    def _fixed_number(self, node: Typed, scale: int, rounding: Rounding) -> Element:
        """A number without columns in units of `scale` decimals."""
        if isinstance(node, Constant):
            units = None if node.value is None else units_of(node.value, scale, rounding)  # type: ignore[arg-type]
            return self.value(units, INT)
        return self._bind(node, f"{rounding}{scale}", INT, lambda: bound_number(node, scale, rounding))

    def _at_scale(self, node: Typed, scale: int) -> Element:
        """A number in units of `scale` decimals, which are at least its own."""
        if node.fixed:
            return self._fixed_number(node, scale, "exact")
        written = self.write(node)
        factor = 10 ** (scale - (scale_of(node.type) or 0))
        return written if factor == 1 else _infix(written, "*", self.value(factor, INT), sa.BigInteger())

    # Nodes

    def write(self, node: Typed, positive: bool = False) -> Element:
        """The clause of a node; `positive`: false and unknown may change places."""
        if node.fixed:
            return self._fixed(node)
        match node:
            case Column():
                return self._column(node, node.part)
            case Logical():
                return self._logical(node, positive)
            case Not():
                return sa.not_(_grouped(self.write(node.operand)))
            case Choice():
                return self._choice(node, positive)
            case Equality():
                return self._equality(node, positive)
            case Order():
                return self._order(node)
            case Membership():
                return self._membership(node, positive)
            case Arithmetic() | Negate():
                return self._arithmetic(node)
            case Apply():
                return self._apply(node)
            case _:
                return self._rarer(node)

    def _column(self, node: Column, part: str = "") -> Element:
        """The column of a field, or one that is kept beside it: `area_shape`."""
        name = f"{node.name}_{part}" if part else node.name
        return self._members[node.member].column(name) if node.member else self._column_of(name)

    def _rarer(self, node: Typed) -> Element:
        match node:
            case Place():
                return self._place(node)
            case Gather():
                return self._gather(node)
            case _:
                raise AssertionError(f"{type(node).__name__} has no clause")

    def _logical(self, node: Logical, positive: bool) -> Element:
        join = sa.and_ if node.operator == "&&" else sa.or_
        clauses = [_grouped(self.write(operand, positive)) for operand in node.operands]
        while len(clauses) > _CHAIN:
            clauses = [Grouping(join(*clauses[place : place + _CHAIN])) for place in range(0, len(clauses), _CHAIN)]
        return join(*clauses)

    def _choice(self, node: Choice, positive: bool) -> Element:
        """A chain of conditions is one CASE; in SQL too an unknown test is passed over."""
        whens: list[tuple[Element, Element]] = []
        rest: Typed = node
        while isinstance(rest, Choice) and not rest.fixed:
            whens.append((_grouped(self.write(rest.test, positive=True)), self._part(rest.then, node.type, positive)))
            rest = rest.other
        return sa.case(*whens, else_=self._part(rest, node.type, positive))

    def _part(self, node: Typed, type_: Type, positive: bool = False) -> Element:
        """A part that becomes a value of `type_`."""
        if type_.name in NUMBERS:
            return self._at_scale(node, scale_of(type_) or 0)
        if isinstance(node, Constant):
            return self.value(node.value, type_)
        return self.write(node, positive)

    def _operands(self, node: Equality | Order) -> tuple[Element, str, Element]:
        """Both sides in one unit; a side without columns is on the right."""
        left, operator, right = node.left, node.operator, node.right
        if left.fixed:
            left, operator, right = right, _MIRRORED[operator], left
        if left.type.name not in NUMBERS or right.type.name not in NUMBERS:
            return self.write(left), operator, self.write(right)
        scales = [scale_of(side.type) or 0 for side in (left, right)]
        if right.fixed:
            return self.write(left), operator, self._fixed_number(right, scales[0], _ROUNDING[operator])
        return self._at_scale(left, max(scales)), operator, self._at_scale(right, max(scales))

    def _equality(self, node: Equality, positive: bool) -> Element:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Constant) and one.value is None:
                return _infix(self.write(other), "IS" if node.operator == "==" else "IS NOT", sa.null())
        left, operator, right = self._operands(node)
        if operator == "!=":
            return _infix(left, "IS NOT" if self._sqlite else "IS DISTINCT FROM", right)
        fixed = node.left if node.left.fixed else node.right
        if positive and _never_null(fixed):
            return _infix(left, "=", right)
        if self._sqlite:
            return _infix(left, "IS", right)
        if positive and fixed.fixed and isinstance(left, ColumnClause):
            both_null = sa.and_(_infix(right, "IS", sa.null()), _infix(left, "IS", sa.null()))
            return sa.or_(_infix(left, "=", right), both_null)
        return _infix(left, "IS NOT DISTINCT FROM", right)

    def _order(self, node: Order) -> Element:
        left, operator, right = self._operands(node)
        if node.left.type.name == "text" and not self._sqlite:
            left, right = (side if isinstance(side, ColumnClause) else sa.collate(side, "C") for side in (left, right))
        return _infix(left, operator, right)

    # Lists

    def _membership(self, node: Membership, positive: bool) -> Element:
        right = node.right
        if isinstance(right, Items):
            found = self._in_items(node.left, right)
        elif right.fixed:
            found = self._in_bound(node.left, right)
        else:
            found = self._in_column(node.left, right)
        return found if positive else sa.func.coalesce(found, sa.false(), type_=sa.Boolean())

    def _in_items(self, left: Typed, items: Items) -> Element:
        if not items.items:
            return sa.false()
        if all(item.fixed for item in items.items):
            scale = scale_of(left.type)
            numeric = left.type.name in NUMBERS
            elements = [self._fixed_number(item, scale or 0, "exact") if numeric else self._fixed(item) for item in items.items]
            return self.write(left).in_(elements)
        pairs = (self._operands(Equality(item.start, item.end, BOOL, "==", left, item)) for item in items.items)
        return sa.or_(*(_infix(one, "=", other) for one, _, other in pairs))

    def _in_bound(self, left: Typed, right: Typed) -> Element:
        item = right.type.item or left.type
        written = _grouped(self.write(left))
        if self._sqlite:
            return written.in_(self._bound_rows(left, right, item))
        if item.name in NUMBERS:
            scale = scale_of(left.type) or 0
            wanted = Type("list", item=INT)
            array = self._bind(right, f"list{scale}", wanted, lambda: bound_numbers(right, scale, self._dialect))
        else:
            array = self._bind(right, "list", right.type, lambda: bound_value(right, right.type, self._dialect, whole=False))
        return _infix(written, "=", sa.func.any(array))

    def _bound_rows(self, left: Typed, right: Typed, item: Type) -> Any:
        """SQLite: the items of a bound list, as a subquery."""
        if item.name == "ref":
            offsets = self._bind(right, "offsets", right.type, lambda: bound_ref_offsets(right))
            packed = self._bind(right, "packed", right.type, lambda: bound_refs(right))
            rows = sa.func.json_each(offsets).table_valued("value", joins_implicitly=True).alias()
            return sa.select(sa.func.substr(packed, rows.c.value, sa.literal_column("16")))
        if item.name in NUMBERS:
            scale = scale_of(left.type) or 0
            bound = self._bind(right, f"list{scale}", right.type, lambda: bound_numbers(right, scale, "sqlite"))
        else:
            bound = self._bind(right, "list", right.type, lambda: bound_value(right, right.type, "sqlite", whole=False))
        return sa.select(sa.func.json_each(bound).table_valued("value", joins_implicitly=True).alias().c.value)

    def _in_column(self, left: Typed, right: Typed) -> Element:
        item = right.type.item or left.type
        column = self.write(right)
        numeric = item.name in NUMBERS
        written = self._fixed_number(left, scale_of(item) or 0, "exact") if numeric and left.fixed else self.write(left)
        if not self._sqlite:
            array = sa.cast(postgresql.array([written]), self._sql_type(right.type))
            return _infix(column, "@>", array)
        rows = sa.func.json_each(column).table_valued("value", joins_implicitly=True).alias()
        sought = sa.func.lower(sa.func.hex(written)) if item.name == "ref" else written
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(rows).where(_infix(rows.c.value, "=", sought))
        return sa.exists(found.correlate_except(rows))

    # Collections

    def _gather(self, node: Gather) -> Element:
        """A correlated subquery: total where Python is, and null where there is nothing to be least or greatest."""
        if self._members_of is None:
            raise AssertionError(f"no records of '{node.path}' can be asked here")
        members = self._members[node.member] = self._members_of(node.path)
        wanted = [] if node.where is None else [self.write(node.where, positive=True)]
        value = None if node.value is None else self.write(node.value, positive=node.operation == "exists")
        if value is not None and node.operation in ("exists", "all"):
            wanted.append(value if node.operation == "exists" else sa.not_(sa.func.coalesce(value, sa.false(), type_=sa.Boolean())))
        inside = sa.select(sa.literal_column("1") if node.operation in ("exists", "all") else self._gathered(node, value))
        source = members.source
        inside = inside.select_from(source).where(*members.where, *wanted).correlate_except(source)
        if node.operation == "exists":
            return inside.exists()
        return sa.not_(inside.exists()) if node.operation == "all" else Grouping(inside.scalar_subquery())

    def _gathered(self, node: Gather, value: Element | None) -> Element:
        if node.operation == "count" or value is None:
            return sa.func.count(type_=sa.BigInteger()) if value is None else sa.func.count(value, type_=sa.BigInteger())
        if node.operation == "sum":
            return self._summed(value, STORED_LIMIT if node.type == INT else SCALED_LIMIT)
        if node.type.name == "text" and not self._sqlite and not isinstance(value, ColumnClause):
            value = sa.collate(value, "C")
        made: Element = getattr(sa.func, node.operation)(value, type_=self._sql_type(node.type))
        return made

    def _summed(self, value: Element, most: int) -> Element:
        """The sum while a field could hold it. SQLite fails past 64 bits, so that it adds the upper and the lower part apart."""
        limit = self.value(most, INT)
        if not self._sqlite:
            total: Element = sa.func.coalesce(sa.func.sum(value), self.value(0, INT), type_=sa.Numeric())
            return sa.case((_infix(sa.func.abs(total), "<", limit), sa.cast(total, sa.BigInteger())))
        bits: Element = sa.literal_column("20")
        rest: Element = sa.literal_column("1048575")
        high = sa.func.coalesce(sa.func.sum(_infix(value, ">>", bits, sa.BigInteger())), sa.literal_column("0"), type_=sa.BigInteger())
        low = sa.func.coalesce(sa.func.sum(_infix(value, "&", rest, sa.BigInteger())), sa.literal_column("0"), type_=sa.BigInteger())
        total = _infix(_infix(high, "*", sa.literal_column("1048576"), sa.BigInteger()), "+", low, sa.BigInteger())
        fits = sa.and_(_infix(sa.func.abs(high), "<", sa.literal_column("8796093022208")), _infix(sa.func.abs(total), "<", limit))
        return sa.case((fits, total))

    # Arithmetic and functions

    def _arithmetic(self, node: Arithmetic | Negate) -> Element:
        if isinstance(node, Negate):
            return _infix(self.value(0, INT), "-", self.write(node.operand), sa.BigInteger())
        if node.type.name == "text":
            return _infix(self.write(node.left), "||", self.write(node.right), sa.Text())
        if node.operator in ("+", "-"):
            scale = scale_of(node.type) or 0
            return _infix(self._at_scale(node.left, scale), node.operator, self._at_scale(node.right, scale), sa.BigInteger())
        return _infix(self.write(node.left), node.operator, self.write(node.right), sa.BigInteger())

    def _place(self, node: Place) -> Element:
        options = enumerate(node.options)
        places = {self.value(option, node.operand.type): self.value(place, INT) for place, option in options}
        return sa.case(places, value=_grouped(self.write(node.operand)))

    def _apply(self, node: Apply) -> Element:
        arguments = node.arguments
        match node.function.name:
            case "coalesce":
                return sa.func.coalesce(*(self._part(argument, node.type) for argument in arguments), type_=self._sql_type(node.type))
            case "has":
                return _infix(self.write(arguments[0]), "IS NOT", sa.null())
            case "abs":
                return sa.func.abs(self.write(arguments[0]), type_=sa.BigInteger())
            case "int":
                return self._truncated(arguments[0])
            case "size":
                return self._size(arguments[0])
            case "count":
                return sa.func.coalesce(self._size(arguments[0]), sa.literal_column("0"), type_=sa.BigInteger())
            case "bytes":
                return self._bytes(arguments[0])
            case "year" | "month" | "day":
                return self._date_part(node.function.name, self.write(arguments[0]))
            case "covers":
                return self._covers(*arguments)
            case _:
                return self._text_test(node.function.name, self.write(arguments[0]), self.write(arguments[1]))

    def _truncated(self, number: Typed) -> Element:
        scale = scale_of(number.type) or 0
        written = self.write(number)
        return written if scale == 0 else _infix(written, "/", self.value(10**scale, INT), sa.BigInteger())

    def _size(self, sized: Typed) -> Element:
        written = self.write(sized)
        if sized.type.name == "text":
            return sa.func.length(written, type_=sa.BigInteger())
        if sized.type.name == "files" and not self._sqlite:
            return sa.cast(sa.func.jsonb_array_length(sa.cast(written, postgresql.JSONB)), sa.BigInteger())
        name = "json_array_length" if self._sqlite else "cardinality"
        counted: Element = getattr(sa.func, name)(written, type_=sa.BigInteger())
        return counted

    def _bytes(self, files: Typed) -> Element:
        """The sum of what the files of a field say their size is."""
        written = self.write(files)
        if self._sqlite:
            rows = sa.func.json_each(written).table_valued("value", joins_implicitly=True).alias()
            one: Element = sa.func.json_extract(rows.c.value, sa.literal_column("'$.size'"))
        else:
            rows = sa.func.jsonb_array_elements(sa.cast(written, postgresql.JSONB)).table_valued("value", joins_implicitly=True).alias()
            one = sa.cast(sa.func.jsonb_extract_path_text(rows.c.value, sa.literal_column("'size'")), sa.BigInteger())
        summed = sa.select(sa.cast(sa.func.sum(one), sa.BigInteger())).select_from(rows).correlate_except(rows).scalar_subquery()
        return sa.func.coalesce(summed, sa.literal_column("0"), type_=sa.BigInteger())

    def _covers(self, area: Typed, place: Typed) -> Element:
        """Exact, in whole numbers: of an area its edges and its box, of a place the nearest millionths."""
        if isinstance(area, Column):
            kept = [self._column(area, part) for part in ("shape", *(bound.side for bound in BOUNDS))]
        else:
            sides = [self._bind(area, bound.side, INT, partial(bound_part, area, bound)) for bound in BOUNDS]
            kept = [self._bind(area, "shape", TEXT, lambda: bound_part(area, shape)), *sides]
        if isinstance(place, Column):
            y, x = (self._micro(self._column(place, part)) for part in ("lat", "lon"))
        else:
            y = self._bind(place, "y", INT, lambda: bound_part(place, lambda point: micro(point.lat)))
            x = self._bind(place, "x", INT, lambda: bound_part(place, lambda point: micro(point.lon)))
        return covered(kept, x, y, self._dialect)

    def _micro(self, degrees: Element) -> Element:
        """As `places.micro`: the double times a million and a half more, rounded down."""
        near = _infix(_infix(degrees, "*", _double("1000000"), sa.Double()), "+", _double("0.5"), sa.Double())
        if not self._sqlite:
            return sa.cast(sa.func.floor(near), sa.BigInteger())
        whole = sa.cast(near, sa.BigInteger())
        return _infix(whole, "-", Grouping(_infix(whole, ">", near)), sa.BigInteger())

    def _date_part(self, part: str, date: Element) -> Element:
        if not self._sqlite:
            return sa.cast(sa.extract(part, date), sa.BigInteger())
        start, length = {"year": ("1", "4"), "month": ("6", "2"), "day": ("9", "2")}[part]
        return sa.cast(sa.func.substr(date, sa.literal_column(start), sa.literal_column(length)), sa.BigInteger())

    def _text_test(self, name: str, text: Element, part: Element) -> Element:
        """Never LIKE: its case and its wildcards differ between databases."""
        if name == "contains":
            place = sa.func.instr(text, part) if self._sqlite else sa.func.strpos(text, part)
            return _infix(place, ">", sa.literal_column("0"))
        length = sa.func.length(part)
        if name == "startsWith" and not self._sqlite:
            return sa.func.starts_with(text, part, type_=sa.Boolean())
        if name == "startsWith":
            return _infix(sa.func.substr(text, sa.literal_column("1"), length), "=", part)
        end = sa.func.substr(text, -length) if self._sqlite else sa.func.right(text, length)
        return _infix(end, "=", part)


def _double(number: str) -> Element:
    return sa.cast(sa.literal_column(number), sa.Double())


def _never_null(node: Typed) -> bool:
    """Whether a part without columns surely has a value: nobody is never an actor."""
    if isinstance(node, Constant):
        return node.value is not None
    if isinstance(node, ActorValue):
        return node.key == "id"
    return isinstance(node, Apply) and node.function.standard and node.function.name in ("now", "today")
