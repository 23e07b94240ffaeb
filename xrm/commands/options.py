"""What most commands are given."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--app", help="The folder with xrm.yml.", metavar="DIR")]


class Format(StrEnum):
    text = "text"
    json = "json"
