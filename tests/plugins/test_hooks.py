"""Plugins: every hook does what its page says, a wrong one is refused with its place, a failing one is a problem and no traceback."""

import re
from pathlib import Path

import pytest

from tests.support.application import Applications, files_of, loaded, write_folder
from xrm import plugins
from xrm.commands.reference import hooks, plugins_page, signature
from xrm.errors import Invalid, NotFound, XrmError
from xrm.proposal import propose
from xrm.store import changes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "plugins.md"
NOTE = "title: '{name}'\nfields: {name: text, size: integer, box: {type: link, to: box}, twice: {type: integer, compute: =size * 2}}\naccess: {agent: {read: size == null || size < 100, create: true, update: true}, boss: read}"
BOX = "title: '{name}'\nfields: {name: text}\naccess: {agent: [read, create], boss: read}"
HEAD = "from xrm.plugins import Function, PageRequest, PluginContext, Problem, Route, hookimpl\n"


def texts(plugin: str, note: str = NOTE) -> dict[str, str]:
    return {"note": note, "box": BOX, "plugins/own.py": HEAD + plugin}


def test_the_page_has_every_hook_as_it_is() -> None:
    """The reference page is the one that is written from the hooks, and holds each hook's exact signature."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == plugins_page(), "python -m xrm.commands.reference plugins > docs/reference/plugins.md"
    assert set(hooks()) == {"prepare_record", "validate_record", "record_committed", "expression_functions", "routes"}
    for function in hooks().values():
        assert f"```python\n{signature(function)}\n```" in text


def test_every_hook_has_a_test() -> None:
    """Each hook is implemented by some plugin in this file."""
    here = Path(__file__).read_text(encoding="utf-8")
    for name in hooks():
        assert f"@hookimpl\\ndef {name}(" in here, name


def test_the_example_of_the_page_works(application: Applications) -> None:
    """The plugin that the page shows loads and does what it says."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    running = application({"request": "fields: {subject: text}\naccess: {agent: [read, create]}", "plugins/subjects.py": found[1]})
    ana = running.person("ana", "agent")
    assert ana.create("request").record["subject"] == "Without a subject"
    with pytest.raises(Invalid, match="A request is about something"):
        ana.create("request", subject="Nothing")


def test_prepare_record_completes_what_was_sent(application: Applications) -> None:
    """`prepare_record` sees what was sent, typed, what was before, who acts, and may read; what it sets is written, typed."""
    running = application(texts(
        "@hookimpl\ndef prepare_record(entity, values, before, context):\n"
        "    if entity == 'note' and 'size' in values:\n"
        "        boxes = context.find('box', 'name == \"b\"', ('name',))\n"
        "        values['box'] = boxes[0]['id'] if boxes else None\n"
        "        values['name'] = f\"  {values['size'] + 1} {before and before['name']} {type(values['size']).__name__} {len(context.actor_id)} \"\n"
    ))  # fmt: skip
    ana = running.person("ana", "agent")
    box = ana.create("box", name="b").id
    made = ana.create("note", size="4")
    assert (made.record["name"], made.record["box"]) == ("5 None int 36", box)
    assert ana.update("note", made.id, 1, size=6).record["name"] == "7 5 None int 36 int 36"
    assert ana.update("note", made.id, 2, name="own").record["name"] == "own"


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("values['nope'] = 1", "set 'nope'"),
        ("values['version'] = 7", "set 'version'"),
        ("values['id'] = context.actor_id", "set 'id'"),
        ("values['created_by'] = context.actor_id", "set 'created_by'"),
        ("values['twice'] = 1", "set 'twice'"),
        ("values['size'] = 'many'", "set 'size' of note, and it must be a whole number"),
        ("values['deleted_at'] = context.now", "set 'deleted_at'"),
        ("1 / 0", "ZeroDivisionError"),
        ("context.find('nope', '', ())", "there is no entity 'nope'"),
        ("context.find('box', 'nope ==', ())", "XRM301"),
    ],
)
def test_prepare_record_sets_values_and_nothing_else(application: Applications, sets: str, said: str) -> None:
    """What a plugin may not set, or gets wrong, is its failure and not a broken record."""
    running = application(texts(f"@hookimpl\ndef prepare_record(entity, values, context):\n    if entity == 'note':\n        {sets}\n"))
    with pytest.raises(XrmError) as refused:
        running.person("ana", "agent").create("note", name="x")
    assert said in str(refused.value)
    assert running.system.count("note") == 0


def test_prepare_record_is_not_asked_about_what_is_hidden(application: Applications) -> None:
    """A plugin is asked only when the actor sees the record: its answer is no way to learn about another."""
    running = application(
        texts("@hookimpl\ndef prepare_record(entity, values, before):\n    if before: raise ValueError(before['name'])\n")
    )
    far = running.system.create("note", name="secret", size=500).id
    with pytest.raises(NotFound):
        running.person("ana", "agent").update("note", far, 1, name="x")


def test_validate_record_refuses_with_its_own_problems(application: Applications) -> None:
    """`validate_record` sees the whole record, computed, and what was before; its problems refuse the write, and nothing is written."""
    running = application(texts(
        "@hookimpl\ndef validate_record(entity, record, before, context):\n"
        "    if entity == 'note' and (record['twice'] or 0) > 10:\n"
        "        return [Problem('XRM504', f\"twice is {record['twice']}, was {before and before['twice']}\", path=('size',))]\n"
    ))  # fmt: skip
    ana = running.person("ana", "agent")
    made = ana.create("note", size=5)
    with pytest.raises(Invalid) as refused:
        ana.update("note", made.id, 1, size=6)
    assert [(p.code, p.message, p.path) for p in refused.value.problems] == [("XRM504", "twice is 12, was 10", ("size",))]
    assert ana.get("note", made.id)["size"] == 5


def test_validate_record_cannot_change_the_record(application: Applications) -> None:
    """What the hook does to its copy changes nothing."""
    running = application(texts("@hookimpl\ndef validate_record(entity, record):\n    record['name'] = 'changed'\n"))
    ana = running.person("ana", "agent")
    assert ana.get("note", ana.create("note", name="x").id)["name"] == "x"


def test_record_committed_is_told_of_every_change(application: Applications) -> None:
    """`record_committed` is called after the commit, in a job, with what changed; before `settle` nothing has happened."""
    running = application(texts(
        "import xrm.plugins\nseen = []\n@hookimpl\ndef record_committed(change, context):\n"
        "    if change.entity == 'note':\n        seen.append((change.version, change.action, dict(change.fields), change.record))\n"
    ))  # fmt: skip
    ana = running.person("ana", "agent")
    made = ana.create("note", name="x")
    ana.update("note", made.id, 1, size=1)
    with pytest.raises(Invalid):
        ana.update("note", made.id, 2, size="x")
    import sys

    seen = sys.modules["xrm_plugin_own"].seen
    assert seen == []
    running.service.after.settle()
    assert seen == [
        (1, "create", {"name": [None, "x"]}, made.id),
        (2, "update", {"size": [None, 1], "twice": [None, 2]}, made.id),
    ]  # fmt: skip
    running.service.after.settle()
    assert len(seen) == 2 and changes.verify(running.database).waiting == 0


def test_record_committed_that_fails_is_tried_again(application: Applications, caplog: pytest.LogCaptureFixture) -> None:
    """A failing job stays with its error, is logged, comes again later, and the write it follows stands."""
    running = application(texts("@hookimpl\ndef record_committed(change):\n    raise ValueError('the other side is away')\n"))
    made = running.person("ana", "agent").create("note", name="x")
    running.service.after.settle()
    rows = running.rows("SELECT attempts, error, ended_at FROM xrm_job ORDER BY id DESC")
    assert (rows[0][0], rows[0][1], rows[0][2]) == (1, "ValueError: the other side is away", None)
    assert "the other side is away" in caplog.text
    assert running.system.get("note", made.id)["name"] == "x"


FUNCTION = (
    "@hookimpl\ndef expression_functions():\n    from xrm.expr.types import INT\n"
    "    return [Function('thrice', (INT,), INT, lambda n: n * 3, 'Three times.', 'thrice(2)')]\n"
)


def test_expression_functions_work_in_rules_of_a_record(application: Applications) -> None:
    """A plugin's function computes values and judges checks."""
    note = NOTE.replace("=size * 2", "=thrice(size)") + "\nchecks: {c: {when: size != null, must: thrice(size) < 100, message: Too much}}"
    running = application(texts(FUNCTION, note))
    ana = running.person("ana", "agent")
    assert ana.create("note", size=5).record["twice"] == 15
    with pytest.raises(Invalid, match="Too much"):
        ana.create("note", size=40)


@pytest.mark.parametrize("use", ["access: {agent: {read: thrice(size) > 1}}", "views: {v: {filter: thrice(size) > 1}}"])
def test_expression_functions_are_refused_in_the_database(use: str) -> None:
    """A row rule and a view that use a plugin's function are refused when the definition is checked."""
    from xrm import source

    files = files_of(texts(FUNCTION, f"fields: {{size: integer}}\n{use}"))
    found, problems = plugins.load(files)
    assert not problems
    result = source.load_text(files, found.functions)
    assert result.application is None and [p.code for p in result.problems] == ["XRM307"]


def test_expression_functions_are_refused_in_a_users_filter(application: Applications) -> None:
    """A user's own filter with a plugin's function is a problem, not a failure."""
    running = application(texts(FUNCTION))
    with pytest.raises(Invalid) as refused:
        running.person("ana", "agent").all("note", filter="thrice(size) > 1")
    assert refused.value.problems[0].code in ("XRM304", "XRM307")


def test_routes_are_pages_of_the_plugin(application: Applications) -> None:
    """`routes` gives pages, which read with the rights of whoever opens them."""
    running = application(texts(
        "def page(request):\n    return ','.join(row['name'] for row in request.find('note', request.query.get('filter', ''), ('name',)))\n"
        "@hookimpl\ndef routes():\n    return [Route('names', 'Names', page, roles=('agent',), icon='list')]\n"
    ))  # fmt: skip
    (route,) = running.service.plugins.routes
    assert (route.path, route.label, route.roles, route.icon) == ("names", "Names", ("agent",), "list")
    running.system.create("note", name="near", size=1)
    running.system.create("note", name="far", size=500)
    from xrm.service.hooks import page_context

    assert route.page(page_context(running.person("ana", "agent").ctx, {})) == "near"
    assert set(route.page(page_context(running.person("bo", "boss").ctx, {})).split(",")) == {"near", "far"}
    assert route.page(page_context(running.system.ctx, {"filter": "size > 2"})) == "far"


WRONG: list[tuple[str, str, int, str, str | None]] = [
    ("@hookimpl\ndef prepare_recrd(entity): ...\n", "XRM702", 3, "there is no hook 'prepare_recrd'", "did you mean 'prepare_record'?"),
    ("@hookimpl\ndef zzz(): ...\n", "XRM702", 3, "there is no hook 'zzz'", None),
    ("@hookimpl\ndef validate_record(entity, recrd): ...\n", "XRM702", 3, "hook 'validate_record' has no argument 'recrd'", "did you mean 'record'?"),
    ("@hookimpl(tryfirst=True)\n@staticmethod\ndef routes(x): ...\n", "XRM702", 4, "hook 'routes' has no argument 'x'", None),
    ("def broken(:\n", "XRM701", 2, "the plugin is not valid Python", None),
    ("x = 1\nx.nope\n", "XRM701", 3, "AttributeError", None),
    ("import nothing_like_this\n", "XRM701", 2, "ModuleNotFoundError", None),
    ("raise SystemExit(3)\n", "XRM701", 2, "SystemExit", None),
    ("@hookimpl\ndef expression_functions():\n    raise KeyError(1)\n", "XRM703", 3, "expression_functions", None),
    ("@hookimpl\ndef expression_functions():\n    return ['thrice']\n", "XRM703", 3, "expression_functions", None),
    ("@hookimpl\ndef routes():\n    return 5\n", "XRM703", 3, "routes", None),
    ("@hookimpl\ndef routes():\n    return ['a']\n", "XRM703", 3, "routes", None),
]  # fmt: skip


@pytest.mark.parametrize(("plugin", "code", "line", "words", "hint"), WRONG, ids=[case[3] + str(n) for n, case in enumerate(WRONG)])
def test_a_wrong_plugin_is_refused_with_its_place(tmp_path: Path, plugin: str, code: str, line: int, words: str, hint: str | None) -> None:
    """A misspelt hook or argument, broken Python and an error at load are problems with file, line and hint; checking never fails."""
    proposed = propose(write_folder(tmp_path, texts(plugin)))
    assert proposed.application is None
    (problem,) = [p for p in proposed.problems if p.code.startswith("XRM7")]
    assert (problem.code, words in problem.message) == (code, True), problem
    if line:
        assert problem.place is not None and (problem.place.file, problem.place.line) == ("plugins/own.py", line)
    if hint:
        assert problem.hint == hint


def test_two_plugins_with_one_function(tmp_path: Path) -> None:
    """Two functions of one name are refused."""
    proposed = propose(write_folder(tmp_path, {**texts(FUNCTION), "plugins/other.py": HEAD + FUNCTION}))
    assert [p.code for p in proposed.problems] == ["XRM701"] and "thrice" in proposed.problems[0].message


@pytest.mark.parametrize("hook", ["prepare_record(entity, values)", "validate_record(entity, record)"])
def test_a_plugin_that_fails_says_so(application: Applications, hook: str, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin's own error refuses the write with XRM703; over the API it is a 500 that shows no traceback, which is in the log."""
    running = application(texts(f"@hookimpl\ndef {hook}:\n    if entity == 'note':\n        raise RuntimeError('inner secret')\n"))
    ana = running.person("ana", "agent")
    with pytest.raises(XrmError) as refused:
        ana.create("note", name="x")
    assert [p.code for p in refused.value.problems] == ["XRM703"] and "RuntimeError" in str(refused.value)
    answer = ana.api.post("/api/note", {"name": "x"})
    assert (answer.status, answer.json["code"]) == (500, "XRM703")
    assert "Traceback" not in answer.body.decode() and "Traceback" in caplog.text
    assert running.system.count("note") == 0


def test_plugins_are_part_of_the_release(application: Applications) -> None:
    """What runs is the plugin's text of the release, not a file somewhere."""
    running = application(texts("@hookimpl\ndef prepare_record(entity, values):\n    if entity == 'note': values['name'] = 'one'\n"))
    again = application.opened(running.url)
    assert again.service.plugins.names == ("plugins/own.py",)
    assert again.person("ana", "agent").create("note").record["name"] == "one"


def test_hooks_that_nobody_implements_cost_nothing() -> None:
    """Without plugins there is nothing to call, and no job is made."""
    _, found = loaded(NOTE.replace("box: {type: link, to: box}, ", ""))
    assert (found.preparing, found.validating, found.committed, found.routes) == ((), (), (), ())
