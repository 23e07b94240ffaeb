"""The command that answers "what is this?": a key of the language, a thing of the application and where it is used, a code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

import xrm
from xrm import plugins, source
from xrm.commands.options import Folder, Format
from xrm.errors import CODES, Invalid, Problem, has_errors, nearest, ordered
from xrm.source.explain import Explanation, explain_key, explain_thing, key_paths, things
from xrm.source.usage import Use, named, uses

CODE = re.compile(r"(?i:xrm)?([1-8]\d\d)")
SECTION = r"^### {}: .+?\n(.*?)(?=^##|\Z)"


def explain(folder: Path, word: str, *, used: bool, form: Format) -> int:
    """Prints what a word means.

    Raises:
        Invalid: nothing is called so (XRM203), or ``used`` is asked of an application that is not sound.
    """
    found = CODE.fullmatch(word)
    if found:
        explanation = _code(f"XRM{found[1]}")
        places: tuple[Use, ...] = ()
    else:
        explanation, places = _word(folder, word, used)
    print(_as_json(explanation, places, used) if form is Format.json else _as_text(explanation, places, word, used))
    return 0


def _word(folder: Path, word: str, used: bool) -> tuple[Explanation, tuple[Use, ...]]:
    files = source.read_folder(folder).texts if (folder / "xrm.yml").is_file() else {}
    loaded = source.load_text(files, plugins.load(files)[0].functions) if files else None
    known = things(loaded) if loaded else {}
    thing = known.get(word)
    if thing is not None and loaded is not None and loaded.meaning is not None:
        its = named(uses(loaded.meaning, files), thing) if used else ()
        return explain_thing(loaded, thing, files), its
    if loaded and has_errors(loaded.problems) and (used or explain_key(word) is None):
        raise Invalid(*ordered(problem for problem in loaded.problems if problem.severity == "error"))
    explanation = explain_key(word)
    if explanation is None or used:
        raise _unknown(word, [*known, *(() if used else key_paths())], has_folder=bool(files))
    return explanation, ()


def _unknown(word: str, names: list[str], *, has_folder: bool) -> Invalid:
    near = nearest(word, names)
    hint = f"did you mean '{near}'?" if near else "a key as in fields.link.to, a type, a code as in XRM203"
    if not has_folder:
        hint += "; things of an application are known in its folder (--app DIR)"
    return Invalid(Problem("XRM203", f"nothing is called '{word[:60]}'", hint=hint))


def _code(code: str) -> Explanation:
    if code not in CODES:
        raise Invalid(Problem("XRM203", f"there is no code {code}", hint=f"did you mean {nearest(code, CODES)}?"))
    section = re.search(SECTION.format(code), problems_page(), re.MULTILINE | re.DOTALL)
    return Explanation(f"{code}: {CODES[code]}", section[1].strip() if section else "")


def problems_page() -> str:
    """The page on problems; in the wheel it travels as data, in a checkout it is read from ``docs``."""
    package = Path(xrm.__file__).parent
    pages = (package / "standard/problems.md", package.parent / "docs/reference/problems.md")
    return next((page.read_text(encoding="utf-8") for page in pages if page.is_file()), "")


# -- printing --------------------------------------------------------------------------------------------------------


def _as_json(explanation: Explanation, places: tuple[Use, ...], used: bool) -> str:
    listed = [{"place": str(use.place), "by": list(use.by)} for use in places]
    return json.dumps(explanation.as_json() | ({"used": listed} if used else {}), indent=2, ensure_ascii=False)


def _as_text(explanation: Explanation, places: tuple[Use, ...], word: str, used: bool) -> str:
    if used:
        return _used(places, word)
    parts = [explanation.title, explanation.text]
    width = max((len(name) for name, _ in explanation.facts), default=0)
    if explanation.facts:
        parts.append("\n".join(f"  {name:<{width}}  {words}" for name, words in explanation.facts))
    if explanation.example:
        parts.append("Example:\n" + _indented(explanation.example))
    if explanation.place and explanation.source:
        parts.append(f"{explanation.place}\n" + _indented(explanation.source))
    if explanation.thing:
        parts.append(f"Where it is used: xrm explain {word} --used")
    return "\n\n".join(part for part in parts if part)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _used(places: tuple[Use, ...], word: str) -> str:
    if not places:
        return f"{word} is used nowhere."
    width = max(len(str(use.place)) for use in places)
    rows = [f"{use.place!s:<{width}}  {_by(use)}" for use in places]
    return "\n".join([*rows, f"{word} is used in {len(places):,} place{'' if len(places) == 1 else 's'}."])


def _by(use: Use) -> str:
    return "the text of a plugin" if use.place.file.startswith("plugins/") else " → ".join(use.by)


def register(app: typer.Typer) -> None:
    """Adds the command."""

    @app.command(
        "explain",
        help="Say what a word means: a key of the language, a thing of the application, a code.\n\nExample: xrm explain fields.link.to",
    )
    def _explain(
        word: Annotated[str, typer.Argument(help="fields.link.to, lifecycle.states, money, request.category, agent, XRM203 …")],
        folder: Folder = Path(),
        used: Annotated[bool, typer.Option("--used", help="List every place that names it, in plugins too.")] = False,
        form: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.text,
    ) -> None:
        raise typer.Exit(explain(folder, word, used=used, form=form))
