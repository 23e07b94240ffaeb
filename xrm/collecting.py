"""The garbage collector, which waits where very much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Reading a definition makes hundreds of thousands of objects that stay and none that dies in a circle: the collector, which would walk
    them all again and again (a third of the time of a large application), waits."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def lasting() -> Iterator[None]:
    """What is made here lives as long as the process: the collector waits, and never walks it afterwards."""
    with uncollected():
        yield
        gc.freeze()
