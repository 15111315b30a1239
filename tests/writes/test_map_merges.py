"""PATCH changes members of maps, at every depth, and leaves the others alone (RFC 7396)."""

from typing import Any

import pytest
from contract import (
    ALICE,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    meanwhile,
    names,
    stored,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow.validate import Length, Range
from pynamodb.attributes import (
    DiscriminatorAttribute,
    DynamicMapAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.openapi import body_model, openapi
from polymicro_lambda.testing import assert_serializable

MISSING = "Missing data for required field."


class Place(MapAttribute[str, Any]):
    lat = NumberAttribute()
    note = UnicodeAttribute(null=True)


class Address(MapAttribute[str, Any]):
    street = UnicodeAttribute(attr_name="st")
    city = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(default="home")
    place: Any = Place(null=True)  # type: ignore[no-untyped-call]


class Open(DynamicMapAttribute):
    name = UnicodeAttribute(null=True)


class Shape(MapAttribute[str, Any]):
    cls = DiscriminatorAttribute()  # type: ignore[no-untyped-call]
    color = UnicodeAttribute(null=True)


class Circle(Shape, discriminator="circle"):  # type: ignore[call-arg]
    radius = NumberAttribute(null=True)


@pytest.fixture
def person(dynamodb: None, table_name: str) -> Any:
    class Person(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(null=True)
        address: Any = Address(null=True)  # type: ignore[no-untyped-call]
        raw: Any = MapAttribute(null=True)  # type: ignore[no-untyped-call]
        open: Any = Open(null=True)  # type: ignore[no-untyped-call]
        shape: Any = Shape(null=True)  # type: ignore[no-untyped-call]
        data: Any = JSONAttribute(null=True)
        lines: Any = ListAttribute(of=Place, null=True)

    Person.Meta.table_name = table_name
    return Person


def served(model: Any, **members: Any) -> Caller:
    """A client of ``/people``."""
    base = {"model": model, "route": "people", "permissions": AllowAny}
    pm = PolyMicro()
    type("People", (ModelResource, Create, Retrieve, Update), base | members)(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    return client


def put(model: Any, **item: Any) -> None:
    """Store an item as it is, past the app."""
    dynamodb_call("put_item", TableName=model.Meta.table_name, Item={"id": {"S": "1"}, **item})


def item_of(model: Any) -> dict[str, Any]:
    (item,) = stored(model.Meta.table_name)
    del item["id"]
    item.pop("version", None)
    return item


HOME = {"M": {"st": {"S": "s"}, "city": {"S": "c"}, "odd": {"N": "1"}}}
MERGES = {
    "a member is set": (
        {"address": HOME},
        {"address": {"city": "d"}},
        {"address": {"M": HOME["M"] | {"city": {"S": "d"}}}},
    ),
    "a member is removed": (
        {"address": HOME},
        {"address": {"city": None}},
        {"address": {"M": {"st": {"S": "s"}, "odd": {"N": "1"}}}},
    ),
    "a map in it is made": (
        {"address": HOME},
        {"address": {"place": {"lat": 1, "note": None}}},
        {"address": {"M": HOME["M"] | {"place": {"M": {"lat": {"N": "1"}}}}}},
    ),
    "a map in it is changed": (
        {"address": {"M": HOME["M"] | {"place": {"M": {"lat": {"N": "1"}}}}}},
        {"address": {"place": {"note": "x"}}},
        {"address": {"M": HOME["M"] | {"place": {"M": {"lat": {"N": "1"}, "note": {"S": "x"}}}}}},
    ),
    "a map in it goes": (
        {"address": {"M": HOME["M"] | {"place": {"M": {"lat": {"N": "1"}}}}}},
        {"address": {"place": None}},
        {"address": HOME},
    ),
    "nothing of it": ({"address": HOME}, {"address": {}}, {"address": HOME}),
    "it is made with its defaults": (
        {},
        {"address": {"street": "s", "city": None}},
        {"address": {"M": {"st": {"S": "s"}, "kind": {"S": "home"}}}},
    ),
    "it is made of null": (
        {"address": {"NULL": True}},
        {"address": {"street": "s"}},
        {"address": {"M": {"st": {"S": "s"}, "kind": {"S": "home"}}}},
    ),
    "it goes": ({"address": HOME, "raw": {"M": {}}}, {"address": None}, {"raw": {"M": {}}}),
    "of a raw one": (
        {"raw": {"M": {"a.b": {"M": {"c[0]": {"S": "x"}, "d": {"S": "y"}}}, "e": {"S": "z"}}}},
        {"raw": {"a.b": {"c[0]": None, "new": [1, None]}}},
        {
            "raw": {
                "M": {
                    "a.b": {"M": {"d": {"S": "y"}, "new": {"L": [{"N": "1"}, {"NULL": True}]}}},
                    "e": {"S": "z"},
                }
            }
        },
    ),
    "a text becomes a map": (
        {"raw": {"M": {"a": {"S": "x"}}}},
        {"raw": {"a": {"b": {"c": None, "d": 1}}}},
        {"raw": {"M": {"a": {"M": {"b": {"M": {"d": {"N": "1"}}}}}}}},
    ),
    "a map becomes a text": (
        {"raw": {"M": {"a": {"M": {"b": {"N": "1"}}}}}},
        {"raw": {"a": "x"}},
        {"raw": {"M": {"a": {"S": "x"}}}},
    ),
    "a raw one is made": ({}, {"raw": {"a": {"b": None}}}, {"raw": {"M": {"a": {"M": {}}}}}),
    "an empty one is made": ({}, {"raw": {}}, {"raw": {"M": {}}}),
    "an open one": (
        {"open": {"M": {"name": {"S": "n"}, "x": {"M": {"y": {"N": "1"}}}}}},
        {"open": {"name": None, "x": {"z": 2}}},
        {"open": {"M": {"x": {"M": {"y": {"N": "1"}, "z": {"N": "2"}}}}}},
    ),
    "one of another class": (
        {"shape": {"M": {"cls": {"S": "circle"}, "radius": {"N": "1"}}}},
        {"shape": {"color": "red"}},
        {"shape": {"M": {"cls": {"S": "circle"}, "radius": {"N": "1"}, "color": {"S": "red"}}}},
    ),
    "stored as text": (
        {"data": {"S": '{"a": {"b": 1, "c": 2}, "d": 3}'}},
        {"data": {"a": {"b": None}, "e": None}},
        {"data": {"S": '{"a": {"c": 2}, "d": 3}'}},
    ),
    "a list is replaced": (
        {"lines": {"L": [{"M": {"lat": {"N": "1"}, "note": {"S": "x"}}}]}},
        {"lines": [{"lat": 2}]},
        {"lines": {"L": [{"M": {"lat": {"N": "2"}}}]}},
    ),
    "far too many members": (
        {"raw": {"M": {"kept": {"S": "x"}, "k1": {"S": "x"}}}},
        {"raw": {f"k{n}": None for n in range(500)}},
        {"raw": {"M": {"kept": {"S": "x"}}}},
    ),
}


@pytest.mark.parametrize("media", ["application/json", "application/merge-patch+json"])
@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
@pytest.mark.parametrize(("before", "patch", "after"), MERGES.values(), ids=MERGES)
def test_merges(person: Any, before: Any, patch: Any, after: Any, versioned: bool, media: str) -> None:
    if versioned:
        person = type("Versioned", (person,), {"Meta": person.Meta, "version": VersionAttribute()})
        before = {**before, "version": {"N": "1"}}
    client = served(person)
    put(person, name={"S": "n"}, **before)
    result = client.patch("/people/1", json=patch, headers={"content-type": media})
    assert (result.status, item_of(person)) == (200, {"name": {"S": "n"}, **after}), result.text
    assert result.json == client.get("/people/1").json


def test_a_map_that_is_there_is_one_call(person: Any) -> None:
    client = served(person)
    put(person, address=HOME)
    with counted() as calls:
        assert client.patch("/people/1", json={"address": {"city": "d"}, "name": "n"}).status == 200
    assert names(calls) == ["UpdateItem"]


INCOMPLETE = {
    "it is made": ({}, {"address": {"city": "c"}}, "#/address/street"),
    "one in it is made": ({"address": HOME}, {"address": {"place": {"note": "x"}}}, "#/address/place/lat"),
    "both are made": ({}, {"address": {"street": "s", "place": {}}}, "#/address/place/lat"),
    "it was stored so": ({"address": {"M": {}}}, {"address": {"city": "c"}}, "#/address/street"),
    "it is null": ({"address": {"NULL": True}}, {"address": {"city": "c"}}, "#/address/street"),
    "the member is removed": ({"address": HOME}, {"address": {"street": None}}, "#/address/street"),
    "no map": ({"address": HOME}, {"address": 1}, "#/address"),
    "an unknown member": ({"address": HOME}, {"address": {"x": 1}}, "#/address/x"),
    "an element of a list": ({}, {"lines": [{"note": "x"}]}, "#/lines/0/lat"),
}


@pytest.mark.parametrize(("before", "patch", "place"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_what_would_not_be_whole(person: Any, before: Any, patch: Any, place: str) -> None:
    client = served(person)
    put(person, **before)
    assert_problem(client.patch("/people/1", json={**patch, "name": "n"}), 422, place)
    assert item_of(person) == before


def test_nested_past_what_dynamodb_has(person: Any) -> None:
    client, deep = served(person), {"a": 1}
    put(person, raw={"M": {}})
    for _ in range(31):
        deep = {"a": deep}  # type: ignore[dict-item]
    assert client.patch("/people/1", json={"raw": deep}).status == 422
    assert client.patch("/people/1", json={"raw": deep["a"]}).status == 200
    assert client.patch("/people/1", json={"raw": deep["a"]}).status == 200


@pytest.mark.parametrize("exists", [False, True])
def test_it_comes_or_goes_meanwhile(person: Any, exists: bool) -> None:
    """A second try finds the map as it is by then."""
    client = served(person)
    put(person, raw={"M": {"a": {"N": "1"}}}, **({"address": HOME} if exists else {}))
    other = {"address": None} if exists else {"address": {"street": "other"}}
    with meanwhile(lambda: client.patch("/people/1", json=other).raise_for_status()):
        result = client.patch("/people/1", json={"address": {"city": "new"}, "raw": {"a": None}})
    if exists:
        assert_problem(result, 422, "#/address/street")
        assert item_of(person) == {"raw": {"M": {"a": {"N": "1"}}}}
    else:
        made = {"st": {"S": "other"}, "kind": {"S": "home"}, "city": {"S": "new"}}
        assert (result.status, item_of(person)) == (200, {"raw": {"M": {}}, "address": {"M": made}})


def test_a_map_that_keeps_coming_and_going(person: Any) -> None:
    client = served(person)
    put(person)
    there = [False]

    def turn() -> None:
        there[0] = not there[0]
        put(person, **({"raw": {"M": {}}} if there[0] else {}))

    put(person, raw={"M": {}})
    there[0] = True
    with meanwhile(turn, times=3) as calls:
        result = client.patch("/people/1", json={"raw": {"a": 1}})
    assert (result.status, "retry-after" in result.headers) == (409, True)
    assert names(calls).count("UpdateItem") == 3


BODIES: dict[str, Any] = {
    "both make it": ({}, {"raw": {"a": 1}}, {"raw": {"b": {"c": 2}}}),
    "both make one in it": ({"raw": {"M": {}}}, {"raw": {"a": {"b": 1}}}, {"raw": {"a": {"c": 1}}}),
    "one removes it": ({"raw": {"M": {"a": {"N": "1"}}}}, {"raw": {"b": 1}}, {"raw": None}),
    "both make a typed one": ({}, {"address": {"street": "s", "city": "c"}}, {"address": {"street": "t"}}),
    "one lacks a member": ({}, {"address": {"city": "c"}}, {"address": {"street": "t"}}),
    "one removes a typed one": ({"address": HOME}, {"address": {"city": "d"}}, {"address": None}),
    "one replaces what the other changes": (
        {"raw": {"M": {"a": {"M": {}}}}},
        {"raw": {"a": {"b": 1}}},
        {"raw": {"a": 1}},
    ),
    "texts": ({"data": {"S": "{}"}}, {"data": {"a": 1}}, {"data": {"b": 1}}),
}


@pytest.mark.parametrize(("before", "one", "other"), BODIES.values(), ids=BODIES)
def test_two_at_once(person: Any, before: Any, one: Any, other: Any) -> None:
    """In every order of their calls: as if one came after the other, and no member is lost."""
    client = served(person)
    put(person, **before)
    assert_serializable(
        client,
        lambda: client.patch("/people/1", json=one),
        lambda: client.patch("/people/1", json=other),
    )


class AtHome(Permission):
    """A rule about a member of a map, which the database checks."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.address["city"] == "home"


class AtHomeHere(Permission):
    """The same, judged here."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> Any:
        return instance.address is not None and instance.address.city == "home"


@pytest.mark.parametrize("rule", [AtHome, AtHomeHere])
def test_a_rule_judges_what_comes_of_it(person: Any, rule: Any) -> None:
    client = served(person, permissions=rule)
    put(person, address={"M": {"st": {"S": "s"}, "city": {"S": "home"}}})
    before = item_of(person)
    assert client.patch("/people/1", json={"address": {"city": "away"}}).status == 403
    assert client.patch("/people/1", json={"address": None}).status == 403
    assert item_of(person) == before
    assert client.patch("/people/1", json={"address": {"street": "t"}}).json["address"]["street"] == "t"
    put(person, address=HOME)
    assert (
        client.patch("/people/1", json={"address": {"place": {}}}).status == 404
    )  # no word of what it lacks


def test_if_match_without_a_version(person: Any) -> None:
    client = served(person)
    put(person, address=HOME)
    tag = client.get("/people/1").headers["etag"]
    first = client.patch("/people/1", json={"address": {"city": "d"}}, headers={"If-Match": tag})
    late = client.patch("/people/1", json={"address": {"city": "e"}}, headers={"If-Match": tag})
    assert (first.status, late.status) == (200, 412)


def test_a_validator_of_a_member_judges_what_is_given(person: Any) -> None:
    client = served(person, validators={"address.place.lat": Range(max=90), "address.city": Length(max=2)})
    put(person, address={"M": {"st": {"S": "s"}, "city": {"S": "long"}}})
    assert client.patch("/people/1", json={"address": {"place": {"lat": 9}}}).status == 200
    assert_problem(
        client.patch("/people/1", json={"address": {"place": {"lat": 91}}}), 422, "#/address/place/lat"
    )


def test_a_validator_of_a_map_judges_what_comes_of_it(person: Any) -> None:
    """Then the item is read, and the map written where it is still so."""
    client = served(person, validators={"raw": Length(max=2)})
    put(person, raw={"M": {"a": {"N": "1"}, "b": {"N": "1"}}})
    assert client.patch("/people/1", json={"raw": {"b": None, "c": 1}}).json["raw"] == {"a": 1, "c": 1}
    assert_problem(client.patch("/people/1", json={"raw": {"d": 1}}), 422, "#/raw")
    assert_serializable(
        client,
        lambda: client.patch("/people/1", json={"raw": {"a": None, "x": 1}}),
        lambda: client.patch("/people/1", json={"raw": {"c": None, "y": 1}}),
    )


def test_a_verb_of_ones_own_hands_it_on(person: Any) -> None:
    """``req`` carries what merges; a dict of the verb's own replaces the map."""

    def update(self: Any, instance: Any, req: Any, user: Any) -> Any:
        if "address" in req:
            req["address"]["city"] = req["address"]["city"].upper()
        return Update.update(self, instance, req, user)

    def clear(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"address": {"street": "only", "kind": "k"}})

    def copy(self: Any, instance: Any, req: Any) -> Any:
        return self.store.update(instance, {"raw": {**req["raw"], "x": 1}}) if "raw" in req else instance

    client = served(person, update=update, clear=action()(clear))
    put(person, address=HOME)
    assert client.patch("/people/1", json={"address": {"city": "d"}}).status == 200
    assert item_of(person)["address"] == {"M": HOME["M"] | {"city": {"S": "D"}}}
    assert client.put("/people/1", json={"address": {"street": "t", "city": "e"}}).status == 200
    assert item_of(person)["address"] == {"M": {"st": {"S": "t"}, "city": {"S": "E"}, "kind": {"S": "home"}}}
    assert client.post("/people/1/clear").status == 200
    assert item_of(person)["address"] == {"M": {"st": {"S": "only"}, "kind": {"S": "k"}}}
    other = served(person, update=copy)
    assert other.patch("/people/1", json={"raw": {"a": {"b": 1}}}).json["raw"] == {"a": {"b": 1}, "x": 1}


def test_in_a_transaction(person: Any) -> None:
    def update(self: Any, instance: Any, req: Any) -> Any:
        with self.store.transaction() as write:
            write.update(instance, req)

    client = served(person, update=update)
    put(person)
    client.patch("/people/1", json={"raw": {"a": 1}}).raise_for_status()
    client.patch("/people/1", json={"raw": {"b": 1}}).raise_for_status()
    assert item_of(person) == {"raw": {"M": {"a": {"N": "1"}, "b": {"N": "1"}}}}
    assert_problem(client.patch("/people/1", json={"address": {"city": "c"}}), 422, "#/address/street")


def test_documents_ask_for_no_member(person: Any) -> None:
    pm = PolyMicro()
    type("People", (ModelResource, Create, Update), {"model": person, "route": "p", "permissions": AllowAny})(
        pm
    )
    pm.compile()
    schemas = openapi(pm.routes)["components"]["schemas"]
    asked = {
        name: schemas[f"People{name}"]["properties"]["address"].get("required")
        for name in ("Create", "Patch", "Replace")
    }
    assert asked == {"Create": ["street"], "Patch": None, "Replace": ["street"]}
    place = schemas["PeoplePatch"]["properties"]["address"]["properties"]["place"]
    assert ("required" in place, "required" in schemas["PeoplePatch"]["properties"]["lines"]["items"]) == (
        False,
        True,
    )


def test_gateways_ask_for_no_member(dynamodb: None, table_name: str) -> None:
    class Visit(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        place = Place()  # type: ignore[no-untyped-call]

    Visit.Meta.table_name = table_name
    pm = PolyMicro()
    type("Visits", (ModelResource, Create, Update), {"model": Visit, "route": "v", "permissions": AllowAny})(
        pm
    )
    pm.compile()
    asked = {
        route.http: (body_model(route) or {})["properties"]["place"].get("required") for route in pm.routes
    }
    assert asked == {"POST": ["lat"], "PATCH": None, "PUT": ["lat"]}


# --- against a model ------------------------------------------------------------------------------------------------

SCALARS = st.one_of(st.integers(-5, 5), st.booleans(), st.sampled_from(["", "x"]), st.just([{"a": None}]))
NAMES = st.sampled_from(["a", "b", "c.d", "e[0]"])


def objects(depth: int) -> Any:
    inner = SCALARS if not depth else st.one_of(SCALARS, objects(depth - 1))
    return st.dictionaries(NAMES, st.one_of(st.none(), inner), max_size=3)


PATCHES = st.lists(st.one_of(st.none(), objects(2)), min_size=1, max_size=5)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patches=PATCHES, attribute=st.sampled_from(["raw", "data"]))
def test_as_the_standard_says(person: Any, patches: Any, attribute: str) -> None:
    client, expected = served(person), None
    put(person)
    for patch in patches:
        expected = merged(expected, patch)
        result = client.patch("/people/1", json={attribute: patch})
        assert (result.status, result.json[attribute]) == (200, expected)


TYPED = st.fixed_dictionaries(
    {},
    optional={
        "street": st.sampled_from(["s", "t"]),
        "city": st.sampled_from([None, "c"]),
        "place": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {}, optional={"lat": st.integers(0, 2), "note": st.sampled_from([None, "n"])}
            ),
        ),
    },
)


def whole(patch: Any, old: Any, defaults: Any, needed: str) -> Any:
    """What comes of a typed map, None where a member is missing."""
    new = merged({**defaults} if old is None else old, patch)
    return new if needed in new else None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patches=st.lists(st.one_of(st.none(), TYPED), min_size=1, max_size=5))
def test_declared_maps_as_the_standard_says(person: Any, patches: Any) -> None:
    """But that what would lack a member is refused, and that a new map gets its defaults."""
    client, expected = served(person), None
    put(person)
    for patch in patches:
        new, fits = None, True
        if patch is not None:
            new = whole(patch, expected, {"kind": "home"}, "street")
            fits = new is not None and "lat" in new.get("place", {"lat": 1})
        result = client.patch("/people/1", json={"address": patch})
        assert result.status == (200 if fits else 422), (expected, patch, result.text)
        expected = new if fits else expected
        shown = client.get("/people/1").json["address"]
        absent = {"city": None, "place": None}
        if expected is None:
            assert shown is None
        else:
            place = expected.get("place")
            assert shown == {**absent, **expected, "place": place and {"note": None, **place}}
