"""Items by many keys in one call: each judged as ever, and what is not there or not the user's is absent alike."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, every_form, names, resolved, watched
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.testing import FakeContext

Make = Callable[..., Caller]
IDS = {"filters": {"id": ("in",)}}


class Visible(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.owner == user.uuid


class OpaqueVisible(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.owner == user.uuid)


@pytest.fixture
def docs(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/docs``, of which alice has 0 to 4 and bob has 5."""

    class Owned(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        amount = NumberAttribute(default=0)

    class Flat(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute()
        amount = NumberAttribute(default=0)

    Owned.Meta.table_name, Flat.Meta.table_name = table_name, f"{table_name}f"  # type: ignore[attr-defined]

    def make(*, flat: bool = False, **body: Any) -> Caller:
        model = Flat if flat else Owned
        pm = PolyMicro()
        rule = Visible if flat else OwnedBy("owner")
        said = {"model": model, "route": "docs", "permissions": rule, **IDS, **body}
        type("Docs", (ModelResource, Create, List, Retrieve), said)(pm)
        client = Caller(pm.compile(), user=ALICE)
        client.app_ = pm  # type: ignore[attr-defined]
        if not model.exists():
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
            for number in range(6):
                owner = "bob" if number == 5 else "alice"
                model(id=str(number), owner=owner, amount=number).save()
        return client

    return make


def ids(result: Any) -> list[str]:
    assert result.status == 200, result.text
    return [item["id"] for item in result.json["items"]]


@every_form
@pytest.mark.parametrize("flat", [False, True], ids=["owned", "flat"])
def test_many_by_their_keys(docs: Make, flat: bool, form: dict[str, Any]) -> None:
    """Each once, in the order of the sort key, else in that asked for; what is not there or another's is absent."""
    client = docs(flat=flat)
    with counted() as calls:
        result = client.request("GET", "/docs?id__in=3,0,missing,5,3,4", **form)
    assert (ids(result), result.json["pagination_key"], names(calls)) == (
        ["3", "0", "4"] if flat else ["0", "3", "4"],
        None,
        ["BatchGetItem"],
    )
    assert result.json["items"][-1] == client.get("/docs/4").json
    assert ids(client.get("/docs?id__in=1&id__in=2&id__in=1")) == ["1", "2"]
    hidden, missing = (client.get(f"/docs?id__in={one}") for one in ("5", "6"))
    assert (hidden.status, hidden.body) == (200, missing.body)


def test_each_is_judged(docs: Make) -> None:
    opaque = docs(flat=True, permissions=OpaqueVisible)
    assert (ids(opaque.get("/docs?id__in=4,5")), ids(opaque.get("/docs?id__in=4,5", user=BOB))) == (
        ["4"],
        ["5"],
    )
    filtered = docs(filters={"id": ("in",), "amount": ("gte",)})
    assert ids(filtered.get("/docs?id__in=0,1,2,3&amount__gte=2")) == ["2", "3"]
    client = docs(flat=True)
    with counted() as calls:
        assert_problem(client.get("/docs?id__in=1", user=None), 401)
    assert calls == []


def test_a_page_has_room_for_all_that_is_asked_for(docs: Make) -> None:
    client = docs()
    many = ",".join(["0", *(f"x{n}" for n in range(97)), "1", "2"])
    with counted() as calls:
        assert ids(client.get(f"/docs?id__in={many}")) == ["0", "1", "2"]
    assert [len(next(iter(call["RequestItems"].values()))["Keys"]) for _, call in calls] == [100]
    assert_problem(client.get(f"/docs?id__in={many},3"), 400, "id__in")


def test_pages(docs: Make) -> None:
    client, found = docs(max_limit=2), []
    path = "/docs?id__in=4,missing,0,3,1,2"
    while path:
        result = client.get(path)
        found.append(ids(result))
        path = resolved(result, path, "link") if "link" in result.headers else ""
    assert found == [["0", "1"], ["2", "3"], ["4"]]
    backwards = client.get("/docs?id__in=4,3,2&limit=2&sort=-id")
    assert ids(backwards) == ["4", "3"]
    assert ids(client.get(resolved(backwards, "/docs", "link"))) == ["2"]


def test_the_read_budget_counts(docs: Make) -> None:
    client = docs(read_budget=1)
    result = client.get("/docs?id__in=00,01,02,4&limit=2")
    assert (ids(result), result.json["pagination_key"] is None) == ([], False)
    assert ids(client.get(resolved(result, "/docs", "link"))) == ["4"]


def leaving(rounds: int) -> Any:
    """BatchGetItem leaves the last key, so many times."""
    left = iter(range(rounds))

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation != "BatchGetItem" or next(left, None) is None:
            return call()
        ((table, asked),) = parameters["RequestItems"].items()
        keys = asked["Keys"]
        rest = {"UnprocessedKeys": {table: {**asked, "Keys": keys[-1:]}}}
        if len(keys) == 1:
            return {"Responses": {}, **rest}
        asked["Keys"] = keys[:-1]
        return {**call(), **rest}

    return watched(act)


@pytest.mark.parametrize(
    ("rounds", "seconds", "status", "calls"), [(2, 30.0, 200, 3), (9, 30.0, 503, 5), (9, 1.9, 503, 1)]
)
def test_what_is_left_is_asked_for_again(
    docs: Make, rounds: int, seconds: float, status: int, calls: int
) -> None:
    """In the time that there is, with a pause."""
    client = docs(read_budget=9)
    with leaving(rounds) as made:
        result = client.get("/docs?id__in=0,1,2", context=FakeContext(timeout=seconds), request_id="r-1")
    assert (result.status, len(made)) == (status, calls)
    assert status == 503 or ids(result) == ["0", "1", "2"]
    assert ("retry-after" in result.headers) is (status == 503)


def test_what_binds_the_rest_of_the_key(docs: Make) -> None:
    by_filter = docs(permissions=AllowAny, filters={"owner": ("eq",), "id": ("in",)})
    with counted() as calls:
        assert ids(by_filter.get("/docs?owner=bob&id__in=5,4")) == ["5"]
    assert names(calls) == ["BatchGetItem"]
    assert_problem(by_filter.get("/docs?id__in=5,4"), 400)
    assert_problem(docs(flat=True, permissions=AllowAny).get("/docs"), 400)
    with pytest.raises(ConfigurationError, match="list could serve no request"):
        docs(permissions=AllowAny)


def test_in_words_and_in_the_policy(docs: Make) -> None:
    for flat, calls in ((False, "Query or BatchGetItem"), (True, "BatchGetItem")):
        app = docs(flat=flat, permissions=AllowAny if flat else OwnedBy("owner")).app_  # type: ignore[attr-defined]
        routes = [route for route in app.routes if route.verb == "list"]
        ((row,), (granted,)) = rows(routes), statements(routes)
        assert (row.access, row.calls) == ("table", calls)
        assert granted["Action"] == [f"dynamodb:{name}" for name in sorted(calls.split(" or "))]
        said = dict(explain(app, "GET /docs?id__in=1,2,1", ALICE))
        assert said["calls"] == "BatchGetItem on the table, of 2 keys, consistent"
