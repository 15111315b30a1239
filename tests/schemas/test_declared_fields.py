"""`fields` and `validators` of a resource: what bodies may hold, what goes out, and what is said of nothing."""

import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, assert_problem, create_table, stored
from jsonschema import Draft4Validator
from marshmallow import Schema, ValidationError, fields, post_load
from marshmallow.validate import (
    URL,
    And,
    ContainsNoneOf,
    ContainsOnly,
    Email,
    Equal,
    Length,
    NoneOf,
    OneOf,
    Range,
    Regexp,
)
from pynamodb.attributes import (
    DynamicMapAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    DecimalAttribute,
    Delete,
    InGroup,
    IsAuthenticated,
    List,
    ModelResource,
    One,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    User,
)
from polymicro_lambda.openapi import body_model, openapi


class Article(MapAttribute):  # type: ignore[type-arg]
    name = UnicodeAttribute()
    price = DecimalAttribute(default=Decimal("0.5"))


class Line(MapAttribute):  # type: ignore[type-arg]
    quantity = NumberAttribute(default=1)
    article = Article(null=True)


class Open(DynamicMapAttribute):
    city = UnicodeAttribute(null=True)


class Order(Model):
    class Meta:
        table_name = "orders"

    id = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute(default="cart")
    stock = NumberAttribute(null=True)
    total = DecimalAttribute(null=True)
    email = UnicodeAttribute(null=True)
    tags = UnicodeSetAttribute()
    lines = ListAttribute(of=Line, null=True)
    first = Line(null=True)
    place = Open(null=True)
    raw = MapAttribute(null=True)  # type: ignore[var-annotated]
    paid = UTCDateTimeAttribute(null=True)


def app(**declared: Any) -> PolyMicro:
    said = {"model": Order, "route": "orders", "permissions": AllowAny, "scan": True, **declared}
    pm = PolyMicro()
    type("Orders", (ModelResource, Create, List, Retrieve, Update, Delete), said)(pm)
    pm.compile()
    return pm


def even(value: Any) -> None:
    if value % 2:
        raise ValidationError("Must be even.")


VALIDATORS: dict[str, Any] = {
    "status": OneOf(("cart", "paid")),
    "stock": [Range(min=0), even],
    "total": Range(min=Decimal("0.01"), max=Decimal("1e3")),
    "email": Email(),
    "tags": Length(max=2),
    "lines": Length(min=1),
    "lines.quantity": Range(min=1),
    "lines.article.name": Length(max=3),
    "first.quantity": Range(min=2),
    "place.city": Length(min=2),
    "paid": Range(min=datetime(2030, 1, 1, tzinfo=UTC)),
}


@pytest.fixture
def orders(dynamodb: None, table_name: str) -> Caller:
    create_table(Order, table_name)
    filters = {"stock": ("lt",), "status": ("eq",)}
    return Caller(app(validators=VALIDATORS, filters=filters).compile())


GOOD: dict[str, Any] = {
    "status": "paid", "stock": 4, "total": "1e3", "email": "a@example.com", "tags": ["a", "b"],
    "lines": [{"quantity": 1, "article": {"name": "abc"}}], "first": {"quantity": 2, "article": None},
    "place": {"city": "Rom", "zip": 1}, "raw": {"a": 1}, "paid": "2030-01-01T00:00:00Z",
}  # fmt: skip
BAD: list[tuple[str, Any, str]] = [
    ("status", "open", "#/status"),
    ("stock", -2, "#/stock"),
    ("stock", 3, "#/stock"),
    ("total", "0.009", "#/total"),
    ("total", "1000.01", "#/total"),
    ("email", "a", "#/email"),
    ("tags", ["a", "b", "c"], "#/tags"),
    ("lines", [], "#/lines"),
    ("lines", [{"quantity": 1}, {"quantity": 0}], "#/lines/1/quantity"),
    ("lines", [{"quantity": 1, "article": {"name": "abcd"}}], "#/lines/0/article/name"),
    ("first", {"quantity": 1}, "#/first/quantity"),
    ("place", {"city": "R"}, "#/place/city"),
    ("paid", "2029-12-31T23:59:59Z", "#/paid"),
]


@pytest.mark.parametrize(("name", "value", "pointer"), BAD, ids=[f"{n}-{v}"[:40] for n, v, _ in BAD])
def test_validators_stand_beside_the_made_fields(orders: Caller, name: str, value: Any, pointer: str) -> None:
    """For every body, and for nothing else: a filter may ask for any value."""
    assert orders.post("/orders", json={"id": "1", **GOOD}).status == 201
    assert_problem(orders.post("/orders", json={"id": "2", name: value}), 422, pointer)
    assert_problem(orders.put("/orders/1", json={name: value}), 422, pointer)
    assert_problem(orders.patch("/orders/1", json={name: value}), 422, pointer)
    text = value if isinstance(value, str | int) else 0
    asked = {"stock": f"stock__lt={text}", "status": f"status={text}"}
    assert orders.get(f"/orders?{asked.get(name, 'limit=1')}").status == 200


def test_a_validator_that_returns_false_refuses_the_value(dynamodb: None, table_name: str) -> None:
    create_table(Order, table_name)
    validators = {
        "stock": lambda stock: stock > 0,
        "status": And(Length(min=2), str.islower),
        "tags": [Length(max=2), lambda tags: None],
        "first.quantity": lambda quantity: quantity != 3,
    }
    caller = Caller(app(validators=validators).compile())
    assert caller.post("/orders", json={"id": "1", **GOOD}).status == 201
    for name, value, pointer in [
        ("stock", 0, "#/stock"),
        ("status", "PAID", "#/status"),
        ("first", {"quantity": 3}, "#/first/quantity"),
    ]:
        for answer in (
            caller.post("/orders", json={**GOOD, "id": "2", name: value}),
            caller.put("/orders/1", json={**GOOD, name: value}),
            caller.patch("/orders/1", json={name: value}),
        ):
            assert_problem(answer, 422, pointer)
            assert answer.json["errors"] == [{"pointer": pointer, "detail": "Invalid value."}]


def test_what_may_be_absent_still_may(orders: Caller) -> None:
    assert orders.post("/orders", json={"id": "1", **GOOD}).status == 201
    absent = dict.fromkeys(("stock", "total", "email", "lines", "first", "place", "raw", "paid"))
    assert orders.patch("/orders/1", json=absent).json == {
        "id": "1",
        "status": "paid",
        "tags": ["a", "b"],
        **absent,
    }


def test_what_the_documents_say_of_validators() -> None:
    pm = app(validators=VALIDATORS)
    create = next(route for route in pm.routes if route.verb == "create")
    said = openapi(pm.routes)["components"]["schemas"]["OrdersCreate"]["properties"]
    model = (body_model(create) or {})["properties"]
    assert said["status"] == {"type": "string", "enum": ["cart", "paid"], "default": "cart"}
    assert (said["stock"]["minimum"], said["email"]["format"], said["tags"]["maxItems"]) == (0, "email", 2)
    line = said["lines"]["items"]["properties"]
    assert (said["lines"]["minItems"], line["quantity"]["minimum"]) == (1, 1)
    assert line["article"]["properties"]["name"] == {"type": "string", "maxLength": 3}
    assert {"minimum", "maximum"}.isdisjoint(said["total"] | said["paid"])
    assert (model["status"], model["stock"]) == ({"type": "string", "enum": ["cart", "paid"]}, {"minimum": 0})
    assert (model["tags"], model["total"]) == ({"maxItems": 2}, {})


KEYWORDS: list[tuple[Any, str, dict[str, Any], dict[str, Any]]] = [
    (Range(min=Decimal("0.5"), min_inclusive=False, max=9), "stock",
     {"exclusiveMinimum": 0.5, "maximum": 9}, {"minimum": 0.5, "maximum": 9}),
    ([Range(min=1), Range(min=3, max=8), Range(max=9)], "stock",
     {"minimum": 3, "maximum": 8}, {"minimum": 3, "maximum": 8}),
    (Length(equal=3), "email", {"minLength": 3, "maxLength": 3}, {"minLength": 3, "maxLength": 3}),
    (Length(1, 2), "raw", {"minProperties": 1, "maxProperties": 2}, {}),
    (Equal(4), "stock", {"enum": [4, None]}, {}),
    (And(OneOf(("a", "b")), OneOf(("b", "c"))), "email", {"enum": ["b", None]}, {}),
    (OneOf((Decimal("1.50"),)), "total", {"enum": ["1.5", None]}, {}),
    (NoneOf(("a",)), "email", {"not": {"enum": ["a"]}}, {}),
    (ContainsOnly(("a", "b")), "tags", {"items": {"type": "string", "enum": ["a", "b"]}}, {}),
    (ContainsNoneOf(("a",)), "tags", {"items": {"type": "string", "not": {"enum": ["a"]}}}, {}),
    (OneOf((Decimal("1.50"), "1.50")), "total", {"enum": ["1.5", None]}, {}),
    (URL(), "email", {"format": "uri"}, {}),
    (Regexp("^a"), "email", {"pattern": "^a"}, {}),
    (even, "stock", {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("validator", "name", "said", "of_gateway"), KEYWORDS, ids=[repr(k[2])[:40] for k in KEYWORDS]
)
def test_a_validator_as_json_schema(validator: Any, name: str, said: Any, of_gateway: Any) -> None:
    pm, plain = app(validators={name: validator}), app()

    def described(one: PolyMicro) -> Any:
        return openapi(one.routes)["components"]["schemas"]["OrdersCreate"]["properties"][name]

    assert described(pm) == {**described(plain), **said}
    create = next(route for route in pm.routes if route.verb == "create")
    model = body_model(create) or {}
    Draft4Validator.check_schema(model)
    assert model["properties"][name] == of_gateway


class Color(enum.Enum):
    RED = 1


@pytest.fixture
def priced(dynamodb: None, table_name: str) -> Caller:
    create_table(Order, table_name)
    own = {
        "total": fields.Decimal(places=2, as_string=True),
        "stock": fields.Integer(strict=True, data_key="left"),
        "paid": fields.AwareDateTime(format="timestamp", default_timezone=UTC),
        "email": fields.Email(required=True),
        "lines.article.price": fields.Decimal(),
        "first.quantity": fields.Float(),
    }
    return Caller(app(fields=own, filters={"total": ("lte", "eq")}).compile())


def test_a_field_stands_in_the_place_of_a_made_one(priced: Caller, table_name: str) -> None:
    """In bodies, nested too, in answers and in queries; the other fields are made as ever."""
    sent = {"total": "19.989", "left": 4, "paid": 1893456000, "email": "a@example.com"}
    lines = [{"article": {"name": "a", "price": 2.5}}, {"article": {"name": "b"}}]
    made = priced.post("/orders", json={"id": "1", **sent, "lines": lines, "first": {"quantity": 2}})
    shown = {
        "id": "1", "status": "cart", "left": 4, "total": "19.99", "email": "a@example.com", "tags": None,
        "lines": [
            {"quantity": 1, "article": {"name": "a", "price": 2.5}},
            {"quantity": 1, "article": {"name": "b", "price": 0.5}},
        ],
        "first": {"quantity": 2.0, "article": None}, "place": None, "raw": None, "paid": 1893456000.0,
    }  # fmt: skip
    assert (made.status, made.json) == (201, shown)
    assert priced.get("/orders/1").json == shown
    assert priced.get("/orders/1", headers={"if-none-match": made.headers["etag"]}).status == 304
    assert priced.get("/orders?total__lte=20&total=19.990").json["items"] == [shown]
    (row,) = stored(table_name)
    assert (row["total"], row["stock"]) == ({"N": "19.99"}, {"N": "4"})
    assert priced.patch("/orders/1", json={"left": None, "total": None}).json == {
        **shown,
        "left": None,
        "total": None,
    }
    assert_problem(
        priced.post("/orders", json={"id": "2", "email": "a", "left": 1.5}), 422, "#/email", "#/left"
    )
    assert_problem(priced.post("/orders", json={"id": "2", "stock": 1}), 422, "#/email", "#/stock")


def test_a_renamed_field_is_filtered_and_sorted_by_its_attribute(dynamodb: None, table_name: str) -> None:
    """By those who may read it; the document says the same, and what its key embeds is hidden with it."""

    class Note(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        made = NumberAttribute(range_key=True)
        author = UnicodeAttribute(null=True)

    class Plain(ModelResource, Retrieve):
        model = Note
        route = "plain"
        permissions = AllowAny

    class Notes(ModelResource, List, Retrieve):
        model = Note
        route = "notes"
        permissions = IsAuthenticated
        filters = {"id": "eq", "made": ("eq", "lt"), "author": "eq"}  # noqa: RUF012
        fields = {  # noqa: RUF012
            "made": fields.Integer(data_key="createdAt"),
            "author": fields.String(data_key="by", allow_none=True),
        }
        field_permissions = {"by": InGroup("hr")}  # noqa: RUF012
        embed = {"first": One(Plain, {"id": "author", "made": "made"}, always=True)}  # noqa: RUF012

    create_table(Note, table_name)
    pm = PolyMicro()
    Plain(pm)
    Notes(pm)
    client = Caller(pm.compile(), user=ALICE)
    for made in (1, 2):
        Note("a", made, author="a").save()
    staff = client.as_(User("hal", groups=frozenset({"hr"})))
    for who, one in ((client, {}), (staff, {"by": "a"})):
        found = who.get("/notes?id=a&made__lt=3&sort=-made").json["items"]
        assert [{**each, "first": None} for each in found] == [
            {"id": "a", "createdAt": made, **one, "first": None} for made in (2, 1)
        ]
    assert_problem(client.get("/notes?id=a&author=a"), 400, "author")
    assert len(staff.get("/notes?id=a&author=a").json["items"]) == 2
    assert staff.get("/notes/a/1").json["first"] == {"id": "a", "made": 1, "author": "a"}
    assert "first" not in client.get("/notes/a/1").json
    parameters = openapi(pm.routes)["paths"]["/notes"]["get"]["parameters"]
    (sort,) = (one["schema"]["enum"] for one in parameters if one["name"] == "sort")
    assert sort == ["made", "-made"]


@pytest.mark.parametrize("total", ["1e200", f"1{'0' * 40}.5", "NaN"])
def test_a_single_value_that_the_attribute_does_not_store_is_refused(priced: Caller, total: str) -> None:
    body = {"id": "1", "email": "a@example.com", "total": total}
    assert_problem(priced.post("/orders", json=body), 422, "#/total")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"validators": {"stok": Range(min=0)}}, "validators['stok']: Order has no attribute 'stok': is 'stock' meant?"),
    ({"validators": {"lines.quantitie": Range(min=0)}},
     "validators['lines.quantitie']: Line has no attribute 'quantitie': is 'quantity' meant?"),
    ({"validators": {"stock.x": Range()}}, "validators['stock.x']: a NumberAttribute has no member 'x' that is known"),
    ({"validators": {"raw.x": Range()}}, "validators['raw.x']: a MapAttribute has no member 'x' that is known"),
    ({"validators": {"place.zip": Range()}}, "validators['place.zip']: Open has no attribute 'zip'"),
    ({"validators": {"": Range()}}, "validators['']: Order has no attribute ''"),
    ({"validators": {"stock": Range(min=0)}, "exclude": "stock"}, "validators['stock']: no body can set 'stock'"),
    ({"validators": {"stock": Range(min=0)}, "dump_only": "stock"}, "validators['stock']: no body can set 'stock'"),
    ({"validators": {"email": Length(1)}, "permissions": OwnedBy("email")},
     "validators['email']: no body can set 'email'"),
    ({"validators": {"stock": Range}}, "validators: 'stock' must be a validator or several, not <class"
     " 'marshmallow.validate.Range'>: write Range(…)"),
    ({"validators": {"stock": [Range(min=0), 5]}}, "validators: 'stock' must be a validator or several, not 5"),
    ({"validators": ("stock",)}, 'validators: must name validators: {"stock": Range(min=0)}'),
    ({"validators": {"stock": Range(min=0)}, "schema": Schema.from_dict({"id": fields.String()})},
     "validators: say it in schema, which the resource has"),
    ({"fields": {"id": fields.String()}, "schema": Schema.from_dict({"id": fields.String()})},
     "fields: say it in schema, which the resource has"),
    ({"fields": ("id", "stock")}, "fields means nothing here: say exclude, or a field for each name, e.g."
     ' {"price": fields.Decimal()}'),
    ({"fields": {"stok": fields.Integer()}}, "fields['stok']: Order has no attribute 'stok': is 'stock' meant?"),
    ({"fields": {"raw.x": fields.Integer()}}, "fields['raw.x']: a MapAttribute has no member 'x' that is known"),
    ({"fields": {"stock": fields.Integer()}, "exclude": "stock"}, "fields['stock']: 'stock' is in exclude"),
    ({"fields": {"stock": fields.Integer}}, "fields: 'stock' must be a marshmallow field, not <class"
     " 'marshmallow.fields.Integer'>: write Integer()"),
    ({"fields": {"stock": fields.Integer(attribute="left")}},
     "fields: 'stock': leave out attribute='left' of the field"),
    ({"fields": {"stock": fields.Decimal()}}, "fields['stock']: NumberAttribute cannot store the Decimal that the"
     " field Decimal loads: DecimalAttribute can"),
    ({"fields": {"first.quantity": fields.Decimal()}}, "fields['first.quantity']: NumberAttribute cannot store the"
     " Decimal that the field Decimal loads: DecimalAttribute can"),
    ({"fields": {"paid": fields.Date()}},
     "fields['paid']: UTCDateTimeAttribute cannot store the date that the field Date loads"),
    ({"fields": {"email": fields.UUID()}},
     "fields['email']: UnicodeAttribute cannot store the UUID that the field UUID loads"),
    ({"fields": {"stock": fields.Enum(Color)}},
     "fields['stock']: NumberAttribute cannot store the Color that the field Enum loads"),
    ({"fields": {"stock": fields.String()}},
     "fields['stock']: NumberAttribute cannot store the str that the field String loads"),
    ({"fields": {"raw": fields.Nested(Schema.from_dict({"day": fields.Date()}))}},
     "fields['raw']: MapAttribute cannot store the dict that the field Nested loads"),
    ({"fields": {"lines": fields.List(fields.Nested(Schema.from_dict({"quantity": fields.Decimal()})))}},
     "fields['lines']: ListAttribute cannot store the list that the field List loads"),
    ({"fields": {"first": fields.String()}}, "fields['first']: Line cannot store the str that the field String loads"),
    ({"fields": {"lines": fields.Raw()}, "validators": {"lines.quantity": Range(min=0)}},
     "validators['lines.quantity']: a field Raw stands in its place: say it there"),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "message"), REFUSED, ids=[message[:60] for _, message in REFUSED])
def test_what_can_have_no_effect_does_not_compile(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        app(**declared)
    assert str(caught.value) == f"Orders.{message}"


UNFIT = [
    ("stock", Email()), ("stock", Length(1)), ("email", Range(min=0)), ("stock", Regexp("a")),
    ("paid", Range(min=datetime(2030, 1, 1))), ("paid", Range(min=date(2030, 1, 1))), ("lines.quantity", URL()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "validator"), UNFIT, ids=[f"{n}-{type(v).__name__}" for n, v in UNFIT])
def test_a_validator_that_fails_at_every_value_does_not_compile(name: str, validator: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^Orders\.validators\['{name}'\]: .* cannot judge such a value"
    ):
        app(validators={name: validator})


# --- a schema of the resource's own, and attribute classes ---


class PriceSchema(Schema):
    id = fields.String(required=True)
    stock = fields.Decimal(required=True)


def test_a_schema_whose_field_the_attribute_cannot_carry_does_not_compile() -> None:
    with pytest.raises(ConfigurationError) as caught:
        app(schema=PriceSchema)
    assert str(caught.value) == (
        "Orders.schema: 'stock': NumberAttribute cannot store the Decimal that the field Decimal loads:"
        " DecimalAttribute can"
    )


def test_a_schema_may_make_other_values_of_what_it_has_loaded(dynamodb: None, table_name: str) -> None:
    class AsFloat(PriceSchema):
        @post_load
        def as_float(self, data: Any, **_: Any) -> Any:
            return {**data, "stock": float(data["stock"])}

    client = Caller(app(schema=AsFloat).compile())
    create_table(Order, table_name)
    assert client.post("/orders", json={"id": "1", "stock": "2.5"}).json == {"id": "1", "stock": 2.5}


@pytest.mark.parametrize("text", ["\\ud800", "a\\udfff"])
def test_a_text_that_no_utf_8_holds_is_refused_by_a_schema_too(dynamodb: None, text: str) -> None:
    client = Caller(app(schema=Schema.from_dict({"id": fields.String(), "email": fields.String()})).compile())
    refused = client.request(
        "POST", "/orders", body=f'{{"id":"1","email":"{text}"}}', headers={"content-type": "application/json"}
    )
    assert_problem(refused, 422, "#/email")


def test_what_a_raw_map_does_not_hold_is_refused(dynamodb: None) -> None:
    client = Caller(app(fields={"raw": fields.Dict(values=fields.Decimal())}).compile())
    assert_problem(client.post("/orders", json={"id": "1", "raw": {"a": 1.5}}), 422, "#/raw")


def test_a_field_that_only_shows_need_not_load(dynamodb: None, table_name: str) -> None:
    """A day of a moment, say: in `fields` and in a schema."""
    create_table(Order, table_name)
    Order("1", status="cart", email="a", paid=datetime(2030, 1, 1, 12, tzinfo=UTC), lines=[]).save()
    schema = Schema.from_dict({"id": fields.String(), "paid": fields.Date(dump_only=True)})
    for declared in (
        {"schema": schema},
        {"fields": {"paid": fields.Date(dump_only=True)}},
        {"fields": {"paid": fields.Date()}, "dump_only": "paid", "filters": {"paid": ("eq",)}},
    ):
        client = Caller(app(**declared).compile())
        assert client.get("/orders/1").json["paid"].startswith("2030-01-01")
        assert_problem(client.post("/orders", json={"id": "2", "paid": "2030-01-01"}), 422, "#/paid")
    assert_problem(client.get("/orders?paid=2030-01-01"), 400, "paid")


def test_a_field_that_can_show_nothing_does_not_compile() -> None:
    field = fields.Enum(Color, dump_only=True)
    said = r"the field Enum cannot show what UnicodeAttribute gives$"
    with pytest.raises(ConfigurationError, match=r"^Orders\.schema: 'email': " + said):
        app(schema=Schema.from_dict({"id": fields.String(), "email": field}))
    with pytest.raises(ConfigurationError, match=r"^Orders\.fields\['email'\]: " + said):
        app(fields={"email": field})


class TextColor(str, enum.Enum):  # noqa: UP042 - as programs have them
    RED = "red"


class ByValue(UnicodeAttribute):
    def serialize(self, value: Any) -> Any:
        return value.value

    def deserialize(self, value: Any) -> Any:
        return TextColor(value)


class ByText(ByValue):
    def serialize(self, value: Any) -> Any:
        return str(value)


class Numbered(NumberAttribute):
    def serialize(self, value: Any) -> Any:
        return str(value.value)

    def deserialize(self, value: Any) -> Any:
        return Color(int(value))


class Lowered(UnicodeAttribute):
    def serialize(self, value: Any) -> Any:
        return value.lower()

    def deserialize(self, value: Any) -> Any:
        return value.lower()


class Marked(ByValue):
    marshmallow_field: ClassVar[Any] = staticmethod(lambda: fields.Enum(TextColor, by_value=True))


class Mismarked(Lowered):
    marshmallow_field: ClassVar[Any] = fields.Integer


@pytest.mark.parametrize("kind", [ByValue, ByText, Numbered, Mismarked])
@pytest.mark.parametrize("where", ["color", "things"])
def test_an_attribute_class_whose_values_no_field_carries_does_not_compile(kind: Any, where: str) -> None:
    attribute = kind(null=True) if where == "color" else ListAttribute(of=kind, null=True)
    members = {
        "Meta": type("Meta", (), {"table_name": "things"}),
        "id": UnicodeAttribute(hash_key=True),
        where: attribute,
    }
    with pytest.raises(ConfigurationError, match=rf"^Orders\.{where}: .*{kind.__name__}"):
        app(model=type("Colored", (Model,), members))


@pytest.mark.parametrize(("kind", "sent", "shown"), [(Marked, "red", "red"), (Lowered, "RED", "red")])
def test_an_attribute_class_with_a_way_of_its_own(
    dynamodb: None, table_name: str, kind: Any, sent: Any, shown: Any
) -> None:
    class Meta:
        pass

    Meta.table_name = table_name  # type: ignore[attr-defined]
    members = {"Meta": Meta, "id": UnicodeAttribute(hash_key=True), "color": kind(null=True)}
    model: Any = type("Colored", (Model,), members)
    client = Caller(app(model=model).compile())
    create_table(model, table_name)
    assert client.post("/orders", json={"id": "1", "color": sent}).status == 201
    assert client.get("/orders/1").json == {"id": "1", "color": shown}
    assert_problem(client.post("/orders", json={"id": "2", "color": 1}), 422, "#/color")
