"""Every type of field on its pages: what its input takes, what stands in it again, how it is shown and listed."""

from decimal import Decimal
from html import unescape

import pytest

from tests.support.application import Applications
from tests.web.city import USERS, City, Visitor
from tests.web.test_pages import words
from xrm.errors import Invalid
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.web.markdown import rendered

FILES = {
    "xrm.yml": "xrm: 1\nname: tiny\nlocale: en-US\ntimezone: America/Los_Angeles\nroles: {agent: Call handler, boss: Head}\n",
    "thing": """
title: "{name}"
fields:
  name: text
  story: {type: markdown, length: 500}
  share: percent
  opens: time
  spent: duration
  within: {type: duration, unit: business days}
  urgency: {type: choice, options: {above: Above all, low: Low, high: High}, ordered: true}
  channels: {type: choice, options: {web: Web form, phone: Telephone, desk: At the desk}, many: true}
  keeper: user
  team: role
  currency: {type: choice, options: [USD, JPY, KWD]}
  fee: {type: money, currency: =currency}
  phone: phone
  site: url
views:
  default: {columns: [name, share, opens, spent, within, urgency, channels, keeper, team, fee, phone, story], sort: urgency}
access: {agent: [read, create, update]}
""",
}
SENT = {
    "name": "One", "story": "# Head\n\nSome **bold** <b>tag</b>", "share": "12.5", "opens": "17:30", "spent": "1 day 90 min",
    "within": "5 business days", "urgency": "low", "channels": "", "channels.web": "1", "channels.desk": "1", "team": "boss",
    "currency": "JPY", "fee": "1500", "phone": "(213) 555-0134", "site": "https://bücher.example:8443/a?b#c",
}  # fmt: skip
SHOWN = [
    "12.5%",
    "5:30 PM",
    "1 day 1 hour 30 minutes",
    "5 business days",
    "Low",
    "Web form, At the desk",
    "Head",
    "¥1,500 ",
    "+1 213-555-0134",
]


@pytest.fixture
def visitor(application: Applications) -> Visitor:
    assert "ana" in USERS
    return City(application(FILES).service).visitor("ana")


def test_a_value_of_each_type_goes_in_and_is_shown(visitor: Visitor) -> None:
    """A form takes the words of people; the record and the list show them, and the form has them again, so that sending it changes nothing."""
    made = visitor.submit(visitor.get("/w/thing/new").text, **SENT)
    assert made.status_code == 303, words(made.text)
    page = visitor.get(made.headers["location"]).text
    for shown in SHOWN:
        assert shown in words(page)
    assert "<h3>Head</h3>" in page and "<strong>bold</strong> &lt;b&gt;tag&lt;/b&gt;" in page
    listed = visitor.get("/w/thing").text
    for shown in SHOWN:
        assert shown in words(listed)
    form = visitor.get(f"{made.headers['location'].partition('?')[0]}/edit").text
    for value in ("1500", "12.5", "17:30", "1 day 1 hour 30 minutes", "5 business days"):
        assert f'value="{value}"' in unescape(form)
    assert 'name="channels.web" value="1" checked' in form and 'name="channels.phone" value="1">' in form
    assert "[a link](https://example.org)" in form


def test_what_does_not_fit_is_said_beside_its_input(visitor: Visitor) -> None:
    """Each with words for the person who typed it."""
    wrong = {
        "share": "12.55",
        "opens": "25:00",
        "spent": "soon",
        "within": "3 hours",
        "currency": "USD",
        "fee": "1.505",
        "phone": "555 0134",
        "site": "https://user@example.org",
    }
    answer = visitor.submit(visitor.get("/w/thing/new").text, name="Two", **wrong)
    assert answer.status_code == 422
    said = words(answer.text)
    for message in (
        "Share may have 1 digit after the point",
        "Opens must be a time of day",
        "Spent must be a length of time",
        "Within must be a number of business days",
        "Phone is not a phone number of US",
        "Site must not hold a name or password",
    ):
        assert message in said


def test_an_amount_is_in_the_currency_of_its_record(application: Applications) -> None:
    """It has that one's digits and none without it; it is kept with the digits of the currency that has most."""
    running = application(FILES)
    ana = running.person("ana", "agent")
    for refused in ({"currency": "USD", "fee": "1.505"}, {"currency": "JPY", "fee": "0.5"}, {"fee": "1"}):
        with pytest.raises(Invalid):
            ana.create("thing", **refused)
    made = ana.create("thing", currency="KWD", fee="1.505")
    with pytest.raises(Invalid, match="Fee may have 2 digits after the point in USD"):
        ana.update("thing", made.id, 1, currency="USD")
    assert ana.api.get(f"/api/thing/{made.id}").json["fee"] == "1.505"
    assert ana.create("thing", currency="JPY", fee="7").record["fee"] == Decimal("7.000")


@pytest.mark.parametrize("text", [
    "https://a..b", "https://-a.example", "https:///x", "http://a.example:99999", "http://[::1", "ftp://a.example", "javascript:alert(1)",
    "https://" + "a" * 64 + ".example", "https://a.example/\tb", "https://a b.example", "https://%41.example", "a.example",
])  # fmt: skip
def test_what_is_no_web_address(text: str) -> None:
    with pytest.raises(Misfit):
        coerce(Field("x", "url", {}), text)


def test_options_in_order_sort_by_their_place(application: Applications) -> None:
    """In lists, from page to page, and in filters; options without an order do not compare."""
    running = application(FILES)
    ana = running.person("ana", "agent")
    for urgency in ("high", "low", None, "above", "low"):
        ana.create("thing", name=str(urgency), urgency=urgency)
    order = [row["urgency"] for row in ana.all("thing", sort="urgency", fields=("urgency",), limit=2)]
    assert order == ["above", "low", "low", "high", None]
    assert [row["urgency"] for row in ana.all("thing", sort="-urgency", fields=("urgency",), limit=2)] == [
        "high",
        "low",
        "low",
        "above",
        None,
    ]
    assert {row["urgency"] for row in ana.all("thing", filter='urgency >= "low"', fields=("urgency",))} == {"low", "high"}
    ana.create("thing", name="channels", channels=["web", "desk"])
    assert [row["name"] for row in ana.all("thing", filter='"web" in channels && size(channels) == 2', fields=("name",))] == ["channels"]
    answer = ana.api.get("/api/thing", filter='"desk" in channels', fields="channels,opens")
    assert [row["channels"] for row in answer.json["items"]] == [["web", "desk"]]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](//evil.example)", "<p>[x](//evil.example)</p>"),
        ("[x](https://a.example)", '<p><a href="https://a.example" rel="noopener noreferrer nofollow">x</a></p>'),
        ('<https://a.example/"onx=1>', '<a href="https://a.example/%22onx=1" rel='),
        ("![x](https://a.example/x.png)", '<p>!<a href="https://a.example/x.png" rel="noopener noreferrer nofollow">x</a></p>'),
        ("|a|\n|-:|\n|1|", '<th class="to-end">a</th>'),
        ("&lt;b&gt; &#60;b&#62;", "<p>&lt;b&gt; &lt;b&gt;</p>"),
        ("[a]: https://x.example '\"><b>'\n\n[a]", '<a href="https://x.example" title="&quot;&gt;&lt;b&gt;" rel='),
    ],
)  # fmt: skip
def test_markdown_is_safe_to_show(text: str, html: str) -> None:
    """No tag of its own, no script in a link, nothing from elsewhere, no style."""
    assert html in rendered(text)
    assert "style=" not in rendered(text) and "<script" not in rendered(text)
