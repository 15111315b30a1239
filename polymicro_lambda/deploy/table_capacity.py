"""What a table costs: billing mode, capacity and tags, as the ``Meta`` of its model says them."""

from collections.abc import Iterator, Mapping
from typing import Any

from pynamodb.indexes import Index
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError

ON_DEMAND, PROVISIONED = "PAY_PER_REQUEST", "PROVISIONED"
THROUGHPUT = "ProvisionedThroughput"
_UNITS = {"ReadCapacityUnits": "read_capacity_units", "WriteCapacityUnits": "write_capacity_units"}


def cost_properties(model: type[Model]) -> Iterator[tuple[str, Any]]:
    """The properties of ``AWS::DynamoDB::Table`` that the model's ``Meta`` says, by name.

    Raises ``ConfigurationError`` for an unknown billing mode, and capacity that is missing or no positive number.
    """
    meta = model.Meta
    mode, tags = getattr(meta, "billing_mode", None), getattr(meta, "tags", None)
    if mode not in (None, ON_DEMAND, PROVISIONED):
        raise ConfigurationError(
            f"{model.__name__}.Meta.billing_mode must be {ON_DEMAND!r} or {PROVISIONED!r}, not {mode!r}"
        )
    if is_provisioned(model):
        yield "BillingMode", PROVISIONED
        yield THROUGHPUT, throughput(f"{model.__name__}.Meta", meta)
    elif mode is not None:
        yield "BillingMode", mode
    if tags:
        if not isinstance(tags, Mapping):
            raise ConfigurationError(
                f'{model.__name__}.Meta.tags must be names and values, such as {{"team": "a"}}'
            )
        yield "Tags", [{"Key": str(name), "Value": str(value)} for name, value in tags.items()]


def is_provisioned(model: type[Model]) -> bool:
    """Whether a table has capacity of its own, as PynamoDB takes a ``Meta`` with units and no billing mode."""
    units = any(getattr(model.Meta, name, None) is not None for name in _UNITS.values())
    return bool(getattr(model.Meta, "billing_mode", PROVISIONED if units else None) == PROVISIONED)


def index_throughput(model: type[Model], name: str, index: Index[Any]) -> dict[str, int] | None:
    """The capacity of a global index: its own, else that of the table; None where the table has none."""
    return throughput(f"{model.__name__}.{name}", index.Meta, model.Meta) if is_provisioned(model) else None


def throughput(where: str, *metas: Any) -> dict[str, int]:
    """The units of the first ``Meta`` that says each. Raises ``ConfigurationError``, which begins with ``where``."""
    found: dict[str, int] = {}
    for unit, name in _UNITS.items():
        units = next((said for meta in metas if (said := getattr(meta, name, None)) is not None), None)
        if not isinstance(units, int) or isinstance(units, bool) or units < 1:
            raise ConfigurationError(
                f"{where}.{name} must be a positive number for {PROVISIONED} capacity, not {units!r}"
            )
        found[unit] = units
    return found
