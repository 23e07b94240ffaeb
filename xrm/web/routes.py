"""The routes of the staff pages. Each does its work in one database thread and sends one answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from xrm.errors import NotFound, Problem, XrmError
from xrm.model.rows import rows_of
from xrm.service import files, serving
from xrm.service.context import Service
from xrm.service.hooks import page_context
from xrm.service.records import Written
from xrm.service.sessions import SESSION_LIFE, issue, revoke
from xrm.web import pages, row_forms, writing
from xrm.web import visit as visits
from xrm.web.lists import list_page
from xrm.web.mirror import Mirror
from xrm.web.personal import change_password, keep_look, preferences_page
from xrm.web.record import find_any, peek_page, print_page, record_page
from xrm.web.screens import Screen
from xrm.web.search import home_page, only_hit, options, search_page
from xrm.web.security import HEADERS, PAGE_HEADERS
from xrm.web.site import Desk, Endpoint, Outside, Site
from xrm.web.typed import posted
from xrm.web.visit import see_other

log = logging.getLogger("xrm.web")
DONE = {"created": "Created.", "saved": "Saved.", "restored": "Restored.", "look": "Your preferences are kept.",
        "password": "Your password is changed. Other sessions have ended."}  # fmt: skip


def routes(service: Service) -> list[Route]:
    """The routes of the staff pages of a service."""
    site = Site(service)
    signed = partial(Endpoint, site)
    record = "/w/{entity}/{id}"
    return [
        Route("/static/{name:path}", site.static),
        Route("/", to_home),
        Route("/w", to_home),
        Route("/w/sign-in", Outside(site)),
        Route("/w/sign-out", signed(post=sign_out)),
        Route("/w/", signed(get=home)),
        Route("/w/search", signed(get=search)),
        Route("/w/me", signed(get=preferences, post=save_look)),
        Route("/w/me/password", signed(get=preferences, post=save_password)),
        Route("/w/keys", signed(get=keys)),
        Route("/w/x/{path:path}", signed(get=plugin)),
        Route("/w/{entity}", signed(get=list_)),
        Route("/w/{entity}/new", signed(get=new, post=create)),
        Route("/w/{entity}/options", signed(get=option_list)),
        Route("/w/{entity}/new/mirror", signed(post=mirror_new, asks=True)),
        Route(f"{record}/edit/mirror", signed(post=mirror_edit, asks=True)),
        Route(f"{record}/move/{{move}}/mirror", signed(post=mirror_move, asks=True)),
        Route(record, signed(get=show)),
        Route(f"{record}/print", signed(get=on_paper)),
        Route(f"{record}/peek", signed(get=peek)),
        Route(f"{record}/edit", signed(get=edit, post=save)),
        Route(f"{record}/move/{{move}}", signed(get=move, post=make_move)),
        Route(f"{record}/files/{{field}}/{{hash}}", signed(get=file)),
        Route(f"{record}/delete", signed(get=ask_delete, post=delete)),
        Route(f"{record}/restore", signed(get=ask_restore, post=restore)),
        Route("/w/{rest:path}", signed(get=nowhere)),
    ]


async def to_home(request: Request) -> Response:
    return Response(status_code=307, headers={**HEADERS, "location": "/w/"})


def sign_out(desk: Desk) -> Response:
    revoke(desk.ctx.service, desk.visit.session)
    return visits.signed_out(desk.visit, see_other(desk.visit, "/w/sign-in?ended=yes"))


# -------------------------------------------------------------- pages of no entity


def home(desk: Desk) -> Response:
    return desk.show(home_page(desk.ctx, desk.screens), here="home")


def search(desk: Desk) -> Response:
    page = search_page(desk.ctx, desk.screens, desk.visit.given.get("q", "").strip()[:200])
    one = only_hit(page)
    return see_other(desk.visit, one) if one else desk.show(page, here="search")


def keys(desk: Desk) -> Response:
    return desk.show(pages.KeysPage("Keyboard shortcuts"), here="keys")


def nowhere(desk: Desk) -> Response:
    raise NotFound(Problem("XRM506", "there is no such page"))


def plugin(desk: Desk) -> Response:
    """A plugin's own page, in the frame. What it returns is HTML that the plugin answers for: plugins are trusted."""
    path = desk.visit.params["path"]
    route = desk.screens.routes.get(path)
    if route is None:
        raise NotFound(Problem("XRM506", "there is no such page"))
    try:
        body = Markup(route.page(page_context(desk.ctx, desk.visit.given)))  # noqa: S704
    except XrmError:
        raise
    except Exception as error:
        log.exception("a plugin's page failed: %s", path)
        raise XrmError(Problem("XRM703", "this page of a plugin failed", hint="its author can find the reason in the log")) from error
    return desk.show(pages.PluginPage(route.label, route.label, body), here=f"x/{path}")


def preferences(desk: Desk) -> Response:
    page = preferences_page(desk.ctx.service.application.model, desk.ctx.actor)
    return desk.show(page, here="me", notice=_done(desk))


def save_look(desk: Desk) -> Response:
    _fresh(desk)
    keep_look(desk.ctx, desk.visit.sent)
    return see_other(desk.visit, "/w/me?done=look")


def save_password(desk: Desk) -> Response:
    _fresh(desk)
    service, actor = desk.ctx.service, desk.ctx.actor
    problems = change_password(desk.ctx, desk.visit.sent)
    if problems:
        return desk.show(preferences_page(service.application.model, actor, problems), 422, here="me")
    token = issue(service, actor.id, "session", None, SESSION_LIFE).text
    return visits.signed_in(desk.visit, see_other(desk.visit, "/w/me?done=password"), token)


def _fresh(desk: Desk) -> None:
    """Raises XrmError (XRM516) for a form of another session."""
    if desk.form.get("token") == writing.STALE_TOKEN:
        raise XrmError(Problem("XRM516", "the form has expired", hint="open it again and send it once more"))


def _done(desk: Desk) -> pages.Notice | None:
    text = DONE.get(desk.visit.given.get("done", ""))
    return pages.Notice(text) if text else None


# ------------------------------------------------------------------------- reading


def list_(desk: Desk) -> Response:
    screen = desk.screen()
    page = list_page(desk.ctx, screen, desk.visit.given)
    return desk.show(page, 422 if page.filter_problem else 200, notice=_deleted(desk, screen))


def _deleted(desk: Desk, screen: Screen) -> pages.Notice | None:
    """After a delete the list offers to undo it."""
    id = desk.visit.given.get("deleted", "")
    if not id or not screen.policy.may("delete"):
        return None
    try:
        found = find_any(desk.ctx, screen, id)
    except NotFound:
        return None
    if not found.deleted:
        return None
    return pages.Notice(f"{found.name} is deleted.", undo=pages.Post("Undo", f"{screen.url}/{found.id}/restore"))


def option_list(desk: Desk) -> Response:
    given = desk.visit.given
    text = options(desk.ctx, desk.screens, desk.screen(), given.get("field", ""), given.get("q", "").strip()[:200], given)
    return visits.html(desk.visit, text)


def show(desk: Desk) -> Response:
    everything = desk.visit.given.get("changes") == "all"
    page = record_page(desk.ctx, desk.screens, desk.screen(), desk.id, all_changes=everything)
    return desk.show(page, notice=_moved(desk, page) or _warned(desk, page) or _done(desk))


def on_paper(desk: Desk) -> Response:
    return desk.show(print_page(desk.ctx, desk.screen(), desk.id))


def _warned(desk: Desk, page: pages.RecordPage) -> pages.Notice | None:
    """After a save, that there is something to look at; the record says what."""
    count = len(page.flags)
    done = {"created": "Created", "saved": "Saved"}.get(desk.visit.given.get("done", ""))
    return pages.Notice(f"{done}, with {count} warning{'' if count == 1 else 's'}.", "warn") if done and count else None


def _moved(desk: Desk, page: pages.RecordPage) -> pages.Notice | None:
    now = next((stage.label for stage in page.stages if stage.status == "now"), "")
    return pages.Notice(f"It is now in “{now}”.") if now and desk.visit.given.get("done") == "moved" else None


def file(desk: Desk) -> Response:
    """A file of a record: shown where a browser may, else saved; or the small image made of it."""
    params, asks = desk.visit.params, desk.visit.asks
    found = files.held(desk.ctx, params["entity"], desk.id, params["field"], params["hash"])
    if "thumbnail" in desk.visit.given:
        image = files.thumbnail(desk.ctx, found)
        kind = "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"
        return Response(image, headers={**HEADERS, "cache-control": "private, no-cache"}, media_type=kind)
    made = serving.served(found, asks)
    return StreamingResponse(serving.pieces(desk.ctx.service, made), made.status, dict(made.headers))


def peek(desk: Desk) -> Response:
    return desk.show(peek_page(desk.ctx, desk.screen(), desk.id))


# ------------------------------------------------------------------------- writing


def new(desk: Desk) -> Response:
    return desk.show(writing.new_form(desk.ctx, desk.screen(), desk.visit.given))


def create(desk: Desk) -> Response:
    return _after(desk, writing.do_new(desk.ctx, desk.screen(), desk.form), "created")


def edit(desk: Desk) -> Response:
    return desk.show(writing.edit_form(desk.ctx, desk.screen(), desk.id))


def save(desk: Desk) -> Response:
    return _after(desk, writing.do_edit(desk.ctx, desk.screen(), desk.id, desk.form), "saved")


def move(desk: Desk) -> Response:
    return desk.show(writing.move_form(desk.ctx, desk.screen(), desk.id, desk.visit.params["move"]))


def make_move(desk: Desk) -> Response:
    name = desk.visit.params["move"]
    return _after(desk, writing.do_move(desk.ctx, desk.screen(), desk.id, name, desk.form), "moved")


def ask_delete(desk: Desk) -> Response:
    return desk.show(writing.delete_form(desk.ctx, desk.screen(), desk.id))


def delete(desk: Desk) -> Response:
    outcome = writing.do_delete(desk.ctx, desk.screen(), desk.id, desk.form)
    if isinstance(outcome, writing.Refused):
        return desk.show(outcome.page, outcome.status)
    return see_other(desk.visit, f"{desk.screen().url}?deleted={outcome.id}")


def ask_restore(desk: Desk) -> Response:
    page = writing.restore_form(desk.ctx, desk.screen(), desk.id)
    return desk.show(page) if page else see_other(desk.visit, f"{desk.screen().url}/{desk.id}")


def restore(desk: Desk) -> Response:
    return _after(desk, writing.do_restore(desk.ctx, desk.screen(), desk.id, desk.form), "restored")


def mirror_new(desk: Desk) -> Response:
    screen = desk.screen()
    return _reflection(desk, screen, partial(writing.new_mirror, desk.ctx, screen))


def mirror_edit(desk: Desk) -> Response:
    screen = desk.screen()
    return _reflection(desk, screen, partial(writing.edit_mirror, desk.ctx, screen, desk.id))


def mirror_move(desk: Desk) -> Response:
    screen = desk.screen()
    return _reflection(desk, screen, partial(writing.move_mirror, desk.ctx, screen, desk.id, desk.visit.params["move"]))


def _reflection(desk: Desk, screen: Screen, ask: Callable[[Mapping[str, str]], Mirror]) -> Response:
    """What a form shows with what was typed into it. Nothing is written."""
    posts = ((one.name, posted(desk.visit.sent, one)) for one in screen.entity.fields.values() if one.name in screen.policy.editable)
    sent = {name: text for name, text in posts if text is not None}
    tables = (one for one in rows_of(screen.entity) if one.name in sent and not one.each)
    sent |= {one.name: row_forms.text_sent(desk.ctx, screen, one, desk.visit.sent) for one in tables}
    body = msgspec.json.encode(writing.reflected(screen, ask(sent)))
    return Response(body, headers=dict(PAGE_HEADERS), media_type="application/json")


def _after(desk: Desk, outcome: Written | writing.Refused, done: str) -> Response:
    """To the record that was written, or the page that says why it was not."""
    if isinstance(outcome, writing.Refused):
        return desk.show(outcome.page, outcome.status)
    return see_other(desk.visit, f"{desk.screen().url}/{outcome.id}?done={done}")
