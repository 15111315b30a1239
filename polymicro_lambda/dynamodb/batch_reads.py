"""Items by their keys: BatchGetItem, up to 100 at a time, and again for what it left."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.exceptions import ServiceUnavailable
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.types import RawItem

from . import client
from .client import GROWTH, ReadPage
from .comparisons import typed
from .failures import retry_after
from .models import model_info

MOST = 100
"""Keys of one BatchGetItem (DynamoDB API reference)."""
ROUNDS = 5
"""How often the keys that a BatchGetItem left unprocessed are asked for."""
PAUSE = 0.05
"""The most seconds before they are asked for again; each time up to twice as long as before."""
LEAST = 2.0
"""With fewer seconds left they are not."""


def batch_pages(
    model: type[Model], keys: Sequence[RawItem], start: RawItem | None, size: int
) -> Iterator[ReadPage]:
    """The items of these keys behind ``start``, in the order of the keys; there are pages for those that are there.

    As rows may drop out, each page may be four times as large as the one before.
    """
    left, size = list(keys if start is None else _after(keys, start)), min(size, MOST)
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    while left:
        asked, left = left[:size], left[size:]
        found = in_order(names, asked, batch_get(model, asked))
        yield ReadPage(
            [item for item in found if item is not None], frozenset(names), asked[-1] if left else None
        )
        size = min(size * GROWTH, MOST)


def _after(keys: Sequence[RawItem], start: RawItem) -> Sequence[RawItem]:
    place = next(
        (number for number, key in enumerate(keys) if key_identity(key) == key_identity(start)), len(keys)
    )
    return keys[place + 1 :]


def in_order(names: Sequence[str], keys: Sequence[RawItem], items: Iterator[RawItem]) -> list[RawItem | None]:
    """The items in the order of their keys, None for one that is not there."""
    found = {key_identity({name: raw[name] for name in names}): raw for raw in items}
    return [found.get(key_identity(key)) for key in keys]


def key_identity(key: RawItem) -> frozenset[Any]:
    """What two keys have in common that are one to DynamoDB."""
    return frozenset((name, typed(value)) for name, value in key.items())


def batch_get(
    model: type[Model], keys: list[RawItem], called: Callable[[], None] = lambda: None
) -> Iterator[RawItem]:
    """The items of up to 100 keys, in any order, by consistent reads; it tells its calls.

    Raises ``ServiceUnavailable`` if some stay unprocessed.
    """
    table = model.Meta.table_name
    for number in range(ROUNDS):
        if number and keys:
            _pause(number)
        if not keys:
            return
        called()
        data = client.batch_get_item(model, {table: {"Keys": keys, "ConsistentRead": True}})
        yield from data["Responses"].get(table, ())
        keys = data.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    if keys:
        raise _busy()


def _pause(number: int) -> None:
    if seconds_left() < LEAST:
        raise _busy()
    time.sleep(secrets.randbelow(1000) / 1000 * PAUSE * 2 ** (number - 1))


def _busy() -> ServiceUnavailable:
    return ServiceUnavailable("The database is busy: try again later.", headers=retry_after())
