"""Markdown as HTML that is safe to show: CommonMark with tables and strikethrough, without HTML of its own and without images.

What it may hold is decided by what the parser knows at all: a tag is text, a link leads to the web, to mail or to a telephone, and nothing
is fetched from elsewhere. Headings begin at the third level, beneath those of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEMES = ("https://", "http://", "mailto:", "tel:")
"""Where a link may lead; any other stays text."""
ALIGNED = {"left": "to-start", "center": "to-center", "right": "to-end"}
HEADING = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  # the library's own hook
        return url.lower().startswith(SCHEMES)


_parser = (
    _Parser("commonmark", {"html": False, "maxNesting": 20})
    .enable(["table", "strikethrough"])
    .disable(["image", "html_block", "html_inline"])
)


def rendered(value: object) -> str:
    """The HTML of a markdown value."""
    return _rendered(str(value))


@lru_cache(maxsize=256)
def _rendered(text: str) -> str:
    tokens = _parser.parse(text)
    _fit(tokens)
    html: str = _parser.renderer.render(tokens, _parser.options, {})
    return f'<div class="md" dir="auto">{html}</div>'


def _fit(tokens: Sequence[Token]) -> None:
    for token in tokens:
        token.tag = HEADING.get(token.tag, token.tag)
        if token.type == "link_open":
            token.attrSet("rel", "noopener noreferrer nofollow")
        if token.tag in ("th", "td"):
            _aligned(token)
        _fit(token.children or ())


def _aligned(cell: Token) -> None:
    """The library says how a column stands in a style, which the policy refuses: a class says it."""
    style = str(cell.attrs.pop("style", ""))
    if style:
        cell.attrSet("class", ALIGNED[style.rpartition(":")[2]])
