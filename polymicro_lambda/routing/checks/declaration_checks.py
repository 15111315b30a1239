"""What would go wrong in silence: tables and indexes that cannot be, kinds of items that are mixed up."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import chain, combinations
from typing import Any

from pynamodb.indexes import Index, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda.dynamodb import indexes_of, model_info, stored_names, table_meta
from polymicro_lambda.exceptions import ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
"""A table's or an index's (DynamoDB Developer Guide, "Naming rules")."""
_LEAST = 3
"""Characters of an index's name. A table's has as many, but the stack's name or ``table_prefix`` stands before it."""
_NO_NAME = "is no name for it: DynamoDB takes 3 to 255 letters, digits, _, . and -"


def check_model(resource: str, model: type[Model]) -> None:
    """Raise ``ConfigurationError`` for a model without partition key or table, or with an index that cannot be."""
    first = next(iter(model_info(model).keys.values()), None)
    if first is None or not first.is_hash_key:
        raise ConfigurationError(f"{resource}.model: {model.__name__} has no attribute with hash_key=True")
    _check_table_name(model)
    indexes = indexes_of(model).items()
    attributes = {one.attr_name: one for one in model.get_attributes().values()} if indexes else {}
    for name, index in indexes:
        _check_index(f"{model.__name__}.{name}", model, index)
        for key in index.Meta.attributes.values():
            own = attributes.get(key.attr_name)
            if own is None or own.attr_type == key.attr_type:
                continue  # of a table that several models share an index may be for the items of another
            raise ConfigurationError(
                f"{model.__name__}.{name}: {key.attr_name} is a {type(key).__name__} in the index, a"
                f" {type(own).__name__} in the model: DynamoDB would refuse the items"
            )


def check_kind(resource: str, model: type[Model]) -> None:
    """Raise ``ConfigurationError`` for a model whose new items the mixin ``Create`` could not say the kind of."""
    discriminator = model_info(model).discriminator
    if discriminator is not None and discriminator.get_discriminator(model) is None:
        raise ConfigurationError(
            f"{resource}: Create cannot make items of {model.__name__}, which has no discriminator value: give the"
            " class one, or its kinds resources of their own"
        )


def _check_table_name(model: type[Model]) -> None:
    said = str(table_meta(model).table_name)
    if said and not _NAME.fullmatch(said):
        raise ConfigurationError(f"{model.__name__}.Meta.table_name: {said!r} {_NO_NAME}")


def _check_index(where: str, model: type[Model], index: Index[Any]) -> None:
    """Raise ``ConfigurationError`` for an index that DynamoDB would not make."""
    name = index.Meta.index_name
    if len(name) < _LEAST or not _NAME.fullmatch(name):
        raise ConfigurationError(f"{where}.Meta.index_name: {name!r} {_NO_NAME}")
    if not isinstance(index, LocalSecondaryIndex):
        return
    table = [one.attr_name for one in model_info(model).keys.values()]
    own = index.Meta.attributes.values()
    if table[0] not in [one.attr_name for one in own if one.is_hash_key]:
        raise ConfigurationError(
            f"{where}: a LocalSecondaryIndex has the hash key of its table, {table[0]}: make it a GlobalSecondaryIndex"
        )
    if len(table) < 2 or not any(one.is_range_key for one in own):
        raise ConfigurationError(f"{where}: a LocalSecondaryIndex and its table have a range key each")


def check_index_keys(models: Iterable[type[Model]]) -> None:
    """Raise ``ConfigurationError`` for an index whose key no item has, of whichever model of its table."""
    tables: dict[Any, set[type[Model]]] = {}
    for model in models:
        tables.setdefault(model.Meta.table_name, set()).add(model)
    for sharing in tables.values():
        stored = frozenset[str]().union(*map(stored_names, sharing))
        for model in sorted(sharing, key=lambda one: one.__name__):
            for name, index in indexes_of(model).items():
                for key in index.Meta.attributes.values():
                    if key.attr_name not in stored and (key.is_hash_key or key.is_range_key):
                        raise ConfigurationError(
                            f"{model.__name__}.{name}: the model has no attribute {key.attr_name!r}, so that no item"
                            " would be in the index"
                        )


def check_prefixes(models: Iterable[type[Model]], served: Collection[type[Model]] = ()) -> None:
    """Raise ``ConfigurationError`` for models of one table whose prefixes do not tell their items apart.

    That of a resource has either prefixes or a discriminator then: else it would give and write items of all kinds.
    """
    tables: dict[str, dict[tuple[tuple[str, str], ...], type[Model]]] = {}
    for model in dict.fromkeys(models):
        about = model_info(model)
        if not about.kinds and (about.prefixes or model in served):
            kinds = tables.setdefault(model.Meta.table_name, {})
            kinds.setdefault(tuple(sorted(about.prefixes.items())) if about.prefixes else (), model)
    for one, other in chain.from_iterable(combinations(kinds.values(), 2) for kinds in tables.values()):
        ours, theirs = model_info(one).prefixes, model_info(other).prefixes
        pairs = [(ours.get(name, ""), theirs.get(name, "")) for name in {**ours, **theirs}]
        if all(a.startswith(b) or b.startswith(a) for a, b in pairs):
            raise ConfigurationError(
                f"{one.__name__} and {other.__name__} share the table {one.Meta.table_name!r}, but the prefixes of"
                f" their keys, {_said(ours)} and {_said(theirs)}, do not tell their items apart: change one"
            )


def _said(prefixes: Mapping[str, str]) -> str:
    return " with ".join(map(repr, prefixes.values())) or "none"
