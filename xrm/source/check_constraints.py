"""Meaning of constraints: conditions of fields, options and sections, bounds by other fields, and what follows what."""

from __future__ import annotations

from collections.abc import Iterable

from xrm.expr import Checked
from xrm.model.fields import Field
from xrm.source.circles import circle_from
from xrm.source.disclosure import protected_reads
from xrm.source.findings import Findings
from xrm.source.inference import reads
from xrm.source.names import EntityScope, Known
from xrm.source.outline import Formula, Given, Part

FIELD_CONDITIONS = ("required", "recommended", "show", "readonly")
UNCOMPUTED = ("default", "required", "recommended", "readonly")
"""Keys that say nothing about a value that is always computed."""


def check_constraints(findings: Findings, known: Known, part: Part) -> None:
    """The conditions of an entity's fields, options and sections."""
    scope = findings.names.scope(known.name)
    for name, inner in part.named("fields").items():
        field = known.fields.get(name)
        if field is not None:
            for key in FIELD_CONDITIONS:
                if inner.has(key) and not (inner.has("compute") and key in UNCOMPUTED):
                    _condition(findings, scope, inner, key, field)
            _bounds(findings, scope, inner, field)
            for option in inner.parts("options"):
                _condition(findings, scope, option, "when", field)
    for section in part.layout("default"):
        for key in ("show", "required", "readonly"):
            _condition(findings, scope, section, key, None)
    for section in (*part.layout("new"), *part.layout("print")):
        for key in ("show", "required", "readonly"):
            if section.has(key):
                message = f"'{key}' holds on every way to write, and belongs to a section of the default form"
                findings.note("XRM206", message, section.at(key), section.path, "write it there, or at the field")
    _circles(findings, part)


def _condition(findings: Findings, scope: EntityScope, part: Part, key: str, field: Field | None) -> None:
    checked = findings.condition(part.formula(key), scope, (*part.path, key))
    if checked:
        _sound(findings, scope, part, key, checked, field)


def _bounds(findings: Findings, scope: EntityScope, part: Part, field: Field) -> None:
    for key in ("min", "max"):
        formula = part.formula(key)
        if formula and field.type in ("rows", "file", "image"):
            findings.note(
                "XRM235", f"the '{key}' of {field.type} is a number", part.at(key), (*part.path, key), "write the rule as a check"
            )
            continue
        checked = findings.expression(formula, scope, field.expression_type, (*part.path, key)) if formula else None
        if checked:
            _sound(findings, scope, part, key, checked, field)


def _sound(findings: Findings, scope: EntityScope, part: Part, key: str, checked: Checked, field: Field | None) -> None:
    """What is kept as a flag is the same for everybody, and a form shows what a condition gives."""
    path = (*part.path, key)
    if checked.reads_actor and key != "readonly":
        message = f"'{key}' holds for everybody: it may not depend on who acts"
        findings.note("XRM250", message, part.at(key), path, "a right in 'access' depends on who acts")
    open_field = field is None or not (field.protected or field.discloses)
    hidden = protected_reads(scope, checked.paths) if open_field and key in ("show", "min", "max", "when") else ()
    for read, _, _ in hidden[:1]:
        message = f"whether the rule holds can be seen, so that it would show the protected field '{read}'"
        findings.note("XRM209", message, part.at(key), path, "protect the field too, or say discloses: true")


# -- what follows what -----------------------------------------------------------------------------------------------


def _formulas(given: Given | None) -> Iterable[Formula]:
    return (one for case in (given.cases if given else ()) for one in (case.when, case.use) if isinstance(one, Formula))


def followings(part: Part) -> dict[str, tuple[str, ...]]:
    """For each field of an entity the fields that its default, its value or its being shown follows from."""
    shown: dict[str, list[Formula]] = {}
    for section in part.layout("default"):
        formula = section.formula("show")
        for word in section.words("fields") if formula else ():
            shown.setdefault(word.text, []).append(formula)  # type: ignore[arg-type]  # it is not None here
    fields = part.named("fields")
    graph = {}
    for name, inner in fields.items():
        formulas = shown.get(name, [])
        for key in ("default", "compute"):
            formulas += _formulas(inner.given(key))
        if show := inner.formula("show"):
            formulas.append(show)
        found = tuple(dict.fromkeys(read for formula in formulas for read in reads(formula) if read in fields))
        if found:
            graph[name] = found
    return graph


def _circles(findings: Findings, part: Part) -> None:
    """Fields of which each follows from the other, with the whole circle; those of computed fields alone are told elsewhere."""
    graph = followings(part)
    done: set[str] = set()
    for name in graph:
        circle = circle_from(graph, name, done)
        inners = [part.named("fields")[one] for one in circle]
        if not circle or all(inner.has("compute") and not inner.has("show") for inner in inners):
            continue
        key = next((key for key in ("show", "default", "compute") if inners[0].has(key)), "show")
        shown = " → ".join((*circle, circle[0]))
        hint = "take one of the conditions or defaults out of the circle"
        findings.note("XRM251", f"each of these follows from the next: {shown}", inners[0].at(key), (*inners[0].path, key), hint)
