"""An agency's colours, and whether people can read what stands on them.

Contrast is that of WCAG 2.2 (relative luminance; success criteria 1.4.3: 4.5 for text, 1.4.11: 3 for borders and marks).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEX = re.compile(r"#[0-9a-fA-F]{6}")
TEXT_CONTRAST = 4.5
MARK_CONTRAST = 3.0
LIGHT_SURFACE, DARK_SURFACE = "#ffffff", "#191f27"
"""What marks in the brand's colour stand on, in light and in dark (``static/xrm.css``)."""
STEPS = 40


@dataclass(frozen=True, slots=True)
class Brand:
    """Colours as ``#rrggbb``: of marks and buttons in light and in dark, and of the bar at the top."""

    colour: str
    dark: str
    bar: str

    @property
    def css(self) -> str:
        """The block of tokens that the style sheet takes them from."""
        tokens = {
            "--brand": f"light-dark({self.colour}, {self.dark})",
            "--on-brand": f"light-dark({on(self.colour)}, {on(self.dark)})",
            "--brand-bar": self.bar,
            "--on-brand-bar": on(self.bar),
        }
        return "@layer tokens { :root { " + "; ".join(f"{name}: {value}" for name, value in tokens.items()) + " } }"


def brand(colour: str, dark: str | None = None, bar: str | None = None) -> Brand:
    """The brand of a colour; what is not given is made from it."""
    return Brand(colour.lower(), (dark or readable(colour, DARK_SURFACE, TEXT_CONTRAST)).lower(), (bar or colour).lower())


def contrast(one: str, other: str) -> float:
    """From 1 (alike) to 21 (black on white)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def on(colour: str) -> str:
    """White or black, whichever is read better on a colour: always at least 4.5 to 1."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, colour))


def readable(colour: str, surface: str, least: float) -> str:
    """The colour, mixed with as little black or white as gives the contrast on a surface."""
    toward = on(surface)
    mixed = (_mixed(colour, toward, step / STEPS) for step in range(STEPS + 1))
    return next((one for one in mixed if contrast(one, surface) >= least), toward)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [channel / 255 for channel in _channels(colour)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(own + (far - own) * share):02x}" for own, far in pairs)
