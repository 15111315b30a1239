"""Filters: declared by attribute and operator, read typed from a query, said as conditions that hold."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda.exceptions import BadRequest, ConfigurationError
from polymicro_lambda.lists.filtering.filters import FILTER_OPERATORS, DeclaredFilters, filter_conditions
from polymicro_lambda.rules.conditions.evaluation import holds
from polymicro_lambda.schemas.item_schemas import ItemSchema
from polymicro_lambda.schemas.schema_compiler import compile_schema


class Point(MapAttribute[Any, Any]):
    x = NumberAttribute()


class Thing(Model):
    """Of every type, each under another name in DynamoDB."""

    class Meta:
        table_name = "things"

    id = UnicodeAttribute(hash_key=True, attr_name="i")
    text = UnicodeAttribute(null=True, attr_name="t")
    number = NumberAttribute(null=True, attr_name="n")
    flag = BooleanAttribute(null=True, attr_name="f")
    when = UTCDateTimeAttribute(null=True, attr_name="w")
    ends = TTLAttribute(null=True, attr_name="e")
    version = VersionAttribute(attr_name="v")
    data = BinaryAttribute(null=True, legacy_encoding=False, attr_name="b")
    old = BinaryAttribute(null=True, legacy_encoding=True, attr_name="ob")
    texts = UnicodeSetAttribute(null=True, attr_name="ts")
    numbers = NumberSetAttribute(null=True, attr_name="ns")
    blobs = BinarySetAttribute(null=True, legacy_encoding=False, attr_name="bs")
    anything: Any = ListAttribute(null=True, attr_name="a")
    counts = ListAttribute(of=NumberAttribute, null=True, attr_name="c")
    chunks = ListAttribute(of=BinaryAttribute, null=True, attr_name="ch")
    points = ListAttribute(of=Point, null=True, attr_name="p")
    place: Any = Point(null=True, attr_name="m")
    json = JSONAttribute(null=True, attr_name="j")
    kind = DiscriminatorAttribute(attr_name="k")


class Special(Thing, discriminator="special"):
    pass


def declared(**filters: Any) -> DeclaredFilters:
    return DeclaredFilters.of("Things", Thing, filters)


def schema(*names: str) -> ItemSchema:
    return compile_schema(Thing, resource="Things", addressed=names)


def read(name: str, operators: Any, **query: Any) -> dict[str, dict[str, Any]]:
    """The filters of a query; a value that is no list stands there once."""
    given = {key: value if isinstance(value, list) else [value] for key, value in query.items()}
    return declared(**{name: operators}).read(given, schema(name))


def refusals(name: str, operators: Any, **query: Any) -> list[dict[str, str]]:
    with pytest.raises(BadRequest) as caught:
        read(name, operators, **query)
    return [dict(error) for error in caught.value.errors]


# --- declared -----------------------------------------------------------------------------------------------

ORDERED = {"eq", "ne", "lt", "lte", "gt", "gte", "between", "in"}
WORKS = {
    "id": ORDERED | {"begins_with", "contains"},
    "text": ORDERED | {"begins_with", "contains"},
    "number": ORDERED,
    "flag": {"eq", "ne"},
    "when": ORDERED | {"begins_with", "contains"},
    "ends": ORDERED,
    "version": ORDERED,
    "data": ORDERED | {"begins_with"},
    "old": {"eq", "ne", "in"},
    "texts": {"contains"},
    "numbers": {"contains"},
    "blobs": {"contains"},
    "anything": {"contains"},
    "counts": {"contains"},
    "chunks": {"contains"},
    "points": set[str](),
    "place": set[str](),
    "json": set[str](),
    "kind": {"eq", "ne", "in"},
}


def can_declare(name: str, operator: str) -> bool:
    try:
        declared(**{name: (operator,)})
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize(("name", "works"), WORKS.items(), ids=WORKS)
def test_what_can_be_declared(name: str, works: set[str]) -> None:
    """Whether an attribute is there can be asked of all; the rest depends on its type."""
    assert {operator for operator in FILTER_OPERATORS if can_declare(name, operator)} == works | {"exists"}


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"nope": ("eq",)}, "Things.filters['nope']: the model has no such attribute"),
        ({"i": ("eq",)}, "Things.filters['i']: the model has no such attribute"),
        ({"text": ("like",)}, "Things.filters['text']: 'like' is no operator; there are eq, ne, lt, "),
        ({"text": "like"}, "Things.filters['text']: 'like' is no operator"),
        ({"old": "gt"}, "Things.filters['old']: 'gt' does not work with legacy_encoding=True"),
        (
            {"kind": True},
            'Things.filters[\'kind\'] must say operators, such as "eq" or ("eq", "in"), not True',
        ),
        (
            {"kind": None},
            'Things.filters[\'kind\'] must say operators, such as "eq" or ("eq", "in"), not None',
        ),
        ({"kind": ("eq", 1)}, "Things.filters['kind'] must say operators"),
        ({3: "eq"}, "Things.filters[3] must name an attribute, by a text"),
        ({"place__x": "eq"}, "Things.filters['place__x']: the model has no such attribute: write place.x"),
        ({"text__x": "eq"}, "Things.filters['text__x']: the model has no such attribute"),
        ({"place": "eq"}, "Things.filters['place']: 'eq' does not work on Point"),
    ],
    ids=str,
)
def test_what_is_declared_wrongly(filters: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DeclaredFilters.of("Things", Thing, filters)
    assert str(caught.value).startswith(message)


def test_what_is_declared() -> None:
    filters = declared(text=("eq", "in"), number="gt", flag=["eq"])
    assert filters == DeclaredFilters(
        {
            "text": ("text", "eq"),
            "text__eq": ("text", "eq"),
            "text__in": ("text", "in"),
            "number__gt": ("number", "gt"),
            "flag": ("flag", "eq"),
            "flag__eq": ("flag", "eq"),
        }
    )
    assert (set(filters.attributes), set(filters.binding)) == ({"text", "number", "flag"}, {"text", "flag"})


# --- read ---------------------------------------------------------------------------------------------------

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "operator", "given", "value"),
    [
        ("text", "eq", "a,b", "a,b"),
        ("text", "eq", "", ""),
        ("number", "eq", "1", 1),
        ("number", "eq", "-1.5", -1.5),
        ("number", "eq", "1e2", 100),
        ("number", "eq", str(2**70 + 1), 2**70 + 1),
        ("flag", "ne", "false", False),
        ("when", "gte", "2026-01-31T12:00:00Z", NOON),
        ("when", "gte", "2026-01-31T13:00:00+01:00", NOON),
        ("when", "begins_with", "2026-01", "2026-01"),
        ("ends", "lt", "2026-01-31T12:00:00Z", NOON),
        ("version", "eq", "3", 3),
        ("data", "eq", "_w", b"\xff"),
        ("data", "begins_with", "", b""),
        ("texts", "contains", "a,b", "a,b"),
        ("numbers", "contains", "2.5", 2.5),
        ("blobs", "contains", "_w", b"\xff"),
        ("anything", "contains", "a", "a"),
        ("counts", "contains", "7", 7),
        ("chunks", "contains", "_w", b"\xff"),
        ("kind", "eq", "special", Special),
        ("json", "exists", "true", True),
        ("place", "exists", "false", False),
        ("text", "in", "a,b,", ["a", "b", ""]),
        ("text", "in", "a", ["a"]),
        ("text", "in", ["a,b", "c"], ["a,b", "c"]),
        ("number", "between", "1,2", [1, 2]),
        ("number", "between", ["1", "1"], [1, 1]),
        ("number", "in", ",".join(map(str, range(100))), list(range(100))),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_value_is_typed_through_the_field(name: str, operator: str, given: Any, value: Any) -> None:
    found = read(name, operator, **{f"{name}__{operator}": given})
    assert found == {name: {operator: value}}
    assert type(found[name][operator]) is type(value)


NUMBER = "not a number"
WRONG: list[tuple[str, str, Any, str]] = [
    ("number", "eq", "x", NUMBER),
    ("number", "eq", "", NUMBER),
    ("number", "eq", "1_0", NUMBER),
    ("number", "eq", "٣", NUMBER),
    ("number", "eq", "Infinity", NUMBER),
    ("number", "in", "1,,2", NUMBER),
    ("number", "in", "", NUMBER),
    ("number", "in", ",".join(map(str, range(101))), "takes 1 to 100 values"),
    ("number", "in", [str(number) for number in range(101)], "takes 1 to 100 values"),
    ("number", "between", "1", "takes 2 values"),
    ("number", "between", "1,2,3", "takes 2 values"),
    ("number", "between", ["1,2", "3"], NUMBER),
    ("number", "between", "2,1", "takes the lower value first"),
    ("when", "between", "2026-01-31T12:00:00Z,2026-01-31T11:00:00Z", "takes the lower value first"),
    (
        "when",
        "between",
        "2026-01-31T12:00:00Z,2026-01-31T12:00:00 01:00",
        "Not a date and time: in a query the + of its offset is written %2B.",
    ),
    ("data", "between", "_w,AA", "takes the lower value first"),
    ("number", "gt", ["1", "2"], "is given more than once"),
    ("text", "exists", "1", "must be true or false"),
    ("text", "exists", ["true", "true"], "is given more than once"),
    ("data", "eq", "+w==", "not base64url"),
    ("flag", "eq", "True", "Not a boolean."),
    ("kind", "eq", "other", "No such kind."),
    ("id", "eq", "", "A key may not be empty."),
    ("id", "in", "a,,b", "A key may not be empty."),
    ("id", "eq", "x" * 2049, "A key here has at most 2048 bytes."),
]


@pytest.mark.parametrize(
    ("name", "operator", "given", "why"), WRONG, ids=[f"{name} {op} {str(v)[:20]}" for name, op, v, _ in WRONG]
)  # fmt: skip
def test_a_value_that_is_refused(name: str, operator: str, given: Any, why: str) -> None:
    parameter = f"{name}__{operator}"
    assert refusals(name, operator, **{parameter: given}) == [
        {"parameter": parameter, "detail": f"{parameter} is not valid: {why.removesuffix('.')}."}
    ]


def test_two_names_of_one_filter() -> None:
    assert read("text", "eq", text="a") == {"text": {"eq": "a"}}
    assert refusals("text", "eq", text="a", text__eq="a") == [
        {"parameter": "text__eq", "detail": "text__eq is given twice."}
    ]


def test_all_that_is_wrong_is_told() -> None:
    errors = refusals("number", ("gt", "lt", "eq"), number__gt="x", number__lt="1", number="y")
    assert [error["parameter"] for error in errors] == ["number__gt", "number"]


def test_what_is_no_filter_is_left_to_others() -> None:
    assert read("number", ("gt", "lt"), number__gt="1", limit="2", other="3") == {"number": {"gt": 1}}


# --- said ---------------------------------------------------------------------------------------------------


def raw(**values: Any) -> dict[str, dict[str, Any]]:
    """A thing of these values as DynamoDB stores it."""
    return dict(Special(id="1", **values).serialize())


Made = Callable[[], dict[str, dict[str, Any]]]
ITEMS: dict[str, tuple[dict[str, dict[str, Any]], Made, Made]] = {
    "eq": ({"number": {"eq": 1}}, lambda: raw(number=1), lambda: raw(number=2)),
    "ne": ({"number": {"ne": 1}}, lambda: raw(number=2), lambda: raw(number=1)),
    "ne, absent": ({"number": {"ne": 1}}, raw, lambda: raw(number=1)),
    "lt": ({"number": {"lt": 10}}, lambda: raw(number=9), lambda: raw(number=10)),
    "lte": ({"number": {"lte": 10}}, lambda: raw(number=10), raw),
    "gt": ({"text": {"gt": "b"}}, lambda: raw(text="ba"), lambda: raw(text="b")),
    "gte": ({"data": {"gte": b"\x80"}}, lambda: raw(data=b"\xff"), lambda: raw(data=b"\x7f")),
    "between": ({"number": {"between": [1, 10]}}, lambda: raw(number=9), lambda: raw(number=11)),
    "begins_with": ({"when": {"begins_with": "2026-01"}}, lambda: raw(when=NOON), raw),
    "contains, text": ({"text": {"contains": "b"}}, lambda: raw(text="abc"), lambda: raw(text="ac")),
    "contains, texts": ({"texts": {"contains": "b"}}, lambda: raw(texts={"a", "b"}), lambda: raw(texts={"bb"})),
    "contains, numbers": ({"numbers": {"contains": 2}}, lambda: raw(numbers={1, 2}), lambda: raw(numbers={22})),
    "contains, blobs": ({"blobs": {"contains": b"b"}}, lambda: raw(blobs={b"b"}), lambda: raw(blobs={b"bb"})),
    "contains, anything": ({"anything": {"contains": "1"}}, lambda: raw(anything=["1"]), lambda: raw(anything=[1])),
    "contains, counts": ({"counts": {"contains": 1}}, lambda: raw(counts=[1]), lambda: raw(counts=[11])),
    "contains, chunks": ({"chunks": {"contains": b"b"}}, lambda: raw(chunks=[b"b"]), lambda: raw(chunks=[b"bb"])),
    "in": ({"number": {"in": [1, 2]}}, lambda: raw(number=2), lambda: raw(number=3)),
    "exists": ({"place": {"exists": True}}, lambda: raw(place=Point(x=1)), raw),
    "does not exist": ({"place": {"exists": False}}, raw, lambda: raw(place=Point(x=1))),
    "flag": ({"flag": {"eq": False}}, lambda: raw(flag=False), raw),
    "kind": ({"kind": {"eq": Special}}, raw, lambda: raw() | {"k": {"S": "other"}}),
    "ends": ({"ends": {"lt": NOON}}, lambda: raw(ends=NOON.replace(hour=11)), lambda: raw(ends=NOON)),
    "old": ({"old": {"eq": b"b"}}, lambda: raw(old=b"b"), lambda: raw(old=b"c")),
}  # fmt: skip


@pytest.mark.parametrize(("filters", "good", "bad"), ITEMS.values(), ids=ITEMS)
def test_a_filter_says_what_it_means(filters: dict[str, dict[str, Any]], good: Made, bad: Made) -> None:
    [condition] = filter_conditions(Thing, filters)
    assert (holds(condition, good()), holds(condition, bad())) == (True, False)


def test_one_condition_for_each() -> None:
    filters: dict[str, Any] = {"number": {"gt": 1, "lt": 3}, "text": {"in": ["a", "b"]}}
    assert [condition.operator for condition in filter_conditions(Thing, filters)] == [">", "<", "IN"]
