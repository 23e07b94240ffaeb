"""Fields as they are before anything is checked: their types and what stands beside them, without expressions and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xrm.model.contents import USUAL, bytes_of
from xrm.model.fields import MONEY_PLACES, TARGET, Field, OnDelete, Option, Text
from xrm.model.kinds import KINDS, TYPES, FieldType
from xrm.model.standard import USER
from xrm.model.values import USUAL_SIZE
from xrm.source.outline import Label, Part

PLACES: Mapping[str, int] = {"decimal": 2, "percent": 1}
"""Digits after the point where the definition does not say."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What of the application every field builds on; ``roles`` are the options of a field of type role."""

    locale: str
    currency: str
    country: str | None
    roles: tuple[Option, ...] = ()


def label_text(label: Label | None, locale: str, default: str) -> Text:
    """The words by locale, with the application's own always among them.

    ``en`` stands in for ``en-US`` and the other way round; that some words are there at all is checked elsewhere.
    """
    if label is None:
        return {locale: default}
    texts = {own or locale: words for own, words in label.texts}
    if locale not in texts:
        language = locale.split("-", maxsplit=1)[0]
        near = [words for own, words in texts.items() if own.split("-")[0] == language]
        texts[locale] = near[0] if near else next(iter(texts.values()))
    return texts


def humanised(name: str) -> str:
    """``first_noticed`` → ``First noticed``."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize() or name


def bare_fields(part: Part, basis: Basis) -> tuple[dict[str, Field], frozenset[str]]:
    """The fields of an entity or of rows, and the names of those whose type is not known."""
    fields: dict[str, Field] = {}
    unknown: set[str] = set(part.broken & {"fields"})
    for own, inner in part.named("fields").items():
        type_ = inner.word("type")
        if type_ and type_.text in TYPES:
            fields[own] = bare_field(inner, own, type_.text, basis)
        else:
            unknown.add(own)
    return {own: _in_many_currencies(field, fields) for own, field in fields.items()}, frozenset(unknown)


def _in_many_currencies(field: Field, fields: Mapping[str, Field]) -> Field:
    """An amount whose currency stands in another field is kept with the digits of the one that has most."""
    named = fields.get(field.currency_from or "")
    if named is None:
        return field
    return replace(field, places=max((MONEY_PLACES.get(option.name, 2) for option in named.options), default=2))


def bare_field(part: Part, name: str, type_: str, basis: Basis, *, places: int | None = None, currency: str | None = None) -> Field:
    """A field without what must be checked first: its expressions, default and bounds. ``currency``: that of what it is made from."""
    if type_ in ("link", "user") and part.flag("many"):
        return _list_of_links(part, name, type_, basis)
    locale = basis.locale
    own_currency = word_of(part, "currency", currency or basis.currency) if type_ == "money" else None
    written = _field_type(type_)
    extent = part.extent("length")
    return Field(
        name=name,
        type=KINDS[written].short_for or written,
        label=label_text(part.label("label"), locale, humanised(name)),
        hint=label_text(part.label("hint"), locale, "") if part.label("hint") else None,
        length=(extent.most if extent else None) or (255 if type_ == "text" else None),
        shortest=extent.least if extent else None,
        words=part.number("words"),
        pattern=word_of(part, "pattern", "") or None,
        pattern_message=label_text(part.label("pattern_message"), locale, "") if part.label("pattern_message") else None,
        unique=part.flag("unique"),
        index=part.flag("index"),
        places=_places(part, type_, own_currency, places),
        currency=None if own_currency and own_currency.startswith("=") else own_currency,
        currency_from=own_currency[1:].strip() if own_currency and own_currency.startswith("=") else None,
        country=basis.country if type_ == "phone" else None,
        unit=word_of(part, "unit", "") or None,
        on_delete=_on_delete(word_of(part, "on_delete", "restrict")),
        options=basis.roles if type_ == "role" else _options(part, locale),
        ordered=part.flag("ordered"),
        many=part.flag("many"),
        inverse=word_of(part, "inverse", "") or None,
        to=USER if type_ == "user" else next((word.text for word in part.words("to")), None),
        accept=_accept(part, type_),
        size=bytes_of(word_of(part, "size", "")) or (USUAL_SIZE if type_ in ("file", "image") else None),
        protected=part.flag("protected"),
        discloses=part.flag("discloses") or bool(part.broken & {"discloses", "protected"}),
        renamed_from=earlier(part),
        removed=removals(part),
    )


def _list_of_links(part: Part, name: str, type_: str, basis: Basis) -> Field:
    """A link with ``many``: rows of one field each, the link itself."""
    label = label_text(part.label("label"), basis.locale, humanised(name))
    each = Field(
        TARGET,
        "link",
        label,
        to=USER if type_ == "user" else next((word.text for word in part.words("to")), None),
        on_delete=_on_delete(word_of(part, "on_delete", "restrict")),
    )
    return Field(
        name,
        "rows",
        label,
        hint=label_text(part.label("hint"), basis.locale, "") if part.label("hint") else None,
        many=True,
        rows={TARGET: each},
        inverse=word_of(part, "inverse", "") or None,
        protected=part.flag("protected"),
        renamed_from=earlier(part),
    )


def _accept(part: Part, type_: str) -> tuple[str, ...]:
    """The kinds of content that a field of files lets in."""
    usual = {"image": ("images",), "file": USUAL}.get(type_, ())
    return tuple(word.text for word in part.words("accept")) or usual


def _on_delete(word: str) -> OnDelete:
    return word  # type: ignore[return-value]  # the structure check knows the words


def _field_type(name: str) -> FieldType:
    return name  # type: ignore[return-value]


def _places(part: Part, type_: str, currency: str | None, inferred: int | None) -> int:
    if currency is not None:
        return MONEY_PLACES.get(currency, 2)
    if type_ not in PLACES:
        return 0
    written = part.number("places")
    return written if written is not None else inferred if inferred is not None else PLACES[type_]


def _options(part: Part, locale: str) -> tuple[Option, ...]:
    return tuple(_option(inner, option, locale) for option, inner in part.named("options").items())


def _option(part: Part, name: str, locale: str) -> Option:
    tone = part.word("tone")
    return Option(
        name,
        label_text(part.label("label"), locale, name if name.isupper() else humanised(name)),
        tone.text if tone else None,
        renamed_from=earlier(part),
    )


def earlier(part: Part) -> tuple[str, ...]:
    """What a thing was called in earlier releases, the newest first."""
    return tuple(word.text for word in part.words("renamed_from")) if "renamed_from" in part.values else ()


def removals(part: Part) -> tuple[tuple[str, str | None], ...]:
    """Each name that is gone, with the one that takes its place."""
    if "removed" not in part.values:
        return ()
    return tuple((name, word.text if (word := inner.word("to")) else None) for name, inner in part.named("removed").items())


def word_of(part: Part | None, key: str, default: str) -> str:
    word = part.word(key) if part else None
    return word.text if word else default
