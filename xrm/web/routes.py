"""The routes of the staff pages. Each reads its request, does its work in one database thread and sends one answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from xrm.errors import NotFound, Problem, XrmError
from xrm.service.context import SYSTEM_ACTOR, Actor, Context, Service
from xrm.service.hooks import page_context
from xrm.service.records import Written
from xrm.service.sessions import SESSION_LIFE, form_token, issue, revoke, sign_in
from xrm.web import pages, writing
from xrm.web import visit as visits
from xrm.web.assets import Assets
from xrm.web.cells import Tongue
from xrm.web.display import display
from xrm.web.failures import failure_page, reference, said, status_of
from xrm.web.lists import list_page
from xrm.web.personal import change_password, keep_look, look_of, preferences_page
from xrm.web.record import find_any, peek_page, record_page
from xrm.web.render import renderer
from xrm.web.screens import Screen, Screens, screens
from xrm.web.search import home_page, only_hit, options, search_page
from xrm.web.security import ASSET_HEADERS, HEADERS
from xrm.web.visit import Visit, see_other, to_sign_in, visit

log = logging.getLogger("xrm.web")
MOST_SCREENS = 200
DONE = {"created": "Created.", "saved": "Saved.", "restored": "Restored.", "look": "Your preferences are kept.",
        "password": "Your password is changed. Other sessions have ended."}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """One request at work: who asks, with what, and the screens of their roles."""

    ctx: Context
    visit: Visit
    screens: Screens
    site: Site

    def screen(self) -> Screen:
        """The entity of the path. Raises NotFound (XRM506)."""
        name = self.visit.params["entity"]
        found = self.screens.by_entity.get(name)
        if found is None:
            raise NotFound(Problem("XRM506", f"there is no entity '{name[:60]}'", path=("entity",)))
        return found

    @property
    def id(self) -> str:
        return self.visit.params["id"]

    @property
    def form(self) -> Mapping[str, str]:
        return visits.form_of(self.ctx.service, self.visit)

    def show(self, page: pages.Page, status: int = 200, here: str = "", notice: pages.Notice | None = None) -> Response:
        frame = self.site.frame(self.ctx.actor, self.visit, self.screens, here or self.visit.params.get("entity", ""), notice)
        return visits.html(self.visit, self.site.renderer.page(page, frame, self.ctx.moment.today), status)


Work = Callable[[Desk], Response]


class Site:
    """The pages of one service: templates, assets, and the screens of each set of roles, made once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.renderer = renderer()
        self.assets: Assets = self.renderer.assets
        self._screens: dict[tuple[frozenset[str], str], Screens] = {}

    @property
    def label(self) -> str:
        model = self.service.application.model
        return model.words(model.label)

    def screens_of(self, actor: Actor) -> Screens:
        model = self.service.application.model
        key = (actor.roles, actor.preferences.get("locale") or model.locale)
        found = self._screens.get(key)
        if found is None:
            if len(self._screens) >= MOST_SCREENS:
                self._screens.pop(next(iter(self._screens)), None)
            tongue = Tongue(model, key[1], display(key[1], model.timezone))
            found = screens(tongue, self.service.application.policies(actor.roles), self.service.plugins.routes)
            self._screens[key] = found
        return found

    def frame(self, actor: Actor, visit: Visit, screens: Screens, here: str, notice: pages.Notice | None) -> pages.Frame:
        words = screens.tongue.display
        token = form_token(self.service, visit.session)
        return pages.Frame(
            self.label, words.locale, words.direction, words.zone.key, screens.navigation, actor.label, token,
            look_of(actor), here, notice, visit.fragment,
        )  # fmt: skip

    def bare(self, visit: Visit, page: pages.Page, status: int = 200) -> Response:
        """A page for somebody who is not signed in."""
        model, service = self.service.application.model, self.service
        words = display(model.locale, model.timezone)
        frame = pages.Frame(self.label, words.locale, words.direction, words.zone.key, NOWHERE, "", "")
        return visits.html(visit, self.renderer.page(page, frame, words.today(service.clock())), status)

    def routes(self) -> list[Route]:
        signed = partial(Endpoint, self)
        record = "/w/{entity}/{id}"
        return [
            Route("/static/{name:path}", self.static),
            Route("/", lambda request: Response(status_code=307, headers={"location": "/w/"})),
            Route("/w", lambda request: Response(status_code=307, headers={"location": "/w/"})),
            Route("/w/sign-in", Outside(self)),
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
            Route(record, signed(get=show)),
            Route(f"{record}/peek", signed(get=peek)),
            Route(f"{record}/edit", signed(get=edit, post=save)),
            Route(f"{record}/move/{{move}}", signed(get=move, post=make_move)),
            Route(f"{record}/delete", signed(get=ask_delete, post=delete)),
            Route(f"{record}/restore", signed(get=ask_restore, post=restore)),
            Route("/w/{rest:path}", signed(get=nowhere)),
        ]

    async def static(self, request: Request) -> Response:
        asset = self.assets.files.get(request.path_params["name"])
        if asset is None:
            return Response("there is no such file", 404, dict(HEADERS), media_type="text/plain")
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(asset.body, headers=dict(ASSET_HEADERS), media_type=asset.kind)
        headers = {**ASSET_HEADERS, "content-encoding": "gzip", "vary": "Accept-Encoding"}
        return Response(asset.packed, headers=headers, media_type=asset.kind)


NOWHERE = pages.Navigation(())


class Endpoint:
    """A page for people who are signed in, as an ASGI application: a function for each method."""

    def __init__(self, site: Site, **methods: Work) -> None:
        self._site = site
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"].lower()
        work = self._methods.get("get" if method == "head" else method)
        if work is None:
            allowed = ", ".join(name.upper() for name in self._methods)
            response = Response(status_code=405, headers={**HEADERS, "allow": allowed})
        else:
            asked = await visit(Request(scope, receive))
            response = await self._site.service.database.run(partial(self._answer, asked, work))
        await response(scope, receive, send)

    def _answer(self, asked: Visit, work: Work) -> Response:
        site, service = self._site, self._site.service
        actor: Actor | None = None
        try:
            actor = visits.actor(service, asked)
            if actor is None:
                return _unknown(site, asked)
            desk = Desk(service.acting(actor), asked, site.screens_of(actor), site)
            if asked.method == "POST" and not visits.ours(asked):
                raise XrmError(Problem("XRM516", "this form was sent from another site"))
            return work(desk)
        except XrmError as error:
            return _failed(site, asked, actor, *failure_page(error))
        except Exception:
            mark = reference()
            log.exception("a page failed; reference %s", mark)
            return _failed(site, asked, actor, *failure_page(None, mark))


def _unknown(site: Site, asked: Visit) -> Response:
    """Nobody is signed in: to the sign-in page, unless something was sent, which would be lost on the way."""
    if asked.method == "GET":
        return to_sign_in(asked, ended=bool(asked.session))
    page = pages.ErrorPage(
        "Your session has ended", 401, "Nothing was saved.",
        "Sign in again in another tab, then go back to the form: what you typed is still there, and can be sent again.",
        link=pages.Link("Sign in", "/w/sign-in"),
    )  # fmt: skip
    return site.bare(asked, page, 401)


def _failed(site: Site, asked: Visit, actor: Actor | None, page: pages.ErrorPage, status: int) -> Response:
    if actor is None or actor is SYSTEM_ACTOR:
        return site.bare(asked, page, status)
    return Desk(site.service.acting(actor), asked, site.screens_of(actor), site).show(page, status)


# ------------------------------------------------------------------------ sign-in


class Outside:
    """The sign-in page, the one page for people who are not signed in."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await visit(Request(scope, receive))
        response = await self._site.service.database.run(partial(self._answer, asked))
        await response(scope, receive, send)

    def _answer(self, asked: Visit) -> Response:
        given = asked.sent if asked.method == "POST" else asked.given
        then = visits.local_path(given.get("then", ""))
        if asked.method != "POST":
            return self._site.bare(asked, pages.SignInPage("Sign in", then=then, ended="ended" in given))
        name, service = given.get("name", ""), self._site.service
        try:
            if not visits.ours(asked):
                raise XrmError(Problem("XRM516", "this form was sent from another site"))
            token = sign_in(service, name, given.get("password", "")).text
        except XrmError as error:
            problem = error.problems[0]
            return self._site.bare(asked, pages.SignInPage("Error: Sign in", name, said(problem), then), status_of(error))
        return visits.signed_in(asked, see_other(asked, then), token)


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
    text = options(desk.ctx, desk.screens, desk.screen(), given.get("field", ""), given.get("q", "").strip()[:200])
    return visits.html(desk.visit, text)


def show(desk: Desk) -> Response:
    everything = desk.visit.given.get("changes") == "all"
    page = record_page(desk.ctx, desk.screens, desk.screen(), desk.id, all_changes=everything)
    return desk.show(page, notice=_moved(desk, page) or _done(desk))


def _moved(desk: Desk, page: pages.RecordPage) -> pages.Notice | None:
    now = next((stage.label for stage in page.stages if stage.status == "now"), "")
    return pages.Notice(f"It is now in “{now}”.") if now and desk.visit.given.get("done") == "moved" else None


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


def _after(desk: Desk, outcome: Written | writing.Refused, done: str) -> Response:
    """To the record that was written, or the page that says why it was not."""
    if isinstance(outcome, writing.Refused):
        return desk.show(outcome.page, outcome.status)
    return see_other(desk.visit, f"{desk.screen().url}/{outcome.id}?done={done}")


def routes(service: Service) -> Iterable[Route]:
    """The routes of the staff pages of a service."""
    return Site(service).routes()
