"""What every application has without saying so: the fields of every record, and the entity ``user``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from xrm.model.access import Grant
from xrm.model.entity import Entity
from xrm.model.fields import Field, Option, Text, Value
from xrm.model.kinds import FieldType
from xrm.model.views import Form, Section, SortKey, View

SYSTEM_NAMES = (
    "id", "number", "title", "state", "state_since", "open", "flags", "version",
    "created_at", "created_by", "updated_at", "updated_by",
)  # fmt: skip
"""Names that no declared field may have, whether or not the entity has a number or a lifecycle."""

USER = "user"

WORDS: Mapping[str, Text] = {
    "Id": {"es": "Id", "nl": "Id"},
    "Number": {"es": "Número", "nl": "Nummer"},
    "Title": {"es": "Título", "nl": "Titel"},
    "State": {"es": "Estado", "nl": "Status"},
    "In this state since": {"es": "En este estado desde", "nl": "In deze status sinds"},
    "Open": {"es": "Abierto", "nl": "Open"},
    "Flags": {"es": "Avisos", "nl": "Markeringen"},
    "Version": {"es": "Versión", "nl": "Versie"},
    "Created at": {"es": "Creado el", "nl": "Aangemaakt op"},
    "Created by": {"es": "Creado por", "nl": "Aangemaakt door"},
    "Updated at": {"es": "Modificado el", "nl": "Gewijzigd op"},
    "Updated by": {"es": "Modificado por", "nl": "Gewijzigd door"},
    "User": {"es": "Usuario", "nl": "Gebruiker"},
    "Users": {"es": "Usuarios", "nl": "Gebruikers"},
    "Sign-in name": {"es": "Nombre de acceso", "nl": "Inlognaam"},
    "Name": {"es": "Nombre", "nl": "Naam"},
    "Email": {"es": "Correo electrónico", "nl": "E-mailadres"},
    "Roles": {"es": "Roles", "nl": "Rollen"},
    "Active": {"es": "Activo", "nl": "Actief"},
    "Language": {"es": "Idioma", "nl": "Taal"},
    "Theme": {"es": "Tema", "nl": "Thema"},
    "As the device": {"es": "Como el dispositivo", "nl": "Zoals het apparaat"},
    "Light": {"es": "Claro", "nl": "Licht"},
    "Dark": {"es": "Oscuro", "nl": "Donker"},
    "Density": {"es": "Densidad", "nl": "Dichtheid"},
    "Comfortable": {"es": "Cómoda", "nl": "Ruim"},
    "Compact": {"es": "Compacta", "nl": "Compact"},
    "Keyboard shortcuts": {"es": "Atajos de teclado", "nl": "Sneltoetsen"},
}
"""The labels of what every application has, in Spanish and Dutch; they stand in English where they are used."""


def system_fields(entity: str, locale: str, numbered: bool, states: Iterable[Option] | None) -> Mapping[str, Field]:
    """The fields that xrm keeps for every record of an entity, in the order in which they are shown.

    ``states``: the lifecycle's states as options, None without a lifecycle.
    """
    fields = dict(_kept(locale))
    fields["id"] = fields["id"].changed(to=entity)
    if not numbered:
        del fields["number"]
    if states is None:
        del fields["state"], fields["state_since"]
    else:
        fields["state"] = fields["state"].changed(options=tuple(states))
    return fields


@lru_cache(maxsize=8)
def _kept(locale: str) -> Mapping[str, Field]:
    """All that any record has; made once, for every entity has most of it alike."""

    def kept(name: str, type_: FieldType, label: str, to: str | None = None) -> Field:
        return Field(name, type_, _text(locale, label), to=to, system=True)

    fields = (
        kept("id", "link", "Id"),
        kept("number", "text", "Number"),
        kept("title", "text", "Title"),
        kept("state", "choice", "State"),
        kept("state_since", "datetime", "In this state since"),
        kept("open", "boolean", "Open"),
        kept("flags", "text", "Flags"),
        kept("version", "integer", "Version"),
        kept("created_at", "datetime", "Created at"),
        kept("created_by", "link", "Created by", to=USER),
        kept("updated_at", "datetime", "Updated at"),
        kept("updated_by", "link", "Updated by", to=USER),
    )
    return {field.name: field for field in fields}


def user_entity(locale: str, roles: Iterable[str]) -> Entity:
    """The people who sign in. Every role reads title and name; only the system actor writes.

    ``name`` is the sign-in name, ``label`` the name that people see, ``roles`` a list of role names; the preferences
    and the email address are protected, and no role is given them.
    """
    label = _text(locale, "User")
    fields = user_fields(locale)
    everybody = {role: Grant(role, {"read": True}) for role in roles}
    columns = ("title", "name", "active")
    return Entity(
        name=USER,
        label=label,
        plural=_text(locale, "Users"),
        icon="users",
        fields=fields,
        system_fields=system_fields(USER, locale, numbered=False, states=None),
        title="{label}",
        key="name",
        access=everybody,
        views={"default": View("default", _text(locale, "Users"), columns, (SortKey("title"),))},
        forms={"default": Form("default", (Section(label, tuple(fields)),))},
        compact=("name", "active"),
        standard=True,
    )


def user_fields(locale: str) -> Mapping[str, Field]:
    """The declared fields of ``user``."""

    def words(text: str) -> Text:
        return _text(locale, text)

    def options(**labels: str) -> tuple[Option, ...]:
        return tuple(Option(name, words(label)) for name, label in labels.items())

    fields = (
        Field("name", "text", words("Sign-in name"), required=True, unique=True, length=100),
        Field("label", "text", words("Name"), required=True, length=200),
        Field("email", "email", words("Email"), protected=True),
        Field("roles", "json", words("Roles"), protected=True),
        Field("active", "boolean", words("Active"), default=Value(((None, True),))),
        Field("locale", "text", words("Language"), length=40, protected=True),
        Field("theme", "choice", words("Theme"), protected=True,
              options=options(system="As the device", light="Light", dark="Dark")),
        Field("density", "choice", words("Density"), protected=True,
              options=options(comfortable="Comfortable", compact="Compact")),
        Field("keys", "boolean", words("Keyboard shortcuts"), protected=True),
    )  # fmt: skip
    return {field.name: field for field in fields}


def _text(locale: str, words: str) -> Text:
    """The words in the application's own language, where xrm has them in it, and in the others that it has."""
    others = WORDS.get(words, {})
    return {locale: others.get(locale.partition("-")[0], words), "en": words, **others}
