"""Every name exists, every expression checks, every rule makes sense; one slip gives one problem."""

import pytest

from tests.source.definitions import APPLICATION, FIELDS, problems, thing, told
from xrm.source.keys import KINDS

STATES = "lifecycle:\n  states: {new: {initial: true}, done: {final: true}}\n"

ONE_SLIP = [
    # structure
    ("shade: red\n", f"3:1 XRM201 unknown key 'shade' (the keys here: {', '.join(KINDS['entity'].by_name)})"),
    ("lable: Thing\n", "3:1 XRM201 unknown key 'lable' (did you mean 'label'?)"),
    ("clocks: {}\n", "3:1 XRM201 unknown key 'clocks' (it is not part of this version)"),
    ("sort: name\n", "3:1 XRM201 unknown key 'sort' ('sort' is a key of a view: is the indentation right?)"),
    ("extra: {type: text}\n", "3:1 XRM201 unknown key 'extra' (this looks like a field: indent it beneath 'fields')"),
    ("label: [a, b]\n", "3:8 XRM106 this must be text, or a map from locale to text, and it is a list (write one text; quote it if need be)"),
    ("label:\n", "3:1 XRM106 'label' is empty (give it a value, or take the key out)"),
    ("icon: inbx\n", "3:7 XRM206 'inbx' is not allowed here (did you mean 'inbox'?)"),
    ("label: {de: Ding}\n", "3:8 XRM202 the text in the application's own language 'en' is missing (for example en: …)"),
    ("label: {englisch: Ding}\n", "3:9 XRM206 'englisch' is not a locale (a locale is like 'en' or 'es-MX')"),
    # numbers, titles, keys
    ('number: "{seq:4}{check:luhn}x{check:luhn}"\n', "3:9 XRM206 '{seq:4}{check:luhn}x{check:luhn}' is not the form of a number (one check digit at the end: {check:luhn}, {check:mod11_10}, {check:mod97_10})"),
    ('number: "{seq:4}{check:iban}"\n', "3:9 XRM206 '{seq:4}{check:iban}' is not the form of a number (one check digit at the end: {check:luhn}, {check:mod11_10}, {check:mod97_10})"),
    ('number: "{owner.nme}-{seq:4}"\n', "3:9 XRM203 unknown field 'nme' (did you mean 'name'?)"),
    ('number: "{made}-{seq:4}"\n', "3:9 XRM206 a number cannot be made from 'made', which is of type date (a text, a choice or a whole number that people give)"),
    ('number: "{secret}-{seq:4}"\n', "3:9 XRM209 the number would show the protected field 'secret' (name another field)"),
    ("gapless: true\n", "3:1 XRM202 'gapless' wants a 'number' (for example number: \"{seq:6}\")"),
    ("number: SR-{year}\n", "3:9 XRM206 'SR-{year}' is not the form of a number (text with {seq:6} once and {year} at most once, for example SR-{year}-{seq:6})"),
    ("title: '{nam}'\n", "3:8 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
    ("title: '{owner.label}'\n", "3:8 XRM206 a title shows fields of its own record, and 'owner.label' follows a link"),
    ("title: '{number}'\n", '3:8 XRM203 this entity has no number (declare it: number: "{seq:6}")'),
    ("title: '{owner}'\n", "3:8 XRM206 a title cannot show 'owner', which is of type link"),
    ("title: '{name'\n", '3:8 XRM206 a title is text with the names of fields in braces (for example "{number} {address}")'),
    ("key: name\n", "3:6 XRM206 a key is a text that is unique and required, and 'name' is not (write: name: {type: text, unique: true, required: true})"),
    # rules
    ("unique: {a: [nam]}\n", "3:14 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
    ("unique: {a: {fields: name, when: owner.name == 'x'}}\n", "3:28 XRM307 this condition reads fields of its own record only: no link, no actor, no time"),
    ("checks: {a: {message: No}}\n", "3:10 XRM202 a check says exactly one of 'must' and 'should' (must refuses, should warns)"),
    ("checks: {a: {must: size > 1, should: size > 2, message: No}}\n", "3:10 XRM206 a check says exactly one of 'must' and 'should' (must refuses, should warns)"),
    ("checks: {a: {must: size > 1}}\n", "3:10 XRM202 a check needs the key 'message' (for example: {must: depth > 0, message: Enter the depth})"),
    ("checks: {a: {must: '', message: No}}\n", "3:20 XRM308 the expression is empty (write a condition)"),
    ("checks: {a: {must: null, message: No}}\n", "3:14 XRM308 'must' is empty (write a condition, or take it out)"),
    ("checks: {a: {must: size, message: No}}\n", "3:20 XRM309 gives int, but bool is wanted here (a condition compares, as in a == b)"),
    ("checks: {a: {must: size > 1, message: No, field: nam}}\n", "3:50 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
    # access
    ("access: {agnt: read}\n", "3:10 XRM203 unknown role 'agnt' (did you mean 'agent' (xrm.yml:3)?)"),
    ("access: {agent: raed}\n", "3:17 XRM203 unknown right 'raed' (did you mean 'read'?)"),
    ("access: {agent: {read: false}}\n", "3:24 XRM206 a right cannot be false (rights only add up: take the key out, and the right is not given)"),
    ("access: {agent: {read: }}\n", "3:18 XRM308 'read' is empty (write a condition, or take it out)"),
    ("access: {agent: {read: true, sees: [name]}}\n", "3:37 XRM206 'name' is not protected: all who read see it (write protected: true at 'name', or take it out here)"),
    ("access: {agent: {read: true, sees: [secrt]}}\n", "3:37 XRM203 unknown field 'secrt' (did you mean 'secret' (entities/thing.yml:2)?)"),
    # views and forms
    ("views: {a: {columns: [owner.nam]}}\n", "3:23 XRM203 unknown field 'nam' (did you mean 'name'?)"),
    ("views: {a: {columns: [name.size]}}\n", "3:23 XRM206 'name' is no link: nothing can follow it"),
    ("views: {a: {sort: -nam}}\n", "3:19 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
    ("views: {a: {sort: owner.roles}}\n", "3:19 XRM206 a view cannot be sorted by 'roles', which is of type json"),
    ("forms: {portal: []}\n", "3:9 XRM203 unknown form 'portal' (there are default, new, print)"),
    ("forms: [{section: A, fields: [name, name]}]\n", "3:37 XRM204 'name' stands twice in the list"),
    ("forms: [{section: A, fields: [name]}, {section: B, fields: [name]}]\n", "3:61 XRM204 'name' stands in the form twice (the other one is in line 3)"),
    ("forms: [{section: A, fields: [title]}]\n", "3:31 XRM206 'title' is kept by xrm itself (name one of your own fields)"),
    ("compact: [nam]\n", "3:11 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
    # lifecycles
    ("lifecycle: {states: {new: {}}}\n", "3:13 XRM207 no state says initial: true (for example: new: {initial: true})"),
    ("lifecycle: {states: {new: {initial: true}, done: {initial: true}}}\n", "3:51 XRM207 only one state can be the initial one, and 'new' is"),
    (STATES, "4:34 XRM207 no transition leads to the state 'done' (add a transition to it, or take the state out)"),
    (STATES + "  transitions: {go: {from: new, to: don}}\n", "5:37 XRM203 unknown state 'don' (did you mean 'done' (entities/thing.yml:4)?)"),
    (STATES + "  transitions: {go: {from: new, to: done, roles: agnt}}\n", "5:50 XRM203 unknown role 'agnt' (did you mean 'agent' (xrm.yml:3)?)"),
    (STATES + "  transitions: {go: {from: new, to: done, ask: nam}}\n", "5:48 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
    (STATES + "  transitions: {go: {from: new, to: done, set: {state: new}}}\n", "5:49 XRM206 'state' is kept by xrm itself (name one of your own fields)"),
    (STATES + "  transitions: {go: {from: new, to: done, set: {size: big}}}\n", "5:55 XRM210 the value of 'size' must be a number (decimal digits, without leading zeros or signs for thousands)"),
    (STATES + "  transitions: {go: {from: new, to: done, guards: {must: state == 'nwe', message: No}}}\n", "5:67 XRM305 'nwe' is not one of the options (did you mean 'new'?)"),
    ("lifecycle: {states: {new: {initial: true, edit: [nam]}}}\n", "3:50 XRM203 unknown field 'nam' (did you mean 'name' (entities/thing.yml:2)?)"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), ONE_SLIP, ids=[line.strip() for line, _ in ONE_SLIP])
def test_one_slip_gives_one_problem(line: str, message: str) -> None:
    """At its place, with a hint."""
    assert thing(line) == [message]


FIELD_SLIPS = [
    ("txet", "2:13 XRM203 unknown type 'txet' (did you mean 'text'?)"),
    ("rows", "2:10 XRM202 rows need the key 'fields' (for example: fields: {item: text, amount: money})"),
    ("{type: rows, fields: {x: text}, default: 1}", "2:45 XRM235 rows have no 'default' (give its fields defaults)"),
    ("{type: rows, fields: {x: text}, min: -1}", "2:50 XRM210 the min of 'a' must be 0 or more"),
    ("{type: rows, fields: {x: {type: text, unique: true}}}", "2:51 XRM236 a field of a row has no 'unique' (rows have no rules among each other; write a check of the record)"),
    ("{type: rows, fields: {x: {type: rows, fields: {y: text}}}}", "2:45 XRM236 rows do not stand inside rows (let the outer rows be an entity of their own, with a link to this one)"),
    ("{type: rows, fields: {x: {type: link, to: user, on_delete: cascade}}}", "2:72 XRM236 a link in a row holds what it leads to (take it out: the record cannot be deleted)"),
    ("{type: rows, fields: {position: text}}", "2:35 XRM205 the name 'position' is reserved: every row has it"),
    ("{type: rows, fields: {x: {type: text, required: parent.bb > 1}}}", "2:68 XRM302 'parent' has no 'bb' (did you mean 'b'?)"),
    ("{type: rows, fields: {x: {compute: =b * 2}}}", "2:49 XRM302 unknown name 'b' (write parent.b)"),
    ("{type: rows, fields: {x: text}, required: a == null}", "2:55 XRM303 'a' is a collection, not a value (ask it: count(x), x.exists(l, …), sum(x.amount))"),
    ("{label: A}", "2:10 XRM202 a field needs a 'type' (for example: type: text)"),
    ("{type: text, min: 1}", "2:26 XRM206 'min' does not go with type text (it goes with integer, decimal, percent, money, date, time, datetime, duration, rows, file, image, link, user)"),
    ("{type: file, accept: pfd}", "2:34 XRM203 unknown kind of content 'pfd' (did you mean 'pdf'?)"),
    ("{type: image, accept: pdf}", "2:35 XRM255 an image field holds images, and 'pdf' are none (type: file holds others too)"),
    ("{type: file, size: 9 PB}", "2:32 XRM255 '9 PB' is not a size that a file can have (for example 10 MB; at most 500 MB)"),
    ("{type: file, max: 3}", "2:26 XRM255 'max' counts files, and this field has one (add many: true, or use 'required')"),
    ("{type: file, many: true, max: a}", "2:43 XRM210 the max of 'a' must be a number (decimal digits, without leading zeros or signs for thousands)"),
    ("{type: file, compute: =o.name}", "2:26 XRM256 a field of files has no 'compute': people attach files"),
    ("{type: text, many: true}", "2:26 XRM206 'many' does not go with type text (it goes with choice, link, user, file, image)"),
    ("{type: integer, min: 5, max: 1}", "2:29 XRM206 'min' is more than 'max'"),
    ("{type: integer, min: a}", "2:34 XRM210 the min of 'a' must be a number (decimal digits, without leading zeros or signs for thousands)"),
    ("{type: integer, min: =o}", "2:35 XRM309 gives link to user, but int is wanted here (read a field of the linked record, such as .title)"),
    ("{type: text, show: o == actor}", "2:26 XRM250 'show' holds for everybody: it may not depend on who acts (a right in 'access' depends on who acts)"),
    ("{type: integer, default: =b, show: a > 1}", "2:42 XRM251 each of these follows from the next: a → a (take one of the conditions or defaults out of the circle)"),
    ("{compute: =b + 1, recommended: true}", "2:31 XRM206 a computed field has no 'recommended': it is always computed"),
    ("{type: text, length: {min: 3, max: 2}}", "2:34 XRM206 'min' is more than 'max'"),
    ("{type: text, length: {least: 3}}", "2:35 XRM201 unknown key 'least' (the keys here: min, max)"),
    ("{type: integer, protected: true}, s: {type: text, show: a > 3}", "2:63 XRM209 whether the rule holds can be seen, so that it would show the protected field 'a' (protect the field too, or say discloses: true)"),
    ("{type: integer, default: =c}, c: {type: integer, default: =d}, d: {type: integer, default: =a}", "2:29 XRM251 each of these follows from the next: a → c → d → a (take one of the conditions or defaults out of the circle)"),
    ("{type: date, max: 2026-02-30}", "2:31 XRM210 the max of 'a' is not a date of the calendar: day is out of range for month"),
    ("{type: integer, min: 5, default: 1}", "2:46 XRM210 the default of 'a' must be 5 or more"),
    ("{type: boolean, default: yes}", "2:38 XRM210 the default of 'a' must be true or false (write true or false, without quotes)"),
    ("{type: choice, options: [x, y], default: z}", "2:54 XRM210 'z' is not one of the options of 'a' (one of x, y)"),
    ("{type: choice, options: {bad name: x}}", "2:38 XRM205 'bad name' is not a name for an option (write: bad_name: bad name)"),
    ("choice", "2:10 XRM202 a choice needs the key 'options' (for example: options: [low, high])"),
    ("link", "2:10 XRM202 a link needs the key 'to' (for example: to: user)"),
    ("{type: link, to: thin}", "2:30 XRM203 unknown entity 'thin' (did you mean 'thing' (entities/thing.yml:1)?)"),
    ("{type: link, to: user, default: [5]}", "2:45 XRM210 the default of 'a' must be a single value"),
    ("{type: link, to: thing, default: =actor}", "2:47 XRM309 gives link to user, but link to thing is wanted here"),
    ("{type: text, length: 0}", "2:34 XRM206 this must be a whole number from 1 to 10,000"),
    ("{type: text, pattern: '['}", "2:35 XRM206 not a pattern: missing ]: ["),
    ("{type: text, pattern_message: No}", "2:26 XRM202 'pattern_message' wants a 'pattern'"),
    ("{type: money, currency: UDS}", "2:37 XRM203 unknown currency 'UDS' (did you mean 'USD'?)"),
    ("{type: money, currency: =b}", "2:37 XRM206 'b' does not name a currency: it is not a choice (for example currency: {type: choice, options: [USD, EUR]})"),
    ("{type: money, currency: =curency}", "2:37 XRM203 unknown field 'curency' (known here: a, b, o)"),
    ("{type: duration, unit: days}", ("2:36 XRM206 a duration has the unit business days or business hours "
     "(without 'unit' it holds minutes, hours and days, such as 90 minutes)")),
    ("{type: duration, min: 1}", "2:35 XRM210 the min of 'a' must be a length of time (for example 90 minutes or 1 day 12 hours)"),
    ("{type: duration, unit: business days, default: 5 business hours}", "2:60 XRM210 the default of 'a' is counted in business days (for example 5 business days)"),
    ("{type: time, max: 25:00}", "2:31 XRM210 the max of 'a' must be a time of day (for example 17:30 or 17:30:15)"),
    ("{type: choice, options: [x, y], many: true, default: [x, z]}", "2:66 XRM210 'z' is not one of the options of 'a' (one of x, y)"),
    ("{type: choice, options: [x, y], many: true, unique: true}", "2:57 XRM206 a field of type choice cannot be unique"),
    ("{type: role, default: mayor}", "2:35 XRM210 'mayor' is not one of the options of 'a' (one of agent, chief)"),
    ("{type: markdown, index: true}", "2:30 XRM206 a field of type markdown cannot be indexed"),
    ("{type: text, required: maybe}", "2:36 XRM302 unknown name 'maybe' (a text is quoted: 'maybe')"),
    ("{type: json, unique: true}", "2:26 XRM206 a field of type json cannot be unique"),
    ("{type: text, default: =today()}", "2:36 XRM309 gives date, but text is wanted here"),
    ("{type: integer, default: [{use: 1}, {use: 2}]}", "2:39 XRM206 the cases after this one are never reached (give it a 'when', or put it last)"),
    ("{compute: =a + 1}", "2:14 XRM208 this depends on itself: a → a"),
    ("{type: integer, compute: b + 1}", "2:38 XRM206 'compute' wants an expression, beginning with '=' (write: compute: =b + 1)"),
    ("{type: text, compute: =o.updated_by.created_by.label}", ("2:26 XRM245 a computed field follows at most 2 links, and "
     "'o.updated_by.created_by.label' follows more (make a part of it a computed field of the linked record, and read that)")),
    ("{type: integer, compute: =o.version}", ("2:29 XRM245 'o.version' changes with every write, so that nothing can be computed from it "
     "(read the fields that it follows from)")),
    ("{type: boolean, compute: =o == actor}", "2:29 XRM303 a computed field is stored, so that it cannot depend on who asks (use 'default', or the 'set' of a transition; conditions of views, checks and guards may read it)"),
    ("{compute: =b + 1, required: true}", "2:31 XRM206 a computed field has no 'required': it is always computed"),
    ("{compute: =b + nme}", "2:28 XRM302 unknown name 'nme' (a text is quoted: 'nme')"),
    ("{compute: =o}", "2:10 XRM202 the expression gives link to user: say which type the field has (for example: type: link, to: user)"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "message"), FIELD_SLIPS, ids=[written for written, _ in FIELD_SLIPS])
def test_one_slip_in_a_field_gives_one_problem(written: str, message: str) -> None:
    """At its place, with a hint."""
    assert told(f"entity: thing\nfields: {{a: {written}, b: integer, o: {{type: link, to: user}}}}\n") == [message]


@pytest.mark.parametrize(
    "name", ["id", "title", "state", "open", "actor", "today", "in", "home_key", "Name", "1st", "x" * 49, "first-name"]
)
def test_a_field_cannot_have_a_reserved_or_broken_name(name: str) -> None:
    """Names of every record, words of expressions, the ending of stored keys, anything but lower case."""
    assert [problem.code for problem in problems(f"entity: thing\nfields: {{ok: text, {name}: text}}\n")] == ["XRM205"]


def test_two_definitions_of_one_entity_name_both_places() -> None:
    """The second is reported, with the place of the first."""
    again = "entity: thing\nfields: {a: text}\n"
    assert told(again, other=again) == [
        "1:9 XRM204 the entity 'thing' is defined twice (the other one stands at entities/other.yml:1:9)"
    ] or told(again, other=again) == ["1:9 XRM204 the entity 'thing' is defined twice (the other one stands at entities/thing.yml:1:9)"]
    rows = "entity: thing\nfields:\n  name: text\n  lines: {type: rows, fields: {a: text}}\n"
    assert told(rows, other="entity: thing__lines\nfields: {a: text}\n") == [
        (
            "1:9 XRM204 'thing__lines' is also the name of the table for 'thing.lines' "
            "(the other one stands at entities/thing.yml:4:3; give one of them another name)"
        )
    ]


def test_the_standard_entity_cannot_be_defined() -> None:
    """xrm defines the user."""
    assert told("entity: user\nfields: {a: text}\n") == ["1:9 XRM205 an entity cannot be called 'user': xrm defines it"]


def test_a_circle_of_computed_fields_is_shown_whole() -> None:
    """Once, from its first field."""
    found = told("entity: thing\nfields:\n  a: {compute: =b + 1}\n  b: {type: integer, compute: =c + 1}\n  c: {compute: =a + 1}\n")
    assert found == ["3:7 XRM208 this depends on itself: a → b → c → a"]


def test_an_unknown_type_is_one_problem_however_often_the_field_is_used() -> None:
    """Nothing is said about expressions that use it, in this entity or through links."""
    text = "entity: thing\nfields: {a: zzz, b: {compute: =a + 1}, t: {type: link, to: thing}}\nchecks: {c: {must: a > 1 && t.a > 2 && b > 3, message: No}}\n"
    assert [problem.code for problem in problems(text)] == ["XRM203"]


def test_a_misspelt_key_does_not_hide_what_stands_under_it() -> None:
    """``feilds`` is read as ``fields``."""
    assert told("entity: thing\nfeilds: {name: text}\ntitle: '{name}'\n") == ["2:1 XRM201 unknown key 'feilds' (did you mean 'fields'?)"]


def test_a_broken_file_is_one_problem_for_all_that_link_to_it() -> None:
    """Its entity exists, and nothing more is known about it."""
    thing_ = "entity: thing\nfields: {o: {type: link, to: other}}\nviews: {a: {filter: o.code == 'x', columns: [o.name]}}\n"
    assert [problem.code for problem in problems(thing_, other="entity: other\nlabel: 'x\n")] == ["XRM101"]


def test_without_roles_nothing_is_said_about_unknown_roles() -> None:
    """What is missing is said once."""
    assert told(f"entity: thing\n{FIELDS}access: {{agent: read}}\n", xrm="xrm: 1\nname: city\n") == [
        "1:1 XRM202 an application needs the key 'roles' (for example: roles: {agent: Call handler, supervisor: {includes: agent}})"
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("timezone: America/Los_Angelos", "4:11 XRM203 unknown time zone 'America/Los_Angelos' (did you mean 'America/Los_Angeles'?)"),
        ("currency: EURO", "4:11 XRM206 the text has 4 characters, and 3 are allowed"),
        ("locale: english", "4:9 XRM206 'english' is not a locale (for example en or es-MX)"),
        ("use: [cases]", "4:7 XRM203 unknown pack 'cases' (the packs: contacts)"),
    ],
)
def test_the_application_is_checked(line: str, message: str) -> None:
    """Zone, currency, locale."""
    assert told(f"entity: thing\n{FIELDS}", xrm=f"{APPLICATION}{line}\n") == [message]


def test_roles_cannot_include_themselves() -> None:
    """Directly or around."""
    roles = "xrm: 1\nname: city\nroles: {a: {includes: b}, b: {includes: a}}\n"
    assert [problem.message for problem in problems("entity: thing\nfields: {a: text}\n", xrm=roles)] == [
        "the role 'a' includes itself",
        "the role 'b' includes itself",
    ]


def test_rights_and_filters_are_for_the_database() -> None:
    """What it cannot evaluate is refused there, and allowed in checks."""
    assert [one.split()[1] for one in thing("access:\n  agent:\n    read: name.matches('a+')\n")] == ["XRM307"]
    assert [one.split()[1] for one in thing("views:\n  a:\n    filter: name.matches('a+')\n")] == ["XRM307"]
    assert thing("checks: {a: {must: \"name.matches('a+')\", message: No}}\n") == []


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """Structure, names and expressions together."""
    found = problems("entity: thing\nicon: x\nfields: {a: txet}\nchecks: {c: {must: b > 1, message: No}}\nshade: red\n")
    assert [(one.place.line, one.code) for one in found if one.place] == [(2, "XRM206"), (3, "XRM203"), (4, "XRM302"), (5, "XRM201")]


def test_a_required_field_that_no_section_has_is_a_warning() -> None:
    """The application runs all the same."""
    text = "entity: thing\nfields: {a: text, b: {type: text, required: true}}\nforms: [{section: A, fields: [a]}]\n"
    assert [(one.code, one.severity) for one in problems(text)] == [("XRM206", "warning")]


def test_which_entity_a_link_leads_to_is_one_of_them() -> None:
    """``entity(who)`` is no other word than the names of what it may lead to."""
    fields = "entity: thing\nfields:\n  name: text\n  who: {type: link, to: [user, thing]}\n"
    check = "checks:\n  a: {{when: entity(who) == '{}', must: name != null, message: No}}\n"
    assert told(fields + check.format("user")) == []
    assert told(fields + check.format("usr")) == ["6:28 XRM305 'usr' is not one of the options (did you mean 'user'?)"]
