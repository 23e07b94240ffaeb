"""The OpenAPI 3.1 document, made from the compiled endpoints: it shows a caller what that caller's roles may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xrm import __version__
from xrm.compile.endpoints import EndpointDefinition, endpoints
from xrm.compile.policies import Policies
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.values import MOST_ROWS

Schema = dict[str, Any]
NO_ROWS: Mapping[str, Field] = {}
LIST_PARAMETERS = {
    "filter": 'An expression that holds for the records wanted, e.g. `state == "new"`',
    "sort": "Paths by comma, `-` before one for descending, e.g. `-created_at`",
    "after": "The `next` of the page before",
    "fields": "Paths by comma; `category.title` follows a link",
    "search": "Words in the title, the number or a text",
    "view": "A named view",
}


def document(policies: Policies, application: Application) -> Schema:
    paths: dict[str, Schema] = {}
    for endpoint in endpoints(policies):
        if endpoint.operation == "upload":
            paths[endpoint.path] = {"post": UPLOAD}
            continue
        entity = application.entities[endpoint.entity]
        operations = paths.setdefault(endpoint.path, _path_parameters(endpoint.path))
        operations[endpoint.method] = _operation(endpoint, entity, application.words(entity.label))
    schemas = {"Problem": PROBLEM}
    for entity in application.entities.values():
        if policies.readable(entity.name) or policies.by_entity[entity.name].may("create"):
            schemas[entity.name] = _record(policies, application, entity)
            schemas[f"{entity.name}_values"] = _values(policies, application, entity)
    return {
        "openapi": "3.1.0",
        "info": {"title": application.words(application.label), "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


FILE_PARAMETERS = (("field", {"type": "string"}), ("hash", {"type": "string", "pattern": "^[0-9a-f]{64}$"}))
UPLOAD: Schema = {
    "operationId": "upload_file",
    "summary": "Upload: the bytes of a file, for a record's value",
    "description": "The answer's `token` goes into the value of a field of files, within a day and by the same user.",
    "tags": ["files"],
    "parameters": [
        {"name": "name", "in": "query", "description": "The name of the file, with its ending", "schema": {"type": "string"}},
    ],
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {
        "201": {
            "description": "Kept, until a record takes it",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["token", "name", "type", "size", "expires_at"],
                        "properties": {
                            "token": {"type": "string"},
                            "name": {"type": "string"},
                            "type": {"type": "string"},
                            "size": {"type": "integer"},
                            "expires_at": {"type": "string", "format": "date-time"},
                        },
                    }
                }
            },
        },
        "default": {
            "description": "Problem",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    },
}


def _path_parameters(path: str) -> Schema:
    found = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in (("id", {"type": "string", "format": "uuid"}), ("name", {"type": "string"}), *FILE_PARAMETERS)
        if f"{{{name}}}" in path
    ]
    return {"parameters": found} if found else {}


def _operation(endpoint: EndpointDefinition, entity: Entity, label: str) -> Schema:
    made: Schema = {
        "operationId": f"{endpoint.operation}_{entity.name}",
        "summary": f"{endpoint.operation.capitalize()}: {label}",
        "tags": [entity.name],
        "responses": _responses(endpoint, entity),
    }
    parameters = _parameters(endpoint)
    if parameters:
        made["parameters"] = parameters
    if endpoint.operation in ("create", "update", "transition"):
        body = {"application/json": {"schema": _ref(f"{entity.name}_values")}}
        made["requestBody"] = {"required": endpoint.operation != "transition", "content": body}
    return made


def _parameters(endpoint: EndpointDefinition) -> list[Schema]:
    if endpoint.operation == "list":
        texts = [
            {"name": name, "in": "query", "description": words, "schema": {"type": "string"}} for name, words in LIST_PARAMETERS.items()
        ]
        limit = {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
        return [*texts, {"name": "limit", "in": "query", "schema": limit}]
    if endpoint.operation == "get":
        words = LIST_PARAMETERS["fields"]
        return [{"name": "fields", "in": "query", "description": words, "schema": {"type": "string"}}]
    if endpoint.operation == "file":
        words = "Any value: the small image made of it instead"
        return [{"name": "thumbnail", "in": "query", "description": words, "schema": {"type": "string"}}]
    if endpoint.operation in ("update", "delete", "restore", "transition"):
        words = "The ETag of the version that is changed"
        return [{"name": "If-Match", "in": "header", "required": True, "description": words, "schema": {"type": "string"}}]
    return []


def _responses(endpoint: EndpointDefinition, entity: Entity) -> Schema:
    record = {"application/json": {"schema": _ref(entity.name)}}
    problem = {"description": "Problem", "content": {"application/problem+json": {"schema": _ref("Problem")}}}
    responses: Schema = {"default": problem}
    match endpoint.operation:
        case "list":
            items = {"type": "array", "items": _ref(entity.name)}
            properties = {"items": items, "next": {"type": ["string", "null"]}}
            page = {"type": "object", "required": ["items", "next"], "properties": properties}
            responses["200"] = {"description": "A page", "content": {"application/json": {"schema": page}}}
        case "file":
            bytes_ = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
            responses["200"] = {"description": "The file", "content": bytes_, "headers": _headers("ETag", "Content-Disposition")}
            responses["206"] = {"description": "A part of it", "content": bytes_, "headers": _headers("Content-Range")}
        case "create":
            responses["201"] = {"description": "Created", "content": record, "headers": _headers("ETag", "Location")}
        case "delete":
            responses["204"] = {"description": "Deleted", "headers": _headers("ETag")}
        case "transitions":
            page = {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": MOVE}}}
            responses["200"] = {"description": "The moves", "content": {"application/json": {"schema": page}}}
        case _:
            responses["200"] = {"description": "The record", "content": record, "headers": _headers("ETag")}
    return responses


def _headers(*names: str) -> Schema:
    return {name: {"schema": {"type": "string"}} for name in names}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _record(policies: Policies, application: Application, entity: Entity) -> Schema:
    """What is read. Every value may be absent (``fields``) or null; a link is an id, or an object when expanded."""
    names = policies.names(entity.name)
    properties = {
        name: _nullable(_field(application, found, rows=policies.row_fields(entity.name, name)))
        for name in names
        if (found := entity.field(name))
    }
    properties["warnings"] = {"type": "array", "items": {"type": "object"}}
    return {"type": "object", "required": ["id"], "properties": properties}


def _values(policies: Policies, application: Application, entity: Entity) -> Schema:
    """What may be written."""
    editable = policies.by_entity[entity.name].editable
    properties = {
        name: _nullable(_field(application, field, True, {own: f for own, f in field.rows.items() if f"{name}.{own}" in editable}))
        for name, field in entity.fields.items()
        if name in editable
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


LINKED: Schema = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string", "format": "uuid"}, "entity": {"type": "string"}},
}
"""A link to several entities: the id, and of which entity the record is."""


def _row(application: Application, rows: Mapping[str, Field], written: bool) -> Schema:
    """One row. Written, it has an ``id`` where it is a row that stays; what is not sent of such a row stays too."""
    words = "The row that stays; without one the row is new." if written else "The row keeps it."
    own = {name: _nullable(_field(application, field, written)) for name, field in rows.items()}
    identity = {"type": ["string", "null"] if written else "string", "format": "uuid", "description": words}
    return {"type": "object", "additionalProperties": False, "properties": {"id": identity, **own}}


def _field(application: Application, field: Field, written: bool = False, rows: Mapping[str, Field] = NO_ROWS) -> Schema:
    schema: Schema = {"title": application.words(field.label), **field.kind.schema}
    if field.type == "link" and not written and field.name != "id":
        schema.pop("type")
        schema.pop("format")
        schema["anyOf"] = [LINKED] if field.several else [{"type": "string", "format": "uuid"}, {"type": "object"}]
    elif field.several:
        schema.pop("type")
        schema.pop("format")
        schema["anyOf"] = [{"type": "string", "format": "uuid"}, LINKED]
    if field.kind.kept == "files":
        schema = {"title": schema["title"], **_files(field, written)}
    elif field.each:
        each = _field(application, field.each, written)
        schema |= {"maxItems": MOST_ROWS, "items": {name: each[name] for name in ("type", "format", "anyOf") if name in each}}
    elif field.type == "rows":
        schema |= {"type": "array", "maxItems": MOST_ROWS, "items": _row(application, rows, written)}
    elif field.many:
        schema["items"] = {"type": "string", "enum": [option.name for option in field.options]}
    elif field.options:
        schema["enum"] = [option.name for option in field.options]
    if written and field.length and schema.get("type") == "string":
        schema["maxLength"] = field.length
    if field.hint:
        schema["description"] = application.words(field.hint)
    return schema


def _files(field: Field, written: bool) -> Schema:
    """One file or a list of them; written as the token of an upload, or as the file was read."""
    one = dict(field.kind.schema)
    if written:
        read: Schema = {"type": "object", "required": ["hash"], "properties": {"hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}}
        one = {"anyOf": [{"type": "string", "description": "The token of an upload"}, read]}
    return {"type": "array", "items": one} if field.many else one


def _nullable(schema: Schema) -> Schema:
    if "enum" in schema:
        return {**schema, "type": ["string", "null"], "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


MOVE: Schema = {
    "type": "object",
    "required": ["name", "label", "target", "allowed", "reasons", "ask"],
    "properties": {
        "name": {"type": "string"},
        "label": {"type": "string"},
        "target": {"type": "string"},
        "allowed": {"type": "boolean"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "ask": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "required": {"type": "boolean"}},
            },
        },
    },
}
PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string"},
                    "field": {"type": ["string", "null"]},
                    "message": {"type": "string"},
                    "hint": {"type": ["string", "null"]},
                },
            },
        },
    },
}
