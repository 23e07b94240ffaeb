"""What editors see: files as a YAML 1.2 reader of theirs reads them, held against the schema of the application."""

import hashlib
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from tests.source.test_reference import APPLICATIONS, EXAMPLES, as_an_editor_reads, framed
from tests.support.application import files_of, loaded
from tests.support.node import run_node
from xrm.source import editor_schema, load_text, read_folder, starter

VENDOR = Path(__file__).resolve().parents[1] / "vendor"
SCRIPT = """
const yaml = require('./package');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf-8'));
process.stdout.write(JSON.stringify(texts.map(text => yaml.parse(text, {version: '1.2'}))));
"""
CITY = {
    "category": "key: code\nfields: {code: {type: text, required: true, unique: true}, days: integer}\n",
    "request": (
        "fields: {subject: text, category: {type: link, to: category}}\n"
        "lifecycle: {states: {new: {initial: true}, done: {edit: subject}}, transitions: {end: {from: new, to: done, set: {subject: x}}}}\n"
        "views: {default: {columns: [subject, category.days]}}\n"
    ),
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm package `yaml`, laid out beside a script that reads texts with it."""
    folder = tmp_path_factory.mktemp("npm")
    with tarfile.open(VENDOR / "yaml-2.9.1.tgz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "read.cjs").write_text(SCRIPT, encoding="utf-8")
    return folder / "read.cjs"


def test_the_vendored_reader_is_the_one_recorded() -> None:
    """Its sum stands in the README beside it."""
    recorded = dict(re.findall(r"^\| `(.+?)` .* `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert recorded == {"yaml-2.9.1.tgz": hashlib.sha256((VENDOR / "yaml-2.9.1.tgz").read_bytes()).hexdigest()}


def test_editors_read_what_the_check_reads(reader: Path) -> None:
    """Every example of the reference, every application of the tests and what `xrm new` makes: read by npm's `yaml`, each fits the schema
    of its application, and the reading that the other tests use is the same."""
    applications: list[Mapping[str, str]] = [framed(kind, key) for kind, key in EXAMPLES]
    applications += [read_folder(folder).texts for folder in APPLICATIONS]
    applications.append(starter.files("my_agency"))
    pairs = [(own, name) for own, files in enumerate(applications) for name in files if name.endswith((".yml", ".yaml"))]
    texts = [applications[own][name] for own, name in pairs]
    schemas = {own: Draft7Validator(editor_schema(load_text(files).application)) for own, files in enumerate(applications)}
    for (own, name), text, read in zip(pairs, texts, run_node(reader, texts), strict=True):
        assert json.loads(json.dumps(as_an_editor_reads(text))) == read, name
        if not name.startswith(("data/", "locale/")):
            schemas[own].validate(read)


def offered(schema: Mapping[str, object], entity: str, kind: str, key: str) -> object:
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    return definitions[f"{entity}.{kind}"]["properties"][key]


def test_the_schema_offers_the_applications_names() -> None:
    """Fields, paths and states, where the language names them, each entity its own."""
    schema = editor_schema(loaded(CITY)[0])
    Draft7Validator.check_schema(schema)
    definitions = schema["definitions"]
    assert definitions["request.fields"]["anyOf"][0]["enum"] == ["subject", "category"]
    assert {"category.days", "-subject", "title"} <= set(definitions["request.paths"]["anyOf"][0]["enum"])
    assert definitions["request.states"]["anyOf"][0]["enum"] == ["new", "done"]
    assert offered(schema, "request", "transition", "to") == {"$ref": "#/definitions/request.states"}
    assert offered(schema, "request", "transition", "set") == {"properties": {"subject": True, "category": True}}
    assert "category.states" not in definitions


def test_a_name_that_no_schema_knows_yet_is_no_mistake_in_an_editor() -> None:
    """It only offers; the check is what refuses."""
    validator = Draft7Validator(editor_schema(loaded(CITY)[0]))
    for text in files_of(CITY).values():
        validator.validate(as_an_editor_reads(text))
    newer = files_of(CITY)["entities/request.yml"].replace("subject", "topic")
    validator.validate(as_an_editor_reads(newer))
    assert not validator.is_valid(as_an_editor_reads(newer.replace("columns", "colums")))


def test_three_hundred_entities_make_a_schema_that_an_editor_can_load() -> None:
    """Under four megabytes: names, no second copy of the language."""
    many = {f"e{n}": "fields: {" + ", ".join(f"f{m}: text" for m in range(20)) + "}\n" for n in range(300)}
    assert len(json.dumps(editor_schema(loaded(many)[0]))) < 4_000_000
