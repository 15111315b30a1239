"""POST of a list: all items or none, or each for itself, and never what looks like a success and is none."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import ALICE, Caller, assert_problem, counted, create_tables, every_form, names, stored, watched
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    HasPermission,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    User,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.openapi.document import openapi

Make = Callable[..., Caller]
KEY = {"Idempotency-Key": "k1"}
LENIENT = {"Prefer": "handling=lenient"}


@pytest.fixture
def docs(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/docs``, of which 20 can be created at once and no two have the same slug."""

    class Doc(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        slug = UnicodeAttribute(null=True)
        amount = NumberAttribute(default=0)

    Doc.Meta.table_name = table_name  # type: ignore[attr-defined]
    idempotency = Idempotency(table=f"{table_name}_keys")

    def make(*bases: Any, **body: Any) -> Caller:
        pm = PolyMicro(idempotency=idempotency, cursor_secret="s", max_body=6_000_000)
        said = {
            "model": Doc,
            "route": "docs",
            "permissions": OwnedBy("owner"),
            "unique": "slug",
            "max_bulk": 20,
        }
        type("Docs", (*bases, ModelResource, Create, List, Retrieve, Update, Delete), {**said, **body})(pm)
        client = Caller(pm.compile(), user=ALICE)
        client.app_ = pm  # type: ignore[attr-defined]
        create_tables(pm)
        return client

    return make


def doc(number: Any, slug: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": str(number), **({} if slug is None else {"slug": slug}), **more}


def kept(table: str) -> list[str]:
    return sorted(item["id"]["S"] for item in stored(table))


# --- all or none -------------------------------------------------------------------------------------------------


@every_form
def test_all_are_created(docs: Make, table_name: str, form: dict[str, Any]) -> None:
    client = docs()
    with counted() as calls:
        result = client.request("POST", "/docs", json=[doc(1, "a"), doc(2), doc(3, "c", amount=3)], **form)
    assert (result.status, [one["id"] for one in result.json], names(calls)) == (
        201,
        ["1", "2", "3"],
        ["TransactWriteItems"],
    )
    assert result.json == [client.get(f"/docs/{number}").json for number in (1, 2, 3)]
    assert not {"preference-applied", "location"} & set(result.headers)
    assert len(stored(f"{table_name}_unique")) == 2


@pytest.mark.parametrize(
    ("items", "status", "places"),
    [
        ([doc(1), doc(2, amount="x"), {}], 422, ["#/1/amount", "#/2/id"]),
        ([doc(1), doc(2, nope=1)], 422, ["#/1/nope"]),
        ([doc(1), doc(2, owner="bob")], 422, ["#/1/owner"]),
        ([doc(1), 3, []], 422, ["#/1", "#/2"]),
        ([], 422, ["#"]),
        ([doc(n) for n in range(21)], 413, []),
        ([doc(1), doc("taken")], 409, ["#/1"]),
        ([doc("taken"), doc(2, "held")], 409, ["#/0"]),
        ([doc(1), doc(2, "held"), doc(3, "b")], 409, ["#/1/slug"]),
        ([doc(1, "a"), doc(2, "a")], 409, ["#/1/slug"]),
        ([doc(1), doc(2), doc(1)], 409, ["#/2"]),
        ([doc(1), doc(2, "x" * 420_000)], 413, []),
        ([doc(n, amount=n, slug="x" * 380_000 + str(n)) for n in range(12)], 413, []),
    ],
    ids=[
        "schema",
        "unknown",
        "owner",
        "no objects",
        "empty",
        "too many",
        "key",
        "key before value",
        "value",
        "value twice",
        "key twice",
        "400 KB",
        "4 MB",
    ],
)
def test_one_that_cannot_be_created_leaves_nothing(
    docs: Make, table_name: str, items: list[Any], status: int, places: list[str]
) -> None:
    client = docs()
    client.post("/docs", json=doc("taken", "held"))
    assert_problem(client.post("/docs", json=items), status, *places)
    assert (kept(table_name), len(stored(f"{table_name}_unique"))) == (["taken"], 1)


def test_where_none_is_taken_a_list_is_no_object(docs: Make) -> None:
    client = docs(max_bulk=0)
    with counted() as calls:
        assert_problem(client.post("/docs", json=[doc(1)]), 400)
    assert calls == []


def test_rules_and_queries_are_asked_as_ever(docs: Make, table_name: str) -> None:
    client = docs(permissions=OwnedBy("owner") & HasPermission("therapist"))
    assert_problem(client.post("/docs", json=[doc(1)], user=User("eve")), 403)
    assert_problem(client.post("/docs", json=[doc(1)], user=None), 401)
    assert_problem(client.post("/docs?x=1", json=[doc(1)]), 400, "x")
    fields = docs(field_permissions={"amount": {"write": HasPermission("admin")}})
    assert_problem(fields.post("/docs", json=[doc(1), doc(2, amount=1)]), 422, "#/1/amount")
    assert kept(table_name) == []


class Checked(Create):
    """Refuses some, in the ways in which verbs do."""

    def create(self, req: Any, user: Any) -> Any:
        if req["amount"] == 1:
            raise Conflict("No ones.")
        if req["amount"] == 2:
            return {"detail": "No twos."}, 418
        if req["amount"] == 3:
            raise KeyError("canary")
        made = super().create({**req, "slug": f"{user.uuid}-{req['id']}"}, user)
        return made, 202, {"X-Job": "7"}


@pytest.mark.parametrize(
    ("amount", "status", "detail"), [(1, 409, "No ones."), (2, 418, "No twos."), (3, 500, None)]
)
def test_a_verb_of_the_resources_own_refuses(
    docs: Make, table_name: str, amount: int, status: int, detail: str | None
) -> None:
    client = docs(Checked)
    result = client.post("/docs", json=[doc(1, amount=9), doc(2, amount=amount)])
    errors = [] if detail is None else [{"pointer": "#/1", "detail": detail}]
    assert (result.status, result.json.get("errors", []), kept(table_name)) == (status, errors, [])


def test_a_verb_of_the_resources_own_creates(docs: Make, table_name: str) -> None:
    result = docs(Checked).post("/docs", json=[doc(1, amount=9), doc(2, amount=8)])
    assert (result.status, [one["slug"] for one in result.json]) == (201, ["alice-1", "alice-2"])
    assert kept(table_name) == ["1", "2"]


def test_a_verb_that_changes_something_else_too_is_an_error(docs: Make, table_name: str) -> None:
    """Before anything is written: what it changed could not be taken back."""

    class Counts(Create):
        store: Any

        def create(self, req: Any, user: Any) -> Any:
            made = super().create(req, user)
            self.store.delete(made)
            return made

    assert_problem(docs(Counts).post("/docs", json=[doc(1)]), 500)
    assert kept(table_name) == []


@pytest.mark.parametrize(("late", "status"), [(False, 503), (True, 201)])
def test_a_lost_answer(docs: Make, table_name: str, late: bool, status: int) -> None:
    client, left = docs(), [ReadTimeoutError(endpoint_url="dynamodb")]

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems" and left:
            if late:
                call()
            raise left.pop()
        return call()

    with watched(act):
        result = client.post("/docs", json=[doc(1, "a"), doc(2)])
    assert (result.status, kept(table_name)) == (status, ["1", "2"] if late else [])


# --- each for itself ---------------------------------------------------------------------------------------------


@every_form
def test_each_for_itself(docs: Make, table_name: str, form: dict[str, Any]) -> None:
    client = docs()
    client.post("/docs", json=doc("taken", "held"))
    items = [doc(1, "a"), doc(2, amount="x"), 3, doc("taken"), doc(4, "held"), doc(5, "a"), doc(6)]
    result = client.request("POST", "/docs", json=items, headers=LENIENT, **form)
    entries = result.json["items"]
    assert (result.status, result.headers["preference-applied"]) == (207, "handling=lenient")
    assert [entry["status"] for entry in entries] == [201, 422, 422, 409, 409, 409, 201]
    assert result.json["failed"] == 5
    assert entries[0] == {"status": 201, "item": client.get("/docs/1").json}
    pointers = [error["pointer"] for entry in entries for error in entry.get("problem", {}).get("errors", ())]
    assert pointers == ["#/1/amount", "#/2", "#/3", "#/4/slug", "#/5/slug"]
    assert entries[4]["problem"] == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "A value is taken that only one item may have.",
        "errors": [{"pointer": "#/4/slug", "detail": "This value is taken."}],
    }
    assert kept(table_name) == ["1", "6", "taken"]


def test_each_by_a_verb_of_the_resources_own(docs: Make, table_name: str) -> None:
    items = [doc(n, amount=n) for n in range(5)]
    entries = docs(Checked).post("/docs", json=items, headers=LENIENT).json["items"]
    assert [entry["status"] for entry in entries] == [202, 409, 418, 500, 202]
    assert [entry["problem"].get("detail") for entry in entries if "problem" in entry][:2] == [
        "No ones.",
        "No twos.",
    ]
    assert kept(table_name) == ["0", "4"]


@pytest.mark.parametrize(
    ("said", "status", "applied"),
    [
        ("handling=lenient", 207, "handling=lenient"),
        ('respond-async, Handling="Lenient"; x=1', 207, "handling=lenient"),
        ("handling=strict", 201, "handling=strict"),
        ("handling=odd, wait=1", 201, None),
        ("handling", 201, None),
    ],
)
def test_preferences(docs: Make, said: str, status: int, applied: str | None) -> None:
    client = docs()
    result = client.post("/docs", json=[doc(1)], headers={"Prefer": said})
    assert (result.status, result.headers.get("preference-applied")) == (status, applied)
    assert client.post("/docs", json=doc(2), headers={"Prefer": said}).status == 201


# --- with an idempotency key -------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, LENIENT], ids=["all", "each"])
def test_a_repeated_list(docs: Make, table_name: str, headers: dict[str, str]) -> None:
    client = docs()
    items = [doc(1, "a"), doc(2)]
    first, again = (client.post("/docs", json=items, headers={**KEY, **headers}) for _ in range(2))
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (
        first.status,
        first.body,
        "true",
    )
    assert_problem(client.post("/docs", json=items[:1], headers=KEY), 422)
    assert kept(table_name) == ["1", "2"]


class Dead(BaseException):
    """The end of a Lambda."""


@pytest.mark.parametrize(
    ("headers", "at"), [({}, 1), (LENIENT, 1), (LENIENT, 2)], ids=["all", "each, first", "each, last"]
)
def test_a_list_that_is_broken_off(
    docs: Make, table_name: str, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], at: int
) -> None:
    """The next try finds each item that is there already, also behind one that was refused."""
    count, now = iter(range(99)), time.time

    class Numbered(Create):
        store: Any

        def create(self, req: Any, user: Any) -> Any:
            return self.store.create({**req, "id": f"{req['id']}-{next(count)}"})

    client = docs(Numbered)
    client.post("/docs", json=doc("x", "held"))
    items = [doc(1, "a"), *([doc(2, "held")] if headers else []), doc(3, "c")]
    writes = iter(range(99))

    def dying(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        answer = call()
        if operation == "TransactWriteItems" and next(writes) >= at - 1:
            raise Dead
        return answer

    with watched(dying), pytest.raises(Dead):
        client.post("/docs", json=items, headers={**KEY, **headers})
    monkeypatch.setattr("polymicro_lambda.idempotency.records.time.time", lambda: now() + 40)
    result = client.post("/docs", json=items, headers={**KEY, **headers})
    shown = [entry["item"] for entry in result.json["items"] if "item" in entry] if headers else result.json
    assert result.status == (207 if headers else 201)
    assert sorted([*kept(table_name)]) == sorted(["x-0", *(one["id"] for one in shown)])
    assert [one["slug"] for one in shown] == ["a", "c"]


# --- declarations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"max_bulk": -1}, "must be a number of items, 0 for no lists, not -1"),
        ({"max_bulk": True}, "must be a number of items, 0 for no lists, not True"),
        ({"max_bulk": 101, "unique": ()}, "each item takes 1: say at most 100"),
        ({"max_bulk": 51}, "each item takes 2: say at most 50"),
        ({"max_bulk": 5, "create": None}, "Docs has none: mix in Create"),
    ],
)
def test_mistakes(body: dict[str, Any], message: str) -> None:
    class Doc(Model):
        class Meta:
            table_name = "docs"

        id = UnicodeAttribute(hash_key=True)
        slug = UnicodeAttribute(null=True)

    pm = PolyMicro()
    bases = (ModelResource, Retrieve) if body.pop("create", 1) is None else (ModelResource, Create)
    type("Docs", bases, {"model": Doc, "route": "docs", "unique": "slug", **body})(pm)
    with pytest.raises(ConfigurationError, match=rf"^Docs\.max_bulk.* {message}$"):
        pm.compile()


def test_one_write_less_beside_an_idempotency_key(docs: Make) -> None:
    assert docs(max_bulk=49).app_.routes  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="the Idempotency-Key one: say at most 49"):
        docs(max_bulk=50)


def test_what_is_said_of_it(docs: Make, table_name: str) -> None:
    app = docs().app_  # type: ignore[attr-defined]
    assert [row.calls for row in rows(app.routes) if row.verb == "create"] == [
        "PutItem or TransactWriteItems"
    ]
    (line,) = [said for about, said in explain(app, "POST /docs", ALICE) if about == "a list"]
    assert line == "of at most 20: 1 TransactWriteItems; with Prefer: handling=lenient the above for each"
    plain = docs(max_bulk=0).app_  # type: ignore[attr-defined]
    assert statements(app.routes) == statements(plain.routes)


def test_the_document(docs: Make) -> None:
    document = openapi(docs().app_.routes)  # type: ignore[attr-defined]
    post = document["paths"]["/docs"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    one = {"$ref": "#/components/schemas/DocsCreate"}
    assert body == [one, {"type": "array", "items": one, "minItems": 1, "maxItems": 20}]
    assert [p["name"] for p in post["parameters"]] == ["Idempotency-Key", "Prefer"]
    assert post["responses"]["207"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/DocsResults"
    }
    assert set(document["components"]["schemas"]["DocsResults"]["properties"]) == {"failed", "items"}
    assert "Results" not in str(openapi(docs(max_bulk=0).app_.routes))  # type: ignore[attr-defined]
