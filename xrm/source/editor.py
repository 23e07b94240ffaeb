"""The JSON Schema for editors (draft-07, which the YAML language server speaks), from the same keys as the check.

It accepts what the check accepts, short forms included, and is laxer where a schema cannot say it: names and
expressions are checked by ``xrm check`` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xrm.model.application import Application
from xrm.model.contents import ACCEPT
from xrm.model.kinds import KINDS as FIELD_KINDS
from xrm.model.kinds import TYPES
from xrm.source import kinds, packs
from xrm.source.completion import overlays
from xrm.source.keys import KINDS
from xrm.source.kinds import Key, Kind, MapKind
from xrm.source.names import ANY_ENTITY
from xrm.source.vocabulary import MOST_NAME

Schema = dict[str, Any]

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": MOST_NAME}
LABEL: Schema = {"anyOf": [SCALAR, {"type": "object", "additionalProperties": SCALAR, "minProperties": 1}]}


def editor_schema(application: Application | None) -> Schema:
    """One schema for all files of an application; with an application it knows its entities, roles, fields and states."""
    names = {
        "entity": tuple(sorted(application.families)) if application else (),
        "role": tuple(application.roles) if application else (),
        "type": application.types if application else (),
        "pack": tuple(packs.known()),
    }
    offered, conditions = overlays(application) if application else ({}, [])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "xrm definition, version 1",
        "if": {"required": ["xrm"]},
        "then": {"$ref": "#/definitions/application"},
        "else": {
            "if": {"anyOf": [{"required": ["add_to"]}, {"required": ["extends"]}]},
            "then": {"$ref": "#/definitions/piece_entity"},
            "else": {"$ref": "#/definitions/entity"},
        },
        "definitions": {
            writer.prefix + name: writer.map_kind(kind)
            for writer in (_Writer(names), _Writer(names, piece=True))
            for name, kind in KINDS.items()
        }
        | offered,
        **({"allOf": conditions} if conditions else {}),
    }


class _Writer:
    """``piece``: of an entity that inherits or is added to, so that what is required may stand in another file."""

    def __init__(self, names: Mapping[str, tuple[str, ...]], *, piece: bool = False) -> None:
        self.names = names
        self.piece = piece
        self.prefix = "piece_" if piece else ""

    def map_kind(self, kind: MapKind) -> Schema:
        whole: Schema = {
            "type": "object",
            "properties": {key.name: self.key(key) for key in kind.keys},
            "required": [key.name for key in kind.keys if key.required and not key.unless and not self.piece],
            "additionalProperties": False,
        }
        if kind.name == "entity":
            whole |= (
                {"anyOf": [{"required": ["add_to"]}, {"required": ["entity", "extends"]}]}
                if self.piece
                else {"required": ["entity", "fields"]}
            )
        if kind.name == "field" and not self.piece:
            whole["anyOf"] = [{"required": ["type"]}, {"required": ["compute"]}]
        if kind.name == "field":
            whole["allOf"] = [_only_for(key) for key in kind.keys if key.types]
        forms = [whole, *self.short_forms(kind)]
        schema: Schema = {"title": kind.title.replace("`", ""), "description": kind.doc}
        return schema | ({"anyOf": forms} if len(forms) > 1 else whole)

    def short_forms(self, kind: MapKind) -> list[Schema]:
        forms: list[Schema] = []
        if kind.short:
            forms.append(self.kind(kind.by_name[kind.short].kind))
        if kind.flags:
            right: Schema = {"enum": list(kind.flags)}
            forms += [right, {"type": "array", "items": right, "minItems": 1}]
        if not any(key.required for key in kind.keys) and kind.name != "field" and not kind.unsaid:
            forms.append({"type": "null"})
        return forms

    def key(self, key: Key) -> Schema:
        about = f"{key.doc}\n\nDefault: {key.default}" if key.default else key.doc
        fits = f"\n\nFor {', '.join(key.types)}." if key.types else ""
        return {"description": (about + fits).replace("`", ""), **self.kind(key.kind)}

    def kind(self, kind: Kind) -> Schema:
        match kind:
            case kinds.Label():
                return LABEL
            case kinds.Name():
                return NAME
            case kinds.Ref():
                return self.ref(kind)
            case kinds.Integer():
                return {"type": "integer", "minimum": kind.low, "maximum": kind.high}
            case kinds.Range():
                number: Schema = {"type": "integer", "minimum": kind.low, "maximum": kind.high}
                both = {"type": "object", "properties": {"min": number, "max": number}, "additionalProperties": False, "minProperties": 1}
                return {"anyOf": [number, both]}
            case kinds.Boolean():
                return {"type": "boolean"}
            case kinds.OneOf():
                return {"enum": [int(word) if word.isdigit() else word for word in kind.words]}
            case kinds.Condition():
                return {"type": ["string", "boolean"]}
            case kinds.Value():
                return {}
            case kinds.ValueMap():
                return {"type": "object"}
            case kinds.One() | kinds.Many() | kinds.Named() | kinds.Layouts():
                return self.nested(kind)
        return SCALAR

    def ref(self, kind: kinds.Ref) -> Schema:
        known = {"type": (*TYPES, *self.names.get("type", ())), "content": tuple(ACCEPT)}.get(kind.of) or self.names.get(kind.of, ())
        if kind.of == "entity" and kind.many and known:
            known = (*known, ANY_ENTITY)
        one: Schema = {"enum": list(known)} if known else {"type": "string"}
        if kind.of == "type":
            own = ("A type of this application.",) * len(self.names.get("type", ()))
            one["enumDescriptions"] = [*(kind.doc for kind in FIELD_KINDS.values()), *own]
        least = 0 if kind.may_be_empty else 1
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": least}]} if kind.many else one

    def nested(self, kind: kinds.One | kinds.Many | kinds.Named | kinds.Layouts) -> Schema:
        inner: Schema = {"$ref": f"#/definitions/{self.prefix}{kind.of}"}
        listed: Schema = {"type": "array", "items": inner}
        match kind:
            case kinds.One():
                return inner
            case kinds.Many():
                return {"anyOf": [inner, listed]}
            case kinds.Layouts(names=names):
                forms: Schema = {"type": "object", "properties": dict.fromkeys(names, listed), "additionalProperties": False}
                return {"anyOf": [listed, forms]}
        return {"anyOf": self.named(kind, inner)}

    def named(self, kind: kinds.Named, inner: Schema) -> list[Schema]:
        """A map from name to the inner kind; where the inner kind may be empty, names alone."""
        known = self.names.get("role", ()) if kind.names == "role" else ()
        whole: Schema = {"type": "object", "additionalProperties": inner}
        if known:
            whole = {"type": "object", "properties": dict.fromkeys(known, inner), "additionalProperties": False}
        if kind.names == "new":
            whole["propertyNames"] = NAME
        if not kind.may_be_empty:
            whole["minProperties"] = 1
        names: list[Schema] = [{"type": "string"}, {"type": "array", "items": SCALAR}]
        return [whole] if any(key.required for key in KINDS[kind.of].keys) else [whole, *names]


def _only_for(key: Key) -> Schema:
    """The key is refused beside another type."""
    other = [name for name in TYPES if name not in key.types]
    return {
        "if": {"properties": {"type": {"enum": other}}, "required": ["type"]},
        "then": {"properties": {key.name: False}},
    }
