"""Who the session of `polymicro serve` is made for."""

from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Create,
    HasPermission,
    InGroup,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Through,
)
from polymicro_lambda.cli.serving.start_message import EXAMPLE_USER, example_user


class Doc(Model):
    class Meta:
        table_name = "docs"

    owner = UnicodeAttribute(hash_key=True)


class Own(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return True


STAFF, EDITOR = HasPermission("staff"), HasPermission("editor")


@pytest.mark.parametrize(
    ("rule", "user"),
    [
        (AllowAny, "alice"),
        (OwnedBy("owner"), "alice"),
        (OwnedBy("owner") & STAFF & EDITOR, "alice:staff,editor"),
        (OwnedBy("owner") | STAFF, "alice"),
        ((STAFF & EDITOR) | EDITOR, "alice:editor"),
        (~STAFF & InGroup("hr"), "alice:groups=hr"),
        (OwnedBy("owner", claim="tenant") & STAFF, "alice:tenant=acme,staff"),
        (Through(Doc, {"owner": Claim("team")}), "alice:team=acme"),
        (Own, EXAMPLE_USER),
        (Own() & STAFF, "alice:staff"),
    ],
    ids=str,
)
def test_the_user_has_what_the_rules_ask_for(rule: Any, user: str) -> None:
    """And as little besides as they leave to choose."""
    pm = PolyMicro()
    members = {"model": Doc, "route": "docs", "permissions": rule}
    type("Docs", (ModelResource, Create, Retrieve), members)(pm)
    pm.compile()
    assert example_user(pm.routes) == user


def test_the_user_can_use_every_resource() -> None:
    pm = PolyMicro()
    for name, rule in {"drafts": EDITOR, "orders": STAFF, "public": ReadOnly()}.items():
        type(name, (ModelResource, Create), {"model": Doc, "route": name, "permissions": rule})(pm)
    pm.compile()
    assert example_user(pm.routes) == "alice:editor,staff"
