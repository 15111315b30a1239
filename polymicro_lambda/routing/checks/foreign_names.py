"""Names of other frameworks, and slips of the pen: what to write here in their place."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from inspect import isroutine
from types import MappingProxyType
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing.verbs import ACTION, VERBS
from polymicro_lambda.spelling import closest_name

CUTOFF = 0.87
"""How alike a name must be to a setting or verb to be taken for a slip (``difflib``'s ratio)."""
DATA_CUTOFF = 0.8
"""The same for what is no method: ``touched`` is a slip, a helper of that name is not."""

# What Django REST Framework, Flask and Chalice call it, and what it is here.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "authentication_classes": "PolyMicro(req_user_func=…), or leave it to the authorizer",
        "basename": "url_for, which takes the resource",
        "check_object_permissions": "permissions, whose has_object_permission is asked of every item",
        "check_permissions": "permissions, whose has_permission is asked before every verb",
        "depth": "embed",
        "destroy": "delete",
        "extra_kwargs": "fields, validators, dump_only, load_only or required",
        "fields": 'exclude, or a field for each name, e.g. {"price": fields.Decimal()}',
        "filter_backends": "filters",
        "filter_class": "filters",
        "filter_queryset": "filters, or override list",
        "filterset_class": "filters",
        "filterset_fields": "filters",
        "finalize_response": "a verb of your own, which may return a Response",
        "get": "retrieve, or list",
        "get_object": "permissions, or override retrieve",
        "get_permissions": "permissions, which are asked with the verb's or action's name",
        "get_queryset": "permissions, such as OwnedBy, or override list",
        "get_serializer": "schema, or fields_for",
        "get_serializer_class": "schema, or fields_for",
        "get_serializer_context": "represent, which may ask for request",
        "get_throttles": "rate_limit",
        "head": "retrieve, or list: HEAD is answered as GET",
        "http_method_names": "Create, List, Retrieve, Update, Delete as bases",
        "initial": "permissions, or override the verb",
        "lookup_field": "lookup, a unique attribute",
        "lookup_url_kwarg": "lookup, a unique attribute",
        "lookup_value_regex": "validators, for what a new item's may be",
        "Meta": "model and the others in the class itself",
        "options": "nothing: OPTIONS is answered by the routes",
        "ordering": 'default_sort = "-created"',
        "ordering_fields": "?sort= in the request, which takes the sort key of the table or an index",
        "paginate_queryset": "page.wrapped(…) in a list of your own",
        "pagination_class": "max_limit, and envelope = Envelope(…)",
        "parser_classes": "parsers",
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
        "renderer_classes": "renderers",
        "search_fields": "filters",
        "serializer_class": "schema",
        "throttle_classes": "rate_limit",
        "throttle_scope": "rate_limit",
        "to_internal_value": "fields or schema",
        "to_representation": "represent",
        "validate": "clean",
        "versioning_class": 'the version in route: route = "v2/todos"',
        "write_only_fields": "load_only",
    }
)

SHARED: Mapping[str, type] = MappingProxyType({"fields": Mapping, "put": str})
"""Those of them that are settings here too, of this type: Django's are a tuple of names, Flask's a method."""

KNOWN = frozenset({*ModelResource.__annotations__, *VERBS, *vars(ModelResource)})

_FIELD_HOOK = "validate_"
"""What the name of Django REST Framework's check of one field begins with."""


def check_names(resource: str, own: Mapping[str, Any], attributes: Collection[str]) -> None:
    """Raise ``ConfigurationError`` for a name that was meant to be a setting, a verb or a check, and is none.

    ``attributes`` are those of the model, of which another framework would check each by a method.
    """
    for name, value in own.items():
        kind = SHARED.get(name)
        if (
            (name in KNOWN and (kind is None or isinstance(value, kind)))
            or name[0] == "_"
            or hasattr(value, ACTION)
        ):
            continue
        instead = _of_field(name, attributes) or _instead(name, is_method=_is_method(value))
        if instead is not None:
            raise ConfigurationError(f"{resource}.{name} means nothing here: say {instead}")


def _of_field(name: str, attributes: Collection[str]) -> str | None:
    field = name.removeprefix(_FIELD_HOOK)
    return f'validators = {{"{field}": …}}' if field != name and field in attributes else None


def _is_method(value: Any) -> bool:
    return isroutine(value) or isinstance(value, classmethod | staticmethod | property)


@lru_cache(4096)
def _instead(name: str, *, is_method: bool) -> str | None:
    return ELSEWHERE.get(name) or closest_name(name, KNOWN, CUTOFF if is_method else DATA_CUTOFF)
