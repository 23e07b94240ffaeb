"""The Dutch catalogue of case types as an application: nothing of the objects is missing in it, and all 41 come back as they were.

Objects and the description of the interface are read from the shared data when the test runs; `case_types_nl/` beside this file is
the application.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.standards.checking import checked
from tests.support.application import Applications, Person
from tests.transfer.samples import imported, words
from xrm.model.application import Application
from xrm.model.fields import Field
from xrm.service.transfer.exporting import Export, export
from xrm.source import read_folder

TEXTS = dict(read_folder(Path(__file__).parent / "case_types_nl").texts)
ORDER = (
    "catalogus", "informatieobjecttype", "zaaktype", "statustype", "eigenschapspecificatie", "eigenschap", "besluittype", "resultaattype",
    "roltype", "zaaktypeinformatieobjecttype", "featureflags",
)  # fmt: skip
"""Each after those that its links lead to."""
CHOICES = {
    "AfleidingswijzeEnum": ("resultaattype", "brondatum_archiefprocedure_afleidingswijze"),
    "ArchiefnominatieEnum": ("resultaattype", "archiefnominatie"),
    "FormaatEnum": ("eigenschapspecificatie", "formaat"),
    "IndicatieInternOfExternEnum": ("zaaktype", "indicatie_intern_of_extern"),
    "ObjecttypeEnum": ("resultaattype", "brondatum_archiefprocedure_objecttype"),
    "OmschrijvingGeneriekEnum": ("roltype", "omschrijving_generiek"),
    "RichtingEnum": ("zaaktypeinformatieobjecttype", "richting"),
    "VertrouwelijkheidaanduidingEnum": ("zaaktype", "vertrouwelijkheidaanduiding"),
}


@dataclass(frozen=True)
class Catalogue:
    """The shared data: objects with their fields, under the names of the application."""

    folder: Path

    @cached_property
    def objects(self) -> dict[str, list[dict[str, Any]]]:
        """The objects of each entity. A natural key `[uuid]` is that uuid; a list that is written as text is the list."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in json.loads((self.folder / "catalogi.json").read_text(encoding="utf-8")):
            fields = {name.removeprefix("_"): value for name, value in one["fields"].items()}
            if "pk" in one:
                fields["pk"] = one["pk"]
            fields = {name: json.loads(value) if value == "[]" else value for name, value in fields.items()}
            if isinstance(fields.get("catalogus"), list):
                (fields["catalogus"],) = fields["catalogus"]
            found.setdefault(one["model"].partition(".")[2], []).append(fields)
        return found

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """The schemas of the interface, by name."""
        with gzip.open(self.folder / "catalogi.openapi.yaml.gz", "rt", encoding="utf-8") as file:
            described: dict[str, Any] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]["schemas"]
        return described


def test_nothing_of_the_catalogue_is_missing(shared_data: Callable[[str], Path]) -> None:
    """Every field of every object is in the application and of a type that can say it; so are the options and lengths of the interface."""
    catalogue, model = Catalogue(shared_data("case_types_nl")), checked(TEXTS)
    assert set(catalogue.objects) == set(ORDER) == set(model.entities) - {"user"}
    assert sum(map(len, catalogue.objects.values())) == 41
    for name, objects in catalogue.objects.items():
        fields = model.entities[name].fields
        for one in objects:
            assert set(one) <= set(fields), name
            for field, value in one.items():
                assert fits(fields[field], value), (name, field, value)
    for enum, (entity, field) in CHOICES.items():
        assert [option.name for option in model.entities[entity].fields[field].options] == catalogue.schemas[enum]["enum"], enum
    assert model.entities["zaaktype"].fields["vertrouwelijkheidaanduiding"].ordered
    compared = 0
    for schema, described in catalogue.schemas.items():
        entity_ = model.entities.get(schema.lower())
        for said, property_ in described.get("properties", {}).items():
            known = entity_ and entity_.fields.get(re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", said))
            if known and known.type in ("text", "long_text") and "maxLength" in property_:
                assert (known.length or 0) >= property_["maxLength"], (schema, said)
                compared += 1
    assert compared > 20


def fits(field: Field, value: object) -> bool:
    """Whether a value of the data is of the kind that the field is for."""
    match value:
        case None | "":
            return True
        case list():
            return field.type == "rows"
        case bool():
            return field.type == "boolean"
        case int():
            return field.type in ("integer", "link")
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return field.type == "date"
        case str() if re.fullmatch(r"P\d+[YM]", value):
            return field.type == "text" and field.pattern is not None
        case str() if value.startswith("https://"):
            return field.type == "url"
    return True


def test_objects_come_back_as_they_were_by_csv(application: Applications, shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """All 41 objects go in by imports that find links by the numbers of the other installation, and come out of an export equal."""
    catalogue, running = Catalogue(shared_data("case_types_nl")), application(TEXTS)
    who, model = running.person("bea", "beheerder"), running.service.application.model
    for entity in ORDER:
        own, later = parted(model, entity, catalogue.objects[entity])
        report = imported(who, tmp_path, table_of(own), map_of(model, entity, own[0]), entity=entity)
        assert (report.created, words(report)) == (len(own), []), entity
        ids = Numbers(who)
        for one in later:
            out = table_of([{"pk": pk, **{name: json.dumps(ids.keyed(ids.rows(model, entity, name, value))) for name, value in fields.items()}}
                            for pk, fields in [one]])  # fmt: skip
            assert imported(who, tmp_path, out, entity=entity).updated == 1
    ids = Numbers(who)
    for entity in ORDER:
        fields = model.entities[entity].fields
        text = io.StringIO()
        export(who.ctx, Export(entity, tuple(path(model, entity, name) for name in fields)), text)
        back = {row["pk"]: row for row in csv.DictReader(io.StringIO(text.getvalue()))}
        for one in catalogue.objects[entity]:
            row = back[str(one.get("pk", ""))]
            for name, value in one.items():
                found: object = row[path(model, entity, name)]
                if fields[name].type == "rows":
                    found = without_ids(json.loads(row[name] or "[]"))
                wanted = ids.plain(model, entity, name, value)
                assert same(ids.keyed(wanted) if isinstance(wanted, list) else wanted, found), (entity, name, value, found)


def test_objects_come_back_as_they_were_by_rest(application: Applications, shared_data: Callable[[str], Path]) -> None:
    """The same by REST; a case type's statuses come in their order, and what is more confidential than another is found by that."""
    catalogue, running = Catalogue(shared_data("case_types_nl")), application(TEXTS)
    who, model = running.person("bea", "beheerder"), running.service.application.model
    api, made = who.api, {}
    for entity in ORDER:
        own, later = parted(model, entity, catalogue.objects[entity])
        ids = Numbers(who)
        for one in own:
            answer = api.post(f"/api/{entity}", {name: ids.link(model, entity, name, value) for name, value in one.items()})
            assert answer.status == 201, (entity, answer.json)
            made[entity, one.get("pk")] = answer.json["id"]
        ids = Numbers(who)
        for pk, fields in later:
            sent = {name: ids.rows(model, entity, name, value) for name, value in fields.items()}
            assert api.patch(f"/api/{entity}/{made[entity, pk]}", sent).status == 200
    ids = Numbers(who)
    for entity in ORDER:
        for one in catalogue.objects[entity]:
            record = api.get(f"/api/{entity}/{made[entity, one.get('pk')]}").json
            for name, value in one.items():
                wanted = ids.link(model, entity, name, ids.plain(model, entity, name, value))
                found = without_ids(record[name]) if isinstance(record[name], list) else record[name]
                assert same(wanted, found), (entity, name, value, found)
    case_type = made["zaaktype", 504]
    statuses = api.get("/api/statustype", filter=f'zaaktype == "{case_type}"', sort="statustypevolgnummer").json["items"]
    assert [one["statustypevolgnummer"] for one in statuses] == [1, 2, 3]
    secret = api.get("/api/zaaktype", filter='vertrouwelijkheidaanduiding >= "zaakvertrouwelijk"').json["items"]
    assert {one["pk"] for one in secret} == {504, 517}
    refused = api.patch(f"/api/zaaktype/{case_type}", {"verlengingstermijn": "P7M"})
    assert (refused.status, refused.codes) == (422, ["XRM502"])
    assert "months" in refused.json["detail"]


def parted(model: Application, entity: str, objects: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[tuple[Any, dict[str, Any]]]]:
    """The objects without what leads to several others, and that by number: those must be there before."""
    fields = model.entities[entity].fields
    several = [name for name, one in fields.items() if one.type == "rows" and any(inner.to for inner in one.rows.values())]
    own = [{name: value for name, value in one.items() if name not in several} for one in objects]
    later = [(one.get("pk"), {name: one[name] for name in several if one.get(name)}) for one in objects]
    return own, [(pk, fields) for pk, fields in later if fields]


def table_of(objects: list[dict[str, Any]]) -> str:
    """A CSV file of objects; a list of words is a list of rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(objects[0]))
    writer.writeheader()
    writer.writerows({name: "" if value in (None, []) else str(value).lower() if isinstance(value, bool) else value for name, value in one.items()}
                     for one in objects)  # fmt: skip
    return out.getvalue()


def map_of(model: Application, entity: str, one: Mapping[str, object]) -> str:
    """A map in which links are found by the numbers of the other installation."""
    links = {name: {"find": "pk"} for name in one if model.entities[entity].fields[name].to not in (None, "catalogus")}
    key = ["uuid"] if "uuid" in one else ["pk"]
    return json.dumps({"import": entity, "key": key, "columns": {name: name for name in one}, "links": links})


def path(model: Application, entity: str, name: str) -> str:
    """What an export reads of a field: of a link the number of the other installation."""
    to = model.entities[entity].fields[name].to
    return f"{name}.pk" if to not in (None, "catalogus") else name


def keys_of(who: Person, entity: str) -> tuple[str, ...]:
    key = who.running.service.application.model.entities[entity].key
    return (key,) if key else ()


class Numbers:
    """The records of each entity by the number that they had in the other installation."""

    def __init__(self, who: Person) -> None:
        rows = [(entity, row) for entity in ORDER for row in who.all(entity, fields=("id", "pk", *keys_of(who, entity)))]
        self.ids = {(entity, row["pk"]): row["id"] for entity, row in rows}
        self.keys = {row["id"]: row["uuid"] for _, row in rows if "uuid" in row}
        self.catalogues = {row["uuid"]: row["id"] for entity, row in rows if entity == "catalogus"}

    def link(self, model: Application, entity: str, name: str, value: object) -> object:
        to = model.entities[entity].fields[name].to
        if to is None or value is None:
            return value
        return self.catalogues[value] if to == "catalogus" else self.ids[to, value]  # type: ignore[index]

    def rows(self, model: Application, entity: str, name: str, value: list[Any]) -> list[dict[str, Any]]:
        """The rows for a list of words, or of numbers of other objects."""
        ((inner, its),) = model.entities[entity].fields[name].rows.items()
        return [{inner: self.ids[its.to, item] if its.to else item} for item in value]

    def keyed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same rows as a table has them: a link is the key of its record."""
        return [{inner: self.keys.get(item, item) for inner, item in row.items()} for row in rows]

    def plain(self, model: Application, entity: str, name: str, value: object) -> object:
        return self.rows(model, entity, name, value) if isinstance(value, list) else value


def without_ids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as the data has them: none of them has an id of its own there."""
    return [{inner: item for inner, item in row.items() if inner != "id"} for row in rows]


def same(wanted: object, found: object) -> bool:
    """Equal as what they are: nothing as nothing, days as days, lines as lines."""
    if wanted in (None, "", []):
        return found in (None, "", [], ())
    if isinstance(wanted, bool):
        return found in (wanted, str(wanted).lower())
    if isinstance(found, str) and isinstance(wanted, str) and (days := re.fullmatch(r"(\d+) (days?|seconds)", found)):
        return wanted == f"P{days[1]}D" and (days[2] != "seconds" or days[1] == "0")
    return found in (wanted, str(wanted).replace("\r\n", "\n"))
