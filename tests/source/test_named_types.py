"""Types that an application names: what a field of one gets, what it says itself, and where a mistake is shown."""

import pytest
from jsonschema import Draft7Validator

from tests.source.test_reference import as_an_editor_reads
from xrm.model.application import Application
from xrm.source import editor_schema, load_text
from xrm.source.keys import KINDS

TYPES = """xrm: 1
name: city
roles: {agent: Agent}
types:
  channel: {type: choice, options: {phone: Telephone, web: Web form}, hint: How it came}
  urgent_channel: {type: channel, default: phone, required: true}
  plate: {type: text, length: 10, pattern: '[A-Z0-9-]+'}
"""


MIN = KINDS["field"].by_name["min"].types


def loaded(entity: str, types: str = TYPES) -> Application:
    found = load_text({"xrm.yml": types, "entities/thing.yml": f"entity: thing\n{entity}"})
    assert found.application is not None, found.problems
    assert found.problems == ()
    return found.application


def told(entity: str, types: str = TYPES) -> list[str]:
    found = load_text({"xrm.yml": types, "entities/thing.yml": f"entity: thing\n{entity}"})
    return [f"{p.place} {p.code} {p.message}" + (f" ({p.hint})" if p.hint else "") for p in found.problems]


def test_a_field_has_the_keys_of_its_type_and_its_own() -> None:
    """Its own go before; options are added; a type may be made of another; rows and bare types too."""
    application = loaded(
        "fields:\n  a: channel\n  b: {type: urgent_channel, hint: Which way, options: {fax: Fax}}\n  c: {type: plate, length: 5}\n"
        "  lines: {type: rows, fields: {plate: plate}}\n"
    )
    fields = application.entities["thing"].fields
    a, b, c = fields["a"], fields["b"], fields["c"]
    assert (a.type, [option.name for option in a.options], a.hint) == ("choice", ["phone", "web"], {"en": "How it came"})
    assert ([option.name for option in b.options], b.hint, b.required) == (["phone", "web", "fax"], {"en": "Which way"}, True)
    assert b.default is not None and b.default.cases == ((None, "phone"),)
    assert (c.type, c.length, c.pattern) == ("text", 5, "[A-Z0-9-]+")
    assert fields["lines"].rows["plate"].length == 10
    assert application.types == ("channel", "urgent_channel", "plate")


@pytest.mark.parametrize(
    ("entity", "types", "problems"),
    [
        ("fields: {a: chanel}", TYPES, ["entities/thing.yml:2:13 XRM203 unknown type 'chanel' (did you mean 'channel'?)"]),
        (
            "fields: {a: {type: plate, min: 5}}", TYPES,
            [f"entities/thing.yml:2:27 XRM206 'min' does not go with type plate, which is a text (it goes with {', '.join(MIN)})"],
        ),
        (
            "fields: {a: {type: urgent_channel, default: fax}}", TYPES,
            ["entities/thing.yml:2:45 XRM210 'fax' is not one of the options of 'a' (one of phone, web)"],
        ),
        ("fields: {a: plate}", TYPES.replace("[A-Z0-9-]+", "["), ["xrm.yml:7:44 XRM206 not a pattern: missing ]: [ (for example: {type: text, pattern: '[A-Z]{2}[0-9]+'})"]),
        (
            "fields: {a: text}", TYPES + "  a: b\n  b: {type: a}\n",
            ["xrm.yml:8:6 XRM206 this type is made from itself: a → b → a (give one of them a type of the language)"],
        ),
        ("fields: {a: text}", TYPES + "  date: text\n", ["xrm.yml:8:3 XRM204 'date' is a type of the language (give it another name)"]),
        ("fields: {a: text}", TYPES + "  a: {label: A}\n", ["xrm.yml:8:3 XRM202 a type needs the key 'type' (for example: type: text)"]),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_was_written(entity: str, types: str, problems: list[str]) -> None:
    """In the type or in the field, once."""
    assert told(entity + "\n", types) == problems


def test_editors_know_them() -> None:
    """The schema of an application offers its own types beside those of the language."""
    schema = editor_schema(loaded("fields: {a: channel}\n"))
    validator = Draft7Validator(schema)
    assert not list(validator.iter_errors(as_an_editor_reads("entity: thing\nfields: {a: plate, b: {type: channel}, c: text}\n")))
    assert list(validator.iter_errors(as_an_editor_reads("entity: thing\nfields: {a: plaet}\n")))
