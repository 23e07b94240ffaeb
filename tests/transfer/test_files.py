"""Files beside tables: an export writes them into a folder, an import takes them from one."""

import csv
import io
import json
from pathlib import Path

from tests.service.test_files import CASE, PDF, jpeg, staged
from tests.support.application import Applications, Person
from xrm.service.transfer import starting
from xrm.service.transfer.exporting import Export, export
from xrm.service.transfer.report import Report

KEYED = "key: subject\n" + CASE.replace("subject: text", "subject: {type: text, unique: true, required: true}")
FIELDS = ("id", "subject", "report", "photos")


def exported(person: Person, files: Path | None = None, form: str = "csv") -> str:
    out = io.StringIO()
    export(person.ctx, Export("case", FIELDS, form="jsonl" if form == "jsonl" else "csv", files=files), out)
    return out.getvalue()


def imported(person: Person, table: Path, text: str, files: Path | None = None) -> Report:
    table.write_text(text, encoding="utf-8")
    with starting.open_import(person.ctx, "case", table, files=files) as ready:
        return ready.run()


def test_files_travel_beside_a_table(application: Applications, tmp_path: Path) -> None:
    """Out and in again: nothing changes; into another record: the same files; nothing from outside the folder."""
    running = application({"case": KEYED})
    ana = running.person("ana", "agent")
    photos = [staged(ana, jpeg(41), "a.jpg"), staged(ana, jpeg(42), "a.jpg")]
    id = ana.create("case", subject="One", report=staged(ana, PDF, "plan.pdf"), photos=photos).id
    folder = tmp_path / "out"
    text = exported(ana, folder)
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["report"] == f"{id}/report/plan.pdf" and row["photos"] == f"{id}/photos/a.jpg|{id}/photos/2 a.jpg"
    assert (folder / row["report"]).read_bytes() == PDF and (folder / id / "photos" / "2 a.jpg").read_bytes() == jpeg(42)
    line = json.loads(exported(ana, tmp_path / "lines", "jsonl"))
    assert line["report"][0]["path"] == row["report"] and line["photos"][1]["size"] == len(jpeg(42))

    table = tmp_path / "case.csv"
    plain = exported(ana)
    assert imported(ana, table, plain).unchanged == 1, "by their hashes"
    (folder / id / "photos" / "2 a.jpg").rename(folder / id / "photos" / "b.jpg")
    again = text.replace("2 a.jpg", "b.jpg")
    report = imported(ana, table, again, folder)
    assert report.updated == 1 and [one["name"] for one in ana.get("case", id)["photos"]] == ["a.jpg", "b.jpg"]
    assert imported(ana, table, again, folder).unchanged == 1

    (tmp_path / "new.pdf").write_bytes(PDF)
    assert imported(ana, table, "subject,report\nTwo,new.pdf\n").created == 1, "beside the table itself"
    (tmp_path / "out.pdf").write_bytes(jpeg())
    for cell, code in (
        ("../out.pdf", "XRM105"),
        ("/etc/passwd", "XRM105"),
        ("missing.pdf", "XRM105"),
        ("out", "XRM105"),
        ("out.pdf", "XRM522"),
        ("0" * 64, "XRM523"),
    ):
        report = imported(ana, tmp_path / "case.csv", f"subject,report\nTwo,{cell}\n", tmp_path if cell == "out.pdf" else folder)
        assert [problem.code for refusal in report.refusals for problem in refusal.reasons] == [code], cell
        assert report.refusals[0].reasons[0].path == ("report",)
