"""Pages about the person who is there: signing in, preferences, the password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xrm.errors import Invalid, Problem
from xrm.model.application import Application
from xrm.service import records
from xrm.service.context import Actor, Context
from xrm.service.sessions import PASSWORD_LENGTH, check_password, set_password
from xrm.web import pages
from xrm.web.display import language_name
from xrm.web.failures import said

THEMES = ("system", "light", "dark")
DENSITIES = ("comfortable", "compact")
NO = ("0", "False", "false", "off")


def look_of(actor: Actor) -> pages.Look:
    chosen = actor.preferences
    theme, density = chosen.get("theme", "system"), chosen.get("density", "comfortable")
    return pages.Look(
        theme if theme in THEMES else "system",  # type: ignore[arg-type]
        density if density in DENSITIES else "comfortable",  # type: ignore[arg-type]
        chosen.get("keys", "1") not in NO,
    )


def preferences_page(application: Application, actor: Actor, problems: Sequence[Problem] = ()) -> pages.PreferencesPage:
    roles = tuple(
        application.words(application.roles[name].label, actor.preferences.get("locale"))
        for name in sorted(actor.roles)
        if name in application.roles
    )
    wrong = {problem.path[0]: said(problem) for problem in problems if problem.path}
    inputs = (
        pages.Input("present", "password", "Current password", error=wrong.get("present", ""), complete="current-password"),
        pages.Input(
            "password", "password", "New password", hint=f"{PASSWORD_LENGTH} characters or more",
            error=wrong.get("password", ""), complete="new-password",
        ),
    )  # fmt: skip
    troubles = tuple(pages.Trouble(said(problem), f"f-{problem.path[0]}" if problem.path else "") for problem in problems)
    languages = tuple((locale, language_name(locale)) for locale in application.locales) if len(application.locales) > 1 else ()
    return pages.PreferencesPage(
        "Error: Preferences" if problems else "Preferences",
        actor.label,
        roles,
        inputs,
        troubles,
        languages,
        actor.preferences.get("locale") or application.locale,
    )


def keep_look(ctx: Context, sent: Mapping[str, str]) -> None:
    """Preferences are part of the user's record, which only the system writes."""
    values: dict[str, object] = {}
    if sent.get("theme") in THEMES:
        values["theme"] = sent["theme"]
    if sent.get("density") in DENSITIES:
        values["density"] = sent["density"]
    if sent.get("locale") in ctx.service.application.model.locales:
        values["locale"] = sent["locale"]
    if sent.get("keys") in ("on", "off"):
        values["keys"] = sent["keys"] == "on"
    records.update(ctx.as_system(), "user", ctx.actor.id, None, values)


def change_password(ctx: Context, sent: Mapping[str, str]) -> tuple[Problem, ...]:
    """Set a new password, which ends every session of this user; or why not."""
    if not check_password(ctx.service, ctx.actor.id, sent.get("present", "")):
        return (Problem("XRM514", "the current password is not right", path=("present",)),)
    try:
        set_password(ctx.service, ctx.actor.id, sent.get("password", ""))
    except Invalid as error:
        return error.problems
    return ()
