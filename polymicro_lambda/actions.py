"""The five verbs as data: which HTTP verb, on the collection or the item, with which status."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""HTTP verbs that change nothing (RFC 9110, section 9.2.1)."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb of a resource is on the wire."""

    name: str
    http: tuple[str, ...]
    detail: bool
    """On the item's path, not the collection's."""
    status: int
    body: bool
    """Reads a request body."""
    arguments: frozenset[str]
    """What an override may declare."""


_ANY = frozenset({"user", "request"})

VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        verb.name: verb
        for verb in (
            Verb("create", ("POST",), False, 201, True, _ANY | {"req"}),
            Verb("list", ("GET",), False, 200, False, _ANY | {"pagination_key", "limit", "filters", "sort"}),
            Verb("retrieve", ("GET",), True, 200, False, _ANY | {"instance"}),
            Verb("update", ("PATCH", "PUT"), True, 200, True, _ANY | {"instance", "req"}),
            Verb("delete", ("DELETE",), True, 204, False, _ANY | {"instance"}),
        )
    }
)
"""Verb name -> what it is, in the order in which routes are listed."""


class Method(str):
    """The ``method`` that a permission is asked about: equal to the verb's name, with its HTTP verb.

    ``method == "update"``, ``method.http`` is ``"PATCH"`` or ``"PUT"``, ``method.safe`` says whether it only
    reads. HEAD counts as the GET that it stands for.
    """

    __slots__ = ("http", "safe")
    http: str
    safe: bool

    def __new__(cls, name: str, http: str) -> "Method":
        """A method of this name under this HTTP verb."""
        method = super().__new__(cls, name)
        method.http = http
        method.safe = http in SAFE_METHODS
        return method
