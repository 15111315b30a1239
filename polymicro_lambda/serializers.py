"""Values on their way into the store: what a verb gives becomes what DynamoDB stores, or a 422."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import AttributeNullError
from pynamodb.models import Model

from .exceptions import Unprocessable
from .items import Declared, declared, serialized
from .types import RawItem


@dataclass(frozen=True, slots=True)
class ItemSerializer:
    """Serialises the values of one model's items."""

    model: type[Model]
    about: Declared

    @classmethod
    def of(cls, model: type[Model]) -> "ItemSerializer":
        """The serialiser of a model."""
        return cls(model, declared(model))

    def key(self, values: Mapping[str, Any]) -> RawItem:
        """The key in these values, by Python name."""
        raw = {a.attr_name: serialized(a, values[name]) for name, a in self.about.keys.items()}
        return {name: value for name, value in raw.items() if value is not None}

    def key_of(self, instance: Model) -> RawItem:
        """The key of an instance."""
        return self.key({name: getattr(instance, name) for name in self.about.keys})

    def new(self, values: Mapping[str, Any]) -> tuple[Model, RawItem]:
        """A new item of these values and the model's defaults, at version 1.

        Raises ``Unprocessable`` for attributes that are still missing, ``TypeError`` for unknown ones.
        """
        instance = self.model()
        for name, value in values.items():
            self._attribute(name)
            setattr(instance, name, value)
        try:
            raw: RawItem = instance.serialize()
        except AttributeNullError as error:
            raise _incomplete(str(error.attr_path)) from error
        if self.about.version is not None:
            raw[self.about.version.attr_name] = {"N": "1"}
        return instance, raw

    def changes(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        """What these values make of an item, by DynamoDB's names; None removes.

        Raises ``Unprocessable`` for attributes that cannot be without, ``TypeError`` for unknown ones.
        """
        return {self._attribute(name).attr_name: self._value(name, value) for name, value in values.items()}

    def _value(self, name: str, value: Any) -> dict[str, Any] | None:
        raw = serialized(self._attribute(name), value)
        if raw is None and not self._attribute(name).null:
            raise _incomplete(name)
        return raw

    def _attribute(self, name: str) -> Any:
        attributes = self.model.get_attributes()
        if name not in attributes:
            raise TypeError(f"{self.model.__name__} has no attribute {name!r}: a verb put it into req")
        return attributes[name]


def _incomplete(path: str) -> Unprocessable:
    missing = {"pointer": "#/" + path.replace(".", "/"), "detail": "Missing data for required field."}
    return Unprocessable("The item is not complete.", errors=[missing])
