"""What most commands begin with: the folder, its settings, its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xrm import bootstrap
from xrm.errors import Invalid, Problem
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.sessions import actor_named
from xrm.settings import Settings, settings
from xrm.store.database import Database


@contextmanager
def database_of(folder: Path) -> Iterator[tuple[Settings, Database]]:
    its = settings(folder)
    database = bootstrap.open_database(its)
    try:
        yield its, database
    finally:
        database.close()


@contextmanager
def service_of(folder: Path) -> Iterator[Service]:
    """The service of the active release; what followed from its commits is done before the command ends."""
    with database_of(folder) as (its, database):
        service = bootstrap.open_service(its, database)
        try:
            yield service
        finally:
            service.after.settle()


def acting(service: Service, user: str | None) -> Context:
    """The context of a named user, or of the system.

    Raises:
        Invalid: there is no such active user (XRM803).
    """
    if user is None:
        return service.acting(SYSTEM_ACTOR)
    actor = actor_named(service, user)
    if actor is None:
        raise Invalid(Problem("XRM803", f"there is no active user '{user}'", hint="xrm user list"))
    return service.acting(actor)
