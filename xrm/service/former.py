"""What the change log says, under the names that things have now: a change is sealed, and is never rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xrm.compile.pairing import Renaming
from xrm.model.standard import USER
from xrm.store.database import Database
from xrm.store.releases import renamings


class Former:
    """What an entity's changes say, as the release of now would say it."""

    def __init__(self, database: Database, entity: str) -> None:
        its = ("field", "option", "state", "transition", *(("role",) if entity == USER else ()))
        self._renamed = [(later, one) for later, one in renamings(database) if one.what in its and one.entity in (entity, "")]

    def fields(self, found: dict[str, tuple[Any, Any]], release: int) -> dict[str, tuple[Any, Any]]:
        """The fields of a change, before and after, that was made under a release."""
        for later, one in self._renamed:
            if release < later and one.what != "transition":
                found = _renamed(found, one)
        return found

    def transition(self, name: str | None, release: int) -> str | None:
        for later, one in self._renamed:
            if release < later and one.what == "transition" and one.was == name:
                name = one.now
        return name


def entity_now(database: Database, name: str, release: int) -> str:
    """What an entity that was called so under a release is called now."""
    for later, one in renamings(database):
        if release < later and one.what == "entity" and one.was == name:
            name = one.now
    return name


def _renamed(found: Mapping[str, Any], one: Renaming) -> dict[str, Any]:
    """What a change says, under a name that came later."""
    if one.what == "field" and not one.field:
        return {one.now if name == one.was else name: pair for name, pair in found.items()}
    if one.what == "field":
        return {name: [_rows_renamed(side, one) for side in pair] if name == one.field else pair for name, pair in found.items()}
    field = one.field or "roles"
    return {name: [_value_renamed(side, one) for side in pair] if name == field else pair for name, pair in found.items()}


def _value_renamed(side: Any, one: Renaming) -> Any:
    if isinstance(side, list):
        return [_value_renamed(item, one) for item in side]
    return one.now if side == one.was else side


def _rows_renamed(side: Any, one: Renaming) -> Any:
    if not isinstance(side, list):
        return side
    return [{one.now if name == one.was else name: value for name, value in row.items()} if isinstance(row, dict) else row for row in side]
