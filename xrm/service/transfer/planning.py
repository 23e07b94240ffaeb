"""The meaning of a map: its names against the entity, the actor's rights and the columns of the file → a plan.

Everything that is wrong is found before the first row is read, and is told together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xrm.compile.policies import PolicyScope
from xrm.compile.rules import fit
from xrm.errors import Invalid, Place, Problem, ordered
from xrm.expr import Checked, ExpressionError, Moment, compile_check, to_python
from xrm.model.addresses import part_of
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.service.accepting import HISTORIC
from xrm.service.context import Context
from xrm.service.transfer.attachments import read_cell
from xrm.service.transfer.implied import keys_of
from xrm.service.transfer.outline import Column, Link, Outline, Sets, Target
from xrm.service.transfer.plan import Cell, Halves, ImportPlan, LinkPlan, Reader, Setting
from xrm.service.transfer.times import LocalTimes, date_reader, datetime_reader
from xrm.source.data import for_field
from xrm.source.document import Map, Node, Scalar, Sequence
from xrm.source.nearness import did_you_mean

OWN_COLUMNS = ("xrm_row", "xrm_reason")
"""What the file of refused rows adds; a mended one may be imported as it is."""
HALF = ("lat", "lon")


def planned(ctx: Context, outline: Outline, table: str, columns: tuple[str, ...]) -> tuple[ImportPlan, LocalTimes]:
    """The plan of a map for a file with these columns. ``table`` is the file's name.

    Raises:
        NotFound: the entity is not there for this actor.
        Invalid: the map does not fit the entity or the file (XRM601 and the codes of definitions).
    """
    entity = ctx.entity(outline.entity.text).entity
    planner = _Planner(ctx, outline, table, columns, entity)
    plan = planner.plan()
    if planner.problems:
        raise Invalid(*ordered(planner.problems))
    return plan, planner.times


def targets_of(ctx: Context, entity: Entity, *, historic: bool) -> tuple[str, ...]:
    """The fields of an entity that an import by this actor may fill."""
    policy = ctx.policy(entity.name)
    own = [name for name in entity.all_fields if name in policy.editable]
    kept = [name for name in HISTORIC if historic and name in entity.system_fields]
    return (*own, *kept)


@dataclass(slots=True)
class _Planner:
    ctx: Context
    outline: Outline
    table: str
    columns: tuple[str, ...]
    entity: Entity
    problems: list[Problem] = field(default_factory=list)
    times: LocalTimes = field(init=False)
    filled: dict[str, Place] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    born: dict[str, list[Cell]] = field(default_factory=dict)
    """The cells for records that links create, by link."""

    def __post_init__(self) -> None:
        self.times = LocalTimes(self.zone())

    def note(self, message: str, place: Place, path: tuple[str, ...], hint: str | None = None, code: str = "XRM601") -> None:
        lines = self.outline.lines if place.file == self.outline.file else ()
        source = lines[place.line - 1] if place.line <= len(lines) else None
        self.problems.append(Problem(code, message, place, path, hint, source=source))

    # -- the driver -------------------------------------------------------------------------------------------------

    def plan(self) -> ImportPlan:
        self.header()
        cells, halves = self.targets()
        settings = self.settings(self.outline.set, self.entity, ("set",), self.filled)
        links = self.links([*(cell.field for cell in cells), *(one.field for one in settings if one.finds)])
        key = self.key()
        left_out = tuple(word.text for word in self.outline.skip)
        typed = frozenset(self.read) | {part.name for part in key if not by_word(part) or part.name == "id"}
        return ImportPlan(
            self.entity, self.outline.historic, key, tuple(cells), tuple(halves), settings, links, len(self.columns), typed, left_out
        )

    def zone(self) -> ZoneInfo:
        word = self.outline.timezone
        if word is None:
            return self.ctx.service.timezone
        try:
            return ZoneInfo(word.text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.note(f"unknown time zone '{word.text[:60]}'", word.place, ("timezone",), "for example America/Los_Angeles")
            return self.ctx.service.timezone

    def header(self) -> None:
        """Every column of the map is in the file, and every column of the file in the map."""
        mapped = {column.name.text: column for column in self.outline.columns}
        skipped = {word.text: word for word in self.outline.skip}
        for column in self.outline.columns:
            if column.name.text not in self.columns and not column.optional:
                self.absent(column.name, ("columns",))
        for word in self.outline.skip:
            if word.text not in self.columns:
                self.absent(word, ("skip",))
        known = {*mapped, *skipped, *OWN_COLUMNS}
        for name in self.columns:
            if name not in known:
                hint = did_you_mean(name, [*mapped]) or "name it in 'columns', or leave it out with 'skip'"
                self.note(f"nothing is said of the column '{name[:60]}' of the file", Place(self.table, 1, 1), (name,), hint)

    def absent(self, word: Scalar, path: tuple[str, ...]) -> None:
        hint = did_you_mean(word.text, self.columns) or "the file has: " + ", ".join(self.columns[:12])
        self.note(f"the file has no column '{word.text[:60]}'", word.place, path, hint)

    # -- columns ----------------------------------------------------------------------------------------------------

    def targets(self) -> tuple[list[Cell], list[Halves]]:
        cells: list[Cell] = []
        halves: dict[str, dict[str, Cell]] = {}
        for column in self.outline.columns:
            if column.name.text not in self.columns:
                self.missed(column)
                continue
            for target in column.targets:
                self.target(column, target, cells, halves)
        return cells, [made for name, parts in halves.items() if (made := self.halves(name, parts))]

    def missed(self, column: Column) -> None:
        """A column that the file lacks was told of; what it was to fill is not told of again."""
        if not column.optional:
            for target in column.targets:
                self.filled.setdefault(target.to.text, target.to.place)

    def target(self, column: Column, target: Target, cells: list[Cell], halves: dict[str, dict[str, Cell]]) -> None:
        name, _, inner = target.to.text.partition(".")
        known = self.fillable(self.entity, target.to, name, ("columns", column.name.text))
        if known is None:
            return
        if inner and known.type == "point" and inner in HALF:
            halves.setdefault(name, {})[inner] = self.cell(column, target, Field(name, "decimal", known.label))
        elif part := part_of(known, inner):
            halves.setdefault(name, {})[inner] = self.cell(column, target, part)
        elif inner and by_word(known):
            self.far(column, target, known, inner)
        elif inner:
            hint = f"{name}.lat and {name}.lon" if known.type == "point" else None
            self.note(f"'{name}' has no part '{inner[:60]}'", target.to.place, ("columns", column.name.text), hint)
        elif self.once(name, target.to.place, ("columns", column.name.text)):
            cells.append(self.cell(column, target, known))

    def far(self, column: Column, target: Target, link: Field, inner: str) -> None:
        """A field of a record that a link creates."""
        entity = self.ctx.service.application.model.entities[link.to or ""]
        path = ("columns", column.name.text)
        creates = any(one.name.text == link.name and one.missing == "create" for one in self.outline.links)
        if not creates:
            message = f"'{target.to.text[:60]}' is for records that are created, and the link '{link.name}' creates none"
            hint = f"write links: {{{link.name}: {{missing: create}}}}; '{link.name}' alone is the column that finds the record"
            self.note(message, target.to.place, path, hint)
            return
        known = self.fillable(entity, target.to, inner, path)
        if known is not None and by_word(known):
            self.note("a created record has no links yet", target.to.place, path)
        elif known is not None:
            self.born.setdefault(link.name, []).append(self.cell(column, target, known))

    def once(self, name: str, place: Place, path: tuple[str, ...]) -> bool:
        other = self.filled.setdefault(name, place)
        if other is not place:
            self.note(f"'{name}' is filled twice", place, path, f"the other one stands at {other}")
        return other is place

    def fillable(self, entity: Entity, word: Scalar, name: str, path: tuple[str, ...]) -> Field | None:
        """The field, if this actor may fill it; else None and a problem that says why not."""
        names = targets_of(self.ctx, entity, historic=self.outline.historic and entity is self.entity)
        keyed = entity is self.entity and name in ("id", "number") and name in (part.text for part in self.outline.key)
        found = entity.field(name)
        if found is not None and (name in names or keyed):
            return found
        if found is None or name not in self.ctx.policies.names(entity.name):
            self.note(f"unknown field '{name[:60]}'", word.place, path, did_you_mean(name, names), "XRM203")
            return None
        reason, hint = "your roles may not change it", None
        if found.compute is not None:
            reason = "it is computed"
        elif found.system:
            reason = "xrm keeps it itself"
            hint = "write historic: true to import records as they were" if name in HISTORIC else None
        self.note(f"'{name}' cannot be filled: {reason}", word.place, path, hint)
        return None

    def cell(self, column: Column, target: Target, known: Field) -> Cell:
        path = ("columns", column.name.text)
        read = self.reader(known, target, path)
        if target.values is not None:
            read = self.translated(known, target, read, path)
        return Cell(self.columns.index(column.name.text), column.name.text, known, read, frozenset(target.empty))

    def reader(self, known: Field, target: Target, path: tuple[str, ...]) -> Reader:
        form = target.dates or self.outline.dates
        if target.dates is not None and known.type not in ("date", "datetime"):
            self.note(f"'dates' is for dates and times, and '{known.name}' is of type {known.type}", target.dates.place, path)
        if known.type == "date":
            return date_reader(form.text if form else None, self.times)
        if known.type == "datetime":
            return datetime_reader(form.text if form else None, self.times)
        return read_cell if known.kind.kept == "files" else str

    def translated(self, known: Field, target: Target, read: Reader, path: tuple[str, ...]) -> Reader:
        """Words of the file to values of the field; what is not listed is refused, or is what ``else`` says."""
        meant = {word.text.strip(): self.datum(known, node, path) for word, node in target.values or ()}
        other = self.datum(known, target.otherwise, path) if target.otherwise is not None else None
        refuses = target.otherwise is None

        def value(text: str) -> object:
            if text in meant:
                return meant[text]
            if refuses:
                near = did_you_mean(text, meant)
                raise Misfit(f"'{text[:60]}' is not among the values of the map", hint=near)
            return other

        return value

    def datum(self, known: Field, node: Node, path: tuple[str, ...]) -> object:
        """Data of the map in the field's type; of a link, the word by which its record is found."""
        try:
            if by_word(known):
                return self.word(node)
            return for_field(known, node)
        except Misfit as misfit:
            self.note(f"the value for '{known.name}' {misfit.message}", node.place, path, misfit.hint, "XRM210")
            return None

    @staticmethod
    def word(node: Node) -> str | None:
        if not isinstance(node, Scalar):
            raise Misfit("must be a single value")
        return None if node.plain and node.text in ("null", "~", "") else node.text

    def halves(self, name: str, parts: Mapping[str, Cell]) -> Halves | None:
        known = self.entity.fields[name]
        place = next(
            target.to.place for column in self.outline.columns for target in column.targets
            if target.to.text.startswith(f"{name}.")
        )  # fmt: skip
        path = ("columns", *(cell.column for cell in parts.values()))
        if not self.once(name, place, path):
            return None
        if known.type == "point" and len(parts) < 2:
            other = HALF[1] if "lat" in parts else HALF[0]
            self.note(f"'{name}' has one half only", place, path, f"which column holds {name}.{other}?")
            return None
        return Halves(known, parts)

    # -- settings ---------------------------------------------------------------------------------------------------

    def settings(self, sets: Sets, entity: Entity, path: tuple[str, ...], filled: dict[str, Place]) -> tuple[Setting, ...]:
        made = []
        for word, node in sets:
            known = self.fillable(entity, word, word.text, (*path, word.text))
            if known is None:
                continue
            if word.text in filled:
                self.note(f"'{word.text}' is filled by a column already", word.place, path)
                continue
            value, finds = self.value(known, node, entity, filled, (*path, word.text))
            made.append(Setting(known, value, finds))
            filled[word.text] = word.place
        return tuple(made)

    def value(
        self, known: Field, node: Node, entity: Entity, filled: Mapping[str, Place], path: tuple[str, ...]
    ) -> tuple[Callable[[Mapping[str, object], Moment], object], bool]:
        """Data, an ``=expression`` or a list of cases; and whether it is a word that finds a link."""
        cases = []
        finds = False
        for when, use in _cases(node):
            condition = self.expression(when, entity, None, filled, path) if when else None
            formula = isinstance(use, Scalar) and use.text.startswith("=")
            run = self.expression(use, entity, known, filled, path) if formula and isinstance(use, Scalar) else None
            datum = None if formula else self.datum(known, use, path)
            finds |= by_word(known) and not formula
            cases.append((condition, run, datum))

        def value(row: Mapping[str, object], moment: Moment) -> object:
            for condition, run, datum in cases:
                if condition is None or condition(row, moment) is True:
                    return fit(known, run(row, moment)) if run else datum
            return None

        return value, finds

    def expression(
        self, node: Scalar, entity: Entity, known: Field | None, filled: Mapping[str, Place], path: tuple[str, ...]
    ) -> Callable[[Mapping[str, object], Moment], object] | None:
        text = node.text.removeprefix("=")
        scope = PolicyScope(self.ctx.policies, entity.name)
        try:
            checked = compile_check(text, scope, known.expression_type if known else None, self.ctx.service.plugins.functions)
        except ExpressionError as error:
            for fault in error.faults:
                self.note(fault.message, node.place, path, fault.hint, fault.code)
            return None
        self.readable(checked, node, filled, path)
        return to_python(checked)

    def readable(self, checked: Checked, node: Scalar, filled: Mapping[str, Place], path: tuple[str, ...]) -> None:
        """A value is made from what the map fills; the record itself is not there yet."""
        for read in sorted(checked.paths):
            if read.startswith("actor"):
                continue
            if "." in read:
                self.note(f"'{read}' follows a link: a value is made from the row's own fields", node.place, path)
            else:
                self.read.add(read)
            if "." not in read and read not in filled:
                self.note(f"the expression reads '{read}', which nothing in the map fills", node.place, path)

    # -- links ------------------------------------------------------------------------------------------------------

    def links(self, fields: Iterable[Field]) -> Mapping[str, LinkPlan]:
        told = {link.name.text: link for link in self.outline.links}
        wanted = {field.name: field for field in fields if by_word(field) and field.name != "id"}
        for name, link in told.items():
            if name not in wanted:
                hint = did_you_mean(name, wanted) or "name a link that a column or 'set' fills"
                self.note(f"nothing fills the link '{name[:60]}'", link.name.place, ("links",), hint)
        plans = {name: self.link(field, told.get(name)) for name, field in wanted.items()}
        return {name: plan for name, plan in plans.items() if plan}

    def link(self, known: Field, told: Link | None) -> LinkPlan | None:
        entity = self.ctx.service.application.model.entities[known.to or ""]
        find = self.found_by(entity, known, told)
        if find is None:
            return None
        missing = told.missing if told else "refuse"
        if missing != "create" or told is None:
            return LinkPlan(known, entity, find, missing)
        cells = tuple(self.born.get(known.name, ()))
        filled = {find.name: told.name.place} | {cell.field.name: told.name.place for cell in cells}
        settings = self.settings(told.set, entity, ("links", known.name, "set"), filled)
        return LinkPlan(known, entity, find, missing, cells, settings)

    def found_by(self, entity: Entity, known: Field, told: Link | None) -> Field | None:
        visible = self.ctx.policies.names(entity.name)
        if told is None or told.find is None:
            name = entity.key if entity.key in visible else "id"
            return entity.field(name or "id")
        found = entity.field(told.find.text) if told.find.text in visible else None
        path = ("links", known.name, "find")
        if found is None:
            self.note(f"unknown field '{told.find.text[:60]}'", told.find.place, path, did_you_mean(told.find.text, visible), "XRM203")
        elif (not found.kind.sortable or found.type in ("boolean", "link")) and found.name != "id":
            self.note(f"nothing is found by '{found.name}', which is of type {found.type}", told.find.place, path)
            return None
        return found

    # -- the key ----------------------------------------------------------------------------------------------------

    def key(self) -> tuple[Field, ...]:
        """The fields by which a row's record is found again."""
        words = self.outline.key
        names = tuple(word.text for word in words) or ((self.entity.key,) if self.entity.key else ())
        place = words[0].place if words else self.outline.entity.place
        allowed = keys_of(self.entity)
        told = self.entity.name
        unique = f"let a field of '{told}' be unique: true (from your own file: add_to: {told}, unique: {{name: [field]}})"
        if not names:
            hint = (
                "for example "
                + (" or ".join(f"key: [{', '.join(one)}]" for one in allowed[:3]))
                + "; without a map, a column for one of them"
            )
            hint += f"; for new records {unique}" if allowed == (("id",),) else ""
            self.note("the map does not say by which fields a record is found again", place, ("key",), hint)
            return ()
        if not any(set(names) == set(one) for one in allowed):
            hint = f"unique are: {', '.join(' + '.join(one) for one in allowed)}; or {unique}"
            self.note(f"{' + '.join(names)[:80]} is not unique, so that it cannot be the key", place, ("key",), hint)
            return ()
        for name in names:
            if name not in self.filled:
                self.note(f"nothing in the map fills '{name}', which is part of the key", place, ("key",))
        return tuple(found for name in names if (found := self.entity.field(name)))


def _cases(node: Node) -> list[tuple[Scalar | None, Node]]:
    """``[{when, use}, …]``, or the one value."""
    if not isinstance(node, Sequence) or not all(isinstance(item, Map) for item in node.items):
        return [(None, node)]
    cases: list[tuple[Scalar | None, Node]] = []
    for item in node.items:
        keys = {key.text: value for key, value in item.entries} if isinstance(item, Map) else {}
        when = keys.get("when")
        if "use" not in keys or set(keys) - {"when", "use"} or not isinstance(when, Scalar | None):
            return [(None, node)]
        cases.append((when, keys["use"]))
    return cases


def by_word(field: Field) -> bool:
    """Whether a cell holds a word by which the record is found; a link to several entities holds the id."""
    return field.type == "link" and field.to is not None
