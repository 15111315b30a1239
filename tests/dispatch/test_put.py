"""What PUT does: ``put = "replace"``, ``"merge"`` or ``"upsert"``."""

from typing import Any

import pytest
from contract import (
    ALICE,
    BOB,
    Caller,
    allow,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    meanwhile,
    names,
    stored,
)
from pynamodb.attributes import (
    DiscriminatorAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    Idempotency,
    IsAuthenticated,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy import grants
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.openapi import body_model, openapi
from polymicro_lambda.testing import assert_serializable


class Address(MapAttribute[str, Any]):
    street = UnicodeAttribute()
    city = UnicodeAttribute(null=True)


@pytest.fixture
def model(dynamodb: None, table_name: str) -> Any:
    class Page(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute()
        owner = UnicodeAttribute(null=True)
        count = NumberAttribute(default=7)
        note = UnicodeAttribute(null=True)
        address: Any = Address(null=True)  # type: ignore[no-untyped-call]

    Page.Meta.table_name = table_name
    return Page


def app_of(model: Any, mixins: Any = (Create, Retrieve, Update, Delete), **members: Any) -> PolyMicro:
    settings = members.pop("settings", {})
    base = {"model": model, "route": "pages", "permissions": AllowAny}
    pm = PolyMicro(**settings)
    type("Pages", (ModelResource, *mixins), base | members)(pm)
    return pm


def served(model: Any, **members: Any) -> Caller:
    pm = app_of(model, **members)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    return client


def put_item(model: Any, **item: Any) -> None:
    dynamodb_call("put_item", TableName=model.Meta.table_name, Item={"id": {"S": "1"}, **item})


WHOLE = {"id": "1", "text": "t", "owner": None, "count": 7, "note": None, "address": None}


# --- merge --------------------------------------------------------------------------------------------------------


def test_a_put_that_merges(model: Any) -> None:
    client = served(model, put="merge")
    put_item(model, text={"S": "t"}, count={"N": "3"}, address={"M": {"street": {"S": "s"}}})
    result = client.put("/pages/1", json={"note": "n", "address": {"city": "c"}})
    expected = {**WHOLE, "count": 3, "note": "n", "address": {"street": "s", "city": "c"}}
    assert (result.status, result.json) == (200, expected)
    assert client.put("/pages/2", json={"text": "t"}).status == 404


def test_a_put_that_merges_is_documented_so(model: Any) -> None:
    pm = app_of(model, put="merge")
    pm.compile()
    document = openapi(pm.routes)
    body = document["components"]["schemas"]["PagesReplace"]
    assert ("required" in body, "required" in body["properties"]["address"]) == (False, False)
    assert "default" not in body["properties"]["count"]
    put = document["paths"]["/pages/{id}"]["put"]
    assert ("201" in put["responses"], put["summary"]) == (False, "Change: Pages")


# --- upsert -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_own", [False, True], ids=["mixin", "override"])
@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_a_put_creates_or_replaces(model: Any, versioned: bool, is_own: bool) -> None:
    def update(self: Any, instance: Any, req: Any, user: Any) -> Any:
        return Update.update(self, instance, req, user)

    if versioned:
        model = type("Versioned", (model,), {"Meta": model.Meta, "version": VersionAttribute()})
    client = served(
        model,
        put="upsert",
        dump_only=("version",) if versioned else (),
        **({"update": update} if is_own else {}),
    )
    made = client.put("/pages/1", json={"text": "t"})
    assert (made.status, {**made.json, "version": 0}) == (201, {**WHOLE, "version": 0})
    assert "location" not in made.headers
    assert made.headers["etag"] == client.get("/pages/1").headers["etag"]
    with counted() as calls:
        replaced = client.put("/pages/1", json={"text": "u", "note": "n"})
    assert (replaced.status, replaced.json["text"], replaced.json["note"]) == (200, "u", "n")
    assert names(calls) == ["GetItem", "UpdateItem"] if is_own else ["UpdateItem"]
    assert allow(client.options("/pages/1")) == {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}
    assert client.patch("/pages/2", json={"text": "t"}).status == 404


def test_what_is_created_goes_through_the_own_create(model: Any) -> None:
    def create(self: Any, req: Any, user: Any) -> Any:
        return Create.create(self, {**req, "note": f"by {user.uuid}"}, user)

    client = served(model, put="upsert", create=create, permissions=OwnedBy("owner"), dump_only=("note",))
    made = client.put("/pages/1", json={"text": "t"})
    assert (made.status, made.json) == (201, {**WHOLE, "owner": "alice", "note": "by alice"})
    assert_problem(client.put("/pages/2", json={"note": "n", "text": "t"}), 422, "#/note")
    assert_problem(client.put("/pages/2", json={}), 422, "#/text")
    assert client.put("/pages/1", json={"text": "stolen"}, user=BOB).status == 404
    assert [item["text"] for item in stored(model.Meta.table_name)] == [{"S": "t"}]


@pytest.mark.parametrize(
    ("header", "there", "status"),
    [
        ({"If-Match": "*"}, False, 412),
        ({"If-Match": '"x"'}, False, 412),
        ({"If-Match": '"x"'}, True, 412),
        ({"If-Match": "*"}, True, 200),
        ({"If-None-Match": "*"}, False, 201),
        ({"If-None-Match": "*"}, True, 412),
        ({"If-None-Match": '"x"'}, False, 201),
        ({"If-None-Match": '"x"'}, True, 200),
    ],
)
def test_preconditions(model: Any, header: Any, there: bool, status: int) -> None:
    client = served(model, put="upsert")
    if there:
        put_item(model, text={"S": "old"})
    before = stored(model.Meta.table_name)
    assert client.put("/pages/1", json={"text": "t"}, headers=header).status == status
    assert (stored(model.Meta.table_name) == before) is (status == 412)


def test_a_required_if_match(model: Any) -> None:
    """Who says that there is no item yet has said all."""
    client = served(model, put="upsert", require_if_match=True)
    assert client.put("/pages/1", json={"text": "t"}).status == 428
    assert client.put("/pages/1", json={"text": "t"}, headers={"If-None-Match": "*"}).status == 201


class NoCreates(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return method != "create"

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner != "bob")


class NoBody(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return False


class OfOwner(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == (user.uuid if method == "create" else "carol")


class NotOfBob(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner != "bob")


def test_who_may_not_create(model: Any) -> None:
    """A missing and a hidden item are the same to them."""
    client = served(model, put="upsert", permissions=NoCreates)
    missing = client.put("/pages/1", json={"text": "t"})
    put_item(model, text={"S": "t"}, owner={"S": "bob"})
    hidden = client.put("/pages/1", json={"text": "t"})
    assert (missing.status, missing.json) == (hidden.status, hidden.json)
    assert missing.status == 403
    put_item(model, text={"S": "t"})
    assert client.put("/pages/1", json={"text": "u"}).status == 200


def test_the_rule_judges_the_new_item(model: Any) -> None:
    client = served(model, put="upsert", permissions=NotOfBob)
    assert client.put("/pages/1", json={"text": "t", "owner": "bob"}).status == 403
    assert client.put("/pages/1", json={"text": "t", "owner": "carol"}).status == 201
    assert len(stored(model.Meta.table_name)) == 1


def test_what_is_created_is_under_the_rules_of_both_verbs(model: Any) -> None:
    rules = {"create": OwnedBy("owner"), "update": IsAuthenticated, "*": AllowAny()}
    client = served(model, put="upsert", permissions=rules)
    made = client.put("/pages/1", json={"text": "t"})
    assert (made.status, made.json) == (201, {**WHOLE, "owner": "alice"})
    assert client.put("/pages/1", json={"text": "u"}, user=BOB).json == {
        **WHOLE,
        "owner": "alice",
        "text": "u",
    }
    assert client.put("/pages/2", json={"text": "t"}, user=None).status == 401
    members = {"put": "upsert", "permissions": {"create": NoBody, "*": AllowAny()}}
    client = served(model, **members)
    assert client.put("/pages/1", json={"text": "v"}, user=None).status == 200
    assert client.put("/pages/2", json={"text": "t"}).status == 403
    pm = app_of(model, **members)
    pm.compile()
    answers = openapi(pm.routes)["paths"]["/pages/{id}"]
    assert {"401", "403"} & answers["patch"]["responses"].keys() == set()
    assert {"401", "403"} <= answers["put"]["responses"].keys()
    client = served(model, put="upsert", permissions={"update": NoBody, "*": AllowAny()})
    assert client.put("/pages/2", json={"text": "t"}).status == 403
    assert len(stored(model.Meta.table_name)) == 1


def test_the_path_names_another_owner(dynamodb: None, table_name: str) -> None:
    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]
    rules = {"create": OwnedBy("owner"), "*": AllowAny()}
    client = served(Note, put="upsert", permissions=rules)
    assert client.put("/pages/bob/1", json={}).status == 403
    assert client.put("/pages/alice/1", json={}).status == 201
    assert len(stored(table_name)) == 1


def test_fields_of_items_of_ones_own(model: Any) -> None:
    """What is written of a new item is judged as in a create, whatever the rule for updates says of it."""
    client = served(model, put="upsert", field_permissions={"note": {"write": OfOwner()}})
    assert_problem(client.put("/pages/1", json={"text": "t", "owner": "bob", "note": "n"}), 422, "#/note")
    assert stored(model.Meta.table_name) == []
    assert client.put("/pages/1", json={"text": "t", "owner": "alice", "note": "n"}).status == 201
    assert_problem(client.put("/pages/1", json={"text": "t", "owner": "alice", "note": "n"}), 422, "#/note")


def test_it_comes_or_goes_meanwhile(model: Any) -> None:
    client = served(model, put="upsert")
    with meanwhile(lambda: put_item(model, text={"S": "other"})):
        assert client.put("/pages/1", json={"text": "t"}).status == 200
    delete = {"TableName": model.Meta.table_name, "Key": {"id": {"S": "1"}}}
    with meanwhile(lambda: dynamodb_call("delete_item", **delete)):
        assert client.put("/pages/1", json={"text": "u"}).status == 201


def test_an_expired_item_is_none(dynamodb: None, table_name: str) -> None:
    class Session(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        expires = TTLAttribute(null=True)

    Session.Meta.table_name = table_name  # type: ignore[attr-defined]
    client = served(Session, put="upsert")
    put_item(Session, expires={"N": "1"}, text={"S": "old"})
    result = client.put("/pages/1", json={})
    assert (result.status, result.json) == (201, {"id": "1", "text": None, "expires": None})


def test_an_item_of_another_kind_is_hidden(dynamodb: None, table_name: str) -> None:
    """Its key is taken, which no second try would change."""

    class Paper(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        kind = DiscriminatorAttribute()
        text = UnicodeAttribute(null=True)

    class Memo(Paper, discriminator="memo"):
        pass

    class Letter(Paper, discriminator="letter"):
        pass

    Paper.Meta.table_name = Memo.Meta.table_name = Letter.Meta.table_name = table_name  # type: ignore[attr-defined]
    client = served(Memo, put="upsert")
    put_item(Memo, kind={"S": "letter"})
    with counted() as calls:
        assert client.put("/pages/1", json={"text": "t"}).status == 404
    assert names(calls) == ["UpdateItem"]
    assert stored(table_name) == [{"id": {"S": "1"}, "kind": {"S": "letter"}}]


def test_fields_that_the_user_may_not_write(model: Any) -> None:
    """What is left out of a replaced item may be missing in a new one."""
    client = served(model, put="upsert", field_permissions={"text": NoBody})
    assert_problem(client.put("/pages/1", json={"text": "t"}), 422, "#/text")
    assert_problem(client.put("/pages/1", json={"note": "n"}), 422, "#/text")
    assert stored(model.Meta.table_name) == []
    put_item(model, text={"S": "t"})
    assert client.put("/pages/1", json={"note": "n"}).status == 200
    assert [(one["text"], one["note"]) for one in stored(model.Meta.table_name)] == [({"S": "t"}, {"S": "n"})]


def test_two_at_once(model: Any) -> None:
    client = served(model, put="upsert")
    for other in (
        lambda: client.put("/pages/1", json={"text": "b"}),
        lambda: client.delete("/pages/1"),
        lambda: client.post("/pages", json={"id": "1", "text": "c"}),
        lambda: client.put("/pages/1", json={"text": "d"}, headers={"If-None-Match": "*"}),
    ):
        assert_serializable(client, lambda: client.put("/pages/1", json={"text": "a"}), other)


def test_unique_values(model: Any) -> None:
    client = served(model, put="upsert", unique=("note",))
    assert client.put("/pages/1", json={"text": "t", "note": "n"}).status == 201
    assert_problem(client.put("/pages/2", json={"text": "t", "note": "n"}), 409, "#/note")
    assert client.put("/pages/1", json={"text": "u", "note": "n"}).status == 200
    assert client.put("/pages/1", json={"text": "u", "note": "m"}).status == 200
    assert client.put("/pages/2", json={"text": "t", "note": "n"}).status == 201


def test_a_repeated_request(model: Any, table_name: str) -> None:
    settings = {"idempotency": Idempotency(table=f"{table_name}k")}
    client = served(model, put="upsert", idempotent=("update",), settings=settings)
    key = {"Idempotency-Key": '"k"'}
    first = client.put("/pages/1", json={"text": "t"}, headers=key)
    again = client.put("/pages/1", json={"text": "t"}, headers=key)
    assert (first.status, again.status, again.headers["idempotency-replayed"]) == (201, 201, "true")
    assert again.json == first.json


def test_an_upsert_is_told(model: Any) -> None:
    pm = app_of(model, put="upsert")
    pm.compile()
    put, patch = (next(one for one in pm.routes if one.http == http) for http in ("PUT", "PATCH"))
    assert {one.operation for one in grants(put)} - {one.operation for one in grants(patch)} == {"PutItem"}
    answers = openapi(pm.routes)["paths"]["/pages/{id}"]
    assert ("201" in answers["put"]["responses"], "201" in answers["patch"]["responses"]) == (True, False)
    calls = {row.http: row.calls for row in rows(pm.routes)}
    assert (calls["PUT"], calls["PATCH"]) == ("UpdateItem, or PutItem", "UpdateItem")
    said = dict(explain(pm, "PUT /pages/1", ALICE))
    assert said["else"] == "where there is no item: 1 PutItem, on the condition that its key is free (201)"
    assert "else" not in dict(explain(pm, "PATCH /pages/1", ALICE))


def test_the_gateway_takes_a_put_that_merges(model: Any) -> None:
    pm = app_of(model, put="merge")
    pm.compile()
    put, patch, post = (
        next(one for one in pm.routes if one.http == http) for http in ("PUT", "PATCH", "POST")
    )
    assert body_model(put) == body_model(patch) != body_model(post)


@pytest.mark.parametrize(
    ("mixins", "put", "message"),
    [
        ((Create, Update), "create", "Pages.put must be one of 'replace', 'merge', 'upsert', not 'create'"),
        ((Create, Update), lambda self: None, "Pages.put means nothing here: say update"),
        ((Update,), "upsert", "Pages.put = 'upsert' needs Create: mix it in"),
        ((Create, Retrieve), "upsert", "Pages.put = 'upsert' needs Update: mix it in"),
        ((Create, Retrieve), "merge", "Pages.put = 'merge' needs Update: mix it in"),
    ],
)
def test_mistakes(model: Any, mixins: Any, put: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        app_of(model, mixins, put=put).compile()


def test_an_address_is_no_key_to_create_by(model: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^Pages\.put = 'upsert' creates items by their key"):
        app_of(model, put="upsert", unique=("text",), lookup="text").compile()


def test_an_action_may_have_the_name(model: Any) -> None:
    @action(detail=False)
    def put(self: Any, req: Any) -> Any:
        return req

    client = served(model, put=put)
    assert client.post("/pages/put", json={"a": 1}).json == {"a": 1}
    assert client.put("/pages/1", json={"text": "t"}).status == 404
