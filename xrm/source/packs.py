"""The standard packs: sets of entities that an application names in `use`.

They stand in ``entities/<pack>/`` at the root of the checkout and in ``xrm/standard/entities/<pack>/`` of the installed
package. Among the files of an application, and so in every release, a pack's files are called ``packs/<pack>/…``: a
release keeps the text it was made with, whatever a later xrm brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xrm.errors import Problem
from xrm.source.nearness import nearest
from xrm.source.outline import Part, Word

PREFIX = "packs/"
PACKAGE = Path(__file__).resolve().parents[1]
ROOTS = (PACKAGE / "standard" / "entities", PACKAGE.parent / "entities")


def known() -> Mapping[str, Path]:
    """The folder of every standard pack, by name."""
    root = next((root for root in ROOTS if root.is_dir()), None)
    return {folder.name: folder for folder in sorted(root.iterdir()) if any(folder.glob("*.yml"))} if root else {}


def texts(application: Part | None, files: Mapping[str, str]) -> tuple[Mapping[str, str], tuple[Problem, ...]]:
    """The files of the packs that an application uses, save those that stand among its own; what it names wrongly."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    folders = known()
    for word in application.words("use") if application else ():
        if any(name.startswith(f"{PREFIX}{word.text}/") for name in files):
            continue
        near = word.text if word.text in folders else nearest(word.text, folders)
        if near != word.text:
            problems.append(_unknown(word, near, tuple(folders)))
        if near:  # a misspelt one is read as what it was meant to be: one slip gives one problem
            found |= {f"{PREFIX}{near}/{path.name}": path.read_text(encoding="utf-8") for path in sorted(folders[near].glob("*.yml"))}
    return found, tuple(problems)


def _unknown(word: Word, near: str | None, names: tuple[str, ...]) -> Problem:
    hint = f"did you mean '{near}'?" if near else f"the packs: {', '.join(names)}"
    return Problem("XRM203", f"unknown pack '{word.text[:60]}'", word.place, ("use",), hint)
