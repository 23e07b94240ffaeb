"""What stands in the database: its tables with their columns, foreign keys and indexes, read in a few queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xrm.store.database import Connection

COLUMNS = {
    "sqlite": (
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        " ORDER BY m.name, c.cid"
    ),
    "postgresql": (
        "SELECT t.relname, a.attname FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid"
        " WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY t.relname, a.attnum"
    ),
}
KEYS = {
    "sqlite": (
        "SELECT m.name, k.\"from\", k.\"table\", '' FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'"
        " ORDER BY m.name, k.id"
    ),
    "postgresql": (
        "SELECT t.relname, a.attname, r.relname, k.conname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid"
        " JOIN pg_class r ON r.oid = k.confrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND t.relnamespace = current_schema()::regnamespace ORDER BY t.relname, k.conname"
    ),
}
INDEXES = {
    "sqlite": "SELECT name, tbl_name, 1 FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    "postgresql": (
        "SELECT i.relname, t.relname, x.indisvalid FROM pg_index x"
        " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
        " WHERE t.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid"
        " AND k.contype IN ('p', 'u', 'x')) ORDER BY i.relname"
    ),
}


PRIMARY = (
    "SELECT t.relname, k.conname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid"
    " WHERE k.contype = 'p' AND t.relnamespace = current_schema()::regnamespace"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key of one column. ``name`` is empty on SQLite, where it stands in its column."""

    column: str
    target: str
    name: str


@dataclass(frozen=True, slots=True)
class StandingTable:
    name: str
    columns: tuple[str, ...]
    keys: tuple[Key, ...]
    stood: str
    """Its name before the renames of a plan."""
    primary: str = ""
    """The name of its primary key (PostgreSQL)."""

    @property
    def ours(self) -> bool:
        """Whether xrm made it: on PostgreSQL other tables may stand beside ours."""
        has = set(self.columns)
        return self.name.startswith("xrm_") or {"title_key", "version", "created_by"} <= has or self.part is not None

    @property
    def part(self) -> tuple[str, str] | None:
        """The entity's table and the field that a child table holds."""
        entity, _, field = self.name.partition("__")
        return (entity, field) if field and {"record", "position"} <= set(self.columns) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """``indexes`` gives the table of each index by the index's name; ``broken`` those that a stopped build left unusable."""

    tables: Mapping[str, StandingTable] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()


def standing(connection: Connection) -> Standing:
    dialect = connection.dialect
    columns: dict[str, list[str]] = {}
    for table, column in connection.all(COLUMNS[dialect]):
        columns.setdefault(table, []).append(column)
    keys: dict[str, list[Key]] = {}
    for table, column, target, name in connection.all(KEYS[dialect]):
        keys.setdefault(table, []).append(Key(column, target, name))
    primary: dict[str, str] = dict(connection.all(PRIMARY)) if dialect == "postgresql" else {}
    tables = {
        name: StandingTable(name, tuple(its), tuple(keys.get(name, ())), name, primary.get(name, "")) for name, its in columns.items()
    }
    rows = connection.all(INDEXES[dialect])
    return Standing(tables, {row[0]: row[1] for row in rows}, frozenset(row[0] for row in rows if not row[2]))
