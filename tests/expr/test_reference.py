"""The reference page is the code's own."""

import re
from pathlib import Path

import pytest

from tests.expr.samples import value
from xrm.expr import STANDARD, Function, Names, compile_check
from xrm.expr.faults import CODES
from xrm.expr.reference import DATABASE, HEAD, reference, shown

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "expressions.md"
SOURCES = Path(__file__).parents[2] / "xrm" / "expr"


def test_the_page_is_current() -> None:
    """Regenerate with `python -m xrm.expr.reference > docs/reference/expressions.md`."""
    assert PAGE.read_text() == reference()


@pytest.mark.parametrize("function", STANDARD.values(), ids=lambda function: function.name)
def test_every_function_is_documented_and_its_example_runs(function: Function) -> None:
    """And gives what the page says; only the clock's have no fixed value."""
    assert function.doc.endswith(".")
    assert function.name in function.example
    found = value(function.example)
    assert found is not None
    if function.name not in ("now", "today"):
        assert shown(found) == function.gives


def test_every_code_is_raised_somewhere() -> None:
    """No code is promised that the checker never gives."""
    names = re.findall(r"^([A-Z_]+) = \"XRM3", (SOURCES / "faults.py").read_text(), re.MULTILINE)
    code = "".join(path.read_text() for path in SOURCES.glob("*.py") if path.name != "faults.py")
    assert len(names) == len(CODES)
    assert [name for name in names if name not in code] == []


@pytest.mark.parametrize("text", re.findall(r"^    (\S.*)$", HEAD, re.MULTILINE))
def test_the_examples_at_the_top_are_checked(text: str) -> None:
    """They are real expressions."""
    from xrm.expr import DATETIME, INT, TEXT, choice, list_of, ref

    names = {"category.code": TEXT, "depth": INT, "queue": ref("queue"), "actor.queues": list_of(ref("queue")), "owner": ref("user"), "actor": ref("user"),
             "opened_at": DATETIME, "state": choice("new", "closed")}  # fmt: skip
    assert not compile_check(text, Names(names)).sql_faults


def test_what_the_page_says_of_the_database_holds() -> None:
    """The expressions it names are refused, or not, as it says."""
    from tests.expr.samples import checked

    allowed, refused = re.findall(r"`(opened_at [^`]*)`", DATABASE)
    assert not checked(allowed).sql_faults
    assert checked(refused).sql_faults
