"""The pages of the hand-written services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ListPage:
    rows: Sequence[Sequence[Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class FormPage:
    pass


def list_page(page: ListPage) -> str:
    return ""


def form_page(page: FormPage) -> str:
    return ""
