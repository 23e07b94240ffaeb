"""Data in a definition: a node in YAML 1.2's core types, or in the type of a field."""

from __future__ import annotations

import re
from decimal import Decimal

from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.source.document import Broken, Map, Node, Scalar, Sequence

DECIMAL = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?")
INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")
MOST_DIGITS = 30


def plain(node: Node) -> object:
    """Plain data: only ``true``, ``false``, ``null`` and decimal numbers are not text (LANGUAGE, rule 1)."""
    match node:
        case Map():
            return {key.text: plain(value) for key, value in node.entries}
        case Sequence():
            return [plain(item) for item in node.items]
        case Scalar():
            return _scalar(node)
        case Broken():
            return None


def _scalar(node: Scalar) -> object:
    if not node.plain:
        return node.text
    if node.text in ("true", "false"):
        return node.text == "true"
    if node.text in ("null", "~", ""):
        return None
    if len(node.text) <= MOST_DIGITS and DECIMAL.fullmatch(node.text):
        return int(node.text) if INTEGER.fullmatch(node.text) else Decimal(node.text)
    return node.text


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.text in ("null", "~", "")


def for_field(field: Field, node: Node) -> object:
    """The value of a field that is written in a definition.

    Raises:
        Misfit: it is not of the field's type, or outside its bounds.
    """
    if is_null(node):
        return None
    match field.type:
        case "json":
            value = _json(plain(node))
            return value if isinstance(value, str) else coerce(field, value)
        case "rows" if field.many:
            raise Misfit("cannot be a list of links written here", hint="people choose the records, or an import does")
        case "rows":
            raise Misfit("cannot be rows", hint="give the fields of the rows their values")
        case "file" | "image":
            raise Misfit("cannot be a file written here", hint="people attach files to records")
    if field.kind.compound and not (field.many and isinstance(node, Scalar)):
        if any(isinstance(part, Scalar) and part.text.startswith("=") for _, part in (node.entries if isinstance(node, Map) else ())):
            raise Misfit("cannot have an expression in it", hint="an expression gives the whole value, such as =requester.home")
        return coerce(field, plain(node))
    if not isinstance(node, Scalar):
        raise Misfit("must be a single value")
    if field.kind.number and not DECIMAL.fullmatch(node.text):
        raise Misfit("must be a number", hint="decimal digits, without leading zeros or signs for thousands")
    if field.type == "boolean":
        return _boolean(node)
    return coerce(field, node.text)


def _boolean(node: Scalar) -> bool:
    if not node.plain or node.text not in ("true", "false"):
        raise Misfit("must be true or false", hint="write true or false, without quotes")
    return node.text == "true"


def _json(value: object) -> object:
    """The nearest that JSON has: its numbers are floats (RFC 8259, section 6)."""
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value
