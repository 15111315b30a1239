"""`request.path_params` are the values of the attributes, as a verb and a permission compare them."""

import enum
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, assert_problem, create_table, names, watched
from marshmallow import fields
from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    Delete,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
)


class Visit(Model):
    class Meta:
        table_name = "visits"

    number = NumberAttribute(hash_key=True)
    moment = UTCDateTimeAttribute(range_key=True)


@pytest.mark.parametrize("number", ["7", "7.0", "70e-1", "700E-2"])
def test_a_rule_meets_the_value(dynamodb: None, table_name: str, number: str) -> None:
    """However it is written in the path."""

    class NotSeven(Permission):
        def has_permission(self, user: Any, method: Any, request: Any) -> bool:
            return bool(request.path_params["number"] != 7)

    class Visits(ModelResource, Retrieve, Delete):
        model = Visit
        route = "visits"
        permissions = NotSeven

    pm = PolyMicro()
    Visits(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_table(Visit, table_name)
    assert_problem(client.get(f"/visits/{number}/2030-01-01T00:00:00Z"), 403)
    assert_problem(client.delete(f"/visits/{number}/2030-01-01T00:00:00Z"), 403)
    assert_problem(client.get("/visits/8/2030-01-01T00:00:00Z"), 404)


def test_a_verb_meets_them_on_every_source() -> None:
    class Note(Model):
        class Meta:
            table_name = "notes"

        shelf = BinaryAttribute(hash_key=True, legacy_encoding=False)
        moment = UTCDateTimeAttribute(range_key=True)

    class Notes(ModelResource, List):
        model = Note
        route = "shelves/{shelf}/at/{moment}"
        permissions = AllowAny

        def list(self, request: Any) -> Any:
            return [[repr(value) for value in request.path_params.values()]]

    pm = PolyMicro()
    Notes(pm)
    answer = Caller(pm.compile()).everywhere("GET", "/shelves/aGk/at/2030-01-01T01:00:00+01:00")
    moment = "datetime.datetime(2030, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)"
    assert answer.json["items"] == [["b'hi'", moment]]


def test_what_can_be_no_value_is_found_nowhere(dynamodb: None) -> None:
    """Only after it is known that the user may ask, and without a call."""

    class Visits(ModelResource, Retrieve, Update):
        model = Visit
        route = "visits"

    pm = PolyMicro()
    Visits(pm)
    client = Caller(pm.compile())
    with watched(lambda operation, parameters, call: call()) as calls:
        assert_problem(client.get("/visits/seven/2030"), 401)
        assert_problem(client.get("/visits/seven/2030", user=ALICE), 404)
        assert_problem(client.patch("/visits/7/2030", json={}, user=ALICE), 404)
    assert names(calls) == []


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class LevelAttribute(Attribute[Level]):
    attr_type = "N"
    marshmallow_field: ClassVar[Any] = staticmethod(lambda: fields.Enum(Level, by_value=True))

    def serialize(self, value: Any) -> str:
        return str(value.value)

    def deserialize(self, value: Any) -> Level:
        return Level(int(value))


class FlagAttribute(Attribute[bool]):
    attr_type = "BOOL"
    marshmallow_field: ClassVar[Any] = staticmethod(lambda: fields.Boolean(truthy={True}, falsy={False}))


class TextNumberAttribute(Attribute[str]):
    """A number that is a text in JSON, such as one of 38 digits."""

    attr_type = "N"
    marshmallow_field: ClassVar[Any] = fields.String


@pytest.fixture
def gauges(dynamodb: None, table_name: str) -> Caller:
    class Gauge(Model):
        class Meta:
            table_name = "gauges"

        level = LevelAttribute(hash_key=True)
        number = TextNumberAttribute(range_key=True)
        on = FlagAttribute(null=True)
        text = UnicodeAttribute(null=True)

    class Gauges(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Gauge
        route = "gauges"
        permissions = AllowAny
        scan = True
        filters: ClassVar = {"level": ("eq", "in", "between"), "on": ("eq",), "number": ("eq", "gte")}

    pm = PolyMicro()
    Gauges(pm)
    client = Caller(pm.compile())
    create_table(Gauge, table_name)
    return client


def test_a_field_of_ones_own_for_numbers_is_found_by_path_and_query(gauges: Caller) -> None:
    """JSON has a number where a URL has text; the field may know one of them or both."""
    number = "12345678901234567890123456789"
    body = {"level": 2, "number": number, "on": True}
    made = gauges.post("/gauges", json=body)
    whole = {**body, "text": None}
    assert (made.status, made.json, made.headers["location"]) == (201, whole, f"gauges/2/{number}")
    assert gauges.get(f"/gauges/2/{number}").json == whole
    assert gauges.patch(f"/gauges/2.0/{number}", json={"text": "x"}).json == {**whole, "text": "x"}
    for query in (
        "level=2",
        "level__in=1,2",
        "level__between=1,2",
        "on=true",
        f"number={number}",
        "number__gte=9",
    ):
        assert len(gauges.get(f"/gauges?{query}").json["items"]) == 1, query
    for query in "level=1", "on=false", "number__gte=99999999999999999999999999999":
        assert gauges.get(f"/gauges?{query}").json["items"] == [], query
    assert_problem(gauges.get("/gauges?level=3"), 400, "level")
    assert_problem(gauges.get("/gauges?level__between=2,1"), 400, "level__between")
    assert_problem(gauges.get(f"/gauges/HIGH/{number}"), 404)
    assert gauges.delete(f"/gauges/2/{number}").status == 204
