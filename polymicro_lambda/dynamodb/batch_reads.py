"""Items by their keys: BatchGetItem, up to 100 at a time, and again for the keys that it left unprocessed."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.observability import seconds_left
from polymicro_lambda.types import RawItem

from . import client
from .error_codes import database_busy, translating_errors
from .models import model_info
from .result_pages import PAGE_GROWTH, ReadPage
from .typed_values import typed_value

MOST_KEYS = 100
"""Keys of one BatchGetItem (DynamoDB API reference)."""
ROUNDS = 5
"""How many BatchGetItems ask for the same keys, while DynamoDB leaves some of them unprocessed."""
PAUSE = 0.05
"""The longest wait before the second BatchGetItem, in seconds; before each further one it is twice as long."""
LEAST_SECONDS = 2.0
"""With fewer seconds of the invocation left no further BatchGetItem is made."""


def batch_pages(
    model: type[Model], keys: Sequence[RawItem], start: RawItem | None, size: int
) -> Iterator[ReadPage]:
    """Pages of the items with these keys, in the order of the keys, from behind the key ``start`` on.

    Keys without an item are left out. ``size`` is the number of keys of the first page; as rows may drop out, each
    further page may be four times as large.
    """
    left, size = list(keys if start is None else _after(keys, start)), min(size, MOST_KEYS)
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    while left:
        asked, left = left[:size], left[size:]
        items = items_of_keys(model, asked)
        yield ReadPage(
            [item for item in items if item is not None], frozenset(names), asked[-1] if left else None
        )
        size = min(size * PAGE_GROWTH, MOST_KEYS)


def _after(keys: Sequence[RawItem], start: RawItem) -> Sequence[RawItem]:
    place = next(
        (number for number, key in enumerate(keys) if key_identity(key) == key_identity(start)), len(keys)
    )
    return keys[place + 1 :]


def key_of_item(model: type[Model], raw: RawItem) -> RawItem:
    """The key of an item. Raises ``ConfigurationError`` where it was read without."""
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    if not all(name in raw for name in names):
        raise ConfigurationError(
            f"a verb returned {model.__name__} instances whose projection leaves out the keys: {', '.join(names)}"
        )
    return {name: raw[name] for name in names}


def items_of_keys(
    model: type[Model], keys: Sequence[RawItem], on_call: Callable[[], None] = lambda: None
) -> list[RawItem | None]:
    """The items of up to 100 keys in their order, None for a key without an item, by consistent reads.

    A key may stand there twice. ``on_call`` and errors are as for ``batch_get``.
    """
    identities = [*map(key_identity, keys)]
    items = batch_get(model, [*dict(zip(identities, keys, strict=True)).values()], on_call)
    by_key = {key_identity(key_of_item(model, raw)): raw for raw in items}
    return [*map(by_key.get, identities)]


def items_of_tables(wanted: Sequence[tuple[type[Model], RawItem]]) -> list[RawItem | None]:
    """Items of several tables by their keys, up to 100, by one consistent read; None for a key without an item.

    It is made by the client of the first one's model. Raises ``HTTPError``, ``ServiceUnavailable`` if some stay
    unprocessed.
    """
    places = [(model.Meta.table_name, key_identity(key)) for model, key in wanted]
    models = {model.Meta.table_name: model for model, _ in wanted}
    left: dict[str, Any] = {}
    for (table, _), (_, key) in dict(zip(places, wanted, strict=True)).items():
        left.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key)
    found: dict[tuple[str, frozenset[Any]], RawItem] = {}
    for number in range(ROUNDS):
        if number:
            _pause(number)
        with translating_errors():
            data = client.batch_get_item(wanted[0][0], left)
        for table, items in data["Responses"].items():
            found |= {(table, key_identity(key_of_item(models[table], raw))): raw for raw in items}
        left = data.get("UnprocessedKeys", {})
        if not left:
            return [*map(found.get, places)]
    raise database_busy()


def key_identity(key: RawItem) -> frozenset[Any]:
    """A value that is equal for two keys if they are one key to DynamoDB."""
    return frozenset((name, typed_value(value)) for name, value in key.items())


def batch_get(
    model: type[Model], keys: list[RawItem], on_call: Callable[[], None] = lambda: None
) -> Iterator[RawItem]:
    """The items of up to 100 keys, in any order, by consistent reads; ``on_call`` is called before each call.

    Raises ``ServiceUnavailable`` if some stay unprocessed.
    """
    table = model.Meta.table_name
    for number in range(ROUNDS):
        if number and keys:
            _pause(number)
        if not keys:
            return
        on_call()
        data = client.batch_get_item(model, {table: {"Keys": keys, "ConsistentRead": True}})
        yield from data["Responses"].get(table, ())
        keys = data.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    if keys:
        raise database_busy()


def _pause(number: int) -> None:
    if seconds_left() < LEAST_SECONDS:
        raise database_busy()
    time.sleep(secrets.randbelow(1000) / 1000 * PAUSE * 2 ** (number - 1))
