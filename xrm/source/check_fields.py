"""Meaning of fields: names, targets, bounds, patterns, defaults, computed fields."""

from __future__ import annotations

from dataclasses import replace

import re2

from xrm.errors import Place
from xrm.expr import ANY, Checked
from xrm.model.contents import ACCEPT, bytes_of, size_text
from xrm.model.fields import Field
from xrm.model.kinds import BUSINESS_UNITS
from xrm.model.rows import ROW_NAMES
from xrm.model.standard import SYSTEM_NAMES
from xrm.model.values import MOST_FILES, MOST_SIZE
from xrm.source.check_constraints import UNCOMPUTED, check_constraints
from xrm.source.check_rows import NUMBER_OF_ROWS, check_in_row, check_link, check_links, check_rows
from xrm.source.currencies import MIXED, given, words
from xrm.source.disclosure import check_reads
from xrm.source.findings import Findings
from xrm.source.inference import Step, circles, formulas_of, graph
from xrm.source.names import ANY_ENTITY, EntityScope, Known, TargetScope
from xrm.source.outline import Formula, Part, Word
from xrm.source.vocabulary import CURRENCIES, RESERVED

NEEDED = (
    ("choice", "options", "for example: options: [low, high]"),
    ("link", "to", "for example: to: user"),
    ("rows", "fields", "for example: fields: {item: text, amount: money}"),
)
"""Types that need a key beside them, and an example of it."""


def check_fields(findings: Findings, known: Known, part: Part) -> None:
    """The fields of an entity, or of the rows of a field (whose ``known`` is that of the rows, and ``part`` the field)."""
    scope = findings.names.scope(known.name)
    for name, inner in part.named("fields").items():
        _name(findings, inner, ROW_NAMES if scope.parent else SYSTEM_NAMES)
        _beside(findings, inner, known)
        _target(findings, inner)
        _on_delete(findings, inner)
        _currency(findings, inner, known, in_row=bool(scope.parent))
        _pattern(findings, inner)
        _unit(findings, inner)
        _whole(findings, inner)
        field = known.fields.get(name)
        rows = findings.names.rows.get(f"{known.name}.{name}")
        if rows:
            check_rows(findings, inner)
            check_fields(findings, rows, inner)
            check_constraints(findings, rows, inner)
        if scope.parent:
            check_in_row(findings, inner)
        if field:
            _bounds(findings, inner, field)
            if field.type == "link":
                check_link(findings, inner)
            if field.each:
                check_links(findings, inner)
            if field.kind.kept == "files":
                _files(findings, inner, field)
            else:
                _values(findings, inner, field, scope)
            _indexed(findings, inner, field)
            _fitting(findings, inner, field, scope)
        elif not inner.has("type") and inner.given("compute") and (known.name, name) not in findings.circular:
            _untyped(findings, inner, scope)


def _name(findings: Findings, part: Part, kept: tuple[str, ...]) -> None:
    assert part.name is not None
    name = part.name.text
    if name in kept or name in RESERVED:
        use = f"every {'row' if kept == ROW_NAMES else 'record'} has it" if name in kept else "it means something else in expressions"
        hint = {"title": "name it 'subject' or 'name'", "number": "the key 'number' of the entity declares it"}.get(name)
        findings.note("XRM205", f"the name '{name}' is reserved: {use}", part.place, part.path, hint)
    elif name in ("deleted_at", "derived"):
        findings.note("XRM205", f"the name '{name}' is reserved: xrm keeps it itself", part.place, part.path)
    elif name.endswith("_key"):
        hint = f"for example '{name.removesuffix('_key')}_code'"
        findings.note("XRM205", "a name may not end with '_key'", part.place, part.path, hint)


def _beside(findings: Findings, part: Part, known: Known) -> None:
    """A field of several columns: no other field has the name of one, such as ``place_lat``."""
    assert part.name is not None
    field = known.fields.get(part.name.text)
    for beside in field.kind.beside if field else ():
        if f"{part.name.text}_{beside}" in known.fields:
            message = f"'{part.name.text}_{beside}' is also a field, and this one has a column of that name"
            findings.note("XRM205", message, part.place, part.path, "name one of the two otherwise")


def _target(findings: Findings, part: Part) -> None:
    entities, words = findings.names.entities, part.words("to")
    if not words:
        return
    unknown = [word for word in words if word.text not in entities and word.text != ANY_ENTITY]
    places = {name: known.place for name, known in entities.items() if known.place} if unknown else {}
    for word in unknown:
        findings.unknown("entity", word, (*part.path, "to"), (*entities, ANY_ENTITY), places)
    if len(words) > 1 and any(word.text == ANY_ENTITY and ANY_ENTITY not in entities for word in words):
        findings.note("XRM241", "'any' is every entity: name no other beside it", part.at("to"), (*part.path, "to"))
    families = findings.names.families
    for word in words:
        if word.text in entities and not families[word.text]:
            hint = f"write 'extends: {word.text}' in an entity, or lead to another"
            findings.note("XRM241", f"'{word.text}' has no records, and nothing extends it", word.place, (*part.path, "to"), hint)


def _on_delete(findings: Findings, part: Part) -> None:
    """A deletion that empties a link must be able to."""
    word = part.word("on_delete")
    if word is None or word.text != "clear":
        return
    reason = "it is computed" if part.has("compute") else "it is required" if part.flag("required") else None
    if reason:
        hint = "use restrict or cascade, or let the link be empty"
        findings.note("XRM240", f"a deletion cannot clear this link: {reason}", word.place, (*part.path, "on_delete"), hint)


def _fitting(findings: Findings, part: Part, field: Field, scope: EntityScope) -> None:
    """``filter`` and ``find``: conditions on the target that see the record as ``this``."""
    if not (field.each or field).targets or field.system:
        return
    target = TargetScope(scope, field.name)
    for key in ("filter", "find"):
        if part.has(key) and (scope.parent or part.has("compute")):
            why = "a row" if scope.parent else "a computed link"
            findings.note("XRM242", f"{why} has no '{key}'", part.at(key), (*part.path, key))
    findings.condition(part.formula("filter"), target, (*part.path, "filter"), "sql")
    find = findings.condition(part.formula("find"), target, (*part.path, "find"))
    if find is None:
        return
    if find.gathered:  # the database answers what is asked of a collection
        findings.condition(part.formula("find"), target, (*part.path, "find"), "sql")
    own = {path.removeprefix("this.") for path in find.actor_keys if path.startswith("this.")}
    if field.name in {path.partition(".")[0] for path in own}:
        findings.note("XRM242", "what finds the link cannot read the link itself", part.at("find"), (*part.path, "find"))
    reads = replace(find, paths=frozenset({*own, *(f"{field.name}.{path}" for path in find.paths)}))
    check_reads(findings, reads, field, scope, place=part.at("find"), path=(*part.path, "find"))


def _currency(findings: Findings, part: Part, known: Known, *, in_row: bool) -> None:
    code, path = part.word("currency"), (*part.path, "currency")
    if code and code.text.startswith("="):
        if not in_row:  # where it is refused: check_in_row
            _currency_field(findings, code, path, known)
    elif code and code.text not in CURRENCIES and known.field(code.text) is not None:
        findings.note("XRM203", f"unknown currency '{code.text}'", code.place, path, f"a field is named with '=': ={code.text}")
    elif code:
        check_currency(findings, code, path)


def _currency_field(findings: Findings, code: Word, path: tuple[str, ...], known: Known) -> None:
    """A choice of the same record, all of whose options are currencies."""
    field = findings.field(known, Word(code.text[1:].strip(), code.scalar), path, declared_only=True)
    if field is None:
        return
    odd = [option.name for option in field.options if option.name not in CURRENCIES]
    if field.type != "choice" or field.many or odd:
        what = f"its option '{odd[0]}' is none" if odd and field.type == "choice" else "it is not a choice"
        hint = "for example currency: {type: choice, options: [USD, EUR]}"
        findings.note("XRM206", f"'{field.name}' does not name a currency: {what}", code.place, path, hint)


def check_currency(findings: Findings, code: Word, path: tuple[str, ...]) -> None:
    if code.text not in CURRENCIES:
        findings.unknown("currency", code, path, sorted(CURRENCIES))


def _unit(findings: Findings, part: Part) -> None:
    """A duration counts in business days or hours, or in no unit of its own."""
    unit, type_ = part.word("unit"), part.word("type")
    if unit and type_ and type_.text == "duration" and unit.text not in BUSINESS_UNITS:
        hint = "without 'unit' it holds minutes, hours and days, such as 90 minutes"
        message = f"a duration has the unit {' or '.join(BUSINESS_UNITS)}"
        findings.note("XRM206", message, unit.place, (*part.path, "unit"), hint)


def _pattern(findings: Findings, part: Part) -> None:
    pattern = part.word("pattern")
    if pattern:
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(pattern.text, options)
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
            findings.note("XRM206", f"not a pattern: {reason}", pattern.place, (*part.path, "pattern"))
    if part.has("pattern_message") and not part.has("pattern"):
        findings.note("XRM202", "'pattern_message' wants a 'pattern'", part.at("pattern_message"), part.path)


def _whole(findings: Findings, part: Part) -> None:
    """What a field of a type must have beside it."""
    type_ = part.word("type")
    if not part.partial and not part.has("type") and not part.has("compute"):
        findings.note("XRM202", "a field needs a 'type'", part.place, part.path, "for example: type: text")
    for wanted, key, hint in NEEDED:
        if type_ and type_.text == wanted and not part.has(key) and not part.partial:
            what = "rows need" if wanted == "rows" else f"a {wanted} needs"
            findings.note("XRM202", f"{what} the key '{key}'", part.place, part.path, hint)
    if part.has("compute"):
        for key in UNCOMPUTED:
            if part.has(key):
                message = f"a computed field has no '{key}': it is always computed"
                findings.note("XRM206", message, part.at(key), (*part.path, key))


def _files(findings: Findings, part: Part, field: Field) -> None:
    """What a field of files accepts, how large, and that nobody but people gives it a value."""
    for word in part.words("accept"):
        if word.text not in ACCEPT:
            findings.unknown("kind of content", word, (*part.path, "accept"), tuple(ACCEPT))
        elif field.type == "image" and word.text not in ("images", "any"):
            message = f"an image field holds images, and '{word.text}' are none"
            findings.note("XRM255", message, word.place, (*part.path, "accept"), "type: file holds others too")
    size = part.word("size")
    if size and (size.text.isdecimal() or not 1 <= (bytes_of(size.text) or 0) <= MOST_SIZE):
        hint = f"for example 10 MB; at most {size_text(MOST_SIZE)}"
        findings.note("XRM255", f"'{size.text[:20]}' is not a size that a file can have", size.place, (*part.path, "size"), hint)
    for key in ("min", "max"):
        if part.has(key) and not field.many:
            message = f"'{key}' counts files, and this field has one"
            findings.note("XRM255", message, part.at(key), (*part.path, key), "add many: true, or use 'required'")
    for key in ("default", "compute"):
        if part.has(key):
            message = f"a field of files has no '{key}': people attach files"
            findings.note("XRM256", message, part.at(key), (*part.path, key))


def _bounds(findings: Findings, part: Part, field: Field) -> None:
    if field.type == "link":
        return
    if field.type == "rows":
        field = replace(NUMBER_OF_ROWS, name=field.name)
    if field.kind.kept == "files":
        field = replace(field, type="integer", minimum=1, maximum=MOST_FILES)
    found: dict[str, object] = {}
    for key in ("min", "max"):
        datum = part.datum(key)
        if datum:
            found[key] = findings.datum(datum, field, (*part.path, key))
    low, high = found.get("min"), found.get("max")
    if low is not None and high is not None and low > high:  # type: ignore[operator]
        findings.note("XRM206", "'min' is more than 'max'", part.at("min"), (*part.path, "min"))


def bounded(findings: Findings, part: Part, field: Field) -> Field:
    """The field with its bounds, for what has to lie between them."""
    low, high = part.datum("min"), part.datum("max")
    if low is None and high is None:
        return field
    return replace(
        field,
        minimum=findings.values.get((findings.here, low.place)) if low else None,
        maximum=findings.values.get((findings.here, high.place)) if high else None,
    )


def _values(findings: Findings, part: Part, field: Field, scope: EntityScope) -> None:
    default, compute = part.given("default"), part.given("compute")
    if field.type == "rows" and not field.each:
        return
    if default and not compute:
        whole = bounded(findings, part, field)
        for checked in findings.given(default, whole, scope, (*part.path, "default")):
            check_reads(findings, checked, field, scope, place=part.at("default"), path=(*part.path, "default"))
    if compute and not field.each:
        _computed(findings, part, field, scope)


def _computed(findings: Findings, part: Part, field: Field, scope: EntityScope) -> None:
    given = part.given("compute")
    assert given is not None
    path = (*part.path, "compute")
    if len(given.cases) == 1 and not isinstance(given.cases[0].use, Formula):
        node = given.cases[0].use.node
        text = getattr(node, "text", None)
        hint = f"write: compute: ={text}" if text else None
        findings.note("XRM206", "'compute' wants an expression, beginning with '='", node.place, path, hint)
        return
    for checked in findings.given(given, field, scope, path):
        _derived(findings, part, checked, scope, path)
        _same_currency(findings, part, checked, field, scope)
        check_reads(findings, checked, field, scope, place=part.at("compute"), path=path)


def _same_currency(findings: Findings, part: Part, checked: Checked, field: Field, scope: EntityScope) -> None:
    """An amount that is made of amounts is in their currency."""
    found = given(checked, scope) if field.type == "money" else None
    own = f"={field.currency_from}" if field.currency_from else field.currency
    if found is None or found == own or (found.startswith("=") and field.currency_from):
        return
    message = f"'{field.name}' is in {field.currency or 'the currency of its record'}, and what it is made of is in {words(found)}"
    hint = "convert it: multiply it by a rate" if found.startswith("=") else f"write currency: {found}, or leave the type out"
    findings.note(MIXED, message, part.at("compute"), (*part.path, "compute"), hint)


def _untyped(findings: Findings, part: Part, scope: EntityScope) -> None:
    """A computed field whose expression did not give it a type: what is wrong with it, or which type to write."""
    path = (*part.path, "compute")
    found = [findings.expression(formula, scope, None, path) for formula in formulas_of(part)]
    if not found:
        hint = "write it with '=' in front, or give the field a type"
        findings.note("XRM206", "'compute' wants an expression, beginning with '='", part.at("compute"), path, hint)
    elif all(found) and not any(checked and checked.type == ANY for checked in found):
        gives = next((checked.type for checked in reversed(found) if checked), None)
        message = f"the expression gives {gives}: say which type the field has"
        target = gives.entity if gives and gives.name == "ref" else None
        example = f"type: link, to: {target}" if target else "type: decimal, places: 2"
        findings.note("XRM202", message, part.place, part.path, f"for example: {example}")


MOST_LOOKUPS = 2
"""Links that a computed field follows."""
UNSETTLED = frozenset({"flags", "version", "updated_at", "updated_by"})
"""What every write changes, or what follows from everything else."""


def _leads_to_several(scope: EntityScope, path: str) -> bool:
    first = scope.follow((path.partition(".")[0],))
    return isinstance(first, Field) and bool(first.several)


def _links_on(path: str) -> int:
    """How many links a path follows; from a row to its record is none."""
    return path.removeprefix("parent.").count(".")


def _derived(findings: Findings, part: Part, checked: Checked, scope: EntityScope, path: tuple[str, ...]) -> None:
    """What a computed field may read: it is stored, and made again whenever something that it reads has changed."""
    place = part.at("compute")
    too_far = sorted(read for read in checked.paths if _links_on(read) > MOST_LOOKUPS)
    inside = sorted(read for read in checked.gathered if read.count(".") > 1)
    if too_far:
        hint = "make a part of it a computed field of the linked record, and read that"
        message = f"a computed field follows at most {MOST_LOOKUPS} links, and '{too_far[0]}' follows more"
        findings.note("XRM245", message, place, path, hint)
    if inside:
        hint = "make it a computed field there, and read that"
        findings.note("XRM245", f"'{inside[0]}' follows a link from each record of a collection", place, path, hint)
    several = [read for read in checked.paths if _links_on(read) == MOST_LOOKUPS and _leads_to_several(scope, read)]
    if several:
        message = f"'{several[0]}' goes on beyond a link to several entities"
        findings.note("XRM245", message, place, path, "make it a computed field of each of them, and read that")
    unsettled = sorted(read for read in checked.reads if read.rpartition(".")[2] in UNSETTLED)
    if unsettled:
        message = f"'{unsettled[0]}' changes with every write, so that nothing can be computed from it"
        findings.note("XRM245", message, place, path, "read the fields that it follows from")
    if checked.reads_actor or checked.reads_clock:
        what = "who asks" if checked.reads_actor else "the time"
        hint = "use 'default', or the 'set' of a transition; conditions of views, checks and guards may read it"
        message = f"a computed field is stored, so that it cannot depend on {what}"
        findings.note("XRM303", message, place, path, hint)


def _indexed(findings: Findings, part: Part, field: Field) -> None:
    if field.each:
        return
    if field.unique and not field.kind.unique:
        findings.note("XRM206", f"a field of type {field.type} cannot be unique", part.at("unique"), (*part.path, "unique"))
    if field.index and not field.kind.sortable:
        findings.note("XRM206", f"a field of type {field.type} cannot be indexed", part.at("index"), (*part.path, "index"))


def check_circles(findings: Findings) -> frozenset[Step]:
    """Computed fields that depend on themselves, through whatever entities: every circle once. The fields in circles."""
    found: set[Step] = set()
    for circle in circles(graph(findings.names)):
        places = [_computed_at(findings, step) for step in circle]
        if all((entity, name) in found for entity, name in circle) or places[0] is None:
            continue
        one = len({entity for entity, _ in circle}) == 1
        words = [name if one else f"{entity}.{name}" for entity, name in circle]
        hint = None if one else ", ".join(f"{word} at {place}" for word, place in zip(words, places, strict=True))
        shown = " → ".join((*words, words[0]))
        path = ("title",) if circle[0][1] == "title" else ("fields", circle[0][1], "compute")
        findings.note("XRM208", f"this depends on itself: {shown}", places[0], path, hint)
        found.update(circle)
    return frozenset(found)


def _computed_at(findings: Findings, step: Step) -> Place | None:
    known = findings.names.rows.get(step[0]) or findings.names.entities[step[0]]
    if known.part is None:
        return None
    inner = known.part.named("fields").get(step[1])
    return inner.at("compute") if inner else known.part.at(step[1])


def check_inverses(findings: Findings) -> None:
    """A collection has a name of its own on each entity that a link leads to."""
    taken: dict[Step, Place] = {}
    for known in findings.names.entities.values():
        for name, part in known.part.named("fields").items() if known.part and not known.abstract else ():
            word, link = part.word("inverse"), known.fields.get(name)
            for target in (link.each or link).targets if word and link else ():
                _inverse(findings, part, word, target, taken)


def _inverse(findings: Findings, part: Part, word: Word | None, entity: str, taken: dict[Step, Place]) -> None:
    target = findings.names.entities.get(entity)
    if word is None or target is None:
        return
    path, field = (*part.path, "inverse"), target.part.named("fields").get(word.text) if target.part else None
    other = field.place if field else taken.get((entity, word.text))
    if other is not None and (field or other != word.place):
        findings.note("XRM204", f"'{word.text}' is on '{entity}' already", word.place, path, f"the other one stands at {other}")
    elif word.text in {*SYSTEM_NAMES, *RESERVED} or target.field(word.text):
        findings.note("XRM205", f"the name '{word.text}' is reserved", word.place, path, "take another, such as a plural")
    taken.setdefault((entity, word.text), word.place)
