"""Lines of a text, counted as YAML counts them (YAML 1.1 breaks, which libyaml follows)."""

from __future__ import annotations

import re

BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def split_lines(text: str) -> tuple[str, ...]:
    """The lines without their breaks; at least one."""
    return tuple(BREAK.split(text))
