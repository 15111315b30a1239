"""``requires`` and ``attempts``: what a resource or an ``@action`` says of the writes of a verb."""

from collections.abc import Mapping, Sequence
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.rules import Requirement, SoftDeletion, requirement
from polymicro_lambda.spelling import did_you_mean

from .verbs import RESTORE, Action, Verb

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
        if not action.detail:
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
        if not _is_own(resource, verb):
            raise ConfigurationError(
                f"{name}.attempts[{verb!r}] is for a verb of your own: the mixin's reads nothing that could change"
            )


def _is_own(resource: ModelResource, verb: str) -> bool:
    return not getattr(type(resource), verb).__module__.startswith("polymicro_lambda.")
