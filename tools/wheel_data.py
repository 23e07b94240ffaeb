"""Build hook: the standard packs (`entities/`) and plugins (`plugins/`) travel in the wheel as `xrm/standard/`."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STANDARD = ("entities", "plugins")
PAGE = "docs/reference/problems.md"
"""What ``xrm explain XRM203`` prints."""


class StandardData(BuildHookInterface):  # type: ignore[misc]  # hatchling is there only while building
    """Adds each standard folder that exists; an editable install reads them from the checkout instead."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for folder in STANDARD:
            if (Path(self.root) / folder).is_dir():
                build_data["force_include"][folder] = f"xrm/standard/{folder}"
        build_data["force_include"][PAGE] = "xrm/standard/problems.md"
