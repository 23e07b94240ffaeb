"""Who acts, when, and on which application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from xrm.compile.application import CompiledApplication, CompiledEntity
from xrm.compile.policies import SYSTEM, Policies, Policy
from xrm.errors import NotFound, Problem
from xrm.expr import Moment
from xrm.model.fields import Text
from xrm.plugins import Plugins
from xrm.store.blobs import Blobs
from xrm.store.database import Database
from xrm.store.numbers import Numbers
from xrm.store.sealing import Seal

Result = TypeVar("Result")
SYSTEM_ID = "00000000-0000-7000-8000-000000000001"
"""The system's own user: an actor like any other, with its name in the change log."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``roles`` are complete (with what they include). Nobody is never an actor."""

    id: str
    name: str
    label: str
    roles: frozenset[str]
    preferences: Mapping[str, str] = field(default_factory=dict)


SYSTEM_ACTOR = Actor(SYSTEM_ID, "system", "System", SYSTEM)


def utc_now() -> datetime:
    return datetime.now(UTC)


class AfterCommit(Protocol):
    """What follows a commit (the chain, jobs): in a thread of a serving process, or when ``settle`` is called."""

    def wake(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def settle(self) -> None: ...


@dataclass(frozen=True)
class Service:
    """One running application in one process: what ``bootstrap`` wires together."""

    application: CompiledApplication
    database: Database
    plugins: Plugins
    seal: Seal
    numbers: Numbers
    release: int
    timezone: ZoneInfo
    after: AfterCommit
    blobs: Blobs
    clock: Callable[[], datetime] = utc_now
    prepared: dict[Any, Any] = field(default_factory=dict)
    """Compiled reads, kept by ``reading``."""

    async def run_write(self, work: Callable[[], Result]) -> Result:
        """Run a write in a thread; apart from other writers where a plugin's ``prepare_record`` may wait for the world."""
        return await (self.database.run(work) if self.plugins.preparing else self.database.run_in_turn(work))

    def acting(self, actor: Actor) -> Context:
        now = self.clock()
        names: Mapping[str, object] = {
            "id": actor.id, "name": actor.name, "label": actor.label, "roles": tuple(sorted(actor.roles))
        }  # fmt: skip
        moment = Moment(now, now.astimezone(self.timezone).date(), names, self.timezone)
        return Context(self, actor, moment, self.application.policies(actor.roles))


@dataclass(frozen=True, slots=True)
class Context:
    """One operation: its service, its actor, and the moment to which ``now()`` and ``today()`` are bound."""

    service: Service
    actor: Actor
    moment: Moment
    policies: Policies

    def entity(self, name: str) -> CompiledEntity:
        """The entity, or the same answer for one that does not exist and one this actor may not know.

        Raises:
            NotFound: XRM506.
        """
        found = self.service.application.entities.get(name)
        policy = self.policies.by_entity.get(name)
        if found is None or policy is None or not policy.rules:
            raise NotFound(Problem("XRM506", f"there is no entity '{name[:60]}'", path=("entity",)))
        return found

    def words(self, text: Text) -> str:
        """A text of the definition in the language that the actor chose."""
        return self.service.application.model.words(text, self.actor.preferences.get("locale"))

    def policy(self, entity: str) -> Policy:
        return self.policies.by_entity[entity]

    def as_system(self) -> Context:
        return self.service.acting(SYSTEM_ACTOR)
