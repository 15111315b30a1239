"""Who may do what: one three-valued expression, before the item is loaded and after."""

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
    writes,
)
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    HasPermission,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    User,
)

ADMIN = User("root", frozenset({"admin"}))
Make = Callable[..., Caller]


class Yes(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        return True


class No(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        return False


class Forgot(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        return None


class Truthy(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        return "yes"


class Owner(Permission):
    """An opaque object rule."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return instance.owner == user.uuid


class ForgotObject(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return None


class AdminOwner(Permission):
    """Both checks of a pair."""

    def has_permission(self, user: Any, method: str) -> Any:
        return "admin" in user.permissions

    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return instance.owner == user.uuid


class Mine(Permission):
    """An object rule that DynamoDB can check."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


class WhereTrue(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return True


class WhereFalse(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return False


class ReadAll(Permission):
    """Everyone may retrieve, only the owner may do the rest."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return method == "retrieve" or instance.owner == user.uuid


class MineReadAll(Permission):
    """The same as a condition."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return True if method == "retrieve" else model.owner == user.uuid


@pytest.fixture
def note(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/notes/{id}``, whose items have an owner and a text, under these permissions."""

    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        text = UnicodeAttribute(null=True)

    create_table(Note, table_name)

    def make(
        rule: Any, *, user: User | None = ALICE, verbs: Any = (Create, Retrieve, Update, Delete)
    ) -> Caller:
        pm = PolyMicro()
        body = {"model": Note, "route": "notes", "permissions": rule}
        type("Notes", (ModelResource, *verbs), body)(pm)
        return Caller(pm.compile(), user=user)

    return make


def put(table: str, owner: str = "alice", **more: str) -> None:
    item = {"id": "n", "owner": owner, "text": "old", **more}
    dynamodb_call("put_item", TableName=table, Item={name: {"S": value} for name, value in item.items()})


def kept(table: str) -> list[dict[str, str]]:
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in stored(table)]


OLD = {"id": "n", "owner": "alice", "text": "old"}

# rule, status for the owner, status for somebody else, whether the item had to be read
ALGEBRA: dict[str, tuple[Any, int, int, bool]] = {
    "Yes": (Yes, 200, 200, True),
    "Truthy": (Truthy, 200, 200, True),
    "No": (No, 403, 403, False),
    "Forgot": (Forgot, 403, 403, False),
    "~No": (~No(), 200, 200, True),
    "~Yes": (~Yes(), 403, 403, False),
    "~Forgot": (~Forgot(), 403, 403, False),
    "~~Yes": (~~Yes(), 200, 200, True),
    "Owner": (Owner, 200, 404, True),
    "~Owner": (~Owner(), 404, 200, True),
    "ForgotObject": (ForgotObject, 404, 404, True),
    "~ForgotObject": (~ForgotObject(), 404, 404, True),
    "Forgot | Yes": (Forgot() | Yes(), 200, 200, True),
    "ForgotObject | Yes": (ForgotObject() | Yes(), 200, 200, True),
    "ForgotObject | Owner": (ForgotObject() | Owner(), 200, 404, True),
    "No | Owner": (No() | Owner(), 200, 404, True),
    "Yes | Owner": (Yes() | Owner(), 200, 200, True),
    "No & Owner": (No() & Owner(), 403, 403, False),
    "Owner & No": (Owner() & No(), 403, 403, False),
    "Yes & Owner": (Yes() & Owner(), 200, 404, True),
    "~(No & Owner)": (~(No() & Owner()), 200, 200, True),
    "~(Yes & Owner)": (~(Yes() & Owner()), 404, 200, True),
    "~(No | Owner)": (~(No() | Owner()), 404, 200, True),
    "~(Yes | Owner)": (~(Yes() | Owner()), 403, 403, False),
    "several are and": ((Yes, Owner), 200, 404, True),
    "several are and, one no": ((Owner, No), 403, 403, False),
    "a class and an instance": ([Yes, Owner()], 200, 404, True),
    "AdminOwner, no role": (AdminOwner, 403, 403, False),
    "~AdminOwner, no role": (~AdminOwner(), 200, 200, True),
    "AdminOwner | Owner": (AdminOwner() | Owner(), 200, 404, True),
    "Mine": (Mine, 200, 404, True),
    "~Mine": (~Mine(), 404, 200, True),
    "Mine | No": (Mine() | No(), 200, 404, True),
    "Mine & Owner": (Mine() & Owner(), 200, 404, True),
    "~(Mine | No)": (~(Mine() | No()), 404, 200, True),
    "WhereTrue": (WhereTrue, 200, 200, True),
    "WhereFalse": (WhereFalse, 403, 403, False),
    "~WhereTrue": (~WhereTrue(), 403, 403, False),
    "~WhereFalse": (~WhereFalse(), 200, 200, True),
    "AllowAny": (AllowAny, 200, 200, True),
    "IsAuthenticated": (IsAuthenticated, 200, 200, True),
    "~IsAuthenticated": (~IsAuthenticated(), 403, 403, False),
}
algebra = pytest.mark.parametrize(("rule", "own", "other", "reads"), ALGEBRA.values(), ids=ALGEBRA)
few = pytest.mark.thorough(
    but=(
        "Yes",
        "No",
        "Forgot",
        "Owner",
        "~Owner",
        "No | Owner",
        "Yes & Owner",
        "Mine",
        "AllowAny",
        "IsAuthenticated",
    )
)


@few
@algebra
def test_retrieve(note: Make, table_name: str, rule: Any, own: int, other: int, reads: bool) -> None:
    put(table_name)
    client = note(rule)
    for user, status in ((ALICE, own), (BOB, other)):
        with counted() as calls:
            result = client.get("/notes/n", user=user)
        assert (result.status, names(calls)) == (status, ["GetItem"] if reads else [])
        if status != 200:
            assert_problem(result, status)


@few
@algebra
def test_a_write_that_is_denied_writes_nothing(
    note: Make, table_name: str, rule: Any, own: int, other: int, reads: bool
) -> None:
    """The verbs that write answer as retrieve does, whatever checks the rule."""
    client, new = note(rule), [OLD | {"text": "new"}]
    done: dict[str, Any] = {"PATCH": ({"text": "new"}, new), "PUT": (new[0], new), "DELETE": (None, [])}
    for method, (body, after) in done.items():
        json = {"json": {name: body[name] for name in body if name != "id"}} if body else {}
        for user, status in ((ALICE, own), (BOB, other)):
            put(table_name)
            result = client.request(method, "/notes/n", user=user, **json)
            assert result.status == (204 if (method, status) == ("DELETE", 200) else status)
            assert kept(table_name) == (after if status == 200 else [OLD])


@few
@algebra
def test_create_judges_the_new_item(
    note: Make, table_name: str, rule: Any, own: int, other: int, reads: bool
) -> None:
    for user, status in ((ALICE, own), (BOB, other)):
        result = note(rule).post("/notes", json={"id": user.uuid, "owner": "alice"}, user=user)
        assert result.status == (201 if status == 200 else 403)
    expected = [
        {"id": user.uuid, "owner": "alice"} for user, status in ((ALICE, own), (BOB, other)) if status == 200
    ]
    assert kept(table_name) == expected


@pytest.mark.parametrize(
    "rule", [Owner, Mine, Owner() | No(), Mine() | No()], ids=["opaque", "where", "opaque |", "where |"]
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("owner", ["bob", None])
def test_an_item_cannot_be_given_away(
    note: Make, table_name: str, rule: Any, method: str, owner: Any
) -> None:
    """The rule must hold for the new state too."""
    put(table_name)
    assert_problem(note(rule).request(method, "/notes/n", json={"owner": owner}), 403)
    assert kept(table_name) == [OLD]


@pytest.mark.parametrize("rule", [ReadAll, MineReadAll], ids=["opaque", "where"])
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_who_may_retrieve_learns_403(note: Make, table_name: str, rule: Any, method: str) -> None:
    put(table_name)
    body = {} if method == "DELETE" else {"json": {"text": "new"}}
    assert_problem(note(rule, user=BOB).request(method, "/notes/n", **body), 403)
    assert_problem(note(rule, user=BOB).request(method, "/notes/none", **body), 404)
    assert_problem(note(rule, user=BOB, verbs=(Update, Delete)).request(method, "/notes/n", **body), 404)
    assert kept(table_name) == [OLD]


@pytest.mark.parametrize("rule", [Owner, Mine], ids=["opaque", "where"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE", "HEAD"])
def test_hidden_is_missing_byte_for_byte(note: Make, table_name: str, rule: Any, method: str) -> None:
    put(table_name)
    body = {"json": {"text": "new"}} if method in {"PATCH", "PUT"} else {}
    client = note(rule, user=BOB)
    hidden, missing = (client.everywhere(method, path, **body) for path in ("/notes/n", "/notes/none"))
    assert (hidden.status, hidden.body, hidden.headers) == (404, missing.body, missing.headers)
    assert kept(table_name) == [OLD]


class Raises(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        raise ValueError("canary")


class RaisesObject(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        raise ValueError("canary")


class RaisesWhere(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        raise ValueError("canary")


class RaisesOnNew(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        if instance.text == "new":
            raise ValueError("canary")
        return True


@pytest.mark.parametrize(
    "rule",
    [Raises, RaisesObject, RaisesWhere, ~Raises(), Raises() | Owner()],
    ids=["request", "object", "where", "~", "|"],
)
def test_a_raise_is_500_and_nothing_is_written(note: Make, table_name: str, rule: Any) -> None:
    put(table_name)
    client = note(rule)
    bodies: dict[str, Any] = {"GET": None, "PATCH": {"text": "x"}, "PUT": {"text": "x"}, "DELETE": None}
    with counted() as calls:
        assert_problem(client.post("/notes", json={"id": "new"}), 500)
        for method, body in bodies.items():
            assert_problem(client.request(method, "/notes/n", **({"json": body} if body else {})), 500)
    assert (writes(calls), kept(table_name)) == ([], [OLD])


@pytest.mark.parametrize(("method", "path"), [("POST", "/notes"), ("PATCH", "/notes/n"), ("PUT", "/notes/n")])
def test_a_raise_about_the_new_state_writes_nothing(
    note: Make, table_name: str, method: str, path: str
) -> None:
    put(table_name)
    body = {"text": "new"} | ({"id": "m"} if method == "POST" else {})
    assert_problem(note(RaisesOnNew).request(method, path, json=body), 500)
    assert kept(table_name) == [OLD]


# rule, status for nobody: 200, or 401 without a call
ANONYMOUS: dict[str, tuple[Any, int]] = {
    "Yes is not asked": (Yes, 401),
    "~No is not asked": (~No(), 401),
    "~Yes": (~Yes(), 401),
    "Owner": (Owner, 401),
    "~Owner": (~Owner(), 401),
    "Mine": (Mine, 401),
    "~Mine": (~Mine(), 401),
    "OwnedBy": (OwnedBy("owner"), 401),
    "~OwnedBy": (~OwnedBy("owner"), 401),
    "Raises is not asked": (Raises, 401),
    "AllowAny": (AllowAny, 200),
    "IsAuthenticated": (IsAuthenticated, 401),
    "~IsAuthenticated": (~IsAuthenticated(), 200),
    "AllowAny | Owner": (AllowAny() | Owner(), 200),
    "Owner | AllowAny": (Owner() | AllowAny(), 200),
    "AllowAny & Owner": (AllowAny() & Owner(), 401),
    "~AllowAny": (~AllowAny(), 401),
}


@pytest.mark.parametrize(("rule", "status"), ANONYMOUS.values(), ids=ANONYMOUS)
def test_nobody(note: Make, table_name: str, rule: Any, status: int) -> None:
    put(table_name)
    client = note(rule, user=None)
    with counted() as calls:
        result = client.everywhere(
            "GET", "/notes/n", headers={"Authorization": "Bearer x", "X-User": "alice"}
        )
    if status == 200:
        assert (result.status, result.json) == (200, OLD)
    else:
        assert_problem(result, 401)
        assert (calls, bool(result.headers["www-authenticate"])) == ([], True)


def test_a_permission_that_says_anonymous_is_asked_about_nobody(note: Make, table_name: str) -> None:
    asked = []

    class Curious(Permission):
        anonymous = True

        def has_permission(self, user: Any, method: str) -> Any:
            asked.append(user)
            return True

    put(table_name)
    assert note(Curious, user=None).get("/notes/n").status == 200
    assert asked
    assert set(asked) == {None}


def test_the_method_that_a_permission_sees(note: Make, table_name: str) -> None:
    seen: list[Any] = []

    class Curious(Permission):
        def has_permission(self, user: Any, method: Any) -> Any:
            seen.append((type(method) is not str, isinstance(method, str), method, method.http, method.safe))
            return True

    client = note(Curious)
    client.post("/notes", json={"id": "n"})
    for method in ("GET", "HEAD", "PATCH", "PUT"):
        client.request(method, "/notes/n", **({"json": {}} if method.startswith("P") else {}))
    client.delete("/notes/n")
    table = {(method, http, safe) for _, is_str, method, http, safe in seen if is_str}
    assert table == {
        ("create", "POST", False),
        ("retrieve", "GET", True),
        ("update", "PATCH", False),
        ("update", "PUT", False),
        ("delete", "DELETE", False),
    }


# --- another writer between check and write


def theirs(table: str) -> Callable[[], None]:
    """Another writer gives the item to bob."""
    return lambda: put(table, "bob", text="theirs")


def gone(table: str) -> Callable[[], None]:
    """Another writer deletes the item."""
    return lambda: void(dynamodb_call("delete_item", TableName=table, Key={"id": {"S": "n"}}))


def void(_: object) -> None:
    return None


RULES = {
    "opaque": Owner,
    "where": Mine,
    "both": Owner() & Mine(),
    "opaque |": Owner() | HasPermission("admin"),
    "where |": Mine() | HasPermission("admin"),
    "~~": ~~Owner(),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_nothing_is_written_once_the_owner_changed(
    note: Make, table_name: str, rule: Any, method: str
) -> None:
    put(table_name)
    client = note(rule)
    body = {} if method == "DELETE" else {"json": {"text": "new", "owner": "alice"}}
    with meanwhile(theirs(table_name)):
        result = client.request(method, "/notes/n", **body)
    assert_problem(result, 404)
    assert kept(table_name) == [{"id": "n", "owner": "bob", "text": "theirs"}]


@pytest.mark.thorough(but=("PATCH-*", "DELETE-where"))
@pytest.mark.parametrize("rule", [*RULES.values(), AllowAny, Yes], ids=[*RULES, "AllowAny", "Yes"])
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_what_was_deleted_meanwhile_stays_deleted(
    note: Make, table_name: str, rule: Any, method: str
) -> None:
    put(table_name)
    client = note(rule)
    body = {} if method == "DELETE" else {"json": {"text": "new", "owner": "alice"}}
    with meanwhile(gone(table_name)):
        assert_problem(client.request(method, "/notes/n", **body), 404)
    assert kept(table_name) == []


@pytest.mark.parametrize("rule", [*RULES.values(), AllowAny], ids=[*RULES, "AllowAny"])
def test_a_create_that_lost_the_race_is_409(note: Make, table_name: str, rule: Any) -> None:
    client = note(rule)
    with meanwhile(theirs(table_name)):
        assert_problem(client.post("/notes", json={"id": "n", "owner": "alice"}), 409)
    assert kept(table_name) == [{"id": "n", "owner": "bob", "text": "theirs"}]


class Unlocked(Permission):
    """An opaque rule that relies on the text."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return instance.text != "locked"


@pytest.mark.parametrize("rule", [Owner, Unlocked], ids=["of another attribute", "of one that it relied on"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_opaque_rule_survives_a_change_that_it_allows(
    note: Make, table_name: str, rule: Any, method: str
) -> None:
    put(table_name)
    body = {} if method == "DELETE" else {"json": {"text": "new"}}
    with meanwhile(lambda: put(table_name, text="other", extra="kept")):
        result = note(rule).request(method, "/notes/n", **body)
    after = {"DELETE": (204, []), "PATCH": (200, [OLD | {"text": "new", "extra": "kept"}])}
    assert (result.status, kept(table_name)) == after[method]


def test_an_opaque_rule_that_loses_every_race_is_409(note: Make, table_name: str) -> None:
    """It is tried again from the read, twice."""
    put(table_name)
    others = iter(range(9))
    with meanwhile(lambda: put(table_name, text=f"other {next(others)}"), times=9) as calls:
        assert_problem(note(Unlocked).patch("/notes/n", json={"text": "new"}), 409)
    assert names(calls).count("UpdateItem") == 3
    assert kept(table_name) == [OLD | {"text": "other 2"}]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_permission_that_deletes_by_the_side(note: Make, table_name: str, method: str) -> None:
    class Deletes(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
            gone(table_name)()
            return True

    put(table_name)
    body = {} if method == "DELETE" else {"json": {"text": "new"}}
    assert_problem(note(Deletes).request(method, "/notes/n", **body), 404)
    assert kept(table_name) == []


# --- OwnedBy


@pytest.fixture
def owned(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/notes`` over a compound key, owner and uuid, under these permissions."""

    class Owned(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        uuid = UnicodeAttribute(range_key=True)
        tenant = UnicodeAttribute(null=True)

    create_table(Owned, table_name)

    def make(
        rule: Any, *, user: User | None = ALICE, verbs: Any = (Create, Retrieve, Update, Delete)
    ) -> Caller:
        pm = PolyMicro()
        type("Notes", (ModelResource, *verbs), {"model": Owned, "route": "notes", "permissions": rule})(pm)
        return Caller(pm.compile(), user=user)

    return make


BINDING = {
    "alone": OwnedBy("owner"),
    "in a tuple": (OwnedBy("owner"),),
    "and": IsAuthenticated() & OwnedBy("owner"),
    "several": (IsAuthenticated, OwnedBy("owner")),
    "claim": OwnedBy("owner", claim="uuid"),
    "and or": OwnedBy("owner") & (HasPermission("therapist") | HasPermission("admin")),
}


@pytest.mark.parametrize("rule", BINDING.values(), ids=BINDING)
def test_owned_by_binds_path_body_and_list(owned: Make, rule: Any) -> None:
    client = owned(rule, verbs=(Create, List, Retrieve, Update, Delete))
    made = client.post("/notes", json={"uuid": "u1"})
    item = {"owner": "alice", "uuid": "u1", "tenant": None}
    assert (made.status, made.json, resolved(made, "/notes")) == (201, item, "/notes/u1")
    assert client.everywhere("GET", "/notes/u1").json == item
    assert_problem(client.post("/notes", json={"uuid": "u1"}), 409)
    assert_problem(client.post("/notes", json={"uuid": "u2", "owner": "alice"}), 422, "#/owner")
    assert_problem(client.patch("/notes/u1", json={"owner": "bob"}), 422, "#/owner")
    assert_problem(client.get("/notes/alice/u1"), 404)
    assert_problem(client.get("/notes/u1", user=BOB), 404)
    assert_problem(client.delete("/notes/u1", user=BOB), 404)
    assert client.post("/notes", json={"uuid": "u1"}, user=BOB).json == item | {"owner": "bob"}
    assert client.get("/notes").json == {"items": [item], "pagination_key": None}
    assert client.patch("/notes/u1", json={"tenant": "t"}).json == item | {"tenant": "t"}
    assert client.put("/notes/u1", json={}).json == item
    assert client.delete("/notes/u1").status == 204
    assert client.get("/notes/u1", user=BOB).status == 200


LOOSE = {
    "|": OwnedBy("owner") | HasPermission("admin"),
    "| nested": (IsAuthenticated, HasPermission("admin") | OwnedBy("owner")),
    "~~": ~~(OwnedBy("owner") | HasPermission("admin")),
}


@pytest.mark.parametrize("rule", LOOSE.values(), ids=LOOSE)
def test_owned_by_under_or_keeps_the_key_in_the_path(owned: Make, table_name: str, rule: Any) -> None:
    """On create it defaults to the user's value, and the rule judges the new item."""
    client = owned(rule)
    made = client.post("/notes", json={"uuid": "u1"})
    item = {"owner": "alice", "uuid": "u1", "tenant": None}
    assert (made.status, made.json, resolved(made, "/notes")) == (201, item, "/notes/alice/u1")
    assert_problem(client.post("/notes", json={"uuid": "u2", "owner": "bob"}), 403)
    assert client.post("/notes", json={"uuid": "u3", "owner": "alice"}).status == 201
    assert client.post("/notes", json={"uuid": "u4", "owner": "bob"}, user=ADMIN).status == 201
    assert client.post("/notes", json={"uuid": "u5"}, user=ADMIN).json["owner"] == "root"
    assert_problem(client.get("/notes/u1"), 404)
    assert client.get("/notes/alice/u1").json == item
    assert client.get("/notes/alice/u1", user=ADMIN).json == item
    assert_problem(client.get("/notes/alice/u1", user=BOB), 404)
    assert_problem(client.get("/notes/bob/u4"), 404)
    assert [(each["owner"], each["uuid"]) for each in kept(table_name)] == [
        ("alice", "u1"),
        ("alice", "u3"),
        ("bob", "u4"),
        ("root", "u5"),
    ]


def test_owned_by_negated_binds_nothing(owned: Make) -> None:
    client = owned(~OwnedBy("owner"))
    assert_problem(client.post("/notes", json={"uuid": "u1"}), 403)
    assert client.post("/notes", json={"uuid": "u1", "owner": "bob"}).status == 201
    assert client.get("/notes/bob/u1").status == 200
    assert_problem(client.get("/notes/bob/u1", user=BOB), 404)


def test_owned_by_a_claim_that_is_no_key(owned: Make, table_name: str) -> None:
    """The item's path keeps both keys; the attribute is the user's, and who has no such claim has nothing."""
    client = owned(OwnedBy("tenant", claim="tenant"))
    acme, other = (User(name, claims={"tenant": name}) for name in ("acme", "other"))
    made = client.post("/notes", json={"owner": "o", "uuid": "u"}, user=acme)
    item = {"owner": "o", "uuid": "u", "tenant": "acme"}
    assert (made.status, made.json, resolved(made, "/notes")) == (201, item, "/notes/o/u")
    assert_problem(
        client.post("/notes", json={"owner": "o", "uuid": "v", "tenant": "x"}, user=acme), 422, "#/tenant"
    )
    assert client.get("/notes/o/u", user=acme).json == item
    assert_problem(client.get("/notes/o/u", user=other), 404)
    assert_problem(client.delete("/notes/o/u", user=other), 404)
    with counted() as calls:
        assert_problem(client.get("/notes/o/u", user=User("nobody")), 403)
        assert_problem(client.post("/notes", json={"owner": "o", "uuid": "w"}, user=User("nobody")), 403)
    assert calls == []
    assert kept(table_name) == [item]


def test_owned_by_a_range_key(owned: Make) -> None:
    client = owned(OwnedBy("uuid"))
    made = client.post("/notes", json={"owner": "group"})
    assert (made.status, made.json["uuid"], resolved(made, "/notes")) == (201, "alice", "/notes/group")
    assert client.get("/notes/group").json["uuid"] == "alice"
    assert_problem(client.get("/notes/group", user=BOB), 404)


# --- lists under a rule


@pytest.mark.parametrize(
    "rule", [Owner, Mine, Owner() | No(), Mine() & Yes()], ids=["opaque", "where", "|", "&"]
)
def test_a_list_shows_what_the_rule_shows(dynamodb: None, table_name: str, rule: Any) -> None:
    """Every row of an opaque rule is checked, and the page refilled up to its limit."""

    class Row(Model):
        class Meta:
            pass

        group = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        owner = UnicodeAttribute()

    create_table(Row, table_name)
    for number in range(20):
        Row("g", f"{number:02}", owner="alice" if number % 3 == 0 else "bob").save()

    class Rows(ModelResource, List):
        model = Row
        route = "rows"
        permissions = rule

        def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
            return Row.query("g", last_evaluated_key=pagination_key, limit=limit)

    pm = PolyMicro()
    Rows(pm)
    client = Caller(pm.compile(), user=ALICE)
    pages, link = [], "/rows?limit=3"
    while link:
        result = client.get(link)
        pages.append([item["id"] for item in result.json["items"]])
        link = resolved(result, link, "link") if "link" in result.headers else ""
    assert pages[:2] == [["00", "03", "06"], ["09", "12", "15"]]
    assert [id_ for page in pages for id_ in page] == ["00", "03", "06", "09", "12", "15", "18"]


@pytest.mark.usefixtures("versions_from_1")
def test_a_versioned_item_counts_its_updates(dynamodb: None, table_name: str) -> None:
    """Never settable, up by one with each update; who was overtaken under an opaque rule tries again."""

    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        version = VersionAttribute()

    create_table(Doc, table_name)
    pm = PolyMicro()
    body = {"model": Doc, "route": "docs", "permissions": Yes}
    type("Docs", (ModelResource, Create, Retrieve, Update, Delete), body)(pm)
    client = Caller(pm.compile(), user=ALICE)
    assert client.post("/docs", json={"id": "d"}).json == {"id": "d", "text": None, "version": 1}
    assert client.patch("/docs/d", json={"text": "a"}).json == {"id": "d", "text": "a", "version": 2}
    assert client.put("/docs/d", json={"text": "b"}).json == {"id": "d", "text": "b", "version": 3}
    assert client.get("/docs/d").json == {"id": "d", "text": "b", "version": 3}
    for method, path in (("POST", "/docs"), ("PATCH", "/docs/d"), ("PUT", "/docs/d")):
        more = {"id": "e"} if method == "POST" else {}
        assert_problem(client.request(method, path, json={"version": 9} | more), 422, "#/version")
    assert client.get("/docs/d").json["version"] == 3
    assert client.delete("/docs/d").status == 204
