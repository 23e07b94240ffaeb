"""Reference records: those that an application brings with its definition, because its rules name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyed:
    """A record as a definition names it: by its entity and by the value of that entity's ``key``."""

    entity: str
    key: str


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """A record of ``data/<entity>.yml``: the fields that the file names, links as :class:`Keyed`."""

    entity: str
    key: str
    values: Mapping[str, object]
    place: str
