"""Which origins may read an API's answers."""

from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import CORS, List, ModelResource, PolyMicro
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import AllowAny
from polymicro_lambda.testing import Client

APP = "https://app.example.com"
EXPOSED = "etag, idempotency-replayed, link, location, retry-after"
SENT = "authorization, content-type, if-match, if-none-match, idempotency-key"


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


def client(cors: Any, returned: Any = (), permissions: Any = AllowAny) -> Client:
    class NoteResource(ModelResource, List):
        model = Note
        route = "notes"

        def list(self) -> Any:
            return returned

    NoteResource.permissions = permissions
    pm = PolyMicro(cors=cors)
    NoteResource(pm)
    return Client(pm)


def shown(result: Any) -> dict[str, str]:
    """The headers that concern cross-origin requests."""
    return {n: v for n, v in result.headers.items() if n.startswith("access-control-") or n == "vary"}


ANY = {"access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED}
ONE = {"access-control-allow-origin": APP, "vary": "Origin", "access-control-expose-headers": EXPOSED}


@pytest.mark.parametrize(
    ("cors", "origin", "expected"),
    [
        pytest.param(None, APP, {}, id="no CORS"),
        pytest.param("*", APP, ANY, id="any"),
        pytest.param("*", None, ANY, id="any, no origin"),
        pytest.param(CORS(origins=(APP,)), APP, ONE, id="listed"),
        pytest.param(CORS(origins=("http://localhost:3000", APP)), APP, ONE, id="one of two"),
        pytest.param(CORS(origins=(APP,)), "https://evil.example.com", {"vary": "Origin"}, id="not listed"),
        pytest.param(CORS(origins=(APP,)), APP + ".evil.com", {"vary": "Origin"}, id="longer"),
        pytest.param(CORS(origins=(APP,)), "http://app.example.com", {"vary": "Origin"}, id="other scheme"),
        pytest.param(CORS(origins=(APP,)), "null", {"vary": "Origin"}, id="null"),
        pytest.param(CORS(origins=(APP,)), None, {"vary": "Origin"}, id="no origin"),
        pytest.param(
            CORS(origins=(APP,), credentials=True),
            APP,
            {**ONE, "access-control-allow-credentials": "true"},
            id="credentials",
        ),
        pytest.param(
            CORS(origins=(APP,), credentials=True), "https://evil.com", {"vary": "Origin"}, id="not to others"
        ),
        pytest.param(
            CORS(origins=("*",), expose_headers=()),
            APP,
            {"access-control-allow-origin": "*"},
            id="nothing exposed",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/notes", "/nowhere"])
def test_answers(path: str, cors: Any, origin: str | None, expected: dict[str, str]) -> None:
    """Errors too: a page must be able to read why."""
    headers = {} if origin is None else {"Origin": origin}
    assert shown(client(cors).get(path, headers=headers)) == expected


def test_an_error_before_the_verb_can_be_read() -> None:
    assert shown(client("*", permissions=None).get("/notes", headers={"Origin": APP})) == ANY


def test_a_verbs_own_vary_stays() -> None:
    result = client(CORS(origins=(APP,)), ([], {"Vary": "Accept-Language"})).get(
        "/notes", headers={"Origin": APP}
    )
    assert shown(result) == {**ONE, "vary": "Accept-Language, Origin"}


PREFLIGHT = {"Access-Control-Request-Method": "GET"}


@pytest.mark.parametrize(
    ("cors", "headers", "expected"),
    [
        pytest.param(
            "*",
            {"Origin": APP, **PREFLIGHT},
            {
                **ANY,
                "access-control-allow-methods": "GET, HEAD, OPTIONS",
                "access-control-allow-headers": SENT,
                "access-control-max-age": "600",
            },
            id="preflight",
        ),
        pytest.param(
            CORS(origins=(APP,), allow_headers=("x-a", "x-b"), max_age=5),
            {"Origin": APP, **PREFLIGHT},
            {
                **ONE,
                "access-control-allow-methods": "GET, HEAD, OPTIONS",
                "access-control-allow-headers": "x-a, x-b",
                "access-control-max-age": "5",
            },
            id="configured",
        ),
        pytest.param("*", {"Origin": APP}, ANY, id="no preflight: no method"),
        pytest.param("*", PREFLIGHT, ANY, id="no preflight: no origin"),
        pytest.param(None, {"Origin": APP, **PREFLIGHT}, {}, id="no CORS"),
    ],
)
def test_options(cors: Any, headers: dict[str, str], expected: dict[str, str]) -> None:
    result = client(cors).options("/notes", headers=headers)
    assert (result.status, result.headers["allow"], shown(result)) == (204, "GET, HEAD, OPTIONS", expected)


def test_a_preflight_needs_no_user() -> None:
    """Browsers send it without credentials."""
    api = client("*", permissions=None)
    sent = {"Origin": APP, **PREFLIGHT}
    assert (api.options("/notes", headers=sent).status, api.get("/notes", headers=sent).status) == (204, 401)


@pytest.mark.parametrize(
    ("members", "text"),
    [
        pytest.param({"origins": ()}, "CORS.origins must be a tuple", id="none"),
        pytest.param({"origins": APP}, "CORS.origins must be a tuple", id="text"),
        pytest.param(
            {"origins": ("app.example.com",)}, "CORS.origins: 'app.example.com' is no", id="no scheme"
        ),
        pytest.param({"origins": (APP + "/",)}, "CORS.origins: .* is no origin", id="slash at the end"),
        pytest.param({"origins": (APP + "/a",)}, "CORS.origins: .* is no origin", id="path"),
        pytest.param({"origins": ("https://",)}, "CORS.origins: .* is no origin", id="no host"),
        pytest.param({"origins": ("null",)}, "CORS.origins: 'null' is no origin", id="null"),
        pytest.param({"origins": ("*",), "credentials": True}, "CORS.credentials", id="credentials for all"),
        pytest.param({"origins": (APP, "*"), "credentials": True}, "CORS.credentials", id="and for one"),
    ],
)
def test_no_cors(members: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        CORS(**members)


@pytest.mark.parametrize("cors", [True, "https://app.example.com", ("*",)], ids=repr)
def test_an_app_takes_a_star_or_cors(cors: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.cors"):
        client(cors).get("/notes")
