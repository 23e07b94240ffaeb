"""Where a thing of the application is named: every view, rule, form, guard and plugin, with its place.

Nothing is listed by hand: a key's kind (``source/keys.py``) says whether it holds names and of what, so that a new key
is covered by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from xrm.errors import Place, Problem
from xrm.expr.gathered import Gather
from xrm.expr.typed import ActorValue, Column, Constant, Equality, Items, Membership, Order, Typed
from xrm.model.application import Application
from xrm.model.entity import Entity, Inverse
from xrm.model.fields import Field
from xrm.source import kinds
from xrm.source.checks import Meaning
from xrm.source.document import Map, Node, Scalar, read_text
from xrm.source.document import Sequence as NodeList
from xrm.source.keys import KINDS
from xrm.source.names import EntityScope, Known, TargetScope
from xrm.source.outline import Formula, Given, Listing, Part, Word
from xrm.source.spans import place_of

IN_BRACES = re.compile(r"\{\s*([a-z][a-z0-9_.]*)\s*\}")
WORD = re.compile(r"[a-z][a-z0-9_]*")
MOST_TEXT = 4_000
"""A longer text in a plugin is no name and no expression."""

Thing = tuple[str, ...]
"""``("entity", "request")``, ``("field", "request", "category")``, ``("option", "request", "channel", "phone")``, ``("state", …)``,
``("inverse", "person", "requests")``, ``("role", "agent")``, ``("type", "channel")``, ``("pack", "contacts")``,
``("record", "category", "pothole")``. A field of rows stands on ``order.lines``."""


@dataclass(frozen=True, slots=True)
class Use:
    """One place that names a thing; ``by`` is the path of keys, ``views → mine → filter``. A plugin's text only seems to name it."""

    thing: Thing
    by: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whose names stand where: of the record, of the record of a row, and of the members of collections."""

    record: Known
    parent: Known | None
    members: Mapping[str, Known]

    def of(self, node: Typed) -> Known:
        if isinstance(node, Equality | Membership | Order):
            node = next((side for side in (node.left, node.right) if isinstance(side, Column)), node)
        if isinstance(node, Column):
            if node.member in self.members:
                return self.members[node.member]
            if self.parent and node.name.startswith("parent."):
                return self.parent
        return self.record


def _seen(scope: EntityScope | TargetScope) -> _Seen:
    own = scope.target if isinstance(scope, TargetScope) else scope
    return _Seen(own.here, own.parent, {})


def uses(meaning: Meaning, files: Mapping[str, str]) -> tuple[Use, ...]:
    """Every use of every thing, by place."""
    finder = _Finder(meaning)
    outline = meaning.outline
    found = list(finder.part(outline.application, None)) if outline.application else []
    for part in outline.entities:
        name = part.word("entity")
        found += finder.part(part, name.text if name else None)
    for listing in outline.listings:
        found += finder.records(listing)
    for file, text in files.items():
        if file.startswith(TRANSLATED) and isinstance(root := read_text(file, text).root, Map):
            found += _translated(root, (), ())
    found += plugin_uses({known.name: _named_things(known) for known in meaning.names.entities.values()}, files)
    return tuple(sorted(dict.fromkeys(found), key=_in_order))


def _in_order(use: Use) -> tuple[str, int, int, Thing, tuple[str, ...]]:
    return use.place.file, use.place.line, use.place.column, use.thing, use.by


class _Finder:
    def __init__(self, meaning: Meaning) -> None:
        self.names = meaning.names
        self.meaning = meaning

    def part(self, part: Part, entity: str | None) -> Iterator[Use]:
        kind = KINDS[part.kind]
        for key in kind.keys:
            path = (*part.path, key.name)
            match key.kind:
                case kinds.Ref(of=what):
                    for word in part.words(key.name):
                        yield from self.word(what, word, entity, path)
                case kinds.Named(names="role" | "field" as what):
                    for inner in part.parts(key.name):
                        if inner.name:
                            yield from self.word(what, inner.name, entity, path)
                case kinds.ValueMap():
                    for word, given in part.givens(key.name):
                        yield from self.word("field", word, entity, path)
                        yield from self.given(given, (*path, word.text), entity, word.text)
                case kinds.Condition():
                    yield from self.formula(part.formula(key.name), entity, path)
                case kinds.Value():
                    own = part.given(key.name)
                    yield from self.given(own, path, entity, part.name.text if part.name else "") if own else ()
                case kinds.Text() | kinds.Label():
                    yield from self.template(part, key.name, entity, path)
            yield from self.inner(part, key.name, entity)

    def records(self, listing: Listing) -> Iterator[Use]:
        """What the reference records of an entity name of it."""
        known = self.names.entities.get(listing.entity)
        yield Use(("entity", listing.entity), ("records",), listing.place)
        for row in listing.rows:
            path = (row.name.text,) if row.name else ("record",)
            for word, datum in row.values:
                field = known.fields.get(word.text) if known else None
                yield Use(("field", listing.entity, word.text), path, word.place)
                if field:
                    yield from self.datum(listing.entity, field, datum.node, (*path, word.text))

    def datum(self, entity: str, field: Field, node: Node, path: tuple[str, ...]) -> Iterator[Use]:
        """The options and the records that data names; ``field`` of the entity takes it."""
        target = (field.each or field).to
        kind: Thing = ("option", entity, field.name) if field.options else ("record", target or "")
        for one in node.items if isinstance(node, NodeList) else (node,):
            if isinstance(one, Scalar) and (field.options or target):
                yield Use((*kind, one.text), path, one.place)

    def inner(self, part: Part, key: str, entity: str | None) -> Iterator[Use]:
        one = part.part(key)
        for below in (*part.parts(key), *((one,) if one else ())):
            yield from self.part(below, entity)

    def word(self, what: str, word: Word, entity: str | None, path: tuple[str, ...]) -> Iterator[Use]:
        match what:
            case "field" | "path" if entity is not None and entity in self.names.entities:
                yield from self.path(self.names.entities[entity], word.text.removeprefix("-"), word.place, path)
            case "state" if entity is not None:
                yield Use(("state", entity, word.text), path, word.place)
            case "entity" | "role" | "pack":
                yield Use((what, word.text), path, word.place)
            case "type":
                yield Use((what, word.scalar.text), path, word.place)  # as it is written: a type of the application's own

    def template(self, part: Part, key: str, entity: str | None, path: tuple[str, ...]) -> Iterator[Use]:
        """The names in braces of a title or a message."""
        word, label = part.word(key), part.label(key)
        texts = [(word.text, word.place)] if word else [(text, label.place) for _, text in label.texts] if label else []
        for text, place in texts if entity in self.names.entities else ():
            assert entity is not None
            for name in IN_BRACES.findall(text):
                yield from self.path(self.names.entities[entity], name, place, path)

    def given(self, given: Given, path: tuple[str, ...], entity: str | None, field: str) -> Iterator[Use]:
        """The expressions in a value, and the option that data names; ``field`` takes the value."""
        known = self.names.entities.get(entity or "")
        target = known.field(field) if known else None
        for case in given.cases:
            yield from self.formula(case.when, entity, path)
            if isinstance(case.use, Formula):
                yield from self.formula(case.use, entity, path)
            elif entity and target:
                yield from self.datum(entity, target, case.use.node, path)

    def formula(self, formula: Formula | None, entity: str | None, path: tuple[str, ...]) -> Iterator[Use]:
        where = (entity or "", formula.place) if formula else None
        checked = self.meaning.expressions.get(where) if where else None
        scope = self.meaning.scopes.get(where) if where else None
        if formula is None or checked is None or scope is None:
            return
        seen = _seen(scope)
        for node, known in self.walked(checked.node, seen):
            place = place_of(formula.scalar, node.start + formula.skipped, node.end + formula.skipped)
            if isinstance(node, Column | Gather):
                name = node.name if isinstance(node, Column) else node.path
                yield from self.path(known, name.removeprefix("parent.") if known is seen.parent else name, place, path)
            elif isinstance(node, ActorValue) and isinstance(scope, TargetScope) and node.key.startswith("this."):
                yield from self.path(scope.record.here, node.key.removeprefix("this."), place, path)
            elif isinstance(node, Equality | Membership | Order):
                yield from self.options(known, node, path, place)

    def walked(self, node: Typed, seen: _Seen) -> Iterator[tuple[Typed, Known]]:
        """Every node of an expression with the entity, or the rows, whose names it uses."""
        yield node, seen.of(node)
        if isinstance(node, Gather) and (inner := self.end(seen.of(node), node.path)):
            seen = replace(seen, members={**seen.members, node.member: inner})
        for below in node.parts:
            yield from self.walked(below, seen)

    def options(self, known: Known, node: Equality | Membership | Order, path: tuple[str, ...], place: Place) -> Iterator[Use]:
        """The options and states that a comparison names."""
        sides = (node.left, node.right)
        column = next((side for side in sides if isinstance(side, Column)), None)
        hops = list(self.hops(known, column.name)) if column else []
        entity, field = hops[-1] if hops else ("", None)
        if not isinstance(field, Field) or not field.options:
            return
        kind: Thing = ("state", entity) if field.name == "state" else ("option", entity, field.name)
        for side in sides:
            for constant in side.items if isinstance(side, Items) else (side,):
                if isinstance(constant, Constant) and isinstance(constant.value, str):
                    yield Use((*kind, constant.value), path, place)

    def path(self, known: Known, dotted: str, place: Place, by: tuple[str, ...]) -> Iterator[Use]:
        for depth, (entity, found) in enumerate(self.hops(known, dotted), 1):
            if isinstance(found, Inverse):
                yield Use(("inverse", entity, found.name), by, place)
                yield from (Use(("field", member, found.field), by, place) for member in found.entities)
                for member in found.entities[1:]:  # the hops go on in the first
                    yield from self.path(self.names.entities[member], ".".join(dotted.split(".")[depth:]), place, by)
            else:
                yield Use(("field", entity, found.name), by, place)
                for member in found.each.targets[1:] if found.each else ():
                    yield from self.path(self.names.entities[member], ".".join(dotted.split(".")[depth:]), place, by)

    def hops(self, known: Known, dotted: str) -> Iterator[tuple[str, Field | Inverse]]:
        """The fields and inverse names on a path, each with the entity, or the rows, that it stands on."""
        here: Known | None = known
        for name in dotted.split("."):
            found = here and (here.field(name) or here.inverses.get(name))
            if here is None or not found:
                return
            yield here.name, found
            here = self.beyond(here, found)

    def end(self, known: Known, dotted: str) -> Known | None:
        """The entity whose records a path to a collection leads to."""
        hops = list(self.hops(known, dotted))
        here = self.names.entities.get(hops[-1][0]) or self.names.rows.get(hops[-1][0]) if hops else None
        return self.beyond(here, hops[-1][1]) if here else None

    def beyond(self, known: Known, found: Field | Inverse) -> Known | None:
        if isinstance(found, Inverse):
            return self.names.entities.get(found.entities[0])
        if found.type == "rows" and not found.each:
            return self.names.rows.get(f"{known.name}.{found.name}")
        targets = (found.each or found).targets
        return self.names.entities.get(targets[0]) if targets else None


# -- translations ----------------------------------------------------------------------------------------------------

TRANSLATED = "locale/"
CALLED = {
    ("entities",): "entity", ("roles",): "role", ("types",): "type", ("entities", "fields"): "field", ("entities", "views"): "view",
    ("entities", "checks"): "check", ("entities", "lifecycle", "states"): "state", ("entities", "lifecycle", "transitions"): "transition",
    ("entities", "fields", "options"): "option",
}  # fmt: skip
"""What the keys of a translation name, by the keys above them."""


def _translated(node: Map, keys: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Use]:
    """What a file of translations has words for. ``keys`` and ``names``: on the way to it, the language's and the application's own."""
    what = CALLED.get(keys)
    for key, value in node.entries:
        path = (*names, key.text)
        if what:
            yield Use((what, *path), ("words",), key.place)
        if isinstance(value, Map):
            yield from _inside(value, keys, path) if what else _translated(value, (*keys, key.text), names)


def _inside(node: Map, keys: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Use]:
    """The keys of the language beneath a name."""
    for key, value in node.entries:
        if isinstance(value, Map):
            yield from _translated(value, (*keys, key.text), names)


# -- plugins ---------------------------------------------------------------------------------------------------------


def _named_things(known: Known) -> dict[str, str]:
    """What a plugin may name of an entity, by name: its transitions and fields."""
    lifecycle = known.part.part("lifecycle") if known.part else None
    moves = lifecycle.named("transitions") if lifecycle else {}
    return {**dict.fromkeys(moves, "transition"), **dict.fromkeys(known.fields, "field")}


def plugin_uses(entities: Mapping[str, Mapping[str, str]], files: Mapping[str, str]) -> Iterator[Use]:
    """What the text of plugins seems to name: entities, and of the entities that the same file names, fields and transitions (these
    where nothing else stands in the text). ``entities`` says by entity and name which of the two it is."""
    for file, text in files.items():
        if not file.startswith("plugins/") or not file.endswith(".py"):
            continue
        words = list(_words(file, text))
        named = {word for word, _, _ in words if word in entities}
        for word, place, whole in words:
            if word in named:
                yield Use(("entity", word), ("text",), place)
            for entity in named:
                what = entities[entity].get(word)
                if what == "field" or (what and whole):
                    yield Use((what, entity, word), ("text",), place)


def _words(file: str, text: str) -> Iterator[tuple[str, Place, bool]]:
    """The words in the strings of a Python file, and the names of its keyword arguments; documentation is passed over. With each, whether
    it is all that stands in its string."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg:
            yield node.arg, Place(file, node.lineno, node.col_offset + 1, len(node.arg)), False
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose and len(node.value) <= MOST_TEXT:
            for found in WORD.finditer(node.value):
                yield found[0], Place(file, node.lineno, node.col_offset + 1), found[0] == node.value


def dangling(before: Application, after: Application) -> tuple[Problem, ...]:
    """What plugins still name although the definition has it no more, or by another name (XRM412). A name that another entity of the
    same file still has may be that one's, and is let pass."""
    entities = {
        name: {**dict.fromkeys(_moves(entity), "transition"), **dict.fromkeys(entity.fields, "field")}
        for name, entity in before.entities.items()
    }
    told: dict[tuple[str, str], Problem] = {}
    for use in plugin_uses(entities, after.files):
        kind, entity, *rest = use.thing
        standing = after.entities.get(entity)
        if kind == "entity" and standing is None:
            told.setdefault((use.place.file, entity), _gone(use, f"the entity '{entity}'"))
        elif rest and standing is not None and not _there(kind, rest[0], standing, after):
            told.setdefault((use.place.file, f"{entity}.{rest[0]}"), _gone(use, f"the {kind} '{rest[0]}' of {entity}"))
    return tuple(told.values())


def _moves(entity: Entity) -> Collection[str]:
    return entity.lifecycle.transitions if entity.lifecycle else ()


def _there(kind: str, name: str, standing: Entity, application: Application) -> bool:
    entities = (standing, *application.entities.values())
    return any(name in (entity.all_fields if kind == "field" else _moves(entity)) for entity in entities)


def _gone(use: Use, what: str) -> Problem:
    hint = "change the plugin with the definition, or keep the name"
    return Problem("XRM412", f"this plugin names {what}, which the definition no longer has", use.place, hint=hint)


def named(found: Iterable[Use], thing: Thing) -> tuple[Use, ...]:
    """The uses of one thing; those of an entity's fields are not uses of the entity."""
    return tuple(use for use in found if use.thing == thing)
