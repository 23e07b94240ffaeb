"""The commands that bring the database to what a definition wants: plan, apply, verify."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from xrm import bootstrap
from xrm.commands import report
from xrm.commands.opening import Folder, Format, database_of
from xrm.errors import Invalid, Problem, Unavailable, ordered
from xrm.store import changes, releases
from xrm.store.migrate import Plan


def register(app: typer.Typer) -> None:
    app.command("plan", help="Show what apply would change.\n\nExample: xrm plan --app examples/city311")(plan)
    app.command("apply", help="Make it so, and make it the active release.\n\nExample: xrm apply --yes")(apply)
    app.command("verify", help="Walk the change log's chain.\n\nExample: xrm verify --format json")(verify)


def plan(
    folder: Folder = Path(),
    form: Annotated[Format, typer.Option("--format", help="How the plan is printed.")] = Format.text,
) -> None:
    with database_of(folder) as (settings, database):
        try:
            _, made = bootstrap.plan(settings, database)
        except Invalid as refused:
            if form is not Format.json:
                raise
            print(report.as_json(ordered(refused.problems)))
            raise typer.Exit(1) from None
    print(as_json(made) if form is Format.json else as_text(made))


def apply(
    folder: Folder = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    allow_loss: Annotated[bool, typer.Option("--allow-loss", help="Also drop what still holds data.")] = False,
    why: Annotated[str | None, typer.Option(help="Why, for the release's history.")] = None,
) -> None:
    with database_of(folder) as (settings, database):
        application, made = bootstrap.plan(settings, database)
        if made.empty:
            print("nothing to do: the database is what the definition says")
            return
        print(as_text(made))
        _without_loss(made, allow_loss)
        if not yes and not typer.confirm("Apply this?"):
            print("nothing was changed")
            raise typer.Exit(1)
        release = bootstrap.apply(database, application, made, by=_user(), why=why)
    print(f"applied: release {release} is active")


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


def as_text(made: Plan) -> str:
    if made.empty:
        return "nothing to do: the database is what the definition says"
    lines = []
    for step in made.steps:
        loses = f"   LOSES {step.loses}" if step.loses else ""
        lines.append(f"- {step.words}{loses}")
        lines += [f"    {line.rstrip()}" for sql in step.sql for line in f"{sql};".splitlines()]
    lines += [f"- compute anew what follows from other fields in the records of {entity}" for entity in made.recompute]
    lines += [f"- {words}" for words in made.records]
    if made.text_changed:
        lines.append("- make this definition the active release")
    return "\n".join(lines)


def as_json(made: Plan) -> str:
    steps = [{"words": step.words, "sql": list(step.sql), "loses": step.loses} for step in made.steps]
    body = {"empty": made.empty, "steps": steps, "release": made.text_changed, "digest": made.digest}
    return json.dumps(body | {"recompute": list(made.recompute), "records": list(made.records)}, indent=2)


def _without_loss(made: Plan, allowed: bool) -> None:
    """Raises Invalid (XRM401) for a plan that would destroy data without leave."""
    losing = [step for step in made.steps if step.loses]
    if losing and not allowed:
        hint = "export it first; --allow-loss drops it"
        raise Invalid(*(Problem("XRM401", f"{step.words} would lose {step.loses}", hint=hint) for step in losing))


def _user() -> str:
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or "system"
