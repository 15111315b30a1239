"""The base classes of compiled schemas: one for a model or a map, one over a schema of the resource's own."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field
from pynamodb.attributes import MapAttribute

from .carrying import is_own
from .values import as_json


class ModelSchema(Schema):
    """A schema made from a model or a map: values by Python name, None for an absent one."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The value, of an instance or of a dict."""
        return obj.get(attr) if isinstance(obj, Mapping) else getattr(obj, attr, None)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """As marshmallow dumps one object, without hooks and defaults, which such a schema never has."""
        if isinstance(obj, Mapping):
            return {key: write(obj.get(name), name, obj) for key, name, write in self._writers}
        return {key: write(getattr(obj, name, None), name, obj) for key, name, write in self._writers}

    @cached_property
    def _writers(self) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
        """Member, attribute, and the function that turns its value into JSON."""
        return tuple(
            (field.data_key or name, field.attribute or name, _writer(field))
            for name, field in self.dump_fields.items()
        )


def _writer(field: Field[Any]) -> Callable[..., Any]:
    """The function that turns a field's value into JSON: fields of the app's own may give other values."""
    if is_own(field):
        return field._serialize
    return lambda value, *where: as_json(field._serialize(value, *where))


def with_raw_maps(schema: type[Schema]) -> type[Schema]:
    """A subclass of a user's schema whose fields get raw maps as dicts, and which dumps JSON-ready values."""

    class Readable(schema):  # type: ignore[misc, valid-type]
        class Meta(schema.Meta):  # type: ignore[name-defined, misc]
            register = False

        def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
            value = super().get_attribute(obj, attr, default)
            raw = isinstance(value, MapAttribute) and value.is_raw()  # type: ignore[no-untyped-call]
            return as_json(value) if raw else value

        def dump(self, obj: Any, *, many: bool | None = None) -> Any:
            return {name: as_json(value) for name, value in super().dump(obj, many=many).items()}

    return Readable
