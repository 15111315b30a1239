"""HSTS: what a browser is told about HTTPS, on every answer that came by it."""

from typing import Any

import pytest
from contract import Caller, every_form
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import CORS, HSTS, AllowAny, ConfigurationError, List, ModelResource, PolyMicro
from polymicro_lambda.deploy.template import Options, template

HEADER = "strict-transport-security"
YEAR = "max-age=31536000"


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


class Notes(ModelResource, List):
    model = Note
    route = "notes"
    permissions = AllowAny

    def list(self, request: Any) -> Any:
        return [] if "fail" not in request.query else 1 / 0


def client(**settings: Any) -> Caller:
    pm = PolyMicro(docs=True, **settings)
    Notes(pm)
    return Caller(pm.compile())


@pytest.mark.parametrize(
    ("hsts", "value"),
    [
        pytest.param(True, YEAR, id="True"),
        pytest.param(HSTS(), YEAR, id="a year"),
        pytest.param(HSTS(max_age=60), "max-age=60", id="a minute"),
        pytest.param(HSTS(max_age=0), "max-age=0", id="taken back"),
        pytest.param(HSTS(include_subdomains=True), f"{YEAR}; includeSubDomains", id="subdomains"),
        pytest.param(
            HSTS(max_age=63_072_000, include_subdomains=True, preload=True),
            "max-age=63072000; includeSubDomains; preload",
            id="preload",
        ),
        pytest.param(False, None, id="off"),
        pytest.param(None, None, id="none"),
    ],
)
def test_values(hsts: Any, value: str | None) -> None:
    assert client(hsts=hsts).get("/notes").headers.get(HEADER) == value


ANSWERS: dict[str, tuple[str, str, dict[str, str], int]] = {
    "a success": ("GET", "/notes", {}, 200),
    "without a body": ("HEAD", "/notes", {}, 200),
    "a preflight": (
        "OPTIONS",
        "/notes",
        {"origin": "https://a.example", "access-control-request-method": "GET"},
        204,
    ),
    "nothing there": ("GET", "/nowhere", {}, 404),
    "no such verb": ("DELETE", "/notes", {}, 405),
    "a bug": ("GET", "/notes?fail=1", {}, 500),
    "a path that cannot be read": ("GET", "/%ff", {}, 400),
    "the document": ("GET", "/openapi.json", {}, 200),
    "the page": ("GET", "/docs", {}, 200),
    "a page's preflight": ("OPTIONS", "/docs", {}, 204),
}


@every_form
@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_it_and_those_of_every_answer(
    method: str, path: str, headers: dict[str, str], status: int, form: dict[str, Any]
) -> None:
    if path == "/%ff" and form["source"] == "http":
        status = 404  # an HTTP API sends paths decoded: this is a segment of three characters
    api = client(hsts=True, cors=CORS(origins=("https://a.example",)))
    result = api.request(method, path, headers=headers, **form)
    said = result.headers
    assert (result.status, said[HEADER], said["x-content-type-options"]) == (status, YEAR, "nosniff")
    if path not in ("/openapi.json", "/docs") or method == "OPTIONS":
        assert said["cache-control"] == "no-store"


def test_what_is_no_request_has_it_too() -> None:
    handler = client(hsts=True).handler
    assert handler({"httpMethod": 7}, None)["headers"][HEADER] == YEAR


@pytest.mark.parametrize(("scheme", "there"), [("http", False), ("HTTP", False), ("https", True)])
def test_none_by_http(scheme: str, there: bool) -> None:
    """As a load balancer may let it come; browsers would ignore it anyway."""
    result = client(hsts=True).get("/notes", headers={"X-Forwarded-Proto": scheme}, source="alb")
    assert (HEADER in result.headers) is there


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"max_age": -1}, r"HSTS\.max_age"),
        ({"max_age": 1.5}, r"HSTS\.max_age"),
        ({"max_age": True}, r"HSTS\.max_age"),
        ({"preload": "yes"}, r"HSTS\.preload must be True or False"),
        ({"include_subdomains": 1}, r"HSTS\.include_subdomains"),
        ({"preload": True}, r"HSTS\.preload: hstspreload\.org wants include_subdomains"),
        ({"preload": True, "include_subdomains": True, "max_age": 31_535_999}, r"a max_age of 31536000"),
    ],
    ids=str,
)
def test_mistakes(members: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        HSTS(**members)


def test_an_app_takes_a_bool_or_hsts() -> None:
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.hsts must be True, False or an HSTS, not 60"):
        client(hsts=60)


def test_what_api_gateway_refuses_itself_says_it_too() -> None:
    pm = PolyMicro(hsts=True)
    Notes(pm)
    pm.compile()
    options = Options(handler="app.handler", authorizer="none", hsts=HSTS())
    refused = template(pm.routes, options)["Resources"]["Api"]["Properties"]["GatewayResponses"]
    expected = {
        "Cache-Control": "'no-store'",
        "X-Content-Type-Options": "'nosniff'",
        "Strict-Transport-Security": f"'{YEAR}'",
    }
    assert all(expected.items() <= one["ResponseParameters"]["Headers"].items() for one in refused.values())
