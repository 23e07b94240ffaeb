"""What stands in an input, and back: a stored value as text to edit, and typed text as a value to write.

Texts are compared to see what a person changed, so that an input which cannot hold all of a value (the seconds of an
instant) changes nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal

import msgspec

from xrm.errors import NotFound, Problem
from xrm.model.fields import Field
from xrm.model.kinds import ADDRESS_PARTS
from xrm.model.values import canonical
from xrm.service.context import Context
from xrm.service.reading import Query, get_record, list_records
from xrm.web.display import Display, dialled
from xrm.web.uploads import posted_files

MINUTES = "%Y-%m-%dT%H:%M"
"""The value of an ``<input type=datetime-local>``."""
MATCHES = 6
"""Records that are read to see whether words name one."""


def editable(display: Display, field: Field, value: object) -> str:
    """A value as the text of its input."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return display.local(value).strftime(MINUTES)
    if isinstance(value, time):
        return value.isoformat("seconds" if value.second else "minutes")
    if field.kind.kept == "files" and isinstance(value, tuple):
        return " ".join(file.get("token") or file["hash"] for file in value)
    if isinstance(value, timedelta | tuple) or field.kind.kept == "count":
        return canonical(field, value)
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", display.point)
    if field.type == "address" and isinstance(value, dict):
        return address_text(value)
    if isinstance(value, (dict, list)):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return str(value)


def address_text(parts: Mapping[str, str | None]) -> str:
    """An address as one text: its parts in JSON, those that are filled in; empty where none is."""
    given = {part: parts[part] for part in ADDRESS_PARTS if parts.get(part)}
    return msgspec.json.encode(given).decode() if given else ""


def address_parts(text: str) -> dict[str, str]:
    """The parts of such a text. One that was tampered with has none."""
    try:
        return msgspec.json.decode(text, type=dict[str, str]) if text else {}
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}


def posted(form: Mapping[str, str], field: Field) -> str | None:
    """What was sent for a field, as text with plain line ends; None if the form did not have it.

    Of several options each that was chosen is sent by itself (``channels.web``), beside the field's own name.
    """
    if field.kind.kept == "files":
        return posted_files(form, field)
    if field.type == "address" and any(f"{field.name}.{part}" in form for part in ADDRESS_PARTS):
        return address_text({part: " ".join(form.get(f"{field.name}.{part}", "").split()) for part in ADDRESS_PARTS})
    text = form.get(field.name)
    if text == "" and field.kind.input == "checks":
        return ", ".join(option.name for option in field.options if f"{field.name}.{option.name}" in form)
    return None if text is None else text.replace("\r\n", "\n").strip()


def value_of(display: Display, field: Field, text: str) -> object:
    """Typed text as what the service takes; what does not fit goes on as it is, to be refused there with its reason."""
    if field.kind.number:
        return display.typed(text)
    if field.type == "phone":
        return dialled(text, display.region)
    if field.type == "datetime" and text:
        try:
            return datetime.strptime(text[:16], MINUTES).replace(tzinfo=display.zone)
        except ValueError:
            return text
    return text


def link_of(ctx: Context, field: Field, label: str, form: Mapping[str, str]) -> tuple[str, Problem | None]:
    """The id of the record that a link's input names: the one that was chosen, else the only one its words fit."""
    id, words = form.get(field.name, "").strip(), form.get(f"{field.name}.text")
    if words is None or (id and title_of(ctx, field.targets, id) == words.strip()):
        return id, None
    if not words.strip():
        return "", None
    targets = [target for target in field.targets if ctx.policies.readable(target)]
    found = [row for target in targets for row in list_records(ctx, Query(target, ("title",), search=words.strip(), limit=MATCHES)).rows]
    exact = [row for row in found if row["title"] == words.strip()]
    if len(exact or found) == 1:
        return str((exact or found)[0]["id"]), None
    if found:
        near = ", ".join(f"“{row['title']}”" for row in found[:3])
        return "", Problem("XRM511", f"{label}: more than one record fits, for example {near}", path=(field.name,))
    return "", Problem("XRM511", f"{label}: no record fits “{words.strip()[:60]}”", path=(field.name,))


def title_of(ctx: Context, targets: tuple[str, ...], id: str) -> str:
    """The title of a linked record, of one of these entities; empty where this actor has no such record."""
    for target in targets:
        if ctx.policies.readable(target):
            try:
                return str(get_record(ctx, target, id, ("title",))["title"])
            except NotFound:
                continue
    return ""
