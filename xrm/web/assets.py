"""The files that browsers load: read once, compressed once, named by their content so that they never go stale."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from xrm.model.brand import Brand

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SCRIPT = "xrm.js"
"""Every module of ``static/js`` in one file: a behaviour each, none imports another, so blocks keep them apart."""
SERVED = ("xrm.css", "icons.svg", "mark.svg", "vendor/htmx.min.js")


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    kind: str
    body: bytes
    packed: bytes
    mark: str

    @property
    def url(self) -> str:
        return f"/static/{self.name}?v={self.mark}"


@dataclass(frozen=True, slots=True)
class Assets:
    files: Mapping[str, Asset]
    symbols: frozenset[str]

    def url(self, name: str) -> str:
        return self.files[name].url

    def icon(self, name: str, style: str = "") -> Markup:
        """The icon of the sprite; one that the sprite does not have is drawn as a file."""
        return _icon(self.files["icons.svg"].url, name if name in self.symbols else "file", style)


@lru_cache(maxsize=512)
def _icon(sprite: str, name: str, style: str) -> Markup:
    style = f"i {style}".strip()
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(style, sprite, name)


def load(brand: Brand | None = None, folder: Path = STATIC) -> Assets:
    """The files, the style sheet in an agency's colours. Raises OSError where a file of the package is missing."""
    bodies = {name: (folder / name).read_bytes() for name in SERVED}
    if brand:
        bodies["xrm.css"] += f"\n{brand.css}\n".encode()
    bodies[SCRIPT] = bundle(folder / "js").encode()
    files = {name: _asset(name, body) for name, body in bodies.items()}
    symbols = re.findall(r'id="i-([a-z0-9-]+)"', bodies["icons.svg"].decode())
    return Assets(files, frozenset(symbols))


def bundle(folder: Path) -> str:
    modules = sorted(folder.glob("*.js"))
    return "\n".join(f"{{\n{module.read_text(encoding='utf-8')}}}" for module in modules)


def _asset(name: str, body: bytes) -> Asset:
    packed = gzip.compress(body, compresslevel=9, mtime=0)
    return Asset(name, TYPES[Path(name).suffix], body, packed, hashlib.sha256(body).hexdigest()[:10])
