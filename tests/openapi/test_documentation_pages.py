"""``/openapi.json`` and ``/docs``: what is there, for whom, and how it goes out."""

import gzip
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, every_form
from openapi_spec_validator import validate
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as WsgiClient

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    HasPermission,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
)
from polymicro_lambda import openapi as doorway
from polymicro_lambda.openapi import pages as module
from polymicro_lambda.openapi.document import openapi
from polymicro_lambda.openapi.pages import PATHS
from polymicro_lambda.openapi.swagger_ui import file

HTML, SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
ALL = ["/" + "/".join(path) for path in PATHS]


class Note(Model):
    class Meta:
        table_name = "notes"

    name = UnicodeAttribute(hash_key=True)


class NoteResource(ModelResource, Create, List, Retrieve):
    model = Note
    route = "notes"
    permissions = AllowAny
    scan = True


def app(docs: Any = True, *, route: str = "notes", **options: Any) -> PolyMicro:
    pm = PolyMicro(docs=docs, **options)

    class Routed(NoteResource):
        pass

    Routed.route = route
    Routed(pm)
    return pm


# --- what is there ---------------------------------------------------------------------------------------


def test_the_document_is_served() -> None:
    pm = app(title="Notes", version="3")
    result = Caller(pm).get("/openapi.json")
    assert (result.status, result.headers["content-type"]) == (200, "application/json")
    assert result.json == openapi(pm.routes, title="Notes", version="3")
    validate(result.json)


def test_the_page_names_its_files() -> None:
    client = Caller(app(title="A & <B>"))
    result = client.get("/docs")
    assert (result.status, result.headers["content-type"]) == (200, HTML)
    assert "<title>A &amp; &lt;B&gt;</title>" in result.text
    found = re.findall(r'(?:src|href)="(docs/[^"]+)"', result.text)
    assert [client.get(f"/{url}").status for url in found] == [200, 200, 200]


def test_a_slash_behind_the_page_leads_to_the_same_files() -> None:
    plain, slashed = (Caller(app()).get(path) for path in ("/docs", "/docs/"))
    assert slashed.text == plain.text.replace('"docs/', '"')


@pytest.mark.parametrize(
    ("name", "media", "begins"),
    [
        ("swagger-ui.css", "text/css; charset=utf-8", b".swagger-ui"),
        ("swagger-ui-bundle.js", SCRIPT, b"/*!"),
        ("docs.js", SCRIPT, b'"use strict"'),
    ],
)
def test_files(name: str, media: str, begins: bytes) -> None:
    result = Caller(app()).get(f"/docs/{name}")
    assert (result.status, result.headers["content-type"]) == (200, media)
    assert result.body.startswith(begins)
    assert result.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(json.dumps(dict(result.response))) < 6_000_000  # Lambda's own limit


def test_the_page_is_kept_in() -> None:
    """Nothing from elsewhere is loaded, no script stands in the page, and no other site can frame it."""
    result = Caller(app()).get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in result.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert result.headers["referrer-policy"] == "no-referrer"
    assert result.headers["x-content-type-options"] == "nosniff"
    assert re.findall(r"<script>|<style>|https?://", result.text) == []


def test_other_paths_are_not_there() -> None:
    client = Caller(app())
    assert [client.get(path).status for path in ("/docs/x.js", "/docs/..", "/docs/docs.js/x")] == [404] * 3


@pytest.mark.parametrize("path", ALL)
def test_verbs(path: str) -> None:
    client = Caller(app())
    assert client.head(path).body == b""
    assert client.head(path).status == 200
    options = client.options(path)
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    refused = client.post(path)
    assert_problem(refused, 405)
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ALL)
def test_what_is_known_is_not_sent_again(path: str) -> None:
    client = Caller(app())
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)


@every_form
def test_every_source(form: dict[str, Any]) -> None:
    """Packed where the client takes it, but behind a REST API, which would hand on base64 as it is.

    A load balancer does not carry it plain: there it is packed for a client that names no coding too.
    """
    client = Caller(app())
    content = file("swagger-ui-bundle.js").content
    plain = client.get("/docs/swagger-ui-bundle.js", **form)
    packed = client.get("/docs/swagger-ui-bundle.js", headers={"Accept-Encoding": "gzip, br"}, **form)
    assert plain.status == packed.status == 200
    if form["source"] == "alb":
        assert (plain.headers["content-encoding"], plain.body) == ("gzip", packed.body)
        refused = client.get("/docs/swagger-ui-bundle.js", headers={"Accept-Encoding": "br"}, **form)
        assert_problem(refused, 500)
    else:
        assert "content-encoding" not in plain.headers
        assert plain.body == content
    if form["source"] == "rest":
        assert packed.content == content
        assert packed.response["isBase64Encoded"] is False
    else:
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        assert gzip.decompress(packed.body) == content
        assert len(json.dumps(dict(packed.response))) < 1_000_000  # a load balancer's limit


def test_a_page_of_another_origin_may_read_what_cors_says() -> None:
    client = Caller(app(cors="*"))
    assert client.get("/openapi.json").headers["access-control-allow-origin"] == "*"


# --- for whom --------------------------------------------------------------------------------------------


def test_without_docs_there_is_nothing() -> None:
    client = Caller(app(docs=False))
    assert [client.get(path).status for path in ALL] == [404] * len(ALL)


@pytest.mark.parametrize("path", ALL)
def test_permissions(path: str) -> None:
    client = Caller(app(docs=HasPermission("therapist") & ~HasPermission("banned")))
    unknown = client.get(path)
    assert_problem(unknown, 401)
    assert unknown.headers["www-authenticate"] == "Bearer"
    found = client.get(path, user=ALICE)
    assert found.status == 200
    assert found.headers["cache-control"].startswith("private, ")
    refused = client.get(path, user=BOB.__class__("bob"))
    assert_problem(refused, 403)


def test_what_a_permission_is_asked() -> None:
    asked = []

    class Asked(Permission):
        def has_permission(self, user: Any, method: Any) -> bool:
            asked.append((user.uuid, method, method.http, method.safe))
            return True

    assert Caller(app(docs=Asked)).get("/docs", user=ALICE).status == 200
    assert asked == [("alice", "docs", "GET", True)]


class Mine(Permission):
    def has_object_permission(self, user: Any, method: Any, instance: Any) -> bool:
        return True


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        pytest.param(
            OwnedBy("name"), "PolyMicro.docs: OwnedBy('name', claim='uuid') needs an item", id="owner"
        ),
        pytest.param(Mine | AllowAny, "PolyMicro.docs: Mine needs an item", id="object rule"),
        pytest.param("yes", "PolyMicro.docs must be True, False or permissions", id="text"),
        pytest.param((), "PolyMicro.docs must be True, False or permissions", id="empty"),
    ],
)
def test_mistakes(docs: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        app(docs).compile()


class WrittenResource(ModelResource, Create):
    model = Note
    permissions = AllowAny


@pytest.mark.parametrize("route", ["docs", "openapi.json", "docs/{name}"])
def test_a_route_at_the_same_place_is_a_mistake(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WrittenResource, "route", route, raising=False)
    for docs in (True, False):
        pm = PolyMicro(docs=docs)
        WrittenResource(pm)
        if not docs:
            pm.compile()
            continue
        with pytest.raises(
            ConfigurationError, match=r"WrittenResource\.route: /.* takes /.* documentation's"
        ):
            pm.compile()


def test_items_at_the_root_stand_behind_the_documentation(dynamodb: None) -> None:
    """No new item has a path of the documentation's; others are beside it."""
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)

    class Notes(ModelResource, Create, List, Retrieve):
        model = Note
        route = ""
        permissions = AllowAny
        scan = True

    pm = PolyMicro(docs=True)
    Notes(pm)
    client = Caller(pm)
    assert [client.get(path).status for path in ALL] == [200] * len(ALL)
    assert [client.post("/", json={"name": name}).status for name in ("docs", "openapi.json")] == [422, 422]
    assert client.post("/", json={"name": "docs2"}).headers["location"] == "docs2"
    assert client.get("/docs2").json == {"name": "docs2"}
    assert list(client.get("/openapi.json").json["paths"]) == ["/", "/{name}"]
    served = Caller(pm.served())
    assert [served.get(path).status for path in ALL] == [200] * len(ALL)


@pytest.mark.parametrize("name", ["apispec", "flask_swagger_ui"])
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.swagger_ui, "find_spec", lambda asked: None if asked == name else asked)
    with pytest.raises(
        ConfigurationError, match=rf"PolyMicro\.docs needs {name}: .*polymicro-lambda\[docs\]"
    ):
        app().compile()


def test_an_artifact_without_documentation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polymicro_lambda.openapi", None)
    with pytest.raises(ConfigurationError, match="the artifact was built without it"):
        app().compile()


COLD_START = """
import json, sys
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from polymicro_lambda import AllowAny, ModelResource, PolyMicro, Retrieve

class Note(Model):
    class Meta:
        table_name = "notes"
        region = "us-east-1"
    name = UnicodeAttribute(hash_key=True)

class NoteResource(ModelResource, Retrieve):
    model = Note
    route = "notes"
    permissions = AllowAny

def document_modules():
    names = ("apispec", "polymicro_lambda.openapi.")
    return sorted(module for module in sys.modules if module.startswith(names) and "apispec." not in module)

pm = PolyMicro(docs=True)
NoteResource(pm)
handler = pm.compile()
before = document_modules()
request = {"httpMethod": "GET", "path": "/openapi.json", "requestContext": {"requestId": "1"}}
status = handler(request, None)["statusCode"]
print(json.dumps([before, status, "apispec" in document_modules()]))
"""


def test_a_cold_start_does_not_import_what_makes_the_document() -> None:
    """The first request of the document imports apispec."""
    done = subprocess.run([sys.executable, "-c", COLD_START], capture_output=True, text=True, check=True)
    modules = [f"polymicro_lambda.openapi.{name}" for name in ("pages", "swagger_ui")]
    assert json.loads(done.stdout) == [modules, 200, True]


def test_the_doorway_has_all_that_it_names() -> None:
    assert [name for name in doorway.__all__ if not hasattr(doorway, name)] == []
    with pytest.raises(
        AttributeError, match=r"module 'polymicro_lambda\.openapi' has no attribute 'nothing'"
    ):
        _ = doorway.nothing


# --- at one's own machine --------------------------------------------------------------------------------


def test_served_here_it_is_always_there() -> None:
    client = Caller(app(docs=False).served())
    assert [client.get(path).status for path in ALL] == [200] * len(ALL)


def test_served_here_the_apps_own_route_wins(dynamodb: None) -> None:
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    pm = app(docs=False, route="docs")
    client = Caller(pm.served())
    assert client.get("/docs").json == {"items": [], "pagination_key": None}
    assert client.get("/docs/docs.js").status == 404
    assert client.get("/openapi.json").status == 200
    assert pm.documentation is not None
    assert pm.documentation.paths == ("/openapi.json",)


def test_served_here_permissions_count() -> None:
    client = Caller(app(docs=HasPermission("therapist")).served())
    assert [client.get("/docs").status, client.get("/docs", user=ALICE).status] == [401, 200]


def refusing(event: Any, context: Any) -> Any:
    raise RuntimeError("Unauthorized")


def test_open_documentation_passes_the_authorizer() -> None:
    pm = app()
    type("Own", (NoteResource,), {"route": "own", "permissions": IsAuthenticated})(pm)
    client = WsgiClient(pm.wsgi(authorizer=refusing))
    assert [client.get(path).status_code for path in (*ALL, "/docs/")] == [200] * (len(ALL) + 1)
    assert client.get("/own").status_code == 401
    closed = WsgiClient(app(docs=HasPermission("x")).wsgi(authorizer=refusing))
    assert [closed.get(path).status_code for path in ALL] == [401] * len(ALL)


def test_a_mounted_app() -> None:
    """Everything is relative, so that it does not matter what stands before it."""
    client = WsgiClient(DispatcherMiddleware(app().wsgi(), {"/api": app().wsgi()}))
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert 'href="docs/swagger-ui.css' in page.text
    assert client.get("/api/openapi.json").json["servers"] == [
        {"url": ".", "description": "Where this document is."}
    ]
