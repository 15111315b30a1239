"""Metrics and traces as Powertools writes them, and what the arguments of `PolyMicro` may be."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics.provider import cold_start
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ConfigurationError, Create, List, ModelResource, PolyMicro, Retrieve
from polymicro_lambda.observability import settings
from polymicro_lambda.observability.access_log import DirectAccessLog
from polymicro_lambda.observability.metrics import RequestMetrics
from polymicro_lambda.testing import Client, FakeContext, make_event


@pytest.fixture
def thing(dynamodb: None, table_name: str) -> Any:
    name = table_name

    class Thing(Model):
        class Meta:
            table_name = name

        id = UnicodeAttribute(hash_key=True)

    Thing.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return Thing


def app(thing: Any, **settings: Any) -> PolyMicro:
    class Things(ModelResource, Create, List, Retrieve):
        model = thing
        route = "things"
        permissions = (AllowAny,)

        def list(self) -> Any:
            raise KeyError("canary")

        def create(self, req: Any, user: Any) -> Any:
            if settings.get("metrics") not in (None, True):
                settings["metrics"].add_metric(name="Made", unit="Count", value=1)
            return super().create(req, user)

    pm = PolyMicro(**settings)
    Things(pm)
    return pm


# --- beside Powertools' own decorators -----------------------------------------------------------------------


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_cold_start_is_counted_once(thing: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cold_start.reset_cold_start_flag()
    metrics = Metrics(namespace="n", service="things")
    handler = metrics.log_metrics(app(thing, metrics=metrics).compile(), capture_cold_start_metric=True)
    for _ in range(2):
        assert handler(make_event("GET", "/things/a"), FakeContext())["statusCode"] == 404
    assert capsys.readouterr().out.count('"ColdStart":[1.0]') == 1


@pytest.mark.parametrize("given", [None, "of the app"])
def test_a_correlation_id_of_the_app_is_kept(
    thing: Any, capsys: pytest.CaptureFixture[str], given: str | None
) -> None:
    logger = Logger(service=f"things, {given}", level="INFO")
    inner = app(thing, logger=logger).compile()

    def handler(event: Any, context: Any) -> Any:
        logger.set_correlation_id(given)
        return inner(event, context)

    handler(make_event("GET", "/things/a", headers={"X-Correlation-Id": "of-the-client"}), FakeContext())
    (line,) = lines_of(capsys.readouterr().out)
    assert (line["message"], line["correlation_id"]) == ("request", given or "of-the-client")
    assert logger.get_correlation_id() == given


# --- metrics --------------------------------------------------------------------------------------------

UNITS = {
    "Count": "Count",
    "Latency": "Milliseconds",
    "4XXError": "Count",
    "5XXError": "Count",
    "ThrottledRequests": "Count",
    "ConsumedReadCapacityUnits": "Count",
    "ConsumedWriteCapacityUnits": "Count",
}


def emf(dimensions: dict[str, str], metrics: dict[str, str], values: dict[str, float]) -> dict[str, Any]:
    names = [{"Name": name, "Unit": unit} for name, unit in metrics.items()]
    directive = {"Namespace": "Shop", "Dimensions": [list(dimensions)], "Metrics": names}
    return {"_aws": {"CloudWatchMetrics": [directive]}} | dimensions | {n: [v] for n, v in values.items()}


def written(text: str) -> list[dict[str, Any]]:
    """The objects that were printed, without times."""
    found = [json.loads(line) for line in text.splitlines()]
    for each in found:
        assert each["_aws"].pop("Timestamp") > 0
        assert each.pop("Latency", [1.0])[0] > 0
    return found


def of_request(method: str, route: str, **more: float) -> dict[str, Any]:
    values: dict[str, float] = {name: 0.0 for name in UNITS if name != "Latency"} | {"Count": 1.0} | more
    return emf({"method": method, "route": route, "service": "things"}, UNITS, values)


def test_metrics_of_each_request(thing: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Each its own set; what a verb adds to the app's own goes out with it, without our dimensions."""
    client = Client(app(thing, metrics=Metrics(namespace="Shop", service="things")))
    for send in (
        lambda: client.post("/things", json={"id": "a"}),
        lambda: client.get("/things/a"),
        lambda: client.get("/things/b"),
        lambda: client.get("/things"),
        lambda: client.request("BREW", "/no/thing"),
    ):
        send()
    assert written(capsys.readouterr().out) == [
        of_request("POST", "/things", ConsumedWriteCapacityUnits=1.0),
        emf({"function_name": "none", "service": "things"}, {"ColdStart": "Count"}, {"ColdStart": 1.0}),
        emf({"service": "things"}, {"Made": "Count"}, {"Made": 1.0}),
        of_request("GET", "/things/{id}", ConsumedReadCapacityUnits=READ),
        of_request("GET", "/things/{id}", ConsumedReadCapacityUnits=READ, **{"4XXError": 1.0}),
        of_request("GET", "/things", **{"5XXError": 1.0}),
        of_request("OTHER", "none", **{"4XXError": 1.0}),
    ]


READ: Any = pytest.approx(0.75, abs=0.25)
"""A consistent read is 1 unit; moto says 0.5."""


def test_default_dimensions_are_on_every_metric(thing: Any, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics(namespace="Shop")
    metrics.set_default_dimensions(stage="test")
    try:
        Client(app(thing, metrics=metrics)).get("/nothing")
    finally:
        metrics.clear_default_dimensions()
        Metrics._dimensions.clear()
    assert [each["stage"] for each in written(capsys.readouterr().out)] == ["test", "test"]


def test_metrics_can_be_disabled(
    thing: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    Client(app(thing, metrics=Metrics(namespace="Shop"))).get("/nothing")
    assert capsys.readouterr().out == ""


def test_what_cannot_be_told_of_is_answered(thing: Any, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics(namespace="Shop")
    client = Client(app(thing, metrics=metrics))
    assert client.get("/nothing").status == 404
    metrics.namespace = None
    assert client.get("/nothing").status == 404
    assert caplog.messages == ["A request could not be reported"]


# --- traces ---------------------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the SDK sends of a sampled segment, to a list in place of a daemon."""
    spans: list[dict[str, Any]] = []
    monkeypatch.setattr(
        xray_recorder.emitter, "send_entity", lambda entity: spans.append(json.loads(entity.serialize()))
    )
    monkeypatch.delenv("POWERTOOLS_TRACE_DISABLED")
    xray_recorder.configure(context=Context(), sampling=False)
    global_sdk_config.set_sdk_enabled(True)
    Tracer._reset_config()
    segment = xray_recorder.begin_segment("lambda")
    yield spans
    assert xray_recorder.current_segment() is segment
    xray_recorder.end_segment()
    Tracer._reset_config()


def tree(spans: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Each span's name and its parent's, in the order in which they began."""
    names = {span["id"]: span["name"] for span in spans}
    ordered = sorted(spans, key=lambda span: span["start_time"])
    return [(span["name"], names.get(span["parent_id"])) for span in ordered]


def test_spans_of_a_request(thing: Any, sent: list[dict[str, Any]]) -> None:
    tracer = Tracer(service="things", disabled=False, auto_patch=False)
    assert Client(app(thing, tracer=tracer)).get("/things/a").status == 404
    assert tree(sent) == [
        ("## request", None),
        ("## read", "## request"),
        ("## route", "## request"),
        ("## permit", "## request"),
        ("## load", "## request"),
        ("## fetch", "## request"),
        ("DynamoDB GetItem", "## fetch"),
    ]
    (request,) = [span for span in sent if span["name"] == "## request"]
    assert request["annotations"] == {
        "Service": "things",
        "Method": "GET",
        "Route": "/things/{id}",
        "Verb": "retrieve",
        "Status": 404,
        "ColdStart": True,
    }
    assert (request.get("error"), request.get("fault")) == (True, None)


def test_an_exception_is_traced_without_its_text(thing: Any, sent: list[dict[str, Any]]) -> None:
    tracer = Tracer(disabled=False, auto_patch=False)
    assert Client(app(thing, tracer=tracer)).get("/things").status == 500
    (request,) = [span for span in sent if span["name"] == "## request"]
    (exception,) = request["cause"]["exceptions"]
    assert (request["fault"], exception["type"], "message" in exception) == (True, "KeyError", False)
    assert exception["stack"][-1]["label"] == "list"
    assert "canary" not in json.dumps(sent)


def test_a_tracer_that_patches_traces_the_calls_itself(
    thing: Any, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = Tracer(disabled=False, auto_patch=False)
    monkeypatch.setattr(tracer, "auto_patch", True)
    Client(app(thing, tracer=tracer)).get("/things/a")
    assert "DynamoDB GetItem" not in [name for name, _ in tree(sent)]


def test_a_disabled_tracer_is_off(thing: Any) -> None:
    """``POWERTOOLS_TRACE_DISABLED`` is set, as in all tests but those above."""
    assert settings.request_observers(None, None, True) == ()
    assert settings.request_observers(None, None, Tracer()) == ()


# --- arguments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [None, False], ids=str)
def test_nothing_is_on_unless_said(off: Any) -> None:
    assert settings.request_observers(off, off, off) == ()


def test_true_is_powertools_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "orders")
    settings._default.cache_clear()
    log, _, metrics = settings.request_observers(True, True, None)
    assert isinstance(log, DirectAccessLog)
    assert isinstance(metrics, RequestMetrics)
    assert log.logger is Logger(service="orders")._logger
    assert (type(metrics.metrics), metrics.metrics.service, metrics.metrics.namespace) == (
        Metrics,
        "orders",
        "PolyMicro",
    )
    settings._default.cache_clear()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(
            {"logger": print}, "PolyMicro.logger must be True, Powertools' Logger or a", id="logger"
        ),
        pytest.param({"metrics": "x"}, "PolyMicro.metrics must be True, Powertools' Eph", id="metrics"),
        pytest.param(
            {"tracer": logging}, "PolyMicro.tracer must be True, Powertools' Tracer, not", id="tracer"
        ),
        pytest.param({"metrics": Metrics()}, "PolyMicro.metrics has no namespace", id="namespace"),
    ],
)
def test_an_argument_of_another_kind(thing: Any, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        app(thing, **arguments).compile()


@pytest.mark.parametrize(("name", "extra"), [("logger", ""), ("metrics", ""), ("tracer", "[tracer]")])
def test_powertools_is_missing(thing: Any, name: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings._default.cache_clear()
    monkeypatch.setitem(sys.modules, settings.POWERTOOLS_MODULES[name], None)
    with pytest.raises(ConfigurationError, match=re.escape(f'pip install "polymicro-lambda{extra}"')):
        app(thing, **{name: True}).compile()


def test_what_is_off_is_not_imported() -> None:
    parts = "[m for m in sys.modules if 'aws_lambda_powertools' in m or 'xray' in m]"
    code = f"import polymicro_lambda, sys; print({parts})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
