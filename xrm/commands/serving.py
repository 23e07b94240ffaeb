"""xrm serve."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from xrm import bootstrap
from xrm.commands.opening import database_of
from xrm.commands.options import Folder
from xrm.errors import Invalid, Problem
from xrm.settings import settings


def register(app: typer.Typer) -> None:
    text = "Serve the pages and the API of the active release.\n\nExample: xrm serve --port 8000"
    app.command("serve", help=text)(serve)


def _listening(host: str, port: int) -> None:
    """Tries the address before it is told.

    Raises:
        Invalid: nothing can listen there (XRM801).
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        hint = f"another port: xrm serve --port {port + 1 if port < 65535 else 8000}; --host is an address of this machine"
        raise Invalid(Problem("XRM801", f"nothing can listen at {host}:{port}: {error.strerror}", hint=hint)) from None


def serve(
    folder: Folder = Path(),
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; more than one wants PostgreSQL.")] = 1,
    reload: Annotated[bool, typer.Option("--reload", help="For development: apply the folder when it changes.")] = False,
) -> None:
    its = settings(folder)
    if workers > 1 and its.dialect == "sqlite":
        hint = "set XRM_DATABASE_URL=postgresql://…, or serve with one worker"
        raise Invalid(Problem("XRM802", f"{workers} workers cannot share one SQLite file", hint=hint))
    if workers > 1 and reload:
        raise typer.BadParameter("--reload goes with one worker", param_hint="--workers")
    if reload:
        os.environ["XRM_RELOAD"] = "1"
        with database_of(folder) as (_, database):
            bootstrap.follow(its, database)
    with database_of(folder) as (_, database):
        service = bootstrap.open_service(its, database)
        if not reload and bootstrap.drift(its, service):
            print(f"note: the folder differs from release {service.release}, which runs; 'xrm plan' shows how", file=sys.stderr)
        _listening(host, port)
        print(f"release {service.release} of {service.application.model.name} at http://{host}:{port}", file=sys.stderr)
    os.environ["XRM_APP"] = str(folder.resolve())
    uvicorn.run(
        "xrm.bootstrap:serving",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        reload=reload,
        reload_dirs=[str(folder)] if reload else None,
        reload_includes=["*.yml", "*.yaml", "*.py"] if reload else None,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        limit_concurrency=1000,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        server_header=False,
        h11_max_incomplete_event_size=64_000,
    )
