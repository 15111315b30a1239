"""Families of resources: what they say besides model and route, read and checked once for all that say the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import FunctionType
from typing import Any

from marshmallow import Schema
from pynamodb.models import Model

from polymicro_lambda import mixins
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lazy import lazy
from polymicro_lambda.permissions import AllowAny, IsAuthenticated, OwnedBy, Permission
from polymicro_lambda.resources import ModelResource, own_members
from polymicro_lambda.rules import AllOf, AnyOf, Owner, Rule
from polymicro_lambda.throttling import RateLimit, rates_of

from .declaration_checks import check_names
from .declared_calls import Call, calls_of
from .idempotent_verbs import idempotent_verbs
from .permission_checks import read_rule
from .signatures import action_path, actions_of, signature
from .verbs import ACTION, VERBS, Action, Verb

_SETTINGS: Mapping[str, type] = {
    "max_limit": int,
    "read_budget": int,
    "cursor_max_age": int,
    "require_if_match": bool,
    "require_idempotency_key": bool,
    "scan": bool,
    "envelope": bool,
}
_MIXED_IN: Mapping[str, Any] = {name: getattr(getattr(mixins, name.capitalize()), name) for name in VERBS}
_CALLS = ModelResource.calls
_COMPILED = frozenset({"store", "planner", "item"})
"""What compiling sets on a resource."""
_APART = frozenset({"model", "route"})
_UNTOLD = _APART | {"__annotations__", "__doc__", "__firstlineno__", "__module__", "__static_attributes__"}
"""What a class may hold that says nothing of its family."""
_TOLD = {*ModelResource.__annotations__, *VERBS, "represent", "fields_for"} - _COMPILED - _APART


@dataclass(frozen=True, slots=True)
class Terms:
    """What an app says for all its resources."""

    permissions: Any
    """Those of resources that declare none."""
    markers: type[Model] | None = None
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """One verb, as every resource of a family serves it."""

    verb: Verb
    arguments: frozenset[str]
    """What its method declares."""
    limit: int
    is_default: bool
    is_action: bool
    tail: tuple[str, ...]
    """What it adds to the path."""
    takes: Schema | None
    is_idempotent: bool

    @classmethod
    def of(cls, name: str, resource: ModelResource, verb: Verb, idempotent: frozenset[str]) -> "Served":
        """The verb as the resource says it. Raises ``ConfigurationError``."""
        said: Action | None = getattr(getattr(resource, verb.name), ACTION, None)
        arguments, limit = signature(resource, verb)
        return cls(
            verb,
            arguments,
            min(limit, resource.max_limit),
            _is_default(resource, verb.name),
            said is not None,
            action_path(name, verb.name, said),
            said.schema() if said is not None and said.schema is not None else None,
            verb.name in idempotent,
        )


@dataclass(frozen=True, eq=False)
class Family:
    """What resources say alike, whatever their model and route."""

    resource: ModelResource
    """One of them."""
    verbs: tuple[Served, ...]
    names: frozenset[str]
    """Those of the verbs."""
    rule: Rule
    leaves: tuple[Permission, ...]
    """The permissions that the rule is made of."""
    bound: Mapping[str, Owner]
    """The attributes that every caller must own."""
    whole: bool
    """A hook or a schema of the resource's own needs instances for what an answer shows of items."""
    is_shared: bool
    """Whether any other resource may be of it."""

    @classmethod
    def of(cls, resource: ModelResource, terms: Terms, *, is_shared: bool) -> "Family":
        """The family of a resource. Raises ``ConfigurationError`` that names it."""
        name = type(resource).__name__
        _check_settings(name, resource)
        own = own_members(type(resource))
        check_names(name, own)
        verbs = (
            *[verb for verb in VERBS.values() if hasattr(resource, verb.name)],
            *actions_of(name, resource, own),
        )
        if not verbs:
            raise ConfigurationError(f"{name} has no verb: mix in Create, List, Retrieve, Update or Delete")
        said = resource.permissions
        rule = read_rule(name, terms.permissions if said is None else said)
        idempotent = idempotent_verbs(resource, verbs, terms.markers)
        if terms.rate_limit is None:
            rates_of(resource, "", (), None)
        return cls(
            resource,
            tuple([Served.of(name, resource, verb, idempotent) for verb in verbs]),
            frozenset([verb.name for verb in verbs]),
            rule,
            tuple(rule.leaves()),
            rule.binding(),
            type(resource).represent is not ModelResource.represent or resource.schema is not None,
            is_shared,
        )

    def has(self, verb: str) -> bool:
        """Whether it has the verb."""
        return verb in self.names

    def has_own(self, *, actions: bool = True) -> bool:
        """Whether code of the resource's own creates or updates."""
        return (actions and not self.names <= VERBS.keys()) or any(
            name in self.names and not _is_default(self.resource, name) for name in ("create", "update")
        )

    @property
    def lists(self) -> bool:
        """Whether it has the mixin's own list."""
        return "list" in self.names and _is_default(self.resource, "list")

    @lazy
    def has_items(self) -> bool:
        """Whether some verb is on an item's path."""
        return any(one.verb.detail for one in self.verbs)

    @lazy
    def owned(self) -> Mapping[str, Owner]:
        """The attributes that a new item takes from the user where the body does not say."""
        return {leaf.attribute: leaf for leaf in self.leaves if isinstance(leaf, OwnedBy)}

    @lazy
    def sometimes(self) -> frozenset[str] | None:
        """What the rule may bind to one value; of a rule's own ``where`` that is not known without a user."""
        known = (Permission.where, OwnedBy.where)
        return frozenset(_sometimes(self.rule)) if all(type(o).where in known for o in self.leaves) else None

    def calls(self, more: Iterator[Permission]) -> tuple[Call, ...]:
        """What resource and permissions declare, ``more`` of them too, each call once."""
        owners: list[Any] = [self.resource, *self.leaves, *more]
        said = [
            owner for owner in owners if owner.calls is not _CALLS and owner.calls is not Permission.calls
        ]
        found = [calls_of(f"{type(owner).__name__}.calls", owner.calls) for owner in said]
        return tuple(dict.fromkeys(chain.from_iterable(found)))


class Families:
    """The families of an app's resources."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._known: dict[tuple[type, ...], Family] = {}
        """By the classes that say all of one."""

    def of(self, resource: ModelResource) -> Family:
        """The family of a resource: that of others whose classes have the same parents and say no more than they."""
        cls = type(resource)
        if not (vars(cls).keys() <= _UNTOLD and vars(resource).keys() <= _COMPILED):
            return Family.of(resource, self._terms, is_shared=False)
        parents = cls.__mro__[1:]
        family = self._known.get(parents)
        if family is None:
            family = Family.of(resource, self._terms, is_shared=_is_settled(cls))
            if family.is_shared:
                self._known[parents] = family
        return family


def _is_settled(cls: type) -> bool:
    """Whether all resources of a class find the same in it: nothing is computed when it is asked for."""
    members = {name: one for parent in reversed(cls.__mro__) for name, one in vars(parent).items()}
    told = [members[name] for name in _TOLD if name in members]
    plain = members["__getattribute__"] is object.__getattribute__ and "__getattr__" not in members
    return plain and not any(
        hasattr(type(one), "__get__") and not isinstance(one, FunctionType | staticmethod) for one in told
    )


def _check_settings(name: str, resource: ModelResource) -> None:
    for setting, kind in _SETTINGS.items():
        value = getattr(resource, setting)
        if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
            wanted = "an int of at least 1" if kind is int else "True or False"
            raise ConfigurationError(f"{name}.{setting} must be {wanted}, not {value!r}")


def _is_default(resource: ModelResource, verb: str) -> bool:
    """Whether the verb is the mixin's own."""
    return getattr(type(resource), verb) is _MIXED_IN.get(verb)


def _sometimes(rule: Rule) -> set[str]:
    """The attributes that the rule binds for every user, or under ``|`` for those to whom the rest says no."""
    if not isinstance(rule, AllOf | AnyOf):
        return set(rule.binding())
    if isinstance(rule, AnyOf) and any(isinstance(part, (AllowAny, IsAuthenticated)) for part in rule.parts):
        return set()
    return {name for part in rule.parts for name in _sometimes(part)}
