"""What a resource says of all its lists: the form of their pages, and what they are where a request says nothing."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.spelling import did_you_mean

from .envelopes import Envelope, envelope_of
from .filtering.filters import DeclaredFilters
from .planning.planner import Planner


class ListSettings(NamedTuple):
    """The settings of a resource's lists."""

    limit: int = 25
    """The page size where a request says none."""
    envelope: Envelope | None = None
    """The object around the items, None for a bare array."""
    default_sort: str | None = None
    """The order where a request says none, as ``?sort=`` would say it; None for that of the index that is read."""

    @property
    def counts(self) -> bool:
        """Whether a request may ask for the number of all items."""
        return self.envelope is not None and self.envelope.count is not None

    def around_item(self, item: bytes) -> bytes:
        """An item, a JSON text, as it goes out alone: in the envelope's member for it, where there is one."""
        return item if self.envelope is None else self.envelope.around_item(item)


NO_SETTINGS = ListSettings()
"""Those of a resource that says nothing."""


def list_settings_of(
    resource: str,
    envelope: Any,
    default_sort: Any,
    filters: DeclaredFilters,
    planner: Planner,
    bindable: Iterable[str] | None,
) -> ListSettings:
    """What ``envelope`` and ``default_sort`` of a resource say. Raises ``ConfigurationError``.

    ``bindable`` are the attributes that a request may bind to one value, None for any.
    """
    order = _default_sort_of(resource, default_sort, planner, bindable)
    return ListSettings(envelope=envelope_of(resource, envelope, filters), default_sort=order)


def _default_sort_of(
    resource: str, declared: Any, planner: Planner, bindable: Iterable[str] | None
) -> str | None:
    """What ``default_sort`` says. Raises where the model has no such attribute, or no table or index that order."""
    if declared is None:
        return None
    where = f"{resource}.default_sort"
    if not isinstance(declared, str):
        raise ConfigurationError(f'{where} must be an attribute such as "-created", not {declared!r}')
    name, attributes = declared.removeprefix("-"), planner.model.get_attributes()
    if name not in attributes:
        near = did_you_mean(name, attributes)
        raise ConfigurationError(f"{where}: {planner.model.__name__} has no attribute {name!r}{near}")
    if (made := model_info(planner.model).parts_of(name)) is not None:
        raise ConfigurationError(f"{where}: {name!r} is made of {made}: sort by one of these")
    _check_order(where, name, planner, bindable)
    return declared


def _check_order(where: str, name: str, planner: Planner, bindable: Iterable[str] | None) -> None:
    """Raise where neither the table nor an index has this attribute's order; say what would have to be bound."""
    attributes = planner.model.get_attributes()
    place = attributes[name].attr_name
    bound = None if bindable is None else {attributes[one].attr_name for one in bindable}
    if any(place in path.orders(bound) for path in planner.usable(bindable)):
        return
    names = {one.attr_name: python_name for python_name, one in attributes.items()}
    sorting = [path for path in planner.paths if place in path.orders(None)]
    needs = {" and ".join(names[one] for one in path.unbound_for(place, bound or ())) for path in sorting}
    if not needs:
        raise ConfigurationError(
            f"{where}: no list can be sorted by {name!r}. It must be the sort key of the table or of an index whose"
            " partition key is bound by the route, by OwnedBy or by filters"
        )
    raise ConfigurationError(
        f"{where}: no list can be sorted by {name!r}, as nothing binds {' or '.join(sorted(needs))}: add a filter on"
        " that (eq), or bind it by the route or OwnedBy"
    )
