"""Schemas."""

from .attributes import (
    HASH_BYTES,
    RANGE_BYTES,
    KeyRule,
    default_of,
    field_for,
    is_nullable,
    ordered_attributes,
)
from .declarations import attribute_of_field
from .fast_path import fast_path_is_on
from .fields import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DiscriminatorField,
    DynamicMapField,
    ExpiryField,
    IntegerField,
    JSONField,
    ListField,
    MapField,
    NullField,
    NumberField,
    RawListField,
    RawMapField,
    SetField,
    TextField,
)
from .item_paths import ItemPath, parameter
from .item_schemas import ItemSchema, compile_schema, load_body
from .values import as_json

__all__ = [
    "HASH_BYTES",
    "RANGE_BYTES",
    "BinaryField",
    "BooleanField",
    "DateTimeField",
    "DiscriminatorField",
    "DynamicMapField",
    "ExpiryField",
    "IntegerField",
    "ItemPath",
    "ItemSchema",
    "JSONField",
    "KeyRule",
    "ListField",
    "MapField",
    "NullField",
    "NumberField",
    "RawListField",
    "RawMapField",
    "SetField",
    "TextField",
    "as_json",
    "attribute_of_field",
    "compile_schema",
    "default_of",
    "fast_path_is_on",
    "field_for",
    "is_nullable",
    "load_body",
    "ordered_attributes",
    "parameter",
]
