"""What one resource declares, read and checked: the step between its class and its routes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lazy import lazy
from polymicro_lambda.permissions import Permission
from polymicro_lambda.resources import ModelResource, own_members
from polymicro_lambda.rules import Requirement, SoftDeletion

from .app_settings import AppSettings
from .checks.declaration_checks import check_kind
from .checks.foreign_names import check_names
from .checks.permission_checks import check_attributes
from .declared.declared_calls import Call, calls_of
from .declared.declared_forms import Form, check_forms, form_of
from .declared.declared_models import check_rule, checked_model, how_to_get_verbs
from .declared.idempotent_verbs import idempotent_verbs
from .declared.lookups import check_lookup
from .declared.signatures import action_path, actions_of, route_parameters, route_parts, signature
from .declared.soft_deletes import soft_deletion_of
from .declared.verb_rules import VerbRules
from .declared.write_terms import (
    attempts_of,
    check_clean,
    check_write_terms,
    put_of,
    read_touch,
    requirement_of,
)
from .verbs import ACTION, RESTORE, VERBS, Action, Verb, is_mixed_in

_SETTINGS: Mapping[str, type] = {
    "max_limit": int,
    "read_budget": int,
    "cursor_max_age": int,
    "require_if_match": bool,
    "require_idempotency_key": bool,
    "scan": bool,
}
_NAMES = ("dump_only", "load_only", "required", "exclude")
_COLLECTIONS = (str, list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class DeclaredVerb:
    """One verb of a resource, or one action."""

    verb: Verb
    arguments: frozenset[str]
    """What its method asks for."""
    limit: int
    """Its page size where a request says none."""
    is_default: bool
    """It is the mixin's own."""
    is_action: bool
    tail: tuple[str, ...]
    """What it adds to the path."""
    form: Form
    """What is said of its body, its query and its answers."""
    is_idempotent: bool
    """It takes an ``Idempotency-Key``."""
    requirement: Requirement | None
    """The condition of its writes to the item of the path."""
    attempts: int
    """How often it is run, where it loses a race."""

    @classmethod
    def of(
        cls,
        resource: ModelResource,
        verb: Verb,
        idempotent: frozenset[str],
        deletion: SoftDeletion | None = None,
    ) -> "DeclaredVerb":
        """The verb as the resource declares it. Raises ``ConfigurationError``."""
        action: Action | None = getattr(getattr(resource, verb.name), ACTION, None)
        form = form_of(resource, verb, action)
        arguments, limit = signature(resource, verb, also=() if form.query is None else ("query",))
        return cls(
            verb,
            arguments,
            min(limit, resource.max_limit),
            is_mixed_in(resource, verb.name),
            action is not None,
            action_path(type(resource).__name__, verb.name, action),
            form,
            verb.name in idempotent,
            requirement_of(resource, verb.name, action, deletion),
            attempts_of(resource, verb.name, action),
        )


@dataclass(frozen=True)
class Declaration:
    """What a resource declares of its model, route, verbs and permissions."""

    resource: ModelResource
    model: type[Model]
    """Its model; of a ``Resource`` that of its path."""
    name: str
    """The name of its class, for messages."""
    parts: tuple[str, ...]
    """The segments of the collection's path."""
    in_path: tuple[str, ...]
    """The attributes that these bind."""
    verbs: tuple[DeclaredVerb, ...]
    rules: VerbRules
    touch: Mapping[str, Any]
    """What each create and update sets."""
    put: str
    """What PUT does."""
    deletion: SoftDeletion | None = None
    """How a DELETE leaves items that count as gone, None where it removes them."""

    @classmethod
    def of(cls, resource: Any, app: AppSettings) -> "Declaration":
        """Read a resource. Raises ``ConfigurationError`` that names its class and attribute."""
        name = _checked_name(resource)
        _check_settings(name, resource)
        own, parts = own_members(type(resource)), route_parts(name, resource)
        model = checked_model(name, resource, own, parts)
        check_names(name, own, model.get_attributes())
        deletion = soft_deletion_of(resource, own)
        verbs = [*_mixed_in_verbs(resource), *actions_of(name, resource, own)]
        if not verbs:
            raise ConfigurationError(f"{name} has no verb: {how_to_get_verbs(resource)}")
        rules = VerbRules.of(resource, app.permissions, verbs)
        check_write_terms(resource, verbs)
        check_clean(resource, verbs)
        check_forms(name, resource, verbs)
        if VERBS["create"] in verbs and is_mixed_in(resource, "create"):
            check_kind(name, model)
        idempotent = idempotent_verbs(resource, verbs, app.idempotency_table)
        in_path = route_parameters(name, model, parts)
        declared = tuple([DeclaredVerb.of(resource, verb, idempotent, deletion) for verb in verbs])
        methods = frozenset([verb.name for verb in verbs])
        check_rule(name, model, rules.permissions)
        check_attributes(f"{name}.permissions", model, rules.permissions, in_path, methods)
        touch, put = read_touch(resource, verbs, rules.owners, deletion), put_of(resource, verbs)
        read = cls(resource, model, name, parts, in_path, declared, rules, touch, put, deletion)
        check_lookup(name, read.model, resource.lookup, read.fixed, items=read.has_items)
        return read

    @lazy
    def by_name(self) -> Mapping[str, DeclaredVerb]:
        """Its verbs and actions."""
        return {one.verb.name: one for one in self.verbs}

    @property
    def whole(self) -> bool:
        """Whether a hook, a schema or fields of the resource's own need instances for what an answer shows of items."""
        cls = type(self.resource)
        hooks = (cls.represent is ModelResource.represent, cls.prepare is ModelResource.prepare)
        own = self.resource.schema is not None or bool(self.resource.fields)
        return not all(hooks) or own or not has_table(self.model)

    @property
    def fields_for(self) -> Any:
        """The resource's hook of that name, None where it has none of its own."""
        own = type(self.resource).fields_for is not ModelResource.fields_for
        return self.resource.fields_for if own else None

    @property
    def fixed(self) -> frozenset[str]:
        """The attributes that route and rule bind for every caller of every verb on an item."""
        return frozenset({*self.rules.bound_in_items, *self.in_path})

    @property
    def clean(self) -> Any:
        """The resource's hook of that name, None where it has none of its own."""
        own = type(self.resource).clean is not ModelResource.clean and "clean" not in self.by_name
        return self.resource.clean if own else None

    @property
    def has_own_writes(self) -> bool:
        """Whether code of the resource's own creates or updates."""
        return any(
            name in self.by_name and not self.by_name[name].is_default for name in ("create", "update")
        )

    @property
    def has_actions(self) -> bool:
        """Whether it has verbs besides the five."""
        return any(one.is_action for one in self.verbs)

    @property
    def has_items(self) -> bool:
        """Whether some verb is on an item's path."""
        return any(one.verb.detail for one in self.verbs)

    @property
    def dump_only(self) -> frozenset[str]:
        """The attributes that no client writes."""
        said = self.resource.dump_only
        deleted = () if self.deletion is None else (self.deletion.name,)
        return frozenset([*([said] if isinstance(said, str) else said), *self.touch, *deleted])

    @property
    def bound_in_bodies(self) -> frozenset[str]:
        """The attributes of a new item that its body cannot say."""
        bound = self.rules.bound("create" if "create" in self.by_name else None)
        return frozenset({*bound, *self.in_path})

    def calls(self, of_fields: Sequence[Permission]) -> tuple[Call, ...]:
        """What resource and permissions, those ``of_fields`` too, say that they call by themselves, each call once."""
        owners: list[Any] = [self.resource, *self.rules.permissions, *of_fields]
        found = [calls_of(f"{type(owner).__name__}.calls", owner.calls) for owner in owners]
        return tuple(dict.fromkeys(chain.from_iterable(found)))


def _mixed_in_verbs(resource: ModelResource) -> Iterator[Verb]:
    also = () if resource.soft_delete is None else (RESTORE,)
    return (verb for verb in (*VERBS.values(), *also) if hasattr(resource, verb.name))


def _checked_name(resource: Any) -> str:
    """The name of a resource's class. Raises ``ConfigurationError`` where it is no resource."""
    if isinstance(resource, type):
        name = resource.__name__
        raise ConfigurationError(f"{name} is a class: write {name}(pm) in place of register")
    name = type(resource).__name__
    if not isinstance(resource, ModelResource):
        raise ConfigurationError(
            f"{name} has verbs but is no resource: write class {name}(ModelResource, Create, …)"
        )
    return name


def _check_settings(name: str, resource: ModelResource) -> None:
    for setting, kind in _SETTINGS.items():
        value = getattr(resource, setting)
        if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
            wanted = "an int of at least 1" if kind is int else "True or False"
            raise ConfigurationError(f"{name}.{setting} must be {wanted}, not {value!r}")
    for setting in _NAMES:
        value = getattr(resource, setting)
        if not isinstance(value, _COLLECTIONS) or not all(isinstance(one, str) for one in value):
            raise ConfigurationError(f'{name}.{setting} must be names, such as ("text",), not {value!r}')
    if not isinstance(resource.field_permissions, Mapping):
        raise ConfigurationError(
            f'{name}.field_permissions must be a mapping, such as {{"text": OwnedBy("owner")}},'
            f" not {resource.field_permissions!r}"
        )
