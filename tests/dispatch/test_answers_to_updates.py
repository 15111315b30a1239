"""What an update answers: the item to whom the rule lets retrieve it, and else that it was done."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import Caller, counted, names, stored
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Idempotency,
    IsAuthenticated,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    User,
)

Make = Callable[..., Caller]
CLERK, BOSS = User("clerk"), User("boss", frozenset({"boss"}))


class Box(Permission):
    """Anybody may put something in; only a boss may look."""

    def has_permission(self, user: Any, method: str) -> Any:
        return method != "retrieve" or "boss" in user.permissions


class OpenBox(Permission):
    """The same of items that are not public."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return True if method != "retrieve" or "boss" in user.permissions else model.text == "public"


class OpaqueBox(Permission):
    """The same in Python."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return method != "retrieve" or "boss" in user.permissions or instance.text == "public"


RULES = {"request": Box, "where": OpenBox, "opaque": OpaqueBox, "composed": Box & IsAuthenticated}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


class OwnUpdate(Update):
    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        return super().update(instance, req, user), 200, {"x-done": "yes", "etag": '"mine"'}


class Older(Update):
    """It gives back the item as it was handed."""

    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        super().update(instance, req, user)
        return instance


@pytest.fixture
def boxes(dynamodb: None, table_name: str) -> Make:
    """Makes a client, as the clerk, of ``/boxes/1``, which holds a secret."""

    class Item(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        secret = UnicodeAttribute(null=True)
        version = VersionAttribute()

    Item.Meta.table_name = table_name  # type: ignore[attr-defined]
    Item.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Item("1", text="t", secret="S3CRET").save()

    def make(rule: Any, *verbs: type, app: Any = None, **members: Any) -> Caller:
        pm = PolyMicro() if app is None else app
        body = {"model": Item, "permissions": rule, "route": "boxes", **members}
        type("Boxes", (ModelResource, *verbs), body)(pm)
        return Caller(pm.compile(), user=CLERK)

    return make


VERBS = {"mixin": Update, "override": OwnUpdate, "handed": Older}
WITH = {"with retrieve": (Retrieve,), "without": ()}
BODIES = {
    "an empty PATCH": ("PATCH", {}),
    "a PATCH": ("PATCH", {"text": "x"}),
    "a PUT": ("PUT", {"text": "x"}),
}


@pytest.mark.parametrize(("method", "body"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("others", WITH.values(), ids=WITH)
@every_rule
def test_who_may_not_retrieve_an_item_gets_none_of_it(
    boxes: Make, rule: Any, others: Any, verb: Any, method: str, body: Any
) -> None:
    client = boxes(rule, verb, *others)
    result = client.request(method, "/boxes/1", json=body)
    assert (result.status, result.body, result.headers.get("etag")) == (204, b"", None)
    assert "content-type" not in result.headers
    seen = client.request(method, "/boxes/1", json=body, user=BOSS)
    assert (seen.status, seen.json["text"]) == (200, body.get("text", "t"))
    assert seen.headers["etag"]


@pytest.mark.parametrize("rule", [OpenBox, OpaqueBox])
def test_the_rule_is_asked_of_the_item_as_it_is_then(boxes: Make, table_name: str, rule: Any) -> None:
    client = boxes(rule, Update, Retrieve)
    assert client.patch("/boxes/1", json={"text": "public"}).json["text"] == "public"
    assert client.patch("/boxes/1", json={"text": "private"}).status == 204
    assert stored(table_name)[0]["text"] == {"S": "private"}


@every_rule
def test_a_412_shows_the_item_to_whom_a_retrieve_would(boxes: Make, rule: Any) -> None:
    client = boxes(rule, Update, Retrieve)
    for body in ({}, {"text": "x"}):
        refused = client.patch("/boxes/1", json=body, headers={"If-Match": '"x"'})
        assert (refused.status, refused.headers.get("etag")) == (412, None)
        assert "current" not in refused.json
        shown = client.patch("/boxes/1", json=body, headers={"If-Match": '"x"'}, user=BOSS)
        assert (shown.status, shown.json["current"]["secret"]) == (412, "S3CRET")
        assert shown.headers["etag"] == '"1"'


def test_what_a_verb_says_besides_the_item_stays(boxes: Make) -> None:
    result = boxes(Box, OwnUpdate).patch("/boxes/1", json={"text": "x"})
    assert (result.status, result.headers["x-done"]) == (204, "yes")


class Told(Update):
    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        done = super().update(instance, req, user)
        return {"done": True, "item": done, "items": [done]}


def test_an_item_inside_of_other_json_is_null(boxes: Make) -> None:
    client = boxes(Box, Told)
    assert client.patch("/boxes/1", json={"text": "x"}).json == {"done": True, "item": None, "items": [None]}
    assert client.patch("/boxes/1", json={"text": "x"}, user=BOSS).json["item"]["secret"] == "S3CRET"


class Failing(Permission):
    def has_permission(self, user: Any, method: str) -> Any:
        if method == "retrieve":
            raise RuntimeError("canary")
        return True


def test_a_rule_that_raises_writes_nothing(boxes: Make, table_name: str) -> None:
    assert boxes(Failing, Update).patch("/boxes/1", json={"text": "x"}).status == 500
    assert stored(table_name)[0]["text"] == {"S": "t"}


class Asked(IsAuthenticated):
    def __init__(self) -> None:
        self.methods: list[str] = []

    def has_permission(self, user: Any, method: str) -> bool:
        self.methods.append(str(method))
        return True


def test_it_costs_one_decision(boxes: Make) -> None:
    """No further call of DynamoDB, no look at the item."""
    rule = Asked()
    client = boxes(rule & ~OwnedBy("secret"), Update)
    with counted() as calls:
        assert client.patch("/boxes/1", json={"text": "x"}).status == 200
    assert (names(calls), rule.methods) == (["UpdateItem"], ["update", "retrieve"])


class Fickle(Permission):
    """Lets retrieve while ``looks`` is set."""

    looks = True

    def has_permission(self, user: Any, method: str) -> Any:
        return method != "retrieve" or Fickle.looks


def test_a_replay_shows_no_more(boxes: Make, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who could retrieve the item then, and cannot any more, is told that it was done."""
    keys = Idempotency(table=f"{table_name}_keys")
    client = boxes(Fickle, Update, app=PolyMicro(idempotency=keys), idempotent=("update",))
    keys.model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    again = {"json": {"text": "x"}, "headers": {"Idempotency-Key": "k"}}
    assert client.patch("/boxes/1", **again).json["secret"] == "S3CRET"
    monkeypatch.setattr(Fickle, "looks", False)
    replayed = client.patch("/boxes/1", **again)
    assert (replayed.status, replayed.body, replayed.headers.get("etag")) == (204, b"", None)
    assert replayed.headers["idempotency-replayed"] == "true"
