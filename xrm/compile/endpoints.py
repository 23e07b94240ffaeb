"""The endpoints of an application as a set of roles sees it: plain data, from which the OpenAPI document is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xrm.compile.policies import Policies
from xrm.model.entity import Entity

Operation = Literal["list", "create", "get", "update", "delete", "restore", "transitions", "transition", "file", "upload"]


@dataclass(frozen=True, slots=True)
class EndpointDefinition:
    method: str
    path: str
    operation: Operation
    entity: str


def endpoints(policies: Policies) -> tuple[EndpointDefinition, ...]:
    """What these roles may ask for. A transition's roles are judged for each record, so all of them are here."""
    found: list[EndpointDefinition] = []
    for name, entity in policies.application.entities.items():
        found += _of_entity(policies, name, entity)
    if any(endpoint.operation == "file" for endpoint in found):
        found.append(EndpointDefinition("post", "/api/files", "upload", ""))
    return tuple(found)


def _of_entity(policies: Policies, name: str, entity: Entity) -> list[EndpointDefinition]:
    policy = policies.by_entity[name]
    has_files = any(field.kind.kept == "files" and policy.sees(name) for name, field in entity.fields.items())
    many, one = f"/api/{name}", f"/api/{name}/{{id}}"
    wanted: list[tuple[bool, str, str, Operation]] = [
        (policy.may("read"), "get", many, "list"),
        (policy.may("create"), "post", many, "create"),
        (policy.may("read"), "get", one, "get"),
        (policy.may("read") and has_files, "get", f"{one}/files/{{field}}/{{hash}}", "file"),
        (policy.may("update"), "patch", one, "update"),
        (policy.may("delete"), "delete", one, "delete"),
        (policy.may("delete"), "post", f"{one}/restore", "restore"),
        (policy.may("read") and entity.lifecycle is not None, "get", f"{one}/transitions", "transitions"),
        (policy.may("read") and entity.lifecycle is not None, "post", f"{one}/transitions/{{name}}", "transition"),
    ]
    return [EndpointDefinition(method, path, operation, name) for has, method, path, operation in wanted if has]
