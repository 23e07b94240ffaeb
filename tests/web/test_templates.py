"""What every page keeps to, read from its HTML, its style sheet and its script: no browser needed."""

import gzip
import re
from html.parser import HTMLParser

import pytest

from tests.web.gallery import Gallery
from tests.web.samples import everything
from xrm.web.assets import STATIC, load

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery()


class Reader(HTMLParser):
    """Collects elements, and where start and end tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


NAMES = tuple(everything())


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_well_formed(gallery: Gallery, name: str) -> None:
    """Every element that opens is closed, and no id stands twice."""
    reader = read(gallery.html(name))
    ids = [attrs["id"] for _, attrs in reader.elements if "id" in attrs]
    assert reader.wrong == []
    assert reader.open == []
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_pages_have_nothing_inline(gallery: Gallery, name: str) -> None:
    """No style attribute, no handler, no script or style text: the policy would refuse them."""
    html = gallery.html(name)
    for tag, attrs in read(html).elements:
        assert "style" not in attrs, (tag, attrs)
        assert not any(key.startswith(("on", "hx-on")) for key in attrs), (tag, attrs)
        assert tag != "style"
        assert tag != "script" or attrs.get("src")
    assert "javascript:" not in html


@pytest.mark.parametrize("name", NAMES)
def test_references_lead_somewhere(gallery: Gallery, name: str) -> None:
    """What a label, a description or the error summary points at is on the page; icons are in the sprite; assets exist."""
    reader = read(gallery.html(name))
    ids = {attrs["id"] for _, attrs in reader.elements if "id" in attrs}
    for tag, attrs in reader.elements:
        for key in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
            for target in (attrs.get(key) or "").split():
                assert target in ids, (tag, key, target)
        href = attrs.get("href") or ""
        if tag == "a" and len(href) > 1 and href.startswith("#"):
            assert href[1:] in ids, href
        if tag == "use":
            assert href.partition("#i-")[2] in gallery.assets.symbols, href
        if tag in ("script", "link", "img"):
            assert (attrs.get("src") or href) in {asset.url for asset in gallery.assets.files.values()}


def test_stored_values_are_escaped_and_isolated(gallery: Gallery) -> None:
    """A title that looks like markup is text, and its direction is its own."""
    html = gallery.html("list")
    assert "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &#34;quotes&#34;</bdi>" in html
    assert "<script>alert" not in html


def test_icons_named_in_templates_are_in_the_sprite() -> None:
    """A misspelt icon would quietly be drawn as a file."""
    names = {
        name
        for template in (STATIC.parent / "templates").glob("*.html")
        for name in re.findall(r"icon\('([a-z-]+)'", template.read_text(encoding="utf-8"))
    }
    assert names
    assert names <= load().symbols


def test_style_sheet_knows_no_left_or_right() -> None:
    """Logical properties only: dir=rtl is all that right-to-left pages need."""
    css = re.sub(r"/\*.*?\*/", "", (STATIC / "xrm.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"[^\n]*\b(?:left|right)\b[^\n]*", css) == []


def test_style_sheet_reaches_nowhere_else() -> None:
    css = (STATIC / "xrm.css").read_text(encoding="utf-8")
    assert "@import" not in css
    assert "url(" not in css


def test_script_modules_stand_alone() -> None:
    """Modules are joined into one file, each in a block: so they neither import nor export, and never evaluate text."""
    for module in (STATIC / "js").glob("*.js"):
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|export)\b|\beval\(|new Function|document\.write", text, re.MULTILINE), module.name
        assert text.startswith("/*"), f"{module.name} does not say what it does"


def test_first_load_is_within_its_budget(gallery: Gallery) -> None:
    """Style, script, htmx, sprite and the heaviest page: 60 KB; own script: 8 KB; style: 20 KB. All as sent, compressed."""
    sizes = {name: len(asset.packed) for name, asset in gallery.assets.files.items()}
    pages = {name: len(gzip.compress(gallery.html(name).encode(), 6)) for name in NAMES}
    assert sizes["xrm.js"] <= 8_000
    assert sizes["xrm.css"] <= 20_000
    assert sum(sizes.values()) + max(pages.values()) <= 60_000
    assert max(pages.values()) <= 20_000


def test_a_list_of_fifty_rows_stays_small(gallery: Gallery) -> None:
    """At most 2,000 elements, and 1,200 for a record."""
    assert len(read(gallery.html("list")).elements) <= 2_000
    assert len(read(gallery.html("record")).elements) <= 1_200


def test_direction_follows_the_locale(gallery: Gallery) -> None:
    assert '<html lang="ar" dir="rtl"' in gallery.html("record", locale="ar")


def test_preferences_show_on_the_page(gallery: Gallery) -> None:
    assert 'data-theme="dark" data-density="compact"' in gallery.html("home", "dark", "compact")


def test_fragment_is_the_main_part_with_its_title(gallery: Gallery) -> None:
    html = gallery.html("list", fragment=True)
    assert html.startswith("<title>")
    assert "</table>" in html
    assert "<html" not in html
    assert '<nav class="nav"' not in html
