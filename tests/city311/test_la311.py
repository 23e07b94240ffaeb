"""The two real files of MyLA311, imported by the maps of the example: every count of the data's own description."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.support.application import Applications, Running
from xrm.service.transfer.report import Mode, Report
from xrm.service.transfer.starting import open_import
from xrm.source import read_folder

CITY = Path(__file__).parents[2] / "examples" / "city311"


@dataclass(frozen=True)
class Year:
    """A file, and what a correct import of it gives."""

    file: str
    map: str
    rows: int
    states: dict[str, int]
    types: dict[str, int]
    channels: dict[str, int]
    councils: int
    named: dict[str, int]
    flags: dict[str, int]
    hours: float
    hours_by_type: dict[str, float]


YEARS = {
    "2017": Year(
        "myla311_2017_dec.csv.gz", "la311_2017.yml", 9999,
        {"closed": 9739, "cancelled": 246, "referred": 9, "new": 5},
        {"Bulky Items": 4432, "Graffiti Removal": 2863, "Illegal Dumping Pickup": 800, "Metal/Household Appliances": 740,
         "Electronic Waste": 403},
        {"phone": 4188 + 1, "app": 2131, "crew": 2019, "web": 1621},
        97, {}, {"closed_in_order": 12}, 100.20, {},
    ),
    "2020": Year(
        "myla311_2020_jan.csv.gz", "la311_2020.yml", 10_000,
        {"closed": 9723, "cancelled": 244, "new": 16, "pending": 15, "referred": 2},
        {"Bulky Items": 4470, "Graffiti Removal": 2628, "Illegal Dumping Pickup": 901},
        {"phone": 4548, "app": 2299, "crew": 2088, "web": 1014},
        102, {"SYLMAR NC": 549, "BOYLE HEIGHTS NC": 429}, {"closed_without_date": 18}, 46.47,
        {"Bulky Items": 68.12, "Graffiti Removal": 0.08, "Homeless Encampment": 452.17},
    ),
}  # fmt: skip


def city(application: Applications) -> Running:
    return application(dict(read_folder(CITY).texts))


def imported(running: Running, year: Year, folder: Path, mode: Mode = "all") -> Report:
    with open_import(running.system.ctx, "service_request", folder / year.file, CITY / "maps" / year.map) as ready:
        return ready.run(mode)


def hours(started: Any, ended: Any) -> float:
    first, last = (one if isinstance(one, datetime) else datetime.fromisoformat(one) for one in (started, ended))
    return (last - first).total_seconds() / 3600


def changes(running: Running) -> int:
    return int(running.rows("SELECT count(*) FROM xrm_change")[0][0])


@pytest.mark.parametrize("name", list(YEARS))
def test_a_real_year_of_requests(application: Applications, shared_data: Callable[[str], Path], name: str) -> None:
    """Every row is taken; states, types, channels, councils, flags and hours are those of the file; importing again writes nothing."""
    folder = shared_data("la311")
    year, running = YEARS[name], city(application)
    report = imported(running, year, folder)
    assert (report.rows, report.created, report.well, report.times_skipped) == (year.rows, year.rows, True, 0)
    rows = running.rows(
        "SELECT s.state, c.name, s.channel, d.name, s.flags, s.created_at, s.closed_at, s.place_lat FROM service_request s"
        " JOIN service_category c ON c.id = s.category LEFT JOIN district d ON d.id = s.district"
    )
    assert Counter(row[0] for row in rows) == year.states
    types, channels, councils = (Counter(row[at] for row in rows) for at in (1, 2, 3))
    assert {name: types[name] for name in year.types} == year.types
    assert {name: channels[name] for name in year.channels} == year.channels
    assert len(set(councils) - {None}) == year.councils == report.linked["district"]  # type: ignore[index]
    assert {name: councils[name] for name in year.named} == year.named
    flags = Counter(flag for row in rows for flag in (row[4] or "").split())
    assert {name: flags[name] for name in year.flags} == year.flags
    taken = [(row[1], hours(row[5], row[6])) for row in rows if row[0] == "closed" and row[6]]
    assert round(median(one for _, one in taken), 2) == year.hours
    assert {type_: round(median(one for name, one in taken if name == type_), 2) for type_ in year.hours_by_type} == year.hours_by_type
    before = changes(running)
    again = imported(running, year, folder, "good")
    assert (again.created, again.updated, again.unchanged, again.linked, again.well) == (0, 0, year.rows, {}, True)
    assert changes(running) == before
