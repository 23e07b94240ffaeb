"""What a new definition asks of the data of the old one and no statement can do: values read as another thing, or made anew."""

from __future__ import annotations

from xrm.errors import Problem
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Expression, Field, Value
from xrm.model.values import TEXT_LENGTH


def kept_as(field: Field) -> tuple[object, ...]:
    """How a field's values are kept: fields that agree in this can follow each other."""
    match field.type:
        case "money":
            return ("number", field.places, field.currency or field.currency_from)
        case "duration":
            return ("duration", field.unit)
        case "decimal" | "percent":
            return ("number", field.places, None)
        case "link":
            return ("link", field.to)
        case _ if field.kind.kept == "list":
            return ("list", field.type)
        case _ if field.kind.kept == "text":
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


def refigured(before: Application, after: Application) -> tuple[str, ...]:
    """The entities whose records hold what follows from other fields (titles, computed fields, flags) by older rules."""
    both = before.entities.keys() & after.entities.keys()
    return tuple(name for name in after.entities if name in both and _figured(before.entities[name]) != _figured(after.entities[name]))


def _figured(entity: Entity) -> tuple[object, ...]:
    """All that says how derived values are made. Labels of options count: a title shows them."""
    computed = [(field.name, field.type, field.places, _cases(field.compute)) for field in entity.fields.values() if field.compute]
    checks = [(check.name, *map(_text, (check.when, check.must, check.should))) for check in entity.checks]
    ruled = [_ruled(field) for field in entity.fields.values() if _ruled(field) != _ruled(Field(field.name, field.type, {}))]
    sections = [(s.fields, *map(_text, (s.show, s.required))) for f in entity.forms.values() for s in f.sections if s.show or s.required]
    shown = [(f.name, f.type, f.options) for f in entity.all_fields.values() if f"{{{f.name}}}" in entity.title]
    return (entity.title, tuple(computed), tuple(checks), tuple(ruled), tuple(sections), tuple(shown))


def _ruled(field: Field) -> tuple[object, ...]:
    """The rules that a value which stands in a record may break."""
    options = tuple((option.name, _text(option.when)) for option in field.options)
    rules = (field.required, field.recommended, field.show, field.minimum, field.maximum, field.lowest, field.highest)
    length = None if field.length == TEXT_LENGTH.get(field.type) else field.length
    return (field.name, *map(_text, rules), length, field.shortest, field.words, field.pattern, options)


def _cases(value: Value | None) -> tuple[object, ...]:
    return tuple(_text(part) for case in (value.cases if value else ()) for part in case)


def _text(part: object) -> object:
    return part.checked.text if isinstance(part, Expression) else part


def _may_follow(was: Field, field: Field) -> bool:
    if was.kind.kept == field.kind.kept == "units" and was.type != field.type:
        return was.places == field.places
    if was.kind.kept == field.kind.kept == "text":
        return was.folded or not field.folded  # a folded key is made as a value is written, and not after
    return kept_as(was) == kept_as(field)


def _words(field: Field) -> str:
    match field.type:
        case "decimal":
            return f"decimal with {field.places} places"
        case "percent":
            return f"percent with {field.places} places"
        case "duration" if field.unit:
            return f"a duration in {field.unit}"
        case "choice" if field.many:
            return "a choice of many"
        case "money":
            return f"money in {field.currency or field.currency_from}"
        case "link":
            return f"a link to {field.to or 'several entities'}"
        case _:
            return field.type
