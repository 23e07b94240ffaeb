"""An import, from a file and its map to a report.

    read a batch of rows → draft → find their links → find the records they mean → prepare each write → one transaction

Everything is written by ``records.prepared_write``, the same as by any caller. In mode ``all`` the batch is the whole
file and one refused row undoes it; in mode ``good`` a batch is some hundred rows, and each good one of them is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from xrm.errors import Forbidden, Invalid, NotFound, Problem, Unavailable, XrmError
from xrm.model.misfits import Misfit
from xrm.service import records
from xrm.service.context import Context
from xrm.service.finding import Links, encoded, found_ids
from xrm.service.locking import Held
from xrm.service.policy import forbidden
from xrm.service.records import Intent, Written
from xrm.service.transfer.attachments import taken
from xrm.service.transfer.batch import Linked, Pending, Prepared, Tally
from xrm.service.transfer.drafting import Draft, born, draft, key_values
from xrm.service.transfer.plan import ImportPlan, LinkPlan
from xrm.service.transfer.report import Mode, Refusal, Report
from xrm.service.transfer.row_links import RowLinks
from xrm.service.transfer.table import Row, Table
from xrm.service.transfer.times import LocalTimes
from xrm.store.database import Connection
from xrm.store.ids import new_id
from xrm.store.numbers import Numbers
from xrm.store.savepoints import savepoint

BATCH = 250
"""Rows of one transaction in mode ``good``."""
MOST_AT_ONCE = 200_000
"""Most rows of one transaction: they are all held in memory, and writers wait."""
NUMBERS = 500
"""Human numbers taken at once."""


class Watch(Protocol):
    """Told how far it is: the phase, the share of it that is done, the rows so far."""

    def __call__(self, phase: str, share: float, rows: int) -> None: ...


def nobody(phase: str, share: float, rows: int) -> None:
    """Watches nothing."""


def never() -> bool:
    """Is never interrupted."""
    return False


class _Interrupted(Exception):
    """Somebody wants it to end: the transaction is undone."""


class _Careful(Exception):
    """A row was refused in a try without savepoints."""


class _Undone(Exception):
    """Mode ``all``: rows were refused while they were written."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally = tally


def import_table(
    ctx: Context,
    table: Table,
    plan: ImportPlan,
    times: LocalTimes,
    mode: Mode = "all",
    watch: Watch = nobody,
    stop: Callable[[], bool] = never,
) -> Report:
    """Import every row. ``stop`` is asked between rows; when it says so, the running transaction is undone.

    Raises:
        Forbidden: the actor may neither create nor update records of the entity, or not import history.
    """
    _may_at_all(ctx, plan)
    whole = replace(ctx, service=replace(ctx.service, numbers=Numbers(ctx.service.database, NUMBERS)))
    run = _Import(whole, table, plan, mode, watch, stop)
    report = run.report()
    if report.created or report.updated or report.linked:
        ctx.service.after.wake()
    return replace(report, left_out=plan.left_out, times_skipped=times.skipped, times_twice=times.twice)


def _may_at_all(ctx: Context, plan: ImportPlan) -> None:
    policy = ctx.policy(plan.entity.name)
    if not (policy.may("create") or policy.may("update")):
        raise forbidden(ctx, plan.entity.name, "create")
    if plan.historic and not policy.historic:
        raise Forbidden(Problem("XRM507", f"you may not import history of {plan.entity.name}", hint="the right 'historic' allows it"))


@dataclass(slots=True)
class _Import:
    ctx: Context
    table: Table
    plan: ImportPlan
    mode: Mode
    watch: Watch
    stop: Callable[[], bool]
    rows: int = 0
    total: Tally = field(default_factory=Tally)
    refusals: list[Refusal] = field(default_factory=list)
    seen: dict[tuple[Any, ...], int] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    finders: dict[str, Links] = field(default_factory=dict)
    within: RowLinks = field(init=False)
    """The links in rows."""

    def __post_init__(self) -> None:
        self.within = RowLinks(self.ctx, [cell.field for cell in self.plan.cells])

    # -- the driver -------------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """Run it all, as far as it goes."""
        self.finders = {name: Links(self.ctx, link.entity.name, link.find) for name, link in self.plan.links.items()}
        interrupted = False
        broken: tuple[Problem, ...] = ()
        try:
            if self.mode == "all":
                self.everything()
            else:
                for batch in self.batches(BATCH):
                    self.total.add(self.write(self.prepared(batch)))
        except _Interrupted:
            interrupted = True
        except _Broken as error:
            broken = error.problems
        return self.reported(interrupted, broken)

    def everything(self) -> None:
        """One transaction, opened only if every row could be prepared."""
        prepared = [item for batch in self.batches(BATCH) for item in self.prepared(batch)]
        if self.refusals:
            return
        try:
            self.total.add(self.write(prepared))
        except _Undone as undone:
            self.refusals += undone.tally.refusals

    def reported(self, interrupted: bool, broken: tuple[Problem, ...]) -> Report:
        total = self.total
        report = Report(
            self.plan.entity.name, self.mode, self.rows, total.created, total.updated, total.unchanged,
            dict(total.linked), tuple(sorted(self.refusals, key=lambda one: one.row.number)), total.flagged,
            interrupted=interrupted, broken=broken,
        )  # fmt: skip
        undone = self.mode == "all" and not report.well
        return report.nothing_written() if undone else report

    def batches(self, size: int) -> Iterator[list[Row]]:
        """The rows, some at a time. Where the file breaks off, the rows before it still count."""
        rows = self.table.rows()
        broken: Invalid | None = None
        while broken is None:
            batch, broken = _some(rows, size)
            if not batch and broken is None:
                return
            self.rows += len(batch)
            self.not_too_many()
            yield batch
            self.watch("Reading" if self.mode == "all" else "Importing", self.table.share, self.rows)
            if self.stop():
                raise _Interrupted
        raise _Broken(*broken.problems)

    def not_too_many(self) -> None:
        if self.mode == "all" and self.rows > MOST_AT_ONCE:
            hint = "import with --mode good, which writes the good rows some hundred at a time"
            raise _Broken(Problem("XRM603", f"more than {MOST_AT_ONCE:,} rows are not imported all or nothing", hint=hint))

    # -- from rows to writes ----------------------------------------------------------------------------------------

    def prepared(self, batch: list[Row]) -> list[Prepared]:
        drafts = list(self.each(batch, lambda row: draft(self.plan, row, self.ctx.moment)))
        for name, finder in self.finders.items():
            finder.learn(one.wanted[name] for one in drafts if one.wanted.get(name) is not None)
        self.within.learn(one.values for one in drafts)
        linked = list(self.each(drafts, self.linked))
        keyed = list(self.each(linked, self.keyed))
        ids = self.existing(keyed)
        return list(self.each(keyed, lambda one: self.prepare(one[0], ids.get(one[1], []))))

    def each(self, items: Iterable[Any], step: Callable[[Any], Any]) -> Iterator[Any]:
        """One step for each; a row that it refuses goes no further."""
        for item in items:
            try:
                yield step(item)
            except XrmError as error:
                self.refuse(_row(item), error.problems)

    def refuse(self, row: Row, problems: Iterable[Problem]) -> None:
        self.refusals.append(Refusal(row, self.with_columns(problems)))

    def with_columns(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """What a write says of a field, said of its column."""
        columns = self.plan.columns
        return tuple(replace(one, path=(columns[one.path[0]],)) if one.path and one.path[0] in columns else one for one in problems)

    def linked(self, one: Draft) -> Linked:
        values = self.within.found(taken(self.ctx, self.plan.entity, self.plan.files, one.values))
        pending = []
        for name, word in one.wanted.items():
            id, made = self.target(self.plan.links[name], word, one.row)
            values[name] = id
            if made is not None:
                pending.append(made)
        return Linked(one.row, values, tuple(pending))

    def target(self, link: LinkPlan, word: object, row: Row) -> tuple[str | None, Pending | None]:
        """The id a link leads to, and the record that must be created for it."""
        if word is None:
            return None, None
        finder = self.finders[link.field.name]
        column = self.plan.columns.get(link.field.name, link.field.name)
        noun = link.entity.name.replace("_", " ")
        try:
            key = finder.key(word)
        except Misfit as misfit:
            raise Invalid(Problem("XRM502", misfit.message, path=(column,), hint=misfit.hint)) from None
        ids = finder.ids(key)
        if len(ids) > 1:
            raise Invalid(Problem("XRM511", f"several of {noun} have the {link.find.name} '{word}'", path=(column,)))
        if ids:
            return ids[0], self.pending.get(ids[0])
        if link.missing == "empty":
            return None, None
        if link.missing == "refuse":
            raise Invalid(Problem("XRM511", f"no {noun} has the {link.find.name} '{word}'", path=(column,)))
        made = self.create(link, word, row)
        finder.add(key, made.id)
        return made.id, made

    def create(self, link: LinkPlan, word: object, row: Row) -> Pending:
        """A record for a link, to be written with the first row that needs it."""
        id = new_id()
        values = born(link, word, row, self.ctx.moment)
        intent = Intent("create", link.entity.name, values, own_id=id)
        made = Pending(id, link.entity.name, records.prepared_write(self.ctx, intent))
        self.pending[id] = made
        return made

    def keyed(self, one: Linked) -> tuple[Linked, tuple[Any, ...]]:
        """The row with the key that the database knows its record by; two rows of one key are one too many."""
        fields = self.plan.key
        values = key_values(fields, one.values)
        if None in values:
            if fields[0].name == "id":
                return one, ()
            empty = fields[values.index(None)].name
            column = self.plan.columns.get(empty, empty)
            raise Invalid(Problem("XRM501", "is empty, and the record is found by it", path=(column,)))
        key = encoded(self.ctx, self.plan.entity.name, fields, values)
        first = self.seen.setdefault(key, one.row.number)
        if first != one.row.number:
            words = " and ".join(f"{field.name} '{value}'" for field, value in zip(fields, values, strict=True))
            raise Invalid(Problem("XRM503", f"row {first:,} has the same {words}"))
        return one, key

    def existing(self, keyed: Iterable[tuple[Linked, tuple[Any, ...]]]) -> dict[tuple[Any, ...], list[str]]:
        wanted = [key for _, key in keyed if key]
        return found_ids(self.ctx, self.plan.entity.name, self.plan.key, wanted) if wanted else {}

    def prepare(self, one: Linked, ids: list[str]) -> Prepared:
        """The write of one row: an update of the record it means, or a new one."""
        values = dict(one.values)
        own = values.pop("id", None)
        entity, historic = self.plan.entity.name, self.plan.historic
        if ids:
            values.pop("number", None) if not historic else None
            intent = Intent("update", entity, values, id=ids[0], historic=historic, carried=True)
        else:
            self.may_be_new(own, values)
            intent = Intent("create", entity, values, historic=historic, own_id=str(own) if own else None, carried=True)
        return Prepared(one.row, not ids, records.prepared_write(self.ctx, intent), one.pending)

    def may_be_new(self, own: object, values: Mapping[str, object]) -> None:
        """A record that is to have a certain id or number is history."""
        named = next((name for name, value in (("id", own), ("number", values.get("number"))) if value is not None), None)
        if named and not self.plan.historic:
            hint = "with --historic (in a map, historic: true) a record is created as it was, under its own id"
            raise NotFound(Problem("XRM506", f"there is no record with this {named}", path=(named,), hint=hint))

    # -- the transaction --------------------------------------------------------------------------------------------

    def write(self, prepared: list[Prepared]) -> Tally:
        """One transaction; run again from its start after a deadlock, so that it counts anew each time.

        Most batches have nothing to refuse, so that the first try goes without a savepoint for each row.
        """
        if not prepared:
            return Tally()
        try:
            tally = self.ctx.service.database.write(lambda connection: self.transact(connection, prepared, careful=False))
        except _Careful:
            tally = self.ctx.service.database.write(lambda connection: self.transact(connection, prepared, careful=True))
        self.refusals += tally.refusals
        for id in tally.made:
            self.pending.pop(id, None)
        return tally

    def transact(self, connection: Connection, prepared: list[Prepared], *, careful: bool) -> Tally:
        tally, held = Tally(), Held()
        step = self.careful_row if careful else self.row
        for done, one in enumerate(prepared):
            if self.stop():
                raise _Interrupted
            if self.mode == "all" and done % BATCH == 0:
                self.watch("Writing", done / len(prepared), done)
            step(connection, one, tally, held)
        if tally.refusals and self.mode == "all":
            raise _Undone(tally)
        return tally

    def careful_row(self, connection: Connection, one: Prepared, tally: Tally, held: Held) -> None:
        """One row, or nothing of it."""
        try:
            with savepoint(connection):
                self.count(one, *self.run(connection, one, tally, held), tally)
        except Unavailable:
            raise
        except XrmError as error:
            held.forget()
            tally.refusals.append(Refusal(one.row, self.with_columns(error.problems)))

    def row(self, connection: Connection, one: Prepared, tally: Tally, held: Held) -> None:
        """One row; if it is refused the whole batch is tried again, carefully."""
        try:
            self.count(one, *self.run(connection, one, tally, held), tally)
        except Unavailable:
            raise
        except XrmError as error:
            raise _Careful from error

    def run(self, connection: Connection, one: Prepared, tally: Tally, held: Held) -> tuple[Written, list[Pending]]:
        """Write the row, after the records that its links need and that are not there yet."""
        new = [pending for pending in one.pending if pending.id not in tally.made]
        for pending in new:
            pending.run(connection, held)
        return one.run(connection, held), new

    def count(self, one: Prepared, written: Written, new: list[Pending], tally: Tally) -> None:
        tally.made |= {pending.id for pending in new}
        tally.linked.update(pending.entity for pending in new)
        tally.count(one, written)


class _Broken(XrmError):
    """The file cannot be read on."""


def _some(rows: Iterator[Row], size: int) -> tuple[list[Row], Invalid | None]:
    """The next rows, and why there are no more where the file cannot be read on."""
    batch: list[Row] = []
    try:
        batch.extend(islice(rows, size))
    except Invalid as error:
        return batch, error
    return batch, None


def _row(item: Row | Draft | Linked | tuple[Linked, Any]) -> Row:
    if isinstance(item, Row):
        return item
    return item[0].row if isinstance(item, tuple) else item.row
