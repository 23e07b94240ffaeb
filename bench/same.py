"""Before anything is measured: do the services give the same answers? A fast wrong answer is no limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from bench.client import load
from bench.operations import EXPANDED, HAND, LISTS, API, Subject, listed


class DifferentAnswer(Exception):
    """Two services answered one question differently."""


def check(subjects: Mapping[str, Subject]) -> None:
    """One record, each list and the expanded list, compared value by value.

    Raises:
        DifferentAnswer: with the first difference.
    """
    for question in ("one", *range(len(LISTS)), "expanded"):
        answers = {name: _items(_ask(subject, question)) for name, subject in subjects.items()}
        for name, items in answers.items():
            _compare(f"{question}: {name} and xrm", items, answers["xrm"])


def _ask(subject: Subject, question: str | int) -> Any:
    if question == "one":
        target = f"{HAND if subject.by_hand else API}/{subject.loaded.ids[7]}"
    else:
        target = listed(subject, LISTS[question], "") if isinstance(question, int) else listed(subject, LISTS[0], EXPANDED)
    return msgspec.json.decode(load(subject.port, [subject.send("GET", target)], 200).answers[0].body)


def _items(answer: Any) -> list[Any]:
    return list(answer["items"]) if "items" in answer else [answer]


def _compare(what: str, some: list[Any], others: list[Any]) -> None:
    if len(some) != len(others):
        raise DifferentAnswer(f"{what}: {len(some)} and {len(others)} records")
    for one, other in zip(some, others, strict=True):
        if one.keys() != other.keys():
            raise DifferentAnswer(f"{what}: the fields {sorted(one.keys() ^ other.keys())} stand on one side only")
        for name, value in one.items():
            if _plain(value) != _plain(other[name]):
                raise DifferentAnswer(f"{what}: {name} is {value!r} and {other[name]!r}")


def _plain(value: Any) -> Any:
    """An instant may be written with or without a fraction."""
    if isinstance(value, str) and len(value) >= 20 and value[10] == "T":
        return datetime.fromisoformat(value)
    return value
