"""Instances of a resource's model as they go out: dumped, fields hidden, then as its own hooks have it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dispatch.requests.shown_fields import ShownFields
from polymicro_lambda.http import Request
from polymicro_lambda.items import unchanged_json
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route

NOTHING: Mapping[str, Any] = {}


class ItemDumper:
    """Dumps the instances of one request's answer."""

    __slots__ = ("_prepared", "fields", "request", "route")

    def __init__(self, route: Route, request: Request, fields: ShownFields) -> None:
        self.route = route
        self.request = request
        self.fields = fields
        # By its id: an instance with which `prepare` was called, and which so keeps its id.
        self._prepared: dict[int, Model] = {}

    def prepare(self, values: Sequence[Any]) -> None:
        """Read what decides of their fields, and call the resource's hook, once with each instance of its model."""
        self.fields.read_related(values)
        resource = self.route.resource
        if type(resource).prepare is ModelResource.prepare:
            return
        new = [one for one in values if isinstance(one, self.route.model) and id(one) not in self._prepared]
        if new:
            self._prepared |= {id(one): one for one in new}
            resource.prepare(new, self.request)

    def dumped(self, instance: Model, more: Mapping[str, Any] = NOTHING) -> Any:
        """An instance as it goes out; ``more`` are members besides its fields."""
        schema = self.route.schema_of(instance)
        shown = unchanged_json(instance) if schema.model is type(instance) else None
        data = schema.dump(instance) if shown is None else schema.selected(shown)
        data = self.fields.of_item(instance, data)
        self.prepare([instance])
        return self.route.resource.represent({**data, **more} if more else data, instance, self.request)
