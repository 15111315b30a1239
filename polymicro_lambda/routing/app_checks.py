"""Refuses resources that cannot stand in one app."""

from collections.abc import Collection

from pynamodb.models import Model

from polymicro_lambda.dynamodb import check_own_tables, has_table
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.mixins import Delete
from polymicro_lambda.writes import check_same_constraints

from .declaration_checks import check_index_keys, check_prefixes
from .declarations import AppSettings
from .routes import Route


def check_together(routes: tuple[Route, ...], models: Collection[type[Model]], app: AppSettings) -> None:
    """Raise ``ConfigurationError`` for resources that cannot stand in one app; ``models`` are all that these need."""
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
