"""Actions: verbs of a resource's own, under the same rules and with the same return values."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    WRITES,
    Caller,
    allow,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    names,
    stored,
)
from marshmallow import Schema, fields
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.routing.verbs import ACTION, Action, verb_of
from polymicro_lambda.rules.context import Method

Make = Callable[..., Caller]

# --- the declaration

DECLARED: dict[str, tuple[Any, Action]] = {
    "as usual": (action(), Action(None, ("POST",), None)),
    "on an item": (action(detail=True), Action(True, ("POST",), None)),
    "on the collection": (action(detail=False), Action(False, ("POST",), None)),
    "methods": (action(methods=["GET", "PUT"]), Action(None, ("GET", "PUT"), None)),
    "one method": (action(methods="DELETE"), Action(None, ("DELETE",), None)),
    "a path": (action(path="done"), Action(None, ("POST",), "done")),
    "no path": (action(detail=False, methods=("DELETE",), path=""), Action(False, ("DELETE",), "")),
    "a status": (action(status=201), Action(None, ("POST",), None, None, 201)),
}


@pytest.mark.parametrize(("mark", "said"), DECLARED.values(), ids=DECLARED)
def test_what_is_said_of_a_method(mark: Any, said: Action) -> None:
    """The method itself stays what it is."""

    def method(self: Any) -> str:
        return "as before"

    marked = mark(method)
    assert (marked is method, marked(None), getattr(marked, ACTION)) == (True, "as before", said)


@pytest.mark.parametrize(
    ("said", "arguments", "body"),
    [
        (Action(True, ("POST",), None), {"instance", "req", "user", "request"}, True),
        (Action(False, ("POST",), None), {"req", "user", "request"}, True),
        (Action(True, ("GET",), None), {"instance", "req", "user", "request"}, False),
        (Action(False, ("GET", "PUT"), None), {"req", "user", "request"}, True),
    ],
    ids=["item", "collection", "reading", "reading or writing"],
)
def test_an_action_as_a_verb(said: Action, arguments: set[str], body: bool) -> None:
    verb = verb_of("done", said)
    assert (verb.name, verb.http, verb.detail, verb.status) == ("done", said.methods, said.detail, 200)
    assert (set(verb.arguments), verb.body) == (arguments, body)


@pytest.mark.parametrize(
    ("http", "safe"),
    [
        ("GET", True),
        ("HEAD", True),
        ("OPTIONS", True),
        ("POST", False),
        ("PUT", False),
        ("PATCH", False),
        ("DELETE", False),
    ],
)
def test_a_method_knows_its_http_verb(http: str, safe: bool) -> None:
    method = Method("done", http)
    assert (method, method.http, method.safe, hash(method)) == ("done", http, safe, hash("done"))


# --- end to end


@pytest.fixture
def todo(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/todo`` with these members of the resource."""

    class Todo(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        uuid = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)
        done = BooleanAttribute(default=False)

    create_table(Todo, table_name)
    for owner, uuid in (("alice", "1"), ("alice", "2"), ("bob", "3")):
        item = {"owner": {"S": owner}, "uuid": {"S": uuid}, "done": {"BOOL": False}}
        dynamodb_call("put_item", TableName=table_name, Item=item)

    def make(
        permissions: Any = None, verbs: Any = (Create, List, Retrieve, Update, Delete), **members: Any
    ) -> Caller:
        pm = PolyMicro()
        rule = OwnedBy("owner") if permissions is None else permissions
        body = {"model": Todo, "route": "todo", "permissions": rule, **members}
        type("TodoResource", (ModelResource, *verbs), body)(pm)
        return Caller(pm.compile(), user=ALICE)

    return make


def item(uuid: str, owner: str = "alice", **more: Any) -> dict[str, Any]:
    return {"owner": owner, "uuid": uuid, "text": None, "done": False, **more}


@action()
def complete(self: Any, instance: Any) -> Any:
    if instance.done:
        raise Conflict("It is done already.")
    return self.store.update(instance, {"done": True})


@action(detail=False, methods=("GET",))
def stats(self: Any, user: Any) -> Any:
    mine = list(self.model.query(user.uuid))
    return {"total": len(mine), "done": sum(one.done for one in mine)}


@action(detail=False, methods=("DELETE",), path="")
def clear(self: Any, user: Any) -> None:
    for one in self.model.query(user.uuid):
        self.delete(one, user)


def test_an_action_on_an_item(todo: Make, table_name: str) -> None:
    """One read and one conditional write; somebody else's item is as if it were not there."""
    client = todo(complete=complete)
    with counted() as calls:
        result = client.post("/todo/1/complete")
    assert (result.status, result.json) == (200, item("1", done=True))
    assert names(calls) == ["GetItem", "UpdateItem"]
    assert calls[1][1]["ConditionExpression"]
    assert result.headers["etag"] == client.get("/todo/1").headers["etag"]
    assert_problem(client.post("/todo/1/complete"), 409)
    for path in ("/todo/3/complete", "/todo/9/complete"):
        assert_problem(client.post(path), 404)
    assert_problem(client.post("/todo/1/complete", user=None), 401)
    assert [(each["uuid"]["S"], each["done"]["BOOL"]) for each in stored(table_name)] == [
        ("1", True),
        ("2", False),
        ("3", False),
    ]


def test_an_action_on_the_collection(todo: Make) -> None:
    client = todo(complete=complete, stats=stats)
    client.post("/todo/1/complete")
    result = client.everywhere("GET", "/todo/stats")
    assert (result.status, result.json) == (200, {"total": 2, "done": 1})
    assert client.get("/todo/stats", user=BOB).json == {"total": 1, "done": 0}
    head = client.head("/todo/stats")
    assert (head.status, head.body) == (200, b"")


def test_a_further_verb_on_the_collection_itself(todo: Make, table_name: str) -> None:
    client = todo(clear=clear)
    with counted() as calls:
        result = client.delete("/todo")
    assert (result.status, result.body) == (204, b"")
    assert names(calls) == ["Query", "DeleteItem", "DeleteItem"]
    assert all(said["ConditionExpression"] for operation, said in calls if operation in WRITES)
    assert [each["owner"] for each in stored(table_name)] == [{"S": "bob"}]
    assert allow(client.options("/todo")) == {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}


def test_a_further_verb_on_the_item_itself(todo: Make) -> None:
    @action(path="")
    def poke(self: Any, instance: Any) -> Any:
        return {"poked": instance.uuid}

    client = todo(poke=poke)
    assert client.post("/todo/1").json == {"poked": "1"}
    assert allow(client.options("/todo/1")) == {"GET", "HEAD", "PATCH", "PUT", "DELETE", "POST", "OPTIONS"}


def test_actions_alone_make_a_resource(todo: Make) -> None:
    client = todo(verbs=(), complete=complete)
    assert client.post("/todo/1/complete").json["done"] is True
    assert_problem(client.get("/todo/1"), 404)
    assert allow(client.options("/todo/1/complete")) == {"POST", "OPTIONS"}
    assert_problem(client.get("/todo/1/complete"), 405)


def test_a_path_of_its_own(todo: Make) -> None:
    @action(path="marks/done")
    def complete_it(self: Any, instance: Any) -> Any:
        return {"done": instance.uuid}

    client = todo(complete_it=complete_it)
    assert client.post("/todo/1/marks/done").json == {"done": "1"}
    assert_problem(client.post("/todo/1/complete_it"), 404)


BODIES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "POST": ("POST", {"json": {"a": [1]}}, {"a": [1]}),
    "PUT": ("PUT", {"json": {"a": 1}}, {"a": 1}),
    "PATCH": ("PATCH", {"json": {"a": 1}}, {"a": 1}),
    "DELETE": ("DELETE", {"json": {"a": 1}}, {"a": 1}),
    "no object": ("POST", {"json": [1, 2]}, [1, 2]),
    "POST without": ("POST", {}, {}),
    "PUT without": ("PUT", {}, {}),
    "DELETE without": ("DELETE", {}, {}),
    "GET": ("GET", {}, {}),
}


@pytest.mark.parametrize(("method", "sent", "req"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("detail", [True, False], ids=["item", "collection"])
@pytest.mark.parametrize("alone", [True, False], ids=["one verb", "all verbs"])
def test_what_an_action_gets(
    todo: Make, method: str, sent: dict[str, Any], req: Any, detail: bool, alone: bool
) -> None:
    """``req`` is the body's JSON, ``{}`` where there is none, whatever the verb."""

    def echo(self: Any, req: Any, user: Any, request: Any) -> Any:
        return {"req": req, "user": user.uuid, "method": request.method}

    methods = (method,) if alone else ("GET", "POST", "PUT", "PATCH", "DELETE")
    client = todo(echo=action(detail=detail, methods=methods)(echo))
    result = client.request(method, "/todo/1/echo" if detail else "/todo/echo", **sent)
    assert (result.status, result.json) == (200, {"req": req, "user": "alice", "method": method})


def test_what_an_action_refuses(todo: Make) -> None:
    client = todo(complete=complete, stats=stats)
    json = {"Content-Type": "application/json"}
    assert_problem(client.post("/todo/1/complete", body="{", headers=json), 400)
    assert_problem(client.post("/todo/1/complete", body="x", headers={"Content-Type": "text/plain"}), 415)
    assert_problem(client.get("/todo/stats?x=1"), 400, "x")
    assert_problem(client.post("/todo/stats"), 405)


class Assignment(Schema):
    to = fields.String(required=True)
    on = fields.DateTime()


def test_a_schema_loads_what_an_action_gets(todo: Make) -> None:
    def assign(self: Any, instance: Any, req: Any) -> Any:
        return {"to": req["to"], "year": req["on"].year if "on" in req else None}

    client = todo(assign=action(schema=Assignment)(assign))
    assert (
        client.post("/todo/1/assign", json={"to": "bob", "on": "2030-01-01T00:00:00Z"}).json["year"] == 2030
    )
    assert_problem(client.post("/todo/1/assign", json={"to": 1, "x": 1}), 422, "#/to", "#/x")
    assert_problem(client.post("/todo/1/assign"), 422, "#/to")
    assert_problem(client.post("/todo/1/assign", json=["bob"]), 400)


RETURNS: dict[str, tuple[Callable[[Any], Any], int, Any]] = {
    "an instance": (lambda one: one, 200, item("1")),
    "instances": (lambda one: [one, one], 200, [item("1"), item("1")]),
    "a value": (lambda one: {"n": 1}, 200, {"n": 1}),
    "nothing": (lambda one: None, 204, None),
    "a status": (lambda one: ({"n": 1}, 202), 202, {"n": 1}),
    "a status and headers": (lambda one: (one, 201, {"X-Kind": "todo"}), 201, item("1")),
    "headers": (lambda one: (one, {"X-Kind": "todo"}), 200, item("1")),
    "an instance inside": (lambda one: {"item": one}, 200, {"item": item("1")}),
}


@pytest.mark.parametrize(("returned", "status", "body"), RETURNS.values(), ids=RETURNS)
def test_what_an_action_returns(todo: Make, returned: Any, status: int, body: Any) -> None:
    def give(self: Any, instance: Any) -> Any:
        return returned(instance)

    result = todo(give=action()(give)).everywhere("POST", "/todo/1/give")
    assert (result.status, result.json if result.body else None) == (status, body)


@pytest.mark.parametrize(
    ("said", "returned", "status"),
    [
        (201, {"n": 1}, 201),
        (201, None, 204),
        (201, ({"n": 1}, 202), 202),
        (201, ({"n": 1}, {"X-Kind": "todo"}), 201),
        (202, [], 202),
        (204, None, 204),
    ],
    ids=["a value", "nothing", "another status", "headers", "a collection", "nothing, as it says"],
)
def test_an_action_that_says_its_status(todo: Make, said: int, returned: Any, status: int) -> None:
    def give(self: Any, instance: Any) -> Any:
        return returned

    assert todo(give=action(status=said)(give)).post("/todo/1/give").status == status


def test_a_collection_that_an_action_returns_shows_what_the_rule_shows(todo: Make) -> None:
    class Mine(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.owner == user.uuid

    @action(detail=False, methods=("GET",))
    def every(self: Any) -> Any:
        return sorted(self.model.scan(), key=lambda one: one.uuid)

    client = todo(Mine, verbs=(Retrieve,), every=every)
    assert client.get("/todo/every").json == [item("1"), item("2")]
    assert client.get("/todo/every", user=BOB).json == [item("3", "bob")]


def test_permissions_are_asked_with_the_name_of_the_action(todo: Make) -> None:
    seen: list[Any] = []

    class Asked(Permission):
        def has_permission(self, user: Any, method: Any) -> bool:
            seen.append((str(method), method.http, method.safe))
            return bool(method != "complete" or user.uuid == "alice")

    client = todo((OwnedBy("owner"), Asked), complete=complete, stats=stats, clear=clear)
    for method, path in (("POST", "/todo/2/complete"), ("GET", "/todo/stats"), ("DELETE", "/todo")):
        assert client.request(method, path).status in {200, 204}
    assert seen == [
        ("complete", "POST", False),
        ("stats", "GET", True),
        ("clear", "DELETE", False),
    ]
    with counted() as calls:
        assert_problem(client.post("/todo/3/complete", user=BOB), 403)
    assert calls == []


def test_an_action_creates_under_the_rule(todo: Make, table_name: str) -> None:
    """The new item is judged as that of a create is: nobody gets an item of another owner."""

    @action(detail=False)
    def copy(self: Any, req: Any) -> Any:
        return self.store.create({"uuid": "9", "owner": req["owner"]})

    client = todo(copy=copy)
    assert_problem(client.post("/todo/copy", json={"owner": "bob"}), 403)
    assert len(stored(table_name)) == 3
    assert client.post("/todo/copy", json={"owner": "alice"}).json == item("9")
    assert_problem(client.post("/todo/copy", json={"owner": "alice"}), 409)


def test_an_action_cannot_give_an_item_away(todo: Make, table_name: str) -> None:
    @action()
    def give(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"owner": "bob"})

    before = stored(table_name)
    assert_problem(todo(give=give).post("/todo/1/give"), 403)
    assert stored(table_name) == before


def test_an_action_goes_before_an_item_of_its_name(todo: Make) -> None:
    """A literal segment before a parameter: an item ``stats`` would have no address, so that there is none."""
    client = todo(stats=stats)
    assert client.post("/todo", json={"uuid": "stats"}).status == 422
    assert client.get("/todo/stats").json == {"total": 2, "done": 0}


WRONG: dict[str, tuple[Any, str]] = {
    "no such verb": (action(methods=("FETCH",))(lambda self: None), r"TodoResource\.act: methods"),
    "HEAD is GET": (action(methods=("HEAD",))(lambda self: None), r"TodoResource\.act: methods"),
    "no verb": (action(methods=())(lambda self: None), r"TodoResource\.act: methods"),
    "an argument that is none": (action()(lambda self, item: None), r"TodoResource\.act asks for 'item'"),
    "no item on the collection": (
        action(detail=False)(lambda self, instance: None),
        r"TodoResource\.act asks for 'instance'",
    ),
    "a path that is none": (action(path="a b")(lambda self: None), r"TodoResource\.act: path"),
    "a path with a parameter": (action(path="{x}")(lambda self: None), r"TodoResource\.act: path"),
    "a schema that is none": (action(schema=dict)(lambda self: None), r"TodoResource\.act: schema must be"),
    "a schema without a body": (
        action(schema=Schema, methods=("GET",))(lambda self: None),
        r"TodoResource\.act has a schema, but under GET no body",
    ),
    "a status that is no success": (
        action(status=404)(lambda self: None),
        r"TodoResource\.act: status must be from 200 to 204, not 404",
    ),
    "a status that is no number": (
        action(status=True)(lambda self: None),
        r"TodoResource\.act: status must be from 200 to 204, not True",
    ),
    "the path of a verb": (
        action(methods=("DELETE",), path="")(lambda self, instance: None),
        "DELETE /todo/{uuid}",
    ),
}


@pytest.mark.parametrize(("act", "text"), WRONG.values(), ids=WRONG)
def test_mistakes(todo: Make, act: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        todo(act=act)


def test_a_verb_is_no_action(todo: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"TodoResource\.delete"):
        todo(IsAuthenticated, delete=action()(lambda self, instance: None))
