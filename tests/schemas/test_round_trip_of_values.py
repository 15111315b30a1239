"""JSON → schema → real save → real get → JSON: what is taken comes back as it was sent."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema
from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
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
from pynamodb.models import Model

from polymicro_lambda.dynamodb import client
from polymicro_lambda.exceptions import Unprocessable
from polymicro_lambda.http import strict_json
from polymicro_lambda.items import instances
from polymicro_lambda.schemas.item_schemas import ItemSchema
from polymicro_lambda.schemas.schema_compiler import compile_schema

pytestmark = pytest.mark.usefixtures("dynamodb")


class Street(MapAttribute):  # type: ignore[type-arg]
    name = UnicodeAttribute()
    number = NumberAttribute(attr_name="no", null=True)
    opened = UTCDateTimeAttribute(null=True)
    marks = UnicodeSetAttribute()
    picture = BinaryAttribute(legacy_encoding=False, null=True)
    more = MapAttribute(null=True)  # type: ignore[var-annotated]


class Open(DynamicMapAttribute):
    name = UnicodeAttribute(null=True, attr_name="n")
    opened = UTCDateTimeAttribute(null=True)


class Vehicle(MapAttribute):  # type: ignore[type-arg]
    kind = DiscriminatorAttribute()
    wheels = NumberAttribute(default=4)


class Bicycle(Vehicle, discriminator="bicycle"):
    bell = BooleanAttribute()


ATTRIBUTES: dict[str, Callable[[], Any]] = {
    "text": lambda: UnicodeAttribute(null=True, attr_name="t"),
    "number": lambda: NumberAttribute(null=True),
    "flag": lambda: BooleanAttribute(null=True),
    "moment": lambda: UTCDateTimeAttribute(null=True),
    "expiry": lambda: TTLAttribute(null=True),
    "json": lambda: JSONAttribute(null=True),
    "texts": UnicodeSetAttribute,
    "numbers": NumberSetAttribute,
    "binary": lambda: BinaryAttribute(legacy_encoding=False, null=True),
    "old_binary": lambda: BinaryAttribute(legacy_encoding=True, null=True),
    "binaries": lambda: BinarySetAttribute(legacy_encoding=False),
    "old_binaries": lambda: BinarySetAttribute(legacy_encoding=True),
    "raw": lambda: MapAttribute(null=True),
    "street": lambda: Street(null=True),
    "open": lambda: Open(null=True),
    "bicycle": lambda: Bicycle(null=True),
    "bicycles": lambda: ListAttribute(of=Bicycle, null=True),
    "items": lambda: ListAttribute(null=True),
    "streets": lambda: ListAttribute(of=Street, null=True),
    "opens": lambda: ListAttribute(of=Open, null=True),
    "raws": lambda: ListAttribute(of=MapAttribute, null=True),
    "figures": lambda: ListAttribute(of=NumberAttribute, null=True),
    "moments": lambda: ListAttribute(of=UTCDateTimeAttribute, null=True),
    "sets": lambda: ListAttribute(of=UnicodeSetAttribute, null=True),
    "pictures": lambda: ListAttribute(of=BinaryAttribute, null=True),
    "nothings": lambda: ListAttribute(of=NullAttribute, null=True),
    "nothing": lambda: NullAttribute(null=True),
}


@pytest.fixture
def model(table_name: str) -> Iterator[type[Model]]:
    """A model of every attribute, with its table."""

    class Everything(Model):
        class Meta:
            billing_mode = "PAY_PER_REQUEST"

        id = UnicodeAttribute(hash_key=True)
        version = VersionAttribute()
        touched = NumberAttribute(null=True)

    attributes: dict[str, Attribute[Any]] = {name: make() for name, make in ATTRIBUTES.items()}
    meta = type("Meta", (Everything.Meta,), {"table_name": table_name})
    made = type("Sample", (Everything,), {**attributes, "Meta": meta})
    made.create_table(wait=True)
    yield made
    made.delete_table()


def kept(model: type[Model], schema: ItemSchema, body: dict[str, Any]) -> dict[str, Any]:
    """What a get gives after a create, but for nulls; and after an update with the same values."""
    loaded = schema.load_create(strict_json.read_json(json.dumps({"id": "i", **body}).encode()))
    instance = model()
    for name, value in loaded.items():
        setattr(instance, name, value)
    shown = schema.dump(instance)
    instance.save()
    read = schema.dump(model.get("i", consistent_read=True))
    assert strict_json.json_bytes(read) == strict_json.json_bytes({**shown, "version": 1})
    assert_read_alike(model, schema)
    actions = [getattr(model, name).set(value) for name, value in loaded.items() if name != "id"]
    model("i", version=1).update([*actions, model.touched.set(1)])
    again = schema.dump(model.get("i", consistent_read=True))
    assert strict_json.json_bytes(again) == strict_json.json_bytes({**shown, "version": 2, "touched": 1})
    model("i", version=2).delete()
    return {name: value for name, value in read.items() if value is not None and name in ATTRIBUTES}


def assert_read_alike(model: type[Model], schema: ItemSchema) -> None:
    """An item is read and shown by our shorter ways as by PynamoDB's and marshmallow's own."""
    raw = client.execute(model, "GetItem", Key={"id": {"S": "i"}}, ConsistentRead=True)["Item"]
    ours, theirs = instances.instance_of(model, raw), model.from_raw_data(raw)
    assert ours.serialize() == theirs.serialize()
    assert strict_json.json_bytes(schema.dump(ours)) == strict_json.json_bytes(
        Schema.dump(schema.creating, theirs, many=False)
    )


def canonical(value: Any) -> str:
    """JSON text in which 1 is not True and the order of members does not count."""
    return json.dumps(value, sort_keys=True)


ROWS: list[tuple[str, Any, Any]] = [
    ("text", "", ...),
    ("text", "e\u0301 \0 \U0001f600", ...),
    ("number", 0, ...),
    ("number", 3, ...),
    ("number", -2.5, ...),
    ("number", 2**70 + 1, ...),
    ("number", int("9" * 38), ...),
    ("number", int("9" * 38 + "0" * 88), ...),
    ("number", 1e-130, ...),
    ("number", 1.7976931348623157e-100, ...),
    ("number", 1e22, 10**22),
    ("number", 3.0, 3),
    ("flag", True, ...),
    ("flag", False, ...),
    ("moment", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ("moment", "9999-12-31T23:59:59.999999+00:00", ...),
    ("moment", "2030-06-01T01:30:00.000001+02:00", "2030-05-31T23:30:00.000001+00:00"),
    ("expiry", "2030-01-01T00:00:00+00:00", ...),
    ("expiry", "0001-01-01T00:00:00+00:00", ...),
    ("expiry", "9999-12-31T23:59:59+00:00", ...),
    ("json", {"self": [None, 1.5, 10**40, {"": []}]}, ...),
    ("json", False, ...),
    ("json", "", ...),
    ("texts", ["", "a", "b"], ...),
    ("texts", ["b", "a"], ["a", "b"]),
    ("texts", [], None),
    ("numbers", [-1, 2.5, 10**30], ...),
    ("binary", "", ...),
    ("binary", "/+8=", ...),
    ("old_binary", "/+8=", ...),
    ("binaries", ["", "/+8="], ...),
    ("old_binaries", ["aGk=", "/+8="], ...),
    ("raw", {}, ...),
    ("raw", {"a": {"b": [None, 1, "", {}], "self": 1}, "default": 1, "null": 2, "attribute_values": 3}, ...),
    ("street", {"name": "x"}, {
        "name": "x", "number": None, "opened": None, "marks": None, "picture": None, "more": None,
    }),
    ("street", {
        "name": "", "number": 2.5, "opened": "2030-01-01T00:00:00+00:00", "marks": ["a"], "picture": "aGk=",
        "more": {"a": [1]},
    }, ...),
    ("open", {}, {"name": None, "opened": None}),
    ("open", {"name": "x", "opened": "2030-01-01T00:00:00+00:00", "b": {"c": [1, None]}, "null": None}, ...),
    ("bicycle", {"bell": True}, {"kind": "bicycle", "wheels": 4, "bell": True}),
    ("bicycles", [{"wheels": 2, "bell": False}], [{"kind": "bicycle", "wheels": 2, "bell": False}]),
    ("items", [], ...),
    ("items", [None, True, 1, 2.5, "", [], {"self": {}}], ...),
    ("streets", [{"name": "x", "number": 1, "opened": None, "marks": ["a"], "picture": None, "more": None}], ...),
    ("opens", [{"name": None, "opened": None, "a": 1}], ...),
    ("raws", [{}, {"a": {"b": 1}}], ...),
    ("figures", [1, 2.5], ...),
    ("moments", ["2030-01-01T00:00:00+00:00"], ...),
    ("sets", [["a", "b"]], ...),
    ("pictures", ["aGk="], ...),
    ("nothings", [None, None], ...),
    ("nothing", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sent", "got"), ROWS, ids=[f"{n}-{json.dumps(s)[:24]}" for n, s, _ in ROWS])
def test_what_is_sent_comes_back(model: type[Model], name: str, sent: Any, got: Any) -> None:
    """``...`` stands for: just as sent."""
    schema = compile_schema(model, resource="R")
    wanted = sent if got is ... else got
    assert canonical(kept(model, schema, {name: sent})) == canonical({} if wanted is None else {name: wanted})


def test_a_dynamic_map_gains_nothing_of_pynamodbs_own(model: type[Model]) -> None:
    """PynamoDB stores ``attribute_values`` with a dict (its issue 999): what is loaded is no dict."""
    loaded = compile_schema(model, resource="R").load_create(
        {"id": "i", "open": {"a": 1}, "opens": [{"b": 1}]}
    )
    model(**loaded).save()
    instance = model("i", version=1)
    instance.update([getattr(model, name).set(loaded[name]) for name in ("open", "opens")])
    stored = model._get_connection().get_item("i")["Item"]
    assert (stored["open"], stored["opens"]) == ({"M": {"a": {"N": "1"}}}, {"L": [{"M": {"b": {"N": "1"}}}]})


def deep(levels: int) -> Any:
    return 1 if not levels else {"a": [deep(levels - 2)]} if levels > 1 else {"a": 1}


@pytest.mark.parametrize(
    ("name", "wrap", "room"),
    [
        ("raw", lambda value: value, 31),
        ("items", lambda value: [value], 30),
        ("street", lambda value: {"name": "x", "more": value}, 30),
        ("streets", lambda value: [{"name": "x", "more": value}], 29),
        ("open", lambda value: {"x": value}, 30),
        ("opens", lambda value: [{"x": value}], 29),
        ("raws", lambda value: [value], 30),
    ],
)
def test_the_deepest_that_dynamodb_takes(model: type[Model], name: str, wrap: Any, room: int) -> None:
    """32 levels, the scalar at the bottom counted: DynamoDB refuses one more, so the schema does."""
    schema = compile_schema(model, resource="R")
    back = kept(model, schema, {name: wrap(deep(room))})
    assert json.dumps(deep(room)) in json.dumps(back)
    with pytest.raises(Unprocessable):
        schema.load_create({"id": "i", name: wrap(deep(room + 1))})


TEXT = st.text() | st.text(st.characters(categories=("Cs", "Cc", "Nd", "Lu")), max_size=3)
NUMBERS = (
    st.integers(-3, 3)
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    | st.integers(0, 4).map(float)
)
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.just("name"), inner, max_size=4),
    max_leaves=8,
)
MOMENTS = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.datetimes(timezones=st.timezones()).map(
    str
)
BASE64 = st.binary(max_size=6).map(lambda raw: b64encode(raw).decode())
LIKELY = ANY | MOMENTS | BASE64 | st.lists(TEXT | NUMBERS | BASE64 | MOMENTS, max_size=3)
RECORDS = st.fixed_dictionaries(
    {"name": TEXT}, optional={"number": NUMBERS, "opened": MOMENTS, "marks": st.lists(TEXT), "more": ANY}
)


@pytest.mark.thorough(but=("number", "street", "items"))
@pytest.mark.parametrize("name", ATTRIBUTES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_json_survives_or_is_refused(model: type[Model], name: str, data: st.DataObject) -> None:
    """There is no third way: no other exception, and nothing that comes back different."""
    value = data.draw(LIKELY | RECORDS | st.lists(RECORDS, max_size=2))
    schema = compile_schema(model, resource="R")
    refusal = None
    try:
        kept(model, schema, {name: value})
    except Unprocessable as error:
        refusal = error
    assert refusal is None or all(one["pointer"].startswith(f"#/{name}") for one in refusal.errors)
