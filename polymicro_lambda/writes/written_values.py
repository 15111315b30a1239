"""What is written of the values of each create and update: a resource's ``clean``, then its ``touch``."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.schemas import default_of

from .cleaned_values import Clean, cleaned


class WrittenValues:
    """The values of a model's creates and updates, as they are written."""

    __slots__ = ("clean", "touch")

    def __init__(self, touch: Mapping[str, Any], clean: Clean | None = None) -> None:
        self.touch = touch
        self.clean = clean

    def of_new(self, model: type[Model], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of a new item. Raises ``ConfigurationError`` where ``clean`` gives none."""
        if self.clean is not None:
            values = cleaned(self.clean, model, values, None)
        if not self.touch:
            return values
        return self.touched({**self._defaults(model, values), **values})

    def _defaults(self, model: type[Model], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The called defaults of what is still missing: called before ``touch``, which is no earlier than they are."""
        made = _called_defaults(model).items()
        return {name: one() for name, one in made if name not in values and name not in self.touch}

    def of_update(self, values: Mapping[str, Any], instance: Model) -> Mapping[str, Any]:
        """Those of an update; one without values stays so. Raises as ``of_new``."""
        if values and self.clean is not None:
            values = cleaned(self.clean, type(instance), values, instance)
        return self.touched(values) if values else values

    def touched(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same values, and those that every write sets."""
        if not self.touch:
            return values
        return {**values, **{name: one() if callable(one) else one for name, one in self.touch.items()}}


AS_GIVEN = WrittenValues({})


@cache
def _called_defaults(model: type[Model]) -> Mapping[str, Callable[[], Any]]:
    """Python name -> default of the attributes whose default is called."""
    found = {name: default_of(attribute) for name, attribute in model.get_attributes().items()}
    return {name: one for name, one in found.items() if callable(one)}
