"""What a word means: a key of the language, a type, or a thing of the application, as facts that a command or a page can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xrm.errors import Place
from xrm.model.application import Application
from xrm.model.data import Keyed
from xrm.model.fields import Field
from xrm.model.kinds import KINDS as FIELD_KINDS
from xrm.model.values import canonical
from xrm.source import facts, kinds
from xrm.source.keys import KINDS
from xrm.source.kinds import Key, MapKind
from xrm.source.load import Loaded
from xrm.source.outline import Part, Word
from xrm.source.packs import PREFIX
from xrm.source.reference import described
from xrm.source.usage import Thing

FILES = ("application", "entity")
"""The kinds of map that a whole file is: what a word may begin with."""


TYPE_DOCS: Mapping[str, str] = {name: kind.doc for name, kind in FIELD_KINDS.items()}


@dataclass(frozen=True, slots=True)
class Explanation:
    """``facts`` are (name, words); ``example`` is YAML; ``place`` and ``source`` are where it is defined and the lines there."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    example: str | None = None
    place: Place | None = None
    source: str | None = None
    thing: Thing | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "title": self.title,
            "text": self.text,
            "facts": dict(self.facts),
            "example": self.example,
            "place": str(self.place) if self.place else None,
            "source": self.source,
        }


# -- the language ----------------------------------------------------------------------------------------------------


def explain_key(path: str) -> Explanation | None:
    """A key of the language by the keys that lead to it: ``fields.link.on_delete``, ``lifecycle.states.edit``, ``access``, ``link``."""
    words = path.split(".")
    if words[0] in KINDS and len(words) == 1:
        return _of_kind(KINDS[words[0]])
    if len(words) == 1 and words[0] in TYPE_DOCS:
        return _of_type(words[0])
    starts = [KINDS[words[0]]] if words[0] in KINDS else []
    for start, rest in [*((kind, words[1:]) for kind in starts), *((KINDS[name], words) for name in FILES)]:
        found = _followed(start, rest)
        if found:
            return found
    return None


def _followed(kind: MapKind, words: list[str]) -> Explanation | None:
    """Follows keys from a kind of map; the name of a type may stand between ``fields`` and a key."""
    type_: str | None = None
    key: Key | None = None
    here: MapKind | None = kind
    for word in words:
        if here is None:
            return None
        if here.name == "field" and word in TYPE_DOCS and type_ is None and word not in here.by_name:
            type_, key = word, None
            continue
        key = here.by_name.get(word)
        if key is None or (type_ and key.types and type_ not in key.types):
            return None
        here = KINDS[key.kind.of] if isinstance(key.kind, kinds.One | kinds.Many | kinds.Named | kinds.Layouts) else None
    if key is None:
        return _of_type(type_) if type_ else None
    return _of_key(key, ".".join(words), here)


def _of_key(key: Key, path: str, inner: MapKind | None) -> Explanation:
    facts = [("holds", described(key.kind))]
    facts += [("required", "yes")] if key.required else []
    facts += [("default", key.default)] if key.default else []
    facts += [("types", ", ".join(key.types))] if key.types else []
    facts += [("keys", ", ".join(inner.by_name))] if inner else []
    return Explanation(path, key.doc, tuple(facts), key.example)


def _of_kind(kind: MapKind) -> Explanation:
    facts = tuple((key.name, _first_sentence(key.doc)) for key in kind.keys)
    return Explanation(kind.title.replace("`", ""), kind.doc, facts)


def _of_type(name: str) -> Explanation:
    own = [key for key in KINDS["field"].keys if name in key.types]
    facts = tuple((key.name, _first_sentence(key.doc)) for key in own)
    examples = (key.example for key in own if f"type: {name}" in key.example)
    return Explanation(f"type {name}", TYPE_DOCS[name], facts, next(examples, f"{{type: {name}}}"))


def _first_sentence(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].removesuffix(".")


def key_paths() -> Iterator[str]:
    """Every word that ``explain_key`` is likely to be asked, for hints."""
    yield from KINDS
    yield from TYPE_DOCS
    for name in FILES:
        for key in KINDS[name].keys:
            yield key.name
            if isinstance(key.kind, kinds.One | kinds.Many | kinds.Named | kinds.Layouts):
                yield from (f"{key.name}.{inner}" for inner in KINDS[key.kind.of].by_name)


# -- the application -------------------------------------------------------------------------------------------------


def things(loaded: Loaded) -> Mapping[str, Thing]:
    """Every thing of an application by the words that name it: ``request``, ``request.category``, ``request.closed``, ``agent``."""
    found: dict[str, Thing] = {}
    application = loaded.application
    if application is None:
        return found
    found |= {pack.text: ("pack", pack.text) for pack in _packs(loaded)}
    found |= {f"{record.entity}.{record.key}": ("record", record.entity, record.key) for record in application.data}
    found |= {type_: ("type", type_) for type_ in application.types}
    found |= {role: ("role", role) for role in application.roles}
    for name, entity in application.entities.items():
        moves = entity.lifecycle.transitions if entity.lifecycle else ()
        checks = [check.name for check in entity.checks]
        for what, names in (("view", entity.views), ("check", checks), ("transition", moves)):
            found |= {f"{name}.{prefix}{one}": (what, name, one) for one in names for prefix in ("", f"{what}s.")}
        if entity.lifecycle:
            found |= {f"{name}.{state}": ("state", name, state) for state in entity.lifecycle.states}
            found |= {f"{name}.state.{state}": ("state", name, state) for state in entity.lifecycle.states}
        found |= {f"{name}.{inverse}": ("inverse", name, inverse) for inverse in entity.inverses}
        found |= _fields(name, entity.all_fields)
        found[name] = ("entity", name)
    return found


def _packs(loaded: Loaded) -> tuple[Word, ...]:
    part = loaded.meaning.outline.application if loaded.meaning else None
    return part.words("use") if part else ()


def _fields(entity: str, fields: Mapping[str, Field]) -> dict[str, Thing]:
    """Fields, their options, and the fields of their rows."""
    found: dict[str, Thing] = {}
    for name, field in fields.items():
        found |= {f"{entity}.{name}.{option.name}": ("option", entity, name, option.name) for option in field.options}
        found |= _fields(f"{entity}.{name}", field.rows)
        found[f"{entity}.{name}"] = ("field", entity, name)
    return found


def _field(application: Application, entity: str, name: str) -> Field:
    """A field of an entity, or of its rows: ``order.lines``, ``amount``."""
    owner, _, rows = entity.partition(".")
    fields = application.entities[owner].all_fields
    return fields[rows].rows[name] if rows else fields[name]


def explain_thing(loaded: Loaded, thing: Thing, files: Mapping[str, str]) -> Explanation:
    """What a thing of a sound application is, in words, with the lines that define it."""
    application = loaded.application
    assert application is not None
    match thing:
        case ("role", name):
            told = facts.of_role(application, name)
            title = f"role {name}"
        case ("type", name):
            part = _part_of(loaded, thing)
            told = (("type", ", ".join(word.text for word in part.words("type"))),) if part else ()
            title = f"type {name}"
        case ("pack", name):
            told = (("brings", ", ".join(_brought(loaded, name))),)
            title = f"pack {name}"
        case ("record", entity, key):
            told = tuple(_record(application, entity, key).items())
            title = f"{entity} {key}"
        case ("transition", entity, name) if lifecycle := application.entities[entity].lifecycle:
            told = facts.of_move(lifecycle.transitions[name])
            title = f"transition {entity}.{name}"
        case ("view", entity, name):
            told = facts.of_view(application.entities[entity].views[name])
            title = f"view {entity}.{name}"
        case ("check", entity, name):
            told = facts.of_check(next(check for check in application.entities[entity].checks if check.name == name))
            title = f"check {entity}.{name}"
        case ("entity", name):
            told = facts.of_entity(application, application.entities[name])
            title = f"entity {name}"
        case ("field", entity, name):
            told = facts.of_field(application, application.entities[entity.partition(".")[0]], _field(application, entity, name))
            title = f"{entity}.{name}"
        case ("state", entity, name) if lifecycle := application.entities[entity].lifecycle:
            told = facts.of_state(lifecycle, name)
            title = f"state {entity}.{name}"
        case ("inverse", entity, name):
            inverse = application.entities[entity].inverses[name]
            told = (("holds", f"the records of {' and '.join(inverse.entities)} whose {inverse.field} leads here"),)
            title = f"{entity}.{name}"
        case _:
            told = ()
            title = f"{thing[0]} {'.'.join(thing[1:])}"
    place = _place_of(loaded, thing)
    return Explanation(title, _said(application, thing), told, place=place, source=_lines(files, place), thing=thing)


def _said(application: Application, thing: Thing) -> str:
    words = application.words
    match thing:
        case ("role", name):
            return words(application.roles[name].label)
        case ("entity", name):
            entity = application.entities[name]
            return words(entity.help) if entity.help else words(entity.label)
        case ("field", entity_name, name):
            field = _field(application, entity_name, name)
            return f"{words(field.label)}. {words(field.hint)}" if field.hint else words(field.label)
        case ("inverse", entity_name, name):
            return words(application.entities[entity_name].inverses[name].label)
        case ("state", entity_name, name):
            lifecycle = application.entities[entity_name].lifecycle
            return words(lifecycle.states[name].label) if lifecycle else name
        case ("transition", entity_name, name):
            lifecycle = application.entities[entity_name].lifecycle
            return words(lifecycle.transitions[name].label) if lifecycle else name
        case ("view", entity_name, name):
            return words(application.entities[entity_name].views[name].label)
        case ("check", entity_name, name):
            return next(words(check.message) for check in application.entities[entity_name].checks if check.name == name)
        case (_, entity_name, field_name, name):
            option = _field(application, entity_name, field_name).option(name)
            return words(option.label) if option else name
    return ""


def _brought(loaded: Loaded, pack: str) -> Iterator[str]:
    """The entities that a pack defines, or adds something to."""
    for part in loaded.meaning.outline.entities if loaded.meaning else ():
        word = part.word("entity") or part.word("add_to")
        if word and word.place.file.startswith(f"{PREFIX}{pack}/"):
            yield word.text


def _record(application: Application, entity: str, key: str) -> Mapping[str, str]:
    """The values of a reference record, as words."""
    record = next(one for one in application.data if (one.entity, one.key) == (entity, key))
    return {name: _datum(application.entities[entity].fields[name], value) for name, value in record.values.items()}


def _datum(field: Field, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_datum(field, one) for one in value)
    return value.key if isinstance(value, Keyed) else canonical(field, value)


# -- where it stands -------------------------------------------------------------------------------------------------


def _place_of(loaded: Loaded, thing: Thing) -> Place | None:
    """Where a thing is defined; a pack, where it is named."""
    if thing[0] == "pack":
        return next(word.place for word in _packs(loaded) if word.text == thing[1])
    if thing[0] == "record":
        return loaded.meaning.names.records[thing[1]][thing[2]] if loaded.meaning else None
    part = _part_of(loaded, thing)
    return part.place if part else None


def _part_of(loaded: Loaded, thing: Thing) -> Part | None:
    """The part of the definition that defines a thing; None for what xrm keeps itself."""
    meaning = loaded.meaning
    if meaning is None:
        return None
    if thing[0] in ("role", "type"):
        return meaning.outline.application.named(f"{thing[0]}s").get(thing[1]) if meaning.outline.application else None
    if thing[0] == "inverse":
        inverse = meaning.names.entities[thing[1]].inverses[thing[2]]
        thing = ("field", inverse.entities[0], inverse.field)
    owner, _, rows = thing[1].partition(".")
    known = meaning.names.entities.get(owner)
    part = known.part if known else None
    part = part.named("fields").get(rows) if part and rows else part
    if part is None or thing[0] == "entity":
        return part
    if thing[0] in ("state", "transition"):
        lifecycle = part.part("lifecycle")
        return lifecycle.named(f"{thing[0]}s").get(thing[2]) if lifecycle else None
    if thing[0] in ("view", "check"):
        return part.named(f"{thing[0]}s").get(thing[2])
    field = part.named("fields").get(thing[2])
    return field.named("options").get(thing[3]) if field and thing[0] == "option" else field


def _lines(files: Mapping[str, str], place: Place | None) -> str | None:
    """The lines from a place on that belong to it: itself, and those further in."""
    if place is None or place.file not in files:
        return None
    lines = files[place.file].splitlines()[place.line - 1 :]
    depth = len(lines[0]) - len(lines[0].lstrip())
    kept = [lines[0]]
    for line in lines[1:]:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        kept.append(line)
    return "\n".join(line[depth:] for line in kept).rstrip()
