"""Files in forms: which input they came from, kept until the form is right, and shown while it is not.

A field of files has a hidden input of its name with what is attached now, as hashes of files that the record has and tokens of
uploads; ``photos.drop.1`` takes the second of them away, and ``photos.new`` brings more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from xrm.errors import Invalid, Problem
from xrm.model.contents import CONTENTS, UNKNOWN, size_text
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.values import DIGEST
from xrm.service import files
from xrm.service.context import Context
from xrm.web import pages
from xrm.web.multipart import Arrived

NEW, DROP, WRONG = "new", "drop", "wrong"


def field_of(entity: Entity, input: str) -> Field | None:  # noqa: A002 (an input of a form)
    """The field that a file input belongs to (``photos.new``, in a row ``lines.0.photo.new``)."""
    name, _, part = input.rpartition(".")
    found = files.field_at(entity, path_of(name)) if part == NEW else None
    return found if found and found.kind.kept == "files" else None


def path_of(name: str) -> str:
    """The path of an input's field: without the number of its row."""
    holder, _, rest = name.partition(".")
    number, _, inner = rest.partition(".")
    return f"{holder}.{inner}" if inner and number.isdecimal() else name


def staged(ctx: Context, entity: Entity | None, arrived: Sequence[Arrived], sent: Mapping[str, str]) -> dict[str, str]:
    """The form with the tokens of its files under ``photos.new``, and what was wrong with others under ``photos.wrong``."""
    tokens: dict[str, list[str]] = {}
    wrong: dict[str, list[Problem]] = {}
    for one in arrived:
        field = field_of(entity, one.input) if entity else None
        name = one.input.rpartition(".")[0]
        if entity is None or field is None or not ctx.policy(entity.name).sees(path_of(name)):
            continue  # whether it may be written is judged with the rest of the form
        try:
            upload = one.draft.upload(one.name, one.declared)
            tokens.setdefault(name, []).append(files.stage(ctx, upload, field).token)
        except Invalid as refused:
            wrong.setdefault(name, []).extend(refused.problems)
    texts = {name: text for name, text in sent.items() if not name.endswith((f".{NEW}", f".{WRONG}"))}
    texts |= {f"{name}.{NEW}": " ".join(found) for name, found in tokens.items()}
    said = {name: [(problem.code, problem.message, problem.hint) for problem in found] for name, found in wrong.items()}
    return texts | {f"{name}.{WRONG}": msgspec.json.encode(found).decode() for name, found in said.items()}


def posted_files(form: Mapping[str, str], field: Field) -> str | None:
    """What is attached after what was ticked and chosen; None if the form did not ask. One file gives way to a new one."""
    text = form.get(field.name)
    if text is None:
        return None
    kept = [item for place, item in enumerate(text.split()) if f"{field.name}.{DROP}.{place}" not in form]
    new = form.get(f"{field.name}.{NEW}", "").split()
    return " ".join([*kept, *new] if field.many else new or kept)


def problems_of(form: Mapping[str, str], field: Field) -> Iterable[Problem]:
    """Why files that were chosen could not be taken."""
    for code, message, hint in msgspec.json.decode(form.get(f"{field.name}.{WRONG}", "[]")):
        yield Problem(code, message, path=(field.name,), hint=hint)


def present(ctx: Context, name: str, url: str, text: str, known: Iterable[Mapping[str, object]]) -> Iterable[pages.Attached]:
    """What a form shows as attached in the input of a ``name``: files of the record, whose page is at ``url``, and uploads that wait
    for it."""
    there = {str(file["hash"]): file for file in known}
    for place, item in enumerate(text.split()):
        old = there.get(item)
        file = old or (None if DIGEST.fullmatch(item) else files.opened(ctx, item))
        said = str(file["name"]) if file else "a file that is not there any more"
        size = size_text(int(str(file["size"]))) if file else ""
        address = f"{url}/files/{path_of(name)}/{item}" if old else ""
        small = f"{address}?thumbnail=1" if file and old and shows(str(file["type"])) else ""
        yield pages.Attached(f"{name}.{DROP}.{place}", said, size, address, small)


def accepted(field: Field) -> str:
    """What the browser's own dialog offers: the endings and types of what the field takes."""
    if "any" in field.accept:
        return ""
    return ",".join(f".{ending}" for content in CONTENTS.values() if content.kind in field.accept for ending in content.endings)


def limits(field: Field) -> str:
    """What is taken, in words: the hint of the input."""
    kinds = {"pdf": "PDF", "images": "images", "office": "office documents", "text": "texts", "audio": "recordings", "video": "videos",
             "archives": "archives"}  # fmt: skip
    what = "Any file" if "any" in field.accept else " or ".join(kinds[kind] for kind in field.accept)
    count = f"; at most {field.maximum} files" if field.maximum is not None else ""
    return f"{what[:1].upper()}{what[1:]}, up to {size_text(field.size or 0)}{' each' if field.many else ''}{count}"


def shows(type_: str) -> bool:
    """Whether a small image of it can be shown."""
    return CONTENTS.get(type_, UNKNOWN).kind == "images"
