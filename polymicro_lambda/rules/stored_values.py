"""An instance as DynamoDB stores it, for the conditions of a rule."""

from pynamodb.models import Model

from polymicro_lambda.dynamodb import ReadRecorder, partial_read_of, source_of
from polymicro_lambda.items import serialized, stored_item
from polymicro_lambda.types import RawItem


def as_stored(instance: Model) -> RawItem:
    """An instance as DynamoDB stores it: the item that it was read from, else its values serialized."""
    known = stored_item(instance) or _unchanged_source(instance)
    if known is not None:
        return known
    pairs = (
        (a.attr_name, serialized(a, getattr(instance, name))) for name, a in instance.get_attributes().items()
    )
    return {name: value for name, value in pairs if value is not None}


def _unchanged_source(instance: Model) -> RawItem | None:
    """The whole item of which PynamoDB has made an instance, while nobody has set a value of it."""
    values = instance.attribute_values
    if type(values) is not ReadRecorder or values.changed or partial_read_of(instance) is not None:
        return None
    return source_of(instance)
