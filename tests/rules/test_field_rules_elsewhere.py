"""Field rules of a resource hold where an action of another one shows its items."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from contract import ALICE, BOB, Caller, counted, create_tables, names
from pynamodb.attributes import DiscriminatorAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Idempotency,
    InGroup,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Resource,
    Retrieve,
    Through,
    User,
    action,
)

HAL = User("hal", groups=frozenset({"hr"}))


class ByPath(Permission):
    """Who asks for this item by its own path."""

    def has_permission(self, user: Any, method: str, request: Any) -> bool:
        return bool(request.path_params["id"])


class Home(MapAttribute[str, Any]):
    town = UnicodeAttribute()
    street = UnicodeAttribute(default="High Street")


class People:
    """Two models, and the resource of one, in tables of a test's own."""

    def __init__(self, table: str) -> None:
        class Person(Model, discriminator="person"):
            class Meta:
                table_name = table

            id = UnicodeAttribute(hash_key=True)
            kind = DiscriminatorAttribute()
            owner = UnicodeAttribute()
            team = UnicodeAttribute(default="t")
            pay = NumberAttribute(default=9)
            grade = NumberAttribute(default=1)
            mark = NumberAttribute(default=2)
            pin = NumberAttribute(default=3)
            home = Home(null=True)

        class Guest(Person, discriminator="guest"):
            until = NumberAttribute(default=1)

        class Member(Model):
            class Meta:
                table_name = f"{table}-members"

            team = UnicodeAttribute(hash_key=True)
            user = UnicodeAttribute(range_key=True)

        class Persons(ModelResource, Retrieve):
            model = Person
            route = "persons"
            permissions = AllowAny
            exclude = ("kind", "team")
            field_permissions: ClassVar[Mapping[str, Any]] = {
                "pay": InGroup("hr"),
                "grade": OwnedBy("owner"),
                "mark": Through(Member, {"team": "team", "user": Claim("uuid")}),
                "pin": ByPath,
                "home.town": InGroup("hr"),
            }

        self.person, self.guest, self.member, self.persons = Person, Guest, Member, Persons

    def shown(self, *more: str, **said: Any) -> dict[str, Any]:
        """What is shown of the person ``a``: what everybody may see, and these fields."""
        known = {"pay": 9, "grade": 1, "mark": 2, "pin": 3}
        home = {"street": "High Street"} | ({"town": "Bern"} if "town" in more else {})
        fields = {name: known[name] for name in more if name in known}
        return {"id": "a", "owner": "alice", "home": home, **fields, **said}


@pytest.fixture
def people(dynamodb: None, table_name: str) -> People:
    return People(table_name)


def started(people: People, *resources: type[Resource | ModelResource], **said: Any) -> Caller:
    pm = PolyMicro(**said)
    for one in resources:
        one(pm)
    caller = Caller(pm, user=ALICE)
    assert caller.handler
    create_tables(pm)
    people.person("a", owner="alice", home=Home(town="Bern")).save()
    people.member("t", "bob").save()
    return caller


def profile(people: People) -> type[Resource]:
    class Profile(Resource):
        route = "profile"
        permissions = AllowAny

        @action(methods="GET", path="")
        def alone(self) -> Any:
            return people.person.get("a")

        @action(methods="GET")
        def nested(self) -> Any:
            return {"who": [people.person.get("a")], "more": {"x": (one for one in [people.person.get("a")])}}

        @action(methods="GET")
        def several(self) -> Any:
            return people.person.scan()

    return Profile


def test_a_resource_without_a_model_hides_what_the_models_own_hides(people: People) -> None:
    """By user, by item, by a related item and in maps; what looks at the path of the request hides."""
    Profile = profile(people)
    caller = started(people, Profile, people.persons)
    seen = {
        None: people.shown(),
        ALICE: people.shown("grade"),
        BOB: people.shown("mark"),
        HAL: people.shown("pay", "town"),
    }
    for user, shown in seen.items():
        assert caller.everywhere("GET", "/profile", user=user).json == shown
        nested = caller.everywhere("GET", "/profile/nested", user=user).json
        assert nested == {"who": [shown], "more": {"x": [shown]}}
        assert caller.everywhere("GET", "/profile/several", user=user).json == [shown]
        own = people.shown(*{*shown} - {"id"}, *["pin"] * (user is not None), *["town"] * (user is HAL))
        assert caller.get("/persons/a", user=user).json == own


def test_related_items_of_several_are_read_at_once(people: People) -> None:
    caller = started(people, profile(people), people.persons)
    for number in range(3):
        people.person(str(number), owner="x", team=str(number)).save()
    with counted() as calls:
        assert len(caller.get("/profile/several", user=BOB).json) == 4
    assert names(calls) == ["Scan", "BatchGetItem"]


def test_a_hook_is_asked_too(people: People) -> None:
    class Hooked(people.persons):  # type: ignore[name-defined,misc] # made by the fixture
        field_permissions: ClassVar[Mapping[str, Any]] = {}
        calls: ClassVar[Mapping[Any, str]] = {people.member: "GetItem"}

        def fields_for(self, user: Any, method: Any) -> Any:
            return ["id"] if (user.uuid, method, method.http) == ("alice", "retrieve", "GET") else None

    caller = started(people, profile(people), Hooked)
    assert caller.get("/profile").json == {"id": "a"}
    assert caller.get("/profile", user=BOB).json == people.shown("pay", "grade", "mark", "pin", "town")


def test_an_instance_of_a_model_that_inherits(people: People) -> None:
    """The resource of the nearest model above shows it, less what it hides."""
    caller = started(people, profile(people), people.persons)
    people.guest("a", owner="alice", home=Home(town="Bern")).save()
    assert caller.everywhere("GET", "/profile").json == people.shown("grade")


@pytest.mark.parametrize(
    ("own", "persons", "seen_by"),
    [
        pytest.param({}, {}, [ALICE, HAL], id="no rule"),
        pytest.param({}, {"team": InGroup("hr")}, [HAL], id="the other resource's"),
        pytest.param({"team": InGroup("hr")}, {}, [HAL], id="its own"),
        pytest.param({"team": OwnedBy("user")}, {}, [], id="its own, which asks its own items alone"),
    ],
)
def test_a_resource_of_another_model(people: People, own: Any, persons: Any, seen_by: list[User]) -> None:
    """Its own schema shows the item, less what either of the two resources hides."""

    class Members(ModelResource, Retrieve):
        model = people.member
        route = "members"
        permissions = AllowAny
        field_permissions = own

        @action(methods="GET", detail=False)
        def person(self) -> Any:
            return {"who": people.person.get("a")}

    class Persons(people.persons):  # type: ignore[name-defined,misc] # made by the fixture
        exclude = ()
        field_permissions = persons

    caller = started(people, Members, Persons)
    for user in (ALICE, HAL):
        shown = {"user": None, **({"team": "t"} if user in seen_by else {})}
        assert caller.everywhere("GET", "/members/person", user=user).json == {"who": shown}


@pytest.mark.parametrize("path", ["/cards", "/cards/nested"])
def test_a_repeated_request_shows_no_field_again(people: People, path: str) -> None:
    """Its user may have lost the group meanwhile, and the rules of the other resource are not asked again."""

    class Cards(Resource):
        route = "cards"
        idempotent = ("alone", "nested")

        @action(path="")
        def alone(self) -> Any:
            return people.person.get("a")

        @action()
        def nested(self) -> Any:
            return {"who": people.person.get("a")}

    caller = started(people, Cards, people.persons, idempotency=Idempotency())
    said: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}}
    assert '"pay":9' in caller.post(path, user=HAL, **said).text
    again = caller.post(path, user=User("hal"), **said)
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (200, b"", "true")
