"""`lookup`: a unique attribute that stands in the path of items in place of their key, read and checked."""

from collections.abc import Collection
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.spelling import did_you_mean
from polymicro_lambda.writes import Lookup, UniqueConstraints


def check_lookup(
    resource: str, model: type[Model], declared: Any, bound: Collection[str], *, items: bool
) -> None:
    """Raise ``ConfigurationError`` for what can be no ``lookup``; ``bound`` are the attributes of path and rule.

    ``items`` says whether some verb is on an item's path.
    """
    if declared is None:
        return
    where, attributes = f"{resource}.lookup", model.get_attributes()
    if not isinstance(declared, str):
        raise ConfigurationError(f"{where} must name an attribute, such as 'username', not {declared!r}")
    if declared not in attributes:
        near = did_you_mean(declared, attributes)
        raise ConfigurationError(f"{where}: {model.__name__} has no attribute {declared!r}{near}")
    made = model_info(model).parts_of(declared)
    if made is not None:
        raise ConfigurationError(f"{where}: {declared!r} is made of {made}, and no body has it")
    if declared in model_info(model).address:
        raise ConfigurationError(
            f"{where}: {declared!r} is of the key, by which items are addressed without it"
        )
    if declared in bound:
        raise ConfigurationError(f"{where}: {declared!r} is bound by the route or the rule already")
    if attributes[declared].null:
        raise ConfigurationError(
            f"{where}: {declared!r} may be null, and an item without it would have no address"
        )
    if not items:
        raise ConfigurationError(f"{where}: {resource} has no verb on an item that it would address")


def lookup_of(
    resource: str, declared: str | None, unique: UniqueConstraints | None, bound: Collection[str]
) -> Lookup | None:
    """The lookup of a resource, None for none. Raises ``ConfigurationError`` where the attribute is not unique."""
    if declared is None:
        return None
    constraints = () if unique is None else unique.constraints
    fitting = [one for one in constraints if declared in one.names and {*one.names} <= {declared, *bound}]
    if unique is None or not fitting:
        raise ConfigurationError(
            f"{resource}.lookup: {declared!r} may be that of several items: say unique = ({declared!r},), or unique"
            " together with attributes that the route binds"
        )
    return Lookup(declared, unique, min(fitting, key=lambda one: len(one.names)))
