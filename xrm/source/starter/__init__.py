"""The application that ``xrm new`` makes: small, whole and explained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files as resources

NAMES = ("xrm.yml", "entities/category.yml", "entities/request.yml", "plugins/greeting.py", "README.md")
PLACEHOLDER = "my_agency"
MOST = 40


def files(folder: str) -> Mapping[str, str]:
    """The text of every file by its path; the application is named after the folder."""
    home = resources(__name__)
    texts = {name: home.joinpath(f"{name}.txt").read_text(encoding="utf-8") for name in NAMES}
    return {name: text.replace(PLACEHOLDER, application_name(folder)) for name, text in texts.items()}


def application_name(folder: str) -> str:
    """An identifier made from the name of a folder."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")[:MOST].strip("_")
    return name if re.match(r"[a-z]", name) else f"{PLACEHOLDER}_{name}".rstrip("_")
