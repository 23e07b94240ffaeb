"""What follows from other fields is made anew when the rules for it have changed."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.application import write_folder
from tests.support.databases import TestDatabases
from xrm import bootstrap
from xrm.errors import Invalid
from xrm.service import records
from xrm.service.context import SYSTEM_ACTOR
from xrm.service.reading import Query, list_records
from xrm.settings import Settings
from xrm.store.changes import verify

ACCESS = "access: {agent: [read, create, update, delete]}"
BEFORE = f'title: "{{name}}"\nfields:\n  name: text\n  size: integer\n{ACCESS}'
AFTER = (
    'title: "{name}!"\nfields:\n  name: {type: text, required: size >= 0}\n  size: integer\n  big: {type: boolean, compute: =size > 10}\n'
    f"checks: {{small: {{should: size < 100, message: Large}}}}\n{ACCESS}"
)


def test_titles_computed_fields_and_flags_follow_new_rules(databases: TestDatabases, tmp_path: Path) -> None:
    """Records that were there have the new title, computed value and flag after apply, by writes that the chain holds;
    one that a new rule would refuse is kept, and a record that is as it should be is not written."""
    settings = Settings(write_folder(tmp_path / "app", {"note": BEFORE}), databases.empty(), tmp_path / "key", 2)
    with closing(bootstrap.open_database(settings)) as database:
        bootstrap.apply(database, *bootstrap.plan(settings, database))
        ctx = bootstrap.open_service(settings, database).acting(SYSTEM_ACTOR)
        for n, name in enumerate(["a", "b", None]):
            records.create(ctx, "note", {"name": name, "size": n * 100})
        write_folder(tmp_path / "app", {"note": AFTER})
        application, plan = bootstrap.plan(settings, database)
        assert plan.recompute == ("note",)
        bootstrap.apply(database, application, plan)
        ctx = bootstrap.open_service(settings, database).acting(SYSTEM_ACTOR)
        found = list_records(ctx, Query("note", ("title", "big", "flags", "version"), sort="size")).rows
        shown = [(row["title"], row["big"], row["flags"], row["version"]) for row in found]
        assert shown == [("a!", False, None, 2), ("b!", True, "small", 2), ("!", True, "small name:required", 2)]
        assert bootstrap.plan(settings, database)[1].empty
        assert verify(database).broken is None


def test_words_alone_recompute_nothing(databases: TestDatabases, tmp_path: Path) -> None:
    """A new label or field leaves the records as they are."""
    settings = Settings(write_folder(tmp_path / "app", {"note": BEFORE}), databases.empty(), tmp_path / "key", 2)
    with closing(bootstrap.open_database(settings)) as database:
        bootstrap.apply(database, *bootstrap.plan(settings, database))
        write_folder(tmp_path / "app", {"note": BEFORE.replace("size: integer", "size: {type: integer, label: Extent}\n  more: text")})
        assert bootstrap.plan(settings, database)[1].recompute == ()


def test_a_plan_that_was_overtaken_is_refused(databases: TestDatabases, tmp_path: Path) -> None:
    """A plan made for one release is not run on another."""
    settings = Settings(write_folder(tmp_path / "app", {"note": BEFORE}), databases.empty(), tmp_path / "key", 2)
    with closing(bootstrap.open_database(settings)) as database:
        bootstrap.apply(database, *bootstrap.plan(settings, database))
        write_folder(tmp_path / "app", {"note": f"label: Remark\n{BEFORE}"})
        application, plan = bootstrap.plan(settings, database)
        bootstrap.apply(database, application, plan)
        with pytest.raises(Invalid, match="another release was applied"):
            bootstrap.apply(database, application, replace(plan, text_changed=True))
