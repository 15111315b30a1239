"""Items as DynamoDB stores them: whether one is live, and the stored item of an instance."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.observability import report_error
from polymicro_lambda.types import RawItem

RAW = "_polymicro_raw"


def serialized(attribute: Attribute[Any], value: Any) -> dict[str, Any] | None:
    """A value as DynamoDB stores it, None for a value that is stored as absent (None, an empty set)."""
    raw = None if value is None else attribute.serialize(value)
    return None if raw is None else {attribute.attr_type: raw}


def is_live(model: type[Model], raw: RawItem) -> bool:
    """Whether an item is of the model's kind and has not expired.

    DynamoDB removes expired items only within days (AWS: "typically within a few days"): until then they count
    as gone.
    """
    about = model_info(model)
    if about.lasting:
        return True
    if about.kinds and (about.discriminator is not None):
        value = raw.get(about.discriminator.attr_name, {}).get(about.discriminator.attr_type)
        if value not in about.kinds:
            return False
    if not all(raw.get(name, {}).get("S", "").startswith(prefix) for name, prefix in about.prefixes.items()):
        return False
    expires = raw.get(about.ttl.attr_name, {}).get("N") if about.ttl is not None else None
    return expires is None or float(expires) > int(time.time())


def live_conditions(model: type[Model]) -> list[Condition]:
    """`is_live` as conditions that DynamoDB checks, for an item with a key of the model's."""
    about = model_info(model)
    if about.lasting:
        return []
    conditions: list[Condition] = [~condition for condition in expired_conditions(model)]
    if about.kinds and about.discriminator is not None:
        values = [Value({about.discriminator.attr_type: kind}) for kind in sorted(about.kinds)]
        conditions.append(Path([about.discriminator.attr_name]).is_in(*values))
    return conditions


def prefix_conditions(model: type[Model]) -> list[Condition]:
    """The conditions on the prefixes of the model's keys: they exclude other kinds in the same table."""
    return [Path([name]).startswith(prefix) for name, prefix in model_info(model).prefixes.items()]


def expired_conditions(model: type[Model]) -> list[Condition]:
    """The condition under which an item has expired, none where the model has no TTL attribute."""
    ttl = model_info(model).ttl
    return [] if ttl is None else [Path([ttl.attr_name]) <= Value({"N": str(int(time.time()))})]


def stored_item(instance: Model) -> RawItem | None:
    """The stored item that an instance was read from, None for an instance that was not read."""
    raw: RawItem | None = vars(instance).get(RAW)
    return raw


def report_unreadable(model: type[Model], raw: RawItem, consequence: str, cause: Exception) -> None:
    """Log an item that no attribute can read, with a hash of its key."""
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    digest = hashlib.sha256(repr([raw.get(name) for name in names]).encode()).hexdigest()[:16]
    report_error(
        f"A row of %s cannot be read and {consequence}", model.__name__, cause=cause, key_sha256=digest
    )


class ReadRecorder(dict[str, Any]):
    """Attribute values that record the names of those that are read."""

    def __init__(self, values: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(values)
        self.read = read

    def get(self, key: str, default: Any = None) -> Any:
        """One value; its name is recorded."""
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        self.read.update(dict.keys(self))
        return super().__iter__()

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def keys(self) -> Any:
        """All names; they are recorded."""
        self.read.update(dict.keys(self))
        return super().keys()

    def values(self) -> Any:
        """All values; all names are recorded."""
        self.read.update(dict.keys(self))
        return super().values()

    def items(self) -> Any:
        """All values; all names are recorded."""
        self.read.update(dict.keys(self))
        return super().items()
