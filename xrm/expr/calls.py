"""Calls: which function is meant, whether its arguments fit, and what is known of its value already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from xrm.expr.faults import WRONG_CALL, Fault, did_you_mean
from xrm.expr.functions import Function
from xrm.expr.syntax import Call
from xrm.expr.typed import Apply, Constant, Moment, Typed
from xrm.expr.types import ANY, TEXT, Type

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_MOMENT = Moment(_EPOCH, _EPOCH.date(), {})
_ELSEWHERE = {
    "length": "size", "len": "size", "includes": "contains", "starts_with": "startsWith", "ends_with": "endsWith",
    "isnull": "has", "ifnull": "coalesce", "nvl": "coalesce", "toLower": "lower", "toUpper": "upper", "trunc": "int",
    "interval": "duration",
}  # fmt: skip


def checked_call(node: Call, given: tuple[Typed, ...], functions: Mapping[str, Function], faults: list[Fault]) -> Typed:
    """The typed call, or its value when that is known; faults are added to `faults`."""
    broken = Constant(node.start, node.end, ANY, None)
    function = functions.get(node.name)
    fault = _unknown(node, functions) if function is None else _misfit(node, function, given)
    if function is None or fault is not None:
        faults.extend([fault] if fault else [])
        return broken
    if any(argument.type == ANY for argument in given):
        return broken
    return _applied(node, function, given, faults)


def _fault(node: Call, message: str, hint: str | None = None) -> Fault:
    return Fault(WRONG_CALL, message, node.place, node.place + len(node.name), hint)


def _unknown(node: Call, functions: Mapping[str, Function]) -> Fault:
    hint = did_you_mean(node.name, functions)
    if node.name in _ELSEWHERE and _ELSEWHERE[node.name] in functions:
        hint = f"write {functions[_ELSEWHERE[node.name]].signature}"
    return _fault(node, f"unknown function '{node.name}'", hint)


def _misfit(node: Call, function: Function, given: tuple[Typed, ...]) -> Fault | None:
    wanted = f"write {function.signature}"
    if function.method != (node.target is not None):
        what = "is called on a value" if function.method else "is not called on a value"
        return _fault(node, f"'{node.name}' {what}", wanted)
    if not len(function.params) - function.optional <= len(given) <= len(function.params):
        return _fault(node, f"'{node.name}' has {_counted(len(given))} here", wanted)
    if function.name == "sum" and len(given) == 1 and given[0].type.name != "list" and given[0].type != ANY:
        wanted = "sum adds up one value of many records, as sum(lines.amount); fields of one record are added with +"
    for position, argument in enumerate(given):
        if not function.accepts_at(position, argument.type):
            return Fault(WRONG_CALL, f"'{node.name}' does not take {argument.type} here", argument.start, argument.end, wanted)
    return _not_literal(function, given)


def _counted(count: int) -> str:
    return "one argument" if count == 1 else f"{count or 'no'} arguments"


def _not_literal(function: Function, given: tuple[Typed, ...]) -> Fault | None:
    for argument in given[len(given) - function.literal :]:
        if argument.type.name == "text" and not isinstance(argument, Constant):
            message = f"'{function.name}' wants a text written out here"
            return Fault(WRONG_CALL, message, argument.start, argument.end, f"for example {function.example}")
    return None


def _applied(node: Call, function: Function, given: tuple[Typed, ...], faults: list[Fault]) -> Typed:
    found = function.result if isinstance(function.result, Type) else function.result(given)
    if found is None:
        types = " and ".join(str(argument.type) for argument in given)
        faults.append(_fault(node, f"'{node.name}' does not take {types} together", f"write {function.signature}"))
        return Constant(node.start, node.end, ANY, None)
    try:
        call = Apply(node.start, node.end, found, function, _prepared(function, given))
        return _folded(call)
    except ValueError as error:
        faults.append(Fault(WRONG_CALL, str(error), given[-1].start, given[-1].end, f"for example {function.example}"))
        return Constant(node.start, node.end, ANY, None)


def _prepared(function: Function, given: tuple[Typed, ...]) -> tuple[Typed, ...]:
    """The last literal as the function wants it; a pattern is compiled here, once."""
    last = given[-1] if given else None
    if function.prepare is None or not isinstance(last, Constant) or not isinstance(last.value, str):
        return given
    return (*given[:-1], replace(last, value=function.prepare(last.value)))


def _folded(call: Apply) -> Typed:
    """The value, when the arguments are literals and the moment does not matter. Raises ValueError."""
    function = call.function
    if not all(isinstance(argument, Constant) for argument in call.arguments):
        return call
    if function.moment and not any(argument.type == TEXT for argument in call.arguments):
        return call
    given = [argument.value for argument in call.arguments if isinstance(argument, Constant)]
    if None in given and not function.nulls:
        return Constant(call.start, call.end, call.type, None)
    try:
        value = function.call(_NO_MOMENT, *given) if function.moment else function.call(*given)
    except (ArithmeticError, LookupError):
        value = None
    return Constant(call.start, call.end, call.type, value)
