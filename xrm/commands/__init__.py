"""The ``xrm`` command: a file for each group of verbs. Exit codes: 0 well, 1 the input is wrong, 2 wrong usage."""

from __future__ import annotations

import sys

import typer

from xrm import __version__
from xrm.commands import accounts, definition, explaining, jobs, releases, report, serving, tables, transfer, translating
from xrm.errors import XrmError, ordered

app = typer.Typer(
    name="xrm",
    help="Compile an agency's YAML into a running system.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (definition, explaining, translating, tables, releases, serving, jobs, accounts, transfer):
    group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"xrm {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Nothing of its own: the verbs do the work."""


def main() -> None:
    """Run a command; what the user got wrong is printed with its place and ends with 1, never with a traceback."""
    try:
        app()
    except XrmError as error:
        print(report.as_text(ordered(error.problems), colour=sys.stderr.isatty()), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
