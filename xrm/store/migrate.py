"""Plan and apply: the two names that the rest of xrm uses."""

from xrm.store.applying import admitted, apply
from xrm.store.planning import plan
from xrm.store.plans import Plan, Step

__all__ = ["Plan", "Step", "admitted", "apply", "plan"]
