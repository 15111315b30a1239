"""Which origins may read an API's answers."""

from typing import Any

import pytest
from contract import counted, every_form
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import CORS, List, ModelResource, PolyMicro
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import AllowAny, Permission
from polymicro_lambda.testing import Client, FakeContext

APP = "https://app.example.com"
EXPOSED = (
    "etag, idempotency-replayed, link, location, preference-applied, ratelimit, ratelimit-policy, retry-after"
)
SENT = "authorization, content-type, if-match, if-none-match, idempotency-key, prefer"


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


def client(cors: Any, returned: Any = (), permissions: Any = AllowAny, user_func: Any = None) -> Client:
    class NoteResource(ModelResource, List):
        model = Note
        route = "notes"

        def list(self) -> Any:
            return returned

    NoteResource.permissions = permissions
    pm = PolyMicro(user_func, cors=cors)
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


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("Accept-Language", "Accept-Language, Origin"),
        ("Accept, origin", "Accept, origin"),
        ("*", "*"),
    ],
)
def test_a_verbs_own_vary_stays(own: str, said: str) -> None:
    result = client(CORS(origins=(APP,)), ([], {"Vary": own})).get("/notes", headers={"Origin": APP})
    assert shown(result) == {**ONE, "vary": said}


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
        pytest.param(
            CORS(origins=(APP,)), {"Origin": APP + ".evil", **PREFLIGHT}, {"vary": "Origin"}, id="not listed"
        ),
        pytest.param("*", {"Origin": APP}, ANY, id="no preflight: no method"),
        pytest.param("*", PREFLIGHT, ANY, id="no preflight: no origin"),
        pytest.param(None, {"Origin": APP, **PREFLIGHT}, {}, id="no CORS"),
    ],
)
def test_options(cors: Any, headers: dict[str, str], expected: dict[str, str]) -> None:
    result = client(cors).options("/notes", headers=headers)
    assert (result.status, result.headers["allow"], shown(result)) == (204, "GET, HEAD, OPTIONS", expected)


class Unasked(Permission):
    """Fails where anybody asks."""

    anonymous = True

    def has_permission(self, user: Any, method: str) -> bool:
        raise AssertionError


@every_form
def test_a_preflight_needs_neither_user_nor_database(form: dict[str, Any]) -> None:
    """Browsers send it without credentials."""

    def nobody(_: Any) -> Any:
        raise AssertionError

    api = client("*", permissions=Unasked, user_func=nobody)
    sent = {"Origin": APP, **PREFLIGHT}
    with counted() as calls:
        assert api.options("/notes", headers=sent, **form).status == 204
    assert calls == []
    assert client("*", permissions=None).get("/notes", headers=sent, **form).status == 401


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
        pytest.param({"origins": (7,)}, "CORS.origins: 7 is no origin", id="no text"),
        pytest.param({"origins": ("https://a b",)}, "CORS.origins: .* is no origin", id="blank"),
        pytest.param({"origins": (APP + "\r\n",)}, "CORS.origins: .* is no origin", id="line"),
        pytest.param({"origins": ("file://",)}, "CORS.origins: 'file://' is no", id="a file"),
        pytest.param({"origins": ("file://x",)}, "send the origin null", id="a file with a host"),
        pytest.param({"origins": ("capacitor://localhost/",)}, "is no origin", id="slash, other scheme"),
        pytest.param(
            {"origins": ("Capacitor://localhost",)}, "but 'capacitor://localhost'", id="other scheme"
        ),
        *(
            pytest.param({"origins": (one,)}, r"CORS.origins: .*(is no pattern|name a domain|by one)", id=one)
            for one in (
                "https://*example.com",
                "https://example.com*",
                "https://example.*",
                "https://example.*.com",
                "https://*.com",
                "https://*",
                "https://*.",
                "https://**.example.com",
                "https://*.*.example.com",
                "https://app-*.example.com",
                "https://a.*.example.com",
                "https://*.example.com/",
                "https://*.example..com",
                "https://*.168.0.1",
                "*.example.com",
                "*://app.example.com",
                "https*://app.example.com",
                "capacitor://*.example.com",
                "https://*.example.com:*",
                "https://*:443",
            )
        ),
        pytest.param(
            {"origins": ("https://*.Example.com",)}, "browsers do not say", id="pattern, upper case"
        ),
        pytest.param({"origins": ("https://*.example.com:443",)}, "browsers do not", id="pattern, own port"),
        pytest.param({"origins": ("https://u@a.example",)}, "CORS.origins: .* is no", id="user"),
        pytest.param(
            {"origins": ("https://App.example.com",)}, f"browsers do not say .* but '{APP}'", id="upper case"
        ),
        pytest.param(
            {"origins": (APP + ":443",)}, f"browsers do not say .* but '{APP}': write that", id="own port"
        ),
        pytest.param(
            {"origins": (APP,), "allow_headers": "x-a"}, "CORS.allow_headers must be", id="one text"
        ),
        pytest.param({"origins": (APP,), "expose_headers": ("x a",)}, "CORS.expose_headers", id="no name"),
        pytest.param({"origins": (APP,), "allow_headers": ("x\r\n",)}, "CORS.allow_headers", id="a line"),
        pytest.param(
            {"origins": (APP,), "credentials": True, "allow_headers": ("*",)},
            r"CORS.allow_headers: with credentials \* is no wildcard",
            id="all headers with credentials",
        ),
        pytest.param({"origins": (APP,), "max_age": -1}, "CORS.max_age", id="before"),
        pytest.param({"origins": (APP,), "max_age": "60"}, "CORS.max_age", id="text as seconds"),
        pytest.param({"origins": ("*",), "credentials": True}, "CORS.credentials", id="credentials for all"),
        pytest.param({"origins": (APP, "*"), "credentials": True}, "CORS.credentials", id="and for one"),
    ],
)
def test_no_cors(members: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        CORS(**members)


PATTERNS = CORS(
    origins=("https://*.example.com", "http://*.example.org:8080", "capacitor://localhost"), credentials=True
)


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        ("https://app.example.com", True),
        ("https://a.b.example.com", True),
        ("https://xn--bcher-kva.example.com", True),
        ("http://a.example.org:8080", True),
        ("capacitor://localhost", True),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("https://evil-example.com", False),
        ("https://example.com.evil.com", False),
        ("https://app.example.com.evil.com", False),
        ("https://evil.com/.example.com", False),
        ("https://evil.com#.example.com", False),
        ("https://evil.com?.example.com", False),
        ("https://evil.com@app.example.com", False),
        ("https://evil.com:80.example.com", False),
        ("https://evil.com\\.example.com", False),
        ("https://a..example.com", False),
        ("https://a. .example.com", False),
        ("https://ä.example.com", False),
        ("https://APP.example.com", False),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("http://a.example.org", False),
        ("capacitor://localhost:80", False),
        ("ionic://localhost", False),
        ("https://*.example.com", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_pattern_lets_in_subdomains_alone(origin: str, let_in: bool) -> None:
    result = client(PATTERNS).get("/notes", headers={"Origin": origin})
    credentials = {"access-control-allow-credentials": "true"}
    allowed = {**ONE, "access-control-allow-origin": origin, **credentials}
    assert shown(result) == (allowed if let_in else {"vary": "Origin"})
    preflight = client(PATTERNS).options("/notes", headers={"Origin": origin, **PREFLIGHT})
    assert ("access-control-allow-methods" in preflight.headers) == let_in


@every_form
@pytest.mark.parametrize("cors", ["*", CORS(origins=(APP,)), PATTERNS], ids=["any", "one", "patterns"])
@pytest.mark.parametrize("path", ["/notes/%ff", "/notes//", "/%zz", "/notes?x=1&x=2"])
def test_early_errors_can_be_read(form: dict[str, Any], cors: Any, path: str) -> None:
    """Those too of events that become no request."""
    result = client(cors).get(path, headers={"Origin": APP}, **form)
    assert result.status in (200, 400, 404)
    assert shown(result)["access-control-allow-origin"] == ("*" if cors == "*" else APP)


def test_events_that_are_no_requests_get_no_origin() -> None:
    handler = client(CORS(origins=(APP,))).handler
    for headers in (None, 7, {"origin": 7}, {7: APP}, {"origin": APP + "\ud800"}, [APP]):
        answer = handler({"httpMethod": "GET", "path": 7, "headers": headers}, FakeContext())
        assert answer["statusCode"] == 400
        assert "access-control-allow-origin" not in answer["headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://localhost",
        "chrome-extension://abcdef",
        "tauri://localhost",
        "http://localhost:3000",
        "https://[::1]:8443",
        "http://a_b.example",
        "https://a.example:80",
    ],
)
def test_origins_of_other_forms(origin: str) -> None:
    result = client(CORS(origins=(origin,))).get("/notes", headers={"Origin": origin})
    assert result.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("cors", [True, "https://app.example.com", ("*",)], ids=repr)
def test_an_app_takes_a_star_or_cors(cors: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.cors"):
        client(cors).get("/notes")
