"""Meaning → Application. Everything is sound here: this only puts it together and fills in what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from xrm.model.access import RIGHTS, Grant, Right, Role
from xrm.model.application import Application
from xrm.model.brand import Brand, brand
from xrm.model.entity import Entity, Inverse, NumberFormat
from xrm.model.fields import Check, Conversion, Expression, Field, Option, Text, Unique, Value
from xrm.model.lifecycle import Ask, Guard, Lifecycle, State, Transition
from xrm.model.standard import USER, user_entity
from xrm.model.views import Form, Section, SortKey, View
from xrm.source.bare import earlier, humanised, label_text, removals
from xrm.source.check_changes import earlier_field
from xrm.source.checks import SEQUENCE, Meaning
from xrm.source.names import Known
from xrm.source.outline import Datum, Formula, Given, Part

FACTS = 6
COLUMNS = 4


def build(meaning: Meaning, files: Mapping[str, str]) -> Application:
    """The application that a sound definition describes."""
    part = meaning.outline.application
    assert part is not None
    return _Builder(meaning).application(part, files)


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over the files in the order of their names; each name and text is preceded by its length."""
    total = hashlib.sha256()
    for name in sorted(files):
        for piece in (name.encode(), files[name].encode()):
            total.update(len(piece).to_bytes(8, "big") + piece)
    return total.hexdigest()


class _Builder:
    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.locale = meaning.names.locale
        self.here = ""

    def application(self, part: Part, files: Mapping[str, str]) -> Application:
        names = self.meaning.names
        roles = {
            name: Role(name, self.text(inner, "label", name), names.roles[name], earlier(inner))
            for name, inner in part.named("roles").items()
        }
        concrete = [known for known in names.entities.values() if not known.abstract and known.name != USER]
        entities = {known.name: self.entity(known, known.part) for known in concrete if known.part is not None}
        entities[USER] = self.user(names.entities[USER], user_entity(self.locale, roles))
        name = self.word(part, "name", "")
        return Application(
            name=name,
            label=self.text(part, "label", name),
            locale=self.locale,
            timezone=self.word(part, "timezone", "UTC"),
            currency=names.currency,
            types=tuple(part.named("types")),
            brand=self.brand(part.part("brand")),
            roles=MappingProxyType(roles),
            entities=MappingProxyType(entities),
            data=self.meaning.records,
            locales=tuple(dict.fromkeys((self.locale, *self.words(part, "locales")))),
            removed_roles=removals(part),
            families=MappingProxyType(dict(names.families)),
            files=MappingProxyType(dict(sorted(files.items()))),
            digest=digest(files),
        )

    # -- pieces -----------------------------------------------------------------------------------------------------

    def brand(self, part: Part | None) -> Brand | None:
        return (
            brand(self.word(part, "colour", ""), self.word(part, "dark", "") or None, self.word(part, "bar", "") or None) if part else None
        )

    def word(self, part: Part, key: str, default: str) -> str:
        word = part.word(key)
        return word.text if word else default

    def text(self, part: Part, key: str, name: str) -> Text:
        """A label, made from the name where none was given."""
        return label_text(part.label(key), self.locale, humanised(name))

    def optional(self, part: Part, key: str) -> Text | None:
        return self.text(part, key, "") if part.label(key) else None

    def words(self, part: Part, key: str) -> tuple[str, ...]:
        return tuple(word.text for word in part.words(key))

    def expression(self, formula: Formula) -> Expression:
        return Expression(self.meaning.expressions[self.here, formula.place], str(formula.place))

    def condition(self, part: Part, key: str) -> Expression | None:
        formula = part.formula(key)
        return self.expression(formula) if formula else None

    def given(self, part: Part, key: str) -> Value | None:
        return self.value(part.given(key))

    def value(self, given: Given | None) -> Value | None:
        if given is None:
            return None
        return Value(tuple((self.expression(case.when) if case.when else None, self.use(case.use)) for case in given.cases))

    def use(self, use: Formula | Datum) -> Expression | object:
        return self.expression(use) if isinstance(use, Formula) else self.meaning.values[self.here, use.place]

    # -- entities ---------------------------------------------------------------------------------------------------

    def user(self, known: Known, standard: Entity) -> Entity:
        """The user with what the application adds to it; every role goes on reading."""
        standard = replace(standard, inverses=MappingProxyType({name: self.inverse(one) for name, one in known.inverses.items()}))
        if known.part is None:
            return standard
        added = self.entity(known, known.part)
        access = {role: _both(grant, added.access.get(role)) for role, grant in standard.access.items()}
        fields = MappingProxyType({**standard.fields, **added.fields})
        section = Section(standard.label, tuple(name for name, field in fields.items() if field.compute is None))
        views = added.views if known.part.has("views") else {}
        return replace(
            standard,
            fields=fields,
            unique=added.unique,
            checks=added.checks,
            access=MappingProxyType(access),
            views=MappingProxyType(
                {**standard.views, **{name: view for name, view in views.items() if known.part.named("views").get(name)}}
            ),
            forms=added.forms if known.part.has("forms") else MappingProxyType({"default": Form("default", (section,))}),
            compact=(*standard.compact, *self.words(known.part, "compact")),
        )

    def entity(self, known: Known, part: Part) -> Entity:
        self.here = known.name
        fields = {name: self.field(known.fields[name], inner) for name, inner in part.named("fields").items()}
        label = self.text(part, "label", known.name)
        plural = part.label("plural")
        title = self.word(part, "title", "") or _title(part.has("number"), fields)
        forms = self.forms(part, fields, label)
        entity = Entity(
            name=known.name,
            label=label,
            plural=label_text(plural, self.locale, "") if plural else {own: f"{words}s" for own, words in label.items()},
            icon=self.word(part, "icon", "list"),
            fields=MappingProxyType(fields),
            system_fields=MappingProxyType(dict(known.system)),
            title=title,
            number=_number(self.word(part, "number", ""), part.flag("gapless")),
            key=self.word(part, "key", "") or None,
            inverses=MappingProxyType({name: self.inverse(inverse) for name, inverse in known.inverses.items()}),
            unique=tuple(self.unique(rule) for rule in part.parts("unique")),
            checks=tuple(self.check(rule) for rule in part.parts("checks")),
            lifecycle=self.lifecycle(part.part("lifecycle")),
            access=MappingProxyType({name: self.grant(name, inner) for name, inner in part.named("access").items()}),
            forms=forms,
            compact=self.words(part, "compact") or _facts(fields),
            help=self.optional(part, "help"),
            renamed_from=earlier(part),
            place=str(known.place),
            base=known.base,
        )
        return replace(entity, views=MappingProxyType(self.views(part, entity)))

    def inverse(self, bare: Inverse) -> Inverse:
        """A collection, called as its records are where its name is as theirs is."""
        names = self.meaning.names.entities
        called = bare.entities[0] if len(bare.entities) == 1 else names[bare.entities[0]].base or bare.entities[0]
        part = names[called].part if called in names else None
        plural = part.label("plural") if part and bare.name == f"{called}s" else None
        return replace(bare, label=label_text(plural, self.locale, "")) if plural else bare

    def field(self, bare: Field, part: Part) -> Field:
        """The field with what was checked. Most of what a field may say is not said, so that only what is said is read and added."""
        said = {own: read(self, part, key) for own, (key, read) in SAID.items() if part.has(key)}
        if bare.rows and not bare.each:
            inner = part.named("fields")
            said["rows"] = MappingProxyType({name: self.field(bare.rows[name], inner[name]) for name in inner})
        options = part.named("options")
        if any(option.has("when") for option in options.values()):
            said["options"] = tuple(self.option(option, options.get(option.name)) for option in bare.options)
        return bare.changed(**said) if said else bare

    def truth(self, part: Part, key: str) -> Expression | bool:
        """``true``, ``false`` or a condition."""
        return self.condition(part, key) or part.flag(key)

    def option(self, bare: Option, part: Part | None) -> Option:
        when = self.condition(part, "when") if part else None
        return replace(bare, when=when) if when else bare

    def conversion(self, part: Part, key: str) -> Conversion | None:
        inner = part.part(key)
        if inner is None:
            return None
        was = earlier_field(inner, self.meaning.names.currency)
        return Conversion(was.type, was.places, self.given(inner, "with"))

    def bound(self, part: Part, key: str) -> object | None:
        datum = part.datum(key)
        return self.meaning.values[self.here, datum.place] if datum else None

    def unique(self, part: Part) -> Unique:
        assert part.name is not None
        return Unique(part.name.text, self.words(part, "fields"), self.condition(part, "when"))

    def check(self, part: Part) -> Check:
        assert part.name is not None
        return Check(
            name=part.name.text,
            when=self.condition(part, "when"),
            must=self.condition(part, "must"),
            should=self.condition(part, "should"),
            message=self.text(part, "message", ""),
            field=self.word(part, "field", "") or None,
            renamed_from=earlier(part),
        )

    def lifecycle(self, part: Part | None) -> Lifecycle | None:
        if part is None:
            return None
        return Lifecycle(
            MappingProxyType({name: self.state(name, inner) for name, inner in part.named("states").items()}),
            MappingProxyType({name: self.transition(name, inner) for name, inner in part.named("transitions").items()}),
            removals(part),
            self.given(part, "fill"),
        )

    def state(self, name: str, part: Part) -> State:
        return State(
            name=name,
            label=self.text(part, "label", name),
            initial=part.flag("initial"),
            final=part.flag("final"),
            tone=self.word(part, "tone", "") or None,
            edit=self.words(part, "edit") if part.has("edit") else None,
            renamed_from=earlier(part),
        )

    def transition(self, name: str, part: Part) -> Transition:
        given = {word.text: self.value(value) for word, value in part.givens("set")}
        return Transition(
            name=name,
            label=self.text(part, "label", name),
            sources=self.words(part, "from"),
            target=self.word(part, "to", ""),
            roles=self.words(part, "roles") if part.has("roles") else None,
            ask=tuple(self.ask(field, inner) for field, inner in part.named("ask").items()),
            set=MappingProxyType({field: value for field, value in given.items() if value}) if given else None,
            guards=tuple(self.guard(inner) for inner in part.parts("guards")),
            renamed_from=earlier(part),
        )

    def ask(self, field: str, part: Part) -> Ask:
        return Ask(field, self.truth(part, "required") if part.has("required") else True, self.condition(part, "show"))

    def guard(self, part: Part) -> Guard:
        must = self.condition(part, "must")
        assert must is not None
        return Guard(must, self.text(part, "message", ""))

    def grant(self, role: str, part: Part) -> Grant:
        rights: dict[Right, Expression | Literal[True]] = {}
        for right in RIGHTS:
            condition = self.condition(part, right)
            if condition:
                rights[right] = condition
            elif part.flag(right):
                rights[right] = True
        return Grant(role, MappingProxyType(rights), self.words(part, "sees"), self.words(part, "edits"), part.flag("historic"))

    # -- views and forms --------------------------------------------------------------------------------------------

    def views(self, part: Part, entity: Entity) -> Mapping[str, View]:
        """The views in order; ``default`` is made where it is absent, and the others follow it in what they leave out."""
        made = View("default", entity.plural, _columns(entity), (SortKey("created_at", descending=True),))
        parts = part.named("views")
        default = self.view("default", parts["default"], made, entity.plural) if "default" in parts else made
        views = {"default": default} if "default" not in parts else {}
        for name, inner in parts.items():
            views[name] = default if name == "default" else self.view(name, inner, default, None)
        return views

    def view(self, name: str, part: Part, default: View, label: Text | None) -> View:
        sort = tuple(SortKey(path.removeprefix("-"), path.startswith("-")) for path in self.words(part, "sort"))
        return View(
            name=name,
            label=label if label and not part.has("label") else self.text(part, "label", name),
            columns=self.words(part, "columns") or default.columns,
            sort=sort or default.sort,
            filter=self.condition(part, "filter"),
            renamed_from=earlier(part),
        )

    def forms(self, part: Part, fields: Mapping[str, Field], label: Text) -> Mapping[str, Form]:
        """Every form that is laid out, and the default one in any case."""
        editable = tuple(name for name, field in fields.items() if field.compute is None)
        made = {form: tuple(map(self.section, part.layout(form))) for form in ("default", "new", "print")}
        made["default"] = made["default"] or (Section(label, editable),)
        return MappingProxyType({name: Form(name, sections) for name, sections in made.items() if sections})

    def section(self, part: Part) -> Section:
        return Section(
            self.text(part, "section", ""), self.words(part, "fields"), self.condition(part, "show"),
            self.truth(part, "required"), self.truth(part, "readonly"), part.number("columns") or 0,
        )  # fmt: skip


SAID: Mapping[str, tuple[str, Callable[[_Builder, Part, str], object]]] = {
    "required": ("required", _Builder.truth),
    "recommended": ("recommended", _Builder.truth),
    "show": ("show", _Builder.condition),
    "readonly": ("readonly", _Builder.truth),
    "default": ("default", _Builder.given),
    "compute": ("compute", _Builder.given),
    "fill": ("fill", _Builder.given),
    "converted_from": ("converted_from", _Builder.conversion),
    "minimum": ("min", _Builder.bound),
    "maximum": ("max", _Builder.bound),
    "lowest": ("min", _Builder.condition),
    "highest": ("max", _Builder.condition),
    "filter": ("filter", _Builder.condition),
    "find": ("find", _Builder.condition),
}
"""What a field says beside what it is: the key, and how it is read."""


def _both(grant: Grant, added: Grant | None) -> Grant:
    """Rights only add up: what the standard gives is not taken away."""
    if added is None:
        return grant
    return replace(added, rights=MappingProxyType({**added.rights, **grant.rights}))


def _number(pattern: str, gapless: bool) -> NumberFormat | None:
    found = SEQUENCE.search(pattern)
    return NumberFormat(pattern, int(found[1]), "{year}" in pattern, gapless) if found else None


def _title(numbered: bool, fields: Mapping[str, Field]) -> str:
    """The number, else the first text field, else the first field that a title can show, else the id."""
    if numbered:
        return "{number}"
    open_fields = [field for field in fields.values() if not field.protected]
    texts = [field for field in open_fields if field.type == "text"]
    others = [field for field in open_fields if field.kind.titled]
    first = next(iter(texts or others), None)
    return f"{{{first.name}}}" if first else "{id}"


def _facts(fields: Mapping[str, Field]) -> tuple[str, ...]:
    return tuple(name for name, field in fields.items() if not field.kind.long)[:FACTS]


def _columns(entity: Entity) -> tuple[str, ...]:
    """Number or title, or both where the title does not show the number; state; four fields; when it was changed."""
    shown: tuple[str, ...] = ("title",)
    if entity.number:
        shown = ("number",) if entity.title == "{number}" else shown if "{number}" in entity.title else ("number", "title")
    state = ("state",) if entity.lifecycle else ()
    fields = [
        name for name, field in entity.fields.items() if field.kind.listed and not field.protected and f"{{{name}}}" not in entity.title
    ]
    return (*shown, *state, *fields[:COLUMNS], "updated_at")
