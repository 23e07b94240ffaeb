"""What a caller wants written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["create", "update", "transition", "delete", "restore"]


@dataclass(frozen=True, slots=True)
class Intent:
    """What a caller wants written. ``version`` is the one it saw; None where the action has none to compare.

    ``historic``: the values are history (any state, any time), which needs the ``historic`` right and is marked.
    """

    action: Action
    entity: str
    values: Mapping[str, object] = field(default_factory=dict)
    id: str | None = None
    version: int | None = None
    transition: str | None = None
    historic: bool = False
    own_id: str | None = None
    """The id of a new record that must have a certain one (the system's own user)."""
    follows: bool = False
    """It follows from another write, which was judged: a rule that it breaks becomes a flag."""
    remake: bool = False
    """Ask anew what is otherwise kept by adding and taking away: the rules have changed."""

    carried: bool = False
    """The values were carried here, maybe from another application: ids of rows that are none of this record's say nothing."""

    @property
    def lenient(self) -> bool:
        """What breaks a rule is taken as it is, and flagged."""
        return self.historic or self.follows
