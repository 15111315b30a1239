"""Which attributes of an instance are read: by a verb, or by a permission that Python asks."""

from collections.abc import Callable
from typing import Any, TypeVar

from pynamodb.models import Model

from polymicro_lambda.dynamodb import EVERYTHING, ReadRecorder

from .instances import LazyValues

T = TypeVar("T")


def record_reads(instance: Model) -> None:
    """Let an instance note from now on which of its attributes are read; `names_read` gives them."""
    values = instance.attribute_values
    if type(values) is LazyValues:
        values.reads = set()
    else:
        instance.attribute_values = ReadRecorder(values, set())


def names_read(instance: Model) -> frozenset[str] | None:
    """The Python names of the attributes that were read since `record_reads`; None where nobody has noted it."""
    values = instance.attribute_values
    reads = values.reads if type(values) is LazyValues else None
    reads = values.read if type(values) is ReadRecorder else reads
    if reads is None:
        return None
    return frozenset(instance.get_attributes() if EVERYTHING in reads else reads)


def observed(instance: Model, question: Callable[[], T]) -> tuple[T, frozenset[str]]:
    """The answer to a question, and the names in DynamoDB of the instance's attributes that were read for it."""
    read: set[str] = set()
    values = instance.attribute_values
    instance.attribute_values = ReadRecorder(_all_values(values), read)
    try:
        answer = question()
    finally:
        instance.attribute_values = values
    attributes = instance.get_attributes()
    names = attributes if EVERYTHING in read else read
    return answer, frozenset(attributes[name].attr_name for name in names if name in attributes)


def _all_values(values: dict[str, Any]) -> dict[str, Any]:
    """All values of an instance, of which nobody notes that they are read."""
    if type(values) is LazyValues:
        return values.peek()
    return dict(dict.items(values)) if type(values) is ReadRecorder else values
