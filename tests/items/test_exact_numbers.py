"""Numbers that others have stored keep all of their 38 digits: shown, addressed, compared and written back."""

import json
from decimal import Decimal
from typing import Any

import pytest
from contract import ALICE, Caller, assert_problem, create_table, dynamodb_call, stored
from pynamodb.attributes import (
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
)
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Create,
    DecimalAttribute,
    Delete,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
)

LONG = "0.12345678901234567890123456789012345678"
NEXT = "0.12345678901234567890123456789012345679"
"""One float stands for both."""
TINY = "-0.00000000000000000001234567890123456789"


class Opaque(Permission):
    """Asks of an instance, so that one is made."""

    def has_object_permission(self, user: Any, method: Any, instance: Any) -> bool:
        return instance.size is None or isinstance(instance.size, Decimal)


class Base(Model):
    """Its own ``__init__`` has PynamoDB make the instances."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)


@pytest.fixture(
    params=[(Model, AllowAny), (Model, Opaque), (Base, Opaque)],
    ids=["without instances", "with instances", "instances of PynamoDB's"],
)
def client(request: Any, dynamodb: None, table_name: str) -> Caller:
    base, rule = request.param

    class Mark(base):  # type: ignore[misc, valid-type]
        class Meta:
            table_name = ""

        owner = UnicodeAttribute(hash_key=True)
        place = NumberAttribute(range_key=True)
        size = NumberAttribute(null=True)
        sizes = NumberSetAttribute(null=True)
        free = MapAttribute[str, Any](null=True)
        steps = ListAttribute(of=NumberAttribute, null=True)
        price = DecimalAttribute(as_string=False, null=True)
        text = UnicodeAttribute(null=True)

    class Marks(ModelResource, Create, Retrieve, Update, Delete, List):
        model = Mark
        route = "marks"
        permissions = rule
        filters = {"owner": ("eq",), "place": ("eq", "gt"), "size": ("eq", "in"), "sizes": ("contains",)}  # noqa: RUF012

        @action()
        def copy(self, instance: Any) -> Any:
            changes = {name: getattr(instance, name) for name in ("size", "sizes", "steps", "price")}
            free = {"more": instance.free["a"]}
            return self.store.update(instance, changes | {"text": str(instance.place), "free": free})

        @action()
        def say(self, instance: Any) -> Any:
            return {
                "size": instance.size,
                "whole": Decimal("3.0"),
                "short": Decimal("1.50"),
                "by": f"x{LONG}",
            }

    create_table(Mark, table_name)
    for place in LONG, NEXT:
        dynamodb_call("put_item", TableName=table_name, Item=item(place))
    pm = PolyMicro(cursor_secret="s")
    Marks(pm)
    return Caller(pm.compile(), user=ALICE)


def item(place: str, **more: Any) -> dict[str, Any]:
    return {
        "owner": {"S": "o"},
        "place": {"N": place},
        "size": {"N": TINY},
        "sizes": {"NS": [LONG, NEXT]},
        "free": {"M": {"a": {"N": LONG}}},
        "steps": {"L": [{"N": LONG}, {"N": "1.5"}, {"N": "3"}]},
        "price": {"N": LONG},
    } | more


def shown(place: str, **more: Any) -> dict[str, Any]:
    return {
        "owner": "o",
        "place": Decimal(place),
        "size": Decimal(TINY),
        "sizes": [Decimal(LONG), Decimal(NEXT)],
        "free": {"a": Decimal(LONG)},
        "steps": [Decimal(LONG), Decimal("1.5"), 3],
        "price": Decimal(LONG),
        "text": None,
    } | more


def exact(result: Any) -> Any:
    assert result.status < 300, result.json
    return json.loads(result.text, parse_float=Decimal)


def test_all_digits_are_shown(client: Caller) -> None:
    assert exact(client.get(f"/marks/o/{LONG}")) == shown(LONG)
    assert exact(client.get(f"/marks/o/{NEXT}")) == shown(NEXT)
    assert exact(client.get("/marks?owner=o"))["items"] == [shown(LONG), shown(NEXT)]
    assert exact(client.get("/marks?owner=o&fields=size"))["items"] == [{"size": Decimal(TINY)}] * 2
    said = {"size": Decimal(TINY), "whole": 3, "short": Decimal("1.5"), "by": f"x{LONG}"}
    assert exact(client.post(f"/marks/o/{LONG}/say")) == said


def test_a_write_meets_the_item_of_its_path(client: Caller, table_name: str) -> None:
    assert exact(client.patch(f"/marks/o/{NEXT}", json={"text": "x"})) == shown(NEXT, text="x")
    assert stored(table_name) == sorted([item(LONG), item(NEXT, text={"S": "x"})], key=repr)
    assert client.delete(f"/marks/o/{LONG}").status == 204
    assert_problem(client.get(f"/marks/o/{LONG}"), 404)
    assert client.get(f"/marks/o/{NEXT}").status == 200


def test_the_next_page_begins_behind_the_item(client: Caller) -> None:
    first = exact(client.get("/marks?owner=o&limit=1"))
    second = exact(client.get(f"/marks?owner=o&limit=1&pagination_key={first['pagination_key']}"))
    assert (first["items"], second["items"]) == ([shown(LONG)], [shown(NEXT)])


@pytest.mark.parametrize(
    ("query", "places"),
    [
        (f"place={LONG}", [LONG]),
        (f"place__gt={LONG}", [NEXT]),
        (f"size={TINY}", [LONG, NEXT]),
        (f"size={TINY}1", []),
        (f"size__in={LONG},{TINY}", [LONG, NEXT]),
        (f"sizes__contains={NEXT}", [LONG, NEXT]),
    ],
)
def test_a_filter_has_all_digits(client: Caller, query: str, places: list[str]) -> None:
    assert exact(client.get(f"/marks?owner=o&{query}"))["items"] == [shown(place) for place in places]


def test_a_verb_writes_back_what_it_has_read(client: Caller, table_name: str) -> None:
    more = {"free": {"more": Decimal(LONG)}, "text": LONG}
    assert exact(client.post(f"/marks/o/{LONG}/copy")) == shown(LONG, **more)
    (kept,) = [one for one in stored(table_name) if "text" in one]
    kept["sizes"]["NS"].sort()
    assert kept == item(LONG, free={"M": {"more": {"N": LONG}}}, text={"S": LONG})


@pytest.mark.parametrize("path", [f"/marks/o/{LONG}9", "/marks/o/1e200"])
def test_no_item_has_a_number_that_dynamodb_does_not_have(client: Caller, path: str) -> None:
    assert_problem(client.get(path), 404)


def test_a_body_has_numbers_that_any_parser_keeps(client: Caller) -> None:
    body = f'{{"owner": "o", "place": {LONG}}}'
    refused = client.post("/marks", body=body, headers={"content-type": "application/json"})
    assert_problem(refused, 422, "#/place")
