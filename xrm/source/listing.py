"""Reference records, ``data/<entity>.yml``: read, and checked against the entity whose records they are.

A file is a map from key to fields, or a list of maps that hold the key among their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from xrm.errors import Place, Problem
from xrm.model.data import ReferenceRecord
from xrm.model.fields import Field
from xrm.model.standard import USER
from xrm.source.check_fields import bounded
from xrm.source.document import Broken, Document, Map, Node, Scalar, Sequence
from xrm.source.findings import Findings
from xrm.source.names import Known
from xrm.source.outline import Datum, Listing, Row, Word
from xrm.source.scalars import MOST_NAMES

FOLDER = "data/"
MOST_ROWS = 10_000


def read(document: Document) -> tuple[Listing | None, tuple[Problem, ...]]:
    """The records of a file, keys and all; nothing is known of the entity yet."""
    entity = PurePosixPath(document.file).stem
    top = Place(document.file, 1, 1)
    root = document.root
    if root is None or isinstance(root, Broken) or (isinstance(root, Scalar) and root.raw == ""):
        return None, ()
    if not isinstance(root, Map | Sequence):
        hint = "for example: pothole: {label: Pothole}"
        return None, (Problem("XRM106", "this must be a map from key to fields, or a list of records", root.place, (), hint),)
    entries = root.entries if isinstance(root, Map) else [(None, item) for item in root.items]
    if len(entries) > MOST_ROWS:
        message = f"the file has more than {MOST_ROWS:,} records"
        return None, (Problem("XRM104", message, entries[MOST_ROWS][1].place, (), "import them: xrm import"),)
    problems: list[Problem] = []
    rows: list[Row] = []
    for key, node in entries:
        row = _row(key, node, problems)
        if row:
            rows.append(row)
    return Listing(entity, top, tuple(rows)), tuple(problems)


def _row(key: Scalar | None, node: Node, problems: list[Problem]) -> Row | None:
    named = Word(key.text, key) if key else None
    place = key.place if key else node.place
    if isinstance(node, Broken):
        return None
    if isinstance(node, Map) and len(node.entries) > MOST_NAMES:
        message = f"there are more than {MOST_NAMES:,} here"
        problems.append(Problem("XRM104", message, node.entries[MOST_NAMES][0].place, (), "no entity has so many fields"))
        return None
    if isinstance(node, Map):
        return Row(named, tuple((Word(name.text, name), Datum(value)) for name, value in node.entries), place)
    if isinstance(node, Scalar):
        if key and node.raw == "":
            return Row(named, (), place)
        if key is None:
            return Row(Word(node.text, node), (), place)
    path = (key.text,) if key else ()
    problems.append(Problem("XRM106", "a record is a map from field to value", node.place, path, "for example: {label: Pothole}"))
    return None


def check_listings(findings: Findings, listings: tuple[Listing, ...]) -> tuple[ReferenceRecord, ...]:
    """Every record as its entity has it; what is wrong is noted with its place."""
    found: list[ReferenceRecord] = []
    seen: dict[tuple[str, str], Place] = {}
    for listing in listings:
        known = findings.names.entities.get(listing.entity)
        if known is None or listing.entity == USER or known.abstract:
            _misplaced(findings, listing, known)
        elif not known.ghost and known.part is not None:
            found += _records(findings, listing, known, seen)
    return tuple(found)


def _misplaced(findings: Findings, listing: Listing, known: Known | None) -> None:
    if known is None:
        name = Word(listing.entity, Scalar(listing.entity, listing.entity, "", listing.place))
        findings.unknown("entity", name, (), [*findings.names.entities])
    else:
        why = "'xrm user' makes users" if listing.entity == USER else f"'{listing.entity}' is abstract: name the file after an heir"
        findings.note("XRM206", "these records cannot stand here", listing.place, (), why)


def _records(findings: Findings, listing: Listing, known: Known, seen: dict[tuple[str, str], Place]) -> list[ReferenceRecord]:
    key = known.key
    if key is None and known.part is not None and known.part.has("key"):
        return []  # it names no field, which is told there
    if key is None:
        hint = "write key: and a field that is text, unique and required"
        findings.note("XRM202", f"records stand here, and the entity '{known.name}' has no 'key'", listing.place, (), hint)
        return []
    findings.enter(known)
    parts = known.part.named("fields") if known.part else {}
    fields = {name: bounded(findings, parts[name], field) for name, field in known.fields.items() if name in parts}
    found = []
    for row in listing.rows:
        word = row.key(key)
        if word is None:
            findings.note("XRM202", f"a record needs its key '{key}'", row.place, (), f"for example: {key}: pothole")
            continue
        if (known.name, word.text) in seen:
            hint = f"the other one stands at {seen[known.name, word.text]}"
            findings.note("XRM204", f"the record '{word.text[:60]}' is defined twice", word.place, (word.text,), hint)
            continue
        seen[known.name, word.text] = word.place
        found.append(_record(findings, known, fields, row, word))
    return found


def _named_twice(findings: Findings, word: Word, datum: Datum, key: str) -> None:
    """A record of a map has its key before the colon; what it says itself is the same or a mistake."""
    if not isinstance(datum.node, Scalar) or datum.node.text != word.text:
        message = f"the record is called '{word.text[:60]}' here, and its '{key}' is another"
        findings.note("XRM210", message, datum.place, (word.text, key), "take it out: the name before the colon is its value")


def _record(findings: Findings, known: Known, fields: Mapping[str, Field], row: Row, word: Word) -> ReferenceRecord:
    """``fields``: those of the entity, with their bounds."""
    assert known.part is not None
    key, parts = known.key, known.part.named("fields")
    assert key is not None
    values: dict[str, object] = {}
    sound = True
    for name, datum, place in ((key, Datum(word.scalar), word.place), *((own.text, datum, own.place) for own, datum in row.values)):
        field = findings.field(known, Word(name, Scalar(name, name, "", place)), (word.text,), declared_only=True)
        sound &= field is not None
        if name == key and name in values:
            _named_twice(findings, word, datum, key)
        if field is None or (name == key and name in values):
            continue
        if parts[name].has("compute"):
            findings.note("XRM206", f"'{name}' is computed", place, (word.text, name), "take it out")
            continue
        values[name] = findings.datum(datum, fields[name], (word.text, name))
    for name, part in parts.items():
        if sound and part.flag("required") and name not in values and not part.has("default"):
            message = f"the record '{word.text[:60]}' needs the field '{name}'"
            findings.note("XRM202", message, row.place, (word.text,), f"give it a value: {name}: …")
    return ReferenceRecord(known.name, word.text, values, str(row.place))
