"""Items."""

from .etags import UNKEYED, Tagger, Tags, canonical_bytes, same_item
from .instances import LazyValues, instance_of, key_only_instance, unchanged_json, unchanged_text
from .renderings import renderer_of
from .selections import FieldSelection, JSONText
from .serializers import ItemSerializer
from .stored_items import (
    ReadRecorder,
    expired_conditions,
    is_live,
    live_conditions,
    prefix_conditions,
    serialized,
    stored_item,
)

__all__ = [
    "UNKEYED",
    "FieldSelection",
    "ItemSerializer",
    "JSONText",
    "LazyValues",
    "ReadRecorder",
    "Tagger",
    "Tags",
    "canonical_bytes",
    "expired_conditions",
    "instance_of",
    "is_live",
    "key_only_instance",
    "live_conditions",
    "prefix_conditions",
    "renderer_of",
    "same_item",
    "serialized",
    "stored_item",
    "unchanged_json",
    "unchanged_text",
]
