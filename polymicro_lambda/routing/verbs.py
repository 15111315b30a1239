"""The five verbs as data, and actions: which HTTP verb, on the collection or the item, with which status."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar, overload

from polymicro_lambda import mixins
from polymicro_lambda.exceptions import ConfigurationError


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


RESTORE = Verb("restore", ("POST",), True, 200, False, _ANY | {"instance"})
"""The verb of resources with ``soft_delete`` that brings an item back."""


_MIXED_IN: Mapping[str, Any] = {
    **{name: getattr(getattr(mixins, name.capitalize()), name) for name in VERBS},
    RESTORE.name: mixins.Delete.restore,
}


def is_mixed_in(resource: object, verb: str) -> bool:
    """Whether a resource's verb is the mixin's own."""
    return getattr(type(resource), verb) is _MIXED_IN.get(verb)


HTTP_VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""What an action can be under."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""HTTP verbs under which an action may have a body."""
ACTION = "_polymicro_action"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Action:
    """What ``@action`` says of a method."""

    detail: bool | None
    """On the item's path, not the collection's; None where it is not said: on the item's, if the resource has items."""
    methods: tuple[str, ...]
    path: str | None
    schema: Any = None
    """The marshmallow schema of its body, None where any JSON will do."""
    status: int = 200
    """The status of what it returns, where it returns none with it."""
    requires: Any = None
    """The condition of its writes to the item, None for none."""
    otherwise: Any = None
    """The error where that does not hold, or its text."""
    attempts: int = 1
    """How often it is run, where it loses a race."""
    permissions: Any = None
    """Its own, in place of the resource's, which None stands for."""
    query: Any = None
    """The marshmallow schema of its query, None for no parameters."""
    response: Any = None
    """The marshmallow schema of what it answers with ``status``."""
    responses: Any = None
    """Its answers by status: a schema, a text, or None for no body."""


# What other frameworks say of a single action, and how it is said here.
_MEANT: Mapping[str, str] = MappingProxyType(
    {
        "permission_classes": ": say permissions",
        "serializer_class": ": say schema",
        "url_path": ": say path",
    }
)


@overload
def action(method: F, /) -> F: ...
@overload
def action(
    *,
    detail: bool | None = None,
    methods: Sequence[str] = ("POST",),
    path: str | None = None,
    schema: Any = None,
    status: int = 200,
    requires: Any = None,
    otherwise: Any = None,
    attempts: int = 1,
    permissions: Any = None,
    query: Any = None,
    response: Any = None,
    responses: Mapping[int, Any] | None = None,
) -> Callable[[F], F]: ...
def action(
    method: F | None = None,
    /,
    *,
    detail: bool | None = None,
    methods: Sequence[str] = ("POST",),
    path: str | None = None,
    schema: Any = None,
    status: int = 200,
    requires: Any = None,
    otherwise: Any = None,
    attempts: int = 1,
    permissions: Any = None,
    query: Any = None,
    response: Any = None,
    responses: Mapping[int, Any] | None = None,
    **elsewhere: Any,
) -> F | Callable[[F], F]:
    """Make a method of a resource a verb of its own.

    With ``detail=True``, as where nothing is said, it is ``/todo/{uuid}/<name>`` and called with
    ``(self, instance, req, user)``; with ``detail=False``, and in a ``Resource`` without a model, it is
    ``/todo/<name>``, with ``(self, req, user)``. ``path`` stands in place of the name; ``""``
    is the item or the collection itself. ``permissions``, its own or else the resource's, are asked with its name as
    ``method``; ``req`` is the body's JSON, ``{}`` without a body; with a ``schema``, a marshmallow Schema class, what
    that loads of it, else 422. What it returns goes out with ``status``, unless it says another; nothing is 204.

    ``requires`` is a condition on the item, part of every write to it: where it does not hold the answer is
    ``otherwise``, an error, or the text of a 409. ``attempts`` is how often the action is run, each time from a fresh
    read, where somebody else changes the item meanwhile; its other effects would come as often.

    ``query`` is the marshmallow schema of its parameters: what that loads is the argument ``query``, else it is 400.
    ``response`` is the schema of what it answers with ``status``, ``responses`` are all its answers by status:
    ``{200: ReceiptSchema, 202: None, 409: "It is paid."}``. OpenAPI tells of them, and the testing client fails for an
    answer that is another; nothing is converted. Raises
    ``ConfigurationError`` for any other argument.
    """
    for name in elsewhere:
        raise ConfigurationError(f"action({name}=…) means nothing here{_MEANT.get(name, '')}")

    def mark(method: F) -> F:
        said = (methods,) if isinstance(methods, str) else tuple(methods)
        setattr(
            method,
            ACTION,
            Action(
                detail,
                said,
                path,
                schema,
                status,
                requires,
                otherwise,
                attempts,
                permissions,
                query,
                response,
                responses,
            ),
        )
        return method

    return mark if method is None else mark(method)


def verb_of(name: str, said: Action, *, has_items: bool = True) -> Verb:
    """An action as a verb of a resource; ``has_items`` says whether that has a model."""
    detail = has_items if said.detail is None else said.detail
    return _verb(name, said.methods, detail, said.status)


@lru_cache(1024)
def _verb(name: str, methods: tuple[str, ...], detail: bool, status: int) -> Verb:
    arguments = _ANY | {"req"} | ({"instance"} if detail else set())
    return Verb(name, methods, detail, status, not WITH_BODY.isdisjoint(methods), arguments)
