"""The commands of the one who writes definitions: check, schema, new."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xrm import plugins
from xrm.commands import report
from xrm.errors import Problem, has_errors, ordered
from xrm.expr import Function
from xrm.model.application import Application
from xrm.source import Loaded, editor_schema, load, read_folder, starter

PluginReader = Callable[[Mapping[str, str]], tuple[Mapping[str, Function], Sequence[Problem]]]
"""From an application's files to the functions that its plugins add, and what is wrong with the plugins."""

UNKNOWN_FUNCTION = "XRM304"


class Format(StrEnum):
    text = "text"
    json = "json"


Folder = Annotated[Path, typer.Option("--app", help="The folder with xrm.yml.", metavar="DIR")]


def read_plugins(files: Mapping[str, str]) -> tuple[Mapping[str, Function], Sequence[Problem]]:
    """The plugins' functions, by running the plugins."""
    found, problems = plugins.load(files)
    return found.functions, problems


def checked(folder: Path, reader: PluginReader = read_plugins) -> Loaded:
    """The application in a folder, its plugins included, and every problem of both."""
    files = read_folder(folder).texts
    functions, refused = reader(files)
    loaded = load(folder, functions)
    if not refused:
        return loaded
    lines = {name: text.splitlines() for name, text in files.items()}
    shown = [_with_line(problem, lines) for problem in refused]
    own = [problem for problem in loaded.problems if problem.code != UNKNOWN_FUNCTION]
    problems = ordered([*own, *shown])
    return Loaded(None if has_errors(problems) else loaded.application, problems)


def _with_line(problem: Problem, lines: Mapping[str, Sequence[str]]) -> Problem:
    place = problem.place
    own = lines.get(place.file, ()) if place else ()
    return replace(problem, source=own[place.line - 1]) if place and place.line <= len(own) else problem


def check(folder: Path, form: Format, reader: PluginReader) -> int:
    """Prints what is wrong; 1 if there is an error, else 0."""
    loaded = checked(folder, reader)
    if form is Format.json:
        print(report.as_json(loaded.problems))
    elif loaded.problems:
        print(report.as_text(loaded.problems, colour=sys.stdout.isatty()))
        print()
    if form is Format.text:
        print(_summary(loaded))
    return 1 if loaded.application is None else 0


def _summary(loaded: Loaded) -> str:
    if loaded.application is None:
        return report.counted(loaded.problems)
    well = f"well: {_contents(loaded.application)}"
    return f"{well}; {report.counted(loaded.problems)}" if loaded.problems else well


def _contents(application: Application) -> str:
    own = [entity for entity in application.entities.values() if not entity.standard]
    fields = sum(len(entity.fields) for entity in own)
    entities = "1 entity" if len(own) == 1 else f"{len(own):,} entities"
    return f"{entities}, {fields:,} field{'' if fields == 1 else 's'}"


def schema(folder: Path, reader: PluginReader = read_plugins) -> str:
    """The editor's schema; where the folder holds a sound application, it knows its roles and entities."""
    application = checked(folder, reader).application if (folder / "xrm.yml").is_file() else None
    return json.dumps(editor_schema(application), indent=2, ensure_ascii=False)


def new(folder: Path) -> tuple[str, ...]:
    """Writes a small application into an empty folder; the names of its files.

    Raises:
        FileExistsError: there is something in the folder.
        OSError: the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not an empty folder")
    files = dict(starter.files(folder.resolve().name))
    files[".xrm/schema.json"] = json.dumps(editor_schema(None), indent=2, ensure_ascii=False) + "\n"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(files)


def register(app: typer.Typer, reader: PluginReader = read_plugins) -> None:
    """Adds the commands. ``reader`` reads the plugins of the application that is checked."""

    @app.command("check", help="Check an application.\n\nExample: xrm check --app examples/city311")
    def _check(
        folder: Folder = Path(),
        form: Annotated[Format, typer.Option("--format", help="How problems are printed.")] = Format.text,
    ) -> None:
        raise typer.Exit(check(folder, form, reader))

    @app.command("schema", help="Print the JSON Schema for editors.\n\nExample: xrm schema > .xrm/schema.json")
    def _schema(folder: Folder = Path()) -> None:
        print(schema(folder, reader))

    @app.command("new", help="Make a small application to start from.\n\nExample: xrm new my-city")
    def _new(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there.")]) -> None:
        try:
            names = new(folder)
        except OSError as error:
            print(f"xrm new: {error}", file=sys.stderr)
            raise typer.Exit(2) from None
        print("\n".join(f"made {folder / name}" for name in names))
        print(f"next: xrm check --app {folder}")
