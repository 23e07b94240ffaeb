"""The lifecycle of an entity's records: states, and the transitions between them (SCXML's words)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xrm.model.fields import Expression, Text, Value


@dataclass(frozen=True, slots=True)
class State:
    """``edit``: the fields that may still change in this state; None: all of them, empty: none."""

    name: str
    label: Text
    initial: bool = False
    final: bool = False
    tone: str | None = None
    edit: tuple[str, ...] | None = None
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on a move. ``message`` is what the page says while it does not hold."""

    must: Expression
    message: Text


@dataclass(frozen=True, slots=True)
class Ask:
    """A field of the record that the move asks for; ``required`` here even if the field is not, ``show``: if it is asked at all."""

    field: str
    required: Expression | bool = True
    show: Expression | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A move. ``roles`` None: whoever may update the record."""

    name: str
    label: Text
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...] | None = None
    ask: tuple[Ask, ...] = ()
    set: Mapping[str, Value] | None = None
    guards: tuple[Guard, ...] = ()
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    removed: tuple[tuple[str, str | None], ...] = ()
    """States that are gone, each with the one where its records go."""
    fill: Value | None = None
    """The state of records that had no lifecycle; None: the initial one."""

    @property
    def initial(self) -> State:
        return next(state for state in self.states.values() if state.initial)

    def leaving(self, state: str) -> tuple[Transition, ...]:
        return tuple(move for move in self.transitions.values() if state in move.sources)
