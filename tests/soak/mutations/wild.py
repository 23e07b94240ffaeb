"""More faults: random edits, values of another kind, and mistakes in what an application reuses, lists and translates."""

import random
import re
from collections.abc import Iterator, Mapping

import yaml

from tests.soak.mutations.plant import KINDS as PLANTED
from tests.soak.mutations.plant import Entry, Planted, Planter, edited, text_of
from xrm.source.keys import KINDS as LANGUAGE

RANDOM = ("value_replaced", "line_deleted", "line_doubled", "lines_swapped", "character_deleted", "character_inserted")
ADDED = ("wrong_word", "path_over_link", "collection", "function", "data", "locale", "reuse")
KINDS = (*PLANTED, *ADDED, *RANDOM)
KEYS = frozenset(key.name for kind in LANGUAGE.values() for key in kind.keys)
NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SIGNS = "{}[]:,'\"#&*!|>%@`-= \tax0.é\u00a0()$\\"
WRONG = {
    "size": ("5 XB", "-1 MB", "999 GB", "many"),
    "unit": ("business weeks", "bussiness days"),
    "currency": ("ABC", "euro", "=nothing", "€"),
    "accept": ("pdfs", "exe", "[pdf, imagess]"),
    "tone": ("red", "dangr", "[ok]"),
    "icon": ("inbx", "cat", "7"),
    "on_delete": ("delete", "clera", "true"),
    "country": ("XX", "NLD", "31"),
    "timezone": ("Europe/Amsterdm", "CEST+1", "9"),
    "locale": ("english", "en_US", "e"),
    "pattern": ("'[A-Z'", "'(a'", "'(?<=a)b'", "'a{1,5000}'", "'*'"),
    "colour": ("red", "'#12345'", "'#ffffg0'"),
    "dark": ("blue", "'#fff'"),
    "number": ('"P-{seq}-{nothing}"', '"P"', '"{seq:99}"', '"{seq:5}{check:md5}"', '"{seq"', '"{year}"'),
    "title": ('"{nothing}"', '"{number"', '"{}"', "7"),
    "length": ("{min: 9, max: 3}", "{low: 1}", "many"),
    "places": ("-1", "many", "1.5"),
    "renamed_from": ("[]", "{a: b}", "Not A Name", "7 up", "[fine, not-fine!]"),
    "inverse": ("Not-A-Name", "id", "7up"),
    "words": ("0", "-5", "lots"),
}
"""Values that a key does not take."""


def _names_in(text: str) -> frozenset[str]:
    return frozenset(NAMES.findall(text)) - KEYS


class WildPlanter(Planter):
    """All kinds of fault."""

    # -- random edits -------------------------------------------------------------------------------------------------

    def edit(self, kind: str, file: str, start: int, end: int, new: str, what: str, words: frozenset[str]) -> Planted | None:
        files = edited(self.files, file, start, end, new)
        if files[file] == self.files[file]:
            return None
        line = self.files[file].count("\n", 0, start) + 1
        return Planted(kind, files, file, line, "", what, True, words)

    def some_line(self, rng: random.Random) -> tuple[str, int, int]:
        """A line that holds something: its file, its start, and its end with the line break."""
        while True:
            file = rng.choice(sorted(name for name in self.files if name.endswith(".yml")))
            text = self.files[file]
            start = text.rfind("\n", 0, rng.randrange(len(text))) + 1
            end = text.find("\n", start) + 1 or len(text)
            if text[start:end].strip():
                return file, start, end

    def line_deleted(self, rng: random.Random) -> Planted | None:
        file, start, end = self.some_line(rng)
        line = self.files[file][start:end]
        return self.edit("line_deleted", file, start, end, "", line.strip(), _names_in(line) | {file.split("/")[-1][:-4]})

    def line_doubled(self, rng: random.Random) -> Planted | None:
        file, start, end = self.some_line(rng)
        line = self.files[file][start:end].rstrip("\n") + "\n"
        return self.edit("line_doubled", file, start, start, line, line.strip(), _names_in(line))

    def lines_swapped(self, rng: random.Random) -> Planted | None:
        file, start, end = self.some_line(rng)
        text = self.files[file]
        after = text.find("\n", end) + 1
        if not after or not text[end:after].strip():
            return None
        new = text[end:after] + text[start:end]
        return self.edit("lines_swapped", file, start, after, new, text[start:end].strip(), _names_in(text[start:after]))

    def character_deleted(self, rng: random.Random) -> Planted | None:
        file, start, end = self.some_line(rng)
        at = rng.randrange(start, end)
        words = _names_in(self.files[file][start:end])
        return self.edit("character_deleted", file, at, at + 1, "", repr(self.files[file][at]), words)

    def character_inserted(self, rng: random.Random) -> Planted | None:
        file, start, end = self.some_line(rng)
        at, sign = rng.randrange(start, end), rng.choice(SIGNS)
        return self.edit("character_inserted", file, at, at, sign, repr(sign), _names_in(self.files[file][start:end]))

    def value_replaced(self, rng: random.Random) -> Planted | None:
        entry = rng.choice([one for one in self.entries if one.key])
        assert entry.key is not None
        raw = text_of(self.files, entry).rstrip()
        new = rng.choice(
            ("", "[]", "{}", "[[a]]", "{a: {b: c}}", "[1, {b: 2}]", "null", "true", "-1", "1e999", "'x'", "{: }", "9" * 400, "=x")
        )
        start = entry.value.start_mark.index
        if isinstance(entry.value, yaml.CollectionNode) and not entry.value.flow_style:
            new = " " + new + "\n" + " " * entry.key.start_mark.column
            start = entry.key.end_mark.index + 1
            raw = self.files[entry.file][start : entry.value.end_mark.index]
            new = new.rstrip(" ") + ("" if not raw.endswith(" ") else raw[len(raw.rstrip(" ")) :])
        words = _names_in(raw) | {entry.name}
        fault = self.edit("value_replaced", entry.file, start, start + len(raw), new, f"{'.'.join(entry.path)}: {new.strip()[:40]}", words)
        return fault and Planted(fault.kind, fault.files, fault.file, entry.line, "", fault.what, True, fault.words)

    # -- words of the language ----------------------------------------------------------------------------------------

    def wrong_word(self, rng: random.Random) -> Planted | None:
        found = [
            (one, wrong)
            for one in self.entries
            if one.in_language and one.name in WRONG and one.path[0] != "data" and "\n" not in text_of(self.files, one).strip()
            for wrong in WRONG[one.name]
        ]
        if not found:
            return None
        entry, wrong = rng.choice(found)
        if entry.name == "unit" and "business" not in entry.value.value:
            return None
        return self.valued("wrong_word", entry, wrong, "")

    # -- expressions ---------------------------------------------------------------------------------------------------

    def matched(self, rng: random.Random, kind: str, pattern: str) -> Planted | None:
        found = [
            (entry, match)
            for entry in self.expressions()
            if "locale/" not in entry.file
            for match in re.finditer(pattern, re.sub(r'"[^"]*"', lambda quoted: "~" * len(quoted.group()), text_of(self.files, entry)[1:]))
            if len(match[1]) > 2 and not text_of(self.files, entry)[match.start(1)].isidentifier()
        ]
        if not found:
            return None
        entry, match = rng.choice(found)
        return self.replaced(rng, kind, entry, entry.value.start_mark.index + 1 + match.start(1), match[1])

    def path_over_link(self, rng: random.Random) -> Planted | None:
        return self.matched(rng, "path_over_link", r"(?<=\w\.)([a-z][a-z_]+)(?![\w(])")

    def collection(self, rng: random.Random) -> Planted | None:
        return self.matched(rng, "collection", r"(?:(?<=[(\s=])|^)([a-z_]+)(?=\.(?:exists|all|filter)\()")

    def function(self, rng: random.Random) -> Planted | None:
        return self.matched(rng, "function", r"([a-z_]{3,})(?=\()")

    # -- what is reused, listed and translated -------------------------------------------------------------------------

    def at(self, rng: random.Random, folder: str) -> Entry | None:
        found = [one for one in self.entries if one.file.startswith(folder) and one.key and "settings" not in one.path]
        return rng.choice(found) if found else None

    def data(self, rng: random.Random) -> Planted | None:
        entry = self.at(rng, "data/")
        if entry is None or "area" in entry.path or entry.key is None:
            return None
        if len(entry.path) == 2 and rng.random() < 0.5:
            return self.replaced(rng, "data", entry, entry.key.start_mark.index, entry.name) if len(entry.name) > 3 else None
        if len(entry.path) == 2 and isinstance(entry.value, yaml.ScalarNode) and entry.name != "label":
            return self.valued("data", entry, rng.choice(("many", "[1]", "-5000.5", "{a: 1}", "=days")), "")
        if len(entry.path) == 1:
            start = entry.key.start_mark.index
            new = rng.choice((f"{entry.name}: 7\n", f"{entry.name}: {{label: Twice}}\n", "another: {days: 3}\n", "another: {}\n"))
            files = edited(self.files, entry.file, start, start, new)
            line = entry.line + (1 if new.startswith(f"{entry.name}: {{") else 0)
            return Planted("data", files, entry.file, line, "", new.strip())
        return None

    def locale(self, rng: random.Random) -> Planted | None:
        entry = self.at(rng, "locale/")
        if entry is None or entry.key is None or entry.name.isdigit():
            return None
        if len(entry.name) > 3 and rng.random() < 0.6:
            return self.replaced(rng, "locale", entry, entry.key.start_mark.index, entry.name)
        if isinstance(entry.value, yaml.ScalarNode):
            return self.valued("locale", entry, rng.choice(("[one, two]", "{en: one}")), "")
        return None

    def reuse(self, rng: random.Random) -> Planted | None:
        found = [
            one for one in self.scalars("use", "extends", "add_to") if len(one.path) <= 2 and one.path[0] in ("use", "extends", "add_to")
        ]
        found = [one for one in found if not one.file.startswith(("data/", "locale/"))]
        return self.spell(rng, "reuse", found)


def planted(applications: list[Mapping[str, str]], count: int, seed: int) -> Iterator[Planted]:
    """As many faults as asked for, no two alike, the kinds in turn."""
    rng = random.Random(seed)
    planters = [WildPlanter(files) for files in applications]
    seen: set[str] = set()
    made = tried = 0
    while made < count:
        tried += 1
        planter = rng.choice(planters)
        fault = planter.plant(KINDS[tried % len(KINDS)], rng)
        if fault is None:
            continue
        if fault.mark not in seen:
            seen.add(fault.mark)
            made += 1
            yield fault
