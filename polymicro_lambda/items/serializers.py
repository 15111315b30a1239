"""A verb's values become the item that DynamoDB stores, or a 422."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import AttributeNullError
from pynamodb.models import Model

from polymicro_lambda.dynamodb import ModelInfo, has_default, model_info
from polymicro_lambda.exceptions import ConfigurationError, Unprocessable
from polymicro_lambda.schemas import is_key, key_rules
from polymicro_lambda.spelling import did_you_mean
from polymicro_lambda.types import RawItem

from .attribute_writers import Write, Writer, writer_of, writers_of
from .composed_keys import check_not_composed, composed_of_new, missing_part
from .etags import same_item
from .instances import instance_factory
from .stored_items import serialized


@dataclass(frozen=True, slots=True)
class ItemSerializer:
    """Serialises the values of one model's items."""

    model: type[Model]
    about: ModelInfo
    writers: tuple[Writer, ...] | None
    """For each attribute its name in Python and in DynamoDB, its type there, whether it can be absent, its default, the
    class of values that are stored unchanged, and the writer of others, None where these take an instance."""
    change_writers: Mapping[str, tuple[str, str, bool, Write]]
    """Python name -> name in DynamoDB, its type there, whether it can be absent, and the writer of its values."""
    key_writers: tuple[tuple[str, str, str, Write], ...]
    """For each attribute that names an item its name in Python and in DynamoDB, its type there, and the writer of its
    values."""
    key_limits: tuple[tuple[str, str, int], ...]
    """For each key attribute, of indexes too, its name in Python and in DynamoDB, and its longest value in bytes."""
    plain_keys: bool = False
    """Whether an instance holds the values of its key unchanged."""

    @classmethod
    def of(cls, model: type[Model]) -> "ItemSerializer":
        """The serialiser of a model."""
        factory, about = instance_factory(model), model_info(model)
        keys = tuple(
            (name, one.attr_name, one.attr_type, one.serialize) for name, one in about.address.items()
        )
        changes = {
            name: (one.attr_name, one.attr_type, bool(one.null), writer_of(one))
            for name, one in model.get_attributes().items()
            if one.attr_name not in about.composed
        }
        limits = tuple((n, one.attribute.attr_name, one.limit) for n, one in key_rules(model).items())
        return cls(
            model, about, writers_of(model), changes, keys, limits, factory is not None and factory.plain_keys
        )

    def key(self, values: Mapping[str, Any]) -> RawItem:
        """The key in these values, by Python name. Raises ``UnfitPart``."""
        raw: RawItem = {}
        for name, place, kind, write in self.key_writers:
            value = values[name]
            stored = None if value is None else write(value)
            if stored is not None:
                raw[place] = {kind: stored}
        return self.about.key_of(raw) if self.about.has_composed_key else raw

    def key_of(self, instance: Model) -> RawItem:
        """The key of an instance."""
        held = instance.attribute_values
        if type(held) is dict and held.keys() == self.about.address.keys() and self.plain_keys:
            return self.key(held)  # it holds its key alone, as an instance that was not read
        if self.about.has_composed_key:
            return {
                one.attr_name: serialized(one, getattr(instance, name)) or {}
                for name, one in self.about.keys.items()
            }
        return self.key({name: getattr(instance, name) for name in self.about.keys})

    def key_in(self, raw: RawItem) -> RawItem:
        """The key in a stored item."""
        return {one.attr_name: raw[one.attr_name] for one in self.about.keys.values()}

    def raw_of_new(self, values: Mapping[str, Any]) -> RawItem | None:
        """The item that ``new`` makes of these values, in less time; None where that takes an instance."""
        if self.writers is None:
            return None
        raw: RawItem = {}
        known = 0
        for name, place, kind, nullable, default, unchanged, write in self.writers:
            if name in values:
                value, known = values[name], known + 1
            else:
                value = default() if callable(default) else default
            if type(value) is unchanged:
                raw[place] = {kind: value}
                continue
            stored = None if value is None or write is None else write(value)
            if stored is not None:
                raw[place] = {kind: stored}
            elif (value is not None and write is None) or not nullable:
                return None
        if known != len(values):
            return None
        if self.about.composed:
            raw |= composed_of_new(self.about, raw)
        if self.about.version is not None:
            raw[self.about.version.attr_name] = {"N": str(first_version())}
        return raw

    def new(self, values: Mapping[str, Any]) -> tuple[Model, RawItem]:
        """A new item of these values and the model's defaults, at its first version.

        Raises ``Unprocessable`` for attributes that are still missing, ``ConfigurationError`` for unknown ones.
        """
        instance = self.model()
        for name, value in values.items():
            self._change_writer(name)
            setattr(instance, name, value)
        if self.about.version is not None:
            self.about.version.__set__(instance, first_version())
        try:
            raw: RawItem = instance.serialize()
        except AttributeNullError as error:
            raise _incomplete(missing_part(self.about, instance, str(error.attr_path))) from error
        return instance, raw

    def changes(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        """The changes that these values make to an item, by DynamoDB's names; None removes.

        Raises ``Unprocessable`` for None in an attribute that is required or has a default, ``ConfigurationError`` for
        unknown ones.
        """
        raw: dict[str, dict[str, Any] | None] = {}
        for name, value in values.items():
            place, kind, nullable, write = self._change_writer(name)
            try:
                stored = None if value is None else write(value)
            except AttributeNullError as error:
                path = error.attr_path
                raise _incomplete(f"{name}{path if path[0] == '[' else '.' + path}") from error
            if stored is None and name not in self.about.address:
                self._check_cleared(name, nullable)
            raw[place] = None if stored is None else {kind: stored}
        return raw

    def _check_cleared(self, name: str, nullable: bool) -> None:
        if has_default(self.model.get_attributes()[name]):
            said = {"pointer": f"#/{name}", "detail": "It has a default, and cannot be cleared."}
            raise Unprocessable("The item cannot be without what has a default.", errors=[said])
        if not nullable:
            raise _incomplete(name)

    def check_key(self, key: RawItem, updated: RawItem) -> None:
        """Raise ``ConfigurationError`` where an update would give an item another key."""
        for place in key:
            if not same_item({place: updated.get(place) or {}}, {place: key[place]}):
                raise self.fixed(place, "of the key, which no update changes")

    def fixed(self, place: str, what: str) -> ConfigurationError:
        """The error of a verb that writes an attribute, by its name in DynamoDB, as no update can."""
        name = next(name for name, (stored, *_) in self.change_writers.items() if stored == place)
        owner = self.model.__name__
        return ConfigurationError(f"{owner}.{name} is {what}: leave {name!r} out of what a verb writes")

    def check_keys(self, stored: Mapping[str, dict[str, Any] | None]) -> None:
        """Raise ``Unprocessable`` for a value that DynamoDB takes in no key of the table or of an index."""
        for name, place, limit in self.key_limits:
            value = stored.get(place)
            if value is not None and not is_key(value, limit):
                said = {"pointer": f"#/{name}", "detail": f"A key has 1 to {limit} bytes."}
                raise Unprocessable("The item cannot be stored by such a key.", errors=[said])

    def _change_writer(self, name: str) -> tuple[str, str, bool, Write]:
        if name not in self.change_writers:
            check_not_composed(self.about, self.model, name)
            # The text is logged, and a verb may have handed on a name that a client sent: only a misspelt one is told.
            near, known = did_you_mean(name, self.change_writers), ", ".join(self.change_writers)
            said = f"{name!r}{near}" if near else f"of a name that a verb writes: it has {known}"
            raise ConfigurationError(f"{self.model.__name__} has no attribute {said}")
        return self.change_writers[name]


def first_version() -> int:
    """The version of a new item: the clock, in microseconds since 1970.

    An item that is made anew after a deletion so has no version again that the deleted one had: an update adds 1. The
    integers that JavaScript tells apart last until 2255 (2**53, ECMA-262: ``Number.MAX_SAFE_INTEGER``).
    """
    return time.time_ns() // 1000


def _incomplete(path: str) -> Unprocessable:
    pointer = "#/" + path.replace(".", "/").replace("[", "/").replace("]", "").replace("//", "/")
    missing = {"pointer": pointer, "detail": "Missing data for required field."}
    return Unprocessable("The item is not complete.", errors=[missing])
