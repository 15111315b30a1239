"""Which request the app's own lines are of."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import BasePowertoolsFormatter
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ModelResource, PolyMicro, action
from polymicro_lambda.observability.request_ids import RequestIds
from polymicro_lambda.testing import Client

ID = "00000000-0000-4000-8000-000000000000"
NAMED = {"X-Correlation-Id": "cart-7"}


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)


def client(own: Any, **settings: Any) -> Client:
    """An app whose verbs write lines to a logger of its own."""

    class Notes(ModelResource):
        model = Note
        route = "notes"
        permissions = AllowAny

        @action(methods=("POST",), detail=False)
        def write(self) -> Any:
            own.info("written")

        @action(methods=("POST",), detail=False)
        def fail(self) -> Any:
            own.info("failing")
            raise KeyError("why")

    pm = PolyMicro(**settings)
    Notes(pm)
    return Client(pm.compile())


# --- Powertools -----------------------------------------------------------------------------------------


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(stream: io.StringIO, request: pytest.FixtureRequest) -> Iterator[Logger]:
    """One that no other test has written to."""
    made = Logger(service=request.node.name, stream=stream, level="INFO")
    yield made
    made.thread_safe_clear_keys()


def logged(stream: io.StringIO, *names: str) -> list[tuple[Any, ...]]:
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [(line["message"], *(line.get(name) for name in names)) for line in lines]


def test_lines_of_a_verb_say_their_request(logger: Logger, stream: io.StringIO) -> None:
    """Until it is answered, by an error too; by any of Powertools' loggers."""
    app = client(Logger(service="other", stream=stream), logger=logger)
    assert app.post("/notes/write", headers=NAMED).status == 204
    logger.info("between")
    assert app.post("/notes/fail", headers=NAMED).status == 500
    logger.info("after")
    assert app.post("/notes/write").status == 204
    assert logged(stream, "request_id", "correlation_id") == [
        ("written", ID, "cart-7"),
        ("request", ID, "cart-7"),
        ("between", None, None),
        ("failing", ID, "cart-7"),
        ("Request failed: KeyError", ID, "cart-7"),
        ("request", ID, "cart-7"),
        ("after", None, None),
        ("written", ID, None),
        ("request", ID, None),
    ]


def test_keys_of_the_apps_own_stay(logger: Logger, stream: io.StringIO) -> None:
    logger.thread_safe_append_keys(request_id="mine", stage="test")
    client(logger, logger=logger).post("/notes/write", headers=NAMED)
    logger.info("after")
    assert logged(stream, "request_id", "stage") == [
        ("written", ID, "test"),
        ("request", ID, "test"),
        ("after", "mine", "test"),
    ]


class Plain(BasePowertoolsFormatter):
    """Knows nothing of keys."""

    def append_keys(self, **_: Any) -> None: ...
    def remove_keys(self, keys: Any) -> None: ...
    def clear_state(self) -> None: ...


def test_a_formatter_without_keys_of_a_thread(stream: io.StringIO) -> None:
    logger = Logger(service="plain", stream=stream, level="INFO", logger_formatter=Plain("%(message)s"))
    assert client(logger, logger=logger).post("/notes/write").status == 204
    assert stream.getvalue().splitlines() == ["written", "request"]


def test_what_cannot_take_keys_is_told_and_the_request_answered(
    logger: Logger, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = client(logger, logger=logger)
    monkeypatch.setattr(logger.registered_formatter, "thread_safe_append_keys", None)
    assert app.post("/notes/write").status == 204
    assert logged(stream) == [("A request could not be reported",), ("written",), ("request",)]


# --- the standard library -------------------------------------------------------------------------------


@pytest.fixture
def standard(stream: io.StringIO) -> Iterator[logging.Logger]:
    made = logging.getLogger("test_correlation")
    made.propagate = False
    made.setLevel(logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIds())
    handler.setFormatter(logging.Formatter("%(request_id)s %(correlation_id)s %(message)s"))
    made.addHandler(handler)
    yield made
    made.removeHandler(handler)


def test_a_filter_says_the_request_under_a_standard_logger(
    standard: logging.Logger, stream: io.StringIO
) -> None:
    """Also where the app tells nobody of its requests; what a record says itself stays."""
    app = client(standard)
    app.post("/notes/write", headers=NAMED)
    standard.info("between")
    app.post("/notes/fail", headers=NAMED)
    standard.info("after", extra={"request_id": "mine"})
    assert stream.getvalue().splitlines() == [
        f"{ID} cart-7 written",
        "None None between",
        f"{ID} cart-7 failing",
        "mine None after",
    ]
