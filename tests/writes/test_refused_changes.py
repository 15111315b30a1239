"""What no update can write is told before DynamoDB is called: unknown names, another key, another version, no key."""

import logging
from typing import Any

import pytest
from contract import (
    ALICE,
    Caller,
    assert_problem,
    counted,
    create_table,
    dynamodb_call,
    names,
    stored,
    writes,
)
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
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

ITEM: dict[str, Any] = {"shelf": {"N": "1"}, "id": {"S": "a"}, "owner": {"S": "alice"}, "v": {"N": "3"}}


class ByOwner(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    rank = UnicodeAttribute(range_key=True)


class Book(Model):
    class Meta:
        table_name = ""

    shelf = NumberAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    owner = UnicodeAttribute()
    rank = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    version = VersionAttribute(attr_name="v")
    by_owner = ByOwner()


class Changing:
    """Verbs that write what they were told to, whatever the body says."""

    changes: Any
    store: Any

    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        return super().update(instance, {**req, **self.changes}, user)  # type: ignore[misc]

    @action()
    def change(self, instance: Any) -> Any:
        return self.store.update(instance, self.changes)


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


@pytest.fixture
def books(dynamodb: None, table_name: str) -> Any:
    create_table(Book, table_name)
    dynamodb_call("put_item", TableName=table_name, Item=ITEM)

    def client(rule: Any = IsAuthenticated, *more: Any, **members: Any) -> Caller:
        pm = PolyMicro()
        said = {"model": Book, "route": "books", "permissions": rule, "scan": True, **members}
        type("Books", (*more, Create, Retrieve, Update, List, ModelResource), said)(pm)
        return Caller(pm.compile(), user=ALICE)

    return client


every_way = pytest.mark.parametrize("method", ["PATCH", "POST"], ids=["override", "action"])


def ask(client: Caller, method: str) -> Any:
    return client.request(method, "/books/1/a" if method == "PATCH" else "/books/1/a/change", json={})


REFUSED: dict[str, tuple[Any, str]] = {
    "unknown": ({"txt": "x"}, "Book has no attribute 'txt': is 'text' meant?"),
    "no name like it": (
        {"secret": 1},
        "Book has no attribute of a name that a verb writes: it has id, owner, ",
    ),
    "sort key": ({"id": "b", "text": "x"}, "Book.id is of the key, which no update changes"),
    "no sort key": ({"id": None}, "Book.id is of the key"),
    "partition key": ({"shelf": 2}, "Book.shelf is of the key"),
    "version": ({"version": 9}, "Book.version is its version, which every write counts up"),
}


@every_way
@pytest.mark.parametrize(
    "rule", [IsAuthenticated, Opaque, OwnedBy("owner")], ids=["request", "opaque", "owner"]
)
@pytest.mark.parametrize(("changes", "said"), REFUSED.values(), ids=REFUSED)
def test_what_no_update_writes(
    books: Any, table_name: str, rule: Any, method: str, changes: Any, said: str, caplog: Any
) -> None:
    """Nothing is written, and the log says what is wrong with which model and attribute."""
    client = books(rule, Changing, changes=changes)
    with counted() as calls, caplog.at_level(logging.ERROR):
        assert_problem(ask(client, method), 500)
    assert (writes(calls), stored(table_name)) == ([], [ITEM])
    assert said in caplog.text
    assert "secret" not in caplog.text


@every_way
@pytest.mark.parametrize(
    "changes", [{"shelf": 1.0, "id": "a"}, {"version": 3}, {}], ids=["key", "version", "none"]
)
def test_what_is_said_again_as_it_is(books: Any, table_name: str, method: str, changes: Any) -> None:
    """A number in another form, too."""
    assert ask(books(IsAuthenticated, Changing, changes=changes), method).status == 200
    assert stored(table_name) == [ITEM]
    assert (
        ask(books(IsAuthenticated, Changing, changes={**changes, "text": "x"}), method).json["version"] == 4
    )


@every_way
def test_the_rule_forbids_before_the_key_is_refused(books: Any, table_name: str, method: str) -> None:
    client = books(OwnedBy("id", claim="book"), Changing, changes={"id": "b"})
    client.user = User("alice", claims={"book": "a"})
    path = "/books/1" if method == "PATCH" else "/books/1/change"
    assert_problem(client.request(method, path, json={}), 403)
    assert stored(table_name) == [ITEM]


@every_way
@pytest.mark.parametrize(
    ("name", "value"), [("owner", ""), ("owner", "x" * 2049), ("rank", ""), ("rank", "ü" * 513)]
)
def test_what_no_index_takes_as_its_key(
    books: Any, table_name: str, method: str, name: str, value: str
) -> None:
    client = books(IsAuthenticated, Changing, changes={name: value})
    with counted() as calls:
        assert_problem(ask(client, method), 422, f"#/{name}")
    assert (names(calls), stored(table_name)) == (["GetItem"], [ITEM])


@pytest.mark.parametrize("name", ["id", "owner", "rank"])
def test_what_no_new_item_has_as_its_key(books: Any, table_name: str, name: str) -> None:
    def create(self: Any, req: Any) -> Any:
        return self.store.create({"shelf": 2, "id": "n", "owner": "o", name: ""})

    client = books(create=create)
    with counted() as calls:
        assert_problem(client.post("/books", json={}), 422, f"#/{name}")
    assert (calls, stored(table_name)) == ([], [ITEM])


# --- owners that can be no key

LONG = "x" * 2049
OWNERS: dict[str, tuple[str, Any]] = {
    "a long partition key": ("owner", LONG),
    "bytes, not characters": ("owner", "ü" * 1025),
    "a long sort key": ("id", "x" * 1025),
    "with the rule's prefix": ("id", "x" * 1020),
}


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
@pytest.mark.parametrize(("attribute", "claim"), OWNERS.values(), ids=OWNERS)
def test_whose_claim_can_be_no_key_creates_nothing(
    books: Any, attribute: str, claim: str, many: bool
) -> None:
    """Nor is there anything of theirs to read or to change. It takes no call."""
    client = books(OwnedBy(attribute, claim="c", prefix="USER#"), max_bulk=3)
    client.user = User("u", claims={"c": claim})
    body = {"shelf": 1, "rank": "r"} | ({"owner": "o"} if attribute == "id" else {"id": "n"})
    with counted() as calls:
        assert_problem(client.post("/books", json=[body, body] if many else body), 403)
        if attribute == "id":
            assert_problem(client.get("/books/1"), 404)
            assert_problem(client.patch("/books/1", json={"text": "x"}), 404)
            assert_problem(client.put("/books/1", json={"owner": "o"}), 404)
    assert calls == []


def test_whose_claim_can_be_no_key_does_not_own_by_default(books: Any) -> None:
    """Under | what else the rule grants stays, and the owner has to be said."""
    client = books(OwnedBy("owner", claim="c") | AllowAny)
    client.user = User("u", claims={"c": LONG})
    body = {"shelf": 1, "id": "n", "rank": "r"}
    assert_problem(client.post("/books", json=body), 422, "#/owner")
    assert client.post("/books", json={**body, "owner": "o"}).status == 201


@pytest.mark.parametrize("claim", ["9" * 39, "1" * 5000, 10**38])
def test_a_number_of_too_many_digits_is_no_claim(books: Any, claim: Any) -> None:
    client = books(OwnedBy("shelf", claim="c"))
    user = User("u", claims={"c": claim})
    with counted() as calls:
        answers = [client.get("/books/a", user=user), client.get("/books", user=user)]
        answers.append(client.post("/books", json={"id": "n", "owner": "o"}, user=user))
    assert ([one.status for one in answers], calls) == ([403] * 3, [])
