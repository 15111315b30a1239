"""Items as JSON straight from DynamoDB's form: byte for byte what PynamoDB and marshmallow give."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from marshmallow import fields
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

from polymicro_lambda import PrefixedAttribute
from polymicro_lambda.http import strict_json
from polymicro_lambda.items.instances import instance_factory, instance_of, unchanged_json
from polymicro_lambda.items.readers import reader_of
from polymicro_lambda.items.selections import FieldSelection
from polymicro_lambda.schemas.fast_path import SWITCH
from polymicro_lambda.schemas.schema_compiler import compile_schema


class Street(MapAttribute):  # type: ignore[type-arg]
    name = UnicodeAttribute()
    number = NumberAttribute(attr_name="no", default=1)
    opened = UTCDateTimeAttribute(null=True)


class Open(DynamicMapAttribute):
    name = UnicodeAttribute(null=True)


class Shouted(UnicodeAttribute):
    def deserialize(self, value: Any) -> Any:
        return value.upper()


class All(Model):
    class Meta:
        table_name = "all"

    id = UnicodeAttribute(hash_key=True)
    place = PrefixedAttribute("P#", range_key=True, attr_name="sk")
    named = UnicodeAttribute(null=True, attr_name="n")
    kept = UnicodeAttribute(default="as it was")
    number = NumberAttribute(null=True)
    flag = BooleanAttribute(default=False)
    moment = UTCDateTimeAttribute(null=True)
    expiry = TTLAttribute(null=True)
    version = VersionAttribute()
    free = JSONAttribute(null=True)
    texts = UnicodeSetAttribute()
    numbers = NumberSetAttribute()
    binary = BinaryAttribute(legacy_encoding=False, null=True)
    old_binary = BinaryAttribute(legacy_encoding=True, null=True)
    binaries = BinarySetAttribute(legacy_encoding=False)
    old_binaries = BinarySetAttribute(legacy_encoding=True)
    raw = MapAttribute(null=True)  # type: ignore[var-annotated]
    street = Street(null=True)
    open = Open(null=True)
    anything: Any = ListAttribute(null=True)
    streets: Any = ListAttribute(of=Street, null=True)
    nothing = NullAttribute(null=True)
    loud = Shouted(null=True)


SCHEMA = compile_schema(All, resource="Alls")
TEXTS = st.text(max_size=6) | st.sampled_from(["", "%s", '"\\', "\u2028", "\x00", "P#", "NaN", "null", "-0"])
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(UTCDateTimeAttribute().serialize) | st.sampled_from(
    [
        "2026-02-29T00:00:00.000000+0000",
        "2024-02-29T00:00:00.000000+0000",
        "2026-04-31T10:00:00.000001+0000",
        "2026-11-25T24:00:00.000000+0000",
        "0000-01-01T00:00:00.000000+0000",
        "2026-11-25T10:00:00.000000+0100",
        "2026-11-25T10:00:00Z",
        "2026-11-25T1\u0661:00:00.000000+0000",
        "2026-11-25T10:00:00.000000+0000\n",
        "999-11-25T10:00:00.000000+0000",
    ]
)
NUMBERS = (
    st.integers(-(10**37), 10**37).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(json.dumps)
    | st.sampled_from(
        ["-0", "0.0", "1e3", "1E+2", "007", "1_0", "\u0661", "NaN", "1.50", "+1", " 1", "1" * 38]
    )
)
NUMBER_SETS = st.lists(NUMBERS.filter(lambda number: number != "NaN"), min_size=1, max_size=3, unique=True)
"""Without NaN, whose place in a set is another each time."""
BINARY = st.binary(max_size=6)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda one: st.lists(one, max_size=2))
LEAVES = st.one_of(
    TEXTS.map(lambda one: {"S": one}),
    MOMENTS.map(lambda one: {"S": one}),
    JSON.map(lambda one: {"S": json.dumps(one)}),
    NUMBERS.map(lambda one: {"N": one}),
    st.booleans().map(lambda one: {"BOOL": one}),
    st.just({"NULL": True}),
    BINARY.map(lambda one: {"B": one}),
    st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda all_: {"SS": all_}),
    NUMBER_SETS.map(lambda all_: {"NS": all_}),
    st.lists(BINARY, min_size=1, max_size=3, unique=True).map(lambda all_: {"BS": all_}),
)
NAMES = st.sampled_from(["name", "no", "opened", "self", "x"]) | TEXTS
WIRE = st.recursive(
    LEAVES,
    lambda one: (
        st.lists(one, max_size=3).map(lambda all_: {"L": all_})
        | st.dictionaries(NAMES, one, max_size=3).map(lambda all_: {"M": all_})
    ),
    max_leaves=6,
)


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the run is asked for: these tests are of the short ways."""
    monkeypatch.setenv(SWITCH, "1")


def of_type(kind: str) -> Any:
    """Values of one of DynamoDB's types."""
    deeper = {"L": st.lists(WIRE, max_size=3), "M": st.dictionaries(NAMES, WIRE, max_size=3)}
    plain = {
        "S": TEXTS | MOMENTS | JSON.map(json.dumps) | TEXTS.map("P#{}".format),
        "N": NUMBERS,
        "BOOL": st.booleans(),
        "B": BINARY,
        "SS": st.lists(TEXTS, min_size=1, max_size=3, unique=True),
        "NS": NUMBER_SETS,
        "BS": st.lists(BINARY, min_size=1, max_size=3, unique=True),
        "NULL": st.just(True),
    }
    return (plain | deeper)[kind].map(lambda value: {kind: value})


ITEMS = st.fixed_dictionaries(
    {"id": of_type("S"), "sk": TEXTS.map(lambda one: {"S": f"P#{one}"})},
    optional={
        one.attr_name: of_type(one.attr_type)
        for name, one in All.get_attributes().items()
        if name not in ("id", "place")
    }
    | {"unknown": WIRE},
)
BROKEN = st.sampled_from([one.attr_name for one in All.get_attributes().values()])


def outcome(make: Callable[[], Any]) -> Any:
    """What comes of it: a value, or the class of the exception."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever it is, both must do alike
        return type(error)


def the_long_way(model: type[Model], raw: Any) -> bytes:
    return strict_json.json_bytes(SCHEMA.dump(model.from_raw_data(deepcopy(raw))))


def the_short_way(raw: Any) -> bytes:
    """As a list goes it: as text, else as a dict, else by an instance."""
    selection = FieldSelection.of(All, SCHEMA.names)
    assert selection is not None
    text = selection.text(raw)
    return text.encode() if text is not None else strict_json.json_bytes(SCHEMA.dump(instance_of(All, raw)))


def by_an_instance(raw: Any) -> bytes:
    instance = instance_of(All, raw)
    shown = unchanged_json(instance)
    return strict_json.json_bytes(SCHEMA.dump(instance) if shown is None else SCHEMA.selected(shown))


@pytest.mark.thorough
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(ITEMS, st.none() | st.tuples(BROKEN, WIRE))
@example({"id": {"S": "1"}, "sk": {"S": "Q#"}}, None)
@example({"id": {"S": "1"}, "sk": {"S": "P#1"}, "kept": {}, "flag": {"NULL": True}}, None)
@example({"id": {"S": "1"}, "sk": {"S": "P#1"}, "free": {"S": "[NaN]"}}, None)
def test_every_way_gives_the_same_bytes(raw: Any, broken: Any) -> None:
    """Also for what no attribute has written: values of another type, legacy forms, and rows that none can read."""
    raw = raw if broken is None else {**raw, broken[0]: broken[1]}
    expected = outcome(lambda: the_long_way(All, raw))
    assert outcome(lambda: the_short_way(raw)) == expected
    assert outcome(lambda: by_an_instance(raw)) == expected


def shown(value: Any) -> str:
    """A value as text, also where it is not equal to itself: a set with NaN has its elements in any order."""
    if isinstance(value, dict):
        return str({name: shown(one) for name, one in sorted(value.items())})
    return str(sorted(map(repr, value))) if isinstance(value, set | frozenset) else repr(value)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(ITEMS, st.permutations(sorted(All.get_attributes())))
@example({"id": {"S": "1"}, "sk": {"S": "P#"}, "number": {"N": "NaN"}}, ["number", "id", "free"])
@example({"id": {"S": "1"}, "sk": {"S": "P#"}, "free": {"S": "[Infinity]"}}, ["id", "free", "number"])
def test_an_instance_holds_the_same_whatever_is_asked_first(raw: Any, order: list[str]) -> None:
    theirs = outcome(lambda: All.from_raw_data(deepcopy(raw)))
    ours = outcome(lambda: instance_of(All, raw))
    if isinstance(theirs, type):
        assert ours == theirs
        return
    for name in order[:3]:
        assert shown(getattr(ours, name)) == shown(getattr(theirs, name))
    assert shown(ours.attribute_values) == shown(theirs.attribute_values)
    assert outcome(ours.serialize) == outcome(theirs.serialize)


WHOLE: dict[str, Any] = {
    "id": {"S": "1"},
    "sk": {"S": "P#x"},
    "n": {"S": "é\n"},
    "kept": {"S": "k"},
    "number": {"N": "1.5"},
    "flag": {"BOOL": True},
    "moment": {"S": "2026-01-31T10:00:00.000000+0000"},
    "expiry": {"N": "1900000000"},
    "version": {"N": "3"},
    "free": {"S": '{"b":[1,null]}'},
    "texts": {"SS": ["b", "a"]},
    "numbers": {"NS": ["2", "1.0"]},
    "binary": {"B": b"\x00"},
    "old_binary": {"B": b"AA=="},
    "binaries": {"BS": [b"b", b"a"]},
    "old_binaries": {"BS": [b"AA=="]},
    "raw": {"M": {"b": {"N": "1"}, "a": {"NULL": True}}},
    "street": {"M": {"name": {"S": "High"}, "no": {"N": "2"}}},
    "open": {"M": {"name": {"S": "o"}, "x": {"L": [{"S": "y"}]}}},
    "anything": {"L": [{"S": "a"}, {"N": "1"}]},
    "streets": {"L": [{"M": {"name": {"S": "Low"}}}]},
    "loud": {"S": "hey"},
    "nothing": {"NULL": True},
}


def test_an_item_as_pynamodb_writes_it_takes_no_instance() -> None:
    """Else the tests above would compare the long way with itself."""
    reader = reader_of(All)
    assert reader is not None
    assert json.loads(strict_json.json_bytes(reader.as_dict(WHOLE))) == json.loads(the_long_way(All, WHOLE))
    without = {name: value for name, value in WHOLE.items() if name not in ("n", "moment", "street")}
    assert json.loads(strict_json.json_bytes(reader.as_dict(without))) == json.loads(
        the_long_way(All, without)
    )


def test_plain_attributes_are_written_as_text_at_once() -> None:
    class Plain(Model):
        class Meta:
            table_name = "plain"

        id = UnicodeAttribute(hash_key=True)
        done = BooleanAttribute()
        moment = UTCDateTimeAttribute(attr_name="at")

    reader = reader_of(Plain)
    assert reader is not None
    raw = {"id": {"S": '"%s'}, "done": {"BOOL": False}, "at": {"S": "2026-01-31T10:00:00.000001+0000"}}
    assert reader.text(raw) == '{"id":"\\"%s","done":false,"moment":"2026-01-31T10:00:00.000001+00:00"}'
    assert reader.text({**raw, "done": {"BOOL": None}}) == reader.text(raw)
    assert reader.text({**raw, "at": {"S": "2026-02-29T10:00:00.000001+0000"}}) is None


class Money(Attribute[int]):
    attr_type = "N"

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else instance.id


class Fielded(UnicodeAttribute):
    marshmallow_field = fields.String


class Kinds(Model):
    class Meta:
        table_name = "kinds"

    id = UnicodeAttribute(hash_key=True)
    kind = DiscriminatorAttribute()


def of(attribute: Any) -> type[Model]:
    """A model with this attribute."""
    meta = type("Meta", (), {"table_name": "own"})
    return type("Own", (Model,), {"Meta": meta, "id": UnicodeAttribute(hash_key=True), "own": attribute})


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(Kinds, id="a discriminator"),
        pytest.param(of(Money()), id="a getter of its own"),
        pytest.param(of(Fielded()), id="a field of its own"),
    ],
)
def test_a_model_with_a_way_of_its_own_has_no_reader(model: type[Model]) -> None:
    assert reader_of(model) is None


def test_a_default_that_is_called_is_no_value_of_a_stored_item() -> None:
    instance: Any = instance_of(of(NumberAttribute(default=lambda: 7)), {"id": {"S": "1"}})
    assert (unchanged_json(instance), instance.own) == ({"id": "1", "own": None}, None)


def test_what_may_have_been_changed_is_shown_as_it_is() -> None:
    """An instance says itself what it shows, once it was set, or something in it can have been."""
    for change in (
        lambda one: setattr(one, "named", "new"),
        lambda one: one.free["b"].append(2),
        lambda one: one.attribute_values.update(named="new"),
        lambda one: one.texts.add("c"),
    ):
        ours: Any = instance_of(All, deepcopy(WHOLE))
        assert unchanged_json(ours) is not None
        change(ours)
        theirs = All.from_raw_data(deepcopy(WHOLE))
        change(theirs)
        assert unchanged_json(ours) is None
        assert SCHEMA.dump(ours) == SCHEMA.dump(theirs)


def test_reading_alone_changes_nothing() -> None:
    ours: Any = instance_of(All, WHOLE)
    assert (ours.named, ours.moment) == ("é\n", datetime(2026, 1, 31, 10, tzinfo=UTC))
    assert unchanged_json(ours) is not None


@pytest.mark.parametrize("value", ["0", "false", "False"])
def test_the_switch_turns_it_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, value)
    model = of(BooleanAttribute())
    members = instance_factory(model)
    assert members is not None
    assert (FieldSelection.of(model, ["id", "own"]), members.reader) == (None, None)
    assert unchanged_json(instance_of(model, {"id": {"S": "1"}, "own": {"BOOL": True}})) is None
