"""The commands of the one who writes definitions: check, schema, new."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from xrm.commands import report
from xrm.commands.options import Folder, Format
from xrm.model.application import Application
from xrm.proposal import Proposed, propose
from xrm.source import editor_schema, load_text, starter

SCHEMA = ".xrm/schema.json"
"""Where the first line of the files that ``xrm new`` makes tells editors to look."""


def check(folder: Path, form: Format) -> int:
    """Prints what is wrong; 1 if there is an error, else 0. What the editor knows of a sound application is kept up to date."""
    loaded = propose(folder)
    if loaded.application:
        refresh(folder, loaded.application)
    if form is Format.json:
        print(report.as_json(loaded.problems))
    elif loaded.problems:
        print(report.as_text(loaded.problems, colour=sys.stdout.isatty()))
        print()
    if form is Format.text:
        print(_summary(loaded))
    return 1 if loaded.application is None else 0


def _summary(loaded: Proposed) -> str:
    if loaded.application is None:
        return report.counted(loaded.problems)
    well = f"well: {_contents(loaded.application)}"
    return f"{well}; {report.counted(loaded.problems)}" if loaded.problems else well


def _contents(application: Application) -> str:
    own = [entity for entity in application.entities.values() if not entity.standard]
    fields = sum(len(entity.fields) for entity in own)
    entities = "1 entity" if len(own) == 1 else f"{len(own):,} entities"
    return f"{entities}, {fields:,} field{'' if fields == 1 else 's'}"


def schema(folder: Path) -> str:
    """The editor's schema; where the folder holds a sound application, it knows its names."""
    application = propose(folder).application if (folder / "xrm.yml").is_file() else None
    return _schema_text(application).rstrip()


def refresh(folder: Path, application: Application) -> None:
    """Writes the editor's schema anew where the folder has one; a folder that cannot be written is left as it is."""
    path = folder / SCHEMA
    with contextlib.suppress(OSError):
        if path.is_file() and path.read_text(encoding="utf-8") != (text := _schema_text(application)):
            path.write_text(text, encoding="utf-8")


def _schema_text(application: Application | None) -> str:
    """On one line: of a large application it is megabytes, which editors read and nobody else."""
    return json.dumps(editor_schema(application), ensure_ascii=False) + "\n"


def new(folder: Path) -> tuple[str, ...]:
    """Writes a small application into an empty folder; the names of its files.

    Raises:
        FileExistsError: there is something in the folder.
        OSError: the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not an empty folder")
    files = dict(starter.files(folder.resolve().name))
    made = load_text({name: text for name, text in files.items() if name.endswith(".yml")}).application
    files[SCHEMA] = _schema_text(made)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(files)


def register(app: typer.Typer) -> None:
    """Adds the commands."""

    @app.command("check", help="Check an application.\n\nExample: xrm check --app examples/city311")
    def _check(
        folder: Folder = Path(),
        form: Annotated[Format, typer.Option("--format", help="How problems are printed.")] = Format.text,
    ) -> None:
        raise typer.Exit(check(folder, form))

    @app.command("schema", help="Print the JSON Schema for editors.\n\nExample: xrm schema > .xrm/schema.json")
    def _schema(folder: Folder = Path()) -> None:
        print(schema(folder))

    @app.command("new", help="Make a small application to start from.\n\nExample: xrm new my-city")
    def _new(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there.")]) -> None:
        try:
            names = new(folder)
        except OSError as error:
            print(f"xrm new: {error}", file=sys.stderr)
            raise typer.Exit(2) from None
        print("\n".join(f"made {folder / name}" for name in names))
        print(f"next: xrm check --app {folder}")
