"""Random pairs of definitions, each with records, and what must be left of those when one has become the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xrm.model.kinds import KINDS

ACCESS = "access: {agent: [read, create, update, delete]}"
SAMPLES: dict[str, Callable[[random.Random], Any]] = {
    "text": lambda r: r.choice(["Oak St", "Ärger", "x" * 40, "007"]),
    "long_text": lambda r: r.choice(["a\nb", "words and words"]),
    "markdown": lambda r: "*bold*",
    "integer": lambda r: r.randrange(-99, 9_999),
    "decimal": lambda r: f"{r.randrange(0, 999)}.25",
    "money": lambda r: f"{r.randrange(0, 999)}.50",
    "percent": lambda r: "12.5",
    "boolean": lambda r: r.random() < 0.5,
    "date": lambda r: f"2026-0{r.randrange(1, 10)}-15",
    "time": lambda r: "17:30",
    "datetime": lambda r: f"2026-03-0{r.randrange(1, 10)}T09:00:00Z",
    "duration": lambda r: "90 minutes",
    "choice": lambda r: r.choice(["a", "b", "c"]),
    "email": lambda r: "ada@example.org",
    "phone": lambda r: "+12135550134",
    "url": lambda r: "https://example.org/x",
    "point": lambda r: {"lat": r.randrange(-90, 90), "lon": 2.5},
    "json": lambda r: {"a": [r.randrange(9)]},
    "link": lambda r: None,
}
TO_WORDS = ("text", "long_text", "markdown", "email", "phone", "url", "choice")


@dataclass(frozen=True)
class F:
    type: str
    index: bool = False
    said: str = ""
    to: str = ""

    def yaml(self) -> str:
        own = {"choice": ", options: [a, b, c]", "link": f", to: {self.to}"}.get(self.type, "")
        if "options:" in self.said:
            own = ""
        return f"{{type: {self.type}{own}{', index: true' if self.index and KINDS[self.type].sortable else ''}{self.said}}}"


@dataclass(frozen=True)
class E:
    fields: dict[str, F]
    number: bool = False
    states: bool = False
    said: str = ""

    def yaml(self) -> str:
        lines = [f"fields: {{{', '.join(f'{name}: {one.yaml()}' for name, one in self.fields.items())}}}", ACCESS, self.said]
        lines += ['number: "N-{seq:4}"'] if self.number else []
        lines += (
            ["lifecycle: {states: {new: {initial: true}, done: {final: true}}, transitions: {end: {from: new, to: done}}}"]
            if self.states
            else []
        )
        return "\n".join(line for line in lines if line) + "\n"


@dataclass(frozen=True)
class Kinds:
    """An entity with reference records: what it and the field beside its key are called, and the labels by key."""

    entity: str = "sort"
    words: str = "label"
    records: Mapping[str, str] = field(default_factory=dict)

    def texts(self, was: Kinds | None = None) -> dict[str, str]:
        said = f"renamed_from: {was.entity}\n" if was and was.entity != self.entity else ""
        label = f"text, renamed_from: {was.words}" if was and was.words != self.words else "text"
        fields = f"fields: {{code: {{type: text, unique: true, required: true}}, {self.words}: {{type: {label}}}}}"
        lines = "".join(f"{key}: {{{self.words}: {label}}}\n" for key, label in self.records.items())
        return {self.entity: f"key: code\n{said}{fields}\n{ACCESS}\n", f"data/{self.entity}.yml": lines or "{}\n"}


@dataclass
class Pair:
    """``kept``: for (old entity, old field), the new names and what becomes of a value as a caller reads it."""

    before: dict[str, E]
    after: dict[str, E]
    kept: dict[tuple[str, str], tuple[str, str, Callable[[Any], Any]]] = field(default_factory=dict)
    kinds: tuple[Kinds, Kinds] = (Kinds(), Kinds())

    def texts(self, which: str) -> dict[str, str]:
        own = {name: one.yaml() for name, one in getattr(self, which).items()}
        return own | (self.kinds[0].texts() if which == "before" else self.kinds[1].texts(self.kinds[0]))


def same(value: Any) -> Any:
    return value


def pair(seed: int) -> Pair:
    r = random.Random(seed)
    names = [f"thing{n}" for n in range(r.randrange(1, 4))]
    before = {name: E({f"f{n}": _field(r, names) for n in range(r.randrange(2, 8))}, r.random() < 0.4, r.random() < 0.4) for name in names}
    made = Pair(before, {})
    renamed = {name: f"{name}_now" if r.random() < 0.4 else name for name in names if r.random() < 0.85 or name == names[0]}
    for old, new in renamed.items():
        one = before[old]
        fields: dict[str, F] = {}
        for was, its in one.fields.items():
            if its.type == "link" and its.to not in renamed:
                continue
            target = replace(its, to=renamed.get(its.to, ""))
            _changed(r, made, (old, was), new, target, fields)
        fields |= {f"g{n}": replace(_field(r, list(renamed.values())), index=r.random() < 0.5) for n in range(r.randrange(0, 3))}
        if r.random() < 0.3:
            fields["must"] = F("text", said=", required: true, fill: given")
        said = f"renamed_from: {old}" if new != old else ""
        made.after[new] = E(fields or {"only": F("text")}, one.number or r.random() < 0.3, one.states or r.random() < 0.3, said)
    if r.random() < 0.3:
        made.after["fresh"] = E({"name": F("text")})
    made.kinds = _kinds(r)
    return made


def _kinds(r: random.Random) -> tuple[Kinds, Kinds]:
    """Reference records of which some come, some go and some are told otherwise, in an entity that may have another name."""
    before = {key: r.choice(["Road", "Tree", "Park"]) for key in r.sample("abcd", 3)}
    after = {key: before[key] if key in before and r.random() < 0.5 else r.choice(["Road", "Light"]) for key in r.sample("abcdef", 3)}
    entity, label = ("kind" if r.random() < 0.3 else "sort"), ("words" if r.random() < 0.3 else "label")
    return Kinds(records=before), Kinds(entity, label, after)


def _field(r: random.Random, names: list[str]) -> F:
    return F(r.choice(list(SAMPLES)), r.random() < 0.3, to=r.choice(names))


def _changed(r: random.Random, made: Pair, was: tuple[str, str], entity: str, its: F, fields: dict[str, F]) -> None:
    """Dropped, renamed, of another type, with an option less, or as it was."""
    name = f"{was[1]}_now" if r.random() < 0.3 else was[1]
    said = f", renamed_from: {was[1]}" if name != was[1] else ""
    chance, become = r.random(), same
    if chance < 0.15:
        return
    if chance < 0.5 and its.type == "integer":
        its, become = replace(its, type="decimal"), lambda value: None if value is None else f"{value}.00"
    elif chance < 0.5 and its.type == "boolean":
        its, said = replace(its, type="integer"), f"{said}, converted_from: boolean"
        become = lambda value: None if value is None else int(value)  # noqa: E731 (a conversion in a table of them)
    elif chance < 0.5 and its.type in ("date", "decimal", "time"):
        said, its = f"{said}, converted_from: {its.type}", replace(its, type="text")
        become = _words
    elif chance < 0.5 and its.type in TO_WORDS:
        its = replace(its, type=r.choice(["long_text", "text"]) if its.type != "long_text" else "markdown")
    elif chance < 0.6 and its.type == "choice":
        said = f"{said}, options: [a, c, {{}}], removed: {{b: c}}".replace(", {}]", "]")
        become = lambda value: "c" if value == "b" else value  # noqa: E731 (as above)
    fields[name] = replace(its, said=said, index=its.index if r.random() < 0.7 else not its.index)
    made.kept[was] = (entity, name, become)


def _words(value: Any) -> Any:
    """As a person would write it: a decimal without the noughts that say nothing is the same number."""
    return None if value is None else str(value)


def sample(r: random.Random, its: F) -> Any:
    return None if r.random() < 0.2 else SAMPLES[its.type](r)
