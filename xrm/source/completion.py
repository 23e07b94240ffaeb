"""The application's own names for editors: what may stand where fields, paths and states of an entity are named.

Laid over the schema of the language for the files of each entity, it only offers: a name that was written a minute ago and is in no
schema yet is no mistake in an editor; ``xrm check`` says what is. Which keys hold names comes from the keys themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.source import kinds
from xrm.source.keys import KINDS
from xrm.source.kinds import Kind, MapKind

Schema = dict[str, Any]
NAMED = ("field", "path", "state")


def overlays(application: Application) -> tuple[dict[str, Schema], list[Schema]]:
    """The definitions to add, and the conditions to lay over each file."""
    definitions: dict[str, Schema] = {}
    conditions: list[Schema] = []
    for entity in application.entities.values():
        definitions |= _Overlay(application, entity).definitions()
        mine: list[Schema] = [{"properties": {key: {"const": entity.name}}, "required": [key]} for key in ("entity", "add_to")]
        conditions.append({"if": {"anyOf": mine}, "then": {"$ref": f"#/definitions/{entity.name}.entity"}})
    return definitions, conditions


class _Overlay:
    def __init__(self, application: Application, entity: Entity) -> None:
        self.entity = entity
        paths = [*entity.all_fields]
        for field in entity.all_fields.values():
            target = application.entities.get(field.to or "")
            paths += [f"{field.name}.{name}" for name in target.all_fields] if target else []
        self.names: Mapping[str, tuple[str, ...]] = {
            "field": tuple(entity.fields),
            "path": (*paths, *(f"-{path}" for path in entity.all_fields)),
            "state": tuple(entity.lifecycle.states) if entity.lifecycle else (),
        }

    def definitions(self) -> dict[str, Schema]:
        made = {self.name(kind.name): self.map_kind(kind) for kind in KINDS.values() if kind.name in NAMING and kind.name != "application"}
        return made | {self.name(f"{what}s"): {"anyOf": [{"enum": list(names)}, {}]} for what, names in self.names.items() if names}

    def name(self, what: str) -> str:
        return f"{self.entity.name}.{what}"

    def map_kind(self, kind: MapKind) -> Schema:
        return {"properties": {key.name: found for key in kind.keys if (found := self.kind(key.kind))}}

    def kind(self, kind: Kind) -> Schema | None:
        match kind:
            case kinds.Ref(of=what) if self.names.get(what):
                one: Schema = {"$ref": f"#/definitions/{self.name(f'{what}s')}"}
                return {"anyOf": [one, {"type": "array", "items": one}]} if kind.many else one
            case kinds.ValueMap():
                return {"properties": dict.fromkeys(self.entity.fields, True)}
            case kinds.Named(names="field"):
                return {"properties": dict.fromkeys(self.entity.fields, True)}
            case kinds.One(of=of) | kinds.Many(of=of) | kinds.Named(of=of) | kinds.Layouts(of=of) if of in NAMING:
                inner: Schema = {"$ref": f"#/definitions/{self.name(of)}"}
                return _nested(kind, inner)
        return None


def _nested(kind: kinds.One | kinds.Many | kinds.Named | kinds.Layouts, inner: Schema) -> Schema:
    match kind:
        case kinds.One():
            return inner
        case kinds.Named():
            return {"additionalProperties": inner}
        case kinds.Many():
            return {"allOf": [inner], "items": inner}
    return {"items": inner, "additionalProperties": {"items": inner}}


def _naming() -> frozenset[str]:
    """The kinds of map that name fields, paths or states, themselves or further in."""
    found: set[str] = set()
    while True:
        grown = {kind.name for kind in KINDS.values() if any(_names(key.kind, found) for key in kind.keys)}
        if grown == found:
            return frozenset(found)
        found = grown


def _names(kind: Kind, naming: set[str]) -> bool:
    match kind:
        case kinds.Ref(of=what):
            return what in NAMED
        case kinds.ValueMap() | kinds.Named(names="field"):
            return True
        case kinds.One(of=of) | kinds.Many(of=of) | kinds.Named(of=of) | kinds.Layouts(of=of):
            return of in naming
    return False


NAMING = _naming()
