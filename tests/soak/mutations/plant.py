"""Plants one fault in a sound application, and says where it is and what the hint should speak of.

The places come from PyYAML's own nodes, not from the code under test.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import yaml

NAMED = {
    "fields", "checks", "unique", "states", "transitions", "access", "views", "roles", "options", "set", "ask", "types", "removed",
}  # fmt: skip
LABELS = {"label", "plural", "help", "hint", "message", "section", "pattern_message"}
CONDITIONS = {"when", "must", "should", "filter", "required", "read", "create", "update", "delete"}
FIELD_LISTS = {"compact", "sees", "edits", "edit"}
REQUIRED = {
    "xrm", "name", "roles", "entity", "message", "from", "to", "section", "fields", "must", "options",
}  # fmt: skip
BOOLEANS = {"unique", "index", "protected", "initial", "final", "historic", "discloses"}
NUMBERS = {"length", "places"}
WORD = re.compile(r"[a-z][a-z_]{2,}")
LITERAL = re.compile(r'"([a-z_]{4,})"')
EXPRESSION_WORDS = {"null", "true", "false", "in", "date", "now", "today", "actor", "roles", "name"}


@dataclass(frozen=True)
class Planted:
    """An application with a fault in line ``line`` (from 1) of ``file``; ``hint`` must stand in what is said about it."""

    kind: str
    files: Mapping[str, str]
    file: str
    line: int
    hint: str
    what: str
    perhaps_sound: bool = False
    """A random edit: what is still sound counts as no fault."""
    words: frozenset[str] = frozenset()
    """Names that the edit took away or changed: that a use of one is reported is right too."""

    @property
    def mark(self) -> str:
        """What no other application has."""
        return sha256("\0".join(f"{name}\0{text}" for name, text in sorted(self.files.items())).encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A key and its value in a file, with the path of keys to it."""

    file: str
    path: tuple[str, ...]
    key: yaml.Node | None
    value: yaml.Node
    flow: bool
    owner: int
    """The line of the key above, from 1."""
    first: bool

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def line(self) -> int:
        return (self.key or self.value).start_mark.line + 1

    @property
    def in_language(self) -> bool:
        """Whether the key is a word of the language, and not a name or a locale."""
        if self.file.startswith(("data/", "locale/")) or "settings" in self.path or self.path[-2:] == ("forms", "default"):
            return False
        parent = self.path[-2] if len(self.path) > 1 else ""
        grand = self.path[-3] if len(self.path) > 2 else ""
        named = parent in NAMED and not (parent == "unique" and self.name in ("fields", "when") and grand == "unique")
        return self.key is not None and not named and parent not in LABELS


def entries(files: Mapping[str, str]) -> list[Entry]:
    found: list[Entry] = []
    for name, text in files.items():
        if name.endswith(".yml"):
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            assert node is not None
            found += walk(name, (), node, 1)
    return found


def walk(file: str, path: tuple[str, ...], node: yaml.Node, owner: int) -> Iterator[Entry]:
    if isinstance(node, yaml.MappingNode):
        for number, (key, value) in enumerate(node.value):
            inner = (*path, key.value)
            yield Entry(file, inner, key, value, bool(node.flow_style), owner, number == 0)
            yield from walk(file, inner, value, key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            if isinstance(value, yaml.ScalarNode):
                yield Entry(file, (*path, "-"), None, value, bool(node.flow_style), owner, False)
            else:
                yield from walk(file, path, value, value.start_mark.line + 1)


def text_of(files: Mapping[str, str], entry: Entry) -> str:
    return files[entry.file][entry.value.start_mark.index : entry.value.end_mark.index]


def edited(files: Mapping[str, str], file: str, start: int, end: int, new: str) -> Mapping[str, str]:
    text = files[file]
    return {**files, file: text[:start] + new + text[end:]}


def misspelt(rng: random.Random, word: str, taken: set[str]) -> str:
    """The word with one slip of the finger, never another word that is known."""
    while True:
        at = rng.randrange(1, len(word) - 1)
        slip = rng.choice(("swap", "drop", "double", "other"))
        if slip == "swap":
            new = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        elif slip == "drop":
            new = word[:at] + word[at + 1 :]
        elif slip == "double":
            new = word[:at] + word[at] + word[at:]
        else:
            new = word[:at] + rng.choice("abdegiklmnoprstuz") + word[at + 1 :]
        if new != word and new not in taken and WORD.fullmatch(new):
            return new


class Planter:
    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.entries = entries(files)
        self.options = {
            one.value.value if one.name == "-" else one.name
            for one in self.entries
            if len(one.path) > 1 and one.path[-2] in ("options", "states") and isinstance(one.value.value, str | list)
        }
        self.words = {word for text in files.values() for word in re.findall(r"\w+", text)} | EXPRESSION_WORDS

    def plant(self, kind: str, rng: random.Random) -> Planted | None:
        """One fault of a kind, or None where this application has no place for it."""
        maker: Callable[[random.Random], Planted | None] = getattr(self, kind)
        return maker(rng)

    # -- misspelt words -----------------------------------------------------------------------------------------------

    def spell(self, rng: random.Random, kind: str, candidates: list[Entry]) -> Planted | None:
        candidates = [one for one in candidates if WORD.search(one.value.value.lstrip("-"))]
        if not candidates:
            return None
        entry = rng.choice(candidates)
        raw = text_of(self.files, entry)
        word = rng.choice(WORD.findall(raw))
        return self.replaced(rng, kind, entry, entry.value.start_mark.index + raw.index(word), word)

    def replaced(self, rng: random.Random, kind: str, entry: Entry, start: int, word: str) -> Planted:
        new = misspelt(rng, word, self.words)
        files = edited(self.files, entry.file, start, start + len(word), new)
        line = self.files[entry.file].count("\n", 0, start) + 1
        return Planted(kind, files, entry.file, line, f"'{word}'", f"{'.'.join(entry.path)}: {word} → {new}")

    def scalars(self, *names: str) -> list[Entry]:
        """The scalars under keys of these names, and in lists there."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry.value, yaml.ScalarNode)
            and (entry.name in names or (entry.name == "-" and len(entry.path) > 1 and entry.path[-2] in names))
        ]

    def key_misspelt(self, rng: random.Random) -> Planted | None:
        found = [entry for entry in self.entries if entry.in_language and entry.key and len(entry.name) > 3]
        entry = rng.choice(found)
        assert entry.key is not None
        return self.replaced(rng, "key_misspelt", entry, entry.key.start_mark.index, entry.name)

    def entity_misspelt(self, rng: random.Random) -> Planted | None:
        found = [entry for entry in self.scalars("to") if entry.path[0] == "fields" and entry.value.value != "user"]
        return self.spell(rng, "entity_misspelt", found)

    def field_misspelt(self, rng: random.Random) -> Planted | None:
        found = [
            entry
            for entry in self.scalars(*FIELD_LISTS, "fields", "columns", "sort", "ask", "field", "key")
            if entry.path != ("fields", entry.name) and not (len(entry.path) == 2 and entry.path[0] == "fields")
        ]
        found = [entry for entry in found if entry.path[0] != "fields" and len(entry.value.value.split(".")[0]) > 2]
        return self.spell(rng, "field_misspelt", found)

    def role_misspelt(self, rng: random.Random) -> Planted | None:
        found = [entry for entry in self.scalars("roles", "includes") if entry.path[:1] == ("lifecycle",) or "includes" in entry.path]
        keys = [entry for entry in self.entries if entry.key and entry.path[:-1] == ("access",)]
        if keys and rng.random() < 0.4:
            entry = rng.choice(keys)
            assert entry.key is not None
            return self.replaced(rng, "role_misspelt", entry, entry.key.start_mark.index, entry.name)
        return self.spell(rng, "role_misspelt", found)

    def state_misspelt(self, rng: random.Random) -> Planted | None:
        return self.spell(rng, "state_misspelt", [one for one in self.scalars("from", "to") if one.path[0] == "lifecycle"])

    def type_misspelt(self, rng: random.Random) -> Planted | None:
        found = [one for one in self.scalars("type") if one.path[0] == "fields"]
        found += [
            one
            for one in self.entries
            if one.path[0] == "fields" and len(one.path) == 2 and one.key and isinstance(one.value, yaml.ScalarNode)
        ]
        return self.spell(rng, "type_misspelt", found)

    def expression_name(self, rng: random.Random) -> Planted | None:
        found = []
        for entry in self.expressions():
            raw = LITERAL.sub(lambda match: "." * len(match.group()), text_of(self.files, entry))
            names = re.finditer(r"(?<![\w.\"'])[a-z][a-z_]{2,}(?![\w(\"'])", raw)
            found += [(entry, match) for match in names if match.group() not in EXPRESSION_WORDS]
        if not found:
            return None
        entry, match = rng.choice(found)
        return self.replaced(rng, "expression_name", entry, entry.value.start_mark.index + match.start(), match.group())

    def option_misspelt(self, rng: random.Random) -> Planted | None:
        found = []
        for entry in self.expressions():
            raw = text_of(self.files, entry)
            found += [(entry, match.start(1), match[1]) for match in LITERAL.finditer(raw) if match[1] in self.options]
        for entry in self.scalars("default", "use"):
            if entry.path[0] == "fields" and re.fullmatch(r"[a-z]{3,}", entry.value.value) and entry.value.value not in ("true", "false"):
                found.append((entry, 0, entry.value.value))
        if not found:
            return None
        entry, offset, word = rng.choice(found)
        return self.replaced(rng, "option_misspelt", entry, entry.value.start_mark.index + offset, word)

    def expressions(self) -> list[Entry]:
        """Scalars that hold an expression."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry.value, yaml.ScalarNode)
            and entry.key
            and entry.value.value not in ("true", "false")
            and ((entry.name in CONDITIONS and not (entry.name == "required" and "ask" in entry.path)) or entry.value.value.startswith("="))
        ]

    # -- structure ----------------------------------------------------------------------------------------------------

    def key_missing(self, rng: random.Random) -> Planted | None:
        found = [entry for entry in self.entries if self.needed(entry) and not (entry.first and not entry.flow and len(entry.path) > 1)]
        if not found:
            return None
        entry = rng.choice(found)
        start, end = self.extent(entry)
        files = edited(self.files, entry.file, start, end, "")
        line = entry.line if entry.flow else entry.owner
        if len(entry.path) == 1:
            line = 1
        return Planted("key_missing", files, entry.file, line, entry.name, ".".join(entry.path))

    def needed(self, entry: Entry) -> bool:
        if not entry.in_language or entry.name not in REQUIRED or "views" in entry.path:
            return False
        if entry.path == ("fields",):
            return not re.search(r"^(add_to|extends):", self.files[entry.file], re.MULTILINE)
        if entry.name == "must" and "guards" not in entry.path:
            return "checks" in entry.path
        if entry.name == "roles":
            return len(entry.path) == 1
        if entry.name == "name":
            return entry.file == "xrm.yml" and len(entry.path) == 1
        return not (entry.name == "fields" and entry.path[0] not in ("fields", "forms", "unique"))

    def extent(self, entry: Entry) -> tuple[int, int]:
        """Where the entry begins and ends, with its comma or its lines."""
        assert entry.key is not None
        text = self.files[entry.file]
        start, end = entry.key.start_mark.index, entry.value.end_mark.index
        end = start + len(text[start:end].rstrip())
        if entry.flow:
            after = re.compile(r"\s*,\s*").match(text, end)
            if after:
                return start, after.end()
            before = re.search(r",\s*$", text[:start])
            return (before.start() if before else start), end
        begin = text.rfind("\n", 0, start) + 1
        if text[begin:start].strip() == "-":
            following = text.index("\n", end) + 1
            indent = start - begin
            return start, following + indent
        stop = text.find("\n", end) + 1
        return begin, stop or len(text)

    def key_twice(self, rng: random.Random) -> Planted | None:
        found = [entry for entry in self.entries if entry.key and isinstance(entry.value, yaml.ScalarNode)]
        found = [entry for entry in found if "\n" not in text_of(self.files, entry).strip()]
        entry = rng.choice(found)
        assert entry.key is not None
        start, end = entry.key.start_mark.index, entry.value.end_mark.index
        piece = self.files[entry.file][start:end].rstrip()
        column = entry.key.start_mark.column
        glue = ", " if entry.flow else "\n" + " " * column
        files = edited(self.files, entry.file, start + len(piece), start + len(piece), glue + piece)
        line = entry.line if entry.flow else entry.line + 1
        if not entry.flow:  # a comment behind the value goes with the second one
            line = entry.line + 1
        return Planted("key_twice", files, entry.file, line, f"'{entry.name}'", ".".join(entry.path))

    def wrong_kind(self, rng: random.Random) -> Planted | None:
        found: list[tuple[Entry, str]] = []
        for entry in self.entries:
            if not entry.in_language or not isinstance(entry.value, yaml.ScalarNode):
                continue
            if entry.name in BOOLEANS:
                found += [(entry, wrong) for wrong in ("maybe", "'true'", "yes", "1")]
            elif entry.name in NUMBERS:
                found += [(entry, wrong) for wrong in ("ten", "1.5", "'7'")]
            elif entry.name in LABELS:
                found.append((entry, "[one, two]"))
            elif entry.name in ("when", "must", "filter"):
                found.append((entry, "[a, b]"))
        if not found:
            return None
        entry, wrong = rng.choice(found)
        return self.valued("wrong_kind", entry, wrong, "must be")

    def valued(self, kind: str, entry: Entry, new: str, hint: str) -> Planted:
        raw = text_of(self.files, entry).rstrip()
        start = entry.value.start_mark.index
        files = edited(self.files, entry.file, start, start + len(raw), new)
        return Planted(kind, files, entry.file, entry.line, hint, f"{'.'.join(entry.path)}: {new}")

    def indentation(self, rng: random.Random) -> Planted | None:
        found = [entry for entry in self.entries if entry.key and not entry.flow and not entry.first and entry.key.start_mark.column > 1]
        if not found:
            return None
        entry = rng.choice(found)
        assert entry.key is not None
        text = self.files[entry.file]
        start = text.rfind("\n", 0, entry.key.start_mark.index) + 1
        if text[start : entry.key.start_mark.index].strip():
            return None
        change = rng.choice(("more", "less", "tab"))
        end = {"more": start, "less": start + 1, "tab": entry.key.start_mark.index}[change]
        new = {"more": " ", "less": "", "tab": "\t"}[change]
        files = edited(self.files, entry.file, start, end, new)
        return Planted("indentation", files, entry.file, entry.line, "indent", f"{'.'.join(entry.path)}: {change}")

    def quoting(self, rng: random.Random) -> Planted | None:
        found: list[tuple[Entry, str]] = []
        for entry in self.entries:
            value = entry.value
            if not isinstance(value, yaml.ScalarNode) or not entry.key or "\n" in text_of(self.files, entry).strip():
                continue
            raw = text_of(self.files, entry)
            if value.style in ("'", '"'):
                found.append((entry, raw[:-1]))
                if ": " in value.value or " #" in value.value:
                    found.append((entry, value.value))
            elif entry.name in LABELS and not entry.flow and " " in raw:
                found.append((entry, raw.replace(" ", ": ", 1)))
            elif entry.name in LABELS:
                found += [(entry, sign + raw) for sign in "@`%"]
            elif entry.name in CONDITIONS and raw not in ("true", "false"):
                found += [(entry, f"!{raw}"), (entry, f"[1] == {raw}")]
        entry, new = rng.choice(found)
        hint = "write: " if not new.startswith("!") else "="
        return replace(self.valued("quoting", entry, new, hint), kind="quoting")

    # -- expressions and data -----------------------------------------------------------------------------------------

    def expression_syntax(self, rng: random.Random) -> Planted | None:
        return self.expressed(
            rng, "expression_syntax", ("{0} &&", "({0}", "{0})", "{0} and true", "{0} == == 1", "{0} $", "! {0} ||"), "XRM301"
        )

    def expression_type(self, rng: random.Random) -> Planted | None:
        return self.expressed(rng, "expression_type", ("({0}) + true", "({0}) > today() + 'x'", "-({0} == null)"), "XRM30")

    def expressed(self, rng: random.Random, kind: str, forms: tuple[str, ...], hint: str) -> Planted | None:
        found = [one for one in self.expressions() if "[" not in one.value.value and text_of(self.files, one)[0] not in "'\">|"]
        if not found:
            return None
        entry = rng.choice(found)
        value = entry.value.value.removeprefix("=")
        return self.valued(kind, entry, "=" + rng.choice(forms).format(value), hint)

    def bounds(self, rng: random.Random) -> Planted | None:
        found: list[tuple[Entry, str]] = []
        for entry in self.entries:
            if entry.path[0] != "fields" or not isinstance(entry.value, yaml.ScalarNode):
                continue
            if entry.name in ("min", "max"):
                found += [(entry, wrong) for wrong in ("abc", "010", "1e3")]
            if entry.name == "min" and self.has_greatest(entry):
                found.append((entry, "9999-01-01" if "-" in entry.value.value else "99999"))
            if entry.name == "length":
                found += [(entry, wrong) for wrong in ("0", "99999", "-1")]
            if entry.name == "places":
                found += [(entry, wrong) for wrong in ("12", "-1")]
        if not found:
            return None
        entry, wrong = rng.choice(found)
        return self.valued("bounds", entry, wrong, "m")

    def has_greatest(self, entry: Entry) -> bool:
        """Whether a value stands beside it as the greatest: what an expression gives is not known."""
        beside = (one for one in self.entries if (one.file, one.path) == (entry.file, (*entry.path[:-1], "max")))
        return any(not str(one.value.value).startswith("=") for one in beside)

    def alias(self, rng: random.Random) -> Planted | None:
        scalars = [one for one in self.entries if one.key and isinstance(one.value, yaml.ScalarNode)]
        found = [one for one in scalars if "\n" not in text_of(self.files, one) and text_of(self.files, one)[0] not in "'\""]
        entry = rng.choice(found)
        raw = text_of(self.files, entry)
        form = rng.choice(("&a {0}", "!!str {0}", "*a", "!mine {0}", "<<"))
        if form != "<<":
            return self.valued("alias", entry, form.format(raw), "refused")
        assert entry.key is not None
        start = entry.key.start_mark.index
        files = edited(self.files, entry.file, start, start + len(entry.name), "<<")
        return Planted("alias", files, entry.file, entry.line, "refused", "<<")


KINDS = (
    "key_misspelt", "entity_misspelt", "field_misspelt", "role_misspelt", "state_misspelt", "type_misspelt",
    "expression_name", "option_misspelt", "key_missing", "key_twice", "wrong_kind", "indentation", "quoting",
    "expression_syntax", "expression_type", "bounds", "alias",
)  # fmt: skip
