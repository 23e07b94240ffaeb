"""Entities that inherit, and what is added to them in place."""

from collections.abc import Mapping

import pytest
from jsonschema import Draft7Validator

from tests.source.test_reference import as_an_editor_reads
from xrm.model.application import Application
from xrm.source import editor_schema, load_text

XRM = "xrm: 1\nname: t\nroles: {agent: Agent, boss: {includes: agent}}\n"
PARTY = """entity: party
label: Party
abstract: true
fields:
  name: {type: text, required: true}
  kind: {type: choice, options: [a, b]}
  vip: {type: boolean, default: false}
checks: {named: {must: name != "x", message: Not x}}
access: {agent: [read, create]}
lifecycle:
  states: {new: {initial: true}, old: {final: true}}
  transitions: {end: {from: new, to: old}}
views: {all: {columns: [name, kind]}}
forms: [{section: One, fields: [name, kind]}]
"""


def texts(**entities: str) -> dict[str, str]:
    return {"xrm.yml": XRM, **{f"entities/{name}.yml": text for name, text in entities.items()}}


def sound(**entities: str) -> Application:
    files = texts(**entities)
    found = load_text(files)
    assert found.problems == () and found.application
    validator = Draft7Validator(editor_schema(found.application))
    for text in files.values():
        validator.validate(as_an_editor_reads(text))
    return found.application


def said(files: Mapping[str, str]) -> list[str]:
    return [f"{p.place} {p.code} {p.message} | {p.hint}" for p in load_text(files).problems]


def test_an_heir_has_all_that_its_base_has_and_what_it_says_itself_lies_above() -> None:
    """Fields, options, checks, lifecycle, access, views and forms; over two generations; the base makes no entity."""
    application = sound(
        party=PARTY,
        person="entity: person\nextends: party\nfields: {kind: {options: {c: See}, default: c}, born: date}\n"
        "lifecycle: {states: {lost: {}}, transitions: {end: {roles: agent}, lose: {from: new, to: lost}, find: {from: lost, to: old}}}\n"
        "access: {agent: {update: vip}}\nforms: [{section: Two, fields: [name, born]}]\n",
        staff="entity: staff\nextends: person\nfields: {shout: {compute: =name}, vip: {default: true}}\n",
        plain="entity: plain\nfields: {name: text}\n",
    )
    assert list(application.entities) == ["person", "staff", "plain", "user"]
    person, staff = application.entities["person"], application.entities["staff"]
    assert (person.base, staff.base, application.entities["plain"].base) == ("party", "person", None)
    assert person.label == {"en": "Person"}
    assert list(staff.fields) == ["name", "kind", "vip", "born", "shout"]
    assert [option.name for option in staff.fields["kind"].options] == ["a", "b", "c"]
    assert [check.name for check in staff.checks] == ["named"]
    assert staff.lifecycle and list(staff.lifecycle.states) == ["new", "old", "lost"]
    assert staff.lifecycle.transitions["end"].roles == ("agent",) and staff.lifecycle.transitions["end"].target == "old"
    assert set(staff.access["agent"].rights) == {"read", "create", "update"}
    assert staff.views["all"].columns == ("name", "kind")
    assert [section.fields for section in staff.forms["default"].sections] == [("name", "born")]
    values = [entity.fields["vip"].default for entity in (person, staff)]
    assert [value.cases[0][1] for value in values if value] == [False, True]
    heirs = {name: application.heirs(name) for name in ("party", "person", "staff", "plain")}
    assert heirs == {"party": ("person", "staff"), "person": ("person", "staff"), "staff": ("staff",), "plain": ("plain",)}


def test_expressions_that_are_inherited_mean_the_heirs_own_fields() -> None:
    """An heir may say a field anew: what the base computes from it is checked against the heir's."""
    application = sound(
        base="entity: base\nfields: {size: integer, twice: {compute: =size + size}}\n",
        heir="entity: heir\nextends: base\nfields: {size: {type: decimal, places: 2}}\n",
    )
    assert [application.entities[name].fields["twice"].type for name in ("base", "heir")] == ["integer", "decimal"]


def test_additions_join_names_grow_lists_and_reach_heirs() -> None:
    """From several files, to a base, to an heir, and to the user."""
    application = sound(
        party=PARTY,
        person="entity: person\nextends: party\n",
        more="add_to: party\nfields: {tax: {type: text, protected: true}, kind: {options: {c: See}}}\n"
        "access: {agent: {sees: [tax]}, boss: {update: true}}\nforms: [{section: Tax, fields: [tax]}]\n"
        "lifecycle: {states: {lost: {}}, transitions: {lose: {from: new, to: lost}, find: {from: lost, to: old}}}\n",
        again="add_to: person\nfields: {born: date}\naccess: {agent: {edits: [tax]}}\nchecks: {b: {must: born < today(), message: Not yet}}\n",
        badge="add_to: user\nfields: {badge: {type: text, unique: true}, shout: {compute: =badge}, secret: {type: text, protected: true}}\n"
        "views: {badges: {columns: [badge]}}\nchecks: {b: {must: badge != 'x', message: No}}\naccess: {boss: {sees: [secret]}}\n",
    )
    person, user = application.entities["person"], application.entities["user"]
    assert list(person.fields) == ["name", "kind", "vip", "tax", "born"]
    assert [option.name for option in person.fields["kind"].options] == ["a", "b", "c"]
    assert person.access["agent"].sees == person.access["agent"].edits == ("tax",)
    assert [section.fields for section in person.forms["default"].sections] == [("name", "kind"), ("tax",)]
    assert person.lifecycle and [*person.lifecycle.transitions] == ["end", "lose", "find"]
    assert [check.name for check in person.checks] == ["named", "b"]
    assert [*user.fields][-3:] == ["badge", "shout", "secret"] and user.standard
    assert [*user.views] == ["default", "badges"] and [check.name for check in user.checks] == ["b"]
    assert {role: set(grant.rights) for role, grant in user.access.items()} == {"agent": {"read"}, "boss": {"read"}}
    assert user.access["boss"].sees == ("secret",)


CASES: list[tuple[dict[str, str], list[str]]] = [
    (
        {"a": "entity: a\nextends: b\n", "b": "entity: b\nextends: c\n", "c": "entity: c\nextends: a\n", "d": "entity: d\nextends: c\nfields: {x: {type: link, to: a}}\n"},
        ["entities/a.yml:2:1 XRM211 this inherits from itself: a → b → c → a | take 'extends' out of one of them"],
    ),
    (
        {"party": PARTY.replace('name != "x"', 'nam != "x"'), "p": "entity: p\nextends: party\n", "q": "entity: q\nextends: p\n"},
        ["entities/party.yml:8:24 XRM302 unknown name 'nam' | did you mean 'name'?"],
    ),
    (
        {"party": PARTY, "p": "entity: p\nextends: prty\nfields: {x: {type: link, to: q}}\n", "q": "entity: q\nextends: p\n"},
        ["entities/p.yml:2:10 XRM203 unknown entity 'prty' | did you mean 'party' (entities/party.yml:1)?"],
    ),
    (
        {"a": "entity: a\nfields: {n: text, m: {type: text, required: true}}\n", "b": "add_to: a\nlabel: A\nfields: {n: text, m: {required: false, hint: M}}\n", "c": "add_to: a\nlabel: B\n"},
        [
            "entities/b.yml:3:10 XRM204 the field 'n' is defined twice | the other one stands at entities/a.yml:2:10",
            "entities/b.yml:3:23 XRM204 'required' of the field 'm' is defined twice | the other one stands at entities/a.yml:2:35",
            "entities/c.yml:2:1 XRM204 'label' is defined twice | the other one stands at entities/b.yml:2:1",
        ],
    ),
    (
        {"a": "entity: a\nfields: {n: text}\n", "b": "entity: b\nextends: a\nfields: {n: {hint: N}, q: {label: Q}}\nlifecycle: {states: {s: {initial: true}}, transitions: {t: {to: s}}}\n"},
        [
            "entities/b.yml:3:24 XRM202 a field needs a 'type' | for example: type: text",
            "entities/b.yml:4:57 XRM202 a transition needs the key 'from' | for example: {from: [new, waiting], to: done}",
        ],
    ),
    (
        {"a": "entity: a\nfields: {n: text}\n", "e": "add_to: user\nnumber: '{seq:6}'\nfields: {name: text}\n", "x": "add_to: a\nextends: user\n", "z": "add_to: aa\n"},
        [
            "entities/e.yml:2:1 XRM206 the user has no 'number' of an application's own | take it out",
            "entities/e.yml:3:10 XRM204 the field 'name' is defined twice | every user has it",
            "entities/x.yml:2:1 XRM206 'extends' does not stand beside 'add_to' | take one of them out",
            "entities/z.yml:1:9 XRM203 unknown entity 'aa' | did you mean 'a' (entities/a.yml:1)?",
        ],
    ),
    (
        {"a": "entity: a\nfields: {n: text}\n", "a2": "entity: a\nfields: {n: text}\n"},
        ["entities/a2.yml:1:9 XRM204 the entity 'a' is defined twice | the other one stands at entities/a.yml:1:9"],
    ),
    ({"a": "entity: a\nextends: user\n"}, ["entities/a.yml:2:10 XRM203 unknown entity 'user' | nothing extends the user; 'add_to: user' adds to it"]),
]  # fmt: skip


@pytest.mark.parametrize(("entities", "problems"), CASES)
def test_a_mistake_in_a_piece_is_told_once_at_its_own_place(entities: dict[str, str], problems: list[str]) -> None:
    """Circles whole, both places of what is defined twice, inherited problems where they are written."""
    assert said(texts(**entities)) == problems


def test_a_pack_that_is_used_brings_its_entities_and_one_that_is_not_named_is_absent() -> None:
    """They stand among the files of a release, which needs no pack again; another language does not matter."""
    use = {"xrm.yml": XRM + "use: contacts\n"}
    application = load_text({**use, "entities/a.yml": "add_to: person\nfields: {tax: text}\naccess: {agent: [read, create]}\n"}).application
    assert application and set(application.entities) == {"person", "organisation", "user"}
    assert set(application.heirs("party")) == {"person", "organisation"}
    assert "tax" in application.entities["person"].fields and "read" in application.entities["person"].access["agent"].rights
    assert application.entities["person"].label == {"en": "Person", "es": "Persona", "nl": "Persoon"}
    assert sorted(name for name in application.files if name.startswith("packs/")) == [
        f"packs/contacts/{name}.yml" for name in ("organisation", "party", "person")
    ]
    release = {
        **application.files,
        "packs/contacts/party.yml": application.files["packs/contacts/party.yml"].replace("length: 200", "length: 99"),
    }
    kept = load_text(release).application
    assert kept and kept.entities["person"].fields["name"].length == 99
    assert set(sound(a="entity: a\nfields: {n: text}\n").entities) == {"a", "user"}
    assert said({"xrm.yml": XRM + "use: contacts\nlocale: de\n"}) == []
    named = "xrm: 1\nname: t\nlocale: en\nlocales: [es, nl]\nuse: contacts\nlabel: {en: T, es: T, nl: T}\nroles: {agent: {label: {en: A, es: A, nl: A}}}\n"
    assert said({"xrm.yml": named}) == []  # it has its words in the languages of the packs: none is missing that the user could not write


def test_an_unknown_pack_is_told_with_those_that_exist() -> None:
    """A misspelt one is read as what it was meant to be."""
    use = {"xrm.yml": XRM + "use: [contcts, zzz]\n", "entities/a.yml": "add_to: person\nfields: {tax: text}\n"}
    assert said(use) == [
        "xrm.yml:4:7 XRM203 unknown pack 'contcts' | did you mean 'contacts'?",
        "xrm.yml:4:16 XRM203 unknown pack 'zzz' | the packs: contacts",
    ]
    twice = {"xrm.yml": XRM + "use: contacts\n", "entities/a.yml": "entity: person\nfields: {a: text}\n"}
    assert said(twice) == [
        "entities/a.yml:1:9 XRM204 the entity 'person' is defined twice | the other one stands at packs/contacts/person.yml:1:9"
    ]


KEYED = {
    "district": "entity: district\nkey: code\nfields: {code: {type: text, unique: true, required: true}, part_of: {type: link, to: district}}\n",
    "category": "entity: category\nkey: code\nfields:\n  code: {type: text, unique: true, required: true}\n  label: {type: text, required: true}\n"
    "  days: {type: integer, min: 1}\n  district: {type: link, to: district, default: nort}\n  shout: {compute: =code}\n",
    "plain": "entity: plain\nfields: {district: {type: link, to: district, default: north}, other: {type: link, to: plain, default: x}}\n",
}
RECORDS = {
    "data/district.yml": "north: {part_of: al}\nall:\n",
    "data/category.yml": "- {code: pothole, lable: Pothole, days: 0, district: sout, shout: x}\n- {code: tree, label: Tree}\n- {label: B}\n"
    "- {code: tree, label: C}\n- [a]\n- bare\n",
    "data/ctegory.yml": "a:\n",
    "data/user.yml": "bo: {label: Bo}\n",
    "data/plain.yml": "bo: {}\n",
    "data/odd.yml": "only text\n",
}


def test_reference_records_are_checked_with_their_places() -> None:
    """Unknown fields, values that do not fit, unknown and double keys, files that belong to nothing."""
    assert said({**texts(**KEYED), **RECORDS}) == [
        "data/category.yml:1:19 XRM203 unknown field 'lable' | did you mean 'label' (entities/category.yml:5)?",
        "data/category.yml:1:41 XRM210 the value of 'days' must be 1 or more | write a value that the field would take in its form",
        "data/category.yml:1:54 XRM203 unknown district 'sout' | known here: north, all",
        "data/category.yml:1:60 XRM206 'shout' is computed | take it out",
        "data/category.yml:3:3 XRM202 a record needs its key 'code' | for example: code: pothole",
        "data/category.yml:4:10 XRM204 the record 'tree' is defined twice | the other one stands at data/category.yml:2:10",
        "data/category.yml:5:3 XRM106 a record is a map from field to value | for example: {label: Pothole}",
        "data/category.yml:6:3 XRM202 the record 'bare' needs the field 'label' | give it a value: label: …",
        "data/ctegory.yml:1:1 XRM203 unknown entity 'ctegory' | did you mean 'category'?",
        "data/district.yml:1:18 XRM203 unknown district 'al' | did you mean 'all' (data/district.yml:2)?",
        "data/odd.yml:1:1 XRM106 this must be a map from key to fields, or a list of records | for example: pothole: {label: Pothole}",
        "data/plain.yml:1:1 XRM202 records stand here, and the entity 'plain' has no 'key' | write key: and a field that is text, unique and required",
        "data/user.yml:1:1 XRM206 these records cannot stand here | 'xrm user' makes users",
        "entities/category.yml:7:49 XRM203 unknown district 'nort' | did you mean 'north' (data/district.yml:1)?",
        "entities/plain.yml:2:104 XRM210 the default of 'other' must be an expression, such as =actor | 'plain' has no 'key' that would name a record",
    ]
