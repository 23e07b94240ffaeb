"""Rows: the records of a field. An order's ``lines`` are rows; each has its own fields, and belongs to its record."""

from __future__ import annotations

from xrm.model.entity import Entity
from xrm.model.fields import Field

ROW_NAMES = ("id", "record", "position")
"""Names that no field of a row may have: columns that xrm keeps for every row."""

ID = Field("id", "link", {}, system=True)


def row_entity(entity: Entity, field: Field) -> Entity:
    """The rows of a field as an entity of their own, for all that is the same for both: rules, columns, encoding.

    It is not one of the application's: no table, page or endpoint of an entity is made for it.
    """
    return Entity(f"{entity.name}.{field.name}", field.label, field.label, "list", field.rows, {"id": ID}, title="{id}")


def rows_of(entity: Entity) -> tuple[Field, ...]:
    """The fields of an entity that hold rows."""
    return tuple(field for field in entity.fields.values() if field.type == "rows")
