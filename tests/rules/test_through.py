"""`Through`: who is let in by a related item; in a write it is a part of the same transaction."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    meanwhile,
    names,
    stored,
)
from pynamodb.attributes import (
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    Claim,
    ConfigurationError,
    Create,
    Delete,
    HasPermission,
    IsAuthenticated,
    Key,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Through,
    Update,
    User,
    action,
)
from polymicro_lambda.testing import assert_serializable

EVE = User("eve", permissions=frozenset({"therapist"}))


class World:
    """Projects' tasks and members, and apps over them."""

    def __init__(self, table: str) -> None:
        class Member(Model):
            class Meta:
                table_name = f"{table}m"

            project = UnicodeAttribute(hash_key=True)
            user = UnicodeAttribute(range_key=True)
            role = UnicodeAttribute(default="member")
            until = TTLAttribute(null=True)

        class Task(Model):
            class Meta:
                table_name = f"{table}t"

            project = UnicodeAttribute(hash_key=True)
            id = UnicodeAttribute(range_key=True)
            text = UnicodeAttribute(null=True)
            author = UnicodeAttribute(null=True)
            team = UnicodeAttribute(default="1")
            version = VersionAttribute()

        self.member, self.task = Member, Task

    def through(self, **options: Any) -> Through:
        """Membership in the project."""
        return Through(self.member, {"project": "project", "user": Claim("uuid")}, **options)

    def served(self, rule: Any, *, route: str = "projects/{project}/tasks", **members: Any) -> Caller:
        """A client of alice's of ``/projects/{project}/tasks``; project 1 has a task, and alice is a member."""
        base = {"model": self.task, "route": route, "permissions": rule}
        pm = PolyMicro()
        type("Tasks", (ModelResource, Create, List, Retrieve, Update, Delete), base | members)(pm)
        client = Caller(pm.compile(), user=ALICE)
        create_tables(pm)
        self.pm = pm
        if self.member.exists():
            self.join("alice")
        self.put_task()
        return client

    def put_task(self, project: str = "1", task: str = "a") -> None:
        item = {
            "project": {"S": project},
            "id": {"S": task},
            "text": {"S": "x"},
            "author": {"S": "alice"},
            "team": {"S": "1"},
        }
        dynamodb_call("put_item", TableName=self.task.Meta.table_name, Item=item | {"version": {"N": "1"}})

    def join(self, user: str, role: str = "member", project: str = "1", **more: Any) -> None:
        item = {"project": {"S": project}, "user": {"S": user}, "role": {"S": role}, **more}
        dynamodb_call("put_item", TableName=self.member.Meta.table_name, Item=item)

    def leave(self, user: str = "alice", project: str = "1") -> None:
        key = {"project": {"S": project}, "user": {"S": user}}
        dynamodb_call("delete_item", TableName=self.member.Meta.table_name, Key=key)


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


TASKS, TASK = "/projects/1/tasks", "/projects/1/tasks/a"
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", TASKS, {"id": "b"}),
    "list": ("GET", TASKS, None),
    "retrieve": ("GET", TASK, None),
    "update": ("PATCH", TASK, {"text": "y"}),
    "replace": ("PUT", TASK, {"text": "y"}),
    "nothing": ("PATCH", TASK, {}),
    "delete": ("DELETE", TASK, None),
    "missing": ("DELETE", "/projects/1/tasks/none", None),
    "elsewhere": ("GET", "/projects/2/tasks/a", None),
}
CALLS = {
    "create": ["TransactWriteItems"],
    "list": ["GetItem", "Query"],
    "retrieve": ["BatchGetItem"],
    "update": ["TransactWriteItems", "GetItem"],
    "replace": ["TransactWriteItems", "GetItem"],
    "nothing": ["BatchGetItem"],
    "delete": ["TransactWriteItems"],
}


@pytest.mark.parametrize("verb", CALLS)
def test_what_it_costs(world: World, verb: str) -> None:
    client = world.served(world.through())
    method, path, body = REQUESTS[verb]
    with counted() as calls:
        assert client.request(method, path, json=body).status < 300
    assert names(calls) == CALLS[verb]


class ByPath(Permission):
    """The same rule, by a read of its own, before the item is known."""

    def __init__(self, world: World) -> None:
        self.world = world

    def is_member(self, user: Any, project: str) -> bool:
        try:
            return bool(self.world.member.get(project, user.uuid, consistent_read=True).role == "member")
        except self.world.member.DoesNotExist:
            return False

    def has_permission(self, user: Any, method: str, request: Any) -> bool:
        return self.is_member(user, request.path_params["project"])


class ByItem(ByPath):
    """The same, by what the item says."""

    def has_permission(self, user: Any, method: str, request: Any) -> bool:
        return True

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return self.is_member(user, instance.team)


class Author(OwnedBy):
    def __init__(self) -> None:
        super().__init__("author")

    def binding(self) -> Any:
        return {}


COMPOSED: dict[str, Callable[[Any], Any]] = {
    "alone": lambda one: one,
    "and": lambda one: one & Author(),
    "or": lambda one: Author() | one,
    "not": lambda one: ~one,
    "not and": lambda one: ~one & IsAuthenticated(),
    "or all": lambda one: HasPermission("admin") | (one & Author()) | ~(one | Author()),
}


@pytest.mark.parametrize("late", [False, True], ids=["path", "item"])
@pytest.mark.parametrize("composed", COMPOSED.values(), ids=COMPOSED)
def test_it_decides_as_the_same_rule_in_python(world: World, composed: Any, late: bool) -> None:
    """Every verb, for members, authors, both and neither."""
    key = {"project": "team" if late else "project", "user": Claim("uuid")}
    outcomes = []
    for rule in (
        composed(Through(world.member, key, where=world.member.role == "member")),
        composed(ByItem(world) if late else ByPath(world)),
    ):
        client = world.served(rule)
        found = {}
        for user in (ALICE, BOB, EVE):
            for name, (method, path, body) in REQUESTS.items():
                world.join("alice"), world.join("bob"), world.join("eve", role="guest"), world.put_task()
                key_b = {"project": {"S": "1"}, "id": {"S": "b"}}
                dynamodb_call("delete_item", TableName=world.task.Meta.table_name, Key=key_b)
                if late:
                    path = path.replace("/projects/1/tasks", "/tasks/1").replace(
                        "/projects/2/tasks", "/tasks/2"
                    )
                result = client.request(method, path, json=body, user=user)
                shown = result.json if result.status < 300 and result.body else None
                shown = shown.get("items", shown) if isinstance(shown, dict) else shown
                if isinstance(shown, dict):
                    shown = {n: v for n, v in shown.items() if n != "version"}
                found[user.uuid, name] = (result.status, shown if name != "list" else len(shown or ()))
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("verb", ["create", "update", "replace", "delete"])
@pytest.mark.parametrize("composed", ["alone", "and", "or"])
def test_a_role_that_is_taken_away_refuses_a_write_under_way(world: World, verb: str, composed: str) -> None:
    client = world.served(COMPOSED[composed](world.through(where=world.member.role == "member")))
    if composed == "or":  # not by authorship
        item = {"project": {"S": "1"}, "id": {"S": "a"}, "author": {"S": "bob"}, "version": {"N": "1"}}
        dynamodb_call("put_item", TableName=world.task.Meta.table_name, Item=item)
    before = stored(world.task.Meta.table_name)
    method, path, body = REQUESTS[verb]
    body = {**body, "author": "alice" if composed == "and" else "bob"} if verb == "create" else body
    for change in (world.leave, lambda: world.join("alice", role="guest")):
        world.join("alice")
        with meanwhile(change):
            assert client.request(method, path, json=body).status in (403, 404)
        assert stored(world.task.Meta.table_name) == before


def test_without_atomic_it_is_read_before(world: World) -> None:
    client = world.served(world.through(atomic=False))
    with counted() as calls:
        assert client.delete(TASK).status == 204
    assert names(calls) == ["GetItem", "DeleteItem"]
    world.leave()
    assert_problem(client.post(TASKS, json={"id": "c"}), 403)


@pytest.mark.parametrize("state", ["none", "expired", "other role", "unreadable"])
def test_who_has_none_is_refused_whether_or_not_there_is_such_an_item(world: World, state: str) -> None:
    client = world.served(world.through(where=world.member.role == "member"))
    world.leave()
    if state == "expired":
        world.join("alice", until={"N": "1"})
    if state == "other role":
        world.join("alice", role="guest")
    if state == "unreadable":
        world.join("alice", until={"N": "99999999999999999"})
    for path in (TASK, "/projects/1/tasks/none"):
        assert_problem(client.get(path), 403)
    assert_problem(client.get(TASKS), 403)
    if state == "unreadable":
        return  # a write is conditional on what DynamoDB sees of it
    for path in (TASK, "/projects/1/tasks/none"):
        assert_problem(client.delete(path), 403)
    assert_problem(client.post(TASKS, json={"id": "b"}), 403)
    assert_problem(client.post(TASKS, json={"text": 5}), 403)


def test_where_by_method(world: World) -> None:
    admin = world.member.role == "admin"
    client = world.served(
        world.through(where={"delete": admin, "create": None, "*": world.member.role != "guest"})
    )
    assert_problem(client.delete(TASK), 403)
    assert client.post(TASKS, json={"id": "b"}).status == 201
    world.join("alice", role="admin")
    assert client.delete(TASK).status == 204
    only = world.served(world.through(where={"retrieve": None}))
    assert (only.get(TASK).status, only.get(TASKS).status) == (200, 403)


def test_its_own_related_item_is_one_action(world: World) -> None:
    """A membership that lets its user write memberships, its own among them."""
    pm = PolyMicro()
    rule = Through(
        world.member, {"project": "project", "user": Claim("uuid")}, where=world.member.role == "admin"
    )
    base = {"model": world.member, "route": "projects/{project}/members", "permissions": rule}
    type("Members", (ModelResource, Create, Retrieve, Update, Delete), base)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    world.join("alice", role="admin"), world.join("bob")
    assert client.patch("/projects/1/members/bob", json={"role": "guest"}).status == 200
    with meanwhile(lambda: world.join("alice", role="member")):
        assert client.patch("/projects/1/members/alice", json={"role": "x"}).status == 403
    world.join("alice", role="admin")
    assert client.delete("/projects/1/members/alice").status == 204
    assert_problem(client.delete("/projects/1/members/bob"), 403)


def test_actions_and_transactions_carry_it(world: World) -> None:
    def close(self: Any, instance: Any, req: Any) -> Any:
        if req.get("both"):
            with self.store.transaction() as write:
                write.update(instance, {"text": "closed"})
                write.create(world.task, {"project": instance.project, "id": "copy"})
            return None
        return self.store.update(instance, {"text": "closed"})

    client = world.served(world.through(), close=action()(close))
    for body in ({}, {"both": True}):
        with counted() as calls:
            assert client.post(TASK + "/close", json=body).status < 300
        assert names(calls)[:2] == ["BatchGetItem", "TransactWriteItems"]
        before = stored(world.task.Meta.table_name)
        with meanwhile(world.leave):
            assert_problem(client.post(TASK + "/close", json=body), 403)
        assert stored(world.task.Meta.table_name) == before
        world.join("alice")


def test_a_transaction_that_itself_is_about_the_related_item(world: World) -> None:
    """DynamoDB takes one action an item: what the rule asks of it joins the transaction's own."""

    def act(self: Any, instance: Any, req: Any, user: User) -> Any:
        key = Key(world.member, instance.project, req["member"])
        with self.store.transaction() as write:
            write.update(instance, {"text": req["how"]})
            if req["how"] == "check":
                write.check(key, world.member.role.exists(), otherwise="Nobody.")
            elif req["how"] == "leave":
                write.delete(key)
            else:
                write.update(key, {"role": "admin"})

    client = world.served(world.through(where=world.member.role == "member"), act=action()(act))
    for how in ("check", "promote"):
        for member in ("alice", "bob"):
            world.join("alice"), world.join("bob")
            said = {"member": member, "how": how}
            with counted() as calls:
                assert client.post(TASK + "/act", json=said).status == 204
            assert names(calls) == ["BatchGetItem", "TransactWriteItems"]
            world.join("alice")
            with meanwhile(lambda: world.join("alice", role="guest")):
                assert_problem(client.post(TASK + "/act", json=said), 403)
            world.join("alice")
    with meanwhile(lambda: world.leave("bob")):
        assert client.post(TASK + "/act", json={"member": "bob", "how": "check"}).json["detail"] == "Nobody."
    assert client.post(TASK + "/act", json={"member": "alice", "how": "leave"}).status == 204
    assert_problem(client.get(TASK), 403)


def test_what_a_verb_requires_is_asked_in_the_same_transaction(world: World) -> None:
    """Of who may not do it no requirement is told; of who may the requirement is told, and nothing is written."""

    def close(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"text": "closed"})

    said = {"requires": world.task.text == "x", "otherwise": "It is closed already."}
    client = world.served(world.through(), close=action(**said)(close))
    before = stored(world.task.Meta.table_name)
    with meanwhile(world.leave):
        assert_problem(client.post(TASK + "/close"), 403)
    assert stored(world.task.Meta.table_name) == before
    world.join("alice")
    with counted() as calls:
        assert client.post(TASK + "/close").json["text"] == "closed"
    assert names(calls) == ["BatchGetItem", "TransactWriteItems", "GetItem"]
    assert client.post(TASK + "/close").json["detail"] == "It is closed already."
    assert_problem(client.post(TASK + "/close", user=BOB), 403)


def test_two_rules_about_one_related_item(world: World) -> None:
    """Those of the items of one transaction ask for different roles, and one membership answers both."""
    member = world.member
    rule = world.through() & (OwnedBy("team") | world.through(where=member.role == "member"))

    def copy(self: Any, instance: Any) -> Any:
        with self.store.transaction() as write:
            write.update(instance, {"text": "copied"})
            return write.create(world.task, {"project": "1", "id": "b", "author": "alice", "team": "alice"})

    client = world.served(rule, copy=action()(copy))
    with meanwhile(lambda: world.join("alice", role="guest")):
        assert_problem(client.post(TASK + "/copy"), 403)
    assert len(stored(world.task.Meta.table_name)) == 1
    world.join("alice")
    assert client.post(TASK + "/copy").json["id"] == "b"
    assert client.get(TASK).json["text"] == "copied"


def test_who_is_no_member_yet_may_join(world: World) -> None:
    pm = PolyMicro()
    rule = ~world.through() & OwnedBy("user")
    base = {
        "model": world.member,
        "route": "projects/{project}/members",
        "permissions": {"create": rule, "*": IsAuthenticated},
    }
    type("Members", (ModelResource, Create, Retrieve), base)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    assert client.post("/projects/1/members", json={}).status == 201
    assert client.post("/projects/1/members", json={}).status in (403, 409)


def test_what_is_shown_of_a_write_is_read_with_the_item(world: World) -> None:
    """Where another role lets its user read than write, that costs no call more."""
    readers, writers = (
        world.through(where=world.member.role.is_in(*one)) for one in (("member", "guest"), ("member",))
    )
    client = world.served({"retrieve": readers, "*": writers})
    with counted() as calls:
        assert client.patch(TASK, json={"text": "y"}).json["text"] == "y"
    assert names(calls) == ["TransactWriteItems", "BatchGetItem"]
    client = world.served({"retrieve": readers & ~writers, "*": writers})
    with counted() as calls:
        assert (client.patch(TASK, json={"text": "z"}).status, names(calls)[0]) == (204, "TransactWriteItems")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("GET", TASK, None), ["BatchGetItem"]),
        (("GET", TASKS, None), ["GetItem", "Query"]),
        (("GET", TASKS + "?limit=1", None), ["GetItem", "Query"]),
        (("GET", TASK + "?fields=text", None), ["GetItem", "GetItem"]),
        (("PATCH", TASK, {"author": "bob"}), ["TransactWriteItems", "BatchGetItem"]),
        (("POST", TASK + "/close", None), ["BatchGetItem", "TransactWriteItems", "GetItem"]),
        (("DELETE", TASK, None), ["TransactWriteItems"]),
    ],
    ids=str,
)
def test_the_rule_of_a_field_costs_no_call_where_that_of_the_resource_has_read(
    world: World, asked: tuple[str, str, Any], expected: list[str]
) -> None:
    def close(self: Any, instance: Any, user: User) -> Any:
        return self.update(instance, {"author": "bob"}, user)

    members = world.through(where=world.member.role == "member")
    client = world.served(world.through(), field_permissions={"text": members}, close=action()(close))
    method, path, body = asked
    with counted() as calls:
        result = client.request(method, path, json=body)
    assert (result.status < 300, names(calls)) == (True, expected)
    if method != "DELETE":
        (shown,) = result.json.get("items", [result.json])
        assert shown["text"] == "x"
        world.join("alice", role="guest")
        world.put_task()
        hidden = client.request(method, path, json=body)
        assert "fields" in path or "text" not in hidden.json.get("items", [hidden.json])[0]


def test_other_items_than_the_paths_are_judged_by_their_own_related_items(world: World) -> None:
    """Where the path says the key of the related item, that is true of the path's own items alone."""
    member, task = world.member, world.task

    def everyone(self: Any) -> Any:
        return {"alone": task.get("2", "b"), "all": [task.get("1", "a"), task.get("2", "b")]}

    def other(self: Any) -> Any:
        return task.get("2", "b")

    def write(self: Any, req: Any) -> Any:
        act = {
            "update": lambda: self.store.update(task.get("2", "b"), {"text": "z"}),
            "delete": lambda: self.store.delete(task.get("2", "b")),
            "create": lambda: self.store.create({"project": "2", "id": "c"}),
        }
        return act[req["how"]]()

    def together(self: Any, req: Any) -> Any:
        with self.store.transaction() as write:
            if req["how"] == "create":
                write.create(task, {"project": "2", "id": "c"})
            else:
                getattr(write, req["how"])(Key(task, "2", "b"), *[{"text": "z"}] * (req["how"] == "update"))

    get = {"detail": False, "methods": ("GET",)}
    members: dict[str, Any] = {
        "everyone": action(**get)(everyone),
        "other": action(**get)(other),
        "write": action(detail=False)(write),
        "together": action(detail=False)(together),
        "list": lambda self: [*task.scan()],
        "field_permissions": {"text": world.through(where=member.role == "admin")},
    }
    client = world.served(world.through(), **members)
    world.put_task(project="2", task="b")
    before = stored(task.Meta.table_name)
    own = [{"project": "1", "id": "a", "author": "alice", "team": "1", "version": 1}]
    assert client.get(TASKS).json["items"] == own
    assert client.get(TASKS + "/everyone").json == {"alone": None, "all": [*own, None]}
    assert_problem(client.get(TASKS + "/other"), 404)
    for how in ("update", "delete", "create"):
        for path in ("/write", "/together"):
            assert client.post(TASKS + path, json={"how": how}).status in (403, 404), (how, path)
    assert stored(task.Meta.table_name) == before

    world.join("alice", project="2", role="admin")
    shown = [{"project": "2", "id": "b", "text": "x", "author": "alice", "team": "1", "version": 1}, *own]
    assert sorted(client.get(TASKS).json["items"], key=str) == sorted(shown, key=str)
    assert client.get(TASKS + "/other").json == shown[0]
    assert client.post(TASKS + "/write", json={"how": "update"}).json["text"] == "z"
    with meanwhile(lambda: world.leave(project="2")):
        assert client.post(TASKS + "/write", json={"how": "update"}).status in (403, 404)
    world.join("alice", project="2", role="admin")
    assert client.post(TASKS + "/together", json={"how": "create"}).status == 204


def test_a_list_reads_each_related_item_once(world: World) -> None:
    """Where the key hangs on the rows, a page reads all of theirs by one call."""

    class Friend(Model):
        class Meta:
            table_name = f"{world.task.Meta.table_name}f"

        author = UnicodeAttribute(hash_key=True)
        user = UnicodeAttribute(range_key=True)

    client = world.served(Through(Friend, {"author": "author", "user": Claim("uuid")}))
    for number in range(6):
        item = {"project": {"S": "1"}, "id": {"S": f"n{number}"}, "author": {"S": f"u{number % 3}"}}
        dynamodb_call("put_item", TableName=world.task.Meta.table_name, Item=item)
    Friend("u1", "alice").save()
    with counted() as calls:
        shown = [one["id"] for one in client.get(TASKS).json["items"]]
    assert (shown, names(calls)) == (["n1", "n4"], ["Query", "BatchGetItem"])
    assert_problem(client.get("/projects/1/tasks/n0"), 404)
    assert client.patch("/projects/1/tasks/n1", json={"text": "z"}).status == 200
    assert_problem(client.patch("/projects/1/tasks/n1", json={"author": "u2"}), 403)


@pytest.mark.parametrize("how", ["list", "iterator", "page", "action", "nested"])
def test_a_collection_of_ones_own_reads_each_related_item_once(world: World, how: str) -> None:
    """What a verb of one's own returns costs no call for each row."""

    def rows() -> Any:
        return world.task.batch_get([("1", f"n{number}") for number in range(6)])

    def listed(self: Any, user: Any) -> Any:
        return {"list": lambda: list(rows()), "iterator": rows, "page": lambda: (list(rows()), {}, None)}[
            how
        ]()

    @action(detail=False, methods=("GET",))
    def some(self: Any) -> Any:
        return list(rows()) if how == "action" else {"some": list(rows())}

    rule = Through(world.member, {"project": "team", "user": Claim("uuid")})
    own = {"list": listed} if how in ("list", "iterator", "page") else {"some": some}
    client = world.served(rule, **own)
    for number in range(6):
        item = {"project": {"S": "1"}, "id": {"S": f"n{number}"}, "team": {"S": str(number % 3)}}
        dynamodb_call("put_item", TableName=world.task.Meta.table_name, Item=item)
    with counted() as calls:
        shown = client.get(TASKS if own.keys() == {"list"} else f"{TASKS}/some").json
    found = shown if how == "action" else shown["some" if how == "nested" else "items"]
    assert sorted(one["id"] for one in found if one) == ["n1", "n4"]
    assert names(calls) == ["BatchGetItem", "BatchGetItem"]


def test_rows_of_other_paths_name_their_related_items(world: World) -> None:
    def listed(self: Any, user: Any) -> Any:
        return list(world.task.batch_get([(str(number), "a") for number in range(4)]))

    client = world.served(world.through(), list=listed)
    for number in range(4):
        world.put_task(str(number))
    world.join("alice", project="3")
    with counted() as calls:
        shown = [one["project"] for one in client.get(TASKS).json["items"]]
    assert (sorted(shown), names(calls)) == (["1", "3"], ["GetItem", "BatchGetItem", "BatchGetItem"])


def test_the_rules_of_fields(world: World) -> None:
    admins = world.through(where=world.member.role == "admin")
    client = world.served(world.through(), field_permissions={"text": admins})
    assert "text" not in client.get(TASK).json
    assert_problem(client.patch(TASK, json={"text": "z"}), 422, "#/text")
    world.join("alice", role="admin")
    assert client.patch(TASK, json={"text": "z"}).json["text"] == "z"


@pytest.mark.thorough(but=("*-update*",))
@pytest.mark.parametrize("verb", ["create", "update", "delete", "close"])
@pytest.mark.parametrize("composed", ["alone", "or"])
def test_no_schedule_writes_after_a_revocation(world: World, composed: str, verb: str) -> None:
    def close(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"text": "closed"})

    client = world.served(COMPOSED[composed](world.through()), close=action()(close))
    pm = PolyMicro()
    base = {"model": world.member, "route": "members", "permissions": IsAuthenticated}
    type("Members", (ModelResource, Delete), base)(pm)
    admin = Caller(pm.compile(), user=ALICE)
    requests = {**REQUESTS, "close": ("POST", TASK + "/close", None)}
    method, path, body = requests[verb]
    if composed == "or":
        item = {"project": {"S": "1"}, "id": {"S": "a"}, "author": {"S": "bob"}, "version": {"N": "1"}}
        dynamodb_call("put_item", TableName=world.task.Meta.table_name, Item=item)
    assert_serializable(
        client,
        lambda: admin.delete("/members/1/alice"),
        lambda: client.request(method, path, json=body),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda world: Through(world.member, {"project": "project"}),
        lambda world: Through(world.member, {"project": "project", "uuid": "author"}),
        lambda world: Through(world.member, {"project": "project", "user": 5}),
        lambda world: Through("Member", {"project": "project"}),
        lambda world: world.through(where=world.task.text == "x"),
        lambda world: world.through(where={"delete": True}),
        lambda world: Claim(5),
        lambda world: world.served(Through(world.member, {"project": "prject", "user": Claim("uuid")})),
        lambda world: world.served(
            Through(world.member, {"project": "labels", "user": Claim("uuid")}),
            model=type("Labelled", (world.task,), {"labels": UnicodeSetAttribute(null=True)}),
        ),
        lambda world: world.served(world.through(where={"delte": world.member.role == "admin", "*": None})),
        lambda world: world.served(
            IsAuthenticated, field_permissions={"text": world.through(where={"updat": None, "*": None})}
        ),
        lambda world: world.served(
            IsAuthenticated,
            field_permissions={"text": Through(world.member, {"project": "athor", "user": Claim("uuid")})},
        ),
    ],
)
def test_what_can_be_no_key_does_not_compile(world: World, make: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Through|Claim"):
        make(world)


def test_a_rule_of_several_resources_names_the_actions_of_each(world: World) -> None:
    """`where` has entries that this resource has no verb for; only a slip of one that it has is refused."""
    client = world.served(world.through(where={"archive": world.member.role == "admin", "*": None}))
    assert client.get(TASK).status == 200


def test_a_claim_that_is_a_number(dynamodb: None, table_name: str) -> None:
    class Seat(Model):
        class Meta:
            pass

        number = NumberAttribute(hash_key=True)

    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)

    Note.Meta.table_name, Seat.Meta.table_name = table_name, f"{table_name}s"  # type: ignore[attr-defined]
    pm = PolyMicro()
    base = {"model": Note, "route": "notes", "permissions": Through(Seat, {"number": Claim("seat")})}
    type("Notes", (ModelResource, Create, Retrieve), base)(pm)
    client = Caller(pm.compile())
    create_tables(pm)
    Seat(7).save()
    for claim, status in ((7, 201), ("7", 409), ("x", 403), (None, 403), ([7], 403), (True, 403)):
        user = User("a", claims={"seat": claim})
        assert client.post("/notes", json={"id": "1"}, user=user).status == status, claim
