"""Users and their API tokens."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from xrm.commands.opening import acting, service_of
from xrm.commands.options import Folder, Format
from xrm.errors import Invalid, Problem, nearest
from xrm.service import records, sessions
from xrm.service.context import Service
from xrm.service.reading import Query, list_records


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="Who may sign in.", no_args_is_help=True)
    user.command("add", help="Add a user.\n\nExample: xrm user add ana --label 'Ana Diaz' --role agent")(user_add)
    user.command("list", help="The users and their roles.\n\nExample: xrm user list --format json")(user_list)
    user.command("password", help="Give a user a new password; their sessions end.\n\nExample: xrm user password ana")(user_password)
    user.command("deactivate", help="Let a user sign in no more.\n\nExample: xrm user deactivate ana")(user_deactivate)
    app.add_typer(user, name="user")
    token = typer.Typer(help="Tokens for the REST API.", no_args_is_help=True)
    token.command("add", help="Make a token; it is shown once.\n\nExample: xrm token add ana --days 90")(token_add)
    token.command("revoke", help="End a token at once.\n\nExample: xrm token revoke xrm_…")(token_revoke)
    app.add_typer(token, name="token")


Name = Annotated[str, typer.Argument(metavar="NAME", help="The sign-in name.")]
Password = Annotated[str | None, typer.Option("--password", help="Asked for if '-' is given; made at random and shown if left out.")]


def user_add(
    name: Name,
    role: Annotated[list[str], typer.Option("--role", help="A role; may stand more than once.")],
    label: Annotated[str | None, typer.Option(help="The name people see.")] = None,
    password: Password = None,
    folder: Folder = Path(),
) -> None:
    chosen = _chosen(password)
    with service_of(folder) as service:
        _known_roles(service, role)
        values = {"name": name, "label": label or name, "roles": role}
        written = records.create(acting(service, None), "user", values)
        _give_password(service, written.id, name, chosen, shown=password is None)


def user_list(
    folder: Folder = Path(),
    form: Annotated[Format, typer.Option("--format", help="How the list is printed.")] = Format.text,
) -> None:
    with service_of(folder) as service:
        query = Query("user", ("name", "label", "roles", "active"), sort="name", limit=500)
        rows = list_records(acting(service, None), query).rows
    if form is Format.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        state = "" if row["active"] else "  (not active)"
        print(f"{row['name']:<20} {row['label']:<28} {', '.join(row['roles'] or [])}{state}")


def user_password(name: Name, password: Password = None, folder: Folder = Path()) -> None:
    chosen = _chosen(password)
    with service_of(folder) as service:
        _give_password(service, acting(service, name).actor.id, name, chosen, shown=password is None)


def user_deactivate(name: Name, folder: Folder = Path()) -> None:
    with service_of(folder) as service:
        user = acting(service, name).actor
        records.update(acting(service, None), "user", user.id, None, {"active": False})
    print(f"{name} is no longer active")


def token_add(
    name: Name,
    label: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it lives.")] = 365,
    folder: Folder = Path(),
) -> None:
    with service_of(folder) as service:
        user = acting(service, name).actor
        issued = sessions.issue(service, user.id, "api", label, timedelta(days=days))
    print(issued.text)


def token_revoke(token: Annotated[str, typer.Argument(metavar="TOKEN")], folder: Folder = Path()) -> None:
    with service_of(folder) as service:
        if not sessions.revoke(service, token):
            raise Invalid(Problem("XRM803", "there is no such token, or it has ended already"))
    print("revoked")


def _known_roles(service: Service, roles: list[str]) -> None:
    known = service.application.model.roles
    problems = []
    for role in roles:
        if role not in known:
            near = nearest(role, known)
            hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(known)
            problems.append(Problem("XRM803", f"there is no role '{role}'", hint=hint))
    if problems:
        raise Invalid(*problems)


def _chosen(password: str | None) -> str:
    """Asked for, given, or made at random.

    Raises:
        Invalid: it is too short (XRM502); said before anything is written.
    """
    if password == "-":  # noqa: S105 (a dash asks for it)
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    chosen = password or secrets.token_urlsafe(12)
    sessions.fit_password(chosen)
    return chosen


def _give_password(service: Service, user: str, name: str, password: str, *, shown: bool) -> None:
    """``shown``: it was made at random, and is printed once."""
    sessions.set_password(service, user, password)
    print(f"user {name}" + (f", password {password}" if shown else ""))
