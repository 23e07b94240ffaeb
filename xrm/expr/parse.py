"""Tokens to tree: the grammar, with CEL's precedence.

Source: the Common Expression Language specification, section Syntax
(https://github.com/google/cel-spec/blob/master/doc/langdef.md), of which this is a subset.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from xrm.expr.faults import MAX_DEPTH, SYNTAX, TOO_LARGE, ExpressionError, Fault
from xrm.expr.syntax import Binary, Call, Conditional, ListLiteral, Literal, Logical, Member, Node, Path, Root, Unary, height
from xrm.expr.tokens import Token, tokenize

_POWER = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
_CONDITIONAL_POWER = 0
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_HINTS = {
    "=": "write == to compare",
    "===": "write == to compare",
    "<>": "write != for 'is not'",
    "=>": "write >= for 'at least'",
    "&": "write && for 'and'",
    "|": "write || for 'or'",
    "and": "write && for 'and'",
    "or": "write || for 'or'",
    "not": "write ! for 'not', as in !(a in b)",
    "is": "write == to compare, as in a == null",
    "like": "write a.contains(b)",
    "if": "write test ? then : otherwise",
    ";": "write && between conditions",
    "{": "maps are not part of the language",
    "[": "a list has no index; write x in [a, b]",
}


@lru_cache(maxsize=2_048)
def parse(text: str) -> Root:
    """The tree of an expression; raises ExpressionError with the first fault of syntax.

    Heirs have the expressions of their base, and each is read for its type, its names and its check: trees are kept for a while.
    """
    parser = _Parser(tokenize(text))
    body = parser.whole()
    if height(body) > MAX_DEPTH:
        raise _too_deep(body.start, body.end)
    return Root(0, len(text), text, body)


def _too_deep(start: int, end: int) -> ExpressionError:
    hint = "name a part of it as a computed field"
    return ExpressionError([Fault(TOO_LARGE, f"nested more than {MAX_DEPTH} deep", start, end, hint)])


class _Parser:
    """Precedence climbing; `_nesting` bounds the recursion."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._nesting = 0

    def whole(self) -> Node:
        node = self._expression()
        if self._next.kind != "end":
            raise self._unexpected("expected the end")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _advance(self) -> Token:
        token = self._tokens[self._index]
        self._index += 1
        return token

    def _took(self, text: str) -> bool:
        token = self._next
        if token.text == text and token.kind in ("operator", "name"):
            self._index += 1
            return True
        return False

    def _unexpected(self, message: str) -> ExpressionError:
        token = self._next
        previous = self._tokens[self._index - 1].text.lower() if self._index else ""
        hint = _HINTS.get(token.text.lower()) or (_HINTS[previous] if previous in ("not", "if") else None)
        found = f"'{token.text}'" if token.kind != "end" else "the end"
        return ExpressionError([Fault(SYNTAX, f"{message}, found {found}", token.start, token.end, hint)])

    def _close(self, closing: str, opening: Token) -> Token:
        if self._next.text == closing and self._next.kind == "operator":
            return self._advance()
        if self._next.kind == "end":
            message = f"'{opening.text}' is not closed"
            raise ExpressionError([Fault(SYNTAX, message, opening.start, opening.end, f"add the closing {closing}")])
        raise self._unexpected(f"expected '{closing}'")

    def _expression(self) -> Node:
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise _too_deep(self._next.start, self._next.end)
        node = self._conditional()
        self._nesting -= 1
        return node

    def _conditional(self) -> Node:
        test = self._binary(_CONDITIONAL_POWER)
        if not self._took("?"):
            return test
        then = self._binary(_CONDITIONAL_POWER)
        if not self._took(":"):
            raise self._unexpected("expected ':' of the condition")
        other = self._expression()
        return Conditional(test.start, other.end, test, then, other)

    def _binary(self, power: int) -> Node:
        left = self._unary()
        while True:
            token = self._next
            found = _POWER.get(token.text, 0) if token.kind in ("operator", "name") else 0
            if found <= power:
                return left
            self._advance()
            left = _join(token.text, left, self._binary(found))

    def _unary(self) -> Node:
        operators: list[Token] = []
        while self._next.kind == "operator" and self._next.text in ("!", "-"):
            operators.append(self._advance())
        if len(operators) > MAX_DEPTH:
            raise _too_deep(operators[0].start, operators[-1].end)
        node = self._members()
        for token in reversed(operators):
            node = Unary(token.start, node.end, token.text, node)
        return node

    def _members(self) -> Node:
        node = self._primary()
        while self._next.text == "." and self._next.kind == "operator":
            self._advance()
            node = self._member(node)
        return node

    def _member(self, node: Node) -> Node:
        if self._next.kind != "name":
            raise self._unexpected("expected a name after '.'")
        name = self._advance()
        if self._next.text == "(" and self._next.kind == "operator":
            return self._call(name, node)
        if isinstance(node, Call) and node.target is not None:
            return Member(node.start, name.end, node, (name.text,), (name.start,))
        if not isinstance(node, Path | Member):
            raise ExpressionError([Fault(SYNTAX, f"'.{name.text}' may follow a name only", name.start, name.end)])
        if len(node.names) == MAX_DEPTH:
            raise _too_deep(node.start, name.end)
        return replace(node, end=name.end, names=(*node.names, name.text), places=(*node.places, name.start))

    def _primary(self) -> Node:
        token = self._next
        if token.kind in ("number", "string"):
            self._advance()
            return Literal(token.start, token.end, _value(token))
        if token.kind == "name" and token.text != "in":
            return self._name()
        if token.kind == "operator" and token.text == "(":
            return self._brackets()
        if token.kind == "operator" and token.text == "[":
            return self._list()
        raise self._unexpected("expected a value")

    def _name(self) -> Node:
        token = self._advance()
        if token.text in _CONSTANTS:
            return Literal(token.start, token.end, _CONSTANTS[token.text])
        if self._next.text == "(" and self._next.kind == "operator" and token.text.lower() not in _HINTS:
            return self._call(token, None)
        return Path(token.start, token.end, (token.text,), (token.start,))

    def _brackets(self) -> Node:
        opening = self._advance()
        node = self._expression()
        self._close(")", opening)
        return node

    def _call(self, name: Token, target: Node | None) -> Node:
        opening = self._advance()
        arguments, closing = self._items(")", opening)
        start = name.start if target is None else target.start
        return Call(start, closing.end, name.text, name.start, target, arguments)

    def _list(self) -> Node:
        opening = self._advance()
        items, closing = self._items("]", opening)
        return ListLiteral(opening.start, closing.end, items)

    def _items(self, closing: str, opening: Token) -> tuple[tuple[Node, ...], Token]:
        items: list[Node] = []
        if self._next.text != closing or self._next.kind != "operator":
            items.append(self._expression())
            while self._took(","):
                items.append(self._expression())
        return tuple(items), self._close(closing, opening)


def _value(token: Token) -> int | Decimal | str:
    assert token.value is not None, token
    return token.value


def _join(operator: str, left: Node, right: Node) -> Node:
    if operator not in ("&&", "||"):
        return Binary(left.start, right.end, operator, left, right)
    if isinstance(left, Logical) and left.operator == operator:
        return Logical(left.start, right.end, operator, (*left.operands, right))
    return Logical(left.start, right.end, operator, (left, right))
