"""Resources become routes: signatures read, rules composed, schemas built, every mistake named."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model

from . import mixins
from ._pynamodb import declared
from .actions import VERBS, Verb
from .exceptions import ConfigurationError
from .permissions import OwnedBy, Permission, Rule, rule_from
from .resources import ItemPath, ModelResource, parameter
from .routing import Route
from .schemas import compile_schema
from .store import PynamoStore

_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+")  # what a path segment holds unescaped (RFC 3986, 3.3)
_SETTINGS: Mapping[str, type] = {
    "max_limit": int,
    "read_budget": int,
    "cursor_max_age": int,
    "scan": bool,
    "envelope": bool,
}
PAGE = 25
"""The page size where neither request nor resource says one."""


def compile_routes(resources: Iterable[Any], default_permissions: Any) -> tuple[Route, ...]:
    """The routes of the resources, in the order of their registration.

    Raises ``ConfigurationError`` naming class and attribute for whatever cannot work.
    """
    routes: list[Route] = []
    taken: dict[tuple[str, tuple[str, ...]], Route] = {}
    for resource in resources:
        for route in _Compilation.of(resource, default_permissions).routes():
            place = (route.http, tuple("{}" if parameter(part) else part for part in route.parts))
            other = taken.setdefault(place, route)
            if other is not route:
                raise ConfigurationError(
                    f"{_name(resource)}.{route.verb} and {_name(other.resource)}.{other.verb} are both"
                    f" {route.http} {route.template}: give one of them another route"
                )
            routes.append(route)
    return tuple(routes)


def _name(resource: Any) -> str:
    return type(resource).__name__


@dataclass(frozen=True, slots=True)
class _Compilation:
    """One resource on its way to routes."""

    resource: ModelResource
    verbs: tuple[Verb, ...]
    rule: Rule
    parts: tuple[str, ...]
    """The collection's path."""

    @classmethod
    def of(cls, resource: Any, default_permissions: Any) -> "_Compilation":
        """The resource, checked as far as it needs no schema."""
        name = _name(resource)
        if not isinstance(resource, ModelResource):
            raise ConfigurationError(
                f"{name} has verbs but is no resource: write class {name}(ModelResource, Create, …)"
            )
        model = getattr(resource, "model", None)
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ConfigurationError(f"{name}.model must be a PynamoDB model, not {model!r}")
        if not declared(model).keys:
            raise ConfigurationError(f"{name}.model: {model.__name__} has no attribute with hash_key=True")
        for setting, kind in _SETTINGS.items():
            value = getattr(resource, setting)
            if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
                wanted = "an int of at least 1" if kind is int else "True or False"
                raise ConfigurationError(f"{name}.{setting} must be {wanted}, not {value!r}")
        verbs = tuple(verb for verb in VERBS.values() if hasattr(resource, verb.name))
        if not verbs:
            raise ConfigurationError(f"{name} has no verb: mix in Create, List, Retrieve, Update or Delete")
        permissions = resource.permissions if resource.permissions is not None else default_permissions
        return cls(resource, verbs, _rule(name, model, permissions), _parts(name, resource))

    def routes(self) -> Iterator[Route]:
        """The routes of the resource's verbs; its store and item path are set on the way."""
        resource, model, name = self.resource, self.resource.model, _name(self.resource)
        bound = {**self.rule.binding()}
        in_path = [p for p in map(parameter, self.parts) if p is not None]
        self._check_parameters(in_path)
        keys = [key for key in declared(model).keys if key not in bound and key not in in_path]
        schema = compile_schema(
            model,
            resource=name,
            schema=resource.schema,
            dump_only=resource.dump_only,
            load_only=resource.load_only,
            required=resource.required,
            exclude=resource.exclude,
            bound=frozenset({*bound, *in_path}),
            creates=any(verb.name == "create" for verb in self.verbs),
            defer_required=any(not self._is_default(verb) for verb in self.verbs if verb.body),
        )
        item = (*self.parts, *(f"{{{key}}}" for key in keys))
        resource.store = PynamoStore(model, scan=resource.scan)
        resource.item = ItemPath(item, schema) if any(verb.detail for verb in self.verbs) else None
        owned = {leaf.attribute: leaf for leaf in self.rule.leaves() if isinstance(leaf, OwnedBy)}
        visible = self.rule if any(verb.name == "retrieve" for verb in self.verbs) else None
        for verb in self.verbs:
            self._check_list(verb, bound, in_path)
            arguments, limit = self._signature(verb)
            for http in verb.http:
                yield Route(
                    resource=resource,
                    about=verb,
                    http=http,
                    parts=item if verb.detail else self.parts,
                    rule=self.rule,
                    visible=visible,
                    schema=schema,
                    call=getattr(resource, verb.name),
                    arguments=arguments,
                    is_default=self._is_default(verb),
                    limit=min(limit, resource.max_limit),
                    bound=bound,
                    owned=owned,
                )

    def _is_default(self, verb: Verb) -> bool:
        """Whether the verb is the mixin's own."""
        mixin = getattr(mixins, verb.name.capitalize())
        return getattr(type(self.resource), verb.name) is getattr(mixin, verb.name)

    def _check_parameters(self, in_path: list[str]) -> None:
        keys = declared(self.resource.model).keys
        for param in in_path:
            if param not in keys:
                raise ConfigurationError(
                    f"{_name(self.resource)}.route: {{{param}}} is no key attribute of"
                    f" {self.resource.model.__name__}, which has {', '.join(keys)}"
                )
            if in_path.count(param) > 1:
                raise ConfigurationError(f"{_name(self.resource)}.route names {{{param}}} twice")

    def _check_list(self, verb: Verb, bound: Mapping[str, Any], in_path: list[str]) -> None:
        """A default list must be able to query: a partition is bound, or the table may be scanned."""
        partition = next(iter(declared(self.resource.model).keys))
        serves = self.resource.scan or partition in bound or partition in in_path
        if verb.name == "list" and self._is_default(verb) and not serves:
            raise ConfigurationError(
                f"{_name(self.resource)}.list could serve no request: nothing binds the partition key"
                f" {partition!r}. Bind it by OwnedBy({partition!r}) or the route, override list, or say scan = True"
            )

    def _signature(self, verb: Verb) -> tuple[frozenset[str], int]:
        """What the verb's method asks for, and its page size."""
        call = getattr(self.resource, verb.name)
        where = f"{_name(self.resource)}.{verb.name}"
        if not callable(call) or inspect.iscoroutinefunction(call):
            raise ConfigurationError(f"{where} must be a plain method")
        parameters = inspect.signature(call).parameters
        names = set[str]()
        for param in parameters.values():
            if param.kind is param.VAR_KEYWORD:
                names |= verb.arguments
            elif (
                param.kind in (param.VAR_POSITIONAL, param.POSITIONAL_ONLY)
                or param.name not in verb.arguments
            ):
                raise ConfigurationError(
                    f"{where} asks for {str(param)!r}; it can ask for {', '.join(sorted(verb.arguments))}"
                )
            else:
                names.add(param.name)
        return frozenset(names), _page_size(where, parameters.get("limit"))


def _page_size(where: str, limit: inspect.Parameter | None) -> int:
    size = PAGE if limit is None or limit.default is limit.empty else limit.default
    if type(size) is not int or size < 1:
        raise ConfigurationError(f"{where}: the default of limit must be an int of at least 1, not {size!r}")
    return size


def _parts(name: str, resource: ModelResource) -> tuple[str, ...]:
    """The segments of ``route``."""
    route = getattr(resource, "route", None)
    if not isinstance(route, str) or not route.strip("/"):
        raise ConfigurationError(f'{name}.route must be a path such as "todo", not {route!r}')
    parts = tuple(route.strip("/").split("/"))
    for part in parts:
        param = parameter(part)
        if part in (".", "..") or not (
            param.isidentifier() if param is not None else _SEGMENT.fullmatch(part)
        ):
            raise ConfigurationError(f"{name}.route: {part!r} can be no path segment")
    return parts


def _rule(name: str, model: type[Model], permissions: Any) -> Rule:
    """The resource's rule, every permission of it checked."""
    try:
        rule = rule_from(permissions)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}.permissions: {error}") from error
    for leaf in rule.leaves():
        _check_permission(name, model, leaf)
    return rule


def _check_permission(name: str, model: type[Model], leaf: Permission) -> None:
    def overrides(method: Callable[..., Any]) -> bool:
        return getattr(type(leaf), method.__name__) is not method

    if overrides(Permission.where) and overrides(Permission.has_object_permission):
        raise ConfigurationError(
            f"{name}.permissions: {type(leaf).__name__} has both where and has_object_permission;"
            " where is the one source of an object rule"
        )
    if isinstance(leaf, OwnedBy) and leaf.attribute not in model.get_attributes():
        raise ConfigurationError(f"{name}.permissions: {leaf} names no attribute of {model.__name__}")
