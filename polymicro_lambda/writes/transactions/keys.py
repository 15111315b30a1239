"""`Key`: an item by its key, for a transaction that need not read it."""

from collections.abc import Mapping
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.schemas import key_rules
from polymicro_lambda.types import RawItem


class Key:
    """The item of a model with this key: ``Key(Product, "p1")``, ``Key(Order, owner="alice", id="1")``.

    A composed key is said by its parts, in their order or by name: ``Key(Thing, tenant="t", project="p", id="1")``.
    Raises ``ConfigurationError`` for more or fewer values than the model has key attributes, and for other names.
    """

    __slots__ = ("model", "values")

    def __init__(self, model: type[Model], *values: Any, **named: Any) -> None:
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ConfigurationError(f"Key begins with a model, not {model!r}: say Key(Product, 'p1')")
        names = list(model_info(model).address)
        given = dict(zip(names, values, strict=False)) | named
        if len(values) + len(named) != len(names) or given.keys() != set(names):
            raise ConfigurationError(f"Key({model.__name__}, …) takes a value for each of {', '.join(names)}")
        self.model = model
        self.values = given

    def stored(self) -> RawItem | None:
        """The key as DynamoDB stores it, None where a value can be no key: no item has it."""
        return stored_key(self.model, self.values)

    def __repr__(self) -> str:
        return f"Key({self.model.__name__}, {', '.join(map(repr, self.values.values()))})"


def stored_key(model: type[Model], values: Any) -> RawItem | None:
    """A key by its attributes' names as DynamoDB stores it, None for what can be none: a client may have sent it."""
    about = model_info(model)
    keys = about.address
    if not isinstance(values, Mapping) or values.keys() != keys.keys():
        return None
    stored: RawItem = {}
    for name, attribute in keys.items():
        try:
            value = attribute.serialize(values[name])
            if not key_rules(model)[name].fits(values[name]):
                return None
        except (TypeError, ValueError, AttributeError):
            return None
        if not isinstance(value, str | bytes | bool):
            return None
        stored[attribute.attr_name] = {attribute.attr_type: value}
    return about.key_or_none(stored)
