"""A Lambda's init phase: it does what the first request would have to wait for."""

import logging
import os
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pynamodb.models import Model

from . import _botocore, _pynamodb

try:
    from snapshot_restore_py import register_after_restore  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # it comes with Lambda's runtimes that have SnapStart, Python 3.12 and later
    register_after_restore = None

STATIC = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""Where Lambda puts a function's credentials, except under SnapStart."""


def begin(
    models: Iterable[type[Model]],
    logger: logging.Logger,
    *,
    environment: Mapping[str, str] = os.environ,
    after_restore: Callable[[Callable[[], None]], Any] | None = register_after_restore,
) -> None:
    """In a Lambda, make the models' clients; elsewhere nothing. Calls nothing over the network and never raises.

    Under SnapStart the snapshot gets no client and no credentials, which would outlive the function that they
    are of: botocore is warmed with made-up ones, and the clients are made after each restore.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in environment:
        return
    known = tuple(models)
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _attempt(_warm, logger)
        if after_restore:
            after_restore(lambda: _restored(known, logger))
    elif all(environment.get(name) for name in STATIC):
        _attempt(lambda: _connect(known, rehearse=True), logger)


def _restored(models: Iterable[type[Model]], logger: logging.Logger) -> None:
    # All instances of one snapshot would wait alike between tries.
    random.seed()
    _attempt(lambda: _connect(models, rehearse=False), logger)


def _attempt(work: Callable[[], None], logger: logging.Logger) -> None:
    try:
        work()
    except Exception:
        logger.warning("No client was made in the init phase: the first request will.", exc_info=True)


def _connect(models: Iterable[type[Model]], *, rehearse: bool) -> None:
    clients = {id(client): client for client in (_pynamodb.connect(model).client for model in models)}
    for client in clients.values() if rehearse else ():
        _botocore.rehearse(client)


def _warm() -> None:
    session = _botocore.private_session("made-up", "made-up")
    client = session.create_client("dynamodb", session.get_config_variable("region") or "us-east-1")
    _botocore.rehearse(client)
    client.close()
