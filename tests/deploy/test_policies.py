"""The policy of a function, within what IAM takes."""

import json
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.deploy import Options
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.deploy.limits import limits_of
from polymicro_lambda.deploy.policies import INLINE, MANAGED, MOST_MANAGED
from polymicro_lambda.deploy.template import template

ARN = "arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:table/"
STACK = "s" * 128


class ByText(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by-text"
        projection = AllProjection()

    text = UnicodeAttribute(hash_key=True)


def app(tables: int, *, name: str = "things") -> PolyMicro:
    pm = PolyMicro()
    for number in range(tables):
        members = {
            "Meta": type("Meta", (), {"table_name": f"{name}{number}"}),
            "id": UnicodeAttribute(hash_key=True),
            "text": UnicodeAttribute(),
            "by_text": ByText(),
        }
        model = type(f"Thing{number}", (Model,), members)
        kinds = (ModelResource, Create, List, Retrieve, Update, Delete)
        words = {"model": model, "route": f"{name}{number}", "filters": {"text": ("eq",)}, "scan": True}
        type(f"Things{number}", kinds, words)(pm)
    pm.compile()
    return pm


def made(pm: PolyMicro, **options: Any) -> dict[str, Any]:
    found = template(pm.routes, Options(handler="app.handler", authorizer_handler="gate.handler", **options))
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def resolved(statement: dict[str, Any], tables: dict[str, str]) -> str:
    """A statement as IAM gets it, in the partition and region and under the stack with the longest names."""
    places = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    arns = [arn(place, tables) for place in places]
    return json.dumps({**statement, "Resource": arns}, separators=(",", ":"))


def arn(place: dict[str, Any], tables: dict[str, str]) -> str:
    name = place["Fn::GetAtt"][0] if "Fn::GetAtt" in place else place["Fn::Sub"][2:].partition(".Arn}")[0]
    table = f"{STACK}-{tables[name]}"[:255]
    return ARN + table + place.get("Fn::Sub", "}").partition("}")[2]


def documents(found: dict[str, Any]) -> list[dict[str, Any]]:
    function = found["Resources"]["AppFunction"]["Properties"]
    return [
        found["Resources"][one["Ref"]]["Properties"]["PolicyDocument"] if "Ref" in one else one
        for one in function["Policies"]
    ]


@pytest.mark.parametrize("api", ["rest", "http"])
@pytest.mark.parametrize(
    ("tables", "name"),
    [(1, "things"), (20, "things"), (60, "things"), (100, "things"), (1, "t" * 120), (60, "t" * 120)],
)
def test_it_fits_and_grants_the_same(tables: int, name: str, api: str) -> None:
    pm = app(tables, name=name)
    found = made(pm, api=api)
    names = {
        logical: one["Properties"]["TableName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for logical, one in found["Resources"].items()
        if one["Type"] == "AWS::DynamoDB::Table"
    }
    policies = documents(found)
    inline = policies == found["Resources"]["AppFunction"]["Properties"]["Policies"]
    sizes = [sum(len(resolved(one, names)) + 1 for one in policy["Statement"]) + 39 for policy in policies]
    assert max(sizes) <= (INLINE if inline else MANAGED)
    assert len(policies) <= MOST_MANAGED
    granted = {
        (action, json.dumps(place))
        for policy in policies
        for one in policy["Statement"]
        for action in one["Action"]
        for place in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])
    }
    wanted = {
        (action, json.dumps(place))
        for one in statements(pm.routes)
        for action in one["Action"]
        for place in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])
    }
    assert granted == wanted


def test_more_than_a_role_takes_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"needs \d+ policies of 6144 characters, and a role takes 8"
    ):
        made(app(160))


def test_figures_beside_the_limits() -> None:
    found = {limit.noun: limit for limit in limits_of(made(app(60)))}
    assert all(limit.holds for limit in found.values())
    assert (found["outputs"].figure, found["outputs"].most) == (62, 200)
    with pytest.raises(
        ConfigurationError, match=r"^the template has 201 outputs, and CloudFormation takes 200"
    ):
        one_model_each(199)


def one_model_each(tables: int) -> dict[str, Any]:
    """An app whose policy is small, as nothing is done but to read by the key."""
    pm = PolyMicro()
    for number in range(tables):
        members = {
            "Meta": type("Meta", (), {"table_name": f"t{number}"}),
            "id": UnicodeAttribute(hash_key=True),
        }
        words = {"model": type(f"T{number}", (Model,), members), "route": f"t{number}"}
        type(f"Ts{number}", (ModelResource, Retrieve), words)(pm)
    pm.compile()
    return made(pm)
