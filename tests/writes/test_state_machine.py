"""Random requests of several users, one after the other, against a dict that says what each must answer."""

import random
from typing import Any
from uuid import uuid4

import pytest
from contract import ALICE, BOB, Caller, dynamodb_call, versioned
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    Idempotency,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
)

USERS = {"alice": ALICE, "bob": BOB}
users = st.sampled_from(sorted(USERS))
ids = st.sampled_from(["1", "2", "3"])
texts = st.sampled_from(["a", "b", "c"])
counts = st.integers(0, 3)
tags = st.sampled_from(["none", "none", "now", "before", "*"])


def app(model: Any, table: str) -> tuple[PolyMicro, Any]:
    idempotency = Idempotency(table=f"{table}m")
    pm = PolyMicro(idempotency=idempotency, cursor_secret="secret")
    declared = {
        "model": model,
        "route": "docs",
        "permissions": OwnedBy("owner"),
        "filters": {"count": ("eq", "gte"), "text": ("eq", "in")},
    }
    type("Docs", (ModelResource, Create, List, Retrieve, Update, Delete), declared)(pm)
    return pm, idempotency.model


def models() -> dict[str, Any]:
    class Plain(Model):
        class Meta:
            table_name = ""

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute()
        count = NumberAttribute(default=0)

    return {"plain": Plain, "versioned": versioned(Plain)}


class Docs(RuleBasedStateMachine):
    """``/docs`` of several users; ``client`` and ``table`` are set by the test."""

    client: Caller
    table: str

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[tuple[str, str], list[str]] = {}
        """The tags of each item, the latest last."""
        self.keys: dict[tuple[str, str], tuple[Any, int, Any]] = {}
        """User and key -> what was first sent with it, and the answer."""
        self.run = uuid4().hex

    def teardown(self) -> None:
        for owner, identity in self.items:
            key = {"owner": {"S": owner}, "id": {"S": identity}}
            dynamodb_call("delete_item", TableName=self.table, Key=key)

    # --- what is known -----------------------------------------------------------------------------------

    def ask(self, user: str, method: str, path: str, **options: Any) -> Any:
        return self.client.as_(USERS[user]).request(method, path, **options)

    def shown(self, place: tuple[str, str], result: Any) -> None:
        """The answer shows the item as it must be, under a tag that it had before only if it was the same."""
        said = {name: value for name, value in result.json.items() if name != "version"}
        assert said == {"owner": place[0], "id": place[1], **self.items[place]}
        known = self.tags.setdefault(place, [])
        if result.headers["etag"] not in known[-1:]:
            known.append(result.headers["etag"])

    def matching(self, place: tuple[str, str], which: str) -> tuple[dict[str, str], bool]:
        """The header, and whether it fits the item."""
        known = self.tags.get(place, [])
        if which == "none" or (which != "*" and not known):
            return {}, True
        tag = {"*": "*", "now": known[-1:], "before": known[:1]}[which]
        text = tag if isinstance(tag, str) else tag[0]
        return {"If-Match": text}, which == "*" or text == known[-1]

    # --- what is asked -----------------------------------------------------------------------------------

    @rule(user=users, identity=ids, text=texts, count=counts)
    def create(self, user: str, identity: str, text: str, count: int) -> None:
        place = (user, identity)
        result = self.ask(user, "POST", "/docs", json={"id": identity, "text": text, "count": count})
        if place in self.items:
            assert result.status == 409
            return
        self.items[place] = {"text": text, "count": count}
        assert result.status == 201
        self.tags.pop(place, None)
        self.shown(place, result)

    @rule(user=users, key=st.sampled_from(["k", "l"]), identity=ids, text=texts)
    def create_once(self, user: str, key: str, identity: str, text: str) -> None:
        place, body = (user, identity), {"id": identity, "text": text}
        headers = {"Idempotency-Key": f'"{self.run}{key}"'}
        result = self.ask(user, "POST", "/docs", json=body, headers=headers)
        if (user, key) in self.keys:
            first, status, answer = self.keys[user, key]
            assert (result.status, first == body) in {(status, True), (422, False)}
            assert result.status == 422 or result.json == answer
            return
        if place in self.items:
            assert result.status == 409
            return
        self.items[place] = {"text": text, "count": 0}
        assert result.status == 201
        self.keys[user, key] = (body, 201, result.json)
        self.tags.pop(place, None)
        self.shown(place, result)

    @rule(user=users, identity=ids, text=texts, which=tags)
    def merge(self, user: str, identity: str, text: str, which: str) -> None:
        self.change(user, identity, which, "PATCH", {"text": text}, {"text": text})

    @rule(user=users, identity=ids, text=texts, which=tags)
    def replace(self, user: str, identity: str, text: str, which: str) -> None:
        self.change(user, identity, which, "PUT", {"text": text}, {"text": text, "count": 0})

    def change(self, user: str, identity: str, which: str, method: str, body: Any, makes: Any) -> None:
        place = (user, identity)
        headers, fits = self.matching(place, which)
        result = self.ask(user, method, f"/docs/{identity}", json=body, headers=headers)
        if place not in self.items:
            assert result.status == 404
        elif not fits:
            assert (result.status, result.json["current"]["text"]) == (412, self.items[place]["text"])
        else:
            self.items[place] = {**self.items[place], **makes}
            assert result.status == 200
            self.shown(place, result)

    @rule(user=users, identity=ids, which=tags)
    def delete(self, user: str, identity: str, which: str) -> None:
        place = (user, identity)
        headers, fits = self.matching(place, which)
        result = self.ask(user, "DELETE", f"/docs/{identity}", headers=headers)
        assert result.status == (404 if place not in self.items else 204 if fits else 412)
        if result.status == 204:
            del self.items[place]
            self.tags.pop(place, None)

    @rule(user=users, identity=ids)
    def read(self, user: str, identity: str) -> None:
        result = self.ask(user, "GET", f"/docs/{identity}")
        assert result.status == (200 if (user, identity) in self.items else 404)
        if result.status == 200:
            self.shown((user, identity), result)

    @rule(user=users, limit=st.integers(1, 4), least=st.none() | counts, text=st.none() | texts)
    def walk(self, user: str, limit: int, least: int | None, text: str | None) -> None:
        query = {"limit": limit} | ({} if least is None else {"count__gte": least})
        query |= {} if text is None else {"text": text}
        found = list(self.client.as_(USERS[user]).items("/docs", query=query))
        wanted = [
            {"owner": user, "id": identity, **item}
            for (owner, identity), item in sorted(self.items.items())
            if owner == user and item["count"] >= (least or 0) and item["text"] == (text or item["text"])
        ]
        assert [{n: v for n, v in one.items() if n != "version"} for one in found] == wanted

    @invariant()
    def nothing_else_is_stored(self) -> None:
        """Looked at now and then: it takes as long as a request."""
        if random.random() < 0.1:
            rows = dynamodb_call("scan", TableName=self.table, ConsistentRead=True)["Items"]
            found = {(row["owner"]["S"], row["id"]["S"]): row["text"]["S"] for row in rows}
            assert found == {place: item["text"] for place, item in self.items.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["plain", "versioned"])
def test_it_is_as_a_dict(dynamodb: None, table_name: str, kind: str, pytestconfig: pytest.Config) -> None:
    """``--examples 1000`` looks longer."""
    model = models()[kind]
    model.Meta.table_name = table_name
    pm, markers = app(model, table_name)
    for each in (model, markers):
        each.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Docs.client, Docs.table = Caller(pm.compile(), user=ALICE), table_name
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Docs,
        settings=settings(
            max_examples=pytestconfig.getoption("--examples"),
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
