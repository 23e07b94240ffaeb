"""`city`: the small agency on both engines. `site`: its address, for browsers (SQLite). `gallery`: every page from made-up models."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.application import Applications, build
from tests.support.databases import SqliteDatabases
from tests.web.city import FILES, PASSWORD, City, served
from tests.web.gallery import serving
from xrm import bootstrap
from xrm.settings import Settings


@pytest.fixture
def city(application: Applications) -> City:
    return City(application(FILES).service)


@pytest.fixture
def seaside(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[City]:
    """The same agency on SQLite alone, for tests of what a browser does."""
    url = sqlite_databases.fresh("web-city", build(FILES))
    service = bootstrap.open_service(Settings(tmp_path, url, tmp_path / "key", 4))
    with closing(service.database):
        yield City(service)


@pytest.fixture
def site(seaside: City) -> Iterator[str]:
    with served(seaside.app) as address:
        yield address


@pytest.fixture
def enter(site: str, seaside: City) -> Callable[..., Page]:
    """`enter(page, "ana")` signs in and gives the page."""

    def signed_in(page: Page, name: str) -> Page:
        seaside.acting(name)
        page.goto(f"{site}/w/sign-in")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"{site}/w/")
        return page

    return signed_in


@pytest.fixture(scope="module")
def gallery_address() -> Iterator[str]:
    with serving() as address:
        yield address
