"""Instances that lack attributes, read again: whole, but for what the app's own code has set of them meanwhile."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import (
    PartialRead,
    get_item,
    items_of_keys,
    key_of_item,
    model_info,
    partial_read_of,
    translating_errors,
)
from polymicro_lambda.types import RawItem

from .etags import same_item
from .instances import IMMUTABLE_TYPES, instance_of
from .stored_items import RAW, report_unreadable, serialized


def whole_instances(instances: Sequence[Model]) -> Iterator[Model | None]:
    """Up to 100 partial instances whole, by one consistent read of each table; None for one that is gone or unreadable.

    Raises ``ConfigurationError`` for an instance that was read without its key, and ``HTTPError``.
    """
    tables: dict[str, list[int]] = {}
    for number, instance in enumerate(instances):
        tables.setdefault(type(instance).Meta.table_name, []).append(number)
    found: dict[int, RawItem | None] = {}
    for numbers in tables.values():
        keys = [_key(instances[number]) for number in numbers]
        with translating_errors():
            items = items_of_keys(type(instances[numbers[0]]), keys)
        found |= zip(numbers, items, strict=True)
    for number, instance in enumerate(instances):
        raw = found[number]
        yield None if raw is None else _merged(instance, raw, _readable)


def whole_instance(instance: Model, make: Callable[[RawItem], Model]) -> Model | None:
    """A partial instance whole, by a GetItem, None where its item is gone; ``make`` makes it of the item.

    Raises as ``whole_instances``, and as ``make`` does.
    """
    raw = get_item(type(instance), _key(instance))
    return None if raw is None else _merged(instance, raw, lambda _, item: make(item))


def _readable(model: type[Model], raw: RawItem) -> Model | None:
    try:
        return instance_of(model, raw)
    except Exception as error:  # noqa: BLE001 - a poison row raises whatever its attribute's class does
        report_unreadable(model, raw, "was left out of an answer", error)
        return None


def _key(instance: Model) -> RawItem:
    """The key of the item that an instance is of: as it was read, unless another one has been set since."""
    read, model = partial_read_of(instance), type(instance)
    assert read is not None  # nosec B101 # noqa: S101 - for the type checker
    key = {**(read.item.key or read.item)}
    for name, attribute in model_info(model).keys.items():
        value = instance.attribute_values.get(name)
        if value is not read.before.get(name):
            key[attribute.attr_name] = serialized(attribute, value) or {}
    return key_of_item(model, key)


def _merged(
    partial: Model, raw: RawItem, make: Callable[[type[Model], RawItem], Model | None]
) -> Model | None:
    """The whole instance, and in it what has been set of the partial one: shown, and judged, as it is now."""
    read, whole = partial_read_of(partial), make(type(partial), raw)
    if whole is None or read is None:
        return whole
    changes = dict(_changes(partial, read))
    vars(whole).update({name: value for name, value in vars(partial).items() if name not in vars(whole)})
    if changes:
        del vars(whole)[RAW]
    for name, value in changes.items():
        setattr(whole, name, value)
    return whole


def _changes(partial: Model, read: PartialRead) -> Iterator[tuple[str, Any]]:
    for name, attribute in partial.get_attributes().items():
        value, before = partial.attribute_values.get(name), read.before.get(name)
        if value is not before or not _is_as_read(attribute, value, read.item):
            yield name, value


def _is_as_read(attribute: Attribute[Any], value: Any, item: Mapping[str, Any]) -> bool:
    """Whether a value that may be changed in place, such as a map, is as it was read."""
    name = attribute.attr_name
    if isinstance(value, IMMUTABLE_TYPES) or name not in item:
        return True
    with suppress(Exception):  # of a value that the attribute does not store
        return same_item({name: serialized(attribute, value) or {}}, {name: item[name]})
    return False
