"""Circles in what follows from what."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def circle_from(graph: Mapping[Node, Iterable[Node]], start: Node, done: set[Node]) -> tuple[Node, ...]:
    """A circle that can be reached from a node and was not seen yet; ``done`` grows by what was looked at.

    Depth first, without recursion: a chain may be as long as it likes.
    """
    if start in done:
        return ()
    trail: dict[Node, None] = {start: None}
    waiting = [iter(graph[start])]
    while waiting:
        following = next(waiting[-1], None)
        if following is None:
            waiting.pop()
            done.add(trail.popitem()[0])
        elif following in trail:
            way = list(trail)
            done.update(way)
            return tuple(way[way.index(following) :])
        elif following in graph and following not in done:
            trail[following] = None
            waiting.append(iter(graph[following]))
    return ()
