"""Events that are no HTTP requests: answered, counted as none, and handed to the app where it takes them."""

import json
import logging
from typing import Any

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics

from polymicro_lambda import AllowAny, ConfigurationError, PolyMicro, Resource, action
from polymicro_lambda.testing import FakeContext, make_event

EVENTS: dict[str, Any] = {
    "nothing": {},
    "null": None,
    "text": "warm up",
    "a list": [],
    "a warm-up": {"source": "serverless-plugin-warmup"},
    "another warm-up": {"warmer": True, "concurrency": 3},
    "a schedule": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    "a test by hand": {"key1": "value1"},
}
BATCHES: dict[str, Any] = {
    "aws:sqs": {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
    "aws:sns": {"Records": [{"EventSource": "aws:sns", "Sns": {}}]},
    "aws:dynamodb": {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {}}]},
    "aws:kafka": {"eventSource": "aws:kafka", "records": {"topic-0": []}},
    "another service": {"records": [{"recordId": "1"}]},
}


class Pings(Resource):
    route = ""
    permissions = AllowAny

    @action(methods="GET")
    def ping(self) -> Any:
        return "pong"


def app(**settings: Any) -> Any:
    pm = PolyMicro(**settings)
    Pings(pm)
    return pm.compile()


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_it_is_answered(event: Any) -> None:
    assert app()(event, FakeContext()) == {
        "statusCode": 200,
        "headers": {},
        "body": "",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_it_counts_as_no_request(
    event: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in the log nor in metrics, and after it no request is the instance's cold start."""
    logger = logging.getLogger("requests")
    logger.setLevel(logging.INFO)
    handler = app(logger=logger, metrics=EphemeralMetrics(namespace="n"))
    handler(event, FakeContext())
    assert (caplog.records, capsys.readouterr().out) == ([], "")
    handler(make_event("GET", "/ping"), FakeContext())
    (line,) = caplog.records
    assert vars(line)["cold_start"] is False
    assert "ColdStart" not in capsys.readouterr().out


@pytest.mark.parametrize("event", [*EVENTS.values(), *BATCHES.values()], ids=[*EVENTS, *BATCHES])
def test_the_app_takes_it(event: Any) -> None:
    seen: list[Any] = []

    def on_event(event: Any, context: Any) -> Any:
        seen.append((event, context))
        return {"batchItemFailures": []}

    context = FakeContext()
    assert app(on_event=on_event)(event, context) == {"batchItemFailures": []}
    assert seen == [(event, context)]


def test_requests_do_not_go_there() -> None:
    def on_event(event: Any, context: Any) -> Any:
        raise AssertionError

    handler = app(on_event=on_event)
    for form in (
        {"source": "rest"},
        {"source": "http"},
        {"source": "url"},
        {"source": "alb"},
        {"source": "lattice"},
    ):
        assert json.loads(handler(make_event("GET", "/ping", **form), FakeContext())["body"]) == "pong"  # type: ignore[arg-type]
    assert handler({"httpMethod": "GET"}, FakeContext())["statusCode"] == 400


def test_its_failure_is_lambdas() -> None:
    """So that a queue sends the batch again."""

    def on_event(event: Any, context: Any) -> Any:
        raise ValueError("try again")

    with pytest.raises(ValueError, match="try again"):
        app(on_event=on_event)({}, FakeContext())


@pytest.mark.parametrize(("origin", "event"), BATCHES.items(), ids=BATCHES)
def test_a_batch_that_nobody_takes_is_not_lost(origin: str, event: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"a batch of {origin}, .* PolyMicro\(on_event=…\)"):
        app()(event, FakeContext())


@pytest.mark.parametrize("on_event", [7, "f", {}])
def test_it_must_be_a_function(on_event: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.on_event"):
        PolyMicro(on_event=on_event)
