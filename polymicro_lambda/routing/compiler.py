"""Resources become routes: signatures read, rules composed, schemas built, every mistake named."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_own_tables, declaring_model, model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lists import DeclaredFilters, Planner
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.rules import FieldRules
from polymicro_lambda.schemas import ItemPath, ItemSchema, compile_schema
from polymicro_lambda.throttling import Rate, RateLimit, rates_of
from polymicro_lambda.writes import (
    PynamoStore,
    UniqueConstraints,
    check_bulk,
    check_same_constraints,
    read_unique,
)

from .declaration_checks import check_model, check_prefixes
from .declarations import Families, Family, Terms
from .declared_calls import Call
from .permission_checks import check_owners
from .routes import Route, models_of
from .signatures import route_parameters, route_parts


def compile_routes(
    resources: Iterable[Any],
    default_permissions: Any,
    markers: type[Model] | None = None,
    rate_limit: RateLimit | None = None,
) -> tuple[Route, ...]:
    """The routes of the resources, in the order of their registration.

    Raises ``ConfigurationError`` naming class and attribute for whatever cannot work.
    """
    compiler = _Compiler(Terms(default_permissions, markers, rate_limit))
    routes = tuple([route for resource in resources for route in compiler.routes(resource)])
    if any(route.uniqueness for route in routes):
        check_same_constraints(
            [(_name(one.resource), one.model, one.uniqueness) for one in routes if one.writes]
        )
    served = {route.model for route in routes}
    check_prefixes(models_of(routes), served)
    if rate_limit is not None and not any(route.rate for route in routes):
        raise ConfigurationError(
            'PolyMicro.rate_limit limits nothing: say RateLimit("100/minute"), or rate_limit of a resource'
        )
    ledgers = {"idempotency": markers, "rate_limit": None if rate_limit is None else rate_limit.model}
    said = {setting: model for setting, model in ledgers.items() if model is not None}
    if said:
        check_own_tables(said, served)
    return routes


def _name(resource: Any) -> str:
    return type(resource).__name__


def _checked(resource: Any) -> type[Model]:
    """The model of a resource. Raises ``ConfigurationError`` where either is none."""
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
    return model


class _Compiler:
    """What makes routes of resources, and knows what it has made of others."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._families = Families(terms)
        self._known: dict[tuple[Family, type[Model], tuple[str, ...]], _Fit] = {}

    def routes(self, resource: Any) -> Iterator[Route]:
        """The routes of the resource's verbs; its store, planner and item path are set on the way."""
        name, model = _name(resource), _checked(resource)
        family, parts = self._families.of(resource), route_parts(name, resource)
        in_path = route_parameters(name, model, parts)
        place = family, declaring_model(model), in_path
        fit = self._known.get(place)
        if fit is None:
            fit = _Fit.of(family, resource, in_path)
            if fit.is_shared:
                self._known[place] = fit
        return fit.routes(resource, parts, self._terms)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A family over a model's attributes, with the same of them in the path: checked once for all such resources."""

    family: Family
    keys: tuple[str, ...]
    """What stands behind the collection's path in an item's."""
    filters: DeclaredFilters
    schema: ItemSchema
    """That of the first of them."""
    uniqueness: UniqueConstraints | None
    planner: Planner
    """As ``schema``."""
    field_rules: FieldRules
    bindable: frozenset[str] | None
    """What a request may bind to one value, None where only the request tells."""
    calls: tuple[Call, ...]
    asks_request: bool
    is_shared: bool

    @classmethod
    def of(cls, family: Family, resource: ModelResource, in_path: tuple[str, ...]) -> "_Fit":
        """What the resource's family says of its model. Raises ``ConfigurationError``."""
        name, model = _name(resource), resource.model
        check_owners(name, model, family.leaves)
        filters = DeclaredFilters.of(name, model, resource.filters)
        schema = _schema(family, resource, in_path, filters)
        uniqueness = read_unique(name, model, resource.unique, schema, own_verbs=family.has_own())
        picks = filters.picking(model)
        planner = Planner.of(model, scan=resource.scan, whole=family.whole, sayable=filters.equals | picks)
        hook = type(resource).fields_for is not ModelResource.fields_for
        field_rules = FieldRules.of(
            name, resource.field_permissions, schema, resource.fields_for if hook else None
        )
        bindable = (
            None
            if family.sometimes is None
            else frozenset({*family.bound, *in_path, *filters.equals, *family.sometimes})
        )
        if family.lists and not picks:
            _check_list(resource, planner, bindable)
        check_bulk(
            name,
            resource.max_bulk,
            creates=family.has("create"),
            journaled=any(one.verb.name == "create" and one.is_idempotent for one in family.verbs),
            uniqueness=uniqueness,
        )
        return cls(
            family,
            tuple([f"{{{key}}}" for key in model_info(model).keys if key not in {*family.bound, *in_path}]),
            filters,
            schema,
            uniqueness,
            planner,
            field_rules,
            bindable,
            family.calls(field_rules.leaves()),
            any(leaf.asks_request for leaf in (*family.leaves, *field_rules.leaves())),
            family.is_shared and uniqueness is None and field_rules.free and schema.declaration.is_foreseen,
        )

    def routes(self, resource: ModelResource, parts: tuple[str, ...], terms: Terms) -> Iterator[Route]:
        """The routes of one of the resources."""
        family, model, planner, schema = self.family, resource.model, self.planner, self.schema
        if planner.model is not model:
            planner = Planner(model, planner.scan, planner.whole, planner.sayable)
            schema = ItemSchema(schema.declaration, model)
        item = (*parts, *self.keys)
        resource.store = PynamoStore(model, self.uniqueness)
        resource.planner = planner
        resource.item = ItemPath(item, schema) if family.has_items else None
        rates = _rates(family, resource, parts, terms.rate_limit)
        visible = family.rule if family.has("retrieve") else None
        for one in family.verbs:
            verb = one.verb
            for http in verb.http:
                yield Route(
                    resource=resource,
                    about=verb,
                    http=http,
                    parts=(*(item if verb.detail else parts), *one.tail),
                    rule=family.rule,
                    visible=visible,
                    schema=schema,
                    call=getattr(resource, verb.name),
                    arguments=one.arguments,
                    is_default=one.is_default,
                    filters=self.filters,
                    field_rules=self.field_rules,
                    markers=terms.markers if one.is_idempotent else None,
                    uniqueness=self.uniqueness,
                    rate=rates.get(verb.name),
                    is_action=one.is_action,
                    takes=one.takes,
                    asks_request=self.asks_request,
                    calls=self.calls,
                    whole=family.whole,
                    limit=one.limit,
                    bound=family.bound,
                    bindable=self.bindable,
                    owned=family.owned,
                )


def _rates(
    family: Family, resource: ModelResource, parts: tuple[str, ...], limit: RateLimit | None
) -> Mapping[str, Rate]:
    if limit is None:
        return {}
    return rates_of(resource, "/".join(parts), [one.verb.name for one in family.verbs], limit)


def _schema(
    family: Family, resource: ModelResource, in_path: Iterable[str], filters: DeclaredFilters
) -> ItemSchema:
    return compile_schema(
        resource.model,
        resource=_name(resource),
        schema=resource.schema,
        dump_only=resource.dump_only,
        load_only=resource.load_only,
        required=resource.required,
        exclude=resource.exclude,
        bound=frozenset({*family.bound, *in_path}),
        fixed=frozenset(family.owned),
        addressed=sorted({*in_path, *filters.attributes}),
        creates=family.has("create"),
        defer_required=family.has_own(actions=False),
    )


def _check_list(resource: ModelResource, planner: Planner, bindable: frozenset[str] | None) -> None:
    """A default list must be able to query: a partition can be bound, keys be said, or the table be scanned."""
    if resource.scan or any(planner.usable(bindable)):
        return
    partition = next(iter(model_info(resource.model).keys))
    raise ConfigurationError(
        f"{_name(resource)}.list could serve no request: nothing binds the partition key"
        f" {partition!r}. Bind it by OwnedBy({partition!r}), the route or filters, override list, or say"
        " scan = True"
    )
