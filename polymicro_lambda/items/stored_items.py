"""Items as DynamoDB stores them: whether one is live, and the stored item of an instance."""

import hashlib
import time
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
    if not is_of_kind(model, raw):
        return False
    expires = raw.get(about.ttl.attr_name, {}).get("N") if about.ttl is not None else None
    return expires is None or float(expires) > int(time.time())


def is_of_kind(model: type[Model], raw: RawItem) -> bool:
    """Whether an item is of the model's kind, among those of its table."""
    about = model_info(model)
    if about.kinds and (about.discriminator is not None):
        value = raw.get(about.discriminator.attr_name, {}).get(about.discriminator.attr_type)
        if value not in about.kinds:
            return False
    return all(raw.get(name, {}).get("S", "").startswith(prefix) for name, prefix in about.prefixes.items())


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
