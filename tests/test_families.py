"""Families: what resources inherit alike is read once, and what one of them says of its own is not missed."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, Delete, List, ModelResource, PolyMicro, Retrieve, action
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import AllowAny, IsAuthenticated, OwnedBy, ReadOnly
from polymicro_lambda.routing.routes import Route


class Note(Model):
    class Meta:
        table_name = "notes"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    color = UnicodeAttribute(null=True)


class Same(Note):
    pass


class Numbered(Note):
    id = NumberAttribute(range_key=True)  # type: ignore[assignment]


class Keyed(Model):
    class Meta:
        table_name = "keyed"

    key = UnicodeAttribute(hash_key=True)


class Notes(ModelResource, Create, List, Retrieve):
    model: ClassVar[type[Model]] = Note
    permissions = OwnedBy("owner")

    @action(detail=False, path="all")
    def count(self) -> Any:
        return 0


def of(name: str, **members: Any) -> type:
    return type(name, (Notes,), {"route": name.lower(), **members})


def routes(*resources: Any, **options: Any) -> tuple[Route, ...]:
    pm = PolyMicro(**options)
    for resource in resources:
        resource(pm)
    pm.compile()
    return pm.routes


def said(route: Route) -> dict[str, Any]:
    """What a route says that is not the resource's own object."""
    own = {"resource", "call", "parts", "template", "model", "schema"}
    return {name: value for name, value in vars(route).items() if name not in own}


def test_what_is_inherited_alike_is_read_once() -> None:
    """And each route is still of its own resource, at its own place, over its own model."""
    first, other = of("First"), of("Other", model=Same)
    found = routes(first, other)
    ours, theirs = found[:4], found[4:]
    assert [said(route) for route in ours] == [said(route) for route in theirs]
    assert all(a.rule is b.rule and a.filters is b.filters for a, b in zip(ours, theirs, strict=True))
    assert [(type(r.resource), r.call.__self__ is r.resource) for r in theirs] == [(other, True)] * 4
    assert [(r.http, r.template, r.model, r.schema.model) for r in theirs] == [
        ("POST", "/other", Same, Same),
        ("GET", "/other", Same, Same),
        ("GET", "/other/{id}", Same, Same),
        ("POST", "/other/all", Same, Same),
    ]
    resource = theirs[0].resource
    assert (resource.store.model, resource.planner.model) == (Same, Same)  # type: ignore[attr-defined]
    assert resource.item is not None
    assert resource.item.template == ("other", "{id}")


def test_the_same_resources_compiled_again() -> None:
    pm = PolyMicro()
    of("First")(pm)
    of("Other")(pm)
    pm.compile()
    before = [said(route) for route in pm.routes]
    pm.compile()
    assert [str(one) for one in before] == [str(said(route)) for route in pm.routes]


class Computed(Notes):
    @property
    def permissions(self) -> Any:  # type: ignore[override]
        return OwnedBy("owner") & (AllowAny if self.route == "first" else ReadOnly)


class Making(Notes):
    def __init__(self, app: PolyMicro) -> None:
        self.permissions = OwnedBy("owner") & (AllowAny if self.route == "first" else ReadOnly)  # type: ignore[misc]
        super().__init__(app)


class Asked(Notes):
    def __getattribute__(self, name: str) -> Any:
        if name != "permissions":
            return super().__getattribute__(name)
        return OwnedBy("owner") & (AllowAny if self.route == "first" else ReadOnly)


@pytest.mark.parametrize("parent", [Computed, Making, Asked])
def test_what_is_computed_is_not_shared(parent: type) -> None:
    found = routes(*[type(name.title(), (parent,), {"route": name}) for name in ("first", "other")])
    assert [str(found[0].rule), str(found[-1].rule)] == [
        "(OwnedBy('owner', claim='uuid') & AllowAny)",
        "(OwnedBy('owner', claim='uuid') & ReadOnly)",
    ]


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        pytest.param({"permissions": AllowAny, "scan": True}, {"rule": "AllowAny"}, id="permissions"),
        pytest.param({"max_limit": 7}, {"limit": 7}, id="setting"),
        pytest.param({"list": lambda self: []}, {"is_default": False}, id="verb"),
        pytest.param({"represent": lambda self, data, instance, request: data}, {"whole": True}, id="hook"),
    ],
)
def test_what_one_says_of_its_own(members: dict[str, Any], wanted: dict[str, Any]) -> None:
    """It is not that of those before it, nor of those after it."""
    found = [r for r in routes(of("First"), of("Other", **members), of("Third")) if r.verb == "list"]
    first, other, third = [{name: getattr(route, name) for name in wanted} for route in found]
    assert first == third
    assert first != other
    assert {name: str(value) if name == "rule" else value for name, value in other.items()} == wanted


def test_another_route_or_model_is_seen() -> None:
    """Whose key is of another type, or has more in the path."""
    found = routes(of("First"), of("Other", model=Numbered), of("Third", route="{color}/third"))
    schemas = [route.schema for route in found if route.verb == "retrieve"]
    assert [schema.attributes["id"].attr_type for schema in schemas] == ["S", "N", "S"]
    assert [route.template for route in found if route.verb == "retrieve"] == [
        "/first/{id}",
        "/other/{id}",
        "/{color}/third/{id}",
    ]


MISTAKES: dict[str, tuple[Callable[[], type], str]] = {
    "an owner": (lambda: of("Wrong", model=Keyed), r"Wrong\.permissions: .* names no attribute of Keyed"),
    "a route": (lambda: of("Wrong", route="a b"), r"Wrong\.route: 'a b' can be no path segment"),
    "a parameter": (lambda: of("Wrong", route="{taste}/x"), r"Wrong\.route: \{taste\} is no attribute"),
    "a model": (lambda: of("Wrong", model=dict), r"Wrong\.model must be a PynamoDB model"),
    "a name": (lambda: of("Wrong", queryset=1), r"Wrong\.queryset means nothing here"),
    "a setting": (lambda: of("Wrong", scan=1), r"Wrong\.scan must be True or False"),
    "a path": (lambda: of("Wrong", route="first"), r"Wrong\.create and First\.create are both POST /first"),
}


@pytest.mark.parametrize(("wrong", "text"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_of_a_later_one(wrong: Callable[[], type], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        routes(of("First"), of("Second", model=Same), wrong())


def test_permissions_of_the_app() -> None:
    """A family is that of one app: another has other defaults."""
    kinds = [type(name, (ModelResource, Delete), {"route": name, "model": Note}) for name in ("a", "b")]
    assert [str(route.rule) for route in routes(*kinds)] == ["IsAuthenticated"] * 2
    assert [str(route.rule) for route in routes(*kinds, default_permissions=AllowAny)] == ["AllowAny"] * 2
    assert str(IsAuthenticated()) == "IsAuthenticated"
