"""What is written of the values of each create and update: a resource's ``clean``, then its ``touch``."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import CalledDefault
from polymicro_lambda.schemas import default_of

from .cleaned_values import Clean, cleaned


class WrittenValues:
    """The values of a model's creates and updates, as they are written."""

    __slots__ = ("clean", "touch")

    def __init__(self, touch: Mapping[str, Any], clean: Clean | None = None) -> None:
        self.touch = touch
        self.clean = clean

    def of_new(self, model: type[Model], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of a new item. Raises ``ConfigurationError`` where ``clean`` gives none.

        With ``touch`` the called defaults are called here and first: what is touched is no earlier than they are.
        """
        if self.clean is not None:
            values = cleaned(self.clean, model, values, None)
        if not self.touch:
            return values
        known = values.keys() | self.touch.keys()
        missing = {name: one for name, one in _called_defaults(model).items() if name not in known}
        return {**values, **_called({**missing, **self.touch})}

    def of_update(self, values: Mapping[str, Any], instance: Model) -> Mapping[str, Any]:
        """Those of an update; one without values stays so. Raises as ``of_new``."""
        if values and self.clean is not None:
            values = cleaned(self.clean, type(instance), values, instance)
        return self.touched(values) if values else values

    def touched(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same values, and those that every write sets."""
        if not self.touch:
            return values
        return {**values, **_called(self.touch)}


AS_GIVEN = WrittenValues({})


def _called(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of functions, each of which is called once in a write; any other value as it is."""
    made = {one: one() for one in said.values() if callable(one)}
    return {name: made[one] if callable(one) else one for name, one in said.items()}


@cache
def _called_defaults(model: type[Model]) -> Mapping[str, Callable[[], Any]]:
    """Python name -> default of the attributes whose default is called."""
    found = {name: default_of(attribute) for name, attribute in model.get_attributes().items()}
    return {
        name: one.make if isinstance(one, CalledDefault) else one
        for name, one in found.items()
        if callable(one)
    }
