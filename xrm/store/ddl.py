"""How DDL is written: on SQLite, foreign keys stand in their column, so that the column can be dropped again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler
from sqlalchemy.engine import Dialect

from xrm.compile.columns import DialectName
from xrm.compile.tables import REFERENCES


class KeysInColumns(SQLiteDDLCompiler):
    """SQLite drops a column with ``REFERENCES`` of its own, but not one that a constraint of the table names."""

    def get_column_specification(self, column: sa.Column[Any], **options: Any) -> str:
        text: str = super().get_column_specification(column, **options)  # type: ignore[no-untyped-call]
        target = column.info.get(REFERENCES)
        return f"{text} REFERENCES {self.preparer.quote(target)} (id)" if target else text

    def create_table_constraints(self, table: sa.Table, _include_foreign_key_constraints: Any = None, **options: Any) -> str:
        keys = [key for key in table.foreign_key_constraints if not any(REFERENCES in c.info for c in key.columns)]
        text: str = super().create_table_constraints(  # type: ignore[no-untyped-call]
            table, _include_foreign_key_constraints=keys, **options
        )
        return text


def ddl_dialect(name: DialectName) -> Dialect:
    if name == "postgresql":
        return psycopg.dialect()  # type: ignore[no-untyped-call]
    dialect = sqlite.dialect()
    dialect.ddl_compiler = KeysInColumns
    return dialect
