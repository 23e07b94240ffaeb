"""Page models: what each page shows, as frozen data. Templates turn them into HTML; nothing here knows a tag.

Text is as people read it, already in the page's locale. ``url`` is a path on this server, or ``tel:``, ``mailto:`` and
``https:`` for stored values of those kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from xrm.web.cells import Cell, Table

Tone = Literal["info", "ok", "warn", "danger"]
Theme = Literal["system", "light", "dark"]
Density = Literal["comfortable", "compact"]


# ------------------------------------------------------------ what all pages share


@dataclass(frozen=True, slots=True)
class Look:
    """How this person wants pages: colours, spacing, and whether single keys act (WCAG 2.1.4)."""

    theme: Theme = "system"
    density: Density = "comfortable"
    keys: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool = False
    count: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the main navigation; ``name`` is what a page calls itself to be marked as current."""

    name: str
    label: str
    url: str
    icon: str


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Navigation:
    """Built once for each set of roles and shared by all their pages, so that its HTML is made once too."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """A button that changes something: a form with these hidden values, posted to ``url``."""

    label: str
    url: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """What has just happened, with a way back where there is one."""

    text: str
    tone: Tone = "ok"
    undo: Post | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything around a page. ``token`` is the form token; ``here`` names the current entry of the navigation.

    ``fragment``: only the main part is wanted, by a page that is already there.
    """

    application: str
    locale: str
    direction: str
    timezone: str
    navigation: Navigation
    actor: str
    token: str
    look: Look = field(default_factory=Look)
    here: str = ""
    notice: Notice | None = None
    fragment: bool = False


@dataclass(frozen=True, slots=True)
class Badge:
    label: str
    tone: Tone | None = None
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and a value: the cell writes the value from the page's row. ``wide``: long text, across both columns."""

    label: str
    cell: Cell
    wide: bool = False
    name: str = ""


# ------------------------------------------------------------------------ sign-in


@dataclass(frozen=True, slots=True)
class SignInPage:
    template: ClassVar[str] = "sign_in.html"
    title: str
    name: str = ""
    problem: str = ""
    then: str = ""
    ended: bool = False


# --------------------------------------------------------------------------- home


@dataclass(frozen=True, slots=True)
class HomeEntry:
    label: str
    url: str
    icon: str
    count: str
    help: str = ""
    views: tuple[Tab, ...] = ()
    new: Link | None = None


@dataclass(frozen=True, slots=True)
class HomePage:
    template: ClassVar[str] = "home.html"
    title: str
    entries: tuple[HomeEntry, ...]


# --------------------------------------------------------------------------- list


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    selected: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """A filter by one choice field, offered as a select."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's head. ``sorted`` is the value of ``aria-sort``; ``url`` sorts by it, or turns the order round."""

    label: str
    url: str = ""
    sorted: Literal["", "ascending", "descending"] = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """``rows`` are the service's own, by path; ``table`` writes them. ``count`` is said beside the title."""

    template: ClassVar[str] = "list.html"
    title: str
    heading: str
    caption: str
    url: str
    view: str
    table: Table
    headings: tuple[Heading, ...]
    rows: Sequence[Mapping[str, object]]
    today: object
    count: str = ""
    tabs: tuple[Tab, ...] = ()
    search: str = ""
    filter: str = ""
    filter_problem: str = ""
    filter_names: tuple[str, ...] = ()
    sort: str = ""
    sorts: tuple[Option, ...] = ()
    picks: tuple[Pick, ...] = ()
    chips: tuple[Link, ...] = ()
    clear: str = ""
    new: Link | None = None
    first: str = ""
    next: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class PeekPage:
    """A record in short, beside its list; a page of its own without script."""

    template: ClassVar[str] = "peek.html"
    title: str
    number: str
    url: str
    row: Mapping[str, object]
    badges: tuple[Badge, ...] = ()
    flags: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    long: tuple[Fact, ...] = ()
    moves: tuple[Link, ...] = ()


# ------------------------------------------------------------------------- record


@dataclass(frozen=True, slots=True)
class Stage:
    """A state of the lifecycle as this record has it: passed, current, or ahead. ``length``: the time spent in it."""

    label: str
    status: Literal["done", "now", "todo"]
    note: str = ""
    length: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A move out of the current state. One that is not allowed stays in sight with its reasons."""

    name: str
    label: str
    url: str
    allowed: bool
    reasons: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """``files`` say it in another way where the texts name files: what happened, and where each is to be had, old ones too."""

    label: str
    before: str
    after: str
    files: tuple[tuple[str, Link], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``at`` is the instant, ``time`` its words; changes of fields are folded."""

    kind: Literal["created", "changed", "moved", "deleted", "restored", "other"]
    actor: str
    text: str
    at: datetime
    time: str
    emphasis: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """Records of one entity that link here: the newest few, and the way to all of them."""

    label: str
    url: str
    count: str
    records: tuple[Link, ...]
    new: Link | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Facts under one heading of the details."""

    label: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RecordPage:
    """``groups`` hold facts that have a value; ``empty`` names the others, so that a long form does not make a long page."""

    template: ClassVar[str] = "record.html"
    title: str
    heading: str
    number: str
    row: Mapping[str, object]
    crumbs: tuple[Link, ...]
    badges: tuple[Badge, ...] = ()
    facts: tuple[Fact, ...] = ()
    flags: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    steps: tuple[Step, ...] = ()
    groups: tuple[Group, ...] = ()
    empty: tuple[str, ...] = ()
    days: tuple[Day, ...] = ()
    more: Link | None = None
    links: tuple[Fact, ...] = ()
    related: tuple[Related, ...] = ()
    info: tuple[Fact, ...] = ()
    edit: str = ""
    delete: str = ""
    printed: str = ""
    restore: Post | None = None


@dataclass(frozen=True, slots=True)
class PrintPage:
    """A record as it goes on paper: every fact of its sections, empty ones too, as on a form to fill in."""

    template: ClassVar[str] = "print.html"
    title: str
    heading: str
    number: str
    row: Mapping[str, object]
    crumbs: tuple[Link, ...]
    badges: tuple[Badge, ...]
    groups: tuple[Group, ...]


# -------------------------------------------------------------------------- forms


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that a form holds: ``drop`` is the name of the box that takes it away. One that waits for its record has no ``url``."""

    drop: str
    name: str
    size: str
    url: str = ""
    thumbnail: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One question of a form. ``value`` is what is in it now, as text, also when it does not fit.

    Kinds: ``text area number date time datetime select radios checks combo email tel url json password``. ``shown`` is the title of
    a combo's record; ``source`` is where its options come from. ``limit`` counts characters below the input.

    Of the kind ``address``: an input for each of its ``parts``.

    Of the kind ``rows``: the heads of its ``columns``, its ``rows``, how many there may be at ``most``, the id of the button
    that takes the focus (``focused``; an input has ``focus``), and whether a button changed something that is not saved. A cell
    of the kind ``said`` is text, and no input.
    """

    name: str
    kind: str
    label: str
    value: str = ""
    hint: str = ""
    optional: bool = False
    error: str = ""
    options: tuple[Option, ...] = ()
    files: tuple[Attached, ...] = ()
    many: bool = False
    source: str = ""
    shown: str = ""
    before: str = ""
    after: str = ""
    limit: int = 0
    wide: bool = False
    complete: str = ""
    parts: tuple[Input, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[RowInputs, ...] = ()
    most: int = 0
    focus: bool = False
    focused: str = ""
    touched: bool = False
    applies: bool = True
    """Whether the field applies with what stands in the form; without script it is shown all the same."""
    varies: bool = False
    uploads: bool = False
    """A table of rows with inputs of files, also while it has no row."""
    must: bool = False
    """In a row: required in this one, by a rule."""
    fixed: bool = False
    """Not to be changed by hand now."""
    asked: bool = False
    """A change of it may change what the form shows: the server is asked."""

    @property
    def id(self) -> str:
        return f"f-{self.name}"

    @property
    def described_by(self) -> str:
        """The ids of what is said about it: hint, error, count of characters."""
        said = (("h", self.hint), ("e", self.error), ("c", self.limit))
        return " ".join(f"{self.id}-{letter}" for letter, there in said if there)


@dataclass(frozen=True, slots=True)
class RowInputs:
    """One row of a table of inputs: its number from 1, the id of the row that it is (empty for a new one), an input a column."""

    number: int
    id: str
    cells: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Inputs under a heading, at most ``columns`` beside each other; 0: as many as fit."""

    label: str
    inputs: tuple[Input, ...]
    columns: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A line of the error summary; ``target`` is the id of the input it is about."""

    text: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class FormPage:
    """Create, edit and move are this one page. ``hidden`` carries the version and what else must come back."""

    template: ClassVar[str] = "form.html"
    title: str
    heading: str
    action: str
    submit: str
    cancel: str
    crumbs: tuple[Link, ...] = ()
    intro: str = ""
    sections: tuple[Section, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    troubles: tuple[Trouble, ...] = ()
    guard: bool = True
    mirror: str = ""
    """Where what depends on the inputs is asked for; empty where nothing does."""
    previews: tuple[tuple[str, str, str], ...] = ()
    """Values that follow from the inputs: name, label, text."""

    @property
    def uploads(self) -> bool:
        """Whether it brings files, and is sent in parts (RFC 7578)."""
        return any(one.kind == "files" or one.uploads for section in self.sections for one in section.inputs)

    @property
    def tables(self) -> bool:
        """Whether it has a table of rows, whose buttons must not be what Enter in an input presses."""
        return any(one.kind == "rows" for section in self.sections for one in section.inputs)


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from what is asked, in words, and the first records that it concerns."""

    text: str
    records: tuple[Link, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """A question before something that is hard to miss: delete, restore."""

    template: ClassVar[str] = "confirm.html"
    title: str
    heading: str
    text: str
    action: str
    submit: str
    cancel: str
    crumbs: tuple[Link, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    troubles: tuple[Trouble, ...] = ()
    danger: bool = False
    effects: tuple[Effect, ...] = ()
    blocked: bool = False
    """It is not possible now: the effects say why, and there is nothing to confirm."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two people changed: what it was, what the other saved, what this person typed."""

    name: str
    label: str
    base: str
    theirs: str
    yours: str


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """Someone saved first. ``kept`` are changes of this person that clash with nothing; nothing typed is lost."""

    template: ClassVar[str] = "conflict.html"
    title: str
    heading: str
    action: str
    cancel: str
    by: str
    at: datetime
    time: str
    clashes: tuple[Clash, ...]
    kept: tuple[Change, ...] = ()
    theirs: tuple[Change, ...] = ()
    crumbs: tuple[Link, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()


# -------------------------------------------------- search, preferences, keys, errors


@dataclass(frozen=True, slots=True)
class Hit:
    label: str
    url: str
    number: str = ""
    badge: Badge | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class HitGroup:
    label: str
    icon: str
    hits: tuple[Hit, ...]
    all: Link | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    template: ClassVar[str] = "search.html"
    title: str
    words: str
    groups: tuple[HitGroup, ...]
    count: str = ""


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    template: ClassVar[str] = "preferences.html"
    title: str
    name: str
    roles: tuple[str, ...]
    password: tuple[Input, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    languages: tuple[tuple[str, str], ...] = ()
    """(locale, its name in itself), where there is a choice."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class KeysPage:
    template: ClassVar[str] = "keys.html"
    title: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """A page that could not be: the status, what it means in plain words, and what to do next."""

    template: ClassVar[str] = "error.html"
    title: str
    status: int
    text: str
    hint: str = ""
    reference: str = ""
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class PluginPage:
    """A page whose main part a plugin made: ``body`` is HTML that its plugin answers for (markupsafe.Markup)."""

    template: ClassVar[str] = "plugin.html"
    title: str
    heading: str
    body: str
    crumbs: tuple[Link, ...] = ()


Page = (
    SignInPage | HomePage | ListPage | PeekPage | RecordPage | PrintPage | FormPage | ConfirmPage | ConflictPage
    | SearchPage | PreferencesPage | KeysPage | ErrorPage | PluginPage
)  # fmt: skip
