"""Making derived values anew after their rules have changed: titles, computed fields, flags of checks."""

from __future__ import annotations

import logging

from xrm.errors import XrmError
from xrm.service.context import SYSTEM_ACTOR, Service
from xrm.service.locking import Held
from xrm.service.reading import Query, list_records
from xrm.service.records import Intent, prepared_write

log = logging.getLogger("xrm.recompute")
BATCH = 250


def recompute(service: Service, entity: str) -> int:
    """Write every record of an entity by the one way to write, with nothing changed but what follows; how many did.

    A record that is as the rules have it is left alone. Rules that would refuse it are kept as flags: they are new to it.
    """
    if entity not in service.application.entities:
        return 0
    changed, after = 0, None
    while True:
        ctx = service.acting(SYSTEM_ACTOR)
        page = list_records(ctx, Query(entity, ("id",), sort="created_at", limit=BATCH, after=after))
        ready = [prepared_write(ctx, Intent("update", entity, {}, row["id"], historic=True, remake=True)) for row in page.rows]
        with service.database.transaction() as connection:
            held = Held()
            for write in ready:
                try:
                    changed += write(connection, held).changed
                except XrmError as refused:
                    log.warning("a record of %s could not be recomputed: %s", entity, refused)
        after = page.next
        if after is None:
            return changed
