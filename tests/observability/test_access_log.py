"""The record of a request's line: by the short way what it is by ``info``, which the logger may insist on."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig

from polymicro_lambda.observability.access_log import (
    MESSAGE,
    MESSAGE_WITH_ARGUMENT,
    AccessLog,
    DirectAccessLog,
    access_log_of,
)
from polymicro_lambda.observability.observation import MeteredObservation
from polymicro_lambda.observability.request_report import RequestReport


def write_line(access_log: Any) -> None:
    """Let an access log write the line of a request."""
    observation = MeteredObservation()
    access_log.begin(observation)
    for end in observation.at_end:
        end(REPORT)


REPORT = RequestReport(
    method="GET",
    route="/todo",
    verb="list",
    status=200,
    duration_ms=1.5,
    request_id="id",
    correlation_id=None,
    cold_start=False,
    user="0123456789abcdef",
    source="rest",
    calls=1,
    read_units=0.5,
    write_units=0.0,
    retries=0,
    throttles=0,
    phases={"read": 0.5, "dump": 1.0},
    dynamodb_ms=0.25,
)
WHEN_AND_WHERE = ("created", "msecs", "relativeCreated", "pathname", "filename", "module", "lineno")


@pytest.fixture
def logger(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    made = logging.getLogger(request.node.name)
    made.propagate = False
    made.setLevel(logging.INFO)
    yield made
    made.handlers.clear()


class Kept(logging.Handler):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append({n: v for n, v in vars(record).items() if n not in WHEN_AND_WHERE})


def test_a_record_is_that_of_info(logger: logging.Logger) -> None:
    kept = Kept()
    logger.addHandler(kept)
    write_line(AccessLog(logger))
    write_line(DirectAccessLog(logger))
    one, other = kept.records
    assert (one, one["request_id"], one["funcName"]) == (other, "id", "_write")


def test_a_level_a_filter_and_a_factory_count(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept()
    logger.addHandler(kept)
    monkeypatch.setattr(logger, "filters", [lambda record: record.status == 200])
    former = logging.getLogRecordFactory()
    logging.setLogRecordFactory(lambda *given, **more: marked(former(*given, **more)))
    try:
        write_line(access_log_of(logger, standard=True))
        logger.setLevel(logging.WARNING)
        write_line(access_log_of(logger, standard=True))
    finally:
        logging.setLogRecordFactory(former)
    assert [each["mark"] for each in kept.records] == ["x"]


def marked(record: logging.LogRecord) -> logging.LogRecord:
    record.mark = "x"
    return record


def test_powertools_writes_the_same_line() -> None:
    """Keys, formatter and order its own."""
    stream = io.StringIO()
    logger = Logger(service="test_lines", stream=stream, level="INFO", team="blue", sampling_rate=1)
    logger.append_keys(stage="test", request_id="another")
    write_line(AccessLog(logger, MESSAGE_WITH_ARGUMENT))
    write_line(access_log_of(logger, standard=False))
    one, other = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert isinstance(access_log_of(logger, standard=False), DirectAccessLog)
    assert (one.pop("location").partition(":")[0], list(one)) == (
        other.pop("location").partition(":")[0],
        list(other),
    )
    assert all(line.pop("timestamp") for line in (one, other))
    assert (one, one["team"], one["request_id"]) == (other, "blue", "id")


class Own(logging.Logger):
    def _log(self, *_: Any, **__: Any) -> None: ...


class Theirs(Logger):
    def info(self, *_: Any, **__: Any) -> None: ...


BUFFERS = LoggerBufferConfig(buffer_at_verbosity="INFO")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(logging.getLogger("test_lines_a"), DirectAccessLog, id="standard"),
        pytest.param(logging.getLogger(), DirectAccessLog, id="root"),
        pytest.param(logging.LoggerAdapter(logging.getLogger("b")), AccessLog, id="adapter"),
        pytest.param(Own("c"), AccessLog, id="a class of its own"),
        pytest.param(Logger(service="test_lines_d"), DirectAccessLog, id="Powertools"),
        pytest.param(Logger(service="test_lines_d", child=True), DirectAccessLog, id="a child"),
        pytest.param(Theirs(service="test_lines_e"), AccessLog, id="a class of Powertools'"),
        pytest.param(Logger(service="test_lines_f", buffer_config=BUFFERS), AccessLog, id="a buffer"),
        pytest.param(Logger(service="test_lines_f", child=True), AccessLog, id="a child of one"),
    ],
)
def test_which_way(given: Any, kind: type) -> None:
    """The short one where nobody would miss ``info``."""
    standard = isinstance(given, logging.Logger | logging.LoggerAdapter)
    assert access_log_of(given, standard=standard) == kind(
        given if standard or kind is AccessLog else logging.getLogger(given.name),
        MESSAGE if standard else MESSAGE_WITH_ARGUMENT,
    )
