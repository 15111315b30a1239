"""A strong tag names one content: another viewer, a hook or a default made anew have tags of their own.

``If-None-Match`` is about what this user is shown, ``If-Match`` about the stored item.
"""

from itertools import count
from typing import Any, ClassVar

import pytest
from contract import ALICE, BOB, Caller, counted, create_table, dynamodb_call, names, versioned
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)

HR = User("hans", groups=frozenset({"hr"}))
PAY = {"field_permissions": {"pay": {"read": InGroup("hr")}}}
every_kind = pytest.mark.parametrize("kind", ["versioned", "digest"])


NUMBERS = count()


class Text(UnicodeAttribute):
    """Reads itself in a way of its own."""

    def deserialize(self, value: Any) -> Any:
        return f"{value}{next(NUMBERS)}"


class Docs:
    """Resources over one table of documents."""

    def __init__(self, table: str, kind: str, **attributes: Any) -> None:
        body = {
            "Meta": type("Meta", (), {}),
            "id": UnicodeAttribute(hash_key=True),
            "text": UnicodeAttribute(null=True),
            "pay": NumberAttribute(default=1),
            **attributes,
        }
        plain = type("Doc", (Model,), body)
        self.model = versioned(plain) if kind == "versioned" else plain
        create_table(self.model, table)

    def client(
        self, *more: Any, rule: Any = IsAuthenticated, idempotency: Any = None, **members: Any
    ) -> Caller:
        pm = PolyMicro(idempotency=idempotency)
        bases = (*more, ModelResource, Create, Retrieve, Update, Delete, List)
        said = {"model": self.model, "route": "docs", "permissions": rule, "scan": True, **members}
        type("Resource", bases, said)(pm)
        client = Caller(pm.compile(), user=ALICE)
        for model in {one for route in pm.routes for one in route.models} - {self.model}:
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        return client


@pytest.fixture
def docs(dynamodb: None, table_name: str) -> Any:
    return lambda kind, **attributes: Docs(table_name, kind, **attributes)


def known(client: Caller, tag: str, path: str = "/docs/d", **options: Any) -> int:
    return client.get(path, headers={"If-None-Match": tag}, **options).status


def tag(result: Any) -> str:
    return str(result.headers["etag"])


# --- viewers


@every_kind
def test_who_sees_less_has_another_tag(docs: Any, kind: str) -> None:
    client = docs(kind).client(**PAY)
    made = client.post("/docs", json={"id": "d", "pay": 5})
    seen, all_of_it = client.get("/docs/d"), client.everywhere("GET", "/docs/d", user=HR)
    assert [one.json.get("pay") for one in (made, seen, all_of_it)] == [None, None, 5]
    assert tag(made) == tag(seen) == tag(client.head("/docs/d")) != tag(all_of_it)
    assert tag(seen).startswith(tag(all_of_it)[:-1] + ".")
    assert [known(client, tag(seen)), known(client, tag(seen), user=HR)] == [304, 200]
    assert [known(client, tag(all_of_it)), known(client, tag(all_of_it), user=HR)] == [200, 304]


@every_kind
def test_every_tag_of_an_item_is_one_for_if_match(docs: Any, kind: str) -> None:
    """Of a version in one call still."""
    client = docs(kind).client(**PAY)
    tags = [tag(client.post("/docs", json={"id": "d"})), tag(client.get("/docs/d", user=HR))]
    for number in range(3):
        one = [*tags, ", ".join(tags)][number]
        with counted() as calls:
            assert client.patch("/docs/d", json={}, headers={"If-Match": one}).status == 200
            assert client.patch("/docs/d", json={"text": "x"}, headers={"If-Match": one}).status == 200
        assert names(calls)[1:] == ["UpdateItem"] if kind == "versioned" else ["GetItem", "UpdateItem"]
        late, current = client.delete("/docs/d", headers={"If-Match": one}), client.get("/docs/d")
        assert (late.status, late.json["current"], tag(late)) == (412, current.json, tag(current))
        client.delete("/docs/d")
        tags = [tag(client.post("/docs", json={"id": "d"})), tag(client.get("/docs/d", user=HR))]


@every_kind
def test_a_write_says_what_its_user_must_not_be_shown(docs: Any, kind: str) -> None:
    client = docs(kind).client(**PAY)
    tags = {
        user: tag(client.post("/docs", json={"id": "d"}) and client.get("/docs/d", user=user))
        for user in (ALICE, HR)
    }
    statuses = [
        client.patch("/docs/d", json={}, user=user, headers={"If-None-Match": tags[other]}).status
        for user, other in ((ALICE, ALICE), (HR, HR), (ALICE, HR), (HR, ALICE))
    ]
    assert statuses == [412, 412, 200, 200]


# --- hooks


class Bios:
    BIO: ClassVar[dict[str, str]] = {}

    def represent(self, data: dict[str, Any], instance: Any, request: Any) -> Any:
        return {**data, "bio": self.BIO.get("d"), "mine": request.user.uuid == ALICE.uuid}


@every_kind
def test_what_a_hook_adds_is_in_the_tag(docs: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = docs(kind).client(Bios, rule=AllowAny)
    client.post("/docs", json={"id": "d"})
    old, theirs = client.get("/docs/d"), client.get("/docs/d", user=BOB)
    monkeypatch.setitem(Bios.BIO, "d", "new")
    new = client.get("/docs/d", headers={"If-None-Match": tag(old)})
    assert [one.json["mine"] for one in (old, theirs, new)] == [True, False, True]
    assert (new.status, new.json["bio"], len({tag(old), tag(theirs), tag(new)})) == (200, "new", 3)
    assert known(client, tag(new)) == 304
    assert client.patch("/docs/d", json={"text": "x"}, headers={"If-Match": tag(old)}).status == 200


class Louder:
    """Verbs that hand out something else than what is stored."""

    def retrieve(self, instance: Any, user: Any) -> Any:
        if user.uuid != ALICE.uuid:
            instance.text = f"{instance.text}!"
        return instance

    @action()
    def look(self, instance: Any) -> Any:
        instance.text = "seen"
        return instance


@every_kind
def test_what_a_verb_changes_is_in_the_tag(docs: Any, kind: str) -> None:
    client = docs(kind).client(Louder)
    made = client.post("/docs", json={"id": "d", "text": "x"})
    quiet, loud, looked = client.get("/docs/d"), client.get("/docs/d", user=BOB), client.post("/docs/d/look")
    assert [one.json["text"] for one in (quiet, loud, looked)] == ["x", "x!", "seen"]
    assert len({tag(one) for one in (made, quiet, loud, looked)}) == 3
    assert tag(made) == tag(quiet)
    assert [known(client, tag(quiet)), known(client, tag(quiet), user=BOB)] == [304, 200]


# --- values that are made anew at each read


@every_kind
def test_a_value_made_anew_has_another_tag(docs: Any, table_name: str, kind: str) -> None:
    one = docs(kind, own=Text(null=True))
    item = {"id": {"S": "d"}, "version": {"N": "1"}, "own": {"S": "x"}}
    dynamodb_call("put_item", TableName=table_name, Item=item)
    client = one.client()
    first, second = client.get("/docs/d"), client.get("/docs/d")
    assert first.json != second.json
    assert tag(first) != tag(second)
    assert known(client, tag(first)) == 200
    assert client.patch("/docs/d", json={"text": "x"}, headers={"If-Match": tag(first)}).status == 200


@every_kind
def test_a_default_that_was_stored_is_made_no_more(docs: Any, kind: str) -> None:
    client = docs(kind, token=UnicodeAttribute(default=lambda: f"{next(NUMBERS)}")).client()
    made = client.post("/docs", json={"id": "d"})
    assert "." not in tag(made)
    assert (tag(client.get("/docs/d")), known(client, tag(made))) == (tag(made), 304)


# --- time


@every_kind
@pytest.mark.parametrize("rule", [IsAuthenticated, IsAuthenticated & ~InGroup("x")])
def test_a_version_does_not_come_again(docs: Any, rule: Any, kind: str) -> None:
    """Who has read the item that was there before is told of the new one, and does not write over it."""
    client = docs(kind).client(rule=rule)
    old = client.post("/docs", json={"id": "d", "text": "hers"})
    client.delete("/docs/d")
    new = client.post("/docs", json={"id": "d", "text": "his"}, user=BOB)
    assert tag(old) != tag(new)
    assert known(client, tag(old)) == 200
    late = client.patch("/docs/d", json={"text": "over it"}, headers={"If-Match": tag(old)})
    assert (late.status, late.json["current"]["text"]) == (412, "his")


def test_a_replay_has_the_tag_of_what_it_shows(docs: Any) -> None:
    client = docs("versioned").client(idempotency=Idempotency(), **PAY)
    headers = {"Idempotency-Key": "k"}
    first = client.post("/docs", json={"id": "d"}, user=HR, headers=headers)
    client.patch("/docs/d", json={"text": "x"})
    again = client.post("/docs", json={"id": "d"}, user=HR, headers=headers)
    less = client.post("/docs", json={"id": "d"}, user=User("hans"), headers=headers)
    assert [one.status for one in (first, again, less)] == [201, 201, 201]
    assert (again.body, less.body) == (first.body, b"")
    assert tag(again) == tag(first) == tag(less)
    assert known(client, tag(less), user=User("hans")) == 200


# --- pages


def test_the_page_of_another_user_is_another_page(docs: Any) -> None:
    """Its cursor is for that user alone; what is shown may differ, too."""
    client = docs("digest").client(**PAY)
    for name in "abc":
        client.post("/docs", json={"id": name})
    for path, same in (("/docs", True), ("/docs?limit=2", False)):
        mine, theirs, all_of_it = (tag(client.get(path, user=user)) for user in (ALICE, BOB, HR))
        assert (mine == theirs, mine == all_of_it) == (same, False)
        assert known(client, mine, path) == 304
