"""The policy grants each verb the DynamoDB operations that its requests make, and no other."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import second_app
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, settings, strategies
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from handlers import todo
from polymicro_lambda import Create, InGroup, List, ModelResource, PolyMicro, User, action
from polymicro_lambda.deploy.iam_policy import Grant, grants, statements
from polymicro_lambda.deploy.planned_lists import _condition as sample
from polymicro_lambda.deploy.tables import logical_id
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.lists.planning.access_paths import access_paths_of
from polymicro_lambda.lists.planning.plans import ListQuery, plan_list
from polymicro_lambda.permissions import AllowAny, OwnedBy, Permission
from polymicro_lambda.routing.routes import Route
from polymicro_lambda.testing import Client

APPS = {"todo": todo.pm, "second": second_app.pm}
HANDLERS = {"todo": todo.handler, "second": second_app.handler}
ALICE = User("alice", permissions=frozenset({"administrator"}))
Call = tuple[str, str, str]
"""(table's logical id, index or empty, operation)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, and the write of it whose answer gets lost."""

    method: str
    path: str
    json: Any = None
    lost: str = ""


# What makes each verb call all that it may: a write is looked up where its answer was lost, an empty PATCH reads.
REQUESTS: Mapping[tuple[str, str], tuple[Ask, ...]] = {
    ("todo", "TodoResource.create"): (
        Ask("POST", "/todo", {"text": "a"}),
        Ask("POST", "/todo", {"text": "b"}, lost="PutItem"),
    ),
    ("todo", "TodoResource.list"): (Ask("GET", "/todo"), Ask("HEAD", "/todo")),
    ("todo", "TodoResource.retrieve"): (Ask("GET", "/todo/alice/1"),),
    ("todo", "TodoResource.update"): (
        Ask("PATCH", "/todo/alice/1", {"done": True}),
        Ask("PUT", "/todo/alice/1", {"text": "c"}),
    ),
    ("todo", "TodoResource.delete"): (Ask("DELETE", "/todo/alice/1"),),
    ("second", "OrderResource.create"): (
        Ask("POST", "/orders", {"number": 2}),
        Ask("POST", "/orders", {"number": 3}, lost="PutItem"),
    ),
    ("second", "OrderResource.list"): (
        Ask("GET", "/orders"),
        Ask("GET", "/orders?sort=-placed"),
        Ask("GET", "/orders?status=open&sort=placed"),
    ),
    ("second", "OrderResource.retrieve"): (Ask("GET", "/orders/1"),),
    ("second", "OrderResource.update"): (
        Ask("PATCH", "/orders/1", {}),
        Ask("PATCH", "/orders/1", {"total": 7}),
    ),
    ("second", "OrderResource.delete"): (Ask("DELETE", "/orders/1", lost="DeleteItem"),),
    ("second", "NoteResource.create"): (
        Ask("POST", "/notes", {"shelf": "s", "id": "2", "text": "b"}),
        Ask("POST", "/notes", {"shelf": "s", "id": "3", "text": "c"}, lost="PutItem"),
    ),
    ("second", "NoteResource.list"): (Ask("GET", "/notes"), Ask("GET", "/notes?shelf=s")),
    ("second", "NoteResource.retrieve"): (Ask("GET", "/notes/s/1"),),
    ("second", "BookmarkResource.list"): (
        Ask("GET", "/shelves/s/bookmarks"),
        Ask("GET", "/shelves/s/bookmarks?topic=none"),
    ),
    ("second", "BookmarkResource.update"): (
        Ask("PATCH", "/shelves/s/bookmarks/9", {}),
        Ask("PATCH", "/shelves/s/bookmarks/9", {"url": "v"}),
    ),
    ("second", "BookmarkResource.delete"): (Ask("DELETE", "/shelves/s/bookmarks/9", lost="DeleteItem"),),
    ("second", "BookmarkResource.visit"): (Ask("GET", "/shelves/s/bookmarks/9/visit"),),
}
CASES = [pytest.param(*key, asked, id=key[1]) for key, asked in REQUESTS.items()]


@dataclass
class Aws:
    """DynamoDB under IAM: it notes each call, refuses what the policy does not grant, and may lose an answer."""

    granted: frozenset[Call] | None = None
    lost: str = ""
    made: set[Call] = field(default_factory=set)

    def call(self, forward: Callable[..., Any], operation: str, parameters: Mapping[str, Any]) -> Any:
        for table in parameters.get("RequestItems") or [parameters["TableName"]]:
            one = (logical_id(table), parameters.get("IndexName", ""), operation)
            self.made.add(one)
            if self.granted is not None and one not in self.granted:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        answer = forward(operation, parameters)
        if operation == self.lost:
            raise ReadTimeoutError(endpoint_url="dynamodb")
        return answer


@pytest.fixture
def tables(dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of both apps, under names of this test's own."""
    for model in (todo.Todo, second_app.Order, second_app.Scrap):
        monkeypatch.setattr(model.Meta, "table_name", f"{table_name}{model.Meta.table_name}")
        connect(model)  # by a client that all share
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def fill() -> None:
    """One item of each model."""
    todo.Todo("alice", "1", text="a").save()
    for order in second_app.Order.query("alice"):
        order.delete()
    second_app.Order("alice", 1).save()
    second_app.Note("s", "1", text="a").save()
    second_app.Bookmark("s", "9", url="u").save()


def run(
    app: str, asked: Iterable[Ask], granted: frozenset[Call] | None = None
) -> tuple[set[Call], list[int]]:
    """The calls that the requests make and the statuses of their answers."""
    fill()
    client = Client(HANDLERS[app], user=ALICE)
    aws, statuses = Aws(granted), []
    forward = BaseClient._make_api_call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            BaseClient, "_make_api_call", lambda me, *args: aws.call(forward.__get__(me), *args), raising=True
        )
        for ask in asked:
            aws.lost = ask.lost
            body = {} if ask.json is None else {"json": ask.json}
            statuses.append(client.request(ask.method, ask.path, **body).status)
    return aws.made, statuses


def granted(policy: Iterable[Mapping[str, Any]]) -> frozenset[Call]:
    """What the statements of a policy allow."""
    return frozenset(
        (*arn(resource), action.removeprefix("dynamodb:"))
        for statement in policy
        for action in statement["Action"]
        for resource in listed(statement["Resource"])
    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def arn(resource: Mapping[str, Any]) -> tuple[str, str]:
    """(logical id, index) of an ARN in the template; the index is empty for a table."""
    if "Fn::GetAtt" in resource:
        table, attribute = resource["Fn::GetAtt"]
        assert attribute == "Arn"
        return table, ""
    table, index = resource["Fn::Sub"].split("/index/")
    return table.removeprefix("${").removesuffix(".Arn}"), index


def routes_of(app: str, verb: str) -> list[Route]:
    return [r for r in APPS[app].routes if f"{type(r.resource).__name__}.{r.verb}" == verb]


def test_every_verb_of_both_apps_is_driven() -> None:
    verbs = {(n, f"{type(r.resource).__name__}.{r.verb}") for n, app in APPS.items() for r in app.routes}
    assert verbs == set(REQUESTS)


@pytest.mark.parametrize(("app", "verb", "asked"), CASES)
def test_a_verb_is_granted_what_it_calls_and_no_more(
    tables: None, app: str, verb: str, asked: tuple[Ask, ...]
) -> None:
    made, statuses = run(app, asked, granted(statements(routes_of(app, verb))))
    assert made == granted(statements(routes_of(app, verb)))
    assert [status for status in statuses if status >= 400] == []


@pytest.mark.parametrize(("app", "verb", "asked"), CASES)
def test_without_any_one_grant_a_request_fails(
    tables: None, app: str, verb: str, asked: tuple[Ask, ...]
) -> None:
    policy = granted(statements(routes_of(app, verb)))
    fails = {one: 500 in run(app, asked, policy - {one})[1] for one in policy}
    assert fails == dict.fromkeys(policy, True)


@pytest.mark.parametrize("app", APPS)
def test_the_template_grants_the_function_its_verbs_and_nothing_else(app: str) -> None:
    """Its one policy is the union over the routes: no ``*``, and no operation on a table as a whole."""
    options = Options(handler=f"{app}.handler", authorizer_handler="gate.handler")
    function = template(APPS[app].routes, options)["Resources"][f"{options.name}Function"]["Properties"]
    ((_, policy),) = [one.values() for one in function["Policies"]]
    assert granted(policy) == frozenset().union(*(granted(statements([r])) for r in APPS[app].routes))
    assert "*" not in str(policy)
    assert {action for one in policy for action in one["Action"]} <= {
        f"dynamodb:{name}"
        for name in ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
    }


# --- which indexes a list can be read by -------------------------------------------------------------------------


class ByColour(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_colour"
        projection = AllProjection()

    colour = UnicodeAttribute(hash_key=True)
    size = NumberAttribute(range_key=True)


class ByColourOnly(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_colour_only"
        projection = KeysOnlyProjection()

    colour = UnicodeAttribute(hash_key=True)


class Thing(Model):
    class Meta:
        table_name = "things"

    owner = UnicodeAttribute(hash_key=True)
    colour = UnicodeAttribute()
    size = NumberAttribute(default=0)
    good = BooleanAttribute(default=True)
    by_colour = ByColour()
    by_colour_only = ByColourOnly()


class Own(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


TABLE, COLOUR, SCAN = ("", "Query"), ("by_colour", "Query"), ("", "Scan")


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        pytest.param({"permissions": OwnedBy("owner")}, {TABLE}, id="owner bound"),
        pytest.param(
            {"permissions": OwnedBy("owner"), "filters": {"colour": ("lt",)}}, {TABLE}, id="no equality"
        ),
        pytest.param({"filters": {"colour": ("eq",)}}, {COLOUR}, id="an index that another always beats"),
        pytest.param({"scan": True}, {SCAN}, id="scan"),
        pytest.param({"scan": True, "filters": {"owner": "eq"}}, {SCAN, TABLE}, id="scan or table"),
        pytest.param(
            {"scan": True, "permissions": OwnedBy("owner")}, {TABLE}, id="a scan that is never reached"
        ),
        pytest.param(
            {"scan": True, "permissions": OwnedBy("owner") | InGroup("staff")},
            {TABLE, SCAN},
            id="bound for some",
        ),
        pytest.param({"permissions": Own}, {TABLE, COLOUR}, id="a where of one's own"),
    ],
)
def test_indexes_of_a_default_list(declared: dict[str, Any], wanted: set[tuple[str, str]]) -> None:
    assert {(one.index, one.operation) for one in list_grants(declared)} == wanted


def list_grants(declared: dict[str, Any]) -> frozenset[Grant]:
    app = PolyMicro()
    body = {"model": Thing, "route": "things", "permissions": AllowAny, **declared}
    type("ThingResource", (ModelResource, List, Create), body)(app)
    app.compile()
    return grants(next(route for route in app.routes if route.verb == "list"))


@pytest.mark.parametrize(
    ("called", "wanted"),
    [
        pytest.param(Thing.by_colour_only, {("", "BatchGetItem"), ("", "GetItem")}, id="an index of keys"),
        pytest.param(Thing.by_colour, set(), id="an index of all"),
        pytest.param(Thing, set(), id="the table"),
    ],
)
def test_what_an_action_reads_from_an_index_is_read_again(called: Any, wanted: set[tuple[str, str]]) -> None:
    """One item alone or several together, where the index lacks attributes."""
    body = {"model": Thing, "route": "things", "permissions": AllowAny, "calls": {called: "Query"}}
    body["seen"] = action(detail=False, methods=("GET",))(lambda self: None)
    type("ThingResource", (ModelResource,), body)(app := PolyMicro())
    app.compile()
    [route] = app.routes
    assert {(one.index, one.operation) for one in grants(route) if one.operation != "Query"} == wanted


def index(name: str, sort: str | None, projection: Any) -> Any:
    meta = type("Meta", (), {"index_name": name, "projection": projection})
    keys = {"p": UnicodeAttribute(hash_key=True)} | ({sort: UnicodeAttribute(range_key=True)} if sort else {})
    return type(name, (GlobalSecondaryIndex,), {"Meta": meta, **keys})()


class Many(Model):
    """Indexes over the same partition key that differ in their order and in what they hold."""

    class Meta:
        table_name = "many"

    key = UnicodeAttribute(hash_key=True)
    p = UnicodeAttribute(null=True)
    a, c = UnicodeAttribute(), UnicodeAttribute()
    b, d = UnicodeAttribute(null=True), UnicodeAttribute(null=True)
    i1 = index("ix1", None, KeysOnlyProjection())
    i2 = index("ix2", None, IncludeProjection(["a"]))
    i3 = index("ix3", "a", KeysOnlyProjection())
    i4 = index("ix4", "b", IncludeProjection(["c"]))
    i5 = index("ix5", "b", AllProjection())
    i6 = index("ix6", "c", AllProjection())


OPERATORS_ASKED = ("eq", "ne", "lt", "gte", "begins_with", "exists")


@settings(max_examples=150, deadline=None)
@given(data=strategies.data())
def test_no_request_is_served_by_an_index_that_is_not_granted(data: strategies.DataObject) -> None:
    """Whatever is filtered by, sorted by and shown, of what a resource declares."""
    names = strategies.sets(strategies.sampled_from("pabcd"))
    filters = {
        n: data.draw(strategies.sets(strategies.sampled_from(OPERATORS_ASKED))) for n in data.draw(names)
    }
    declared = {"model": Many, "scan": True, "filters": {n: tuple(o) for n, o in filters.items()}}
    allowed = {(one.index, one.operation) for one in list_grants(declared)}
    asked = [
        (n, o) for n, operators in filters.items() for o in operators if data.draw(strategies.booleans())
    ]
    attributes = Many.get_attributes()
    wish = ListQuery(
        [sample(attributes[name], operator) for name, operator in asked],
        data.draw(strategies.frozensets(strategies.sampled_from(("key", *"pabcd")))),
        sort=data.draw(strategies.sampled_from((None, *"abcd"))),
        scan=True,
    )
    with suppress(BadRequest):
        made = plan_list(access_paths_of(Many), wish)
        called = {("", "Scan") if made.partition is None else (made.path.index or "", "Query")}
        called |= {("", "BatchGetItem")} if made.completes else set()
        assert made.empty or called <= allowed
