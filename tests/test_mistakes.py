"""Slips that would open a resource in silence are errors when the app compiles."""

from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    User,
    action,
)
from polymicro_lambda.testing import Client


class Doc(Model):
    class Meta:
        table_name = "docs"

    owner = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)


def compiled(**members: Any) -> PolyMicro:
    said = {"model": Doc, "route": "docs", "permissions": (OwnedBy("owner"),), **members}
    pm = PolyMicro()
    type("DocResource", (ModelResource, Create, List, Retrieve), said)(pm)
    pm.compile()
    return pm


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("permission_classes", "permissions"),
        ("permission", "permissions"),
        ("requires_if_match", "require_if_match"),
        ("serializer_class", "schema"),
        ("filter", "filters"),
        ("put", "update"),
        ("destroy", "delete"),
        ("max_limits", "max_limit"),
    ],
)
def test_a_name_that_means_nothing_says_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^DocResource\.{name} means nothing here: say {meant}$"):
        compiled(**{name: ()})


def test_names_of_ones_own_are_free() -> None:
    compiled(limit_per_day=7, clock=lambda self: 0, notify=lambda self: None, _filter=())


@pytest.mark.parametrize(
    ("method", "function"),
    [
        ("has_permission", lambda self, user: True),
        ("has_object_permission", lambda self, user, instance: True),
        ("where", lambda self, user, model: True),
    ],
)
def test_a_permission_takes_what_it_is_asked_with(method: str, function: Any) -> None:
    rule = type("Mine", (Permission,), {method: function})
    with pytest.raises(ConfigurationError, match=rf"^DocResource\.permissions: Mine\.{method} must take"):
        compiled(permissions=(OwnedBy("owner"), rule))


@pytest.mark.parametrize(
    "returned",
    [(Doc.owner == "alice",), Doc.owner, "alice", 1, ()],
    ids=["one comma too many", "attribute", "text", "number", "empty tuple"],
)
def test_a_where_that_returns_no_condition_opens_nothing(
    returned: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rule = type("Mine", (Permission,), {"where": lambda self, user, method, model: returned})
    result = Client(compiled(permissions=(OwnedBy("owner"), rule)), user=User("bob")).get("/docs")
    assert result.status == 500
    assert "Mine.where returned a" in str(caplog.records[-1].exc_info)


def test_filters_say_operators() -> None:
    with pytest.raises(ConfigurationError, match=r"^DocResource\.filters must say operators"):
        compiled(filters=("name",))


def test_an_action_may_go_without_brackets() -> None:
    @action
    def publish(self: Any, instance: Any) -> Any:
        return instance

    assert [r.template for r in compiled(publish=publish).routes if r.verb == "publish"] == [
        "/docs/{name}/publish"
    ]


class Misspelt(Permission):
    def has_perm(self, user: User, method: str) -> bool:
        return False


class Everybody(Permission):
    anonymous = True


@pytest.mark.parametrize("rule", [Misspelt, OwnedBy("owner") & Misspelt(), ~Misspelt()], ids=str)
def test_a_permission_that_answers_nothing_is_none(rule: Any) -> None:
    """It would be true for every user."""
    expected = (
        r"^DocResource\.permissions: Misspelt has none of has_permission, where and has_object_permission"
    )
    with pytest.raises(ConfigurationError, match=expected):
        compiled(permissions=rule)


def test_a_permission_for_nobody_in_particular_need_not_answer() -> None:
    compiled(permissions=OwnedBy("owner") & Everybody())
