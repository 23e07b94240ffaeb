"""What happens after a commit: changes get their place in the chain, and jobs are done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from xrm.compile.columns import bind_id
from xrm.plugins import Committed
from xrm.service import deriving, files
from xrm.service.context import SYSTEM_ACTOR, Service
from xrm.service.former import Former, entity_now
from xrm.service.hooks import hook_context
from xrm.service.recomputing import recompute
from xrm.store import changes, outbox
from xrm.store.database import Database

log = logging.getLogger("xrm.background")
POLL = 1.0
"""Seconds between looks for what other processes left."""
GATHER = 0.05
"""Seconds to let a burst of commits gather, so that the chain is written in batches."""


TIDY = 6 * 3600.0
FIRST_TIDY = 60.0
"""Seconds between two tidyings, and before the first of a process."""


class Background:
    """One thread of a serving process. Without it, ``settle`` does the same work when it is called."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._service: Service | None = None
        self._tidy_at = time.monotonic() + FIRST_TIDY

    def serve(self, service: Service) -> None:
        self._service = service

    def wake(self) -> None:
        self._woken.set()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="xrm-background", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and do what is left."""
        self._stopped.set()
        self._woken.set()
        if self._thread:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.wait(POLL)
            self._stopped.wait(GATHER)
            self._woken.clear()
            try:
                self.settle()
                self._tidy()
            except Exception:
                log.exception("background work failed; it is tried again")

    def _tidy(self) -> None:
        """What need not happen at once, every few hours: bytes of files that nothing has are collected."""
        if self._service and time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY
            files.collect(self._service)

    def settle(self) -> None:
        """Do everything that is due now."""
        changes.sequence(self._database)
        if self._service:
            outbox.work(self._database, handlers(self._service))


def handlers(service: Service) -> dict[str, Callable[[Any], None]]:
    """What each kind of job does."""

    def record_committed(body: Mapping[str, Any]) -> None:
        committed = _committed(service, body["record"], body["version"])
        context = hook_context(service.acting(SYSTEM_ACTOR))
        for hook in service.plugins.committed:
            hook(change=committed, context=context)

    def remake(body: Mapping[str, Any]) -> None:
        note = deriving.mended(service, lambda failed: failed["entity"] == body["entity"])
        recompute(service, body["entity"])
        note()

    def derive(body: Mapping[str, Any]) -> None:
        deriving.carry_out(service, body)

    return {"record_committed": record_committed, deriving.REMAKE: remake, deriving.KIND: derive}


def _committed(service: Service, record: str, version: int) -> Committed:
    dialect = service.database.dialect
    mark = "?" if dialect == "sqlite" else "%s"
    row = service.database.connection.one(
        "SELECT c.entity, c.action, c.transition, p.body, c.release FROM xrm_change c"
        f" LEFT JOIN xrm_payload p ON p.change = c.id WHERE c.record = {mark} AND c.version = {mark}",
        (bind_id(record, dialect), version),
    )
    if row is None:
        raise LookupError(f"version {version} of {record} is not in the change log")
    entity = entity_now(service.database, row[0], row[4])  # a release may lie between the change and its job
    former, fields = Former(service.database, entity), msgspec.json.decode(row[3]) if row[3] else {}
    return Committed(entity, record, version, row[1], former.transition(row[2], row[4]), former.fields(fields, row[4]))
