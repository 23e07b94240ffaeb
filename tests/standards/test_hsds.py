"""The Human Services Data Specification as an application: nothing of its schema is missing, and its sample rows come back as they were.

Schema and rows are read from the shared data when the test runs; `hsds/` beside this file is the application.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from tests.standards.checking import checked
from tests.support.application import Applications, Person
from tests.transfer.samples import imported, words
from xrm.model.application import Application
from xrm.service.transfer.exporting import Export, export
from xrm.source import read_folder

TEXTS = dict(read_folder(Path(__file__).parent / "hsds").texts)
TYPES: Mapping[tuple[str, str], set[str]] = {
    ("string", ""): {"text", "long_text"}, ("string", "email"): {"email"}, ("string", "uri"): {"url"}, ("string", "uuid"): {"text"},
    ("number", ""): {"integer", "decimal"}, ("date", ""): {"date"}, ("time", ""): {"time"}, ("datetime", ""): {"datetime"},
}  # fmt: skip
"""What a type and format of the specification may be in the application."""
OTHERWISE = {"id": "uid", "number": "phone_number", "title": "job_title", "updated_by": "changed_by", "version": "edition"}
"""Names that every record has, so that the application calls them otherwise."""
LINKS_OTHERWISE = {"taxonomy_id": "taxonomy_id", "parent_id": "parent_term"}
UNDECLARED = {("organization", "parent_organization_id"): "organization", ("taxonomy_term", "parent_id"): "taxonomy_term"}
"""Links that the specification describes in words only."""


@dataclass(frozen=True)
class Table:
    """One table of the specification. ``links``: the table that each foreign key leads to."""

    name: str
    fields: Mapping[str, Mapping[str, Any]]
    links: Mapping[str, str]

    def field(self, column: str) -> str:
        """What the application calls a column."""
        return LINKS_OTHERWISE.get(column, column.removesuffix("_id")) if column in self.links else OTHERWISE.get(column, column)


@dataclass(frozen=True)
class Specification:
    """The shared data."""

    folder: Path

    @cached_property
    def tables(self) -> dict[str, Table]:
        described = json.loads((self.folder / "datapackage.json").read_text(encoding="utf-8"))
        tables = {}
        for resource in described["resources"]:
            name, schema = resource["name"], resource["schema"]
            assert schema["primaryKey"] == "id"
            declared = {key["fields"]: key["reference"]["resource"] for key in schema.get("foreignKeys", [])}
            said = {column: to for (table, column), to in UNDECLARED.items() if table == name}
            tables[name] = Table(name, {one["name"]: one for one in schema["fields"]}, {**said, **declared})
        return tables

    @property
    def ordered(self) -> list[Table]:
        """Every table after those that it links to."""
        return [self.tables[name] for name in TopologicalSorter(
            {table.name: {to for to in table.links.values() if to != table.name} for table in self.tables.values()}
        ).static_order()]  # fmt: skip

    def table_of(self, columns: set[str]) -> Table:
        (found,) = (table for table in self.tables.values() if set(table.fields) == columns)
        return found

    @cached_property
    def csv_rows(self) -> dict[str, list[dict[str, str]]]:
        """The rows of each table, from the files that have its columns."""
        rows = {}
        for path in sorted((self.folder / "examples" / "csv").glob("*.csv")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                table = self.table_of(set(reader.fieldnames or ()))
                rows[table.name] = list(reader)
        return rows

    @cached_property
    def json_rows(self) -> dict[str, list[dict[str, Any]]]:
        """The same tables as JSON."""
        tabular = json.loads((self.folder / "examples" / "tabular.json").read_text(encoding="utf-8"))
        return {self.table_of(set(rows[0])).name: rows for rows in tabular.values()}

    def dangling(self, rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, set[str]]:
        """Ids that the rows link to and that none of them has: the samples were written apart from one another."""
        there = {name: {row["id"] for row in its} for name, its in rows.items()}
        missing: dict[str, set[str]] = {}
        for name, its in rows.items():
            for row in its:
                for column, to in self.tables[name].links.items():
                    if row.get(column) and row[column] not in there.get(to, ()):
                        missing.setdefault(to, set()).add(row[column])
        return missing


def options(model: Application, table: Table, column: str) -> dict[str, str]:
    """The words of the specification for the options of a choice, and their names."""
    its = model.entities[table.name].fields[table.field(column)].options
    return {option.label["en"] if " " in option.label["en"] else option.name: option.name for option in its}


def test_nothing_of_the_schema_is_missing(shared_data: Callable[[str], Path]) -> None:
    """21 tables and 183 fields, one by one: type, format, required, unique, enumerations, foreign keys; and the application has no more."""
    specification = Specification(shared_data("hsds"))
    model = checked(TEXTS)
    assert {*specification.tables, "user"} == set(model.entities)
    compared = 0
    for table in specification.tables.values():
        entity = model.entities[table.name]
        assert {table.field(column) for column in table.fields} == set(entity.fields), table.name
        assert entity.key == "uid"
        for column, said in table.fields.items():
            where, found, constraints = f"{table.name}.{column}", entity.fields[table.field(column)], said["constraints"]
            wanted = (
                {"link"} if column in table.links else {"choice"} if "enum" in constraints else TYPES[said["type"], said.get("format", "")]
            )
            assert found.type in wanted, where
            assert found.to == table.links.get(column), where
            assert set(options(model, table, column)) == set(constraints.get("enum", ())), where
            assert bool(found.required) == constraints["required"], where
            assert found.unique == constraints["unique"], where
            compared += 1
    assert (len(specification.tables), compared) == (21, 183)
    assert sum(len(table.links) for table in specification.tables.values()) == 31 + len(UNDECLARED)


def test_rows_of_csv_come_back_as_they_were(application: Applications, shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """Each file goes in by an import and comes out of an export equal, cell by cell; the same export changes nothing when it is imported."""
    specification, running = Specification(shared_data("hsds")), application(TEXTS)
    editor = running.person("eve", "editor")
    stand_in(specification, editor, specification.csv_rows, tmp_path)
    assert set(specification.csv_rows) == set(specification.tables)
    for table in specification.ordered:
        rows = specification.csv_rows[table.name]
        file = io.StringIO()
        writer = csv.DictWriter(file, list(table.fields))
        writer.writeheader()
        writer.writerows(rows)
        map_ = {"import": table.name, "key": ["uid"], "columns": dict(columns_of(running.service.application.model, table))}
        report = imported(editor, tmp_path, file.getvalue(), json.dumps(map_), entity=table.name)
        assert (report.created, report.flagged, words(report)) == (len(rows), 0, []), table.name
        out = exported(editor, table)
        back = {row["uid"]: row for row in csv.DictReader(io.StringIO(out))}
        for row in rows:
            compare(running.service.application.model, table, row, back[row["id"]])
        again = imported(editor, tmp_path, out, entity=table.name)
        assert (again.unchanged, again.well) == (len(rows), True), words(again)


def test_rows_of_json_come_back_as_they_were(application: Applications, shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """The same tables as JSON go in by REST and are read back equal, field by field."""
    specification, running = Specification(shared_data("hsds")), application(TEXTS)
    editor, model = running.person("eve", "editor"), running.service.application.model
    ids = stand_in(specification, editor, specification.json_rows, tmp_path)
    assert set(specification.json_rows) == set(specification.tables)
    for table in specification.ordered:
        for row in specification.json_rows[table.name]:
            sent = {}
            for column, value in row.items():
                names = options(model, table, column)
                sent[table.field(column)] = ids[value] if column in table.links and value else names.get(value, value) if names else value
            made = editor.api.post(f"/api/{table.name}", sent)
            assert made.status == 201, (table.name, made.json)
            ids[row["id"]] = made.json["id"]
            paths = [f"{table.field(column)}.uid" if column in table.links else table.field(column) for column in table.fields]
            read = editor.api.get(f"/api/{table.name}/{made.json['id']}", fields=",".join(paths)).json
            flat = {name: (value or {}).get("uid") if table_link(table, name) else value for name, value in read.items()}
            compare(model, table, row, flat)


def table_link(table: Table, name: str) -> bool:
    return name in {table.field(column) for column in table.links}


def columns_of(model: Application, table: Table) -> Iterator[tuple[str, object]]:
    """What the map says of each column."""
    for column in table.fields:
        names = options(model, table, column)
        yield column, {"to": table.field(column), "values": names} if names else table.field(column)


def stand_in(specification: Specification, editor: Person, rows: Mapping[str, list[dict[str, Any]]], folder: Path) -> dict[str, str]:
    """Records for ids that rows link to and that are nowhere in the sample; their record ids. They are kept as they were and flagged."""
    missing = specification.dangling(rows)
    for name, ids in missing.items():
        map_ = {"import": name, "key": ["uid"], "historic": True, "columns": {"id": "uid"}}
        report = imported(editor, folder, "\n".join(["id", *sorted(ids)]), json.dumps(map_), entity=name)
        assert report.created == len(ids), words(report)
    return {row["uid"]: row["id"] for name in missing for row in editor.all(name, fields=("id", "uid"))}


def exported(who: Person, table: Table) -> str:
    """The rows of a table that are in the sample, with the fields of the application."""
    out = io.StringIO()
    export(who.ctx, Export(table.name, tuple(table.field(column) for column in table.fields), filter='flags == ""'), out)
    return out.getvalue()


def compare(model: Application, table: Table, row: Mapping[str, Any], back: Mapping[str, Any]) -> None:
    """Equal as what they are: numbers as numbers, moments as moments, text without white space at its ends."""
    for column, said in table.fields.items():
        where, value, found = f"{table.name}.{column}", row.get(column), back[table.field(column)]
        if value in (None, ""):
            assert found in (None, ""), where
        elif said["type"] == "number":
            assert Decimal(str(value)) == Decimal(str(found)), where
        elif said["type"] == "datetime":
            assert datetime.fromisoformat(value) == datetime.fromisoformat(found), where
        else:
            names = options(model, table, column)
            assert (names[value] if names else str(value).strip()) == found, where
