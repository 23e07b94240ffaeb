"""Making derived values anew after their rules have changed: titles, computed fields, flags of checks."""

from __future__ import annotations

import logging

from xrm.errors import Invalid, NotFound, Problem, XrmError
from xrm.service.context import SYSTEM_ACTOR, Service
from xrm.service.locking import Held
from xrm.service.reading import Query, list_records
from xrm.service.records import Intent, prepared_write

log = logging.getLogger("xrm.recompute")
BATCH = 250
SHOWN = 5
"""How many of the reasons why a record could not be made anew are kept."""


def recompute(service: Service, entity: str) -> int:
    """Write every record of an entity by the one way to write, with nothing changed but what follows; how many did.

    A record that is as the rules have it is left alone. Rules that would refuse it are kept as flags: they are new to it.

    Raises:
        Invalid: records could not be written; all others are.
    """
    if entity not in service.application.entities:
        return 0
    changed, after = 0, None
    problems: list[Problem] = []
    count = 0
    while True:
        ctx = service.acting(SYSTEM_ACTOR)
        page = list_records(ctx, Query(entity, ("id",), sort="created_at", limit=BATCH, after=after))
        ready = [prepared_write(ctx, Intent("update", entity, {}, row["id"], historic=True, remake=True)) for row in page.rows]
        with service.database.transaction() as connection:
            held = Held()
            for write in ready:
                try:
                    changed += write(connection, held).changed
                except NotFound:  # deleted meanwhile
                    continue
                except XrmError as refused:
                    log.warning("a record of %s could not be recomputed: %s", entity, refused)
                    count += 1
                    problems += refused.problems[: SHOWN - len(problems)]
        after = page.next
        if after is None and problems:
            raise Invalid(Problem(problems[0].code, f"{count} records of {entity} could not be made anew"), *problems)
        if after is None:
            return changed
