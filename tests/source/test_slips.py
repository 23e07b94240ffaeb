"""What people write at first who know other systems: each slip is told once, with the hint that mends it."""

import pytest

from tests.source.definitions import APPLICATION, problems
from xrm import source

ACCESS = "access: {agent: [read, create]}\n"
CAT = "entity: cat\nkey: code\nfields: {code: {type: text, unique: true, required: true}, on: boolean}\n" + ACCESS

FIELDS = {
    "{type: string}": ("XRM203", "did you mean 'text'?"),
    "{type: varchar, length: 3}": ("XRM203", "did you mean 'text'?"),
    "{type: Number}": ("XRM203", "did you mean 'integer'?"),
    "{type: enum, options: [a, b]}": ("XRM203", "did you mean 'choice'?"),
    "{type: date, default: today}": ("XRM210", "an expression begins with '=': =today()"),
    "{type: address, fill: {street: =kind}}": ("XRM210", "an expression gives the whole value, such as =requester.home"),
    "{type: choice, options: {low: {en: Low, es: Bajo}}}": ("XRM201", "write: label: {en: …}"),
    "{type: choice, options: [a], removed: {z: }}": ("XRM106", "write the name that takes its place, or {}: nothing does"),
    "{type: text, required: kind == USD}": ("XRM302", "a text is quoted: 'USD'"),
    "{type: date, default: today()}": ("XRM210", "an expression begins with '=': =today()"),
    "{type: integer, default: size + 1}": ("XRM210", "an expression begins with '=': =size + 1"),
    "{type: integer, default: size}": ("XRM210", "an expression begins with '=': =size"),
    "{type: user, default: actor}": ("XRM210", "an expression begins with '=': =actor"),
    "{type: boolean, default: yes}": ("XRM210", "write true or false, without quotes"),
    "{type: money, currency: kind}": ("XRM203", "a field is named with '=': =kind"),
    "{type: rows, fields: {b: {type: money, currency: =kind}}}": ("XRM236", "name the currency, for example EUR"),
    "{type: text, required: yes}": ("XRM302", "write true, or quote it as a text: 'yes'"),
    "{type: text, required: kind == a}": ("XRM302", "a text is quoted: 'a'"),
    "{type: text, required: state == 'x'}": ("XRM302", "records have it where the entity says 'lifecycle'"),
    "{type: link, to: cat, filter: on == paid}": ("XRM302", "write this.paid"),
    "{type: rows, fields: {b: {type: text, required: paid}}}": ("XRM302", "write parent.paid"),
    "{type: text, converted_from: {type: text, with: =trim(old)}}": (
        "XRM206", "to change values by a rule, add a field with 'fill' and take this one out; 'removed' says where options go",
    ),
    "{type: file, size: 5}": ("XRM255", "for example 10 MB; at most 500 MB"),
    "{type: many2one, to: cat}": ("XRM203", "did you mean 'link'?"),
    "{type: lookup}": (
        "XRM203", "a link to a record is type: link; what stands there, or in many, is computed: compute: =owner.label, compute: =sum(lines.amount)",
    ),
    "{type: date, default: =now()}": ("XRM309", "write today() for now(), and date(x) for the day of an instant"),
    "{type: text, default: =pet}": ("XRM309", "read a field of the linked record, such as .title"),
    "{type: text, default: =paid}": ("XRM309", "choose with test ? then : otherwise"),
    "{type: integer, minimum: 3}": ("XRM201", "did you mean 'min'?"),
    "{type: decimal, digits: 2}": ("XRM201", "did you mean 'places'?"),
    "{type: choice, choices: [a, b]}": ("XRM201", "did you mean 'options'?"),
    "{type: text, visible: paid}": ("XRM201", "did you mean 'show'?"),
    "{type: text, null: false}": ("XRM201", "a field may be empty unless it says required: true"),
    "{type: text, hidden: true}": (
        "XRM201", "say when it is shown (show: done), or who sees it (protected: true, and 'sees' in access)",
    ),
    "{\u00a0type: text}": ("XRM201", "a space that is no plain one (a no-break space, most likely) stands before or behind it: take it out"),
    "{type: date, min: =today}": ("XRM302", "write today()"),
    "{type: text, required: pet == user}": ("XRM302", "who acts is 'actor': created_by == actor, for example"),
    "{type: link, to: 'cat, dog'}": ("XRM106", "write: [cat, dog]"),
    "{compute: =sum(size)}": (
        "XRM304", "sum adds up one value of many records, as sum(lines.amount); fields of one record are added with +",
    ),
    "{compute: '=if(paid, 1, 2)'}": ("XRM301", "write test ? then : otherwise"),
    "{compute: =pet}": ("XRM202", "for example: type: link, to: cat"),
    "{compute: '=count(pet.things)'}": ("XRM302", "make it a computed field there, and read that"),
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_slip_in_a_field_has_the_hint_that_mends_it(field: str) -> None:
    entity = (
        "entity: thing\nfields:\n  size: integer\n  paid: boolean\n  kind: {type: choice, options: [USD, EUR]}\n"
        f"  pet: {{type: link, to: cat, inverse: things}}\n  value: {field}\n{ACCESS}"
    )
    assert [(problem.code, problem.hint) for problem in problems(entity, cat=CAT)] == [FIELDS[field]]


ENTITIES = {
    "fields: {size: integer}\nname: text\n": ("XRM201", "this looks like a field: indent it beneath 'fields'"),
    "fields: {size: integer}\ntwice: {compute: =size * 2}\n": ("XRM201", "this looks like a field: indent it beneath 'fields'"),
    "fields: {size: integer}\nchecks: {deep: size > 3}\n": (
        "XRM106", "checks: Rules on the whole record",
    ),
    "fields: {size: integer, lines: {type: rows, fields: {a: integer}}}\nchecks: {deep: {must: lines > 0, message: No}}\n": (
        "XRM303", "ask it: count(x) > 0, sum(x.amount), exists(x, amount > 5)",
    ),
    "number: '{who.name}-{seq:3}'\nfields: {who: {type: link, to: user, find: name == 'ana'}}\n": (
        "XRM206", "a text, a choice or a whole number that people give",
    ),
    "fields: {size: integer}\nviews: {default: {sort: size DESC}}\n": ("XRM206", "write: -size"),
    "fields: {size: integer}\nviews: {default: {columns: 'size, id'}}\n": ("XRM106", "write: [size, id]"),
    "fields: {size: integer}\nchecks: {deep: {condition: size > 3, message: No}}\n": ("XRM201", "did you mean 'must'?"),
    "fields: {size: integer}\nlifecycle: {states: {a: {initial: true}, b: {final: true}}, transitions: {go: {from: a, to: b, set: {size: size + 1}}}}\n": (
        "XRM210", "an expression begins with '=': =size + 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_slip_in_an_entity_has_the_hint_that_mends_it(entity: str) -> None:
    assert [(problem.code, problem.hint) for problem in problems(f"entity: thing\n{entity}{ACCESS}")] == [ENTITIES[entity]]


def test_a_text_in_no_language_is_told() -> None:
    """Most likely it is misspelt. A language that the application does not offer is no mistake."""
    entity = f"entity: thing\nlabel: {{en: Thing, nl: Ding, sp: Cosa}}\nfields: {{size: {{type: integer, label: {{en: Size, es: Talla}}}}}}\n{ACCESS}"
    found = [(one.code, one.severity, one.place and one.place.line, one.message, one.hint) for one in problems(entity)]
    assert found == [("XRM226", "warning", 2, "there is no language 'sp': nobody sees this text", "take it out, or name one of en")]


def test_a_type_of_a_type_that_is_not_there_is_no_circle() -> None:
    found = problems(f"entity: thing\nfields: {{a: plate}}\n{ACCESS}", xrm=APPLICATION + "types: {plate: {type: plat}}\n")
    assert [(problem.code, problem.message) for problem in found] == [("XRM203", "unknown type 'plat'")]


def test_a_record_has_one_key() -> None:
    """The name before the colon is the key; the key within may only say the same."""
    for data, codes in (("a: {code: b}\n", ["XRM210"]), ("a: {code: a}\n", []), ("- {code: b}\n", [])):
        files = {"xrm.yml": APPLICATION, "entities/cat.yml": CAT, "data/cat.yml": data}
        assert [problem.code for problem in source.load_text(files).problems] == codes, data


def test_a_file_of_texts_says_where_entities_stand() -> None:
    files = {"xrm.yml": APPLICATION + "locales: [en, es]\n", "entities/cat.yml": CAT, "locale/es.yml": "cat: {label: Gato}\n"}
    found = [problem for problem in source.load_text(files).problems if problem.severity == "error"]
    assert [(problem.code, problem.hint) for problem in found] == [("XRM203", "known here: label, roles, entities")]
