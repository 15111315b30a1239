"""Models as DynamoDB tables: what CloudFormation has to make for them, and how an index comes one at a time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pynamodb.indexes import Index
from pynamodb.models import Model

from polymicro_lambda.dynamodb import indexes_of, model_info, table_name
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lists import access_paths_of

from .table_capacity import THROUGHPUT, cost_properties, index_throughput

Properties: TypeAlias = dict[str, Any]
GLOBAL_INDEXES, LOCAL_INDEXES = "GlobalSecondaryIndexes", "LocalSecondaryIndexes"


@dataclass(frozen=True, slots=True)
class Table:
    """One table, and the models whose items it holds."""

    name: str
    """The name in the models, without a prefix."""
    models: tuple[type[Model], ...]
    properties: Properties
    """The properties of ``AWS::DynamoDB::Table``, without the name."""

    @property
    def logical_id(self) -> str:
        """Its name in the template."""
        return logical_id(self.name)


def logical_id(table: str) -> str:
    """``todos`` -> ``TodosTable``; CloudFormation takes letters and digits."""
    words = re.split(r"[^A-Za-z0-9]+", table)
    return "".join(word[:1].upper() + word[1:] for word in words) + "Table"


def tables_of(models: Iterable[type[Model]]) -> tuple[Table, ...]:
    """The tables of the models, in the models' order; models of the same table share one.

    Raises ``ConfigurationError`` that names two models and what they say differently of the table that they share.
    """
    shared: dict[str, list[type[Model]]] = {}
    for model in models:
        shared.setdefault(table_name(model), []).append(model)
    tables = tuple(Table(name, tuple(users), _properties(users)) for name, users in shared.items())
    ids: dict[str, str] = {}
    for table in tables:
        other = ids.setdefault(table.logical_id, table.name)
        if other != table.name:
            raise ConfigurationError(
                f"the tables {other!r} and {table.name!r} are both {table.logical_id} in the template: rename one"
            )
    return tables


def _properties(models: Iterable[type[Model]]) -> Properties:
    """The properties that all models of one table demand of it."""
    known: dict[Any, tuple[type[Model], Any]] = {}
    for model in dict.fromkeys(kind for one in models for kind in _kinds(one)):
        for subject, value in _demands(model):
            first, other = known.setdefault(subject, (model, value))
            if other != value:
                raise ConfigurationError(
                    f"{first.__name__} and {model.__name__} share the table {table_name(model)!r}, but differ in"
                    f" {' '.join(subject)}: {other} and {value}"
                )
    values = {subject: value for subject, (_, value) in known.items()}
    return {
        "AttributeDefinitions": [
            {"AttributeName": subject[1], "AttributeType": value}
            for subject, value in values.items()
            if subject[0] == "the type of"
        ],
        "KeySchema": values[("its keys",)],
        **_indexes_of_kind(values, LOCAL_INDEXES),
        **_indexes_of_kind(values, GLOBAL_INDEXES),
        **{subject[1]: value for subject, value in values.items() if subject[0] == "its"},
    }


def _kinds(model: type[Model]) -> Iterator[type[Model]]:
    """The model and, with a discriminator, every other class of the same table."""
    yield model
    if (discriminator := model_info(model).discriminator) is not None:
        for kind in discriminator.get_registered_subclasses(Model):
            if table_name(kind) == table_name(model):
                yield kind


def _demands(model: type[Model]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The demands of a model on its table: a subject, in the words of an error, and the value."""
    paths = access_paths_of(model)
    named = {i.Meta.index_name: (name, i) for name, i in indexes_of(model).items()}
    indexes = {stored: index for stored, (_, index) in named.items()}
    types = {one.attr_name: one.attr_type for one in model.get_attributes().values()}
    for index in indexes.values():
        types |= {one.attr_name: one.attr_type for one in index.Meta.attributes.values()}
    for said, value in cost_properties(model):
        yield ("its", said), value
    yield ("its keys",), _key_schema(paths[0].partition, paths[0].sort)
    for path in paths:
        for name in (path.partition, path.sort):
            if name is not None:
                yield ("the type of", name), types[name]
        if path.index is not None:
            kind = GLOBAL_INDEXES if path.is_global else LOCAL_INDEXES
            yield (
                ("the index", path.index),
                (
                    kind,
                    _key_schema(path.partition, path.sort),
                    _projection(indexes[path.index]),
                    index_throughput(model, *named[path.index]) if path.is_global else None,
                ),
            )
    if (ttl := model_info(model).ttl) is not None:
        yield ("its", "TimeToLiveSpecification"), {"AttributeName": ttl.attr_name, "Enabled": True}
    if view := getattr(model.Meta, "stream_view_type", None):
        yield ("its", "StreamSpecification"), {"StreamViewType": view}


def _key_schema(partition: str, sort: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return keys if sort is None else [*keys, {"AttributeName": sort, "KeyType": "RANGE"}]


def _projection(index: Index[Any]) -> dict[str, Any]:
    projection = index.Meta.projection
    attributes = projection.non_key_attributes
    return {"ProjectionType": projection.projection_type} | (
        {"NonKeyAttributes": list(attributes)} if attributes else {}
    )


def _indexes_of_kind(values: Mapping[Any, Any], kind: str) -> Properties:
    indexes = [
        {"IndexName": subject[1], "KeySchema": value[1], "Projection": value[2]}
        | ({THROUGHPUT: value[3]} if value[3] else {})
        for subject, value in values.items()
        if subject[0] == "the index" and value[0] == kind
    ]
    return {kind: indexes} if indexes else {}


# --- one index at a time ----------------------------------------------------------------------------------


def next_index_step(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Properties, list[str]]:
    """The properties after the next step from ``old`` to ``new``, and the steps that remain, e.g. ``create index a``.

    A step creates or deletes one global index, as one update of a table does (DynamoDB API reference, UpdateTable).
    New ones come first; one that changes goes and comes again. Raises ``ConfigurationError`` where the keys or the
    local indexes differ, which a table has for good.
    """
    for fixed in ("KeySchema", LOCAL_INDEXES):
        if old.get(fixed, []) != new.get(fixed, []):
            raise ConfigurationError(f"{fixed} of an existing table cannot change: make another table")
    after = _indexes(new)
    # Another capacity is no other index.
    before = {
        name: after[name] if name in after and _structure(after[name]) == _structure(index) else index
        for name, index in _indexes(old).items()
    }
    steps = [("create", name) for name in after if name not in before]
    for name, index in before.items():
        if index != after.get(name):
            steps += [("delete", name), *([("create", name)] if name in after else [])]
    indexes = dict(before)
    for action, name in steps[:1]:
        if action == "create":
            indexes[name] = after[name]
        else:
            del indexes[name]
    remaining = [f"{action} index {name}" for action, name in steps[1:]]
    return _with_indexes(old, new, [indexes[n] for n in {**after, **before} if n in indexes]), remaining


def _structure(index: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in index.items() if name != THROUGHPUT}


def _indexes(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {index["IndexName"]: index for index in properties.get(GLOBAL_INDEXES, ())}


def _with_indexes(old: Mapping[str, Any], new: Mapping[str, Any], indexes: list[Any]) -> Properties:
    """The new properties with other global indexes. Only keys are defined: DynamoDB refuses other attributes."""
    keyed = [new, *new.get(LOCAL_INDEXES, ()), *indexes]
    used = {key["AttributeName"] for one in keyed for key in one["KeySchema"]}
    definitions = {
        one["AttributeName"]: one for one in (*new["AttributeDefinitions"], *old["AttributeDefinitions"])
    }
    properties = {name: indexes if name == GLOBAL_INDEXES else value for name, value in new.items()}
    properties["AttributeDefinitions"] = [one for name, one in definitions.items() if name in used]
    if indexes:
        properties[GLOBAL_INDEXES] = indexes
    else:
        properties.pop(GLOBAL_INDEXES, None)
    return properties
