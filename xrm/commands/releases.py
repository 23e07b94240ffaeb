"""The commands that look back: releases, and what differs between two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from xrm.commands.opening import database_of
from xrm.commands.options import Folder, Format
from xrm.source import differences
from xrm.store import releases
from xrm.store.releases import Release

Form = Annotated[Format, typer.Option("--format", help="How it is printed.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The releases of the application.", invoke_without_command=True)
    group.callback(help="List the releases, the newest first.\n\nExample: xrm releases")(listed)
    group.command("show", help="Print the whole text of a release.\n\nExample: xrm releases show 3")(show)
    app.add_typer(group, name="releases")
    app.command("diff", help="Say what differs between two releases, in the words of the language.\n\nExample: xrm diff 3 4")(diff)


def listed(ctx: typer.Context, folder: Folder = Path(), form: Form = Format.text) -> None:
    if ctx.invoked_subcommand is not None:
        return
    with database_of(folder) as (_, database):
        found, active = releases.every(database), releases.active(database)
    number = active.id if active else None
    first = {one.digest: one.id for one in found}  # the newest come first: the oldest of the same text stays
    if form is Format.json:
        print(json.dumps([_facts(one, active=one.id == number) | {"same_as": _same(one, first)} for one in found], indent=2))
        return
    for one in found:
        mark, same = "*" if one.id == number else " ", _same(one, first)
        told = f"{f'  {one.why}' if one.why else ''}{f'  (the text of {same})' if same else ''}"
        print(f"{mark} {one.id:>4}  {one.at:%Y-%m-%d %H:%M:%S}  {one.digest[:12]}  {one.by}{told}")


def _same(one: Release, first: Mapping[str, int]) -> int | None:
    """The older release that has the same text."""
    return first[one.digest] if first[one.digest] != one.id else None


def _facts(one: Release, *, active: bool) -> dict[str, object]:
    return {"release": one.id, "active": active, "digest": one.digest, "at": one.at.isoformat(), "by": one.by, "why": one.why}


def show(
    number: Annotated[int, typer.Argument(metavar="N", help="The number of the release.")],
    folder: Folder = Path(),
    form: Form = Format.text,
) -> None:
    with database_of(folder) as (_, database):
        one = releases.numbered(database, number)
    if form is Format.json:
        print(json.dumps({**_facts(one, active=False), "files": dict(one.files), "plan": list(one.plan)}, indent=2))
        return
    for name, text in one.files.items():
        print(f"# ---- {name}\n{text}", end="" if text.endswith("\n") else "\n")


def diff(
    before: Annotated[int, typer.Argument(metavar="A", help="The number of a release.")],
    after: Annotated[int, typer.Argument(metavar="B", help="The number of another.")],
    folder: Folder = Path(),
    form: Form = Format.text,
) -> None:
    with database_of(folder) as (_, database):
        old, new = releases.numbered(database, before), releases.numbered(database, after)
    lines = differences(old.files, new.files)
    if form is Format.json:
        print(json.dumps(list(lines), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines) or "nothing differs")
