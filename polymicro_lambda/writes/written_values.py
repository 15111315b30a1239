"""What is written of the values of each create and update: a resource's ``clean``, then its ``touch``."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.rules import current_guard
from polymicro_lambda.schemas import default_of

Clean: TypeAlias = Callable[[dict[str, Any], Any, Any], Any]
"""From values, the instance that is updated (None for a create) and the user to the values that are written."""


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

    def of_new(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of a new item. Raises ``ConfigurationError`` where ``clean`` gives none."""
        made = self.touched(values if self.clean is None else _cleaned(self.clean, values, None))
        if not self.alike:
            return made
        return {**{name: made[touched] for name, touched in self.alike.items()}, **made}

    def of_update(self, values: Mapping[str, Any], instance: Model) -> Mapping[str, Any]:
        """Those of an update; one without values stays so. Raises as ``of_new``."""
        if values and self.clean is not None:
            values = _cleaned(self.clean, values, instance)
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


def _cleaned(clean: Clean, values: Mapping[str, Any], instance: Model | None) -> Mapping[str, Any]:
    given = dict(values)
    made = clean(given, instance, current_guard().user)
    if made is not None and not isinstance(made, Mapping):
        name = getattr(clean, "__qualname__", "clean")
        raise ConfigurationError(f"{name} must return the values to write, or None for those it was given")
    return given if made is None else made
