"""The attributes of the package pynamodb-attributes, from the body to the table and back."""

import enum
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

import pynamodb_attributes
import pytest
from contract import Caller, assert_problem, create_table, stored
from marshmallow.validate import Range
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from pynamodb_attributes import (
    FloatAttribute,
    IntegerAttribute,
    IntegerDateAttribute,
    IntegerEnumAttribute,
    IntegerSetAttribute,
    TimedeltaAttribute,
    TimedeltaMsAttribute,
    TimedeltaUsAttribute,
    TimestampAttribute,
    TimestampMsAttribute,
    TimestampUsAttribute,
    UnicodeDatetimeAttribute,
    UnicodeDelimitedTupleAttribute,
    UnicodeEnumAttribute,
    UUIDAttribute,
)
from pynamodb_attributes.unicode_protobuf_enum import UnicodeProtobufEnumAttribute

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.openapi import body_model, openapi
from polymicro_lambda.schemas.attribute_fields import PACKAGED


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Size(NamedTuple):
    unit: str
    count: int


class Taste:
    """As protobuf makes an enum."""

    NAMES: ClassVar = {0: "TASTE_SWEET", 1: "TASTE_SOUR"}

    @classmethod
    def Name(cls, number: int) -> str:  # noqa: N802
        return cls.NAMES[number]

    @classmethod
    def Value(cls, name: str) -> int:  # noqa: N802
        return (
            {text: number for number, text in cls.NAMES.items()}[name]
            if name in cls.NAMES.values()
            else int(name)
        )


class Sample(Model):
    class Meta:
        table_name = "samples"

    id = UUIDAttribute(hash_key=True)
    day = IntegerDateAttribute(range_key=True)
    floating = FloatAttribute(null=True)
    integer = IntegerAttribute(null=True)
    integers = IntegerSetAttribute()
    color = UnicodeEnumAttribute(Color, null=True)
    level = IntegerEnumAttribute(Level, null=True)
    seconds = TimedeltaAttribute(null=True)
    millis = TimedeltaMsAttribute(null=True)
    micros = TimedeltaUsAttribute(null=True)
    at = TimestampAttribute(null=True)
    at_millis = TimestampMsAttribute(null=True)
    at_micros = TimestampUsAttribute(null=True)
    moment = UnicodeDatetimeAttribute(null=True, force_utc=True)
    size = UnicodeDelimitedTupleAttribute(Size, null=True)
    taste = UnicodeProtobufEnumAttribute(Taste, prefix="TASTE_", null=True)
    bare = UUIDAttribute(remove_dashes=True, null=True)


FILTERED: dict[str, tuple[str, ...]] = {
    "day": ("gte",), "color": ("eq", "between"), "level": ("in",), "at_millis": ("lt",), "millis": ("eq",),
    "size": ("eq",), "integers": ("contains",), "bare": ("eq",), "seconds": ("gt",),
}  # fmt: skip


@pytest.fixture
def samples(dynamodb: None, table_name: str) -> Caller:
    create_table(Sample, table_name)
    return Caller(app(Sample).compile())


def app(model: Any) -> PolyMicro:
    class Samples(ModelResource, Create, List, Retrieve, Update, Delete):
        route = "samples"
        permissions = AllowAny
        scan = True
        filters = FILTERED if model is Sample else {}

    Samples.model = model
    pm = PolyMicro()
    Samples(pm)
    return pm


ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
FULL: dict[str, Any] = {
    "id": ID, "day": "2030-01-31", "floating": 2.5, "integer": 3, "integers": [1, 2], "color": "red", "level": 2,
    "seconds": 90, "millis": 1001, "micros": 1500000, "at": "2030-01-31T12:00:00+00:00",
    "at_millis": "2030-01-31T12:00:00.001000+00:00", "at_micros": "2030-01-31T12:00:00.000001+00:00",
    "moment": "2030-01-31T12:00:00.123456+00:00", "size": "cm::4", "taste": "sour", "bare": ID,
}  # fmt: skip


def test_every_value_is_stored_as_its_attribute_does_and_comes_back(samples: Caller, table_name: str) -> None:
    made = samples.post("/samples", json={**FULL, "id": ID.upper()})
    assert (made.status, made.json, made.headers["location"]) == (201, FULL, f"samples/{ID}/2030-01-31")
    assert samples.get(f"/samples/{ID}/2030-01-31").json == FULL
    (row,) = stored(table_name)
    names = ("id", "day", "color", "level", "millis", "at_millis", "size", "taste", "bare")
    assert {name: row[name] for name in names} == {
        "id": {"S": ID}, "day": {"N": "20300131"}, "color": {"S": "red"}, "level": {"N": "2"}, "millis": {"N": "1001"},
        "at_millis": {"N": "1896091200001"}, "size": {"S": "cm::4"}, "taste": {"S": "sour"},
        "bare": {"S": ID.replace("-", "")},
    }  # fmt: skip
    changed = samples.patch(f"/samples/{ID}/2030-01-31", json={"color": "blue", "level": None, "millis": 3})
    assert changed.json == {**FULL, "color": "blue", "level": None, "millis": 3}


QUERIES = [
    "day__gte=2030-01-31", "color=red", "color__between=blue,red", "level__in=1,2", "millis=1001", "seconds__gt=89",
    "at_millis__lt=2030-01-31T12:00:00.002Z", "size=cm::4", "integers__contains=2", f"bare={ID}",
]  # fmt: skip


def test_each_is_filtered_by_what_json_says(samples: Caller) -> None:
    assert samples.post("/samples", json=FULL).status == 201
    for query in QUERIES:
        assert [one["id"] for one in samples.get(f"/samples?{query}").json["items"]] == [ID], query
    for query in ("color=green", "level__in=3", "size=cm", "day__gte=2030-02-30", f"bare={ID[:-1]}"):
        assert_problem(samples.get(f"/samples?{query}"), 400, query.partition("=")[0])
    assert_problem(samples.get("/samples/1/2030-01-31"), 404)


REFUSED: list[tuple[str, list[Any]]] = [
    ("id", ["x", ID.replace("-", ""), 1]),
    ("day", ["2030-02-30", "20300131", 20300131]),
    ("integer", [2.5, "3", True]),
    ("integers", [[1.5]]),
    ("color", ["RED", 1, "green"]),
    ("level", [3, "2", True, 1.5]),
    ("seconds", [1.5, "1", 10**15]),
    ("at", ["2030-01-31T12:00:00.5Z", 1893499200]),
    ("at_millis", ["2030-01-31T12:00:00.0005Z"]),
    ("size", ["cm", "cm::x", "cm::4::5", ["cm", 4], "cm::04"]),
    ("taste", ["bitter", "SOUR"]),
    ("bare", [ID.replace("-", "")]),
]


@pytest.mark.parametrize(("name", "values"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_would_be_stored_in_another_way_is_refused(
    samples: Caller, name: str, values: list[Any]
) -> None:
    for value in values:
        assert_problem(samples.post("/samples", json={**FULL, name: value}), 422, *_places(name, value))


def _places(name: str, value: Any) -> list[str]:
    return [f"#/{name}/0"] if isinstance(value, list) and name == "integers" else [f"#/{name}"]


def test_what_the_documents_say_of_them() -> None:
    pm = app(Sample)
    pm.compile()
    found = openapi(pm.routes)["components"]["schemas"]["SamplesCreate"]["properties"]
    moment = found["at"]["pattern"]
    assert {name: found[name] for name in ("id", "day", "color", "level", "millis", "at", "size")} == {
        "id": {"type": "string", "format": "uuid"},
        "day": {"type": "string", "format": "date"},
        "color": {"type": ["string", "null"], "enum": ["red", "blue", None]},
        "level": {"type": ["integer", "null"], "enum": [1, 2, None]},
        "millis": {"type": ["integer", "null"], "description": "In milliseconds."},
        "at": {"type": ["string", "null"], "format": "date-time", "pattern": moment},
        "size": {"type": ["string", "null"]},
    }  # fmt: skip
    create = next(route for route in pm.routes if route.verb == "create")
    members = (body_model(create) or {})["properties"]
    assert (members["id"], members["day"]) == ({"type": "string"}, {"type": "string"})


def test_a_bound_of_a_duration_is_documented_in_its_unit() -> None:
    pm = PolyMicro()
    said = {"model": Sample, "route": "samples", "permissions": AllowAny}
    validators = {
        "millis": Range(min=timedelta(seconds=1)),
        "at": Range(min=datetime(2030, 1, 1, tzinfo=UTC)),
    }
    type("Samples", (ModelResource, Create), {**said, "validators": validators})(pm)
    pm.compile()
    found = openapi(pm.routes)["components"]["schemas"]["SamplesCreate"]["properties"]
    assert (found["millis"]["minimum"], "minimum" in found["at"]) == (1000, False)


def test_the_table_has_every_attribute_of_the_package() -> None:
    known = {*pynamodb_attributes.__all__, "UnicodeProtobufEnumAttribute"}
    assert {name.partition(".")[2] for name in PACKAGED} == known


def test_the_package_is_not_imported_without_a_model_that_does() -> None:
    code = (
        "import sys, polymicro_lambda, polymicro_lambda.app; sys.exit('pynamodb_attributes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_none_of_the_package_s_fields_carries() -> None:
    class Daily(Model):
        class Meta:
            table_name = "daily"

        id = UnicodeAttribute(hash_key=True)
        color = OwnEnumAttribute(Color)

    with pytest.raises(
        ConfigurationError, match=r"^Samples\.color: no field is known to carry the values of OwnEnum"
    ):
        app(Daily).compile()


class OwnEnumAttribute(UnicodeEnumAttribute[Any]):
    """Stores a member by another text, and gives that back."""

    def deserialize(self, value: str) -> Any:
        return f"the {value}"
