"""The first thing that is said is at the fault: what a fault takes away from other files is not blamed on them."""

import pytest

from xrm.source import load_text

SOUND = {
    "xrm.yml": "xrm: 1\nname: city\nlocale: en-US\nuse: contacts\nroles:\n  agent: Agent\n"
    "types:\n  grade: {type: choice, options: [low, high]}\n",
    "entities/permit.yml": "entity: permit\nextends: base\nfields:\n  holder: {type: link, to: person, inverse: held}\n  level: grade\n",
    "entities/base.yml": "entity: base\nabstract: true\nlabel: {en: Base}\nfields:\n  name: text\n",
    "entities/kind.yml": "entity: kind\nkey: code\nfields:\n  code: {type: text, unique: true, required: true}\n  level: grade\n",
    "entities/a_person.yml": "add_to: person\nfields:\n  count: {compute: =count(held)}\n",
    "data/kind.yml": "tree: {level: low}\n",
    "locale/es.yml": "roles: {agent: {label: Agente}}\nentities:\n  permit: {label: Permiso}\n",
}


def said(file: str, old: str, new: str) -> list[str]:
    assert old in SOUND[file]
    problems = load_text({**SOUND, file: SOUND[file].replace(old, new, 1)}).problems
    assert all(one.place and one.hint for one in problems)
    return [f"{one.place} {one.code}" for one in problems if one.severity == "error"]


def test_the_definition_is_sound() -> None:
    assert said("xrm.yml", "city", "town") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "first"),
    [
        ("entities/permit.yml", "  level: grade", " level: grade", "entities/permit.yml:5:2 XRM101"),
        ("entities/permit.yml", "extends: base", "extends: basse", "entities/permit.yml:2:10 XRM203"),
        ("entities/permit.yml", "to: person", "to: persson", "entities/permit.yml:4:28 XRM203"),
        ("entities/permit.yml", "type: link", "type: lnkk_it", "entities/permit.yml:4:18 XRM203"),
        ("xrm.yml", "roles:\n  agent: Agent", "roles:\n  agent: @Agent", "xrm.yml:6:10 XRM101"),
        ("xrm.yml", "use: contacts", "use: nothing_known", "xrm.yml:4:6 XRM203"),
        ("xrm.yml", "types:", "tpes:", "xrm.yml:7:1 XRM201"),
        ("xrm.yml", "locale: en-US", "locale: english", "xrm.yml:3:9 XRM206"),
        ("xrm.yml", "roles:\n  agent: Agent\n", "", "xrm.yml:1:1 XRM202"),
        ("entities/kind.yml", "key: code", "key: coed", "entities/kind.yml:2:6 XRM203"),
        ("locale/es.yml", "{label: Permiso}", "{label: {es: Permiso}}", "locale/es.yml:3:12 XRM106"),
        ("entities/base.yml", "name: text", "name: {type: text, renamed_from: Not A Name}", "entities/base.yml:5:36 XRM205"),
        ("xrm.yml", "options: [low, high]", "options: {low: {renamed_from: 'a b'}, high: {}}", "xrm.yml:8:55 XRM205"),
    ],
)
def test_what_a_fault_takes_away_is_not_blamed_on_others(file: str, old: str, new: str, first: str) -> None:
    """Links' inverses, named types, packs, roles and keys that cannot be read are not missed elsewhere."""
    assert said(file, old, new) == [first]
