"""The tree that finds routes by path."""

from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Retrieve, Update
from polymicro_lambda.exceptions import NotFound
from polymicro_lambda.permissions import AllowAny
from polymicro_lambda.routing.app_settings import AppSettings
from polymicro_lambda.routing.compiler import compile_routes
from polymicro_lambda.routing.router import Match, Router
from polymicro_lambda.routing.routes import Route


class Doc(Model):
    class Meta:
        table_name = "docs"

    project = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class Folder(Model):
    class Meta:
        table_name = "folders"

    name = UnicodeAttribute(hash_key=True)


def resource(name: str, path: str, of: type[Model], *verbs: type) -> type:
    return type(
        name, (ModelResource, *verbs), {"model": of, "route": path, "permissions": AllowAny, "scan": True}
    )


def routes(*resources: type) -> tuple[Route, ...]:
    pm = PolyMicro()
    return compile_routes([made(pm) for made in resources], AppSettings(AllowAny))


ROUTES = routes(
    resource("Docs", "docs", Doc, Create, List, Retrieve, Update, Delete),
    resource("Folders", "folders", Folder, List, Retrieve),
    resource("Recent", "folders/recent", Folder, List),
    resource("InProject", "projects/{project}/docs", Doc, List, Retrieve),
    resource("Deep", "folders/{name}/docs/all", Folder, Retrieve),
    resource("Shared", "docs", Folder, Delete),
)
ROUTER = Router(ROUTES)


def test_the_table() -> None:
    """In the order of registration, then of the verbs."""
    assert [(r.http, r.template, type(r.resource).__name__, r.verb) for r in ROUTES] == [
        ("POST", "/docs", "Docs", "create"),
        ("GET", "/docs", "Docs", "list"),
        ("GET", "/docs/{project}/{id}", "Docs", "retrieve"),
        ("PATCH", "/docs/{project}/{id}", "Docs", "update"),
        ("PUT", "/docs/{project}/{id}", "Docs", "update"),
        ("DELETE", "/docs/{project}/{id}", "Docs", "delete"),
        ("GET", "/folders", "Folders", "list"),
        ("GET", "/folders/{name}", "Folders", "retrieve"),
        ("GET", "/folders/recent", "Recent", "list"),
        ("GET", "/projects/{project}/docs", "InProject", "list"),
        ("GET", "/projects/{project}/docs/{id}", "InProject", "retrieve"),
        ("GET", "/folders/{name}/docs/all", "Deep", "retrieve"),
        ("DELETE", "/docs/{name}", "Shared", "delete"),
    ]


def found(path: str) -> dict[str, Any]:
    match: Match = ROUTER.find(path.split("/")[1:])
    return {http: (type(r.resource).__name__, match.params(r)) for http, r in match.routes.items()}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/docs", {"POST": ("Docs", {}), "GET": ("Docs", {})}, id="collection"),
        pytest.param(
            "/docs/p/1",
            dict.fromkeys(("GET", "PATCH", "PUT", "DELETE"), ("Docs", {"project": "p", "id": "1"})),
            id="item",
        ),
        pytest.param("/docs/p", {"DELETE": ("Shared", {"name": "p"})}, id="another resource's item"),
        pytest.param("/folders/a", {"GET": ("Folders", {"name": "a"})}, id="parameter"),
        pytest.param("/folders/recent", {"GET": ("Recent", {})}, id="a literal goes before a parameter"),
        pytest.param("/folders/Recent", {"GET": ("Folders", {"name": "Recent"})}, id="case counts"),
        pytest.param(
            "/folders/recent/docs/all", {"GET": ("Deep", {"name": "recent"})}, id="a dead end goes back"
        ),
        pytest.param(
            "/folders/{name}", {"GET": ("Folders", {"name": "{name}"})}, id="a value like a template"
        ),
        pytest.param(
            "/projects/x/docs/1", {"GET": ("InProject", {"project": "x", "id": "1"})}, id="bound by route"
        ),
        pytest.param(
            "/folders/a%2Fb", {"GET": ("Folders", {"name": "a%2Fb"})}, id="segments are taken as they are"
        ),
    ],
)
def test_found(path: str, expected: dict[str, Any]) -> None:
    assert found(path) == expected


@pytest.mark.parametrize(
    "path",
    ["/", "/doc", "/docs/p/1/2", "/projects", "/projects/x", "/folders/a/docs", "/folders/a/docs/some"],
)
def test_not_found(path: str) -> None:
    with pytest.raises(NotFound, match="There is nothing at this path"):
        found(path)


def test_the_root_is_no_path() -> None:
    with pytest.raises(NotFound):
        ROUTER.find(())


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        pytest.param("/docs", "GET, HEAD, OPTIONS, POST", id="collection"),
        pytest.param("/docs/p/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", id="item"),
        pytest.param("/docs/p", "DELETE, OPTIONS", id="no HEAD without GET"),
    ],
)
def test_allow(path: str, allow: str) -> None:
    assert ROUTER.find(path.split("/")[1:]).allow == allow


def test_a_deep_path_costs_no_more_than_its_segments() -> None:
    """The tree is walked only as deep as it is."""
    with pytest.raises(NotFound):
        ROUTER.find(("folders",) * 100_000)


def test_a_shared_path_keeps_each_routes_own_names() -> None:
    """Two resources may share a path under different parameter names, if their verbs differ."""
    router = Router(routes(resource("A", "x", Folder, Retrieve), resource("B", "x", Other, Delete)))
    match = router.find(("x", "1"))
    assert {http: match.params(r) for http, r in match.routes.items()} == {
        "GET": {"name": "1"},
        "DELETE": {"key": "1"},
    }


class Other(Model):
    class Meta:
        table_name = "others"

    key = UnicodeAttribute(hash_key=True)


def test_what_a_route_says() -> None:
    route = ROUTES[3]
    assert (route.verb, route.method, route.method.http, route.method.safe) == (
        "update",
        "update",
        "PATCH",
        False,
    )
    assert (route.model, route.params, route.list_settings.limit) == (Doc, ("project", "id"), 25)


def test_no_routes() -> None:
    with pytest.raises(NotFound):
        Router(()).find(("any",))
