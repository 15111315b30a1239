"""Refuses resources that cannot stand in one app."""

from collections.abc import Collection

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_own_tables, has_table
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lists import COUNT, RESERVED_PARAMETERS
from polymicro_lambda.mixins import Delete
from polymicro_lambda.routing.app_settings import AppSettings
from polymicro_lambda.routing.declared.declared_forms import query_fields
from polymicro_lambda.routing.declared.soft_deletes import DELETED
from polymicro_lambda.routing.embeds import EMBED
from polymicro_lambda.routing.routes import Route
from polymicro_lambda.writes import check_same_constraints

from .declaration_checks import check_index_keys, check_prefixes


def check_together(routes: tuple[Route, ...], models: Collection[type[Model]], app: AppSettings) -> None:
    """Raise ``ConfigurationError`` for resources that cannot stand in one app; ``models`` are all that these need."""
    for route in routes:
        _check_parameters(route)
    if any(route.uniqueness for route in routes):
        check_same_constraints(
            [(type(one.resource).__name__, one.model, one.uniqueness) for one in routes if one.writes]
        )
    _check_soft_deletes(routes)
    served = {route.model for route in routes if has_table(route.model)}
    check_index_keys(models)
    check_prefixes(models, served)
    if app.rate_limit is not None and not any(route.rate for route in routes):
        raise ConfigurationError(
            'PolyMicro.rate_limit limits nothing: say RateLimit("100/minute"), or rate_limit of a resource'
        )
    counters = None if app.rate_limit is None else app.rate_limit.model
    tables = {"idempotency": app.idempotency_table, "rate_limit": counters}
    own: dict[str, type[Model]] = {setting: model for setting, model in tables.items() if model is not None}
    if own:
        check_own_tables(own, served)


def _check_parameters(route: Route) -> None:
    """What a verb's own query names must be no parameter that it has anyway."""
    if route.creation is not None and route.creation.form.query is not None:
        raise ConfigurationError(
            f'{route.creation.full_name} has a query, and put = "upsert": a PUT that creates has that of the update'
        )
    if route.form.query is None:
        return
    # Every verb may answer with items, of which `fields` chooses.
    taken = {"fields", EMBED} if route.embeds else {"fields"}
    taken |= set() if route.shows_deleted is None else {DELETED}
    if not route.is_action and route.verb == "list":
        taken |= {*RESERVED_PARAMETERS, *route.filters.parameters}
        taken |= {COUNT} if route.list_settings.counts else set()
    for name in taken.intersection(query_fields(route.form.query)):
        raise ConfigurationError(
            f"{route.full_name}: query names {name!r}, which is a parameter here already: take another name"
        )


def _check_soft_deletes(routes: tuple[Route, ...]) -> None:
    """A resource may hide what another one deletes; one of them has to."""
    soft = [route for route in routes if route.deletion is not None]
    deleting = {route.model for route in soft if isinstance(route.resource, Delete)}
    for route in soft:
        if route.model not in deleting:
            raise ConfigurationError(
                f"{type(route.resource).__name__}.soft_delete: nothing deletes {route.model.__name__} so: mix in"
                " Delete, here or in another resource of the model with soft_delete"
            )
