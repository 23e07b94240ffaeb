"""The example city: its definition, its made-up year, its plugins."""

import importlib
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.application import Applications, Person, Running
from xrm import bootstrap
from xrm.errors import Forbidden, Invalid
from xrm.service.context import SYSTEM_ACTOR
from xrm.service.hooks import page_context
from xrm.service.reading import Query, count_records
from xrm.service.sessions import actor_named, sign_in
from xrm.settings import Settings
from xrm.source import read_folder
from xrm.store import changes

CITY = Path(__file__).parents[2] / "examples" / "city311"
NOW = datetime(2026, 11, 1, 12, tzinfo=ZoneInfo("America/Los_Angeles"))


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The example's own programs, as they import each other."""
    monkeypatch.syspath_prepend(str(CITY))
    names = ("generate", "seed", "demo")
    return {name: importlib.import_module(name) for name in names}


@pytest.fixture
def city(application: Applications) -> Running:
    return application(dict(read_folder(CITY).texts))


def test_a_year_is_made_of_its_seed(scripts: dict[str, ModuleType]) -> None:
    """The same seed gives the same year, another one another; it ends when it is told to, with 400 people and 2,000 requests."""
    year = scripts["generate"].events(1, NOW)
    assert year == scripts["generate"].events(1, NOW)
    assert year != scripts["generate"].events(2, NOW)
    assert all(one.at <= two.at for one, two in pairwise(year))
    assert max(event.at for event in year) <= NOW
    made = scripts["generate"].counted(year)
    assert (made["create person"], made["create service_request"]) == (400, 2000)


def test_the_seed_is_written_by_the_people_of_the_city(scripts: dict[str, ModuleType], city: Running) -> None:
    """Every event passes rights, rules and guards; requests have a history by several people, in the order of time."""
    writes = scripts["seed"].seed(city.service, NOW, requests=60)
    city.service.after.settle()
    found = changes.verify(city.database)
    assert (found.broken, found.waiting) == (None, 0)
    requests = city.system.all("service_request", sort="created_at")
    assert len(requests) == 60
    assert writes > 150
    assert len({request["state"] for request in requests}) >= 4
    closed = next(request for request in requests if request["state"] == "closed")
    history = city.system.history("service_request", closed["id"])
    assert history[-1].at == closed["created_at"]
    assert [entry.at for entry in history] == sorted((entry.at for entry in history), reverse=True)
    assert len({entry.actor for entry in history}) >= 2
    assert all(request["due_on"] is not None for request in requests)
    assert scripts["seed"].seeded(city.service)


def test_a_place_gives_the_district(scripts: dict[str, ModuleType], city: Running) -> None:
    """The plugin finds the box that a place lies in; a named district stays; a place outside has none."""
    scripts["seed"].seed(city.service, NOW, requests=1)
    codes = {row["id"]: row["code"] for row in city.system.all("district")}
    category = city.system.all("service_category", filter='code == "graffiti"')[0]["id"]

    def district(**values: object) -> str | None:
        made = city.system.create("service_request", category=category, channel="web", **values)
        return codes.get(str(made.record["district"]))

    assert district(place="44.51, -124.15", address="1 Kelp St") == "D01"
    assert district(place="44.54, -124.12", address="1 Kelp St") == "D05"
    assert district(place="44.51, -124.15", district=next(id for id, code in codes.items() if code == "D09")) == "D09"
    assert district(place="10, 10") is None


def test_the_workload_page_counts_what_its_reader_sees(scripts: dict[str, ModuleType], city: Running) -> None:
    """One row a district; the sums are those of the open requests."""
    scripts["seed"].seed(city.service, NOW, requests=80)
    (route,) = city.service.plugins.routes
    html = str(route.page(page_context(city.system.ctx, {})))
    totals = [row.split("</td><td>") for row in html.split("<tr>")[2:]]
    assert len(totals) == 13
    assert sum(int(cells[-2] or 0) for cells in totals) == city.system.count("service_request", filter="open")


def test_the_rules_of_the_city(scripts: dict[str, ModuleType], city: Running) -> None:
    """A pothole wants its depth, a call its caller; the last move is blocked, with the reason, until the hours are there."""
    scripts["seed"].seed(city.service, NOW, requests=1)
    scripts["seed"].staff(city.service)
    ana, dmitri = (_signed_in(city, name) for name in ("ana", "dmitri"))
    pothole = city.system.all("service_category", filter='code == "pothole"')[0]["id"]
    with pytest.raises(Invalid) as caught:
        ana.create("service_request", category=pothole, address="1 Kelp St")
    assert {problem.path for problem in caught.value.problems} == {("requester",), ("depth",)}
    made = ana.create("service_request", category=pothole, address="1 Kelp St", channel="web", depth="25")
    assert made.record["priority"] == "urgent"
    dmitri.move("service_request", made.id, None, "start", crew="roads")
    with pytest.raises(Invalid, match="Enter the hours of work first"):
        dmitri.move("service_request", made.id, None, "resolve", resolution="fixed")
    dmitri.update("service_request", made.id, None, hours="2.5", materials="10")
    done = dmitri.move("service_request", made.id, None, "resolve", resolution="fixed")
    assert (str(done.record["cost"]), done.record["state"], done.record["open"]) == ("166.25", "closed", False)


def test_the_demo_keeps_its_data_and_gives_new_passwords(
    scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first run makes the city, the second finds it; the passwords of a run are shown, and end with the next."""
    its = Settings(CITY, f"sqlite:///{tmp_path / 'xrm.db'}", tmp_path / "key", 2)
    monkeypatch.setattr(scripts["seed"], "seed", partial(scripts["seed"].seed, requests=5))
    shown, numbers = [], []
    for _ in range(2):
        with closing(bootstrap.open_database(its)) as database:
            service = scripts["demo"].prepared(its, database)
            scripts["demo"].welcome(service, 8000)
            out = capsys.readouterr().out
            assert "http://127.0.0.1:8000/" in out
            shown.append(next(line.split()[1] for line in out.splitlines() if line.startswith("hugo")))
            assert sign_in(service, "hugo", shown[-1]).text
            numbers.append(count_records(service.acting(SYSTEM_ACTOR), Query("service_request")))
    assert numbers == [5, 5]
    assert shown[0] != shown[1]
    with closing(bootstrap.open_database(its)) as database, pytest.raises(Forbidden):
        sign_in(bootstrap.open_service(its, database), "hugo", shown[0])
    scripts["demo"].forget(its)
    assert list(tmp_path.glob("xrm.db*")) == []


def _signed_in(city: Running, name: str) -> Any:
    actor = actor_named(city.service, name)
    assert actor is not None
    return Person(city, actor)
