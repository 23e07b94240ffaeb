"""The staff pages in a real browser, under their own policy: accessibility, keys, script, and no script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import axe
from tests.web.city import City
from tests.web.samples import everything

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 320, "height": 640}
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
NAMES = tuple(everything())
NewPage = Callable[..., Page]
Enter = Callable[[Page, str], Page]


# ------------------------------------------------------------ every page, by itself


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_pages_have_no_accessibility_violations(new_page: NewPage, gallery_address: str, name: str, theme: str) -> None:
    """WCAG 2.2 AA and axe's best practice, in both colour schemes, also with errors shown."""
    page = new_page(viewport=WIDE, color_scheme=theme)
    page.goto(f"{gallery_address}/{name}")
    assert axe(page) == []


@pytest.mark.parametrize("name", NAMES)
def test_pages_fit_a_phone(new_page: NewPage, gallery_address: str, name: str) -> None:
    """At 320 px nothing scrolls sideways but tables and strips of their own, and there is still nothing for axe to say."""
    page = new_page(viewport=PHONE)
    page.goto(f"{gallery_address}/{name}")
    assert not page.evaluate(SIDEWAYS)
    assert axe(page) == []


@pytest.mark.parametrize("name", ["list", "record", "edit-wrong", "home"])
def test_pages_fit_right_to_left(new_page: NewPage, gallery_address: str, name: str) -> None:
    """Arabic needs nothing but dir=rtl; widths between phone and desk fit too."""
    for width in (320, 800, 1100, 1440):
        page = new_page(viewport={"width": width, "height": 800})
        page.goto(f"{gallery_address}/{name}?locale=ar")
        assert not page.evaluate(SIDEWAYS), width


@pytest.mark.parametrize("name", ["list", "record", "edit", "conflict", "me"])
def test_text_may_be_spaced_wider(new_page: NewPage, gallery_address: str, name: str) -> None:
    """WCAG 1.4.12: with the spacing that readers may set, nothing is cut off at the side."""
    page = new_page(viewport=PHONE, bypass_csp=True)
    page.goto(f"{gallery_address}/{name}")
    page.add_style_tag(content="* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }")
    assert not page.evaluate(SIDEWAYS)


@pytest.mark.parametrize("name", ["list", "record", "edit", "sign-in"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_focus_is_seen_at_every_stop(new_page: NewPage, gallery_address: str, name: str, viewport: dict[str, int]) -> None:
    """Every tab stop has a ring and is not covered by a sticky bar (WCAG 2.4.7, 2.4.11)."""
    page = new_page(viewport=viewport)
    page.goto(f"{gallery_address}/{name}")
    for _ in range(30):
        page.keyboard.press("Tab")
        state = page.evaluate("""() => {
            const at = document.activeElement;
            if (at === document.body) return null;
            const box = at.getBoundingClientRect();
            const ring = at.matches('.seg input') ? getComputedStyle(at.parentElement) : getComputedStyle(at);
            const top = document.elementFromPoint(box.x + Math.min(box.width, innerWidth - box.x) / 2, box.y + box.height / 2);
            return { html: at.outerHTML.slice(0, 80), ring: ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2,
                     seen: !top || at.contains(top) || top.contains(at) || at.parentElement.contains(top) };
        }""")
        if state is None:
            break
        assert state["ring"], state
        assert state["seen"], state


def test_targets_are_large_enough(new_page: NewPage, gallery_address: str) -> None:
    """WCAG 2.5.8: every button and input is 24 px high, and links that are not in a sentence too."""
    for name in NAMES:
        page = new_page(viewport=WIDE)
        page.goto(f"{gallery_address}/{name}")
        small = page.evaluate("""() => [...document.querySelectorAll('main :is(button, input:not([type=hidden], [type=radio]), select, textarea, .btn, summary)')]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 24).map(e => e.outerHTML.slice(0, 90))""")
        assert small == [], name


def test_borders_of_inputs_can_be_seen(new_page: NewPage, gallery_address: str) -> None:
    """WCAG 1.4.11: 3:1 against the surface, in both colour schemes (axe does not test it)."""
    measure = """() => {
        const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
        const style = getComputedStyle(document.querySelector('textarea'));
        const [a, b] = [light(style.borderBlockStartColor), light(style.backgroundColor)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    }"""
    for theme in ("light", "dark"):
        page = new_page(color_scheme=theme)
        page.goto(f"{gallery_address}/edit")
        assert page.evaluate(measure) >= 3


def test_paper_has_the_record_and_not_the_controls(new_page: NewPage, gallery_address: str) -> None:
    """Print keeps state, facts and timeline; bars, buttons and links for editing stay away."""
    page = new_page(viewport=WIDE)
    page.goto(f"{gallery_address}/record")
    page.emulate_media(media="print")
    for selector in (".bar", ".nav", ".moves", ".btn", ".no-print"):
        assert not any(element.is_visible() for element in page.query_selector_all(selector)), selector
    for selector in (".life .now", ".fields", ".tl", ".changes"):
        expect(page.locator(selector).first).to_be_visible()


def test_first_load_is_a_handful_of_requests(new_page: NewPage, gallery_address: str) -> None:
    """Page, style, script, htmx, sprite and mark: eight at most."""
    page = new_page(viewport=WIDE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{gallery_address}/list", wait_until="networkidle")
    assert len(asked) <= 8, asked


# ------------------------------------------------------------------------- script


def test_rows_are_walked_previewed_and_opened_with_keys(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """J and K move, Space previews beside the list, Escape closes it, Enter opens."""
    page.set_viewport_size(WIDE)
    first, second = seaside.request("Older"), seaside.request("Newer", description="Loud")
    enter(page, "ana")
    page.goto(f"{site}/w/request")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#peek")).to_contain_text("Loud")
    expect(page).to_have_title(re.compile("Service requests"))
    page.keyboard.press("j")
    expect(page.locator("#peek h2")).to_have_text("Older")
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/w/request/{second}")
    assert first != second


def test_a_list_filters_as_one_types_and_keeps_the_focus(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """The address follows, without what is empty, and Back goes back."""
    for subject in ("Noise", "Tree", "Noisy tree"):
        seaside.request(subject)
    enter(page, "ana")
    page.goto(f"{site}/w/request")
    page.keyboard.press("/")
    page.keyboard.type("nois")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#ff")).to_be_focused()
    expect(page.locator("#ff")).to_have_value("nois")
    expect(page).to_have_url(f"{site}/w/request?q=nois")
    page.select_option("#pick-state", "new")
    page.wait_for_url(f"{site}/w/request?q=nois&is.state=new")
    page.click("thead a:has-text('Subject')")
    page.wait_for_url(re.compile("sort=subject"))
    expect(page.locator("th[aria-sort=ascending]")).to_have_text(re.compile("Subject"))
    page.click("a.chip:has-text('Contains')")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("#ff")).to_have_value("")
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_single_keys_can_be_switched_off(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """WCAG 2.1.4: then they do nothing; keys with Ctrl go on working."""
    seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/me")
    page.check("input[name=keys][value=off]")
    page.click("main form[action='/w/me'] button[type=submit]")
    expect(page.locator(".notice")).to_be_visible()
    page.goto(f"{site}/w/request")
    for key in ("c", "j", "h", "?"):
        page.keyboard.press(key)
    assert page.url == f"{site}/w/request"
    expect(page.locator("tr.cursor")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#q")).to_be_focused()


def test_keys_are_explained_in_a_dialog(enter: Enter, page: Page, site: str) -> None:
    enter(page, "ana")
    page.keyboard.press("?")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Next row")
    assert axe(page, "dialog") == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("a[data-dialog]")).to_be_focused()


def test_a_move_takes_two_keys(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """The digit opens the step, Enter confirms it."""
    id = seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/{id}")
    page.keyboard.press("1")
    page.wait_for_url(f"{site}/w/request/{id}/move/triage")
    expect(page.get_by_role("button", name="Triage")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator(".life .now")).to_contain_text("Triage")


def test_blocked_moves_are_reached_and_explained(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """A blocked move takes the focus, does nothing, and is described by its reason."""
    id = seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/{id}/move/triage")
    expect(page.get_by_role("button", name="Triage")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_be_visible()
    blocked = page.get_by_role("link", name="Close")
    blocked.focus()
    expect(blocked).to_be_focused()
    expect(blocked).to_have_accessible_description(re.compile("Enter the measured level first"))
    page.keyboard.press("Enter")
    assert "/move/" not in page.url


def test_a_link_is_found_by_typing(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """The combobox asks the server, is walked with arrows, and stores the record that was chosen."""
    people = [seaside.person(f"Person {n:02d}") for n in range(40)]
    amira = seaside.person("Amira Haddad", email="amira@example.org")
    id = seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/{id}/edit")
    combo = page.get_by_role("combobox", name="Requester")
    combo.fill("person 0")
    options = page.locator("[role=option]")
    expect(options).to_have_count(10)
    combo.fill("ami")
    expect(options).to_have_count(1)
    expect(combo).to_have_attribute("aria-expanded", "true")
    assert axe(page) == []
    combo.press("Enter")
    expect(combo).to_have_value("Amira Haddad")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".notice")).to_be_visible()
    assert seaside.get(id)["requester"] == amira
    assert len(people) == 40


def test_errors_take_the_focus_and_lead_to_their_input(
    enter: Enter, page: Page, seaside: City, site: str, tolerate: Callable[[str], None]
) -> None:
    tolerate("status of 422")
    id = seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/{id}/edit")
    page.fill("#f-cost", "a lot")
    page.click("button:has-text('Save')")
    expect(page.locator(".err")).to_be_focused()
    assert page.title().startswith("Error:")
    assert axe(page) == []
    page.click(".err a")
    expect(page.locator("#f-cost")).to_be_focused()
    expect(page.locator("#f-cost")).to_have_value("a lot")


def test_unsaved_changes_are_marked_counted_and_guarded(enter: Enter, page: Page, seaside: City, site: str) -> None:
    id = seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/{id}/edit")
    page.fill("#f-subject", "Loud noise")
    page.select_option("#f-priority", "high")
    expect(page.locator("[data-changes]")).to_have_text("2 changes not saved")
    page.fill("#f-subject", "Noise")
    expect(page.locator("[data-changes]")).to_have_text("1 change not saved")
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", stay)
    page.click("a:has-text('Cancel')")
    page.wait_for_timeout(200)
    assert asked == ["beforeunload"]
    assert page.url.endswith("/edit")
    page.click("button:has-text('Save')")
    expect(page.locator(".notice")).to_be_visible()


def test_characters_are_counted(enter: Enter, page: Page, site: str) -> None:
    enter(page, "ana")
    page.goto(f"{site}/w/request/new")
    page.fill("#f-description", "x" * 510)
    expect(page.locator("#f-description-c")).to_have_text("10 characters too many")
    page.fill("#f-description", "x" * 490)
    expect(page.locator("#f-description-c")).to_have_text("10 characters left")
    page.evaluate("document.querySelector('form[data-guard]').reset()")


def test_a_conflict_is_settled_in_the_browser(
    enter: Enter, new_page: NewPage, seaside: City, site: str, tolerate: Callable[[str], None]
) -> None:
    """Two people, one field: the second chooses, and nothing that either typed is lost on the way."""
    tolerate("status of 412")
    id = seaside.request("Noise")
    ana, bo = enter(new_page(), "ana"), enter(new_page(), "bo")
    for person in (ana, bo):
        person.goto(f"{site}/w/request/{id}/edit")
    bo.fill("#f-subject", "From Bo")
    bo.click("button:has-text('Save')")
    expect(bo.locator(".notice")).to_be_visible()
    ana.fill("#f-subject", "From Ana")
    ana.fill("#f-affected", "12")
    ana.click("button:has-text('Save')")
    expect(ana.locator(".err")).to_be_focused()
    assert axe(ana) == []
    ana.check("input[value=theirs]")
    ana.click("button:has-text('Save')")
    expect(ana.locator(".notice")).to_be_visible()
    record = seaside.get(id)
    assert (record["subject"], record["affected"]) == ("From Bo", 12)


def test_a_notice_is_said_once(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """The address forgets it, so that reloading says nothing twice."""
    id = seaside.request("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/{id}/edit")
    page.fill("#f-subject", "Loud noise")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".notice")).to_have_text("Saved, with 1 warning.")
    expect(page).to_have_url(f"{site}/w/request/{id}")
    page.reload()
    expect(page.locator(".notice")).to_have_count(0)


def test_a_form_is_sent_once(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """A second click while the first is under way sends nothing."""
    seaside.category("Noise")
    enter(page, "ana")
    page.goto(f"{site}/w/request/new")
    page.fill("#f-subject", "Twice?")
    page.select_option("#f-category", label="Noise")
    page.evaluate("() => { const b = document.querySelector('.savebar button'); b.click(); b.click() }")
    expect(page.locator(".notice")).to_be_visible()
    page.goto(f"{site}/w/request")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_click_beside_the_link_shows_or_opens_the_row(enter: Enter, page: Page, seaside: City, site: str) -> None:
    """Where there is room it is shown beside the list, else it is opened."""
    id = seaside.request("Noise")
    page.set_viewport_size(WIDE)
    enter(page, "ana")
    page.goto(f"{site}/w/request")
    page.click("tbody td.st")
    expect(page.locator("#peek h2")).to_have_text("Noise")
    page.set_viewport_size(PHONE)
    page.goto(f"{site}/w/request")
    page.click("tbody td.st")
    page.wait_for_url(f"{site}/w/request/{id}")


# ---------------------------------------------------------------------- no script


def test_everything_works_without_script(enter: Enter, new_page: NewPage, seaside: City, site: str) -> None:
    """Create, filter, edit with a link by words, move, delete and undo, with script switched off."""
    for n in range(40):
        seaside.person(f"Person {n:02d}")
    seaside.category("Noise")
    page = enter(new_page(java_script_enabled=False), "sam")
    page.click("a:has-text('New service request')")
    page.fill("#f-subject", "Loud noise")
    page.select_option("#f-category", label="Noise")
    page.fill("#f-requester", "person 12")
    page.click("main form button[type=submit]")
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Person 12")
    page.click(".nav a:has-text('Service requests')")
    page.fill("#ff", "loud")
    page.click(".filterbar button")
    page.click("tbody a")
    page.click("a:has-text('Start investigation')")
    page.click("main form button[type=submit]")
    expect(page.locator(".life .now")).to_contain_text("investigation", ignore_case=True)
    page.click("a:has-text('Delete')")
    page.click("main form button[type=submit]")
    page.click("button:has-text('Undo')")
    expect(page.locator(".notice")).to_contain_text("Restored.")
    page.click(".tools a[href='/w/keys']")
    expect(page.locator("h1")).to_have_text("Keyboard shortcuts")
