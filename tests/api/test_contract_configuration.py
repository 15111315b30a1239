"""What compiles, what does not and why, and what can be configured."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
from contract import ALICE, BOB, Caller, assert_problem, create_table, dynamodb_call, stored
from marshmallow import INCLUDE, Schema, fields, validate
from pynamodb.attributes import Attribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    CORS,
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
)


class Thing(Model):
    class Meta:
        table_name = "things"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute(null=True)
    version = VersionAttribute()


class Odd(Attribute[str]):
    attr_type = "S"


class OddThing(Model):
    class Meta:
        table_name = "odd"

    id = UnicodeAttribute(hash_key=True)
    strange = Odd()


class SetsVersion(Schema):
    owner = fields.String()
    id = fields.String()
    version = fields.Integer()


class TakesAll(Schema):
    class Meta:
        unknown = INCLUDE

    owner = fields.String()
    id = fields.String()


class SetsOwner(Schema):
    owner = fields.String()
    id = fields.String()


def broken(*mixins: Any, **body: Any) -> type[Any]:
    said = {"model": Thing, "route": "things", "permissions": AllowAny} | body
    return type("Broken", (ModelResource, *(mixins or (Create, Retrieve, Update))), said)


def verb(name: str, code: str) -> dict[str, Any]:
    """A method of this name that declares these arguments."""
    names: dict[str, Any] = {}
    exec(f"def {name}(self, {code}): return None", names)
    return {name: names[name]}


def register_and_compile(pm: PolyMicro, *resources: Any) -> None:
    for resource in resources:
        resource(pm)
    pm.compile()


BROKEN: dict[str, tuple[Any, str]] = {
    "required and dump_only": (broken(required=("text",), dump_only=("text",)), "text"),
    "required version": (broken(required=("version",)), "version"),
    "unknown in dump_only": (broken(dump_only=("nope",)), "nope"),
    "unknown in required": (broken(required=("nope",)), "nope"),
    "unknown in load_only": (broken(load_only=("nope",)), "nope"),
    "unknown in exclude": (broken(exclude=("nope",)), "nope"),
    "a str in dump_only is one name": (broken(dump_only=("nope")), "nope"),
    "unknown owner": (broken(permissions=OwnedBy("nope")), "nope"),
    "unknown key in the route": (broken(route="a/{nope}/b"), "nope"),
    "no verb": (type("Broken", (ModelResource,), {"model": Thing, "route": "things"}), "verb"),
    "no field": (broken(model=OddThing), "strange"),
    "no model": (broken(model=None), "model"),
    "a model that is none": (broken(model=dict), "model"),
    "no route": (broken(route=None), "route"),
    "permissions that are none": (broken(permissions=(42,)), "permissions"),
    "permissions that are text": (broken(permissions="IsAuthenticated"), "permissions"),
    "empty permissions": (broken(permissions=()), "permissions"),
    "a schema that sets the version": (broken(schema=SetsVersion), "version"),
    "a schema that takes all": (broken(schema=TakesAll), "unknown"),
    "a schema that sets the owner": (broken(schema=SetsOwner, permissions=OwnedBy("owner")), "owner"),
    "create with an unknown argument": (broken(**verb("create", "body")), "body"),
    "retrieve with an unknown argument": (broken(**verb("retrieve", "item, user")), "item"),
    "update with limit": (broken(**verb("update", "instance, req, limit")), "limit"),
    "list with req": (broken(List, **verb("list", "user, req")), "req"),
    "delete with req": (broken(Delete, **verb("delete", "instance, req")), "req"),
    "a list that nothing can serve": (broken(List), "list"),
    "a limit below 1": (broken(List, **verb("list", "limit=0")), "limit"),
}


@pytest.mark.parametrize(("resource", "attribute"), BROKEN.values(), ids=BROKEN)
def test_a_declaration_that_cannot_be(resource: Any, attribute: str) -> None:
    """Named by class and attribute, before any request."""
    pm = PolyMicro()
    with pytest.raises(ConfigurationError) as raised:
        register_and_compile(pm, resource)
    assert "Broken" in str(raised.value)
    assert attribute in str(raised.value)


def test_a_mixin_without_model_resource() -> None:
    class Broken(Create, List):
        model = Thing
        route = "things"

    pm = PolyMicro()
    with pytest.raises(ConfigurationError, match=r"Broken.*ModelResource"):
        register_and_compile(pm, Broken)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (broken(), broken()),
        (broken(Create), broken(Create, route="/things/")),
        (broken(Retrieve), broken(Retrieve, Delete)),
        (broken(Retrieve, permissions=OwnedBy("id")), broken(Retrieve, permissions=OwnedBy("owner"))),
    ],
    ids=["all", "slashes", "one verb", "parameters of other names"],
)
def test_two_routes_that_collide(first: Any, second: Any) -> None:
    first.__name__, second.__name__ = "First", "Second"
    pm = PolyMicro()
    with pytest.raises(ConfigurationError) as raised:
        register_and_compile(pm, first, second)
    assert re.search(r"First|Second", str(raised.value))


def test_compiling_needs_no_network_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    pm = PolyMicro()
    broken()(pm)
    assert Caller(pm.compile(), user=ALICE).options("/things").status == 204


# --- settings of the app


def test_a_deployed_lambda_needs_a_cursor_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    listed = broken(List, **verb("list", "user"))

    def compiled(**options: Any) -> Any:
        pm = PolyMicro(**options)
        listed(pm)
        return pm.compile()

    with pytest.raises(ConfigurationError, match="cursor_secret"):
        compiled()
    assert compiled(cursor_secret="s" * 32)
    monkeypatch.setenv("POLYMICRO_CURSOR_SECRET", "s" * 32)
    assert compiled()


def test_a_cursor_of_another_secret_is_400() -> None:
    def api(secret: str) -> Caller:
        pm = PolyMicro(cursor_secret=secret)
        broken(List, list=lambda self: ([], 200, {}, "k"))(pm)
        return Caller(pm.compile(), user=ALICE)

    key = api("a" * 32).get("/things").json["pagination_key"]
    assert api("a" * 32).get("/things", query={"pagination_key": key}).status == 200
    assert_problem(api("b" * 32).get("/things", query={"pagination_key": key}), 400, "pagination_key")


def prefixed() -> Any:
    class Prefixed(Model):
        class Meta:
            table_name = "name"

        id = UnicodeAttribute(hash_key=True)

    return Prefixed


def compiled(model: type[Model], **options: Any) -> Any:
    pm = PolyMicro(**options)
    resource = {"model": model, "route": "things", "permissions": AllowAny}
    type("Things", (ModelResource, Create, Retrieve), resource)(pm)
    return pm.compile()


@pytest.mark.parametrize("way", ["keyword", "environment", "keyword first"])
def test_table_prefix_is_put_once(
    dynamodb: None, table_name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = prefixed()
    options = {"table_prefix": table_name} if way != "environment" else {}
    if way != "keyword":
        monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", table_name if way == "environment" else "other-")
    compiled(model, **options)
    handler = compiled(model, **options)
    assert model.Meta.table_name == f"{table_name}name"
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    assert Caller(handler).post("/things", json={"id": "x"}).status == 201
    assert stored(f"{table_name}name") == [{"id": {"S": "x"}}]


def test_two_prefixes_for_one_model() -> None:
    model = prefixed()
    compiled(model, table_prefix="one-")
    with pytest.raises(ConfigurationError, match="table_prefix"):
        compiled(model, table_prefix="two-")


def test_a_prefix_for_a_model_that_is_connected(dynamodb: None, table_name: str) -> None:
    """Its connection would go on to the table of the old name."""
    model = prefixed()
    create_table(model, table_name)
    with pytest.raises(ConfigurationError, match="table_prefix"):
        compiled(model, table_prefix="one-")


# --- cross-origin requests

ORIGIN = {"Origin": "https://a.example"}
PREFLIGHT = ORIGIN | {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "content-type",
}


def cross(cors: Any) -> Caller:
    pm = PolyMicro(cors=cors)
    broken(Create, Retrieve, create=lambda self: "made")(pm)
    return Caller(pm.compile(), user=ALICE)


def about(result: Any, names: Iterable[str] = ("origin", "credentials")) -> list[str | None]:
    return [result.headers.get(f"access-control-allow-{name}") for name in names]


@pytest.mark.parametrize(
    ("cors", "origin", "expected"),
    [
        (None, "https://a.example", [None, None]),
        ("*", "https://a.example", ["*", None]),
        (CORS(origins=("https://a.example",)), "https://a.example", ["https://a.example", None]),
        (
            CORS(origins=("https://a.example",), credentials=True),
            "https://a.example",
            ["https://a.example", "true"],
        ),
        (CORS(origins=("https://a.example",), credentials=True), "https://b.example", [None, None]),
        (CORS(origins=("https://a.example",)), "https://a.example.evil.example", [None, None]),
        (CORS(origins=("https://a.example",)), "null", [None, None]),
    ],
    ids=["none", "any", "listed", "with credentials", "not listed", "a prefix", "null"],
)
def test_cors(cors: Any, origin: str, expected: list[str | None]) -> None:
    """Errors carry it too, or a browser could not read them."""
    api, headers = cross(cors), {"Origin": origin}
    for result in (
        api.everywhere("POST", "/things", json={"owner": "o", "id": "x"}, headers=headers),
        api.everywhere("POST", "/things", json={"nope": 1}, headers=headers),
        api.everywhere("GET", "/nope", headers=headers),
        api.everywhere("BREW", "/things", headers=headers, user=None),
        api.everywhere("OPTIONS", "/things", headers=PREFLIGHT | headers, user=None),
    ):
        assert about(result) == expected
        if isinstance(cors, CORS):
            assert "origin" in result.headers["vary"].lower()


def test_a_preflight_names_what_is_allowed() -> None:
    api = cross(CORS(origins=("https://a.example",), allow_headers=("x-a",), max_age=60))
    result = api.everywhere("OPTIONS", "/things", headers=PREFLIGHT, user=None)
    assert (result.status, result.body) == (204, b"")
    assert set(re.split(r",\s*", result.headers["access-control-allow-methods"])) >= {"POST"}
    assert "x-a" in result.headers["access-control-allow-headers"].lower()
    assert result.headers["access-control-max-age"] == "60"


def test_credentials_for_any_origin_cannot_be() -> None:
    with pytest.raises(ConfigurationError, match="credentials"):
        cross(CORS(origins=("*",), credentials=True))


# --- an own schema


class Own(Schema):
    """Refuses a text that the model would take."""

    owner = fields.String(dump_only=True)
    id = fields.String(required=True)
    text = fields.String(validate=validate.Length(max=3))


def test_an_own_schema(dynamodb: None, table_name: str) -> None:
    class Kept(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)

    create_table(Kept, table_name)

    class Things(ModelResource, Create, Retrieve, Update):
        model: ClassVar[Any] = Kept
        route = "things"
        permissions = OwnedBy("owner")
        schema = Own

    pm = PolyMicro()
    Things(pm)
    api = Caller(pm.compile(), user=ALICE)
    assert_problem(api.post("/things", json={"id": "x", "text": "LOUD"}), 422, "#/text")
    assert_problem(api.post("/things", json={"id": "x", "owner": "bob"}), 422, "#/owner")
    assert api.post("/things", json={"id": "x", "text": "low"}).json == {
        "owner": "alice",
        "id": "x",
        "text": "low",
    }
    assert_problem(api.patch("/things/x", json={"text": "LOUD"}), 422, "#/text")
    assert_problem(api.patch("/things/x", json={"id": "y"}), 422, "#/id")
    assert_problem(api.get("/things/x", user=BOB), 404)
    dynamodb_call("delete_item", TableName=table_name, Key={"owner": {"S": "alice"}, "id": {"S": "x"}})
    assert_problem(api.patch("/things/x", json={"text": "low"}), 404)
