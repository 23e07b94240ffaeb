"""Page model → HTML: one Jinja environment, every template compiled when the process starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup

from xrm.model.brand import Brand
from xrm.web.assets import Assets, load
from xrm.web.pages import Frame, Navigation, Page

TEMPLATES = Path(__file__).parent / "templates"
INPUT_TYPES = {
    "text": "text", "number": "text", "date": "date", "time": "time", "datetime": "datetime-local", "email": "email", "tel": "tel",
    "url": "url", "password": "password",
}  # fmt: skip
ENTRY_ICONS = {
    "created": "plus", "changed": "edit", "moved": "flag", "deleted": "trash", "restored": "refresh", "other": "info-circle",
}  # fmt: skip


class Renderer:
    """Thread safe once made. The HTML of a navigation is kept as long as its model lives."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=assets.url, icon=assets.icon, navigation=self._navigation, types=INPUT_TYPES, marks=ENTRY_ICONS
        )
        names = [name for name in self._environment.list_templates() if name.endswith(".html")]
        self._templates: Mapping[str, Template] = {name: self._environment.get_template(name) for name in names}
        self._navigations: WeakKeyDictionary[Navigation, dict[str, Markup]] = WeakKeyDictionary()

    def page(self, page: Page, frame: Frame, today: date) -> str:
        """The whole document, or where ``frame.fragment`` says so the main part alone, with its title."""
        layout = self._templates["fragment.html" if frame.fragment else "frame.html"]
        return self._templates[page.template].render(page=page, frame=frame, layout=layout, today=today)

    def _navigation(self, navigation: Navigation, here: str) -> Markup:
        kept = self._navigations.setdefault(navigation, {})
        if here not in kept:
            html = self._templates["navigation.html"].render(places=navigation.places, here=here)
            kept[here] = Markup(html)  # noqa: S704 - our own template, autoescaped
        return kept[here]


@lru_cache(maxsize=8)
def renderer(brand: Brand | None) -> Renderer:
    """The renderer for a brand: templates and files are part of the package and do not change while a process runs."""
    return Renderer(load(brand))
