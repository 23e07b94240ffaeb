"""The browser files that come from elsewhere, and the sprite made from them."""

import hashlib
import re
from pathlib import Path
from xml.etree import ElementTree

STATIC = Path(__file__).resolve().parents[1] / "xrm" / "web" / "static"
VENDOR = STATIC / "vendor"
SVG = "{http://www.w3.org/2000/svg}"


def recorded_sums() -> dict[str, str]:
    return dict(re.findall(r"^\| `(.+?)` \| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE))


def test_each_vendored_file_is_the_one_recorded() -> None:
    """No vendored file was changed, added or lost since its sum was written down, and each library brings its licence."""
    present = {path.name for path in VENDOR.iterdir()} - {"README.md"} | {"../icons.svg"}
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in present} == recorded_sums()
    assert {"htmx.LICENSE", "tabler-icons.LICENSE"} <= present


def test_the_sprite_holds_plain_symbols() -> None:
    """Each icon is a 24 by 24 symbol named `i-…` of bare shapes: no style, script, link or colour of its own."""
    symbols = list(ElementTree.parse(STATIC / "icons.svg").getroot())
    assert symbols
    for symbol in symbols:
        assert symbol.tag == f"{SVG}symbol"
        assert re.fullmatch(r"i-[a-z0-9-]+", symbol.attrib["id"])
        assert symbol.attrib["viewBox"] == "0 0 24 24"
        assert [shape for shape in symbol.iter() if shape.attrib.keys() - {"id", "viewBox", "d"}] == []
        assert len(symbol) > 0


def test_no_page_asks_for_an_icon_that_is_not_there() -> None:
    """Every `#i-name` in a template or script is a symbol of the sprite."""
    ids = {symbol.attrib["id"] for symbol in ElementTree.parse(STATIC / "icons.svg").getroot()}
    web = STATIC.parent
    sources = [path for kind in ("*.html", "*.js", "*.py") for path in web.rglob(kind) if VENDOR not in path.parents]
    asked = {(name, str(path.relative_to(web))) for path in sources for name in re.findall(r"#(i-[a-z0-9-]+)", path.read_text())}
    assert {(name, path) for name, path in asked if name not in ids} == set()
