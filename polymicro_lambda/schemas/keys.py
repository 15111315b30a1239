"""The keys of a model, of its table and of its indexes: how long a key may be, and which characters it may hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from unicodedata import category

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda.dynamodb import HASH_BYTES, RANGE_BYTES, KeyPart, indexes_of, model_info

from .attribute_fields import ordered_attributes
from .values import load_text, refuse

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
    return isinstance(stored, bool) or _fits(stored, limit)  # a truth is a part of a composed key


def _fits(stored: Any, limit: int) -> bool:
    size = len(stored)
    if 0 < size <= limit // _WIDEST:
        return True
    return 0 < (len(stored.encode()) if isinstance(stored, str) else size) <= limit


@cache
def key_rules(model: type[Model]) -> Mapping[str, KeyRule]:
    """Python name -> rule, for each attribute that is a key of the table or, by its DynamoDB name, of an index.

    And for the parts of a composed key of the table, each of which is a segment of a path.
    """
    of_indexes = [one for index in indexes_of(model).values() for one in index.Meta.attributes.values()]
    about = model_info(model)
    composed = [one for one in about.composed.values() if one.of_table]
    rules: dict[str, KeyRule] = {}
    for name, attribute in ordered_attributes(model).items():
        own = name in about.address
        roles = [attribute, *(one for one in of_indexes if one.attr_name == attribute.attr_name)]
        limits = [limit for one in roles for limit in _limits(one)]
        limits += [one.limit for one in composed if attribute.attr_name in one.places]
        rules |= {name: KeyRule(attribute, min(limits), own)} if limits else {}
    return rules


def _limits(role: Attribute[Any]) -> list[int]:
    return [HASH_BYTES] * role.is_hash_key + [RANGE_BYTES] * role.is_range_key


@cache
def part_rules(model: type[Model]) -> Mapping[str, Callable[[Any], None]]:
    """Python name -> a function that raises ``ValueError`` for a value, for each part of a composed table key."""
    rules: dict[str, list[KeyPart]] = {}
    for key in model_info(model).composed.values():
        for part in key.parts if key.of_table else ():
            rules.setdefault(part.name, []).append(part)
    return {name: partial(_check_part, parts) for name, parts in rules.items()}


def _check_part(parts: Sequence[KeyPart], value: Any) -> None:
    for part in parts:
        part.text({part.kind: part.attribute.serialize(value)})


def address_rules(model: type[Model], lookup: str | None) -> Mapping[str, KeyRule]:
    """The same, and the rule of an attribute by which items are addressed: it keeps to what a key in a path may be."""
    rules = key_rules(model)
    if lookup is None:
        return rules
    limit = rules[lookup].limit if lookup in rules else HASH_BYTES
    return {**rules, lookup: KeyRule(model.get_attributes()[lookup], limit, address=True)}
