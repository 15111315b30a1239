"""The marshmallow field classes; ``attribute_fields`` has the table from attribute to field.

A field loads JSON as ``read_json`` reads it, and gives values that its attribute stores and reads back exactly; any
other JSON is a ``ValidationError``. Dumping gives JSON-ready values.

- ``scalars``: texts, numbers, moments, binary; ``containers``: sets, lists, maps
- ``python_types``: decimals, dates, durations, UUIDs, members of enums
"""

from .containers import DynamicMapField, ListField, MapField, RawListField, RawMapField, SetField
from .python_types import (
    DateField,
    DecimalField,
    DurationField,
    EnumField,
    StoredTextField,
    TimestampField,
    UUIDField,
)
from .scalars import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DiscriminatorField,
    DumpedAsJSON,
    ExpiryField,
    IntegerField,
    JSONField,
    NullField,
    NumberField,
    TextField,
)

__all__ = [
    "BinaryField",
    "BooleanField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DiscriminatorField",
    "DumpedAsJSON",
    "DurationField",
    "DynamicMapField",
    "EnumField",
    "ExpiryField",
    "IntegerField",
    "JSONField",
    "ListField",
    "MapField",
    "NullField",
    "NumberField",
    "RawListField",
    "RawMapField",
    "SetField",
    "StoredTextField",
    "TextField",
    "TimestampField",
    "UUIDField",
]
