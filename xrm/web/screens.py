"""Screens: what the pages of one set of roles show, compiled before the first request fills them.

Policy decides here, once, which columns, facts, inputs and navigation exist; a request then only brings values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from xrm.compile.policies import Policies, Policy
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.rows import row_entity
from xrm.model.views import View
from xrm.plugins import Route
from xrm.web.cells import Badges, Table, Tongue, Writing, badges_of, cell, column_label, is_link, plain, table
from xrm.web.pages import Fact, Group, Navigation, Place

FACTS = 6
"""At most this many facts in a record's head."""
COLUMNS = 7
"""Columns of a list whose definition names no view."""
PICKS = 3
"""Choice fields offered as selects above a list."""
OWN_FACTS = ("created_at", "created_by", "updated_at", "updated_by", "version")


@dataclass(frozen=True, slots=True)
class ListView:
    """``fields`` is what the query must bring; ``name`` is empty where the definition has no views."""

    name: str
    label: str
    table: Table
    fields: tuple[str, ...]
    sort: str


@dataclass(frozen=True, slots=True)
class Inverse:
    """A field of another entity that links here."""

    entity: str
    field: str
    label: str
    many: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Screen:
    """One entity as one set of roles sees it in one locale. ``texts`` write values as plain words, by field."""

    entity: Entity
    policy: Policy
    tongue: Tongue
    label: str
    plural: str
    url: str
    views: Mapping[str, ListView]
    picks: tuple[Field, ...]
    facts: tuple[Fact, ...]
    groups: tuple[Group, ...]
    printed: tuple[Group, ...]
    links: tuple[Fact, ...]
    info: tuple[Fact, ...]
    fields: tuple[str, ...]
    texts: Mapping[str, Writing]
    badges: Mapping[str, Badges]
    inverse: tuple[Inverse, ...]
    rows: Mapping[str, Screen]
    """The rows of its fields, as if each were an entity: their labels, texts and badges."""

    def words(self, name: str) -> str:
        """A field's label."""
        field = self.entity.field(name)
        return self.tongue.words(field.label) if field else name

    def text(self, name: str, value: object) -> str:
        write = self.texts.get(name)
        return write(value) if write else ""

    @property
    def default(self) -> ListView:
        return next(iter(self.views.values()))


@dataclass(frozen=True, eq=False, slots=True)
class Screens:
    tongue: Tongue
    policies: Policies
    navigation: Navigation
    by_entity: Mapping[str, Screen]
    routes: Mapping[str, Route]


def screens(tongue: Tongue, policies: Policies, routes: Iterable[Route]) -> Screens:
    """Everything these roles may read, in this locale."""
    names = sorted((name for name in tongue.application.entities if policies.readable(name)), key=_rank(tongue))
    by_entity = {name: _screen(tongue, policies, tongue.application.entities[name]) for name in names}
    allowed = {route.path: route for route in routes if not route.roles or policies.roles & set(route.roles)}
    return Screens(tongue, policies, _navigation(tongue, by_entity, allowed), by_entity, allowed)


def _rank(tongue: Tongue) -> Callable[[str], int]:
    """What has a lifecycle is work and comes first; what xrm brings itself comes last."""
    entities = tongue.application.entities
    return lambda name: 2 if entities[name].standard else 0 if entities[name].lifecycle else 1


def _navigation(tongue: Tongue, by_entity: Mapping[str, Screen], routes: Mapping[str, Route]) -> Navigation:
    home = Place("home", "Home", f"{tongue.root}/", "home")
    entities = [Place(name, screen.plural, screen.url, screen.entity.icon) for name, screen in by_entity.items()]
    own = [Place(f"x/{path}", route.label, f"{tongue.root}/x/{path}", route.icon) for path, route in routes.items()]
    return Navigation((home, *entities, *own))


def _screen(tongue: Tongue, policies: Policies, entity: Entity) -> Screen:
    names = policies.names(entity.name)
    fields = {name: entity.all_fields[name] for name in names}

    def sees(path: str) -> bool:
        return policies.resolve(entity.name, path) is not None

    badges = {name: found for name, field in fields.items() if (found := badges_of(tongue, entity, field))}
    groups = _groups(tongue, entity, fields)
    screen = Screen(
        entity=entity,
        policy=policies.by_entity[entity.name],
        tongue=tongue,
        label=tongue.words(entity.label),
        plural=tongue.words(entity.plural),
        url=tongue.url(entity.name),
        views=_views(tongue, policies, entity, sees),
        picks=tuple(field for name, field in fields.items() if name in badges and field.name in _filterable(entity))[:PICKS],
        facts=_facts(tongue, entity, _compact(entity, fields), fields),
        groups=groups,
        printed=_printed(tongue, entity, fields),
        links=_facts(tongue, entity, [n for n, f in fields.items() if is_link(f) and not f.system], fields),
        info=_facts(tongue, entity, OWN_FACTS, fields),
        fields=tuple(_with_titles(names, fields, sees)),
        texts={name: plain(tongue, entity, field) for name, field in fields.items()},
        badges=badges,
        inverse=tuple(_inverse(tongue, policies, entity)),
        rows={},
    )
    return replace(screen, rows={name: _rows(screen, field) for name, field in fields.items() if field.type == "rows"})


def _rows(screen: Screen, field: Field) -> Screen:
    """The screen of the rows in a field: nothing of it is a page of its own."""
    entity, tongue = row_entity(screen.entity, field), screen.tongue
    return replace(
        screen,
        entity=entity,
        label=tongue.words(field.label),
        texts={name: plain(tongue, entity, inner) for name, inner in field.rows.items()},
        badges={name: found for name, inner in field.rows.items() if (found := badges_of(tongue, entity, inner))},
    )


def _with_titles(paths: Iterable[str], fields: Mapping[str, Field], sees: Callable[[str], bool]) -> Iterable[str]:
    """The paths, and what is shown with them: the title at the far end of each link, the currency of an amount."""
    for path in paths:
        yield path
        if is_link(fields[path]) and sees(f"{path}.title"):
            yield f"{path}.title"
        currency = path.removesuffix(fields[path].name) + (fields[path].currency_from or "")
        if fields[path].currency_from and sees(currency):
            yield currency


def _filterable(entity: Entity) -> set[str]:
    """The state, and the choice fields that a view shows: what people filter by."""
    return {"state", *(path for view in entity.views.values() for path in view.columns)}


# -------------------------------------------------------------------------- views


def _views(tongue: Tongue, policies: Policies, entity: Entity, sees: Callable[[str], bool]) -> Mapping[str, ListView]:
    """The views whose filter these roles may read, the default one first; one is made up where there is none."""
    allowed = [view for view in entity.views.values() if _reads_only(policies, entity, view)]
    allowed.sort(key=lambda view: view.name != "default")
    made = {view.name: _view(tongue, policies, entity, view.name, tongue.words(view.label), view.columns, sees) for view in allowed}
    if made:
        return made
    columns = tuple(dict.fromkeys(("number", "title", "state", *entity.fields)))[:COLUMNS]
    return {"": _view(tongue, policies, entity, "", "All", (*columns, "created_at"), sees)}


def _reads_only(policies: Policies, entity: Entity, view: View) -> bool:
    paths = view.filter.checked.reads if view.filter else ()
    return all(path.partition(".")[0] == "actor" or policies.shows(entity.name, path) for path in paths)


def _view(
    tongue: Tongue,
    policies: Policies,
    entity: Entity,
    name: str,
    label: str,
    wanted: Iterable[str],
    sees: Callable[[str], bool],
) -> ListView:
    found = {path: field for path in wanted if (field := policies.resolve(entity.name, path))}
    columns = found or {"title": entity.system_fields["title"]}

    def sortable(path: str) -> bool:
        return columns[path].kind.sortable

    view = entity.views.get(name)
    sort = ",".join(str(key) for key in view.sort if sees(key.path)) if view else "-created_at"
    return ListView(name, label, table(tongue, entity, tuple(columns), sortable), tuple(_with_titles(columns, columns, sees)), sort)


# ------------------------------------------------------------------------- record


def _facts(tongue: Tongue, entity: Entity, names: Iterable[str], fields: Mapping[str, Field]) -> tuple[Fact, ...]:
    return tuple(
        Fact(column_label(tongue, entity, name), cell(tongue, entity, name), fields[name].kind.long, name)
        for name in names
        if name in fields
    )


def _compact(entity: Entity, fields: Mapping[str, Field]) -> list[str]:
    """The facts of the head: those the definition names, else the first that are short. One hidden lets the next move up."""
    shown = ("number", "title", "state")
    named = [name for name in entity.compact if name in fields]
    short = [n for n, f in fields.items() if not f.system and not f.kind.long]
    return [name for name in named or short if name not in shown][:FACTS]


def _printed(tongue: Tongue, entity: Entity, fields: Mapping[str, Field]) -> tuple[Group, ...]:
    """The sections of the form for paper, with what these roles see; empty where there is none."""
    form = entity.forms.get("print")
    made = (
        Group(tongue.words(section.label), _facts(tongue, entity, section.fields, fields)) for section in (form.sections if form else ())
    )
    return tuple(group for group in made if group.facts)


def _groups(tongue: Tongue, entity: Entity, fields: Mapping[str, Field]) -> tuple[Group, ...]:
    """The sections of the default form with what these roles see, then every field that no section has."""
    form = entity.forms.get("default")
    left = {name: None for name, field in fields.items() if not field.system}
    groups = []
    for section in form.sections if form else ():
        names = [name for name in section.fields if name in left]
        for name in names:
            del left[name]
        if names:
            groups.append(Group(tongue.words(section.label), _facts(tongue, entity, names, fields)))
    if left:
        groups.append(Group("Other" if groups else "", _facts(tongue, entity, left, fields)))
    return tuple(groups)


def _inverse(tongue: Tongue, policies: Policies, entity: Entity) -> Iterable[Inverse]:
    for other in tongue.application.entities.values():
        linking = [f for f in other.fields.values() if entity.name in (f.each or f).targets and policies.resolve(other.name, f.name)]
        for field in linking:
            plural, plain_case = tongue.words(other.plural), len(linking) == 1 and other is not entity
            label = plural if plain_case else f"{plural}: {tongue.words(field.label)}"
            yield Inverse(other.name, field.name, label, field.many)


# -------------------------------------------------------------------------- forms


@dataclass(frozen=True, slots=True)
class FormPart:
    """Fields under a heading; at most ``columns`` of them beside each other, 0: as many as fit."""

    label: str
    fields: tuple[Field, ...]
    columns: int = 0


def form_parts(screen: Screen, creating: bool, state: str | None) -> tuple[FormPart, ...]:
    """The fields that may be written now, as the forms lay them out; what no section has stands last.

    A form ``new`` has its own fields alone, and those that a rule may require.
    """
    lifecycle = screen.entity.lifecycle
    now = lifecycle.states.get(state) if lifecycle and state and not creating else None
    open_now = None if now is None or now.edit is None else set(now.edit)
    left = {
        name: field
        for name, field in screen.entity.fields.items()
        if name in screen.policy.editable and (open_now is None or name in open_now)
    }
    short = screen.entity.forms.get("new") if creating else None
    form = short or screen.entity.forms.get("default")
    parts = []
    for section in form.sections if form else ():
        found = tuple(left.pop(name) for name in section.fields if name in left)
        if found:
            parts.append(FormPart(screen.tongue.words(section.label), found, section.columns))
    rest = tuple(field for field in left.values() if not short or (field.required and field.default is None))
    return (*parts, FormPart("Other" if parts else "", rest)) if rest else tuple(parts)


def fields_of(parts: Iterable[FormPart]) -> list[Field]:
    return [field for part in parts for field in part.fields]
