"""An application that uses the whole language: what plants faults in it, and what reads it, reaches every key and type."""

from pathlib import Path

from xrm.model.kinds import TYPES
from xrm.source import load_text, read_folder, schema
from xrm.source.document import read_text
from xrm.source.keys import KINDS
from xrm.source.named_types import declared

FOLDER = Path(__file__).parent / "applications/whole"


def test_the_whole_application_is_sound_and_uses_every_key_and_type() -> None:
    """Each key of each kind of map, and each type of field."""
    texts = read_folder(FOLDER).texts
    assert load_text(texts).problems == ()
    documents = [read_text(name, text) for name, text in texts.items() if name == "xrm.yml" or name.startswith("entities/")]
    named = next(declared(document) for document in documents if document.file == "xrm.yml")
    parts = [schema.read(document, named)[0] for document in documents]
    used: set[tuple[str, str]] = set()
    types: set[str] = set()
    for whole in parts:
        assert whole is not None
        for part in whole.walk():
            used |= {(part.kind, key) for key in part.values}
            types |= {word.text for word in [part.word("type")] if part.kind == "field" and word}
    # the cases of a value are kept apart from its parts
    keys = {(kind.name, key.name) for kind in KINDS.values() for key in kind.keys if kind.name != "case"}
    assert keys - used == set()
    assert set(TYPES) - types == set()
    assert any("- {when:" in text and "use:" in text for text in texts.values())
