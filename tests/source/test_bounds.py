"""What an application may hold: the last that passes, and the first that is refused, with its place."""

import pytest

from xrm.source import load_text

XRM = "xrm: 1\nname: t\nroles: {agent: Agent}\n"


def options(count: int) -> dict[str, str]:
    lines = "".join(f"      - o{n}\n" for n in range(count))
    return {"xrm.yml": XRM, "entities/e.yml": f"entity: e\nfields:\n  kind:\n    type: choice\n    options:\n{lines}"}


def fields(count: int) -> dict[str, str]:
    return {"xrm.yml": XRM, "entities/e.yml": "entity: e\nfields:\n" + "".join(f"  f{n}: text\n" for n in range(count))}


def types(count: int) -> dict[str, str]:
    lines = "".join(f"  t{n}: {{type: {f't{n - 1}' if n else 'text'}}}\n" for n in range(count))
    return {"xrm.yml": f"{XRM}types:\n{lines}", "entities/e.yml": f"entity: e\nfields: {{a: t{count - 1}}}\n"}


def heirs(count: int) -> dict[str, str]:
    rest = {f"entities/e{n}.yml": f"entity: e{n}\nextends: e{n - 1}\n" for n in range(1, count)}
    return {"xrm.yml": XRM, "entities/e0.yml": "entity: e0\nfields: {name: text}\n", **rest}


def files(count: int) -> dict[str, str]:
    return {"xrm.yml": XRM, **{f"entities/e{n}.yml": f"entity: e{n}\nfields: {{a: text}}\n" for n in range(count)}}


@pytest.mark.parametrize(
    ("made", "passes", "refused"),
    [
        (options, 1_000, "entities/e.yml:1006:9: XRM104 there are more than 1,000 here"),
        (fields, 1_000, "entities/e.yml:1003:3: XRM104 there are more than 1,000 here"),
        (types, 20, "xrm.yml:25:9: XRM206 this type is made from 20 others, each from the next"),
        (heirs, 21, "entities/e21.yml:2:1: XRM206 this inherits through more than 20 entities"),
        (files, 999, "entities/e999.yml:1:1: XRM104 there are more than 1,000 files of definitions"),
    ],
)
def test_what_is_too_much_is_refused_at_its_place(made: object, passes: int, refused: str) -> None:
    """One more than the bound is told once, with a hint; the bound itself is sound."""
    assert callable(made)
    assert load_text(made(passes)).problems == ()
    problems = load_text(made(passes + 1)).problems
    assert [f"{one.place}: {one.code} {one.message}" for one in problems] == [refused]
    assert problems[0].hint
