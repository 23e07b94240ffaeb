"""What is made when it is first asked for: a large application starts without making the parts that nobody uses yet."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from threading import RLock
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Lazily(Mapping[Key, Value]):
    """A mapping whose keys are known and whose values are made once each, by whichever thread asks first.

    ``lock``: one for several whose making touches the same things.
    """

    def __init__(self, keys: Iterable[Key], make: Callable[[Key], Value], lock: RLock | None = None) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[Key, Value] = {}
        self._lock = lock or RLock()

    def __getitem__(self, key: Key) -> Value:
        try:
            return self._made[key]
        except KeyError:
            if key not in self._keys:
                raise
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(key)
            return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
