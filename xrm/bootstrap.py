"""Wires everything; nothing else does. From a folder and the environment to a service that runs."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from xrm import api, plugins, source, web
from xrm.collecting import lasting, uncollected
from xrm.compile.application import CompiledApplication, compile_application
from xrm.compile.differences import reverted
from xrm.compile.tables import part_name, table_name, tables
from xrm.errors import Invalid, Problem, Unavailable, XrmError, ordered
from xrm.expr import Moment
from xrm.model.application import Application
from xrm.model.returning import as_new
from xrm.plugins import Plugins
from xrm.proposal import propose, proposed_application, with_line
from xrm.service import records, seeding
from xrm.service.background import Background
from xrm.service.context import SYSTEM_ACTOR, SYSTEM_ID, Service
from xrm.service.evolving import Anew, parted, recomputed, write_all
from xrm.service.locking import Held
from xrm.service.sessions import actor_named
from xrm.service.transfer.exporting import Export, export
from xrm.settings import Settings, settings
from xrm.source.placing import placed
from xrm.source.usage import dangling
from xrm.store import applying, migrate, rehearsing, releases
from xrm.store.blobs import Blobs
from xrm.store.database import Connection, Database
from xrm.store.numbers import Numbers
from xrm.store.plans import Records
from xrm.store.sealing import Seal, secret

log = logging.getLogger("xrm")


def open_database(settings: Settings) -> Database:
    return Database(settings.database_url, settings.threads)


def plan(settings: Settings, database: Database) -> tuple[Application, migrate.Plan]:
    """What applying the folder would change.

    Raises:
        Invalid: the definition is not sound, or the data that is there asks what it does not answer (XRM402, XRM407, XRM408).
    """
    application = proposed_application(settings.folder)
    return application, plan_of(database, application)


def plan_of(database: Database, application: Application) -> migrate.Plan:
    """What applying an application would change. Raises as ``plan`` does, each problem at its place in the definition."""
    try:
        return _plan_of(database, application)
    except Invalid as refused:
        raise _placed(application, refused) from refused


def _placed(application: Application, refused: Invalid) -> Invalid:
    """What the data that is there asks, at the line that asks it. The definition is read again: it seldom comes to this."""
    meaning = source.load_text(application.files, plugins.load(application.files)[0].functions).meaning
    told = [placed(meaning, problem) for problem in refused.problems] if meaning else refused.problems
    return Invalid(*ordered(with_line(problem, application.files) for problem in told))


def _plan_of(database: Database, application: Application) -> migrate.Plan:
    current = _current(database)
    if current is not None and (told := dangling(current, application)):
        raise Invalid(*told)
    made = migrate.plan(database, tables(application), application.digest, current, application, _moment(application))
    return replace(made, records=_records(database, current, application))


def way_back(database: Database, number: int) -> Application:
    """The application of an earlier release, to be planned like any other; what was renamed since goes by its name of now, and what has
    another type now is converted where it fits.

    Raises:
        Invalid: there is no such release (XRM410), or this version of xrm cannot read it.
    """
    release = releases.numbered(database, number)
    loaded, refused = plugins.load(release.files)
    found = source.load_text(release.files, loaded.functions)
    if found.application is None or refused:
        raise Invalid(*refused, *found.problems)
    since = [one for later, one in releases.renamings(database) if later > number]
    current, older = _current(database), as_new(found.application, since)
    return reverted(current, older) if current else older


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal found: problems that would stop the plan, and what recomputing would change."""

    problems: tuple[Problem, ...]
    anew: tuple[Anew, ...] = ()


def rehearse(database: Database, application: Application, made: migrate.Plan) -> Rehearsed:
    """Run a plan on a copy, writes and recomputing too; nothing of it stays, and nobody waits for it."""
    current = _current(database)
    before = tables(current if current is not None else application)
    compiled, loaded = compile_application(application, database.dialect), plugins.load(application.files)[0]
    try:
        with rehearsing.copy(database, before) as (other, connection):
            release = applying.run(connection, made, application.files, at=datetime.now(UTC), by="rehearsal", why=None)
            service = _service(other, compiled, loaded, Seal(bytes(32)), release)
            _written(service, connection, made)
            return Rehearsed((), recomputed(service, connection, made.recompute))
    except Invalid as refused:
        return Rehearsed(tuple(_placed(application, refused).problems))


def exports(settings: Settings, made: migrate.Plan) -> Path:
    """The folder for what a plan loses or replaces, unless somebody names another."""
    return settings.folder / "exports" / f"before-release-{(made.base or 0) + 1}"


def leave_exports(database: Database, made: migrate.Plan, folder: Path) -> tuple[Path, ...]:
    """Write what a plan would lose or replace into a folder, as CSV that ``xrm import`` reads back: the whole entity of each loss.

    Call it in the transaction that applies the plan, before anything is changed.
    """
    current = _current(database)
    if current is None or not made.exported:
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    compiled = compile_application(current, database.dialect)
    ctx = _service(database, compiled, plugins.load(current.files)[0], Seal(bytes(32)), 0).acting(SYSTEM_ACTOR)
    by_table = {part_name(table_name(one), field.name): one.name for one in current.entities.values() for field in one.fields.values()}
    by_table |= {table_name(one): one.name for one in current.entities.values()}
    written = []
    for entity in dict.fromkeys(by_table[table] for table in made.exported if table in by_table):
        for deleted in (False, True):
            path = folder / f"{entity}{'.deleted' if deleted else ''}.csv"
            with path.open("w", encoding="utf-8", newline="") as out:
                count = export(ctx, Export(entity, deleted=deleted, files=folder), out)
            if count or not deleted:
                written.append(path)
            else:
                path.unlink()
    return tuple(written)


def _moment(application: Application) -> Moment:
    now, zone = datetime.now(UTC), ZoneInfo(application.timezone)
    names = {"id": SYSTEM_ID, "name": "system", "label": "System", "roles": ()}
    return Moment(now, now.astimezone(zone).date(), names, zone)


def _records(database: Database, current: Application | None, application: Application) -> tuple[Records, ...]:
    """What the reference records change, seen from the release that runs."""
    if current is None or not (current.data or application.data):
        return seeding.planned(None, current, application)
    compiled = compile_application(current, database.dialect)
    service = _service(database, compiled, plugins.load(current.files)[0], Seal(bytes(32)), 0)
    return seeding.planned(service, current, application)


def _current(database: Database) -> Application | None:
    """The application of the active release, where this version of xrm can still read it."""
    release = releases.active(database)
    if release is None:
        return None
    loaded, _ = plugins.load(release.files)
    return source.load_text(release.files, loaded.functions).application


def apply(
    database: Database,
    application: Application,
    made: migrate.Plan,
    *,
    by: str = "system",
    why: str | None = None,
    export_to: Path | None = None,
) -> int:
    """Run a plan; the new release's number. The system's own user, the fills and moves and the reference records are written in
    the same transaction; afterwards the jobs are done.

    Raises:
        Invalid: the database refuses the plan (XRM402), or a rule refuses a reference record, which its problem names; nothing has
            changed then.
    """
    compiled, loaded = compile_application(application, database.dialect), plugins.load(application.files)[0]

    def service_of(release: int) -> Service:
        return _service(database, compiled, loaded, Seal(bytes(32)), release)

    def then(connection: Connection, release: int) -> None:
        _written(service_of(release), connection, made)

    def first() -> None:
        if export_to is not None:
            leave_exports(database, made, export_to)

    at = datetime.now(UTC)
    try:
        release = migrate.apply(database, made, application.files, at=at, by=by, why=why, first=first, then=then)
    except Invalid as refused:
        raise _placed(application, refused) from refused
    service_of(release).after.settle()
    return release


def _written(service: Service, connection: Connection, made: migrate.Plan) -> None:
    """The records that belong to a plan, in the transaction that applies it."""
    _system_user(service, connection)
    first, named = parted(service, made.writes)
    write_all(service, connection, first)
    seeding.seed(service, connection)
    write_all(service, connection, named)


@uncollected()
def open_service(settings: Settings, database: Database | None = None) -> Service:
    """The service of the active release.

    Raises:
        Unavailable: the database is away, or nothing was applied to it (XRM403).
    """
    if database is None:
        with ExitStack() as opened:
            opened.callback((own := open_database(settings)).close)
            service = open_service(settings, own)
            opened.pop_all()
            return service
    release = releases.active(database)
    if release is None:
        raise Unavailable(Problem("XRM403", "nothing was applied to this database yet", hint="xrm apply"))
    loaded, problems = plugins.load(release.files)
    application = source.load_text(release.files, loaded.functions)
    if application.application is None or problems:
        raise XrmError(*problems, *application.problems)
    compiled = compile_application(application.application, database.dialect)
    return _service(database, compiled, loaded, Seal(secret(settings.secret_file)), release.id)


def drift(settings: Settings, service: Service) -> bool:
    """Whether the folder says something else than the release that runs."""
    proposed = propose(settings.folder)
    return proposed.application is None or dict(proposed.application.files) != dict(service.application.model.files)


def _service(database: Database, compiled: CompiledApplication, loaded: Plugins, seal: Seal, release: int) -> Service:
    background = Background(database)
    zone = ZoneInfo(compiled.model.timezone)
    service = Service(compiled, database, loaded, seal, Numbers(database), release, zone, background, Blobs(database))
    background.serve(service)
    return service


def _system_user(service: Service, connection: Connection) -> None:
    """The system is an actor like any other; its user is made by itself, once."""
    if actor_named(service, "system", active=False) is None:
        values: Mapping[str, object] = {"name": "system", "label": "System", "active": False, "roles": []}
        intent = records.Intent("create", "user", values, id=None, own_id=SYSTEM_ID)
        records.write_within(service.acting(SYSTEM_ACTOR), connection, Held(), intent)


def follow(settings: Settings, database: Database) -> None:
    """What ``serve --reload`` does: apply the folder as it is.

    Raises:
        Invalid: the definition is not sound, or applying it would lose data (XRM401).
    """
    application, made = plan(settings, database)
    losing = [step.words for step in made.steps if step.loses]
    if losing:
        raise Invalid(Problem("XRM401", f"not applied: {', '.join(losing)} would lose data", hint="xrm apply --allow-loss"))
    if not made.empty:
        apply(database, application, made, why="serve --reload", export_to=exports(settings, made))


def _try_to_follow(settings: Settings) -> None:
    """After a change of the folder: a mistake is told, and the release that was active goes on being served."""
    with closing(open_database(settings)) as database:
        try:
            follow(settings, database)
        except XrmError as refused:
            for problem in refused.problems:
                log.warning("%s  %s  %s", problem.place or "", problem.code, problem.message)


def serving() -> ASGIApp:
    """What a server process runs: the service of the folder in ``XRM_APP``, as an ASGI application."""
    its = settings(Path(os.environ["XRM_APP"]))
    if os.environ.get("XRM_RELOAD"):
        _try_to_follow(its)
    with lasting():
        return asgi(open_service(its))


def asgi(service: Service) -> ASGIApp:
    """The API and the pages of a service; the chain and the jobs are kept up while it serves."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.after.start()
        yield
        service.after.stop()
        service.database.close()

    pages = Starlette(routes=[*api.health_routes(service), *web.routes(service)], lifespan=lifespan)
    rest = api.Api(service)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        chosen: ASGIApp = rest if scope["type"] == "http" and scope["path"].startswith("/api/") else pages
        await chosen(scope, receive, send)

    return application
