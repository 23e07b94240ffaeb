"""What the checks collect: problems, and what was found out on the way, by the place where it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from xrm.errors import Place, Problem, Severity
from xrm.expr import BOOL, Checked, ExpressionError, Fault, Function, Type, compile_check
from xrm.expr.gathered import linked
from xrm.expr.portable import database_faults
from xrm.model.data import Keyed
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.source import data
from xrm.source.currencies import mixed
from xrm.source.document import Scalar, Sequence
from xrm.source.names import EntityScope, Known, Names, TargetScope
from xrm.source.nearness import nearest
from xrm.source.outline import Datum, Formula, Given, Word
from xrm.source.spans import place_of

Path = tuple[str, ...]
MOST_LISTED = 12
MOST_HINTS = 500
NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Stated:
    """A condition that was written, and the entity that was being checked."""

    entity: str
    formula: Formula
    checked: Checked
    scope: EntityScope
    path: Path
    known: Mapping[str, object] = field(default_factory=dict)
    """What some paths surely are, where the condition is judged."""


LIKE_EXPRESSION = re.compile(r"actor|[a-z_]+\(.*\).*|[a-z_][a-z0-9_.]* [-+*/] .+|[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_.]*", re.ASCII)
"""Text that hardly is data: a call, a calculation, a path."""


@dataclass(slots=True)
class Findings:
    """``expressions`` and ``values`` are what the definition's expressions and data turned out to be, by the entity that
    is being checked and the place where they are written: an heir's are its base's, with the heir's own names."""

    names: Names
    functions: Mapping[str, Function]
    problems: list[Problem] = field(default_factory=list)
    expressions: dict[tuple[str, Place], Checked] = field(default_factory=dict)
    scopes: dict[tuple[str, Place], EntityScope | TargetScope] = field(default_factory=dict)
    """The names that each expression could use."""
    stated: list[Stated] = field(default_factory=list)
    values: dict[tuple[str, Place], object] = field(default_factory=dict)
    here: str = ""
    circular: frozenset[tuple[str, str]] = frozenset()
    """(entity, field) of every computed field that depends on itself."""
    told: frozenset[tuple[str, Place]] = frozenset()
    """Codes and places of the problems that stand already, while an heir is checked: what it inherits is told once."""

    def enter(self, known: Known) -> None:
        """From here on the problems are those of this entity."""
        self.here = known.name
        self.told = frozenset((problem.code, problem.place) for problem in self.problems if problem.place) if known.base else frozenset()

    def note(self, code: str, message: str, place: Place, path: Path, hint: str | None = None, *, severity: Severity = "error") -> None:
        if (code, place) not in self.told:
            self.problems.append(Problem(code, message, place, path, hint, severity))

    # -- names ------------------------------------------------------------------------------------------------------

    def unknown(self, what: str, word: Word, path: Path, candidates: Iterable[str], where: Mapping[str, Place] | None = None) -> None:
        """XRM203, with the nearest candidate and where it is defined."""
        known = list(candidates)
        near = nearest(word.text, known) if len(self.problems) < MOST_HINTS else None
        if near:
            place = (where or {}).get(near)
            hint = f"did you mean '{near}'" + (f" ({place.file}:{place.line})?" if place else "?")
        else:
            more = ", …" if len(known) > MOST_LISTED else ""
            hint = f"known here: {', '.join(known[:MOST_LISTED])}{more}" if known else "none is defined"
        self.note("XRM203", f"unknown {what} '{word.text[:60]}'", word.place, path, hint)

    def field(self, known: Known, word: Word, path: Path, declared_only: bool = False) -> Field | None:
        """The field of an entity that a word names; None, and a problem, where there is none."""
        found = known.fields.get(word.text) if declared_only else known.field(word.text)
        if found is not None or known.ghost or word.text in known.unknown:
            return found
        if declared_only and word.text in known.system:
            self.note("XRM206", f"'{word.text}' is kept by xrm itself", word.place, path, "name one of your own fields")
            return None
        names = (*known.fields, *known.unknown) if declared_only else known.all_names
        places = {name: part.place for name, part in known.part.named("fields").items()} if known.part else {}
        self.unknown("field", word, path, names, places)
        return None

    def role(self, word: Word, path: Path) -> bool:
        if word.text in self.names.roles or not self.names.sound:
            return word.text in self.names.roles
        self.unknown("role", word, path, self.names.roles, self.names.role_places)
        return False

    # -- expressions ------------------------------------------------------------------------------------------------

    def condition(
        self,
        formula: Formula | None,
        scope: EntityScope | TargetScope,
        path: Path,
        use: Literal["python", "sql"] = "python",
        known: Mapping[str, object] = NOTHING,
    ) -> Checked | None:
        """A condition, checked; ``sql``: the database must be able to evaluate it. ``known``: what some paths surely are."""
        if formula is None:
            return None
        checked = self.expression(formula, scope, BOOL, path)
        if checked and isinstance(scope, EntityScope):
            self.stated.append(Stated(self.here, formula, checked, scope, path, known))
        if checked and use == "sql":
            self.faults(formula, checked.sql_faults, path)
        return checked

    def expression(self, formula: Formula, scope: EntityScope | TargetScope, expect: Type | None, path: Path) -> Checked | None:
        try:
            checked = compile_check(formula.text, scope, expect, self.functions)
        except ExpressionError as error:
            self.faults(formula, error.faults, path)
            return None
        wanted = expect.entity if expect else None
        if wanted and checked.type.entity not in (None, wanted):
            message = f"gives {checked.type}, but {expect} is wanted here"
            self.faults(formula, (Fault("XRM309", message, 0, len(formula.text)),), path)
            return None
        if isinstance(scope, EntityScope) and (faults := mixed(checked, scope)):
            self.faults(formula, faults, path)
            return None
        asked = [fault for gather in linked(checked.node) for fault in database_faults(gather)]
        if asked:
            self.faults(formula, asked, path)
            return None
        self.expressions[self.here, formula.place] = checked
        self.scopes[self.here, formula.place] = scope
        return checked

    def faults(self, formula: Formula, faults: Iterable[Fault], path: Path) -> None:
        for fault in faults:
            place = place_of(formula.scalar, fault.start + formula.skipped, fault.end + formula.skipped)
            self.note(fault.code, fault.message, place, path, fault.hint)

    # -- values -----------------------------------------------------------------------------------------------------

    def given(self, given: Given, target: Field, scope: EntityScope, path: Path) -> tuple[Checked, ...]:
        """A value key, checked against the field that takes it; the expressions in it."""
        checked = []
        for case in given.cases:
            if case.when:
                checked.append(self.condition(case.when, scope, path))
            if isinstance(case.use, Formula):
                checked.append(self.expression(case.use, scope, (target.each or target).expression_type, path))
            else:
                self.datum(case.use, target, path)
        return tuple(one for one in checked if one is not None)

    def all_named(self, datum: Datum, link: Field, path: Path) -> tuple[Keyed, ...]:
        """The records that data on a list of links names by their keys. Raises as ``named`` does."""
        nodes = datum.node.items if isinstance(datum.node, Sequence) else [datum.node]
        found = (self.named(Datum(node), link, path) for node in nodes)
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def named(self, datum: Datum, target: Field, path: Path) -> Keyed | None:
        """The record that data on a link names by its key.

        Raises:
            Misfit: records of that entity have no key, or it is no key.
        """
        known, node = self.names.entities.get(target.to or ""), datum.node
        if data.is_null(node) or (known and known.ghost):
            return None
        if known is None:
            if not target.several:
                return None
            raise Misfit("must be an expression, such as =actor", hint="a key does not say which of several entities is meant")
        if known.key is None or known.abstract:
            raise Misfit("must be an expression, such as =actor", hint=f"'{known.name}' has no 'key' that would name a record")
        if not isinstance(node, Scalar):
            raise Misfit("must be a single value")
        if node.text == "actor" and known.name == "user":
            raise Misfit("must be the name of a user, or an expression")
        places = self.names.records.get(known.name)
        if places is not None and node.text not in places:
            self.unknown(known.name, Word(node.text, node), path, places, places)
        return Keyed(known.name, node.text)

    def _value(self, datum: Datum, target: Field, path: Path) -> object:
        if target.each:
            return self.all_named(datum, target.each, path)
        return self.named(datum, target, path) if target.type in ("link", "user") else data.for_field(target, datum.node)

    def forgotten(self, datum: Datum, target: Field) -> str | None:
        """The hint for data that reads like an expression whose '=' was left out; None where it does not."""
        text = datum.node.text if isinstance(datum.node, Scalar) else ""
        known = self.names.entities.get(self.here)
        named = known is not None and text != target.name and known.field(text) is not None
        if text in ("today", "now"):
            return f"an expression begins with '=': ={text}()"
        if not (named or LIKE_EXPRESSION.fullmatch(text)):
            return None
        return f"an expression begins with '=': ={text[:60]}"

    def datum(self, datum: Datum, target: Field, path: Path, code: str = "XRM210") -> object:
        """Data in the type of its field, or None and a problem."""
        try:
            value = self._value(datum, target, path)
        except Misfit as misfit:
            what = "value" if path[-1] == target.name else path[-1]
            message = f"the {what} of '{target.name}' {misfit.message}"
            if misfit.message.startswith("'"):
                message = f"{misfit.message} of '{target.name}'"
            self.note(code, message, datum.place, path, self.forgotten(datum, target) or misfit.hint)
            return None
        self.values[self.here, datum.place] = value
        return value
