"""Postal addresses: the parts of one, their names and their words. Each part is a text that expressions, lists and imports may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xrm.model.fields import Field, Text

PART_LENGTH = 255
"""Most characters of one part."""


@dataclass(frozen=True, slots=True)
class AddressPart:
    """``complete`` is its token for browsers that fill in forms (HTML, autofill)."""

    label: Text
    complete: str
    hint: str = ""


PARTS: Mapping[str, AddressPart] = {
    "street": AddressPart({"en": "Street and number", "es": "Calle y número", "nl": "Straat en huisnummer"}, "address-line1"),
    "unit": AddressPart({"en": "Apartment or unit", "es": "Piso o unidad", "nl": "Toevoeging"}, "address-line2"),
    "postcode": AddressPart({"en": "Postcode", "es": "Código postal", "nl": "Postcode"}, "postal-code"),
    "city": AddressPart({"en": "City", "es": "Ciudad", "nl": "Plaats"}, "address-level2"),
    "region": AddressPart({"en": "State or region", "es": "Estado o región", "nl": "Regio"}, "address-level1"),
    "country": AddressPart({"en": "Country", "es": "País", "nl": "Land"}, "country", "Two letters, for example US"),
}
"""The parts, in the order of a form and of columns (``kinds.ADDRESS_PARTS``)."""


def part_of(field: Field | None, name: str) -> Field | None:
    """The field that a part of an address is to those who read it: ``home.postcode``."""
    if field is None or field.type != "address" or name not in PARTS:
        return None
    return Field(name, "text", PARTS[name].label, length=PART_LENGTH, within=field.name)


def lines(address: Mapping[str, object]) -> list[str]:
    """As on an envelope: street, unit, postcode with city and region, country; what is empty is left out."""
    place = " ".join(str(address[name]) for name in ("postcode", "city") if address.get(name))
    place = ", ".join(part for part in (place, str(address.get("region") or "")) if part)
    found = (address.get("street"), address.get("unit"), place, address.get("country"))
    return [str(line) for line in found if line]
