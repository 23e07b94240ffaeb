"""What a new definition asks of the data of the old one and no statement can do: a value kept as one thing, read as another."""

from __future__ import annotations

from xrm.errors import Problem
from xrm.model.application import Application
from xrm.model.fields import Field

TEXTS = ("text", "long_text", "choice", "email", "phone", "url")


def kept_as(field: Field) -> tuple[object, ...]:
    """How a field's values are kept: fields that agree in this can follow each other."""
    match field.type:
        case "money":
            return ("number", field.places, field.currency)
        case "decimal":
            return ("number", field.places, None)
        case "link":
            return ("link", field.to)
        case _ if field.type in TEXTS:
            return ("text", field.folded)
        case _:
            return (field.type,)


def retyped(before: Application, after: Application) -> tuple[Problem, ...]:
    """Every field whose values would be read as something else: XRM402, each with the way round."""
    problems = []
    for name, entity in after.entities.items():
        old = before.entities.get(name)
        for field in entity.fields.values() if old else ():
            was = old.fields.get(field.name) if old else None
            if was is not None and not _may_follow(was, field):
                message = f"{name}.{field.name} cannot become {_words(field)} where values are kept as {_words(was)}"
                hint = "give the new field another name; or take it out, apply, and add it again"
                problems.append(Problem("XRM402", message, path=(name, "fields", field.name), hint=hint))
    return tuple(problems)


def _may_follow(was: Field, field: Field) -> bool:
    if {was.type, field.type} == {"decimal", "money"}:
        return was.places == field.places
    if was.type in TEXTS and field.type in TEXTS:
        return was.folded or not field.folded  # a folded key is made as a value is written, and not after
    return kept_as(was) == kept_as(field)


def _words(field: Field) -> str:
    match field.type:
        case "decimal":
            return f"decimal with {field.places} places"
        case "money":
            return f"money in {field.currency}"
        case "link":
            return f"a link to {field.to}"
        case _:
            return field.type
