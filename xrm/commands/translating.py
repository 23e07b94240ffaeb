"""The command for those who translate: what a language still lacks, as a file to fill in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xrm import plugins, source
from xrm.commands.options import Folder
from xrm.errors import Invalid, Problem, ordered
from xrm.source import translations
from xrm.source.names import locale_of
from xrm.source.scalars import LOCALE


def register(app: typer.Typer) -> None:
    app.command("translations", help="Write the texts that a language lacks, to be filled in.\n\nExample: xrm translations es")(
        _translations
    )


def _translations(
    language: Annotated[str, typer.Argument(help="The language: es, nl, es-MX …")],
    folder: Folder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON and write nothing.")] = False,
) -> None:
    lacking = _lacking(folder, language)
    tree = translations.as_tree(lacking)
    if as_json:
        print(json.dumps({"language": language, "missing": len(lacking), "texts": tree}, ensure_ascii=False, indent=2))
    elif not lacking:
        print(f"nothing is missing in '{language}'")
    else:
        path = _file(folder, language)
        path.parent.mkdir(exist_ok=True)
        path.write_text(translations.as_yaml(tree), encoding="utf-8")
        print(f"{path}: {len(lacking):,} text{'' if len(lacking) == 1 else 's'} to fill in")


def _lacking(folder: Path, language: str) -> tuple[translations.Slot, ...]:
    """Raises Invalid where it is no language, or the definition is not sound."""
    if not LOCALE.fullmatch(language):
        raise Invalid(Problem("XRM206", f"'{language[:60]}' is not a locale", hint="for example es or es-MX"))
    files = source.read_folder(folder).texts
    loaded = source.load_text(files, plugins.load(files)[0].functions)
    if loaded.application is None or loaded.meaning is None:
        raise Invalid(*ordered(problem for problem in loaded.problems if problem.severity == "error"))
    outline = loaded.meaning.outline
    return translations.missing(outline, locale_of(outline.application), language)


def _file(folder: Path, language: str) -> Path:
    """A file that is not there yet; several files may bring the texts of one language."""
    path = folder / "locale" / f"{language}.yml"
    number = 2
    while path.exists():
        path = folder / "locale" / f"{language}.{number}.yml"
        number += 1
    return path
