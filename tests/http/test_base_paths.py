"""The address of an API: base paths of custom domains, and what absolute links begin with."""

import json
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from contract import create_table
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    ModelResource,
    PolyMicro,
    Resource,
    Retrieve,
    action,
)
from polymicro_lambda.testing import FakeContext, make_event

SOURCES = [
    ("rest", ""),
    ("http", "1.0"),
    ("http", "2.0"),
    ("url", ""),
    ("alb", ""),
    ("lattice", "2.0"),
    ("lattice", "1.0"),
]
OWN = "abc123.execute-api.eu-west-1.amazonaws.com"


class Where(Resource):
    """Tells where it is."""

    route = ""

    permissions = AllowAny

    @action(methods="GET")
    def here(self, request: Any) -> Any:
        return {"path": request.path, "base": request.base_url, "prefix": request.prefix}


class Named(Resource):
    """Tells the name in its path."""

    route = "of/{name}"
    permissions = AllowAny

    @action(methods="GET", path="")
    def named(self, request: Any) -> Any:
        return {"name": request.path_params["name"], "base": request.base_url}


def app(**settings: Any) -> Any:
    pm = PolyMicro(**settings)
    Where(pm)
    Named(pm)
    return pm.compile()


def answer(handler: Any, event: dict[str, Any]) -> Any:
    told = handler(event, FakeContext())
    return json.loads(told["body"]) if told["statusCode"] == 200 else told["statusCode"]


def event_of(path: str, source: str, payload: str, **more: Any) -> dict[str, Any]:
    return make_event("GET", path, source=source, payload=payload or "2.0", **more)


def behind_mapping(path: str, resource: str, **parameters: str) -> dict[str, Any]:
    """A REST API's event behind a custom domain with a base path mapping: only ``resource`` lacks the mapping."""
    event = make_event("GET", path) | {"resource": resource, "pathParameters": parameters or None}
    event["requestContext"] |= {"path": path, "stage": "prod", "domainName": "api.example.com"}
    return event


@pytest.mark.parametrize(
    ("path", "resource", "parameters", "base", "below"),
    [
        ("/v1/here", "/here", {}, "/v1", "/here"),
        ("/v1/here/", "/here", {}, "/v1", "/here"),
        ("/team/v1/here", "/here", {}, "/team/v1", "/here"),
        ("/v1/here", "/{proxy+}", {"proxy": "here"}, "/v1", "/here"),
        ("/here/here", "/{proxy+}", {"proxy": "here"}, "/here", "/here"),
        ("/here/here", "/here", {}, "/here", "/here"),
        ("/here", "/here", {}, "", "/here"),
        ("/here", "/{proxy+}", {"proxy": "here"}, "", "/here"),
    ],
)
def test_a_rest_api_tells_its_base_path(
    path: str, resource: str, parameters: dict[str, str], base: str, below: str
) -> None:
    said = answer(app(), behind_mapping(path, resource, **parameters))
    assert said == {"path": below, "base": f"https://api.example.com{base}", "prefix": base}


@pytest.mark.parametrize(
    ("path", "resource", "parameters", "name"),
    [
        ("/v1/of/a%2Fb%20c", "/of/{name}", {"name": "a/b c"}, "a/b c"),
        ("/v1/of/a%2Fb%20c", "/{proxy+}", {"proxy": "of/a/b c"}, "a/b c"),
        ("/v1/of/a%2Fb%20c", "/{proxy+}", {"proxy": "of/a%2Fb%20c"}, "a/b c"),
        ("/v1/of/x", "/of/{proxy+}", {"proxy": "x"}, "x"),
        ("/v1/of/of", "/{proxy+}", {"proxy": "of/of"}, "of"),
        ("/of/of", "/{proxy+}", {"proxy": "of/of"}, "of"),
    ],
)
def test_parameters_of_the_path_may_hold_slashes(
    path: str, resource: str, parameters: dict[str, str], name: str
) -> None:
    said = answer(app(), behind_mapping(path, resource, **parameters))
    assert said["name"] == name


@pytest.mark.parametrize(
    "path", ["/%2F/here", "/%2Fevil.example/here", "/a%20b/here", "/%3F/here", "/%5C/here"]
)
def test_nobody_writes_a_base_path_of_their_own(path: str) -> None:
    """Such as one that would make a link to another server: ``//evil.example``."""
    proxy = unquote(path)[1:]
    for resource, parameters in (
        ("/{proxy+}", {"proxy": proxy}),
        ("/{proxy+}", {"proxy": "here"}),
        ("/here", {}),
    ):
        assert answer(app(), behind_mapping(path, resource, **parameters)) == 404


def test_http_apis_tell_it_by_their_route() -> None:
    first = make_event("GET", "/v1/here", source="http", payload="1.0") | {"resource": "/here"}
    second = make_event("GET", "/v1/here", source="http") | {"routeKey": "GET /here"}
    told = {"path": "/here", "base": "https://api.example.com/v1", "prefix": "/v1"}
    assert [answer(app(), event) for event in (first, second)] == [told, told]


@pytest.mark.parametrize("resource", [None, 7, "", "$default", "/elsewhere", "/{proxy+}", "/{proxy+", "{"])
def test_a_resource_that_does_not_fit_the_path_tells_nothing(resource: Any) -> None:
    for parameters in (None, 7, {}, {"proxy": None}, {"proxy": ""}, {"proxy": "/"}, {"proxy": "other"}):
        event = make_event("GET", "/here") | {"resource": resource, "pathParameters": parameters}
        assert answer(app(), event)["prefix"] == ""


@pytest.mark.parametrize(("source", "payload"), SOURCES)
@pytest.mark.parametrize("base_path", ["/v1", "v1", "/v1/", "/team/v1"])
def test_the_app_says_its_base_path(source: str, payload: str, base_path: str) -> None:
    base = "/" + base_path.strip("/")
    handler = app(base_path=base_path)
    assert answer(handler, event_of(f"{base}/here", source, payload))["path"] == "/here"
    outside = ["/here", f"{base}x/here", "/v2/here", f"{base}{base}/here", f"{base}//here", "/"]
    assert {answer(handler, event_of(path, source, payload)) for path in outside} == {404}


def test_the_environment_says_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYMICRO_BASE_PATH", "/v1")
    monkeypatch.setenv("POLYMICRO_BASE_URL", "https://www.example.com/api/")
    said = answer(app(), make_event("GET", "/v1/here"))
    assert said == {"path": "/here", "base": "https://www.example.com/api", "prefix": "/v1"}
    assert answer(app(base_path="", base_url=""), make_event("GET", "/here"))["prefix"] == ""


@pytest.mark.parametrize(("source", "payload"), SOURCES)
def test_no_header_makes_an_address(source: str, payload: str) -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
        "X-Original-Host": "evil.example",
    }
    event = event_of("/here", source, payload, headers=forged)
    event["headers"] = {**(event.get("headers") or {}), "host": "evil.example"}
    if "multiValueHeaders" in event:
        event["multiValueHeaders"] = {**(event["multiValueHeaders"] or {}), "host": ["evil.example"]}
    base = answer(app(), event)["base"]
    assert "evil" not in base
    assert base == "" if source in ("alb", "lattice") else base.startswith("https://api.")


@pytest.mark.parametrize(
    ("source", "payload", "domain", "base"),
    [
        ("rest", "", OWN, f"https://{OWN}/prod"),
        ("http", "1.0", OWN, f"https://{OWN}/prod"),
        ("http", "2.0", OWN, f"https://{OWN}/prod"),
        ("http", "1.0", "api.example.com", "https://api.example.com"),
        ("http", "2.0", "api.example.com", "https://api.example.com"),
    ],
)
def test_named_stages_stand_in_the_urls_of_the_apis_own_domain(
    source: str, payload: str, domain: str, base: str
) -> None:
    event = event_of("/here", source, payload, stage="prod")
    event["requestContext"]["domainName"] = domain
    assert answer(app(), event) == {
        "path": "/here",
        "base": base,
        "prefix": base.removeprefix(f"https://{domain}"),
    }


@pytest.mark.parametrize("path", ["/prod/v1/here", "/v1/here"])
def test_a_named_stage_behind_a_mapping(path: str) -> None:
    event = make_event("GET", path, source="http")
    event["requestContext"] |= {"stage": "prod", "domainName": "api.example.com"}
    told = {"path": "/here", "base": "https://api.example.com/v1", "prefix": "/v1"}
    assert answer(app(base_path="/v1"), event) == told
    assert answer(app(), event | {"routeKey": "ANY /here"}) == told


def test_a_base_path_that_is_called_as_the_stage() -> None:
    event = make_event("GET", "/prod/here", source="http")
    event["requestContext"] |= {"stage": "prod", "domainName": "api.example.com"}
    told = {"path": "/here", "base": "https://api.example.com/prod", "prefix": "/prod"}
    assert answer(app(base_path="/prod"), event) == told


@pytest.mark.parametrize("domain", [None, 7, "", "a b", "x/y", "x@evil.example", "evil.example#", "a\nb"])
def test_a_domain_that_is_none_makes_paths(domain: Any) -> None:
    event = make_event("GET", "/here")
    event["requestContext"]["domainName"] = domain
    assert answer(app(), event)["base"] == ""


@pytest.mark.parametrize(
    "value", ["//", "/a//b", "/a b", "/{x}", "/a?b", "/.", "/a/..", "https://x", 7, ("v1",)]
)
def test_base_paths_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.base_path"):
        PolyMicro(base_path=value)


@pytest.mark.parametrize(
    "value",
    [
        "www.example.com",
        "//x",
        "ftp://x",
        "https://",
        "https://a@b",
        "https://x?y",
        "https://x#y",
        "https://x y",
        7,
    ],
)
def test_base_urls_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.base_url"):
        PolyMicro(base_url=value)


# --- what is made of it ---------------------------------------------------------------------------------------


class Thing(Model):
    class Meta:
        table_name = "addressed_things"
        region = "us-east-1"

    id = UnicodeAttribute(hash_key=True)


class Things(ModelResource, Create, Retrieve):
    model = Thing
    route = "things"
    permissions = AllowAny

    def represent(self, data: dict[str, Any], instance: Any, request: Any) -> Any:
        return {**data, "url": self.url_for(instance, request)}


class AtRoot(Things):
    route = ""


@pytest.mark.parametrize(("source", "payload"), SOURCES)
@pytest.mark.parametrize("resource", [Things, AtRoot])
@pytest.mark.parametrize("slash", ["", "/"])
def test_locations_and_urls_hold_the_base_path(
    dynamodb: None, table_name: str, source: str, payload: str, resource: type[Any], slash: str
) -> None:
    create_table(Thing, table_name)
    pm = PolyMicro(base_path="/v1", base_url="https://www.example.com/v1")
    resource(pm)
    handler = pm.compile()
    path = "/v1/things" if resource is Things else "/v1"
    event = make_event("POST", path + slash, body='{"id": "a"}', source=source, payload=payload or "2.0")
    told = handler(event, FakeContext())
    headers = told.get("headers") or {name: values[0] for name, values in told["multiValueHeaders"].items()}
    url = json.loads(told["body"])["url"]
    assert urljoin(f"https://www.example.com{path}{slash}", headers["location"]) == url
    assert url == f"https://www.example.com{path}/a"
