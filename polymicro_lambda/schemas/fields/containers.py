"""The fields of sets, lists and maps."""

from typing import Any

from marshmallow import Schema, ValidationError, fields
from pynamodb.attributes import DiscriminatorAttribute, MapAttribute

from polymicro_lambda.dynamodb import map_of
from polymicro_lambda.schemas.merges import Merge, Validators, merge_of
from polymicro_lambda.schemas.values import as_json, load_distinct, load_each, load_json, refuse

from .scalars import DumpedAsJSON


class SetField(fields.List[Any]):
    """The set attributes: loads a list without duplicates, dumps a sorted one; an empty set is absent, so null."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, list):
            refuse("Not a list.")
        if not value and not self.allow_none:
            refuse("May not be empty.")
        return load_distinct(value, self.inner.deserialize)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return as_json(value) or None


class RawListField(DumpedAsJSON, fields.Raw):
    """``ListAttribute`` without element type: any JSON list."""

    def __init__(self, *, room: int) -> None:
        super().__init__()
        self.room = room

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return load_json(value, room=self.room) if isinstance(value, list) else refuse("Not a list.")


class ListField(fields.List[Any]):
    """``ListAttribute(of=…)``: a list whose elements the element's own field loads."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, list):
            refuse("Not a list.")
        return list(load_each(enumerate(value), lambda _, v: self.inner.deserialize(v)).values())


class RawMapField(DumpedAsJSON, fields.Raw):
    """A raw ``MapAttribute``: any JSON object. ``lost`` are the names that a dynamic map cannot hold."""

    merged: Validators | None = None
    """The validators of the map that a PATCH leaves; None where the field does not load a ``Merge``."""

    def __init__(self, *, room: int, lost: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.room = room
        self.lost = lost

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            refuse("Not an object.")
        load_each(value.items(), lambda name, _: name not in self.lost or refuse("This name is not allowed."))
        loaded = load_json(value, room=self.room)
        return loaded if self.merged is None else Merge(merge_of(None, loaded), self.merged)


class MapField(fields.Nested):
    """A subclass of ``MapAttribute``: an object of its attributes, no other names."""

    merged: Validators | None = None
    """As of ``RawMapField``."""

    def __init__(self, container: type[MapAttribute[Any, Any]], schema: Schema) -> None:
        super().__init__(schema)
        self.container = container
        # PynamoDB spoils a map with a discriminator if it gets it as a dict: defaults and subclasses are lost.
        attributes = container.get_attributes().values()
        self.whole = any(isinstance(one, DiscriminatorAttribute) for one in attributes)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        loaded = self.schema.load(value) if isinstance(value, dict) else refuse("Not an object.")
        if self.merged is not None:
            return Merge(loaded, self.merged)
        return self.container(**loaded) if self.whole else loaded


class DynamicMapField(MapField):
    """A ``DynamicMapAttribute``: its attributes and any other names."""

    def __init__(self, container: type[MapAttribute[Any, Any]], schema: Schema, *, room: int) -> None:
        super().__init__(container, schema)
        self.declared = frozenset(container.get_attributes())
        stored = frozenset(one.attr_name for one in container.get_attributes().values())
        self.others = RawMapField(room=room, lost=stored | {"attribute_values"})

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            refuse("Not an object.")
        known = {name: one for name, one in value.items() if name in self.declared}
        others = {name: one for name, one in value.items() if name not in self.declared}
        errors: dict[Any, Any] = {}
        loaded: dict[str, Any] = {}
        for part, load in (known, self.schema.load), (others, self.others.deserialize):
            try:
                loaded |= load(part)
            except ValidationError as error:
                errors |= error.messages_dict
        if errors:
            refuse(errors)
        if self.merged is not None:
            return Merge({name: merge_of(None, one) for name, one in loaded.items()}, self.merged)
        return map_of(self.container, loaded)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        if value is None:
            return None
        # Reading leaves an "attribute_values" of PynamoDB's own among the names (its issue 999).
        others = {name: value[name] for name in value if name not in self.declared | {"attribute_values"}}
        return self.schema.dump(value) | as_json(others)
