"""Stored items as JSON and back, and their entity tags.

In comes an item as DynamoDB stores it (``{"id": {"S": "1"}}``); out comes a PynamoDB instance, a dict, JSON text or
an entity tag. In the other direction a verb's values become the item to store.

- `readers`: one item as JSON, without an instance. `columns`: many items at once. `renderings`: one item's JSON and
  the content of its tag in one pass. `selections`: the fields that an answer shows, by one of these ways.
- `instances`: PynamoDB instances whose attributes are read on demand. `partial_instances`: those that lack attributes.
- `read_recording`: which attributes of an instance are read.
- `serializers`, `attribute_writers`, `composed_keys`: values to stored items.
- `stored_items`: expiry, kinds, and the item that an instance was read from.
- `etags`: entity tags, ``If-Match`` and ``If-None-Match``. `volatile_attributes`: whether it reads as before.
"""

from .composed_keys import check_not_composed
from .etags import UNKEYED_TAGGER, EntityTagger, EntityTags, canonical_bytes, same_item
from .instances import (
    instance_of,
    is_unreadable,
    key_only_instance,
    unchanged_json,
    unchanged_text,
    unreadable_instance,
)
from .partial_instances import whole_instance, whole_instances
from .read_recording import names_read, observed, record_reads
from .renderings import renderer_of
from .selections import FieldSelection, JSONText
from .serializers import ItemSerializer
from .stored_items import (
    expired_conditions,
    is_live,
    is_of_kind,
    live_conditions,
    prefix_conditions,
    report_unreadable,
    serialized,
    stored_item,
)
from .volatile_attributes import is_volatile

__all__ = [
    "UNKEYED_TAGGER",
    "EntityTagger",
    "EntityTags",
    "FieldSelection",
    "ItemSerializer",
    "JSONText",
    "canonical_bytes",
    "check_not_composed",
    "expired_conditions",
    "instance_of",
    "is_live",
    "is_of_kind",
    "is_unreadable",
    "is_volatile",
    "key_only_instance",
    "live_conditions",
    "names_read",
    "observed",
    "prefix_conditions",
    "record_reads",
    "renderer_of",
    "report_unreadable",
    "same_item",
    "serialized",
    "stored_item",
    "unchanged_json",
    "unchanged_text",
    "unreadable_instance",
    "whole_instance",
    "whole_instances",
]
