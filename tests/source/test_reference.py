"""The reference pages say what the code does, and every example in them is right."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from xrm.errors import CODES
from xrm.model.kinds import KINDS as FIELD_KINDS
from xrm.model.kinds import TYPES
from xrm.model.values import COERCERS
from xrm.source import editor_schema, load_text, read_folder, starter
from xrm.source.keys import KINDS
from xrm.source.kinds import Key
from xrm.source.reference import page

ROOT = Path(__file__).resolve().parents[2]

APPLICATION = {"xrm": "xrm: 1", "name": "name: city", "roles": "roles: {agent: Agent, supervisor: Supervisor}"}
ENTITY = {
    "entity": "entity: thing",
    "number": 'number: "{seq:6}"',
    "fields": (
        "fields: {address: text, depth: integer, opened: date, due: date, outcome: text, owner: {type: link, to: user}, source: text, "
        "source_id: text, code: {type: text, unique: true, required: true, default: a}, tax_id: {type: text, protected: true}}"
    ),
    "lifecycle": "lifecycle: {states: {new: {initial: true}, waiting: {}, done: {final: true}}, transitions: {wait: {from: new, to: waiting}, finish: {from: waiting, to: done}}}",
}
STATES = "new: {initial: true}, done: {final: true}"
FRAMES = {
    "brand": ("xrm.yml", "brand: EXAMPLE"),
    "role": ("xrm.yml", "roles: {agent: {}, example: EXAMPLE}"),
    "field": ("", "FIELD"),
    "conversion": ("", "CONVERSION"),
    "removal": ("", "REMOVAL"),
    "option": ("", "OPTION"),
    "unique": ("", "unique: {example: EXAMPLE}"),
    "check": ("", "checks: {example: EXAMPLE}"),
    "lifecycle": ("", "lifecycle: EXAMPLE"),
    "state": ("", "lifecycle: {states: {new: {initial: true}, example: EXAMPLE}, transitions: {go: {from: new, to: example}, back: {from: example, to: new}}}"),
    "transition": ("", f"lifecycle: {{states: {{{STATES}, waiting: {{}}}}, transitions: {{wait: {{from: new, to: waiting}}, a: {{from: waiting, to: done}}, example: EXAMPLE}}}}"),
    "ask": ("", f"lifecycle: {{states: {{{STATES}}}, transitions: {{go: {{from: new, to: done, ask: {{outcome: EXAMPLE}}}}}}}}"),
    "guard": ("", f"lifecycle: {{states: {{{STATES}}}, transitions: {{go: {{from: new, to: done, guards: [EXAMPLE]}}}}}}"),
    "grant": ("", "access: {agent: EXAMPLE}"),
    "view": ("", "views: {example: EXAMPLE}"),
    "section": ("", "forms: [EXAMPLE]"),
    "case": ("", "CASE"),
}  # fmt: skip
EXAMPLES = [(kind.name, key) for kind in KINDS.values() for key in kind.keys]


def framed(kind: str, key: Key) -> Mapping[str, str]:
    """An application around an example."""
    application, entity = dict(APPLICATION), dict(ENTITY)
    more: dict[str, str] = {}
    if kind in ("application", "entity"):
        own = application if kind == "application" else entity
        if key.name == "fields":
            own = {name: text for name, text in entity.items() if name == "entity"}
            entity = own
        if key.name == "add_to":
            own = {}
            more["entities/more.yml"] = key.example + "\n"
        elif key.name == "extends":
            more["entities/base.yml"] = "entity: base\nabstract: true\nfields: {note: text}\n"
        own[key.name] = key.example
    else:
        file, frame = FRAMES[kind]
        line = {
            "FIELD": entity["fields"][:-1] + ", example: EXAMPLE}",
            "OPTION": entity["fields"][:-1] + ", example: {type: choice, options: {example: EXAMPLE}}}",
            "CONVERSION": entity["fields"][:-1] + ", example: {type: text, converted_from: EXAMPLE}}",
            "REMOVAL": entity["fields"][:-1] + ", example: {type: choice, options: [phone], removed: {fax: EXAMPLE}}}",
            "CASE": entity["fields"][:-1] + ", example: {type: integer, default: [EXAMPLE, {use: 0}]}}",
        }.get(frame, frame)
        if key.name == "use" and kind == "case":
            line = line.replace("[EXAMPLE, {use: 0}]", "[EXAMPLE]")
        (application if file else entity)[line.split(":", maxsplit=1)[0]] = line.replace("EXAMPLE", key.example)
    return {"xrm.yml": "\n".join(application.values()) + "\n", "entities/thing.yml": "\n".join(entity.values()) + "\n", **more}


@pytest.mark.parametrize(("kind", "key"), EXAMPLES, ids=[f"{kind}.{key.name}" for kind, key in EXAMPLES])
def test_every_example_of_the_reference_passes_the_check(kind: str, key: Key) -> None:
    """And the editor's schema accepts it."""
    files = framed(kind, key)
    loaded = load_text(files)
    assert loaded.problems == ()
    validator = Draft7Validator(editor_schema(loaded.application))
    for text in files.values():
        validator.validate(as_an_editor_reads(text))


def test_every_example_shows_its_key() -> None:
    """The key stands in it."""
    assert [key.name for _, key in EXAMPLES if not re.search(rf"\b{key.name}:", key.example)] == []


def test_the_page_is_the_one_that_the_keys_give() -> None:
    """docs/reference/language.md is generated: python -m xrm.source.reference."""
    assert (ROOT / "docs/reference/language.md").read_text(encoding="utf-8") == page()


def test_every_type_is_documented() -> None:
    """The table of types is complete and in order."""
    assert tuple(FIELD_KINDS) == TYPES
    assert tuple(COERCERS) == tuple(name for name, kind in FIELD_KINDS.items() if kind.short_for is None)


def test_every_code_has_a_section() -> None:
    """docs/reference/problems.md and errors.CODES say the same, title by title."""
    text = (ROOT / "docs/reference/problems.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^### (XRM\d+): (.+)$", text, re.MULTILINE)) == CODES


APPLICATIONS = sorted(path.parent for path in (*ROOT.glob("tests/source/applications/*/xrm.yml"), *ROOT.glob("examples/*/xrm.yml")))


@pytest.mark.parametrize("folder", APPLICATIONS, ids=lambda folder: folder.name)
def test_the_editors_schema_accepts_whole_applications(folder: Path) -> None:
    """Short forms, long forms and all, as they are read by a YAML 1.2 editor that knows the application's own names."""
    texts = read_folder(folder).texts
    application = load_text(texts).application
    assert application is not None
    validator = Draft7Validator(editor_schema(application))
    for name, text in texts.items():
        if name == "xrm.yml" or name.startswith("entities/"):
            validator.validate(as_an_editor_reads(text))


def as_an_editor_reads(text: str) -> object:
    """The base loader gives text only; what an editor takes for a truth or a number (YAML 1.2) becomes one."""
    return _as_json(yaml.load(text, Loader=yaml.CBaseLoader))


def _as_json(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    try:
        return json.loads(str(value)) if re.fullmatch(r"true|false|null|-?(0|[1-9]\d*)(\.\d+)?", str(value)) else value
    except ValueError:
        return value


@pytest.mark.parametrize(
    "line",
    ["colour: red", "icon: inbx", "fields: {a: txt}", "fields: {a: {type: text, min: 1}}", "fields: {a: {}}", "access: {agent: [raed]}"],
)
def test_the_editors_schema_refuses_slips(line: str) -> None:
    """Unknown keys, types, rights and icons, and keys that do not go with the type."""
    rest = "" if line.startswith("fields") else "fields: {a: text}\n"
    assert not Draft7Validator(editor_schema(None)).is_valid(yaml.safe_load(f"entity: thing\n{rest}{line}\n"))


def test_the_editors_schema_knows_the_applications_names() -> None:
    """With an application, links lead to its entities and access names its roles."""
    texts = starter.files("my_agency")
    schema = editor_schema(load_text({name: text for name, text in texts.items() if name.endswith(".yml")}).application)
    Draft7Validator.check_schema(schema)
    assert schema["definitions"]["field"]["anyOf"][0]["properties"]["to"]["anyOf"][0]["enum"] == ["category", "request", "user", "any"]
