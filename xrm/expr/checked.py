"""What `check` gives: a sound expression, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from xrm.expr.faults import Fault
from xrm.expr.portable import database_faults
from xrm.expr.typed import Typed
from xrm.expr.types import BOOL, Type


@dataclass(frozen=True)
class Checked:
    """A checked expression.

    `type` is what it gives: the type that was expected where it gives null only. `paths` are the record's
    paths it reads (`category.code`), `gathered` those into its collections (`lines`, `lines.amount`),
    `actor_keys` what it reads of the actor (`id`, `roles`), `reads_clock` whether it depends on now() or
    today().
    """

    text: str
    node: Typed
    type: Type
    paths: frozenset[str]
    actor_keys: frozenset[str] = field(default_factory=frozenset)
    reads_clock: bool = False
    gathered: frozenset[str] = field(default_factory=frozenset)

    @property
    def reads(self) -> frozenset[str]:
        """Every path that is read, of the record or into its collections."""
        return self.paths | self.gathered if self.gathered else self.paths

    @property
    def reads_actor(self) -> bool:
        """Whether the value depends on who acts."""
        return bool(self.actor_keys)

    @cached_property
    def sql_faults(self) -> tuple[Fault, ...]:
        """Why the database cannot evaluate it; empty when it can. Found out when somebody asks: most are never evaluated there."""
        return database_faults(self.node)

    @property
    def is_condition(self) -> bool:
        return self.type == BOOL
