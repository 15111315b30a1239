"""Which of PynamoDB's instances lack attributes: those of ``attributes_to_get``, and of an index that lacks them.

PynamoDB shows a default, or None, for what an item lacks. So the served models' connections mark such items in their
answers, and ``from_raw_data`` the instances that are made of them. An instance that is written or refreshed after that
is whole: PynamoDB gives it another dict of values then. Its private names of models and connections stand here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from pynamodb.models import Model

from polymicro_lambda.types import RawItem

from .models import has_all_attributes
from .read_recorder import ReadRecorder

READ = "_polymicro_partial"
"""The member of an instance that holds its ``PartialRead``."""
SOURCE = "_polymicro_source"
"""The member of an instance that holds the stored item of which PynamoDB has made it, whole or not."""
WRAPPED = "_polymicro_wrapped"
"""The attribute of a wrapper that holds the class's own method, None where it inherits one."""
PROJECTION = "ProjectionExpression"


class PartialItem(dict[str, Any]):
    """A stored item as a call has read it that may leave attributes out; ``key`` is that of a GetItem."""

    __slots__ = ("key",)

    def __init__(self, item: RawItem, key: RawItem | None = None) -> None:
        super().__init__(item)
        self.key = key


class PartialRead(NamedTuple):
    """What an instance was made of."""

    item: PartialItem
    values: dict[str, Any]
    """The dict of its values, as long as it has not been read again."""
    before: Mapping[str, Any]
    """What was in it at first."""
    is_outdated: bool = False
    """Whether it lacks nothing but a write that has changed the item."""


def partial_read_of(value: Any) -> PartialRead | None:
    """What an instance that lacks attributes was made of, None for one that is whole, and for what is no instance."""
    read: PartialRead | None = getattr(value, READ, None)
    return read if read is not None and read.values is value.attribute_values else None


def source_of(instance: Model) -> RawItem | None:
    """The stored item of which PynamoDB has made an instance; None for one that it has not read."""
    source: RawItem | None = vars(instance).get(SOURCE)
    return source


def is_outdated(instance: Any) -> bool:
    """Whether an instance is marked by `mark_outdated`, and not read again since."""
    read = partial_read_of(instance)
    return read is not None and read.is_outdated


def mark_outdated(instance: Model, item: RawItem, key: RawItem) -> None:
    """Let an instance be read again before it is judged or shown: a write has changed its item, and gave none back.

    ``item`` is the item that the instance was read from, ``key`` its key, both as stored.
    """
    values = instance.attribute_values
    vars(instance)[READ] = PartialRead(PartialItem(item, key), values, dict(values), is_outdated=True)


def note_partial_reads(models: Iterable[type[Model]]) -> None:
    """Let the instances of these models, and of their subclasses and bases, tell when they lack attributes."""
    for model in models:
        for kind in _kin(model):
            _wrap(kind, "from_raw_data", _noting)
            _wrap(kind, "_get_connection", _marking)


def method_of(model: type[Model], name: str) -> Any:
    """The function that a model's method is, without what this module has put around it."""
    for cls in model.__mro__:
        if name in vars(cls):
            function = getattr(vars(cls)[name], "__func__", vars(cls)[name])
            own = getattr(function, WRAPPED, function)
            if own is not None:
                return getattr(own, "__func__", own)
    return None


def _kin(model: type[Model]) -> Iterator[type[Model]]:
    """The classes by whose calls PynamoDB can give instances of the model."""
    yield from (cls for cls in model.__mro__[1:] if issubclass(cls, Model) and cls is not Model)
    found = [model]
    for cls in found:
        found += [one for one in cls.__subclasses__() if one not in found]
    yield from found


def _wrap(cls: type[Model], name: str, around: Callable[[Callable[[Any], Any]], Any]) -> None:
    """Put something around a class method; ``around`` gets what gives the method of a class."""
    own = vars(cls).get(name)
    if hasattr(getattr(own, "__func__", None), WRAPPED):
        return
    if own is None:
        wrapped = around(lambda kind: getattr(super(cls, kind), name))
    else:
        wrapped = around(lambda kind: own.__get__(None, kind))
    setattr(wrapped, WRAPPED, own)
    setattr(cls, name, classmethod(wrapped))


def _noting(method: Callable[[Any], Any]) -> Any:
    def from_raw_data(cls: type[Model], data: Any) -> Any:
        instance = method(cls)(data)
        if isinstance(instance, Model):
            before = instance.attribute_values
            values = instance.attribute_values = ReadRecorder(before, set())
            vars(instance)[SOURCE] = data
            if type(data) is PartialItem:
                vars(instance)[READ] = PartialRead(data, values, before)
        return instance

    return from_raw_data


def _marking(method: Callable[[Any], Any]) -> Any:
    def get_connection(cls: type[Model]) -> Any:
        table = method(cls)()
        connection = table.connection
        if "dispatch" not in vars(connection):
            connection.dispatch = partial(_dispatched, connection, cls)
        return table

    return get_connection


def _dispatched(
    connection: Any, model: type[Model], operation_name: str, operation_kwargs: dict[str, Any]
) -> Any:
    """``Connection.dispatch``; the items in its answer are marked where they may lack attributes."""
    answer = type(connection).dispatch(connection, operation_name, operation_kwargs)
    if operation_name == "BatchGetItem":
        for table, asked in operation_kwargs["RequestItems"].items():
            if PROJECTION in asked and table in answer["Responses"]:
                answer["Responses"][table] = [*map(PartialItem, answer["Responses"][table])]
    elif PROJECTION in operation_kwargs or not has_all_attributes(model, operation_kwargs.get("IndexName")):
        _mark(answer, operation_kwargs)
    return answer


def _mark(answer: dict[str, Any], asked: Mapping[str, Any]) -> None:
    if answer.get("Item"):
        answer["Item"] = PartialItem(answer["Item"], asked["Key"])
    if "Items" in answer:
        answer["Items"] = [*map(PartialItem, answer["Items"])]
