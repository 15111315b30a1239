"""``unique``: no two items have the same value, whatever is raced, lost, expired or written past the package."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from contract import (
    ALICE,
    BOB,
    REQUEST_ID,
    WRITES,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    every_form,
    failing,
    meanwhile,
    names,
    stored,
    watched,
)
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    HasPermission,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    PrefixedAttribute,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.backfill import mark
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.deploy.tables import logical_id
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.testing import FakeContext, assert_permission_matrix

Make = Callable[..., Caller]
KEY = {"Idempotency-Key": "k1"}
TAKEN = {"pointer": "#/email", "detail": "This value is taken."}


def member(table: str, *, versioned: bool = False) -> type[Model]:
    """A model with what can be unique: alone, with the tenant, as a number."""

    class Member(Model):
        class Meta:
            table_name = table

        tenant = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        email = UnicodeAttribute(null=True, attr_name="e")
        badge = NumberAttribute(null=True)
        name = UnicodeAttribute(null=True)
        expires = TTLAttribute(null=True)

    if versioned:

        class Versioned(Member):
            class Meta:
                table_name = table

            version = VersionAttribute()

        return Versioned
    return Member


class Own:
    """Verbs of a resource's own."""

    store: Any

    @action()
    def rename(self, instance: Any, req: Any) -> Any:
        return self.store.update(instance, {"email": req["email"]})

    @action(detail=False)
    def first_free(self, req: Any) -> Any:
        for email in req["emails"]:
            try:
                return self.store.create({"tenant": "t", "id": email, "email": email})
            except Conflict:
                continue
        return {"none": True}


both = pytest.mark.parametrize("members", ["plain", "versioned"], indirect=True)


@pytest.fixture
def members(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/members``, of which no two have the same email."""
    model = member(table_name, versioned=getattr(request, "param", "") == "versioned")
    idempotency = Idempotency(table=f"{table_name}_keys")

    def make(*bases: Any, settings: Any = None, **body: Any) -> Caller:
        pm = PolyMicro(idempotency=idempotency, cursor_secret="s", **settings or {})
        members = {"model": model, "route": "members", "permissions": AllowAny, "unique": "email", **body}
        type(
            "Members",
            (*bases, ModelResource, Create, List, Retrieve, Update, Delete),
            {"scan": True} | members,
        )(pm)
        client = Caller(pm.compile(), user=ALICE)
        client.app_ = pm  # type: ignore[attr-defined]
        create_tables(pm)
        return client

    return make


def post(client: Caller, number: str, email: Any = None, *, tenant: str = "t", **more: Any) -> Any:
    options = {name: more.pop(name) for name in ("headers", "context", "source") if name in more}
    body = {"tenant": tenant, "id": number, **({} if email is None else {"email": email}), **more}
    return client.post("/members", json=body, **options)


def marks(table: str) -> list[str]:
    """The items that have reservations, each as often as it has some."""
    return sorted(one["item"]["M"]["id"]["S"] for one in stored(f"{table}_unique"))


# --- each verb ---------------------------------------------------------------------------------------------------


@every_form
def test_a_taken_value_is_a_conflict(members: Make, table_name: str, form: dict[str, Any]) -> None:
    client = members()
    assert post(client, "1", "a").status == 201
    result = client.request("POST", "/members", json={"tenant": "u", "id": "2", "email": "a"}, **form)
    assert_problem(result, 409, "#/email")
    assert (result.json["errors"], "u" in result.json, marks(table_name)) == ([TAKEN], False, ["1"])
    assert [item["id"]["S"] for item in stored(table_name)] == ["1"]


@both
def test_every_write(members: Make, table_name: str) -> None:
    """Changed, cleared, said again, deleted: a value is free as soon as its item is without."""
    client = members()
    one, two = "/members/t/1", "/members/t/2"
    post(client, "1", "a"), post(client, "2")
    assert_problem(client.patch(two, json={"email": "a"}), 409, "#/email")
    assert client.patch(two, json={"email": "b", "name": "x"}).json["email"] == "b"
    assert_problem(client.patch(one, json={"email": "b"}), 409, "#/email")
    assert client.patch(one, json={"email": "a", "name": "same"}).json["name"] == "same"
    assert client.patch(one, json={"email": None}).json["email"] is None
    assert client.patch(two, json={"email": "a"}).status == 200
    assert client.put(one, json={"email": "b"}).json["email"] == "b"
    assert client.put(one, json={"name": "n"}).json["email"] is None
    assert (marks(table_name), client.delete(two).status) == (["2"], 204)
    assert (marks(table_name), post(client, "3", "a").status, marks(table_name)) == ([], 201, ["3"])


@both
def test_what_is_answered_is_what_is_there(members: Make) -> None:
    """Without a read after the write: the item and its tag."""
    client = members()
    post(client, "1", "a")
    changed = client.patch("/members/t/1", json={"email": "b"})
    read = client.get("/members/t/1")
    assert (changed.json, changed.headers["etag"]) == (read.json, read.headers["etag"])


@both
def test_calls(members: Make) -> None:
    """A write that touches no unique value makes the calls that it makes without."""
    client = members()
    for write, called in {
        lambda: post(client, "1", "a"): ["TransactWriteItems"],
        lambda: post(client, "2"): ["PutItem"],
        lambda: client.patch("/members/t/1", json={"name": "x"}): ["UpdateItem"],
        lambda: client.patch("/members/t/1", json={"email": "a"}): ["GetItem", "UpdateItem"],
        lambda: client.patch("/members/t/1", json={"email": "b"}): ["GetItem", "TransactWriteItems"],
        lambda: client.patch("/members/t/2", json={"email": "b"}): [
            "GetItem",
            "TransactWriteItems",
            "GetItem",
        ],
        lambda: client.delete("/members/t/1"): ["GetItem", "TransactWriteItems"],
        lambda: client.delete("/members/t/2"): ["GetItem", "DeleteItem"],
    }.items():
        with counted() as calls:
            write()
        assert names(calls) == called


def test_a_taken_key_is_told_before_a_taken_value(members: Make) -> None:
    client = members()
    post(client, "1", "a")
    result = post(client, "1", "a")
    assert_problem(result, 409)
    assert result.json["detail"] == "There is an item with this key already."


def test_composite(members: Make) -> None:
    client = members(unique=(("tenant", "email"), "badge"))
    assert post(client, "1", "a", badge=1).status == 201
    assert post(client, "2", "a", tenant="u").status == 201
    assert_problem(post(client, "3", "a"), 409, "#/email")
    both = post(client, "3", "a", badge=1.0)
    assert both.json["errors"] == [
        {"pointer": "#/email", "detail": "This combination of tenant and email is taken."},
        {"pointer": "#/badge", "detail": "This value is taken."},
    ]
    assert client.patch("/members/t/1", json={"badge": 2}).status == 200
    assert post(client, "4", "b", badge=1).status == 201


def test_a_sort_key_can_be_unique_over_all_partitions(members: Make) -> None:
    client = members(unique="id")
    assert [post(client, "1").status, post(client, "1", tenant="u").status] == [201, 409]
    assert [client.delete("/members/t/1").status, post(client, "1", tenant="u").status] == [204, 201]


def test_verbs_of_the_resources_own(members: Make, table_name: str) -> None:
    class Lower(Create, Update):
        def create(self, req: Any, user: Any) -> Any:
            req["email"] = req["email"].lower()
            return super().create(req, user)

        def update(self, instance: Any, req: Any, user: Any) -> Any:
            return super().update(instance, req | {"email": req["email"].lower()}, user)

    client = members(Lower, Own)
    assert [post(client, "1", "A").status, post(client, "2", "a").status] == [201, 409]
    assert post(client, "2", "b").status == 201
    assert client.patch("/members/t/2", json={"email": "A"}).status == 409
    assert client.post("/members/t/2/rename", json={"email": "a"}).status == 409
    assert client.post("/members/t/2/rename", json={"email": "c"}).json["email"] == "c"
    assert client.post("/members/first_free", json={"emails": ["a", "c", "d"]}).json["id"] == "d"
    assert marks(table_name) == ["1", "2", "d"]


# --- under a rule, a precondition, an idempotency key -------------------------------------------------------------


def test_a_hidden_item_is_missing_whatever_it_is_sent(members: Make, table_name: str) -> None:
    client = members(permissions=OwnedBy("tenant"))
    client.post("/members", json={"id": "1", "email": "a"})
    client.post("/members", json={"id": "2", "email": "b"}, user=BOB)
    hidden, missing = (client.patch(f"/members/{n}", json={"email": "a"}, user=BOB) for n in "19")
    assert (hidden.status, hidden.body) == (404, missing.body)
    assert [client.delete("/members/1", user=BOB).status, marks(table_name)] == [404, ["1", "2"]]
    assert_problem(client.patch("/members/2", json={"email": "a"}, user=BOB), 409, "#/email")


def test_an_opaque_rule_and_field_rules(members: Make) -> None:
    class Named(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return instance.name != "locked"

    client = members(permissions=Named, field_permissions={"email": {"write": HasPermission("therapist")}})
    post(client, "1", "a"), post(client, "2", "b")
    assert client.patch("/members/t/1", json={"email": "c", "name": "locked"}).status == 403
    assert client.patch("/members/t/1", json={"email": "c"}).status == 200
    assert client.patch("/members/t/2", json={"email": "a"}).status == 200
    assert_problem(client.patch("/members/t/2", json={"email": "c"}), 409, "#/email")


@both
def test_preconditions(members: Make, table_name: str) -> None:
    client = members()
    old = post(client, "1", "a").headers["etag"]
    new = client.patch("/members/t/1", json={"email": "b"}, headers={"If-Match": old})
    assert new.status == 200
    late = client.patch("/members/t/1", json={"email": "c"}, headers={"If-Match": old})
    assert (late.status, late.json["current"]["email"]) == (412, "b")
    assert client.delete("/members/t/1", headers={"If-Match": old}).status == 412
    assert client.delete("/members/t/1", headers={"If-Match": new.headers["etag"]}).status == 204
    assert marks(table_name) == []


def test_with_an_idempotency_key(members: Make, table_name: str) -> None:
    client = members()
    first, again = (post(client, "1", "a", headers=KEY) for _ in range(2))
    assert (first.status, again.body, again.headers["idempotency-replayed"]) == (201, first.body, "true")
    assert_problem(post(client, "2", "a", headers={"Idempotency-Key": "k2"}), 409, "#/email")
    assert post(client, "2", "b", headers={"Idempotency-Key": "k2"}).status == 201
    assert (marks(table_name), len(stored(table_name))) == (["1", "2"], 2)


def test_a_try_after_a_conflict_is_journaled_too(members: Make, table_name: str) -> None:
    """What was refused is told to no record, so that the next create of the verb finds its place there."""
    client = members(Own, idempotent=("create", "first_free"))
    post(client, "1", "a")
    results = [client.post("/members/first_free", json={"emails": ["a", "b"]}, headers=KEY) for _ in range(2)]
    assert [(one.status, one.json["id"]) for one in results] == [(200, "b"), (200, "b")]
    assert marks(table_name) == ["1", "b"]


# --- raced and lost ----------------------------------------------------------------------------------------------


def test_a_value_taken_meanwhile(members: Make, table_name: str) -> None:
    client = members()
    post(client, "1")
    with meanwhile(lambda: post(client, "2", "a")):
        assert_problem(client.patch("/members/t/1", json={"email": "a"}), 409, "#/email")
    with meanwhile(lambda: post(client, "3", "b")):
        assert_problem(post(client, "4", "b"), 409, "#/email")
    assert marks(table_name) == ["2", "3"]


@pytest.mark.thorough(but=("*-versioned",))
@both
@pytest.mark.parametrize(
    ("writer", "request_", "status", "left"),
    [
        ({"email": "z"}, {"email": "b"}, 200, ["1"]),
        ({"email": "z"}, {"email": "a"}, 200, ["1"]),
        ({"email": None}, {"email": "a"}, 200, ["1"]),
        ({"name": "z"}, {"email": None}, 200, []),
        ({"email": "z"}, None, 204, []),
    ],
    ids=["change", "same", "cleared", "clear", "delete"],
)
def test_the_item_changes_meanwhile(
    members: Make, table_name: str, writer: Any, request_: Any, status: int, left: list[str]
) -> None:
    """The reservations are always those of what the item holds."""
    client = members()
    post(client, "1", "a", name="n")
    with meanwhile(lambda: client.patch("/members/t/1", json=writer)):
        path = "/members/t/1"
        result = client.delete(path) if request_ is None else client.patch(path, json=request_)
    assert (result.status, marks(table_name)) == (status, left)
    free = [email for email in "abz" if post(client, f"new-{email}", email).status == 201]
    held = {"b": "b", "a": "a", None: ""}[request_["email"] if request_ else None]
    assert free == [email for email in "abz" if email != held]


@pytest.mark.thorough(but=("*-plain",))
@both
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_lost_answer(members: Make, table_name: str, verb: str, late: bool) -> None:
    client, left = members(), [ReadTimeoutError(endpoint_url="dynamodb")]
    if verb != "create":
        post(client, "1", "a")

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems" and left:
            if late:
                call()
            raise left.pop()
        return call()

    path = "/members/t/1"
    with watched(act):
        result = {
            "create": lambda: post(client, "1", "b"),
            "update": lambda: client.patch(path, json={"email": "b"}),
            "delete": lambda: client.delete(path),
        }[verb]()
    done = {"create": 201, "update": 200, "delete": 204}[verb]
    assert result.status == (done if late else 503)
    assert ("retry-after" in result.headers) is not late
    there = late is (verb != "delete") or (verb == "update")
    assert marks(table_name) == (["1"] if there else [])


def canceled(*codes: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "canary"},
            "CancellationReasons": [{"Code": code, "Message": "canary"} for code in codes],
        },
        "TransactWriteItems",
    )


@pytest.mark.parametrize(
    ("codes", "times", "status", "tries"),
    [
        (("TransactionConflict", "None"), 2, 201, 3),
        (("None", "TransactionConflict"), 9, 409, 3),
        (("ThrottlingError", "None"), 9, 503, 1),
        (("None", "ProvisionedThroughputExceeded"), 9, 503, 1),
        (("ValidationError", "None"), 9, 500, 1),
    ],
    ids=["conflict", "conflicts", "throttled", "capacity", "fault"],
)
def test_a_transaction_that_is_canceled(
    members: Make, codes: tuple[str, ...], times: int, status: int, tries: int
) -> None:
    client, left = members(), [canceled(*codes) for _ in range(times)]

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems" and left:
            raise left.pop()
        return call()

    with watched(act) as calls:
        result = post(client, "1", "a")
    assert (result.status, names(calls).count("TransactWriteItems")) == (status, tries)
    assert ("retry-after" in result.headers) is (status in (409, 503))


def test_too_little_time(members: Make, table_name: str) -> None:
    client = members()
    context = FakeContext(aws_request_id=REQUEST_ID, timeout=1.0)
    assert_problem(post(client, "1", "a", context=context), 503)
    assert (stored(table_name), marks(table_name)) == ([], [])


@pytest.mark.real_engine
@both
def test_many_at_once(members: Make, table_name: str) -> None:
    """Six writers create, change and delete four items with three values: each value is one item's at the end.

    Not under moto, which writes the parts of a transaction one after the other.
    """
    client = members()

    def write(writer: int) -> set[int]:
        random, statuses = Random(writer), set()
        for _ in range(25):
            number, email = random.choice("1234"), random.choice(["a", "b", "c", None])
            act = random.choice(("create", "update", "delete"))
            if act == "create":
                result = post(client, number, email)
            elif act == "update":
                result = client.patch(f"/members/t/{number}", json={"email": email, "name": str(writer)})
            else:
                result = client.delete(f"/members/t/{number}")
            statuses.add(result.status)
        return statuses

    with ThreadPoolExecutor(6) as pool:
        statuses = set().union(*pool.map(write, range(6)))
    assert statuses <= {200, 201, 204, 404, 409}
    held = {item["id"]["S"]: item["e"]["S"] for item in stored(table_name) if "e" in item}
    assert (len(set(held.values())), marks(table_name)) == (len(held), sorted(held))
    free = {email for email in "abc" if post(client, f"new-{email}", email).status == 201}
    assert free == set("abc") - set(held.values())


# --- reservations that were left behind ---------------------------------------------------------------------------


def test_an_expired_item_has_no_claim(members: Make, table_name: str) -> None:
    client = members()
    past, future = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (-1, 1))
    post(client, "1", "a", expires=past), post(client, "2", "b", expires=future)
    assert [post(client, "3", "a").status, post(client, "4", "b").status] == [201, 409]
    assert marks(table_name) == ["2", "3"]


@pytest.mark.parametrize("verb", ["create", "update"])
@pytest.mark.parametrize("how", ["deleted", "changed"])
def test_written_past_the_package(members: Make, table_name: str, verb: str, how: str) -> None:
    """A reservation whose item is gone or has another value is in nobody's way."""
    client = members()
    post(client, "1", "a"), post(client, "2")
    key = {"tenant": {"S": "t"}, "id": {"S": "1"}}
    if how == "deleted":
        dynamodb_call("delete_item", TableName=table_name, Key=key)
    else:
        dynamodb_call("put_item", TableName=table_name, Item={**key, "e": {"S": "z"}})
    result = post(client, "3", "a") if verb == "create" else client.patch("/members/t/2", json={"email": "a"})
    assert (result.status, marks(table_name)) == (
        {"create": 201, "update": 200}[verb],
        ["3" if verb == "create" else "2"],
    )
    assert_problem(post(client, "4", "a"), 409, "#/email")


def test_a_reservation_is_not_cleared_for_an_item_that_takes_the_value_again(
    members: Make, table_name: str
) -> None:
    client = members()
    post(client, "1", "a")
    item = stored(table_name)[0]
    key = {name: item[name] for name in ("tenant", "id")}
    dynamodb_call("delete_item", TableName=table_name, Key=key)
    back = [lambda: dynamodb_call("put_item", TableName=table_name, Item=item)]

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        parts = parameters.get("TransactItems", [{}]) if operation == "TransactWriteItems" else [{}]
        if "ConditionCheck" in parts[0] and back:
            back.pop()()
        return call()

    with watched(act):
        assert_problem(post(client, "2", "a"), 409, "#/email")
    assert marks(table_name) == ["1"]


def test_an_item_without_its_reservation_gives_up_nobody_elses(members: Make, table_name: str) -> None:
    """Two had the same value before it had to be unique: whoever goes leaves the other's reservation."""
    client = members()
    post(client, "1", "a")
    for n in "23":
        item = {"tenant": {"S": "t"}, "id": {"S": n}, "e": {"S": "a"}}
        dynamodb_call("put_item", TableName=table_name, Item=item)
    assert client.delete("/members/t/2").status == 204
    assert client.patch("/members/t/3", json={"email": "b"}).status == 200
    assert marks(table_name) == ["1", "3"]


# --- where reservations are --------------------------------------------------------------------------------------


def test_no_request_meets_a_marker(members: Make, table_name: str) -> None:
    client = members()
    post(client, "1", "a")
    assert [item["id"] for item in client.get("/members").json["items"]] == ["1"]
    assert len(stored(table_name)) == 1
    reservation = stored(f"{table_name}_unique")[0]
    assert reservation.keys() == {"id", "item"}
    assert reservation["item"] == {"M": {"tenant": {"S": "t"}, "id": {"S": "1"}}}
    assert client.get(f"/members/t/{reservation['id']['S']}").status == 404


def test_kinds_in_one_table_are_apart(dynamodb: None, table_name: str) -> None:
    def kind(prefix: str) -> type[Model]:
        class Kind(Model):
            class Meta:
                pass

            pk = PrefixedAttribute(prefix, hash_key=True)
            email = UnicodeAttribute()

        Kind.Meta.table_name = table_name  # type: ignore[attr-defined]
        return Kind

    pm = PolyMicro()
    for name in ("users", "orgs"):
        body = {"model": kind(f"{name}#"), "route": name, "permissions": AllowAny, "unique": "email"}
        type(name.title(), (ModelResource, Create, Delete), body)(pm)
    client = Caller(pm.compile())
    for model in (pm.routes[0].model, pm.routes[0].uniqueness.reservation_table):  # type: ignore[union-attr]
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    posted = [
        client.post(path, json={"pk": pk, "email": "a"}).status
        for path, pk in (("/users", "1"), ("/orgs", "1"), ("/users", "2"), ("/orgs", "2"))
    ]
    assert posted == [201, 201, 409, 409]


def test_the_policy_grants_what_is_called(members: Make, table_name: str) -> None:
    client = members()
    past = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    with counted() as calls:
        post(client, "1", "a", expires=past), post(client, "2", "b"), post(client, "3", "a")
        client.patch("/members/t/2", json={"email": "c"})
        client.patch("/members/t/2", json={"email": "a"})
        client.patch("/members/t/2", json={"name": "c"})
        client.get("/members"), post(client, "4")
        client.delete("/members/t/2"), client.delete("/members/t/4")
        with failing(ReadTimeoutError(endpoint_url="dynamodb"), late=True, on=WRITES):
            post(client, "5", "e")
    called: dict[str, set[str]] = {}
    for operation, parameters in calls:
        for part in parameters.get("TransactItems", [{operation.removesuffix("Item"): parameters}]):
            ((kind, one),) = part.items()
            name = kind if kind in ("Scan", "Query") else f"{kind}Item"
            called.setdefault(one["TableName"], set()).add(f"dynamodb:{name}")
    routes = [route for route in client.app_.routes if route.verb != "retrieve"]  # type: ignore[attr-defined]
    granted = {
        table: {
            action
            for one in statements(routes)
            if f"'{logical_id(table)}'" in str(one)
            for action in one["Action"]
        }
        for table in (table_name, f"{table_name}_unique")
    }
    assert granted == {table: called[table] for table in granted}


def test_a_reader_needs_no_reservations(table_name: str) -> None:
    pm = PolyMicro()
    body = {"model": member(table_name), "route": "members", "permissions": AllowAny, "unique": "email"}
    type("Members", (ModelResource, Retrieve), body)(pm)
    pm.compile()
    (route,) = pm.routes
    assert route.models == (route.model,)
    assert f"{table_name}_unique" not in str(statements(pm.routes))


def test_calls_in_words(members: Make) -> None:
    rows_ = {row.verb: row.calls for row in rows(members().app_.routes)}  # type: ignore[attr-defined]
    assert rows_ == {
        "create": "PutItem or TransactWriteItems",
        "list": "Scan",
        "retrieve": "GetItem",
        "update": "sometimes GetItem, UpdateItem or TransactWriteItems",
        "delete": "GetItem, DeleteItem or TransactWriteItems",
    }
    app = members(unique=("email", ("tenant", "badge"))).app_  # type: ignore[attr-defined]
    (line,) = [said for about, said in explain(app, "PATCH /members/t/1", ALICE) if about == "unique"]
    assert line == (
        "email, tenant with badge: 1 TransactWriteItems instead, with a reservation of each value that changes,"
        " after 1 GetItem"
    )


def test_a_matrix_leaves_no_reservations(members: Make, table_name: str) -> None:
    client = members()
    app = client.app_  # type: ignore[attr-defined]
    post(client, "0", "kept")
    before = stored(f"{table_name}_unique")
    model = app.routes[0].model
    assert_permission_matrix(
        app,
        {"alice": ALICE},
        {"one": model("t", "1", email="a"), "two": model("t", "2", email="b")},
        """
        user   verb    one    two
        alice  create  409    409
        alice  update  allow  409
        alice  delete  allow  allow
        """,
        bodies={"create": {"tenant": "t", "id": "3", "email": "a"}, "update": {"email": "a"}},
    )
    assert stored(f"{table_name}_unique") == before


# --- items that were there before ----------------------------------------------------------------------------------


def test_items_that_were_there_before(members: Make, table_name: str) -> None:
    client = members()
    for n, email in {"1": "a", "2": "b", "3": "a", "4": None}.items():
        value = {} if email is None else {"e": {"S": email}}
        dynamodb_call("put_item", TableName=table_name, Item={"tenant": {"S": "t"}, "id": {"S": n}, **value})
    post(client, "5", "gone")
    dynamodb_call(
        "put_item", TableName=table_name, Item={"tenant": {"S": "t"}, "id": {"S": "6"}, "e": {"S": "gone"}}
    )
    dynamodb_call("delete_item", TableName=table_name, Key={"tenant": {"S": "t"}, "id": {"S": "5"}})
    app = client.app_  # type: ignore[attr-defined]
    (duplicate,), again = mark(app), mark(app)
    both = {duplicate.key["id"]["S"], duplicate.other["id"]["S"]}
    assert (both, duplicate.names, again) == ({"1", "3"}, ("email",), [duplicate])
    assert marks(table_name) == sorted(["2", "6", duplicate.other["id"]["S"]])
    assert [post(client, "7", email).status for email in ("a", "b", "gone")] == [409, 409, 409]
    assert client.patch(f"/members/t/{duplicate.key['id']['S']}", json={"email": "c"}).status == 200
    assert mark(app) == []


# --- declarations ------------------------------------------------------------------------------------------------


class Odd(Model):
    class Meta:
        table_name = "odd"

    tenant = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute()
    fixed = UnicodeAttribute(null=True)
    flag = BooleanAttribute(default=False)
    data = JSONAttribute(null=True)
    version = VersionAttribute()
    expires = TTLAttribute(null=True)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (3, r'must name attributes, e\.g\. \("email",\), not 3'),
        ({"email": 1}, "must name attributes"),
        ((3,), "holds 3: say an attribute, or a tuple"),
        (((),), r"holds \(\): say an attribute"),
        ("mail", "Odd has no attribute 'mail'"),
        ("flag", "'flag' is a BooleanAttribute; texts"),
        ("data", "'data' is a JSONAttribute; texts"),
        ("version", "'version' is a VersionAttribute; texts"),
        ("expires", "'expires' is a TTLAttribute; texts"),
        ((("tenant", "id"),), "'tenant' with 'id' holds the whole key of Odd, which is unique already"),
        ((("email", "id", "tenant"),), "holds the whole key of Odd"),
        ((("email", "email"),), "names an attribute twice"),
        (("email", "email"), "names 'email' twice"),
        ("fixed", "no body and no verb of the resource's own sets 'fixed'"),
    ],
)
def test_mistakes(said: Any, message: str) -> None:
    pm = PolyMicro()
    body = {"model": Odd, "route": "odd", "permissions": AllowAny, "dump_only": "fixed", "unique": said}
    type("Odds", (ModelResource, Create, Update), body)(pm)
    with pytest.raises(ConfigurationError, match=rf"^Odds\.unique:? .*{message}"):
        pm.compile()


def test_who_writes_the_same_items_agrees() -> None:
    pm = PolyMicro()
    body = {"model": Odd, "permissions": AllowAny}
    type("Some", (ModelResource, Create), {**body, "route": "some", "unique": "email"})(pm)
    type("Read", (ModelResource, Retrieve), {**body, "route": "read"})(pm)
    type("Others", (ModelResource, Update), {**body, "route": "others"})(pm)
    with pytest.raises(ConfigurationError, match=r"^Others\.unique must be that of Some: both write"):
        pm.compile()


def test_no_resource_is_over_the_reservations() -> None:
    class Mark(Model):
        class Meta:
            table_name = "odd_unique"

        id = UnicodeAttribute(hash_key=True)

    pm = PolyMicro()
    type(
        "Some",
        (ModelResource, Create),
        {"model": Odd, "route": "a", "permissions": AllowAny, "unique": "email"},
    )(pm)
    type("Marks", (ModelResource, Create), {"model": Mark, "route": "b", "permissions": AllowAny})(pm)
    with pytest.raises(
        ConfigurationError, match=r"^Marks\.model: .*'odd_unique' holds the reservations of Some\.unique"
    ):
        pm.compile()
