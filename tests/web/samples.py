"""Made-up page models of every kind, for pages to be looked at and measured without an application."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from markupsafe import Markup

from xrm.expr.places import Point
from xrm.model.application import Application
from xrm.model.entity import Entity, NumberFormat
from xrm.model.fields import Field, Option
from xrm.model.lifecycle import Lifecycle, State
from xrm.web import pages
from xrm.web.cells import Table, Tongue, cell, table
from xrm.web.display import display

NOW = datetime(2026, 11, 21, 17, 40, tzinfo=UTC)
TODAY = date(2026, 11, 21)
ID = "0198c0de-0000-7000-8000-000000000001"


def field(name: str, kind: str, label: str, **more: object) -> Field:
    return Field(name=name, type=kind, label={"en": label}, **more)  # type: ignore[arg-type]


PRIORITIES = (Option("low", {"en": "Low"}), Option("normal", {"en": "Normal"}), Option("high", {"en": "High"}, "danger"))
CHANNELS = (Option("phone", {"en": "Telephone"}), Option("web", {"en": "Web form"}), Option("mail", {"en": "Email"}))
STATES = {
    name: State(name, {"en": label}, initial=name == "new", final=name == "closed", tone=tone)
    for name, label, tone in (
        ("new", "Received", None),
        ("triage", "Triage", None),
        ("investigation", "Investigation", "info"),
        ("waiting", "Waiting for resident", "warn"),
        ("decision", "Decision", "ok"),
        ("closed", "Closed", None),
    )
}
SYSTEM = {
    f.name: f
    for f in (
        field("id", "text", "Id", system=True),
        field("number", "text", "Number", system=True),
        field("title", "text", "Title", system=True),
        field("state", "text", "State", system=True),
        field("state_since", "datetime", "State since", system=True),
        field("created_at", "datetime", "Opened", system=True),
        field("updated_at", "datetime", "Last change", system=True),
        field("created_by", "link", "Opened by", system=True, to="user"),
        field("updated_by", "link", "Changed by", system=True, to="user"),
        field("version", "integer", "Version", system=True),
    )
}
REQUEST_FIELDS = {
    f.name: f
    for f in (
        field("category", "link", "Category", to="category"),
        field("requester", "link", "Reported by", to="person"),
        field("priority", "choice", "Priority", options=PRIORITIES),
        field("channel", "choice", "Channel", options=CHANNELS),
        field("address", "text", "Address"),
        field("place", "point", "Place"),
        field("phone", "phone", "Reply to"),
        field("email", "email", "Email"),
        field("depth", "decimal", "Measured level", places=1, unit="dB"),
        field("cost", "money", "Estimated cost", places=2),
        field("count", "integer", "People affected"),
        field("urgent", "boolean", "Happening now"),
        field("noticed", "date", "First noticed"),
        field("page", "url", "Permit page"),
        field("what", "long_text", "What happened"),
    )
}
NAMED = {"name": field("name", "text", "Name")}
APPLICATION = Application(
    name="northport",
    label={"en": "City of Northport"},
    locale="en",
    timezone="America/Los_Angeles",
    currency="USD",
    types=(),
    roles={},
    entities={
        "request": Entity(
            "request",
            {"en": "Service request"},
            {"en": "Service requests"},
            "briefcase",
            REQUEST_FIELDS,
            SYSTEM,
            "{address}",
            NumberFormat("NP-{year}-{seq:6}", 6, True),
            lifecycle=Lifecycle(STATES, {}),
        ),
        "category": Entity("category", {"en": "Category"}, {"en": "Categories"}, "category", NAMED, SYSTEM, "{name}"),
        "person": Entity("person", {"en": "Person"}, {"en": "People"}, "users", NAMED, SYSTEM, "{name}"),
        "user": Entity("user", {"en": "User"}, {"en": "Users"}, "id-badge", NAMED, SYSTEM, "{name}", standard=True),
    },
    files={},
    digest="",
)
REQUEST = APPLICATION.entities["request"]
HOME = (
    pages.Input("home.street", "text", "Street and number", "14 Harbour Street", complete="address-line1"),
    pages.Input("home.city", "text", "City", "Rotterdam", complete="address-level2"),
    pages.Input("home.country", "text", "Country", "NL", "Two letters, for example US", complete="country"),
)
WARDS = (pages.Option("a", "Harbour", True), pages.Option("b", "Old town and the streets behind the market"))
COLUMNS = ("number", "title", "category", "state", "priority", "created_at", "cost", "requester", "updated_at")
PLACES = (
    pages.Place("home", "Home", "/w/", "home"),
    pages.Place("request", "Service requests", "/w/request", "briefcase"),
    pages.Place("person", "People", "/w/person", "users"),
    pages.Place("category", "Categories", "/w/category", "category"),
    pages.Place("user", "Users", "/w/user", "id-badge"),
)
SUBJECTS = (
    "Night noise from construction site, 14 Harbour Street",
    "Tree fallen across the footpath, Mill Lane",
    "Objection to building permit BP-2026-0644",
    "Bin not emptied, 14 Harbour Street",
    "Street light out, corner of Quay and 3rd",
    "حفرة في شارع الميناء",
    "Market stall licence, change of goods",
    "Pothole, 88 Mill Lane",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen verloren",
    "<script>alert('x')</script> & \"quotes\"",
)


def tongue(locale: str = "en-US") -> Tongue:
    return Tongue(APPLICATION, "en", display(locale, APPLICATION.timezone))


def row(index: int) -> dict[str, object]:
    opened = NOW - timedelta(hours=7 * index, minutes=11 * index)
    return {
        "id": f"{ID[:-4]}{index:04d}",
        "number": f"NP-2026-{4817 - index:06d}",
        "title": SUBJECTS[index % len(SUBJECTS)],
        "category": ID,
        "category.title": ("Environment › Noise", "Trees", "Waste")[index % 3],
        "requester": ID if index % 4 else None,
        "requester.title": ("Amira Haddad", "J. de Wit", "Jürgen Ōe")[index % 3] if index % 4 else None,
        "state": ("investigation", "triage", "waiting", "decision", "new")[index % 5],
        "state_since": opened,
        "priority": ("high", "normal", None, "low")[index % 4],
        "channel": "phone",
        "created_at": opened,
        "updated_at": NOW - timedelta(minutes=3 * index),
        "cost": Decimal(12345 + 991 * index) / 100 if index % 3 else None,
        "depth": Decimal("71.5"),
        "count": 4200,
        "urgent": True,
        "address": "14 Harbour Street, 3011 NP",
        "place": Point(34.0522, -118.2437),
        "phone": "+12135550134",
        "email": "amira@example.org",
        "noticed": date(2026, 11, 16),
        "page": "https://example.org/permits/BP-2026-0771",
        "created_by": ID,
        "created_by.title": "Front desk",
        "updated_by": ID,
        "updated_by.title": "M. Okafor",
        "version": 7,
        "what": "Pile driving and lorries after 22:00 on three nights.\nTwo small children cannot sleep. The caller has recordings and will send them by email.",
    }


def facts(words: Tongue, *paths: str) -> tuple[pages.Fact, ...]:
    every = {**REQUEST.system_fields, **REQUEST.fields}
    return tuple(
        pages.Fact(words.words(every[path].label), cell(words, REQUEST, path), wide=every[path].type == "long_text") for path in paths
    )


def list_page(words: Tongue, rows: int = 50) -> pages.ListPage:
    grid: Table = table(words, REQUEST, COLUMNS, lambda path: path != "requester")
    headings = tuple(
        pages.Heading(c.label, f"/w/request?sort={c.path}" if c.sortable else "", "descending" if c.path == "created_at" else "", c.style)
        for c in grid.columns
    )
    return pages.ListPage(
        title="My open requests, 50 of 312 service requests",
        heading="Service requests",
        caption="My open requests, newest first",
        url="/w/request",
        view="mine",
        table=grid,
        headings=headings,
        rows=[row(i) for i in range(rows)],
        today=TODAY,
        count="312 records" if rows else "No records",
        search="" if rows else "zebra crossing",
        tabs=(
            pages.Tab("All", "/w/request?view=default"),
            pages.Tab("My open requests", "/w/request?view=mine", True),
            pages.Tab("Unassigned", "/w/request?view=unassigned"),
            pages.Tab("Waiting for the resident", "/w/request?view=waiting"),
        ),
        filter_names=("number", "title", "state", "priority", "category", "created_at"),
        sort="-created_at",
        sorts=(pages.Option("-created_at", "Opened, newest first", True), pages.Option("number", "Number")),
        picks=(
            pages.Pick("state", "State", (pages.Option("", "Any state"), pages.Option("triage", "Triage", True))),
            pages.Pick("priority", "Priority", (pages.Option("", "Any priority"), pages.Option("high", "High"))),
        ),
        chips=(pages.Link("State: Triage", "/w/request?view=mine"),),
        clear="/w/request?view=mine",
        new=pages.Link("New service request", "/w/request/new"),
        first="/w/request?view=mine",
        next="/w/request?after=x",
        empty="No service requests match. Take a filter away, or look in another view.",
    )


def record_page(words: Tongue) -> pages.RecordPage:
    at = words.display.time
    return pages.RecordPage(
        title="NP-2026-004817 Night noise from construction site",
        heading=SUBJECTS[0],
        number="NP-2026-004817",
        row=row(1) | {"requester.title": "Amira Haddad"},
        crumbs=(pages.Link("Service requests", "/w/request"),),
        badges=(pages.Badge("Investigation", "info", "flag"), pages.Badge("Priority: High", "danger", "alert-triangle")),
        facts=facts(words, "requester", "category", "created_at", "channel", "cost", "address"),
        flags=("The address has no place on the map yet, so no district was found.",),
        stages=(
            pages.Stage("Received", "done", "Nov 18", "12 min"),
            pages.Stage("Triage", "done", "Nov 19", "2 hr 10 min"),
            pages.Stage("Investigation", "now", "since Nov 19", "2 days 4 hr", NOW - timedelta(days=2, hours=4)),
            pages.Stage("Decision", "todo"),
            pages.Stage("Closed", "todo"),
        ),
        steps=(
            pages.Step("propose", "Propose decision", f"/w/request/{ID}/move/propose", True, (), "1"),
            pages.Step("ask", "Ask the resident", f"/w/request/{ID}/move/ask", True, (), "2"),
            pages.Step("refer", "Refer to another agency", f"/w/request/{ID}/move/refer", True, (), "3"),
            pages.Step("close", "Close", "", False, ("Add the inspection report first", "Enter the decision")),
        ),
        groups=(
            pages.Group("What", facts(words, "category", "priority", "noticed", "depth", "count", "urgent", "cost", "what")),
            pages.Group("Where and who", facts(words, "address", "place", "requester", "phone", "email", "page")),
        ),
        days=(
            pages.Day(
                "Saturday, November 21, 2026",
                (
                    pages.Entry(
                        "changed",
                        "M. Okafor",
                        "changed 3 fields",
                        NOW,
                        at(words.display.local(NOW)),
                        "",
                        (
                            pages.Change("Priority", "Normal", "High"),
                            pages.Change("Measured level", "", "71.5 dB"),
                            pages.Change("Reported by", "Front desk", "Amira Haddad"),
                        ),
                    ),
                ),
            ),
            pages.Day(
                "Thursday, November 19, 2026",
                (
                    pages.Entry("moved", "S. Lindqvist", "moved it from Triage to", NOW, "1:09 AM", "Investigation"),
                    pages.Entry(
                        "moved",
                        "S. Lindqvist",
                        "moved it from Received to",
                        NOW,
                        "12:02 AM",
                        "Triage",
                        (pages.Change("Owner", "", "S. Lindqvist"),),
                    ),
                    pages.Entry("created", "Front desk", "opened this record", NOW, "12:01 AM"),
                ),
            ),
        ),
        more=pages.Link("Show all 71 changes", "?all=yes"),
        links=facts(words, "requester", "category"),
        related=(
            pages.Related(
                "Visits",
                "/w/visit",
                "2",
                (
                    pages.Link("VS-000114 Site visit", "/w/visit/1", "Planned · Nov 22"),
                    pages.Link("VS-000102 Sound level", "/w/visit/2", "Done · Nov 20"),
                ),
                pages.Link("Add", "/w/visit/new"),
            ),
            pages.Related("Permits", "/w/permit", "0", ()),
        ),
        info=facts(words, "created_at", "created_by", "updated_at", "updated_by", "version"),
        empty=("Appointment", "Permit"),
        edit=f"/w/request/{ID}/edit",
        delete=f"/w/request/{ID}/delete",
    )


def inputs() -> tuple[pages.Section, ...]:
    pick = (pages.Option("", "Choose"), pages.Option("low", "Low"), pages.Option("normal", "Normal", True), pages.Option("high", "High"))
    yes_no = (pages.Option("yes", "Yes", True), pages.Option("no", "No"), pages.Option("", "Not known"))
    return (
        pages.Section(
            "What",
            (
                pages.Input(
                    "category", "select", "Category", options=(pages.Option("", "Choose"), pages.Option("a", "Environment › Noise", True))
                ),
                pages.Input("priority", "select", "Priority", options=pick),
                pages.Input("noticed", "date", "First noticed", "2026-11-16", optional=True),
                pages.Input("at", "datetime", "Appointment", "2026-11-24T09:30", optional=True, hint="Time in Los Angeles"),
                pages.Input("depth", "number", "Measured level", "71.5", optional=True, after="dB"),
                pages.Input("cost", "number", "Estimated cost", "1250.50", optional=True, before="$"),
                pages.Input("urgent", "radios", "Happening now", "yes", optional=True, options=yes_no),
                pages.Input(
                    "what",
                    "area",
                    "What happened",
                    "Pile driving and lorries after 22:00.",
                    hint="Do not write names of other people.",
                    limit=500,
                    wide=True,
                ),
            ),
        ),
        pages.Section(
            "Where and who",
            (
                pages.Input("address", "text", "Address", "14 Harbour Street", wide=True),
                pages.Input(
                    "requester",
                    "combo",
                    "Reported by",
                    ID,
                    "Type a name or number",
                    source="/w/request/options?field=requester",
                    shown="Amira Haddad",
                ),
                pages.Input("home", "address", "Home", parts=HOME, optional=True, hint="Where letters go", wide=True),
                pages.Input("wards", "checks", "Wards", options=WARDS, optional=True),
                pages.Input("phone", "tel", "Reply to", "+1 213 555 0134", "With the country code", optional=True),
                pages.Input("email", "email", "Email", "", optional=True),
                pages.Input("page", "url", "Permit page", "", optional=True),
                pages.Input("place", "text", "Place", "34.0522, -118.2437", "Latitude, longitude", optional=True),
            ),
        ),
    )


def form_page(wrong: bool = False) -> pages.FormPage:
    sections = inputs()
    troubles: tuple[pages.Trouble, ...] = ()
    if wrong:
        errors = {
            "category": "Category must be chosen",
            "cost": "Estimated cost must be a number",
            "urgent": "Say whether it is happening now",
            "requester": "Reported by: no record has this name",
        }
        sections = tuple(
            replace(
                s,
                inputs=tuple(
                    replace(i, error=errors.get(i.name, ""), value="12,50 or so" if i.name == "cost" else i.value) for i in s.inputs
                ),
            )
            for s in sections
        )
        troubles = tuple(pages.Trouble(text, f"f-{name}") for name, text in errors.items())
    title = "Edit NP-2026-004817"
    return pages.FormPage(
        title=f"Error: {title}" if wrong else title,
        heading=title,
        action=f"/w/request/{ID}/edit",
        submit="Save",
        cancel=f"/w/request/{ID}",
        crumbs=(pages.Link("Service requests", "/w/request"), pages.Link("NP-2026-004817", f"/w/request/{ID}")),
        sections=sections,
        hidden=(("version", "7"),),
        troubles=troubles,
    )


def move_page() -> pages.FormPage:
    return pages.FormPage(
        title="Propose decision: NP-2026-004817",
        heading="Propose decision",
        action="#",
        submit="Propose decision",
        cancel="#",
        crumbs=(pages.Link("Service requests", "/w/request"), pages.Link("NP-2026-004817", f"/w/request/{ID}")),
        intro="Night noise from construction site, 14 Harbour Street moves from Investigation to Decision.",
        sections=(
            pages.Section(
                "",
                (
                    pages.Input("outcome", "select", "Outcome", options=(pages.Option("", "Choose"), pages.Option("a", "Upheld"))),
                    pages.Input("reason", "area", "Reasons", wide=True, limit=2000),
                ),
            ),
        ),
    )


def conflict_page() -> pages.ConflictPage:
    return pages.ConflictPage(
        title="Choose what to keep: NP-2026-004817",
        heading="Choose what to keep",
        action="#",
        cancel="#",
        by="R. Silva",
        at=NOW,
        time="Nov 21, 2026, 9:38 AM",
        crumbs=(pages.Link("Service requests", "/w/request"), pages.Link("NP-2026-004817", f"/w/request/{ID}")),
        clashes=(
            pages.Clash("priority", "Priority", "Normal", "Low", "High"),
            pages.Clash(
                "what",
                "What happened",
                "Pile driving.",
                "Pile driving. The site manager has been called.",
                "Pile driving and lorries after 22:00 on three nights.",
            ),
        ),
        kept=(pages.Change("Email", "", "amira@example.org"),),
        theirs=(pages.Change("Measured level", "", "71.5 dB"),),
    )


def everything(locale: str = "en-US") -> dict[str, pages.Page]:
    words = tongue(locale)
    secret = tuple(
        pages.Input(n, "password", label, complete=c)
        for n, label, c in (("old", "Current password", "current-password"), ("new", "New password", "new-password"))
    )
    return {
        "sign-in": pages.SignInPage("Sign in"),
        "sign-in-wrong": pages.SignInPage("Error: Sign in", "m.okafor", "The user name or the password is not right", ended=True),
        "home": pages.HomePage(
            "Home",
            (
                pages.HomeEntry(
                    "Service requests",
                    "/w/request",
                    "briefcase",
                    "312",
                    "Everything residents ask the city to do.",
                    (pages.Tab("My open requests", "#", count="23"), pages.Tab("Unassigned", "#", count="9")),
                    pages.Link("New service request", "/w/request/new"),
                ),
                pages.HomeEntry(
                    "People", "/w/person", "users", "48,211", "", (pages.Tab("All", "#"),), pages.Link("New person", "/w/person/new")
                ),
                pages.HomeEntry("Categories", "/w/category", "category", "64"),
            ),
        ),
        "list": list_page(words),
        "list-empty": list_page(words, 0),
        "list-wrong": replace(list_page(words, 3), filter='state = "triage"', filter_problem="Expected == here; = alone compares nothing"),
        "peek": pages.PeekPage(
            SUBJECTS[0],
            "NP-2026-004817",
            f"/w/request/{ID}",
            row(1),
            (pages.Badge("Investigation", "info"),),
            ("The address has no place on the map yet.",),
            facts(words, "requester", "category", "created_at"),
            facts(words, "what"),
            (pages.Link("Propose decision", "#"),),
        ),
        "record": record_page(words),
        "record-deleted": replace(
            record_page(words), restore=pages.Post("Restore", "#", (("version", "8"),)), steps=(), edit="", delete=""
        ),
        "edit": form_page(),
        "edit-wrong": form_page(wrong=True),
        "move": move_page(),
        "delete": pages.ConfirmPage(
            "Delete NP-2026-004817",
            "Delete NP-2026-004817?",
            "It disappears from lists and search. It can be restored.",
            "#",
            "Delete",
            "#",
            (pages.Link("Service requests", "/w/request"),),
            danger=True,
        ),
        "conflict": conflict_page(),
        "search": pages.SearchPage(
            "Search: harbour",
            "harbour",
            (
                pages.HitGroup(
                    "Service requests",
                    "briefcase",
                    (
                        pages.Hit(SUBJECTS[0], "#", "NP-2026-004817", pages.Badge("Investigation", "info"), "Opened Nov 18"),
                        pages.Hit(SUBJECTS[3], "#", "NP-2026-004702", pages.Badge("Closed")),
                    ),
                    pages.Link("Show all 14", "#"),
                ),
                pages.HitGroup("People", "users", (pages.Hit("Harbour Master", "#"),)),
            ),
            "15 found",
        ),
        "search-none": pages.SearchPage("Search: zebra", "zebra", (), "Nothing found"),
        "me": pages.PreferencesPage("Preferences", "M. Okafor", ("Call handler", "Supervisor"), secret),
        "keys": pages.KeysPage("Keyboard shortcuts"),
        "error": pages.ErrorPage(
            "You may not see this page",
            403,
            "Your roles do not allow it.",
            "Ask a supervisor if you need it for your work.",
            "",
            pages.Link("Home", "/w/"),
        ),
        "plugin": pages.PluginPage(
            "Heat map",
            "Heat map",
            Markup("<section class='card'><div class='body'>Made by a plugin.</div></section>"),
            (pages.Link("Home", "/w/"),),
        ),
    }


NAVIGATION = pages.Navigation(PLACES)
HERE = {"home": "home", "me": "me"}
NOTICES = {
    "record": pages.Notice("Saved."),
    "list": pages.Notice("NP-2026-004655 was deleted.", undo=pages.Post("Undo", "#", (("version", "4"),))),
}


def frame(name: str, look: pages.Look | None = None, locale: str = "en-US") -> pages.Frame:
    words = display(locale, APPLICATION.timezone)
    return pages.Frame(
        "City of Northport",
        words.locale,
        words.direction,
        APPLICATION.timezone,
        NAVIGATION,
        "" if name.startswith("sign-in") else "M. Okafor",
        "form-token",
        look or pages.Look(),
        HERE.get(name, "request"),
        NOTICES.get(name),
        fragment=False,
    )
