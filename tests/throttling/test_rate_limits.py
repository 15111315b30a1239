"""What a rate limit declares, and what it makes of policy, template, document and the command line."""

from typing import Any

import pytest
from contract import ALICE, counted, names
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    RateLimit,
    Retrieve,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.deploy.tables import logical_id
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.openapi.document import openapi


class Note(Model):
    class Meta:
        table_name = "notes"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


def app(limit: Any = None, **members: Any) -> PolyMicro:
    pm = PolyMicro(rate_limit=limit, **members.pop("settings", {}))

    @action()
    def finish(self: Any, instance: Any) -> Any:
        return instance

    body = {"model": Note, "route": "notes", "permissions": OwnedBy("owner"), "finish": finish, **members}
    type("Notes", (ModelResource, Create, List, Retrieve), body)(pm)
    pm.compile()
    return pm


@pytest.mark.parametrize(
    ("quota", "requests", "seconds"),
    [
        ("1/second", 1, 1),
        ("100/minute", 100, 60),
        ("100 / minute", 100, 60),
        ("1000/hour", 1000, 3600),
        ("5/day", 5, 86400),
        ("10/15 minutes", 10, 900),
        ("10/30 seconds", 10, 30),
        ("1000000000/day", 1_000_000_000, 86400),
    ],
)
def test_quotas(quota: str, requests: int, seconds: int) -> None:
    routes = app(RateLimit(quota)).routes
    assert {(route.rate.requests, route.rate.seconds) for route in routes if route.rate} == {
        (requests, seconds)
    }


def test_which_quota_counts() -> None:
    said = {"create": "1/hour", "retrieve": None, "finish": "2/day"}
    policies = {
        route.verb: route.rate and route.rate.policy
        for route in app(RateLimit("9/minute"), rate_limit=said).routes
    }
    assert policies == {
        "create": '"notes.create";q=1;w=3600',
        "list": '"default";q=9;w=60',
        "retrieve": None,
        "finish": '"notes.finish";q=2;w=86400',
    }
    only = app(RateLimit(), rate_limit={"create": "1/hour"}, route="v1/{owner}/notes")
    assert [(route.verb, route.rate.name) for route in only.routes if route.rate] == [
        ("create", "v1/{owner}/notes.create")
    ]


BAD = [
    "",
    "x",
    "0/minute",
    "10",
    "10/",
    "10/fortnight",
    "-1/minute",
    "1.5/minute",
    "1e3/minute",
    "10000000000/day",
    10,
]


@pytest.mark.parametrize("quota", BAD, ids=repr)
def test_what_is_no_quota(quota: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"RateLimit\.quota must say requests in a time, such as"):
        RateLimit(quota)
    with pytest.raises(ConfigurationError, match=r"Notes\.rate_limit must say requests in a time"):
        app(RateLimit("1/day"), rate_limit=quota)


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"rate_limit": "1/day"}, r"Notes\.rate_limit needs PolyMicro\(rate_limit=RateLimit\(\)\)"),
        ({"limit": RateLimit()}, r"PolyMicro\.rate_limit limits nothing: say RateLimit"),
        (
            {"limit": RateLimit("1/day"), "rate_limit": {"update": "1/day"}},
            "'update' is no verb here; there are",
        ),
        ({"limit": "100/minute"}, r"PolyMicro\.rate_limit must be a RateLimit\(\), not '100/minute'"),
        (
            {"limit": RateLimit("1/day", table="notes")},
            r"Note has the table 'notes', which is that of PolyMicro\.rate_limit",
        ),
        (
            {"limit": RateLimit("1/day", table="t"), "settings": {"idempotency": Idempotency(table="t")}},
            r"PolyMicro\.idempotency and PolyMicro\.rate_limit have one table",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "declared",
)
def test_mistakes(members: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        app(**members)


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"table": ""}, r"RateLimit\.table"),
        ({"fail_open": 1}, r"RateLimit\.fail_open"),
        ({"anonymous": "x-forwarded-for"}, r"RateLimit\.anonymous must be a function"),
        ({"clock": 7}, r"RateLimit\.clock"),
    ],
    ids=lambda value: value if isinstance(value, str) else "declared",
)
def test_mistakes_of_the_declaration(members: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        RateLimit("1/day", **members)


# --- what is made of it ----------------------------------------------------------------------------------


def test_the_policy_grants_the_one_call() -> None:
    found = statements(app(RateLimit("1/day")).routes)
    assert [one["Action"] for one in found if "RateLimits" in str(one["Resource"])] == [
        ["dynamodb:UpdateItem"]
    ]
    assert "RateLimits" not in str(statements(app().routes))


def test_the_template_makes_the_table() -> None:
    made = template(app(RateLimit("1/day")).routes, Options(handler="app.handler", authorizer_handler="a.b"))
    properties = made["Resources"][logical_id("rate_limits")]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]


def test_the_document_has_answer_and_headers() -> None:
    paths = openapi(app(RateLimit(), rate_limit={"list": "9/minute"}).routes)["paths"]
    listed, created = paths["/notes"]["get"]["responses"], paths["/notes"]["post"]["responses"]
    example = listed["429"]["content"]["application/problem+json"]["example"]
    assert (example["status"], example["detail"][:25]) == (429, "9 requests in 60 seconds ")
    assert listed["429"]["headers"].keys() == {"RateLimit", "RateLimit-Policy", "Retry-After"}
    assert {"RateLimit", "RateLimit-Policy"} <= listed["200"]["headers"].keys() & listed["304"][
        "headers"
    ].keys()
    assert ("429" in created, "RateLimit" in created["201"]["headers"]) == (False, False)
    refused = openapi(app(RateLimit("9/day")).routes)["components"]["responses"]["TooManyRequests"]
    assert refused["headers"].keys() == {"RateLimit", "RateLimit-Policy", "Retry-After"}


def test_the_command_line_tells_what_it_costs() -> None:
    pm = app(RateLimit(), rate_limit={"list": "9/minute", "create": "1/day"})
    assert {row.verb: row.calls for row in rows(pm.routes)} == {
        "create": "UpdateItem (rate), PutItem",
        "list": "UpdateItem (rate), Query",
        "retrieve": "GetItem",
        "finish": "GetItem, its own",
    }
    assert [row.access for row in rows(pm.routes) if row.verb == "list"] == ["table"]
    with counted() as calls:
        said = dict(explain(pm, "GET /notes", ALICE))
    assert (names(calls), said["rate"]) == (
        [],
        '"notes.list";q=9;w=60: 1 UpdateItem of the user\'s counter comes first',
    )
