"""Builds the icon sprite from the outline icons of `@tabler/icons`, bare of everything that the style sheet decides.

    python tools/icons.py FOLDER > xrm/web/static/icons.svg      FOLDER: the unpacked package

A page shows one with `<svg class="i"><use href="/static/icons.svg#i-search"/></svg>`; the class draws the lines (no fill, a stroke of the
current colour, round ends). To add an icon, name it here and run `tools/vendor.py`.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

ICONS = """
    alert-triangle arrow-down arrow-up arrows-sort bell book briefcase building calendar category chart-bar check chevron-down
    chevron-left chevron-right circle-check circle-x clock dots download edit eye eye-off file filter flag history home id-badge inbox
    info-circle keyboard link list lock logout mail map map-pin moon note phone plus printer refresh search settings shield sun tag trash
    upload user users world x
""".split()  # noqa: SIM905  # a paragraph of names, not a column
SVG = "{http://www.w3.org/2000/svg}"


def symbol(name: str, source: str) -> str:
    """One icon's shapes as a `<symbol>`, without the invisible square that Tabler draws first."""
    shapes = []
    for shape in ElementTree.fromstring(source):  # noqa: S314  # a pinned package, its sum recorded beside it
        if shape.get("stroke") == "none" and shape.get("fill") == "none":
            continue
        attributes = "".join(f' {key}="{value}"' for key, value in shape.items())
        shapes.append(f"<{shape.tag.removeprefix(SVG)}{attributes}/>")
    return f'<symbol id="i-{name}" viewBox="0 0 24 24">{"".join(shapes)}</symbol>'


def sprite(package: Path) -> str:
    """The whole sprite. Raises FileNotFoundError for an icon that the package does not have."""
    symbols = [symbol(name, (package / "icons" / "outline" / f"{name}.svg").read_text()) for name in sorted(ICONS)]
    return "\n".join(
        [
            "<!-- Tabler Icons, MIT: see vendor/tabler-icons.LICENSE. Made by tools/icons.py. -->",
            '<svg xmlns="http://www.w3.org/2000/svg">',
            *symbols,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(sprite(Path(sys.argv[1])))
