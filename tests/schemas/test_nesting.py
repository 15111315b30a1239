"""Routes that bind attributes, owners by several claims and prefixes, and several kinds of item in one table."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    meanwhile,
    names,
    resolved,
    stored,
)
from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
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
    User,
    action,
)

Make = Callable[..., Caller]
VERBS = (Create, List, Retrieve, Update, Delete)


def client_of(*resources: type[ModelResource], user: User = ALICE) -> Caller:
    pm = PolyMicro()
    for resource in resources:
        resource(pm)
    return Caller(pm.compile(), user=user)


# --- a route that binds an attribute which is no key of the table


class ByProject(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class NotDone(Permission):
    """An opaque rule beside the path."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.text != "done")


@pytest.fixture(params=[IsAuthenticated, NotDone], ids=["request", "opaque"])
def tasks(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Caller:
    """``/projects/{project}/tasks/{id}``, where a task's key is its id alone."""

    class Task(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        project = UnicodeAttribute()
        text = UnicodeAttribute(null=True)
        by_project = ByProject()

    create_table(Task, table_name)

    class Tasks(ModelResource, *VERBS):  # type: ignore[misc]
        model = Task
        route = "projects/{project}/tasks"
        permissions = request.param

        @action()
        def finish(self, instance: Any) -> Any:
            return self.store.update(instance, {"text": "finished"})

    return client_of(Tasks)


def task(name: str, project: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "project": project, "text": None, **more}


def test_a_nested_collection(tasks: Caller) -> None:
    """The path binds the attribute on create, on the item, and in the list."""
    made = tasks.post("/projects/p/tasks", json={"id": "1"})
    assert (made.status, made.json) == (201, task("1", "p"))
    assert resolved(made, "/projects/p/tasks") == "/projects/p/tasks/1"
    assert tasks.post("/projects/q/tasks", json={"id": "2"}).json == task("2", "q")
    assert tasks.everywhere("GET", "/projects/p/tasks/1").json == task("1", "p")
    assert tasks.get("/projects/p/tasks").json == {"items": [task("1", "p")], "pagination_key": None}
    assert tasks.get("/projects/none/tasks").json == {"items": [], "pagination_key": None}
    assert tasks.patch("/projects/p/tasks/1", json={"text": "x"}).json == task("1", "p", text="x")
    assert tasks.put("/projects/p/tasks/1", json={}).json == task("1", "p")
    assert tasks.post("/projects/p/tasks/1/finish").json == task("1", "p", text="finished")
    assert tasks.delete("/projects/p/tasks/1").status == 204


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "PUT", "DELETE", "POST"])
def test_an_item_under_the_wrong_parent_is_not_there(tasks: Caller, table_name: str, method: str) -> None:
    """Byte for byte as one that does not exist, and nothing is written."""
    tasks.post("/projects/p/tasks", json={"id": "1"})
    before = stored(table_name)
    body = {"json": {"text": "x"}} if method in {"PATCH", "PUT"} else {}
    suffix = "/finish" if method == "POST" else ""
    wrong = tasks.everywhere(method, f"/projects/q/tasks/1{suffix}", **body)
    missing = tasks.everywhere(method, f"/projects/q/tasks/none{suffix}", **body)
    assert (wrong.status, wrong.body, wrong.headers) == (404, missing.body, missing.headers)
    assert stored(table_name) == before


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "POST"])
def test_an_item_that_moves_meanwhile_is_not_written(tasks: Caller, table_name: str, method: str) -> None:
    """The parent stands in the write's condition."""
    tasks.post("/projects/p/tasks", json={"id": "1"})
    moved = {"id": {"S": "1"}, "project": {"S": "q"}}
    body = {"json": {"text": "x"}} if method in {"PATCH", "PUT"} else {}
    path = "/projects/p/tasks/1" + ("/finish" if method == "POST" else "")
    with meanwhile(lambda: dynamodb_call("put_item", TableName=table_name, Item=moved)):
        assert_problem(tasks.request(method, path, **body), 404)
    assert stored(table_name) == [moved]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_the_parent_is_said_by_the_path_alone(tasks: Caller, table_name: str, method: str) -> None:
    tasks.post("/projects/p/tasks", json={"id": "1"})
    path, more = ("/projects/p/tasks", {"id": "2"}) if method == "POST" else ("/projects/p/tasks/1", {})
    before = stored(table_name)
    for project in ("p", "q"):
        body = {"project": project, **more}
        assert_problem(tasks.request(method, path, json=body), 422, "#/project")
    assert stored(table_name) == before


def test_an_id_is_taken_in_every_project(tasks: Caller, table_name: str) -> None:
    """The id is the table's key: a create under another parent never replaces the item."""
    tasks.post("/projects/p/tasks", json={"id": "1"})
    before = stored(table_name)
    assert_problem(tasks.post("/projects/q/tasks", json={"id": "1"}), 409)
    assert stored(table_name) == before


# --- a route that binds keys


def test_a_key_in_the_route_is_typed(dynamodb: None, table_name: str) -> None:
    """What can be no key is no path, and costs no call."""

    class Comment(Model):
        class Meta:
            pass

        year = NumberAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)

    create_table(Comment, table_name)

    class Comments(ModelResource, *VERBS):  # type: ignore[misc]
        model = Comment
        route = "years/{year}/comments"

    client = client_of(Comments)
    made = client.post("/years/2026/comments", json={"id": "a b"})
    assert (made.status, made.json) == (201, {"year": 2026, "id": "a b"})
    assert resolved(made, "/years/2026/comments") == "/years/2026/comments/a%20b"
    assert client.everywhere("GET", "/years/2026/comments/a%20b").json == made.json
    assert client.get("/years/2026/comments").json["items"] == [made.json]
    assert_problem(client.get("/years/2025/comments/a%20b"), 404)
    with counted() as calls:
        assert_problem(client.get("/years/soon/comments"), 404)
        assert_problem(client.post("/years/soon/comments", json={"id": "x"}), 404)
    assert calls == []


# --- owners


@pytest.fixture
def owned(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/files`` over a compound key, under a rule and with other members."""

    class File(Model):
        class Meta:
            pass

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)
        tenant = UnicodeAttribute(null=True)
        author = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    create_table(File, table_name)

    def make(rule: Any, *verbs: Any, **members: Any) -> Caller:
        body = {"model": File, "route": "files", "permissions": rule, **members}
        return client_of(type("Files", (ModelResource, *(verbs or VERBS)), body))

    return make


def of(name: str, tenant: str) -> User:
    return User(name, claims={"tenant": tenant})


def file(pk: str, sk: str, **more: Any) -> dict[str, Any]:
    return {"pk": pk, "sk": sk, "tenant": None, "author": None, "text": None, **more}


def test_a_prefix_makes_the_key(owned: Make, table_name: str) -> None:
    """``OwnedBy("pk", prefix="USER#")``: the user alice has the items whose key is ``USER#alice``."""
    client = owned(OwnedBy("pk", prefix="USER#"))
    made = client.post("/files", json={"sk": "1"})
    assert (made.status, made.json) == (201, file("USER#alice", "1"))
    assert resolved(made, "/files") == "/files/1"
    assert stored(table_name) == [{"pk": {"S": "USER#alice"}, "sk": {"S": "1"}}]
    for plain in ({"pk": {"S": "alice"}, "sk": {"S": "2"}}, {"pk": {"S": "TEAM#alice"}, "sk": {"S": "3"}}):
        dynamodb_call("put_item", TableName=table_name, Item=plain)
    assert client.everywhere("GET", "/files/1").json == file("USER#alice", "1")
    assert client.get("/files").json["items"] == [file("USER#alice", "1")]
    for path in ("/files/2", "/files/3"):
        assert_problem(client.get(path), 404)
    for name in ("USER#alice", "alice"):
        body = {"pk": name, "sk": "4"}
        assert_problem(client.post("/files", json=body), 422, "#/pk")
    assert_problem(client.get("/files/1", user=User("USER#alice")), 404)
    assert client.get("/files", user=BOB).json["items"] == []
    assert client.patch("/files/1", json={"text": "x"}).json == file("USER#alice", "1", text="x")
    assert client.delete("/files/1").status == 204


def test_tenant_and_owner_by_two_claims(owned: Make) -> None:
    """Both must hold, and both are set: a user of that name in another tenant sees nothing."""
    client = owned(OwnedBy("pk", claim="tenant", prefix="TENANT#") & OwnedBy("author"))
    anna, other = of("anna", "acme"), of("anna", "other")
    made = client.post("/files", json={"sk": "1"}, user=anna)
    item = file("TENANT#acme", "1", author="anna")
    assert (made.status, made.json, resolved(made, "/files")) == (201, item, "/files/1")
    assert client.get("/files/1", user=anna).json == item
    assert client.get("/files", user=anna).json["items"] == [item]
    for user in (other, of("ben", "acme")):
        assert_problem(client.get("/files/1", user=user), 404)
        assert_problem(client.patch("/files/1", json={"text": "x"}, user=user), 404)
        assert_problem(client.delete("/files/1", user=user), 404)
        assert client.get("/files", user=user).json["items"] == []
    assert client.post("/files", json={"sk": "1"}, user=other).status == 201
    assert_problem(client.get("/files/1", user=User("anna")), 403)
    for name in ("pk", "author"):
        assert_problem(client.patch("/files/1", json={name: "x"}, user=anna), 422, f"#/{name}")


class Giving(Update):
    """An update that writes an owner into what the client sent."""

    name: str
    value: str

    def update(self, instance: Any, req: Any, user: Any) -> Any:
        req[self.name] = self.value
        return super().update(instance, req, user)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    "rule",
    [
        OwnedBy("author"),
        OwnedBy("author") & IsAuthenticated(),
        OwnedBy("author") | OwnedBy("tenant", claim="tenant"),
    ],
    ids=["alone", "and", "or"],
)
def test_no_override_gives_an_item_away(owned: Make, table_name: str, rule: Any, method: str) -> None:
    client = owned(rule, Giving, name="author", value="bob")
    item = {"pk": {"S": "p"}, "sk": {"S": "1"}, "author": {"S": "alice"}}
    dynamodb_call("put_item", TableName=table_name, Item=item)
    assert_problem(client.request(method, "/files/p/1", json={"text": "x"}), 403)
    assert stored(table_name) == [item]
    keeping = owned(rule, Giving, name="author", value="alice")
    assert keeping.request(method, "/files/p/1", json={"text": "x"}).json["text"] == "x"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_no_override_gives_a_key_away(owned: Make, table_name: str, method: str) -> None:
    """A key cannot change; that it is written again as it is does no harm."""
    item = {"pk": {"S": "alice"}, "sk": {"S": "1"}}
    dynamodb_call("put_item", TableName=table_name, Item=item)
    taking = owned(OwnedBy("pk"), Giving, name="pk", value="bob")
    assert_problem(taking.request(method, "/files/1", json={"text": "x"}), 403)
    assert stored(table_name) == [item]
    keeping = owned(OwnedBy("pk"), Giving, name="pk", value="alice")
    assert keeping.request(method, "/files/1", json={"text": "x"}).json == file("alice", "1", text="x")


def test_no_create_is_made_for_another(owned: Make, table_name: str) -> None:
    def create(self: Any, req: Any) -> Any:
        req["pk"] = "bob"
        return self.store.create(req)

    assert_problem(owned(OwnedBy("pk"), create=create).post("/files", json={"sk": "1"}), 403)
    assert stored(table_name) == []


# --- several kinds of item in one table


@pytest.fixture
def shop(dynamodb: None, table_name: str) -> Caller:
    """Customers and orders of one table, each a resource, both under the customer's own partition."""

    class Row(Model):
        class Meta:
            pass

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)
        kind = DiscriminatorAttribute()

    class Customer(Row, discriminator="customer"):
        name = UnicodeAttribute()

    class Order(Row, discriminator="order"):
        total = NumberAttribute()

    create_table(Row, table_name)

    class Customers(ModelResource, *VERBS):  # type: ignore[misc]
        model = Customer
        route = "customers"
        permissions = OwnedBy("pk", prefix="USER#")

    class Orders(ModelResource, *VERBS):  # type: ignore[misc]
        model = Order
        route = "orders"
        permissions = OwnedBy("pk", prefix="USER#")

    return client_of(Customers, Orders)


def test_one_table_serves_several_resources(shop: Caller, table_name: str) -> None:
    customer = {"pk": "USER#alice", "sk": "me", "kind": "customer", "name": "Alice"}
    assert shop.post("/customers", json={"sk": "me", "name": "Alice"}).json == customer
    orders = [shop.post("/orders", json={"sk": f"o{n}", "total": n}).json for n in range(3)]
    assert orders[0] == {"pk": "USER#alice", "sk": "o0", "kind": "order", "total": 0}
    assert shop.get("/customers").json["items"] == [customer]
    assert shop.get("/orders").json["items"] == orders
    assert [item["kind"]["S"] for item in stored(table_name)] == ["customer", "order", "order", "order"]


def test_pages_of_one_kind_are_full(shop: Caller) -> None:
    """What another kind has between them takes no place in a page."""
    for number in range(4):
        shop.post("/orders", json={"sk": f"{number}b", "total": number})
        shop.post("/customers", json={"sk": f"{number}a", "name": "x"})
    first = shop.get("/orders?limit=3")
    assert [item["sk"] for item in first.json["items"]] == ["0b", "1b", "2b"]
    rest = shop.get(resolved(first, "/orders", "link"))
    assert ([item["sk"] for item in rest.json["items"]], rest.json["pagination_key"]) == (["3b"], None)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_item_of_another_kind_is_not_there(shop: Caller, table_name: str, method: str) -> None:
    shop.post("/customers", json={"sk": "me", "name": "Alice"})
    before = stored(table_name)
    body = {"json": {"total": 1}} if method in {"PATCH", "PUT"} else {}
    assert_problem(shop.request(method, "/orders/me", **body), 404)
    assert_problem(shop.post("/orders", json={"sk": "me", "total": 1}), 409)
    assert_problem(shop.patch("/customers/me", json={"kind": "order"}), 422, "#/kind")
    assert stored(table_name) == before


def test_one_kind_never_becomes_another_meanwhile(shop: Caller, table_name: str) -> None:
    shop.post("/orders", json={"sk": "1", "total": 1})
    theirs = {"pk": {"S": "USER#alice"}, "sk": {"S": "1"}, "kind": {"S": "customer"}, "name": {"S": "x"}}
    for method, body in (("PATCH", {"json": {"total": 2}}), ("DELETE", {})):
        with meanwhile(lambda: dynamodb_call("put_item", TableName=table_name, Item=theirs)) as calls:
            assert_problem(shop.request(method, "/orders/1", **body), 404)
        assert stored(table_name) == [theirs]
        assert "PutItem" in names(calls)
