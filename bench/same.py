"""Before anything is measured: do the services give the same answers? A fast wrong answer is no limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from bench import records
from bench.client import load
from bench.operations import API, EXPANDED, HAND, LISTS, Subject, form_page, list_page, listed


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


def check_pages(subjects: Mapping[str, Subject]) -> None:
    """The words of each row of the list page, and the name and value of each input of the form.

    Raises:
        DifferentAnswer: with the first difference.
    """
    for make, parts in ((list_page, _words_of_rows), (form_page, _inputs)):
        found = {}
        for name, subject in subjects.items():
            subject.random.seed(records.SEED)
            found[name] = parts(load(subject.port, make(subject, 1), 200).answers[0].body.decode())
        for name, written in found.items():
            _alike(f"{make.__name__}: {name} and xrm", written, found["xrm"])


def _words_of_rows(html: str) -> list[str]:
    rows = re.findall(r"<tr\b.*?</tr>", html[html.index("<tbody") :], re.DOTALL)
    return [" | ".join(re.sub("<[^>]*>", "", cell) for cell in row.split("</td>")) for row in rows]


def _inputs(html: str) -> list[str]:
    """Every input, option and text of the form, without what only looks and without the token against forgery."""
    form = html[html.index("<main") :]
    inputs = [(_attribute(tag, "name"), _attribute(tag, "value"), "checked" in tag) for tag in re.findall("<input[^>]*>", form)]
    options = re.findall('<option value="[^"]*"(?: selected)?>[^<]*', form)
    areas = re.findall("<textarea[^>]*>([^<]*)", form)
    return [str(each) for each in inputs if each[0] != "token"] + options + areas


def _attribute(tag: str, name: str) -> str:
    found = re.search(f' {name}="([^"]*)"', tag)
    return found[1] if found else ""


def _alike(what: str, some: list[str], others: list[str]) -> None:
    for one, other in zip(some, others, strict=False):
        if one != other:
            raise DifferentAnswer(f"{what}: {one} and {other}")
    if len(some) != len(others):
        raise DifferentAnswer(f"{what}: {len(some)} and {len(others)} parts")


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
