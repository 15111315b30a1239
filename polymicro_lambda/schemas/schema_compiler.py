"""A resource's declarations become its schema."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from marshmallow import Schema
from pynamodb.models import Model

from polymicro_lambda.lazy import compute_lazy

from .declarations import SchemaDeclaration
from .declared_fields import DeclaredFields
from .item_schemas import ItemSchema

NO_TABLE: Mapping[str, Any] = {}


def compile_schema(
    model: type[Model],
    *,
    resource: str,
    schema: type[Schema] | None = None,
    dump_only: Iterable[str] = (),
    load_only: Iterable[str] = (),
    required: Iterable[str] = (),
    exclude: Iterable[str] = (),
    own_fields: Any = NO_TABLE,
    validators: Any = NO_TABLE,
    bound: frozenset[str] = frozenset(),
    fixed: frozenset[str] = frozenset(),
    addressed: Iterable[str] = (),
    lookup: str | None = None,
    creates: bool = True,
    defer_required: bool = False,
) -> ItemSchema:
    """The schema of a resource: its model's attributes, or those that a ``schema`` of its own declares.

    ``own_fields`` are fields in place of made ones, ``validators`` stand beside these, both by name.
    ``bound`` attributes are set by a rule or the route: never loaded, never required; ``fixed`` ones are loaded
    on create alone, as keys are; ``addressed`` ones stand in paths and queries, ``lookup`` in the path of items, in
    place of the key. ``creates`` says whether there is a create at all. With ``defer_required`` only ``required`` is
    demanded of a body, since the verb may set the rest. Raises ``ConfigurationError`` naming the resource and the
    attribute.
    """
    declaration = SchemaDeclaration(
        resource,
        model,
        schema,
        defer_required,
        _names(dump_only),
        _names(load_only),
        _names(required),
        _names(exclude),
        bound,
        fixed,
        frozenset(addressed).union([] if lookup is None else [lookup]),
        lookup,
        DeclaredFields(resource, model, own_fields, validators, _names(dump_only)),
    )
    declaration.check()
    compiled = ItemSchema(declaration, None if schema or declaration.own_fields.replaced else model)
    if not declaration.is_predictable:
        compute_lazy(compiled)  # raises where no field carries an attribute
        declaration.check_required((compiled.creating if creates else compiled.updating).load_fields)
    elif declaration.required:
        declaration.check_required(declaration.settable(updating=not creates))
    return compiled


@cache
def whole_schema(model: type[Model]) -> ItemSchema:
    """The schema of a model with which nothing is declared: it shows all attributes."""
    return compile_schema(model, resource=model.__name__)


def _names(names: Iterable[str]) -> frozenset[str]:
    # ("text") is a str: the comma is missing, but the meaning is clear.
    return frozenset({names} if isinstance(names, str) else names)
