"""Email addresses, phone numbers and web addresses, from what a caller sent.

The libraries are imported where they are asked: who only checks a definition does not wait for their tables of the world's numbers.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from xrm.model.fields import Field
from xrm.model.misfits import Misfit, plain_text

MOST_URL = 2000
"""Most characters of a web address."""


def regions() -> AbstractSet[str]:
    """The countries whose numbers are known (ISO 3166)."""
    import phonenumbers

    known: AbstractSet[str] = phonenumbers.SUPPORTED_REGIONS
    return known


def as_email(field: Field, raw: object) -> str:
    from email_validator import EmailNotValidError, validate_email

    text = plain_text(raw).strip()
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Misfit("must be an email address", hint=str(error)) from None


def as_phone(field: Field, raw: object) -> str:
    """ITU-T E.164: a plus, the country code and the number; what people type between is dropped.

    Without a country code it must be a number of the field's country that is in use, so that no digit was forgotten.
    """
    import phonenumbers

    text = plain_text(raw).strip()
    national = field.country is not None and not text.startswith("+")
    try:
        parsed = phonenumbers.parse(text, field.country if national else None)
    except phonenumbers.NumberParseException:
        message = "must be a phone number" if field.country else "must be a phone number with its country code"
        raise Misfit(message, hint="for example +1 213 555 0134") from None
    if national and not phonenumbers.is_valid_number(parsed):
        raise Misfit(f"is not a phone number of {field.country}", hint="a number of another country begins with + and its code")
    if not phonenumbers.is_possible_number(parsed):
        raise Misfit("is not a possible phone number", hint="for example +1 213 555 0134")
    extension = f";ext={parsed.extension}" if parsed.extension else ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + extension


def as_url(field: Field, raw: object) -> str:
    text = plain_text(raw).strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and _reachable(parts.hostname, parts.port) and not re.search(r"[\s\x00-\x1f]", text)
    except ValueError:
        usable = False
    if usable and (parts.username is not None or parts.password is not None):
        raise Misfit("must not hold a name or password", hint="for example https://example.org/page")
    if not usable or len(text) > MOST_URL:
        raise Misfit("must be a web address", hint="for example https://example.org/page")
    return text


HOST = re.compile(r"(?!.*\.\.)[^\s.\-_/?#@:%\\<>^`{|}\"][^\s/?#@:%\\<>^`{|}\"]*")


def _reachable(host: str | None, port: int | None) -> bool:
    """Whether a host is a name or an address (RFC 3986, section 3.2.2); names of other scripts by their letters (RFC 5891)."""
    if not host or port == 0:
        return False
    if ":" in host:
        return bool(IPv6Address(host))
    return bool(HOST.fullmatch(host)) and 0 < len(host.encode("idna")) <= 253
