"""The model of a resource that has none, so that whoever reads a route's model need not ask whether there is one."""

from collections.abc import Iterable

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model


class NoTable(Model):
    """A model without a table, of which there are no items; its attributes are what a path says, as texts."""


def model_of_path(names: Iterable[str]) -> type[Model]:
    """The model of a resource without one, whose path has these parameters."""
    members = {name: UnicodeAttribute() for name in names}
    return type(NoTable.__name__, (NoTable,), members) if members else NoTable


def has_table(model: type[Model]) -> bool:
    """Whether a model has a table: all have but those of resources without a model."""
    return not issubclass(model, NoTable)
