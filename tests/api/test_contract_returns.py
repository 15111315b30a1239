"""What a verb may declare, and what it may return."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_table, dynamodb_call, resolved, stored
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Create, Delete, List, ModelResource, PolyMicro, Retrieve, Update


class Thing(Model):
    class Meta:
        table_name = "never-there"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)


A, B = Thing("a"), Thing("b", text="x")
DUMPED_A, DUMPED_B = {"id": "a", "text": None}, {"id": "b", "text": "x"}


def client(mixin: Any, model: type[Model] = Thing, **verbs: Any) -> Caller:
    """A client of ``/things``, whose verbs are these functions over these mixins."""
    pm = PolyMicro()
    mixins = mixin if isinstance(mixin, tuple) else (mixin,)
    body = {"model": model, "route": "things", "permissions": AllowAny}
    type("Things", (ModelResource, *mixins), body | verbs)(pm)
    return Caller(pm.compile(), user=ALICE)


CREATED: dict[str, tuple[Any, int, dict[str, str], Any]] = {
    "an instance": (A, 201, {}, DUMPED_A),
    "and a status": ((A, 202), 202, {}, DUMPED_A),
    "and headers": ((A, {"X-A": "b"}), 201, {"x-a": "b"}, DUMPED_A),
    "and both": ((A, 202, {"X-A": "b"}), 202, {"x-a": "b"}, DUMPED_A),
    "a list": ([A, B], 201, {}, [DUMPED_A, DUMPED_B]),
    "a tuple of instances": ((A, B), 201, {}, [DUMPED_A, DUMPED_B]),
    "a generator": ((each for each in (A, B)), 201, {}, [DUMPED_A, DUMPED_B]),
    "an object": ({"n": 1}, 201, {}, {"n": 1}),
    "an object and a status": (({"n": 1}, 200), 200, {}, {"n": 1}),
    "text": ("done", 201, {}, "done"),
    "a number": (1.5, 201, {}, 1.5),
    "a boolean is no status": (({"n": 1}, True), 201, {}, [{"n": 1}, True]),
    "instances inside": ({"made": A}, 201, {}, {"made": DUMPED_A}),
    "a content type": (({"n": 1}, {"Content-Type": "a/b+json"}), 201, {"content-type": "a/b+json"}, {"n": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("returned", "status", "headers", "body"), CREATED.values(), ids=CREATED)
def test_what_create_may_return(returned: Any, status: int, headers: dict[str, str], body: Any) -> None:
    result = client(Create, create=lambda self: returned).post("/things", json={"id": "x"})
    assert (result.status, result.json) == (status, body)
    assert {name: result.headers[name] for name in headers} == headers


LISTED: dict[str, tuple[Any, int, dict[str, str], Any]] = {
    "nothing": ([], 200, {}, {"items": [], "pagination_key": None}),
    "a list": ([A], 200, {}, {"items": [DUMPED_A], "pagination_key": None}),
    "a tuple": ((A, B), 200, {}, {"items": [DUMPED_A, DUMPED_B], "pagination_key": None}),
    "a generator": ((each for each in (A,)), 200, {}, {"items": [DUMPED_A], "pagination_key": None}),
    "and a status": (([A], 206), 206, {}, {"items": [DUMPED_A], "pagination_key": None}),
    "and headers": (([A], {"X-A": "b"}), 200, {"x-a": "b"}, {"items": [DUMPED_A], "pagination_key": None}),
    "a key of None": (([A], 200, {}, None), 200, {}, {"items": [DUMPED_A], "pagination_key": None}),
    "an object": ({"n": 1}, 200, {}, {"n": 1}),
    "text": ("none", 200, {}, "none"),
}


@pytest.mark.parametrize(("returned", "status", "headers", "body"), LISTED.values(), ids=LISTED)
def test_what_list_may_return(returned: Any, status: int, headers: dict[str, str], body: Any) -> None:
    result = client(List, list=lambda self: returned).get("/things")
    assert (result.status, result.json) == (status, body)
    assert {name: result.headers[name] for name in headers} == headers


@pytest.mark.parametrize("envelope", [True, False])
def test_an_envelope_is_not_for_everybody(envelope: bool) -> None:
    result = client(List, list=lambda self: ([A], 200, {}, "k"), envelope=envelope).get("/things")
    assert "link" in result.headers
    assert (result.json["items"] if envelope else result.json) == [DUMPED_A]


KEYS: dict[str, Any] = {
    "zero": 0,
    "empty text": "",
    "false": False,
    "text": "k",
    "unicode": "ü/+=",
    "a list": [1, "a", None],
    "an object": {"a": {"b": [1.5, True]}},
    "a big integer": 2**70 + 1,
    "a last_evaluated_key": {"id": {"S": "a"}, "n": {"N": "1"}},
    "bytes in one": {"id": {"B": b"\x00\xff"}},
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("form", ["with both", "after a status", "after headers"])
def test_a_pagination_key_comes_back_unchanged(key: Any, form: str) -> None:
    seen = []

    def listing(self: Any, pagination_key: Any = None) -> Any:
        seen.append(pagination_key)
        between = {"with both": (200, {}), "after a status": (200,), "after headers": ({"X-A": "b"},)}[form]
        return ([A], *between, key)

    api = client(List, list=listing)
    if (
        form != "with both"
        and isinstance(key, dict | int)
        and not (form == "after headers" and isinstance(key, dict))
    ):
        return  # a dict after a status is headers, and a number after headers is not said
    first = api.get("/things")
    assert isinstance(first.json["pagination_key"], str)
    api.get("/things", query={"pagination_key": first.json["pagination_key"]})
    api.get(resolved(first, "/things", "link"))
    assert [(type(each), each) for each in seen] == [(type(each), each) for each in (None, key, key)]


def test_a_cursor_is_no_good_for_another_route() -> None:
    pm = PolyMicro()
    for route in ("one", "two"):
        body: dict[str, Any] = {
            "model": Thing,
            "route": route,
            "permissions": AllowAny,
            "list": lambda self: ([A], 200, {}, 1),
        }
        type(route, (ModelResource, List), body)(pm)
    api = Caller(pm.compile())
    key = api.get("/one").json["pagination_key"]
    assert api.get("/one", query={"pagination_key": key}).status == 200
    assert_problem(api.get("/two", query={"pagination_key": key}), 400, "pagination_key")


def test_a_cursor_carries_binary_keys(dynamodb: None, table_name: str) -> None:
    class Blob(Model):
        class Meta:
            pass

        group = UnicodeAttribute(hash_key=True)
        id = BinaryAttribute(range_key=True, legacy_encoding=False)

    create_table(Blob, table_name)
    for id_ in (b"\x00", b"\x7f", b"\xff"):
        dynamodb_call("put_item", TableName=table_name, Item={"group": {"S": "g"}, "id": {"B": id_}})

    def listing(self: Any, pagination_key: Any = None, limit: int = 1) -> Any:
        return Blob.query("g", last_evaluated_key=pagination_key, limit=limit)

    api = client(List, Blob, list=listing)
    found, link = [], "/things?limit=1"
    while link:
        result = api.get(link)
        found += [item["id"] for item in result.json["items"]]
        link = resolved(result, link, "link") if "link" in result.headers else ""
    assert found == ["AA==", "fw==", "/w=="]


@pytest.mark.parametrize(
    ("default", "max_limit", "query", "expected"),
    [
        (7, 100, "", 7),
        (7, 5, "", 5),
        (7, 5, "?limit=5", 5),
        (7, 5, "?limit=1", 1),
        (7, 100, "?limit=100", 100),
    ],
)
def test_limit(default: int, max_limit: int, query: str, expected: int) -> None:
    def listing(self: Any, limit: int = default) -> Any:
        return {"limit": limit}

    api = client(List, list=listing, max_limit=max_limit)
    assert api.get(f"/things{query}").json == {"limit": expected}
    assert_problem(api.get(f"/things?limit={max_limit + 1}"), 400, "limit")


@pytest.fixture
def table(dynamodb: None, table_name: str) -> Any:
    class Kept(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)

    create_table(Kept, table_name)
    Kept("a", text="x").save()
    return Kept


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        (None, 204, b""),
        ({"n": 1}, 200, b'{"n":1}'),
        (({"n": 1}, 202), 202, b'{"n":1}'),
        ((None, 202), 202, b""),
    ],
    ids=["nothing", "a body", "a body and a status", "a status"],
)
def test_what_delete_may_return(table: Any, returned: Any, status: int, body: bytes) -> None:
    result = client(Delete, table, delete=lambda self: returned).delete("/things/a")
    assert (result.status, result.body) == (status, body)


def test_a_verb_gets_what_it_declares(table: Any) -> None:
    """By name, in any order, and nothing else."""
    seen: dict[str, Any] = {}

    def create(self: Any, request: Any, req: Any) -> Any:
        seen["create"] = (request.method, req)
        return "made"

    def retrieve(self: Any, user: Any, instance: Any) -> Any:
        seen["retrieve"] = (user.uuid, instance.id)
        return instance

    def update(self: Any, req: Any) -> Any:
        seen["update"] = req
        return "changed"

    def delete(self: Any, *, instance: Any) -> Any:
        seen["delete"] = instance.id

    def listing(self: Any) -> Any:
        seen["list"] = ()
        return []

    mixins = (Create, List, Retrieve, Update, Delete)
    verbs = {"create": create, "list": listing, "retrieve": retrieve, "update": update, "delete": delete}
    api = client(mixins, table, **verbs)
    statuses = [
        api.post("/things", json={"id": "n"}).status,
        api.get("/things").status,
        api.get("/things/a").status,
        api.patch("/things/a", json={"text": None}).status,
        api.delete("/things/a").status,
    ]
    assert statuses == [201, 200, 200, 200, 204]
    assert seen == {
        "create": ("POST", {"id": "n"}),
        "list": (),
        "retrieve": ("alice", "a"),
        "update": {"text": None},
        "delete": "a",
    }


def test_super_takes_the_arguments_of_the_contract(table: Any) -> None:
    class Things(ModelResource, Create, Retrieve, Update, Delete):
        model = table
        route = "things"
        permissions = AllowAny

        def create(self, req: dict[str, Any], user: Any) -> Any:
            return super().create(req | {"text": "made"}, user)

        def retrieve(self, instance: Any, user: Any) -> Any:
            return super().retrieve(instance, user), 203

        def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
            return super().update(instance, req | {"text": f"{instance.text}!"}, user)

        def delete(self, instance: Any, user: Any) -> Any:
            return {"was": instance.text, "now": super().delete(instance, user)}

    pm = PolyMicro()
    Things(pm)
    api = Caller(pm.compile(), user=ALICE)
    answers = [
        api.post("/things", json={"id": "n"}),
        api.patch("/things/n", json={}),
        api.get("/things/n"),
        api.delete("/things/n"),
        api.get("/things/n"),
    ]
    assert [(each.status, each.json) for each in answers[:-1]] == [
        (201, {"id": "n", "text": "made"}),
        (200, {"id": "n", "text": "made!"}),
        (203, {"id": "n", "text": "made!"}),
        (200, {"was": "made!", "now": None}),
    ]
    assert_problem(answers[-1], 404)


def test_the_request_that_a_verb_may_ask_for() -> None:
    def create(self: Any, request: Any) -> Any:
        return {
            "method": request.method,
            "path": request.path,
            "path_params": dict(request.path_params),
            "query": {name: list(values) for name, values in request.query.items()},
            "header": request.headers["x-a"],
            "body": request.body.decode(),
            "json": request.json,
            "user": request.user.uuid,
            "event": bool(request.event),
            "context": request.context is not None,
            "id": request.id,
        }

    result = client(Create, create=create).everywhere(
        "POST", "/things?a=1", body='{"id": "ü"}', headers={"Content-Type": "application/json", "X-A": "b"}
    )
    assert result.json == {
        "method": "POST",
        "path": "/things",
        "path_params": {},
        "query": {"a": ["1"]},
        "header": "b",
        "body": '{"id": "ü"}',
        "json": {"id": "ü"},
        "user": "alice",
        "event": True,
        "context": True,
        "id": "r-1",
    }


def test_what_goes_out_can_be_changed(table: Any) -> None:
    def represent(self: Any, data: dict[str, Any], instance: Any, request: Any) -> Any:
        return data | {"url": self.url_for(instance, request), "by": request.user.uuid}

    api = client((Retrieve, Create, List), table, represent=represent, list=lambda self: [A])
    url = "https://api.example.com/things/a"
    assert api.get("/things/a").json == {"id": "a", "text": "x", "url": url, "by": "alice"}
    assert api.get("/things/a", stage="prod").json["url"] == "https://api.example.com/prod/things/a"
    assert api.get("/things").json["items"] == [DUMPED_A | {"url": url, "by": "alice"}]


@pytest.mark.parametrize(
    "form", [{"source": "rest"}, {"source": "http"}, {"source": "http", "payload": "1.0"}], ids=repr
)
@pytest.mark.parametrize("path", ["/things", "/things/"])
def test_location_leads_to_the_item_under_a_stage(table: Any, form: dict[str, Any], path: str) -> None:
    made = client((Create, Retrieve), table).post(path, json={"id": "n"}, stage="prod", **form)
    assert resolved(made, f"/prod{path}") == "/prod/things/n"


@pytest.mark.parametrize("given", [{}, {"owner": "o"}], ids=["nothing set", "one set"])
def test_what_is_still_missing_before_the_write_is_422(
    dynamodb: None, table_name: str, given: dict[str, str]
) -> None:
    """A verb may set what no body can; what it forgets is not stored half."""

    class Signed(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute()
        signature = UnicodeAttribute()

    create_table(Signed, table_name)
    whole = {"owner": "o", "signature": "s"}

    class Things(ModelResource, Create):
        model = Signed
        route = "things"
        permissions = AllowAny
        dump_only = ("owner", "signature")

        def create(self, req: dict[str, Any], user: Any) -> Any:
            return super().create(req | (whole if req["id"] == "whole" else given), user)

    pm = PolyMicro()
    Things(pm)
    api = Caller(pm.compile(), user=ALICE)
    result = api.post("/things", json={"id": "half"})
    assert_problem(result, 422, *(error["pointer"] for error in result.json["errors"]))
    assert result.json["errors"][0]["pointer"] in {"#/owner", "#/signature"} - {f"#/{name}" for name in given}
    assert stored(table_name) == []
    assert api.post("/things", json={"id": "whole"}).json == {"id": "whole"} | whole
