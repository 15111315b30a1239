"""Filters on members of maps, ``address.city``: typed, with their defaults, under the rules of fields."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, create_table, dynamodb_call
from marshmallow import fields
from pynamodb.attributes import (
    BooleanAttribute,
    DynamicMapAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    InGroup,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    User,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.openapi import openapi


class Geo(MapAttribute[str, Any]):
    lat = NumberAttribute(null=True, attr_name="la")
    exact = BooleanAttribute(default=True, attr_name="e")
    since = UTCDateTimeAttribute(null=True)


class Address(MapAttribute[str, Any]):
    city = UnicodeAttribute(null=True, attr_name="c")
    country = UnicodeAttribute(default="CH")
    geo = Geo(null=True, attr_name="g")
    tags: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, null=True)


class Prefs(DynamicMapAttribute):
    theme = UnicodeAttribute(default="light")


class Person(Model):
    class Meta:
        table_name = ""

    id = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(default="alice")
    address = Address(null=True, attr_name="a")
    prefs = Prefs(null=True)
    free: MapAttribute[str, Any] = MapAttribute(null=True)
    json = JSONAttribute(null=True)
    lines: ListAttribute[Any] = ListAttribute(of=Geo, null=True)


FILTERS: dict[str, Any] = {
    "address.city": ("eq", "ne", "in", "begins_with", "exists"),
    "address.country": ("eq", "ne", "exists"),
    "address.geo": "exists",
    "address.geo.lat": ("lt", "gte", "between"),
    "address.geo.exact": ("eq", "ne", "exists"),
    "address.geo.since": ("lt",),
    "address.tags": ("contains",),
    "prefs.theme": ("eq", "ne", "in", "exists"),
}


def m(**members: Any) -> dict[str, Any]:
    return {"M": members}


def s(text: str) -> dict[str, Any]:
    return {"S": text}


NULL = {"NULL": True}
BERN = m(la={"N": "46.9"}, e={"BOOL": False}, since=s("2020-01-01T00:00:00.000000+0000"))
ITEMS: dict[str, dict[str, Any]] = {
    "none": {},
    "null": {"a": NULL, "prefs": NULL},
    "empty": {"a": m(), "prefs": m()},
    "bern": {"a": m(c=s("Bern"), g=BERN, tags={"L": [s("old"), s("home")]}), "prefs": m(theme=s("light"))},
    "bergen": {"a": m(c=s("Bergen"), country=s("NO"), g=m(la={"N": "60"})), "prefs": m(theme=s("blue"))},
    "lost": {"a": m(c=NULL, country=NULL, g=m(la=NULL, e=NULL)), "prefs": m(theme=NULL)},
}
MAPS = ["bergen", "bern", "empty", "lost"]
ALL = sorted(ITEMS)
FOUND: dict[str, list[str]] = {
    "address.city=Bern": ["bern"],
    "address.city__eq=Bern": ["bern"],
    "address.city__ne=Bern": [one for one in ALL if one != "bern"],
    "address.city__in=Bern,Bergen,Rome": ["bergen", "bern"],
    "address.city__begins_with=Berg": ["bergen"],
    "address.city__exists=true": ["bergen", "bern"],
    "address.city__exists=false": ["empty", "lost", "none", "null"],
    "address.country=CH": ["bern", "empty", "lost"],
    "address.country__ne=CH": ["bergen", "none", "null"],
    "address.country__exists=true": MAPS,
    "address.geo__exists=true": ["bergen", "bern", "lost"],
    "address.geo.lat__lt=50": ["bern"],
    "address.geo.lat__gte=46.90": ["bergen", "bern"],
    "address.geo.lat__between=50,70": ["bergen"],
    "address.geo.exact=true": ["bergen", "lost"],
    "address.geo.exact__ne=true": ["bern", "empty", "none", "null"],
    "address.geo.exact__exists=true": ["bergen", "bern", "lost"],
    "address.geo.since__lt=2021-01-01T00:00:00Z": ["bern"],
    "address.tags__contains=home": ["bern"],
    "prefs.theme=light": ["bern", "empty", "lost"],
    "prefs.theme__ne=light": ["bergen", "none", "null"],
    "prefs.theme__in=light,blue": MAPS,
    "prefs.theme__exists=false": ["none", "null"],
    "address.city=Bern&address.geo.lat__lt=40": [],
}


class People(ModelResource, List, Retrieve):
    model = Person
    permissions: Any = AllowAny
    route = "people"
    filters: ClassVar[Any] = FILTERS
    scan = True


class Own(People):
    """Its rows are judged here, not by DynamoDB."""

    route = "own"

    def list(self, user: Any, pagination_key: Any = None, limit: int = 25) -> Any:
        return Person.scan(last_evaluated_key=pagination_key, limit=limit)


class Told(People):
    route = "told"

    def list(self, filters: Any) -> Any:
        return {"filters": filters}


def served(*resources: type[ModelResource]) -> PolyMicro:
    pm = PolyMicro(cursor_secret="s")
    for one in resources:
        one(pm)
    pm.compile()
    return pm


@pytest.fixture
def client(dynamodb: None, table_name: str) -> Caller:
    create_table(Person, table_name)
    for name, item in ITEMS.items():
        dynamodb_call("put_item", TableName=table_name, Item={"id": {"S": name}, **item})
    return Caller(served(People, Own, Told), user=ALICE)


def ids(result: Any) -> list[str]:
    assert result.status == 200, result.text
    return sorted(one["id"] for one in result.json["items"])


@pytest.mark.parametrize("path", ["/people", "/own"], ids=["by DynamoDB", "here"])
@pytest.mark.parametrize(("query", "found"), FOUND.items())
def test_members_of_maps(client: Caller, path: str, query: str, found: list[str]) -> None:
    assert ids(client.get(f"{path}?{query}")) == found


def test_what_is_found_is_what_is_shown(client: Caller) -> None:
    """The default of a member counts where it is shown: in a map that is there."""
    for one in client.get("/people").json["items"]:
        address = one["address"] or {}
        for name, value in (
            ("country", address.get("country")),
            ("geo.exact", (address.get("geo") or {}).get("exact")),
        ):
            found = ids(client.get(f"/people?address.{name}={'CH' if name == 'country' else 'true'}"))
            assert (one["id"] in found) is (value in ("CH", True))


def test_it_is_the_same_from_every_event_source(client: Caller) -> None:
    assert ids(client.everywhere("GET", "/people?address.city=Bern&address.geo.lat__lt=50")) == ["bern"]


def test_values_are_typed_by_the_members_field(client: Caller) -> None:
    told = client.get("/told?address.geo.lat__lt=50&address.city__in=a,b&address.geo.exact=false")
    assert told.json == {
        "filters": {
            "address.geo.lat": {"lt": 50},
            "address.city": {"in": ["a", "b"]},
            "address.geo.exact": {"eq": False},
        }
    }
    with counted() as calls:
        assert_problem(client.get("/people?address.geo.lat__lt=north"), 400, "address.geo.lat__lt")
        assert_problem(client.get("/people?address.geo.exact=1"), 400, "address.geo.exact")
        assert_problem(client.get("/people?address.city__lt=x"), 400, "address.city__lt")
        assert_problem(client.get("/people?address=x"), 400, "address")
        assert_problem(client.get("/people?sort=address.city"), 400, "sort")
    assert calls == []


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"adress.city": "eq"}, "the model has no such attribute: is 'address' meant?"),
        ({"address.citty": "eq"}, "Address has no attribute 'citty': is 'city' meant?"),
        ({"address.c": "eq"}, "Address has no attribute 'c'"),
        ({"address.city.name": "eq"}, "UnicodeAttribute has no members"),
        ({"address.": "eq"}, "Address has no attribute ''"),
        ({"free.color": "eq"}, "the type of 'color' is unknown: declare it in a MapAttribute of your own"),
        ({"prefs.color": "eq"}, "the type of 'color' is unknown: declare it in a MapAttribute of your own"),
        ({"json.color": "eq"}, "JSONAttribute has no members"),
        ({"lines.lat": "lt"}, "'lat' is in a list: filters lead through maps alone"),
        ({"address.geo": "eq"}, "'eq' does not work on Geo"),
        ({"address.city": "like"}, "'like' is no operator"),
    ],
)
def test_what_is_no_member_that_is_known(filters: Any, says: str) -> None:
    wrong = type("Wrong", (People,), {"filters": filters})
    with pytest.raises(ConfigurationError) as caught:
        served(wrong)
    [name] = filters
    assert str(caught.value).startswith(f"Wrong.filters[{name!r}]: {says}")


def test_a_field_in_place_of_the_map_has_no_members() -> None:
    wrong = type(
        "Wrong", (People,), {"fields": {"address": fields.Dict()}, "filters": {"address.city": "eq"}}
    )
    with pytest.raises(
        ConfigurationError, match=r"Wrong\.filters\['address\.city'\]: a field Dict stands in its place"
    ):
        served(wrong)


# --- rules of fields ---------------------------------------------------------------------------------------------

HR = User("hana", groups=frozenset({"hr"}))
Make = Callable[[Any], Caller]


@pytest.fixture
def make(client: Caller) -> Make:
    def made(rules: Any) -> Caller:
        return Caller(served(type("Ruled", (People,), {"field_permissions": rules})), user=ALICE)

    return made


@pytest.mark.parametrize("hidden", ["address", "address.geo", "address.geo.lat"])
def test_a_hidden_member_cannot_be_asked_for(make: Make, hidden: str) -> None:
    """Neither it nor what is in it; what is beside it can."""
    client = make({hidden: InGroup("hr")})
    with counted() as calls:
        assert_problem(client.get("/people?address.geo.lat__lt=50"), 400, "address.geo.lat__lt")
    assert calls == []
    assert ids(client.get("/people?address.geo.lat__lt=50", user=HR)) == ["bern"]
    beside = client.get("/people?address.city=Bern")
    assert beside.status == (400 if hidden == "address" else 200)


@pytest.mark.parametrize("hidden", ["address", "address.city"])
def test_a_filter_on_what_some_items_hide_finds_the_others(make: Make, hidden: str, table_name: str) -> None:
    """As with attributes of the item itself: the rule of the field joins the list's."""
    theirs = {"id": s("theirs"), "owner": s("bob"), "a": m(c=s("Bern"))}
    dynamodb_call("put_item", TableName=table_name, Item=theirs)
    client = make({hidden: OwnedBy("owner")})
    assert ids(client.get("/people?address.city=Bern")) == ["bern"]
    assert ids(client.get("/people?address.city=Bern", user=BOB)) == ["theirs"]
    assert len(ids(client.get("/people"))) == len(ITEMS) + 1
    assert ids(client.get("/people?prefs.theme=blue", user=BOB)) == ["bergen"]


# --- what it is told by --------------------------------------------------------------------------------------------


def test_the_document_has_them(client: Caller) -> None:
    document = openapi(served(People).routes)
    given = document["paths"]["/people"]["get"]["parameters"]
    found = {one["name"]: one["schema"] for one in given}
    assert found["address.country"] == {"type": "string"}
    assert "number" in found["address.geo.lat__lt"]["type"]
    assert found["address.geo.since__lt"]["format"] == "date-time"
    assert found["address.city__in"]["type"] == "array"


def test_explain(client: Caller) -> None:
    said = dict(explain(served(People), "GET /people?address.city=Bern", ALICE))
    assert said["filter"].startswith('a.c = "Bern"')
