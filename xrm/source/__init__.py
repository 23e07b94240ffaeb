"""From an agency's YAML to a checked, frozen Application: document → schema → names → checks → build."""

from xrm.source.differing import differences
from xrm.source.editor import editor_schema
from xrm.source.folder import Files, read_folder
from xrm.source.load import Loaded, load, load_text

__all__ = ["Files", "Loaded", "differences", "editor_schema", "load", "load_text", "read_folder"]
