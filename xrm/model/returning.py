"""The way back: an older definition, read with the names that things have now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Field


class Renamed(Protocol):
    """``entity`` and ``field`` are the newest names of what it belongs to."""

    @property
    def what(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def field(self) -> str: ...
    @property
    def was(self) -> str: ...
    @property
    def now(self) -> str: ...


def as_new(application: Application, since: Sequence[Renamed]) -> Application:
    """An older application whose parts say by which names they went ``since`` (the oldest rename first)."""
    entities: dict[str, Entity] = {}
    for name, entity in application.entities.items():
        now = _now(name, (one for one in since if one.what == "entity"))
        its = [one for one in since if one.entity == now]
        fields = {own: _field(field, its) for own, field in entity.fields.items()}
        lifecycle = entity.lifecycle
        if lifecycle is not None:
            states = {own: replace(state, renamed_from=_earlier(own, its, "state", "state")) for own, state in lifecycle.states.items()}
            moves = {own: replace(move, renamed_from=_earlier(own, its, "transition", "")) for own, move in lifecycle.transitions.items()}
            lifecycle = replace(lifecycle, states=MappingProxyType(states), transitions=MappingProxyType(moves))
        views = {own: replace(view, renamed_from=_earlier(own, its, "view", "")) for own, view in entity.views.items()}
        checks = tuple(replace(check, renamed_from=_earlier(check.name, its, "check", "")) for check in entity.checks)
        said = () if now == name else (now,)
        entities[name] = replace(
            entity,
            fields=MappingProxyType(fields),
            lifecycle=lifecycle,
            views=MappingProxyType(views),
            checks=checks,
            renamed_from=said,
        )
    roles = {own: replace(role, renamed_from=_earlier(own, since, "role", "")) for own, role in application.roles.items()}
    return replace(application, entities=MappingProxyType(entities), roles=MappingProxyType(roles))


def _now(name: str, renamed: Iterable[Renamed]) -> str:
    for one in renamed:
        if one.was == name:
            name = one.now
    return name


def _earlier(name: str, its: Sequence[Renamed], what: str, field: str) -> tuple[str, ...]:
    now = _now(name, (one for one in its if one.what == what and one.field == field))
    return () if now == name else (now,)


def _field(field: Field, its: Sequence[Renamed], part: str = "") -> Field:
    now = _now(field.name, (one for one in its if one.what == "field" and one.field == part))
    path = f"{part}.{now}" if part else now
    options = tuple(replace(option, renamed_from=_earlier(option.name, its, "option", path)) for option in field.options)
    rows: Mapping[str, Field] = {name: _field(inner, its, now) for name, inner in field.rows.items()}
    said = () if now == field.name else (now,)
    return replace(field, options=options, rows=rows, renamed_from=said)
