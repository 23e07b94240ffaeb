"""From a row of text to the values of a record: cells are read, settings are made, links are still words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xrm.errors import Invalid, Problem
from xrm.expr import Moment
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.service.transfer.attachments import cell_of
from xrm.service.transfer.lines import Told
from xrm.service.transfer.plan import Cell, Halves, ImportPlan, LinkPlan, Setting
from xrm.service.transfer.table import Row


@dataclass(frozen=True, slots=True)
class Draft:
    """``values`` are as the write path takes them; ``wanted`` are the words by which the links are found."""

    row: Row
    values: Mapping[str, object]
    wanted: Mapping[str, object]


def draft(plan: ImportPlan, row: Row, moment: Moment) -> Draft:
    """The values of one row.

    Raises:
        Invalid: with every cell that cannot be read; ``path`` is its column.
    """
    if len(row.cells) != plan.width:
        raise Invalid(Problem("XRM603", f"the row has {len(row.cells)} cells, and the header has {plan.width}"))
    problems: list[Problem] = []
    values: dict[str, object] = {}
    wanted: dict[str, object] = {}
    for cell in plan.cells:
        found = _read(cell, row, problems, typed=cell.field.name in plan.typed)
        if cell.field.name in plan.links:
            wanted[cell.field.name] = found
        else:
            values[cell.field.name] = found
    for halves in plan.halves:
        values[halves.field.name] = _joined(halves, row, problems)
    if problems:
        raise Invalid(*problems)
    _set(plan.settings, values, wanted, moment)
    return Draft(row, values, wanted)


def born(link: LinkPlan, word: object, row: Row, moment: Moment) -> dict[str, object]:
    """The values of a record that a link creates.

    Raises:
        Invalid: a cell for it cannot be read.
    """
    problems: list[Problem] = []
    values: dict[str, object] = {link.find.name: word}
    values |= {cell.field.name: _read(cell, row, problems) for cell in link.cells}
    if problems:
        raise Invalid(*problems)
    _set(link.settings, values, {}, moment)
    return values


def _set(settings: Iterable[Setting], values: dict[str, object], wanted: dict[str, object], moment: Moment) -> None:
    for setting in settings:
        (wanted if setting.finds else values)[setting.field.name] = setting.value(values, moment)


def _read(cell: Cell, row: Row, problems: list[Problem], *, typed: bool = False) -> object:
    """The cell's value. The write path gives it its type; here only what is needed before that."""
    told = row.cells[cell.at]
    text = told.strip()
    if not text or text in cell.empty:
        return None
    try:
        found = _value(cell, told) if isinstance(told, Told) else cell.read(text)
        return coerce(cell.field, found) if typed else found
    except Misfit as misfit:
        problems.append(misfit_problem(cell.column, misfit))
        return None


def _value(cell: Cell, told: Told) -> object:
    """A value of JSON: lists, maps and any data as they are, texts as the cell of a CSV file."""
    if cell.field.kind.kept == "files" and told.compound:
        return cell.read(cell_of(tuple(told.value)))
    plain = told.compound or cell.field.type == "json"
    return told.value if plain and cell.read is str else cell.read(told.strip())


def _joined(halves: Halves, row: Row, problems: list[Problem]) -> object:
    """An address of the parts that are there; both halves of a point, or neither."""
    found = {name: text for name, cell in halves.parts.items() if (text := _text(cell, row)) is not None}
    if not found:
        return None
    missing = next((cell.column for name, cell in halves.parts.items() if name not in found), None)
    if missing and halves.field.type == "point":
        problems.append(Problem("XRM502", "is empty, and the other half of the place is not", path=(missing,)))
        return None
    try:
        return coerce(halves.field, found)
    except Misfit as misfit:
        problems.append(misfit_problem(next(iter(halves.parts.values())).column, misfit))
        return None


def _text(cell: Cell, row: Row) -> str | None:
    text = row.cells[cell.at].strip()
    return None if not text or text in cell.empty else text


def misfit_problem(column: str, misfit: Misfit) -> Problem:
    return Problem("XRM502", misfit.message, path=(column,), hint=misfit.hint)


def key_values(key: Iterable[Field], values: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(values[field.name] for field in key)
