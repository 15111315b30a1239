"""What a composed attribute cannot be made of, and indexes that do not agree with it."""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    JSONAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda.dynamodb.attributes import PrefixedAttribute
from polymicro_lambda.dynamodb.indexes import indexes_of
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.spelling import did_you_mean

NEVER_PARTS = (DiscriminatorAttribute, JSONAttribute, VersionAttribute)
"""Attributes with several texts for one value, or that every write changes."""
ALPHABETS: Mapping[str, str] = {"N": "-.0123456789", "B": "0123456789abcdef", "BOOL": "truefals"}
"""Type -> the characters of its values in a key."""
TIME_CHARACTERS = "-:.T+0123456789"
"""The same of ``UTCDateTimeAttribute``."""


def check_part(where: str, model: type[Model], name: str, separator: str, *, of_table: bool) -> None:
    """Raise ``ConfigurationError`` for an attribute of which no key can be composed, before this separator."""
    attributes = model.get_attributes()
    attribute = attributes.get(name)
    if attribute is None:
        near = did_you_mean(name, attributes)
        raise ConfigurationError(f"{where}: {model.__name__} has no attribute {name!r}{near}")
    kind = type(attribute).__name__
    if attribute.attr_type not in ("S", *ALPHABETS) or isinstance(attribute, NEVER_PARTS):
        raise ConfigurationError(
            f"{where}: {name!r} is a {kind}; keys are composed of texts, numbers, times, binary and booleans"
        )
    if attribute.null and of_table:
        raise ConfigurationError(
            f"{where}: {name!r} may be null, and every item has a key: leave out null=True"
        )
    if separator and _holds(attribute, separator):
        raise ConfigurationError(
            f"{where}: {separator!r} behind {name!r} can stand in a {kind}, too: separate them by another text"
        )


def _holds(attribute: Attribute[Any], separator: str) -> bool:
    """Whether it is plain from the attribute alone that its values may hold a separator."""
    if isinstance(attribute, PrefixedAttribute):
        return separator in attribute.prefix
    alphabet = ALPHABETS.get(attribute.attr_type)
    if type(attribute) is UTCDateTimeAttribute:
        alphabet = TIME_CHARACTERS
    return alphabet is not None and set(separator) <= set(alphabet)


def check_indexes(
    model: type[Model], attributes: Mapping[str, Attribute[Any]], composed: Mapping[str, Any]
) -> None:
    """Raise ``ConfigurationError`` for an index with another template, and an attribute that is no key of any."""
    templates = {one.attr_name: one.template for one in composed.values()}
    own = {one.attr_name for one in attributes.values()}
    keys = {one.attr_name for one in attributes.values() if one.is_hash_key or one.is_range_key}
    for name, index in indexes_of(model).items():
        for attribute in index.Meta.attributes.values():
            keys |= {attribute.attr_name}
            template = getattr(attribute, "template", None)
            if template is None or attribute.attr_name not in own:
                continue
            if templates.get(attribute.attr_name) != template:
                raise ConfigurationError(
                    f"{model.__name__}.{name}: {attribute.attr_name} is composed by {template!r}, in the model"
                    f" {_said(templates.get(attribute.attr_name))}: say the same in both"
                )
    for name, one in composed.items():
        if one.attr_name not in keys:
            raise ConfigurationError(
                f"{model.__name__}.{name} is composed, but a key of neither the table nor an index: give it"
                " hash_key=True or range_key=True, or an index that has it"
            )


def _said(template: object) -> str:
    return "it is not" if template is None else f"by {template!r}"
