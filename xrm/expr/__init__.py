"""The expression language: a subset of CEL, checked once and compiled to Python and SQL.

`xrm.expr.sql` is not imported here, so that SQLAlchemy is loaded by those who query only.
"""

from xrm.expr.check import check, compile_check
from xrm.expr.checked import Checked
from xrm.expr.faults import CODES, MAX_DEPTH, MAX_LENGTH, ExpressionError, Fault
from xrm.expr.functions import STANDARD, Function
from xrm.expr.parse import parse
from xrm.expr.python import Closure, to_python
from xrm.expr.scope import Names, Scope
from xrm.expr.syntax import Node
from xrm.expr.typed import Moment
from xrm.expr.types import (
    ANY,
    BOOL,
    DATE,
    DATETIME,
    DAYS,
    DURATION,
    INT,
    JSON,
    MONTHS,
    NULL,
    POINT,
    TEXT,
    Type,
    choice,
    decimal,
    list_of,
    ref,
)

__all__ = [
    "ANY", "BOOL", "CODES", "DATE", "DATETIME", "DAYS", "DURATION", "INT", "JSON", "MAX_DEPTH", "MAX_LENGTH", "MONTHS", "NULL", "POINT",
    "STANDARD", "TEXT", "Checked", "Closure", "ExpressionError", "Fault", "Function", "Moment", "Names", "Node", "Scope", "Type", "check",
    "choice", "compile_check", "decimal", "list_of", "parse", "ref", "to_python",
]  # fmt: skip
