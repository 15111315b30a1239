"""What a template says of formats and of errors in an app's own words."""

import json
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

from polymicro_lambda import List, ModelResource, OwnedBy, PolyMicro
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.renderers import CSV, YAML, MessagePack


def api_of(*, api: str = "rest", **settings: Any) -> dict[str, Any]:
    """The properties of the API."""

    class Note(Model):
        class Meta:
            table_name = "notes"

        owner = UnicodeAttribute(hash_key=True)

    class Notes(ModelResource, List):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")

    pm = PolyMicro(**settings)
    Notes(pm)
    pm.compile()
    options = Options(handler="app.handler", authorizer_handler="gate.handler", api=api, problem=pm.problem)
    properties: dict[str, Any] = template(pm.routes, options)["Resources"]["Api"]["Properties"]
    return properties


@pytest.mark.parametrize(
    ("settings", "binary"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"renderers": {"text/csv": CSV(), "application/yaml": YAML()}}, None, id="texts"),
        pytest.param(
            {
                "renderers": {
                    "application/msgpack": MessagePack(),
                    "application/pdf": bytes,
                    "image/svg+xml": str,
                }
            },
            ["application~1msgpack", "application~1pdf"],
            id="renderers",
        ),
        pytest.param(
            {"parsers": {"application/msgpack": MessagePack()}}, ["application~1msgpack"], id="parsers"
        ),
    ],
)
def test_binary_media_types(settings: Any, binary: Any) -> None:
    """A REST API has to know them; an HTTP API does not, and has no such property."""
    assert api_of(**settings).get("BinaryMediaTypes") == binary
    assert "BinaryMediaTypes" not in api_of(api="http", **settings)


def test_refusals_of_a_rest_api_in_own_words() -> None:
    def problem(document: Any) -> Any:
        return {"no": document["title"], "code": document["status"], "id": document["instance"]}

    found = {
        name: json.loads(
            one["ResponseTemplates"]["application/json"].replace("$context.error.messageString", "0")
        )
        for name, one in api_of(problem=problem)["GatewayResponses"].items()
    }
    ours = {
        "UNAUTHORIZED": (401, "Unauthorized"),
        "MISSING_AUTHENTICATION_TOKEN": (404, "Not Found"),
        "INVALID_SIGNATURE": (404, "Not Found"),
        "BAD_REQUEST_BODY": (422, "Unprocessable Content"),
        "ACCESS_DENIED": (403, "Forbidden"),
        "AUTHORIZER_FAILURE": (500, "Internal Server Error"),
        "EXPIRED_TOKEN": (403, "Forbidden"),
        "INTEGRATION_FAILURE": (504, "Gateway Timeout"),
        "INTEGRATION_TIMEOUT": (504, "Gateway Timeout"),
        "REQUEST_TOO_LARGE": (413, "Content Too Large"),
        "THROTTLED": (429, "Too Many Requests"),
    }
    plain = {"type": "about:blank", "title": 0, "instance": "$context.requestId"}
    assert found == {
        **{
            name: {"no": title, "code": code, "id": "$context.requestId"}
            for name, (code, title) in ours.items()
        },
        "DEFAULT_4XX": plain,
        "DEFAULT_5XX": plain,
    }


def test_words_that_need_a_request_leave_the_usual_ones() -> None:
    worded = api_of(problem=lambda document, request: request.path)["GatewayResponses"]["UNAUTHORIZED"]
    assert worded["ResponseTemplates"] == api_of()["GatewayResponses"]["UNAUTHORIZED"]["ResponseTemplates"]


def test_sam_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    plain = json.loads(
        json.dumps(
            {
                "Type": "AWS::Serverless::Api",
                "Properties": api_of(renderers={"application/msgpack": MessagePack()}),
            }
        )
    )
    plain["Properties"] = {
        name: one for name, one in plain["Properties"].items() if name not in ("Auth", "Models")
    }
    given = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Api": plain}}
    made = Translator({}, Parser()).translate(given, {"Stage": "dev"})["Resources"]["Api"]["Properties"]
    assert made["Body"]["x-amazon-apigateway-binary-media-types"] == ["application/msgpack"]
