"""What a definition is read into: hundreds of thousands of small values that nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def tree(cls: type[T]) -> type[T]:
    """A data class that the type checker holds frozen, and only it: to watch each as it runs makes them two to three times as slow to
    make, 6 % of the check of a large application. Only for what never leaves the compiler."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
