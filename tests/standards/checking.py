"""What the applications of this folder have in common."""

from collections.abc import Mapping

from xrm import source
from xrm.model.application import Application


def checked(texts: Mapping[str, str]) -> Application:
    """The model of an application in which the check finds nothing at all, not even a warning."""
    result = source.load_text(dict(texts))
    assert result.application is not None and not result.problems, "\n".join(f"{p.place} {p.code} {p.message}" for p in result.problems)
    return result.application
