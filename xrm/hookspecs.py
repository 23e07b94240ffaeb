"""Every hook a plugin may implement, with its exact signature. A misspelt hook or argument is refused at load.

A plugin is a Python file in the application's ``plugins/`` folder. It marks its functions with
``@hookimpl`` from ``xrm.plugins``. No hook does outside input or output inside a transaction; ``validate_record`` is
called inside one, the others are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from xrm.errors import Problem
    from xrm.expr import Function
    from xrm.plugins import Committed, PluginContext, Route

hookspec = pluggy.HookspecMarker("xrm")


@hookspec
def prepare_record(entity: str, values: dict[str, Any], before: Mapping[str, Any] | None, context: PluginContext) -> None:
    """Complete what a caller sent, before the transaction. Change ``values`` in place.

    Args:
        entity: the entity's name.
        values: the values that were sent, already in their fields' types; only these will be written.
        before: the record as it is, or None when it is being created.
        context: who writes, when, and a way to read through the policy of the system.
    """


@hookspec
def validate_record(
    entity: str, record: Mapping[str, Any], before: Mapping[str, Any] | None, context: PluginContext
) -> Sequence[Problem] | None:
    """Refuse a write, inside the transaction, when everything was computed.

    Returns:
        The problems, each with ``path`` naming its field; nothing when the record is well.
    """


@hookspec
def record_committed(change: Committed, context: PluginContext) -> None:
    """Act on a change that is committed. At least once, in a job: it must bear being called again for one change."""


@hookspec
def expression_functions() -> Sequence[Function]:
    """More functions for expressions. They run in Python only: filters and row rules that use one are refused."""
    return ()


@hookspec
def routes() -> Sequence[Route]:
    """Pages of the plugin's own, under ``/w/x/``, inside the frame of the staff pages."""
    return ()
