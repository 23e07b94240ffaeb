"""Human numbers: each record has one of its own, whatever history brought."""

from collections.abc import Mapping

import pytest

from tests.support.application import Applications
from xrm.errors import Invalid
from xrm.service import records

NOTE: Mapping[str, str] = {
    "note": 'number: "N-{year}-{seq:3}"\ntitle: "{name}"\nfields: {name: text}\naccess: {agent: {read: true, create: true, historic: true}}'
}


def test_numbers_go_on_after_imported_ones(application: Applications) -> None:
    """Records that history brought with their numbers, deleted ones too, do not stand in the way of new ones."""
    running = application(NOTE)
    ana = running.person("ana", "agent")
    first = ana.create("note", name="first").record["number"]
    prefix = first.rpartition("-")[0]
    for n in range(2, 60):
        records.create(ana.ctx, "note", {"name": "old", "number": f"{prefix}-{n:03d}"}, historic=True)
    last = ana.page("note", sort="-number", limit=1).rows[0]
    running.system.delete("note", last["id"])
    numbers = [ana.create("note", name="new").record["number"] for _ in range(30)]
    assert numbers == [f"{prefix}-{n:03d}" for n in range(60, 90)]


def test_a_number_of_ones_own_choice_is_refused_when_taken(application: Applications) -> None:
    """Importing a number that stands is the importer's mistake and is said."""
    ana = application(NOTE).person("ana", "agent")
    number = ana.create("note", name="first").record["number"]
    with pytest.raises(Invalid, match="XRM503"):
        records.create(ana.ctx, "note", {"name": "again", "number": number}, historic=True)
