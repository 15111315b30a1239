"""Resources become routes: declarations read, schemas made, indexes found, every mistake named."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, cast

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_own_tables, model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lists import AccessPath, DeclaredFilters, Planner
from polymicro_lambda.rules import FieldRules, Through
from polymicro_lambda.schemas import ItemPath, ItemSchema, compile_schema
from polymicro_lambda.throttling import rates_of
from polymicro_lambda.writes import (
    PynamoStore,
    Stores,
    UniqueConstraints,
    check_bulk,
    check_same_constraints,
    read_unique,
)

from .declaration_checks import check_index_keys, check_prefixes
from .declarations import AppSettings, Declaration
from .embeds import link_embeds
from .permission_checks import check_field_permissions
from .reserved_keys import reserved_keys
from .routes import Route, models_of


def compile_routes(resources: Iterable[Any], app: AppSettings) -> tuple[Route, ...]:
    """The routes of the resources, in the order of their registration.

    Raises ``ConfigurationError`` naming class and attribute for whatever cannot work.
    """
    routes = tuple([route for resource in resources for route in _routes(Declaration.of(resource, app), app)])
    link_embeds(routes)
    _check_together(routes, app)
    stores = stores_of(routes)
    for store in map(_store_of, routes):
        store.stores = stores
        store.reserved = partial(reserved_keys, store.model, routes)
    _leave_out_deleted(routes)
    return routes


def stores_of(routes: Iterable[Route]) -> Stores:
    """The stores of the routes' resources, by their models, and with them those of other models.

    Of several resources of a model one with ``soft_delete`` has its store: nothing is removed then that need not be.
    """
    softly_last = sorted(routes, key=lambda route: route.deletion is not None)
    return Stores({route.model: _store_of(route) for route in softly_last})


def _leave_out_deleted(routes: Iterable[Route]) -> None:
    """Let no soft-deleted item of a resource's let a user in by ``Through``."""
    deletions = {route.model: route.deletion for route in routes if route.deletion is not None}
    leaves = (leaf for route in routes for leaf in (*route.rule.leaves(), *route.field_rules.leaves()))
    for leaf in leaves if deletions else ():
        if isinstance(leaf, Through) and leaf.model in deletions:
            leaf.leave_out(deletions[leaf.model])


def _store_of(route: Route) -> PynamoStore:
    return cast("PynamoStore", route.resource.store)  # `_shared` has set it


def _routes(declared: Declaration, app: AppSettings) -> Iterator[Route]:
    """The routes of one resource, whose store, planner and item path are set on the way."""
    resource = declared.resource
    keys = [
        key
        for key in model_info(declared.model).keys
        if key not in {*declared.rules.bound_in_items, *declared.in_path}
    ]
    item = (*declared.parts, *[f"{{{key}}}" for key in keys])
    shared = _shared(declared)
    resource.item = ItemPath(item, shared["schema"]) if declared.has_items else None
    rates = rates_of(resource, "/".join(declared.parts), declared.by_name, app.rate_limit)
    for one in declared.verbs:
        verb, rule = one.verb, declared.rules[one.verb.name]
        asked = (*rule.leaves(), *declared.rules["retrieve"].leaves(), *shared["field_rules"].leaves())
        if declared.deletion is not None:
            asked = (*asked, *declared.deletion.leaves())
        of_verb: dict[str, Any] = {
            "rule": rule,
            "asks_request": any(leaf.asks_request for leaf in asked),
            "bound": declared.rules.bound(verb.name),
            "owned": declared.rules.owned(verb.name),
        }
        for http in verb.http:
            yield Route(
                resource=resource,
                about=verb,
                http=http,
                parts=(*(item if verb.detail else declared.parts), *one.tail),
                call=getattr(resource, verb.name),
                arguments=one.arguments,
                is_default=one.is_default,
                is_action=one.is_action,
                requirement=one.requirement,
                attempts=one.attempts,
                takes=one.takes,
                limit=one.limit,
                idempotency_table=app.idempotency_table if one.is_idempotent else None,
                rate=rates.get(verb.name),
                **of_verb,
                **shared,
            )


def _shared(declared: Declaration) -> dict[str, Any]:
    """What all routes of a resource have alike, by the names of their members; sets its store and its planner."""
    resource, model, name = declared.resource, declared.model, declared.name
    filters = DeclaredFilters.of(name, model, resource.filters)
    schema = _schema(declared, filters)
    own_verbs = declared.has_own_writes or declared.has_actions
    unique = read_unique(name, model, resource.unique, schema, own_verbs=own_verbs)
    field_rules = FieldRules.of(name, resource.field_permissions, schema, declared.fields_for)
    bindable = declared.rules.bindable([*declared.in_path, *filters.equals])
    _check_bulk(declared, unique)
    resource.store = PynamoStore(model, unique, declared.deletion)
    resource.planner = _planner(declared, filters, bindable, schema, field_rules)
    of_fields = tuple(field_rules.leaves())
    check_field_permissions(name, model, of_fields, declared.in_path)
    others = of_fields if declared.deletion is None else (*of_fields, *declared.deletion.leaves())
    return {
        "rules": declared.rules,
        "retrieves": "retrieve" in declared.by_name,
        "schema": schema,
        "filters": filters,
        "field_rules": field_rules,
        "uniqueness": unique,
        "calls": declared.calls(others),
        "whole": declared.whole,
        "bindable": bindable,
        "deletion": declared.deletion,
    }


def _schema(declared: Declaration, filters: DeclaredFilters) -> ItemSchema:
    resource, deletion = declared.resource, declared.deletion
    said = (resource.dump_only,) if isinstance(resource.dump_only, str) else resource.dump_only
    return compile_schema(
        resource.model,
        resource=declared.name,
        schema=resource.schema,
        dump_only=said if deletion is None else (*said, deletion.name),
        load_only=resource.load_only,
        required=resource.required,
        exclude=resource.exclude,
        own_fields=resource.fields,
        validators=resource.validators,
        bound=declared.bound_in_bodies,
        fixed=declared.rules.owners,
        addressed=sorted({*declared.in_path, *filters.attributes}),
        creates="create" in declared.by_name,
        defer_required=declared.has_own_writes,
    )


def _planner(
    declared: Declaration,
    filters: DeclaredFilters,
    bindable: frozenset[str] | None,
    schema: ItemSchema,
    field_rules: FieldRules,
) -> Planner:
    """The planner of a resource's lists.

    Raises ``ConfigurationError`` where the mixin's list could serve no request: a partition must be bound, keys be
    named by filters, or the table be scanned. An index that lacks items must be sorted by or filtered on.
    """
    resource, model = declared.resource, declared.model
    by_key = filters.batch_key(model)
    shown = schema.names if declared.fields_for is None else ()
    planner = Planner.of(
        model,
        scan=resource.scan,
        whole=declared.whole,
        filterable=filters.equals | by_key,
        told=filters.attributes.union(name for name in shown if name not in field_rules.read),
        deletion=declared.deletion,
    )
    listed = declared.by_name.get("list")
    if listed is None or not listed.is_default:
        return planner
    usable = [*planner.usable(bindable)]
    if resource.scan or by_key or any(not path.sparse for path in usable):
        return planner
    if usable and bindable is not None:
        _check_reachable(declared, usable, {*schema.names, *filters.attributes, *bindable})
    if usable:
        return planner
    partition = next(iter(model_info(model).keys))
    raise ConfigurationError(
        f"{declared.name}.list could serve no request: nothing binds the partition key"
        f" {partition!r}. Bind it by OwnedBy({partition!r}), the route or filters, override list, or say"
        " scan = True"
    )


def _check_reachable(declared: Declaration, lacking: Sequence[AccessPath], usable: Collection[str]) -> None:
    """Raise ``ConfigurationError`` where no request can sort by or filter on what these indexes lack items without."""
    names = {one.attr_name: name for name, one in declared.model.get_attributes().items()}
    lacked = sorted({names.get(str(path.sort), str(path.sort)) for path in lacking})
    if not any(name in usable for name in lacked):
        raise ConfigurationError(
            f"{declared.name}.list could serve no request: the indexes that it can use lack items without"
            f" {' or '.join(lacked)}, which no request can sort by or filter on. Show it, add a filter for it, or say"
            " scan = True"
        )


def _check_bulk(declared: Declaration, unique: UniqueConstraints | None) -> None:
    create = declared.by_name.get("create")
    check_bulk(
        declared.name,
        declared.resource.max_bulk,
        creates=create is not None,
        idempotent=create is not None and create.is_idempotent,
        uniqueness=unique,
    )


def _check_together(routes: tuple[Route, ...], app: AppSettings) -> None:
    """Raise ``ConfigurationError`` for resources that cannot stand in one app."""
    if any(route.uniqueness for route in routes):
        check_same_constraints(
            [(type(one.resource).__name__, one.model, one.uniqueness) for one in routes if one.writes]
        )
    served = {route.model for route in routes}
    check_index_keys(models_of(routes))
    check_prefixes(models_of(routes), served)
    if app.rate_limit is not None and not any(route.rate for route in routes):
        raise ConfigurationError(
            'PolyMicro.rate_limit limits nothing: say RateLimit("100/minute"), or rate_limit of a resource'
        )
    counters = None if app.rate_limit is None else app.rate_limit.model
    tables = {"idempotency": app.idempotency_table, "rate_limit": counters}
    own: dict[str, type[Model]] = {setting: model for setting, model in tables.items() if model is not None}
    if own:
        check_own_tables(own, served)
