"""Puts a request or a corrected place into the district it lies in, unless somebody named one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xrm.plugins import PluginContext, hookimpl

MAPPED = "south != null && north != null && west != null && east != null"
BOX = ("south", "north", "west", "east")


@hookimpl
def prepare_record(entity: str, values: dict[str, Any], before: Mapping[str, Any] | None, context: PluginContext) -> None:
    """Sets ``district`` from ``place``. The boxes are half open, so that no place lies in two of them."""
    place = values.get("place")
    if entity != "service_request" or place is None or values.get("district"):
        return
    if before is not None and before["place"] == place and before["district"]:
        return
    for box in context.find("district", MAPPED, BOX, limit=500):
        south, north, west, east = (float(box[side]) for side in BOX)
        if south <= place.lat < north and west <= place.lon < east:
            values["district"] = box["id"]
            return
