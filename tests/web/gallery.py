"""Every page, rendered from made-up page models, so that it can be looked at and measured without an application.

``python -m tests.web.gallery`` serves it; ``python -m tests.web.gallery FOLDER [PAGE …]`` takes pictures of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tests.web.samples import TODAY, everything, frame
from xrm.web import pages
from xrm.web.assets import Assets, load
from xrm.web.render import Renderer
from xrm.web.security import ASSET_HEADERS, PAGE_HEADERS

OPTIONS = (
    b'<li role="option" data-value="a" data-label="Amira Haddad"><bdi>Amira Haddad</bdi><small>14 Harbour Street</small></li>'
    b'<li role="option" data-value="b" data-label="Youssef Haddad"><bdi>Youssef Haddad</bdi></li>'
)


class Gallery:
    """Renders any page by name: ``/list?theme=dark&density=compact&locale=ar``."""

    def __init__(self) -> None:
        self.assets: Assets = load()
        self.renderer = Renderer(self.assets)

    def html(self, name: str, theme: str = "system", density: str = "comfortable", locale: str = "en-US", fragment: bool = False) -> str:
        look = pages.Look(theme, density)  # type: ignore[arg-type]
        around = replace(frame(name, look, locale), fragment=fragment)
        return self.renderer.page(everything(locale)[name], around, TODAY)


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """The gallery on a port of this machine, under the product's own headers; gives its address."""
    gallery = Gallery()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            self._answer(address.path, query)

        def _answer(self, path: str, query: dict[str, str]) -> None:
            if path.startswith("/static/"):
                asset = gallery.assets.files[path.removeprefix("/static/")]
                return self._send(asset.body, asset.kind, ASSET_HEADERS)
            name = {"/w/keys": "keys", "/w/me": "me", "/w/": "home", "/w/request": "list"}.get(path, path.strip("/"))
            if path.endswith("/peek"):
                name = "peek"
            if path.endswith("/options"):
                return self._send(OPTIONS, "text/html", PAGE_HEADERS)
            if name not in everything():
                return self._send(b"no such page", "text/plain", PAGE_HEADERS, 404)
            known = {key: value for key, value in query.items() if key in ("theme", "density", "locale")}
            html = gallery.html(name, **known, fragment=self.headers.get("HX-Request") == "true")
            return self._send(html.encode(), "text/html", PAGE_HEADERS)

        def _send(self, body: bytes, kind: str, headers: object, status: int = 200) -> None:
            self.send_response(status)
            for name, value in dict(headers).items():  # type: ignore[call-overload]
                self.send_header(name, value)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def pictures(folder: Path, only: tuple[str, ...] = ()) -> None:
    """Light, dark, 320 px, right-to-left and print of every page."""
    from playwright.sync_api import sync_playwright

    from tests.support.browser import FLAGS, find_chromium

    folder.mkdir(parents=True, exist_ok=True)
    with serving() as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for name in only or everything():
            for style, options, query in (
                ("light", {"viewport": {"width": 1440, "height": 900}}, ""),
                ("dark", {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}, "&density=compact"),
                ("phone", {"viewport": {"width": 320, "height": 640}}, ""),
                ("rtl", {"viewport": {"width": 1440, "height": 900}}, "&locale=ar"),
            ):
                context = chromium.new_context(**options)  # type: ignore[arg-type]
                page = context.new_page()
                page.goto(f"{url}/{name}?{query}")
                page.screenshot(path=folder / f"{name}-{style}.png", full_page=not name.startswith("list"))
                context.close()
        chromium.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        pictures(Path(sys.argv[1]), tuple(sys.argv[2:]))
    else:
        with serving(8322) as address:
            input(f"{address}/list  pages: {', '.join(everything())}. Enter stops it. ")
