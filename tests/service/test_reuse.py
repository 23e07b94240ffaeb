"""Packs, heirs and additions run on both databases as if they had been written in one piece."""

from datetime import date

import pytest

from tests.support.application import XRM, Applications
from xrm.errors import Invalid

CITY = {
    "xrm.yml": XRM + "use: contacts\n",
    "entities/contacts.yml": "add_to: party\nfields: {tax_id: {type: text, protected: true}}\naccess: {agent: [read, create, update], boss: {sees: [tax_id], edits: [tax_id]}}\n",
    "entities/resident.yml": "entity: resident\nextends: person\nfields: {card: {type: text, unique: true}, born: {required: true}}\n",
    "entities/badge.yml": "add_to: user\nfields: {badge: {type: text, unique: true}, shout: {compute: =badge}, pay: {type: integer, protected: true}}\n"
    "checks: {b: {must: badge != 'x', message: No such badge, field: badge}}\naccess: {boss: {sees: [pay]}}\n",
}  # fmt: skip


def test_what_was_written_in_pieces_runs_as_one(application: Applications) -> None:
    """A pack's entity with an addition to its base, an heir of it, and a user with fields of the agency's own."""
    running = application(CITY)
    ana, bea = running.person("ana", "agent"), running.person("bea", "boss")
    person = ana.create("person", name="Ada Byron", email="ada@example.org")
    bea.update("person", person.id, None, tax_id="NL1")
    assert "tax_id" not in ana.get("person", person.id) and bea.get("person", person.id)["tax_id"] == "NL1"

    with pytest.raises(Invalid) as refused:
        ana.create("resident", name="Bo", preferred_channel="email")
    assert {(problem.code, *problem.path) for problem in refused.value.problems} == {("XRM501", "born"), ("XRM504", "preferred_channel")}
    resident = ana.create("resident", name="Bo", born=date(1990, 1, 1), card="7")
    assert ana.get("resident", resident.id)["title"] == "Bo"
    assert (ana.count("resident"), ana.count("person")) == (1, 1)

    with pytest.raises(Invalid) as refused:
        running.system.create("user", name="carl", label="Carl", roles=["agent"], badge="x")
    assert [problem.message for problem in refused.value.problems] == ["No such badge"]
    carl = running.system.create("user", name="carl", label="Carl", roles=["agent"], badge="B7", pay=9)
    seen = ana.get("user", carl.id)
    assert (seen["badge"], seen["shout"], "pay" in seen) == ("B7", "B7", False)
    assert bea.get("user", carl.id)["pay"] == 9
    assert [row["label"] for row in ana.page("user", filter='badge == "B7"').rows] == ["Carl"]
