"""The start of an app: what its libraries may log, and in a Lambda what the first request would have to wait for."""

import gc
import logging
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import private_session, rehearse_call
from polymicro_lambda.observability import redacted_exc_info
from polymicro_lambda.routing import Route

try:
    from snapshot_restore_py import register_after_restore  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # it comes with Lambda's runtimes that have SnapStart, Python 3.12 and later
    register_after_restore = None

FUNCTION = "AWS_LAMBDA_FUNCTION_NAME"
"""What is set in a Lambda alone."""
STATIC = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""Where Lambda puts a function's credentials, except under SnapStart."""
FEW = 20
"""How many resources or models of an app are made ready, at some 1 ms each: an instance uses few of many."""
TALKATIVE = ("botocore", "pynamodb")
"""The libraries that write requests and answers, whole items in them, at DEBUG."""


def quiet_libraries() -> None:
    """Let these libraries log warnings alone, whatever the root logger takes; a level of their own stays."""
    for logger in map(logging.getLogger, TALKATIVE):
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Garbage is not looked for meanwhile: nearly all that compiling makes stays, and a look takes as long as that.

    In a Lambda it is not looked for later either in what is there by then.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if FUNCTION in os.environ:
                gc.freeze()
            gc.enable()


def make_ready(
    models: Iterable[type[Model]],
    logger: logging.Logger,
    *,
    debug: bool = False,
    routes: Sequence[Route] = (),
    environment: Mapping[str, str] = os.environ,
    after_restore: Callable[[Callable[[], None]], Any] | None = register_after_restore,
) -> None:
    """In a Lambda, make what requests need first: the models' clients, and all for routes of a ``FEW`` resources.

    Elsewhere nothing. Calls nothing over the network and never raises.

    Under SnapStart the snapshot gets no client and no credentials, which would outlive the function that they
    are of: botocore is warmed with made-up ones, and the clients are made after each restore. What fails is
    logged, with its text only for ``debug``.
    """
    if FUNCTION not in environment:
        return
    known = tuple(models)
    attempt = partial(_attempt, logger=logger, debug=debug)
    if len({id(route.resource) for route in routes}) <= FEW:
        for route in routes:
            attempt(route.ready)
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        attempt(_warm)
        if after_restore:
            after_restore(lambda: attempt(partial(_restored, known)))
    elif all(environment.get(name) for name in STATIC):
        attempt(lambda: _connect(known, rehearse=True))


def _restored(models: Sequence[type[Model]]) -> None:
    # All instances of one snapshot would wait alike between tries.
    random.seed()
    _connect(models, rehearse=False)


def _attempt(work: Callable[[], None], *, logger: logging.Logger, debug: bool) -> None:
    try:
        work()
    except Exception as error:
        info = redacted_exc_info(error, text=debug)
        logger.warning("Not all was made ready in the init phase: the first request makes it.", exc_info=info)


def _connect(models: Sequence[type[Model]], *, rehearse: bool) -> None:
    for model in models if len(models) <= FEW else dynamodb.one_model_per_client(models):
        client = dynamodb.connect(model).client
        if rehearse:
            rehearse_call(client, model.Meta.table_name)


def _warm() -> None:
    session = private_session("made-up", "made-up")
    client = session.create_client("dynamodb", session.get_config_variable("region") or "us-east-1")
    rehearse_call(client)
    client.close()
