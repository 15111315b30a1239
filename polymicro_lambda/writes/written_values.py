"""What is written of the values of each create and update: a resource's ``clean``, then its ``touch``."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.schemas import default_of

from .cleaned_values import Clean, cleaned


class WrittenValues:
    """The values of a model's creates and updates, as they are written."""

    __slots__ = ("alike", "clean", "touch")

    def __init__(
        self, touch: Mapping[str, Any], clean: Clean | None = None, model: type[Model] | None = None
    ) -> None:
        self.touch = touch
        self.clean = clean
        self.alike = {} if model is None else dict(_alike(touch, model))
        """Attribute whose default for a new item is the function that touches another one -> that other one."""

    def of_new(self, model: type[Model], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of a new item. Raises ``ConfigurationError`` where ``clean`` gives none."""
        if self.clean is not None:
            values = cleaned(self.clean, model, values, None)
        if not self.touch:
            return values
        made = self.touched({**self._defaults(model, values), **values})
        same = {name: made[touched] for name, touched in self.alike.items() if name not in values}
        return {**made, **same} if same else made

    def _defaults(self, model: type[Model], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The called defaults of what is still missing: called before ``touch``, which is no earlier than they are."""
        known = {*values, *self.touch, *self.alike}
        return {name: one() for name, one in _called_defaults(model).items() if name not in known}

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


def _alike(touch: Mapping[str, Any], model: type[Model]) -> Iterator[tuple[str, str]]:
    for touched, made in touch.items():
        for name, attribute in model.get_attributes().items() if callable(made) else ():
            if name not in touch and default_of(attribute) is made:
                yield name, touched


@cache
def _called_defaults(model: type[Model]) -> Mapping[str, Callable[[], Any]]:
    """Python name -> default of the attributes whose default is called."""
    found = {name: default_of(attribute) for name, attribute in model.get_attributes().items()}
    return {name: one for name, one in found.items() if callable(one)}
