"""How the hand-written services are served: one process, with the settings of ``xrm serve``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette


def main(build: Callable[[str], Starlette]) -> None:
    """Serve what ``build`` makes of ``--database`` at ``--port`` of the loopback address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True, help="sqlite:///PATH or postgresql://…")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(
        build(given.database),
        host="127.0.0.1",
        port=given.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        limit_concurrency=1000,
        timeout_keep_alive=5,
        server_header=False,
    )
