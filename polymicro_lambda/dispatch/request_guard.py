"""The guard of a request: its rule, what its path says of the item, ``If-Match`` and ``If-None-Match``."""

from collections.abc import Callable
from functools import partial
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import PreconditionFailed, PreconditionRequired
from polymicro_lambda.http import Request, Response
from polymicro_lambda.idempotency import key_of_path
from polymicro_lambda.items import EntityTags, key_only_instance, stored_item
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import Guard, Verdict, current_guard, join_verdicts, split_related
from polymicro_lambda.types import RawItem

from .verb_request import VerbRequest

NOT_MODIFIED = 304
KEY_IS_ENOUGH = frozenset({"update", "delete", "restore"})
"""The mixins' own verbs that need no more of an item than its key."""


def guard_of(asked: VerbRequest, verdict: Verdict, show: Callable[[Model], tuple[Any, str]]) -> Guard:
    """What protects the request while its verb runs; ``show`` gives an item as this user may see it, and its tag.

    Raises ``PreconditionRequired``, ``NotFound`` for a path that can lead to no item, and ``BadRequest``.
    """
    route, header = asked.route, asked.request.headers.get("if-match")
    tags = None if header is None else EntityTags.read(header, "If-Match")
    if tags is None and route.resource.require_if_match and route.verb in ("update", "delete"):
        raise PreconditionRequired("Send If-Match with the ETag of the item that you mean to change.")
    filtered = asked.filtered.values()
    related, rest = split_related(join_verdicts((verdict, *filtered), every=True) if filtered else verdict)
    records = not route.is_default
    return Guard(
        asked.under_path(rest),
        partial(_is_visible, asked),
        asked.bound,
        asked.needed if route.is_default else None,  # a verb of the app's own may look at more than it shows
        tags if route.about.detail else None,
        asked.services.tagger,
        show,
        model=route.model,
        path_key=key_of_path(route, asked.bound)
        if tags is not None or route.requirement is not None or records
        else None,
        requirement=route.requirement,
        related=related,
        records=records,
        written=asked.written,
        deletion=route.deletion,
    )


def _is_visible(asked: VerbRequest, instance: Model, raw: RawItem) -> bool:
    """Whether the user may retrieve the item, and so may be told that it is there."""
    return asked.route.retrieves and Guard(asked.retrieval).allows(instance, raw)


def item_of_path(asked: VerbRequest, guard: Guard) -> Model:
    """The item that the path names: read, unless the mixin's own write needs no more than its key.

    Raises ``NotFound``, ``Forbidden`` and ``PreconditionFailed``.
    """
    route, request = asked.route, asked.request
    key = {name: asked.bound[name] for name in model_info(route.model).keys}
    header = None if route.method.safe else request.headers.get("if-none-match")
    unwanted = EntityTags.read(header, "If-None-Match")
    if route.is_default and route.verb in KEY_IS_ENOUGH and unwanted is None:
        return key_only_instance(route.model, key)
    instance: Model = route.resource.store.read(key)
    raw = stored_item(instance) or {}
    guard.mark.of_path = instance
    guard.check_match(instance, raw)
    interceptor = current_guard().interceptor
    if guard.requirement is not None and not (interceptor is not None and interceptor.resumes):
        guard.requirement.check(raw)
    if unwanted is not None and unwanted.match_weakly(guard.show(instance)[1]):
        raise PreconditionFailed("The item is as If-None-Match says that it must not be.")
    return instance


def unless_known(route: Route, request: Request, response: Response) -> Response:
    """304 where the client has the representation already (RFC 9110, section 13.1.2)."""
    if route.http != "GET" or response.status != 200 or "if-none-match" not in request.headers:
        return response
    known = EntityTags.read(request.headers["if-none-match"], "If-None-Match")
    tag = response.headers.get("etag")
    if known is None or tag is None or not known.match_weakly(tag):
        return response
    return Response(NOT_MODIFIED, {n: v for n, v in response.headers.items() if n != "content-type"})
