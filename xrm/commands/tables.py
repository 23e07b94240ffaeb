"""The commands that bring the database to what a definition wants: plan, apply, verify."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from xrm import bootstrap
from xrm.commands import report, showing
from xrm.commands.opening import database_of
from xrm.commands.options import Folder, Format
from xrm.errors import Invalid, Problem, Unavailable, ordered
from xrm.model.application import Application
from xrm.settings import Settings
from xrm.store import changes, releases
from xrm.store.database import Database
from xrm.store.migrate import Plan


def register(app: typer.Typer) -> None:
    app.command("plan", help="Show what apply would change.\n\nExample: xrm plan --app examples/city311")(plan)
    app.command("apply", help="Make it so, and make it the active release.\n\nExample: xrm apply --yes")(apply)
    app.command("verify", help="Walk the change log's chain.\n\nExample: xrm verify --format json")(verify)


From = Annotated[int | None, typer.Option("--from", metavar="RELEASE", help="Plan the way back to an earlier release.")]


def plan(
    folder: Folder = Path(),
    form: Annotated[Format, typer.Option("--format", help="How the plan is printed.")] = Format.text,
    source: From = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the plan to a file, for apply --plan.")] = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Run it on a copy and tell what would happen.")] = False,
) -> None:
    with database_of(folder) as (settings, database):
        try:
            application, made = _planned(settings, database, source)
            found = bootstrap.rehearse(database, application, made) if rehearse else None
        except Invalid as refused:
            if form is not Format.json:
                raise
            print(report.as_json(ordered(refused.problems)))
            raise typer.Exit(1) from None
    if out is not None:
        showing.write_file(made, source, out)
    if form is Format.json:
        more = {"rehearsed": showing.rehearsed_json(found)} if found else {}
        print(json.dumps(showing.document(made) | more, indent=2))
    else:
        print(showing.as_text(made))
        print(f"\n{showing.rehearsed(found, made)}" if found else "", end="\n" if found else "")
    raise typer.Exit(1 if found and found.problems else 0)


def _planned(settings: Settings, database: Database, source: int | None) -> tuple[Application, Plan]:
    if source is None:
        return bootstrap.plan(settings, database)
    application = bootstrap.way_back(database, source)
    try:
        return application, bootstrap.plan_of(database, application)
    except Invalid as refused:
        raise Invalid(*(_of_release(problem, source) for problem in refused.problems)) from refused


def _of_release(problem: Problem, number: int) -> Problem:
    """What stands in the way back cannot be mended in the old text, which is kept as it was."""
    text = f"put its text into the folder (xrm releases show {number}), say there what becomes of the data or keep what holds it now"
    way = f"release {number} stays as it was made: {text}, and apply"
    return replace(problem, hint=f"{problem.hint}; {way}" if problem.hint else way)


def apply(
    folder: Folder = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    allow_loss: Annotated[bool, typer.Option("--allow-loss", help="Also drop what still holds data.")] = False,
    why: Annotated[str | None, typer.Option(help="Why, for the release's history.")] = None,
    source: From = None,
    file: Annotated[Path | None, typer.Option("--plan", metavar="FILE", help="Run exactly the plan in this file, or nothing.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How the plan and what came of it are printed.")] = Format.text,
    export_to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the records of what is dropped or replaced are exported.")
    ] = None,
) -> None:
    read = showing.read_file(file) if file is not None else None
    with database_of(folder) as (settings, database):
        application, made = _planned(settings, database, read["from"] if read else source)
        if read is not None:
            showing.same(read, made)
        if form is Format.text:
            print(showing.as_text(made))
        elif made.empty:
            print(json.dumps(showing.document(made) | {"applied": None}, indent=2))
        if made.empty:
            return
        _without_loss(made, allow_loss)
        if not yes and not typer.confirm("Apply this?", err=form is Format.json):
            print("nothing was changed", file=sys.stderr if form is Format.json else None)
            raise typer.Exit(1)
        kept = export_to or bootstrap.exports(settings, made)
        release = bootstrap.apply(database, application, made, by=_user(), why=why, export_to=kept)
    if form is Format.json:
        exported = str(kept) if made.exported else None
        print(json.dumps(showing.document(made) | {"applied": release, "exported_to": exported}, indent=2))
        return
    if made.exported:
        print(f"exported {', '.join(made.entities_exported)} as before to {kept}")
    print(f"applied: release {release} is active")
    if source is not None or (read and read["from"] is not None):
        print(f"the folder still says what came after: put this text there before the next apply (xrm releases show {release})")


def verify(
    folder: Folder = Path(),
    form: Annotated[Format, typer.Option("--format", help="How the finding is printed.")] = Format.text,
) -> None:
    """Every position, hash and digest from the first change to the last."""
    with database_of(folder) as (_, database):
        if releases.active(database) is None:
            raise Unavailable(Problem("XRM403", "nothing was applied to this database yet", hint="xrm apply"))
        changes.sequence(database)
        found = changes.verify(database)
    if form is Format.json:
        body = {"length": found.length, "waiting": found.waiting, "erased": found.erased, "broken": found.broken}
        print(json.dumps(body))
    elif found.broken is None:
        print(f"the chain is whole: {found.length:,} changes, {found.erased:,} of them erased")
    else:
        print(f"the chain is broken at position {found.broken:,}", file=sys.stderr)
    raise typer.Exit(0 if found.broken is None else 1)


def _without_loss(made: Plan, allowed: bool) -> None:
    """Raises Invalid (XRM401) for a plan that would destroy data without leave."""
    losing = made.losing
    if losing and not allowed:
        drops = "--allow-loss drops it, after an export"
        raise Invalid(
            *(
                Problem("XRM401", f"{step.words} would lose {step.loses}", hint=f"{step.instead}; {drops}" if step.instead else drops)
                for step in losing
            )
        )


def _user() -> str:
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or "system"
