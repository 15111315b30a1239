"""The SAM template: what it says of tables, API and function, and the command that writes and checks it."""

import json
import logging
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cfnlint.api  # type: ignore[import-untyped]
import pytest
import second_app
import yaml
from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.session import get_session
from click.testing import CliRunner, Result
from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from local_engine import SETS_TTL
from marshmallow import Schema, fields
from pynamodb.attributes import MapAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from handlers import todo
from polymicro_lambda import CORS, Create, List, ModelResource, PolyMicro, Retrieve, Update, User
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.deploy.artifact.powertools import naming_variables
from polymicro_lambda.deploy.gateway_routes import CATCH_ALL, GatewayRoute, Preflights, gateway_routes
from polymicro_lambda.deploy.generated_parts import Part, merge_parts
from polymicro_lambda.deploy.tables import (
    GLOBAL_INDEXES,
    LOCAL_INDEXES,
    logical_id,
    next_index_step,
    tables_of,
)
from polymicro_lambda.deploy.template import Options, template, template_parts
from polymicro_lambda.deploy.yaml_writer import Commented, dump
from polymicro_lambda.dynamodb.client import table_name as table_name_of
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.openapi.gateway_models import body_model
from polymicro_lambda.permissions import AllowAny, IsAuthenticated, OwnedBy, Permission
from polymicro_lambda.project.engine import DEVELOPMENT_SECRET
from polymicro_lambda.testing import Client

ROOT = Path(__file__).parents[2]
APPS = {"todo": todo.pm, "second": second_app.pm}
HEAD = 'AWSTemplateFormatVersion: "2010-09-09"\nTransform: AWS::Serverless-2016-10-31\n'
KINDS = [
    ("rest", "lambda"),
    ("rest", "cognito"),
    ("rest", "iam"),
    ("http", "lambda"),
    ("http", "jwt"),
    ("http", "iam"),
]


def options(**given: Any) -> Options:
    return Options(**{"handler": "app.handler", "authorizer_handler": "gate.handler"} | given)


def resources(app: PolyMicro, **given: Any) -> dict[str, Any]:
    made: dict[str, Any] = template(app.routes, options(**given))["Resources"]
    return made


class Long(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the long ones."""


def _long(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    plain = isinstance(node, yaml.ScalarNode)
    value: Any = loader.construct_scalar(node) if plain else loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt":
        return {"Fn::GetAtt": value.split(".")}
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


Long.add_multi_constructor("!", _long)


def loaded(text: str) -> Any:
    return yaml.load(text, Long)


# --- the whole ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize(("api", "authorizer"), KINDS)
def test_its_text_says_what_the_template_is(app: str, api: str, authorizer: str) -> None:
    """The same values by a YAML parser, and the same text by another run."""
    chosen = options(api=api, authorizer=authorizer, cors=CORS(origins=("https://a.example",)))
    text = merge_parts(HEAD, template_parts(APPS[app].routes, chosen))
    said = {"AWSTemplateFormatVersion": "2010-09-09", "Transform": "AWS::Serverless-2016-10-31"}
    assert loaded(text) == said | json.loads(json.dumps(template(APPS[app].routes, chosen)))
    assert merge_parts(HEAD, template_parts(APPS[app].routes, chosen)) == text


@pytest.mark.thorough
@pytest.mark.parametrize(("api", "authorizer"), [("rest", "lambda"), ("http", "jwt")])
def test_cloudformation_finds_no_fault_with_it(api: str, authorizer: str) -> None:
    """As far as cfn-lint knows it without SAM's own transform; it does see a fault that is there."""
    text = merge_parts(
        HEAD, template_parts(second_app.pm.routes, options(api=api, authorizer=authorizer, snap_start=True))
    )
    wrong = text.replace("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_YEAR")
    assert [lint(one) for one in (text, wrong)] == [set(), {"E3030", "E3639"}]


def lint(text: str) -> set[str]:
    return {match.rule.id for match in cfnlint.api.lint(text, regions=["us-east-1"])}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"authorizer": "jwt"},
            "a REST API has no jwt authorizer; it has lambda, cognito, iam, app, none",
            id="rest jwt",
        ),
        pytest.param(
            {"api": "http", "authorizer": "cognito"},
            "a HTTP API has no cognito authorizer; it has lambda, jwt, iam, app, none",
            id="http cognito",
        ),
        pytest.param(
            {"authorizer": "iam", "jwks": True},
            "public keys are for a Lambda authorizer, not for iam",
            id="keys",
        ),
        pytest.param(
            {"authorizer_handler": None},
            'the authorizer is a Lambda function, but nothing names it: write authorizer = "module:name" in'
            " [tool.polymicro], or say another, by --authorizer cognito, iam, app, none",
            id="unnamed",
        ),
        pytest.param(
            {"authorizer": "none"},
            "without an authorizer nobody can call OrderResource.create: say which there is, by --authorizer"
            " lambda, cognito, iam, app",
            id="nobody",
        ),
    ],
)
def test_options_that_contradict_one_another(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        template(second_app.pm.routes, options(**given))
    assert str(caught.value) == message


def test_the_function() -> None:
    made = template(todo.pm.routes, options(memory=256, timeout=9, snap_start=True, build_method="makefile"))
    function = made["Resources"]["AppFunction"]
    kept = ("Handler", "MemorySize", "Timeout", "AutoPublishAlias", "SnapStart", "LoggingConfig")
    assert {name: function["Properties"][name] for name in kept} == {
        "Handler": "app.handler",
        "MemorySize": 256,
        "Timeout": 9,
        "AutoPublishAlias": "live",
        "SnapStart": {"ApplyOn": "PublishedVersions"},
        "LoggingConfig": {"LogGroup": {"Ref": "AppLogs"}},
    }
    assert function["Metadata"]["BuildMethod"] == "makefile"
    assert made["Parameters"]["Runtime"]["AllowedValues"] == ["python3.12", "python3.13"]
    assert made["Globals"]["Function"] == {
        "CodeUri": ".",
        "Runtime": {"Ref": "Runtime"},
        "Architectures": ["arm64"],
        "Tracing": "Active",
        "LoggingConfig": {"LogFormat": "JSON"},
    }


def test_the_table_prefix_of_an_app_stands_before_the_tables_name() -> None:
    own, by_stack = resources(todo.pm, table_prefix="x-"), resources(todo.pm)
    assert own["TodosTable"]["Properties"]["TableName"] == "x-todos"
    assert by_stack["TodosTable"]["Properties"]["TableName"] == {"Fn::Sub": "${AWS::StackName}-todos"}
    variables = [r["AppFunction"]["Properties"]["Environment"]["Variables"] for r in (own, by_stack)]
    assert ["POLYMICRO_TABLE_PREFIX" in one for one in variables] == [False, True]


SERVICE, NAMESPACE = "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"


def test_what_powertools_leaves_unnamed_is_named_after_the_stack() -> None:
    told, silent = resources(todo.pm, named=(SERVICE, NAMESPACE)), resources(todo.pm)
    variables = [r["AppFunction"]["Properties"]["Environment"]["Variables"] for r in (told, silent)]
    stack = {"Ref": "AWS::StackName"}
    assert variables[0] == {**variables[1], SERVICE: stack, NAMESPACE: stack}


@pytest.mark.parametrize(
    ("made", "names"),
    [
        pytest.param(lambda: (None, False, None), [], id="off"),
        pytest.param(lambda: (logging.getLogger("a"), None, None), [], id="standard logger"),
        pytest.param(lambda: (True, None, None), [SERVICE], id="logger"),
        pytest.param(lambda: (None, True, None), [SERVICE, NAMESPACE], id="metrics"),
        pytest.param(lambda: (None, None, True), [SERVICE], id="tracer"),
        pytest.param(lambda: (Logger(), None, None), [SERVICE], id="logger without service"),
        pytest.param(lambda: (None, None, Tracer()), [SERVICE], id="tracer without service"),
        pytest.param(lambda: (Logger(service="a"), None, None), [], id="logger with service"),
        pytest.param(lambda: (None, Metrics(namespace="a", service="b"), None), [], id="metrics with both"),
        pytest.param(lambda: (None, Metrics(namespace="a"), None), [SERVICE], id="metrics with namespace"),
        pytest.param(lambda: (None, Metrics(service="b"), None), [NAMESPACE], id="metrics with service"),
        pytest.param(lambda: (Logger(service="a"), None, True), [SERVICE], id="one of two with service"),
    ],
)
def test_what_an_object_of_powertools_says_itself(made: Any, names: list[str]) -> None:
    assert list(naming_variables(*made())) == names


def test_what_the_machines_environment_says_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVICE, "here")
    monkeypatch.setenv(NAMESPACE, "Here")
    assert list(naming_variables(Logger(), Metrics(), None)) == [SERVICE, NAMESPACE]


@pytest.mark.parametrize(("api", "authorizer"), KINDS)
def test_logs_secrets_and_outputs(api: str, authorizer: str) -> None:
    """Of each function and of the API; the authorizer's own only where it is a function."""
    made = template(second_app.pm.routes, options(api=api, authorizer=authorizer))
    own = [{"AuthorizerLogs"}, {"JwtSecret"}] if authorizer == "lambda" else [set(), set()]
    assert of_type(made, "AWS::Logs::LogGroup") == {"ApiLogs", "AppLogs"} | own[0]
    assert of_type(made, "AWS::SecretsManager::Secret") == {"CursorSecret"} | own[1]
    assert set(made["Outputs"]) == {"Url", "OrdersTable", "ScrapsTable"} | own[1]
    groups = [one["Properties"] for one in made["Resources"].values() if "Logs::LogGroup" in one["Type"]]
    assert groups == [{"RetentionInDays": 365}] * len(groups)


def of_type(made: Mapping[str, Any], kind: str) -> set[str]:
    return {name for name, one in made["Resources"].items() if one["Type"] == kind}


def test_secrets_are_made_up_and_handed_over() -> None:
    made = resources(todo.pm)
    for function, variable, secret in (
        ("AppFunction", "POLYMICRO_CURSOR_SECRET", "CursorSecret"),
        ("AuthorizerFunction", "JWT_SECRET", "JwtSecret"),
    ):
        handed = made[function]["Properties"]["Environment"]["Variables"][variable]
        assert handed == {"Fn::Sub": f"{{{{resolve:secretsmanager:${{{secret}}}}}}}"}
        assert made[secret]["Properties"]["GenerateSecretString"]["PasswordLength"] == 64


def test_the_documented_variables_are_all_that_the_functions_have() -> None:
    """`sam local` sets none that the template does not name, and the token of a local run is signed alike."""
    (block,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "deploying.md").read_text(), re.DOTALL)
    said = json.loads(block)["Parameters"]
    made = resources(todo.pm)
    functions = [one["Properties"] for one in made.values() if one["Type"] == "AWS::Serverless::Function"]
    assert set(said) == {name for one in functions for name in one["Environment"]["Variables"]}
    assert said["JWT_SECRET"] == DEVELOPMENT_SECRET


def test_an_authorizer_by_public_keys_has_no_secret() -> None:
    made = template(todo.pm.routes, options(jwks=True))
    variables = made["Resources"]["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    wanted = {"JWT_JWKS_URL": "JwksUrl", "JWT_ISSUER": "JwtIssuer", "JWT_AUDIENCE": "JwtAudience"}
    assert variables == {name: {"Ref": parameter} for name, parameter in wanted.items()}
    assert set(wanted.values()) <= set(made["Parameters"])
    assert ("JwtSecret" in made["Resources"], "JwtSecret" in made["Outputs"]) == (False, False)


def test_every_skipped_check_has_a_reason() -> None:
    skips = [one["Metadata"]["checkov"]["skip"] for one in resources(todo.pm).values() if "Metadata" in one]
    assert skips
    assert [one for skip in skips for one in skip if len(one["comment"]) < 20] == []


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [todo.Todo, second_app.Order, second_app.Scrap], ids=lambda m: m.__name__)
def test_a_table_is_the_one_that_pynamodb_makes(
    dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch, model: type[Model]
) -> None:
    monkeypatch.setattr(model.Meta, "table_name", table_name)
    monkeypatch.setattr(Model, "update_ttl", SETS_TTL)
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    properties = resources_of(model)[logical_id(table_name)]["Properties"]
    assert properties.pop("TableName") == {"Fn::Sub": f"${{AWS::StackName}}-{table_name}"}
    assert properties.pop("PointInTimeRecoverySpecification") == {"PointInTimeRecoveryEnabled": True}
    assert properties.pop("SSESpecification") == {"SSEEnabled": True}
    assert ordered(properties) == ordered(described(table_name))


def resources_of(model: type[Model]) -> dict[str, Any]:
    """The template of an app over this one model."""
    return resources(
        app_of(model=model, create=lambda self, req: None)
    )  # the mixin's refuses a base of kinds


def app_of(**declared: Any) -> PolyMicro:
    app = PolyMicro()
    body = {"route": "things", "permissions": AllowAny, "scan": True, **declared}
    type("ThingResource", (ModelResource, Create, List, Retrieve, Update), body)(app)
    app.compile()
    return app


def described(name: str) -> dict[str, Any]:
    """The table as it is, in the terms of CloudFormation."""
    client = get_session().create_client("dynamodb")
    table = client.describe_table(TableName=name)["Table"]
    expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    client.close()
    said = {
        "BillingMode": table["BillingModeSummary"]["BillingMode"],
        "AttributeDefinitions": table["AttributeDefinitions"],
        "KeySchema": table["KeySchema"],
        GLOBAL_INDEXES: [index_of(one) for one in table.get(GLOBAL_INDEXES, ())],
        LOCAL_INDEXES: [index_of(one) for one in table.get(LOCAL_INDEXES, ())],
    }
    if "StreamSpecification" in table:
        said["StreamSpecification"] = {"StreamViewType": table["StreamSpecification"]["StreamViewType"]}
    if "AttributeName" in expiry:
        said["TimeToLiveSpecification"] = {"AttributeName": expiry["AttributeName"], "Enabled": True}
    return {key: value for key, value in said.items() if value}


def index_of(index: Mapping[str, Any]) -> dict[str, Any]:
    return {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}


def ordered(value: Any) -> Any:
    """Equal for lists of the same members in any order."""
    if isinstance(value, dict):
        return {key: ordered(member) for key, member in value.items()}
    return sorted(map(ordered, value), key=repr) if isinstance(value, list) else value


def test_tables_outlive_the_stack() -> None:
    kept = [
        (one["DeletionPolicy"], one["UpdateReplacePolicy"])
        for one in resources(second_app.pm).values()
        if one["Type"] == "AWS::DynamoDB::Table"
    ]
    assert kept == [("Retain", "Retain")] * 2


class Shelf(Model):
    class Meta:
        table_name = "things"

    shelf = UnicodeAttribute(hash_key=True)
    expires = TTLAttribute(null=True)


class Box(Model):
    class Meta:
        table_name = "things"
        stream_view_type = "KEYS_ONLY"

    box_id = UnicodeAttribute(hash_key=True, attr_name="shelf")


def test_models_that_share_a_table_become_one() -> None:
    (table,) = tables_of([Shelf, Box])
    assert (table.name, table.models) == ("things", (Shelf, Box))
    assert table.properties == {
        "AttributeDefinitions": [{"AttributeName": "shelf", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "shelf", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
    }


class Other:
    """Models that say of the table of ``Shelf``, or beside it, what cannot be."""

    class Key(Model):
        class Meta:
            table_name = "things"

        place = UnicodeAttribute(hash_key=True)

    class Type(Model):
        class Meta:
            table_name = "things"

        shelf = NumberAttribute(hash_key=True)

    class Expiry(Model):
        class Meta:
            table_name = "things"

        shelf = UnicodeAttribute(hash_key=True)
        until = TTLAttribute(null=True)

    class Name(Model):
        class Meta:
            table_name = "Things"

        shelf = UnicodeAttribute(hash_key=True)


def test_the_prefix_of_a_compiled_app_is_not_part_of_the_name() -> None:
    class Jar(Model):
        class Meta:
            table_name = "jars"

        name = UnicodeAttribute(hash_key=True)

    app = PolyMicro(table_prefix="x-")
    body = {"model": Jar, "route": "jars", "permissions": AllowAny, "scan": True}
    type("JarResource", (ModelResource, List), body)(app)
    app.compile()
    assert (Jar.Meta.table_name, table_name_of(Jar)) == ("x-jars", "jars")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(
            Other.Key,
            "Shelf and Key share the table 'things', but differ in its keys:"
            " [{'AttributeName': 'shelf', 'KeyType': 'HASH'}] and [{'AttributeName': 'place', 'KeyType': 'HASH'}]",
            id="keys",
        ),
        pytest.param(
            Other.Type,
            "Shelf and Type share the table 'things', but differ in the type of shelf: S and N",
            id="type",
        ),
        pytest.param(
            Other.Expiry,
            "Shelf and Expiry share the table 'things', but differ in its TimeToLiveSpecification:"
            " {'AttributeName': 'expires', 'Enabled': True} and {'AttributeName': 'until', 'Enabled': True}",
            id="ttl",
        ),
        pytest.param(
            Other.Name,
            "the tables 'things' and 'Things' are both ThingsTable in the template: rename one",
            id="name",
        ),
    ],
)
def test_models_that_cannot_share_a_table(model: type[Model], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tables_of([Shelf, model])
    assert str(caught.value) == message


# --- one index at a time ----------------------------------------------------------------------------------------------


def table_with(**indexes: str) -> dict[str, Any]:
    """Properties of a table with these global indexes: name -> its partition key."""
    names = ["pk", *dict.fromkeys(indexes.values())]
    made = [
        {"IndexName": name, "KeySchema": key(on), "Projection": {"ProjectionType": "ALL"}}
        for name, on in indexes.items()
    ]
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in names]
    return {
        "AttributeDefinitions": definitions,
        "KeySchema": key("pk"),
        **({GLOBAL_INDEXES: made} if made else {}),
    }


def key(name: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"}]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([table_with(a="x"), table_with(a="x")], id="nothing"),
        pytest.param([table_with(), table_with(a="x"), table_with(a="x", b="y")], id="two come"),
        pytest.param([table_with(a="x", b="y"), table_with(b="y"), table_with()], id="two go"),
        pytest.param(
            [table_with(a="x"), table_with(b="y", a="x"), table_with(b="y")], id="first come, then go"
        ),
        pytest.param([table_with(a="x"), table_with(), table_with(a="y")], id="one changes"),
    ],
)
def test_indexes_come_and_go_one_at_a_time(steps: list[dict[str, Any]]) -> None:
    """Each step is what is planned from the one before it, and tells of the steps after it."""
    walked = [next_index_step(before, steps[-1]) for before, _ in pairwise(steps)]
    left = [len(steps) - 2 - number for number in range(len(steps) - 1)]
    assert [(ordered(step), len(remaining)) for step, remaining in walked] == [
        (ordered(after), max(count, 0)) for after, count in zip(steps[1:], left, strict=True)
    ]


@pytest.mark.parametrize(
    ("old", "named"),
    [
        pytest.param({**table_with(), "KeySchema": key("other")}, "KeySchema", id="keys"),
        pytest.param({**table_with(), LOCAL_INDEXES: [{"IndexName": "l"}]}, LOCAL_INDEXES, id="local index"),
    ],
)
def test_what_a_table_has_for_good(old: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{named} of an existing table cannot change"):
        next_index_step(old, table_with())


# --- the API ----------------------------------------------------------------------------------------------------------


def served(app: PolyMicro, preflights: Preflights = Preflights.NONE) -> list[tuple[str, str, bool]]:
    return told(next(gateway_routes(app.routes, validate=False, preflights=preflights)))


def told(found: Iterable[GatewayRoute]) -> list[tuple[str, str, bool]]:
    return [(one.method, one.path, one.is_open) for one in found]


def operations(made: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """(verb, path) -> what the API's definition says of it."""
    paths = made["Api"]["Properties"]["DefinitionBody"]["paths"]
    return {(verb, path): one for path, verbs in paths.items() for verb, one in verbs.items()}


@pytest.mark.parametrize("preflights", [Preflights.NONE, Preflights.BESIDE_ANY, Preflights.ALL])
def test_routes_are_what_the_app_serves_and_who_is_asked(preflights: Preflights) -> None:
    """A route that a request without a user may use has no authorizer before it; OPTIONS is as its path is."""
    orders, order = "/orders", "/orders/{number}"
    notes, note = "/notes", "/notes/{shelf}/{id}"
    shelf = "/shelves/{shelf}/bookmarks"
    bookmark, visit = f"{shelf}/{{id}}", f"{shelf}/{{id}}/visit"
    closed = {
        orders: "POST GET HEAD",
        order: "GET HEAD PATCH PUT DELETE",
        shelf: "GET HEAD",
        bookmark: "PATCH PUT DELETE",
        visit: "GET HEAD",
    }
    wanted = {(m, path, False) for path, methods in closed.items() for m in methods.split()}
    wanted |= {("POST", notes, True), *((m, p, True) for m in ("GET", "HEAD") for p in (notes, note))}
    if preflights is Preflights.ALL:
        wanted |= {("OPTIONS", path, path in (notes, note)) for path in (*closed, notes, note)}
    assert set(served(second_app.pm, preflights)) == wanted
    assert len(served(second_app.pm, preflights)) == len(wanted)


def test_what_the_api_serves_the_app_serves(dynamodb: None) -> None:
    """None of them is a 404 or 405 of the app's own."""
    client = Client(second_app.handler)
    paths = [
        (m, p.replace("{", "").replace("}", "")) for m, p, is_open in served(second_app.pm) if not is_open
    ]
    assert {client.request(method, path.replace("number", "1")).status for method, path in paths} == {401}


@pytest.mark.parametrize("api", ["rest", "http"])
def test_routes_in_the_template(api: str) -> None:
    found = operations(resources(second_app.pm, api=api))
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/"
        "functions/${AppFunction.Arn}:live/invocations"
    )
    version = {"payloadFormatVersion": "2.0"} if api == "http" else {}
    call = {"type": "aws_proxy", "httpMethod": "POST", **version, "uri": {"Fn::Sub": uri}}
    own = {"x-amazon-apigateway-integration": call, "responses": {}}
    parameters = {"parameters": [{"name": "number", "in": "path", "required": True}]} if api == "http" else {}
    assert found["get", "/orders/{number}"] == own | parameters
    assert found["get", "/notes"] == own | {"security": [{"BearerOrNobody": []}]}


class ReadOnlyForAll(Permission):
    """Everybody may read, and nobody may write without being somebody."""

    anonymous = True

    def has_permission(self, user: Any, method: Any) -> bool:
        return method.safe or user is not None


class Reading(Model):
    class Meta:
        table_name = "readings"

    meter = UnicodeAttribute(hash_key=True)
    at = NumberAttribute(range_key=True)


def app_over(*routes: str) -> PolyMicro:
    app = PolyMicro()
    for number, route in enumerate(routes):
        body = {"model": Reading, "route": route, "permissions": AllowAny, "scan": True}
        type(f"Reading{number}Resource", (ModelResource, Create, List, Retrieve), body)(app)
    app.compile()
    return app


def test_parameters_at_one_place_have_one_name() -> None:
    """A REST API takes no two variables at the same place of its paths."""
    paths = {path for _, path, _ in served(app_over("r", "r/{at}/x"))}
    assert paths == {"/r", "/r/{meter}/{at}", "/r/{meter}/x", "/r/{meter}/x/{meter_}"}


def test_a_path_that_a_rest_api_cannot_spell() -> None:
    with pytest.raises(ConfigurationError, match=r"^/r/a\*b: API Gateway takes no 'a\*b' in a path$"):
        served(app_over("r/a*b"))


@pytest.mark.parametrize(
    ("preflights", "methods"),
    [
        (Preflights.NONE, ["ANY"]),
        (Preflights.BESIDE_ANY, ["ANY", "OPTIONS"]),
        (Preflights.ALL, ["ANY", "OPTIONS"]),
    ],
)
def test_routes_that_are_too_many_become_one_for_each_path_or_for_all(
    preflights: Preflights, methods: list[str]
) -> None:
    _, by_path, for_all = map(
        told, gateway_routes(app_over("r0").routes, validate=False, preflights=preflights)
    )
    assert by_path == [(method, path, True) for path in ("/r0", "/r0/{meter}/{at}") for method in methods]
    assert for_all == [(method, path, True) for path in CATCH_ALL for method in methods]


def many(resources: int, rule: Any = AllowAny) -> PolyMicro:
    """Each of these has six routes, HEAD included, on two paths: of three parts, without the root."""
    app = PolyMicro(docs=True)
    for number in range(resources):
        body = {"model": Reading, "route": f"r{number}", "permissions": rule, "scan": True}
        type(f"Reading{number}Resource", (ModelResource, Create, List, Retrieve), body)(app)
    app.compile()
    return app


DOCS = {"/openapi.json": "NONE", "/docs": "NONE", "/docs/{file}": "NONE"}


@pytest.mark.parametrize(
    ("api", "count", "verbs"),
    [
        # 300 parts of paths: the root, four of the documentation, three of each resource
        ("rest", 98, {"get", "head", "post"}),
        ("rest", 99, {"any"}),
        # 300 routes: six of the documentation, five of each resource, or three and two
        ("http", 58, {"get", "head", "post"}),
        ("http", 59, {"any"}),
        ("http", 148, {"any"}),
        ("http", 149, {"any"}),
    ],
)
def test_explicit_routes_up_to_the_quota_of_the_api(api: str, count: int, verbs: set[str]) -> None:
    app = many(count)
    found = operations(resources(app, api=api, documentation=app.documentation))
    assert {verb.rpartition("-")[0].rpartition("-")[2] or verb for verb, _ in found} == verbs
    catches_all = count > (98 if api == "rest" else 148)
    assert ("/{proxy+}" in {path for _, path in found}) == catches_all
    assert len({path for _, path in found}) == (5 if catches_all else 2 * count + 3)


@pytest.mark.parametrize(("api", "authorizer"), [("rest", "lambda"), ("http", "lambda"), ("rest", "cognito")])
@pytest.mark.parametrize("rule", [AllowAny, IsAuthenticated])
def test_very_many_paths_have_one_route(api: str, authorizer: str, rule: Any) -> None:
    """Documentation that is for everybody keeps its own, as it has another authorizer."""
    app = many(149, rule)
    made = resources(app, api=api, authorizer=authorizer, documentation=app.documentation)
    auth = {path: str(*one.get("security", [{}])[0]) for (_, path), one in operations(made).items()}
    wanted = "" if rule is IsAuthenticated else "NONE"
    assert auth == {"/": wanted, "/{proxy+}": wanted, **DOCS}


@pytest.mark.parametrize(
    ("docs", "is_open"),
    [pytest.param(True, True, id="all"), pytest.param(IsAuthenticated, False, id="users")],
)
def test_documentation_has_routes(docs: Any, is_open: bool) -> None:
    app = PolyMicro(docs=docs)
    type("RResource", (ModelResource, Create), {"model": Reading, "route": "r"})(app)
    app.compile()
    found = next(gateway_routes(app.routes, validate=False, documentation=app.documentation))
    assert [(one.method, one.path, one.is_open) for one in found if one.path != "/r"] == [
        (method, path, is_open)
        for path in ("/openapi.json", "/docs", "/docs/{file}")
        for method in ("GET", "HEAD")
    ]
    made = template(app.routes, options(documentation=app.documentation))
    assert ("head", "/docs/{file}") in operations(made["Resources"])


@pytest.mark.parametrize(("api", "authorizer"), [("rest", "cognito"), ("http", "jwt"), ("rest", "iam")])
def test_many_routes_cannot_be_one_where_only_some_need_a_user(api: str, authorizer: str) -> None:
    """A Lambda authorizer lets both through: the app refuses who must be somebody."""
    app = many(149)
    read_only = {"model": Reading, "route": "h", "permissions": ReadOnlyForAll}
    type("HResource", (ModelResource, Create, List), {**read_only, "scan": True})(app)
    app.compile()
    security = {path: one["security"] for (_, path), one in operations(resources(app)).items()}
    assert security == {path: [{"BearerOrNobody": []}] for path in CATCH_ALL}
    with pytest.raises(ConfigurationError, match=r"^/h: .* only some verbs here need a user"):
        resources(app, api=api, authorizer=authorizer)


ASKING = "method.request.header.Origin"


@pytest.mark.parametrize(
    ("cors", "allowed"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(CORS(origins=("*",)), "'*'", id="any"),
        pytest.param(CORS(origins=("https://a.example", "*")), "'*'", id="one and any"),
        pytest.param(CORS(origins=("https://a.example",)), "'https://a.example'", id="one"),
        pytest.param(CORS(origins=("https://a.example", "https://b.example")), ASKING, id="several"),
        pytest.param(CORS(origins=("https://*.a.example",)), ASKING, id="pattern"),
    ],
)
def test_refusals_of_a_rest_api_can_be_read_by_the_origin(cors: CORS | None, allowed: str | None) -> None:
    """API Gateway knows one origin; of several it names the one that asks."""
    api = resources(todo.pm, cors=cors)["Api"]["Properties"]
    headers = [said["ResponseParameters"]["Headers"] for said in api["GatewayResponses"].values()]
    assert {one.get("Access-Control-Allow-Origin") for one in headers} == {allowed}
    assert {one.get("Vary") for one in headers} == {"'Origin'" if allowed == ASKING else None}
    assert {one.get("Access-Control-Allow-Credentials") for one in headers} == {None}
    assert api["Auth"]["AddDefaultAuthorizerToCorsPreflight"] is False


@pytest.mark.parametrize(
    ("cors", "said"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(
            CORS(origins=("*",), allow_headers=("x", "y"), max_age=5),
            {"AllowOrigin": "'*'", "AllowHeaders": "'x, y'", "MaxAge": "'5'"},
            id="any",
        ),
        pytest.param(
            CORS(origins=("https://a.example",), credentials=True, allow_headers=("x",)),
            {
                "AllowOrigin": "'https://a.example'",
                "AllowHeaders": "'x'",
                "MaxAge": "'600'",
                "AllowCredentials": True,
            },
            id="one",
        ),
        pytest.param(CORS(origins=("https://a.example", "https://b.example")), None, id="several"),
    ],
)
def test_cors_of_a_rest_api(cors: CORS | None, said: dict[str, Any] | None) -> None:
    """API Gateway's own answer to preflights names one origin: with several, the app has to be asked."""
    made = resources(todo.pm, cors=cors)
    assert made["Api"]["Properties"].get("Cors") == said
    methods = {verb for verb, _ in operations(made)}
    assert ("options" in methods) == (cors is not None and said is None)


@pytest.mark.parametrize("origin", ["https://a.example", "https://*.a.example"])
def test_refusals_of_a_rest_api_can_be_read_with_credentials(origin: str) -> None:
    api = resources(todo.pm, cors=CORS(origins=(origin,), credentials=True))["Api"]["Properties"]
    headers = [said["ResponseParameters"]["Headers"] for said in api["GatewayResponses"].values()]
    assert {one["Access-Control-Allow-Credentials"] for one in headers} == {"'true'"}


@pytest.mark.parametrize("origin", ["https://*.a.example", "capacitor://localhost"])
def test_an_http_api_leaves_origins_that_it_does_not_know_to_the_app(origin: str) -> None:
    """Preflights go to the app, with no authorizer before them."""
    made = resources(todo.pm, api="http", cors=CORS(origins=("https://a.example", origin)))
    assert "CorsConfiguration" not in made["Api"]["Properties"]
    found = operations(made)
    open_to = {path: one["security"] for (verb, path), one in found.items() if verb == "options"}
    assert open_to == {path: [{"NONE": []}] for _, path in found}


def test_cors_of_an_http_api() -> None:
    cors = CORS(origins=("https://a.example",), credentials=True, allow_headers=("x",), max_age=5)
    api = resources(todo.pm, api="http", cors=cors)["Api"]["Properties"]
    assert api["CorsConfiguration"] == {
        "AllowOrigins": ["https://a.example"],
        "AllowMethods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        "AllowHeaders": ["x"],
        "ExposeHeaders": list(CORS(origins=("*",)).expose_headers),
        "AllowCredentials": True,
        "MaxAge": 5,
    }
    assert "CorsConfiguration" not in resources(todo.pm, api="http")["Api"]["Properties"]


def test_a_rest_api_logs_json_throttles_and_traces() -> None:
    api = resources(todo.pm)["Api"]["Properties"]
    line = json.loads(api["AccessLogSetting"]["Format"])
    assert (line["requestId"], line["route"]) == ("$context.requestId", "$context.resourcePath")
    # Neither keys, which stand in paths, nor users.
    assert not {"path", "user"} & line.keys()
    assert "authorizer" not in api["AccessLogSetting"]["Format"]
    assert api["TracingEnabled"] is True
    assert api["MethodSettings"] == [
        {
            "HttpMethod": "*",
            "ResourcePath": "/*",
            "MetricsEnabled": True,
            "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
            "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
        }
    ]


def test_an_http_api_logs_json_and_throttles() -> None:
    api = resources(todo.pm, api="http")["Api"]["Properties"]
    log = api["AccessLogSettings"]
    assert log["DestinationArn"] == {"Fn::GetAtt": ["ApiLogs", "Arn"]}
    assert json.loads(log["Format"])["status"] == "$context.status"
    assert json.loads(log["Format"])["route"] == "$context.routeKey"
    assert api["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": True,
        "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
        "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
    }


# --- bodies -----------------------------------------------------------------------------------------------------------

BODIES: tuple[Any, ...] = (
    {},
    {"text": "a"},
    {"text": None},
    {"text": 1},
    {"text": "a", "done": "yes"},
    {"text": "a", "done": None},
    {"text": "a", "due_date_time": None},
    {"text": "a", "due_date_time": "2030-01-31T12:00:00Z"},
    {"text": "a", "owner": "bob"},
    {"text": "a", "other": 1},
    [],
    None,
    "text",
)


@pytest.mark.parametrize("body", BODIES, ids=str)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_the_gate_refuses_the_app_refuses(dynamodb: None, method: str, body: Any) -> None:
    """Never the other way: a model must let pass whatever the app would take."""
    todo.Todo.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    todo.Todo("alice", "1", text="a").save()
    route = next(one for one in todo.pm.routes if one.http == method)
    client = Client(todo.handler, user=User("alice", permissions=frozenset({"administrator"})))
    status = client.request(method, "/todo" if method == "POST" else "/todo/alice/1", json=body).status
    todo.Todo.delete_table()
    assert Draft4Validator(body_model(route) or {}).is_valid(body) or status in (400, 422)


def test_models_of_bodies() -> None:
    api = resources(todo.pm)["Api"]["Properties"]
    properties = {"text": {"type": "string"}, "done": {"type": "boolean"}, "due_date_time": {}}
    closed = {"type": "object", "additionalProperties": False}
    assert api["Models"] == {
        "TodoCreate": {**closed, "required": ["text"], "properties": properties},
        "TodoUpdatePatch": {**closed, "properties": properties},
        "TodoUpdatePut": {**closed, "required": ["text"], "properties": properties},
    }
    schema = {"$ref": "#/components/schemas/todocreate"}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    assert api["DefinitionBody"]["paths"]["/todo"]["post"]["requestBody"] == body
    checked = {verb for (verb, _), one in operations(resources(todo.pm)).items() if VALIDATOR in one}
    assert checked == {"post", "patch", "put"}
    unchecked = resources(todo.pm, validate=False)["Api"]["Properties"]
    assert "Models" not in unchecked
    assert f"{VALIDATOR}s" not in unchecked["DefinitionBody"]


VALIDATOR = "x-amazon-apigateway-request-validator"


class Own(Schema):
    text = fields.String(required=True)


def nothing(self: Any, user: Any, method: str) -> None:
    """Any field, for any user."""


TEXT, NUMBER = {"type": "string"}, {"type": "number"}


@pytest.mark.parametrize(
    ("declared", "required", "properties"),
    [
        pytest.param({}, ["meter", "at"], {"meter": TEXT, "at": NUMBER}, id="the model's"),
        pytest.param(
            {"permissions": OwnedBy("meter") | AllowAny},
            ["at"],
            {"meter": TEXT, "at": NUMBER},
            id="owned by some",
        ),
        pytest.param({"permissions": OwnedBy("meter")}, ["at"], {"at": NUMBER}, id="owned by all"),
        pytest.param(
            {"field_permissions": {"at": {"write": IsAuthenticated}}},
            ["meter"],
            {"meter": TEXT, "at": NUMBER},
            id="a field for some",
        ),
        pytest.param({"fields_for": nothing}, None, {"meter": TEXT, "at": NUMBER}, id="a hook"),
        pytest.param({"load_only": "at", "dump_only": "meter"}, ["at"], {"at": NUMBER}, id="read-only"),
    ],
)
def test_what_a_model_demands(
    declared: dict[str, Any], required: list[str] | None, properties: dict[str, Any]
) -> None:
    """Nothing that the app would forgive some user."""
    route = next(one for one in app_of(model=Reading, **declared).routes if one.verb == "create")
    model = body_model(route) or {}
    assert (model.get("required"), model["properties"]) == (required, properties)


class Place(MapAttribute[str, Any]):
    town = UnicodeAttribute()
    street = UnicodeAttribute(null=True)


class Visit(Model):
    class Meta:
        table_name = "visits"

    id = UnicodeAttribute(hash_key=True)
    place = Place()  # type: ignore[no-untyped-call]


def test_a_map_is_checked_inside() -> None:
    route = next(one for one in app_of(model=Visit).routes if one.verb == "create")
    closed = {"type": "object", "additionalProperties": False}
    place = {**closed, "required": ["town"], "properties": {"street": {}, "town": TEXT}}
    assert body_model(route) == {
        **closed,
        "required": ["id", "place"],
        "properties": {"id": TEXT, "place": place},
    }


def test_a_schema_of_ones_own_has_no_model() -> None:
    routes = app_of(model=Shelf, schema=Own, scan=True).routes
    assert [body_model(route) for route in routes] == [None] * len(routes)


# --- YAML -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"a": "yes", "b": "1", "c": "", "d": "x: y", "e": "#"}, None, id="quoted"),
        pytest.param(
            {"a": 'x"y', "b": "ä", "c": "[x]", "d": "*", "e": "x #y", "f": "-"}, None, id="indicators"
        ),
        pytest.param(
            {"a": [], "b": {}, "c": [[1]], "d": [{"a": [1, 2]}], "e": True, "f": None}, None, id="empty"
        ),
        pytest.param({"a": "word " * 40 + "end"}, None, id="folded"),
        pytest.param({"a": "word  " * 40, "b": "line\n" * 40, "c": "x" * 200}, None, id="not folded"),
        pytest.param({"a": {"Fn::Sub": "${A}-x"}, "b": [{"Ref": "A"}]}, None, id="functions"),
        pytest.param({"a": {"Fn::If": ["A", "x", {"Ref": "B"}]}}, "a: !If [A, x, !Ref B]\n", id="if"),
        pytest.param({"a": {"Fn::If": ["A", [{"b": 1}], "x" * 200]}}, None, id="a long if"),
        pytest.param({"a": {"b": 1, "c": "d"}}, "a: {b: 1, c: d}\n", id="one line"),
        pytest.param({"a": {"b": "two words"}}, "a:\n  b: two words\n", id="prose"),
        pytest.param({Commented("a", "why"): 1}, "# why\na: 1\n", id="comment"),
        pytest.param(
            {"a": [{Commented("b", "why"): {"c": []}, "d": 1}]},
            "a:\n  # why\n  - b:\n      c: []\n    d: 1\n",
            id="list",
        ),
    ],
)
def test_yaml(value: dict[str, Any], text: str | None) -> None:
    assert loaded(dump(value)) == value
    assert text is None or dump(value) == text


# --- generated parts among others -------------------------------------------------------------------------------------

ONE, TWO = (Part("Resources", name, {name: {"Type": name}}, "test") for name in ("One", "Two"))
BOTH = """\
# mine
Resources:
  # >>> polymicro One: test
  One: {Type: One}
  # <<< polymicro One

  # >>> polymicro Two: test
  Two: {Type: Two}
  # <<< polymicro Two

  # mine too
  Mine:
    Type: Mine
"""
ALONE = BOTH.replace("  # >>> polymicro Two: test\n  Two: {Type: Two}\n  # <<< polymicro Two\n\n", "")


@pytest.mark.parametrize(
    ("old", "made", "new"),
    [
        pytest.param(BOTH, [ONE, TWO], BOTH, id="nothing changes"),
        pytest.param(BOTH.replace("{Type: One}", "gone"), [ONE, TWO], BOTH, id="changed by hand"),
        pytest.param(ALONE, [ONE, TWO], BOTH, id="a new one, behind the one before it"),
        pytest.param(BOTH, [ONE], ALONE, id="one goes"),
        pytest.param(
            "Resources:\n  Mine: 1\n",
            [ONE],
            "Resources:\n" + "\n".join(ONE.lines) + "\n\n  Mine: 1\n",
            id="first of a section",
        ),
        pytest.param("A: 1\n", [ONE], "A: 1\n\nResources:\n" + "\n".join(ONE.lines) + "\n", id="no section"),
        pytest.param(
            "A: 1\n\nResources:\n" + "\n".join(ONE.lines) + "\n", [], "A: 1\n\n", id="last of a section"
        ),
    ],
)
def test_parts_are_replaced_and_all_else_stays(old: str, made: Sequence[Part], new: str) -> None:
    assert merge_parts(old, made) == new


@pytest.mark.parametrize(
    ("old", "message"),
    [
        pytest.param(
            BOTH.replace("  # <<< polymicro One\n", ""),
            "the marks of the generated part 'One' are broken",
            id="end",
        ),
        pytest.param(
            BOTH.replace("  # <<< polymicro Two\n", ""),
            "the generated part 'Two' has one mark",
            id="last end",
        ),
        pytest.param(
            BOTH.replace("One", "Two"), "the marks of the generated part 'Two' are broken", id="twice"
        ),
        pytest.param(
            BOTH.replace("polymicro Two\n", "polymicro Two\n    Metadata: 1\n"),
            "the generated part 'Two' goes, but lines added by hand continue it",
            id="continued",
        ),
    ],
)
def test_parts_that_cannot_be_replaced(old: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        merge_parts(old, [ONE])


# --- the command ------------------------------------------------------------------------------------------------------

SHOP = """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro
from polymicro_lambda.permissions import OwnedBy

pm = PolyMicro()

class ByColour(GlobalSecondaryIndex):
    class Meta:
        index_name = "by_colour"
        projection = AllProjection()
    colour = UnicodeAttribute(hash_key=True)

class BySize(GlobalSecondaryIndex):
    class Meta:
        index_name = "by_size"
        projection = AllProjection()
    size = UnicodeAttribute(hash_key=True)

class Thing(Model):
    class Meta:
        table_name = "things"
    owner = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    colour = UnicodeAttribute()
    size = UnicodeAttribute()
    # index

class ThingResource(ModelResource, Create, List):
    model = Thing
    route = "things"
    permissions = OwnedBy("owner")

ThingResource(pm)
# resource
handler = pm.compile()
"""
COLOUR = ("    # index", "    by_colour = ByColour()\n    # index")
SIZE = ("    # index", "    by_size = BySize()\n    # index")
SECOND = (
    "# resource",
    "class OtherResource(ModelResource, List):\n    model = Thing\n    route = 'others'\n"
    "    permissions = OwnedBy('owner')\n\nOtherResource(pm)\n",
)
PYPROJECT = '[tool.polymicro]\napp = "shop:pm"\nauthorizer = "gate:handler"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project in the current directory, without a template."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    for name in [one for one in sys.modules if one.partition(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)  # the example of that name, which is put back afterwards
    yield tmp_path
    sys.modules.pop("shop", None)


def run(*arguments: str, **changes: tuple[str, str]) -> Result:
    """The command, after changes of the app's source."""
    source = Path("shop.py")
    for old, new in changes.values():
        assert old in source.read_text()
        source.write_text(source.read_text().replace(old, new))
    os.utime(source, (0, len(source.read_text())))  # so that no bytecode of an earlier run is taken for it
    sys.modules.pop("shop", None)
    return CliRunner().invoke(polymicro, ["template", *arguments])


def said(result: Result) -> tuple[int, str]:
    return result.exit_code, result.output


def test_it_writes_the_template_and_checks_it(project: Path) -> None:
    status, told = said(run("--check"))
    hint = "template.yaml is not what the classes say: `polymicro template` writes it."
    assert (status, told.splitlines()[-1]) == (1, hint)
    assert not (project / "template.yaml").exists()
    assert said(run()) == (0, "template.yaml: written\n")
    assert said(run("--check")) == (0, "template.yaml is what the classes say\n")
    first = (project / "template.yaml").read_bytes()
    assert said(run()) == (0, "template.yaml: nothing changed\n")
    assert (project / "template.yaml").read_bytes() == first


@pytest.mark.parametrize(
    ("change", "line"),
    [
        pytest.param(COLOUR, "+        - IndexName: by_colour", id="index"),
        pytest.param(
            ("Create, List)", "Create, List, Delete)"), "+            # ThingResource.delete", id="verb"
        ),
        pytest.param(SECOND, "+            # OtherResource.list", id="resource"),
        pytest.param(
            ("PolyMicro()", "PolyMicro(metrics=True)"),
            "+          POWERTOOLS_METRICS_NAMESPACE: !Ref AWS::StackName",
            id="metrics",
        ),
        pytest.param(("PolyMicro()", 'PolyMicro(cors="*")'), "Access-Control-Allow-Origin", id="cors"),
    ],
)
def test_a_change_of_the_classes_is_a_difference(project: Path, change: tuple[str, str], line: str) -> None:
    run()
    assert said(run("--check"))[0] == 0
    result = run("--check", change=change)
    assert (result.exit_code, result.output.startswith("--- template.yaml\n+++ the classes\n")) == (1, True)
    assert line in result.output


def test_figures_beside_the_limits_of_aws(project: Path) -> None:
    code, text = said(run("--limits"))
    lines = [line.split() for line in text.splitlines()]
    assert (code, lines[0]) == (0, ["figure", "here", "most", "taken", "by"])
    assert ["outputs", "3", "200", "CloudFormation"] in lines
    assert ["parts", "of", "paths", "2", "300", "a", "REST", "API"] in lines
    assert not (project / "template.yaml").exists()


def test_what_is_added_by_hand_survives(project: Path) -> None:
    """Resources and comments of one's own, members of a generated part, statements of its policy."""
    run()
    file = project / "template.yaml"
    mark = "  # <<< polymicro ShopFunction\n"
    added = "      Layers: [mine]  # a layer\n"
    statement = "        - AWSXRayDaemonWriteAccess\n"
    text = file.read_text().replace("Outputs:\n", "  Mine:  # my own\n    Type: Custom::Mine\n\nOutputs:\n")
    issuer, gate = "          JWT_ISSUER: me\n", "  # <<< polymicro AuthorizerFunction\n"
    file.write_text(text.replace(mark, mark + statement + added).replace(gate, gate + issuer))
    assert said(run("--memory", "256", more=SECOND)) == (0, "template.yaml: written\n")
    made = loaded(file.read_text())["Resources"]
    assert made["Mine"] == {"Type": "Custom::Mine"}
    function = made["ShopFunction"]["Properties"]
    assert (function["Layers"], function["Policies"][1:], function["MemorySize"]) == (
        ["mine"],
        ["AWSXRayDaemonWriteAccess"],
        256,
    )
    assert ("get", "/others") in operations(made)
    assert made["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]["JWT_ISSUER"] == "me"
    assert all(one in file.read_text() for one in (added, statement, "  Mine:  # my own\n"))


def test_the_repositorys_template_is_what_its_classes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `make check` asks it."""
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(polymicro, ["template", "--check"])
    assert (result.exit_code, result.output) == (0, "template.yaml is what the classes say\n")


def test_the_repositorys_stages_say_what_the_template_asks() -> None:
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text())
    parameters = loaded((ROOT / "template.yaml").read_text())["Parameters"]
    for stage in ("dev", "prod"):
        said = dict(
            one.split("=") for one in stages[stage]["deploy"]["parameters"]["parameter_overrides"].split()
        )
        assert said == {"Stage": stage}
        assert {name for name, one in parameters.items() if "Default" not in one} <= set(said)


def test_cloudformation_finds_no_fault_with_the_repositorys_template() -> None:
    assert lint((ROOT / "template.yaml").read_text()) == set()


def test_options_are_remembered(project: Path) -> None:
    """A run changes those that it names, and no others."""
    first = Path("template.yaml")
    run("--snap-start", "--api", "http", "--arch", "x86_64", "--memory", "1024", "--jwks")
    assert first.read_text().startswith(
        "# polymicro template --api http --jwks --arch x86_64 --memory 1024 --snap-start\n"
    )
    run("--no-snap-start", "--no-jwks", "--api", "rest", "--no-validate")
    assert first.read_text().startswith("# polymicro template --arch x86_64 --memory 1024 --no-validate\n")
    assert said(run("--check")) == (0, "template.yaml is what the classes say\n")
    assert said(run("--check", "--memory", "128"))[0] == 1


def test_staged_takes_one_index_after_the_other(project: Path) -> None:
    run()
    both = "ThingsTable: more than one index changes, of which DynamoDB takes one at a time: use --staged"
    plain = run("--check", colour=COLOUR, size=SIZE)
    assert both in plain.output
    first = run("--staged")
    assert "ThingsTable: deploy, then run this again to create index by_size\n" in first.output
    assert indexes(project) == ["by_colour"]
    assert said(run("--staged")) == (0, "template.yaml: written\n")
    assert indexes(project) == ["by_colour", "by_size"]
    assert said(run("--check")) == (0, "template.yaml is what the classes say\n")


def test_it_warns_of_keys_that_change(project: Path) -> None:
    """Staged there is no step to take; else the template may never have been deployed."""
    run()
    changed = ("range_key=True", 'range_key=True, attr_name="title"')
    warning = "ThingsTable: KeySchema of an existing table cannot change: make another table\n"
    assert warning in run(changed=changed).output
    run("--check")
    back = run("--staged", back=changed[::-1])
    assert (back.exit_code, "KeySchema of an existing table cannot change" in back.output) == (1, True)


def indexes(project: Path) -> list[str]:
    table = loaded((project / "template.yaml").read_text())["Resources"]["ThingsTable"]["Properties"]
    return [index["IndexName"] for index in table[GLOBAL_INDEXES]]


@pytest.mark.parametrize(
    ("arguments", "template_text", "message"),
    [
        pytest.param([], "Resources: {}\n", "template.yaml has no generated part: move it", id="not ours"),
        pytest.param(["--handler", "other"], "", "The module shop has no other", id="no handler"),
        pytest.param(["--handler", "pm"], "", "shop.pm is no function", id="no function"),
        pytest.param(
            ["--authorizer", "jwt"],
            "",
            "There is no template for this: a REST API has no jwt authorizer",
            id="contradiction",
        ),
        pytest.param(
            [],
            "# polymicro template --memory much\n  # >>> polymicro A: x\n  # <<< polymicro A\n",
            "The line '# polymicro template --memory much' of the template cannot be read",
            id="options",
        ),
        pytest.param(
            [],
            "a: [\n  # >>> polymicro A: x\n  # <<< polymicro A\n",
            "The template is not YAML",
            id="not YAML",
        ),
    ],
)
def test_there_is_no_template(project: Path, arguments: list[str], template_text: str, message: str) -> None:
    if template_text:
        (project / "template.yaml").write_text(template_text)
    result = run(*arguments)
    assert (result.exit_code, message in result.output) == (1, True), result.output
