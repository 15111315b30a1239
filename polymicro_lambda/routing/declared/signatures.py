"""What the methods and the route of a resource say: arguments, page size, actions, segments of the path."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType, MethodType, NoneType
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from marshmallow import Schema
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.resources import ModelResource, Resource
from polymicro_lambda.routing.verbs import (
    ACTION,
    HTTP_VERBS,
    RESTORE,
    VERBS,
    WITH_BODY,
    Action,
    Verb,
    verb_of,
)
from polymicro_lambda.schemas import parameter_name

_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+")  # what a path segment holds unescaped (RFC 3986, 3.3)
STATUSES = range(200, 205)
"""What an action can answer with where it does not say: 205 and 206 mean more (RFC 9110, section 15.3)."""
Signature: TypeAlias = tuple[frozenset[str], int]
"""The arguments that a verb's method asks for, and its page size."""
_NO_METHODS = frozenset({bool, dict, int, NoneType, str, tuple})
"""Most of what a resource holds besides methods."""
WRITE_TERMS = frozenset({"condition", "otherwise"})
"""What update and delete also take, from other code alone."""
PAGE = 25
"""The page size where neither request nor resource says one."""


_known: WeakKeyDictionary[Callable[..., Any], dict[frozenset[str], Signature]] = WeakKeyDictionary()
"""What was read of a function, which resources may share, by what it may ask for."""


def signature(resource: ModelResource, verb: Verb, also: Iterable[str] = ()) -> Signature:
    """What the verb's method asks for of the verb's arguments and of these ``also``, and its page size."""
    call, offered = getattr(resource, verb.name), verb.arguments.union(also)
    where = f"{type(resource).__name__}.{verb.name}"
    if type(call) is not MethodType or type(call.__func__) is not FunctionType:
        return _read(resource, where, call, offered)
    known = _known.setdefault(call.__func__, {})
    found = known.get(offered)
    if found is None:
        found = known[offered] = _read(resource, where, call, offered)
    return found


def _read(resource: ModelResource, where: str, call: Any, offered: frozenset[str]) -> Signature:
    if not callable(call) or inspect.iscoroutinefunction(call):
        raise ConfigurationError(f"{where} must be a plain method")
    try:
        parameters = inspect.signature(call).parameters
    except ValueError:
        raise ConfigurationError(f"{where} must take self first") from None
    names = set[str]()
    for param in parameters.values():
        if param.name in WRITE_TERMS and param.default is not param.empty:
            continue  # for other methods that call it
        if param.kind is param.VAR_KEYWORD:
            names |= offered
        elif param.kind in (param.VAR_POSITIONAL, param.POSITIONAL_ONLY) or param.name not in offered:
            how = _how_to_get(resource, where, param.name, is_action=hasattr(call, ACTION))
            raise ConfigurationError(
                f"{where} asks for {str(param)!r}; it can ask for {', '.join(sorted(offered))}{how}"
            )
        else:
            names.add(param.name)
    return frozenset(names), _page_size(where, parameters.get("limit"))


def _how_to_get(resource: ModelResource, where: str, name: str, *, is_action: bool) -> str:
    """How a verb gets what it asks for in vain, empty where nothing is known of it."""
    if name == "query":
        form = "@action(query=Schema)" if is_action else f'query = {{"{where.rpartition(".")[2]}": Schema}}'
        return f": say what the query is, {form}"
    if f"{{{name}}}" in resource.route.split("/"):
        return f': ask for request, which has request.path_params["{name}"]'
    return ""


def actions_of(name: str, resource: ModelResource, own: Mapping[str, Any]) -> Iterator[Verb]:
    """The methods marked by ``@action`` among a resource's ``own`` members, in the order of their names."""
    for method in sorted([member for member, one in own.items() if type(one) not in _NO_METHODS]):
        said: Action | None = getattr(getattr(type(resource), method, None), ACTION, None)
        if said is None and hasattr(own[method], ACTION):
            raise ConfigurationError(
                f"{name}.{method} is hidden by ModelResource, which has the name, too: let the action's class stand"
                " before it"
            )
        if said is None:
            continue
        unknown = set(said.methods) - HTTP_VERBS
        if unknown or not said.methods:
            raise ConfigurationError(
                f"{name}.{method}: methods must be some of {', '.join(sorted(HTTP_VERBS))}, not {said.methods!r}"
            )
        if said.schema is not None:
            _check_schema(f"{name}.{method}", said)
        if type(said.status) is not int or said.status not in STATUSES:
            raise ConfigurationError(f"{name}.{method}: status must be from 200 to 204, not {said.status!r}")
        if method in VERBS:
            raise ConfigurationError(f"{name}.{method}: an action cannot have the name of a verb")
        yield verb_of(method, said, has_items=not isinstance(resource, Resource))


def _check_schema(where: str, said: Action) -> None:
    if not (isinstance(said.schema, type) and issubclass(said.schema, Schema)):
        raise ConfigurationError(f"{where}: schema must be a marshmallow Schema class")
    if WITH_BODY.isdisjoint(said.methods):
        raise ConfigurationError(f"{where} has a schema, but under {', '.join(said.methods)} no body")


def action_path(name: str, method: str, said: Action | None) -> tuple[str, ...]:
    """What an action adds to the path: its ``path``, else its name; and what a restore adds."""
    if said is None:
        return (RESTORE.name,) if method == RESTORE.name else ()
    if said.path == "":
        return ()
    path = method if said.path is None else said.path
    return _segments(f"{name}.{method}: path", path, parameters=False)


def _page_size(where: str, limit: inspect.Parameter | None) -> int:
    size = PAGE if limit is None or limit.default is limit.empty else limit.default
    if type(size) is not int or size < 1:
        raise ConfigurationError(f"{where}: the default of limit must be an int of at least 1, not {size!r}")
    return size


def route_parts(name: str, resource: ModelResource) -> tuple[str, ...]:
    """The segments of ``route``; none of ``""``, the root."""
    route = getattr(resource, "route", None)
    if route == "":
        return ()
    if not isinstance(route, str) or not route.strip("/"):
        root = ': the root is ""' if isinstance(route, str) else ""
        raise ConfigurationError(f'{name}.route must be a path such as "todo", not {route!r}{root}')
    return _segments(f"{name}.route", route, parameters=True)


def route_parameters(name: str, model: type[Model], parts: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the route's parameters, each of them an attribute."""
    names = tuple([part[1:-1] for part in parts if part[0] == "{"])
    if not names:
        return names
    attributes, where = model.get_attributes(), f"{name}.route"
    for one in names:
        if one not in attributes:
            raise ConfigurationError(
                f"{where}: {{{one}}} is no attribute of {model.__name__}, whose keys are"
                f" {', '.join(model_info(model).address)}"
            )
        made = model_info(model).parts_of(one)
        if made is not None:
            raise ConfigurationError(f"{where}: {{{one}}} is made of {made}: name these")
        if attributes[one].attr_type not in ("S", "N", "B"):
            raise ConfigurationError(f"{where}: {{{one}}} must be a text, a number or binary")
        if names.count(one) > 1:
            raise ConfigurationError(f"{where} names {{{one}}} twice")
    return names


def _segments(where: str, path: str, *, parameters: bool) -> tuple[str, ...]:
    parts = tuple(path.strip("/").split("/"))
    for part in parts:
        if part.isalnum() and part.isascii():
            continue
        name = parameter_name(part)
        fits = _SEGMENT.fullmatch(part) if name is None else parameters and name.isidentifier()
        if part in (".", "..") or not fits:
            raise ConfigurationError(f"{where}: {part!r} can be no path segment")
    return parts
