"""Pages that write: create, edit, move, delete, restore, and choosing what to keep when somebody else saved first.

Each ``…_form`` gives the page to fill in; each ``do_…`` writes what was sent. A write that is refused gives the same page
again, filled in as it was sent, with every reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from xrm.compile.constraints import Mirrored, value_paths
from xrm.compile.dependencies import expressions
from xrm.errors import Invalid, NotFound, Problem, Stale
from xrm.model.fields import Field
from xrm.service import deleting, records
from xrm.service.context import Context
from xrm.service.files import opened
from xrm.service.keys import given
from xrm.service.moves import Move, moves
from xrm.service.policy import may
from xrm.service.reading import HistoryEntry, history
from xrm.service.records import Written
from xrm.web import forms, pages, row_forms
from xrm.web.forms import Filled
from xrm.web.mirror import Mirror, mirror
from xrm.web.record import Found, crumbs, find, find_any, stage_labels, url
from xrm.web.related import Titles
from xrm.web.screens import FormPart, Screen, fields_of, form_parts
from xrm.web.timeline import rows_before, shown, stored_value
from xrm.web.typed import editable

Sent = Mapping[str, str]
NO_ROW: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Refused:
    """What was sent cannot be written: the page that says so, and its HTTP status. 200: a button in a table of rows was
    pressed, which only changes the form."""

    page: pages.FormPage | pages.ConfirmPage | pages.ConflictPage
    status: int = 422

    @staticmethod
    def form(page: pages.FormPage, problems: Sequence[Problem]) -> Refused:
        """The form again. A file that is too large has a status of its own (RFC 9110, section 15.5.14)."""
        return Refused(page, 413 if any(problem.code == "XRM521" for problem in problems) else 422)


# ------------------------------------------------------------------------- create


def new_form(ctx: Context, screen: Screen, given: Sent, problems: Sequence[Problem] = (), sent: Filled | None = None) -> pages.FormPage:
    """Raises Forbidden (XRM507) for who may create none. ``given``: values that the address brings (``?request=…``)."""
    may(ctx, screen.entity.name, "create")
    fields = form_parts(screen, creating=True, state=None)
    every = fields_of(fields)
    start = _defaults(ctx, screen, every)
    brought = {one.name: given[one.name] for one in every if one.name in given}
    filled = sent or replace(start, texts={**start.texts, **brought})
    filled = replace(filled, ruled=frozenset(one.name for one in every if _by_rule(one)))
    shown = new_mirror(ctx, screen, filled.texts)
    title = f"New {screen.label[:1].lower()}{screen.label[1:]}"
    return _form(
        ctx, screen, fields, filled, problems, title, f"{screen.url}/new", f"Create {screen.label.lower()}", screen.url, crumbs(screen),
        shown,
    )  # fmt: skip


def new_mirror(ctx: Context, screen: Screen, texts: Sent) -> Mirror:
    """Raises Forbidden (XRM507) for who may create none."""
    may(ctx, screen.entity.name, "create")
    fields = fields_of(form_parts(screen, creating=True, state=None))
    lifecycle = screen.entity.lifecycle
    row: dict[str, object] = {
        **ctx.entity(screen.entity.name).blank,
        "open": True,
        **({"state": lifecycle.initial.name} if lifecycle else {}),
    }
    return mirror(
        ctx, screen.entity.name, fields, row, forms.values(screen, _of(fields, texts)), new=True, tables=_tables(screen, fields, texts)
    )


def edit_mirror(ctx: Context, screen: Screen, id: str, texts: Sent) -> Mirror:
    """Raises NotFound or Forbidden."""
    may(ctx, screen.entity.name, "update")
    found = find(ctx, screen, id)
    fields = fields_of(_editable(screen, found))
    tables = _tables(screen, fields, texts, found.row)
    return mirror(ctx, screen.entity.name, fields, found.row, forms.values(screen, _of(fields, texts)), tables=tables)


def move_mirror(ctx: Context, screen: Screen, id: str, name: str, texts: Sent) -> Mirror:
    """Raises NotFound or Invalid (XRM510)."""
    move, found = known_move(ctx, screen, id, name), find(ctx, screen, id)
    fields = _asked(screen, move)
    asks = ctx.entity(screen.entity.name).rules.moves[name].asks
    rules = {ask.field.name: Mirrored(show=ask.show, required=ask.required) for ask in asks}
    row = {**found.row, "state": move.target}
    return mirror(
        ctx,
        screen.entity.name,
        fields,
        row,
        forms.values(screen, _of(fields, texts)),
        asks=rules,
        tables=_tables(screen, fields, texts, row),
    )


def _of(fields: Iterable[Field], texts: Sent) -> Sent:
    return {one.name: texts[one.name] for one in fields if one.name in texts and one.kind.kept not in ("apart", "files")}


def _tables(
    screen: Screen, fields: Iterable[Field], texts: Sent, row: Mapping[str, object] = NO_ROW
) -> Mapping[str, list[dict[str, object]]]:
    """What stands in the tables of rows of a form, by field."""
    held = [one for one in fields if one.type == "rows" and not one.each and one.name in texts]
    return {one.name: row_forms.standing_values(screen, one, texts[one.name], row.get(one.name)) for one in held}


def _defaults(ctx: Context, screen: Screen, fields: Iterable[Field]) -> Filled:
    """Defaults that need nothing else are shown; the others are filled in when the record is made."""
    rules = ctx.service.application.entities[screen.entity.name].rules
    connection = ctx.service.database.connection
    row = {one.name: given(ctx, connection, one, closure({}, ctx.moment)) for one, closure in rules.defaults if not _by_rule(one)}
    return forms.filled_from(screen, fields, row)


def _by_rule(one: Field) -> bool:
    """Whether the default follows from other fields, so that it is not known before they are filled in."""
    asks = any(part.checked.gathered for part in expressions(one.default))
    return asks or any(path.partition(".")[0] != "actor" for path in value_paths(one.default))


def do_new(ctx: Context, screen: Screen, form: Sent) -> Written | Refused:
    fields = fields_of(form_parts(screen, creating=True, state=None))
    sent = forms.filled_by(ctx, screen, fields, form)
    if table := forms.pressed(ctx, screen, fields, form, sent):
        return Refused(new_form(ctx, screen, {}, (), table), 200)
    problems = sent.problems or _token_problem(form)
    if not problems:
        shown_before = _defaults(ctx, screen, fields).texts
        given = {name: text for name, text in sent.texts.items() if text or shown_before.get(name)}
        try:
            return records.create(ctx, screen.entity.name, forms.values(screen, given))
        except Invalid as error:
            problems = error.problems
    return Refused.form(new_form(ctx, screen, {}, problems, replace(sent, problems=tuple(problems))), problems)


# --------------------------------------------------------------------------- edit


def edit_form(ctx: Context, screen: Screen, id: str, problems: Sequence[Problem] = (), sent: Filled | None = None) -> pages.FormPage:
    """Raises NotFound or Forbidden."""
    may(ctx, screen.entity.name, "update")
    found = find(ctx, screen, id)
    fields = _editable(screen, found)
    now = forms.filled_from(screen, fields_of(fields), found.row)
    filled = sent.over(now) if sent else now
    here = url(screen, found)
    shown = edit_mirror(ctx, screen, id, filled.texts)
    page = _form(ctx, screen, fields, filled, problems, f"Edit {found.name}", f"{here}/edit", "Save", here, crumbs(screen, found), shown)
    return replace(page, hidden=(("version", found.version),))


def _editable(screen: Screen, found: Found) -> tuple[FormPart, ...]:
    state = found.row.get("state")
    return form_parts(screen, creating=False, state=str(state) if state is not None else None)


def do_edit(ctx: Context, screen: Screen, id: str, form: Sent) -> Written | Refused:
    """Only what differs from the record is written, so that two people may edit different fields."""
    found = find(ctx, screen, id)
    fields = fields_of(_editable(screen, found))
    kept = {name: text for name, text in form.items() if form.get(f"keep.{name.partition('.')[0]}") != "theirs"}
    sent = forms.filled_by(ctx, screen, fields, kept)
    if table := forms.pressed(ctx, screen, fields, form, sent):
        page = edit_form(ctx, screen, id, (), table)
        return Refused(replace(page, hidden=(("version", form.get("version", found.version)),)), 200)
    problems = sent.problems or _token_problem(form)
    version = int(form["version"]) if form.get("version", "").isdecimal() else None
    if not problems:
        if version is not None and version < int(found.version):
            return Refused(conflict_page(ctx, screen, found, version, fields, sent), 412)
        now = forms.filled_from(screen, fields, found.row)
        try:
            values = forms.values(screen, forms.changed(screen, now, sent), now.texts)
            return records.update(ctx, screen.entity.name, id, int(found.version), values)
        except Stale:
            return Refused(conflict_page(ctx, screen, find(ctx, screen, id), int(found.version), fields, sent), 412)
        except Invalid as error:
            problems = error.problems
    page = edit_form(ctx, screen, id, problems, replace(sent, problems=tuple(problems)))
    return Refused.form(replace(page, hidden=(("version", form.get("version", found.version)),)), problems)


# ----------------------------------------------------------------------- conflict


def conflict_page(
    ctx: Context, screen: Screen, found: Found, version: int, fields: Sequence[Field], sent: Filled, action: str = "edit"
) -> pages.ConflictPage:
    """What both changed stands side by side; nothing that was typed is lost. ``action``: what was sent, an edit or a move."""
    since = [entry for entry in history(ctx, screen.entity.name, found.id) if entry.version > version]
    titles = Titles(ctx)
    texts = _texts_before(screen, fields, found, since)
    now = forms.filled_from(screen, fields, found.row).texts
    mine = {name: text for name, text in sent.texts.items() if text != texts[name]}
    theirs = {name for name in now if now[name] != texts[name]}
    both = {name: text for name in mine if name in theirs and (text := row_forms.together(screen, name, texts, now, mine)) is not None}
    clashing = [name for name in mine if name in theirs and mine[name] != now[name] and name not in both]

    def words(name: str, text: str) -> str:
        if screen.entity.fields[name].kind.kept == "files":
            return _file_words(ctx, name, text, found, since)
        return _in_words(screen, titles, name, text)

    carried = [(name, both.get(name, mine[name])) for name in mine]
    heading = f"Choose what to keep: {found.name}"
    return pages.ConflictPage(
        title=heading,
        heading=heading,
        action=f"{url(screen, found)}/{action}",
        cancel=url(screen, found),
        by=since[0].actor if since else "Somebody",
        at=since[0].at if since else ctx.moment.now,
        time=screen.tongue.display.instant(since[0].at if since else ctx.moment.now),
        clashes=tuple(
            pages.Clash(name, screen.words(name), words(name, texts[name]), words(name, now[name]), words(name, mine[name]))
            for name in clashing
        ),
        kept=tuple(pages.Change(screen.words(n), words(n, texts[n]), words(n, mine[n])) for n in mine if n not in theirs or n in both),
        theirs=tuple(pages.Change(screen.words(n), words(n, texts[n]), words(n, now[n])) for n in now if n in theirs and n not in clashing),
        crumbs=crumbs(screen, found),
        hidden=(("version", found.version), *carried),
    )


def _texts_before(screen: Screen, fields: Sequence[Field], found: Found, since: Sequence[HistoryEntry]) -> dict[str, str]:
    """The texts of the inputs as they were at the version that the person saw: later changes undone, newest first."""
    row = dict(found.row)
    for entry in since:
        for name, (before, _) in entry.fields.items():
            field = screen.entity.field(name)
            if field is not None and field.type == "rows":
                row[name] = rows_before(screen, field, row[name], entry.fields[name])
            else:
                row[name] = None if before is None else stored_value(screen, name, before)
    return dict(forms.filled_from(screen, fields, row).texts)


def _file_words(ctx: Context, name: str, text: str, found: Found, since: Sequence[HistoryEntry]) -> str:
    """The names of files: of those that the record has or had since, and of uploads that wait."""
    known: dict[str, str] = {}
    for files in (found.row.get(name), *(side for entry in since for side in entry.fields.get(name, ()))):
        known |= {file["hash"]: file["name"] for file in files or () if isinstance(files, (list, tuple))}
    waiting = {item: opened(ctx, item) for item in text.split() if item not in known}
    return ", ".join(known.get(item) or (waiting[item] or {}).get("name", "a file that is gone") for item in text.split())


def _in_words(screen: Screen, titles: Titles, name: str, text: str) -> str:
    """The text of an input as people read its value."""
    if not text:
        return ""
    values = forms.values(screen, {name: text})
    return shown(screen, titles, name, values[name])


# --------------------------------------------------------------------------- move


def known_move(ctx: Context, screen: Screen, id: str, name: str) -> Move:
    """Raises NotFound for one that does not exist, Invalid (XRM510) with the reasons why it is not possible now."""
    move = next((move for move in moves(ctx, screen.entity.name, id) if move.name == name), None)
    if move is None:
        if screen.entity.lifecycle and name in screen.entity.lifecycle.transitions:
            raise Invalid(Problem("XRM510", "this step does not lead on from the state that the record is in", path=("transition",)))
        raise NotFound(Problem("XRM506", f"there is no step '{name[:60]}'", path=("transition",)))
    if not move.allowed:
        raise Invalid(*(Problem("XRM510", reason, path=("transition",)) for reason in move.reasons))
    return move


def move_form(
    ctx: Context, screen: Screen, id: str, name: str, problems: Sequence[Problem] = (), sent: Filled | None = None
) -> pages.FormPage:
    """Raises NotFound or Invalid (XRM510)."""
    move, found = known_move(ctx, screen, id, name), find(ctx, screen, id)
    fields = _asked(screen, move)
    now = forms.filled_from(screen, fields, found.row)
    filled = sent.over(now) if sent else now
    before, after = stage_labels(screen, found.row, move.target)
    here = url(screen, found)
    parts = (FormPart("", tuple(fields)),) if fields else ()
    page = _form(
        ctx, screen, parts, filled, problems, f"{move.label}: {found.name}", f"{here}/move/{name}", move.label,
        here, crumbs(screen, found), move_mirror(ctx, screen, id, name, filled.texts),
    )  # fmt: skip
    intro = f"{found.heading} goes from “{before}” to “{after}”."
    return replace(page, heading=move.label, intro=intro, hidden=(("version", found.version),), guard=bool(fields))


def _asked(screen: Screen, move: Move) -> list[Field]:
    return [screen.entity.fields[ask.field] for ask in move.ask if ask.field in screen.policy.visible]


def do_move(ctx: Context, screen: Screen, id: str, name: str, form: Sent) -> Written | Refused:
    move, found = known_move(ctx, screen, id, name), find(ctx, screen, id)
    fields = _asked(screen, move)
    kept = {field: text for field, text in form.items() if form.get(f"keep.{field.partition('.')[0]}") != "theirs"}
    sent = forms.filled_by(ctx, screen, fields, kept)
    if table := forms.pressed(ctx, screen, fields, form, sent):
        return Refused(move_form(ctx, screen, id, name, (), table), 200)
    problems = sent.problems or _token_problem(form)
    version = int(form["version"]) if form.get("version", "").isdecimal() else int(found.version)
    if not problems:
        try:
            now = forms.filled_from(screen, fields, found.row)
            values = forms.values(screen, forms.changed(screen, now, sent), now.texts)
            return records.transition(ctx, screen.entity.name, id, version, name, values)
        except Stale:
            return Refused(conflict_page(ctx, screen, find(ctx, screen, id), version, fields, sent, f"move/{name}"), 412)
        except Invalid as error:
            problems = error.problems
    return Refused.form(move_form(ctx, screen, id, name, problems, replace(sent, problems=tuple(problems))), problems)


# ------------------------------------------------------------------ delete, restore


def delete_form(ctx: Context, screen: Screen, id: str, problems: Sequence[Problem] = ()) -> pages.ConfirmPage:
    """Raises NotFound or Forbidden."""
    may(ctx, screen.entity.name, "delete")
    found = find(ctx, screen, id)
    title = f"Delete {found.name}?"
    known = deleting.preview(ctx, screen.entity.name, id)
    text = f"{found.heading} will be out of lists, search and counts. Its history is kept, and it can be restored."
    return pages.ConfirmPage(
        title=f"Error: {title}" if problems else title,
        heading=title,
        text=f"{found.heading} cannot be deleted now." if known.refusals else text,
        action=f"{url(screen, found)}/delete",
        submit="Delete",
        cancel=url(screen, found),
        crumbs=crumbs(screen, found),
        hidden=(("version", found.version),),
        troubles=forms.troubles(screen, problems or known.refusals, ()),
        danger=True,
        effects=tuple(_effects(screen, known)),
        blocked=bool(known.refusals),
    )


def _effects(screen: Screen, known: deleting.Preview) -> Iterable[pages.Effect]:
    """What goes along with a record, and which links to it are emptied."""
    for group in (group for group in known.gone if group.count):
        yield _effect(screen, group, f"{_many(screen, group)} will be deleted with it:")
    for group in known.cleared:
        label = screen.tongue.words(screen.tongue.application.entities[group.entity].fields[group.field or ""].label)
        yield _effect(screen, group, f"{_many(screen, group)} will no longer name it as {label}:")


def _many(screen: Screen, group: deleting.Group) -> str:
    entity = screen.tongue.application.entities[group.entity]
    noun = screen.tongue.words(entity.label if group.count == 1 else entity.plural)
    return f"{screen.tongue.display.number(group.count, 0)} {noun[:1].lower()}{noun[1:]}"


def _effect(screen: Screen, group: deleting.Group, text: str) -> pages.Effect:
    links = tuple(pages.Link(title, screen.tongue.url(group.entity, id)) for id, title in group.examples)
    rest = group.count - len(links)
    return pages.Effect(text, links, f"and {screen.tongue.display.number(rest, 0)} more" if rest else "")


def do_delete(ctx: Context, screen: Screen, id: str, form: Sent) -> Written | Refused:
    version = int(form["version"]) if form.get("version", "").isdecimal() else None
    problems = _token_problem(form)
    if not problems:
        try:
            return records.delete(ctx, screen.entity.name, id, version)
        except Stale:
            problems = (Problem("XRM508", "somebody has changed this record since you opened this page"),)
        except Invalid as error:
            problems = error.problems
    return Refused(delete_form(ctx, screen, id, problems), 409)


def restore_form(ctx: Context, screen: Screen, id: str) -> pages.ConfirmPage | None:
    """None for a record that is not deleted. Raises NotFound."""
    found = find_any(ctx, screen, id)
    if not found.deleted:
        return None
    title = f"Restore {found.name}?"
    return pages.ConfirmPage(
        title, title, f"{found.heading} will be in lists and search again.", f"{url(screen, found)}/restore", "Restore", screen.url,
        crumbs(screen), (("version", found.version),),
    )  # fmt: skip


def do_restore(ctx: Context, screen: Screen, id: str, form: Sent) -> Written | Refused:
    page = restore_form(ctx, screen, id)
    if page and (problems := _token_problem(form)):
        return Refused(replace(page, troubles=forms.troubles(screen, problems, ())))
    return records.restore(ctx, screen.entity.name, id, None)


# ------------------------------------------------------------------------- shared


def _form(
    ctx: Context,
    screen: Screen,
    fields: Sequence[FormPart],
    filled: Filled,
    problems: Sequence[Problem],
    title: str,
    action: str,
    submit: str,
    cancel: str,
    way: tuple[pages.Link, ...],
    shown: Mirror,
) -> pages.FormPage:
    made = forms.sections(ctx, screen, fields, filled, shown)
    computed = shown.computed if shown.asked else {}
    return pages.FormPage(
        title=f"Error: {title}" if problems else title,
        heading=title,
        action=action,
        submit=submit,
        cancel=cancel,
        crumbs=way,
        sections=made,
        troubles=forms.troubles(screen, problems, forms.names(made)),
        mirror=f"{action}/mirror" if shown.asked or shown.rows else "",
        previews=tuple((name, screen.words(name), screen.text(name, value)) for name, value in computed.items()),
    )


def reflected(screen: Screen, shown: Mirror) -> Mapping[str, object]:
    """What a form is told after a change (JSON): the state of each of its fields, and the values that follow, as text."""
    display = screen.tongue.display
    return {
        "fields": {
            name: {
                "applies": name not in shown.out,
                "must": name in shown.must and name not in shown.defaults,
                "fixed": name in shown.fixed,
                "closed": sorted(shown.closed.get(name, ())),
            }
            for name in screen.entity.fields
            if name in screen.policy.editable
        }
        | _reflected_rows(screen, shown),
        "computed": {name: screen.text(name, value) for name, value in shown.computed.items()},
        "defaults": {name: editable(display, screen.entity.fields[name], value) for name, value in shown.defaults.items()},
    }


def _reflected_rows(screen: Screen, shown: Mirror) -> dict[str, dict[str, object]]:
    """The state of every input in tables of rows, by its name (``lines.0.item``)."""
    return {
        f"{holder}.{n}.{one.name}": {
            "applies": one.name not in row.out,
            "must": one.name in row.must,
            "fixed": one.name in row.fixed,
            "closed": sorted(row.closed.get(one.name, ())),
        }
        for holder, rows in shown.rows.items()
        for n, row in enumerate(rows)
        for one in row_forms.inputs(screen, screen.entity.fields[holder])
    }


def _token_problem(form: Sent) -> tuple[Problem, ...]:
    """A form whose token has run out comes back as it was, with a new one; nothing is written."""
    if form.get("token") == STALE_TOKEN:
        return (Problem("XRM516", "you have signed in again since this form was opened: look it over and send it once more"),)
    return ()


STALE_TOKEN = "stale"  # noqa: S105 - a mark, not a secret
"""What the routes put in place of a form token that does not fit the session."""
