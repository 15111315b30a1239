"""The clients of DynamoDB: a model's connection, its botocore client, and the calls that are made by it.

What is private in PynamoDB's connections stands here; what is private in its iterators, in ``result_pages``.
"""

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from pynamodb.connection.base import Connection
from pynamodb.models import Model
from pynamodb.signals import post_dynamodb_send, pre_dynamodb_send

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import RawItem

from .called_defaults import call_defaults_for_new_items
from .error_codes import translating_errors
from .transport import retries
from .transport.sessions import TRANSPORT, private_session, use_direct_pools

PREFIX_MEMBER = "_polymicro_prefix"
"""The member of a ``Meta`` that holds the prefix which an app has put before the table's name."""

CLIENT_VARIABLES = (
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    TRANSPORT,
)
"""The variables of the environment that a client depends on: another value of one needs another client."""

CLIENT_SETTINGS = (
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
"""The members of a model's ``Meta`` that its client depends on."""

BOUNDED_CLIENT = "_polymicro_bound"
"""The attribute of a connection that holds its client once the client's tries are bounded."""
CONNECTION_STATE = frozenset({"_client", "_local", "_tables", "dispatch", BOUNDED_CLIENT})
"""The attributes of a connection that are no settings."""

TIMEOUTS = {"connect_timeout_seconds": (15, 1), "read_timeout_seconds": (30, 3)}
"""Setting -> PynamoDB's default and ours, in seconds.

PynamoDB tries four times, each as long as its default allows; API Gateway gives up after 29 s.
"""

ITEM_OPERATIONS = frozenset({"DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"})
DISPATCH = Connection.dispatch
SIGNALS: Any = [signal for signal in (pre_dynamodb_send, post_dynamodb_send) if hasattr(signal, "receivers")]
"""PynamoDB's signals; none without blinker, when nobody can listen."""
LOG = logging.getLogger(Connection.__module__)

_clients: dict[str, Any] = {}
"""Settings and environment -> client."""


def prepare_models(models: Collection[type[Model]], prefix: str) -> None:
    """Put ``prefix`` once before each model's table name, and bound its calls; makes no connection.

    Defaults that are called make values for new items alone from now on.

    Raises ``ConfigurationError`` if a model has another prefix already, or has used its table without one.
    """
    of_tables = _by_meta(models)
    for model in of_tables.values():
        _prepare(model, prefix)
    call_defaults_for_new_items(models)


def _prepare(model: type[Model], prefix: str) -> None:
    owner = table_meta(model)
    known = vars(owner).get(PREFIX_MEMBER)
    if known not in (None, prefix):
        raise ConfigurationError(
            f"{model.__name__}: table_prefix is {prefix!r} here, but another app has compiled it with {known!r}"
        )
    if prefix and known is None and model._connection is not None:
        raise ConfigurationError(
            f"{model.__name__}: table_prefix {prefix!r} comes too late, {owner.table_name!r} is already in use"
        )
    if known is None:
        setattr(owner, PREFIX_MEMBER, prefix)
        owner.table_name = prefix + owner.table_name
    for name, (default, bounded) in TIMEOUTS.items():
        if getattr(model.Meta, name, default) == default:
            setattr(model.Meta, name, bounded)


def is_outside_of_prefix(model: type[Model], others: Iterable[type[Model]]) -> bool:
    """Whether an app has put a prefix before the tables of others, and none before that of this model."""
    return not hasattr(model.Meta, PREFIX_MEMBER) and any(
        getattr(one.Meta, PREFIX_MEMBER, "") for one in others
    )


def table_meta(model: type[Model]) -> Any:
    """The ``Meta`` that names the model's table, its own or an inherited one. Raises ``ConfigurationError``."""
    metas = getattr(model, "Meta", object).__mro__
    owner = next((meta for meta in metas if "table_name" in vars(meta)), None)
    if owner is None:
        raise ConfigurationError(f"{model.__name__}.Meta.table_name is missing")
    return owner


def one_model_per_client(models: Iterable[type[Model]]) -> Iterable[type[Model]]:
    """One model of each group that shares a client."""
    metas = _by_meta(models).items()
    return {
        repr([getattr(meta, name, None) for name in CLIENT_SETTINGS]): model for meta, model in metas
    }.values()


def _by_meta(models: Iterable[type[Model]]) -> Mapping[Any, type[Model]]:
    """The first model of each ``Meta``, which classes inherit."""
    first: dict[Any, type[Model]] = {}
    for model in models:
        first.setdefault(model.Meta, model)
    return first


def table_name(model: type[Model]) -> str:
    """The model's table as its ``Meta`` names it, also after an app has put a prefix before it."""
    name: str = model.Meta.table_name
    return name.removeprefix(getattr(model.Meta, PREFIX_MEMBER, ""))


def execute(model: type[Model], operation: str, **arguments: Any) -> dict[str, Any]:
    """Call a DynamoDB operation on the model's table with botocore's own arguments. Raises ``CLIENT_ERRORS``."""
    arguments["TableName"] = model.Meta.table_name
    connection = connect(model)
    if operation not in ITEM_OPERATIONS or _has_listeners(connection):
        # Of the class: what reads by this function knows by itself what it leaves out.
        return cast("dict[str, Any]", type(connection).dispatch(connection, operation, arguments))
    # PynamoDB's dispatch would also make an id of the call and send signals, which nobody listens to.
    if "ReturnConsumedCapacity" not in arguments:
        arguments["ReturnConsumedCapacity"] = "TOTAL"
    answer: dict[str, Any] = connection._make_api_call(operation, arguments)
    return answer


def get_item(model: type[Model], key: RawItem) -> RawItem | None:
    """The item with this key by a consistent read, None where there is none. Raises ``HTTPError``."""
    with translating_errors():
        item: RawItem | None = execute(model, "GetItem", Key=key, ConsistentRead=True).get("Item")
    return item


def _has_listeners(connection: Connection) -> bool:
    """Whether a signal, a subclass or the debug log of PynamoDB takes note of the calls."""
    signalled = SIGNALS and any(signal.receivers for signal in SIGNALS)
    return signalled or type(connection).dispatch is not DISPATCH or LOG.isEnabledFor(logging.DEBUG)


def batch_get_item(model: type[Model], requests: dict[str, Any]) -> dict[str, Any]:
    """BatchGetItem; ``requests`` are table name -> keys and options. Raises ``CLIENT_ERRORS``."""
    data: dict[str, Any] = connect(model).dispatch("BatchGetItem", {"RequestItems": requests})
    return data


def connect(model: type[Model]) -> Any:
    """The model's connection, with a client that all models of the same settings share: a client takes 0.04 s."""
    table = model._connection
    if table is None or table.table_name != model.Meta.table_name:
        table = model._get_connection()
    connection: Any = table.connection
    client = connection._client
    if client is not None and vars(connection).get(BOUNDED_CLIENT) is client:
        return connection
    return _with_bounded_client(connection)  # PynamoDB may have made the client, for a call of the app's own


def _with_bounded_client(connection: Any) -> Any:
    if connection._client is None:
        settings = {name: value for name, value in vars(connection).items() if name not in CONNECTION_STATE}
        key = repr((settings, *map(os.environ.get, CLIENT_VARIABLES)))
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
    setattr(connection, BOUNDED_CLIENT, connection._client)
    return connection


def client_of(model: type[Model]) -> Any:
    """The client that makes the model's calls at present, None before the first call."""
    table = model._connection
    return None if table is None else table.connection._client


def transact_write(model: type[Model], items: Sequence[Mapping[str, Any]], token: str) -> None:
    """TransactWriteItems by the model's client: all of the writes or none. Raises ``CLIENT_ERRORS``.

    Under one token (at most 36 characters) DynamoDB does it once in ten minutes (API reference, TransactWriteItems).
    """
    connect(model).dispatch("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})
