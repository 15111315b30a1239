"""A model and a resource's tuples, or its own schema, compiled into forms for bodies and items."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields, post_load, validates_schema
from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda.exceptions import BadRequest, ConfigurationError, Unprocessable
from polymicro_lambda.http import strict_json
from polymicro_lambda.schemas.item_schemas import ItemSchema
from polymicro_lambda.schemas.schema_compiler import compile_schema

MISSING = "Missing data for required field."
NULL = "Field may not be null."
UNKNOWN = "Unknown field."
READ_ONLY = "This field is read-only."


class ByPlace(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_place"
        projection = AllProjection()

    place = UnicodeAttribute(hash_key=True, attr_name="p")
    text = UnicodeAttribute(range_key=True)


class Address(MapAttribute):  # type: ignore[type-arg]
    street = UnicodeAttribute()
    number = NumberAttribute(default=1)


class Todo(Model):
    class Meta:
        table_name = "todos"

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True, default="u1")
    created = UTCDateTimeAttribute(default=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)
    place = UnicodeAttribute(null=True, attr_name="p")
    rank = NumberAttribute(null=True, default_for_new=7)
    address = Address(null=True)
    tags = UnicodeSetAttribute()
    raw = MapAttribute(null=True)  # type: ignore[var-annotated]
    version = VersionAttribute()
    by_place = ByPlace()


MINIMUM = {"owner": "o", "text": "x"}
NAMES = ("owner", "uuid", "created", "text", "done", "place", "rank", "address", "tags", "raw", "version")


def compiled(**options: Any) -> ItemSchema:
    return compile_schema(options.pop("model", Todo), resource="TodoResource", **options)


def errors(load: Any, body: Any) -> dict[str, str]:
    """Pointer -> detail of what the schema says to a body."""
    with pytest.raises(Unprocessable) as caught:
        load(strict_json.read_json(json.dumps(body).encode()))
    return {error["pointer"]: error["detail"] for error in caught.value.errors}


def test_a_create_gives_what_the_body_gives() -> None:
    """Defaults are the model's affair; an explicit null is nothing, but where a default would replace it."""
    body = {
        **MINIMUM,
        "place": None,
        "rank": None,
        "address": {"street": "s"},
        "tags": ["b"],
        "raw": {"a": [1]},
    }
    assert compiled().load_create(body) == {
        **MINIMUM,
        "rank": None,
        "address": {"street": "s", "number": 1},
        "tags": {"b"},
        "raw": {"a": [1]},
    }


class Uncarried(Attribute[str]):
    attr_type = "S"


class Saying(Uncarried):
    marshmallow_field = fields.String


@pytest.mark.parametrize(
    ("attribute", "waits"),
    [(UnicodeAttribute, True), (Address, True), (ListAttribute, True), (Saying, False)],
)
def test_fields_wait_for_their_use(attribute: Any, waits: bool) -> None:
    """Where nothing is to be found in them: what a field of the app's own says of itself must be known."""

    class Thing(Model):
        class Meta:
            table_name = "things"

        id = UnicodeAttribute(hash_key=True)
        about = attribute(null=True)

    schema = compile_schema(Thing, resource="Things", dump_only="about")
    assert {"_creating", "_updating", "keys"}.isdisjoint(vars(schema)) is waits
    assert schema.members == {"id", "about"}
    assert schema.names == ("id", "about")
    assert schema.setters({"about", "id"}) == ("id",)


@pytest.mark.parametrize("where", ["of the model", "of elements"])
def test_an_attribute_that_no_field_carries_is_found_at_once(where: str) -> None:
    class Thing(Model):
        class Meta:
            table_name = "things"

        id = UnicodeAttribute(hash_key=True)
        own = Uncarried() if where == "of the model" else ListAttribute(of=Uncarried)

    with pytest.raises(ConfigurationError, match=r"^Things\.own: no field carries Uncarried"):
        compile_schema(Thing, resource="Things")
    assert compile_schema(Thing, resource="Things", exclude="own").names == ("id",)


def test_a_put_sets_every_writable_attribute() -> None:
    """Absent with a default takes the default, absent and nullable is None, dump_only stays out."""
    schema = compiled(dump_only=("created",))
    assert schema.load_replace({"text": "x"}) == {
        "text": "x",
        "done": False,
        "place": None,
        "rank": 7,
        "address": None,
        "tags": None,
        "raw": None,
    }


def test_a_patch_gives_only_what_the_body_gives() -> None:
    assert compiled().load_merge({}) == {}
    assert compiled().load_merge({"place": None, "done": True}) == {"place": None, "done": True}


def test_a_patch_demands_no_member_of_a_map() -> None:
    """RFC 7396 holds at every depth; the bodies of POST and PUT have whole maps."""
    schema = compiled()
    assert schema.load_merge({"address": {}}) == {"address": {}}
    assert errors(schema.load_merge, {"address": {"street": None}}) == {"#/address/street": NULL}
    for load in (schema.load_create, schema.load_replace):
        assert errors(load, {"text": "x", "address": {}})["#/address/street"] == MISSING


@pytest.mark.parametrize("body", [None, [], "x", 1, True], ids=str)
@pytest.mark.parametrize("form", ["load_create", "load_replace", "load_merge"])
def test_a_body_is_an_object(form: str, body: Any) -> None:
    with pytest.raises(BadRequest, match="The body must be a JSON object"):
        getattr(compiled(), form)(body)


REFUSALS: list[tuple[str, dict[str, Any], str, dict[str, Any], dict[str, str]]] = [
    ("a key is needed", {}, "load_create", {"text": "x"}, {"#/owner": MISSING}),
    ("text is needed", {}, "load_create", {"owner": "o"}, {"#/text": MISSING}),
    ("needed by PUT too", {}, "load_replace", {}, {"#/text": MISSING}),
    ("null is not a value", {}, "load_merge", {"text": None, "done": None}, {"#/done": NULL, "#/text": NULL}),
    ("required despite a default", {"required": ("done", "place")}, "load_create", MINIMUM, {
        "#/done": MISSING, "#/place": MISSING,
    }),
    ("required is not null", {"required": "place"}, "load_merge", {"place": None}, {"#/place": NULL}),
    ("required despite deferring", {"required": "text", "defer_required": True}, "load_create", {}, {
        "#/text": MISSING,
    }),
    ("deferred is not null", {"defer_required": True}, "load_create", {"text": None}, {"#/text": NULL}),
    ("unknown, nested too", {}, "load_create", {
        **MINIMUM, "p": 1, "by_place": 1, "a/b~c d%": 1, "é": 1, "address": {"street": "s", "z": 1},
    }, {
        "#/p": UNKNOWN, "#/by_place": UNKNOWN, "#/a~1b~0c%20d%25": UNKNOWN, "#/%C3%A9": UNKNOWN,
        "#/address/z": UNKNOWN,
    }),
    ("a lone surrogate in a name", {}, "load_merge", {"\ud800": 1}, {"#/%ED%A0%80": UNKNOWN}),
    ("dump_only", {"dump_only": ("owner", "created")}, "load_create", {
        "owner": "o", "created": "x", "text": "x", "version": 1,
    }, {"#/owner": READ_ONLY, "#/created": READ_ONLY, "#/version": READ_ONLY}),
    ("bound", {"bound": frozenset({"owner"})}, "load_create", MINIMUM, {"#/owner": READ_ONLY}),
    ("no key changes by PATCH", {}, "load_merge", {"owner": "o", "uuid": "u"}, {
        "#/owner": READ_ONLY, "#/uuid": READ_ONLY,
    }),
    ("no key changes by PUT", {}, "load_replace", MINIMUM, {"#/owner": READ_ONLY}),
    ("excluded", {"exclude": ("done",)}, "load_create", {**MINIMUM, "done": True}, {"#/done": UNKNOWN}),
    ("an empty key", {}, "load_create", {"owner": "", "text": ""}, {
        "#/owner": "A key may not be empty.", "#/text": "A key may not be empty.",
    }),
    ("an empty index key", {}, "load_merge", {"place": ""}, {"#/place": "A key may not be empty."}),
    ("a long partition key", {}, "load_create", {"owner": "é" * 1025, "text": "x"}, {
        "#/owner": "A key here has at most 2048 bytes.",
    }),
    ("a long sort key", {}, "load_create", {**MINIMUM, "uuid": "x" * 1025}, {
        "#/uuid": "A key here has at most 1024 bytes.",
    }),
    ("a long index key", {}, "load_merge", {"text": "x" * 1025, "place": "x" * 2049}, {
        "#/text": "A key here has at most 1024 bytes.", "#/place": "A key here has at most 2048 bytes.",
    }),
    ("a control character in a key", {}, "load_create", {**MINIMUM, "owner": "a\0b", "uuid": "a\x85"}, {
        "#/owner": "A key may hold no control characters.", "#/uuid": "A key may hold no control characters.",
    }),
    ("deep in a raw map", {}, "load_merge", {"raw": {"a/b": [1, {"c": "\udfff"}]}}, {
        "#/raw/a~1b/1/c": "Holds a lone surrogate, which UTF-8 cannot carry.",
    }),
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "form", "body", "expected"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_what_a_form_refuses(options: Any, form: str, body: Any, expected: Any) -> None:
    assert errors(getattr(compiled(**options), form), body) == expected


def test_index_keys_may_hold_what_no_path_holds() -> None:
    """A line break is wrong in an item's address only."""
    assert compiled().load_merge({"text": "a\nb", "place": "x" * 2048}) == {
        "text": "a\nb",
        "place": "x" * 2048,
    }


def test_an_overridden_verb_may_set_the_rest() -> None:
    schema = compiled(defer_required=True)
    assert schema.load_create({}) == {}
    assert "text" not in schema.load_replace({})


def test_a_bound_attribute_is_not_required() -> None:
    schema = compiled(bound=frozenset({"owner"}), required=("owner", "text"))
    assert schema.load_create({"text": "x"}) == {"text": "x"}


ORDER = """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from polymicro_lambda.schemas.schema_compiler import compile_schema

class Plain(Model):
    class Meta:
        table_name = "plain"
    id = UnicodeAttribute(hash_key=True)

try:
    compile_schema(Plain, resource="R").load_merge(dict.fromkeys("zyxwvu", 1))
except Exception as error:
    print(*(one["pointer"] for one in error.errors))
"""


def test_errors_come_in_one_order() -> None:
    """Unknown names come out of a set: their order must not hang on the hash seed."""
    runs = {
        subprocess.run(
            [sys.executable, "-c", ORDER],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {"#/u #/v #/w #/x #/y #/z\n"}


def test_what_goes_out() -> None:
    """Every item has the same members, in the order of the source, with null for what it lacks."""
    schema = compiled()
    item = schema.dump(Todo("o", text="x", tags={"b", "a"}, address={"street": "s"}, raw={"a": {b"z", b"y"}}))
    assert schema.names == tuple(item) == NAMES
    assert item == {
        "owner": "o",
        "uuid": "u1",
        "created": "2030-01-01T00:00:00+00:00",
        "text": "x",
        "done": False,
        "place": None,
        "rank": 7,
        "address": {"street": "s", "number": 1},
        "tags": ["a", "b"],
        "raw": {"a": ["eQ==", "eg=="]},
        "version": None,
    }


def test_load_only_and_exclude_stay_in() -> None:
    schema = compiled(load_only=("text",), exclude=("raw", "version"))
    item = schema.dump(Todo("o", text="x"))
    assert schema.names == tuple(item) == tuple(n for n in NAMES if n not in {"text", "raw", "version"})
    assert schema.load_create(MINIMUM) == MINIMUM


class Event(Model):
    class Meta:
        table_name = "events"

    at = UTCDateTimeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    kind = DiscriminatorAttribute()


class Meeting(Event, discriminator="meeting"):
    room = UnicodeAttribute()


class Blob(Model):
    class Meta:
        table_name = "blobs"

    digest = BinaryAttribute(hash_key=True, legacy_encoding=True)
    expires = TTLAttribute(range_key=True)


class Document(Model):
    class Meta:
        table_name = "documents"

    content = JSONAttribute(hash_key=True)


def test_a_discriminator_goes_out_and_never_in() -> None:
    schema = compiled(model=Meeting)
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert schema.dump(Meeting(at, 1, room="r")) == {
        "at": "2030-01-01T00:00:00+00:00",
        "number": 1,
        "kind": "meeting",
        "room": "r",
    }
    assert errors(schema.load_merge, {"kind": "event"}) == {"#/kind": READ_ONLY}
    assert schema.load_create({"at": "2030-01-01T00:00:00Z", "number": 1, "room": "r"}) == {
        "at": at,
        "number": 1,
        "room": "r",
    }


KEYS: list[tuple[type[Model], str, str, Any]] = [
    (Todo, "owner", "a/b é", "a/b é"),
    (Event, "at", "2030-01-01T00:00:00.000005+00:00", datetime(2030, 1, 1, 0, 0, 0, 5, UTC)),
    (Event, "number", "12", 12),
    (Event, "number", "-0.5", -0.5),
    (Event, "number", "1e-07", 1e-07),
    (Blob, "digest", "-_8", b"\xfb\xff"),
    (Blob, "expires", "2030-01-01T00:00:00+00:00", datetime(2030, 1, 1, tzinfo=UTC)),
    (Document, "content", "x", "x"),
]


@pytest.mark.parametrize(("model", "name", "text", "value"), KEYS, ids=[f"{n}-{t}" for _, n, t, _ in KEYS])
def test_a_key_as_a_path_segment(model: type[Model], name: str, text: str, value: Any) -> None:
    schema = compiled(model=model)
    assert (schema.parse_key(name, text), schema.key_text(name, value)) == (value, text)


NO_KEYS: list[tuple[type[Model], str, str]] = [
    (Todo, "owner", ""),
    (Todo, "owner", "a\0"),
    (Todo, "owner", "x" * 2049),
    (Todo, "uuid", "x" * 1025),
    (Todo, "owner", "\ud800"),
    (Event, "at", "2030-01-01T00:00:00"),
    (Event, "number", "x"),
    (Event, "number", ""),
    (Event, "number", "0x1"),
    (Event, "number", "01"),
    (Event, "number", "NaN"),
    (Event, "number", "1e126"),
    (Event, "number", "1e-99999999999999999999"),
    (Event, "number", "1e99999999999999999999"),
    (Event, "number", "1" * 5000),
    (Event, "number", "\u0661"),
    (Blob, "digest", ""),
    (Blob, "digest", "a"),
    (Blob, "digest", "aGl"),
    (Blob, "digest", "aGk="),
    (Blob, "digest", "a+k"),
    (Blob, "digest", "é"),
    (Blob, "expires", "2030-01-01T00:00:00.5Z"),
]


@pytest.mark.parametrize(("model", "name", "text"), NO_KEYS, ids=[f"{n}-{t[:9]!a}" for _, n, t in NO_KEYS])
def test_a_path_segment_that_can_be_no_key(model: type[Model], name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compiled(model=model).parse_key(name, text)


@given(
    key=st.sampled_from([(Todo, "owner"), (Event, "at"), (Event, "number"), (Blob, "digest"), (Blob, "expires")]),
    text=st.text() | st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,20})?(e-?[0-9]{1,3})?", fullmatch=True)
    | st.text("AQgwabc_-") | st.datetimes().map("{:%Y-%m-%dT%H:%M:%S.%fZ}".format),
)  # fmt: skip
def test_a_key_has_one_path_segment(key: tuple[type[Model], str], text: str) -> None:
    """Any text is refused with ``ValueError``, or names a key whose own text leads back to it."""
    model, name = key
    schema = compiled(model=model)
    try:
        value = schema.parse_key(name, text)
    except ValueError:
        return
    assert schema.parse_key(name, schema.key_text(name, value)) == value
    assert getattr(model, name).serialize(value)


class Odd(Model):
    class Meta:
        table_name = "odd"

    id = UnicodeAttribute(hash_key=True)
    price = UnicodeAttribute(default="1")
    expires = TTLAttribute(default=lambda: timedelta(days=1))
    places = ListAttribute(of=Address, default=list)


def test_a_default_of_a_put_is_one_that_its_attribute_takes() -> None:
    replaced = compiled(model=Odd).load_replace({})
    assert replaced == {"price": "1", "expires": timedelta(days=1), "places": []}
    assert all(getattr(Odd, name).serialize(value) is not None for name, value in replaced.items())


# A schema of the resource's own.


class TextSchema(marshmallow.Schema):
    owner = fields.String()
    text = fields.String(data_key="words", validate=marshmallow.validate.Length(max=5))
    raw = fields.Dict()
    place = fields.String(allow_none=True)
    shout = fields.Function(lambda todo: todo.text.upper())

    @post_load
    def strip(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.strip() if isinstance(value, str) else value for name, value in data.items()}

    @validates_schema
    def no_secret(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("text") == "sec":
            raise marshmallow.ValidationError("Say nothing.")


def test_a_schema_of_ones_own_is_the_set_of_fields() -> None:
    """What it does not declare is neither loaded nor dumped; its hooks run, the tuples add to it."""
    schema = compiled(schema=TextSchema, dump_only=("owner",))
    assert schema.names == ("owner", "words", "raw", "place", "shout")
    assert schema.load_create({"words": " x ", "place": None}) == {"text": "x"}
    assert schema.load_replace({"words": "x"}) == {"text": "x", "raw": None, "place": None}
    assert schema.load_merge({"place": None}) == {"place": None}
    assert schema.dump(Todo("o", text="x", raw={"a": [{"b": 1.0}]}, done=True)) == {
        "owner": "o",
        "words": "x",
        "raw": {"a": [{"b": 1}]},
        "place": None,
        "shout": "X",
    }


class AddressSchema(marshmallow.Schema):
    street = fields.String(required=True)
    number = fields.Integer(strict=True)


class NestedSchema(marshmallow.Schema):
    address = fields.Nested(AddressSchema)
    tags = fields.List(fields.String())


def test_maps_and_sets_in_a_schema_of_ones_own() -> None:
    schema = compiled(schema=NestedSchema, defer_required=True)
    body = {"address": {"street": "s", "number": 2}}
    assert schema.load_merge(body) == body
    assert schema.dump(Todo("o", **body, tags={"a"})) == {**body, "tags": ["a"]}
    assert errors(schema.load_merge, {"address": {"z": 1}}) == {"#/address/z": UNKNOWN}
    assert errors(schema.load_replace, {"address": {"z": 1}}) == {
        "#/address/street": MISSING,
        "#/address/z": UNKNOWN,
    }


OWN_REFUSALS = [
    ({"owner": "o"}, {"#/words": MISSING}),
    ({"owner": "o", "words": "too long"}, {"#/words": "Longer than maximum length 5."}),
    ({"owner": "o", "words": "x", "text": "x", "done": True}, {"#/text": UNKNOWN, "#/done": UNKNOWN}),
    ({"owner": "o", "words": "sec"}, {"#": "Say nothing."}),
    ({"owner": "", "words": "x", "shout": 1}, {"#/owner": "A key may not be empty.", "#/shout": READ_ONLY}),
    ({"owner": "o", "words": None}, {"#/words": NULL}),
]


@pytest.mark.parametrize(("body", "expected"), OWN_REFUSALS, ids=lambda value: str(value)[:30])
def test_what_a_schema_of_ones_own_refuses(body: Any, expected: Any) -> None:
    assert errors(compiled(schema=TextSchema).load_create, body) == expected


def test_a_schema_of_ones_own_cannot_change_a_key() -> None:
    assert errors(compiled(schema=TextSchema).load_merge, {"owner": "o"}) == {"#/owner": READ_ONLY}


class Included(marshmallow.Schema):
    class Meta:
        unknown = marshmallow.INCLUDE


class Versioned(marshmallow.Schema):
    count = fields.Integer(attribute="version")


class ReadVersion(marshmallow.Schema):
    text = fields.String()
    version = fields.Integer()

    class Meta:
        dump_only = ("version",)


def test_dump_only_of_meta_counts() -> None:
    schema = compiled(schema=ReadVersion, dump_only=("text",))
    assert errors(schema.load_create, {"text": "x", "version": 1}) == {
        "#/text": READ_ONLY,
        "#/version": READ_ONLY,
    }


class Unloadable(marshmallow.Schema):
    text = fields.String()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Todo:
        return Todo("o", **data)


def test_a_schema_of_ones_own_loads_dicts() -> None:
    with pytest.raises(TypeError, match="must load a dict, not Todo"):
        compiled(schema=Unloadable).load_create({"text": "x"})


class Alien(Model):
    class Meta:
        table_name = "alien"

    class Custom(UnicodeAttribute.__mro__[1]):  # type: ignore[misc, name-defined]
        attr_type = "S"

    id = UnicodeAttribute(hash_key=True)
    custom = Custom(null=True)


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"dump_only": ("txt",)}, "TodoResource.dump_only: Todo has no attribute 'txt': is 'text' meant?"),
    ({"load_only": "nope"}, "TodoResource.load_only: Todo has no attribute 'nope'"),
    ({"required": ("p",)}, "TodoResource.required: Todo has no attribute 'p'"),
    ({"exclude": ("by_place",)}, "TodoResource.exclude: Todo has no attribute 'by_place': is 'place' meant?"),
    ({"bound": frozenset({"x"})}, "TodoResource.bound: Todo has no attribute 'x'"),
    ({"required": "text", "dump_only": "text"}, "TodoResource.required: no body can set 'text'"),
    ({"required": "text", "exclude": "text"}, "TodoResource.required: no body can set 'text'"),
    ({"required": "version"}, "TodoResource.required: no body can set 'version'"),
    ({"required": "owner", "creates": False}, "TodoResource.required: no body can set 'owner'"),
    ({"load_only": "text", "dump_only": "text"}, "TodoResource.load_only: 'text' is dump_only too: exclude it"),
    ({"schema": TextSchema, "required": "done"}, "TodoResource.required: no body can set 'done'"),
    ({"schema": TextSchema, "bound": frozenset({"owner"})},
     "TodoResource.schema: 'owner' must be dump_only: no client sets 'owner'"),
    ({"schema": Versioned}, "TodoResource.schema: 'count' must be dump_only: no client sets 'version'"),
    ({"schema": Included}, "TodoResource.schema: Meta.unknown = INCLUDE lets a client set any attribute"),
    ({"schema": TextSchema()}, "TodoResource.schema: must be a marshmallow Schema class"),
    ({"model": Alien}, "TodoResource.custom: no field carries Custom: give the class a marshmallow_field, "
     "or declare the attribute in fields of the resource"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"), CONTRADICTIONS, ids=[message[13:50] for _, message in CONTRADICTIONS]
)
def test_contradictions_do_not_compile(options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compiled(**options)
    assert str(caught.value) == message


def test_what_no_field_carries_can_be_excluded() -> None:
    assert compiled(model=Alien, exclude="custom").names == ("id",)


def test_compiling_changes_no_schema_of_ones_own() -> None:
    """One schema class may serve several resources."""
    strict, loose = compiled(schema=TextSchema, required="place"), compiled(schema=TextSchema)
    assert "#/place" in errors(strict.load_create, {"owner": "o", "words": "x"})
    assert loose.load_create({"owner": "o", "words": "x"}) == {"owner": "o", "text": "x"}
    assert TextSchema().load({"owner": ""}) == {"owner": ""}
