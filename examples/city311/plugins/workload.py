"""A page that shows where the open work lies: a row for each district, a column for each group of categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from xrm.plugins import PageRequest, Route, hookimpl

MOST = 500
"""A plugin finds so many records at once: a district with more is shown as 500+."""
GROUPS = {
    "streets": "Streets", "waste": "Waste", "water": "Water", "lighting": "Lighting", "parks": "Parks",
    "harbor": "Harbor", "safety": "Safety", "other": "Other",
}  # fmt: skip

ROW = Markup('<tr><th scope="row">{name}</th>{cells}<td>{total}</td><td>{overdue}</td></tr>')
PAGE = Markup(
    '<div class="tablewrap" tabindex="0" role="region" aria-label="Open requests by district">'
    '<table class="grid"><caption>Open requests that you may see, by district</caption>'
    "<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
)


@hookimpl
def routes() -> Sequence[Route]:
    """One page, for those who share out the work."""
    return [Route("workload", "Workload", workload, roles=("agent", "supervisor"), icon="building")]


def workload(request: PageRequest) -> str:
    """Reads with the rights of whoever opened it: an inspector's page would count other requests than a supervisor's."""
    districts = request.find("district", "", ("code", "name"), limit=MOST)
    rows = [_row(request, str(one["name"]), f'district.code == "{one["code"]}"') for one in _in_order(districts)]
    rows.append(_row(request, "No district", "district == null"))
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(word) for word in ("District", *GROUPS.values(), "All", "Overdue"))
    return PAGE.format(heads=heads, rows=Markup("").join(rows))


def _in_order(districts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By code; codes with a quote in them cannot stand in a filter."""
    return sorted((one for one in districts if '"' not in one["code"] and "\\" not in one["code"]), key=lambda one: str(one["code"]))


def _open(request: PageRequest, where: str) -> list[dict[str, Any]]:
    return request.find("service_request", f"open && {where}", ("category.group",), limit=MOST)


def _row(request: PageRequest, name: str, where: str) -> Markup:
    found = _open(request, where)
    groups = Counter(one["category.group"] or "other" for one in found)
    cells = Markup("").join(Markup("<td>{}</td>").format(groups[group] or "") for group in GROUPS)
    overdue = _counted(_open(request, f"{where} && due_on < today()"))
    return ROW.format(name=name, cells=cells, total=_counted(found), overdue=overdue)


def _counted(found: Sequence[Mapping[str, Any]]) -> str:
    return f"{MOST}+" if len(found) >= MOST else str(len(found) or "")
