"""xrm import and xrm export: records from tables, and tables from records."""

from __future__ import annotations

import csv
import io
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from xrm.commands import report as printed
from xrm.commands.opening import acting, service_of
from xrm.commands.options import Folder, Format
from xrm.errors import Invalid, Problem
from xrm.service.transfer import starting
from xrm.service.transfer.exporting import Export, Form, export
from xrm.service.transfer.importing import Watch, nobody
from xrm.service.transfer.planning import OWN_COLUMNS
from xrm.service.transfer.report import Mode, Refusal, Report

MOST_PRINTED = 20
"""Refused rows that are printed; ``--format json`` and ``--refused`` have them all."""
INTERRUPTED = 130

As = Annotated[str | None, typer.Option("--as", metavar="USER", help="Act as this user; else as the system.")]


class Modes(StrEnum):
    all = "all"
    good = "good"


class Forms(StrEnum):
    csv = "csv"
    jsonl = "jsonl"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        "import",
        help="Import records from a CSV file (or .csv.gz).\n\nExample: xrm import service_request old.csv.gz --map maps/old.yml",
    )(import_records)
    app.command(
        "export",
        help="Export records to the standard output.\n\nExample: xrm export service_request --filter open > open.csv",
    )(export_records)


def import_records(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="The entity whose records the rows are.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file or JSON lines, plain or gzipped.")],
    map: Annotated[Path | None, typer.Option("--map", help="The map; without it columns are called like fields.")] = None,  # noqa: A002
    mode: Annotated[Modes, typer.Option(help="All rows or none; or every good row.")] = Modes.all,
    historic: Annotated[bool, typer.Option("--historic", help="Without a map: take records as they were.")] = False,
    refused: Annotated[Path | None, typer.Option(help="Write the refused rows here, with the reasons.")] = None,
    files: Annotated[Path | None, typer.Option("--files", help="Where the files lie that cells name; else beside FILE.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How the report is printed.")] = Format.text,
    folder: Folder = Path(),
    user: As = None,
) -> None:
    if map is not None and historic:
        raise typer.BadParameter("a map says itself whether it is historic", param_hint="--historic")
    with service_of(folder) as service:
        started = time.perf_counter()
        opened = starting.open_import(acting(service, user), entity, file, map, historic=historic, files=files)
        with opened as ready, _watching(form) as watch, _interruptible() as stop:
            report = ready.run(_mode(mode), watch, stop.asked)
        seconds = time.perf_counter() - started
        if refused is not None:
            write_refused(refused, ready.table.columns, report)
        _print(report, file.name, seconds, form)
    if not report.well:
        raise typer.Exit(INTERRUPTED if report.interrupted else 1)


def export_records(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="The entity whose records are exported.")],
    form: Annotated[Forms, typer.Option("--format", help="CSV, or one JSON object a line.")] = Forms.csv,
    filter: Annotated[str | None, typer.Option("--filter", metavar="EXPRESSION", help="Only these records.")] = None,
    fields: Annotated[str | None, typer.Option("--fields", metavar="A,B", help="Fields or paths over links; else all fields.")] = None,
    sort: Annotated[str | None, typer.Option("--sort", metavar="A,-B", help="The order; else the oldest first.")] = None,
    for_spreadsheet: Annotated[
        bool, typer.Option("--for-spreadsheet", help="Put an apostrophe before text that a spreadsheet would run.")
    ] = False,
    files: Annotated[Path | None, typer.Option("--files", help="Write the files of records into this folder; cells name them.")] = None,
    folder: Folder = Path(),
    user: As = None,
) -> None:
    names = tuple(name.strip() for name in fields.split(",") if name.strip()) if fields else ()
    wanted = Export(entity, names, filter, sort, _form(form), for_spreadsheet, files)
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
    try:
        with service_of(folder) as service:
            export(acting(service, user), wanted, out)
        out.flush()
    finally:
        out.detach()


def _mode(mode: Modes) -> Mode:
    return "all" if mode is Modes.all else "good"


def _form(form: Forms) -> Form:
    return "csv" if form is Forms.csv else "jsonl"


# --- progress and interruption


@dataclass(slots=True)
class Stop:
    """Set by the first Ctrl-C; the import looks at it between rows. A second one ends the program at once."""

    wanted: bool = False

    def asked(self) -> bool:
        return self.wanted

    def hear(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True


@contextmanager
def _interruptible() -> Iterator[Stop]:
    stop = Stop()
    before = signal.signal(signal.SIGINT, stop.hear)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class Bar:
    """A progress bar on the error output: rows, their rate, the time left."""

    progress: Progress
    task: TaskID | None = None
    phase: str = ""
    since: float = field(default_factory=time.perf_counter)

    def __call__(self, phase: str, share: float, rows: int) -> None:
        if phase != self.phase or self.task is None:
            if self.task is not None:
                self.progress.remove_task(self.task)
            self.phase, self.since = phase, time.perf_counter()
            self.task = self.progress.add_task(phase, total=1.0, rows="")
        rate = rows / max(1e-6, time.perf_counter() - self.since)
        self.progress.update(self.task, completed=share, rows=f"{rows:,} rows, {rate:,.0f}/s")


@contextmanager
def _watching(form: Format) -> Iterator[Watch]:
    console = Console(stderr=True)
    if form is Format.json or not console.is_terminal:
        yield nobody
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress)


# --- the report


def _print(report: Report, table: str, seconds: float, form: Format) -> None:
    if form is Format.json:
        print(json.dumps({**report.as_json(), "seconds": round(seconds, 3)}, indent=2, ensure_ascii=False))
        return
    problems = [problem for refusal in report.refusals[:MOST_PRINTED] for problem in refusal.problems(table)]
    problems += report.broken
    if problems:
        print(printed.as_text(problems, colour=sys.stderr.isatty()) + "\n", file=sys.stderr)
    more = len(report.refusals) - MOST_PRINTED
    if more > 0:
        print(f"… and {more:,} more refused rows; --format json or --refused FILE has them all\n", file=sys.stderr)
    for line in summary(report, seconds):
        print(line)


def summary(report: Report, seconds: float) -> Iterator[str]:
    """What happened, in a few lines."""
    rate = f", {report.rows / seconds:,.0f} rows/s" if seconds > 0 else ""
    yield f"{report.rows:,} rows of {report.entity} in {seconds:,.1f} s{rate}"
    if report.kept:
        yield f"created {report.created:,}, updated {report.updated:,}, unchanged {report.unchanged:,}, refused {len(report.refusals):,}"
    else:
        yield f"refused {len(report.refusals):,}"
    for entity, count in (report.linked or {}).items():
        yield f"also created {count:,} of {entity}, because rows link to them"
    if report.flagged:
        yield f"flagged {report.flagged:,} that a rule warns of"
    if report.left_out:
        yield f"left out: {', '.join(report.left_out)}"
    if report.times_skipped or report.times_twice:
        yield (
            f"{report.times_skipped:,} times that the clocks skip were read with the offset before; "
            f"{report.times_twice:,} that they show twice as the first"
        )
    yield from _kept(report)


def _kept(report: Report) -> Iterator[str]:
    """Never a silent half: what of it stands in the database."""
    if report.well:
        return
    if not report.kept:
        yield "nothing was written"
        return
    why = "it was interrupted" if report.interrupted else "the file breaks off" if report.broken else "rows were refused"
    yield f"{why}: what is counted above was written, and nothing else"


def write_refused(path: Path, columns: tuple[str, ...], report: Report) -> None:
    """The refused rows as they were, each with its number and its reasons; mended, the file can be imported.

    Raises:
        Invalid: the file cannot be written (XRM105).
    """
    kept = [at for at, name in enumerate(columns) if name not in OWN_COLUMNS]
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow([*(columns[at] for at in kept), *OWN_COLUMNS])
            writer.writerows(_refused_row(refusal, kept) for refusal in report.refusals)
    except OSError as error:
        raise Invalid(Problem("XRM105", f"{path} cannot be written: {error.strerror}")) from None


def _refused_row(refusal: Refusal, kept: list[int]) -> list[str]:
    cells = refusal.row.cells
    reasons = "; ".join(f"{one.path[0]}: {one.message}" if one.path else one.message for one in refusal.reasons)
    return [*(cells[at] if at < len(cells) else "" for at in kept), str(refusal.row.number), reasons]
