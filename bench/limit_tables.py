"""The tables of the hand-written services: the columns and indexes of the table xrm makes, in each driver's cheapest form.

On SQLite ids are texts, since a hand-written service would spare itself the turning of bytes into text; instants are
ISO 8601 texts that go into JSON as they lie. Decimals are whole numbers of their smallest unit on both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg

from xrm.model.values import fold

Row = Mapping[str, Any]
COLUMNS = (
    "id", "number", "title", "title_key", "state", "state_since", "open", "flags", "version", "created_at", "created_by",
    "updated_at", "updated_by", "deleted_at", "category", "district", "requester", "channel", "priority", "anonymous",
    "confidential", "description", "address", "address_key", "place_lat", "place_lon", "depth", "labour", "materials",
    "cost", "due_on", "reported_at", "closed_at",
)  # fmt: skip
LINKED: Mapping[str, tuple[str, ...]] = {
    "category": ("id", "code", "name", "target_days", "needs_depth"),
    "district": ("id", "code", "name"),
    "person": ("id", "name", "phone", "email"),
    "staff": ("id", "label"),
}
PLACES: Mapping[str, int] = {"depth": 1, "labour": 2, "materials": 2, "cost": 2}
INDEXES = (
    "CREATE UNIQUE INDEX request_number ON request (number)",
    "CREATE INDEX request_title ON request (title_key)",
    "CREATE INDEX request_category ON request (category, id)",
    "CREATE INDEX request_district ON request (district, id)",
    "CREATE INDEX request_requester ON request (requester, id)",
    "CREATE INDEX request_created ON request (created_at DESC, id DESC)",
)


def tables(dialect: str) -> list[str]:
    """The DDL of one database."""
    return [*(text.format(**WORDS[dialect]) for text in DDL), *INDEXES]


WORDS: Mapping[str, Mapping[str, str]] = {
    "sqlite": {"id": "TEXT", "instant": "TEXT", "day": "TEXT", "text": "TEXT", "degrees": "REAL"},
    "postgresql": {"id": "UUID", "instant": "TIMESTAMPTZ", "day": "DATE", "text": 'TEXT COLLATE "C"', "degrees": "DOUBLE PRECISION"},
}


DDL = (
    """CREATE TABLE category (id {id} PRIMARY KEY, code {text} NOT NULL, name {text} NOT NULL, target_days BIGINT NOT NULL,
    needs_depth BOOLEAN NOT NULL)""",
    "CREATE TABLE district (id {id} PRIMARY KEY, code {text} NOT NULL, name {text} NOT NULL)",
    "CREATE TABLE person (id {id} PRIMARY KEY, name {text} NOT NULL, phone {text}, email {text})",
    "CREATE TABLE staff (id {id} PRIMARY KEY, label {text} NOT NULL)",
    """CREATE TABLE request (id {id} PRIMARY KEY, number {text} NOT NULL, title {text} NOT NULL, title_key {text} NOT NULL,
    state {text} NOT NULL, state_since {instant} NOT NULL, open BOOLEAN NOT NULL, flags {text}, version BIGINT NOT NULL,
    created_at {instant} NOT NULL, created_by {id} NOT NULL, updated_at {instant} NOT NULL, updated_by {id} NOT NULL,
    deleted_at {instant}, category {id} NOT NULL REFERENCES category, district {id} REFERENCES district,
    requester {id} REFERENCES person, channel {text} NOT NULL, priority {text} NOT NULL, anonymous BOOLEAN,
    confidential BOOLEAN, description {text}, address {text}, address_key {text}, place_lat {degrees}, place_lon {degrees},
    depth BIGINT, labour BIGINT, materials BIGINT, cost BIGINT, due_on {day}, reported_at {instant}, closed_at {instant})""",
)


def fill(url: str, linked: Mapping[str, Iterable[Row]], requests: Iterable[Row]) -> None:
    """Make the tables in an empty database and put in the records as xrm gives them (flat rows)."""
    rows = {name: [[row[column] for column in LINKED[name]] for row in found] for name, found in linked.items()}
    if url.startswith("sqlite"):
        _fill_sqlite(url.removeprefix("sqlite:///"), {**rows, "request": [_values(row, sqlite=True) for row in requests]})
    else:
        _fill_postgresql(url, {**rows, "request": [_values(row, sqlite=False) for row in requests]})


def _fill_sqlite(path: str, rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    for statement in tables("sqlite"):
        connection.execute(statement)
    connection.execute("BEGIN")
    for name, found in rows.items():
        marks = ", ".join("?" * len(found[0]))
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", found)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()


def _fill_postgresql(url: str, rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in tables("postgresql"):
            connection.execute(statement.encode())
        for name, found in rows.items():
            with connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as copy:
                for row in found:
                    copy.write_row(row)
        start = max(int(row[1][-6:]) for row in rows["request"]) + 1
        connection.execute(f"CREATE SEQUENCE request_seq START {start} INCREMENT 20".encode())
        connection.execute("VACUUM ANALYZE")


def _values(row: Row, sqlite: bool) -> list[Any]:
    place = row["place"]
    more = {
        "title_key": fold(row["title"]), "address_key": fold(row["address"]), "deleted_at": None,
        "place_lat": place.lat if place else None, "place_lon": place.lon if place else None,
    }  # fmt: skip
    return [_value(name, more[name] if name in more else row[name], sqlite) for name in COLUMNS]


def _value(name: str, value: object, sqlite: bool) -> object:
    if isinstance(value, Decimal):
        return int(value.scaleb(PLACES[name]))
    if sqlite and isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return value.isoformat() if sqlite and isinstance(value, date) else value
