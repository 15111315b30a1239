"""Resources become routes: signatures read, rules composed, schemas built, every mistake named."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pynamodb.models import Model

from . import mixins
from .actions import ACTION, VERBS, Action, Verb
from .batches import check_bulk
from .calls import Call, calls_of
from .exceptions import ConfigurationError
from .field_rules import FieldRules
from .filters import Declared as DeclaredFilters
from .idempotency import checked
from .items import declared
from .ledgers import check_ledgers
from .mistakes import check_model, check_names, check_prefixes
from .permissions import AllowAny, IsAuthenticated, OwnedBy, Permission
from .planner import Planner
from .questions import checked_rule
from .rates import RateLimit, rates_of
from .resources import ItemPath, ModelResource, own_members, parameter
from .routing import Route
from .rules import AllOf, AnyOf, Rule
from .schemas import ItemSchema, compile_schema
from .signatures import action_path, actions_of, route_parts, signature
from .store import PynamoStore
from .uniqueness import check_agreed, uniqueness_of

_SETTINGS: Mapping[str, type] = {
    "max_limit": int,
    "read_budget": int,
    "cursor_max_age": int,
    "require_if_match": bool,
    "require_idempotency_key": bool,
    "scan": bool,
    "envelope": bool,
}


_PARAMETER = re.compile(r"\{[^/]+\}")
_CALLS = ModelResource.calls
_MIXED_IN: Mapping[str, Any] = {name: getattr(getattr(mixins, name.capitalize()), name) for name in VERBS}


def compile_routes(
    resources: Iterable[Any],
    default_permissions: Any,
    markers: type[Model] | None = None,
    rate_limit: RateLimit | None = None,
) -> tuple[Route, ...]:
    """The routes of the resources, in the order of their registration.

    Raises ``ConfigurationError`` naming class and attribute for whatever cannot work.
    """
    routes: list[Route] = []
    taken: dict[tuple[str, str], Route] = {}
    for resource in resources:
        for route in _Compilation.of(resource, default_permissions).routes(markers, rate_limit):
            place = route.http, _PARAMETER.sub("{}", route.template)
            other = taken.setdefault(place, route)
            if other is not route:
                raise ConfigurationError(
                    f"{_name(resource)}.{route.verb} and {_name(other.resource)}.{other.verb} are both"
                    f" {route.http} {route.template}: give one of them another route"
                )
            routes.append(route)
    check_agreed([(_name(one.resource), one.model, one.uniqueness) for one in routes if one.writes])
    served = {route.model for route in routes}
    check_prefixes(chain.from_iterable(route.models for route in routes), served)
    if rate_limit is not None and not any(route.rate for route in routes):
        raise ConfigurationError(
            'PolyMicro.rate_limit limits nothing: say RateLimit("100/minute"), or rate_limit of a resource'
        )
    ledgers = {"idempotency": markers, "rate_limit": None if rate_limit is None else rate_limit.model}
    check_ledgers({setting: model for setting, model in ledgers.items() if model is not None}, served)
    return tuple(routes)


def _name(resource: Any) -> str:
    return type(resource).__name__


def _sometimes(rule: Rule) -> set[str]:
    """The attributes that the rule binds for every user, or under ``|`` for those to whom the rest says no."""
    if not isinstance(rule, AllOf | AnyOf):
        return set(rule.binding())
    if isinstance(rule, AnyOf) and any(isinstance(part, (AllowAny, IsAuthenticated)) for part in rule.parts):
        return set()
    return {name for part in rule.parts for name in _sometimes(part)}


@dataclass(frozen=True, slots=True)
class _Compilation:
    """One resource on its way to routes."""

    resource: ModelResource
    verbs: tuple[Verb, ...]
    rule: Rule
    parts: tuple[str, ...]
    """The collection's path."""
    names: frozenset[str]
    """Those of the verbs."""

    @classmethod
    def of(cls, resource: Any, default_permissions: Any) -> "_Compilation":
        """The resource, checked as far as it needs no schema."""
        if isinstance(resource, type):
            raise ConfigurationError(
                f"{resource.__name__} is a class: write {resource.__name__}(pm) in place of register"
            )
        name = _name(resource)
        if not isinstance(resource, ModelResource):
            raise ConfigurationError(
                f"{name} has verbs but is no resource: write class {name}(ModelResource, Create, …)"
            )
        model = getattr(resource, "model", None)
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ConfigurationError(f"{name}.model must be a PynamoDB model, not {model!r}")
        check_model(name, model)
        for setting, kind in _SETTINGS.items():
            value = getattr(resource, setting)
            if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
                wanted = "an int of at least 1" if kind is int else "True or False"
                raise ConfigurationError(f"{name}.{setting} must be {wanted}, not {value!r}")
        own = own_members(type(resource))
        check_names(name, own)
        verbs = (
            *[verb for verb in VERBS.values() if hasattr(resource, verb.name)],
            *actions_of(name, resource, own),
        )
        if not verbs:
            raise ConfigurationError(f"{name} has no verb: mix in Create, List, Retrieve, Update or Delete")
        permissions = resource.permissions if resource.permissions is not None else default_permissions
        rule, parts = checked_rule(name, model, permissions), route_parts(name, resource)
        return cls(resource, verbs, rule, parts, frozenset([verb.name for verb in verbs]))

    def routes(self, markers: type[Model] | None, rate_limit: RateLimit | None) -> Iterator[Route]:
        """The routes of the resource's verbs; its store, planner and item path are set on the way."""
        resource, model, name = self.resource, self.resource.model, _name(self.resource)
        in_path = self._parameters()
        bound = self.rule.binding()
        keys = [key for key in declared(model).keys if key not in bound and key not in in_path]
        item = (*self.parts, *(f"{{{key}}}" for key in keys))
        filters = DeclaredFilters.of(name, model, resource.filters)
        owned = {leaf.attribute: leaf for leaf in self.rule.leaves() if isinstance(leaf, OwnedBy)}
        schema = self._schema(bound, owned, in_path, filters)
        whole = type(resource).represent is not ModelResource.represent or resource.schema is not None
        uniqueness = uniqueness_of(name, model, resource.unique, schema, own_verbs=self._has_own_verbs())
        resource.store = PynamoStore(model, uniqueness)
        resource.planner = Planner.of(
            model, scan=resource.scan, whole=whole, sayable=filters.equals | filters.picking(model)
        )
        resource.item = ItemPath(item, schema) if any(verb.detail for verb in self.verbs) else None
        field_rules = FieldRules.of(resource, schema)
        bindable = self._bindable(bound, in_path, filters)
        self._check_list(bindable, picks=bool(filters.picking(model)))
        calls = self._calls(field_rules)
        visible = self.rule if self._has("retrieve") else None
        asks_request = any(leaf.asks_request for leaf in (*self.rule.leaves(), *field_rules.leaves()))
        idempotent = checked(resource, self.verbs, markers)
        rates = rates_of(resource, "/".join(self.parts), self.verbs, rate_limit)
        check_bulk(
            name,
            resource.max_bulk,
            creates=self._has("create"),
            journaled="create" in idempotent,
            uniqueness=uniqueness,
        )
        for verb in self.verbs:
            said: Action | None = getattr(getattr(resource, verb.name), ACTION, None)
            arguments, limit = signature(resource, verb)
            for http in verb.http:
                yield Route(
                    resource=resource,
                    about=verb,
                    http=http,
                    parts=(
                        *(item if verb.detail else self.parts),
                        *action_path(name, verb.name, said),
                    ),
                    rule=self.rule,
                    visible=visible,
                    schema=schema,
                    call=getattr(resource, verb.name),
                    arguments=arguments,
                    is_default=self._is_default(verb.name),
                    filters=filters,
                    field_rules=field_rules,
                    markers=markers if verb.name in idempotent else None,
                    uniqueness=uniqueness,
                    rate=rates.get(verb.name),
                    is_action=said is not None,
                    takes=said.schema() if said is not None and said.schema is not None else None,
                    asks_request=asks_request,
                    calls=calls,
                    whole=whole,
                    limit=min(limit, resource.max_limit),
                    bound=bound,
                    bindable=bindable,
                    owned=owned,
                )

    def _calls(self, field_rules: FieldRules) -> tuple[Call, ...]:
        """What resource and permissions declare, each call once."""
        owners: list[Any] = [self.resource, *self.rule.leaves(), *field_rules.leaves()]
        said = [
            owner for owner in owners if owner.calls is not _CALLS and owner.calls is not Permission.calls
        ]
        found = [calls_of(f"{_name(owner)}.calls", owner.calls) for owner in said]
        return tuple(dict.fromkeys(chain.from_iterable(found)))

    def _schema(
        self, bound: Mapping[str, Any], owned: Iterable[str], in_path: list[str], filters: DeclaredFilters
    ) -> ItemSchema:
        resource = self.resource
        return compile_schema(
            resource.model,
            resource=_name(resource),
            schema=resource.schema,
            dump_only=resource.dump_only,
            load_only=resource.load_only,
            required=resource.required,
            exclude=resource.exclude,
            bound=frozenset({*bound, *in_path}),
            fixed=frozenset(owned),
            addressed=sorted({*in_path, *filters.attributes}),
            creates=self._has("create"),
            defer_required=self._has_own_verbs(actions=False),
        )

    def _has(self, verb: str) -> bool:
        return verb in self.names

    def _has_own_verbs(self, *, actions: bool = True) -> bool:
        """Whether code of the resource's own creates or updates."""
        return (actions and not self.names <= VERBS.keys()) or any(
            self._has(name) and not self._is_default(name) for name in ("create", "update")
        )

    def _is_default(self, verb: str) -> bool:
        """Whether the verb is the mixin's own."""
        return getattr(type(self.resource), verb) is _MIXED_IN.get(verb)

    def _parameters(self) -> list[str]:
        """The names of the route's parameters, each of them an attribute."""
        names = [name for name in map(parameter, self.parts) if name is not None]
        if not names:
            return names
        attributes, where = self.resource.model.get_attributes(), f"{_name(self.resource)}.route"
        for name in names:
            if name not in attributes:
                raise ConfigurationError(
                    f"{where}: {{{name}}} is no attribute of {self.resource.model.__name__}, whose keys are"
                    f" {', '.join(declared(self.resource.model).keys)}"
                )
            if attributes[name].attr_type not in ("S", "N", "B"):
                raise ConfigurationError(f"{where}: {{{name}}} must be a text, a number or binary")
            if names.count(name) > 1:
                raise ConfigurationError(f"{where} names {{{name}}} twice")
        return names

    def _bindable(
        self, bound: Mapping[str, Any], in_path: list[str], filters: DeclaredFilters
    ) -> frozenset[str] | None:
        """What a request may bind to one value; what a rule's own ``where`` will is not known without a user."""
        known = (Permission.where, OwnedBy.where)
        if any(type(leaf).where not in known for leaf in self.rule.leaves()):
            return None
        return frozenset({*bound, *in_path, *filters.equals, *_sometimes(self.rule)})

    def _check_list(self, bindable: frozenset[str] | None, *, picks: bool) -> None:
        """A default list must be able to query: a partition can be bound, keys be said, or the table be scanned."""
        if not self._has("list") or not self._is_default("list"):
            return
        if picks or self.resource.scan or any(self.resource.planner.usable(bindable)):
            return
        partition = next(iter(declared(self.resource.model).keys))
        raise ConfigurationError(
            f"{_name(self.resource)}.list could serve no request: nothing binds the partition key"
            f" {partition!r}. Bind it by OwnedBy({partition!r}), the route or filters, override list, or say"
            " scan = True"
        )
