"""What would go wrong in silence: names of another framework's, slips of the pen, kinds of items that are mixed up."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from itertools import chain, combinations
from types import MappingProxyType
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import indexes_of, model_info, table_meta
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.spelling import closest_name

from .verbs import ACTION, VERBS

CUTOFF = 0.87
"""How alike a name must be to a setting to be taken for a slip (``difflib``'s ratio)."""

# What Django REST Framework, Flask and Chalice call it, and what it is here.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "authentication_classes": "PolyMicro(req_user_func=…), or leave it to the authorizer",
        "destroy": "delete",
        "fields": 'exclude, or a field for each name, e.g. {"price": fields.Decimal()}',
        "filter_backends": "filters",
        "filter_class": "filters",
        "filterset_class": "filters",
        "filterset_fields": "filters",
        "get_object": "permissions, or override retrieve",
        "get_permissions": "permissions, which are asked with the verb's or action's name",
        "get_queryset": "permissions, such as OwnedBy, or override list",
        "get_serializer_class": "schema, or fields_for",
        "http_method_names": "Create, List, Retrieve, Update, Delete as bases",
        "lookup_field": "lookup, a unique attribute",
        "lookup_url_kwarg": "lookup, a unique attribute",
        "ordering": "?sort= in the request, which takes the sort key of the table or an index",
        "ordering_fields": "?sort= in the request, which takes the sort key of the table or an index",
        "pagination_class": "max_limit, or limit=… in a list of your own",
        "partial_update": "update",
        "patch": "update",
        "perform_create": "create, which may call super()",
        "perform_destroy": "delete, which may call super()",
        "perform_update": "update, which may call super()",
        "permission_classes": "permissions",
        "post": "create",
        "put": "update",
        "queryset": "model",
        "read_only_fields": "dump_only",
        "search_fields": "filters",
        "serializer_class": "schema",
        "throttle_classes": "rate_limit",
        "throttle_scope": "rate_limit",
        "write_only_fields": "load_only",
    }
)

SHARED: Mapping[str, type] = MappingProxyType({"fields": Mapping, "put": str})
"""Those of them that are settings here too, of this type: Django's are a tuple of names, Flask's a method."""

KNOWN = frozenset({*ModelResource.__annotations__, *VERBS, *vars(ModelResource)})


def check_names(resource: str, own: Mapping[str, Any]) -> None:
    """Raise ``ConfigurationError`` for a name that was meant to be a setting or a verb and is none."""
    for name, value in own.items():
        kind = SHARED.get(name)
        if (
            (name in KNOWN and (kind is None or isinstance(value, kind)))
            or name[0] == "_"
            or hasattr(value, ACTION)
        ):
            continue
        instead = _instead(name)
        if instead is not None:
            raise ConfigurationError(f"{resource}.{name} means nothing here: say {instead}")


@lru_cache(4096)
def _instead(name: str) -> str | None:
    return ELSEWHERE.get(name) or closest_name(name, KNOWN, CUTOFF)


def check_model(resource: str, model: type[Model]) -> None:
    """Raise ``ConfigurationError`` for a model without partition key or table, or whose index no item would fit."""
    first = next(iter(model_info(model).keys.values()), None)
    if first is None or not first.is_hash_key:
        raise ConfigurationError(f"{resource}.model: {model.__name__} has no attribute with hash_key=True")
    table_meta(model)
    indexes = indexes_of(model).items()
    attributes = {one.attr_name: one for one in model.get_attributes().values()} if indexes else {}
    for name, index in indexes:
        for key in index.Meta.attributes.values():
            own = attributes.get(key.attr_name)
            if own is None or own.attr_type == key.attr_type:
                continue  # of a table that several models share an index may be for the items of another
            raise ConfigurationError(
                f"{model.__name__}.{name}: {key.attr_name} is a {type(key).__name__} in the index, a"
                f" {type(own).__name__} in the model: DynamoDB would refuse the items"
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
