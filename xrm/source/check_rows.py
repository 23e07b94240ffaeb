"""Meaning of rows: what may stand on a field that holds them, and in them."""

from __future__ import annotations

from collections.abc import Mapping

from xrm.model.fields import Field
from xrm.model.standard import USER
from xrm.model.values import MOST_ROWS
from xrm.source.findings import Findings
from xrm.source.outline import Part

NUMBER_OF_ROWS = Field("rows", "integer", {}, minimum=0, maximum=MOST_ROWS)
"""What ``min`` and ``max`` of rows are: a number of rows."""

NOT_OF_ROWS = {
    "default": "give its fields defaults",
    "compute": "compute its fields",
    "unique": "rows are told apart by their place",
    "index": "give one of its fields an index",
    "discloses": "say it of one of its fields",
}
"""Keys that do not go with rows, and what to do instead."""

NOT_IN_ROWS = {
    "unique": "rows have no rules among each other; write a check of the record",
    "fill": "rows that are there keep it empty: let it not be required, or convert another field (converted_from)",
    "inverse": "a link from a row leads back to no record; let the rows be an entity of their own with a link to this one",
}
"""Keys that do not go with a field of rows, and what to do instead."""


def check_rows(findings: Findings, part: Part) -> None:
    """A field that holds rows."""
    _without(findings, part, NOT_OF_ROWS, "XRM235", "rows have no")


def _without(findings: Findings, part: Part, keys: Mapping[str, str], code: str, words: str) -> None:
    """The keys that do not go with a field. ``keys`` has what to do instead of each."""
    for key, hint in keys.items():
        if part.has(key):
            findings.note(code, f"{words} '{key}'", part.at(key), (*part.path, key), hint)


NOT_OF_MANY = {
    "compute": "`find` fills it with the records that fit",
    "unique": "each record stands in the list once anyway",
    "index": "a list of links has its indexes already",
    "discloses": "it holds nothing that is computed",
    "converted_from": "add it as a new field",
    "fill": "people choose the records",
}
"""Keys that do not go with a list of links, and what to say instead."""


def check_links(findings: Findings, part: Part) -> None:
    """A link with ``many``."""
    _without(findings, part, NOT_OF_MANY, "XRM244", "a link to many has no")
    word, least = part.word("on_delete"), part.datum("min")
    if word and word.text == "clear" and least and findings.values.get((findings.here, least.place)):
        hint = "use restrict or cascade, or let the list be empty"
        findings.note("XRM240", "a deletion cannot clear this link: it must have some", word.place, (*part.path, "on_delete"), hint)


def check_link(findings: Findings, part: Part) -> None:
    """A link to one record: nothing of it is counted."""
    for key in ("min", "max"):
        if part.has(key):
            message = f"'{key}' counts links, and this field has one"
            findings.note("XRM244", message, part.at(key), (*part.path, key), "add many: true, or use 'required'")


def check_in_row(findings: Findings, part: Part) -> None:
    """A field of a row."""
    type_ = part.word("type")
    if type_ and type_.text == "rows":
        message = "rows do not stand inside rows"
        hint = "let the outer rows be an entity of their own, with a link to this one"
        findings.note("XRM236", message, type_.place, (*part.path, "type"), hint)
    if type_ and type_.text in ("link", "user") and part.flag("many"):
        hint = "let the rows be an entity of their own, with a link to this one"
        findings.note("XRM236", "lists of links do not stand inside rows", part.at("many"), (*part.path, "many"), hint)
    currency = part.word("currency")
    if currency and currency.text.startswith("="):
        message = "money in a row is in one currency"
        findings.note("XRM236", message, currency.place, (*part.path, "currency"), "name the currency, for example EUR")
    on_delete = part.word("on_delete")
    if on_delete and on_delete.text != "restrict":
        message = "a link in a row holds what it leads to"
        findings.note("XRM236", message, on_delete.place, (*part.path, "on_delete"), "take it out: the record cannot be deleted")
    _without(findings, part, NOT_IN_ROWS, "XRM236", "a field of a row has no")


def check_tables(findings: Findings) -> None:
    """No two things have one table: that of the rows of ``order.lines`` is ``order__lines``, which no entity can be called then."""
    names = findings.names
    own = {known.name: (known.place, ("entity",)) for known in names.entities.values() if known.part and known.name != USER}
    first = {name: place for name, (place, _) in own.items() if place}
    for known in names.entities.values():
        for name, inner in known.part.named("fields").items() if known.part else ():
            field, table = known.fields.get(name), f"{known.name}__{name}"
            if field is None or not field.apart:
                continue
            if table in first:
                place, path = own.get(table, (inner.place, inner.path))
                other = inner.place if table in own else first[table]
                message = f"'{table}' is also the name of the table for '{known.name}.{name}'"
                findings.note(
                    "XRM204", message, place or inner.place, path, f"the other one stands at {other}; give one of them another name"
                )
            first.setdefault(table, inner.place)
