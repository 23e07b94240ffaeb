"""REST: the same journeys as JSON, with versions as ETags and problems as RFC 9457 has them."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.support.application import Answer, Api, Applications, Person, Running
from xrm.errors import CODES

TEXTS = {
    "note": """
number: "N-{seq:4}"
title: "{name}"
fields:
  name: {type: text, required: true, unique: true}
  size: {type: integer, min: 0}
  cost: money
  big: {type: boolean, compute: =size > 10}
  box: {type: link, to: box}
  place: point
  secret: {type: text, protected: true}
checks:
  small: {should: size == null || size < 100, message: Rather large, field: size}
  sane: {must: size == null || size < 1000, message: Much too large, field: size}
lifecycle:
  states: {new: {initial: true}, done: {final: true}}
  transitions:
    finish: {from: new, to: done, ask: [cost], guards: [{must: size > 0, message: Give it a size}]}
    reopen: {from: done, to: new, roles: boss}
access:
  agent: {read: size == null || size < 500, create: true, update: true}
  boss: {delete: true, sees: secret, edits: secret}
  guest: read
views: {small: {filter: size < 5, sort: size}}
""",
    "box": 'title: "{name}"\nfields: {name: text}\naccess: {agent: [read, create]}',
    "drop": "fields: {name: text}\naccess: {guest: create}",
}


@pytest.fixture
def running(application: Applications) -> Running:
    return application(TEXTS)


@pytest.fixture
def ana(running: Running) -> Person:
    return running.person("ana", "agent")


@pytest.fixture
def api(ana: Person) -> Api:
    return ana.api


def is_problem(answer: Answer, status: int, code: str) -> None:
    """A body of RFC 9457: its members, its media type, and a code that is documented."""
    assert (answer.status, answer.headers.get("content-type")) == (status, "application/problem+json"), answer
    body = answer.json
    assert body["status"] == status and body["code"] == code, body
    assert body["type"] == f"urn:xrm:problem:{code}" and body["title"] == CODES[code] and body["detail"]
    assert body["errors"] and all(set(error) == {"code", "field", "message", "hint"} for error in body["errors"])


def test_a_record_from_create_to_delete(running: Running, api: Api) -> None:
    """A record is made, read, changed, moved and deleted; each answer has its version as ETag, the first its place."""
    made = api.post("/api/note", {"name": "One", "size": 3})
    assert made.status == 201 and made.headers["etag"] == '"1"'
    path = made.headers["location"]
    assert path == f"/api/note/{made.json['id']}"
    assert (made.json["number"], made.json["state"], made.json["big"]) == ("N-0001", "new", False)
    got = api.get(path)
    assert (got.status, got.headers["etag"], got.json) == (200, '"1"', made.json)
    changed = api.patch(path, {"size": 11}, 1)
    assert (changed.status, changed.headers["etag"], changed.json["big"]) == (200, '"2"', True)
    moved = api.move(path, "finish", 2, {"cost": "1.50"})
    assert (moved.status, moved.json["state"], moved.json["cost"]) == (200, "done", "1.50")
    bo = running.person("bo", "agent", "boss").api
    gone = bo.delete(path, 3)
    assert (gone.status, gone.headers["etag"]) == (204, '"4"')
    is_problem(bo.get(path), 404, "XRM506")
    is_problem(api.send("POST", f"{path}/restore", headers={"If-Match": '"4"'}), 403, "XRM507")
    is_problem(bo.send("POST", f"{path}/restore", headers={"If-Match": '"3"'}), 412, "XRM508")
    back = bo.send("POST", f"{path}/restore", headers={"If-Match": '"4"'})
    assert (back.status, back.json["state"], back.headers["etag"]) == (200, "done", '"5"')
    is_problem(bo.send("POST", f"{path}/restore", headers={"If-Match": "*"}), 404, "XRM506")


def test_a_change_says_which_version_it_was_made_to(api: Api) -> None:
    """Without If-Match a change is refused (428), with an older version too (412), with the present one or `*` it is made."""
    path = api.post("/api/note", {"name": "One", "size": 1}).headers["location"]
    for answer in (api.patch(path, {"size": 2}, None), api.delete(path, None), api.move(path, "finish", None, {})):
        is_problem(answer, 428, "XRM509")
    for stale in (2, 0, 99):
        is_problem(api.patch(path, {"size": 2}, stale), 412, "XRM508")
    for wrong in ("1", 'W/"1"', '"one"', '""', '"1", "2"', "\u00b2"):
        is_problem(api.send("PATCH", path, {"size": 2}, headers={"If-Match": wrong}), 412, "XRM508")
    assert api.patch(path, {"size": 2}, 1).status == 200
    assert api.patch(path, {"size": 3}, "*").headers["etag"] == '"3"'
    assert api.patch(path, {"size": 3}, 3).headers["etag"] == '"3"', "no change, no version"


@pytest.mark.parametrize("header", ['"1"', 'W/"1"', '"7", "1"', "*"])
def test_what_is_known_is_not_sent_again(api: Api, header: str) -> None:
    """If-None-Match with the present version gives 304 and no body (RFC 9110, section 13.1.2: compared weakly, a list, or `*`)."""
    path = api.post("/api/note", {"name": "One"}).headers["location"]
    same = api.get(path, {"If-None-Match": header})
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", '"1"')
    api.patch(path, {"size": 1}, 1)
    if header != "*":
        assert api.get(path, {"If-None-Match": header}).status == 200


def test_what_lies_beyond_a_link_is_always_sent(running: Running, api: Api) -> None:
    """The version of a record says nothing of what it links to, so that expanded links are never '304 not modified'."""
    box = api.post("/api/box", {"name": "Old"}).json["id"]
    path = api.post("/api/note", {"name": "One", "box": box}).headers["location"]
    assert api.get(path, fields="box.name").json["box"] == {"id": box, "name": "Old"}
    running.system.update("box", box, 1, name="New")
    again = api.get(path, {"If-None-Match": '"1"'}, fields="box.name")
    assert again.status == 200 and again.json["box"]["name"] == "New"


def test_lists(api: Api) -> None:
    """A list takes filter, sort, limit, after, fields, search and view, and says where the next page begins."""
    for n in range(7):
        api.post("/api/note", {"name": f"n{n}", "size": n})
    page = api.get("/api/note", filter="size >= 2", sort="-size", limit=3, fields="name,size").json
    assert [row["name"] for row in page["items"]] == ["n6", "n5", "n4"] and set(page["items"][0]) == {"id", "name", "size"}
    rest = api.get("/api/note", filter="size >= 2", sort="-size", limit=3, fields="name,size", after=page["next"]).json
    assert [row["name"] for row in rest["items"]] == ["n3", "n2"] and rest["next"] is None
    assert [row["name"] for row in api.get("/api/note", view="small", limit=2).json["items"]] == ["n0", "n1"]
    assert [row["name"] for row in api.get("/api/note", search="N6").json["items"]] == ["n6"]
    assert api.get("/api/note", filter="").status == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("filtre=1", "XRM512"),
        ("limit=0", "XRM512"),
        ("limit=x", "XRM512"),
        ("limit=501", "XRM512"),
        ("limit=-1", "XRM512"),
        ("limit=%C2%B2", "XRM512"),
        ("limit=1&limit=2", "XRM512"),
        ("after=x", "XRM513"),
        ("filter=nope%3D%3D1", "XRM302"),
        ("filter=size%20%3E", "XRM301"),
        ("filter=%00", "XRM301"),
        ("filter=" + "(" * 100, "XRM306"),
        ("filter=" + "a" * 5000, "XRM306"),
        ("filter=size%20%3E%20%22x%22", "XRM303"),
        ("filter=months(1)", "XRM309"),
        ("sort=nope", "XRM302"),
        ("sort=place", "XRM512"),
        ("fields=nope", "XRM302"),
        ("fields=box.nope", "XRM302"),
        ("view=nope", "XRM506"),
        ("&".join(f"filter{n}=1" for n in range(60)), "XRM512"),
        ("filter=%FF%FE", "XRM301"),
        ("fields=" + ".".join(["box"] * 60), "XRM302"),
    ],
)
def test_a_wrong_query_is_a_problem(api: Api, query: str, code: str) -> None:
    """Whatever is wrong in a query string is a problem of the caller, with a code; nothing is overlooked, nothing fails."""
    answer = api.send("GET", "/api/note", query=query)
    assert answer.headers["content-type"] == "application/problem+json"
    assert 400 <= answer.status < 500 and answer.codes[0] == code, answer.json


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "XRM512"),
        (b"", {}, 400, "XRM512"),
        (b"[]", {}, 400, "XRM512"),
        (b'"x"', {}, 400, "XRM512"),
        (b"null", {}, 400, "XRM512"),
        (b'{"name": "\xff"}', {}, 400, "XRM512"),
        (b'{"name": "\\ud800"}', {}, None, None),
        (b"[" * 100_000, {}, 400, "XRM512"),
        (b'{"name": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", {}, None, None),
        (b"{}", {"content-type": "text/plain"}, 400, "XRM512"),
        (b"{}", {"content-type": ""}, 400, "XRM512"),
        (b'{"name": "x", "name": "y"}', {"content-type": "application/json; charset=utf-8"}, 201, None),
        (b'{"name": 1e400}', {}, None, None),
        (b'{"name": ' + b"9" * 5000 + b"}", {}, None, None),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', {}, None, "XRM512"),
        (b"{}", {}, 422, "XRM501"),
        (b'{"name": null}', {}, 422, "XRM501"),
        (b'{"name": "x", "nam": 1}', {}, 422, "XRM302"),
        (b'{"name": "x", "secret": 1}', {}, 422, "XRM302"),
        (b'{"name": "x", "state": "done"}', {}, 403, "XRM505"),
        (b'{"name": "x", "size": -1}', {}, 422, "XRM502"),
        (b'{"name": "x", "size": 1000}', {}, 422, "XRM504"),
        (b'{"name": "x", "": 1}', {}, 422, "XRM302"),
        (b'{"name": "x", "id": "00000000-0000-7000-8000-000000000009"}', {}, 403, "XRM505"),
        (b'{"name": "x", "deleted_at": "2026-01-01T00:00:00Z"}', {}, 422, "XRM302"),
        (b'{"name": "x", "name_key": "y"}', {}, 422, "XRM302"),
    ],
)  # fmt: skip
def test_a_wrong_body_is_a_problem(api: Api, body: bytes, headers: dict[str, str], status: int | None, code: str | None) -> None:
    """Whatever is sent, the answer is a success or a problem of the caller."""
    answer = api.send("POST", "/api/note", body, headers=headers)
    assert answer.status < 500
    assert status in (None, answer.status), answer.json
    if answer.status >= 400:
        assert code is None or answer.json["code"] == code, answer.json
        is_problem(answer, answer.status, answer.json["code"])


def test_every_problem_of_a_body_is_said(api: Api) -> None:
    """All that is wrong comes in one answer, each with its field; the record is as it was."""
    answer = api.post("/api/note", {"size": "x", "cost": "1.234", "place": "here", "nope": 1})
    is_problem(answer, 422, "XRM502")
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [
        ("size", "XRM502"), ("cost", "XRM502"), ("place", "XRM502"), ("nope", "XRM302"),
    ]  # fmt: skip
    assert api.get("/api/note").json["items"] == []


def test_a_warning_comes_with_the_success(api: Api) -> None:
    """A `should` that does not hold lets the write through, is said beside it, and stays as a flag."""
    made = api.post("/api/note", {"name": "x", "size": 100})
    assert made.status == 201 and made.json["flags"] == "small"
    assert made.json["warnings"] == [{"code": "XRM504", "field": "size", "message": "Rather large"}]
    assert "warnings" not in api.get(made.headers["location"]).json


def test_a_value_in_use(api: Api) -> None:
    """A unique value that another record has is a conflict that names the field."""
    api.post("/api/note", {"name": "One"})
    answer = api.post("/api/note", {"name": " ONE "})
    is_problem(answer, 409, "XRM503")
    assert answer.json["errors"][0]["field"] == "name"


def test_moves(running: Running, api: Api) -> None:
    """The moves of a record are listed with their reasons; a blocked one is a conflict, one for others forbidden, an unknown one not found."""
    path = api.post("/api/note", {"name": "x"}).headers["location"]
    (move,) = api.get(f"{path}/transitions").json["items"]
    assert move == {
        "name": "finish", "label": "Finish", "target": "done", "allowed": False, "reasons": ["Give it a size"],
        "ask": [{"field": "cost", "required": True}],
    }  # fmt: skip
    is_problem(api.move(path, "finish", 1, {"cost": 1}), 409, "XRM510")
    is_problem(api.move(path, "finsh", 1), 404, "XRM506")
    is_problem(api.move(path, "reopen", 1), 403, "XRM507")
    api.patch(path, {"size": 1}, 1)
    is_problem(api.move(path, "finish", 2), 422, "XRM501")
    assert api.move(path, "finish", 2, {"cost": 1}).json["state"] == "done"
    assert api.get(f"{path}/transitions").json["items"][0]["reasons"] == ["Only for: Boss"]


def test_a_write_that_its_writer_may_not_see(running: Running, api: Api) -> None:
    """The answer to a write shows no more than a read would: for who may only create, the id and the version."""
    gil = running.person("gil", "guest").api
    made = gil.post("/api/drop", {"name": "x"})
    assert made.status == 201 and set(made.json) == {"id", "version"}
    is_problem(gil.get(made.headers["location"]), 404, "XRM506")
    gone = api.post("/api/note", {"name": "far", "size": 600})
    assert gone.status == 201 and {k: v for k, v in gone.json.items() if k != "warnings"} == {"id": gone.json["id"], "version": 1}


def test_minimal_answers(api: Api) -> None:
    """`Prefer: return=minimal` (RFC 7240) leaves the record out, and keeps ETag and Location."""
    made = api.post("/api/note", {"name": "x"}, headers={"Prefer": "return=minimal"})
    assert (made.status, made.body, made.headers["etag"]) == (201, b"", '"1"')
    changed = api.send("PATCH", made.headers["location"], {"size": 1}, headers={"Prefer": "return=minimal", "If-Match": '"1"'})
    assert (changed.status, changed.body, changed.headers["etag"]) == (204, b"", '"2"')


@pytest.mark.parametrize("token", [None, "", "x", "xrm_x", "\u00e9", "a" * 10_000])
def test_without_a_token(api: Api, token: str | None) -> None:
    """Without a token that is valid now there is 401 and how to authenticate, for what exists and what does not."""
    stranger = Api(api.app, token)
    for path in ("/api/note", "/api/nope", "/api/note/x", "/api/openapi.json"):
        answer = stranger.get(path)
        is_problem(answer, 401, "XRM514")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert Api(api.app).get("/api/note", {"Authorization": f"Basic {api.token}"}).status == 401
    assert Api(api.app).get("/api/note", {"authorization": f"bearer {api.token}"}).status == 200


def test_health_needs_no_token(running: Running, api: Api) -> None:
    """Whether it lives and whether it can serve is told to anybody."""
    stranger = Api(api.app)
    assert stranger.get("/healthz").json == {"status": "ok"}
    assert stranger.get("/readyz").json == {"status": "ready", "release": running.service.release}


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS", "TRACE", "FOO", "PATCH", "DELETE", "GET"])
def test_a_method_that_is_not_there(api: Api, method: str) -> None:
    """A method that a path does not have is 405, with those it has, as a problem."""
    path = api.post("/api/note", {"name": "x"}).headers["location"]
    has = {
        "/api/note": {"GET", "HEAD", "POST"},
        path: {"GET", "HEAD", "PATCH", "DELETE"},
        f"{path}/transitions": {"GET", "HEAD"},
        f"{path}/transitions/finish": {"POST"},
    }
    for place, methods in has.items():
        if method not in methods:
            answer = api.send(method, place)
            assert answer.status == 405 and set(answer.headers["allow"].split(", ")) == methods
            assert answer.headers["content-type"] == "application/problem+json" and answer.json["status"] == 405


def test_head_is_get_without_a_body(api: Api) -> None:
    """HEAD has the headers of GET and no body."""
    path = api.post("/api/note", {"name": "x"}).headers["location"]
    for place in ("/api/note", path, "/api/openapi.json"):
        head, got = api.send("HEAD", place), api.get(place)
        assert (head.status, head.body, head.headers) == (200, b"", got.headers)


@pytest.mark.parametrize("path", ["/api/", "/api/nope", "/api/note/", "/api/note/x", "/api/note/x/y", "/api/note/x/transitions/finish/z", "/api/note/..", "/api//note", "/api/note%2Fx", "/api/user/../note", "/api/xrm_change", "/api/note/00000000-0000-7000-8000-00000000000G", "/api/note/" + "9" * 500, "/api/\u00e9", "/api/note/\0"])  # fmt: skip
def test_a_path_that_is_not_there(api: Api, path: str) -> None:
    """A path to nothing is 404 and a problem."""
    is_problem(api.get(path), 404, "XRM506")


@pytest.mark.parametrize(
    "id", ["x", "00000000-0000-7000-8000-000000000009", "\u0660" * 36, "g" * 36, "0" * 32, "{00000000-0000-7000-8000-000000000009}"]
)
def test_a_record_that_is_not_there(api: Api, id: str) -> None:
    """Whatever stands for an id, a record that is not there is 404 to every method."""
    path = f"/api/note/{id}"
    for answer in (api.get(path), api.patch(path, {"size": 1}), api.move(path, "finish"), api.get(f"{path}/transitions"), api.delete(path)):
        assert answer.status in (404, 403), answer.json


def test_nothing_is_kept_on_the_way(api: Api) -> None:
    """Answers are not to be stored, guessed at or framed."""
    headers = api.get("/api/note").headers
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"


def test_requests_at_once(api: Api) -> None:
    """Many requests at once are all answered, each its own."""
    answers = api.together(*[("POST", "/api/note", {"name": f"n{n}", "size": n}) for n in range(40)])
    assert [answer.status for answer in answers] == [201] * 40
    assert [answer.json["size"] for answer in answers] == list(range(40))
    reads = api.together(*[("GET", f"/api/note/{answer.json['id']}") for answer in answers])
    assert [answer.json["name"] for answer in reads] == [f"n{n}" for n in range(40)]


# The OpenAPI document


def test_the_openapi_document_is_valid(running: Running) -> None:
    """For every role the document is valid OpenAPI 3.1 and names only what that role may do and see."""
    shown = {}
    for role in ("agent", "boss", "guest", "nobody"):
        document = running.person(f"the_{role}", role, *(["agent"] if role == "boss" else [])).api.get("/api/openapi.json").json
        validate(document)
        shown[role] = {(method, path) for path, item in document["paths"].items() for method in item if method != "parameters"}
        assert ("secret" in json.dumps(document)) == (role == "boss")
    assert ("delete", "/api/note/{id}") in shown["boss"] and ("delete", "/api/note/{id}") not in shown["agent"]
    assert ("post", "/api/drop") in shown["guest"] and ("get", "/api/drop") not in shown["guest"]
    assert {path for _, path in shown["nobody"]} == {"/api/user", "/api/user/{id}"}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the document's components beside it, so that its references lead somewhere."""
    return {**schema, "components": document["components"]}


def test_every_path_of_the_document_answers_as_it_says(running: Running) -> None:
    """Each operation of the document is made, and the answer fits the schema it has there."""
    api = running.person("bo", "boss", "agent").api
    document = api.get("/api/openapi.json").json
    done = set()
    for path, item in document["paths"].items():
        entity = path.split("/")[2]
        if entity == "user":
            continue
        made = api.post(f"/api/{entity}", {"name": f"for {path}", **({"size": 5} if entity == "note" else {})})
        assert made.status == 201
        place = path.replace("{id}", made.json["id"]).replace("{name}", "finish")
        for method in (m for m in ("get", "post", "patch", "delete") if m in item):
            operation = item[method]
            if path.endswith("/restore"):
                api.delete(place.removesuffix("/restore"), 1)
            body = {"cost": 1} if path.endswith("{name}") else {"name": f"{method} {path}"} if "requestBody" in operation else None
            asks = any(p["name"] == "If-Match" for p in operation.get("parameters", ()))
            answer = api.send(method.upper(), place, body, headers={"If-Match": "*"} if asks else None)
            said = operation["responses"].get(str(answer.status))
            assert said is not None, (method, path, answer)
            if "content" in said:
                schema = said["content"][answer.headers["content-type"]]["schema"]
                Draft202012Validator(resolved(document, schema)).validate(answer.json)
            for header in said.get("headers", {}):
                assert header.lower() in answer.headers
            done.add(operation["operationId"])
        problem = (
            api.send("GET", place.rpartition("/")[0] + "/00000000-0000-7000-8000-0000000000ff") if "{id}" in path else api.get("/api/nope")
        )
        Draft202012Validator(resolved(document, document["components"]["schemas"]["Problem"])).validate(problem.json)
    assert len(done) >= 10


def test_generated_requests_never_fail(running: Running) -> None:
    """Requests made from the document, right and wrong ones, are answered as it says, and never with our own failure."""
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from schemathesis import openapi

    api = running.person("bo", "boss", "agent").api
    schema = openapi.from_dict(api.get("/api/openapi.json").json)
    statuses: dict[int, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case: schemathesis.Case) -> None:
            query = {k: v if isinstance(v, str) else json.dumps(v) for k, v in (case.query or {}).items()}
            path = case.path
            for name, value in (case.path_parameters or {}).items():
                path = path.replace(f"{{{name}}}", str(value))
            headers = {str(k): str(v) for k, v in (case.headers or {}).items() if str(v).isascii()}
            body = case.body if isinstance(case.body, dict) else None
            answer = api.send(case.method.upper(), path, body, headers=headers, query=query)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            assert answer.status < 500, (case.method, path, query, body, answer)

        ask()
    assert sum(statuses.values()) >= 40
