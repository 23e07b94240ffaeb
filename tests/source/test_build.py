"""A sound definition becomes a frozen Application in which everything that was left out is filled in."""

from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal

import pytest

from tests.source.definitions import APPLICATION, FIELDS, application, built, files
from xrm.model.views import SortKey
from xrm.source import load_text

MOVES = "lifecycle:\n  states: {new: {initial: true}, done: {final: true, edit: []}}\n  transitions: {go: {from: new, to: done, set: {size: 5}, ask: [made]}}\n"


def test_names_become_labels() -> None:
    """``first_noticed`` is ``First noticed``; many are the label and an s."""
    entity = application("entity: road_work\nfields: {first_noticed: date}\n").entities["road_work"]
    assert (entity.label, entity.plural) == ({"en": "Road work"}, {"en": "Road works"})
    assert entity.fields["first_noticed"].label == {"en": "First noticed"}


def test_every_text_has_the_applications_own_locale() -> None:
    """``en`` stands in for ``en-US``."""
    app = application(f"entity: thing\nlabel: {{en: Thing, es: Cosa}}\n{FIELDS}", xrm=f"{APPLICATION}locale: en-US\n")
    assert app.entities["thing"].label == {"en": "Thing", "es": "Cosa", "en-US": "Thing"}
    assert app.words(app.entities["thing"].label, "es") == "Cosa"


def test_values_are_in_the_type_of_their_field() -> None:
    """Bounds and defaults; money has the places of its currency; a text stays as it was written."""
    fields = "fields: {a: {type: decimal, min: 1, default: 2.5}, b: {type: date, max: 2030-01-01}, c: {type: money, currency: JPY, default: 40}, d: {type: text, default: 010}, e: {type: text, default: NO}, f: {type: json, default: [1, {a: true}]}}\n"
    entity = built(fields=fields).fields
    assert (entity["a"].minimum, entity["b"].maximum, entity["c"].places) == (Decimal("1.00"), date(2030, 1, 1), 0)
    assert [one.default.cases[0][1] for one in entity.values() if one.default] == [
        Decimal("2.50"),
        Decimal(40),
        "010",
        "NO",
        [1, {"a": True}],
    ]


@pytest.mark.parametrize(
    ("expression", "type_", "places"),
    [
        ("size * 2", "integer", 0),
        ("size * 0.25", "decimal", 2),
        ("size > 1", "boolean", 0),
        ("made", "date", 0),
        ("name + '!'", "text", 0),
        ("x * 1.5", "decimal", 1),
    ],
)
def test_a_computed_field_has_the_type_of_its_expression(expression: str, type_: str, places: int) -> None:
    """Also when that reads another such field, wherever it stands."""
    fields = f"fields:\n  y: {{compute: ={expression}}}\n  x: {{compute: =size + 1}}\n  size: integer\n  made: date\n  name: text\n"
    field = built(fields=fields).fields["y"]
    assert (field.type, field.places) == (type_, places)
    assert list(built(fields=fields).fields) == ["y", "x", "size", "made", "name"]


def test_every_record_has_the_fields_of_the_system() -> None:
    """Number and state only where they are declared."""
    assert list(built().system_fields) == [
        "id",
        "title",
        "open",
        "flags",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    ]
    entity = built('number: "{seq:6}"\n' + MOVES)
    assert [name for name in entity.system_fields if name in ("number", "state", "state_since")] == ["number", "state", "state_since"]
    assert [option.name for option in entity.system_fields["state"].options] == ["new", "done"]
    assert all(field.system for field in entity.system_fields.values())


@pytest.mark.parametrize(
    ("rest", "title", "columns"),
    [
        ("", "{name}", ("title", "size", "owner", "made", "updated_at")),
        ('number: "{seq:6}"\n', "{number}", ("number", "name", "size", "owner", "made", "updated_at")),
        ('number: "{seq:6}"\ntitle: "{name}"\n', "{name}", ("number", "title", "size", "owner", "made", "updated_at")),
        ('number: "{seq:6}"\ntitle: "{number} {name}"\n', "{number} {name}", ("title", "size", "owner", "made", "updated_at")),
        (MOVES, "{name}", ("title", "state", "size", "owner", "made", "updated_at")),
    ],
)
def test_title_and_view_are_made_where_they_are_absent(rest: str, title: str, columns: tuple[str, ...]) -> None:
    """The view ``default`` sorts by the newest and shows nothing twice."""
    entity = built(rest)
    assert entity.title == title
    assert entity.views["default"].columns == columns
    assert entity.views["default"].sort == (SortKey("created_at", descending=True),)


def test_a_view_follows_the_default_in_what_it_leaves_out() -> None:
    """Columns and order."""
    views = built("views: {mine: {filter: owner == actor}, default: {columns: [name], sort: [-size, name]}}\n").views
    assert list(views) == ["mine", "default"]
    assert (views["mine"].columns, views["mine"].sort) == (("name",), (SortKey("size", descending=True), SortKey("name")))


def test_form_and_facts_are_made_where_they_are_absent() -> None:
    """One section with what can be edited; the first six fields that are not long."""
    entity = built(fields="fields: {a: text, b: {compute: =a}, c: long_text, d: json, e: date, f: text, g: text, h: text, i: text}\n")
    assert [section.fields for section in entity.forms["default"].sections] == [("a", "c", "d", "e", "f", "g", "h", "i")]
    assert entity.compact == ("a", "b", "e", "f", "g", "h")


def test_short_forms_are_the_long_ones() -> None:
    """Rights, questions, unique rules, one value for a list of one."""
    entity = built(MOVES + "access: {agent: [read, create], chief: {read: size > 1, sees: secret}}\nunique: {a: [name, size], b: name}\n")
    assert entity.access["agent"].rights == {"read": True, "create": True}
    assert entity.access["chief"].sees == ("secret",)
    assert [rule.fields for rule in entity.unique] == [("name", "size"), ("name",)]
    assert entity.lifecycle
    move = entity.lifecycle.transitions["go"]
    assert (move.sources, move.roles, [(ask.field, ask.required) for ask in move.ask]) == (("new",), None, [("made", True)])
    assert move.set
    assert move.set["size"].cases == ((None, 5),)
    assert entity.lifecycle.states["done"].edit == ()
    assert entity.lifecycle.states["new"].edit is None


def test_roles_include_what_their_roles_include() -> None:
    """Transitively."""
    roles = "xrm: 1\nname: city\nroles: {a: {includes: b}, b: {includes: [c]}, c: C}\n"
    assert application(f"entity: thing\n{FIELDS}", xrm=roles).roles["a"].includes == ("b", "c")


def test_an_expression_knows_where_it_was_written() -> None:
    """For messages and for where-used."""
    rule = built("checks: {a: {must: =size > 1, message: No}}\n").checks[0]
    assert rule.must
    assert (rule.must.place, rule.must.checked.text) == ("entities/thing.yml:3:20", "size > 1")


def test_the_user_is_always_there() -> None:
    """Every role reads title, name and whether the user is active; all else is protected, and nobody writes."""
    user = application(f"entity: thing\n{FIELDS}").entities["user"]
    assert user.standard
    assert {role: dict(grant.rights) for role, grant in user.access.items()} == {"agent": {"read": True}, "chief": {"read": True}}
    assert [name for name, field in user.fields.items() if not field.protected] == ["name", "label", "active"]


def test_the_digest_is_of_all_files() -> None:
    """Plugins included; the order in which they were read does not count."""
    texts = {**files(f"entity: thing\n{FIELDS}"), "plugins/a.py": "x = 1\n"}
    first, again = load_text(texts).application, load_text(dict(reversed(texts.items()))).application
    other = load_text({**texts, "plugins/a.py": "x = 2\n"}).application
    assert first
    assert again
    assert other
    assert first.digest == again.digest != other.digest
    assert set(first.files) == set(texts)


def test_the_application_is_frozen() -> None:
    """Nothing is patched in place."""
    app = application(f"entity: thing\n{FIELDS}")
    with pytest.raises(FrozenInstanceError):
        app.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        app.entities["other"] = app.entities["thing"]  # type: ignore[index]


def test_a_path_is_resolved_over_links() -> None:
    """``owner.label`` is a field of the user."""
    field = application(f"entity: thing\n{FIELDS}").resolve("thing", "owner.label")
    assert field
    assert field.type == "text"
