"""What resources and permissions declare that they call: it is granted, and its tables are made."""

from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    IsAuthenticated,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
)
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.project.engine import create_tables


class ByUser(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user = UnicodeAttribute(hash_key=True)


class Role(Model):
    class Meta:
        table_name = "roles"

    project = UnicodeAttribute(hash_key=True)
    user = UnicodeAttribute(range_key=True)
    by_user = ByUser()


class Page(Model):
    class Meta:
        table_name = "pages"

    project = UnicodeAttribute(hash_key=True)


class Member(Permission):
    calls: ClassVar = {Role: "GetItem"}

    def has_permission(self, user: Any, method: Any, request: Any) -> bool:
        return Role.count(request.path_params["project"], Role.user == user.uuid) > 0


def app(**declared: Any) -> PolyMicro:
    pm = PolyMicro()
    said = {"model": Page, "route": "pages", "permissions": Member, **declared}
    type("Pages", (ModelResource, Retrieve), said)(pm)
    pm.compile()
    return pm


def granted(pm: PolyMicro) -> list[tuple[Any, list[str]]]:
    return [(one["Resource"], one["Action"]) for one in statements(pm.routes)]


def test_the_policy_grants_what_is_declared() -> None:
    pm = app(calls={Role: ("PutItem", "GetItem"), Role.by_user: "Query"})
    assert granted(pm) == [
        ({"Fn::GetAtt": ["PagesTable", "Arn"]}, ["dynamodb:GetItem"]),
        ({"Fn::GetAtt": ["RolesTable", "Arn"]}, ["dynamodb:GetItem", "dynamodb:PutItem"]),
        ([{"Fn::Sub": "${RolesTable.Arn}/index/by_user"}], ["dynamodb:Query"]),
    ]


def test_the_permission_of_a_field_counts_too() -> None:
    pm = app(permissions=IsAuthenticated, field_permissions={"project": {"read": Member}})
    assert ({"Fn::GetAtt": ["RolesTable", "Arn"]}, ["dynamodb:GetItem"]) in granted(pm)


def test_a_table_that_only_a_permission_reads_is_made_too() -> None:
    resources = template(app().routes, Options(handler="pages.handler", authorizer_handler="a.handler"))[
        "Resources"
    ]
    assert {"PagesTable", "RolesTable"} <= set(resources)


def test_it_has_the_prefix_of_the_app(
    dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in (Role, Page):
        monkeypatch.setattr(model.Meta, "table_name", model.__name__.lower())  # type: ignore[attr-defined]
        monkeypatch.setattr(model.Meta, "_polymicro_prefix", None, raising=False)  # type: ignore[attr-defined]
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", table_name)
    pm = app()
    assert create_tables(pm.routes, "test") == [f"{table_name}page", f"{table_name}role"]
    Role("p", "alice").save()
    caller = Caller(pm.compile(), user=ALICE)
    assert (caller.get("/pages/p").status, caller.get("/pages/q").status) == (404, 403)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([Role], "must say what is called"),
        ({"roles": "GetItem"}, "'roles' is neither a model nor an index"),
        ({Role: "Get"}, "'Get' is none of BatchGetItem"),
        ({Role.by_user: "GetItem"}, "'GetItem' is none of Query"),
    ],
    ids=["no table", "no model", "no operation", "not on an index"],
)
def test_mistakes(said: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"Pages\.calls.*{message}"):
        app(calls=said)
