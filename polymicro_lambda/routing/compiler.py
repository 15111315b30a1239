"""Resources become routes: declarations read, schemas made, indexes found, every mistake named."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_table, model_info
from polymicro_lambda.lists import (
    DeclaredFilters,
)
from polymicro_lambda.rules import FieldRules, Through
from polymicro_lambda.schemas import ItemPath, ItemSchema, compile_schema
from polymicro_lambda.throttling import rates_of
from polymicro_lambda.writes import (
    PynamoStore,
    Stores,
    UniqueConstraints,
    WrittenValues,
    check_bulk,
    read_unique,
)

from .app_settings import AppSettings
from .checks.app_checks import check_together
from .checks.permission_checks import check_field_permissions
from .checks.reserved_keys import reserve_paths
from .declarations import Declaration
from .declared.declared_lists import planner_of, settings_of_lists
from .declared.formats import formats_of, with_checked_formats
from .declared.lookups import lookup_of
from .embeds import link_embeds
from .routes import Route


def compile_routes(resources: Iterable[Any], app: AppSettings) -> tuple[Route, ...]:
    """The routes of the resources, in the order of their registration.

    Raises ``ConfigurationError`` naming class and attribute for whatever cannot work.
    """
    app = with_checked_formats(app)
    routes = tuple([route for resource in resources for route in _routes(Declaration.of(resource, app), app)])
    link_embeds(routes)
    check_together(routes, models_of(routes), app)
    stores = stores_of(routes)
    for store in [_store_of(route) for route in routes if has_table(route.model)]:
        store.stores = stores
    reserve_paths(routes, ())
    _leave_out_deleted(routes)
    others = {route.model: route for route in reversed(routes) if has_table(route.model)}
    for route in routes:
        route.others = others
    return routes


def stores_of(routes: Iterable[Route]) -> Stores:
    """The stores of the routes' resources, by their models, and with them those of other models.

    Of several resources of a model one with ``soft_delete`` has its store: nothing is removed then that need not be.
    Else one that says what its writes set.
    """
    last = sorted(routes, key=lambda route: (route.deletion is not None, route.cleans or bool(route.touched)))
    return Stores({route.model: _store_of(route) for route in last if has_table(route.model)})


def models_of(routes: Iterable[Route]) -> dict[type[Model], None]:
    """Those of all the routes, each once, in their order."""
    models: dict[type[Model], None] = {}
    for route in routes:
        if has_table(route.model):
            models[route.model] = None
        if route.calls or route.uniqueness or route.idempotency_table or route.rate:
            models.update(dict.fromkeys(route.models))
    return models


def _leave_out_deleted(routes: Iterable[Route]) -> None:
    """Let no soft-deleted item of a resource's let a user in by ``Through``."""
    deletions = {route.model: route.deletion for route in routes if route.deletion is not None}
    leaves = (leaf for route in routes for leaf in (*route.rules.permissions, *route.field_rules.leaves()))
    for leaf in leaves if deletions else ():
        if isinstance(leaf, Through) and leaf.model in deletions:
            leaf.leave_out(deletions[leaf.model])


def _store_of(route: Route) -> PynamoStore:
    return cast("PynamoStore", route.resource.store)  # `_shared` has set it


def _routes(declared: Declaration, app: AppSettings) -> Iterator[Route]:
    """The routes of one resource, whose store, planner and item path are set on the way."""
    resource = declared.resource
    keys = [key for key in model_info(declared.model).address if key not in declared.fixed]
    address = keys if resource.lookup is None else [resource.lookup]
    item = (*declared.parts, *[f"{{{name}}}" for name in address])
    shared = {**_shared(declared), **formats_of(declared, app)}
    list_settings = settings_of_lists(declared, shared["filters"], shared["bindable"], shared["field_rules"])
    lookup = lookup_of(declared.name, resource.lookup, shared["uniqueness"], declared.fixed)
    resource.item = ItemPath(item, shared["schema"]) if declared.has_items else None
    rates = rates_of(resource, "/".join(declared.parts), declared.by_name, app.rate_limit)
    creation: Route | None = None
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
            route = Route(
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
                form=one.form,
                list_settings=list_settings._replace(limit=one.limit),
                idempotency_table=app.idempotency_table if one.is_idempotent else None,
                rate=rates.get(verb.name),
                lookup=lookup if verb.detail else None,
                creation=creation if (verb.name, http, declared.put) == ("update", "PUT", "upsert") else None,
                **of_verb,
                **shared,
            )
            creation = route if verb.name == "create" else creation
            yield route


def _shared(declared: Declaration) -> dict[str, Any]:
    """What all routes of a resource have alike, by the names of their members; sets its store and its planner."""
    resource, model, name = declared.resource, declared.model, declared.name
    filters = DeclaredFilters.of(name, model, resource.filters)
    schema = _schema(declared, filters)
    own_code = declared.has_own_writes or declared.has_actions or declared.clean is not None
    unique = read_unique(name, model, resource.unique, schema, own_verbs=own_code)
    field_rules = FieldRules.of(name, resource.field_permissions, schema, declared.fields_for)
    bindable = declared.rules.bindable([*declared.in_path, *filters.binding])
    _check_bulk(declared, unique)
    if has_table(model):
        resource.store = PynamoStore(model, unique, declared.deletion)
        resource.store.read_budget = resource.read_budget
        resource.store.finishing = WrittenValues(declared.touch, declared.clean)
        resource.planner = planner_of(declared, filters, bindable, schema, field_rules)
    of_fields = tuple(field_rules.leaves())
    check_field_permissions(name, model, of_fields, declared.in_path, frozenset(declared.by_name))
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
        "put": declared.put,
        "cleans": declared.clean is not None,
        "touched": frozenset(model.get_attributes()[name].attr_name for name in declared.touch),
        "bindable": bindable,
        "deletion": declared.deletion,
    }


def _schema(declared: Declaration, filters: DeclaredFilters) -> ItemSchema:
    resource = declared.resource
    return compile_schema(
        declared.model,
        resource=declared.name,
        schema=resource.schema,
        dump_only=declared.dump_only,
        load_only=resource.load_only,
        required=resource.required,
        exclude=resource.exclude,
        own_fields=resource.fields,
        validators=resource.validators,
        bound=declared.bound_in_bodies,
        fixed=declared.rules.owners,
        addressed=sorted({*declared.in_path, *filters.attributes}),
        lookup=resource.lookup,
        creates="create" in declared.by_name,
        defer_required=declared.has_own_writes,
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
