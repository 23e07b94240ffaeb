"""Fixed words of the language: tones, icons, currencies, names that are taken."""

from __future__ import annotations

from collections.abc import Mapping

LATER_TYPES = ("party",)
"""Types of the language that are not part of this version."""
FOREIGN_TYPES: Mapping[str, str] = {
    word: name
    for name, words in {
        "text": "string str varchar char character",
        "long_text": "textarea memo multiline",
        "markdown": "richtext rich_text html",
        "integer": "int number bigint smallint whole",
        "decimal": "float double numeric real",
        "money": "amount price currency",
        "percent": "percentage",
        "boolean": "bool yesno yes_no checkbox flag",
        "datetime": "timestamp instant moment",
        "duration": "interval timespan period",
        "choice": "enum select dropdown radio option options picklist",
        "link": "reference ref relation foreign_key foreignkey belongs_to many2one m2o many2many m2m",
        "user": "owner assignee",
        "email": "mail",
        "phone": "tel telephone mobile",
        "url": "uri website",
        "point": "location geo gps coordinates position",
        "area": "polygon geometry shape",
        "json": "object dict",
        "rows": "table list array items children one2many o2m subform",
        "file": "attachment document upload blob",
        "image": "picture photo img",
    }.items()
    for word in words.split()
}
"""What other systems call a type, and what it is called here."""

NO_TYPES: Mapping[str, str] = dict.fromkeys(
    ("lookup", "rollup", "formula", "calculated", "computed", "aggregate"),
    "a link to a record is type: link; what stands there, or in many, is computed: compute: =owner.label, compute: =sum(lines.amount)",
)
"""Types of other systems for which there is no type here, and what there is."""

FOREIGN_KEYS: Mapping[str, str] = {
    "label": "verbose_name caption string display_name",
    "hint": "help help_text tooltip placeholder description",
    "min": "minimum min_value",
    "max": "maximum max_value",
    "places": "digits scale decimals precision decimal_places",
    "pattern": "regex regexp format",
    "options": "choices values enum selection",
    "many": "multiple is_array",
    "to": "target references entity relation comodel",
    "show": "visible visible_if visible_when depends_on",
    "readonly": "read_only immutable",
    "compute": "formula calculated computed expression",
    "fields": "columns attributes properties",
    "must": "condition assert expression when",
    "columns": "fields list_display",
    "filter": "where domain",
    "sort": "order order_by ordering",
}
"""What other systems call each key."""

NO_KEYS: Mapping[str, str] = {
    "null": "a field may be empty unless it says required: true",
    "nullable": "a field may be empty unless it says required: true",
    "blank": "a field may be empty unless it says required: true",
    "optional": "a field may be empty unless it says required: true",
    "hidden": "say when it is shown (show: done), or who sees it (protected: true, and 'sees' in access)",
    "invisible": "say when it is shown (show: done), or who sees it (protected: true, and 'sees' in access)",
    "primary_key": "every record has an id; key: of the entity names the field by which people and files know it",
}
"""Keys of other systems for which there is no single key here, and what there is."""

TONES = ("info", "ok", "warn", "danger")

ICONS = (
    "inbox", "briefcase", "user", "users", "book", "map-pin", "phone", "mail", "note", "flag", "tag", "building",
    "list", "category", "calendar", "file", "id-badge", "home",
)  # fmt: skip

_ISO_4217 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
    "GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK "
    "LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR "
    "PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF "
    "YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_ISO_4217.split())
"""Active codes of ISO 4217, without metals and test codes."""

MOST_NAME = 48
"""Longest name of an entity or field: with a prefix and a suffix it is still a PostgreSQL identifier (63 bytes)."""

RESERVED = frozenset({"actor", "this", "parent", "now", "today", "true", "false", "null", "in"})
"""Words that mean something else in expressions."""

PATHS = frozenset({"files", "keys", "me", "search", "x"})
"""Pages and endpoints of xrm's own beside those of the entities: an entity of that name could not be reached."""
