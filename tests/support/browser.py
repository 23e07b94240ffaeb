"""A real Chromium for the tests that look at pages, and the accessibility check.

One browser serves a worker's whole session; each page has a context of its own and is watched: an error in the console, a violation of
the Content-Security-Policy, an uncaught exception or a request to another machine fails the test, unless the test tolerates it.
"""

import asyncio
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, sync_playwright

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The same engine without a window around it comes first: a new context takes a fifth of the time of the processor."""
HOW_TO_GET = "install Chromium (apt-get install chromium-headless-shell, or chromium)"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERE = {"127.0.0.1", "localhost", "::1"}
NOT_FETCHED = {"about", "blob", "data"}
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class BrowserSession:
    """The browser of one worker. Playwright's sync API keeps an event loop running in the thread; it is hidden between browser tests,
    or every `asyncio.run` in the same worker would be refused.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._loop = asyncio.get_running_loop()
        self._hide()

    @contextmanager
    def in_use(self) -> Iterator[Browser]:
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
        finally:
            self._hide()

    @staticmethod
    def _hide() -> None:
        asyncio._set_running_loop(None)


@contextmanager
def browser_session(program: str) -> Iterator[BrowserSession]:
    """Starts the browser, and closes it at the end of the block."""
    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
    session = BrowserSession(browser)
    try:
        yield session
    finally:
        with session.in_use():
            browser.close()
            playwright.stop()


class PageWatch:
    """What went wrong in the pages of one context, as sentences, less what the test tolerates."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._tolerated: list[str] = []

    def tolerate(self, pattern: str) -> None:
        """Lets pass what this regular expression finds, for instance `status of 422` where a refused form is the point."""
        self._tolerated.append(pattern)

    def problems(self) -> list[str]:
        return [seen for seen in self._seen if not any(re.search(pattern, seen) for pattern in self._tolerated)]

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("request", self._on_request)
        context.on("weberror", lambda error: self._seen.append(f"uncaught: {error.error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":  # a refusal by the Content-Security-Policy is one of these
            self._seen.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in NOT_FETCHED and address.hostname not in HERE:
            self._seen.append(f"fetched from elsewhere: {request.url}")


@contextmanager
def watched_page(browser: Browser, watch: PageWatch, **options: Any) -> Iterator[Page]:
    """A page in a new context (`options` as for Playwright's `new_context`); fails at the end with all that the watch has seen."""
    context = browser.new_context(**options)
    watch.watch(context)
    try:
        yield context.new_page()
    finally:
        context.close()  # events that were under way arrive before it returns
    if problems := watch.problems():
        raise AssertionError("the page reported problems:\n" + "\n".join(problems))


def axe(page: Page, within: str | None = None) -> list[dict[str, Any]]:
    """The violations of WCAG 2.0 to 2.2 A and AA and of axe's best practice, in the page or within a selector: [] is what to assert.

    Each is shortened to `id`, `impact`, `help` and `nodes` (selector and markup), so that a failed assert can be read.
    """
    options = {"runOnly": {"type": "tag", "values": AXE_RULES}, "resultTypes": ["violations"]}
    try:
        found = Axe().run(page, context=within, options=options).response["violations"]
    except Error as error:
        raise AssertionError(f"axe did not run: {error}") from error
    return [
        {
            "id": violation["id"],
            "impact": violation["impact"],
            "help": violation["help"],
            "nodes": [f"{' '.join(map(str, node['target']))}: {node['html'][:200]}" for node in violation["nodes"]],
        }
        for violation in found
    ]
