"""What waits to be done after commits, what has failed for good, and having it tried again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xrm.commands.opening import database_of, service_of
from xrm.commands.options import Folder, Format
from xrm.errors import Invalid, Problem
from xrm.store import outbox
from xrm.store.outbox import Waiting

Form = Annotated[Format, typer.Option("--format", help="How it is printed.")]


def register(app: typer.Typer) -> None:
    text = "List the work that waits, and what has failed for good, each with its reason.\n\nExample: xrm jobs"
    group = typer.Typer(help="Work that follows from writes.", invoke_without_command=True)
    group.callback(help=text)(listed)
    again = "Have work that failed for good tried again: some of it by number, or all.\n\nExample: xrm jobs retry 41"
    group.command("retry", help=again)(retry)
    app.add_typer(group, name="jobs")


def listed(ctx: typer.Context, folder: Folder = Path(), form: Form = Format.text) -> None:
    if ctx.invoked_subcommand is not None:
        return
    with database_of(folder) as (_, database):
        found = outbox.waiting(database.connection)
    if form is Format.json:
        print(json.dumps([_facts(job) for job in found], indent=2, ensure_ascii=False))
        return
    print("\n".join(map(_line, found)) or "nothing waits")


def _facts(job: Waiting) -> dict[str, object]:
    return {
        "job": job.id, "kind": job.kind, "about": job.body, "since": job.since.isoformat(), "attempts": job.attempts,
        "failed": job.failed, "error": job.error,
    }  # fmt: skip


def _line(job: Waiting) -> str:
    about = " ".join(str(part) for part in (job.body.get("entity"), job.body.get("record") or job.body.get("id")) if part)
    state = "FAILED" if job.failed else "waits"
    error = f"  {job.error}" if job.error else ""
    return f"{job.id:>6}  {job.since:%Y-%m-%d %H:%M:%S}  {state:<6}  {job.kind} {about}  attempts: {job.attempts}{error}"


def retry(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[N]...", help="The numbers of jobs; all without any.")] = None,
    folder: Folder = Path(),
) -> None:
    with service_of(folder) as service:
        failed = {job.id for job in outbox.waiting(service.database.connection) if job.failed}
        unknown = [number for number in numbers or () if number not in failed]
        if unknown:
            raise Invalid(Problem("XRM804", f"there is no job {unknown[0]} that has failed for good", hint="xrm jobs"))
        found = outbox.retry(service.database, service.clock(), numbers or None)
        service.after.settle()
        left = {job.id: job for job in outbox.waiting(service.database.connection)}
    for number in found:
        print(f"{number}: {left[number].error or 'waits'}" if number in left else f"{number}: done")
