"""What differs between two texts of an application, in the words of the language.

It walks what is written, in its long form, and knows no key by name: a new key of the language is covered by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xrm.source import named_types, schema
from xrm.source.data import plain
from xrm.source.document import read_text
from xrm.source.folder import APPLICATION, SUFFIXES
from xrm.source.keys import KINDS
from xrm.source.kinds import Many, MapKind, Named, One
from xrm.source.outline import Datum, Flag, Formula, Given, Label, Number, Part, Word, Words

Files = Mapping[str, str]
Said = tuple[str, ...]
MOST_SHOWN = 80
"""Characters of a value."""


def differences(before: Files, after: Files) -> tuple[str, ...]:
    """Each difference as a line: ``request.channel: option fax removed``."""
    old, new = _written(before), _written(after)
    lines: list[str] = []
    renamed = _renamed(old, new)
    for name in dict.fromkeys((*old, *new)):
        if name in renamed:
            lines.append(f"{_titled(old[name])} renamed to {renamed[name]}")
            lines += [
                line for line in _parts(old[name], new[renamed[name]], (renamed[name],)) if not line.startswith(f"{renamed[name]}: entity")
            ]
        elif name not in new:
            lines.append(f"{_titled(old[name])}: removed")
        elif name in old:
            lines += _parts(old[name], new[name], () if name == APPLICATION else (name,))
        elif name not in renamed.values():
            lines.append(f"{_titled(new[name])}: added")
    lines += _other(before, after)
    return tuple(lines)


def _renamed(old: Mapping[str, Part], new: Mapping[str, Part]) -> dict[str, str]:
    """The new name of each part that says which it had."""
    fresh = {name: part for name, part in new.items() if name not in old}
    return {
        word.text: name for name, part in fresh.items() for word in part.words("renamed_from") if word.text in old and word.text not in new
    }


def _written(files: Files) -> dict[str, Part]:
    """The application under its file's name, each entity under its own."""
    documents = {name: read_text(name, text) for name, text in files.items() if name == APPLICATION or _is_entity(name)}
    types = named_types.declared(documents[APPLICATION]) if APPLICATION in documents else ()
    found: dict[str, Part] = {}
    for name, document in documents.items():
        part, _ = schema.read(document, types)
        if part is None:
            continue
        own, added = part.word("entity"), part.word("add_to")
        found[own.text if own else f"{added.text} ({name})" if added else name] = part
    return found


def _is_entity(name: str) -> bool:
    return name.startswith("entities/") and name.endswith(SUFFIXES)


def _titled(part: Part) -> str:
    entity, whole = part.word("entity"), part.word("add_to")
    return f"entity {entity.text}" if entity else f"what is added to {whole.text}" if whole else part.kind


def _parts(old: Part, new: Part, path: Said) -> Iterator[str]:
    kind = KINDS[new.kind]
    for key in dict.fromkeys((*old.values, *new.values)):
        before, after = old.values.get(key), new.values.get(key)
        rule = kind.by_name.get(key)
        if rule is not None and isinstance(rule.kind, Named):
            yield from _named(KINDS[rule.kind.of], old.named(key), new.named(key), path)
        elif isinstance(before, Part) and isinstance(after, Part):
            yield from _parts(before, after, (*path, key))
        elif rule is not None and isinstance(rule.kind, (One, Many)) and (before is None or after is None):
            yield f"{_at(path)}: {key} {'removed' if after is None else 'added'}"
        else:
            yield from _values(key, said(before), said(after), path)


def _named(kind: MapKind, old: Mapping[str, Part], new: Mapping[str, Part], path: Said) -> Iterator[str]:
    renamed = _renamed(old, new)
    for name in dict.fromkeys((*old, *new)):
        if name in renamed:
            yield f"{_at(path)}: {kind.name} {name} renamed to {renamed[name]}"
            yield from _parts(old[name], new[renamed[name]], (*path, renamed[name]))
        elif name not in new:
            yield f"{_at(path)}: {kind.name} {name} removed"
        elif name in old:
            yield from _parts(old[name], new[name], (*path, name))
        elif name not in renamed.values():
            yield f"{_at(path)}: {kind.name} {name} added"
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        yield f"{_at(path)}: {kind.name}s in another order"


def _values(key: str, before: object, after: object, path: Said) -> Iterator[str]:
    if before == after or key == "renamed_from":
        return
    if before is None:
        yield f"{_at(path)}: {key} is {_shown(after)}, was not said"
    elif after is None:
        yield f"{_at(path)}: {key} is not said, was {_shown(before)}"
    else:
        yield f"{_at(path)}: {key} is {_shown(after)}, was {_shown(before)}"


def _at(path: Said) -> str:
    return ".".join(path) or "application"


def _shown(value: object) -> str:
    text = _words_of(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _words_of(value: object, *, inside: bool = False) -> str:
    """As the language writes it; a text in the application's own language is the text alone."""
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            text = ", ".join(_words_of(item, inside=True) for item in value)
            return f"[{text}]" if inside else text
        case dict() if set(value) == {""}:
            return str(value[""])
        case dict():
            text = ", ".join(
                f"{name}: {_words_of(item, inside=True)}" if name else _words_of(item, inside=True) for name, item in value.items()
            )
            return f"{{{text}}}" if inside else text
        case _:
            return str(value)


def said(answer: object) -> object:
    """What stands on a key, without its place: equal for what means the same."""
    match answer:
        case Word():
            return answer.text
        case Words():
            return [word.text for word in answer.items]
        case Label():
            return dict(answer.texts)
        case Formula():
            return f"={answer.text}"
        case Datum():
            return plain(answer.node)
        case Number() | Flag():
            return answer.value
        case Given():
            cases = [(said(case.when), said(case.use)) for case in answer.cases]
            return cases[0][1] if len(cases) == 1 and cases[0][0] is None else [_case(*case) for case in cases]
        case Part():
            return {key: said(value) for key, value in answer.values.items()}
        case Mapping():
            return {str(name): said(value) for name, value in answer.items()}
        case Sequence() if not isinstance(answer, str):
            return [said(item) for item in answer]
        case _:
            return answer


def _case(when: object, use: object) -> str:
    return f"{use} when {str(when).removeprefix('=')}" if when is not None else f"else {use}"


def _other(before: Files, after: Files) -> Iterator[str]:
    """Files that are no definitions: plugins, reference records, texts."""
    for name in sorted({*before, *after}):
        if name == APPLICATION or _is_entity(name) or before.get(name) == after.get(name):
            continue
        verb = "removed" if name not in after else "added" if name not in before else "changed"
        yield f"{name}: {verb}"
