"""Which attributes of an instance are read: by a verb, or by a permission that Python asks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pynamodb.models import Model

from .instances import LazyValues

T = TypeVar("T")


def record_reads(instance: Model) -> None:
    """Let an instance note from now on which of its attributes are read; `names_read` gives them."""
    values = instance.attribute_values
    if type(values) is LazyValues:
        values.reads = set()
    else:
        instance.attribute_values = ReadRecorder(values, set())


def names_read(instance: Model) -> frozenset[str]:
    """The Python names of the attributes that were read since `record_reads`; none where it was not called."""
    values = instance.attribute_values
    if type(values) is LazyValues:
        return frozenset(values.reads or ())
    return frozenset(values.read) if type(values) is ReadRecorder else frozenset()


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
    return answer, frozenset(attributes[name].attr_name for name in read if name in attributes)


def _all_values(values: dict[str, Any]) -> dict[str, Any]:
    """All values of an instance, of which nobody notes that they are read."""
    if type(values) is LazyValues:
        return values.peek()
    return dict(dict.items(values)) if type(values) is ReadRecorder else values


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
