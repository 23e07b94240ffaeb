"""The language: every kind of map, and every key in it. The only definition.

The structure check, the editor's schema and the reference page all come from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from xrm.model.contents import ACCEPT
from xrm.model.kinds import those
from xrm.source.kinds import (
    Boolean,
    Bound,
    Condition,
    Integer,
    Key,
    Label,
    Layouts,
    Many,
    MapKind,
    Name,
    Named,
    One,
    OneOf,
    Range,
    Ref,
    Text,
    Value,
    ValueMap,
)
from xrm.source.vocabulary import ICONS, TONES

WRITTEN = those(lambda kind: kind.written)
FILED = those(lambda kind: kind.kept == "files")
_ACCEPTED = "; ".join(f"`{word}` ({words})" for word, words in ACCEPT.items())
BOUNDED = those(lambda kind: kind.bounded)

APPLICATION = MapKind(
    "application",
    "The application: `xrm.yml`",
    "One file at the top of the folder. It names the application and its roles.",
    (
        Key("xrm", OneOf(("1",)), "The version of this language.", "xrm: 1", required=True),
        Key("name", Name(), "A short name for machines.", "name: city311", required=True),
        Key("label", Label(), "The name that people see.", "label: City services", default="made from `name`"),
        Key("locale", Text(40), "The language of the labels (BCP 47).", "locale: en-US", default="`en`"),
        Key("locales", Ref("locale", many=True), "The languages that its people may choose, its own among them. The check "
            "counts the texts that one of them lacks; `locale/es.yml` brings them.", "locales: [en-US]",
            default="that of `locale` alone"),
        Key("timezone", Text(60), "The IANA time zone that dates are shown in.", "timezone: America/Los_Angeles",
            default="`UTC`"),
        Key("currency", Text(3), "The ISO 4217 code of money fields that name none.", "currency: EUR",
            default="`USD`"),
        Key("country", Text(2), "The ISO 3166 code of the country whose telephone numbers need no country code.", "country: US",
            default="that of `locale`"),
        Key("roles", Named("role", may_be_empty=False), "Who works here. Users get one or more of these.",
            "roles: {agent: Call handler, supervisor: {includes: agent}}", required=True),
        Key("types", Named("field"), "Types of your own: a field of one has its keys. What the field says itself goes before; options "
            "are added to those of the type.", "types:\n  channel: {type: choice, options: {phone: Telephone, web: Web form}}\n"
            "  plate: {type: text, length: 10, pattern: '[A-Z0-9]+'}"),
        Key("brand", One("brand"), "The colours of the pages.", "brand: '#1f4e8c'"),
        Key("use", Ref("pack", many=True), "The standard packs that it uses; what is not named is absent. Their entities "
            "stand beside its own: `add_to` gives them access and more, `extends` makes heirs of them.", "use: contacts"),
        Key("removed", Named("removal", names="option"), "Roles that are gone, and what users who still have them get.",
            "removed: {clerk: agent}"),
    ),
    later=("calendars", "queues", "portal"),
)  # fmt: skip

BRAND = MapKind(
    "brand",
    "The brand",
    "Colours as six hexadecimal digits, quoted. A bare value is the colour; the others are made from it. Text on them is white or black, "
    "whichever is read better; the check refuses a colour that cannot be made out on the pages (WCAG 2.2).",
    (
        Key("colour", Text(7), "Of buttons and marks on light pages.", "{colour: '#1f4e8c'}", required=True),
        Key("dark", Text(7), "The same on dark pages.", "{colour: '#1f4e8c', dark: '#8fb8f0'}", default="the colour, lighter"),
        Key("bar", Text(7), "Of the bar at the top.", "{colour: '#1f4e8c', bar: '#16324f'}", default="the colour"),
    ),
    short="colour",
)  # fmt: skip

ROLE = MapKind(
    "role",
    "A role",
    "A bare value is its label.",
    (
        Key("label", Label(), "The name that people see.", "{label: Call handler}", default="made from the name"),
        Key("includes", Ref("role", many=True), "Roles whose rights this one has too.", "{includes: agent}"),
        Key(
            "renamed_from",
            Ref("earlier name", many=True),
            "What it was called in earlier releases: its users keep it.",
            "{label: Call handler, renamed_from: clerk}",
        ),
    ),
    short="label",
)

ENTITY = MapKind(
    "entity",
    "An entity: `entities/*.yml`",
    "One file for each kind of record. Every record also has `id`, `title`, `open`, `flags`, `version`, `created_at`, "
    "`created_by`, `updated_at` and `updated_by`; `number` if declared; `state` and `state_since` with a lifecycle.",
    (
        Key("entity", Name(), "The name of the entity.", "entity: request", required=True, unless=("add_to",)),
        Key("add_to", Ref("entity"), "Instead of `entity`: the entity, of a pack or `user` too, that what stands in this "
            "file is added to, in place. Names are joined and lists grow; what both files define is refused.",
            "add_to: user\nfields: {badge: text}"),
        Key("extends", Ref("entity"), "The entity it inherits from: fields, checks, lifecycle, access, views, forms and all "
            "else but what it is called. What it says itself comes before that, key by key. A link to the base accepts "
            "its records.", "extends: base"),
        Key("abstract", Boolean(), "It has no records of its own: it is there to be extended.", "abstract: true"),
        Key("label", Label(), "What one record is called.", "label: Service request", default="made from the name"),
        Key("plural", Label(), "What many are called.", "plural: Service requests", default="the label and an s"),
        Key("icon", OneOf(ICONS), "The sign beside it.", "icon: inbox", default="`list`"),
        Key("help", Label(), "A sentence or two on what it is for.", "help: What citizens ask the city to do."),
        Key("number", Text(120), "The form of the number each record gets: `{seq:6}` counts with six digits, from 1 "
            "each year if `{year}` stands in it, and for each value of what else does: a field, or the field of a linked record "
            "(`{district.code}`). `{check:luhn}`, `{check:mod11_10}` and `{check:mod97_10}` at the end are check digits (ISO 7812, "
            "ISO 7064) over all before them.", 'number: "SR-{year}-{seq:6}"'),
        Key("gapless", Boolean(), "Whether the numbers have no gaps: each is taken inside the transaction that keeps the record, so "
            "that records are made one after the other.", "gapless: true", default="`false`: taken in blocks, with gaps"),
        Key("title", Text(400), "What a record is called: text with fields in braces. Fields of the record itself only, "
            "no links.", 'title: "{number} {address}"', default="the number, else the first text field"),
        Key("key", Ref("field"), "The field that names a record in YAML and imports. It must be a text that is unique "
            "and required.", "key: code"),
        Key("unique", Named("unique"), "Fields that no two records share.", "unique:\n  source: [source, source_id]"),
        Key("fields", Named("field", may_be_empty=False), "What a record holds, in the order in which it is shown.",
            "fields: {address: text, depth: {type: decimal, unit: cm}}", required=True, unless=("extends", "add_to")),
        Key("checks", Named("check"), "Rules on the whole record.",
            "checks:\n  due_later: {must: due > opened, message: Due must be after opened}"),
        Key("lifecycle", One("lifecycle"), "The states of a record and the moves between them.",
            "lifecycle:\n  states:\n    new: {initial: true}\n    done: {final: true}\n"
            "  transitions:\n    finish: {from: new, to: done}"),
        Key("access", Named("grant", names="role"), "What each role may do. Rights only add up: what no role is "
            "given, nobody may.", "access:\n  agent: [read, create]\n  supervisor: {read: true, update: open}"),
        Key("views", Named("view"), "Lists. Without a view `default` one is made.",
            "views:\n  mine: {label: Mine, filter: created_by == actor}"),
        Key("compact", Ref("field", many=True), "The fields in the strip of facts at the top of a record.",
            "compact: [address, depth]", default="the first six fields that are not long"),
        Key("forms", Layouts("section", ("default", "new", "print")), "How a record is laid out: `default` for editing and "
            "looking, `new` for making one quickly (with its fields alone; what a rule requires stands there too), `print` for "
            "paper. A list alone is the default one.",
            "forms:\n  default: [{section: Where, fields: [address, depth]}]\n  new: [{section: Where, fields: [address]}]\n"
            "  print: [{section: Where, fields: [depth, address]}]",
            default="one section with all fields"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases: its records are kept.",
            "renamed_from: ticket"),
    ),
    later=("clocks", "routing", "sensitive", "ordered", "tasks", "comments", "files"),
)  # fmt: skip

FIELD = MapKind(
    "field",
    "A field",
    "A bare value is its type. The name is lower case letters, digits and `_`, at most 48, and does not end in `_key`.",
    (
        Key("type", Ref("type"), "What it holds: see the table of types.", "{type: integer}",
            default="for a computed field, what the expression gives"),
        Key("label", Label(), "The name that people see.", "{type: text, label: Street address}",
            default="made from the name"),
        Key("hint", Label(), "A line of help beneath the field.", "{type: text, hint: Street and house number}"),
        Key("required", Condition(("true", "false")), "Whether a value must be given: `true` or a condition.",
            "{type: text, required: depth > 20}"),
        Key("recommended", Condition(("true", "false")), "Whether a value should be given: without one the record is saved "
            "with a warning, which stays as a flag.", "{type: text, recommended: depth > 20}"),
        Key("show", Condition(), "When the field applies. Else it is not shown, required or checked, and a write that changes "
            "what the condition reads empties it.", "{type: text, show: depth > 20}"),
        Key("readonly", Condition(("true", "false")), "When nobody may change it by hand; defaults, moves and computed values "
            "still may.", "{type: text, readonly: depth > 20}"),
        Key("default", Value(), "What a new record starts with. A default may read others, computed fields, rows, and what lies beyond a "
            "link that a default gave; `find` comes after it.",
            "{type: link, to: user, default: =actor}"),
        Key("compute", Value(), "An expression that always gives its value: over the record's own fields, what its links lead to, its rows "
            "and what links to it.", "{compute: =depth * 2}"),
        Key("fields", Named("field", may_be_empty=False), "What each row holds, in order. A condition or value there reads "
            "the row's own fields, `parent` (the record) and `actor`.",
            "{type: rows, fields: {item: text, amount: {type: money, required: item != null}}}", types=("rows",)),
        Key("min", Bound(), "The least value: data, or an `=expression` over other fields; of rows and of a link with `many`, how "
            "many there must be; of files, how many, where there are any.", "{type: integer, min: 0}", types=(*BOUNDED, "link", "user")),
        Key("max", Bound(), "The greatest value: data, or an `=expression` over other fields; of rows, of a link with `many` "
            "and of files, how many there may be (1,000, 1,000 and 100 at most).", "{type: decimal, max: =depth * 2}",
            types=(*BOUNDED, "link", "user")),
        Key("length", Range(1, 10_000), "The most characters, or `{min, max}`.", "{type: text, length: {min: 2, max: 40}}",
            types=WRITTEN, default="255 for text"),
        Key("words", Integer(1, 5_000), "The most words.", "{type: long_text, words: 200}", types=("text", "long_text", "markdown")),
        Key("pattern", Text(1000), "A regular expression (RE2) that the whole value must match.",
            "{type: text, pattern: '[A-Z]{2}[0-9]+'}", types=WRITTEN),
        Key("pattern_message", Label(), "What to say when it does not.",
            "{type: text, pattern: '[0-9]+', pattern_message: Digits only}", types=WRITTEN),
        Key("unique", Boolean(), "Whether no two records share a value.", "{type: text, unique: true}"),
        Key("index", Boolean(), "Whether the database keeps an index, for what is often searched.",
            "{type: date, index: true}"),
        Key("places", Integer(0, 9), "Digits after the point.", "{type: decimal, places: 3}", types=("decimal", "percent"),
            default="2; 1 for percent"),
        Key("currency", Text(50), "The ISO 4217 code; or `=` and the name of a choice of the same record whose options are such codes: "
            "then each record has its own currency, and its amounts the digits of that.", "{type: money, currency: EUR}", types=("money",),
            default="the application's"),
        Key("unit", Text(20), "The unit shown behind the value. Of a duration `business days` or `business hours`, in which it is "
            "counted then.", "{type: decimal, unit: cm}", types=("integer", "decimal", "duration")),
        Key("options", Named("option", names="option", may_be_empty=False), "What can be chosen: names, or a map from "
            "name to label.", "{type: choice, options: {phone: Telephone, web: Web form}}", types=("choice",)),
        Key("ordered", Boolean(), "Whether the options stand in an order: they compare, sort and filter by their place.",
            "{type: choice, options: [low, high], ordered: true}", types=("choice",)),
        Key("many", Boolean(), "Whether several may be chosen, several files attached, or several records linked to. The value of a "
            'choice is a list in the order of the options; `"web" in channels` asks for one. That of a link is a list of records in the '
            "order they were given, and a collection in expressions: `actor in wards`, `count(districts)`.",
            "{type: link, to: user, many: true}",
            types=("choice", "link", "user", *FILED)),
        Key("to", Ref("entity", many=True), "The entity a link leads to, or several; `user` for the people who sign in, `any` "
            "for every entity. An entity that others extend stands for all of them. Through a link to several, expressions and "
            "columns read what all of them have, of one type; `entity(requester)` says which it is.",
            "{type: link, to: user}", types=("link",)),
        Key("filter", Condition(), "Which records of the target may be chosen: a condition on the target, in which `this` is the "
            "record that has the link. It holds for what is newly chosen; an old choice stays. With `many` for each.",
            "{type: link, to: user, filter: active == true}", types=("link",)),
        Key("find", Condition(), "Finds the record by itself where the link is empty: the one for which this condition on the target "
            "holds, with `this` as in `filter`. Where none fits, or several, it stays empty, and a warning says so. With `many` it "
            "finds all that fit.",
            "{type: link, to: user, find: id == this.created_by}", types=("link",)),
        Key("on_delete", OneOf(("restrict", "cascade", "clear")), "What the deletion of the linked record does: `restrict`, it "
            "is refused while this record links to it; `cascade`, this record is deleted with it, if who deletes may delete this "
            "one too; `clear`, the link is emptied. Restoring brings back what went along.",
            "{type: link, to: user, on_delete: clear}", types=("link", "user"), default="`restrict`"),
        Key("accept", Ref("content", many=True), f"What may be in a file, judged by its content: {_ACCEPTED}.",
            "{type: file, accept: [pdf, office]}", types=FILED, default="pdf, images, office and text; of an image: images"),
        Key("size", Text(20), "The most bytes of one file, in KB, MB or GB (thousands).", "{type: file, size: 25 MB}", types=FILED,
            default="`10 MB`"),
        Key("inverse", Name(), "What the records that link here are called on the entity that the link leads to: a collection in its "
            "expressions, and a count in its views. Of a link in an entity that others extend it is one collection: the records of all.",
            "{type: link, to: user, inverse: requests}", types=("link", "user")),
        Key("protected", Boolean(), "Only roles that name it in `sees` see it, only those in `edits` change it.",
            "{type: text, protected: true}"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases: its values are kept.",
            "{type: text, renamed_from: [vat_no, tax_number]}"),
        Key("converted_from", One("conversion"), "The type that its values had before, and how they become what they are now.",
            "{type: integer, converted_from: text}"),
        Key("fill", Value(), "What records that are there get where it is empty, when a release is applied; beside `required` or "
            "on a new field.", "{type: text, required: true, fill: =title}"),
        Key("removed", Named("removal", names="option"), "Options that are gone, and what records that still hold them get.",
            "{type: choice, options: [phone, web], removed: {fax: phone}}", types=("choice", "role")),
        Key("discloses", Boolean(), "It may show what is computed from protected fields.",
            "{compute: =tax_id != null, discloses: true}"),
    ),
    short="type",
    later=("sensitive",
           "copy", "extends"),
)  # fmt: skip

CONVERSION = MapKind(
    "conversion",
    "A stated conversion",
    "A bare value is the type. Without `with`, each value is read in the new type as if it had been typed; `xrm plan` lists the "
    "records that would fail, and while there are any, nothing is changed.",
    (
        Key("type", Ref("type"), "The type that the values had.", "{type: text}", required=True),
        Key("places", Integer(0, 9), "Digits after the point that they had.", "{type: decimal, places: 3}",
            default="2 for decimal, 1 for percent"),
        Key("with", Value(), "What they become: an expression over the record's fields and `old`, the value it had.",
            """{type: integer, with: '=old > 3 ? "many" : "few"'}"""),
    ),
    short="type",
)  # fmt: skip

REMOVAL = MapKind(
    "removal",
    "What becomes of a removed option, state or role",
    "Under the name that is gone. A bare value is the name that takes its place; `{}`: none, the field is emptied, the role taken away.",
    (Key("to", Text(100), "The option, state or role that takes its place.", "{to: phone}"),),
    short="to",
    unsaid="write the name that takes its place, or {}: nothing does",
)

OPTION = MapKind(
    "option",
    "An option of a choice",
    "A bare value is its label.",
    (
        Key("label", Label(), "The words that people see.", "{label: Telephone}", default="made from the name"),
        Key("tone", OneOf(TONES), "Its colour.", "{tone: warn}"),
        Key("when", Condition(), "When it can be chosen.", "{when: depth > 20}", default="always"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases.", "{renamed_from: tel}"),
    ),
    short="label",
)

UNIQUE = MapKind(
    "unique",
    "A rule that no two records share",
    "A bare value is the list of fields.",
    (
        Key("fields", Ref("field", many=True), "The fields that are unique together.", "{fields: [source, source_id]}",
            required=True),
        Key("when", Condition(), "Only among records for which this holds.",
            "{fields: source_id, when: source_id != null}"),
    ),
    short="fields",
)  # fmt: skip

CHECK = MapKind(
    "check",
    "A check",
    "Exactly one of `must` and `should`.",
    (
        Key("when", Condition(), "It is only checked when this holds.",
            "{when: due != null, must: due > opened, message: Due must be after opened}"),
        Key("must", Condition(), "What must hold, or the record is not saved.",
            "{must: depth > 0, message: Enter the depth}"),
        Key("should", Condition(), "What should hold; else the record is saved with a warning.",
            "{should: depth < 100, message: Check the depth}"),
        Key("message", Label(), "What to say otherwise; fields of the record may stand in braces.",
            "{must: depth > 0, message: Enter the depth}", required=True),
        Key("field", Ref("field"), "The field that the message stands beside.",
            "{must: depth > 0, message: Enter the depth, field: depth}"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases: flags of records keep it.",
            "{must: depth > 0, message: Enter the depth, renamed_from: deep}"),
    ),
)  # fmt: skip

LIFECYCLE = MapKind(
    "lifecycle",
    "A lifecycle",
    "The states of a record, and the moves between them.",
    (
        Key("states", Named("state", may_be_empty=False), "The states, in order. One is the initial one.",
            "{states: {new: {initial: true}, done: {final: true}}, transitions: {finish: {from: new, to: done}}}",
            required=True),
        Key("transitions", Named("transition"), "The moves.",
            "{states: {new: {initial: true}, done: {final: true}}, transitions: {finish: {from: new, to: done}}}"),
        Key("removed", Named("removal", names="option"), "States that are gone, and where records that are still there go.",
            "{states: {new: {initial: true}}, removed: {waiting: new}}"),
        Key("fill", Value(), "The state of records that had no lifecycle before.",
            "{states: {new: {initial: true}}, fill: new}", default="the initial state"),
    ),
)  # fmt: skip

STATE = MapKind(
    "state",
    "A state",
    "A bare value is its label.",
    (
        Key("label", Label(), "The words that people see.", "{label: In progress}", default="made from the name"),
        Key("initial", Boolean(), "Records begin here. Exactly one state says so.", "{initial: false}"),
        Key("final", Boolean(), "A record here is no longer open.", "{final: true}"),
        Key("tone", OneOf(TONES), "Its colour.", "{tone: ok}"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases.", "{renamed_from: started}"),
        Key("edit", Ref("field", many=True, may_be_empty=True), "The only fields that may still change here; `[]` "
            "locks all.", "{edit: [depth]}", default="all"),
    ),
    short="label",
    later=("category", "outcomes"),
)  # fmt: skip

TRANSITION = MapKind(
    "transition",
    "A transition",
    "A move from one state, or several, to another.",
    (
        Key("label", Label(), "The words on the button.", "{from: new, to: done, label: Finish}",
            default="made from the name"),
        Key("from", Ref("state", many=True), "Where it starts.", "{from: [new, waiting], to: done}", required=True),
        Key("to", Ref("state"), "Where it leads.", "{from: new, to: done}", required=True),
        Key("roles", Ref("role", many=True), "Who may do it.", "{from: new, to: done, roles: agent}",
            default="whoever may update the record"),
        Key("set", ValueMap(), "Fields that it sets.", "{from: new, to: done, set: {owner: =actor}}"),
        Key("ask", Named("ask", names="field"), "Fields that it asks for.",
            "{from: new, to: done, ask: [outcome]}"),
        Key("guards", Many("guard"), "Conditions on the move; the page says why it is not possible now.",
            "{from: new, to: done, guards: [{must: depth > 0, message: Enter the depth first}]}"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases: the history shows it under its "
            "name of now.", "{from: new, to: done, renamed_from: complete}"),
    ),
    later=("effects", "auto", "copy", "recommended", "show"),
)  # fmt: skip

ASK = MapKind(
    "ask",
    "A question of a transition",
    "Under the name of a field.",
    (
        Key(
            "required",
            Condition(("true", "false")),
            "Whether it must be answered: `true`, `false` or a condition.",
            "{required: depth > 20}",
            default="`true`",
        ),
        Key("show", Condition(), "When it is asked at all.", "{show: depth > 20}", default="always"),
    ),
)

GUARD = MapKind(
    "guard",
    "A guard",
    "A condition on a move.",
    (
        Key("must", Condition(), "What must hold.", "{must: depth > 0, message: Enter the depth first}", required=True),
        Key("message", Label(), "What to say otherwise.", "{must: depth > 0, message: Enter the depth first}",
            required=True),
    ),
)  # fmt: skip

GRANT = MapKind(
    "grant",
    "What a role may do",
    "A right is `true` or a condition on the record. A name or a list of names grants these rights always.",
    (
        Key("read", Condition(("true",)), "May see records.", "{read: open}"),
        Key("create", Condition(("true",)), "May add records.", "{create: true}"),
        Key("update", Condition(("true",)), "May change records.", "{read: true, update: created_by == actor}"),
        Key("delete", Condition(("true",)), "May delete records.", "{delete: '!open'}"),
        Key("sees", Ref("field", many=True), "Protected fields it sees.", "{read: true, sees: [tax_id]}"),
        Key("edits", Ref("field", many=True), "Protected fields it changes.",
            "{read: true, update: true, sees: [tax_id], edits: [tax_id]}"),
        Key("historic", Boolean(), "May import records as they were, in any state and at any time.",
            "{read: true, create: true, historic: true}"),
    ),
    flags=("read", "create", "update", "delete"),
)  # fmt: skip

VIEW = MapKind(
    "view",
    "A view",
    "A list of records.",
    (
        Key("label", Label(), "The name that people see.", "{label: Mine}", default="made from the name"),
        Key("columns", Ref("path", many=True), "Fields, or paths over links.", "{columns: [title, owner.label, depth]}",
            default="those of the view `default`"),
        Key("sort", Ref("path", many=True), "What it is sorted by; `-` before it: the greatest first.",
            "{sort: [-created_at, title]}", default="`-created_at`"),
        Key("filter", Condition(), "Which records it shows.", "{filter: owner == actor && open}", default="all"),
        Key("renamed_from", Ref("earlier name", many=True), "What it was called in earlier releases: addresses that people have kept "
            "still lead to it.", "{label: Mine, renamed_from: my_own}"),
    ),
)  # fmt: skip

SECTION = MapKind(
    "section",
    "A section of a form",
    "Fields beneath a heading.",
    (
        Key("section", Label(), "The heading.", "{section: Where, fields: [address]}", required=True),
        Key("fields", Ref("field", many=True), "The fields, in order.", "{section: Where, fields: [address, depth]}",
            required=True),
        Key("columns", Integer(1, 4), "How many fields stand beside each other at most; on a narrow screen fewer.",
            "{section: Where, fields: [address, depth], columns: 2}", default="as many as fit"),
        Key("show", Condition(), "When its fields apply; it holds for each of them, on every way to write.",
            "{section: Where, fields: [address], show: depth > 20}", default="always"),
        Key("required", Condition(("true", "false")), "When each of its fields must have a value.",
            "{section: Where, fields: [address], required: depth > 20}"),
        Key("readonly", Condition(("true", "false")), "When nobody may change its fields by hand.",
            "{section: Where, fields: [address], readonly: depth > 20}"),
    ),
)  # fmt: skip

CASE = MapKind(
    "case",
    "A case of a value",
    "In a list that stands for a value, the first case whose condition holds gives it.",
    (
        Key("when", Condition(), "When it is used.", "{when: depth > 20, use: 1}", default="always"),
        Key("use", Value(), "Data, or an `=expression`.", "{use: =depth}", required=True),
    ),
)

KINDS: Mapping[str, MapKind] = {
    kind.name: kind
    for kind in (
        APPLICATION, BRAND, ROLE, ENTITY, FIELD, CONVERSION, REMOVAL, OPTION, UNIQUE, CHECK, LIFECYCLE, STATE, TRANSITION, ASK, GUARD,
        GRANT, VIEW, SECTION, CASE,
    )
}  # fmt: skip
