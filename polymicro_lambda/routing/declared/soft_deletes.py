"""``soft_delete`` of a resource: read, and every mistake named."""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import Attribute

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import Permission, Through
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing.verbs import ACTION, RESTORE
from polymicro_lambda.rules import Rule, SoftDelete, SoftDeletion, rule_from
from polymicro_lambda.schemas import DateTimeField, ExpiryField, field_for
from polymicro_lambda.spelling import did_you_mean


def soft_deletion_of(resource: ModelResource, own: Mapping[str, Any]) -> SoftDeletion | None:
    """What a resource, whose ``own`` members these are, says of its deleted items; None where a DELETE removes them.

    Raises ``ConfigurationError``.
    """
    said = resource.soft_delete
    if said is None:
        return None
    where = f"{type(resource).__name__}.soft_delete"
    declared = SoftDelete(said) if isinstance(said, str) else said
    if not (isinstance(declared, SoftDelete) and isinstance(declared.attribute, str)):
        raise ConfigurationError(
            f'{where} must be the name of an attribute, or SoftDelete("deleted", seen_by=…)'
        )
    if hasattr(own.get(RESTORE.name), ACTION):
        raise ConfigurationError(
            f"{where} makes the verb restore: give the action of that name another, or override restore(self, instance,"
            " user)"
        )
    attribute = _attribute(where, resource, declared.attribute)
    seen_by = None if declared.seen_by is None else _seen_by(f"{where}: seen_by", declared.seen_by)
    if seen_by is not None and declared.attribute == DELETED and "eq" in resource.filters.get(DELETED, ()):
        raise ConfigurationError(
            f"{where}: ?{DELETED}= asks for deleted items, so that filters cannot have its eq: say other operators"
        )
    return SoftDeletion(declared.attribute, attribute, seen_by)


DELETED = "deleted"
"""The query parameter that asks for deleted items."""


def _attribute(where: str, resource: ModelResource, name: str) -> Attribute[Any]:
    """The attribute of the model. Raises ``ConfigurationError`` where it cannot say when an item was deleted."""
    model = resource.model
    attributes = model.get_attributes()
    attribute = attributes.get(name)
    if attribute is None:
        raise ConfigurationError(
            f"{where}: {model.__name__} has no attribute {name!r}{did_you_mean(name, attributes)}"
        )
    if name in model_info(model).address:
        raise ConfigurationError(f"{where}: {name} is a key, which no write changes")
    field = field_for(attribute)
    if not isinstance(field, DateTimeField) or isinstance(field, ExpiryField):
        raise ConfigurationError(
            f"{where}: {name} must be an attribute of time, such as UTCDateTimeAttribute(null=True), not a"
            f" {type(attribute).__name__}"
        )
    if not attribute.null:
        raise ConfigurationError(f"{where}: {name} must be null=True: items that are there do not have it")
    if attribute.default is not None or attribute.default_for_new is not None:
        raise ConfigurationError(f"{where}: {name} has a default, so that every item would be deleted")
    return attribute


def _seen_by(where: str, declared: Any) -> Rule:
    """The rule of those who may see deleted items. Raises ``ConfigurationError`` for one that needs the item."""
    try:
        rule = rule_from(declared)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    for leaf in rule.leaves():
        kind = type(leaf)
        asks = (kind.where, kind.has_object_permission)
        if asks != (Permission.where, Permission.has_object_permission) or isinstance(leaf, Through):
            raise ConfigurationError(f"{where}: {leaf} needs an item; it must be decided by the user alone")
    return rule
