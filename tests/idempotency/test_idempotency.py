"""``Idempotency-Key``: what was done once is not done again, whatever is lost, raced or broken off."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from contract import (
    ALICE,
    BOB,
    REQUEST_ID,
    Caller,
    assert_problem,
    counted,
    dynamodb_call,
    every_form,
    names,
    stored,
    watched,
)
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    Delete,
    HasPermission,
    Idempotency,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    PrefixedAttribute,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.deploy.iam_policy import statements
from polymicro_lambda.deploy.tables import logical_id
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.openapi.document import openapi
from polymicro_lambda.testing import FakeContext
from polymicro_lambda.writes.store import PynamoStore

KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
Make = Callable[..., Caller]


def number() -> str:
    """Another with each call, as a new item's identifier is."""
    number.next += 1  # type: ignore[attr-defined]
    return f"n{number.next}"  # type: ignore[attr-defined]


number.next = 0  # type: ignore[attr-defined]


class Sent:
    """Verbs of a resource's own, with an effect of their own."""

    store: Any
    effects: list[str]

    def create(self, req: Any, user: Any) -> Any:
        self.effects.append("mail")
        return self.store.create(req), 202, {"X-Job": "7"}

    @action(detail=False)
    def both(self, req: Any, user: Any) -> Any:
        made = [self.store.create({"owner": user.uuid, "text": text}) for text in ("one", "two")]
        self.effects.append("both")
        return made

    @action()
    def count(self, instance: Any) -> Any:
        return self.store.update(instance, {"amount": instance.amount + 1})

    @action(detail=False)
    def refuse(self, req: Any) -> Any:
        self.effects.append("refuse")
        raise Conflict("No.")

    @action(detail=False)
    def large(self, req: Any) -> Any:
        self.effects.append("large")
        return {"random": req["text"]}


@pytest.fixture
def docs(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/docs``, of an app that keeps records in the table ``<table_name>m``."""

    class Doc(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True, default=number)
        text = UnicodeAttribute(null=True)
        amount = NumberAttribute(default=0)

    Doc.Meta.table_name = table_name  # type: ignore[attr-defined]
    idempotency = Idempotency(table=f"{table_name}m", expires_after=3600)
    for model in (Doc, idempotency.model):
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)

    def make(
        *bases: Any, user: User = ALICE, source: str = "rest", settings: Any = None, **body: Any
    ) -> Caller:
        pm = PolyMicro(idempotency=idempotency, cursor_secret="s", max_body=3_000_000, **settings or {})
        members = {"model": Doc, "route": "docs", "permissions": OwnedBy("owner"), "effects": [], **body}
        type("Docs", (*bases, ModelResource, Create, List, Retrieve, Update, Delete), members)(pm)
        client = Caller(pm.compile(), user=user, source=source)
        client.app_ = pm  # type: ignore[attr-defined]
        return client

    return make


def shown(result: Any) -> Any:
    headers = {n: v for n, v in result.headers.items() if n != "idempotency-replayed"}
    return result.status, headers, result.body


def post(client: Caller, path: str = "/docs", text: str = "milk", **options: Any) -> Any:
    return client.post(path, json={"text": text}, **{"headers": KEY, **options})


# --- the same answer ---------------------------------------------------------------------------------------------


@every_form
def test_a_repeated_create_gives_the_first_answer(docs: Make, table_name: str, form: dict[str, Any]) -> None:
    client = docs()
    first = client.request("POST", "/docs", json={"text": "milk"}, headers=KEY, **form)
    with counted() as calls:
        again = client.request("POST", "/docs", json={"text": "milk"}, headers=KEY, **form)
    assert (first.status, "idempotency-replayed" in first.headers) == (201, False)
    assert (shown(again), again.headers["idempotency-replayed"]) == (shown(first), "true")
    assert len(stored(table_name)) == 1
    assert names(calls) == ["PutItem", "GetItem"]  # the claim that is refused; the rule on the item


def test_what_a_create_calls(docs: Make) -> None:
    with counted() as calls:
        post(docs())
    assert names(calls) == ["PutItem", "TransactWriteItems", "UpdateItem"]


def test_without_a_key_nothing_is_kept(docs: Make, table_name: str) -> None:
    client = docs()
    with counted() as calls:
        client.post("/docs", json={"text": "milk"})
    assert (names(calls), stored(f"{table_name}m")) == (["PutItem"], [])


def test_an_override_runs_once_and_its_status_and_headers_come_again(docs: Make, table_name: str) -> None:
    client = docs(Sent, effects=(effects := []))
    results = [post(client), post(client)]
    assert shown(results[0]) == shown(results[1])
    assert (results[1].status, results[1].headers["x-job"]) == (202, "7")
    assert (effects, len(stored(table_name))) == (["mail"], 1)


def test_actions_and_updates_opt_in(docs: Make, table_name: str) -> None:
    client = docs(Sent, idempotent=("create", "update", "both", "count"))
    item = f"/docs/{client.post('/docs', json={'text': 'a'}).json['id']}"
    assert [post(client, f"{item}/count").json["amount"] for _ in range(3)] == [1, 1, 1]
    assert post(client, "/docs/both").json == post(client, "/docs/both").json
    assert len(stored(table_name)) == 3
    first = client.patch(item, json={"text": "b"}, headers=KEY)
    client.patch(item, json={"text": "c"})
    again = client.patch(item, json={"text": "b"}, headers=KEY)
    assert (shown(again), client.get(item).json["text"]) == (shown(first), "c")


def test_a_body_is_the_same_however_written(docs: Make) -> None:
    client = docs()
    headers = {**KEY, "Content-Type": "application/json"}
    first = client.post("/docs", body='{"text":"a","amount":1}', headers=headers)
    again = client.post("/docs", body=' {"amount": 1, "text": "a"}', headers=headers)
    assert shown(again) == shown(first)


@pytest.mark.parametrize(("one", "other"), [('"abc"', "abc"), ("abc", '"abc"')])
def test_quotes_are_no_part_of_a_key(docs: Make, one: str, other: str) -> None:
    client = docs()
    assert shown(post(client, headers={"Idempotency-Key": one})) == shown(
        post(client, headers={"Idempotency-Key": other})
    )


# --- another request ---------------------------------------------------------------------------------------------


def test_another_body_is_refused(docs: Make, table_name: str) -> None:
    client = docs()
    post(client)
    assert_problem(post(client, text="bread"), 422)
    assert len(stored(table_name)) == 1


def test_users_and_paths_are_apart(docs: Make, table_name: str) -> None:
    client = docs(Sent, idempotent=("both", "count"), permissions=IsAuthenticated, scan=True)
    first, second = (f"/docs/alice/{post(client, '/docs/both').json[n]['id']}" for n in (0, 1))
    assert [post(client, f"{path}/count").json["amount"] for path in (first, second, first)] == [1, 1, 1]
    assert "idempotency-replayed" not in post(client, "/docs/both", user=BOB).headers
    assert len(stored(table_name)) == 4


@pytest.mark.parametrize(
    "key", ["", '""', "a b", '"a b"', "a,b", "x" * 256, '"abc', 'a"b', "ä", "a\x7f", '"a"; p=1', '"a", "b"']
)
def test_malformed_keys(docs: Make, table_name: str, key: str) -> None:
    with counted() as calls:
        assert_problem(post(docs(), headers={"Idempotency-Key": key}), 400)
    assert calls == []


def test_required(docs: Make) -> None:
    client = docs(require_idempotency_key=True)
    with counted() as calls:
        result = client.post("/docs", json={"text": "a"})
    assert_problem(result, 400)
    assert ("Send an Idempotency-Key" in result.json["detail"], calls) == (True, [])
    assert post(client).status == 201


def test_where_none_is_taken_a_key_is_refused_on_what_repeats_badly(docs: Make) -> None:
    """PUT and DELETE are idempotent by themselves, and a GET may be sent with any header."""
    client = docs()
    item = f"/docs/{post(client).json['id']}"
    assert_problem(client.patch(item, json={"text": "b"}, headers=KEY), 400)
    assert [
        client.put(item, json={"text": "b"}, headers=KEY).status,
        client.get(item, headers=KEY).status,
    ] == [
        200,
        200,
    ]
    assert client.delete(item, headers=KEY).status == 204


def test_an_order_of_answers(docs: Make) -> None:
    """401 and the body's 422 come before anything about a key."""
    client = docs(require_idempotency_key=True)
    with counted() as calls:
        assert_problem(client.post("/docs", json={"text": "a"}, user=None), 401)
        assert_problem(client.post("/docs", json={"text": 1}), 422, "#/text")
    assert calls == []


# --- at once -----------------------------------------------------------------------------------------------------


def test_one_in_flight_is_a_conflict(docs: Make, table_name: str) -> None:
    client, met = docs(), []

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems" and not met:
            met.append(None)
            met.append(post(client))
            met.append(post(client, text="bread"))
        return call()

    with watched(act):
        assert post(client).status == 201
    _, second, other = met
    assert_problem(second, 409)
    assert int(second.headers["retry-after"]) >= 1
    assert_problem(other, 422)
    assert len(stored(table_name)) == 1


class Dead(BaseException):
    """The end of a Lambda: nothing runs after it."""


def dying(at: int, *, late: bool) -> Any:
    """Every call from number ``at`` on fails, that one ``late`` after it was carried out."""
    count = -1

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        nonlocal count
        count += 1
        if count < at:
            return call()
        if count == at and late:
            call()
        raise Dead

    return watched(act)


def unlocked(monkeypatch: pytest.MonkeyPatch, seconds: float = 40) -> None:
    """As much later, so that a dead invocation's lock has ended."""
    import time

    real = time.time
    monkeypatch.setattr("polymicro_lambda.idempotency.records.time.time", lambda: real() + seconds)


@pytest.mark.thorough(but=("default-*",))
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("own", [False, True], ids=["default", "override"])
def test_a_dead_lambda_at_every_call(
    docs: Make, table_name: str, monkeypatch: pytest.MonkeyPatch, at: int, late: bool, own: bool
) -> None:
    """The next try makes the item, finds it, or has the answer: there is one in the end."""
    client = docs(*([Sent] if own else []))
    with dying(at, late=late), pytest.raises(Dead):
        post(client)
    held = post(client)
    nothing, done = (at, late) == (0, False), (at, late) == (2, True)
    assert held.status == ({True: 202, False: 201}[own] if nothing or done else 409)
    unlocked(monkeypatch)
    result = post(client)
    assert result.status == (202 if own else 201)
    assert [item["id"]["S"] for item in stored(table_name)] == [result.json["id"]]
    assert shown(post(client)) == shown(result)


@pytest.mark.parametrize("at", range(4))
def test_two_creates_broken_off_between(
    docs: Make, table_name: str, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    client = docs(Sent, idempotent=("create", "both"))
    with dying(at, late=True), pytest.raises(Dead):
        post(client, "/docs/both")
    unlocked(monkeypatch)
    result = post(client, "/docs/both")
    assert sorted(item["id"]["S"] for item in stored(table_name)) == sorted(one["id"] for one in result.json)
    assert len(stored(table_name)) == 2


def lost(operation: str, *, late: bool) -> Any:
    """The first such call gets no answer."""
    left = [ReadTimeoutError(endpoint_url="dynamodb")]

    def act(name: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if name == operation and left:
            if late:
                call()
            raise left.pop()
        return call()

    return watched(act)


@pytest.mark.parametrize(
    ("operation", "late", "status"),
    [
        ("PutItem", False, 503),
        ("PutItem", True, 503),
        ("TransactWriteItems", False, 503),
        ("TransactWriteItems", True, 201),
        ("UpdateItem", False, 201),
        ("UpdateItem", True, 201),
    ],
)
def test_an_answer_of_dynamodb_that_is_lost(
    docs: Make,
    table_name: str,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    late: bool,
    status: int,
) -> None:
    """No record is left to hold back the next try, but where only its completion failed."""
    client = docs()
    with lost(operation, late=late):
        first = post(client)
    assert first.status == status
    if (operation, late) == ("UpdateItem", False):
        assert post(client).status == 409
        unlocked(monkeypatch)
    result = post(client)
    assert (result.status, len(stored(table_name))) == (201, 1)
    assert status == 503 or result.json == first.json


def test_a_zombie_writes_nothing(docs: Make, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record was taken over meanwhile."""
    client, met = docs(), []

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems" and not met:
            met.append(None)
            with pytest.MonkeyPatch.context() as patch:
                unlocked(patch)
                met.append(post(client))
        return call()

    with watched(act):
        assert_problem(post(client), 409)
    assert [item["id"]["S"] for item in stored(table_name)] == [met[1].json["id"]]


def test_too_little_time_claims_nothing(docs: Make, table_name: str) -> None:
    context = FakeContext(aws_request_id=REQUEST_ID, timeout=1.0)
    assert_problem(post(docs(), context=context), 503)
    assert stored(f"{table_name}m") == []


# --- what is kept ------------------------------------------------------------------------------------------------


def test_what_was_refused_is_not_kept(docs: Make, table_name: str) -> None:
    client = docs(Sent, idempotent=("refuse",), effects=(effects := []))
    assert [post(client, "/docs/refuse").status for _ in range(2)] == [409, 409]
    assert (effects, stored(f"{table_name}m")) == (["refuse", "refuse"], [])


def test_what_was_made_before_a_refusal_is_not_made_again(docs: Make, table_name: str) -> None:
    class Halfway:
        store: Any
        tries: list[int]

        @action(detail=False)
        def half(self, req: Any, user: Any) -> Any:
            made = self.store.create({"owner": user.uuid})
            self.tries.append(1)
            if len(self.tries) == 1:
                raise Conflict("Not yet.")
            return made

    client = docs(Halfway, idempotent=("half",), tries=[])
    assert [post(client, "/docs/half").status for _ in range(3)] == [409, 200, 200]
    assert [item["id"]["S"] for item in stored(table_name)] == [post(client, "/docs/half").json["id"]]


def test_what_was_made_is_judged_when_it_is_met_again(
    docs: Make, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Open(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.text != "secret"

    client, body = docs(permissions=Open), {"owner": "x", "text": "a"}
    with dying(1, late=True), pytest.raises(Dead):
        client.post("/docs", json=body, headers=KEY)
    [item] = stored(table_name)
    dynamodb_call("put_item", TableName=table_name, Item=item | {"text": {"S": "secret"}})
    unlocked(monkeypatch)
    assert_problem(client.post("/docs", json=body, headers=KEY), 404)


def test_a_key_expires(docs: Make, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while DynamoDB has not removed it yet; a record that has expired is written anew."""
    client = docs()
    post(client)
    unlocked(monkeypatch, 3540)
    assert post(client).headers["idempotency-replayed"] == "true"
    unlocked(monkeypatch, 3660)
    assert "idempotency-replayed" not in post(client, text="bread").headers
    assert len(stored(table_name)) == 2


def test_nothing_of_user_key_or_request_stands_in_a_record(docs: Make, table_name: str) -> None:
    client = docs(Sent, idempotent=("refuse", "count"), load_only=("text",))
    item = f"/docs/{client.post('/docs', json={'text': 'canary'}).json['id']}"
    post(client, f"{item}/count", text="canary")
    text = repr(stored(f"{table_name}m"))
    assert [word for word in ("canary", "8e03978e") if word in text] == []


def test_a_large_answer_comes_again_without_its_body(docs: Make, table_name: str) -> None:
    import random

    client = docs(Sent, idempotent=("large",), effects=(effects := []))
    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=900_000))
    first, again = (post(client, "/docs/large", text=text) for _ in range(2))
    assert (first.status, len(first.body) > 900_000) == (200, True)
    assert (again.status, again.body, again.headers["idempotency-replayed"], effects) == (
        200,
        b"",
        "true",
        ["large"],
    )


@pytest.mark.thorough
def test_so_it_does_beside_the_keys_of_much_that_was_made(docs: Make) -> None:
    import random

    class Many:
        store: Any

        @action(detail=False)
        def many(self, req: Any, user: Any) -> Any:
            for place in range(130):
                self.store.create({"owner": user.uuid, "id": f"{place:03}".ljust(1000, "k")})
            return {"random": req["text"]}

    client = docs(Many, idempotent=("many",))
    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=450_000))
    first, again = (post(client, "/docs/many", text=text) for _ in range(2))
    assert (first.status, len(first.body) > 450_000) == (200, True)
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (200, b"", "true")


def test_headers_that_no_utf_8_says_or_no_item_holds(docs: Make) -> None:
    """The request was carried out: that must not be forgotten for the sake of a header."""

    class Odd:
        effects: list[str]

        @action(detail=False)
        def odd(self, req: Any) -> Any:
            self.effects.append("odd")
            return (
                {},
                201,
                {"X-Half": "\ud800", "X-Line": "a\r\nSet-Cookie: b=c", "X-Long": "v" * req["text"]},
            )

    client = docs(Odd, idempotent=("odd",), effects=(effects := []))
    for length in (3, 400_000):
        key = {"Idempotency-Key": str(length)}
        first, again = (post(client, "/docs/odd", text=length, headers=key) for _ in range(2))
        assert (first.status, again.status, again.headers["idempotency-replayed"]) == (201, 201, "true")
        assert "set-cookie" not in again.headers
        assert (shown(first) == shown(again), "x-half" in again.headers) == (length == 3, length == 3)
    assert effects == ["odd", "odd"]


def test_what_was_made_is_of_one_kind(docs: Make, table_name: str) -> None:
    """A next try that goes another way gets no item of another kind in one table."""

    class Page(Model):
        class Meta:
            pass

        owner = PrefixedAttribute("BOOK#", hash_key=True)
        id = PrefixedAttribute("PAGE#", range_key=True)

    class Line(Model):
        class Meta:
            pass

        owner = PrefixedAttribute("BOOK#", hash_key=True)
        id = PrefixedAttribute("LINE#", range_key=True)

    Page.Meta.table_name = Line.Meta.table_name = table_name  # type: ignore[attr-defined]
    kinds = [Page, Line]

    class Either:
        @action(detail=False)
        def either(self, req: Any) -> Any:
            PynamoStore(kinds.pop(0)).create({"owner": "b", "id": "1"})
            raise Conflict("Not yet.")

    client = docs(Either, idempotent=("either",), permissions=IsAuthenticated, scan=True)
    assert [post(client, "/docs/either").status for _ in range(2)] == [409, 409]
    assert [item["id"]["S"] for item in stored(table_name)] == ["PAGE#1"]


@pytest.mark.parametrize(
    "user_id", [None, lambda user: "", lambda user: None], ids=["unsaid", "empty", "None"]
)
def test_users_without_an_id_share_no_key(docs: Make, table_name: str, user_id: Any) -> None:
    users = iter([object(), object()])
    settings = {"req_user_func": lambda request: next(users), "user_id": user_id}
    client = docs(settings=settings, permissions=IsAuthenticated, scan=True)
    for _ in range(2):
        assert_problem(client.post("/docs", json={"owner": "x"}, headers=KEY), 500)
    assert stored(f"{table_name}m") == stored(table_name) == []


# --- who may see it again ----------------------------------------------------------------------------------------


def test_not_who_lost_the_verb(docs: Make) -> None:
    client = docs(permissions=OwnedBy("owner") & HasPermission("therapist"))
    assert post(client).status == 201
    assert_problem(post(client, user=User("alice")), 403)


def test_not_who_lost_the_item(docs: Make) -> None:
    class Shared(Permission):
        def where(self, user: Any, method: str, model: Any) -> Any:
            return model.text != "secret"

    client = docs(permissions=Shared)
    body = {"owner": "x", "text": "a"}
    item = f"/docs/x/{client.post('/docs', json=body, headers=KEY).json['id']}"
    assert client.post("/docs", json=body, headers=KEY).status == 201
    model = client.app_.routes[0].model  # type: ignore[attr-defined]
    model("x", item.rpartition("/")[2], text="secret").save()
    assert_problem(client.post("/docs", json=body, headers=KEY), 404)


class Reads(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return instance.amount < 9


class Writes(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return method != "retrieve"


@pytest.mark.parametrize(
    ("rule", "created", "updated"),
    [(OwnedBy("owner"), 201, 200), (Writes() | Reads(), 201, 204), (Reads, 404, 404)],
    ids=["certain", "of what is shown", "opaque"],
)
def test_a_row_that_cannot_be_read(
    docs: Make, table_name: str, rule: Any, created: int, updated: int
) -> None:
    """Who is not certain to have it meets a missing one; the answer of who is needs no instance."""
    client = docs(permissions=rule, scan=True, idempotent=("create", "update"))
    body = {"text": "a"} if isinstance(rule, OwnedBy) else {"owner": "alice", "text": "a"}
    made = client.post("/docs", json=body, headers=KEY)
    path = f"/docs/{made.headers['location'].removeprefix('docs/')}"
    other = {"Idempotency-Key": "other"}
    assert (made.status, client.patch(path, json={"text": "b"}, headers=other).status) == (201, 200)
    [item] = [one for one in stored(table_name) if "text" in one]
    dynamodb_call("put_item", TableName=table_name, Item=item | {"amount": {"S": "no number"}})
    assert client.post("/docs", json=body, headers=KEY).status == created
    assert client.patch(path, json={"text": "b"}, headers=other).status == updated


def test_no_field_that_may_no_longer_be_read(docs: Make) -> None:
    client = docs(field_permissions={"amount": {"read": HasPermission("therapist")}})
    assert post(client).json["amount"] == 0
    again = post(client, user=User("alice"))
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (201, b"", "true")


def test_no_other_items_whose_rule_is_not_asked_again(docs: Make) -> None:
    """Those of the path and what was made are asked about; a list of others comes again without its body."""

    class Found:
        model: Any

        @action(detail=False)
        def found(self, req: Any, user: Any) -> Any:
            return self.model.query(user.uuid)

        @action()
        def same(self, instance: Any) -> Any:
            return instance

    client = docs(Found, idempotent=("create", "found", "same"))
    made = client.post("/docs", json={"text": "a"}).json
    for path, again in (
        ("/docs/found", b""),
        (f"/docs/{made['id']}/same", client.get(f"/docs/{made['id']}").body),
    ):
        first, repeated = post(client, path), post(client, path)
        assert (first.status, made["id"] in first.text) == (200, True)
        assert (repeated.status, repeated.headers["idempotency-replayed"], repeated.body) == (
            200,
            "true",
            again,
        )


def test_no_resource_is_over_the_records(docs: Make, table_name: str) -> None:
    """Who could write there would make up answers."""

    class Mark(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)

    Mark.Meta.table_name = f"{table_name}m"  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match=r"Mark has the table .* that of PolyMicro\.idempotency"):
        docs(model=Mark, permissions=IsAuthenticated, scan=True)


def test_what_is_gone_is_still_answered(docs: Make, table_name: str) -> None:
    client = docs()
    first = post(client)
    client.delete(f"/docs/{first.json['id']}")
    assert (shown(post(client)), stored(table_name)) == (shown(first), [])


# --- declarations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "idempotency", "said"),
    [
        ({"idempotent": ("create", "update")}, None, "Docs.idempotent needs PolyMicro(idempotency"),
        ({"require_idempotency_key": True}, None, "Docs.require_idempotency_key needs PolyMicro(idempotency"),
        ({"idempotent": ("creates",)}, Idempotency(), "Docs.idempotent: 'creates' can take no"),
        ({"idempotent": ("list",)}, Idempotency(), "Docs.idempotent: 'list' can take no"),
        ({"idempotent": ("delete",)}, Idempotency(), "Docs.idempotent: 'delete' can take no"),
        ({"require_idempotency_key": 1}, Idempotency(), "Docs.require_idempotency_key must be True or False"),
        ({}, {"table": "x"}, r"PolyMicro.idempotency must be an Idempotency\(\)"),
    ],
)
def test_mistakes(body: dict[str, Any], idempotency: Any, said: str) -> None:
    class Doc(Model):
        class Meta:
            table_name = "docs"

        id = UnicodeAttribute(hash_key=True)

    pm = PolyMicro(idempotency=idempotency)
    members = {"model": Doc, "route": "docs", "scan": True, **body}
    type("Docs", (ModelResource, Create, List, Retrieve, Update, Delete), members)(pm)
    with pytest.raises(ConfigurationError, match=said.replace("PolyMicro(", r"PolyMicro\(")):
        pm.compile()


@pytest.mark.parametrize("options", [{"expires_after": 0}, {"expires_after": 1.5}, {"table": ""}])
def test_mistakes_of_the_declaration(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="Idempotency"):
        Idempotency(**options)


def on_records(calls: Any, table: str) -> set[str]:
    """The operations on the records' table, those inside a transaction included."""
    parts = [
        (f"{kind}Item", one)
        for name, parameters in calls
        for kind, one in (
            [pair for item in parameters["TransactItems"] for pair in item.items()]
            if name == "TransactWriteItems"
            else [(name.removesuffix("Item"), parameters)]
        )
    ]
    return {name for name, parameters in parts if parameters["TableName"] == table}


def test_the_policy_grants_what_is_called_on_records(docs: Make, table_name: str) -> None:
    client = docs(Sent, idempotent=("create", "refuse"))
    with counted() as done:
        post(client, "/docs/refuse")
    with lost("TransactWriteItems", late=True) as made:
        post(client)
    called = {f"dynamodb:{name}" for name in on_records([*done, *made], f"{table_name}m")}
    routes = client.app_.routes  # type: ignore[attr-defined]
    granted = [one for one in statements(routes) if logical_id(f"{table_name}m") in str(one["Resource"])]
    assert [set(one["Action"]) for one in granted] == [called]
    assert statements([route for route in routes if route.idempotency_table is None]) != statements(routes)


def test_the_template_makes_the_table(docs: Make, table_name: str) -> None:
    routes = docs().app_.routes  # type: ignore[attr-defined]
    made = template(routes, Options(handler="app.handler", authorizer_handler="gate.handler"))
    properties = made["Resources"][logical_id(f"{table_name}m")]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]


def test_the_document_has_the_header(docs: Make) -> None:
    client = docs(require_idempotency_key=True)
    routes = client.app_.routes  # type: ignore[attr-defined]
    paths = openapi(routes)["paths"]
    said = [one for one in paths["/docs"]["post"]["parameters"] if one["name"] == "Idempotency-Key"]
    assert [one["required"] for one in said] == [True]
    assert "Idempotency-Key" not in str(paths["/docs/{id}"])
