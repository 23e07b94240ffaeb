"""A field that is computed from amounts is money in their currency; amounts in several currencies are not added up."""

import pytest

from tests.support.application import files_of
from xrm import source
from xrm.expr.functions import STANDARD
from xrm.source.load import Loaded

ACCESS = "access: {agent: [read, create, update]}\n"
FEE = "fields: {order: {type: link, to: order, inverse: fees}, code: {type: choice, options: [USD, EUR]}, amount: {type: money, currency: =code}, rate: {type: decimal, places: 4}, euros: {type: money, currency: EUR, compute: =amount * rate}}\n"
BILL = "fields: {order: {type: link, to: order, inverse: bills}, net: {type: money, currency: EUR}, gift: {type: money, currency: JPY}, paid: boolean}\n"
ORDER = """fields:
  code: {type: choice, options: [USD, EUR]}
  own: {type: money, currency: =code}
  home: money
  base: {type: link, to: order}
  lines: {type: rows, fields: {price: {type: money, currency: EUR}, count: integer, share: percent, part: {compute: =price * count}}}
  value: {VALUE}
"""


def loaded(value: str) -> Loaded:
    order = ORDER.replace("VALUE", value)
    return source.load_text(files_of({"fee": FEE + ACCESS, "bill": BILL + ACCESS, "order": order + ACCESS}), STANDARD)


MADE = {
    "sum(lines.price)": ("money", "EUR", 2),
    "sum(lines.part)": ("money", "EUR", 2),
    "sum(lines.map(l, l.price * 2))": ("money", "EUR", 2),
    "sum(lines.filter(l, l.count > 1).price) + sum(bills.net)": ("money", "EUR", 2),
    "max(bills.net)": ("money", "EUR", 2),
    "-sum(bills.gift)": ("money", "JPY", 0),
    "coalesce(max(bills.net), 0)": ("money", "EUR", 2),
    "bills.exists(b, b.paid) ? sum(bills.net) : 0": ("money", "EUR", 2),
    "home": ("money", "USD", 2),
    "base.home * 3": ("money", "USD", 2),
    'sum(fees.filter(f, f.code == "EUR" && f.rate > 1).amount)': ("money", "EUR", 2),
    "sum(lines.map(l, l.price * l.share))": ("decimal", None, 3),
    "sum(fees.euros)": ("money", "EUR", 2),
    "sum(fees.filter(f, f.code == code).amount)": ("decimal", None, 2),
    "own * 2": ("decimal", None, 2),
    "sum(lines.count)": ("integer", None, 0),
}


@pytest.mark.parametrize("value", MADE)
def test_what_is_made_of_amounts_is_money_in_their_currency(value: str) -> None:
    found = loaded(f"compute: '={value}'")
    assert found.application is not None, [problem.message for problem in found.problems]
    field = found.application.entities["order"].fields["value"]
    assert (field.type, field.currency, field.places) == MADE[value]


def test_places_and_a_unit_make_a_number_of_it() -> None:
    """They do not go with money."""
    for key in ("places: 2", "unit: EUR"):
        found = loaded(f"compute: =sum(lines.price), {key}").application
        assert found is not None and found.entities["order"].fields["value"].type == "decimal"


REFUSED = {
    "compute: =sum(fees.amount)": "these amounts may be in several currencies ('fees.code' names them): they have no sum",
    "compute: =max(fees.amount)": "these amounts may be in several currencies ('fees.code' names them): none is the greatest",
    "compute: '=sum(fees.filter(f, f.code != \"EUR\").amount)'": "these amounts may be in several currencies ('fees.code' names them): they have no sum",
    "type: boolean, compute: =sum(fees.amount) > 100": "these amounts may be in several currencies ('fees.code' names them): they have no sum",
    "compute: =sum(bills.net) + home": "these amounts are in different currencies (EUR and USD)",
    "compute: =sum(lines.price) - own": "these amounts are in different currencies (EUR and that of 'code')",
    "type: money, compute: =sum(lines.price)": "'value' is in USD, and what it is made of is in EUR",
    "type: money, currency: =code, compute: =sum(lines.price)": "'value' is in the currency of its record, and what it is made of is in EUR",
    "type: money, currency: EUR, compute: =own": "'value' is in EUR, and what it is made of is in that of 'code'",
}


@pytest.mark.parametrize("value", REFUSED)
def test_several_currencies_are_refused(value: str) -> None:
    """At their place, with what to write instead."""
    problems = loaded(value).problems
    assert [(one.code, one.message) for one in problems] == [("XRM320", REFUSED[value])]
    assert problems[0].place is not None and problems[0].place.line == 8 and problems[0].hint
