"""A property computed once: ``functools.cached_property`` without the lock that Python 3.11 takes at each first use."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it is used as a function
    """A property whose value is computed at its first use, and stored in the object's ``__dict__``.

    Two threads that use it for the first time at once may both compute it.
    """

    def __init__(self, function: Callable[[Any], T]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value = self.function(instance)
        instance.__dict__[self.name] = value
        return value


def compute_lazy(owner: object) -> None:
    """Compute all ``lazy`` properties that the object's own class defines."""
    for name, member in vars(type(owner)).items():
        if isinstance(member, lazy):
            getattr(owner, name)
