"""A fault inside an expression is shown at its very column, however the YAML is written."""

import pytest

from tests.source.definitions import FIELDS, problems

HEAD = f"entity: thing\n{FIELDS}"


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("views: {a: {filter: size > 1 && nme == 'x'}}", 3, 33),
        ("views: {a: {filter: =size > 1 && nme == 'x'}}", 3, 34),
        ("views: {a: {filter: 'size > 1 && nme == \"x\"'}}", 3, 34),
        ("views: {a: {filter: 'name == ''x'' && nme == \"x\"'}}", 3, 39),
        ('views: {a: {filter: "name == \\"x\\" && nme == null"}}', 3, 39),
        ('views: {a: {filter: "name == \\u0022x\\" && nme == null"}}', 3, 43),
        ("views:\n  a:\n    filter: size > 1\n      && nme == null", 6, 10),
        ("views:\n  a:\n    filter: >-\n      size > 1\n      && nme == null", 7, 10),
        ("views:\n  a:\n    filter: |\n      size > 1\n      && nme == null", 7, 10),
        ("views:\n  a:\n    filter: 'size > 1\n      && nme == null'", 6, 10),
        ("views:\n  a:\n    filter: >-\n      size > 1\n\n      && nme == null", 8, 10),
        ("views: {a: {filter: name == 'é😀' && nme == null}}", 3, 37),
    ],
)
def test_the_column_of_an_unknown_name_is_exact(written: str, line: int, column: int) -> None:
    """Plain, single, double, folded and literal scalars; characters count, not bytes."""
    (problem,) = problems(f"{HEAD}{written}\n")
    assert problem.code == "XRM302"
    assert problem.place
    assert (problem.place.line, problem.place.column, problem.place.width) == (line, column, 3)
    assert problem.source
    assert problem.source[column - 1 : column + 2] == "nme"
