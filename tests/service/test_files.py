"""Files of records: judged by their content, attached by a write, given out through the record, collected when nothing has them."""

import asyncio
import hashlib
import io
import random
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from tests.support.application import Answer, Applications, Person, Running, apply_to, loaded
from xrm.compile import differences
from xrm.errors import Invalid, NotFound
from xrm.model import contents
from xrm.service import files
from xrm.service.pictures import MOST_PIXELS

CASE = """
fields:
  subject: text
  report: {type: file, accept: [pdf, text], size: 20 KB}
  photos: {type: image, many: true, max: 3}
  anything: {type: file, accept: any}
  hidden: {type: file, protected: true}
checks:
  one: {should: count(photos) != 1, message: One photo is not enough}
access:
  agent: [read, create, update, delete]
  boss: {read: true, update: true, sees: [hidden], edits: [hidden]}
  guest: {read: created_by == actor, create: true, update: created_by == actor}
"""
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def jpeg(width: int = 40, height: int = 30, **extra: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "JPEG", **extra)
    return out.getvalue()


def zipped(**entries: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return out.getvalue()


DOCX = zipped(**{"[Content_Types]_xml": "<Types/>", "word__document_xml": "<w/>"})
MACRO = zipped(**{"[Content_Types]_xml": "<Types/>", "word__document_xml": "<w/>", "word__vbaProject.bin": "x"})
ODT = zipped(mimetype="application/vnd.oasis.opendocument.text", content_xml="<o/>")


def stage(person: Person, content: bytes, name: str, declared: str = "", field: str | None = None) -> files.Staged:
    with files.Draft(100_000_000) as draft:
        draft.write(content)
        known = person.running.service.application.model.entities["case"].fields[field] if field else None
        return files.stage(person.ctx, draft.upload(name, declared), known)


def staged(person: Person, content: bytes, name: str) -> str:
    return stage(person, content, name).token


def upload(person: Person, content: bytes, name: str) -> Answer:
    return person.api.send("POST", "/api/files", content, headers={"content-type": "application/octet-stream"}, query={"name": name})


def refused(codes: str, work: Any) -> str:
    with pytest.raises(Invalid) as refusal:
        work()
    assert [problem.code for problem in refusal.value.problems] == codes.split()
    return str(refusal.value.problems[0].message)


@pytest.mark.parametrize(("content", "name", "declared", "gives"), [
    (PDF, "a.pdf", "application/pdf", "application/pdf"),
    (PDF, "a.jpg", "", "its name ends in .jpg, but it is a PDF"),
    (PDF, "noending", "image/png", "it was sent as a PNG image, but it is a PDF"),
    (jpeg(), "a.JPEG", "image/jpeg", "image/jpeg"),
    (jpeg(), "a.png", "", "but it is a JPEG image"),
    (DOCX, "a.docx", "", contents.ENDINGS["docx"].type),
    (DOCX, "a.zip", "", "but it is a Word document"),
    (MACRO, "a.docx", "", "but it is an Office document with macros"),
    (ODT, "a.odt", "", contents.ENDINGS["odt"].type),
    (zipped(a="b"), "a.zip", "", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc", "application/msword", "application/x-cfb"),
    (b"a;b\n1;2\n", "a.csv", "application/vnd.ms-excel", "text/csv"),
    ("Straße\n".encode("latin-1"), "a.txt", "text/plain", "text/plain"),
    ("\ufeffStraße".encode("utf-16"), "a.txt", "", "text/plain"),
    (b"<!DOCTYPE html><script>", "a.txt", "", "but it is a web page"),
    (b'<?xml version="1.0"?><svg xmlns="x">', "a.svg", "", "image/svg+xml"),
    (b"MZ\x90\0", "a.pdf", "", "but it is a program"),
    (b"RIFF\0\0\0\0WAVEfmt ", "a.wav", "", "audio/wav"),
    (b"\0\1\2\3", "a.bin2", "", "application/octet-stream"),
])  # fmt: skip
def test_content_decides(content: bytes, name: str, declared: str, gives: str) -> None:
    """What a file is, its content says; a name or a sender that says something else is contradicted."""
    found = contents.refined(contents.sniff(io.BytesIO(content)), name)
    said = contents.contradiction(found, name, declared)
    assert (said or found.type).endswith(gives)


@pytest.mark.parametrize(("name", "shown"), [
    ("../../etc/passwd", "passwd"), ("C:\\Users\\ana\\Plan.PDF", "Plan.pdf"), ("photo\u202egpj.exe", "photogpj.exe"), ("", "file.pdf"), (" .. ", "file.pdf"),
    ("a\x00b\r\nc.pdf", "a b c.pdf"), ("x" * 300 + ".pdf", "x" * 116 + ".pdf"), (".htaccess", "htaccess"), ("e\u0301te\u0301.pdf", "été.pdf"), ('a"<b>.pdf', "a b.pdf"),
])  # fmt: skip
def test_names_are_cleaned(name: str, shown: str) -> None:
    """A name is shown without path, control characters and marks that turn its direction."""
    assert contents.clean_name(name, contents.ENDINGS["pdf"]) == shown


def test_noise_never_fails() -> None:
    """Random bytes, cut and spoilt images and archives are told what they are or refused, never with another error."""
    dice = random.Random(3)
    whole = [jpeg(), jpeg(exif=bytes(60)), DOCX, MACRO, ODT, PDF]
    for form, mode in (("PNG", "RGBA"), ("GIF", "P"), ("WEBP", "RGB"), ("TIFF", "RGB")):
        out = io.BytesIO()
        Image.new(mode, (30, 20)).save(out, form)
        whole.append(out.getvalue())
    for turn in range(600):
        raw = bytearray(dice.choice(whole)) if turn % 4 else bytearray(dice.randbytes(dice.randrange(1, 500)))
        for _ in range(dice.randrange(6)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        raw = raw[: dice.randrange(1, len(raw) + 1)]
        content = contents.sniff(file := io.BytesIO(bytes(raw)))
        contents.clean_name(dice.randbytes(9).decode("latin-1"), content)
        if content.type in files.FORMATS:
            try:
                found = files.picture(file, content.type)
            except files.Unreadable:
                continue
            assert found.width and Image.open(io.BytesIO(found.thumbnail)).size <= (320, 320)


def test_a_record_has_files(application: Applications) -> None:
    """Attached by token, kept by hash, replaced and removed; every version stays reachable for who sees record and field."""
    running = application({"case": CASE})
    ana, bob, boss = running.person("ana", "agent"), running.person("bob", "agent"), running.person("boss", "boss")
    first, second = jpeg(41), jpeg(42)
    made = ana.create(
        "case", subject="One", report=staged(ana, PDF, "plan.pdf"), photos=[staged(ana, first, "a.jpg"), staged(ana, second, "b.jpg")]
    )
    id, digest = made.id, hashlib.sha256(first).hexdigest()
    assert made.record["photos"][0] == {"name": "a.jpg", "type": "image/jpeg", "size": len(first), "hash": digest, "version": 1}
    document = ana.api.get(f"/api/case/{id}").json
    assert document["report"]["name"] == "plan.pdf" and [one["name"] for one in document["photos"]] == ["a.jpg", "b.jpg"]
    for condition in ("count(photos) == 2", "size(photos) == 2", f"bytes(photos) == {len(first) + len(second)}", "report != null", "count(anything) == 0",
                      "bytes(anything) == 0", "anything == null", "has(report)"):  # fmt: skip
        assert ana.count("case", filter=condition) == 1, condition
    assert not made.warnings

    third = staged(ana, jpeg(43), "c.jpg")
    patched = ana.api.patch(f"/api/case/{id}", {"report": None, "photos": [{"hash": digest}, third]})
    assert patched.status == 200 and [(one["name"], one["version"]) for one in patched.json["photos"]] == [("a.jpg", 1), ("c.jpg", 2)]
    assert not ana.update("case", id, 2, photos=patched.json["photos"]).changed, "sent back as it was read, nothing changes"
    again = ana.update("case", id, 2, photos=[staged(ana, first, "a.jpg"), patched.json["photos"][1]])
    assert not again.changed, "the same content under the same name is the same file"
    assert len(running.rows("SELECT digest FROM xrm_blob")) == 4 and len(running.rows("SELECT record FROM xrm_file")) == 4
    assert ana.history("case", id)[0].fields["report"][0][0]["name"] == "plan.pdf"
    old = f"/api/case/{id}/files/report/{hashlib.sha256(PDF).hexdigest()}"
    assert ana.api.get(old).body == PDF, "removed, but its history shows it"

    for work, code in (
        (lambda: bob.update("case", id, 2, anything=staged(ana, PDF, "a.pdf")), "XRM502"),
        (lambda: ana.update("case", id, 2, anything={"hash": digest}), "XRM523"),
        (lambda: ana.update("case", id, 2, photos=[{"hash": "0" * 64}]), "XRM523"),
        (lambda: ana.update("case", id, 2, photos="nonsense"), "XRM502"),
        (lambda: ana.update("case", id, 2, photos=[{"name": "x"}]), "XRM502"),
        (lambda: ana.update("case", id, 2, photos=[staged(ana, jpeg(50 + n), "x.jpg") for n in range(4)]), "XRM502"),
        (lambda: ana.update("case", id, 2, report=[staged(ana, PDF, "a.pdf")] * 2), "XRM502"),
        (lambda: ana.update("case", id, 2, report=staged(ana, jpeg(), "a.jpg")), "XRM520"),
        (lambda: ana.update("case", id, 2, report=staged(ana, b"word " * 5000, "a.txt")), "XRM521"),
        (lambda: ana.update("case", id, 2, photos=[staged(ana, PDF, "a.pdf")]), "XRM520"),
        (lambda: stage(ana, b"", "a.pdf"), "XRM522"),
        (lambda: stage(ana, jpeg()[:200], "a.jpg", field="photos"), "XRM522"),
        (lambda: stage(ana, PDF, "a.png"), "XRM522"),
        (lambda: stage(ana, bytes(30_000), "a.pdf", field="report"), "XRM522"),
        (lambda: ana.update("case", id, 2, hidden=staged(ana, PDF, "a.pdf")), "XRM302"),
    ):  # fmt: skip
        refused(code, work)
    late = running.at(ana.ctx.moment.now + files.TOKEN_LIFE + timedelta(minutes=1))
    refused("XRM502", lambda: files_of(late, ana).update("case", id, 2, anything=third))
    assert "two" not in refused("XRM522", lambda: stage(ana, _bomb(), "bomb.png", field="photos"))

    boss.update("case", id, 2, hidden=staged(boss, PDF, "secret.pdf"))
    secret = f"/api/case/{id}/files/hidden/{hashlib.sha256(PDF).hexdigest()}"
    assert (boss.api.get(secret).status, ana.api.get(secret).status) == (200, 404)
    assert "hidden" not in ana.history("case", id)[0].fields


def files_of(running: Running, person: Person) -> Person:
    return Person(running, person.actor)


def _bomb() -> bytes:
    """A PNG of a few kilobytes that would be larger than memory, were it unpacked."""
    side = int(MOST_PIXELS**0.5) + 100
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()


def test_bytes_go_out_through_the_record(application: Applications) -> None:
    """By REST: uploaded, refused early, given out in part, never to who may not read the record, never as something that runs."""
    running = application({"case": CASE})
    ana, eve = running.person("ana", "agent"), running.person("eve", "guest")
    sent = upload(ana, PDF, "Plan “A”.pdf")
    assert sent.status == 201 and sent.json["type"] == "application/pdf" and sent.json["name"] == "Plan “A”.pdf"
    page = b"<html><script>alert(1)</script></html>"
    id = ana.create("case", subject="One", report=sent.json["token"], anything=upload(ana, page, "x.html").json["token"], photos=[
        upload(ana, jpeg(800, 400, exif=_turned()), "a.jpg").json["token"]]).id  # fmt: skip
    path = f"/api/case/{id}/files/report/{hashlib.sha256(PDF).hexdigest()}"
    whole = ana.api.get(path)
    assert whole.body == PDF and whole.headers["content-type"] == "application/pdf" and whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"] == "attachment; filename=\"Plan _A_.pdf\"; filename*=UTF-8''Plan%20%E2%80%9CA%E2%80%9D.pdf"
    assert whole.headers["content-security-policy"].startswith("sandbox;") and whole.headers["cache-control"] == "private, no-cache"
    tag = whole.headers["etag"]
    for asked, status, body in (
        ({"range": "bytes=0-3"}, 206, PDF[:4]), ({"range": "bytes=5-"}, 206, PDF[5:]), ({"range": "bytes=-6"}, 206, PDF[-6:]), ({"range": "bytes=0-9999"}, 206, PDF),
        ({"range": "bytes=9999-"}, 416, b""), ({"range": "bytes=-0"}, 416, b""), ({"range": "bytes=2-1"}, 200, PDF), ({"range": "bytes=0-1,3-4"}, 200, PDF), ({"range": "lines=1"}, 200, PDF),
        ({"range": "bytes=0-3", "if-range": '"old"'}, 200, PDF), ({"range": "bytes=0-3", "if-range": tag}, 206, PDF[:4]), ({"if-none-match": tag}, 304, b""),
    ):  # fmt: skip
        part = ana.api.get(path, headers=asked)
        assert (part.status, part.body) == (status, body), asked
        assert status in (304, 200, 416) or part.headers["content-range"].endswith(f"/{len(PDF)}")
    assert ana.api.send("HEAD", path).body == b""
    assert (
        ana.api.get(f"/api/case/{id}/files/anything/{hashlib.sha256(page).hexdigest()}").headers["content-type"]
        == "application/octet-stream"
    )

    photo = ana.get("case", id)["photos"][0]
    small = ana.api.get(f"/api/case/{id}/files/photos/{photo['hash']}", thumbnail="1")
    drawn = Image.open(io.BytesIO(small.body))
    assert small.headers["content-type"] == "image/jpeg" and drawn.size == (160, 320) and not drawn.getexif(), (
        "upright, small and without where it was"
    )

    for other in (f"/api/case/{id}/files/photos/{hashlib.sha256(PDF).hexdigest()}", f"/api/case/{id}/files/subject/{photo['hash']}", f"/api/case/{id}/files/report/x",
                  f"/api/case/{ana.create('case').id}/files/report/{hashlib.sha256(PDF).hexdigest()}"):  # fmt: skip
        assert ana.api.get(other).status == 404, other
    assert eve.api.get(path).status == 404, "a record that she may not read"
    assert upload(eve, PDF, "a.pdf").status == 201
    assert running.asgi and ana.api.send("POST", "/api/files", PDF, headers={"authorization": "Bearer wrong"}).status == 401
    large = upload(ana, bytes(10_000_001), "a.bin")
    assert (large.status, large.codes) == (413, ["XRM521"])
    assert ana.api.send("POST", "/api/files", bytes(9), headers={"content-length": "99999999999"}, query={"name": "a.bin"}).status == 413
    assert ana.api.send("POST", "/api/files", PDF, query={"nam": "a.pdf"}).status == 400
    paths = ana.api.get("/api/openapi.json").json["paths"]
    assert "/api/files" in paths and "/api/case/{id}/files/{field}/{hash}" in paths

    ana.delete("case", id)
    assert ana.api.get(path).status == 404
    ana.restore("case", id)
    assert ana.api.get(path).body == PDF


def _turned() -> Image.Exif:
    """A camera held upright, and where it was."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def test_what_nothing_has_is_collected(application: Applications) -> None:
    """Bytes without a record go after a safe age, also those a crash left; what a record has or had stays."""
    running = application({"case": CASE})
    ana = running.person("ana", "agent")
    kept, gone = staged(ana, PDF, "kept.pdf"), staged(ana, b"orphan", "gone.txt")
    id = ana.create("case", anything=kept).id
    ana.update("case", id, 1, anything=None)
    assert files.collect(running.service) == 0, "too young"
    now = ana.ctx.moment.now
    assert files.collect(running.at(now + timedelta(hours=49)).service) == 1
    assert running.rows("SELECT size FROM xrm_blob") == [(len(PDF),)]
    assert ana.api.get(f"/api/case/{id}/files/anything/{hashlib.sha256(PDF).hexdigest()}").body == PDF
    wanted = staged(files_of(running.at(now + timedelta(hours=47)), ana), b"orphan", "again.txt")
    assert wanted and files.collect(running.at(now + timedelta(hours=49)).service) == 0, "wanted again meanwhile"
    assert gone
    if running.dialect == "sqlite":
        folder = files_folder(running)
        stray = folder / "ab" / ("ab" * 32)
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"a crash before its row")
        assert files.collect(running.at(now + timedelta(hours=49)).service) == 1 and not stray.exists()


def files_folder(running: Running) -> Any:
    from xrm.store.blobs import folder_of

    return folder_of(running.database.url)


def test_the_same_content_at_once(application: Applications) -> None:
    """Two who upload the same at the same time keep it once."""
    running = application({"case": CASE})
    ana = running.person("ana", "agent")
    large = random.Random(1).randbytes(700_000)

    async def both() -> list[Answer]:
        return list(await asyncio.gather(*(ana.api.ask("POST", "/api/files", large, query={"name": f"{n}.dat"}) for n in range(4))))

    answers = asyncio.run(both())
    assert [answer.status for answer in answers] == [201] * 4
    id = ana.create("case", anything=answers[0].json["token"]).id
    assert len(running.rows("SELECT digest FROM xrm_blob")) == 1
    path = f"/api/case/{id}/files/anything/{hashlib.sha256(large).hexdigest()}"
    assert ana.api.get(path).body == large and ana.api.get(path, headers={"range": "bytes=262140-262150"}).body == large[262140:262151]


def test_a_missing_record_has_none(application: Applications) -> None:
    """Whatever stands in the path of a file, the answer is that there is none."""
    ana = application({"case": CASE}).person("ana", "agent")
    for entity, id, field, digest in (
        ("case", "x", "report", "0" * 64),
        ("nothing", "x", "report", "0" * 64),
        ("case", ana.id, "report", "0" * 64),
        ("case", ana.id, "nothing", ".."),
    ):
        with pytest.raises(NotFound):
            files.held(ana.ctx, entity, id, field, digest)


def test_a_renamed_field_keeps_its_files(application: Applications) -> None:
    """After a rename the field has its files, and its history those it had."""
    running = application({"case": CASE})
    ana = running.person("ana", "agent")
    id = ana.create("case", anything=staged(ana, PDF, "a.pdf")).id
    ana.update("case", id, 1, anything=staged(ana, PDF + b"%2", "b.pdf"))
    apply_to(running.database, {"case": CASE.replace("anything: {type: file", "attachment: {renamed_from: anything, type: file")})
    later = files_of(application.opened(running.url), ana)
    assert [one["name"] for one in later.get("case", id)["attachment"]] == ["b.pdf"]
    for content in (PDF, PDF + b"%2"):
        assert files.held(later.ctx, "case", id, "attachment", hashlib.sha256(content).hexdigest()).size == len(content)


@pytest.mark.parametrize(("was", "now", "follows"), [
    ("image", "file", True), ("file", "image", False), ("file", "{type: file, many: true}", True), ("{type: file, many: true}", "file", False),
    ("file", "{type: file, accept: pdf}", True), ("file", "json", False),
])  # fmt: skip
def test_which_changes_of_a_field_keep_its_files(was: str, now: str, follows: bool) -> None:
    """An image becomes a file, one becomes many; nothing else by itself."""
    before, after = (loaded(f"fields: {{name: text, it: {kind}}}")[0].entities["note"].fields["it"] for kind in (was, now))
    assert differences.follows(before, after) is follows
