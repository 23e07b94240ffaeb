"""The browser that the page tests stand on: what it watches for, under the product's own strict policy."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import PageWatch, axe, watched_page

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
GOOD = "<!doctype html><html lang=en><title>Good</title><main><h1>Good</h1><p>Text</p></main>"
PAGES = {
    "/good": GOOD,
    "/nameless": GOOD.replace("<p>Text</p>", "<p><input></p>"),
    "/inline": GOOD + "<script>document.title = 'ran'</script>",
    "/throws": GOOD + "<script src=/throws.js></script>",
    "/favicon.ico": "",
    "/throws.js": "throw new Error('on purpose')",
    "/lost": GOOD + "<img src=/nowhere.png alt=''>",
    "/elsewhere": GOOD + "<link rel=stylesheet href=https://elsewhere.invalid/a.css>",
}


class Site(BaseHTTPRequestHandler):
    """Serves PAGES under POLICY."""

    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("content-type", "text/javascript" if self.path.endswith(".js") else "text/html; charset=utf-8")
        self.send_header("content-security-policy", POLICY)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
        """Says nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The base URL of the site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_good_page_passes(page: Page, site: str) -> None:
    """A page that does nothing wrong fails nothing, and axe, under a policy that forbids eval, finds nothing."""
    page.goto(f"{site}/good")
    assert axe(page) == []


def test_axe_names_what_is_wrong(page: Page, site: str) -> None:
    """A field without a name is reported with its rule and its markup, and not when one looks elsewhere."""
    page.goto(f"{site}/nameless")
    found = axe(page)
    assert [violation["id"] for violation in found] == ["label"]
    assert "<input>" in found[0]["nodes"][0]
    assert axe(page, within="h1") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/inline", "Content Security Policy"),
        ("/throws", "uncaught: .*on purpose"),
        ("/lost", "console: .*404"),
        ("/elsewhere", "fetched from elsewhere: https://elsewhere.invalid/a.css"),
    ],
)
def test_a_faulty_page_fails_the_test(browser: Browser, site: str, path: str, said: str) -> None:
    """A refusal by the policy, an exception, a missing file and a request to elsewhere each fail the test that shows the page."""
    with pytest.raises(AssertionError, match=said), watched_page(browser, PageWatch()) as page:
        page.goto(f"{site}{path}")


def test_what_is_tolerated_passes(page: Page, tolerate: Callable[[str], None], site: str) -> None:
    """A test may say which error is its point."""
    tolerate(r"status of 404")
    page.goto(f"{site}/lost")


def test_two_pages_share_nothing(new_page: Callable[..., Page], site: str) -> None:
    """Each new page has its own context, made with the options asked for."""
    light, dark = new_page(), new_page(color_scheme="dark", viewport={"width": 320, "height": 640})
    for page in (light, dark):
        page.goto(f"{site}/good")
    light.evaluate("localStorage.setItem('a', 1)")
    assert dark.evaluate("localStorage.getItem('a')") is None
    assert dark.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is True
    assert dark.evaluate("innerWidth") == 320


def test_asyncio_runs_between_browser_tests(site: str) -> None:
    """The browser's own event loop does not stand in the way of a test that runs one."""

    async def answer() -> str:
        return site

    assert asyncio.run(answer()) == site
