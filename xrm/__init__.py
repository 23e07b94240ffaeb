"""xrm: case and relationship management for public agencies, compiled from YAML definitions."""

__version__ = "0.1.0"
