"""What would go wrong in silence: names of another framework's, slips of the pen, kinds of items that are mixed up."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import combinations
from types import MappingProxyType

from pynamodb.models import Model

from .actions import ACTION, VERBS
from .exceptions import ConfigurationError
from .items import declared
from .resources import ModelResource

CUTOFF = 0.88
"""How alike a name must be to a setting to be taken for a slip (``difflib``'s ratio)."""

# What Django REST Framework, Flask and Chalice call it, and what it is here.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "destroy": "delete",
        "filterset_fields": "filters",
        "partial_update": "update",
        "patch": "update",
        "permission_classes": "permissions",
        "post": "create",
        "put": "update",
        "queryset": "model",
        "serializer_class": "schema",
    }
)


def check_names(resource: ModelResource) -> None:
    """Raise ``ConfigurationError`` for a name that was meant to be a setting or a verb and is none."""
    known = {*ModelResource.__annotations__, *VERBS, *vars(ModelResource)}
    own = {name: value for cls in type(resource).__mro__ if _is_own(cls) for name, value in vars(cls).items()}
    for name, value in own.items():
        if name in known or name.startswith("_") or hasattr(value, ACTION):
            continue
        meant = ELSEWHERE.get(name) or next(iter(get_close_matches(name, known, 1, CUTOFF)), None)
        if meant is not None:
            raise ConfigurationError(f"{type(resource).__name__}.{name} means nothing here: say {meant}")


def _is_own(cls: type) -> bool:
    """Whether a class is the user's rather than one of this package or of Python."""
    return not cls.__module__.startswith(f"{__package__}.") and cls is not object


def check_prefixes(models: Iterable[type[Model]], served: Collection[type[Model]] = ()) -> None:
    """Raise ``ConfigurationError`` for models of one table whose prefixes do not tell their items apart.

    That of a resource has either prefixes or a discriminator then: else it would give and write items of all kinds.
    """
    every = [model for model in dict.fromkeys(models) if not declared(model).kinds]
    known = [model for model in every if declared(model).prefixes or model in served]
    for one, other in combinations(known, 2):
        ours, theirs = declared(one).prefixes, declared(other).prefixes
        pairs = [(ours.get(name, ""), theirs.get(name, "")) for name in {**ours, **theirs}]
        alike = all(a.startswith(b) or b.startswith(a) for a, b in pairs)
        if one.Meta.table_name == other.Meta.table_name and alike and ours != theirs:
            raise ConfigurationError(
                f"{one.__name__} and {other.__name__} share the table {one.Meta.table_name!r}, but the prefixes of"
                f" their keys, {_said(ours)} and {_said(theirs)}, do not tell their items apart: change one"
            )


def _said(prefixes: Mapping[str, str]) -> str:
    return " with ".join(map(repr, prefixes.values())) or "none"


def check_markers(markers: type[Model], served: Iterable[type[Model]]) -> None:
    """Raise ``ConfigurationError`` for a resource over the markers' table: who may write there makes answers up."""
    for model in served:
        if model.Meta.table_name == markers.Meta.table_name:
            raise ConfigurationError(
                f"{model.__name__} has the table {model.Meta.table_name!r}, which is that of PolyMicro.idempotency:"
                " say Idempotency(table=…)"
            )
