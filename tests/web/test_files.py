"""Files in the pages: chosen, kept while the form is wrong, shown, replaced, and told in the history."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette

from tests.service.test_files import PDF, jpeg
from tests.support.application import Applications, Running, build
from tests.support.browser import axe
from tests.support.databases import SqliteDatabases
from tests.web.city import form_in, served
from xrm import bootstrap, web
from xrm.service import sessions
from xrm.settings import Settings

CASE = """
fields:
  subject: {type: text, required: true}
  report: {type: file, accept: [pdf, text], size: 1 KB}
  photos: {type: image, many: true, max: 3}
lifecycle: {states: {open: {initial: true}, done: {final: true}}, transitions: {finish: {from: open, to: done, ask: [report]}}}
views: {default: {columns: [subject, photos, report]}}
access: {agent: [read, create, update, delete]}
"""
RECORD = re.compile(r"/w/case/[0-9a-f-]{36}(\?done=\w+)?$")
HOST = "http://127.0.0.1:8000"
Parts = list[tuple[str, tuple[str, bytes, str]]]


def client(running: Running, name: str) -> tuple[Callable[..., httpx.Response], str]:
    """A browser's requests without a browser: a function that sends, and the session it sends with."""
    person = running.person(name, "agent")
    session = sessions.issue(running.service, person.id, "session", None, sessions.SESSION_LIFE).text

    def send(method: str, path: str, data: Mapping[str, str] | None = None, files: Parts | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=running.asgi)
            async with httpx.AsyncClient(transport=transport, base_url=HOST, cookies={"xrm_session": session}) as asking:
                parts = files if files is not None else None
                if parts is not None:
                    parts = [*parts, ("empty.new", ("", b"", "application/octet-stream"))]
                return await asking.request(method, path, data=data, files=parts, headers={"origin": HOST} if method == "POST" else None)

        return asyncio.run(ask())

    return send, session


def text(answer: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_files_in_forms(application: Applications) -> None:
    """Uploaded with the form; what is refused is said beside its input and nothing else is lost; removed, replaced and told."""
    running = application({"case": CASE})
    send, _ = client(running, "ana")
    new = send("GET", "/w/case/new")
    assert 'enctype="multipart/form-data"' in new.text and "Images, up to 10 MB each; at most 3 files" in text(new)
    action, values = form_in(new.text)
    photo = ("photos.new", ("a <b>.jpg", jpeg(41), "image/jpeg"))
    wrong = send("POST", action, values | {"subject": ""}, [photo, ("report.new", ("big.txt", b"word " * 300, "text/plain"))])
    assert wrong.status_code == 413 and "“big.txt” is larger than 1 KB" in text(wrong) and "a b .jpg" not in wrong.text
    assert "a b.jpg" in text(wrong) and "(not saved yet)" in text(wrong), "the good file stays with the form"
    action, values = form_in(wrong.text)
    wrong = send("POST", action, values | {"subject": ""}, [("report.new", ("fake.pdf", jpeg(), "application/pdf"))])
    assert (
        wrong.status_code == 422
        and "its name ends in .pdf, but it is a JPEG image" in text(wrong)
        and "Subject is required" not in text(wrong)
    )
    action, values = form_in(wrong.text)
    wrong = send("POST", action, values | {"subject": ""}, [("report.new", ("plan.pdf", PDF, "application/pdf"))])
    assert wrong.status_code == 422 and "Subject is required" in text(wrong) and "plan.pdf" in text(wrong)
    action, values = form_in(wrong.text)
    made = send("POST", action, values | {"subject": "One"}, [("photos.new", ("b.jpg", jpeg(42), "image/jpeg"))])
    assert made.status_code == 303
    here = made.headers["location"].partition("?")[0]
    shown = send("GET", here)
    assert {"plan.pdf", "a b.jpg", "b.jpg"} <= set(re.findall(r"<bdi>([^<]+)</bdi>", unescape(shown.text)))
    thumbnail = re.search(r'<img src="([^"]+\?thumbnail=1)" alt="Small view of b.jpg"', shown.text)
    assert thumbnail and send("GET", thumbnail[1]).headers["content-type"] == "image/jpeg"
    photo_url = thumbnail[1].partition("?")[0]
    assert send("GET", photo_url).headers["content-disposition"].startswith("inline")
    assert send("GET", f"{photo_url}?save").headers["content-disposition"].startswith("attachment")
    old = f"{here}/files/report/{hashlib.sha256(PDF).hexdigest()}"
    assert "sandbox" not in send("GET", old).headers["content-security-policy"] and send("GET", old).content == PDF

    assert "<bdi>a b.jpg, b.jpg</bdi>" in send("GET", "/w/case").text
    edit = send("GET", f"{here}/edit")
    action, values = form_in(edit.text)
    other = PDF + b"%second"
    saved = send(
        "POST",
        action,
        values | {"photos.drop.0": "1"},
        [("report.new", ("plan 2.pdf", other, "application/pdf")), ("photos.new", ("c.jpg", jpeg(43), ""))],
    )
    assert saved.status_code == 303
    page = send("GET", here)
    for said in ("Replaced plan.pdf", "With plan 2.pdf", "Removed a b.jpg", "Added c.jpg"):
        assert said in text(page), said
    assert old in page.text and send("GET", old).content == PDF, "the old version is reached from the history"
    stale = send("POST", action, values, [("photos.new", ("d.jpg", jpeg(44), ""))])
    assert stale.status_code == 412 and "b.jpg, c.jpg" in text(stale) and "a b.jpg, b.jpg, d.jpg" in text(stale)
    action, values = form_in(stale.text)
    values.pop("keep.photos")
    assert send("POST", action, values | {"keep.photos": "yours"}).status_code == 303
    assert [one["name"] for one in running.person("ana").get("case", here.rpartition("/")[2])["photos"]] == ["a b.jpg", "b.jpg", "d.jpg"]

    action, values = form_in(send("GET", f"{here}/edit").text)
    assert send("POST", action, values | {"photos.wrong": "[not ours", "photos": "made-up"}).status_code == 422
    action, values = form_in(send("GET", f"{here}/move/finish").text)
    assert send("POST", action, values, [("report.new", ("end.pdf", PDF + b"%end", ""))]).status_code == 303
    assert running.person("ana").get("case", here.rpartition("/")[2])["report"][0]["name"] == "end.pdf"
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    for body in (
        b"",
        b"--x",
        b"--x\r\nnonsense",
        b'--x\r\ncontent-disposition: form-data; name="photos.new"; filename="a"\r\n\r\nabc',
        b"--x\r\n" * 50,
        bytes(500),
    ):
        answer = httpx.Response(0)

        async def ask(body: bytes = body) -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=running.asgi), base_url=HOST) as asking:
                return await asking.post(f"{here}/edit", content=body, headers=boundary)

        answer = asyncio.run(ask())
        assert answer.status_code == 401, "nobody's files are read"


def test_a_row_is_added_and_files_stay(application: Applications) -> None:
    """What was chosen before a row was added is kept with the form, and saved with it."""
    running = application({"case": CASE.replace("fields:\n", "fields:\n  lines: {type: rows, fields: {item: text}}\n")})
    send, _ = client(running, "ana")
    action, values = form_in(send("GET", "/w/case/new").text)
    more = send("POST", action, values | {"subject": "One", "do": "lines.add"}, [("photos.new", ("a.jpg", jpeg(), ""))])
    assert more.status_code == 200 and "a.jpg (not saved yet)" in text(more)
    action, values = form_in(more.text)
    made = send("POST", action, values | {"lines.0.item": "Bench"})
    assert made.status_code == 303, "sent without parts too"
    record = running.person("ana").get("case", made.headers["location"].partition("?")[0].rpartition("/")[2])
    assert [one["name"] for one in record["photos"]] == ["a.jpg"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_files_in_a_browser(sqlite_databases: SqliteDatabases, tmp_path: Path, new_page: Callable[..., Page], script: bool) -> None:
    """A photo is chosen, shown and removed on a phone, with script and without; nothing scrolls sideways, nothing for axe to say."""
    with sqlite_case(sqlite_databases, tmp_path) as running, served(Starlette(routes=list(web.routes(running.service)))) as site:
        _, session = client(running, "ana")
        page = new_page(viewport={"width": 320, "height": 640}, java_script_enabled=script)
        page.context.add_cookies([{"name": "xrm_session", "value": session, "url": site}])
        page.goto(f"{site}/w/case/new")
        page.get_by_label("Subject").fill("Broken bench by the river")
        page.get_by_label("Add files").set_input_files(
            [{"name": f"a rather long name of a photo {n}.jpg", "mimeType": "image/jpeg", "buffer": jpeg(400 + n, 300)} for n in range(2)]
        )
        page.get_by_label("Choose a file").set_input_files([{"name": "report.pdf", "mimeType": "application/pdf", "buffer": PDF}])
        page.get_by_role("button", name="Create").click()
        expect(page).to_have_url(RECORD)
        looked_at(page, script)
        expect(page.get_by_role("img", name="Small view of a rather long name of a photo 0.jpg").first).to_be_visible()
        page.goto(page.url.partition("?")[0] + "/edit")
        looked_at(page, script)
        page.get_by_role("checkbox", name="Remove a rather long name of a photo 0.jpg").check()
        page.get_by_role("button", name="Save").click()
        expect(page).to_have_url(RECORD)
        expect(page.get_by_text("Small view")).to_have_count(0)
        expect(page.get_by_role("img", name="Small view")).to_have_count(1)


def looked_at(page: Page, script: bool) -> None:
    if script:
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert axe(page) == []


@contextmanager
def sqlite_case(databases: SqliteDatabases, folder: Path) -> Iterator[Running]:
    url = databases.fresh("web-files", build({"case": CASE}))
    service = bootstrap.open_service(Settings(folder, url, folder / "key", 4))
    with closing(service.database):
        yield Running(service, url, folder / "key")
