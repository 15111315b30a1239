"""What DynamoDB's calls cost, as botocore's own client tells it."""

from typing import Any

import pytest
from contract import counted
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from wire_failures import Wire, failure

from polymicro_lambda import AllowAny, List, ModelResource, PolyMicro, Retrieve
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.observability.observation import MeteredObservation, Observation, Usage, observed
from polymicro_lambda.testing import Client, strict


class Kept:
    """A sink that keeps what was noted."""

    def __init__(self) -> None:
        self.seen: list[MeteredObservation] = []

    def begin(self, seen: MeteredObservation) -> None:
        self.seen.append(seen)


@pytest.fixture
def thing(dynamodb: None, table_name: str) -> Any:
    name = table_name

    class Thing(Model):
        class Meta:
            table_name = name
            base_backoff_ms = 0

        id = UnicodeAttribute(hash_key=True)

    Thing.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return Thing


def client(thing: Any, monkeypatch: pytest.MonkeyPatch, *sinks: Any) -> Client:
    class Things(ModelResource, List, Retrieve):
        model = thing
        route = "things"
        permissions = (AllowAny,)

        def list(self) -> Any:
            return thing.query("a")

    monkeypatch.setattr("polymicro_lambda.app.request_observers", lambda *_: sinks)
    pm = PolyMicro()
    Things(pm)
    return Client(pm)


def test_calls_of_pynamodb_itself_count(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb that queries by itself; its client was there before the app."""
    kept = Kept()
    thing("a").save()
    assert client(thing, monkeypatch, kept).get("/things").status == 200
    usage = kept.seen[0].usage
    assert (usage.calls, usage.read_units > 0, usage.write_units, usage.nanoseconds > 0) == (
        1,
        True,
        0.0,
        True,
    )


def test_what_strict_mode_asks_is_none_of_the_request(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at the table before it lets a call through."""
    kept = Kept()
    asked = client(thing, monkeypatch, kept)
    with counted() as calls, strict():
        asked.get("/things")
    assert ([name for name, _ in calls], kept.seen[0].usage.calls) == (["DescribeTable", "Query"], 1)


def test_a_call_is_the_same_whether_noted_or_not(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PynamoDB always asks what a call costs."""
    with counted() as calls:
        client(thing, monkeypatch, Kept()).get("/things/a")
        client(thing, monkeypatch).get("/things/a")
    noted, other = calls
    assert (noted == other, noted[1]["ReturnConsumedCapacity"]) == (True, "TOTAL")


def test_nothing_is_noted_where_nobody_wants_to_know(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a client that another app has watched."""
    client(thing, monkeypatch, Kept()).get("/things/a")
    seen = Observation()
    with observed(seen):
        connect(thing).client.describe_table(TableName=thing.Meta.table_name)
    assert seen.usage == Usage()


def test_throttles_and_retries(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a call that DynamoDB refuses twice before it answers."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    wire = Wire()
    wire.answers = [failure("ThrottlingException")] * 2 + [
        (200, b'{"ConsumedCapacity": {"CapacityUnits": 1.0}}')
    ]
    thing("a").save()  # strict mode has looked at the table
    connect(thing).client.meta.events.register_first("before-send.dynamodb", wire)
    kept = Kept()
    assert client(thing, monkeypatch, kept).get("/things/a").status == 404
    assert wire.calls == ["GetItem"] * 3
    usage = kept.seen[0].usage
    assert usage == Usage(1, usage.nanoseconds, read_units=1.0, write_units=0.0, retries=2, throttles=2)


def test_without_a_region_the_verb_says_so(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there can be no client there is nothing to watch, and no other answer."""
    thing._connection = None
    with counted() as calls, monkeypatch.context() as without:
        without.delenv("AWS_DEFAULT_REGION")
        assert client(thing, monkeypatch, Kept()).get("/things/a").status == 500
    assert calls == []
