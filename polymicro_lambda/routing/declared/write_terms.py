"""What a resource or an ``@action`` says of its writes: ``requires``, ``attempts``, ``put``, ``touch``, ``clean``."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from marshmallow import ValidationError
from pynamodb.attributes import Attribute, DiscriminatorAttribute, VersionAttribute

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.items import check_not_composed
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing.verbs import RESTORE, Action, Verb
from polymicro_lambda.rules import Requirement, SoftDeletion, requirement
from polymicro_lambda.schemas import Storable
from polymicro_lambda.spelling import did_you_mean

NOT_DELETED = "This is not deleted."


def requirement_of(
    resource: ModelResource, verb: str, action: Action | None, deletion: SoftDeletion | None
) -> Requirement | None:
    """The condition that a verb requires of the item in its path. Raises ``ConfigurationError``."""
    name, said = type(resource).__name__, resource.requires.get(verb)
    where = f"{name}.requires[{verb!r}]"
    if deletion is not None and verb == RESTORE.name:
        if said is not None:
            raise ConfigurationError(
                f"{where}: a restore requires that the item is deleted: for more override it, and say condition= to its"
                " super()"
            )
        return Requirement(deletion.is_deleted, NOT_DELETED)
    if action is not None and (action.requires is not None or action.otherwise is not None):
        where = f"{name}.{verb}: requires"
        if said is not None:
            raise ConfigurationError(f"{where} stands in @action and in {name}.requires: say it once")
        if action.detail is False:
            raise ConfigurationError(
                f"{where} is a condition on the item of the path, of which there is none"
            )
        return requirement(resource.model, action.requires, action.otherwise, where)
    if said is None:
        return None
    condition, otherwise = said if isinstance(said, tuple) and len(said) == 2 else (said, None)
    return requirement(resource.model, condition, otherwise, where)


def attempts_of(resource: ModelResource, verb: str, action: Action | None) -> int:
    """How often a verb is run, where it loses a race. Raises ``ConfigurationError``."""
    name = type(resource).__name__
    said, where = resource.attempts.get(verb), f"{name}.attempts[{verb!r}]"
    if said is None:
        said, where = (1 if action is None else action.attempts), f"{name}.{verb}: attempts"
    if type(said) is not int or said < 1:
        raise ConfigurationError(f"{where} must be an int of at least 1, not {said!r}")
    return said


PUTS = ("replace", "merge", "upsert")


def put_of(resource: ModelResource, verbs: Sequence[Verb]) -> str:
    """What PUT does. Raises ``ConfigurationError`` for none of ``PUTS``, and where it needs a verb that it lacks."""
    where, names = f"{type(resource).__name__}.put", {verb.name for verb in verbs}
    said = PUTS[0] if "put" in names else getattr(resource, "put", PUTS[0])  # it may be an action
    if said not in PUTS:
        raise ConfigurationError(f"{where} must be one of {', '.join(map(repr, PUTS))}, not {said!r}")
    needed = {"replace": (), "merge": ("update",), "upsert": ("update", "create")}[said]
    lacking = [verb.capitalize() for verb in needed if verb not in names]
    if lacking:
        raise ConfigurationError(f"{where} = {said!r} needs {' and '.join(lacking)}: mix it in")
    if said == "upsert" and resource.lookup is not None:
        raise ConfigurationError(
            f"{where} = {said!r} creates items by their key, and lookup has none in the path"
        )
    return str(said)


def check_clean(resource: ModelResource, verbs: Sequence[Verb]) -> None:
    """Raise ``ConfigurationError`` for a hook that is no method of three arguments, or that nothing calls."""
    name, names = type(resource).__name__, {verb.name for verb in verbs}
    if type(resource).clean is ModelResource.clean or "clean" in names:
        return
    if not callable(resource.clean) or not _takes(resource.clean, ({}, None, None)):
        raise ConfigurationError(f"{name}.clean must be a method: def clean(self, values, instance, user)")
    if _writes_nothing(verbs):
        raise ConfigurationError(f"{name}.clean is never called: mix in Create or Update")


def _writes_nothing(verbs: Iterable[Verb]) -> bool:
    return all(one.name in ("list", "retrieve", "delete") or one is RESTORE for one in verbs)


def _takes(function: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether a function can be called so, as far as it tells."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        pass  # one of C's
    return True


def check_write_terms(resource: ModelResource, verbs: Sequence[Verb]) -> None:
    """Raise ``ConfigurationError`` for ``requires`` and ``attempts`` of verbs to which they mean nothing."""
    name = type(resource).__name__
    by_name = {verb.name: verb for verb in verbs}
    for setting in ("requires", "attempts"):
        said: Any = getattr(resource, setting)
        if not isinstance(said, Mapping):
            raise ConfigurationError(f'{name}.{setting} must be a dict by verbs, such as {{"update": …}}')
        for verb in said:
            if verb not in by_name:
                raise ConfigurationError(
                    f"{name}.{setting} names {verb!r}, which is no verb of it{did_you_mean(verb, by_name)}"
                )
    for verb in resource.requires:
        one = by_name[verb]
        if not one.detail or verb == "retrieve":
            raise ConfigurationError(f"{name}.requires[{verb!r}]: there is no item that it could write")
    for verb in resource.attempts:
        if not (_is_own(resource, verb) or (verb == "update" and _is_own(resource, "clean"))):
            raise ConfigurationError(
                f"{name}.attempts[{verb!r}] is for a verb of your own: the mixin's reads nothing that could change"
            )


def _is_own(resource: ModelResource, verb: str) -> bool:
    return not getattr(type(resource), verb).__module__.startswith("polymicro_lambda.")


NOTHING: Mapping[str, Any] = {}


def read_touch(
    resource: ModelResource, verbs: Sequence[Verb], owners: frozenset[str], deletion: SoftDeletion | None
) -> Mapping[str, Any]:
    """Values and functions by attribute. Raises ``ConfigurationError`` for what no write can set.

    ``owners`` are the attributes that name an owner.
    """
    name, said, names = (
        type(resource).__name__,
        getattr(resource, "touch", NOTHING),
        {one.name for one in verbs},
    )
    if "touch" in names:
        return NOTHING  # an action of this name
    if not isinstance(said, Mapping):
        raise ConfigurationError(f'{name}.touch must be a dict by attributes, such as {{"updated": now}}')
    if said and _writes_nothing(verbs):
        raise ConfigurationError(f"{name}.touch sets nothing: mix in Create or Update")
    attributes = resource.model.get_attributes()
    for attribute, value in said.items():
        where = f"{name}.touch[{attribute!r}]"
        if attribute not in attributes:
            near = did_you_mean(str(attribute), attributes)
            raise ConfigurationError(f"{where}: {resource.model.__name__} has no such attribute{near}")
        if attribute in owners:
            raise ConfigurationError(f"{where} names an owner, which no update changes")
        if deletion is not None and attribute == deletion.name:
            raise ConfigurationError(f"{where} would delete every item: soft_delete is about it")
        check_not_composed(model_info(resource.model), resource.model, attribute)
        if attribute in model_info(resource.model).address:
            raise ConfigurationError(f"{where} is of the key, which no update changes")
        _check_settable(where, attributes[attribute])
        _check_value(where, attributes[attribute], value)
    return dict(said)


def _check_settable(where: str, attribute: Attribute[Any]) -> None:
    if isinstance(attribute, VersionAttribute | DiscriminatorAttribute):
        raise ConfigurationError(f"{where} is set by every write as it is: leave it out")


def _check_value(where: str, attribute: Attribute[Any], value: Any) -> None:
    """Raise ``ConfigurationError`` for a value that the attribute does not store, and a function with arguments."""
    if callable(value):
        if not _takes(value, ()):
            raise ConfigurationError(f"{where} must be a function without arguments: it is called as it is")
        return
    if value is None:
        raise ConfigurationError(f"{where}: None sets nothing")
    if isinstance(value, date):  # a datetime is one, too
        raise ConfigurationError(
            f"{where} would be the same {type(value).__name__} in every write: name the function that gives it, without"
            " calling it, such as now, not now()"
        )
    try:
        Storable(attribute)(value)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: the attribute cannot store {value!r}") from error
