"""Ids that a statement is given in its parameters, as many as there are: asking about records without asking which list they are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from xrm.compile.columns import BYTES, TEXT, DialectName, id_bytes, json_text


@dataclass(frozen=True, slots=True)
class InHand:
    """Whether an id is among those that are bound. A statement asks it once."""

    dialect: DialectName

    @property
    def marks(self) -> tuple[tuple[str, Callable[[Sequence[str]], Any]], ...]:
        """The names of the parameters, and what makes the value of each of the ids. SQLite has no arrays: it gets the ids one after
        the other, and where each begins."""
        if self.dialect == "postgresql":
            return (("ids", list),)
        return ("ids", lambda ids: b"".join(map(id_bytes, ids))), ("at", lambda ids: json_text([16 * n + 1 for n in range(len(ids))]))

    def bind(self, ids: Sequence[str]) -> Mapping[str, Any]:
        return {name: convert(ids) for name, convert in self.marks}

    def __call__(self, id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        ids = sa.bindparam("ids", type_=BYTES, required=True)
        if self.dialect == "postgresql":
            return id == sa.func.any(sa.cast(ids, postgresql.ARRAY(postgresql.UUID(as_uuid=False))))
        places = sa.func.json_each(sa.bindparam("at", type_=TEXT, required=True)).table_valued("value", joins_implicitly=True).alias()
        return id.in_(sa.select(sa.func.substr(ids, places.c.value, sa.literal_column("16"))))
