"""The 400 of a list that no index serves names nothing that is hidden; the log and ``--explain`` tell developers."""

import logging
from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, HasPermission, List, ModelResource, OwnedBy, PolyMicro
from polymicro_lambda.cli.explain import explain


class Job(Model):
    class Meta:
        table_name = "jobs"

    class ByTeam(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_team"
            projection = AllProjection()

        team = UnicodeAttribute(hash_key=True)
        secret = UnicodeAttribute(range_key=True, null=True)

    owner = UnicodeAttribute(hash_key=True)
    team = UnicodeAttribute()
    secret = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    by_team = ByTeam()


class Jobs(ModelResource, List):
    model = Job
    route = "jobs"
    permissions = AllowAny
    filters = {"text": ("eq",)}  # noqa: RUF012
    exclude = ("owner", "secret")


class ForStaff(Jobs):
    exclude = ("owner",)
    field_permissions = {"secret": {"read": HasPermission("staff")}}  # noqa: RUF012


class ForSome(Jobs):
    exclude = ()

    def fields_for(self, user: Any, method: Any) -> Any:
        return ("text", "team")


HIDING = [Jobs, ForStaff, ForSome]
FILTERED = {"filters": {"text": ("eq",), "team": ("eq",)}}
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no partition": (
        {"scan": True},
        "/jobs?sort=text",
        "No index serves this list.",
        "No filter of the resource would say which owner or team.",
    ),
    "an order": (
        {"permissions": OwnedBy("owner")},
        "/jobs?sort=text",
        "The list cannot be sorted by text.",
        "An index with partition key owner and sort key text would have this order.",
    ),
}


OF_AN_INDEX: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a filter": (
        FILTERED,
        "/jobs?text=x",
        "No index serves this list: say which team by a filter.",
        "An index with partition key text would serve this list.",
    ),
    "what an index lacks": (
        FILTERED,
        "/jobs?team=red",
        "No index has all of this list.",
        "The indexes lack items without secret.",
    ),
}


@pytest.mark.parametrize(
    ("resource", "members", "path", "detail", "advice"),
    [
        *((one, *asked) for one in HIDING for asked in REFUSED.values()),
        *((one, *asked) for one in (ForStaff, ForSome) for asked in OF_AN_INDEX.values()),
    ],
)
def test_nothing_hidden_is_named(
    caplog: pytest.LogCaptureFixture, resource: Any, members: Any, path: str, detail: str, advice: str
) -> None:
    pm = PolyMicro(cursor_secret="s")
    type("Served", (resource,), members)(pm)
    client = Caller(pm.compile(), user=ALICE)
    with caplog.at_level(logging.INFO, logger="polymicro_lambda"):
        result = client.get(path)
    assert_problem(result, 400, *(["sort"] if "sorted" in detail else []))
    assert (result.json["detail"], "secret" in result.text, "owner" in result.text) == (detail, False, False)
    assert advice in caplog.messages
    with pytest.raises(Exception, match=detail) as caught:
        explain(pm, f"GET {path}", ALICE)
    assert advice in caught.value.__notes__
