"""The DynamoDB of a local run: an embedded one unless the environment names another, and its tables."""

import json
import logging
import os
import secrets
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.deploy import GLOBAL_INDEXES, LOCAL_INDEXES, Table, tables_of
from polymicro_lambda.routing import Route

from .atomic_moto import serialize_calls, tell_of_writes
from .kept_data import Journal, KeptCall, restored
from .settings import UsageError

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
"""botocore's own variable for DynamoDB's address."""

DEVELOPMENT_SECRET = "polymicro-local-development-only"  # nosec B105 # noqa: S105 (a known value, for this machine alone)
"""The key that signs tokens in a local run: 32 bytes, the least that HS256 takes (RFC 7518, section 3.2)."""

EMBEDDED = "embedded DynamoDB, gone when the command ends"
"""The name of the embedded engine."""
KEPT = "embedded DynamoDB, kept in "
"""The name begins so where its data is kept."""

CREATION = 60
"""Seconds that the engine gets to make a table."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A DynamoDB: where it is, in words, and the environment variables that make the app use it."""

    name: str
    environment: Mapping[str, str]


def set_defaults(environ: MutableMapping[str, str]) -> None:
    """Give a local run what a deployed one has from its template, and errors with their text, unless set already."""
    environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    environ.setdefault("JWT_SECRET", DEVELOPMENT_SECRET)
    environ.setdefault("POLYMICRO_DEBUG", "true")
    environ.setdefault("ALLOW_ANONYMOUS", "true")
    environ.setdefault("POLYMICRO_CURSOR_SECRET", secrets.token_urlsafe(32))


def engine_of(environ: Mapping[str, str], data: Path | None = None) -> Engine:
    """The engine that the environment names, else an embedded one, started; ``data`` is where that keeps its data.

    Raises ``UsageError`` for ``data`` beside another engine, and as ``Journal``.
    """
    if address := environ.get(ENDPOINT):
        if data is not None:
            raise UsageError(f"--data keeps the data of the embedded DynamoDB, and {ENDPOINT} names another.")
        return Engine(f"DynamoDB at {address}", {})
    return start_embedded(data)


def require_region(models: Iterable[type[Model]]) -> None:
    """Raise ``UsageError`` where neither the environment nor a model names a region."""
    known = get_session().get_config_variable("region")
    if known is None and any(getattr(model.Meta, "region", None) is None for model in models):
        raise UsageError(
            "No AWS region is set: set AWS_DEFAULT_REGION, and credentials; or use --embedded, a DynamoDB of its own."
        )


def start_embedded(data: Path | None = None) -> Engine:
    """Start an in-memory DynamoDB, moto's, on a free port of this machine; it lives as long as this process.

    With ``data`` it begins with what is in that directory, and keeps there what changes.
    """
    journal = None if data is None else Journal(data)
    # Deferred: it takes half a second and is needed only here.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    serialize_calls()
    # Its log would have a line for each call of the app, before the line of the request that made it.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    if journal is not None:
        journal.begin(list(restored(journal.calls(), partial(_call, address))))
        tell_of_writes(journal.note)
    name = EMBEDDED if journal is None else f"{KEPT}{journal.path}"
    return Engine(name, {ENDPOINT: address, **_embedded()})


def _call(address: str, call: KeptCall) -> dict[str, Any]:
    """Make a call as it stands in the journal. Raises ``UsageError`` where it is refused, as it was not before."""
    scope = (
        f"local/20260101/{call.region}/dynamodb/aws4_request"  # moto reads the region there, and no signature
    )
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{call.operation}",
    }
    request = Request(address, json.dumps(call.body).encode(), headers)  # noqa: S310 - of the server above
    try:
        with urlopen(request, timeout=CREATION) as response:  # noqa: S310 # nosec B310 - as above
            answer: dict[str, Any] = json.load(response)
    except OSError as error:
        raise UsageError(
            f"A call of the kept data is refused: {call.operation} {call.body}: {error}."
        ) from error
    return answer


def _embedded() -> dict[str, str]:
    """Variables that replace others: an embedded engine never gets real credentials, and no proxy stands before it."""
    direct = ",".join(filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1")))
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",  # nosec B105 # an engine here asks for any
        "AWS_SESSION_TOKEN": "local",  # nosec B105 # as above
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


def create_tables(routes: Iterable[Route], engine: str) -> list[str]:
    """Create the missing tables of the routes' models; the names of the new ones, in the routes' order.

    An embedded engine's tables also get the global indexes that they lack since the models changed. Raises
    ``UsageError`` where the engine does not answer or refuses.
    """
    models = dict.fromkeys(model for route in routes for model in route.models)
    try:
        for model in models:
            dynamodb.connect(model)  # so that PynamoDB's own calls have the client that all share
        wanted = tables_of(models)
        missing = [table for table in wanted if not table.models[0].exists()]
        known = [table for table in wanted if table not in missing]
        for table in missing:
            _create(table)
        if engine.startswith("embedded"):
            for table in known:
                _add_missing_indexes(table, engine)
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        raise UsageError(f"The tables cannot be made in the {engine}: {error}") from error
    return [table.models[0].Meta.table_name for table in missing]


def _create(table: Table) -> None:
    """Make a table as the template does, with what all the models that share it need; no items expire in it."""
    model, streams = table.models[0], "StreamSpecification"
    wanted = {name: value for name, value in table.properties.items() if name != "TimeToLiveSpecification"}
    if streams in wanted:
        wanted[streams] = {"StreamEnabled": True, **wanted[streams]}
    dynamodb.execute(model, "CreateTable", **{"BillingMode": "PAY_PER_REQUEST", **wanted})
    deadline = time.monotonic() + CREATION
    while not _is_active(model):
        if time.monotonic() > deadline:
            raise UsageError(f"The table {model.Meta.table_name} is not there after {CREATION} s.")
        time.sleep(0.1)


def _add_missing_indexes(table: Table, engine: str) -> None:
    """Create the global indexes that the table lacks, one by one as UpdateTable takes them.

    Raises ``UsageError`` where keys or local indexes differ, which no table can change.
    """
    model = table.models[0]
    described = dynamodb.execute(model, "DescribeTable")["Table"]
    same = described["KeySchema"] == table.properties["KeySchema"]
    if not same or _local_indexes(described) | _local_indexes(table.properties) != _local_indexes(described):
        raise UsageError(
            f"The keys or local indexes of {model.Meta.table_name} have changed, which a table cannot follow:"
            f" stop `polymicro serve`{_delete(engine)} and start it again. What is in the table is then gone."
        )
    known = {index["IndexName"] for index in described.get(GLOBAL_INDEXES, ())}
    for index in table.properties.get(GLOBAL_INDEXES, ()):
        if index["IndexName"] not in known:
            dynamodb.execute(
                model,
                "UpdateTable",
                AttributeDefinitions=table.properties["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[{"Create": index}],
            )


def _delete(engine: str) -> str:
    return f", delete {engine.removeprefix(KEPT)}" if engine.startswith(KEPT) else ""


def _local_indexes(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of each local index, by its name."""
    return {index["IndexName"]: index["KeySchema"] for index in properties.get(LOCAL_INDEXES) or ()}


def _is_active(model: type[Model]) -> bool:
    described = dynamodb.execute(model, "DescribeTable")
    return bool(described["Table"]["TableStatus"] == "ACTIVE")
