"""The markers of an app: what an ``Idempotency-Key`` stands for, and whether its user may be answered again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from . import _instances
from .digests import Digester
from .guards import current
from .idempotency import read_key
from .items import declared, is_live
from .journals import Journal
from .records import Record
from .requests import Request
from .routing import Route
from .types import RawItem
from .writes import found


@dataclass(frozen=True, slots=True)
class Markers:
    """Makes the journals of requests."""

    digest: Digester = field(default_factory=Digester)
    expires_after: int | None = None
    """In seconds; None where the app keeps no markers."""
    logger: Any = None

    @classmethod
    def of(cls, secret: str, expires_after: int, logger: Any) -> "Markers":
        """The markers of an app, by its secret."""
        return cls(Digester.of(secret, "idempotency"), expires_after, logger)

    def journal(
        self, route: Route, request: Request, user_id: Callable[[Any], str], body: Any
    ) -> Journal | None:
        """The journal of a request, bound to user, route, path and key; None without a key.

        Raises ``BadRequest`` for a key that is missing, malformed, or sent where none is taken.
        """
        if self.expires_after is None:
            return None
        required = route.resource.require_idempotency_key
        key = read_key(request, taken=route.markers is not None, required=required)
        if key is None or route.markers is None:
            return None
        place = [user_id(request.user), route.http, route.template, list(request.path_params.values()), key]
        content = [body, sorted((name, list(values)) for name, values in request.query.items())]
        record = Record(
            route.markers, self.digest(place), self.digest(content), self.expires_after, self.logger
        )
        return Journal(record)


UNMARKED = Markers()
"""For an app that keeps none."""


def judge(route: Route, path_key: RawItem | None, made: Iterable[RawItem]) -> None:
    """Raise where the rule does not hold any more on an item that the request was about; what is gone hides nothing."""
    if isinstance(current().verdict, bool):
        return
    table = route.model.Meta.table_name
    keys = [entry["key"]["M"] for entry in made if entry["table"]["S"] == table]
    for key in [*keys, *([] if path_key is None else [path_key])]:
        raw = found(route.model, key)
        if raw and is_live(route.model, raw):
            current().judge(_instances.instance_of(route.model, raw), raw)


def path_key(route: Route, bound: dict[str, Any]) -> RawItem | None:
    """The key of the item that the path names, None on a collection."""
    if not route.about.detail:
        return None
    keys = declared(route.model).keys
    return {a.attr_name: {a.attr_type: a.serialize(bound[name])} for name, a in keys.items()}
