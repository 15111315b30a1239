"""What SAM makes of the template: its own translator says which verb asks whom, as AWS would have it."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import cfnlint.api  # type: ignore[import-untyped]
import pytest
import second_app
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

from handlers import todo
from polymicro_lambda import CORS, PolyMicro
from polymicro_lambda.deploy import template as template_module
from polymicro_lambda.deploy.gateway_routes import GatewayRoute, gateway_routes
from polymicro_lambda.deploy.template import Options, template

APPS = {"todo": todo.pm, "second": second_app.pm}
CORSES = {
    "none": None,
    "any": CORS(origins=("*",)),
    "one": CORS(origins=("https://a.example",), credentials=True),
    "several": CORS(origins=("https://a.example", "https://b.example")),
}
GATES = {"lambda": "Bearer", "cognito": "Cognito", "jwt": "Jwt", "iam": "AWS_IAM", "app": None}
"""Authorizer -> what SAM calls it in the API's definition; None where the app itself is asked."""
KINDS = [
    ("rest", "lambda"),
    ("rest", "cognito"),
    ("rest", "iam"),
    ("rest", "app"),
    ("http", "lambda"),
    ("http", "jwt"),
    ("http", "iam"),
    ("http", "app"),
]
PARAMETERS = {"UserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a"}


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the translator thinks it is; of its own metrics and toggles it need not tell."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    logging.getLogger("samtranslator").setLevel(logging.ERROR)


def made(app: PolyMicro, **given: Any) -> dict[str, Any]:
    """The template as plain JSON, its code where `sam package` would have put it."""
    options = Options(**{"handler": "app.handler", "authorizer_handler": "gate.handler"} | given)
    plain: dict[str, Any] = json.loads(json.dumps(template(app.routes, options)))
    plain["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    return {"AWSTemplateFormatVersion": "2010-09-09", "Transform": "AWS::Serverless-2016-10-31", **plain}


def forms(app: PolyMicro) -> list[list[GatewayRoute]]:
    """The routes of an API by verb, by path, and as one for all."""
    return list(gateway_routes(app.routes, validate=False))


def translated(app: PolyMicro, **given: Any) -> dict[str, Any]:
    result: dict[str, Any] = Translator({}, Parser()).translate(made(app, **given), PARAMETERS)
    return result


def gate(how: str, authorizer: str) -> str | None:
    """The authorizer before what it has to be asked for so; of those that nobody passes without a token it is none."""
    optional = "BearerOrNobody" if authorizer == "lambda" else None
    return {"required": GATES[authorizer], "optional": optional, "none": None}[how]


def asked(app: PolyMicro, **given: Any) -> dict[tuple[str, str], str | None]:
    """(verb, path) -> the authorizer that a request has to pass, None where there is none."""
    paths = translated(app, **given)["Resources"]["Api"]["Properties"]["Body"]["paths"]
    return dict(_asked(paths))


def _asked(paths: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str | None]]:
    for path, methods in paths.items():
        for method, about in methods.items():
            names = [name for one in about.get("security", []) for name in one if name != "NONE"]
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield (verb, path), names[0] if names else None


@pytest.mark.thorough(but=("*-several",))
@pytest.mark.parametrize("cors", CORSES)
@pytest.mark.parametrize(("api", "authorizer"), KINDS)
def test_who_is_asked(api: str, authorizer: str, cors: str) -> None:
    """Each verb that needs a user has its authorizer, and OPTIONS, where there is one, has none."""
    closed = {(one.method, one.path): gate(one.authorization, authorizer) for one in forms(second_app.pm)[0]}
    optional = gate("optional", authorizer)
    open_paths = {path for (_, path), name in closed.items() if name == optional}
    preflights = {
        ("OPTIONS", path): optional if path in open_paths and cors == "several" else None
        for _, path in closed
        if api == "rest" and CORSES[cors]
    }
    assert asked(second_app.pm, api=api, authorizer=authorizer, cors=CORSES[cors]) == closed | preflights


@pytest.mark.thorough(but=("*-one",))
@pytest.mark.parametrize("cors", CORSES)
@pytest.mark.parametrize(("api", "authorizer"), KINDS)
def test_who_is_asked_where_a_path_has_one_route(
    monkeypatch: pytest.MonkeyPatch, api: str, authorizer: str, cors: str
) -> None:
    """An HTTP API leaves a preflight to its ANY, so that with CORS there OPTIONS has a route, too."""
    monkeypatch.setattr(
        template_module, "gateway_routes", lambda *args, **by: [*gateway_routes(*args, **by)][1:]
    )
    paths = {one.path: one.authorization for one in forms(second_app.pm)[1]}
    wanted = {("ANY", path): gate(how, authorizer) for path, how in paths.items()}
    optional = gate("optional", authorizer) if api == "rest" and cors == "several" else None
    preflights = {
        ("OPTIONS", path): optional if how == "optional" else None
        for path, how in paths.items()
        if CORSES[cors]
    }
    assert asked(second_app.pm, api=api, authorizer=authorizer, cors=CORSES[cors]) == wanted | preflights


@pytest.mark.parametrize("cors", CORSES)
@pytest.mark.parametrize("api", ["rest", "http"])
def test_all_verbs_of_a_path_say_the_same_of_an_authorizer(api: str, cors: str) -> None:
    """`sam local` takes that of one of them for all, and which one is not known before."""
    found = made(second_app.pm, api=api, cors=CORSES[cors])["Resources"]["Api"]["Properties"][
        "DefinitionBody"
    ]
    said = {
        path: {str(one.get("security", "default")) for one in verbs.values()}
        for path, verbs in found["paths"].items()
    }
    assert {path: len(auths) for path, auths in said.items()} == dict.fromkeys(said, 1)
    assert set().union(*said.values()) == {"default", "[{'BearerOrNobody': []}]"}


@pytest.mark.parametrize(
    ("api", "kind", "reference"), [("rest", "Api", "RestApiId"), ("http", "HttpApi", "ApiId")]
)
def test_another_function_may_have_events_of_the_api(api: str, kind: str, reference: str) -> None:
    """What stands in the template by hand goes into the same API, behind the same authorizer."""
    plain = made(todo.pm, api=api)
    event = {"Type": kind, "Properties": {reference: {"Ref": "Api"}, "Method": "GET", "Path": "/mine"}}
    plain["Resources"]["Mine"] = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "mine.handler", "Events": {"Mine": event}},
    }
    result = Translator({}, Parser()).translate(plain, PARAMETERS)
    paths = result["Resources"]["Api"]["Properties"]["Body"]["paths"]
    assert list(paths) == ["/todo", "/todo/{owner}/{uuid}", "/mine"]
    assert dict(_asked(paths))["GET", "/mine"] == "Bearer"


def calls(api: str) -> dict[str, Any]:
    """Who may call the app's function."""
    resources = translated(second_app.pm, api=api)["Resources"]
    return {
        name: one["Properties"]["SourceArn"]
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Permission" and one["Properties"]["FunctionName"] == {"Ref": ALIAS}
    }


ALIAS = "AppFunctionAliaslive"


@pytest.mark.parametrize("api", ["rest", "http"])
def test_one_permission_for_all_routes_of_the_api(api: str) -> None:
    """Each route calls the version that the alias names."""
    place = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"
    assert calls(api) == {"AppFunctionPermission": {"Fn::Sub": place}}
    paths = translated(second_app.pm, api=api)["Resources"]["Api"]["Properties"]["Body"]["paths"]
    uris = {
        one["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        for verbs in paths.values()
        for one in verbs.values()
    }
    assert [uri.rpartition("/functions/")[2] for uri in uris] == ["${AppFunction.Arn}:live/invocations"]


@pytest.mark.thorough(but=("todo-rest-lambda",))
@pytest.mark.parametrize(
    ("app", "api", "authorizer"),
    [
        ("todo", "rest", "lambda"),
        ("todo", "http", "lambda"),
        ("second", "rest", "jwks"),
        *(("second", *kind) for kind in KINDS),
    ],
)
def test_cloudformation_finds_no_fault_with_what_sam_makes(app: str, api: str, authorizer: str) -> None:
    """But for a parameter that has gone into what the translator made."""
    gate = {"jwks": True} if authorizer == "jwks" else {"authorizer": authorizer}
    text = json.dumps(translated(APPS[app], api=api, cors=CORSES["one"], **gate))
    found = cfnlint.api.lint(text, regions=["us-east-1"])
    faults = {(match.rule.id, match.message) for match in found}
    assert faults - {("W2001", "Parameter UserPoolArn not used.")} == set()
