"""What the fields of `models` do not have: rows, links of every sort, inheritance, computed values, states, numbers, uniqueness. One
family of entities, `whole` and `other` that extend `base`, changed at random."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.application import Running

ACCESS = "access: {agent: [read, create, update, delete]}\n"
Become = Callable[[Any], Any]
Key = tuple[str, str]


@dataclass
class Rich:
    """``kept``: as in `models.Pair`. ``values`` makes those of one record; ``ids`` are the records that are there, by entity."""

    before: dict[str, str]
    after: dict[str, str]
    kept: dict[Key, tuple[str, str, Become]] = field(default_factory=dict)


def same(value: Any) -> Any:
    return value


def in_units(value: Any) -> Any:
    return None if value is None else f"{value}.00"


def in_list(value: Any) -> Any:
    return None if value is None else [value]


class _Making:
    """Writes two sides of one entity, field by field."""

    def __init__(self, r: random.Random, entity: str, now: str) -> None:
        self.r, self.entity, self.now = r, entity, now
        self.before: list[str] = []
        self.after: list[str] = []
        self.kept: dict[Key, tuple[str, str, Become]] = {}

    def field(self, name: str, was: str, now: str | None = None, become: Become = same) -> str:
        """A field that goes on, perhaps under another name; that name."""
        new = f"{name}_now" if self.r.random() < 0.3 else name
        said = f", renamed_from: {name}" if new != name else ""
        self.before.append(f"  {name}: {{{was}}}")
        self.after.append(f"  {new}: {{{now or was}{said}}}")
        self.kept[self.entity, name] = (self.now, new, become)
        return new

    def gone(self, name: str, was: str) -> None:
        self.before.append(f"  {name}: {{{was}}}")

    def perhaps(self, name: str, was: str, now: str | None = None, become: Become = same) -> None:
        """The same, or dropped."""
        if self.r.random() < 0.15:
            self.gone(name, was)
        elif self.r.random() < 0.5:
            self.field(name, was, now, become)
        else:
            self.field(name, was)


def rich(seed: int) -> Rich:
    r = random.Random(seed * 7)
    whole, other = ("whole_now" if r.random() < 0.4 else "whole"), ("other_now" if r.random() < 0.3 else "other")
    base, its = _base(r, whole, other), _Making(r, "whole", whole)
    told = "".join(f"renamed_from: {name}\n" for name in ("whole",) if name != whole)
    _links(its, whole, other)
    lines, total = _rows(r)
    its.field("lines", f"type: rows, fields: {{{lines[0]}}}", f"type: rows, fields: {{{lines[1]}}}", total)
    _values(its)
    old, new = _lifecycle(its)
    number = [r.choice(('number: "N-{seq:4}"\n', "")) for _ in range(2)]
    if number[0] and not number[1]:
        number[1] = 'number: "M-{year}-{seq:3}"\n'
    if number[0]:
        its.kept["whole", "number"] = (whole, "number", same)
    both = [("code", "part"), tuple(its.kept["whole", name][1] for name in ("code", "part"))]
    rule = [f"unique: {{both: [{', '.join(names)}]}}\n" if r.random() < 0.3 else "" for names in both]
    before = f"extends: base\n{number[0]}{old}{rule[0]}fields:\n" + "\n".join(its.before) + "\n"
    after = f"extends: base\n{told}{number[1]}{new}{rule[1]}fields:\n" + "\n".join(its.after) + "\n"
    named = "renamed_from: other\n" if other != "other" else ""
    made = Rich(
        {"base": base[0], "whole": before, "other": "extends: base\nfields: {own: text}\n"},
        {"base": base[1], whole: after, other: f"extends: base\n{named}fields: {{own: text}}\n"},
    )
    made.kept = {**base[2], **its.kept}
    return made


def _base(r: random.Random, whole: str, other: str) -> tuple[str, str, dict[Key, tuple[str, str, Become]]]:
    """What both heirs have."""
    its = _Making(r, "whole", whole)
    its.field("name", "type: text")
    its.perhaps("size", "type: integer", "type: decimal", in_units)
    its.perhaps("seen", "type: boolean", "type: integer, converted_from: boolean", lambda value: None if value is None else int(value))
    head = f"abstract: true\n{ACCESS}fields:\n"
    more = "  fresh: {type: text, required: true, fill: given}\n" if r.random() < 0.4 else ""
    kept = dict(its.kept) | {("other", name): (other, new, become) for (_, name), (_, new, become) in its.kept.items()}
    return head + "\n".join(its.before) + "\n", head + "\n".join(its.after) + "\n" + more, kept


def _links(its: _Making, whole: str, other: str) -> None:
    def to(*names: str) -> tuple[str, str]:
        now = {"whole": whole, "other": other, "base": "base"}
        return (f"to: [{', '.join(names)}]", f"to: [{', '.join(now[name] for name in names)}]")

    for name, targets, more in (
        ("likes", ("whole",), ", many: true"),
        ("about", ("whole", "other"), ""),
        ("party", ("base",), ", inverse: parties"),
        ("next", ("other",), ", on_delete: clear"),
    ):
        was, now = to(*targets)
        if its.r.random() < 0.85:
            its.field(name, f"type: link, {was}{more}", f"type: link, {now}{more}")
        else:
            its.gone(name, f"type: link, {was}{more}")
    was, _ = to("whole")
    _, wider = to("whole", "other")
    its.field("follows", f"type: link, {was}", f"type: link, {wider}" if its.r.random() < 0.5 else f"type: link, {to('whole')[1]}")


def _rows(r: random.Random) -> tuple[tuple[str, str], Become]:
    """The fields of rows before and after, and what becomes of a list of rows."""
    before = {"n": "type: integer", "w": "type: text", "d": "type: decimal", "c": "type: choice, options: [a, b, c]"}
    after: list[str] = []
    becomes: dict[str, tuple[str, Become]] = {}
    for name, was in before.items():
        chance, now, become = r.random(), was, same
        new = f"{name}_now" if r.random() < 0.3 else name
        if chance < 0.2:
            continue
        if chance < 0.5 and name == "n":
            now, become = "type: decimal", in_units
        elif chance < 0.5 and name == "w":
            now = "type: long_text"
        elif chance < 0.5 and name == "c":
            now, become = "type: choice, options: [a, c], removed: {b: c}", lambda value: "c" if value == "b" else value
        after.append(f"{new}: {{{now}{f', renamed_from: {name}' if new != name else ''}}}")
        becomes[name] = (new, become)
    if r.random() < 0.4 or not after:
        after.append("fresh: {type: text}")

    def told(rows: Any) -> Any:
        fresh = {"fresh": None} if any(one.startswith("fresh") for one in after) else {}
        return [{"id": row["id"], **{new: become(row[name]) for name, (new, become) in becomes.items()}, **fresh} for row in rows]

    return (", ".join(f"{name}: {{{was}}}" for name, was in before.items()), ", ".join(after)), told


def _values(its: _Making) -> None:
    r = its.r
    its.field("level", "type: choice, options: [a, b, c]", "type: choice, options: [a, b, c], many: true", in_list) if r.random() < 0.3 else (
        its.field("level", "type: choice, options: [a, b, c]", "type: choice, options: {z: {renamed_from: a}, b: {}, c: {}}",
                  lambda value: "z" if value == "a" else value)
    )  # fmt: skip
    its.perhaps("tags", "type: choice, options: [a, b, c], many: true", "type: choice, many: true, options: {z: {renamed_from: a}, b: {}, c: {}}",
                lambda value: value and sorted(("z" if one == "a" else one for one in value), key="zbc".index))  # fmt: skip
    its.perhaps("home", "type: address")
    its.perhaps("zone", "type: area")
    its.perhaps("span", "type: duration, unit: business days")
    its.perhaps("fee", "type: money, currency: EUR")
    its.field(
        "code", r.choice(("type: text, unique: true", "type: text")), "type: text, unique: true" if r.random() < 0.5 else "type: text"
    )
    part = its.field("part", "type: integer")
    times, now = 2, r.choice((2, 3))
    its.field(
        "calc", f"compute: '=coalesce(part, 0) * {times}'", f"compute: '=coalesce({part}, 0) * {now}'", lambda value: value // times * now
    )


def _lifecycle(its: _Making) -> tuple[str, str]:
    start = "lifecycle:\n  states: {new: {initial: true}, hold: {}, done: {final: true}}\n"
    moves = "  transitions: {stop: {from: new, to: hold}, end: {from: [new, hold], to: done}}\n"
    its.kept["whole", "state"] = (its.now, "state", same)
    chance = its.r.random()
    if chance < 0.4:
        its.kept["whole", "state"] = (its.now, "state", lambda state: {"hold": "new"}.get(state, state))
        gone = "lifecycle:\n  states: {new: {initial: true}, done: {final: true}}\n  removed: {hold: new}\n"
        return start + moves, gone + "  transitions: {end: {from: new, to: done}}\n"
    if chance < 0.7:
        its.kept["whole", "state"] = (its.now, "state", lambda state: {"hold": "wait"}.get(state, state))
        named = "lifecycle:\n  states: {new: {initial: true}, wait: {renamed_from: hold}, done: {final: true}}\n"
        return start + moves, named + moves.replace("hold", "wait")
    return start + moves, start + moves


def values(r: random.Random, number: int, ids: Mapping[str, list[str]]) -> dict[str, Any]:
    """Those of the record ``number`` of `whole`."""

    def some(entity: str) -> str | None:
        return r.choice(ids[entity]) if ids[entity] and r.random() < 0.7 else None

    rows = [{"n": r.randrange(99), "w": r.choice(["x", None]), "d": "1.25", "c": r.choice("abc")} for _ in range(r.randrange(3))]
    ring = [[0, 0], [1, 0], [1, r.randrange(1, 9)], [0, 0]]
    return {
        "name": f"N{number}", "size": r.randrange(99), "seen": r.random() < 0.5, "lines": rows, "code": f"C{number}",
        "likes": r.sample(ids["whole"], min(len(ids["whole"]), r.randrange(3))), "about": some("other") or some("whole"), "party": some("whole"),
        "next": some("other"), "follows": some("whole"), "level": r.choice(["a", "b", "c", None]), "tags": r.sample("abc", r.randrange(3)),
        "home": r.choice([None, {"street": "Oak St 7", "city": "Town"}]), "zone": {"type": "Polygon", "coordinates": [ring]},
        "span": r.choice([None, "5 business days"]), "fee": r.choice([None, "12.50"]), "part": r.choice([None, 4, 7]),
    }  # fmt: skip


def records(running: Running, seed: int) -> None:
    """Four of `whole`, in all states and one deleted, and three of `other`, all linked."""
    r, system = random.Random(seed), running.system
    ids: dict[str, list[str]] = {"whole": [], "other": []}
    for number in range(3):
        ids["other"].append(system.create("other", name=f"O{number}", size=number).id)
    for number in range(4):
        ids["whole"].append(system.create("whole", **values(r, number, ids)).id)
        if number != 3 and (move := r.choice(["stop", "end", None])):
            system.move("whole", ids["whole"][-1], None, move)
    last = system.create("whole", **(values(r, 4, ids) | {"likes": [], "about": None, "party": None}))
    system.delete("whole", last.id)
