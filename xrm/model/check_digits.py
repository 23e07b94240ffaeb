"""Check digits: what is added to a number so that one wrong digit, or two that changed places, is seen.

Each function takes the characters that stand before it and gives its own; signs that are neither a digit nor, for MOD 97-10,
a letter do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


def luhn(text: str) -> str:
    """ISO/IEC 7812-1, annex B: every second digit from the right counts twice."""
    digits = [int(c) for c in reversed(text) if c.isascii() and c.isdigit()]
    doubled = (digit if place % 2 else 2 * digit - 9 * (digit > 4) for place, digit in enumerate(digits))
    return str(-sum(doubled) % 10)


def mod11_10(text: str) -> str:
    """ISO 7064, MOD 11,10: the hybrid system with one digit."""
    product = 10
    for digit in (int(c) for c in text if c.isascii() and c.isdigit()):
        product = 2 * ((product + digit) % 10 or 10) % 11
    return str((11 - product) % 10)


def mod97_10(text: str) -> str:
    """ISO 7064, MOD 97-10: two digits; A is 10, Z is 35."""
    plain = "".join(str(int(c, 36)) for c in text if c.isascii() and c.isalnum())
    return f"{98 - int(plain or '0') * 100 % 97:02d}"


CHECKS: Mapping[str, Callable[[str], str]] = {"luhn": luhn, "mod11_10": mod11_10, "mod97_10": mod97_10}
"""By the word in ``{check:…}``."""
