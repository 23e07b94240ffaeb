"""Meaning of what a definition says of earlier releases: old names, conversions, fills, and what became of removed names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xrm.errors import Place
from xrm.expr import Checked, Type
from xrm.model.fields import MONEY_PLACES, Field
from xrm.source.bare import PLACES
from xrm.source.disclosure import check_reads
from xrm.source.findings import Findings
from xrm.source.names import EntityScope, Known
from xrm.source.outline import Outline, Part
from xrm.source.scalars import article

OLD = "old"
"""In a conversion's expression: the value that the field had."""


BARE = Field(OLD, "text", {})


@dataclass(frozen=True, slots=True)
class OldScope(EntityScope):
    """The names of an entity, and ``old``."""

    old: Field = BARE

    def follow(self, path: tuple[str, ...]) -> Field | Type | None:
        return self.old if path == (OLD,) else EntityScope.follow(self, path)


def check_earlier_names(findings: Findings, outline: Outline) -> None:
    """Of entities and roles."""
    parts = {word.text: part for part in outline.entities if (word := part.word("entity"))}
    _old_names(findings, "entity", parts)
    if outline.application:
        roles = outline.application.named("roles")
        _old_names(findings, "role", roles)
        _removed(findings, "role", outline.application, findings.names.role_places)


def check_changes(findings: Findings, known: Known, part: Part) -> None:
    """What an entity and its parts say of earlier releases."""
    scope = findings.names.scope(known.name)
    _fields(findings, known, part, scope)
    _old_names(findings, "view", part.named("views"))
    _old_names(findings, "check", part.named("checks"))
    lifecycle = part.part("lifecycle")
    if lifecycle is not None:
        _old_names(findings, "transition", lifecycle.named("transitions"))
        states = lifecycle.named("states")
        _old_names(findings, "state", states)
        _removed(findings, "state", lifecycle, {name: state.place for name, state in states.items()})
        state = known.system.get("state")
        if state is not None:
            _given(findings, lifecycle, "fill", state, scope)


def _fields(findings: Findings, known: Known, part: Part, scope: EntityScope) -> None:
    """Those of an entity, or of the rows of a field; a row's have no ``fill``, which ``check_rows`` tells."""
    fields = part.named("fields")
    _old_names(findings, "field", fields)
    for name, inner in fields.items():
        field = known.fields.get(name)
        options = inner.named("options")
        if options:
            _old_names(findings, "option", options)
        if "removed" in inner.values:
            type_, places = inner.word("type"), {name: option.place for name, option in options.items()}
            _removed(findings, "option", inner, findings.names.role_places if type_ and type_.text == "role" else places)
        rows = findings.names.rows.get(f"{known.name}.{name}")
        if rows is not None:
            _fields(findings, rows, inner, findings.names.scope(rows.name))
        if field is not None and scope.parent is None:
            _fill(findings, inner, field, scope)
        if field is not None:
            _conversion(findings, inner, field, known)


def _old_names(findings: Findings, what: str, parts: Mapping[str, Part]) -> None:
    """An old name is free, and one thing only goes by it."""
    claimed: dict[str, str] = {}
    for name, part in parts.items():
        for word in part.words("renamed_from"):
            path = (*part.path, "renamed_from")
            if word.text in parts:
                message = f"'{word.text}' is still the name of {'an' if what[0] in 'aeio' else 'a'} {what}"
                hint = "once every database has been through the rename, take 'renamed_from' out; then the name is free"
                findings.note("XRM406", message, word.place, path, hint)
            elif word.text in claimed:
                message = f"'{claimed[word.text]}' was called '{word.text}' too"
                findings.note("XRM406", message, word.place, path, "only one of them can have its values")
            claimed.setdefault(word.text, name)


def _removed(findings: Findings, what: str, part: Part, names: Mapping[str, Place]) -> None:
    for name, removal in part.named("removed").items():
        path = (*part.path, "removed", name)
        if name in names:
            findings.note("XRM206", f"'{name}' is not removed: it is {'an' if what[0] in 'aeio' else 'a'} {what} here", removal.place, path)
        to = removal.word("to")
        if to is not None and names and to.text not in names:
            findings.unknown(what, to, path, names, names)
        if to is None and what == "state" and not removal.partial and "to" not in removal.broken:
            findings.note("XRM202", "a record must be in some state", removal.place, path, f"write: {name}: {next(iter(names), 'new')}")


def _fill(findings: Findings, part: Part, field: Field, scope: EntityScope) -> None:
    if part.has("fill") and part.has("compute"):
        findings.note("XRM206", "a computed field has no 'fill': it is always computed", part.at("fill"), (*part.path, "fill"))
        return
    _given(findings, part, "fill", field, scope)


def _given(findings: Findings, part: Part, key: str, field: Field, scope: EntityScope) -> tuple[Checked, ...]:
    given = part.given(key)
    found = findings.given(given, field, scope, (*part.path, key)) if given else ()
    for checked in found:
        check_reads(findings, checked, field, scope, place=part.at(key), path=(*part.path, key))
    return found


def _conversion(findings: Findings, part: Part, field: Field, known: Known) -> None:
    conversion = part.part("converted_from")
    if conversion is None:
        return
    if part.has("compute"):
        message = "a computed field has no 'converted_from': it is computed anew"
        findings.note("XRM206", message, part.at("converted_from"), conversion.path)
        return
    if not conversion.has("type"):
        return
    old = earlier_field(conversion, findings.names.currency)
    if conversion.has("with") and (old.type, old.places, field.many) == (field.type, field.places, False):
        message = f"it is {article(old.type)} already, so that this is never run"
        hint = "to change values by a rule, add a field with 'fill' and take this one out; 'removed' says where options go"
        findings.note("XRM206", message, conversion.at("with"), (*conversion.path, "with"), hint)
        return
    scope = OldScope(findings.names, known, None, old)
    for checked in _given(findings, conversion, "with", field, scope):
        _reads_alone(findings, conversion, checked, known)


def _reads_alone(findings: Findings, conversion: Part, checked: Checked, known: Known) -> None:
    """A conversion is made of the record alone, in tables that are no longer the old ones and not yet the new ones."""
    links = sorted(path for path in checked.paths if "." in path and (one := known.field(path.partition(".")[0])) and one.targets)
    asked = sorted({path.partition(".")[0] for path in checked.gathered})
    for path in [*links, *asked]:
        where = f"'{path}' lies beyond a link" if path in links else f"'{path}' is a collection"
        hint = f"add a new field with fill: ={path if path in links else '…'}, and take this one out in the release after"
        message = f"a conversion reads its own record alone, and {where}"
        findings.note("XRM413", message, conversion.at("with"), (*conversion.path, "with"), hint)


def earlier_field(part: Part, currency: str) -> Field:
    """The field as a conversion says it was."""
    type_ = part.word("type")
    name = type_.text if type_ else "text"
    places = part.number("places")
    if places is None:
        places = MONEY_PLACES.get(currency, 2) if name == "money" else PLACES.get(name, 0)
    return Field(OLD, name, {}, places=places)  # type: ignore[arg-type]  # the structure check knows the types
