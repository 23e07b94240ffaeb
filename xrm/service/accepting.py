"""What a caller sent, as the fields' own values: unknown, hidden, read-only and misfitting ones are refused together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xrm.errors import Forbidden, Invalid, Problem, XrmError, nearest
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce, unruled
from xrm.service.context import Context
from xrm.service.files import claimed
from xrm.service.finding import Words
from xrm.service.locking import entity_of
from xrm.service.reading import get_record
from xrm.service.rows import accepted_rows, no_target, word_in

if TYPE_CHECKING:
    from xrm.service.records import Intent

HISTORIC = ("number", "state", "state_since", "created_at", "updated_at")
"""What xrm keeps itself, and only an import of history may say."""


def accepted(ctx: Context, entity: Entity, intent: Intent) -> dict[str, Any]:
    """The values in their fields' types, or every reason why not.

    Raises:
        Invalid: XRM302 (no such field), XRM502 (misfit), XRM505 (may not be changed here).
        Forbidden: history without the right to import it.
    """
    if intent.historic and not ctx.policy(entity.name).historic:
        raise Forbidden(Problem("XRM507", f"you may not import history of {entity.name}"))
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    free = ctx.policy(entity.name).editable if intent.action in ("create", "update") else frozenset()
    for name, sent in intent.values.items():
        field = entity.fields[name] if name in free and name in entity.fields else _field(ctx, entity, intent, name, problems)
        if field is not None:
            try:
                raw = _by_key(ctx, field, sent) if field.type == "link" else sent
                values[name] = accepted_rows(ctx, entity.name, field, raw) if field.type == "rows" else coerce(field, raw)
                if field.several and isinstance(raw, Mapping):
                    _claimed(ctx, field, raw, values[name])
                if field.kind.kept == "files":
                    values[name] = claimed(ctx, field, values[name])
            except Invalid as refused:
                problems += refused.problems
            except Misfit as misfit:
                if not (misfit.rule and intent.action == "update" and _untouched(ctx, entity, intent, field, sent)):
                    problems.append(misfitting(ctx, field, misfit))
    if problems:
        raise Invalid(*problems)
    return values


def _by_key(ctx: Context, field: Field, raw: object) -> object:
    """What was sent for a link, with the id where a word names its record by the key.

    Raises:
        Invalid: it names none that this actor sees, or several (XRM511).
    """
    word = word_in(raw)
    words = Words(ctx, field) if word is not None and field.targets else None
    if not words or word is None:
        return raw
    words.learn([word])
    found = words.id(word)
    if found is None:
        raise Invalid(Problem("XRM511", f"{ctx.words(field.label)}: {no_target(field, word)}", path=(field.name,)))
    return found


def _claimed(ctx: Context, field: Field, raw: Mapping[str, object], id: object) -> None:
    """What was sent as ``{"entity": "person", "id": …}`` is a person, or it is refused. A record's entity never changes."""
    found = entity_of(ctx, ctx.service.database.connection, str(id))
    if raw.get("entity") not in (None, found):
        raise Misfit(f"leads to no {str(raw['entity'])[:60]}")


def misfitting(ctx: Context, field: Field, misfit: Misfit) -> Problem:
    """What a value that does not fit its field is refused with."""
    words = ctx.words
    if misfit.rule == "pattern" and field.pattern_message:
        return Problem("XRM502", f"{words(field.label)}: {words(field.pattern_message)}", path=(field.name,))
    return Problem("XRM502", f"{words(field.label)} {misfit.message}", path=(field.name,), hint=misfit.hint)


def _untouched(ctx: Context, entity: Entity, intent: Intent, field: Field, raw: object) -> bool:
    """Whether what a newer rule refuses is what this actor's record holds already: then it is not written again."""
    try:
        return bool(get_record(ctx, entity.name, intent.id or "", (field.name,))[field.name] == unruled(field, raw))
    except (Misfit, XrmError):
        return False


def _field(ctx: Context, entity: Entity, intent: Intent, name: str, problems: list[Problem]) -> Field | None:
    policy = ctx.policy(entity.name)
    field = entity.field(name) if policy.sees(name) else None
    if field is None:
        near = nearest(name, ctx.policies.names(entity.name))
        hint = f"did you mean '{near}'?" if near else None
        problems.append(Problem("XRM302", f"unknown field '{name[:60]}'", path=(name,), hint=hint))
        return None
    if intent.historic and name in HISTORIC:
        return field
    reason = _fixed(entity, field, intent, name in policy.editable)
    if reason:
        label = ctx.words(field.label)
        problems.append(Problem("XRM505", f"{label} may not be changed: {reason}", path=(name,)))
        return None
    return field


def _fixed(entity: Entity, field: Field, intent: Intent, editable: bool) -> str | None:
    """Why a field may not be written by this intent; None if it may."""
    if field.system:
        return "xrm keeps it itself"
    if field.compute is not None:
        return "it is computed"
    if intent.action == "transition":
        return None if field.name in _asked(entity, intent) else "this move does not ask for it"
    return None if editable else "your roles may see it but not change it"


def _asked(entity: Entity, intent: Intent) -> frozenset[str]:
    move = entity.lifecycle.transitions.get(intent.transition or "") if entity.lifecycle else None
    return frozenset(ask.field for ask in move.ask) if move else frozenset()
