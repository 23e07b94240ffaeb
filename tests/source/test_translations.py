"""Texts in several languages: files in locale/ are laid over the definition, and what is missing is counted once."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.application import write_folder
from xrm.commands import command
from xrm.model.standard import user_entity
from xrm.source import load_text

FILES = {
    "xrm.yml": "xrm: 1\nname: t\nlabel: City\nlocale: en-US\nlocales: [en, es]\nroles: {agent: Call handler, boss: {}}\n",
    "entities/base.yml": "entity: base\nabstract: true\nfields: {note: {type: text, hint: Anything}}\n",
    "entities/request.yml": "entity: request\nextends: base\nlabel: Request\nfields:\n  channel: {type: choice, options: {phone: Telephone, web: {}}}\n"
    "  address: text\n"
    "  place: {type: text, label: {en: Place, es: Lugar}}\n"
    "checks: {c: {must: address != null, message: No address}}\n"
    "lifecycle:\n  states: {new: {initial: true}, done: {final: true}}\n  transitions: {end: {from: new, to: done, guards: [{must: address != null, message: Address first}]}}\n"
    "forms: [{section: What, fields: [address]}, {section: More, fields: [channel, note, place]}]\n",
}  # fmt: skip
SPANISH = """label: Ciudad
roles: {agent: {label: Telefonista}, boss: {label: Jefe}}
entities:
  base: {label: Base, plural: Bases, fields: {note: {label: Nota, hint: Algo}}}
  request:
    label: Solicitud
    plural: Solicitudes
    fields:
      address: {label: Dirección}
      channel: {label: Canal, options: {phone: {label: Teléfono}, web: {label: Web}}}
    checks: {c: {message: Falta la dirección}}
    lifecycle:
      states: {new: {label: Nueva}, done: {label: Hecha}}
      transitions: {end: {label: Terminar, guards: {1: {message: Primero la dirección}}}}
    forms: {1: {section: Qué}, 2: {section: ""}}
"""


def test_a_file_of_a_language_brings_its_texts_wherever_the_definition_has_any() -> None:
    """Given labels and made ones, options, states, messages, sections; what is inherited is translated where it is written."""
    loaded = load_text({**FILES, "locale/es.yml": SPANISH})
    application = loaded.application
    assert application and application.locales == ("en-US", "en", "es")
    request = application.entities["request"]
    assert (request.label["es"], request.plural["es"], request.label["en-US"], request.plural["en-US"]) == (
        "Solicitud",
        "Solicitudes",
        "Request",
        "Requests",
    )
    assert {name: field.label["es"] for name, field in request.fields.items()} == {
        "note": "Nota",
        "address": "Dirección",
        "channel": "Canal",
        "place": "Lugar",
    }
    assert request.fields["note"].hint == {"en-US": "Anything", "es": "Algo"}
    assert [option.label["es"] for option in request.fields["channel"].options] == ["Teléfono", "Web"]
    assert request.checks[0].message["es"] == "Falta la dirección"
    assert request.lifecycle and request.lifecycle.transitions["end"].guards[0].message["es"] == "Primero la dirección"
    assert [dict(section.label).get("es") for section in request.forms["default"].sections] == ["Qué", None]
    assert application.words(request.label, "es-MX") == "Solicitud" and application.words(request.label, "nl") == "Request"
    assert [f"{p.place} {p.severity} {p.code} {p.message} | {p.hint}" for p in loaded.problems] == [
        "xrm.yml:5:15 warning XRM226 1 text has no words in 'es' yet | entities/request.yml:12; 'xrm translations es' writes what is missing"
    ]


def test_what_is_missing_is_one_warning_for_each_language() -> None:
    """With its count and its first places, however many there are; without `locales` none is asked for."""
    problems = load_text(FILES).problems
    assert [(p.code, str(p.place), p.message) for p in problems] == [("XRM226", "xrm.yml:5:15", "20 texts have no words in 'es' yet")]
    assert load_text({**FILES, "xrm.yml": FILES["xrm.yml"].replace("locales: [en, es]\n", "")}).problems == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("entities: {reqest: {label: A}}", "locale/es.yml:1:12 XRM203 nothing is called 'reqest' here | did you mean 'request'?"),
        (
            "entities:\n  request: {fields: {addres: {label: A}}}",
            "locale/es.yml:2:22 XRM203 nothing is called 'addres' here | did you mean 'address'?",
        ),
        ("entities:\n  request: {lable: A}", "locale/es.yml:2:13 XRM203 nothing is called 'lable' here | did you mean 'label'?"),
        (
            "entities:\n  request: {fields: {address: {hint: A}}}",
            "locale/es.yml:2:38 XRM206 there is no 'hint' to translate | write it in the definition first",
        ),
        (
            "entities:\n  request: {fields: {place: {label: A}}}",
            "locale/es.yml:2:37 XRM204 the text in 'es' is written twice | the other one stands at entities/request.yml:7:30",
        ),
        ("entities:\n  request: {forms: {3: {section: A}}}", "locale/es.yml:2:21 XRM203 nothing is called '3' here | known here: 1, 2"),
        (
            "entities: [a]",
            "locale/es.yml:1:11 XRM106 this must be a map, as in the definition | for example: fields: {address: {label: Dirección}}",
        ),
    ],
)
def test_a_slip_in_a_translation_has_its_place(text: str, problem: str) -> None:
    """As everywhere in a definition."""
    found = [p for p in load_text({**FILES, "locale/es.yml": text + "\n"}).problems if p.code != "XRM226"]
    assert [f"{p.place} {p.code} {p.message} | {p.hint}" for p in found] == [problem]


def test_the_command_writes_what_is_missing_to_be_filled_in(tmp_path: Path) -> None:
    """A file with the words behind each empty text; filled in, nothing is missing any more. `--json` writes nothing."""
    folder = write_folder(tmp_path / "t", FILES)
    printed = CliRunner().invoke(command(), ["translations", "es", "--app", str(folder), "--json"])
    assert '"missing": 20' in printed.stdout and '"label": "Telephone"' in printed.stdout and not (folder / "locale").exists()
    assert "20 texts to fill in" in CliRunner().invoke(command(), ["translations", "es", "--app", str(folder)]).stdout
    path = folder / "locale/es.yml"
    text = path.read_text(encoding="utf-8")
    assert '        label: ""  # Telephone\n' in text.replace("          ", "        ")
    assert [p.code for p in load_text({**FILES, "locale/es.yml": text}).problems] == ["XRM226"]
    filled = "\n".join(line.replace('""', "algo").partition("  # ")[0] for line in text.splitlines()) + "\n"
    assert load_text({**FILES, "locale/es.yml": filled}).problems == ()
    path.write_text(filled, encoding="utf-8")
    assert "nothing is missing" in CliRunner().invoke(command(), ["translations", "es", "--app", str(folder)]).stdout


def test_the_options_of_a_named_type_are_translated_where_the_type_is_written() -> None:
    """Once, for every field of that type."""
    files = {
        "xrm.yml": "xrm: 1\nname: t\nlocales: [en, es]\nroles: {agent: {label: {es: Agente, en: Agent}}}\ntypes: {channel: {type: choice, options: {phone: Telephone, web: {}}}}\n",
        "entities/a.yml": "entity: a\nfields: {one: channel, two: {type: channel}}\n",
    }
    spanish = "label: T\ntypes: {channel: {options: {phone: {label: Teléfono}, web: {label: Web}}}}\nentities: {a: {label: A, plural: As, fields: {one: {label: Uno}, two: {label: Dos}}}}\n"
    loaded = load_text({**files, "locale/es.yml": spanish})
    assert loaded.application and [p.message for p in loaded.problems] == []
    for field in loaded.application.entities["a"].fields.values():
        assert [option.label["es"] for option in field.options] == ["Teléfono", "Web"]


@pytest.mark.parametrize(
    ("locale", "words"), [("en-US", "Created at"), ("nl-BE", "Aangemaakt op"), ("es", "Creado el"), ("de", "Created at")]
)
def test_what_every_application_has_is_labelled_in_three_languages(locale: str, words: str) -> None:
    """In the application's own where xrm has it, else in English; each label has all three."""
    user = user_entity(locale, [])
    assert user.system_fields["created_at"].label[locale] == words
    labels = [text for field in user.all_fields.values() for text in (field.label, *(option.label for option in field.options))]
    assert [dict(label) for label in (user.label, user.plural, *labels) if set(label) != {locale, "en", "es", "nl"}] == []
