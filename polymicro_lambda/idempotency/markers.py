"""The markers of an app: what an ``Idempotency-Key`` stands for, and whether its user may be answered again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from polymicro_lambda.dynamodb import Digester, get_item, model_info
from polymicro_lambda.http import Request
from polymicro_lambda.items import instance_of, is_live
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import current_guard
from polymicro_lambda.types import RawItem

from .journals import IdempotentRequest
from .records import IdempotencyRecord
from .settings import read_key


@dataclass(frozen=True, slots=True)
class IdempotencyKeys:
    """Makes the journals of requests."""

    digest: Digester = field(default_factory=Digester)
    expires_after: int | None = None
    """In seconds; None where the app keeps no markers."""
    logger: Any = None

    @classmethod
    def of(cls, secret: str, expires_after: int, logger: Any) -> "IdempotencyKeys":
        """The markers of an app, by its secret."""
        return cls(Digester.of(secret, "idempotency"), expires_after, logger)

    def journal(
        self, route: Route, request: Request, user_id: Callable[[Any], str], body: Any
    ) -> IdempotentRequest | None:
        """The journal of a request, bound to user, route, path and key; None without a key.

        Raises ``BadRequest`` for a key that is missing, malformed, or sent where none is taken.
        """
        if self.expires_after is None:
            return None
        required = route.resource.require_idempotency_key
        key = read_key(request, taken=route.idempotency_table is not None, required=required)
        if key is None or route.idempotency_table is None:
            return None
        place = [user_id(request.user), route.http, route.template, list(request.path_params.values()), key]
        content = [body, sorted((name, list(values)) for name, values in request.query.items())]
        record = IdempotencyRecord(
            route.idempotency_table, self.digest(place), self.digest(content), self.expires_after, self.logger
        )
        return IdempotentRequest(record)


NO_KEYS = IdempotencyKeys()
"""For an app that keeps none."""


def check_replay(route: Route, path_key: RawItem | None, made: Iterable[RawItem]) -> None:
    """Raise where the rule does not hold any more on an item that the request was about; what is gone hides nothing."""
    if isinstance(current_guard().verdict, bool):
        return
    table = route.model.Meta.table_name
    keys = [entry["key"]["M"] for entry in made if entry["table"]["S"] == table]
    for key in [*keys, *([] if path_key is None else [path_key])]:
        raw = get_item(route.model, key)
        if raw and is_live(route.model, raw):
            current_guard().judge(instance_of(route.model, raw), raw)


def key_of_path(route: Route, bound: dict[str, Any]) -> RawItem | None:
    """The key of the item that the path names, None on a collection."""
    if not route.about.detail:
        return None
    keys = model_info(route.model).keys
    return {a.attr_name: {a.attr_type: a.serialize(bound[name])} for name, a in keys.items()}
