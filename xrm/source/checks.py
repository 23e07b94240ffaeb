"""Meaning: does every name exist, every expression check, every rule make sense? Outline + Names → Meaning.

Each function looks at one concern and notes all it finds; nothing stops at the first problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from xrm.errors import Place, Problem
from xrm.expr import Checked, Function, Type
from xrm.expr.typed import Apply, walked
from xrm.model.check_digits import CHECKS
from xrm.model.contacts import regions
from xrm.model.data import ReferenceRecord
from xrm.model.fields import Field
from xrm.model.standard import USER
from xrm.source.check_changes import check_changes, check_earlier_names
from xrm.source.check_constraints import check_constraints
from xrm.source.check_fields import check_circles, check_currency, check_fields, check_inverses
from xrm.source.check_lifecycle import check_lifecycle
from xrm.source.check_rows import check_tables
from xrm.source.check_sense import check_brand, check_conditions, check_makers, check_sort
from xrm.source.disclosure import check_message, check_order, check_title
from xrm.source.findings import Findings
from xrm.source.listing import check_listings
from xrm.source.names import MOST_LINKS, EntityScope, Known, Names, TargetScope, included
from xrm.source.outline import Label, Outline, Part, Word
from xrm.source.packs import PREFIX
from xrm.source.scalars import LOCALE
from xrm.source.translations import is_language
from xrm.source.vocabulary import PATHS, RESERVED

NUMBER_PART = re.compile(r"\{([^{}]*)\}")
NUMBER_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
SEQUENCE = re.compile(r"seq:([1-9]|1[0-2])")
ORDERED = re.compile(r"-?([a-z0-9_.]+)\s+(asc|desc)", re.IGNORECASE)
WORD_IN_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A definition of which everything is known: what is built from.

    ``expressions`` and ``values`` by the entity for which they were checked and the place where they are written: what
    is inherited is checked for each heir.
    """

    outline: Outline
    names: Names
    expressions: Mapping[tuple[str, Place], Checked]
    values: Mapping[tuple[str, Place], object]
    scopes: Mapping[tuple[str, Place], EntityScope | TargetScope]
    """The names that each expression sees."""
    records: tuple[ReferenceRecord, ...] = ()


def check(outline: Outline, names: Names, functions: Mapping[str, Function]) -> tuple[Meaning, tuple[Problem, ...]]:
    """Everything that is known about a sound definition, and all that is wrong with this one."""
    findings = Findings(names, functions)
    own = names.locale.split("-")[0]
    offered = [word.text for word in outline.application.words("locales") if word.text != own] if outline.application else []
    if outline.application:
        _application(findings, outline.application)
        _labels(findings, outline.application, offered)
    _one_of_each(findings, outline)
    check_earlier_names(findings, outline)
    check_tables(findings)
    check_inverses(findings)
    findings.circular = check_circles(findings)
    for part in outline.entities:
        name = part.word("entity")
        known = names.entities.get(name.text) if name else None
        if known and known.part is part:
            findings.enter(known)
            _entity(findings, known, part)
        _labels(findings, part, offered)
    check_conditions(findings)
    records = check_listings(findings, outline.listings)
    meaning = Meaning(outline, names, findings.expressions, findings.values, findings.scopes, records)
    return meaning, tuple(findings.problems)


# -- the application -------------------------------------------------------------------------------------------------


def _application(findings: Findings, part: Part) -> None:
    timezone, locale, currency = part.word("timezone"), part.word("locale"), part.word("currency")
    if timezone and not _is_zone(timezone.text):
        findings.unknown("time zone", timezone, ("timezone",), sorted(available_timezones()))
    if locale and not LOCALE.fullmatch(locale.text):
        findings.note("XRM206", f"'{locale.text}' is not a locale", locale.place, ("locale",), "for example en or es-MX")
    country = part.word("country")
    if country and country.text not in (known := regions()):
        findings.unknown("country", country, ("country",), sorted(known))
    if currency:
        check_currency(findings, currency, ("currency",))
    if brand := part.part("brand"):
        check_brand(findings, brand)
    circular = included(part.named("roles"))
    for name, role in part.named("roles").items():
        for word in role.words("includes"):
            findings.role(word, (*role.path, "includes"))
        if name in circular[name]:
            message = f"the role '{name}' includes itself"
            findings.note("XRM206", message, role.at("includes"), (*role.path, "includes"), "roles include downwards")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _labels(findings: Findings, part: Part, offered: Sequence[str]) -> None:
    """A label by locale has the application's own language among its texts, and none that is no language."""
    own = findings.names.locale.split("-")[0]
    if not LOCALE.fullmatch(findings.names.locale):
        return
    if part.place.file.startswith(PREFIX):
        return  # a pack speaks some languages; an application in another one translates it
    for inner in part.walk():
        for key, value in inner.values.items():
            if isinstance(value, Label) and not any(locale.split("-")[0] in ("", own) for locale, _ in value.texts):
                message = f"the text in the application's own language '{findings.names.locale}' is missing"
                findings.note("XRM202", message, value.place, (*inner.path, key), f"for example {own}: …")
            if isinstance(value, Label) and len(value.texts) > 1:
                _spoken(findings, value, (own, *offered), (*inner.path, key))


def _spoken(findings: Findings, label: Label, offered: Sequence[str], path: tuple[str, ...]) -> None:
    """Texts in a language that there is not; packs speak more languages than an application offers, and so may its own texts."""
    known = {"", *(locale.split("-")[0] for locale in offered)}
    for locale in (locale for locale, _ in label.texts if locale.split("-")[0] not in known and not is_language(locale)):
        message, hint = f"there is no language '{locale}': nobody sees this text", f"take it out, or name one of {', '.join(offered)}"
        findings.note("XRM226", message, label.place, path, hint, severity="warning")


# -- entities --------------------------------------------------------------------------------------------------------


def _one_of_each(findings: Findings, outline: Outline) -> None:
    first: dict[str, Place] = {}
    for part in outline.entities:
        name = part.word("entity")
        if name is None:
            continue
        if name.text == USER and part.has("add_to"):
            continue
        if name.text == USER or name.text in RESERVED | PATHS or name.text.startswith("xrm_"):
            what = "xrm defines it" if name.text == USER else "it is reserved"
            findings.note("XRM205", f"an entity cannot be called '{name.text}': {what}", name.place, ("entity",))
        elif name.text in first:
            message = f"the entity '{name.text}' is defined twice"
            findings.note("XRM204", message, name.place, ("entity",), f"the other one stands at {first[name.text]}")
        else:
            first[name.text] = name.place


def _entity(findings: Findings, known: Known, part: Part) -> None:
    _number(findings, known, part)
    check_fields(findings, known, part)
    check_constraints(findings, known, part)
    _title(findings, known, part)
    _key(findings, known, part)
    _unique(findings, known, part)
    _checks(findings, known, part)
    check_lifecycle(findings, known, part)
    check_changes(findings, known, part)
    _access(findings, known, part)
    _views(findings, known, part)
    for word in part.words("compact"):
        findings.field(known, word, ("compact",))
    _forms(findings, known, part)


def _number(findings: Findings, known: Known, part: Part) -> None:
    word = part.word("number")
    if part.flag("gapless") and word is None and not part.partial:
        findings.note("XRM202", "'gapless' wants a 'number'", part.at("gapless"), ("gapless",), 'for example number: "{seq:6}"')
    if word is None:
        return
    parts = NUMBER_PART.findall(word.text)
    rest = NUMBER_PART.sub("", word.text)
    counters = [name for name in parts if SEQUENCE.fullmatch(name)]
    checks = [name for name in parts if name.startswith("check:")]
    paths = [name for name in parts if NUMBER_PATH.fullmatch(name) and name != "year"]
    others = [name for name in parts if name not in ("year", *counters, *checks, *paths)]
    misplaced = checks and (checks != parts[-1:] or checks[0][6:] not in CHECKS)
    if others or misplaced or "{" in rest or "}" in rest or len(counters) != 1 or parts.count("year") > 1:
        message = f"'{word.text}' is not the form of a number"
        hint = "text with {seq:6} once and {year} at most once, for example SR-{year}-{seq:6}"
        if misplaced:
            hint = f"one check digit at the end: {', '.join(f'{{check:{name}}}' for name in CHECKS)}"
        findings.note("XRM206", message, word.place, ("number",), hint)
        return
    for name in paths:
        _number_path(findings, known, Word(name, word.scalar))


def _number_path(findings: Findings, known: Known, word: Word) -> None:
    """A field from which a number is made, and which it shows to all: known before the record is completed."""
    field = path_field(findings, findings.names.scope(known.name), word, ("number",))
    name = word.text.partition(".")[0]
    first, inner = known.fields.get(name), known.part.named("fields").get(name) if known.part else None
    if field is None:
        return
    later = first is None or (inner is not None and (inner.has("compute") or inner.has("find")))
    if later or field.kind.kept not in ("text", "whole") or field.kind.long:
        message = f"a number cannot be made from '{word.text}', which is of type {field.type}"
        hint = "a text, a choice or a whole number that people give"
        findings.note("XRM206", f"a number is given before '{word.text}' is known" if later else message, word.place, ("number",), hint)
    elif field.protected or (first is not None and first.protected):
        hint = "name another field"
        findings.note("XRM209", f"the number would show the protected field '{word.text}'", word.place, ("number",), hint)


def _title(findings: Findings, known: Known, part: Part) -> None:
    word = part.word("title")
    if word is None:
        return
    names = WORD_IN_BRACES.findall(word.text)
    rest = WORD_IN_BRACES.sub("", word.text)
    if "{" in rest or "}" in rest or not names:
        hint = 'for example "{number} {address}"'
        message = "a title is text with the names of fields in braces"
        findings.note("XRM206", message, word.place, ("title",), hint)
    for name in names:
        _titled(findings, known, part, Word(name.strip(), word.scalar))
    check_title(findings, known, names, word.place)


def _titled(findings: Findings, known: Known, part: Part, word: Word) -> None:
    if "." in word.text:
        message = f"a title shows fields of its own record, and '{word.text}' follows a link"
        findings.note("XRM206", message, word.place, ("title",))
        return
    if word.text == "title":
        findings.note("XRM206", "a title cannot show itself", word.place, ("title",))
        return
    if word.text == "number" and not part.has("number"):
        hint = 'declare it: number: "{seq:6}"'
        findings.note("XRM203", "this entity has no number", word.place, ("title",), hint)
        return
    field = findings.field(known, word, ("title",))
    if field and not field.kind.titled:
        message = f"a title cannot show '{field.name}', which is of type {field.type}"
        findings.note("XRM206", message, word.place, ("title",))


def _key(findings: Findings, known: Known, part: Part) -> None:
    word = part.word("key")
    field = findings.field(known, word, ("key",), declared_only=True) if word else None
    if word is None or field is None:
        return
    inner = part.named("fields").get(word.text)
    if inner is None or inner.broken:
        return
    required = inner.flag("required")
    if field.type != "text" or not field.unique or not required:
        message = f"a key is a text that is unique and required, and '{field.name}' is not"
        hint = f"write: {field.name}: {{type: text, unique: true, required: true}}"
        findings.note("XRM206", message, word.place, ("key",), hint)


def _unique(findings: Findings, known: Known, part: Part) -> None:
    scope = findings.names.scope(known.name)
    for rule in part.parts("unique"):
        for word in rule.words("fields"):
            field = findings.field(known, word, (*rule.path, "fields"), declared_only=True)
            if field and not field.kind.sortable:
                message = f"a field of type {field.type} cannot be unique"
                findings.note("XRM206", message, word.place, (*rule.path, "fields"))
        checked = findings.condition(rule.formula("when"), scope, (*rule.path, "when"), "sql")
        if checked and any(isinstance(node, Apply) and node.function.name == "covers" for node in walked(checked.node)):
            message = "an index cannot look into areas: this condition does not ask 'covers'"
            findings.note("XRM307", message, rule.at("when"), (*rule.path, "when"), "make it a computed field and ask for that")
        if checked and (checked.reads_actor or checked.reads_clock or checked.gathered or any("." in path for path in checked.paths)):
            message = "this condition reads fields of its own record only: no link, no actor, no time"
            findings.note("XRM307", message, rule.at("when"), (*rule.path, "when"))


def _checks(findings: Findings, known: Known, part: Part) -> None:
    scope = findings.names.scope(known.name)
    for rule in part.parts("checks"):
        given = [key for key in ("must", "should") if rule.has(key)]
        if len(given) != 1 and not rule.partial:
            code = "XRM202" if not given else "XRM206"
            message = "a check says exactly one of 'must' and 'should'"
            findings.note(code, message, rule.place, rule.path, "must refuses, should warns")
        for key in ("when", "must", "should"):
            findings.condition(rule.formula(key), scope, (*rule.path, key))
        word = rule.word("field")
        if word:
            findings.field(known, word, (*rule.path, "field"), declared_only=True)
        check_message(findings, known, rule.label("message"), (*rule.path, "message"))


def _access(findings: Findings, known: Known, part: Part) -> None:
    scope = findings.names.scope(known.name)
    for grant in part.parts("access"):
        assert grant.name is not None
        findings.role(grant.name, ("access",))
        for right in ("read", "create", "update", "delete"):
            findings.condition(grant.formula(right), scope, (*grant.path, right), "sql")
        check_makers(findings, known, grant)
        for key in ("sees", "edits"):
            for word in grant.words(key):
                _protected(findings, known, word, (*grant.path, key))


def _protected(findings: Findings, known: Known, word: Word, path: tuple[str, ...]) -> None:
    outer, _, own = word.text.partition(".")
    rows = findings.names.rows.get(f"{known.name}.{outer}") if own else None
    known, name = (rows, own) if rows else (known, word.text)
    field = findings.field(known, Word(name, word.scalar), path, declared_only=True)
    inner = known.part.named("fields").get(name) if known.part else None
    if field and not field.protected and inner and "protected" not in inner.broken:
        hint = f"write protected: true at '{field.name}', or take it out here"
        findings.note("XRM206", f"'{field.name}' is not protected: all who read see it", word.place, path, hint)


# -- views and forms -------------------------------------------------------------------------------------------------


def _views(findings: Findings, known: Known, part: Part) -> None:
    scope = findings.names.scope(known.name)
    for view in part.parts("views"):
        for word in view.words("columns"):
            path_field(findings, scope, word, (*view.path, "columns"))
        sound = len(findings.problems)
        sorts = [word for word in view.words("sort") if _sorted(findings, scope, word, (*view.path, "sort"))]
        paths = [word.text.removeprefix("-") for word in sorts]
        check_order(findings, scope, paths, "sort", place=view.at("sort"), path=(*view.path, "sort"))
        if len(findings.problems) == sound:
            check_sort(findings, view, sorts)
        checked = findings.condition(view.formula("filter"), scope, (*view.path, "filter"), "sql")
        if checked:
            check_order(findings, scope, checked.reads, "filter", place=view.at("filter"), path=(*view.path, "filter"))


def path_field(findings: Findings, scope: EntityScope, word: Word, path: tuple[str, ...]) -> Field | None:
    """The field that a path leads to; None, and a problem, where it leads nowhere."""
    names = tuple(word.text.removeprefix("-").split("."))
    if len(names) == 1 and names[0] not in scope.here.inverses:
        return findings.field(scope.here, Word(names[0], word.scalar), path)
    if len(names) > MOST_LINKS + 1:
        findings.note("XRM206", f"a path follows at most {MOST_LINKS} links", word.place, path)
        return None
    for end in range(1, len(names) + 1):
        found = scope.follow(names[:end])
        if found is None:
            shown = Word(names[end - 1], word.scalar)
            findings.unknown("field", shown, path, scope.names(names[: end - 1]))
            return None
        if isinstance(found, Type) and found.name == "collection" and end < len(names):
            message = f"'{names[end - 1]}' is a collection: a list shows how many there are"
            findings.note("XRM206", message, word.place, path, f"write {'.'.join(names[:end])}, or name a computed field")
            return None
        if not isinstance(found, Field):
            return None
        if end < len(names) and found.type not in ("link", "address"):
            message = f"'{found.name}' is no link: nothing can follow it"
            findings.note("XRM206", message, word.place, path)
            return None
    return found if isinstance(found, Field) else None


def _sorted(findings: Findings, scope: EntityScope, word: Word, path: tuple[str, ...]) -> bool:
    ordered = ORDERED.fullmatch(word.text)
    if ordered:
        sign = "-" if ordered[2].lower() == "desc" else ""
        findings.note("XRM206", f"'{ordered[2]}' is no part of a name", word.place, path, f"write: {sign}{ordered[1]}")
        return False
    field = path_field(findings, scope, word, path)
    if field and not field.kind.sortable:
        findings.note("XRM206", f"a view cannot be sorted by '{field.name}', which is of type {field.type}", word.place, path)
    return field is not None


def _forms(findings: Findings, known: Known, part: Part) -> None:
    sound = not part.has("forms") or "forms" not in part.broken
    shown = {form: _form(findings, known, part.layout(form)) for form in ("default", "new", "print")}
    seen = shown["default"]
    if not seen or not sound:
        return
    for name, field in part.named("fields").items():
        if field.flag("required") and not field.has("default") and name not in seen:
            message = f"'{name}' is required, and no section of the form has it"
            findings.note("XRM206", message, part.at("forms"), ("forms",), "add it to a section", severity="warning")


def _form(findings: Findings, known: Known, sections: Sequence[Part]) -> Mapping[str, Place] | None:
    """The fields of a form, each with its place; None where there is no form, or something in it is refused."""
    seen: dict[str, Place] = {}
    sound = True
    for section in sections:
        sound &= section.has("fields") and not section.broken
        for word in section.words("fields"):
            sound &= findings.field(known, word, (*section.path, "fields"), declared_only=True) is not None
            if word.text in seen:
                message = f"'{word.text}' stands in the form twice"
                findings.note("XRM204", message, word.place, section.path, f"the other one is in line {seen[word.text].line}")
            seen.setdefault(word.text, word.place)
    return seen if sound and seen else None
