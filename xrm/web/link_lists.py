"""Lists of links in forms: a box for each record to tick where they are few, else their names, one a line.

The text of such a field is the ids of its records, ``id, id``, so that it can be compared and carried like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xrm.compile.columns import is_id
from xrm.errors import Problem
from xrm.model.fields import TARGET, Field
from xrm.service.context import Context
from xrm.web import pages
from xrm.web.typed import link_of, title_of

HINT = "The names or numbers of records, one a line"


def text_of(rows: object) -> str:
    return ", ".join(str(row[TARGET]) for row in rows if TARGET in row) if isinstance(rows, (list, tuple)) else ""


def ids_in(text: str) -> list[str]:
    """The ids of a text; words that were typed and are no records yet stay as they are."""
    return [one for one in text.split(", ") if one]


def posted(ctx: Context, field: Field, label: str, form: Mapping[str, str]) -> tuple[str, list[Problem]] | None:
    """What was sent, as the text of the field; None if the form did not have it. What names no single record stays as it was typed."""
    text = form.get(field.name)
    if text is None or field.each is None:
        return None
    start = f"{field.name}."
    ticked = [name.removeprefix(start) for name in form if name.startswith(start) and is_id(name.removeprefix(start))]
    if not text.strip() or all(map(is_id, ids_in(text))):
        return ", ".join(dict.fromkeys([*ids_in(text.strip()), *ticked])), []
    found: dict[str, None] = {}
    problems: list[Problem] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        id, problem = (line, None) if is_id(line) else link_of(ctx, field.each, label, {f"{TARGET}.text": line})
        found[id] = None
        problems += [replace(problem, path=(field.name,))] if problem else []
    return (text if problems else ", ".join(found)), problems


def made_input(ctx: Context, field: Field, made: pages.Input, few: Sequence[pages.Option] | None) -> pages.Input:
    """The input of a list of links. ``few``: all records it may lead to; None where they are more than boxes are made for."""
    assert field.each is not None
    ids = ids_in(made.value)
    if few is None or not all(map(is_id, ids)):
        lines = [_line(ctx, field.each, id) for id in ids] if all(map(is_id, ids)) else [made.value]
        return replace(made, kind="area", value="\n".join(lines), hint=made.hint or HINT, wide=True)
    labels = {option.value: option.label for option in few}
    chosen = [pages.Option(id, labels.get(id) or title_of(ctx, field.each.targets, id), selected=True) for id in ids]
    return replace(made, kind="checks", options=(*chosen, *(option for option in few if option.value not in ids)))


def _line(ctx: Context, link: Field, id: str) -> str:
    """The title of a record, or its id where the title does not lead back to it."""
    title = " ".join(title_of(ctx, link.targets, id).split())
    return title if title and link_of(ctx, link, "", {f"{TARGET}.text": title})[0] == id else id
