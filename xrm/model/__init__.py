"""The checked, frozen definition of an application. Pure data: no YAML, no SQL, no HTML."""
