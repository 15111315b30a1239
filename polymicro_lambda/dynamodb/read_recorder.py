"""The values of an instance, which record the names of those that are read."""

from collections.abc import Mapping
from functools import wraps
from typing import Any

EVERYTHING = "*"
"""In the names that were read: all of them, those of absent values too."""


class ReadRecorder(dict[str, Any]):
    """Attribute values that record the names of those that are read."""

    __slots__ = ("changed", "read")

    def __init__(self, values: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(values)
        self.read = read
        self.changed = False
        """Whether a value was set, so that they are no longer those of the stored item."""

    def get(self, key: str, default: Any = None) -> Any:
        """One value; its name is recorded."""
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.changed = True
        super().__setitem__(key, value)


def _reading_all(name: str) -> Any:
    method = getattr(dict, name)

    def read_all(self: ReadRecorder, *arguments: Any, **more: Any) -> Any:
        self.read.add(EVERYTHING)
        self.changed = self.changed or name in _CHANGING
        return method(self, *arguments, **more)

    return wraps(method)(read_all)


_READING = "__iter__ __len__ __eq__ __ne__ __or__ __ror__ __reversed__ __repr__ copy items keys values"
_CHANGING = frozenset(["pop", "popitem", "setdefault", "update", "clear", "__ior__", "__delitem__"])
for _name in (*_READING.split(), *_CHANGING):
    setattr(ReadRecorder, _name, _reading_all(_name))
