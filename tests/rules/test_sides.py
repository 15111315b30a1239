"""``judges``: a permission whose object rule must hold before an update, after it, or on both sides."""

from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, counted, create_table, dynamodb_call, meanwhile, names
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    IsAuthenticated,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)


def rule_of(kind: str, side: str, wanted: str = "draft") -> type[Permission]:
    """A permission by which the state must be ``wanted``: as a condition, or in Python."""

    class ByWhere(Permission):
        judges = side

        def where(self, user: Any, method: str, model: Any) -> Any:
            return True if method == "retrieve" else model.state == wanted

    class ByPython(Permission):
        judges = side

        def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
            return method == "retrieve" or instance.state == wanted

    return ByWhere if kind == "where" else ByPython


@pytest.fixture
def text_model(dynamodb: None, table_name: str) -> type[Model]:
    class Text(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        state = UnicodeAttribute(default="draft")
        body = UnicodeAttribute(null=True)

    create_table(Text, table_name)
    return Text


def served(model: type[Model], rule: Any) -> Caller:
    def publish(self: Any, instance: Any, user: Any) -> Any:
        return self.update(instance, {"state": "published"}, user)

    base = {"model": model, "route": "texts", "permissions": rule, "publish": action()(publish)}
    resource = type("Texts", (ModelResource, Create, Retrieve, Update, Delete), base)
    pm = PolyMicro()
    resource(pm)
    return Caller(pm.compile(), user=ALICE)


def put(model: Any, state: str) -> None:
    item = {"id": {"S": "1"}, "state": {"S": state}}
    dynamodb_call("put_item", TableName=model.Meta.table_name, Item=item)


# side -> may it go from draft to published, and back, and stay published
MOVES = {"both": (403, 403, 403), "before": (200, 403, 403), "after": (403, 200, 403)}
sides = pytest.mark.parametrize("side", MOVES)
kinds = pytest.mark.parametrize("kind", ["where", "python"])


@sides
@kinds
def test_a_rule_holds_on_its_side_of_an_update(text_model: Any, side: str, kind: str) -> None:
    client = served(text_model, rule_of(kind, side))
    statuses = []
    for before, change in (
        ("draft", {"state": "published"}),
        ("published", {"state": "draft"}),
        ("published", {"body": "b"}),
    ):
        put(text_model, before)
        statuses.append(client.patch("/texts/1", json=change).status)
        put(text_model, before)
        put_body = {"state": before, **change}
        assert client.put("/texts/1", json=put_body).status == statuses[-1]
    assert tuple(statuses) == MOVES[side]
    put(text_model, "draft")
    assert client.post("/texts/1/publish").status == MOVES[side][0]


@sides
@kinds
def test_a_new_item_has_no_before(text_model: Any, side: str, kind: str) -> None:
    client = served(text_model, rule_of(kind, side))
    expected = 201 if side == "before" else 403
    assert client.post("/texts", json={"id": "2", "state": "published"}).status == expected
    assert client.post("/texts", json={"id": "3"}).status == 201


@sides
@kinds
def test_a_delete_has_the_item_as_it_is(text_model: Any, side: str, kind: str) -> None:
    client = served(text_model, rule_of(kind, side))
    put(text_model, "published")
    assert_problem(client.delete("/texts/1"), 403)
    put(text_model, "draft")
    assert client.delete("/texts/1").status == 204


@kinds
def test_each_part_of_a_composition_has_its_own_side(text_model: Any, kind: str) -> None:
    """Drafts may be edited into anything but the bin; what is published may be taken back by moving it to draft."""
    before, after = rule_of(kind, "before"), rule_of(kind, "after")
    client = served(text_model, (IsAuthenticated, before | after, ~rule_of(kind, "after", "bin")))
    moves = {("draft", "published"): True, ("published", "draft"): True, ("published", "x"): False}
    moves[("draft", "bin")] = False
    for (old, new), allowed in moves.items():
        put(text_model, old)
        # The negated rule lets nobody retrieve it: no answer shows it, or says that it is there.
        assert client.patch("/texts/1", json={"state": new}).status == (204 if allowed else 404), (old, new)


def test_a_rule_before_is_part_of_the_one_call(text_model: Any) -> None:
    client = served(text_model, rule_of("where", "before"))
    put(text_model, "draft")
    with counted() as calls:
        assert client.patch("/texts/1", json={"state": "published"}).status == 200
        assert_problem(client.patch("/texts/1", json={"state": "published"}), 403)
    assert names(calls) == ["UpdateItem", "UpdateItem"]


@kinds
def test_no_race_gets_past_a_side(text_model: Any, kind: str) -> None:
    client = served(text_model, rule_of(kind, "before"))
    put(text_model, "draft")
    with meanwhile(lambda: put(text_model, "published")):
        assert_problem(client.patch("/texts/1", json={"state": "x"}), 403)
    mixed = served(text_model, rule_of(kind, "after") | rule_of(kind, "both"))
    put(text_model, "published")
    with meanwhile(lambda: put(text_model, "x")):
        assert mixed.patch("/texts/1", json={"body": "b"}).status == 403
        assert mixed.patch("/texts/1", json={"state": "draft"}).status == 200


def test_another_side_is_no_side(text_model: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Texts\.permissions: ByWhere\.judges"):
        served(text_model, rule_of("where", "then"))
