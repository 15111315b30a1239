"""Members of maps, as rules of fields name them: ``"address.city"``."""

from collections.abc import Iterable, Mapping
from typing import Any

from pynamodb.attributes import MapAttribute

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.schemas import ItemSchema
from polymicro_lambda.spelling import did_you_mean


def check_member(where: str, schema: ItemSchema, name: str) -> None:
    """Raise ``ConfigurationError`` for a name with dots that is no member of a map of the model's."""
    first, *rest = name.split(".")
    if schema.model is None:
        raise ConfigurationError(
            f"{where}: a member of a map can have a rule only if the resource has no schema or fields of its own"
        )
    attribute: Any = schema.attributes.get(first)
    for member in rest:
        if not isinstance(attribute, MapAttribute):
            raise ConfigurationError(f"{where}: there is no such member of a map")
        if type(attribute).is_raw():  # type: ignore[no-untyped-call]
            return
        declared = attribute.get_attributes()
        if member not in declared:
            near = did_you_mean(member, declared)
            raise ConfigurationError(f"{where}: {type(attribute).__name__} has no attribute {member!r}{near}")
        attribute = declared[member]


def is_written(body: Mapping[str, Any], name: str, *, merges: bool = False) -> bool:
    """Whether a body holds a field, or a member of a map; one that ``merges`` clears it with a map around it."""
    found: Any = body
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return merges
        if part not in found:
            return False
        found = found[part]
    return True


def without(data: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """An item as it goes out without these members of maps."""
    for name in names:
        first, *rest = name.split(".")
        if first in data:
            data = {**data, first: _less(data[first], rest)}
    return data


def _less(value: Any, path: list[str]) -> Any:
    if not isinstance(value, Mapping) or path[0] not in value:
        return value
    first, *rest = path
    if rest:
        return {**value, first: _less(value[first], rest)}
    return {name: one for name, one in value.items() if name != first}
