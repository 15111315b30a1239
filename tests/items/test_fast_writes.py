"""The short ways of writing: expressions, bodies and new items are what PynamoDB and marshmallow make of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action, AddAction, RemoveAction, SetAction, Update
from pynamodb.models import Model

from polymicro_lambda.dynamodb.expressions import (
    SimpleClause,
    condition_expression,
    expression_arguments,
    update_expression,
)
from polymicro_lambda.items.attribute_writers import stored_datetime
from polymicro_lambda.items.serializers import ItemSerializer, first_version
from polymicro_lambda.items.stored_items import serialized
from polymicro_lambda.schemas.body_loader import BodyLoader
from polymicro_lambda.schemas.fast_path import SWITCH
from polymicro_lambda.schemas.schema_compiler import compile_schema


@pytest.fixture(autouse=True, scope="module")
def switched_on() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "1")
        yield


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(attr_name="t")
    done = BooleanAttribute(default=False)
    due = UTCDateTimeAttribute(null=True)
    count = NumberAttribute(default_for_new=lambda: 7)
    version = VersionAttribute()
    tags = UnicodeSetAttribute()
    free = JSONAttribute(null=True)
    place: Any = MapAttribute(null=True)
    items: Any = ListAttribute(null=True)


# --- expressions ------------------------------------------------------------------------------------------

A, B, ONE = Path(["a"]), Path(["b.c"]), Value({"N": "1"})


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(A == ONE, id="comparison"),
        pytest.param((A == ONE) & ~(A.between(ONE, ONE) | B.does_not_exist()), id="junctions"),
        pytest.param(A.is_in(ONE, ONE) & A.startswith("x"), id="several operands"),
        pytest.param(Path("a.b[1].c") == Path(["a"]), id="a path into an item"),
        pytest.param(Path(["a[0]"]).contains("x") & A.is_type("S"), id="an index"),
        pytest.param(size("a") > 2, id="size"),
        pytest.param(Note.text == "é", id="an attribute"),
    ],
)
def test_a_condition_is_written_as_pynamodb_writes_it(condition: Condition) -> None:
    ours: Any = ({"a": "#0"}, {":0": {"S": "before"}})
    theirs: Any = ({"a": "#0"}, {":0": {"S": "before"}})
    assert condition_expression(condition, *ours) == condition.serialize(*theirs)
    assert ours == theirs


@pytest.mark.parametrize(
    "actions",
    [
        pytest.param([SetAction(A, ONE)], id="set"),
        pytest.param(
            [RemoveAction(B), SetAction(A, ONE), AddAction(Path(["v"]), ONE), SetAction(B, ONE)], id="all"
        ),
        pytest.param([SetAction(A, A + 1), Note.tags.delete({"x"})], id="an increment"),
    ],
)
def test_an_update_is_written_as_pynamodb_writes_it(actions: list[Action]) -> None:
    ours: Any = ({}, {})
    theirs: Any = ({}, {})
    assert update_expression(actions, *ours) == Update(*actions).serialize(*theirs)
    assert ours == theirs


# --- bodies -----------------------------------------------------------------------------------------------

SCHEMA = compile_schema(Note, resource="Notes", dump_only=("count",))


def by_the_schema(body: Any, partial: Any) -> Any:
    try:
        return SCHEMA.creating.load(body, partial=partial)
    except ValidationError:
        return None


@pytest.mark.parametrize("partial", [(), ("id", "text")], ids=["whole", "partial"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"id": "1", "text": "x"}, id="least"),
        pytest.param({"text": "é", "id": "1", "done": True, "due": None}, id="null"),
        pytest.param({"id": "1", "text": "\ud800"}, id="no text"),
        pytest.param({"id": "", "text": ""}, id="no key"),
        pytest.param({"id": "1", "text": None}, id="not nullable"),
        pytest.param({"id": "1", "text": "x", "done": 1}, id="no flag"),
        pytest.param({"id": "1", "text": "x", "due": "2030-01-31T12:00:00+02:00"}, id="moment"),
        pytest.param({"id": "1", "text": "x", "due": "soon"}, id="no moment"),
        pytest.param({"id": "1", "text": "x", "count": 2}, id="read-only"),
        pytest.param({"id": "1", "text": "x", "other": 2}, id="unknown"),
        pytest.param({"done": False}, id="absent"),
        pytest.param(
            {"id": "1", "text": "x", "tags": ["b", "a"], "free": [{}], "place": {"x": 1}, "items": ["y", 2]},
            id="containers",
        ),
        pytest.param({"id": "1", "text": "x", "tags": ["a", "a"]}, id="no set"),
    ],
)
def test_a_body_is_loaded_as_the_schema_loads_it(body: Any, partial: Any) -> None:
    loader = BodyLoader.of(SCHEMA.creating)
    assert loader is not None
    ours, theirs = loader.load(body, partial), by_the_schema(body, partial)
    assert repr(ours) == repr(theirs)


# --- new items --------------------------------------------------------------------------------------------

MOMENT = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.mark.usefixtures("versions_from_1")
@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"id": "1", "text": "x"}, id="defaults"),
        pytest.param({"id": "1", "text": "x", "done": True, "due": MOMENT, "count": 1.5}, id="values"),
        pytest.param({"id": "1", "text": "x", "due": MOMENT.replace(year=999, microsecond=1)}, id="year 999"),
        pytest.param(
            {"id": "1", "text": "x", "due": MOMENT.astimezone(timezone(timedelta(hours=2)))}, id="an offset"
        ),
        pytest.param({"id": "1", "text": "x", "tags": {"a"}, "free": {"b": None}, "due": None}, id="more"),
        pytest.param({"id": "1", "text": "x", "tags": set()}, id="an empty set"),
    ],
)
def test_a_new_item_is_that_of_the_instance(values: dict[str, Any]) -> None:
    serializer = ItemSerializer.of(Note)
    assert serializer.raw_of_new(values) == serializer.new(values)[1]


def test_the_first_version_is_the_clock_and_a_safe_integer_for_javascript() -> None:
    versions = [first_version() for _ in range(3)]
    assert versions == sorted(versions)
    assert [datetime.fromtimestamp(one / 1_000_000, UTC).year for one in versions] == [
        datetime.now(UTC).year
    ] * 3
    assert datetime.fromtimestamp((2**53 - 1) / 1_000_000, UTC).year == 2255


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"id": "1"}, id="incomplete"),
        pytest.param({"id": "1", "text": "x", "other": 1}, id="unknown"),
        pytest.param({"id": "1", "text": "x", "place": {"a": 1}}, id="a map"),
        pytest.param({"id": "1", "text": "x", "version": 3}, id="a version"),
    ],
)
def test_what_only_an_instance_can_say_is_left_to_it(values: dict[str, Any]) -> None:
    assert ItemSerializer.of(Note).raw_of_new(values) is None


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"text": "x", "done": True, "due": MOMENT, "count": 1.5}, id="values"),
        pytest.param({"due": None, "free": None, "tags": set(), "place": None}, id="absence"),
        pytest.param({"due": MOMENT.astimezone(timezone(timedelta(hours=2))), "tags": {"a"}}, id="more"),
    ],
)
def test_a_change_is_stored_as_its_attribute_stores_it(values: dict[str, Any]) -> None:
    attributes = Note.get_attributes()
    stored = {
        attributes[name].attr_name: serialized(attributes[name], value) for name, value in values.items()
    }
    assert ItemSerializer.of(Note).changes(values) == stored


# --- plain expressions ------------------------------------------------------------------------------------

V1, V2, V3 = {"S": "one"}, {"N": "2"}, {"BOOL": True}


@pytest.mark.parametrize(
    ("conditions", "actions"),
    [
        pytest.param([SimpleClause("free", "a")], [], id="free"),
        pytest.param(
            [SimpleClause("there", "a"), SimpleClause("same", "b", V1)], [], id="there and the same"
        ),
        pytest.param(
            [SimpleClause("there", "a"), SimpleClause("same", "c", V1)],
            [
                SimpleClause("set", "c", V2),
                SimpleClause("remove", "d"),
                SimpleClause("set", "e", V3),
                SimpleClause("add", "v", V2),
            ],
            id="an update",
        ),
        pytest.param([SimpleClause("same", "a", V1), SimpleClause("same", "a", V1)], [], id="said twice"),
    ],
)
def test_plain_expressions_are_worded_as_others(
    conditions: list[SimpleClause], actions: list[SimpleClause]
) -> None:
    """The first time and from what is known then."""
    made = expression_arguments(
        [one.to_pynamodb() for one in conditions], [one.to_pynamodb() for one in actions]
    )
    assert [expression_arguments(conditions, actions), expression_arguments(conditions, actions)] == [
        made,
        made,
    ]
    first, *rest = conditions
    assert expression_arguments([first.to_pynamodb(), *rest], actions) == made


# --- moments ----------------------------------------------------------------------------------------------


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_stored_as_pynamodb_stores_it(moment: datetime) -> None:
    assert stored_datetime(moment) == UTCDateTimeAttribute().serialize(moment)


@given(
    st.from_regex(r"[0-9]{4}-[0-3][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?[Zz]?")
)
def test_a_moment_is_loaded_as_the_schema_loads_it(text: str) -> None:
    body, loader = {"due": text}, BodyLoader.of(SCHEMA.creating)
    assert loader is not None
    assert loader.load(body, ("id", "text")) == by_the_schema(body, ("id", "text"))
