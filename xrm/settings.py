"""What comes from the environment, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from xrm.errors import Invalid, Problem


@dataclass(frozen=True, slots=True)
class Settings:
    """``database_url`` is ``sqlite:///…`` or ``postgresql://…``; ``folder`` the application's; ``threads`` per process."""

    folder: Path
    database_url: str
    secret_file: Path | None
    threads: int

    @property
    def dialect(self) -> str:
        return self.database_url.partition(":")[0]


def settings(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``XRM_DATABASE_URL``, ``XRM_SECRET_FILE`` and ``XRM_THREADS``.

    Raises:
        Invalid: a setting is wrong (XRM801).
    """
    env = os.environ if environment is None else environment
    url = env.get("XRM_DATABASE_URL") or f"sqlite:///{quote(str(folder.resolve() / 'data' / 'xrm.db'))}"
    url = url.replace("postgres://", "postgresql://", 1).replace("postgresql+psycopg://", "postgresql://", 1)
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise _wrong("XRM_DATABASE_URL is not an address xrm knows", "sqlite:///PATH or postgresql://USER@HOST/NAME")
    secret = env.get("XRM_SECRET_FILE")
    if secret is None and url.startswith("sqlite"):
        secret = f"{unquote(url.removeprefix('sqlite:///'))}.key"
    return Settings(folder, url, Path(secret) if secret else None, _threads(env.get("XRM_THREADS", "4")))


def _threads(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise _wrong(f"XRM_THREADS is '{text}'", "a whole number from 1 to 64")
    return int(text)


def _wrong(message: str, hint: str) -> Invalid:
    return Invalid(Problem("XRM801", message, hint=hint))
