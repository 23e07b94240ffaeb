"""Typed tree to a Python function: straight-line code, generated once, run on every record.

The generated text holds names that this module makes (`v1`, `k1`) and nothing else: every value and
every name of the expression is passed as a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from xrm.expr import values
from xrm.expr.checked import Checked
from xrm.expr.functions import Function
from xrm.expr.gathered import Gather
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
    Moment,
    Negate,
    Not,
    Order,
    Place,
    Typed,
)
from xrm.expr.types import BOOL, INT, SPANS, TEXT, Type
from xrm.expr.values import INT64_LIMIT, STORED_LIMIT

Closure = Callable[[Mapping[str, object], Moment], object]
"""Gives the value for a record (flat names to values) at a moment; None is null, unknown and error."""

_NUMBER_CALLS: dict[str, Callable[..., Any]] = {
    "int+": values.add_int, "int-": values.subtract_int, "int*": values.multiply_int,
    "int/": values.divide_int, "int%": values.remainder_int,
    "decimal+": values.add_decimal, "decimal-": values.subtract_decimal, "decimal*": values.multiply_decimal,
    "decimal/": values.divide_decimal, "decimal%": values.remainder_decimal,
}  # fmt: skip
_SPAN_CALLS: dict[str, Callable[..., Any]] = {
    "+": values.add_duration, "-": values.subtract_duration, "*": values.multiply_duration,
}  # fmt: skip
_STEPS = {
    "exists": "if {value} is True: {result} = True",
    "all": "if {value} is not True: {result} = False",
    "count": "if {value} is not None: {result} += 1",
    "sum": "if {value} is not None: {result} = {add}({result}, {value})",
    "min": "if {value} is not None and ({result} is None or {value} < {result}): {result} = {value}",
    "max": "if {value} is not None and ({result} is None or {value} > {result}): {result} = {value}",
}
"""What each record does to the result of a question about a collection."""
_ERRORS = (ArithmeticError, ValueError, LookupError)


def to_python(checked: Checked) -> Closure:
    """The function that evaluates a checked expression; it never raises for a value of the right type."""
    return closure(checked.node)


def closure(node: Typed, whole: bool = True) -> Closure:
    """The function that evaluates a node; when it is a part and not the whole, an int may have 64 bits."""
    return _Writer().function(node, whole)


def member_closure(node: Typed, member: str) -> Closure:
    """The function that evaluates a part of a question for one record of its collection, given as the record."""
    writer = _Writer()
    writer.members(member)
    return writer.function(node, whole=True)


class _Writer:
    """Writes the lines of one function; `emit` gives the name, or the literal, that holds a node's value."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._constants: dict[str, object] = {}
        self._columns: list[dict[tuple[str, str], str]] = [{}]
        self._rows = {"": "row"}
        self._variables = 0
        self._rules: dict[type[Typed], Callable[[Any], str]] = {
            Constant: self._constant,
            Column: self._column,
            ActorValue: self._actor,
            Not: self._not,
            Negate: self._negate,
            Arithmetic: self._arithmetic,
            Equality: self._equality,
            Order: self._order,
            Membership: self._membership,
            Logical: self._logical,
            Choice: self._choice,
            Items: self._items,
            Place: self._place,
            Apply: self._apply,
            Gather: self._gather,
        }

    def function(self, node: Typed, whole: bool) -> Closure:
        result = self.emit(node)
        if whole:
            result = self._finished(node, result)
        body = "\n".join(["def expression(row, moment):", *self._lines, f" return {result}"])
        namespace = dict(self._constants)
        exec(compile(body, "<expression>", "exec"), namespace)  # noqa: S102  # the text is this module's own
        made: Closure = namespace["expression"]  # type: ignore[assignment]
        return made

    def members(self, member: str) -> None:
        """The record that the function gets is one of these."""
        self._rows[member] = "row"

    def emit(self, node: Typed) -> str:
        return self._rules[type(node)](node)

    def _finished(self, node: Typed, result: str) -> str:
        """The whole value: an int that can be stored, a Decimal for a decimal."""
        if node.type == INT and node.bound >= STORED_LIMIT:
            return f"{result} if {result} is not None and -{STORED_LIMIT} < {result} < {STORED_LIMIT} else None"
        if node.type.name == "decimal":
            decimal = self._keep(Decimal)
            return f"{result} if {result} is None or type({result}) is {decimal} else {decimal}({result})"
        return result

    @property
    def _depth(self) -> int:
        return len(self._columns)

    def _write(self, line: str) -> None:
        self._lines.append(" " * self._depth + line)

    def _assign(self, value: str) -> str:
        self._variables += 1
        name = f"v{self._variables}"
        self._write(f"{name} = {value}")
        return name

    def _keep(self, value: object) -> str:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def _enter(self, condition: str) -> None:
        self._write(f"if {condition}:")
        self._columns.append({})

    def _leave(self) -> None:
        self._columns.pop()

    def _column(self, node: Column) -> str:
        """Reads a column once for each stretch of code that surely ran."""
        key = (node.member, f"{node.name}.{node.part}" if node.part else node.name)
        for known in self._columns:
            if key in known:
                return known[key]
        name = self._assign(f"{self._rows[node.member]}.get({self._keep(node.name)})")
        if node.part:
            name = self._assign(f"None if {name} is None else {name}.get({self._keep(node.part)})")
        self._columns[-1][key] = name
        return name

    def _gather(self, node: Gather) -> str:
        """A loop over rows in hand; of records that link here the answer itself is in the row, or the row is not whole: a KeyError."""
        if not node.held:
            return self._assign(f"row[{self._keep(node.text)}]")
        member = self._rows[node.member] = f"m{len(self._rows)}"
        result = self._assign({"exists": "False", "all": "True", "count": "0", "sum": "0"}.get(node.operation, "None"))
        self._write(f"for {member} in row[{self._keep(node.path)}] or ():")
        self._columns.append({})
        if node.where is not None:
            self._write(f"if {self.emit(node.where)} is not True: continue")
        value = self.emit(node.value) if node.value is not None else "True"
        self._write(_STEPS[node.operation].format(result=result, value=value, add=self._keep(values.add_exactly)))
        self._leave()
        if node.operation == "sum":
            if node.type.name == "decimal" and node.type.scale is None:
                return self._assign(f"{self._keep(values.fit_decimal)}({result})")
            return self._assign(f"{self._keep(values.fit_sum)}({result}, {node.type.scale if node.type.name == 'decimal' else -1})")
        return result

    def _actor(self, node: ActorValue) -> str:
        return self._assign(f"moment.actor.get({self._keep(node.key)})")

    def _constant(self, node: Constant) -> str:
        if node.value is None or isinstance(node.value, bool):
            return str(node.value)
        return self._keep(node.value)

    def _unless_null(self, value: str, operands: list[tuple[Typed, str]]) -> str:
        """Assigns `value`, or None when an operand is None."""
        if any(isinstance(node, Constant) and node.value is None for node, _ in operands):
            return "None"
        nullable = dict.fromkeys(name for node, name in operands if not isinstance(node, Constant))
        test = " or ".join(f"{name} is None" for name in nullable)
        return self._assign(f"None if {test} else {value}" if test else value)

    def _not(self, node: Not) -> str:
        operand = self.emit(node.operand)
        return self._unless_null(f"not {operand}", [(node.operand, operand)])

    def _negate(self, node: Negate) -> str:
        operand = self.emit(node.operand)
        if node.type.name == "decimal":
            value = f"{self._keep(values.negate_decimal)}({operand})"
        elif node.bound >= INT64_LIMIT:
            value = f"{self._keep(values.negate_int)}({operand})"
        else:
            value = f"-{operand}"
        return self._unless_null(value, [(node.operand, operand)])

    def _arithmetic(self, node: Arithmetic) -> str:
        left, right = self.emit(node.left), self.emit(node.right)
        return self._unless_null(self._computed(node, left, right), [(node.left, left), (node.right, right)])

    def _computed(self, node: Arithmetic, left: str, right: str) -> str:
        kind = node.type.name
        if kind == "text" or (kind == "int" and node.operator in "+-*" and node.bound < INT64_LIMIT):
            return f"{left} {node.operator} {right}"
        if kind in ("int", "decimal"):
            return f"{self._keep(_NUMBER_CALLS[kind + node.operator])}({left}, {right})"
        return self._moved(node, left, right)

    def _moved(self, node: Arithmetic, left: str, right: str) -> str:
        """Dates and durations."""
        kinds = (node.left.type.name, node.right.type.name)
        if node.type.name in SPANS:
            if kinds[0] == kinds[1] and kinds[0] in ("date", "datetime"):
                return f"{left} - {right}"
            return f"{self._keep(_SPAN_CALLS[node.operator])}({left}, {right})"
        if kinds[0] in SPANS or kinds[0] == "months":
            left, right, kinds = right, left, (kinds[1], kinds[0])
        if kinds[1] == "months":
            count = right if node.operator == "+" else f"-{right}"
            if node.type.name == "date":
                return f"{self._keep(values.shift_months)}({left}, {count})"
            return f"{self._keep(values.shift_months_local)}({left}, {count}, moment.tz)"
        return f"{self._keep(values.shift if node.operator == '+' else values.shift_back)}({left}, {right})"

    def _equality(self, node: Equality) -> str:
        left, right = self.emit(node.left), self.emit(node.right)
        operator = node.operator
        if right == "None":
            operator = "is" if operator == "==" else "is not"
        return self._assign(f"{left} {operator} {right}")

    def _order(self, node: Order) -> str:
        left, right = self.emit(node.left), self.emit(node.right)
        return self._unless_null(f"{left} {node.operator} {right}", [(node.left, left), (node.right, right)])

    def _membership(self, node: Membership) -> str:
        left = self.emit(node.left)
        if isinstance(node.right, Items) and all(isinstance(item, Constant) for item in node.right.items):
            known = self._keep(frozenset(item.value for item in node.right.items if isinstance(item, Constant)))
            return self._assign(f"{left} is not None and {left} in {known}")
        right = self.emit(node.right)
        return self._assign(f"{left} is not None and {right} is not None and {left} in {right}")

    def _logical(self, node: Logical) -> str:
        """Kleene's logic: one operand may settle it; else an unknown one makes it unknown."""
        neutral, settled = ("True", "False") if node.operator == "&&" else ("False", "True")
        result = self._assign(self.emit(node.operands[0]))
        for operand in node.operands[1:]:
            self._enter(f"{result} is not {settled}")
            value = self.emit(operand)
            if value != neutral:
                self._write(f"if {value} is not {neutral}: {result} = {value}")
            else:
                self._write("pass")
            self._leave()
        return result

    def _choice(self, node: Choice) -> str:
        test = self.emit(node.test)
        result = self._assign("None")
        self._enter(f"{test} is True")
        self._write(f"{result} = {self.emit(node.then)}")
        self._leave()
        self._enter(f"{test} is not True")
        self._write(f"{result} = {self.emit(node.other)}")
        self._leave()
        return result

    def _items(self, node: Items) -> str:
        items = [self.emit(item) for item in node.items]
        return self._assign(f"({''.join(item + ', ' for item in items)})")

    def _place(self, node: Place) -> str:
        places = {option: place for place, option in enumerate(node.options)}
        return self._assign(f"{self._keep(places)}.get({self.emit(node.operand)})")

    def _apply(self, node: Apply) -> str:
        function = node.function
        if function.standard and function.name in ("now", "today"):
            return f"moment.{function.name}"
        arguments = [(argument, self.emit(argument)) for argument in node.arguments]
        names = [*(["moment"] if function.moment else []), *(name for _, name in arguments)]
        call = f"{self._keep(guarded(function, node.type))}({', '.join(names)})"
        return self._assign(call) if function.nulls else self._unless_null(call, arguments)


def guarded(function: Function, result: Type) -> Callable[..., Any]:
    """The function's `call`, where what it raises, or gives beyond the limits of its type, is None."""
    call = function.call
    if function.standard and result in (BOOL, TEXT) and isinstance(call, type(str.lower)):
        return call

    def safe(*arguments: Any) -> Any:
        try:
            return _fitted(call(*arguments))
        except _ERRORS:
            return None

    return safe


def _fitted(value: Any) -> Any:
    if isinstance(value, str):
        return value or None
    if isinstance(value, Decimal):
        return values.fit_decimal(value) if value.is_finite() else None
    if isinstance(value, int):
        return values.fit_int(value)
    return value
