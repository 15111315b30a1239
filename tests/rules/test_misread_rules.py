"""Rules that a reader of Django REST Framework would guess wrong: here they do what they say.

There, ``has_permission`` and ``has_object_permission`` are composed each for itself, and each says yes where it
is not overridden: a negation then denies every object, a disjunction with a role lets pass every object, and
lists and new items are not judged at all. Here the pair is one expression.
"""

from collections.abc import Callable
from typing import Any

import pytest
from contract import Caller, create_table, dynamodb_call, stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    HasPermission,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Update,
    User,
    action,
)

USERS = {
    "nobody": None,
    "alice": User("alice"),
    "bob": User("bob"),
    "root": User("root", frozenset({"admin"})),
    "banned": User("alice", groups=frozenset({"banned"})),
}


class Owner(Permission):
    """Speaks of objects alone."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


class Admin(Permission):
    """Speaks of requests alone."""

    def has_permission(self, user: Any, method: str) -> bool:
        return "admin" in user.permissions


class Public(Permission):
    """The same as a condition of DynamoDB's."""

    anonymous = True

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.state == "public"


class Forgot(Permission):
    """Returns nothing."""

    def has_permission(self, user: Any, method: str) -> None:
        return None


class ForgotObject(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> None:
        return None


class NotOnDelete(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return method != "delete"


# Requests, each with its status: of alice's item unless another is named.
GET, PATCH, DELETE, CREATE, LIST, STAMP = "GET a", "PATCH a", "DELETE a", "POST a", "LIST", "STAMP a"
TO_OTHERS, FOR_OTHERS = "GIVE a", "POST b"

# id -> (rule, what the other framework does, {user: {request: status, or the ids that a list shows}})
RULES: dict[str, tuple[Any, str, dict[str, dict[str, Any]]]] = {
    "~IsAuthenticated": (
        ~IsAuthenticated(),
        "nobody sees any object: the object check that is not there says yes, and is negated",
        {
            "nobody": {GET: 200, LIST: "abc", PATCH: 200, DELETE: 204},
            "alice": {GET: 403, LIST: 403, PATCH: 403},
        },
    ),
    "~Admin": (
        ~Admin(),
        "nobody sees any object",
        {"alice": {GET: 200, PATCH: 200}, "root": {GET: 403, PATCH: 403}, "nobody": {GET: 401}},
    ),
    "~Owner": (
        ~Owner(),
        "nobody is let in: the request check that is not there says yes, and is negated",
        {"bob": {GET: 200, DELETE: 204, LIST: "ac"}, "alice": {GET: 404, DELETE: 404, LIST: "bc"}},
    ),
    "Owner | ~Admin": (
        Owner() | ~Admin(),
        "an owner alone sees the object",
        {"bob": {GET: 200, PATCH: 200}, "alice": {GET: 200}, "root": {GET: 404, PATCH: 404}},
    ),
    "Admin | Owner": (
        Admin() | Owner(),
        "everybody may do everything: the object check that Admin has not says yes",
        {
            "alice": {GET: 200, PATCH: 200, LIST: "a"},
            "bob": {GET: 404, PATCH: 404, DELETE: 404, LIST: "b"},
            "root": {GET: 200, DELETE: 204, LIST: "abc"},
        },
    ),
    "Owner | ReadOnly": (
        Owner() | ReadOnly(),
        "everybody may write everything",
        {"bob": {GET: 200, PATCH: 403, DELETE: 403, STAMP: 403, LIST: "abc"}, "alice": {PATCH: 200}},
    ),
    "(Admin & Owner) | ReadOnly": (
        (Admin() & Owner()) | ReadOnly(),
        "an admin may write everything",
        {"root": {GET: 200, PATCH: 403, DELETE: 403}, "alice": {GET: 200, PATCH: 403}},
    ),
    "~(Admin & Owner)": (
        ~(Admin() & Owner()),
        "no admin is let in",
        {"root": {GET: 200, PATCH: 200}, "alice": {GET: 200, PATCH: 200}},
    ),
    "~(Admin | Owner)": (
        ~(Admin() | Owner()),
        "nobody is let in",
        {"bob": {GET: 200, LIST: "ac"}, "alice": {GET: 404, LIST: "bc"}, "root": {GET: 403}},
    ),
    "Owner": (
        Owner,
        "lists show every row, new items are not judged, an item can be given away",
        {
            "alice": {LIST: "a", CREATE: 201, FOR_OTHERS: 403, TO_OTHERS: 403, STAMP: 200},
            "bob": {LIST: "b", STAMP: 404},
        },
    ),
    "OwnedBy | Public": (
        OwnedBy("owner") | Public(),
        "needs a queryset of its own for lists",
        {"bob": {LIST: "bc", GET: 404, "GET c": 200}, "nobody": {LIST: "c", GET: 404, "GET c": 200}},
    ),
    "Owner, ~InGroup": (
        (Owner, ~InGroup("banned")),
        "nobody sees any object",
        {"alice": {GET: 200, PATCH: 200}, "banned": {GET: 403, PATCH: 403}},
    ),
    "~Forgot": (
        ~Forgot(),
        "a forgotten return, negated, lets everybody in",
        {"alice": {GET: 403, LIST: 403}, "root": {GET: 403}},
    ),
    "~ForgotObject": (
        ~ForgotObject(),
        "nobody is let in, but for the wrong reason",
        {"alice": {GET: 404, LIST: ""}, "root": {GET: 404}},
    ),
    "~HasPermission": (
        ~HasPermission("admin"),
        "is asked about nobody, and lets nobody in",
        {"nobody": {GET: 401, LIST: 401}, "alice": {GET: 200}},
    ),
    "AllowAny & Owner": (
        AllowAny() & Owner(),
        "the owner check is asked about an anonymous user",
        {"nobody": {GET: 401}, "alice": {GET: 200}, "bob": {GET: 404}},
    ),
    "NotOnDelete | Owner": (
        NotOnDelete() | Owner(),
        "everybody may delete: the object check that NotOnDelete has not says yes",
        {"bob": {GET: 200, PATCH: 200, DELETE: 403}, "alice": {DELETE: 204}},
    ),
}

ITEMS = {
    "a": {"id": {"S": "a"}, "owner": {"S": "alice"}},
    "b": {"id": {"S": "b"}, "owner": {"S": "bob"}},
    "c": {"id": {"S": "c"}, "owner": {"S": "carol"}, "state": {"S": "public"}},
}


@pytest.fixture
def client(dynamodb: None, table_name: str) -> Callable[[Any], Caller]:
    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        state = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    create_table(Doc, table_name)

    class Docs(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Doc
        route = "docs"
        scan = True

        @action()
        def stamp(self, instance: Any) -> Any:
            return self.store.update(instance, {"text": "stamped"})

    def make(rule: Any) -> Caller:
        pm = PolyMicro()
        type("Docs", (Docs,), {"permissions": rule})(pm)
        return Caller(pm.compile())

    return make


def outcome(client: Caller, table: str, user: str, asked: str) -> Any:
    """The status of a request, or the ids that a list shows, on the items as they are in the beginning."""
    for item in stored(table):
        dynamodb_call("delete_item", TableName=table, Key={"id": item["id"]})
    for item in ITEMS.values():
        dynamodb_call("put_item", TableName=table, Item=item)
    kind, _, name = asked.partition(" ")
    owner = ITEMS[name or "a"]["owner"]["S"]
    requests: dict[str, tuple[str, str, Any]] = {
        "GET": ("GET", f"/docs/{name}", None),
        "PATCH": ("PATCH", f"/docs/{name}", {"text": "new"}),
        "GIVE": ("PATCH", f"/docs/{name}", {"owner": "bob"}),
        "DELETE": ("DELETE", f"/docs/{name}", None),
        "STAMP": ("POST", f"/docs/{name}/stamp", None),
        "POST": ("POST", "/docs", {"id": "new", "owner": owner}),
        "LIST": ("GET", "/docs", None),
    }
    method, path, body = requests[kind]
    before = stored(table)
    result = client.request(method, path, user=USERS[user], **({} if body is None else {"json": body}))
    written = result.status < 400 and kind not in {"GET", "LIST"}
    assert (stored(table) != before) is written, (user, asked)
    if asked == LIST and result.status == 200:
        return "".join(sorted(item["id"] for item in result.json["items"]))
    return result.status


@pytest.mark.parametrize(("rule", "elsewhere", "expected"), RULES.values(), ids=RULES)
def test_what_it_says(
    client: Callable[[Any], Caller], table_name: str, rule: Any, elsewhere: str, expected: dict[str, Any]
) -> None:
    asking = client(rule)
    said = {
        user: {asked: outcome(asking, table_name, user, asked) for asked in requests}
        for user, requests in expected.items()
    }
    assert said == expected, f"elsewhere {elsewhere}"
