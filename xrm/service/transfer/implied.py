"""What need not be said: by which fields a record can be found, and the map of a file whose columns are called like fields."""

from __future__ import annotations

from xrm.errors import Place
from xrm.model.entity import Entity
from xrm.service.transfer.outline import Column, Outline, Target
from xrm.source.document import Scalar


def keys_of(entity: Entity) -> tuple[tuple[str, ...], ...]:
    """The sets of fields by which one record can be told from all others."""
    own = [(entity.key,)] if entity.key else []
    single = [(name,) for name, one in entity.fields.items() if one.unique and name != entity.key]
    numbered = [("number",)] if entity.number else []
    return (*own, *single, *(one.fields for one in entity.unique), *numbered, ("id",))


def implied(entity: Entity, names: tuple[str, ...], table: str, columns: tuple[str, ...], *, historic: bool) -> Outline:
    """The map of a file whose columns are called like fields. ``names`` are the fields that may be filled.

    What xrm keeps or computes itself is left out, as an export has it too.
    """

    def word(text: str) -> Scalar:
        return Scalar(text, text, "", Place(table, 1, 1))

    key = _implied_key(entity, columns)
    kept = [name for name in columns if name not in names and name not in key and entity.field(name)]
    filled = tuple(Column(word(name), (Target(word(name)),)) for name in columns if name not in kept)
    return Outline(
        table, (), word(entity.name), tuple(word(name) for name in key), historic, columns=filled,
        skip=tuple(word(name) for name in kept),
    )  # fmt: skip


def _implied_key(entity: Entity, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The id, else the number, else the first unique set that the columns have."""
    first = (("id",), ("number",))
    others = tuple(one for one in keys_of(entity) if one not in first)
    return next((one for one in (*first, *others) if set(one) <= set(columns)), ())
