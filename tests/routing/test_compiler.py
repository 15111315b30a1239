"""Compilation: what a declaration becomes, and that every mistake in one names class and attribute."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from marshmallow import INCLUDE, Schema, fields
from pynamodb.attributes import MapAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import AllowAny, HasPermission, IsAuthenticated
from polymicro_lambda.routing.routes import Route


class Doc(Model):
    class Meta:
        table_name = "docs"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute()
    note = UnicodeAttribute(null=True)
    tags = MapAttribute[Any, Any](null=True)  # type: ignore[no-untyped-call]
    version = VersionAttribute()


class Keyless(Model):
    class Meta:
        table_name = "keyless"

    text = UnicodeAttribute()


class Nameless(Model):
    id = UnicodeAttribute(hash_key=True)


class DocResource(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Doc
    route = "docs"
    permissions: ClassVar[Any] = OwnedBy("owner")


def compiled(*resources: type, **options: Any) -> tuple[Route, ...]:
    pm = PolyMicro(**options)
    for resource in resources:
        resource(pm)
    pm.compile()
    return pm.routes


def resource(*bases: type, **members: Any) -> type:
    return type("Wrong", bases or (DocResource,), members)


def plain(*verbs: type, **members: Any) -> type:
    """A resource of these verbs alone."""
    return type(
        "Wrong", (ModelResource, *verbs), {"model": Doc, "route": "docs", "permissions": AllowAny} | members
    )


class Both(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return True

    def where(self, user: Any, method: str, model: Any) -> Any:
        return True


class Inclusive(Schema):
    class Meta:
        unknown = INCLUDE

    text = fields.String()


class Versioned(Schema):
    version = fields.Integer()


async def later(self: Any, user: Any) -> None: ...


MISTAKES: dict[str, tuple[Callable[[], type], str]] = {
    "verbs without a resource": (lambda: type("Wrong", (Create,), {}), r"Wrong .*is no resource"),
    "no model": (
        lambda: resource(ModelResource, Create, route="x"),
        r"Wrong\.model must be a PynamoDB model",
    ),
    "a model that is none": (lambda: resource(model=dict), r"Wrong\.model must be a PynamoDB model"),
    "an instance as model": (lambda: resource(model=Doc("a", "b")), r"Wrong\.model must be a PynamoDB model"),
    "a model without key": (
        lambda: resource(model=Keyless),
        r"Wrong\.model: Keyless has no attribute with hash_key",
    ),
    "a model without table": (
        lambda: plain(Retrieve, model=Nameless),
        r"Nameless\.Meta\.table_name is missing",
    ),
    "no verb": (lambda: plain(), r"Wrong has no verb"),
    "no route": (lambda: resource(ModelResource, Create, model=Doc), r"Wrong\.route must be a path"),
    "an empty route": (lambda: resource(route="/"), r"Wrong\.route must be a path"),
    "a route that is no text": (
        lambda: resource(route=5),
        r"Wrong\.route must be a path such as \"todo\", not 5",
    ),
    "an empty segment": (lambda: resource(route="a//b"), r"Wrong\.route: '' can be no path segment"),
    "a dot": (lambda: resource(route="a/../b"), r"Wrong\.route: '\.\.' can be no path segment"),
    "a blank": (lambda: resource(route="my docs"), r"Wrong\.route: 'my docs' can be no path segment"),
    "a query": (lambda: resource(route="docs?x"), r"Wrong\.route: 'docs\?x' can be no path segment"),
    "an escape": (lambda: resource(route="a%20b"), r"Wrong\.route: 'a%20b' can be no path segment"),
    "half a parameter": (lambda: resource(route="docs/{id"), r"Wrong\.route: '\{id' can be no path segment"),
    "a parameter in a segment": (
        lambda: resource(route="docs-{id}"),
        r"Wrong\.route: .* can be no path segment",
    ),
    "a parameter without a name": (
        lambda: resource(route="{}"),
        r"Wrong\.route: '\{\}' can be no path segment",
    ),
    "a parameter that is no attribute": (
        lambda: resource(route="{color}/docs"),
        r"Wrong\.route: \{color\} is no ",
    ),
    "a parameter twice": (lambda: resource(route="{id}/{id}"), r"Wrong\.route names \{id\} twice"),
    "limit of 0": (lambda: resource(max_limit=0), r"Wrong\.max_limit must be an int of at least 1, not 0"),
    "limit as text": (lambda: resource(max_limit="9"), r"Wrong\.max_limit must be an int"),
    "limit as bool": (lambda: resource(max_limit=True), r"Wrong\.max_limit must be an int"),
    "dump_only as bool": (
        lambda: resource(dump_only=True),
        r"Wrong\.dump_only must be names, such as .*, not True",
    ),
    "exclude of numbers": (lambda: resource(exclude=(1,)), r"Wrong\.exclude must be names, .*, not \(1,\)"),
    "idempotent as bool": (lambda: resource(idempotent=True), r"Wrong\.idempotent must be names of verbs"),
    "field rules as list": (
        lambda: resource(field_permissions=[]),
        r"Wrong\.field_permissions must be a mapping",
    ),
    "budget": (lambda: resource(read_budget=-1), r"Wrong\.read_budget must be an int"),
    "age": (lambda: resource(cursor_max_age=1.5), r"Wrong\.cursor_max_age must be an int"),
    "scan": (lambda: resource(scan=1), r"Wrong\.scan must be True or False, not 1"),
    "envelope": (lambda: resource(envelope=None), r"Wrong\.envelope must be True, False or an Envelope"),
    "no permissions": (lambda: resource(permissions=()), r"Wrong\.permissions: permissions is empty"),
    "other permissions": (
        lambda: resource(permissions="all"),
        r"Wrong\.permissions: permissions holds 'all'",
    ),
    "a permission that wants arguments": (
        lambda: resource(permissions=(HasPermission,)),
        r"Wrong\.permissions: .*HasPermission.*needs arguments",
    ),
    "two sources of a rule": (
        lambda: resource(permissions=Both),
        r"Wrong\.permissions: Both has both where and",
    ),
    "the same, deep inside": (
        lambda: resource(permissions=AllowAny() | ~(AllowAny() & Both())),
        r"Wrong\.permissions: Both has both",
    ),
    "an owner that is no attribute": (
        lambda: resource(permissions=OwnedBy("user")),
        r"Wrong\.permissions: OwnedBy\('user', claim='uuid'\) names no attribute of Doc",
    ),
    "an async verb": (lambda: resource(delete=later), r"Wrong\.delete must be a plain method"),
    "a verb that is no method": (lambda: resource(delete=None), r"Wrong\.delete must be a plain method"),
    "a verb without self": (lambda: resource(delete=lambda: None), r"Wrong\.delete must take self first"),
    "an unknown argument": (
        lambda: resource(delete=lambda self, item: None),
        r"Wrong\.delete asks for 'item'; it can ask for instance, ",
    ),
    "an argument of another verb": (
        lambda: resource(retrieve=lambda self, instance, req: None),
        r"Wrong\.retrieve asks for 'req'",
    ),
    "any positional argument": (
        lambda: resource(delete=lambda self, *rest: None),
        r"Wrong\.delete asks for '\*rest'",
    ),
    "positional only": (
        lambda: resource(delete=lambda self, user, /: None),
        r"Wrong\.delete asks for 'user'",
    ),
    "a default limit of 0": (
        lambda: resource(list=lambda self, limit=0: []),
        r"Wrong\.list: the default of limit",
    ),
    "a default limit of None": (
        lambda: resource(list=lambda self, limit=None: []),
        r"Wrong\.list: the default of limit must be an int of at least 1, not None",
    ),
    "a list that can serve nothing": (lambda: plain(List), r"Wrong\.list could serve no request: .*'owner'"),
    "an owner beside everybody binds no list": (
        lambda: plain(List, permissions=OwnedBy("owner") | AllowAny()),
        r"Wrong\.list could serve no request",
    ),
    "an owner that one must not be binds no list": (
        lambda: plain(List, permissions=~OwnedBy("owner") | HasPermission("staff")),
        r"Wrong\.list could serve no request",
    ),
    "dump_only": (lambda: resource(dump_only=("color",)), r"Wrong\.dump_only: Doc has no attribute 'color'"),
    "load_only": (lambda: resource(load_only="color"), r"Wrong\.load_only: Doc has no attribute 'color'"),
    "required": (lambda: resource(required=["color"]), r"Wrong\.required: Doc has no attribute 'color'"),
    "exclude": (lambda: resource(exclude={"color"}), r"Wrong\.exclude: Doc has no attribute 'color'"),
    "dump_only and load_only": (
        lambda: resource(dump_only="note", load_only="note"),
        r"Wrong\.load_only: 'note' is dump_only too",
    ),
    "required and dump_only": (
        lambda: resource(required="note", dump_only="note"),
        r"Wrong\.required: no body can set 'note'",
    ),
    "required version": (lambda: resource(required="version"), r"Wrong\.required: no body can set 'version'"),
    "a schema that takes everything": (
        lambda: resource(schema=Inclusive),
        r"Wrong\.schema: Meta\.unknown = INCLUDE",
    ),
    "a schema that sets the version": (
        lambda: resource(schema=Versioned),
        r"Wrong\.schema: 'version' must be dump_only",
    ),
    "filters of no attribute": (lambda: resource(filters={"color": ("eq",)}), r"Wrong\.filters"),
    "no operator": (lambda: resource(filters={"text": ("like",)}), r"Wrong\.filters.*'like' is no operator"),
    "an operator that does not fit": (
        lambda: resource(filters={"tags": ("lt",)}),
        r"Wrong\.filters.*'lt' does not work",
    ),
}


@pytest.mark.parametrize(("wrong", "text"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(wrong: Callable[[], type], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        compiled(wrong())


@pytest.mark.parametrize(
    ("other", "text"),
    [
        pytest.param(
            type("Again", (DocResource,), {}),
            r"Again\.create and DocResource\.create are both POST /docs",
            id="twice",
        ),
        pytest.param(
            type("Other", (DocResource,), {"route": "/docs/"}), r"are both POST /docs", id="with slashes"
        ),
        pytest.param(
            plain(Retrieve, permissions=OwnedBy("id")),
            r"are both GET /docs/\{owner\}",
            id="other names of parameters",
        ),
    ],
)
def test_one_path_twice(other: type, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        compiled(DocResource, other)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param({"max_body": 0}, r"PolyMicro\.max_body", id="max_body of 0"),
        pytest.param({"max_body": "1"}, r"PolyMicro\.max_body", id="max_body as text"),
        pytest.param({"cors": "https://a.com"}, r"PolyMicro\.cors", id="cors"),
    ],
)
def test_mistakes_of_an_app(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        compiled(DocResource, **options)


def test_an_app_without_resources() -> None:
    with pytest.raises(ConfigurationError, match="PolyMicro has no resource"):
        compiled()


def test_default_permissions_that_are_none() -> None:
    """They are named by the resource that takes them."""
    with pytest.raises(ConfigurationError, match=r"Wrong\.permissions: permissions is empty"):
        compiled(plain(Retrieve, permissions=None), default_permissions=())


# --- what is well declared ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "collection", "item"),
    [
        pytest.param({}, "/docs", "/docs/{id}", id="owned"),
        pytest.param(
            {"permissions": OwnedBy("owner") & AllowAny()}, "/docs", "/docs/{id}", id="owned under &"
        ),
        pytest.param(
            {"permissions": OwnedBy("owner") | AllowAny(), "scan": True},
            "/docs",
            "/docs/{owner}/{id}",
            id="under |",
        ),
        pytest.param({"permissions": AllowAny, "scan": True}, "/docs", "/docs/{owner}/{id}", id="not owned"),
        pytest.param(
            {"permissions": AllowAny, "route": "users/{owner}/docs"},
            "/users/{owner}/docs",
            "/users/{owner}/docs/{id}",
            id="bound by the route",
        ),
        pytest.param({"route": "/a/b/"}, "/a/b", "/a/b/{id}", id="slashes"),
        pytest.param(
            {"route": "a.b_c~d@e:f"}, "/a.b_c~d@e:f", "/a.b_c~d@e:f/{id}", id="all letters of a path"
        ),
    ],
)
def test_paths(members: dict[str, Any], collection: str, item: str) -> None:
    routes = compiled(resource(**members))
    assert [(r.http, r.template) for r in routes] == [
        ("POST", collection),
        ("GET", collection),
        ("GET", item),
        ("PATCH", item),
        ("PUT", item),
        ("DELETE", item),
    ]


@pytest.mark.parametrize(
    ("verb", "arguments", "default"),
    [
        pytest.param(None, {"instance", "user"}, True, id="the mixin's own"),
        pytest.param(lambda self: None, set(), False, id="nothing"),
        pytest.param(lambda self, request: None, {"request"}, False, id="the request"),
        pytest.param(lambda self, *, user, instance: None, {"instance", "user"}, False, id="by keyword"),
        pytest.param(lambda self, user=None: None, {"user"}, False, id="with a default"),
        pytest.param(lambda self, **all_: None, {"instance", "request", "user"}, False, id="all"),
        pytest.param(staticmethod(lambda user: None), {"user"}, False, id="a static method"),
    ],
)
def test_signatures(verb: Any, arguments: set[str], default: bool) -> None:
    """A verb gets what it declares; one that is not the mixin's own gets the item that was read."""
    (route,) = compiled(plain(Delete, **({} if verb is None else {"delete": verb})))
    assert (set(route.arguments), route.is_default) == (arguments, default)


@pytest.mark.parametrize(
    ("members", "limit"),
    [
        pytest.param({}, 25, id="the mixin's"),
        pytest.param({"list": lambda self: []}, 25, id="not asked for"),
        pytest.param({"list": lambda self, limit: []}, 25, id="no default"),
        pytest.param({"list": lambda self, limit=7: []}, 7, id="its own"),
        pytest.param({"list": lambda self, limit=500: []}, 100, id="clamped"),
        pytest.param({"max_limit": 10}, 10, id="clamped to the resource's"),
    ],
)
def test_page_sizes(members: dict[str, Any], limit: int) -> None:
    (route,) = compiled(plain(List, scan=True, **members))
    assert route.list_settings.limit == limit


def test_permissions_of_the_app() -> None:
    """Those of a resource that declares none; its own take their place."""
    own, others = plain(Retrieve), plain(Delete, permissions=None)
    assert [str(r.rule) for r in compiled(own, others)] == ["AllowAny", "IsAuthenticated"]
    assert [str(r.rule) for r in compiled(own, others, default_permissions=[AllowAny, IsAuthenticated])] == [
        "AllowAny",
        "(AllowAny & IsAuthenticated)",
    ]


def test_a_verb_without_its_mixin() -> None:
    """A method of the name is enough."""
    routes = compiled(plain(retrieve=lambda self, instance: instance))
    assert [(r.http, r.verb) for r in routes] == [("GET", "retrieve")]


def test_compiling_again_gives_the_same() -> None:
    """An app may be compiled for a handler, and again for a document."""
    pm = PolyMicro(table_prefix="")
    DocResource(pm)
    pm.compile()
    first = [(r.http, r.template) for r in pm.routes]
    pm.compile()
    assert [(r.http, r.template) for r in pm.routes] == first


# --- table names ----------------------------------------------------------------------------------------


def model(name: str = "docs") -> type[Model]:
    class Own(Model):
        class Meta:
            table_name = name

        id = UnicodeAttribute(hash_key=True)

    return Own


def table_of(of: type[Model]) -> str:
    meta: Any = of.Meta
    return str(meta.table_name)


def test_a_prefix_is_put_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the app, or two resources of it, are compiled; the keyword goes before the environment."""
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", "env-")
    one, two = model(), model()
    compiled(plain(Retrieve, model=one), plain(Delete, model=one), table_prefix="dev-")
    compiled(plain(Retrieve, model=one), table_prefix="dev-")
    compiled(plain(Retrieve, model=two))
    assert (table_of(one), table_of(two)) == ("dev-docs", "env-docs")


@pytest.mark.parametrize(("first", "second"), [("dev-", "prod-"), ("", "prod-"), ("dev-", "")])
def test_two_prefixes_for_one_model(first: str, second: str) -> None:
    of = model()
    compiled(plain(Retrieve, model=of), table_prefix=first)
    with pytest.raises(ConfigurationError, match=r"Own: table_prefix is "):
        compiled(plain(Retrieve, model=of), table_prefix=second)
    assert table_of(of) == first + "docs"


def test_a_prefix_that_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model has made its connection to the table without it."""
    of: Any = model()
    monkeypatch.setattr(of, "_connection", object())
    with pytest.raises(ConfigurationError, match=r"Own: table_prefix 'dev-' comes too late"):
        compiled(plain(Retrieve, model=of), table_prefix="dev-")
    assert table_of(of) == "docs"


def test_timeouts_are_bounded_unless_said() -> None:
    """PynamoDB's 15 and 30 seconds are past what API Gateway waits."""
    default, own = model(), model()
    meta: Any = own.Meta
    meta.read_timeout_seconds = 9
    compiled(plain(Retrieve, model=default), plain(Delete, model=own))
    bounded: Any = default.Meta
    assert (bounded.connect_timeout_seconds, bounded.read_timeout_seconds, meta.read_timeout_seconds) == (
        1,
        3,
        9,
    )


def test_compiling_makes_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither network nor credentials are needed."""
    monkeypatch.setattr("botocore.session.Session.create_client", None)
    of: Any = model()
    compiled(plain(Create, Retrieve, Update, Delete, model=of))
    assert of._connection is None
