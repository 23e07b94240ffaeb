"""The hint of a problem that brings none of its own: an example of the key it is about, else what to do about its code."""

from __future__ import annotations

from collections.abc import Mapping

from xrm.errors import Problem
from xrm.source.folder import APPLICATION
from xrm.source.keys import KINDS
from xrm.source.kinds import Key

USUAL: Mapping[str, str] = {
    "XRM101": "compare the line with those around it: spaces, a colon and a space, matching quotes and brackets",
    "XRM102": "take one of the two out, or give it another name",
    "XRM103": "write the value out where it is used",
    "XRM104": "make it shorter or flatter, or split it",
    "XRM105": "see that it is there, that it may be read, and that it is UTF-8",
    "XRM106": "write it in the form that the reference shows: xrm explain and the key",
    "XRM201": "take it out; 'xrm explain' and a word says which keys go there",
    "XRM202": "add the key; 'xrm explain' and its name shows how",
    "XRM203": "define it, or write a name that is defined",
    "XRM204": "take one of the two out, or give it another name",
    "XRM205": "choose another name: lower case letters, digits and _, beginning with a letter",
    "XRM206": "change the value, or take it out",
    "XRM207": "one state is the initial one, and every other is reached by a transition",
    "XRM208": "take one of the fields out of the expression",
    "XRM209": "let the role see what it is made from, protect it as well, or say discloses: true",
    "XRM210": "write a value that the field would take in its form",
    "XRM211": "take 'extends' out of one of them",
    "XRM220": "add a transition from it, or say final: true",
    "XRM221": "change the condition, or take it out",
    "XRM222": "let the role see the field, or ask another role",
    "XRM223": "add index: true to the field, or sort by another",
    "XRM224": "choose a darker colour for light pages, a lighter one for dark pages",
    "XRM226": "'xrm translations' and the language writes what is missing",
    "XRM235": "take it out, or set it on the fields of the rows",
    "XRM236": "put it on the record, outside the rows",
    "XRM240": "use restrict, or make the link optional and use clear",
    "XRM241": "name an entity that has records",
    "XRM245": "read it in steps: compute it on the record between them",
    "XRM250": "take actor out of it; what depends on who acts belongs in access, show or a guard",
    "XRM251": "let one of them not read the other",
    "XRM255": "for example: accept: [pdf, images] and size: 10 MB",
    "XRM256": "take it out: people attach files to records",
    "XRM301": "for example: depth > 20 && owner != null",
    "XRM302": "write the name of a field, or of one over a link: owner.label",
    "XRM303": "compare and compute with values of one type; text stands in double quotes",
    "XRM304": "the reference of expressions lists every function with its arguments",
    "XRM305": "write the name of one of the options, not its label",
    "XRM306": "split it: compute a part of it as a field of its own, and use that",
    "XRM307": "compute it as a field of its own, and use that here",
    "XRM308": "write a condition or a value behind the colon",
    "XRM309": "write what gives the type of the field; a condition is true or false, as depth > 20",
    "XRM406": "write a name that nothing has now",
}
"""What to do about each code that a check can give."""

_WITHIN = {
    "fields": "field", "types": "field", "options": "option", "checks": "check", "states": "state", "transitions": "transition",
    "views": "view", "access": "grant", "forms": "section", "unique": "unique", "roles": "role", "guards": "guard", "ask": "ask",
    "lifecycle": "lifecycle", "brand": "brand", "converted_from": "conversion", "removed": "removal",
}  # fmt: skip
"""The kind of map that stands beneath each key."""


def usual(problem: Problem) -> str:
    """The hint for a problem that has none."""
    key = _key(problem) if problem.code in ("XRM106", "XRM202", "XRM206") else None
    if key:
        return f"for example: {key.example}" if "\n" not in key.example else f"{key.name}: {key.doc.split('. ')[0].rstrip('.')}"
    return USUAL.get(problem.code, "'xrm explain' and the code says more")


def _key(problem: Problem) -> Key | None:
    """The key of the language that a path ends with."""
    path = problem.path
    if not path or problem.place is None or problem.place.file.startswith(("data/", "locale/")):
        return None
    above = next((_WITHIN[word] for word in reversed(path[:-1]) if word in _WITHIN), None)
    kind = KINDS[above or ("application" if problem.place.file == APPLICATION else "entity")]
    if path[-1] not in kind.by_name and len(path) > 1 and path[-2] in _WITHIN:  # a thing with a name: the key that holds it
        above = next((_WITHIN[word] for word in reversed(path[:-2]) if word in _WITHIN), None)
        return KINDS[above or ("application" if problem.place.file == APPLICATION else "entity")].by_name.get(path[-2])
    return kind.by_name.get(path[-1])
