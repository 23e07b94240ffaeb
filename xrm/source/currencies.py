"""In which currency an amount in an expression is: a computed field is money where that can be told, and amounts in several
currencies are not added up.

A currency is a code (``EUR``), or ``=`` and the path of the field that names it (``=requests.currency``), where it may be another in
each record. What is multiplied by a number of the record is converted: nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from xrm.expr import Checked, Fault
from xrm.expr.gathered import Gather
from xrm.expr.typed import Apply, Arithmetic, Choice, Column, Constant, Equality, Logical, Negate, Typed
from xrm.model.fields import MONEY_PLACES, Field
from xrm.source.names import EntityScope

MIXED = "XRM320"
SAME = ("coalesce", "min", "max", "abs", "round")
"""Functions that give an amount in the currency of what they take."""


def mixed(checked: Checked, scope: EntityScope) -> tuple[Fault, ...]:
    """Where an expression adds up amounts that may be in several currencies."""
    reader = _Reader(scope)
    reader.of(checked.node)
    return tuple(reader.faults)


def currency_of(checked: Checked, scope: EntityScope) -> str | None:
    """The one currency that what an expression gives is in, with the digits of it; None where it is no such amount."""
    found = given(checked, scope)
    if found is None or found.startswith("=") or checked.type.name != "decimal":
        return None
    return found if checked.type.scale == MONEY_PLACES.get(found, 2) else None


def given(checked: Checked, scope: EntityScope) -> str | None:
    """The currency that what an expression gives is in, as far as it can be told."""
    return _Reader(scope).of(checked.node)


def words(currency: str) -> str:
    return f"that of '{currency[1:]}'" if currency.startswith("=") else currency


class _Reader:
    """Walks the tree once."""

    def __init__(self, scope: EntityScope) -> None:
        self._scope = scope
        self._members: dict[str, str] = {}
        self.faults: list[Fault] = []

    def of(self, node: Typed) -> str | None:
        match node:
            case Column():
                return self._named(node)
            case Gather():
                return self._gathered(node)
            case Arithmetic():
                return self._calculated(node)
            case Negate():
                return self.of(node.operand)
            case Choice():
                self.of(node.test)
                return _one(self.of(part) for part in (node.then, node.other))
            case Apply() if node.function.name in SAME:
                return _one([self.of(part) for part in node.arguments])
        for part in node.parts:
            self.of(part)
        return None

    def _path(self, node: Column) -> str:
        return f"{self._members[node.member]}.{node.name}" if node.member in self._members else node.name

    def _named(self, node: Column) -> str | None:
        path = self._path(node)
        field = self._scope.follow(tuple(path.split(".")))
        if not isinstance(field, Field) or field.type != "money":
            return None
        return f"={path.removesuffix(field.name)}{field.currency_from}" if field.currency_from else field.currency

    def _gathered(self, node: Gather) -> str | None:
        self._members[node.member] = node.path
        for part in (node.where, None if node.operation in ("sum", "min", "max") else node.value):
            if part is not None:
                self.of(part)
        if node.operation not in ("sum", "min", "max") or node.value is None:
            return None
        found = self.of(node.value)
        if found is None or not found.startswith(f"={node.path}."):
            return found
        chosen = self._chosen(node.where, found)
        if chosen is None:
            named = found.rpartition(".")[2]
            what = {"sum": "they have no sum", "min": "none is the least", "max": "none is the greatest"}[node.operation]
            message = f"these amounts may be in several currencies ('{found[1:]}' names them): {what}"
            hint = f'take those of one: {node.path}.filter(r, r.{named} == "EUR"); or compute one in each record (=… * rate), and ask that'
            self.faults.append(Fault(MIXED, message, node.start, node.end, hint))
        return chosen

    def _chosen(self, where: Typed | None, named: str) -> str | None:
        """The currency that a condition lets through."""
        if isinstance(where, Logical) and where.operator == "&&":
            return next((found for part in where.operands if (found := self._chosen(part, named))), None)
        if not isinstance(where, Equality) or where.operator != "==":
            return None
        for one, other in ((where.left, where.right), (where.right, where.left)):
            if isinstance(one, Column) and f"={self._path(one)}" == named:
                if isinstance(other, Constant) and isinstance(other.value, str):
                    return other.value
                if isinstance(other, Column) and not other.member:
                    return f"={other.name}"
        return None

    def _calculated(self, node: Arithmetic) -> str | None:
        left, right = self.of(node.left), self.of(node.right)
        if node.operator in ("+", "-") and left and right and left != right:
            names = " and ".join(map(words, (left, right)))
            message = f"these amounts are in different currencies ({names})"
            self.faults.append(Fault(MIXED, message, node.start, node.end, "convert one of them: multiply it by a rate"))
            return None
        if node.operator in ("+", "-"):
            return left or right
        if node.operator != "*" or (left and right):
            return None
        amount, factor = (left, node.right) if left else (right, node.left)
        return amount if factor.type.name == "int" or isinstance(factor, Constant) else None


def _one(found: Iterable[str | None]) -> str | None:
    """The currency of several amounts, where it is the same in all; what is no amount says nothing."""
    different = {one for one in found if one}
    return different.pop() if len(different) == 1 else None
