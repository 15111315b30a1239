"""Defaults that are called make values for new items alone: PynamoDB would make another one at each read of an item."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.models import Model


class CalledDefault:
    """The ``default`` of an attribute, called for new items alone: it stands in ``default_for_new``."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __call__(self) -> Any:
        """A new value."""
        return self.make()


def has_default(attribute: Attribute[Any]) -> bool:
    """Whether an attribute says ``default``, called or plain; ``default_for_new`` is none."""
    return attribute.default is not None or isinstance(attribute.default_for_new, CalledDefault)


def call_defaults_for_new_items(models: Iterable[type[Model]]) -> None:
    """Let the called defaults of these models, of their kinds and their maps, make values for new items alone."""
    containers = chain.from_iterable(_containers(model, set()) for model in models)
    for attribute in chain.from_iterable(one.get_attributes().values() for one in containers):
        if callable(attribute.default):
            # A map's own ``__setattr__`` would set a member.
            vars(attribute).update(default=None, default_for_new=CalledDefault(attribute.default))


def _containers(container: Any, seen: set[Any]) -> Iterator[Any]:
    """A model or map, the kinds of it, and the maps in them."""
    if container in seen:
        return
    seen.add(container)
    yield container
    for kind in container.__subclasses__():
        yield from _containers(kind, seen)
    for attribute in container.get_attributes().values():
        for inner in (type(attribute), getattr(attribute, "element_type", None)):
            if inner is not None and issubclass(inner, MapAttribute) and inner is not MapAttribute:
                yield from _containers(inner, seen)
