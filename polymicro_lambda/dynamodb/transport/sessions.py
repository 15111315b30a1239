"""The botocore session that DynamoDB's clients come from: private, so that nothing global changes, and quick."""

import encodings.idna  # noqa: F401 - by it Python looks up a host's name: else the first connection imports it
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader, create_loader
from botocore.session import Session, get_session

from .connection_pools import BOTOCORE_POOLS, DIRECT_POOLS

Call: TypeAlias = Callable[[str, Any], Any]
"""A call of an operation with these parameters."""
REHEARSED = "GetItem"
"""The operation of ``rehearse_call``."""
TRANSPORT = "POLYMICRO_TRANSPORT"
"""Environment variable: with ``botocore``, botocore sends requests by itself, else by this package's pools."""


class QuickLoader(Loader):  # type: ignore[misc] # botocore has no types
    """Botocore's loader of data files, without a look into the directory of each of its 420 services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The names of all services with data of any type, whether of ``type_name`` or not."""
        directories = [Path(path) for path in self.search_paths if Path(path).is_dir()]
        return sorted({entry.name for directory in directories for entry in directory.iterdir()})


def private_session(
    access_key: str | None = None, secret_key: str | None = None, token: str | None = None
) -> Session:
    """A session that makes the clients that botocore's own would make here, in less time.

    Environment, profile and configuration files count as ever. All such sessions share the data that one has read.
    """
    session = get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    if access_key and secret_key:
        session.set_credentials(access_key, secret_key, token)
    return session


@cache
def _loader(data_path: str | None) -> Loader:
    paths = create_loader(data_path).search_paths
    return QuickLoader(extra_search_paths=paths, include_default_search_paths=False)


def use_direct_pools(client: Any) -> None:
    """Give a new client the pools of ``connection_pools``, unless ``POLYMICRO_TRANSPORT`` is ``botocore``.

    A client with another sender or other pools than botocore's keeps them.
    """
    if os.environ.get(TRANSPORT, "").lower() == "botocore":
        return
    sender = client._endpoint.http_session
    manager = getattr(sender, "_manager", None)
    if type(sender) is not URLLib3Session or manager is None:
        return
    if manager.pool_classes_by_scheme == BOTOCORE_POOLS:
        # A dict of its own: the sender's is also that of proxies' pools.
        manager.pool_classes_by_scheme = dict(DIRECT_POOLS)


def wrap_calls(client: Any, around: Callable[[Call, str, Any], Any]) -> None:
    """Let ``around`` make a client's calls: it gets a function that makes the call, the operation and its parameters.

    That function is the class's ``_make_api_call``, as it is when the call is made.
    """

    def call(operation: str, parameters: Any) -> Any:
        return type(client)._make_api_call(client, operation, parameters)

    def wrapped(operation_name: str, api_params: Any) -> Any:
        return around(call, operation_name, api_params)

    client._make_api_call = wrapped


def rehearse_call(client: Any, table: str = "none") -> None:
    """Make a GetItem that goes through all of botocore but the network, so that later calls find its caches filled.

    Its answer, no item, is made here. Botocore caches the endpoint of each ``table`` by itself. The pool is made
    too, without a connection. Raises botocore's exceptions, e.g. without a region.
    """
    event = f"before-send.dynamodb.{REHEARSED}"
    client.meta.events.register_first(event, _no_item)
    try:
        client.get_item(TableName=table, Key={"none": {"S": "none"}})
    finally:
        client.meta.events.unregister(event, _no_item)
    manager = getattr(client._endpoint.http_session, "_manager", None)
    if manager is not None:
        manager.connection_from_url(client.meta.endpoint_url)


class _EmptyBody:
    """A response's body as botocore reads it."""

    def stream(self) -> list[bytes]:
        """The whole body: an answer without an item."""
        return [b"{}"]


def _no_item(request: AWSRequest, **_: Any) -> AWSResponse:
    return AWSResponse(request.url, 200, {}, _EmptyBody())
