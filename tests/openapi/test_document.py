"""The OpenAPI document: valid, true to the routes, and its examples fit."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conduit.app import pm as conduit_pm
from jsonschema import Draft202012Validator
from marshmallow import Schema, ValidationError, fields, validate
from marshmallow.validate import Regexp
from openapi_spec_validator import validate as validate_document
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DynamicMapAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NullAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from second_app import pm as second_pm
from shop.app import pm as shop_pm
from tracker.app import pm as tracker_pm
from tracker.single import pm as single_pm

from handlers.todo import pm as todo_pm
from polymicro_lambda import (
    AllowAny,
    Claim,
    Create,
    DecimalAttribute,
    Delete,
    HasPermission,
    IsAuthenticated,
    List,
    Many,
    ModelResource,
    One,
    OwnedBy,
    Permission,
    PolyMicro,
    ReadOnly,
    Retrieve,
    Through,
    Update,
    action,
)
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.exceptions import HTTPError, NotFound
from polymicro_lambda.lists.filtering.filters import FILTER_OPERATORS
from polymicro_lambda.openapi.document import openapi
from polymicro_lambda.openapi.parameters import MEANINGS
from polymicro_lambda.openapi.responses import ERRORS

NUMBER = {"type": "number", "exclusiveMinimum": -1e126, "exclusiveMaximum": 1e126}
"""DynamoDB has 38 digits and exponents up to 125 (Developer Guide, "Naming rules and data types")."""
VERBS = frozenset({"get", "post", "put", "patch", "delete"})


def document_of(*resources: Any) -> dict[str, Any]:
    """The document of an app of these resource classes, which is valid."""
    pm = PolyMicro()
    for resource in resources:
        resource(pm)
    pm.compile()
    document = openapi(pm.routes)
    validate_document(document)
    return document


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for path in document["paths"].values() for one in path.values()}


def parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["schema"] for one in operation.get("parameters", [])}


class Gadget(Model):
    """A thing with ``parts``."""

    class Meta:
        table_name = "gadgets"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    size = NumberAttribute(default=3)
    version = VersionAttribute()


class GadgetResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """All gadgets."""

    model = Gadget
    route = "gadgets"
    permissions = OwnedBy("owner")


# --- whole apps ------------------------------------------------------------------------------------------


APPS = pytest.mark.parametrize(
    "pm",
    [todo_pm, second_pm, conduit_pm, shop_pm, tracker_pm, single_pm],
    ids=["todo", "second", "conduit", "shop", "tracker", "tracker in one table"],
)


@pytest.mark.thorough(but=("todo", "second"))
@APPS
def test_the_document_is_valid(pm: PolyMicro) -> None:
    document = openapi(pm.routes, title="T", version="2", description="All of it.")
    validate_document(document)
    assert next(iter(document)) == "openapi"
    assert document["info"] == {"title": "T", "version": "2", "description": "All of it."}
    assert document["servers"] == [{"url": ".", "description": "Where this document is."}]


@APPS
def test_every_route_is_there(pm: PolyMicro) -> None:
    document = openapi(pm.routes)
    there = {(verb.upper(), path) for path, one in document["paths"].items() for verb in one if verb in VERBS}
    assert there == {(route.http, route.template) for route in pm.routes}
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


@APPS
def test_every_reference_leads_somewhere_and_nothing_is_left_over(pm: PolyMicro) -> None:
    document = openapi(pm.routes)
    text = json.dumps(document)
    for kind, found in document["components"].items():
        named = {name for name in found if f'"#/components/{kind}/{name}"' in text}
        unused = set(found) - named
        assert kind in ("responses", "headers", "securitySchemes") or unused == set()


@APPS
def test_examples_fit(pm: PolyMicro) -> None:
    document = openapi(pm.routes)
    medias = list(media_types(document))
    assert [media for media in medias if "example" in media]
    for media in medias:
        if "example" in media:
            schema = {**media["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(media["example"])


@APPS
def test_examples_of_bodies_are_taken(pm: PolyMicro) -> None:
    document = openapi(pm.routes)
    for route in pm.routes:
        body = document["paths"][route.template][route.http.lower()].get("requestBody")
        if body and not route.is_action:
            load = {"PATCH": route.schema.load_merge, "PUT": route.schema.load_replace}
            example = body["content"]["application/json"]["example"]
            item = example if route.item_member is None else example[route.item_member]
            load.get(route.http, route.schema.load_create)(item)


@pytest.mark.parametrize(
    ("pattern", "example"),
    [("^[A-Z]", "Some text"), ("^[a-z]+$", "text"), ("^[0-9]*$", "1"), ("^x", None)],
)
def test_an_example_fits_its_pattern(pattern: str, example: str | None) -> None:
    document = document_of(type("Gadgets", (GadgetResource,), {"validators": {"name": Regexp(pattern)}}))
    body = document["paths"]["/gadgets"]["post"]["requestBody"]["content"]["application/json"]
    assert body.get("example", {}).get("name") == example


def media_types(node: Any) -> Any:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "content":
                yield from child.values()
            yield from media_types(child)


# --- operations ------------------------------------------------------------------------------------------


def test_the_operations_of_todo() -> None:
    found = operations(openapi(todo_pm.routes))
    assert {name: sorted(one["responses"]) for name, one in found.items()} == {
        "createTodo": ["201", "400", "401", "403", "406", "409", "413", "415", "422", "500", "503"],
        "listTodo": ["200", "304", "400", "401", "403", "406", "500", "503"],
        "retrieveTodo": ["200", "304", "400", "401", "403", "404", "406", "500", "503"],
        "updateTodo": [
            "200",
            "204",
            *(ERR := ["400", "401", "403", "404", "406", "409", "412", "413"]),
            *LOADED,
        ],
        "replaceTodo": ["200", "204", *ERR, *LOADED],
        "deleteTodo": ["204", *ERR, "500", "503"],
    }
    assert {name: sorted(parameters(one)) for name, one in found.items()} == {
        "createTodo": [],
        "listTodo": ["If-None-Match", "fields", "limit", "pagination_key"],
        "retrieveTodo": ["If-None-Match", "fields", "owner", "uuid"],
        "updateTodo": ["If-Match", "owner", "uuid"],
        "replaceTodo": ["If-Match", "owner", "uuid"],
        "deleteTodo": ["If-Match", "owner", "uuid"],
    }
    assert list(found["updateTodo"]["requestBody"]["content"]) == [
        "application/json",
        "application/merge-patch+json",
    ]
    assert list(found["replaceTodo"]["requestBody"]["content"]) == ["application/json"]
    assert found["createTodo"]["summary"] == "A todo of the user's."
    assert found["deleteTodo"]["summary"] == "Delete: Todo"


LOADED = ["415", "422", "500", "503"]


def test_an_item_without_parameters_can_be_missing() -> None:
    class Whole(Model):
        class Meta:
            table_name = "whole"

        owner = UnicodeAttribute(hash_key=True)

    class WholeResource(ModelResource, Retrieve):
        model = Whole
        route = "whole"
        permissions = OwnedBy("owner")

    assert "404" in operations(document_of(WholeResource))["retrieveWhole"]["responses"]


def test_links_of_a_new_item() -> None:
    created = operations(openapi(todo_pm.routes))["createTodo"]["responses"]["201"]
    keys = {"owner": "$response.body#/owner", "uuid": "$response.body#/uuid"}
    ids = ["retrieveTodo", "updateTodo", "replaceTodo", "deleteTodo"]
    assert created["links"] == {one: {"operationId": one, "parameters": keys} for one in ids}


def test_every_error_has_a_component() -> None:
    known = {error.status for error in HTTPError.__subclasses__()} - {405}
    assert set(ERRORS) == known


def test_every_operator_is_explained() -> None:
    assert set(MEANINGS) == set(FILTER_OPERATORS)


def test_words_come_from_docstrings() -> None:
    class Told(GadgetResource):
        """Gadgets, told of.

        In two paragraphs.
        """

        def retrieve(self, instance: Any) -> Any:
            """One gadget,
            as it is.

            Not as ``it`` was.
            """
            return instance

    class Untold(Told, Delete):
        def retrieve(self, instance: Any) -> Any:
            return instance

        def delete(self, instance: Any, user: Any, **said: Any) -> None:
            pass

    untold = operations(document_of(Untold))
    assert untold["retrieveUntold"]["summary"] == "One gadget, as it is."
    assert "description" not in untold["deleteUntold"]
    assert untold["deleteUntold"]["summary"] == "Delete: Untold"
    document = document_of(Told)
    found = operations(document)
    assert document["tags"] == [
        {"name": "Told", "description": "Gadgets, told of.\n\nIn two paragraphs."},
    ]
    assert found["retrieveTold"]["summary"] == "One gadget, as it is."
    assert found["retrieveTold"]["description"] == "Not as `it` was."
    assert document["components"]["schemas"]["Told"]["description"] == "A thing with `parts`."


def test_an_action_that_says_what_it_takes() -> None:
    class Move(Schema):
        to = fields.String(required=True)
        by = fields.Integer(strict=True)

    class Moving(ModelResource):
        model = Gadget
        route = "gadgets"
        permissions = OwnedBy("owner")

        @action(schema=Move)
        def move(self, instance: Any, req: Any) -> None:
            """Move it."""

    body = operations(document_of(Moving))["moveMoving"]["requestBody"]
    shape = body["content"]["application/json"]["schema"]
    assert (body["required"], shape["required"], list(shape["properties"])) == (True, ["to"], ["to", "by"])
    assert (shape["properties"]["by"]["type"], shape["additionalProperties"]) == ("integer", False)


def test_actions() -> None:
    class Acting(ModelResource, Retrieve):
        model = Gadget
        route = "gadgets"
        permissions = OwnedBy("owner")

        @action(methods=("POST", "DELETE"))
        def turn_on(self, instance: Any, req: Any) -> None:
            """Let it run."""

        @action()
        def stop(self, instance: Any) -> None:
            """Nothing more need be said."""

        @action(detail=False, methods=("GET",), path="count")
        def count(self) -> int:
            return 3

    document = document_of(Acting)
    found = operations(document)
    assert sorted(found) == [
        "countActing",
        "retrieveActing",
        "stopActing",
        "turnOnActingDelete",
        "turnOnActingPost",
    ]
    assert found["turnOnActingPost"]["summary"] == "Let it run."
    assert found["turnOnActingPost"]["requestBody"] == {
        "content": {"application/json": {"schema": {"description": "Any JSON."}}}
    }
    assert found["countActing"]["summary"] == "count: Acting"
    assert sorted(found["turnOnActingPost"]["responses"])[:2] == ["200", "204"]
    assert {name for name in found if "requestBody" in found[name]} == {
        "turnOnActingDelete",
        "turnOnActingPost",
    }


@pytest.mark.parametrize(
    ("said", "statuses"),
    [(200, ["200", "204"]), (202, ["202", "204"]), (204, ["204"])],
    ids=["unsaid", "accepted", "nothing"],
)
def test_an_action_answers_as_it_says(said: int, statuses: list[str]) -> None:
    class Acting(ModelResource):
        model = Gadget
        route = "gadgets"
        permissions = OwnedBy("owner")

        @action(status=said)
        def act(self, instance: Any) -> Any:
            return None

    answers = operations(document_of(Acting))["actActing"]["responses"]
    assert [status for status in answers if status < "300"] == statuses
    assert ("content" in answers[statuses[0]]) is (said != 204)


@pytest.mark.parametrize(
    ("permissions", "security"),
    [
        pytest.param(AllowAny, {"get": [], "post": []}, id="everybody"),
        pytest.param(HasPermission("a"), {"get": None, "post": None}, id="a user"),
        pytest.param(
            ReadOnly(anonymous=True) | HasPermission("a"),
            {"get": [{}, {"bearer": []}], "post": None},
            id="nobody may read",
        ),
    ],
)
def test_security(permissions: Any, security: dict[str, Any]) -> None:
    class Guarded(ModelResource, Create, List):
        model = Gadget
        route = "gadgets"
        scan = True

    Guarded.permissions = permissions
    document = document_of(Guarded)
    path = document["paths"]["/gadgets"]
    assert {verb: one.get("security") for verb, one in path.items()} == security
    assert document["security"] == [{"bearer": []}]
    assert ("401" in path["post"]["responses"]) is (security["post"] is None)


def test_settings_of_the_resource() -> None:
    class Strict(GadgetResource):
        require_if_match = True
        envelope = False
        max_limit = 7

    found = operations(document_of(Strict))
    match = [one for one in found["updateStrict"]["parameters"] if one["name"] == "If-Match"]
    assert match[0]["required"] is True
    assert "428" in found["deleteStrict"]["responses"]
    assert parameters(found["listStrict"])["limit"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 7,
        "default": 7,
    }
    page = found["listStrict"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert page["type"] == "array"


def test_filters_and_sort() -> None:
    class Filtered(GadgetResource):
        filters = {  # noqa: RUF012
            "name": ("eq", "begins_with", "in"),
            "size": ("gte", "between", "exists"),
        }

    asked = parameters(operations(document_of(Filtered))["listFiltered"])
    assert {name: asked[name] for name in asked if name.startswith(("name", "size", "sort"))} == {
        "name": {"type": "string"},
        "name__begins_with": {"type": "string"},
        "name__in": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100},
        "size__gte": NUMBER,
        "size__between": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
        "size__exists": {"type": "boolean"},
        "sort": {"type": "string", "enum": ["id", "-id"]},
    }


class ByName(GlobalSecondaryIndex):
    class Meta:
        index_name = "by_name"
        projection = AllProjection()

    name = UnicodeAttribute(hash_key=True)
    size = NumberAttribute(range_key=True)


class Indexed(Model):
    class Meta:
        table_name = "indexed"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    size = NumberAttribute()
    by_name = ByName()


class MineAlone(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


@pytest.mark.parametrize(
    ("permissions", "filters", "sorts"),
    [
        pytest.param(OwnedBy("owner"), {}, ["id"], id="the owner's"),
        pytest.param(OwnedBy("owner"), {"name": "eq"}, ["id", "size"], id="and by name"),
        pytest.param(OwnedBy("owner"), {"name": "begins_with"}, ["id"], id="a beginning binds nothing"),
        pytest.param(HasPermission("a"), {"name": "eq"}, ["size"], id="by name alone"),
        pytest.param(
            OwnedBy("owner") | HasPermission("a"), {"name": "eq"}, ["id", "size"], id="some users are bound"
        ),
        pytest.param(MineAlone(), {}, ["id", "size"], id="only the request tells"),
    ],
)
def test_sorts_are_those_that_a_request_can_reach(permissions: Any, filters: Any, sorts: list[str]) -> None:
    class Sorted(ModelResource, List):
        model = Indexed
        route = "sorted"

    Sorted.permissions, Sorted.filters = permissions, filters
    asked = parameters(operations(document_of(Sorted))["listSorted"])
    assert asked["sort"]["enum"] == [f"{sign}{name}" for name in sorts for sign in ("", "-")]


@pytest.mark.parametrize(
    ("permissions", "filters", "said", "required"),
    [
        pytest.param(
            HasPermission("a"), {"name": "eq", "size": "gte"}, {}, ["name"], id="no list without it"
        ),
        pytest.param(HasPermission("a"), {"name": "eq"}, {"scan": True}, [], id="the table may be scanned"),
        pytest.param(HasPermission("a"), {"name": "eq", "owner": "eq"}, {}, [], id="either of two"),
        pytest.param(HasPermission("a"), {"name": ("eq", "in")}, {}, [], id="one or several"),
        pytest.param(OwnedBy("owner"), {"name": "eq", "owner": "eq"}, {}, [], id="the rule says the owner"),
        pytest.param(
            OwnedBy("owner") | HasPermission("a"), {"owner": "eq"}, {}, [], id="the rule says it for some"
        ),
        pytest.param(MineAlone(), {"name": "eq"}, {}, [], id="only the request tells"),
    ],
)
def test_a_filter_without_which_there_is_no_list_is_required(
    permissions: Any, filters: Any, said: Any, required: list[str]
) -> None:
    Found = type("Found", (ModelResource, List), {"model": Indexed, "route": "found", **said})
    Found.permissions, Found.filters = permissions, filters  # type: ignore[attr-defined]
    asked = operations(document_of(Found))["listFound"]["parameters"]
    assert [one["name"] for one in asked if one.get("required")] == required


def test_two_resources_of_one_name_and_one_path() -> None:
    class Second(ModelResource, Retrieve):
        model = Gadget
        route = "gadgets"
        permissions = OwnedBy("owner")

    class Other(ModelResource, Delete):
        model = Gadget
        route = "gadgets/{id}"
        permissions = OwnedBy("owner")

    Other.__name__ = "SecondResource"
    document = document_of(Second, Other)
    assert sorted(operations(document)) == ["deleteSecond2", "retrieveSecond"]
    assert list(document["paths"]) == ["/gadgets/{id}"]


# --- schemas ---------------------------------------------------------------------------------------------


class Part(MapAttribute[str, Any]):
    name = UnicodeAttribute()
    amount = NumberAttribute(default=1)


class Open(DynamicMapAttribute):
    name = UnicodeAttribute(null=True)


MOMENT = {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("attribute", "schema"),
    [
        pytest.param(UnicodeAttribute(), {"type": "string"}, id="text"),
        pytest.param(UnicodeAttribute(null=True), {"type": ["string", "null"]}, id="null"),
        pytest.param(NumberAttribute(), NUMBER, id="number"),
        pytest.param(NumberAttribute(default=3), {**NUMBER, "default": 3}, id="default"),
        pytest.param(BooleanAttribute(default=lambda: True), {"type": "boolean"}, id="computed default"),
        pytest.param(
            BinaryAttribute(legacy_encoding=False),
            {"type": "string", "contentEncoding": "base64"},
            id="binary",
        ),
        pytest.param(
            UnicodeSetAttribute(null=False),
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1},
            id="set",
        ),
        pytest.param(
            NumberSetAttribute(null=True),
            {"type": ["array", "null"], "items": NUMBER, "uniqueItems": True},
            id="set or null",
        ),
        pytest.param(
            JSONAttribute(), {"type": ["object", "array", "string", "number", "boolean"]}, id="json"
        ),
        pytest.param(NullAttribute(), {"type": "null"}, id="null alone"),
        pytest.param(ListAttribute(), {"type": "array", "items": {}}, id="list"),
        pytest.param(ListAttribute(of=NumberAttribute), {"type": "array", "items": NUMBER}, id="list of"),
        pytest.param(
            MapAttribute(),
            {"type": "object", "additionalProperties": True},
            id="map",
        ),
        pytest.param(
            Part(null=True),
            {
                "type": ["object", "null"],
                "properties": {"name": {"type": "string"}, "amount": NUMBER},
                "required": ["name"],
                "additionalProperties": False,
            },
            id="record",
        ),
        pytest.param(
            Open(),
            {
                "type": "object",
                "properties": {"name": {"type": ["string", "null"]}},
                "propertyNames": {"not": {"enum": ["attribute_values"]}},
                "additionalProperties": True,
            },
            id="open record",
        ),
    ],
)
def test_fields(attribute: Any, schema: dict[str, Any]) -> None:
    class Meta:
        table_name = "things"

    members = {"Meta": Meta, "owner": UnicodeAttribute(hash_key=True), "x": attribute}

    class ThingResource(ModelResource, Create, Retrieve):
        permissions = AllowAny
        route = "things"

    ThingResource.model = type("Thing", (Model,), members)
    document = document_of(ThingResource)
    assert document["components"]["schemas"]["ThingCreate"]["properties"]["x"] == schema


def test_moments() -> None:
    class Timed(Model):
        class Meta:
            table_name = "timed"

        id = UnicodeAttribute(hash_key=True)
        at = UTCDateTimeAttribute()
        until = TTLAttribute(null=True)

    class TimedResource(ModelResource, Create):
        model = Timed
        permissions = AllowAny
        route = "timed"

    body = document_of(TimedResource)["components"]["schemas"]["TimedCreate"]["properties"]
    assert {name: body[name] for name in ("at", "until")} == {
        "at": MOMENT | {"pattern": body["at"]["pattern"]},
        "until": {**MOMENT, "type": ["string", "null"], "pattern": body["at"]["pattern"]},
    }


def test_bodies_and_items_differ() -> None:
    schemas = document_of(GadgetResource)["components"]["schemas"]
    members = {name: list(schemas[name]["properties"]) for name in schemas if name.startswith("Gadget")}
    assert members == {
        "Gadget": (every := ["owner", "id", "name", "size", "version"]),
        "GadgetSelection": every,
        "GadgetPage": ["items", "pagination_key"],
        "GadgetCreate": ["id", "name", "size"],
        "GadgetPatch": ["name", "size"],
        "GadgetReplace": ["name", "size"],
    }
    assert schemas["Gadget"]["required"] == every
    assert schemas["GadgetCreate"]["required"] == ["id", "name"]
    assert schemas["GadgetReplace"]["required"] == ["name"]
    assert "required" not in schemas["GadgetPatch"]
    assert "default" not in schemas["GadgetPatch"]["properties"]["size"]


def test_a_field_that_some_may_not_use_is_not_required() -> None:
    class Ruled(GadgetResource):
        field_permissions = {"name": HasPermission("x")}  # noqa: RUF012

    schemas = document_of(Ruled)["components"]["schemas"]
    assert schemas["Ruled"]["required"] == ["owner", "id", "size", "version"]
    assert schemas["RuledCreate"]["required"] == ["id"]


def test_an_item_that_the_resource_represents_is_any_json() -> None:
    class Shown(GadgetResource):
        def represent(self, data: Any, instance: Any, request: Any) -> Any:
            return [data]

    schemas = document_of(Shown)["components"]["schemas"]
    assert schemas["Shown"] == {"description": "Any JSON."}
    assert "ShownSelection" not in schemas


def test_a_schema_of_the_app() -> None:
    class PartSchema(Schema):
        name = fields.String(required=True)

    class GadgetSchema(Schema):
        owner = fields.String(dump_only=True)
        id = fields.String()
        name = fields.Email(
            required=True, validate=validate.Length(max=30), metadata={"description": "Mail."}
        )
        size = fields.Integer(validate=validate.Range(min=5))
        version = fields.Integer(dump_only=True)
        parts = fields.List(fields.Nested(PartSchema))

    class Own(GadgetResource):
        schema = GadgetSchema

    document = document_of(Own)
    schemas = document["components"]["schemas"]
    assert schemas["OwnCreate"]["properties"]["name"] == {
        "type": "string",
        "format": "email",
        "maxLength": 30,
        "description": "Mail.",
    }
    assert schemas["OwnCreate"]["properties"]["id"] == schemas["Own"]["properties"]["id"]
    assert schemas["OwnCreate"]["properties"]["id"]["maxLength"] == 1024
    assert schemas["OwnCreate"]["properties"]["size"] == {"type": "integer", "minimum": 5}
    assert schemas["OwnCreate"]["properties"]["parts"]["items"] == {"$ref": "#/components/schemas/Part"}
    assert schemas["Part"]["properties"] == {"name": {"type": "string"}}
    create = operations(document)["createOwn"]["requestBody"]["content"]["application/json"]
    assert create["example"]["name"] == "alice@example.com"


NUMBERS: list[tuple[fields.Field[Any], dict[str, Any]]] = [
    (fields.Decimal(as_string=True), {"type": "string"}),
    (fields.Decimal(as_string=True, validate=validate.Range(min=0)), {"type": "string"}),
    (fields.Decimal(validate=validate.Range(min=0)), {"type": "number", "minimum": 0}),
    (fields.Decimal(validate=validate.Range(min=Decimal("0.01"))), {"type": "number", "minimum": 0.01}),
    (fields.Integer(as_string=True), {"type": "string"}),
    (fields.Float(validate=validate.Range(max=1, max_inclusive=False)), {"type": "number", "exclusiveMaximum": 1}),
    (fields.Decimal(validate=validate.OneOf((Decimal(1), Decimal("2.5")))), {"type": "number", "enum": [1, 2.5]}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "said"), NUMBERS, ids=[str(said) for _, said in NUMBERS])
def test_numbers_of_a_schema_of_the_app(field: fields.Field[Any], said: dict[str, Any]) -> None:
    class Priced(Model):
        class Meta:
            table_name = "priced"

        id = UnicodeAttribute(hash_key=True)
        price = DecimalAttribute()

    class Prices(ModelResource, Create, Retrieve):
        model = Priced
        route = "prices"
        permissions = AllowAny
        schema = Schema.from_dict({"id": fields.String(), "price": field})

    schemas = document_of(Prices)["components"]["schemas"]
    assert schemas["PricesCreate"]["properties"]["price"] == said
    assert schemas["Prices"]["properties"]["price"] == said


def test_no_example_is_better_than_a_wrong_one() -> None:
    def odd(value: str) -> None:
        raise ValidationError("Never right.")

    class OddSchema(Schema):
        name = fields.String(required=True, validate=odd)

    class Odd(ModelResource, Create):
        model = Gadget
        schema = OddSchema
        route = "odd"
        permissions = OwnedBy("owner")

        def create(self, req: Any) -> Any:
            return req

    create = operations(document_of(Odd))["createOdd"]["requestBody"]["content"]["application/json"]
    assert "example" not in create


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_prints_the_document() -> None:
    result = CliRunner().invoke(polymicro, ["openapi"])
    assert result.exit_code == 0
    assert json.loads(result.output) == openapi(todo_pm.routes, title="polymicro-lambda")


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    result = CliRunner().invoke(polymicro, ["openapi", "--out", str(file), "--app", "handlers.todo:pm"])
    assert (result.exit_code, result.output) == (0, "")
    assert json.loads(file.read_text()) == openapi(todo_pm.routes, title="polymicro-lambda")


def test_what_a_verb_requires_is_told() -> None:
    class Thing(Model):
        class Meta:
            table_name = "things"

        id = UnicodeAttribute(hash_key=True)
        state = UnicodeAttribute(null=True)

    class Things(ModelResource, Update, Delete):
        model = Thing
        route = "things"
        permissions = AllowAny
        requires = {"update": Thing.state == "open", "delete": (Thing.state == "open", "It is closed.")}  # noqa: RUF012

        @action(requires=Thing.state == "open", otherwise=NotFound("There is none that is open."))
        def close(self, instance: Any) -> None:
            """Close it."""

    found = operations(document_of(Things))
    conflict = "#/components/responses/Conflict"
    assert found["deleteThings"]["responses"]["409"] == {"$ref": conflict, "description": "It is closed."}
    assert found["updateThings"]["responses"]["409"]["$ref"] == conflict
    described = found["closeThings"]["responses"]["404"]["description"]
    assert described == "There is none that is open."


def test_what_is_embedded_is_told() -> None:
    class Writer(Model):
        class Meta:
            table_name = "writers"

        id = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute()
        email = UnicodeAttribute(null=True)

    class Writers(ModelResource, Retrieve):
        model = Writer
        route = "writers"
        permissions = AllowAny

    class Book(Model):
        class Meta:
            table_name = "books"

        id = UnicodeAttribute(hash_key=True)
        author = UnicodeAttribute()

    class Books(ModelResource, Create, List, Retrieve, Delete):
        model = Book
        route = "books"
        permissions = AllowAny
        scan = True
        embed = {  # noqa: RUF012
            "writer": One(Writers, {"id": "author"}, fields=("name", "email")),
            "author": One(Writers, {"id": "author"}, fields="name"),
            "others": Many(Writers, {"id": "author"}, fields="name", limit=3),
        }

    document = document_of(Writers, Books)
    said = operations(document)
    names = {
        name: parameters(one)["embed"]["items"]["enum"]
        for name, one in said.items()
        if "embed" in parameters(one)
    }
    every = ["writer", "author", "others"]
    assert names == {"createBooks": every, "listBooks": every[:2], "retrieveBooks": every}
    shown = document["components"]["schemas"]["Books"]
    assert shown["required"] == ["id", "author"]
    person = {
        "type": ["object", "null"],
        "properties": {"name": {"type": "string"}, "email": {"type": ["string", "null"]}},
        "additionalProperties": False,
    }
    writer = dict(shown["properties"]["writer"])
    assert "`embed` names `writer`" in writer.pop("description")
    assert writer == person
    others = shown["properties"]["others"]
    assert (others["maxItems"], others["items"]["properties"]) == (3, {"name": {"type": "string"}})
    validator = Draft202012Validator(shown)
    for value in (
        {},
        {"author": None},
        {"author": {"name": "x"}},
        {"writer": None},
        {"writer": {"name": "x", "email": None}, "others": [{"name": "x"}]},
    ):
        validator.validate({"id": "1", "author": "2", **value})
    assert (
        document["components"]["schemas"]["BooksSelection"]["properties"].keys() == shown["properties"].keys()
    )


# --- updates whose result is not shown ---------------------------------------------------------------------------


class Patron(Model):
    class Meta:
        table_name = "patrons"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class Lapsing(Model):
    class Meta:
        table_name = "lapsing"

    owner = UnicodeAttribute(hash_key=True)
    until = TTLAttribute(null=True)


class Seen(Permission):
    def has_permission(self, user: Any, method: Any) -> bool:
        return bool(method != "retrieve")


BY_OWNER = Through(Patron, {"owner": "owner", "id": Claim("uuid")})


@pytest.mark.parametrize(
    ("rule", "model", "statuses"),
    [
        (Seen, Gadget, ["200", "204"]),
        (OwnedBy("owner") & BY_OWNER, Gadget, ["200", "204"]),
        (~ReadOnly(), Gadget, ["200", "204"]),
        ({"retrieve": HasPermission("staff"), "*": OwnedBy("owner")}, Gadget, ["200", "204"]),
        ({"retrieve": IsAuthenticated, "*": AllowAny}, Gadget, ["200", "204"]),
        ({"retrieve": IsAuthenticated, "*": HasPermission("staff")}, Gadget, ["200"]),
        (OwnedBy("owner") | HasPermission("staff"), Gadget, ["200"]),
        (ReadOnly(anonymous=True) | Seen(), Gadget, ["200"]),
        (OwnedBy("owner"), Lapsing, ["200", "204"]),
    ],
)
def test_an_update_whose_result_may_not_be_shown(rule: Any, model: Any, statuses: list[str]) -> None:
    kind = type("Things", (ModelResource, Update), {"model": model, "route": "things", "permissions": rule})
    found = operations(document_of(kind))
    for answers in (found["updateThings"]["responses"], found["replaceThings"]["responses"]):
        assert [status for status in answers if status < "300"] == statuses


def test_a_restore_whose_result_may_not_be_shown() -> None:
    class Archive(Model):
        class Meta:
            table_name = "archive"

        id = UnicodeAttribute(hash_key=True)
        gone = UTCDateTimeAttribute(null=True)

    class Archived(ModelResource, Delete):
        model = Archive
        route = "archive"
        permissions = Seen
        soft_delete = "gone"

    answers = operations(document_of(Archived))["restoreArchived"]["responses"]
    assert answers["204"] == {"description": "Done; the user may not see the result."}
