"""The model of a resource, checked; and of a ``Resource``, which has none, what may be declared there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_table, model_of_path
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.permissions import OwnedBy, Permission, Through
from polymicro_lambda.resources import ModelResource, Resource
from polymicro_lambda.routing.checks.declaration_checks import check_model
from polymicro_lambda.routing.verbs import ACTION, HTTP_VERBS, VERBS, Action

SETTINGS = frozenset(
    {
        "attempts",
        "calls",
        "idempotent",
        "parsers",
        "permissions",
        "query",
        "rate_limit",
        "renderers",
        "require_idempotency_key",
        "responses",
        "route",
    }
)
"""What a resource without a model may say."""
_OF_MODELS = frozenset(ModelResource.__annotations__).union(vars(ModelResource)) - SETTINGS


def checked_model(
    name: str, resource: ModelResource, own: Mapping[str, Any], parts: Sequence[str]
) -> type[Model]:
    """The resource's model, for one without a model that of its path. Raises ``ConfigurationError``."""
    if isinstance(resource, Resource):
        _check_own(name, own)
        _check_verbs(name, resource)
        return _path_model(name, parts)
    model = getattr(resource, "model", None)
    if not (isinstance(model, type) and issubclass(model, Model)):
        bare = model is None and not any(hasattr(resource, verb) for verb in VERBS)
        other = f": say one, or write class {name}(Resource), which has none" if bare else ""
        raise ConfigurationError(f"{name}.model must be a PynamoDB model, not {model!r}{other}")
    check_model(name, model)
    return model


def how_to_get_verbs(resource: ModelResource) -> str:
    """What to do about a resource that has no verb."""
    if isinstance(resource, Resource):
        return 'mark a method by @action, e.g. @action(methods=("GET",), path="")'
    return "mix in Create, List, Retrieve, Update or Delete"


def _check_own(name: str, own: Mapping[str, Any]) -> None:
    """Raise ``ConfigurationError`` for a verb, a setting or a hook that needs a model."""
    with_model = f"write class {name}(ModelResource)"
    for member, value in own.items():
        said: Action | None = getattr(value, ACTION, None)
        wrong = _wrong_member(member, value) if said is None else _wrong_action(said)
        if wrong is not None:
            raise ConfigurationError(f"{name}.{member}{wrong}, or {with_model}")


def _wrong_action(said: Action) -> str | None:
    if said.detail:
        return ": detail=True is an action on an item, and a Resource has none: leave it out"
    if said.requires is not None or said.otherwise is not None:
        return ": requires is a condition on an item, and a Resource has none: leave it out"
    return None


def _wrong_member(member: str, value: Any) -> str | None:
    if member in VERBS:
        return " is a verb of a model's items: mark a method of another name by @action"
    if callable(value) and member.upper() in HTTP_VERBS:
        return f' serves nothing by its name: mark it by @action(methods=("{member.upper()}",), path="")'
    if member in _OF_MODELS and member[0] != "_":
        return " is for a model's items, and a Resource has none: leave it out"
    return None


def _check_verbs(name: str, resource: ModelResource) -> None:
    """Raise ``ConfigurationError`` for a verb that is mixed in."""
    for verb in VERBS:
        if hasattr(resource, verb):
            raise ConfigurationError(
                f"{name} has {verb.capitalize()}, which needs a model: write class {name}(ModelResource, …), or leave"
                " it out"
            )


def _path_model(name: str, parts: Iterable[str]) -> type[Model]:
    """The model that stands for a path. Raises ``ConfigurationError`` for a parameter that cannot be named so."""
    names = [part[1:-1] for part in parts if part[0] == "{"]
    for one in names:
        if one[0] == "_" or hasattr(Model, one) or one == "Meta":
            raise ConfigurationError(
                f"{name}.route: a parameter cannot be named {{{one}}}: take another name"
            )
    return model_of_path(names)


def check_rule(name: str, model: type[Model], leaves: Iterable[Permission]) -> None:
    """Raise ``ConfigurationError`` for a permission that asks about an item, where there are none."""
    if has_table(model):
        return
    where = f"{name}.permissions"
    for leaf in leaves:
        if isinstance(leaf, Through):
            continue  # its key may come from path and claims; elsewhere it is checked that it does
        if isinstance(leaf, OwnedBy):
            raise ConfigurationError(
                f"{where}: {leaf} is about an item, and a Resource has none: say others, such as IsAuthenticated"
            )
        for question in ("where", "has_object_permission"):
            if getattr(type(leaf), question) is not getattr(Permission, question):
                raise ConfigurationError(
                    f"{where}: {type(leaf).__name__}.{question} is about an item, and a Resource has none: write"
                    " has_permission"
                )
