"""Small applications, tables and maps for the tests of import and export."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.application import Person
from xrm.service.transfer.importing import Watch, never, nobody
from xrm.service.transfer.report import Mode, Report
from xrm.service.transfer.starting import open_import

XRM = """\
xrm: 1
name: tiny
timezone: Europe/Berlin
roles: {agent: Agent, boss: {includes: agent}, guest: Guest}
"""
KIND = """\
entity: kind
key: code
fields:
  code: {type: text, unique: true, required: true}
  label: text
access: {agent: [read, create], guest: {read: true}}
"""
CASE = """\
entity: case
number: "C-{year}-{seq:4}"
title: "{number} {subject}"
unique: {source: [source, source_id]}
fields:
  subject: {type: text, length: 20, required: true}
  kind: {type: link, to: kind}
  paid: {type: money, min: 0}
  seen_on: date
  ended_at: datetime
  place: point
  source: text
  source_id: text
  secret: {type: text, protected: true}
  double: {compute: =paid * 2}
checks:
  in_order: {when: ended_at != null, should: ended_at >= created_at, message: It ended before it began, field: ended_at}
lifecycle:
  states: {new: {initial: true}, done: {final: true}}
  transitions: {finish: {from: new, to: done}}
access:
  agent: {read: source != "hidden", create: true, update: true}
  boss: {historic: true, sees: secret, edits: secret}
  guest: {read: true}
"""
FILES: Mapping[str, str] = {"xrm.yml": XRM, "entities/kind.yml": KIND, "entities/case.yml": CASE}

MAP = """\
import: case
key: [source, source_id]
set: {source: old}
columns:
  Nr: source_id
  What: subject
  Sort: kind
  Name: kind.label
links:
  kind: {missing: create}
"""
TABLE = "Nr,What,Sort,Name\n1,Bench,wood,Of wood\n2,Lamp,metal,Of metal\n3,Table,wood,Of wood\n"


def imported(
    who: Person,
    folder: Path,
    table: str | bytes,
    map_: str | None = None,
    *,
    entity: str = "case",
    mode: Mode = "all",
    historic: bool = False,
    watch: Watch = nobody,
    stop: object = never,
) -> Report:
    """Import a table that is written into the folder."""
    file, map_file = folder / "table.csv", folder / "map.yml"
    file.write_bytes(table if isinstance(table, bytes) else table.encode())
    if map_ is not None:
        map_file.write_text(map_, encoding="utf-8")
    with open_import(who.ctx, entity, file, map_file if map_ is not None else None, historic=historic) as ready:
        return ready.run(mode, watch, stop)  # type: ignore[arg-type]


def words(report: Report) -> list[str]:
    """Every reason of every refused row: ``3 Sort: …``."""
    return [problem.message for refusal in report.refusals for problem in refusal.problems("table.csv")]
