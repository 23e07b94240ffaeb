"""The site: who is there, what their roles may see, and the frame around every page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xrm.errors import NotFound, Problem, XrmError
from xrm.service.context import Actor, Context, Service
from xrm.service.sessions import form_token, sign_in
from xrm.web import pages
from xrm.web import visit as visits
from xrm.web.assets import Assets
from xrm.web.cells import Tongue
from xrm.web.display import display
from xrm.web.failures import failure_page, reference, said, status_of
from xrm.web.personal import look_of
from xrm.web.render import renderer
from xrm.web.screens import Screen, Screens, screens
from xrm.web.security import ASSET_HEADERS, HEADERS
from xrm.web.uploads import staged
from xrm.web.visit import Visit, see_other, to_sign_in, visit

log = logging.getLogger("xrm.web")
MOST_SCREENS = 200


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
        self.renderer = renderer(service.application.model.brand)
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

    def __init__(self, site: Site, *, asks: bool = False, **methods: Work) -> None:
        """``asks``: a POST that writes nothing, so that it waits for no writer."""
        self._site = site
        self._asks = asks
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"].lower()
        work = self._methods.get("get" if method == "head" else method)
        if work is None:
            allowed = ", ".join(name.upper() for name in self._methods)
            response = Response(status_code=405, headers={**HEADERS, "allow": allowed})
        else:
            service = self._site.service
            asked = await visit(Request(scope, receive), service)
            if asked.files:
                asked = await service.database.run(partial(self._with_files, asked))
            carry_out = service.database.read if asked.reads or self._asks else service.run_write
            response = await carry_out(partial(self._answer, asked, work))
        await response(scope, receive, send)

    def _with_files(self, asked: Visit) -> Visit:
        """The form with its files kept: apart from the write that follows, since images take a moment to read."""
        service = self._site.service
        try:
            actor = visits.actor(service, asked)
            if actor is None or not visits.ours(asked):
                return asked
            entity = service.application.model.entities.get(asked.params.get("entity", ""))
            return replace(asked, sent=staged(service.acting(actor), entity, asked.files, asked.sent), files=())
        finally:
            for file in asked.files:
                file.draft.close()

    def _answer(self, asked: Visit, work: Work) -> Response:
        site, service = self._site, self._site.service
        actor: Actor | None = None
        try:
            actor = visits.actor(service, asked)
            if actor is None:
                return _unknown(site, asked)
            desk = Desk(service.acting(actor), asked, site.screens_of(actor), site)
            if asked.problem:
                raise XrmError(asked.problem)
            if asked.method == "POST" and not visits.ours(asked):
                raise XrmError(Problem("XRM516", "this form was sent from another site"))
            return work(desk)
        except XrmError as error:
            return _failed(site, asked, actor, *failure_page(error, record=_record_at(site, asked, actor)))
        except Exception:
            mark = reference()
            log.exception("a page failed; reference %s", mark)
            return _failed(site, asked, actor, *failure_page(None, mark))


def _record_at(site: Site, asked: Visit, actor: Actor | None) -> str:
    """The address of the record that a page is about, of an entity whose records the actor may read."""
    entity, id = asked.params.get("entity", ""), asked.params.get("id", "")
    return f"/w/{entity}/{quote(id)}" if id and actor and entity in site.screens_of(actor).by_entity else ""


def _unknown(site: Site, asked: Visit) -> Response:
    """Nobody is signed in: to the sign-in page, unless something was sent, which would be lost on the way."""
    if asked.reads:
        return to_sign_in(asked, ended=bool(asked.session))
    page = pages.ErrorPage(
        "Your session has ended", 401, "Nothing was saved.",
        "Sign in again in another tab, then go back to the form: what you typed is still there, and can be sent again.",
        link=pages.Link("Sign in", "/w/sign-in"),
    )  # fmt: skip
    return site.bare(asked, page, 401)


def _failed(site: Site, asked: Visit, actor: Actor | None, page: pages.ErrorPage, status: int) -> Response:
    if actor is None:
        return site.bare(asked, page, status)
    return Desk(site.service.acting(actor), asked, site.screens_of(actor), site).show(page, status)


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
        if asked.reads:
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
