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
TRANSPORT = "POLYMICRO_TRANSPORT"
"""The variable that says who sends requests to DynamoDB: ``botocore`` as it does by itself, or this package."""


class QuickLoader(Loader):  # type: ignore[misc] # botocore has no types
    """Botocore's loader of data files, without a look into the directory of each of its 420 services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The names of all services that there are data of; which data, tells the loading of them."""
        directories = [Path(path) for path in self.search_paths if Path(path).is_dir()]
        return sorted({entry.name for directory in directories for entry in directory.iterdir()})


def private_session(
    access_key: str | None = None, secret_key: str | None = None, token: str | None = None
) -> Session:
    """A session that makes the clients that botocore's own would make here, in less time.

    Environment, profile and configuration files count as ever. Its data, once read, serves all such sessions.
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
    """Let a new client use its connections by ``_pools``, unless ``POLYMICRO_TRANSPORT`` is ``botocore``.

    Where somebody has given it another sender or other pools, it keeps them.
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
    """Let a client's calls be made by ``around``, which gets what makes them, the operation's name and parameters.

    What makes them is the class's, whatever has been put in its place.
    """

    def call(operation: str, parameters: Any) -> Any:
        return type(client)._make_api_call(client, operation, parameters)

    def surrounded(operation_name: str, api_params: Any) -> Any:
        return around(call, operation_name, api_params)

    client._make_api_call = surrounded


def rehearse_call(client: Any, table: str = "none") -> None:
    """Make a call that goes through all of botocore but the network: no later one does anything for the first time.

    Its answer, an item that is not there, is made here. Botocore looks for the endpoint of each ``table`` by itself.
    The pool of connections is made, and none in it. Raises what botocore does, e.g. without a region.
    """
    event = f"before-send.dynamodb.{REHEARSED}"
    client.meta.events.register_first(event, _nothing_there)
    try:
        client.get_item(TableName=table, Key={"none": {"S": "none"}})
    finally:
        client.meta.events.unregister(event, _nothing_there)
    manager = getattr(client._endpoint.http_session, "_manager", None)
    if manager is not None:
        manager.connection_from_url(client.meta.endpoint_url)


class _Empty:
    """What botocore reads a body from."""

    def stream(self) -> list[bytes]:
        """The body: an object without an item."""
        return [b"{}"]


def _nothing_there(request: AWSRequest, **_: Any) -> AWSResponse:
    return AWSResponse(request.url, 200, {}, _Empty())
