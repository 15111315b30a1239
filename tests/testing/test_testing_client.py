"""The client that DynamoDB is called with: PynamoDB's own, sooner; and when it is made."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Create, ModelResource, PolyMicro, Retrieve
from polymicro_lambda.dispatch import startup
from polymicro_lambda.dynamodb import client
from polymicro_lambda.dynamodb.client import connect
from polymicro_lambda.dynamodb.transport.sessions import private_session, rehearse_call

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
REGION = {"AWS_DEFAULT_REGION": "eu-west-1"}
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "todo", **REGION}
SNAP_START = {**LAMBDA, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/credentials"}


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The clients that there are: none at first."""
    known: dict[str, Any] = {}
    monkeypatch.setattr(client, "_clients", known)
    return known


Environ = Callable[[dict[str, str]], dict[str, str]]


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Environ:
    """Set environment variables for one test."""

    def setting(values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return values

    return setting


def model(**meta: Any) -> type[Model]:
    class Doc(Model):
        Meta = type("Meta", (), {"table_name": "docs", **meta})  # type: ignore[assignment]
        id = UnicodeAttribute(hash_key=True)

    return Doc


def about(client: Any) -> dict[str, Any]:
    """All that decides what a client sends, where to and as whom."""
    credentials = client._request_signer._credentials
    return {
        "config": vars(client.meta.config),
        "endpoint": client.meta.endpoint_url,
        "region": client.meta.region_name,
        "partition": client.meta.partition,
        "signing": (client._request_signer.signing_name, client._request_signer.region_name),
        "signature": client._request_signer.signature_version,
        "credentials": credentials and credentials.get_frozen_credentials(),
        "timeout": client._endpoint.http_session._timeout.__dict__,
        "verify": client._endpoint.http_session._verify,
        "operations": client.meta.service_model.operation_names,
    }


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({}, id="keys and region"),
        pytest.param({"AWS_SESSION_TOKEN": "token"}, id="session token"),
        pytest.param({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}, id="endpoint of dynamodb"),
        pytest.param({"AWS_ENDPOINT_URL": "http://127.0.0.1:8001"}, id="endpoint of all"),
        pytest.param({"AWS_DEFAULT_REGION": "cn-north-1"}, id="another partition"),
        pytest.param({"AWS_USE_FIPS_ENDPOINT": "true"}, id="fips"),
        pytest.param({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, id="dual stack"),
        pytest.param({"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "7"}, id="retries"),
        pytest.param({"AWS_DEFAULTS_MODE": "in-region"}, id="defaults mode"),
        pytest.param({"AWS_CA_BUNDLE": "/dev/null"}, id="certificates"),
    ],
)
def test_the_client_is_what_pynamodb_would_have_made(environ: Environ, values: dict[str, str]) -> None:
    environ(KEYS | REGION | values)
    theirs = Connection(connect_timeout_seconds=15, read_timeout_seconds=30).client
    assert about(connect(model()).client) == about(theirs)


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param({"region": "us-west-2"}, id="region"),
        pytest.param({"host": "http://127.0.0.1:8002"}, id="host"),
        pytest.param({"connect_timeout_seconds": 2, "read_timeout_seconds": 4}, id="timeouts"),
        pytest.param({"max_retry_attempts": 1}, id="attempts"),
        pytest.param({"max_pool_connections": 3}, id="pool"),
        pytest.param(
            {"aws_access_key_id": "mine", "aws_secret_access_key": "own", "aws_session_token": "t"}, id="keys"
        ),
    ],
)
def test_what_the_model_says_counts(environ: Environ, meta: dict[str, Any]) -> None:
    environ(KEYS | REGION)
    theirs = model(**meta)._get_connection().connection.client
    assert about(connect(model(**meta)).client) == about(theirs)


def test_a_profile_counts(environ: Environ, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile work]\nregion = ap-south-1\naws_access_key_id = a\naws_secret_access_key = b\n"
        "services = local\n[services local]\ndynamodb =\n  endpoint_url = http://127.0.0.1:8003\n"
    )
    environ({"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "work"})
    client = connect(model()).client
    assert about(client) == about(Connection(connect_timeout_seconds=15, read_timeout_seconds=30).client)
    assert client.meta.endpoint_url == "http://127.0.0.1:8003"


def test_a_profile_may_assume_a_role() -> None:
    """Its credentials come from another service's client, which the same session makes."""
    client = private_session("key", "secret").create_client("sts", "eu-west-1")
    assert client.meta.service_model.service_name == "sts"


def test_an_unknown_service_is_botocores_own_error() -> None:
    with pytest.raises(botocore.exceptions.UnknownServiceError, match="nosuch"):
        private_session("key", "secret").create_client("nosuch", "eu-west-1")


def test_data_of_the_users_own_counts(environ: Environ, tmp_path: Path) -> None:
    (tmp_path / "mine" / "2020-01-01").mkdir(parents=True)
    service = {
        "metadata": {"protocol": "json", "endpointPrefix": "mine", "serviceId": "Mine"},
        "operations": {},
    }
    (tmp_path / "mine" / "2020-01-01" / "service-2.json").write_text(json.dumps(service))
    environ({"AWS_DATA_PATH": str(tmp_path)})
    loader = private_session().get_component("data_loader")
    assert {"dynamodb", "mine"} <= set(loader.list_available_services("service-2"))
    assert loader.load_service_model("mine", "service-2") == service


def test_nothing_global_changes(environ: Environ) -> None:
    environ(KEYS | REGION)
    before = dict(os.environ)
    connect(model())
    assert dict(os.environ) == before
    theirs = botocore.session.get_session().get_component("data_loader")
    assert type(theirs).__name__ == "Loader"
    assert len(theirs.list_available_services("service-2")) > 300


def test_models_of_the_same_settings_share_a_client(environ: Environ) -> None:
    environ(KEYS | REGION)
    assert connect(model(table_name="a")).client is connect(model(table_name="b")).client


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param({"region": "us-west-2"}, id="region"),
        pytest.param({"extra_headers": {"x-mine": "1"}}, id="headers"),
        pytest.param({"max_retry_attempts": 1}, id="attempts"),
    ],
)
def test_models_of_other_settings_do_not(environ: Environ, meta: dict[str, Any]) -> None:
    environ(KEYS | REGION)
    assert connect(model()).client is not connect(model(**meta)).client


def test_a_rehearsal_reaches_no_network_and_leaves_no_trace(environ: Environ) -> None:
    environ(KEYS | REGION)
    client = private_session("key", "secret").create_client("dynamodb", endpoint_url="http://127.0.0.1:1")
    rehearse_call(client)
    assert pool(client).num_connections == 0
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        client.get_item(TableName="none", Key={"none": {"S": "none"}})


def pool(client: Any) -> Any:
    """Where its connections are."""
    (made,) = client._endpoint.http_session._manager.pools._container.values()
    return made


# --- when it is made ------------------------------------------------------------------------------------


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture) -> Iterator[logging.Logger]:
    """A logger whose records the test sees."""
    with caplog.at_level(logging.WARNING):
        yield logging.getLogger("test_client")


@pytest.mark.parametrize(
    ("values", "made"),
    [
        pytest.param(KEYS | REGION, 0, id="no lambda"),
        pytest.param(KEYS | LAMBDA, 1, id="lambda"),
        pytest.param(LAMBDA, 0, id="lambda without credentials"),
        pytest.param(LAMBDA | CONTAINER, 0, id="lambda whose credentials are a call away"),
        pytest.param(SNAP_START | CONTAINER, 0, id="snapshot"),
        pytest.param(SNAP_START | KEYS, 0, id="snapshot with credentials"),
    ],
)
def test_the_init_phase_makes_clients_where_it_can(
    environ: Environ,
    logger: logging.Logger,
    clients: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    values: dict[str, str],
    made: int,
) -> None:
    """Two models share one; nothing is called: the endpoint would refuse, and that would be logged."""
    environ(values | {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"})
    startup.make_ready([model(table_name="a"), model(table_name="b")], logger)
    assert len(clients) == made
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("values", "count", "ready"),
    [
        pytest.param(LAMBDA, 2, True, id="lambda"),
        pytest.param(SNAP_START, 2, True, id="snapshot"),
        pytest.param(LAMBDA, startup.FEW + 1, False, id="lambda of many"),
        pytest.param({}, 2, False, id="no lambda"),
    ],
)
def test_the_init_phase_makes_what_the_routes_of_a_few_resources_need(
    environ: Environ, values: dict[str, str], count: int, ready: bool
) -> None:
    environ({**values, "POLYMICRO_CURSOR_SECRET": "a secret that is long enough"})
    pm = PolyMicro()
    for number in range(count):
        said = {"model": model(), "route": f"docs{number}", "permissions": AllowAny}
        type("Docs", (ModelResource, Create, Retrieve), said)(pm)
    pm.compile()
    waits = [route for route in pm.routes if "_creating" not in vars(route.schema)]
    assert waits == ([] if ready else list(pm.routes))
    assert all(("selection" in vars(route)) is ready for route in pm.routes)


def test_the_init_phase_rehearses_a_call_of_each_table(
    environ: Environ, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore's rules for endpoints look at the table, and keep what they found of it."""
    tables: list[str] = []
    monkeypatch.setattr(startup, "rehearse_call", lambda _, table: tables.append(table))
    environ(KEYS | LAMBDA)
    startup.make_ready([model(table_name="a"), model(table_name="b")], logger)
    assert tables == ["a", "b"]


def test_of_many_models_one_makes_the_client_that_they_share(
    environ: Environ, logger: logging.Logger, clients: dict[str, Any]
) -> None:
    environ(KEYS | LAMBDA)
    models = [model() for _ in range(startup.FEW)]
    startup.make_ready([*models, model(read_timeout_seconds=7)], logger)
    assert len(clients) == 2
    assert len([one for one in models if one._connection is not None]) == 1


def test_a_client_that_cannot_be_made_is_left_to_the_first_request(
    environ: Environ, logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    environ(KEYS | {"AWS_LAMBDA_FUNCTION_NAME": "todo", "AWS_ENDPOINT_URL_DYNAMODB": "no address"})
    startup.make_ready([model()], logger)
    assert caplog.messages == ["Not all was made ready in the init phase: the first request makes it."]
    assert "no address" not in caplog.text


def test_a_restored_snapshot_makes_its_clients(
    environ: Environ, logger: logging.Logger, clients: dict[str, Any]
) -> None:
    """After the snapshot was taken, with the credentials that are there then."""
    environ(SNAP_START)
    hooks: list[Callable[[], None]] = []
    doc = model()
    startup.make_ready([doc], logger, after_restore=hooks.append)
    assert len(clients) == 0
    environ(KEYS)
    for hook in hooks:
        hook()
    (client,) = clients.values()
    assert client._request_signer._credentials.access_key == "key"
    assert doc._get_connection().connection._client is client
