"""What is known of PynamoDB's inside: every private name of it that this package uses stands here."""

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pynamodb.connection.base import Connection
from pynamodb.indexes import Index
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator
from pynamodb.signals import post_dynamodb_send, pre_dynamodb_send

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import RawItem

from .failures import translating_errors
from .transport import retries
from .transport.sessions import TRANSPORT, private_session, use_direct_pools

GROWTH = 4
"""How much larger each further page of a list may be than the one before."""
LARGEST = 10_000
"""The most items that a page asks for: the 1 MB that one holds has seldom more."""
PREFIX = "_polymicro_prefix"

# What a client depends on: another value of one of these needs another client.
ENVIRONMENT = (
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    TRANSPORT,
)

# What a model's Meta says of it.
CLIENT = (
    "region",
    "host",
    "connect_timeout_seconds",
    "read_timeout_seconds",
    "max_retry_attempts",
    "max_pool_connections",
    "extra_headers",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
)

BOUND = "_polymicro_bound"
"""The client of a connection whose tries are bounded."""
STATE = frozenset({"_client", "_local", "_tables", BOUND})
"""What a connection holds besides its settings."""

# PynamoDB waits up to 15 s to connect and 30 s for an answer, four times over; API Gateway gives up after 29 s.
TIMEOUTS = {"connect_timeout_seconds": (15, 1), "read_timeout_seconds": (30, 3)}

ON_ITEMS = frozenset({"DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"})
DISPATCH = Connection.dispatch
SIGNALS: Any = [signal for signal in (pre_dynamodb_send, post_dynamodb_send) if hasattr(signal, "receivers")]
"""PynamoDB's signals; none without blinker, when nobody can ask to be told."""
LOG = logging.getLogger(Connection.__module__)

_clients: dict[str, Any] = {}


# --- connections ---------------------------------------------------------------------------------------


def prepare_models(models: Iterable[type[Model]], prefix: str) -> None:
    """Put ``prefix`` once before each model's table name, and bound its calls; makes no connection.

    Raises ``ConfigurationError`` if a model has another prefix already, or has used its table without one.
    """
    for model in _by_meta(models).values():
        _prepare(model, prefix)


def _prepare(model: type[Model], prefix: str) -> None:
    owner = table_meta(model)
    known = vars(owner).get(PREFIX)
    if known not in (None, prefix):
        raise ConfigurationError(
            f"{model.__name__}: table_prefix is {prefix!r} here, but another app has compiled it with {known!r}"
        )
    if prefix and known is None and model._connection is not None:
        raise ConfigurationError(
            f"{model.__name__}: table_prefix {prefix!r} comes too late, {owner.table_name!r} is already in use"
        )
    if known is None:
        setattr(owner, PREFIX, prefix)
        owner.table_name = prefix + owner.table_name
    for name, (default, bounded) in TIMEOUTS.items():
        if getattr(model.Meta, name, default) == default:
            setattr(model.Meta, name, bounded)


def table_meta(model: type[Model]) -> Any:
    """The ``Meta`` that names the model's table, its own or an inherited one. Raises ``ConfigurationError``."""
    metas = getattr(model, "Meta", object).__mro__
    owner = next((meta for meta in metas if "table_name" in vars(meta)), None)
    if owner is None:
        raise ConfigurationError(f"{model.__name__}.Meta.table_name is missing")
    return owner


def one_per_client(models: Iterable[type[Model]]) -> Iterable[type[Model]]:
    """Of models that share a client one."""
    metas = _by_meta(models).items()
    return {repr([getattr(meta, name, None) for name in CLIENT]): model for meta, model in metas}.values()


def _by_meta(models: Iterable[type[Model]]) -> Mapping[Any, type[Model]]:
    """The first model of each ``Meta``, which classes inherit."""
    found: dict[Any, type[Model]] = {}
    for model in models:
        found.setdefault(model.Meta, model)
    return found


def table_name(model: type[Model]) -> str:
    """The model's table as its ``Meta`` names it, also after an app has put a prefix before it."""
    name: str = model.Meta.table_name
    return name.removeprefix(getattr(model.Meta, PREFIX, ""))


def execute(model: type[Model], operation: str, **arguments: Any) -> dict[str, Any]:
    """Call a DynamoDB operation on the model's table with botocore's own arguments."""
    arguments["TableName"] = model.Meta.table_name
    connection = connect(model)
    if operation not in ON_ITEMS or _listens(connection):
        return cast("dict[str, Any]", connection.dispatch(operation, arguments))
    # What dispatch does besides: it makes an id and tells signals of the call, which nobody has asked for.
    if "ReturnConsumedCapacity" not in arguments:
        arguments["ReturnConsumedCapacity"] = "TOTAL"
    answer: dict[str, Any] = connection._make_api_call(operation, arguments)
    return answer


def get_item(model: type[Model], key: RawItem) -> RawItem | None:
    """The item with this key as it stands now, None where there is none."""
    with translating_errors():
        item: RawItem | None = execute(model, "GetItem", Key=key, ConsistentRead=True).get("Item")
    return item


def _listens(connection: Connection) -> bool:
    """Whether anybody is told of the calls by PynamoDB."""
    signalled = SIGNALS and any(signal.receivers for signal in SIGNALS)
    return signalled or type(connection).dispatch is not DISPATCH or LOG.isEnabledFor(logging.DEBUG)


def batch_get_item(model: type[Model], requests: dict[str, Any]) -> dict[str, Any]:
    """BatchGetItem: table name -> keys and how to read them."""
    data: dict[str, Any] = connect(model).dispatch("BatchGetItem", {"RequestItems": requests})
    return data


def connect(model: type[Model]) -> Any:
    """The model's connection, with a client that all models of the same settings share: each costs 0.04 s."""
    table = model._connection
    if table is None or table.table_name != model.Meta.table_name:
        table = model._get_connection()
    connection: Any = table.connection
    client = connection._client
    # It may have been made by PynamoDB, for a call of the app's own.
    return connection if client is not None and vars(connection).get(BOUND) is client else _bound(connection)


def _bound(connection: Any) -> Any:
    if connection._client is None:
        settings = {name: value for name, value in vars(connection).items() if name not in STATE}
        key = repr((settings, *map(os.environ.get, ENVIRONMENT)))
        if key not in _clients:
            # PynamoDB's own client still, from a session that is quicker than its own.
            connection._local.session = private_session(
                connection._aws_access_key_id,
                connection._aws_secret_access_key,
                connection._aws_session_token,
            )
            _clients[key] = connection.client
            use_direct_pools(_clients[key])
        connection._client = _clients[key]
    retries.bound_retries(connection._client)
    setattr(connection, BOUND, connection._client)
    return connection


def client_of(model: type[Model]) -> Any:
    """The client that the model's calls are made by as things stand, None before the first."""
    table = model._connection
    return None if table is None else table.connection._client


def transact_write(model: type[Model], items: Sequence[Mapping[str, Any]]) -> None:
    """TransactWriteItems by the model's client: all of the writes or none."""
    connect(model).dispatch("TransactWriteItems", {"TransactItems": items})


# --- lists ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ReadPage:
    """One page as DynamoDB gave it."""

    items: Sequence[RawItem]
    key_names: Collection[str]
    """The attributes that a key to go on from is made of."""
    last_key: Any
    """Where the next page starts, None after the last."""

    def key_after(self, start: int, number: int) -> Any:
        """The key after which to go on from an item, counted from ``start``; that of the last is DynamoDB's own."""
        place = start + number
        if place + 1 >= len(self.items):
            return self.last_key
        return {name: self.items[place].get(name) for name in self.key_names}


def pages_of_iterator(iterator: "ResultIterator[Any]") -> Iterator[ReadPage]:
    """The pages of a query or scan; one that was already begun goes on where it stands.

    Each further page may be four times as large, so that a rare match does not take calls without end.
    """
    source = iterator.page_iter
    if iterator._index < iterator._count:
        yield ReadPage(iterator._items[iterator._index :], list(source.key_names), source.last_evaluated_key)
    while not source._is_last_page:
        items = next(source).get("Items", [])
        yield ReadPage(items, list(source.key_names), source.last_evaluated_key)
        if source.page_size is not None:
            source.page_size = max(source.page_size, min(source.page_size * GROWTH, LARGEST))


def model_of_iterator(iterator: "ResultIterator[Any]") -> type[Model] | None:
    """The model whose items a query or scan gives, None for raw ones."""
    model = getattr(iterator._map_fn, "__self__", None)
    return model if isinstance(model, type) and issubclass(model, Model) else None


def model_of_index(index: Index[Any]) -> type[Model]:
    """The model whose index it is."""
    model: type[Model] = index._model
    return model


def limit_of_iterator(iterator: "ResultIterator[Any]") -> int | None:
    """How many items the iterator was still asked for, None for all."""
    limit: int | None = iterator._limit
    return limit


def index_of_iterator(iterator: "ResultIterator[Any]") -> str | None:
    """The index that a query or scan reads, None for the table, and where it was said which attributes to read."""
    asked = iterator.page_iter._kwargs
    index: str | None = None if asked.get("attributes_to_get") else asked.get("index_name")
    return index
