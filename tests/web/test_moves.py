"""The moves of a record page."""

import re

from tests.support.application import Applications
from tests.web.city import City
from xrm.service import records

ROLES = "xrm: 1\nname: tiny\nlocale: en-US\nroles: {agent: Agent, supervisor: {includes: agent}, clerk: Clerk}\n"
PERMIT = """
title: "{name}"
fields: {name: {type: text, required: true}, paid: boolean}
lifecycle:
  states: {new: {initial: true}, granted: {final: true}, refused: {final: true}}
  transitions:
    grant: {from: new, to: granted, guards: [{must: paid == true, message: 'The fee of {name} is not paid yet'}]}
    refuse: {from: new, to: refused}
access: {agent: [read, create, update]}
"""


def test_a_blocked_move_keeps_its_place_and_its_key(application: Applications) -> None:
    """So that no hand that is used to a key makes another move with it; its reason names the record's own values."""
    city = City(application({"xrm.yml": ROLES, "permit": PERMIT}).service)
    ana = city.visitor("ana")
    made = [records.create(city.system, "permit", {"name": name, "paid": name == "B"}).id for name in ("A", "B")]
    shown = []
    for id in made:
        html = ana.get(f"/w/permit/{id}").text
        moves = html[html.index('class="moves"') : html.index("</section>", html.index('class="moves"'))]
        shown.append(
            re.findall(r'<a class="(btn(?: primary)?)"[^>]*>(?:<svg.*?</svg>)?(\w+)(?: <kbd aria-hidden="true">(\d)</kbd>)?', moves)
        )
    assert shown == [[("btn", "Grant", ""), ("btn", "Refuse", "2")], [("btn primary", "Grant", "1"), ("btn", "Refuse", "2")]]
    assert "The fee of A is not paid yet" in ana.get(f"/w/permit/{made[0]}").text
