"""The reference pages of the commands and of the hooks, written from Typer and from ``hookspecs``.

python -m xrm.commands.reference commands > docs/reference/commands.md
python -m xrm.commands.reference plugins > docs/reference/plugins.md
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from xrm import commands, hookspecs, plugins

COMMANDS_HEAD = """# Commands

<!-- Written by xrm.commands.reference; `python -m xrm.commands.reference commands > docs/reference/commands.md` -->

`xrm COMMAND --help` says the same. Each command that works on an application takes `--app DIR` (default: here). The
database is `XRM_DATABASE_URL`, else SQLite in the application's `data/`.

Exit codes: **0** well, **1** what was given is wrong (each problem is printed with its code and a hint, on the standard
error), **2** wrong usage of the command.
"""

PLUGINS_HEAD = '''# Plugins

<!-- Written by xrm.commands.reference; `python -m xrm.commands.reference plugins > docs/reference/plugins.md` -->

A plugin is a Python file in the application's `plugins/` folder. It is part of the definition: `xrm check` loads it, and
`xrm apply` keeps its text in the release, so that what runs is what was applied. It marks functions with `@hookimpl`:

```python
"""Requests from the web get a subject, and no request is about nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from xrm.plugins import PluginContext, Problem, hookimpl


@hookimpl
def prepare_record(entity: str, values: dict[str, Any], before: Mapping[str, Any] | None) -> None:
    if entity == "request" and before is None and not values.get("subject"):
        values["subject"] = "Without a subject"


@hookimpl
def validate_record(entity: str, record: Mapping[str, Any], context: PluginContext) -> Sequence[Problem] | None:
    if entity == "request" and record["subject"] == "Nothing":
        return [Problem("XRM504", "A request is about something", path=("subject",))]
    return None
```

- A hook takes the arguments it needs, by name. A misspelt hook or argument is refused with its line (XRM702).
- Several plugins may implement one hook; each is called.
- Plugins are trusted code. They read and write through the service: `context.find` reads as the system, a page's
  `request.find` with the rights of the user who opened it.
- A plugin that raises an error refuses the write with XRM703; the traceback is in the log. To refuse in words of your
  own, return problems from `validate_record`.
- Use no network and no files inside `validate_record`: it runs in the transaction.
- Functions for expressions run in Python only: a filter, a row rule or a view that uses one is refused (XRM307).

## Hooks
'''
GIVEN = (plugins.PluginContext, plugins.Committed, plugins.Route, plugins.PageRequest)


def hooks() -> dict[str, Callable[..., Any]]:
    """The hooks by name, in the order in which they stand in ``hookspecs``."""
    return {name: function for name, function in vars(hookspecs).items() if hasattr(function, "xrm_spec")}


def signature(function: Callable[..., Any]) -> str:
    """``def name(…) -> …`` as it is written, on one line."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    returns = f" -> {ast.unparse(definition.returns)}" if definition.returns else ""
    return f"def {definition.name}({ast.unparse(definition.args)}){returns}"


def plugins_page() -> str:
    parts = [PLUGINS_HEAD]
    for name, function in hooks().items():
        parts.append(f"### {name}\n\n```python\n{signature(function)}\n```\n\n{inspect.getdoc(function)}\n")
    parts.append("## What hooks get and give\n")
    parts += [f"### {kind.__name__}\n\n```python\n{inspect.getsource(kind).strip()}\n```\n" for kind in GIVEN]
    return "\n".join(parts)


def all_commands(groups: Iterable[str] = commands.VERBS) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Every command of some groups by its full name, such as ``user add``."""
    group = typer.main.get_command(commands.command(groups))
    assert isinstance(group, TyperGroup)
    yield from _below(group, "")


def _below(group: TyperGroup, prefix: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield f"{prefix}{name}", command
            yield from _below(command, f"{prefix}{name} ")
        elif isinstance(command, TyperCommand):
            yield f"{prefix}{name}", command


def commands_page() -> str:
    return "\n".join([COMMANDS_HEAD, *(_command(name, command) for name, command in all_commands())])


def _command(name: str, command: TyperCommand | TyperGroup) -> str:
    words, _, example = inspect.cleandoc(command.help or "").partition("\n\nExample: ")
    usage = " ".join(_usage(command))
    lines = [f"## xrm {name}", "", words, "", f"    xrm {name}{' ' + usage if usage else ''}", ""]
    rows = [row for parameter in command.params if (row := _parameter(parameter))]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join([*lines, f"Example: `{example}`", ""])


def _usage(command: TyperCommand | TyperGroup) -> Iterator[str]:
    if any(isinstance(parameter, TyperOption) for parameter in command.params):
        yield "[OPTIONS]"
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            yield parameter.metavar or (parameter.name or "").upper()


def _parameter(parameter: object) -> str | None:
    if isinstance(parameter, TyperArgument):
        return f"| `{parameter.metavar or (parameter.name or '').upper()}` | {parameter.help or ''} |"
    if not isinstance(parameter, TyperOption) or parameter.name == "help":
        return None
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = (
        f" Default: `{getattr(default, 'value', default)}`."
        if default not in (None, False) and not callable(default) and str(default) != "."
        else ""
    )
    needed = " Required." if parameter.required else ""
    return f"| {names} | {parameter.help or ''}{needed}{shown} |"


def main(page: str) -> None:
    print({"commands": commands_page, "plugins": plugins_page}[page](), end="")


if __name__ == "__main__":
    main(sys.argv[1])
