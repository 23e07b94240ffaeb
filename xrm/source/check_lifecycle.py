"""Meaning of a lifecycle: one beginning, states that can be reached, moves that can be made."""

from __future__ import annotations

from collections.abc import Mapping

from xrm.source.check_sense import check_ends, check_movers
from xrm.source.disclosure import check_message, check_reads
from xrm.source.findings import Findings
from xrm.source.names import Known
from xrm.source.outline import Part, Word


def check_lifecycle(findings: Findings, known: Known, part: Part) -> None:
    lifecycle = part.part("lifecycle")
    if lifecycle is None:
        return
    states = lifecycle.named("states")
    if states:
        _initial(findings, lifecycle, states)
    for name, state in states.items():
        for word in state.words("edit"):
            findings.field(known, word, (*state.path, "edit"), declared_only=True)
        assert name
    sound = _moves(findings, known, lifecycle, states)
    if states and sound:
        _reachable(findings, lifecycle, states)
        check_ends(findings, lifecycle)


def _initial(findings: Findings, lifecycle: Part, states: dict[str, Part] | object) -> None:
    parts = lifecycle.parts("states")
    initial = [state for state in parts if state.flag("initial")]
    if not initial and not any(state.partial or "initial" in state.broken for state in parts):
        first = parts[0].name.text if parts[0].name else ""
        hint = f"for example: {first}: {{initial: true}}"
        findings.note("XRM207", "no state says initial: true", lifecycle.at("states"), (*lifecycle.path, "states"), hint)
    for state in initial[1:]:
        other = initial[0].name.text if initial[0].name else ""
        message = f"only one state can be the initial one, and '{other}' is"
        findings.note("XRM207", message, state.at("initial"), (*state.path, "initial"))


def _moves(findings: Findings, known: Known, lifecycle: Part, states: Mapping[str, Part]) -> bool:
    """Checks every transition; whether all their states are known."""
    sound = "transitions" not in lifecycle.broken and "states" not in lifecycle.broken
    for move in lifecycle.parts("transitions"):
        for key in ("from", "to"):
            for word in move.words(key):
                sound &= _state(findings, lifecycle, word, (*move.path, key))
        sound &= move.has("from") and move.has("to") and not move.broken & {"from", "to"}
        for word in move.words("roles"):
            findings.role(word, (*move.path, "roles"))
        _asked(findings, known, move)
        _set(findings, known, move)
        _guards(findings, known, move, states)
        check_movers(findings, known, move)
    return sound


def _state(findings: Findings, lifecycle: Part, word: Word, path: tuple[str, ...]) -> bool:
    states = lifecycle.named("states")
    if word.text in states:
        return True
    if states and "states" not in lifecycle.broken:
        findings.unknown("state", word, path, states, {name: state.place for name, state in states.items()})
    return False


def _asked(findings: Findings, known: Known, move: Part) -> None:
    for ask in move.parts("ask"):
        assert ask.name is not None
        field = findings.field(known, ask.name, (*move.path, "ask"), declared_only=True)
        if field and _is_computed(known, field.name):
            findings.note("XRM206", f"'{field.name}' is computed: it cannot be asked for", ask.place, ask.path)
        for key in ("required", "show"):
            findings.condition(ask.formula(key), findings.names.scope(known.name), (*ask.path, key))


def _is_computed(known: Known, name: str) -> bool:
    part = known.part.named("fields").get(name) if known.part else None
    return bool(part and part.has("compute"))


def _set(findings: Findings, known: Known, move: Part) -> None:
    scope = findings.names.scope(known.name)
    for word, given in move.givens("set"):
        path = (*move.path, "set", word.text)
        field = findings.field(known, word, path, declared_only=True)
        if field is None:
            continue
        if _is_computed(known, field.name):
            findings.note("XRM206", f"'{field.name}' is computed: it cannot be set", word.place, path)
            continue
        for checked in findings.given(given, field, scope, path):
            check_reads(findings, checked, field, scope, place=given.place, path=path)


def _guards(findings: Findings, known: Known, move: Part, states: Mapping[str, Part]) -> None:
    """A guard sees the record as the move leaves it, so that its state is known."""
    scope, to = findings.names.scope(known.name), move.word("to")
    after = {"state": to.text, "open": not states[to.text].flag("final")} if to and to.text in states else {}
    for guard in move.parts("guards"):
        findings.condition(guard.formula("must"), scope, (*guard.path, "must"), known=after)
        check_message(findings, known, guard.label("message"), (*guard.path, "message"))


def _reachable(findings: Findings, lifecycle: Part, states: object) -> None:
    parts = lifecycle.named("states")
    reached = {name for name, state in parts.items() if state.flag("initial")}
    if not reached:
        return
    moves = [({word.text for word in move.words("from")}, move.words("to")[0].text) for move in lifecycle.parts("transitions")]
    grew = True
    while grew:
        found = {target for sources, target in moves if sources & reached} - reached
        reached |= found
        grew = bool(found)
    for name, state in parts.items():
        if name not in reached:
            message = f"no transition leads to the state '{name}'"
            findings.note("XRM207", message, state.place, state.path, "add a transition to it, or take the state out")
