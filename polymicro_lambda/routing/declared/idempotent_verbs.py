"""Which verbs of a resource take an ``Idempotency-Key``."""

from collections.abc import Iterable
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.resources import DEFAULT_IDEMPOTENT
from polymicro_lambda.routing.verbs import Verb
from polymicro_lambda.rules import SAFE_METHODS


def idempotent_verbs(resource: Any, verbs: Iterable[Verb], table: type[Model] | None) -> frozenset[str]:
    """The names of the resource's verbs that take an ``Idempotency-Key``.

    Raises ``ConfigurationError`` for names that are no verb of it or repeat without harm, and where the app keeps no
    records.
    """
    name, said = type(resource).__name__, resource.idempotent
    if not isinstance(said, str | list | tuple | set | frozenset):
        raise ConfigurationError(
            f'{name}.idempotent must be names of verbs, such as ("create",), not {said!r}'
        )
    said = (said,) if isinstance(said, str) else tuple(said)
    takes = {verb.name for verb in verbs if verb.name != "delete" and not SAFE_METHODS.issuperset(verb.http)}
    if said != DEFAULT_IDEMPOTENT or resource.require_idempotency_key:
        if table is None:
            setting = "idempotent" if said != DEFAULT_IDEMPOTENT else "require_idempotency_key"
            raise ConfigurationError(f"{name}.{setting} needs PolyMicro(idempotency=Idempotency())")
        for one in said:
            if one not in takes:
                raise ConfigurationError(
                    f"{name}.idempotent: {one!r} can take no Idempotency-Key; {', '.join(sorted(takes)) or 'none'} can"
                )
    return frozenset(said) & takes if table is not None else frozenset()
