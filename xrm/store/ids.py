"""UUIDv7: unguessable ids that sort by the time they were made (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last = [0]


def new_id() -> str:
    """A new id in its canonical text form: 48 bits of milliseconds, 12 that count within one, 62 random.

    Ids made in one process ascend strictly, even within a millisecond (method 1 of section 6.2).
    """
    now = time.time_ns() // 1_000_000 << 12
    with _lock:
        _last[0] = stamp = max(now, _last[0] + 1)
    rest = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1 | 0b10 << 62
    h = f"{stamp >> 12 & (1 << 48) - 1:012x}7{stamp & 0xFFF:03x}{rest:016x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
