"""Dependencies run one way (docs: architecture). The imports of every module are walked to prove it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Lowest first. A part imports parts of lower layers only; parts of one layer never import each other.
LAYERS = [
    {"errors", "collecting"},
    {"expr", "settings"},
    {"model"},
    {"source", "compile"},
    {"store"},
    {"hookspecs"},
    {"plugins"},
    {"service", "proposal"},
    {"api", "web"},
    {"bootstrap"},
    {"commands"},
]
LEVEL = {part: level for level, layer in enumerate(LAYERS) for part in layer}

# A library and the only places that import it.
HOMES = {
    "yaml": ("xrm.source.document",),
    "sqlalchemy": ("xrm.expr.sql", "xrm.compile", "xrm.store"),
    "starlette": ("xrm.api", "xrm.web", "xrm.bootstrap"),
    "typer": ("xrm.commands",),
    "uvicorn": ("xrm.commands", "xrm.bootstrap"),
    "sqlite3": ("xrm.store",),
    "psycopg": ("xrm.store",),
}
NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_of(node: ast.stmt, module: str, *, is_package: bool) -> list[str]:
    """The full names that an import statement may bring in; `from xrm import store` counts as `xrm.store`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert isinstance(node, ast.ImportFrom)
    base = node.module or ""
    if node.level:
        up = module.split(".")[: len(module.split(".")) - node.level + is_package]
        base = ".".join([*up, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def imports(tree: ast.AST, *, guarded: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Every import statement, wherever it stands, and whether it is there for the type checker only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, guarded
        elif isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for statement in node.body:
                yield from imports(ast.Module([statement], []), guarded=True)
            for statement in node.orelse:
                yield from imports(ast.Module([statement], []), guarded=guarded)
        else:
            yield from imports(node, guarded=guarded)


def within(module: str, homes: tuple[str, ...]) -> bool:
    return any(module == home or module.startswith(f"{home}.") for home in homes)


def part_of(name: str) -> str | None:
    """`store` for `xrm.store.records`, None for what is not a part of xrm."""
    head, _, rest = name.partition(".")
    return rest.split(".")[0] if head == "xrm" and rest else None


def fault(module: str, name: str, *, guarded: bool) -> str | None:
    """Why this module may not import that name, or None."""
    library = name.split(".", maxsplit=1)[0]
    if library in HOMES and not within(module, HOMES[library]):
        return f"{library} is imported in {', '.join(HOMES[library])} only"
    own, other = part_of(module), part_of(name)
    if library != "xrm" or own == other:
        return None
    if own is None:  # the package itself, which everything imports
        return "xrm/__init__.py imports nothing"
    if other not in LEVEL:  # a name of the package, such as __version__
        return None
    if own == "hookspecs":
        return None if guarded else "hookspecs imports types only, under TYPE_CHECKING"
    if LEVEL[own] == LEVEL[other]:
        return f"{own} and {other} are siblings"
    return None if LEVEL[own] > LEVEL[other] else f"{own} is below {other}"


def violations(root: Path) -> list[str]:
    """Every import under `root`/xrm that runs the wrong way, as `file:line: statement: reason`, and every part without a place."""
    found = []
    for path in sorted((root / "xrm").rglob("*.py")):
        module, place = module_name(path, root), path.relative_to(root)
        own = part_of(module)
        if own is not None and own not in LEVEL:
            found.append(f"{place}: {own} has no place in LAYERS")
            continue
        for node, guarded in imports(ast.parse(path.read_text())):
            reasons = {fault(module, name, guarded=guarded) for name in names_of(node, module, is_package=path.stem == "__init__")}
            found.extend(f"{place}:{node.lineno}: {ast.unparse(node)}: {reason}" for reason in sorted(reasons - {None}, key=str))
    return found


def test_dependencies_run_one_way() -> None:
    """No module of xrm imports from a layer above its own, from a sibling, or a library that has its home elsewhere."""
    assert violations(ROOT) == []


def test_the_command_line_file_imports_the_commands_only() -> None:
    """`cli.py` wires nothing itself."""
    found = [name for node, _ in imports(ast.parse((ROOT / "cli.py").read_text())) for name in names_of(node, "cli", is_package=False)]
    assert found == ["xrm.commands.main"]


def test_no_file_has_a_name_that_says_nothing() -> None:
    """A module is named after its phase or its noun."""
    folders = [ROOT / folder for folder in ("xrm", "tests", "tools", "plugins", "examples")]
    named = [path for folder in folders for path in [*folder.rglob("*.py"), *(each for each in folder.rglob("*") if each.is_dir())]]
    assert [str(path.relative_to(ROOT)) for path in named if path.stem.lower() in NAMES_THAT_SAY_NOTHING] == []


@pytest.mark.parametrize(
    ("path", "source", "reason"),
    [
        ("model/entity.py", "from xrm.service.records import write", "model is below service"),
        ("model/entity.py", "from xrm import store", "model is below store"),
        ("model/entity.py", "import xrm.store.records as records", "model is below store"),
        ("model/entity.py", "from ..store import records", "model is below store"),
        ("model/__init__.py", "from ..store import records", "model is below store"),
        (
            "model/entity.py",
            "def late():\n    try:\n        from xrm.store import records\n    except ImportError: pass",
            "model is below store",
        ),
        ("model/entity.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import xrm.store", "model is below store"),
        ("source/checks.py", "from xrm.compile.tables import tables", "source and compile are siblings"),
        ("web/staff.py", "from xrm.api import routes", "web and api are siblings"),
        ("source/schema.py", "import yaml", "yaml is imported in xrm.source.document only"),
        ("source/documents.py", "import yaml", "yaml is imported in xrm.source.document only"),
        ("expr/check.py", "from sqlalchemy import Column", "sqlalchemy is imported in xrm.expr.sql, xrm.compile, xrm.store only"),
        ("service/records.py", "import sqlalchemy.exc", "sqlalchemy is imported in"),
        ("service/records.py", "from starlette.requests import Request", "starlette is imported in"),
        ("web/staff.py", "import typer", "typer is imported in"),
        ("api/routes.py", "import uvicorn", "uvicorn is imported in"),
        ("hookspecs.py", "from xrm.model.entity import Entity", "hookspecs imports types only"),
        ("__init__.py", "from xrm.errors import Problem", "imports nothing"),
        ("stray.py", "", "stray has no place in LAYERS"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, path: str, source: str, reason: str) -> None:
    """Each rule fails on a tree that breaks it."""
    planted = tmp_path / "xrm" / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(source)
    found = violations(tmp_path)
    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("service/records.py", "from xrm import __version__\nfrom xrm.store import records\nfrom xrm.errors import Problem"),
        ("source/document.py", "import yaml"),
        ("expr/sql.py", "import sqlalchemy"),
        ("expr/sql/columns.py", "from sqlalchemy import Column"),
        ("web/staff.py", "from starlette.responses import Response\nfrom . import portal"),
        ("hookspecs.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xrm.service.context import Context"),
        ("commands/serve.py", "import typer\nimport uvicorn\nfrom xrm.bootstrap import wire"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, path: str, source: str) -> None:
    """The rules leave alone what the architecture allows."""
    planted = tmp_path / "xrm" / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(source)
    assert violations(tmp_path) == []
