"""Files in rows: attached by a write of their record, given out through it alone, kept over edits, exported and imported with it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.service.test_files import PDF, jpeg, upload
from tests.support.application import Applications, Person, Running, apply_to
from xrm.errors import Invalid
from xrm.service import files
from xrm.service.transfer import starting
from xrm.service.transfer.exporting import Export, export
from xrm.service.transfer.report import Report

CASE = """
key: subject
fields:
  subject: {type: text, unique: true, required: true}
  lines:
    type: rows
    fields:
      what: text
      photos: {type: image, many: true, max: 2}
      proof: {type: file, accept: [pdf], size: 20 KB}
      hidden: {type: file, accept: any, protected: true}
access:
  agent: [read, create, update, delete]
  boss: {read: true, update: true, sees: [lines.hidden], edits: [lines.hidden]}
  guest: {read: created_by == actor, create: true, update: created_by == actor}
"""


@pytest.fixture
def running(application: Applications) -> Running:
    return application({"case": CASE})


def token(person: Person, content: bytes, name: str) -> str:
    return str(upload(person, content, name).json["token"])


def names(rows: Any, field: str) -> list[list[str]]:
    return [[file["name"] for file in row[field] or ()] for row in rows]


def test_they_come_stay_and_go_with_their_rows(running: Running) -> None:
    ana, guest = running.person("ana", "agent"), running.person("gus", "guest")
    red, blue = jpeg(), jpeg(50, 20)
    rows = [
        {"what": "a", "photos": [token(ana, red, "red.jpg"), token(ana, blue, "blue.jpg")], "proof": token(ana, PDF, "p.pdf")},
        {"what": "b"},
    ]
    made = ana.api.post("/api/case", {"subject": "s", "lines": rows})
    assert made.status == 201, made.json
    id, lines = made.json["id"], made.json["lines"]
    assert (names(lines, "photos"), lines[0]["proof"]["name"], lines[1]["proof"]) == ([["red.jpg", "blue.jpg"], []], "p.pdf", None)
    proof = lines[0]["proof"]["hash"]
    address = f"/api/case/{id}/files/lines.proof/{proof}"
    answer = ana.api.get(address)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, PDF, "application/pdf")
    assert [guest.api.get(address).status, ana.api.get(address.replace("proof", "photos")).status] == [404, 404]
    assert ana.api.get(address.replace("lines.proof", "proof")).status == 404
    # the whole record as it was read changes nothing; a row keeps what was not sent of it; a file moves between rows by its hash
    assert ana.api.patch(f"/api/case/{id}", {"lines": lines}).json["version"] == 1
    first, second = ({"id": line["id"]} for line in lines)
    moved = [{**second, "photos": [{"hash": lines[0]["photos"][1]["hash"]}]}, {**first, "photos": [lines[0]["photos"][0]]}]
    now = ana.api.patch(f"/api/case/{id}", {"lines": moved}).json["lines"]
    assert (names(now, "photos"), now[1]["proof"]["name"], now[0]["photos"][0]["version"]) == ([["blue.jpg"], ["red.jpg"]], "p.pdf", 1)
    added = ana.api.patch(f"/api/case/{id}", {"lines": [now[0], {**now[1], "proof": token(ana, PDF + b"2", "q.pdf")}]}).json["lines"]
    assert (added[1]["proof"]["name"], added[1]["proof"]["version"], added[1]["photos"][0]["version"]) == ("q.pdf", 3, 1)
    # what is gone is in the history, and still to be had, also when its row is gone
    assert ana.api.patch(f"/api/case/{id}", {"lines": [now[0]]}).status == 200
    assert ana.api.get(address).body == PDF
    assert [entry.fields["lines"][0][0]["proof"][0]["name"] for entry in ana.history("case", id)[:2]] == ["q.pdf", "p.pdf"]
    back = ana.api.patch(f"/api/case/{id}", {"lines": [now[0], {"what": "again", "proof": {"hash": proof}}]}).json["lines"]
    assert back[1]["proof"]["name"] == "p.pdf"
    later = running.at(running.service.clock() + 3 * files.SAFE_AGE)
    assert files.collect(later.service) == 0, "what a record has or had stays"


def test_what_does_not_fit_is_refused_at_its_row(running: Running) -> None:
    ana, gus = running.person("ana", "agent"), running.person("gus", "guest")
    mine = ana.create("case", subject="x", lines=[{"proof": token(ana, PDF, "p.pdf")}])
    digest = mine.record["lines"][0]["proof"][0]["hash"]

    def refused(*lines: object) -> list[tuple[str, tuple[str, ...]]]:
        with pytest.raises(Invalid) as found:
            ana.create("case", subject="y", lines=list(lines))
        return [(problem.code, problem.path) for problem in found.value.problems]

    image = token(ana, jpeg(), "a.jpg")
    assert refused({}, {"proof": image}) == [("XRM520", ("lines", "1", "proof"))]
    assert refused({"proof": token(gus, PDF, "p.pdf")}) == [("XRM502", ("lines", "0", "proof"))]
    assert refused({"photos": [image] * 3}) == [("XRM502", ("lines", "0", "photos"))]
    assert refused({"proof": {"hash": digest}}) == [("XRM523", ("lines",))], "a hash opens nothing of another record"


def test_what_is_hidden_of_rows_stays(running: Running) -> None:
    ana, boss = running.person("ana", "agent"), running.person("bo", "agent", "boss")
    made = ana.create("case", subject="s", lines=[{"what": "a"}])
    row = made.record["lines"][0]["id"]
    boss.update("case", made.id, None, lines=[{"id": row, "hidden": token(boss, b"secret text", "s.txt")}])
    digest = boss.get("case", made.id)["lines"][0]["hidden"][0]["hash"]
    address = f"/api/case/{made.id}/files/lines.hidden/{digest}"
    assert [boss.api.get(address).status, ana.api.get(address).status] == [200, 404]
    ana.update("case", made.id, None, lines=[{"id": row, "what": "b"}])
    found = boss.get("case", made.id)["lines"][0]
    assert (found["what"], found["hidden"][0]["name"]) == ("b", "s.txt")
    assert "hidden" not in ana.get("case", made.id)["lines"][0]


def test_they_go_out_and_come_in_with_a_folder(running: Running, tmp_path: Path) -> None:
    """Into the same record nothing changes; into another one come the same files; nothing from outside the folder."""
    ana = running.person("ana", "agent")
    ana.create("case", subject="s", lines=[{"what": "a", "proof": token(ana, PDF, "p.pdf"), "photos": [token(ana, jpeg(), "r.jpg")]}])
    out, table = io.StringIO(), tmp_path / "case.csv"
    export(ana.ctx, Export("case", ("subject", "lines"), files=tmp_path / "out"), out)
    assert sorted(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted([PDF, jpeg()])

    def imported(text: str) -> Report:
        table.write_text(text, encoding="utf-8")
        with starting.open_import(ana.ctx, "case", table, files=tmp_path / "out") as ready:
            return ready.run()

    assert imported(out.getvalue()).unchanged == 1
    assert imported(out.getvalue().replace("\ns,", "\nt,")).created == 1
    copy = next(row for row in ana.all("case") if row["subject"] == "t")["lines"][0]
    assert (copy["what"], copy["proof"][0]["name"], copy["photos"][0]["name"]) == ("a", "p.pdf", "r.jpg")
    assert imported(out.getvalue().replace("\ns,", "\nu,").replace("p.pdf", "../../p.pdf")).created == 0


def test_a_rename_of_the_field_or_of_the_rows_keeps_what_was(running: Running, application: Applications) -> None:
    ana = running.person("ana", "agent")
    made = ana.create("case", subject="s", lines=[{"proof": token(ana, PDF, "p.pdf")}])
    digest = made.record["lines"][0]["proof"][0]["hash"]
    ana.update("case", made.id, None, lines=[])
    text = CASE.replace("lines:\n    type", "parts:\n    renamed_from: lines\n    type").replace(
        "proof: {", "paper: {renamed_from: proof, "
    )
    apply_to(running.database, {"case": text.replace("lines.hidden", "parts.hidden")})
    after = application.opened(running.url)
    again = Person(after, ana.actor)
    assert again.api.get(f"/api/case/{made.id}/files/parts.paper/{digest}").body == PDF
    assert json.dumps(again.api.get(f"/api/case/{made.id}").json["parts"]) == "[]"
