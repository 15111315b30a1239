"""A model's attributes as marshmallow fields: bodies and paths are loaded by them, items dumped.

In come a PynamoDB model, a resource's options and JSON bodies; out go values by Python name, and JSON-ready items.

- ``attribute_fields``: the table ``FIELDS``, attribute class → field; a new PynamoDB attribute type gets a row here
- ``fields/``, ``values``: the field classes; what DynamoDB carries exactly
- ``carrying/``: whether an attribute stores what another field loads
- ``schema_compiler``: ``compile_schema``; ``item_schemas``: the ``ItemSchema`` of a resource
- ``declarations``: its options, checked
- ``declared_fields``: the tables ``fields`` and ``validators``
- ``merges``: PATCH of maps
- ``body_loader``, ``error_pointers``: a body as values; marshmallow's messages as ``errors`` of a problem
- ``cells``: the cells of a table as values
- ``keys``, ``item_paths``, ``url_values``: limits of keys; the path of an item; texts of URLs as values
- ``model_schemas``: the base classes of compiled schemas; ``fast_path``: the switch ``POLYMICRO_COMPILED``
"""

from polymicro_lambda.dynamodb import HASH_BYTES, RANGE_BYTES

from .attribute_fields import default_of, field_for, is_nullable, is_required, ordered_attributes
from .body_loader import attribute_of_field, load_body
from .carrying import Storable
from .cells import row_values
from .error_pointers import field_errors
from .fast_path import fast_path_is_on
from .fields import (
    BinaryField,
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DiscriminatorField,
    DurationField,
    DynamicMapField,
    EnumField,
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
    StoredTextField,
    TextField,
    TimestampField,
    UUIDField,
)
from .item_paths import ItemPath, parameter_name
from .item_schemas import ItemSchema
from .keys import KeyRule, address_rules, is_key, key_rules
from .merges import Members, Merge, is_mergeable
from .schema_compiler import compile_schema, whole_schema
from .values import as_json

__all__ = [
    "HASH_BYTES",
    "RANGE_BYTES",
    "BinaryField",
    "BooleanField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DiscriminatorField",
    "DurationField",
    "DynamicMapField",
    "EnumField",
    "ExpiryField",
    "IntegerField",
    "ItemPath",
    "ItemSchema",
    "JSONField",
    "KeyRule",
    "ListField",
    "MapField",
    "Members",
    "Merge",
    "NullField",
    "NumberField",
    "RawListField",
    "RawMapField",
    "SetField",
    "Storable",
    "StoredTextField",
    "TextField",
    "TimestampField",
    "UUIDField",
    "address_rules",
    "as_json",
    "attribute_of_field",
    "compile_schema",
    "default_of",
    "fast_path_is_on",
    "field_errors",
    "field_for",
    "is_key",
    "is_mergeable",
    "is_nullable",
    "is_required",
    "key_rules",
    "load_body",
    "ordered_attributes",
    "parameter_name",
    "row_values",
    "whole_schema",
]
