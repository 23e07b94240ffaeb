"""The ``xrm`` command: a file for each group of verbs. Exit codes: 0 well, 1 the input is wrong, 2 wrong usage.

Only the file that the verb stands in is imported: whoever checks a definition does not wait for the server and the
database to be imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import nullcontext
from importlib import import_module
from itertools import pairwise

import typer

from xrm import __version__
from xrm.collecting import uncollected
from xrm.commands import report
from xrm.errors import XrmError, ordered

VERBS = {
    "definition": ("check", "schema", "new"),
    "explaining": ("explain",),
    "translating": ("translations",),
    "tables": ("plan", "apply", "verify"),
    "releases": ("releases", "diff"),
    "serving": ("serve",),
    "jobs": ("jobs",),
    "accounts": ("user", "token"),
    "transfer": ("import", "export"),
}
"""The files and their verbs, in the order of the help."""


def command(groups: Iterable[str] = VERBS) -> typer.Typer:
    """The command with the verbs of some groups, usually all."""
    app = typer.Typer(
        name="xrm",
        help="Compile an agency's YAML into a running system.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for group in groups:
        import_module(f"xrm.commands.{group}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print(f"xrm {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Nothing of its own: the verbs do the work."""


def _wants_json(words: list[str]) -> bool:
    return "--format=json" in words or any(pair == ("--format", "json") for pair in pairwise(words))


def main() -> None:
    """Run a command; what the user got wrong is printed with its place, as JSON where that was asked for, and ends with 1, never with a
    traceback."""
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    groups = [group for group, verbs in VERBS.items() if verb in verbs]
    try:
        with uncollected() if groups == ["definition"] else nullcontext():  # it reads a definition, and the process ends
            command(groups or VERBS)()
    except XrmError as error:
        if _wants_json(sys.argv):
            print(report.as_json(ordered(error.problems)))
            sys.exit(1)
        print(report.as_text(ordered(error.problems), colour=sys.stderr.isatty()), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
