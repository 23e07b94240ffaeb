"""What every answer says to the browser about what it may load, frame and send."""

from __future__ import annotations

from collections.abc import Mapping

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "font-src 'self'",
    "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
))  # fmt: skip
"""Content Security Policy Level 3: nothing inline, nothing from elsewhere, never framed."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
PAGE_HEADERS: Mapping[str, str] = {**HEADERS, "cache-control": "no-store", "vary": "HX-Request"}
"""Pages hold people's data: no copy stays behind on a shared machine."""
ASSET_HEADERS: Mapping[str, str] = {**HEADERS, "cache-control": "public, max-age=31536000, immutable"}
