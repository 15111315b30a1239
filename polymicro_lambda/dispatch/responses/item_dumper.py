"""Instances of a resource's model as they go out: dumped, fields hidden, then as its own hooks have it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dispatch.requests.fields_request import RETRIEVE
from polymicro_lambda.dispatch.requests.shown_fields import ShownFields
from polymicro_lambda.http import Request
from polymicro_lambda.items import unchanged_json
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import RuleContext

NOTHING: Mapping[str, Any] = {}


class ItemDumper:
    """Dumps the instances of one request's answer."""

    __slots__ = ("_elsewhere", "_prepared", "fields", "request", "route")

    def __init__(self, route: Route, request: Request, fields: ShownFields) -> None:
        self.route = route
        self.request = request
        self.fields = fields
        # By its id: an instance with which `prepare` was called, and which so keeps its id.
        self._prepared: dict[int, Model] = {}
        self._elsewhere: dict[type[Model], ShownFields] = {}

    def prepare(self, values: Sequence[Any]) -> None:
        """Read what decides of their fields, and call the resource's hook, once with each instance of its model."""
        self.fields.read_related(values)
        for kind in {type(one) for one in values}:
            if issubclass(kind, Model) and not issubclass(kind, self.route.model):
                self._of_other(kind).read_related(values)
        resource = self.route.resource
        if type(resource).prepare is ModelResource.prepare:
            return
        new = [one for one in values if isinstance(one, self.route.model) and id(one) not in self._prepared]
        if new:
            self._prepared |= {id(one): one for one in new}
            resource.prepare(new, self.request)

    def dumped(self, instance: Model, more: Mapping[str, Any] = NOTHING) -> Any:
        """An instance as it goes out; ``more`` are members besides its fields."""
        schema = self.route.schema_of(type(instance))
        shown = unchanged_json(instance) if schema.model is type(instance) else None
        data = schema.dump(instance) if shown is None else schema.selected(shown)
        data = self.fields.of_item(instance, data)
        if not isinstance(instance, self.route.model):
            data = self._of_other(type(instance)).of_item(instance, data)
        self.prepare([instance])
        return self.route.resource.represent({**data, **more} if more else data, instance, self.request)

    @property
    def asks_elsewhere(self) -> bool:
        """Whether field rules of other resources have been asked."""
        return any(one.names is not None for one in self._elsewhere.values())

    def _of_other(self, model: type[Model]) -> ShownFields:
        """The fields that the first resource of another model lets the user see of its items."""
        if model not in self._elsewhere:
            self._elsewhere[model] = self._asked_of(model, self.route.other_of(model))
        return self._elsewhere[model]

    def _asked_of(self, model: type[Model], other: Route | None) -> ShownFields:
        if other is None or other.field_rules.free:
            return ShownFields(model)
        rules, request = other.field_rules, self.request.replaced(path_params={})
        readable, by_item, _ = rules.reading_elsewhere(
            RuleContext(request.user, RETRIEVE, other.model, request)
        )
        names = frozenset(self.route.schema_of(model).names) - (rules.shown - readable)
        return ShownFields(model, names, by_item)
