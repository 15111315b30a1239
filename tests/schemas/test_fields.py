"""One table per attribute: what its field loads, and what it refuses rather than round, coerce or drop."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from marshmallow import ValidationError, fields
from pynamodb import attributes as pynamo
from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
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
from pynamodb.models import Model

from polymicro_lambda import DecimalAttribute
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import strict_json
from polymicro_lambda.schemas.attribute_fields import (
    FIELDS,
    field_for,
    member_field,
    ordered_attributes,
)


class Street(MapAttribute):  # type: ignore[type-arg]
    name = UnicodeAttribute()
    number = NumberAttribute(attr_name="no", default=1)
    tags = UnicodeSetAttribute()


class Open(DynamicMapAttribute):
    name = UnicodeAttribute(null=True, attr_name="n")


class Sample(Model):
    """An attribute of each kind."""

    class Meta:
        table_name = "sample"

    text = UnicodeAttribute()
    number = NumberAttribute()
    flag = BooleanAttribute()
    moment = UTCDateTimeAttribute()
    expiry = TTLAttribute()
    version = VersionAttribute()
    json = JSONAttribute()
    texts = UnicodeSetAttribute()
    numbers = NumberSetAttribute()
    some_numbers = NumberSetAttribute(null=False)
    binary = BinaryAttribute(legacy_encoding=False)
    binaries = BinarySetAttribute(legacy_encoding=False)
    raw = MapAttribute()  # type: ignore[var-annotated]
    street = Street()
    dynamic = Open()
    items = ListAttribute()  # type: ignore[var-annotated]
    streets = ListAttribute(of=Street)
    figures = ListAttribute(of=NumberAttribute)
    sets = ListAttribute(of=UnicodeSetAttribute)
    nothing = NullAttribute(null=True)
    price = DecimalAttribute()
    amount = DecimalAttribute(as_string=False)


def nested(levels: int, leaf: str = "1") -> str:
    return (
        '{"a":[' * (levels // 2)
        + ("{" * (levels % 2) + '"a":' * (levels % 2) + leaf)
        + "}" * (levels % 2)
        + "]}" * (levels // 2)
    )


def load(name: str, text: str) -> Any:
    return field_of(name).deserialize(strict_json.read_json(text.encode("utf-8", "surrogatepass")))


def field_of(name: str) -> fields.Field[Any]:
    return member_field(ordered_attributes(Sample)[name])


LOADS: list[tuple[str, str, Any]] = [
    ("text", '""', ""),
    ("text", '"a\\u0000b"', "a\0b"),
    ("text", '"e\\u0301"', "e\u0301"),
    ("number", "0", 0),
    ("number", "3", 3),
    ("number", "3.0", 3),
    ("number", "-0.0", 0),
    ("number", "0.1", 0.1),
    ("number", "1e21", 10**21),
    ("number", "1.5e-7", 1.5e-7),
    ("number", str(2**70 + 1), 2**70 + 1),
    ("number", "9" * 38, int("9" * 38)),
    ("number", "9" * 38 + "0" * 88, int("9" * 38 + "0" * 88)),
    ("number", "1e-130", 1e-130),
    ("flag", "true", True),
    ("flag", "false", False),
    ("moment", '"2030-01-31T12:00:00Z"', datetime(2030, 1, 31, 12, tzinfo=UTC)),
    ("moment", '"2030-01-31t12:00:00.123456+02:00"', datetime(2030, 1, 31, 10, 0, 0, 123456, UTC)),
    ("moment", '"0001-01-01T00:00:00Z"', datetime(1, 1, 1, tzinfo=UTC)),
    ("moment", '"9999-12-31T23:59:59.999999-00:00"', datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ("expiry", '"2030-01-31T12:00:00.000Z"', datetime(2030, 1, 31, 12, tzinfo=UTC)),
    ("json", '{"a":[1.0,2.5,null,{"b":"x"}]}', {"a": [1, 2.5, None, {"b": "x"}]}),
    ("json", "false", False),
    ("json", nested(60), strict_json.read_json(nested(60).encode())),
    ("texts", '["b","a",""]', {"a", "b", ""}),
    ("texts", "[]", set()),
    ("texts", "null", None),
    ("numbers", "[1.0,2.5]", {1, 2.5}),
    ("binary", '"aGk="', b"hi"),
    ("binary", '""', b""),
    ("binaries", '["aGk="]', {b"hi"}),
    ("raw", '{"a":{"b":[1.0,null,""]}}', {"a": {"b": [1, None, ""]}}),
    ("raw", '{"attribute_values":1,"default":2,"null":3}', {"attribute_values": 1, "default": 2, "null": 3}),
    ("raw", nested(31), strict_json.read_json(nested(31).encode())),
    ("street", '{"name":"x"}', {"name": "x", "number": 1}),
    ("street", '{"name":"x","number":2.0,"tags":null}', {"name": "x", "number": 2, "tags": None}),
    ("items", '[1,"a",null,{"self":[]}]', [1, "a", None, {"self": []}]),
    ("streets", '[{"name":"x"}]', [{"name": "x", "number": 1}]),
    ("figures", "[1,2.5]", [1, 2.5]),
    ("sets", '[["a"]]', [{"a"}]),
    ("nothing", "null", None),
    ("version", "3.0", 3),
    ("price", '"19.99"', Decimal("19.99")),
    ("price", '"-1.5e-7"', Decimal("-1.5e-7")),
    ("price", f'"{"9" * 38}"', Decimal("9" * 38)),
    (
        "price",
        '"0.12345678901234567890123456789012345678"',
        Decimal("0.12345678901234567890123456789012345678"),
    ),
    ("amount", "19.99", Decimal("19.99")),
    ("amount", "3.0", Decimal(3)),
]


@pytest.mark.parametrize(("name", "text", "value"), LOADS, ids=[f"{n}-{t[:24]}" for n, t, _ in LOADS])
def test_what_a_field_loads(name: str, text: str, value: Any) -> None:
    loaded = load(name, text)
    assert (loaded, type(loaded)) == (value, type(value))


NO_MOMENT = ["Not a date and time with an offset, such as 2030-01-31T12:00:00Z."]
NO_DECIMAL = ['Not a decimal number as text, such as "19.99".']
REFUSES: list[tuple[str, str, Any]] = [
    ("text", "1", ["Not a string."]),
    ("text", "null", ["Field may not be null."]),
    ("text", '"\\ud800"', ["Holds a lone surrogate, which UTF-8 cannot carry."]),
    ("number", "true", ["Not a number."]),
    ("number", '"7"', ["Not a number."]),
    ("number", '"1_000"', ["Not a number."]),
    ("number", "9" * 39, ["More than 38 significant digits."]),
    ("number", "1" * 5000, ["Out of range: a magnitude from 1e-130 to 9.99e125."]),
    ("number", "1e126", ["Out of range: a magnitude from 1e-130 to 9.99e125."]),
    ("number", "-1e-131", ["Out of range: a magnitude from 1e-130 to 9.99e125."]),
    ("number", "0.12345678901234567890", ["More digits than can be kept exactly (17)."]),
    ("flag", "1", ["Not a boolean."]),
    ("flag", '"yes"', ["Not a boolean."]),
    ("flag", '"false"', ["Not a boolean."]),
    ("moment", '"2030-01-31T12:00:00"', NO_MOMENT),
    ("moment", '"2030-01-31"', NO_MOMENT),
    ("moment", '"2030-01-31T12:00:00Z\\n"', NO_MOMENT),
    ("moment", '"\u0662\u066030-01-31T12:00:00Z"', NO_MOMENT),
    ("moment", '"2030-01-31T24:00:00Z"', NO_MOMENT),
    (
        "moment",
        '"2030-01-31T12:00:00.1234567Z"',
        NO_MOMENT,
    ),
    ("moment", "5", NO_MOMENT),
    ("moment", '"2030-02-30T12:00:00Z"', ["No such date and time."]),
    ("moment", '"0001-01-01T00:00:00+14:00"', ["No such date and time."]),
    ("moment", '"9999-12-31T23:59:59-01:00"', ["No such date and time."]),
    ("moment", '"2030-01-31T12:00:60Z"', ["No such date and time."]),
    ("expiry", '"2030-01-31T12:00:00.5Z"', ["Holds a fraction of a second."]),
    ("json", "null", ["Field may not be null."]),
    ("json", '{"a":[0.12345678901234567890]}', {"a": {0: ["More digits than can be kept exactly (17)."]}}),
    ("json", '["\\udfff"]', {0: ["Holds a lone surrogate, which UTF-8 cannot carry."]}),
    ("json", "[" * 101 + "]" * 101, None),
    ("texts", '["a","a"]', {1: ["Is a duplicate."]}),
    ("texts", '"ab"', ["Not a list."]),
    ("texts", "[null]", {0: ["Field may not be null."]}),
    ("numbers", "[1,1.0,true]", {1: ["Is a duplicate."], 2: ["Not a number."]}),
    ("some_numbers", "[]", ["May not be empty."]),
    ("binary", '"aGk"', ["Not base64."]),
    ("binary", '"aG k="', ["Not base64."]),
    ("binary", '"aGl="', ["Not canonical base64."]),
    ("binary", "3", ["Not base64."]),
    ("binary", '"é"', ["Not base64."]),
    ("binaries", '["aGk=","aGk="]', {1: ["Is a duplicate."]}),
    ("raw", "[]", ["Not an object."]),
    ("raw", '{"a":{"":1}}', {"a": {"": ["A name has 1 to 65535 bytes."]}}),
    ("raw", nested(32), None),
    ("raw", '{"a":"\\ud800","b":1e200}', {
        "a": ["Holds a lone surrogate, which UTF-8 cannot carry."],
        "b": ["Out of range: a magnitude from 1e-130 to 9.99e125."],
    }),
    ("street", '"x"', ["Not an object."]),
    ("street", '{"no":1}', {"name": ["Missing data for required field."], "no": ["Unknown field."]}),
    ("street", '{"name":"x","number":null}', {"number": ["Field may not be null."]}),
    ("dynamic", '{"n":1}', {"n": ["This name is not allowed."]}),
    ("dynamic", '{"attribute_values":{}, "name": 1}', {
        "attribute_values": ["This name is not allowed."], "name": ["Not a string."],
    }),
    ("items", "{}", ["Not a list."]),
    ("items", '["a",[true,1e200]]', {1: {1: ["Out of range: a magnitude from 1e-130 to 9.99e125."]}}),
    ("streets", '[{"name":"x"},{"name":"y","z":1}]', {1: {"z": ["Unknown field."]}}),
    ("streets", "[null]", {0: ["Field may not be null."]}),
    ("figures", '["7",true,null]', {
        0: ["Not a number."], 1: ["Not a number."], 2: ["Field may not be null."],
    }),
    ("figures", "7", ["Not a list."]),
    ("sets", '[["a"],[]]', {1: ["May not be empty."]}),
    ("nothing", "0", ["Not null."]),
    ("version", "1.5", ["Not an integer."]),
    ("price", "19.99", NO_DECIMAL),
    ("price", '"NaN"', NO_DECIMAL),
    ("price", '"Infinity"', NO_DECIMAL),
    ("price", '"1_000"', NO_DECIMAL),
    ("price", '"\u0661"', NO_DECIMAL),
    ("price", '" 1"', NO_DECIMAL),
    ("price", '"1e99999"', NO_DECIMAL),
    ("price", f'"{"9" * 39}"', ["More than 38 significant digits."]),
    ("price", '"1e126"', ["Out of range: a magnitude from 1e-130 to 9.99e125."]),
    ("price", '"1e-131"', ["Out of range: a magnitude from 1e-130 to 9.99e125."]),
    ("amount", '"19.99"', ["Not a number."]),
    ("amount", "0.12345678901234567890", ["More digits than can be kept exactly (17)."]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "messages"), REFUSES, ids=[f"{n}-{t[:24]}" for n, t, _ in REFUSES])
def test_what_a_field_refuses(name: str, text: str, messages: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        load(name, text)
    assert messages is None or caught.value.messages == messages
    assert messages is not None or "Nested too deep." in str(caught.value.messages)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")], ids=str)
def test_a_number_is_finite(value: Any) -> None:
    with pytest.raises(ValidationError, match=r"Not a finite number\."):
        field_of("number").deserialize(value)


DUMPS: list[tuple[str, Any, Any]] = [
    ("price", Decimal("19.90"), "19.9"),
    ("price", Decimal("1e2"), "100"),
    ("price", Decimal("-0.0"), "0"),
    ("price", 0.1, "0.1"),
    ("price", None, None),
    ("amount", Decimal("19.90"), 19.9),
    ("number", 3.0, 3),
    ("number", 1e23, 10**23),
    ("number", 0.1, 0.1),
    ("number", Decimal("1.50"), 1.5),
    ("moment", datetime(2030, 1, 31, 12, tzinfo=UTC), "2030-01-31T12:00:00+00:00"),
    ("moment", datetime(2030, 1, 31, 12, 0, 0, 5), "2030-01-31T12:00:00.000005+00:00"),
    ("texts", {"b", "a"}, ["a", "b"]),
    ("texts", set(), None),
    ("texts", None, None),
    ("numbers", {10, 9.5, 2}, [2, 9.5, 10]),
    ("binaries", {b"\xff", b"\0"}, ["AA==", "/w=="]),
    ("raw", MapAttribute(a={"b": {b"hi"}, "c": [b"hi", 2.0, {"y", "x"}]}), {
        "a": {"b": ["aGk="], "c": ["aGk=", 2, ["x", "y"]]},
    }),
    ("street", Street(name="x"), {"name": "x", "number": 1, "tags": None}),
    ("street", {"name": "x"}, {"name": "x", "number": None, "tags": None}),
    ("dynamic", Open(name="x", other={"b", "a"}), {"name": "x", "other": ["a", "b"]}),
    ("dynamic", None, None),
    ("items", [None, 1.0, {"a": b"hi"}], [None, 1, {"a": "aGk="}]),
    ("streets", [Street(name="x", tags={"b", "a"}), None], [
        {"name": "x", "number": 1, "tags": ["a", "b"]}, None,
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "shown"), DUMPS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(DUMPS)]
)
def test_what_a_field_dumps(name: str, value: Any, shown: Any) -> None:
    assert repr(field_of(name).serialize(name, {name: value})) == repr(shown)


def test_every_attribute_class_of_pynamodb_has_a_row() -> None:
    kinds = {
        one for one in vars(pynamo).values() if isinstance(one, type) and issubclass(one, pynamo.Attribute)
    }
    assert set(FIELDS) == kinds - {pynamo.Attribute} | {DecimalAttribute}


class Upper(UnicodeAttribute):
    def serialize(self, value: str) -> str:
        if not value.isupper():
            raise ValueError("lower")
        return value


class Money(pynamo.Attribute[Decimal]):
    attr_type = "N"


class Price(Money):
    marshmallow_field: ClassVar[type[fields.Field[Any]]] = fields.Decimal

    def serialize(self, value: Decimal) -> str:
        return str(value)

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


def test_an_attribute_of_ones_own_takes_the_field_of_its_parent() -> None:
    """Where its own ``serialize`` refuses a value, the field does."""
    field = field_for(Upper())
    assert field.deserialize("ABC") == "ABC"
    with pytest.raises(ValidationError, match=r"Not a valid value\."):
        field.deserialize("abc")


def test_an_attribute_of_ones_own_may_name_its_field() -> None:
    assert type(field_for(Price())) is fields.Decimal


def test_an_attribute_that_no_field_carries() -> None:
    with pytest.raises(
        ConfigurationError, match="no field carries Money: give the class a marshmallow_field"
    ):
        field_for(Money())


def test_the_longest_name_of_a_member() -> None:
    assert load("raw", '{"%s":1}' % ("a" * 65535)) == {"a" * 65535: 1}
    with pytest.raises(ValidationError):
        load("raw", '{"%s":1}' % ("a" * 65536))


def test_base64_is_that_of_rfc_4648() -> None:
    every = bytes(range(256))
    assert load("binary", f'"{base64.b64encode(every).decode()}"') == every
