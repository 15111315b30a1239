"""What the models of a table declare of it, found by the table's name among all models."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute
from pynamodb.models import Model

COUNTERS = "polymicro_lambda.throttling"
"""Where the models of tables come from that say how many requests were made, not what they did."""


class Declared(NamedTuple):
    """What the models of a table declare."""

    counts: bool
    """It counts requests."""
    stored_names: Mapping[str, frozenset[str]]
    """Python name -> its stored names."""
    called: frozenset[str]
    """The Python names of those whose default is called; a class, as ``dict``, gives the same each time."""

    @classmethod
    def of(cls, table: str) -> "Declared":
        """The declarations of every model of a table."""
        models = list(_models_in(table, Model))
        attributes = [pair for model in models for pair in model.get_attributes().items()]
        stored = {name: frozenset(a.attr_name for n, a in attributes if n == name) for name, _ in attributes}
        called = frozenset(name for name, attribute in attributes if _is_called(attribute))
        return cls(any(model.__module__.startswith(COUNTERS) for model in models), stored, called)

    def stored(self, names: Collection[str]) -> set[str]:
        """The stored names of these Python names."""
        return {stored for name in names for stored in self.stored_names.get(name, ())}


def _models_in(table: str, base: type[Model]) -> Iterator[type[Model]]:
    for model in base.__subclasses__():
        if getattr(getattr(model, "Meta", None), "table_name", None) == table:
            yield model
        yield from _models_in(table, model)


def _is_called(attribute: Attribute[Any]) -> bool:
    defaults = (attribute.default, attribute.default_for_new)
    return any(callable(each) and not isinstance(each, type) for each in defaults)
