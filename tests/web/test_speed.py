"""What pages cost, on request (make bench)."""

import time
from collections.abc import Callable
from datetime import date

import jinja2
import pytest

from tests.web.gallery import Gallery
from tests.web.samples import TODAY, list_page, tongue
from xrm.web.cells import badges_of

ROW = """<tr role="row"><td role="cell" class="idc"><bdi>{{ r.number }}</bdi></td>\
<td role="cell" class="sub"><a href="/w/request/{{ r.id }}"><bdi>{{ r.title }}</bdi></a></td>\
<td role="cell" class="ex"><bdi>{{ r['category.title'] }}</bdi></td>\
<td role="cell" class="st"><span class="badge {{ tones[r.state] or '' }}">{{ states[r.state] }}</span></td>\
<td role="cell">{% if r.priority == 'high' %}<span class="badge danger">High</span>{% elif r.priority %}{{ priorities[r.priority] }}\
{% else %}<span class="none">–</span>{% endif %}</td>\
<td role="cell" class="due"><time datetime="{{ r.created_at.isoformat() }}">{{ near(r.created_at, today) }}</time></td>\
<td role="cell" class="num lo">{% if r.cost is not none %}{{ money(r.cost, 'USD') }}{% else %}<span class="none">–</span>{% endif %}</td>\
<td role="cell" class="lo">{% if r['requester.title'] %}<bdi>{{ r['requester.title'] }}</bdi>{% else %}<span class="none">–</span>{% endif %}</td>\
<td role="cell" class="lo"><time datetime="{{ r.updated_at.isoformat() }}">{{ near(r.updated_at, today) }}</time></td></tr>
"""


def fastest(work: Callable[[], object], rounds: int = 7, times: int = 60) -> float:
    """Seconds of CPU that one call takes, in the best of several rounds."""
    work()
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - started) / times)
    return min(found)


@pytest.mark.bench
def test_a_list_of_fifty_costs_little_more_than_a_template_by_hand() -> None:
    """At most twice the CPU of a bare Jinja template that gives the very same HTML."""
    gallery, words = Gallery(), tongue()
    entity = words.application.entities["request"]
    page = list_page(words)
    html = gallery.html("list")
    head, _, rest = html.partition('<tbody role="rowgroup">\n')
    tail = rest.partition("</tbody>")[2]
    states, priorities = badges_of(words, entity, entity.system_fields["state"]), badges_of(words, entity, entity.fields["priority"])
    assert states is not None
    assert priorities is not None
    source = (
        "{% raw %}"
        + head
        + '<tbody role="rowgroup">{% endraw %}\n{% for r in rows %}'
        + ROW
        + "{% endfor %}{% raw %}</tbody>"
        + tail
        + "{% endraw %}"
    )
    by_hand = jinja2.Environment(autoescape=True, keep_trailing_newline=html.endswith("\n")).from_string(source)
    given = {
        "rows": page.rows, "states": states.labels, "tones": states.tones, "priorities": priorities.labels,
        "near": words.display.near, "money": words.display.money, "today": date(TODAY.year, TODAY.month, TODAY.day),
    }  # fmt: skip
    assert by_hand.render(**given) == html
    from tests.web.samples import frame

    around = frame("list")
    ours = fastest(lambda: gallery.renderer.page(page, around, TODAY))
    bare = fastest(lambda: by_hand.render(**given))
    assert ours <= 2 * bare, f"{ours * 1e6:.0f} µs against {bare * 1e6:.0f} µs by hand"
