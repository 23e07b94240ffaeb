"""The staff pages from outside, without script, on both databases."""

import re
from html import unescape

import pytest

from tests.web.city import HOST, PASSWORD, City, Visitor, form_in
from xrm.service import records
from xrm.service.sessions import MOST_FAILURES


def words(html: str) -> str:
    """The text that a page shows."""
    main = html.partition("<main")[2] or html
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def title(html: str) -> str:
    return unescape(re.findall("<title>(.*?)</title>", html)[0])


# ------------------------------------------------------------------------ sign-in


def test_nobody_sees_a_page(city: City) -> None:
    """Without a session every page leads to the sign-in page, which leads back."""
    answer = Visitor(city.app).get("/w/request?view=mine")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/w/sign-in?then=/w/request%3Fview%3Dmine"


def test_signing_in_leads_back_and_only_here(city: City) -> None:
    """After signing in a person is where they wanted to go; an address of another site is not followed."""
    city.acting("ana")
    visitor = Visitor(city.app)
    for then, goes in (("/w/request?view=mine", "/w/request?view=mine"), ("//evil.example", "/w/"), ("https://evil.example", "/w/")):
        answer = visitor.post("/w/sign-in", {"name": "ana", "password": PASSWORD, "then": then})
        assert (answer.status_code, answer.headers["location"]) == (303, goes)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_wrong_password_is_said_without_saying_which(city: City) -> None:
    """The page comes back with the name filled in; an unknown name gets the same words."""
    city.acting("ana")
    visitor = Visitor(city.app)
    wrong, unknown = (visitor.post("/w/sign-in", {"name": name, "password": "no"}) for name in ("ana", "nobody"))
    assert wrong.status_code == unknown.status_code == 401
    assert title(wrong.text).startswith("Error:")
    assert 'value="ana"' in wrong.text
    assert words(wrong.text) == words(unknown.text)


def test_too_many_attempts_are_stopped(city: City) -> None:
    city.acting("ana")
    visitor = Visitor(city.app)
    for _ in range(MOST_FAILURES):
        visitor.post("/w/sign-in", {"name": "ana", "password": "no"})
    assert visitor.post("/w/sign-in", {"name": "ana", "password": PASSWORD}).status_code == 429


def test_signing_out_ends_the_session(city: City) -> None:
    ana = city.visitor("ana")
    kept = dict(ana.cookies)
    assert ana.submit(ana.get("/w/me").text.partition('action="/w/me"')[0]).headers["location"] == "/w/sign-in?ended=yes"
    ana.cookies.update(kept)
    assert ana.get("/w/").headers["location"] == "/w/sign-in?ended=yes"


# ------------------------------------------------------------------------- safety


def test_every_answer_carries_the_policy(city: City) -> None:
    """Pages, fragments, errors, files and redirects alike."""
    ana, id = city.visitor("ana"), city.request("Noise")
    for path in (
        "/w/",
        "/w/request",
        f"/w/request/{id}",
        "/w/nothing",
        "/static/xrm.css",
        "/static/none",
        "/w/request/options?field=category",
    ):
        answer = ana.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'"), path
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert Visitor(city.app).get("/w/").headers["content-security-policy"]


def test_pages_are_not_kept_and_files_are(city: City) -> None:
    ana = city.visitor("ana")
    assert ana.get("/w/").headers["cache-control"] == "no-store"
    assert "immutable" in ana.get("/static/xrm.js").headers["cache-control"]


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}],
)
def test_forms_of_other_sites_are_refused(city: City, headers: dict[str, str]) -> None:
    """Whatever they carry: Origin and Sec-Fetch-Site tell where a form stands."""
    ana, id = city.visitor("sam"), city.request("Noise")
    action, values = form_in(ana.get(f"/w/request/{id}/delete").text)
    assert ana.post(action, values, **headers).status_code == 403
    assert ana.get(f"/w/request/{id}").status_code == 200
    assert ana.post(action, values, origin=HOST, sec_fetch_site="same-origin").status_code == 303


def test_a_form_without_its_token_changes_nothing_and_keeps_what_was_typed(city: City) -> None:
    """The page comes back filled in, with a token that fits."""
    ana, id = city.visitor("ana"), city.request("Noise")
    answer = ana.fill(f"/w/request/{id}/edit", subject="Loud noise", token="forged")
    assert answer.status_code == 422
    assert 'value="Loud noise"' in answer.text
    assert city.get(id)["subject"] == "Noise"
    assert ana.submit(answer.text).status_code == 303
    assert city.get(id)["subject"] == "Loud noise"


def test_a_session_that_ended_does_not_lose_a_form_silently(city: City) -> None:
    visitor = Visitor(city.app)
    answer = visitor.post("/w/request/new", {"subject": "x"})
    assert answer.status_code == 401
    assert "Nothing was saved" in words(answer.text)


def test_what_a_role_may_not_see_is_not_there(city: City) -> None:
    """A protected field is on no page of an agent: not on the record, the form, the list or its filter."""
    id = city.request("Noise", by="sam", secret="informant")
    ana, sam = city.visitor("ana"), city.visitor("sam")
    for path in (f"/w/request/{id}", f"/w/request/{id}/edit", "/w/request", "/w/request/new", f"/w/request/{id}/peek"):
        assert "onfidential" not in ana.get(path).text, path
        assert "informant" not in ana.get(path).text, path
    assert "informant" in sam.get(f"/w/request/{id}").text
    hidden, missing = (ana.get(f'/w/request?filter={name} == "x"') for name in ("secret", "sekret"))
    assert hidden.status_code == missing.status_code == 422
    assert ana.fill(f"/w/request/{id}/edit", secret="mine").status_code == 303
    assert city.get(id)["secret"] == "informant"


def test_who_may_read_nothing_gets_an_empty_home(city: City) -> None:
    """An entity that a role may not read answers like one that does not exist."""
    cleo = city.visitor("cleo")
    known, unknown = cleo.get("/w/request"), cleo.get("/w/nothing")
    assert known.status_code == unknown.status_code == 404
    assert words(known.text).replace("request", "nothing") == words(unknown.text)
    known, unknown = (cleo.get(f"/w/{entity}/{city.request('Noise')}") for entity in ("request", "nothing"))
    assert 'href="/w/">To the home page</a>' in known.text
    assert words(known.text).replace("request", "nothing") == words(unknown.text)


def test_stored_markup_is_text_everywhere(city: City) -> None:
    evil = "<script>alert(1)</script>\"'&"
    person = city.person(evil)
    id = city.request(evil, requester=person, description=evil)
    ana = city.visitor("ana")
    paths = ["/w/request", f"/w/request/{id}", f"/w/request/{id}/edit", f"/w/request/{id}/peek", f"/w/request/{id}/move/triage"]
    paths += [
        "/w/search?q=script",
        f"/w/search?q={evil}",
        "/w/request/options?field=requester&q=script",
        f"/w/person/{person}",
        f"/w/request?q={evil}",
    ]
    for path in paths:
        html = ana.get(path).text
        assert "<script>alert" not in html, path
        assert "alert(1)" in html, path


# -------------------------------------------------------------------------- lists


def test_a_list_shows_its_view_in_its_order(city: City) -> None:
    first, second = city.request("First", cost="1250.5"), city.request("Second", priority="high")
    html = city.visitor("ana").get("/w/request").text
    assert html.index(second) < html.index(first)
    assert "$1,250.50" in html
    assert '<span class="badge danger">High</span>' in html
    assert "2 records" in words(html)


def test_lists_are_searched_filtered_and_sorted_by_their_address(city: City) -> None:
    """Search, a choice, a rule and a sort work together, and each can be taken away."""
    for subject, priority in (("Noise at night", "high"), ("Noise by day", "low"), ("Tree", "high")):
        city.request(subject, priority=priority)
    ana = city.visitor("ana")

    def found(query: str) -> list[str]:
        return re.findall(r'<a href="/w/request/[0-9a-f-]{36}"><bdi>(.*?)</bdi>', ana.get(f"/w/request?{query}").text)

    assert found("q=noise&sort=subject") == ["Noise at night", "Noise by day"]
    assert found("is.priority=high&sort=-subject") == ["Tree", "Noise at night"]
    assert found('filter=subject == "Tree" || priority == "low"&sort=subject') == ["Noise by day", "Tree"]
    assert found('q=noise&is.priority=high&filter=state == "new"') == ["Noise at night"]
    html = ana.get("/w/request?q=noise&is.priority=high").text
    assert 'href="/w/request?is.priority=high"><bdi>Contains: noise' in html
    assert 'href="/w/request?q=noise"><bdi>Priority: High' in html


def test_a_rule_that_cannot_be_read_is_explained_beside_it(city: City) -> None:
    answer = city.visitor("ana").get('/w/request?filter=priorty == "high"')
    assert answer.status_code == 422
    assert title(answer.text).startswith("Error:")
    assert "did you mean 'priority'?" in words(answer.text)


def test_views_know_who_asks(city: City) -> None:
    mine = city.request("Mine", owner=city.acting("ana").actor.id)
    other = city.request("Other")
    html = city.visitor("ana").get("/w/request?view=mine").text
    assert mine in html
    assert other not in html
    assert city.visitor("ana").get("/w/request?view=nothing").status_code == 404


def test_lists_come_in_pages(city: City) -> None:
    """The next page goes on where the first ended; a cursor of another list is refused."""
    ctx, category = city.acting("ana"), city.category("Noise")
    for n in range(53):
        records.create(ctx, "request", {"subject": f"Request {n}", "category": category})
    ana = city.visitor("ana")
    first = ana.get("/w/request?sort=created_at").text
    following = unescape(re.findall(r'<a class="btn" href="([^"]*after=[^"]*)"', first)[0])
    second = ana.get(following).text
    assert "Request 52" not in first
    assert "Request 52" in second
    assert 'href="/w/request?sort=created_at">' in second
    assert ana.get(f"{following}x").status_code == 400


def test_an_empty_list_says_so(city: City) -> None:
    assert "There are no service requests in this view." in words(city.visitor("ana").get("/w/request").text)


def test_a_page_that_is_there_gets_the_main_part_only(city: City) -> None:
    html = city.visitor("ana").get("/w/request", hx_request="true", hx_request_type="partial").text
    assert html.startswith("<title>")
    assert "<nav class" not in html.partition("</title>")[0]
    assert "<html" not in html


# ------------------------------------------------------------------------- record


def test_a_record_shows_what_it_holds(city: City) -> None:
    """Values in the application's locale and zone, links to what it links to, and what has no value said in one line."""
    person = city.person("Amira Haddad", phone="+12135550134")
    id = city.request(
        "Noise", requester=person, cost="12", noticed="2026-01-05", urgent=True, phone="+12135550134", email="a@example.org",
        page="https://example.org/x", place="34.05, -118.24", affected=4200, level="71.5", description="One\nTwo",
    )  # fmt: skip
    html = city.visitor("ana").get(f"/w/request/{id}").text
    text = words(html)
    for said in (
        "$12.00",
        "Jan 5, 2026",
        "4,200",
        "71.5\u00a0dB".replace("\u00a0", " "),
        "+1 213-555-0134",
        "34.05, -118.24",
        "Amira Haddad",
    ):
        assert said in text, said
    assert f'<a href="/w/person/{person}">' in html
    assert 'href="tel:+12135550134"' in html
    assert "Not given: Visit, Owner" in text


def test_a_record_offers_its_moves_and_says_why_others_are_blocked(city: City) -> None:
    """The reason of a blocked move is tied to it, and it can be reached with the keyboard."""
    id = city.request("Noise")
    ana = city.visitor("ana")
    ana.fill(f"/w/request/{id}/move/triage")
    html = ana.get(f"/w/request/{id}").text
    assert f'href="/w/request/{id}/move/investigate"' in html
    assert 'aria-disabled="true" tabindex="0" aria-describedby="why-close"' in html
    assert re.search(r'id="why-close">.*Enter the measured level first', html)


def test_checks_that_should_hold_are_shown_as_warnings(city: City) -> None:
    id = city.request("Noise")
    assert "The request has no place on the map" in words(city.visitor("ana").get(f"/w/request/{id}").text)


def test_the_past_of_a_record_is_told(city: City) -> None:
    """Who did what, in words; links by their titles; states passed with the time spent in them."""
    id, person = city.request("Noise"), city.person("Amira Haddad")
    ana = city.visitor("ana")
    ana.fill(f"/w/request/{id}/edit", priority="high", requester=person)
    ana.fill(f"/w/request/{id}/move/triage")
    text = words(ana.get(f"/w/request/{id}").text)
    assert "Ana Agent moved it from Received to Triage" in text
    assert "Ana Agent changed 2 fields" in text
    assert "Priority Normal became High" in text
    assert "Reported by empty became Amira Haddad" in text or "Requester empty became Amira Haddad" in text
    assert "Ana Agent opened this record" in text
    assert "Passed: Received" in text


def test_records_that_link_here_are_shown_beside(city: City) -> None:
    person = city.person("Amira Haddad")
    id = city.request("Noise", requester=person)
    html = city.visitor("ana").get(f"/w/person/{person}").text
    assert f'href="/w/request/{id}"' in html
    assert f'href="/w/request/new?requester={person}"' in html


def test_the_preview_is_a_page_of_its_own(city: City) -> None:
    id = city.request("Noise", description="Loud")
    ana = city.visitor("ana")
    assert "<html" in ana.get(f"/w/request/{id}/peek").text
    part = ana.get(f"/w/request/{id}/peek", hx_request="true", hx_request_type="partial").text
    assert "<html" not in part
    assert "Loud" in part


@pytest.mark.parametrize("path", ["/w/request/zzz", "/w/request/00000000-0000-7000-8000-000000000009", "/w/zzz", "/w/request/x/y/z/q"])
def test_what_is_not_there_says_so(city: City, path: str) -> None:
    answer = city.visitor("ana").get(path)
    assert answer.status_code == 404
    assert "Not found" in title(answer.text)


# -------------------------------------------------------------------------- forms


def test_create_shows_defaults_and_leads_to_the_record(city: City) -> None:
    sam = city.visitor("sam")
    html = sam.get("/w/request/new").text
    assert '<option value="normal" selected>Normal</option>' in html
    answer = sam.submit(html, subject="Noise", category=city.category("Noise"), cost="1,250.50", visit_at="2026-07-01T09:30", urgent="yes")
    if answer.status_code == 422:  # the category was made after the form
        answer = sam.submit(answer.text)
    assert answer.status_code == 303
    id = answer.headers["location"].partition("?")[0].rpartition("/")[2]
    record = city.get(id)
    assert (record["subject"], str(record["cost"]), record["urgent"]) == ("Noise", "1250.50", True)
    assert str(record["visit_at"]) == "2026-07-01 16:30:00+00:00"
    assert "Created, with 1 warning." in words(sam.get(answer.headers["location"]).text)


def test_a_refused_form_comes_back_as_it_was_sent(city: City) -> None:
    """Summary with links, the same words at the field, the title starts with Error, nothing typed is lost."""
    ana = city.visitor("ana")
    answer = ana.fill("/w/request/new", subject="", cost="a lot", noticed="2999-01-01", description="Kept <b>words</b>")
    assert answer.status_code == 422
    html = answer.text
    assert title(html).startswith("Error: New service request")
    assert '<a href="#f-cost"><bdi>Estimated cost must be a number' in html
    assert 'id="f-cost-e"' in html
    assert 'aria-describedby="f-cost-e" aria-invalid="true"' in html
    assert 'value="a lot"' in html
    assert "Kept &lt;b&gt;words&lt;/b&gt;" in html
    again = ana.submit(html, cost="5")
    assert {"Subject is required", "Category is required"} <= set(re.findall(r'<a href="#f-\w+"><bdi>(.*?)</bdi>', again.text))


def test_an_edit_writes_only_what_was_changed(city: City) -> None:
    """Seconds that an input cannot show are kept, and a form sent unchanged writes nothing."""
    id = city.request("Noise", visit_at="2026-07-01T16:30:42Z")
    ana = city.visitor("ana")
    before = city.get(id)
    ana.fill(f"/w/request/{id}/edit")
    assert city.get(id) == before
    ana.fill(f"/w/request/{id}/edit", subject="Loud noise")
    assert city.get(id)["visit_at"] == before["visit_at"]
    assert city.get(id)["version"] == 2


def test_a_field_can_be_emptied(city: City) -> None:
    id = city.request("Noise", cost="5", email="a@example.org", urgent=True)
    city.visitor("ana").fill(f"/w/request/{id}/edit", cost="", email="", urgent="")
    record = city.get(id)
    assert (record["cost"], record["email"], record["urgent"]) == (None, None, None)


def test_a_state_that_locks_fields_leaves_them_out_of_the_form(city: City) -> None:
    id = city.request("Noise", level="60")
    ana = city.visitor("ana")
    ana.fill(f"/w/request/{id}/move/triage")
    ana.fill(f"/w/request/{id}/move/close", outcome="upheld")
    _, values = form_in(ana.get(f"/w/request/{id}/edit").text)
    assert {name for name in values if name not in ("token", "version")} == {"description"}


def test_links_are_chosen_or_found_by_their_words(city: City) -> None:
    """Few records make a select. Many make a text input whose words the server looks up, also without script."""
    ana = city.visitor("ana")
    people = [city.person(f"Person {n:02d}") for n in range(40)]
    id = city.request("Noise")
    html = ana.get(f"/w/request/{id}/edit").text
    assert '<select class="select" id="f-category"' in html
    assert 'name="requester.text"' in html
    assert ana.submit(html, requester__text="person 07").status_code == 303
    assert city.get(id)["requester"] == people[7]
    vague = ana.fill(f"/w/request/{id}/edit", requester__text="Person")
    assert vague.status_code == 422
    assert "more than one record fits" in words(vague.text)
    assert ana.fill(f"/w/request/{id}/edit", requester__text="").status_code == 303
    assert city.get(id)["requester"] is None


def test_options_are_only_what_the_actor_may_see(city: City) -> None:
    city.person("Amira Haddad", email="amira@example.org")
    ana = city.visitor("ana")
    html = ana.get("/w/request/options?field=requester&q=ami").text
    assert 'role="option"' in html
    assert "Amira Haddad" in html
    assert ana.get("/w/request/options?field=secret&q=a").status_code == 404
    assert ana.get("/w/request/options?field=subject&q=a").status_code == 404


# ---------------------------------------------------------------------- conflicts


def test_two_people_may_change_different_fields(city: City) -> None:
    """Who is second sees what both changed; nothing clashes, so both changes stay."""
    id = city.request("Noise")
    ana, bo = city.visitor("ana"), city.visitor("bo")
    form = ana.get(f"/w/request/{id}/edit").text
    bo.fill(f"/w/request/{id}/edit", cost="99")
    answer = ana.submit(form, subject="Loud noise")
    assert answer.status_code == 412
    assert "Bo Second saved this record while you were editing" in words(answer.text)
    assert ana.submit(answer.text).status_code == 303
    record = city.get(id)
    assert (record["subject"], str(record["cost"])) == ("Loud noise", "99.00")


@pytest.mark.parametrize(("keep", "subject"), [("yours", "From Ana"), ("theirs", "From Bo")])
def test_a_clash_shows_both_values_and_keeps_the_chosen_one(city: City, keep: str, subject: str) -> None:
    id = city.request("Noise")
    ana, bo = city.visitor("ana"), city.visitor("bo")
    form = ana.get(f"/w/request/{id}/edit").text
    bo.fill(f"/w/request/{id}/edit", subject="From Bo")
    answer = ana.submit(form, subject="From Ana", priority="high")
    text = words(answer.text)
    assert "Before: Noise" in text
    assert "Yours From Ana" in text
    assert "Bo Second From Bo" in text
    assert ana.submit(answer.text, keep__subject=keep).status_code == 303
    record = city.get(id)
    assert (record["subject"], record["priority"]) == (subject, "high")


def test_a_third_change_is_not_overwritten_either(city: City) -> None:
    """The conflict page itself says which version it was made for."""
    id = city.request("Noise")
    ana, bo = city.visitor("ana"), city.visitor("bo")
    form = ana.get(f"/w/request/{id}/edit").text
    bo.fill(f"/w/request/{id}/edit", subject="Second")
    conflict = ana.submit(form, subject="Mine").text
    bo.fill(f"/w/request/{id}/edit", subject="Third")
    again = ana.submit(conflict)
    assert again.status_code == 412
    assert "Third" in words(again.text)
    assert city.get(id)["subject"] == "Third"


# -------------------------------------------------------------------------- moves


def test_a_move_asks_and_is_made(city: City) -> None:
    id = city.request("Noise", level="60")
    ana = city.visitor("ana")
    ana.fill(f"/w/request/{id}/move/triage")
    refused = ana.fill(f"/w/request/{id}/move/close", description="Well done")
    assert refused.status_code == 422
    assert "Outcome is required" in words(refused.text)
    assert "Well done" in refused.text
    done = ana.submit(refused.text, outcome="upheld")
    assert "It is now in “Closed”." in words(ana.get(done.headers["location"]).text)
    assert (city.get(id)["state"], city.get(id)["outcome"]) == ("closed", "upheld")


def test_a_move_that_is_not_possible_says_why(city: City) -> None:
    id = city.request("Noise")
    ana = city.visitor("ana")
    assert ana.get(f"/w/request/{id}/move/wait").status_code == 409
    here = f'href="/w/request/{id}">Back to the record</a>'
    assert here in ana.get(f"/w/request/{id}/move/wait").text
    nowhere = ana.get(f"/w/request/{id}/move/nonsense")
    assert nowhere.status_code == 404 and 'href="/w/request">To the list</a>' in nowhere.text
    ana.fill(f"/w/request/{id}/move/triage")
    blocked = ana.get(f"/w/request/{id}/move/close")
    assert blocked.status_code == 409
    assert "Enter the measured level first" in words(blocked.text) and here in blocked.text


def test_a_move_on_a_record_that_changed_asks_again(city: City) -> None:
    id = city.request("Noise")
    ana, bo = city.visitor("ana"), city.visitor("bo")
    form = ana.get(f"/w/request/{id}/move/triage").text
    bo.fill(f"/w/request/{id}/edit", subject="Other")
    answer = ana.submit(form)
    assert answer.status_code == 412
    assert "Bo Second saved this record while you were editing" in words(answer.text)
    assert ana.submit(answer.text).status_code == 303


# ------------------------------------------------------------------ delete, restore


def test_a_delete_is_asked_and_can_be_undone(city: City) -> None:
    id = city.request("Noise")
    sam, ana = city.visitor("sam"), city.visitor("ana")
    gone = sam.fill(f"/w/request/{id}/delete")
    listed = sam.get(gone.headers["location"])
    assert "is deleted." in words(listed.text)
    assert ana.get(f"/w/request/{id}").status_code == 404
    assert "This record is deleted." in words(sam.get(f"/w/request/{id}").text)
    back = sam.submit(listed.text)
    assert "Restored." in words(sam.get(back.headers["location"]).text)
    assert ana.get(f"/w/request/{id}").status_code == 200


def test_a_record_in_use_is_not_deleted(city: City) -> None:
    city.request("Noise", category=(used := city.category("Trees")))
    answer = city.visitor("sam").fill(f"/w/category/{used}/delete")
    assert answer.status_code == 409
    assert "still used by 1 service request: “NP-2026-000001 Noise” (in Category)" in words(answer.text)


def test_who_may_not_delete_is_not_offered_it(city: City) -> None:
    id = city.request("Noise")
    ana = city.visitor("ana")
    assert "/delete" not in ana.get(f"/w/request/{id}").text
    assert ana.get(f"/w/request/{id}/delete").status_code == 403


# ---------------------------------------------------------------- the other pages


def test_search_finds_titles_and_numbers_everywhere(city: City) -> None:
    id = city.request("Harbour noise")
    city.person("Harbour Master")
    ana = city.visitor("ana")
    text = words(ana.get("/w/search?q=harbour").text)
    assert "2 found" in text
    assert "Harbour Master" in text
    number = city.get(id)["number"]
    assert ana.get(f"/w/search?q={number}").headers["location"] == f"/w/request/{id}"
    assert "Nothing found" in words(ana.get("/w/search?q=zebra").text)


def test_home_names_what_one_may_read(city: City) -> None:
    city.request("Noise")
    text = words(city.visitor("ana").get("/w/").text)
    for said in ("Service requests 1", "What residents ask the city to do.", "Mine", "New service request", "Categories"):
        assert said in text, said
    assert "New category" not in text
    assert "New category" in words(city.visitor("sam").get("/w/").text)


def test_preferences_are_kept_with_the_user(city: City) -> None:
    ana = city.visitor("ana")
    page = ana.get("/w/me").text
    form = page[: page.index('action="/w/me/password"')]
    ana.submit(form, theme="dark", density="compact", keys="off")
    again = Visitor(city.app)
    again.post("/w/sign-in", {"name": "ana", "password": PASSWORD})
    assert 'data-theme="dark" data-density="compact" data-keys="off"' in again.get("/w/").text


def test_a_new_password_ends_other_sessions(city: City) -> None:
    ana, elsewhere = city.visitor("ana"), city.visitor("ana")
    wrong = ana.fill("/w/me", present="no", password="another good password")
    assert wrong.status_code == 422
    assert "The current password is not right" in words(wrong.text)
    short = ana.fill("/w/me", present=PASSWORD, password="short")
    assert "12 characters or more" in words(short.text)
    done = ana.fill("/w/me", present=PASSWORD, password="another good password")
    assert "Your password is changed" in words(ana.get(done.headers["location"]).text)
    assert elsewhere.get("/w/").status_code == 303


def test_plugins_have_pages_in_the_frame(city: City, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin's page reads with the rights of who opened it, is kept to its roles, and fails without telling why."""
    city.request("Noise")
    ana, sam = city.visitor("ana"), city.visitor("sam")
    html = ana.get("/w/x/report").text
    assert "1 requests, first Noise" in words(html)
    assert '<a href="/w/x/report" aria-current="page">' in html
    assert ana.get("/w/x/broken").status_code == 404
    broken = sam.get("/w/x/broken")
    assert broken.status_code == 500
    assert "secret detail" not in broken.text
    assert "secret detail" in caplog.text


def test_a_defect_of_ours_has_a_mark_that_the_log_has_too(
    city: City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("inner detail")

    ana = city.visitor("ana")
    monkeypatch.setattr("xrm.service.sessions.form_token_fits", broken)
    monkeypatch.setattr("xrm.web.visit.form_token_fits", broken)
    answer = ana.post("/w/me", {"theme": "dark"})
    assert answer.status_code == 500
    assert "inner detail" not in answer.text
    mark = re.findall(r"<code>(\w+)</code>", answer.text)[0]
    assert mark in caplog.text


def test_files_are_sent_packed_to_who_can_unpack(city: City) -> None:
    visitor = Visitor(city.app)
    packed, plain = visitor.get("/static/xrm.js", accept_encoding="gzip"), visitor.get("/static/xrm.js", accept_encoding="identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text


def test_forms_that_cannot_be_read_are_refused(city: City) -> None:
    """Too large, too many fields, another kind, not UTF-8: nothing is written, and the page says what is wrong."""
    ana = city.visitor("ana")
    many = {f"f{n}": "x" for n in range(600)}
    assert ana.post("/w/request/new", {"subject": "x" * 2_100_000}).status_code == 400
    assert ana.post("/w/request/new", many).status_code == 400
    assert ana.send("POST", "/w/request/new", None, {"content-type": "application/json"}).status_code == 400
    assert ana.send("POST", "/w/request/new", None, {"content-type": "multipart/form-data; boundary=x"}).status_code == 400


def test_odd_addresses_break_nothing(city: City) -> None:
    """NUL, half characters, long and repeated parameters are answered like any other."""
    city.request("Noise")
    ana = city.visitor("ana")
    for query in (
        "q=%00",
        "q=%ff%fe",
        "q=%25_",
        "is.state=%00",
        "is.state=new&is.state=closed",
        "view=%00",
        "sort=%00",
        "deleted=%00",
        "after=%00é",
        "filter=%00",
    ):
        for path in ("/w/request", "/w/search", "/w/request/new", "/w/request/options"):
            assert ana.get(f"{path}?{query}").status_code < 500, (path, query)
    for path in ("/w/request/%00", "/w/%00", "/w/request/%00/edit", "/w/x/%00", "/static/%00", "/static/../pages.py"):
        assert ana.get(path).status_code == 404, path


def test_methods_that_a_page_does_not_have_are_refused(city: City) -> None:
    answer = city.visitor("ana").send("DELETE", "/w/request")
    assert answer.status_code == 405
