"""Files in tables of rows: chosen in a row, kept while the form is wrong or a row is added, shown, removed, told in the history."""

import re

from tests.service.test_files import PDF, jpeg
from tests.support.application import Applications
from tests.web.city import form_in
from tests.web.test_files import client, text

CASE = """
fields:
  subject: {type: text, required: true}
  lines:
    type: rows
    fields:
      what: {type: text, required: true}
      photos: {type: image, many: true, max: 2}
      proof: {type: file, accept: [pdf], size: 20 KB}
title: "{subject}"
access: {agent: [read, create, update, delete]}
"""


def test_files_in_a_table_without_script(application: Applications) -> None:
    running = application({"case": CASE})
    send, _ = client(running, "ana")
    new = send("GET", "/w/case/new")
    assert 'enctype="multipart/form-data"' in new.text, "before there is any row"
    action, values = form_in(new.text)
    action, values = form_in(send("POST", action, values | {"subject": "One", "do": "lines.add"}, []).text)
    given = [("lines.0.photos.new", ("a.jpg", jpeg(41), "image/jpeg")), ("lines.0.proof.new", ("fake.pdf", jpeg(), "application/pdf"))]
    wrong = send("POST", action, values | {"lines.0.what": "door"}, given)
    assert wrong.status_code == 422 and "its name ends in .pdf, but it is a JPEG image" in text(wrong)
    assert '<a href="#f-lines.0.proof">' in wrong.text and "a.jpg (not saved yet)" in text(wrong)
    action, values = form_in(wrong.text)
    more = send("POST", action, values | {"do": "lines.add"}, [("lines.0.proof.new", ("p.pdf", PDF, "application/pdf"))])
    assert "a.jpg (not saved yet)" in text(more) and "p.pdf (not saved yet)" in text(more), "an upload is kept over a new row"
    action, values = form_in(more.text)
    made = send("POST", action, values | {"lines.1.what": "wall"}, [("lines.1.photos.new", ("b.jpg", jpeg(42), "image/jpeg"))])
    assert made.status_code == 303, text(made)
    here = made.headers["location"].partition("?")[0]
    shown = send("GET", here)
    addresses = re.findall(rf'href="({here}/files/lines\.\w+/[0-9a-f]{{64}})"', shown.text)
    assert len(set(addresses)) == 3 and PDF in [send("GET", address).content for address in addresses]
    thumbnail = re.search(r'<img src="([^"]+\?thumbnail=1)" alt="Small view of b.jpg"', shown.text)
    assert thumbnail and send("GET", thumbnail[1]).headers["content-type"] == "image/jpeg"
    edit = send("GET", f"{here}/edit")
    action, values = form_in(edit.text)
    assert send("POST", action, values, []).status_code == 303
    changed = send("POST", action, values | {"lines.0.photos.drop.0": "1", "lines.1.what": "roof"}, [])
    assert changed.status_code == 303
    told = send("GET", here)
    assert "Removed a.jpg" in text(told) and "Version 2" in text(told)
    gone = re.search(r'href="([^"]+)"[^>]*>(?:<bdi>)?a.jpg', told.text)
    assert gone and send("GET", gone[1]).content == jpeg(41), "what is gone is still to be had from the history"
