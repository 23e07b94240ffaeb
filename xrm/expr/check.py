"""Tree to typed tree: every name, function and type is checked here, and every fault found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from xrm.expr import operators
from xrm.expr.calls import checked_call
from xrm.expr.checked import Checked
from xrm.expr.faults import NOT_AN_OPTION, TOO_LARGE, TYPE_MISMATCH, WRONG_CALL, WRONG_RESULT, ExpressionError, Fault, did_you_mean
from xrm.expr.functions import STANDARD, Function
from xrm.expr.gathered import AGGREGATES, MACROS, Collected, Gather, aggregate, asked, loose, narrowed, reads, variable
from xrm.expr.parse import parse
from xrm.expr.scope import Scope, unknown_name
from xrm.expr.syntax import Binary, Call, Conditional, ListLiteral, Literal, Logical, Member, Node, Path, Root, Unary
from xrm.expr.typed import (
    ActorValue,
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
    common_type,
    walked,
)
from xrm.expr.typed import Logical as TypedLogical
from xrm.expr.types import ANY, BOOL, INT, NULL, NUMBERS, SPANS, TEXT, Type, accepts, decimal, list_of, ref, unify


def compile_check(text: str, scope: Scope, expect: Type | None = None, functions: Mapping[str, Function] = STANDARD) -> Checked:
    """Parses and checks; raises ExpressionError."""
    return check(parse(text), scope, expect, functions)


def check(node: Node, scope: Scope, expect: Type | None = None, functions: Mapping[str, Function] = STANDARD) -> Checked:
    """The typed expression; raises ExpressionError with all faults.

    `expect` is the type that the place wants; an int is taken for a decimal, null for anything.
    """
    text, body = (node.text, node.body) if isinstance(node, Root) else ("", node)
    checker = _Checker(scope, functions, text)
    typed = checker.typed(body)
    nodes = list(walked(typed))
    if not checker.faults:
        checker.faults += loose(nodes)
    if expect is not None and not checker.faults:
        checker.expect(typed, expect)
        typed = replace(typed, type=expect) if typed.type == NULL else typed
    if checker.faults:
        raise ExpressionError(checker.faults)
    return _checked(text, typed, nodes)


def _checked(text: str, typed: Typed, nodes: list[Typed]) -> Checked:
    """``nodes``: all that the expression consists of."""
    own, gathered = reads(nodes)
    return Checked(
        text=text,
        node=typed,
        type=typed.type,
        paths=own,
        gathered=gathered,
        actor_keys=frozenset(node.key for node in nodes if isinstance(node, ActorValue)),
        reads_clock=any(isinstance(node, Apply) and _reads_clock(node.function) for node in nodes),
    )


def _reads_clock(function: Function) -> bool:
    """A standard function with the moment may only want its zone; of another nothing is known."""
    return function.name in ("now", "today") if function.standard else function.moment


class _Checker:
    """Walks the tree once; after a fault it goes on with the type `any`, which fits everywhere."""

    def __init__(self, scope: Scope, functions: Mapping[str, Function], text: str) -> None:
        self._scope = scope
        self._functions = functions
        self._text = text
        self._variables: dict[str, Collected] = {}
        self.faults: list[Fault] = []

    def typed(self, node: Node) -> Typed:
        return _RULES[type(node)](self, node)

    def expect(self, typed: Typed, expect: Type) -> None:
        if not accepts(expect, typed.type):
            hint = "a condition compares, as in a == b" if expect == BOOL else operators.result_hint(typed.type, expect)
            message = f"gives {typed.type}, but {expect} is wanted here"
            self.faults.append(Fault(WRONG_RESULT, message, typed.start, typed.end, hint))
        self._results(typed, expect)

    def _results(self, typed: Typed, expect: Type) -> None:
        """Literals that may be the result must be among the options that the place has."""
        if isinstance(typed, Choice):
            self._results(typed.then, expect)
            self._results(typed.other, expect)
        elif isinstance(typed, Apply) and typed.function.name == "coalesce":
            for argument in typed.arguments:
                self._results(argument, expect)
        self._options(typed, expect)

    def _fault(self, node: Node, code: str, message: str, hint: str | None = None) -> Typed:
        self.faults.append(Fault(code, message, node.start, node.end, hint))
        return Constant(node.start, node.end, ANY, None)

    def literal(self, node: Literal) -> Typed:
        value, start, end = node.value, node.start, node.end
        if value is None:
            return Constant(start, end, NULL, None)
        if isinstance(value, bool):
            return Constant(start, end, BOOL, value)
        if isinstance(value, int):
            return Constant(start, end, INT, value)
        if isinstance(value, Decimal):
            return Constant(start, end, decimal(-int(value.as_tuple().exponent)), value)
        return Constant(start, end, TEXT, value or None)

    def path(self, node: Path) -> Typed:
        if node.names[0] in self._variables:
            return self._of(self._variables[node.names[0]], node, node.names[1:], node.places[1:])
        first = self._scope.type_of(node.names[:1])
        if first is not None and first.name == "collection":
            return self._collected(node, first)
        found = self._scope.type_of(node.names)
        if found is None:
            self.faults.append(unknown_name(node, self._scope))
            return Constant(node.start, node.end, ANY, None)
        if found.name == "collection":
            hint = "make it a computed field there, and read that"
            return self._fault(node, TYPE_MISMATCH, f"'{'.'.join(node.names)}' is a collection of another record", hint)
        if node.names[0] == "actor":
            return ActorValue(node.start, node.end, found, ".".join(node.names[1:]) or "id")
        if node.names[0] == "this":
            return ActorValue(node.start, node.end, found, ".".join(node.names))  # bound for each operation, as the actor is
        return self._column(node, node.names, found)

    def _column(self, node: Node, names: tuple[str, ...], type_: Type, found: Collected | None = None) -> Column:
        """A field, or a part of an address, for which the address is read."""
        outer = self._scope.type_of((*([found.path] if found else []), *names[:-1])) if len(names) > 1 else None
        split = len(names) - 1 if outer is not None and outer.name == "address" else len(names)
        return Column(node.start, node.end, type_, ".".join(names[:split]), found.member if found else "", "".join(names[split:]))

    # Collections

    def _collected(self, node: Path, type_: Type) -> Typed:
        """A collection, or one value of each of its records."""
        if self._variables and not type_.held:
            hint = "make it a computed field, and read that"
            return self._fault(node, TOO_LARGE, f"'{node.names[0]}' is asked inside another collection", hint)
        found = Collected(node.start, node.end, type_, node.names[0], f"{node.names[0]}#{node.start}", type_.held)
        return self._valued(found, node, node.names[1:], node.places[1:])

    def _valued(self, found: Collected, node: Node, names: tuple[str, ...], places: tuple[int, ...]) -> Typed:
        if not names:
            return found
        value = self._of(found, node, names, places)
        return value if value.type == ANY else replace(found, start=node.start, end=node.end, value=value)

    def _of(self, found: Collected, node: Node, names: tuple[str, ...], places: tuple[int, ...]) -> Typed:
        """A path from one record of a collection."""
        if not names and not found.held:
            return Column(node.start, node.end, ref(found.type.entity), "id", found.member)
        whole = (found.path, *names)
        type_ = self._scope.type_of(whole)
        if type_ is not None and any(self._is_collection(whole[:end]) for end in range(2, len(whole) + 1)):
            hint = f"make it a computed field of {found.type.entity}, and read that"
            return self._fault(node, TYPE_MISMATCH, "a collection of a collection cannot be asked", hint)
        if type_ is None or not names:
            self.faults.append(unknown_name(Path(node.start, node.end, whole, (node.start, *places)), self._scope))
            return Constant(node.start, node.end, ANY, None)
        return self._column(node, names, type_, found)

    def _is_collection(self, path: tuple[str, ...]) -> bool:
        type_ = self._scope.type_of(path)
        return type_ is not None and type_.name == "collection"

    def member(self, node: Member) -> Typed:
        target = self.typed(node.target)
        if target.type == ANY:
            return target
        if not isinstance(target, Collected) or target.value is not None:
            return self._fault(node, TYPE_MISMATCH, f"'.{node.names[0]}' may follow a name or a collection only")
        return self._valued(target, node, node.names, node.places)

    def _macro(self, node: Call) -> Typed:
        """`exists`, `all`, `filter`, `map`: an expression about each record, which has a name in it."""
        assert node.target is not None
        target = self.typed(node.target)
        if target.type == ANY:
            return target
        if not isinstance(target, Collected) or target.value is not None:
            return self._fault(node, WRONG_CALL, f"'{node.name}' is called on a collection", "the rows of a record, or what links to it")
        name = variable(node, len(self._variables), frozenset({*self._scope.names(()), *self._variables}))
        if isinstance(name, Fault):
            self.faults.append(name)
            return Constant(node.start, node.end, ANY, None)
        self._variables[name] = target
        inner = self.typed(node.arguments[1]) if node.name == "map" else self._condition(node.arguments[1], node.name)
        del self._variables[name]
        if inner.type == ANY:
            return Constant(node.start, node.end, ANY, None)
        if node.name == "map":
            return replace(target, start=node.start, end=node.end, value=inner)
        if node.name == "filter":
            return replace(narrowed(target, inner), start=node.start, end=node.end)
        return asked(target, "exists" if node.name == "exists" else "all", BOOL, node, self._text[node.start : node.end], inner)

    def _aggregate(self, node: Call, found: Collected) -> Typed:
        made = aggregate(node, found, self._text[node.start : node.end])
        if isinstance(made, Fault):
            self.faults.append(made)
            return Constant(node.start, node.end, ANY, None)
        return made

    def _condition(self, node: Node, operator: str) -> Typed:
        typed = self.typed(node)
        if typed.type not in (BOOL, NULL, ANY):
            hint = "write != null to ask whether there is a value" if operator == "!" else "a condition compares, as in a == b"
            self._fault(node, TYPE_MISMATCH, f"'{operator}' wants a condition, not {typed.type}", hint)
        return replace(typed, type=BOOL) if typed.type == NULL else typed

    def unary(self, node: Unary) -> Typed:
        if node.operator == "!":
            return Not(node.start, node.end, BOOL, self._condition(node.operand, "!"))
        operand = self.typed(node.operand)
        if operand.type.name not in NUMBERS | SPANS | {"any"}:
            return self._fault(node, TYPE_MISMATCH, f"'-' wants a number, not {operand.type}")
        if isinstance(operand, Constant) and operand.value is not None:
            return Constant(node.start, node.end, operand.type, -operand.value)  # type: ignore[operator]
        return Negate(node.start, node.end, operand.type, operand)

    def logical(self, node: Logical) -> Typed:
        operands = tuple(self._condition(operand, node.operator) for operand in node.operands)
        return TypedLogical(node.start, node.end, BOOL, node.operator, operands)

    def conditional(self, node: Conditional) -> Typed:
        test = self._condition(node.test, "?")
        then, other = self.typed(node.then), self.typed(node.other)
        found = common_type(then, other)
        if found is None:
            return self._fault(node, TYPE_MISMATCH, f"the two results are {then.type} and {other.type}", "give both one type")
        if found == NULL:
            return Constant(node.start, node.end, NULL, None)
        return Choice(node.start, node.end, found, test, then, other)

    def listed(self, node: ListLiteral) -> Typed:
        items = tuple(self.typed(item) for item in node.items)
        found = NULL
        for item, part in zip(items, node.items, strict=True):
            if isinstance(item, Constant) and item.value is None and item.type != ANY:
                self._fault(part, TYPE_MISMATCH, "a list cannot hold null (empty text is null)", "write x == null || x in [...]")
            both = unify(found, item.type)
            if both is None or item.type.name in ("list", "point", "json"):
                self._fault(part, TYPE_MISMATCH, f"{item.type} does not go into this list", "give all items one type")
            found = both or ANY
        return Items(node.start, node.end, list_of(found), items)

    def binary(self, node: Binary) -> Typed:
        left, right = self.typed(node.left), self.typed(node.right)
        self._unquoted(node.left, right)
        self._unquoted(node.right, left)
        if node.operator == "in":
            return self._membership(node, left, right)
        if node.operator in ("==", "!="):
            return self._equality(node, left, right)
        if node.operator in ("<", "<=", ">", ">="):
            return self._order(node, left, right)
        return self._arithmetic(node, left, right)

    def _unquoted(self, node: Node, other: Typed) -> None:
        """An unknown name that is an option of what it is held against was meant as a text."""
        if isinstance(node, Path) and len(node.names) == 1 and node.names[0] in (other.type.options or ()):
            span, hint = (node.start, node.end), f"a text is quoted: '{node.names[0]}'"
            self.faults = [replace(one, hint=hint) if (one.start, one.end) == span else one for one in self.faults]

    def _arithmetic(self, node: Binary, left: Typed, right: Typed) -> Typed:
        if ANY in (left.type, right.type):
            return Constant(node.start, node.end, ANY, None)
        found = operators.arithmetic(node.operator, left.type, right.type)
        if found is None:
            message = f"'{node.operator}' does not go between {left.type} and {right.type}"
            return self._fault(node, TYPE_MISMATCH, message, operators.arithmetic_hint(node.operator, left.type, right.type))
        if operators.too_fine(found):
            return self._fault(node, TYPE_MISMATCH, f"gives {found.scale} decimals; at most 18 are kept", "round(x, 2) a part of it")
        return Arithmetic(node.start, node.end, found, node.operator, left, right)

    def _equality(self, node: Binary, left: Typed, right: Typed) -> Typed:
        left, right = self._linked(left, right.type), self._linked(right, left.type)
        if not operators.comparable(left.type, right.type):
            return self._incomparable(node, left, right)
        self._options(left, right.type)
        self._options(right, left.type)
        return Equality(node.start, node.end, BOOL, node.operator, left, right)

    def _order(self, node: Binary, left: Typed, right: Typed) -> Typed:
        if not operators.orderable(left.type, right.type):
            return self._incomparable(node, left, right)
        self._options(left, right.type)
        self._options(right, left.type)
        options = left.type.options or right.type.options
        if options is None:
            return Order(node.start, node.end, BOOL, node.operator, left, right)
        if not all(one.type.ordered or one.type.options is None for one in (left, right)):
            return self._fault(node, TYPE_MISMATCH, "these options have no order", "say `ordered: true` where they are declared")
        return Order(node.start, node.end, BOOL, node.operator, _placed(left, options), _placed(right, options))

    def _incomparable(self, node: Binary, left: Typed, right: Typed) -> Typed:
        message = f"'{node.operator}' does not go between {left.type} and {right.type}"
        return self._fault(node, TYPE_MISMATCH, message, operators.comparison_hint(node.operator, left.type, right.type))

    def _membership(self, node: Binary, left: Typed, right: Typed) -> Typed:
        if right.type == ANY:
            return right
        if isinstance(right, Collected):
            return self._among(node, left, right)
        if right.type.name != "list":
            hint = "write a.contains(b) for a part of a text" if right.type.name == "text" else None
            return self._fault(node, TYPE_MISMATCH, f"'in' wants a list on its right, not {right.type}", hint)
        item = right.type.item or ANY
        left = self._linked(left, item)
        if isinstance(right, Items):
            right = self._linked_items(right, left.type)
            item = right.type.item or ANY
        if not operators.comparable(left.type, item):
            hint = operators.comparison_hint("==", left.type, item)
            return self._fault(node, TYPE_MISMATCH, f"{left.type} is never in a list of {item}", hint)
        self._options(left, item)
        for part in right.items if isinstance(right, Items) else ():
            self._options(part, left.type)
        if isinstance(left, Constant) and left.value is None:
            return Constant(node.start, node.end, BOOL, False)
        return Membership(node.start, node.end, BOOL, "in", left, right)

    def _among(self, node: Binary, left: Typed, right: Collected) -> Typed:
        """`x in districts`: whether a record is one of a collection, or a value one of those of its records."""
        if right.held and right.value is None:
            what = f"'{right.path}' are rows, and nothing is in them"
            return self._fault(node, TYPE_MISMATCH, what, f"ask for a value of each row, as in x in {right.path}.amount")
        value = right.value or Column(right.start, right.end, ref(right.type.entity), "id", right.member)
        left = self._linked(left, value.type)
        if not operators.comparable(left.type, value.type):
            never = f"{left.type} is never in {right.type}"
            return self._fault(node, TYPE_MISMATCH, never, operators.comparison_hint("==", left.type, value.type))
        self._options(left, value.type)
        equal: Typed = Equality(node.start, node.end, BOOL, "==", left, value)
        there = Equality(node.start, node.end, BOOL, "!=", value, Constant(node.start, node.end, NULL, None))
        equal = TypedLogical(node.start, node.end, BOOL, "&&", (there, equal))
        text = self._text[node.start : node.end]
        return Gather(node.start, node.end, BOOL, "exists", right.path, right.member, right.held, right.where, equal, text)

    def _linked_items(self, items: Items, wanted: Type) -> Items:
        if wanted.name != "ref" or items.type.item != TEXT:
            return items
        linked = tuple(self._linked(item, wanted) for item in items.items)
        return replace(items, items=linked, type=list_of(wanted)) if all(item.type == wanted for item in linked) else items

    def _linked(self, node: Typed, wanted: Type) -> Typed:
        """A text literal beside a link is the id of a record, when it has that form (RFC 9562)."""
        if wanted.name != "ref" or not isinstance(node, Constant) or not isinstance(node.value, str):
            return node
        try:
            return replace(node, type=wanted, value=str(UUID(node.value)))
        except ValueError:
            return node

    def _options(self, node: Typed, wanted: Type) -> None:
        """A fault when a literal text is not among the options it is held against."""
        if not isinstance(node, Constant) or not isinstance(node.value, str) or wanted.options is None:
            return
        if node.value not in wanted.options:
            listed = ", ".join(wanted.options[:12]) + (", …" if len(wanted.options) > 12 else "")
            hint = did_you_mean(node.value, wanted.options) or f"one of {listed}"
            self.faults.append(Fault(NOT_AN_OPTION, f"'{node.value}' is not one of the options", node.start, node.end, hint))

    def call(self, node: Call) -> Typed:
        if node.name in MACROS and node.target is not None:
            return self._macro(node)
        if node.name == "entity" and node.target is None and len(node.arguments) == 1 and "entity" not in self._functions:
            return self._entity(node, node.arguments[0])
        given = tuple(self.typed(part) for part in node.parts)
        if node.name in AGGREGATES and node.target is None and len(given) == 1 and isinstance(given[0], Collected):
            return self._aggregate(node, given[0])
        return checked_call(node, given, self._functions, self.faults)

    def _entity(self, node: Call, link: Node) -> Typed:
        """`entity(requester)`: of which entity the record is that a link to several leads to."""
        names = link.names if isinstance(link, Path) else ()
        found = self._scope.type_of((*names, "entity")) if names else None
        if not isinstance(link, Path) or found is None or found.name != "text" or self.path(link).type.name not in ("ref", "any"):
            return self._fault(node, TYPE_MISMATCH, "'entity' asks which entity a link leads to, where it may lead to several")
        return Column(node.start, node.end, found, ".".join((*names, "entity")))


_RULES: Mapping[type[Node], Callable[[_Checker, Any], Typed]] = {
    Literal: _Checker.literal,
    Path: _Checker.path,
    Unary: _Checker.unary,
    Binary: _Checker.binary,
    Logical: _Checker.logical,
    Conditional: _Checker.conditional,
    Call: _Checker.call,
    ListLiteral: _Checker.listed,
    Member: _Checker.member,
}


def _placed(node: Typed, options: tuple[str, ...]) -> Typed:
    if isinstance(node, Constant):
        place = options.index(str(node.value)) if node.value in options else None
        return Constant(node.start, node.end, INT, place)
    return Place(node.start, node.end, INT, node, node.type.options or options)
