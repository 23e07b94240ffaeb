"""From an agency's YAML to a checked, frozen Application: document → schema → names → checks → build."""

from xrm.source.folder import read_folder
from xrm.source.load import Loaded, load, load_text

__all__ = ["Loaded", "load", "load_text", "read_folder"]
