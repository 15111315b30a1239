"""The keys of a model, of its table and of its indexes: how long a key may be, and which characters it may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from unicodedata import category

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import indexes_of

from .attribute_fields import ordered_attributes
from .values import load_text, refuse

HASH_BYTES, RANGE_BYTES = 2048, 1024
"""The longest partition and sort key in bytes (DynamoDB Developer Guide, "Quotas")."""

_WIDEST = 4
"""Bytes of one character in UTF-8 at the most (RFC 3629, section 3)."""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """A validator that refuses values which DynamoDB, or a path, does not take as a key."""

    attribute: Attribute[Any]
    limit: int
    """The longest value, in bytes as stored."""
    address: bool
    """Whether it is a key of the table, so a part of the item's path."""

    def __call__(self, value: Any) -> None:
        """Raise ``ValidationError`` if the value cannot be a key."""
        stored = self.attribute.serialize(value)
        if not isinstance(stored, str | bytes):
            return
        if not stored or value == "":  # also a prefix alone
            refuse("A key may not be empty.")
        if len(load_text(stored).encode() if isinstance(stored, str) else stored) > self.limit:
            refuse(f"A key here has at most {self.limit} bytes.")
        if self.address and isinstance(stored, str) and any(category(one) == "Cc" for one in stored):
            refuse("A key may hold no control characters.")
        if self.address and value in (".", ".."):
            refuse("A key may not be . or .., which in a path mean something else.")

    def fits(self, value: Any) -> bool:
        """Whether DynamoDB takes the value as this key; which characters a path may hold is another matter."""
        if type(value) is str and type(self.attribute) is UnicodeAttribute:
            return _fits(value, self.limit)
        return is_key({self.attribute.attr_type: self.attribute.serialize(value)}, self.limit)


def is_key(value: Mapping[str, Any], limit: int) -> bool:
    """Whether a key can have this stored value: DynamoDB takes no empty one, nor one over ``limit`` bytes."""
    ((_, stored),) = value.items()
    return _fits(stored, limit)


def _fits(stored: Any, limit: int) -> bool:
    size = len(stored)
    if 0 < size <= limit // _WIDEST:
        return True
    return 0 < (len(stored.encode()) if isinstance(stored, str) else size) <= limit


@cache
def key_rules(model: type[Model]) -> Mapping[str, KeyRule]:
    """Python name -> rule, for each attribute that is a key of the table or, by its DynamoDB name, of an index."""
    of_indexes = [one for index in indexes_of(model).values() for one in index.Meta.attributes.values()]
    rules: dict[str, KeyRule] = {}
    for name, attribute in ordered_attributes(model).items():
        own = attribute.is_hash_key or attribute.is_range_key
        roles = [attribute, *(one for one in of_indexes if one.attr_name == attribute.attr_name)]
        limits = [limit for one in roles for limit in _limits(one)]
        rules |= {name: KeyRule(attribute, min(limits), own)} if limits else {}
    return rules


def _limits(role: Attribute[Any]) -> list[int]:
    return [HASH_BYTES] * role.is_hash_key + [RANGE_BYTES] * role.is_range_key


def address_rules(model: type[Model], lookup: str | None) -> Mapping[str, KeyRule]:
    """The same, and the rule of an attribute by which items are addressed: it keeps to what a key in a path may be."""
    rules = key_rules(model)
    if lookup is None:
        return rules
    limit = rules[lookup].limit if lookup in rules else HASH_BYTES
    return {**rules, lookup: KeyRule(model.get_attributes()[lookup], limit, address=True)}
