"""What is written correctly and makes no sense: warnings, each with a code of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial

from xrm.errors import Place
from xrm.expr.satisfiable import never
from xrm.model.brand import DARK_SURFACE, HEX, LIGHT_SURFACE, MARK_CONTRAST, contrast, readable
from xrm.source.disclosure import protected_reads, sees
from xrm.source.findings import Findings, Stated
from xrm.source.names import Known
from xrm.source.outline import Part, Word


def check_conditions(findings: Findings) -> None:
    """Conditions that no record can fulfil, by its types, options and bounds (XRM221). After all else: bounds are known then."""
    for stated in findings.stated:
        bounds = partial(_bounds, findings, stated)
        paths = never(stated.checked.node, bounds, stated.known)
        if paths:
            what = f"nothing that '{paths[0]}' can be fulfils it" if paths[0] else "it is false as it stands"
            message, hint = f"this condition can never hold: {what}", _possible(stated, paths[0], bounds(paths[0]))
            findings.note("XRM221", message, stated.formula.place, stated.path, hint, severity="warning")


def _possible(stated: Stated, path: str, bounds: tuple[object, object]) -> str:
    if path in stated.known:
        return f"a guard sees the record as the move leaves it: '{path}' is {json.dumps(stated.known[path])}"
    parts = [f"{words} {bound}" for words, bound in zip(("at least", "at most"), bounds, strict=True) if bound is not None]
    return f"'{path}' is {' and '.join(parts)}" if parts else "take out what contradicts the rest, or write || between"


def _bounds(findings: Findings, stated: Stated, path: str) -> tuple[object, object]:
    """What ``min`` and ``max`` say of a field of the entity itself."""
    part = stated.scope.here.part
    field = part.named("fields").get(path) if part else None
    data = (field.datum("min"), field.datum("max")) if field else (None, None)
    low, high = (findings.values.get((stated.entity, datum.place)) if datum else None for datum in data)
    return low, high


# -- lifecycles ------------------------------------------------------------------------------------------------------


def check_ends(findings: Findings, lifecycle: Part) -> None:
    """A state that is not final, and that no transition leaves (XRM220)."""
    left = {word.text for move in lifecycle.parts("transitions") for word in move.words("from")}
    for name, state in lifecycle.named("states").items():
        if name not in left and not state.flag("final") and not state.partial and lifecycle.parts("transitions"):
            message = f"no transition leaves the state '{name}', and it is not final: what comes here stays open for ever"
            findings.note("XRM220", message, state.place, state.path, "add a transition from it, or write: final: true", severity="warning")


def check_movers(findings: Findings, known: Known, move: Part) -> None:
    """A transition that asks a role for a field it does not see, or holds it up by one (XRM222)."""
    roles = [word.text for word in move.words("roles") if word.text in findings.names.roles]
    for ask in move.parts("ask"):
        field = known.fields.get(ask.name.text) if ask.name else None
        if field and field.protected:
            _unseen(findings, known, roles, field.name, f"'{field.name}' is asked of", ask.place, ask.path)
    scope = findings.names.scope(known.name)
    for guard in move.parts("guards"):
        formula = guard.formula("must")
        checked = findings.expressions.get((findings.here, formula.place)) if formula else None
        for _, entity, name in protected_reads(scope, checked.paths) if checked else ():
            if formula and entity == known.name:
                _unseen(findings, known, roles, name, f"a guard on '{name}' holds up", formula.place, guard.path)


def check_makers(findings: Findings, known: Known, grant: Part) -> None:
    """A role that may add records and not fill in what they must have (XRM222)."""
    role = grant.name.text if grant.name else ""
    fields = known.part.named("fields") if known.part and grant.has("create") else {}
    edits = sees(findings, role, known.name, "edits") if fields else frozenset[str]()
    for name, field in fields.items():
        if (
            field.flag("required")
            and field.flag("protected")
            and not field.has("default")
            and not field.has("compute")
            and name not in edits
        ):
            message = f"the role '{role}' may add records, and may not fill in '{name}', which is required: it can add none"
            hint = f"name it in 'sees' and 'edits' of '{role}', or give it a default"
            findings.note("XRM222", message, grant.at("create"), (*grant.path, "create"), hint, severity="warning")


def _unseen(findings: Findings, known: Known, roles: Iterable[str], name: str, what: str, place: Place, path: tuple[str, ...]) -> None:
    blind = next((role for role in roles if name not in sees(findings, role, known.name)), None)
    if blind:
        message = f"{what} the role '{blind}', which does not see that field"
        findings.note("XRM222", message, place, path, f"name it in 'sees' of '{blind}'", severity="warning")


# -- views -----------------------------------------------------------------------------------------------------------


def check_sort(findings: Findings, view: Part, words: Sequence[Word]) -> None:
    """A view whose order no index gives, since its first field lies beyond a link (XRM223)."""
    if words and "." in words[0].text:
        path = words[0].text.removeprefix("-")
        message = f"no index gives this order: '{path}' lies beyond a link or in an address, so that each look at the list sorts it whole"
        hint = "sort by a field of its own first; a computed field may copy it"
        findings.note("XRM223", message, words[0].place, (*view.path, "sort"), hint, severity="warning")


# -- the brand -------------------------------------------------------------------------------------------------------


def check_brand(findings: Findings, part: Part) -> None:
    """Colours that people cannot make out on the pages (XRM224)."""
    for key, surface, where in (("colour", LIGHT_SURFACE, "the light pages"), ("dark", DARK_SURFACE, "the dark pages")):
        word = part.word(key)
        if word and _is_colour(findings, part, key, word) and (found := contrast(word.text, surface)) < MARK_CONTRAST:
            message = f"{word.text} has a contrast of {found:.1f} on {where}, and marks need {MARK_CONTRAST:.0f} (WCAG 1.4.11)"
            hint = f"for example {readable(word.text, surface, MARK_CONTRAST)}"
            findings.note("XRM224", message, word.place, (*part.path, key), hint)
    if bar := part.word("bar"):
        _is_colour(findings, part, "bar", bar)


def _is_colour(findings: Findings, part: Part, key: str, word: Word) -> bool:
    if HEX.fullmatch(word.text):
        return True
    findings.note("XRM206", f"'{word.text[:20]}' is not a colour", word.place, (*part.path, key), "quoted, with six digits: '#1f4e8c'")
    return False
