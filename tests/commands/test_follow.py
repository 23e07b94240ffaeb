"""``serve --reload``: the folder is applied as it changes, unless that is a mistake."""

import logging
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.application import write_folder
from tests.support.databases import TestDatabases
from xrm import bootstrap
from xrm.errors import Invalid
from xrm.service import records
from xrm.service.context import SYSTEM_ACTOR
from xrm.settings import Settings
from xrm.store import releases

NOTE = "fields: {name: text, more: text}\naccess: {agent: read}"


def test_the_folder_is_followed(databases: TestDatabases, tmp_path: Path) -> None:
    """What changed is applied once; what would lose data is not, and neither is a mistake: the release before goes on. What is
    converted is exported first."""
    settings = Settings(write_folder(tmp_path / "app", {"note": NOTE}), databases.empty(), tmp_path / "key", 2)
    with closing(bootstrap.open_database(settings)) as database:
        for _ in range(2):
            bootstrap.follow(settings, database)
        records.create(bootstrap.open_service(settings, database).acting(SYSTEM_ACTOR), "note", {"more": "kept"})
        for wrong in ("fields: {name: text}\naccess: {agent: read}", "filds: {}"):
            write_folder(tmp_path / "app", {"note": wrong})
            with pytest.raises(Invalid):
                bootstrap.follow(settings, database)
        active = releases.active(database)
        assert active is not None and active.id == 1
        write_folder(
            tmp_path / "app",
            {"note": "fields: {name: text, more: {type: json, converted_from: {type: text, with: '=null'}}}\naccess: {agent: read}"},
        )
        bootstrap.follow(settings, database)
        assert "kept" in (tmp_path / "app/exports/before-release-2/note.csv").read_text(encoding="utf-8")


def test_a_mistake_is_told_and_not_fatal(databases: TestDatabases, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that starts again after a change for the worse says what is wrong and serves what was active."""
    settings = Settings(write_folder(tmp_path / "app", {"note": NOTE}), databases.empty(), tmp_path / "key", 2)
    with closing(bootstrap.open_database(settings)) as database:
        bootstrap.follow(settings, database)
    write_folder(tmp_path / "app", {"note": NOTE.replace("fields", "filds")})
    with caplog.at_level(logging.WARNING, "xrm"):
        bootstrap._try_to_follow(settings)
    assert "XRM201" in caplog.text and "entities/note.yml:" in caplog.text
