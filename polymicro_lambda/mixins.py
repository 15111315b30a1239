"""The five verbs, each a few lines over the resource's store: you can override one, or call it by ``super()``."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .lists import Planner
from .rules import Otherwise
from .writes import Store

__all__ = ["Create", "Delete", "List", "Retrieve", "Update"]


def overridable(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The same verb, for a type checker one that an override may declare with fewer arguments."""
    return verb


class Registry(Protocol):
    """An app, as far as a resource needs it to register."""

    def register(self, resource: Any) -> None:
        """Add a resource to those that the app compiles."""


class Verbs:
    """The base of the five verbs: a store, a planner, and the registration of the resource."""

    store: Store
    planner: Planner

    def __init__(self, app: Registry) -> None:
        app.register(self)


class Create(Verbs):
    """POST on the collection."""

    @overridable
    def create(self, req: dict[str, Any], user: Any) -> Any:
        """Store a new item of the loaded body. Raises ``Conflict`` where its key is taken."""
        return self.store.create(req)


class List(Verbs):
    """GET on the collection."""

    @overridable
    def list(
        self,
        user: Any,
        pagination_key: Any = None,
        limit: int = 25,
        filters: Mapping[str, Mapping[str, Any]] | None = None,
        sort: str | None = None,
    ) -> Any:
        """The items that route, rule and filters say, read by the cheapest index that serves them.

        Raises ``BadRequest`` that names what is missing where none does.
        """
        plan = self.planner.plan(filters, sort)
        return self.store.rows(plan, pagination_key=pagination_key, limit=limit)


class Retrieve(Verbs):
    """GET on the item."""

    @overridable
    def retrieve(self, instance: Any, user: Any) -> Any:
        """The item as it is."""
        return instance


class Update(Verbs):
    """PATCH and PUT on the item."""

    @overridable
    def update(
        self,
        instance: Any,
        req: dict[str, Any],
        user: Any,
        *,
        condition: Any = None,
        otherwise: Otherwise = None,
    ) -> Any:
        """Set what the loaded body gives, remove what it gives as None. Raises ``NotFound`` and ``Conflict``.

        ``condition`` is part of the write; ``otherwise`` is raised where it does not hold.
        """
        return self.store.update(instance, req, condition=condition, otherwise=otherwise)


class Delete(Verbs):
    """DELETE on the item; with ``soft_delete`` of the resource also POST on its ``/restore``."""

    @overridable
    def delete(self, instance: Any, user: Any, *, condition: Any = None, otherwise: Otherwise = None) -> None:
        """Remove the item. Raises ``NotFound`` and ``Conflict``; ``condition`` as of an update."""
        self.store.delete(instance, condition=condition, otherwise=otherwise)

    @overridable
    def restore(self, instance: Any, user: Any, *, condition: Any = None, otherwise: Otherwise = None) -> Any:
        """Bring back the item, which is deleted softly. Raises as an update."""
        return self.store.restore(instance, condition=condition, otherwise=otherwise)
