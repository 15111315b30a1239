"""The guard of a request: its rule, what its path says of the item, ``If-Match`` and ``If-None-Match``."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NoReturn, cast

from pynamodb.models import Model

from polymicro_lambda.exceptions import (
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Unauthorized,
)
from polymicro_lambda.http import Request, Response
from polymicro_lambda.idempotency import key_of_path
from polymicro_lambda.items import EntityTags, key_only_instance, stored_item
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import (
    Guard,
    Verdict,
    current_guard,
    holds,
    join_verdicts,
    related_checks,
    split_related,
)
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import PynamoStore

from .verb_request import VerbRequest

NOT_MODIFIED = 304
CHALLENGE = {"www-authenticate": "Bearer"}
"""What a 401 asks for (RFC 6750, section 3)."""
NEEDS_USER = "This needs a user: send credentials that the authorizer accepts."
"""The words of a 401, the app's and API Gateway's."""
KEY_IS_ENOUGH = frozenset({"update", "delete", "restore"})
"""The mixins' own verbs that need no more of an item than its key."""


def guard_of(
    asked: VerbRequest,
    verdict: Verdict,
    show: Callable[[Model], tuple[Any, str]],
    shown_by: Iterable[Verdict] = (),
) -> Guard:
    """What protects the request while its verb runs; ``show`` gives an item as this user may see it, and its tag.

    ``shown_by`` decide what is shown of a written item.

    Raises ``PreconditionRequired``, ``NotFound`` for a path that can lead to no item, and ``BadRequest``.
    """
    route, header = asked.route, asked.request.headers.get("if-match")
    tags = None if header is None else EntityTags.read(header, "If-Match")
    needs_tag = route.resource.require_if_match and route.verb in ("update", "delete")
    if tags is None and needs_tag and not (route.creation is not None and only_creates(asked.request)):
        raise PreconditionRequired("Send If-Match with the ETag of the item that you mean to change.")
    filtered = asked.filtered.values()
    related, rest = split_related(join_verdicts((verdict, *filtered), every=True) if filtered else verdict)
    return Guard(
        asked.under_path(rest),
        partial(_is_visible, asked),
        asked.fixed,
        None if route.reads_item else asked.needed,  # a verb of the app's own may look at more than it shows
        tags if route.about.detail else None,
        asked.services.tagger,
        show,
        model=route.model,
        path_key=key_of_path(route, asked.key)
        if tags is not None or route.requirement is not None or route.reads_item or route.lookup is not None
        else None,
        requirement=route.requirement,
        address=asked.address,
        related=related,
        read_back=tuple([check for one in shown_by for check in related_checks(one)]),
        records=route.reads_item,
        user=asked.request.user,
        written=asked.written,
        deletion=route.deletion,
    )


def _is_visible(asked: VerbRequest, instance: Model, raw: RawItem) -> bool:
    """Whether the user may retrieve the item, and so may be told that it is there."""
    if asked.address is not None and not holds(asked.address.condition, raw):
        return False
    return asked.route.retrieves and Guard(asked.retrieval).allows(instance, raw)


def item_of_path(asked: VerbRequest, guard: Guard) -> Model:
    """The item that the path names: read, unless the mixin's own write needs no more than its key.

    Raises ``NotFound``, ``Forbidden`` and ``PreconditionFailed``.
    """
    route, request = asked.route, asked.request
    key = asked.key
    if key is None:
        guard.check_related()  # who may not do it at all is told so first
        raise NotFound()
    header = None if route.method.safe else request.headers.get("if-none-match")
    unwanted = EntityTags.read(header, "If-None-Match")
    if not route.reads_item and route.verb in KEY_IS_ENOUGH and unwanted is None:
        return key_only_instance(route.model, key)
    instance = _read(route, key, guard)
    raw = stored_item(instance) or {}
    guard.mark.of_path = instance
    guard.check_match(instance, raw)
    interceptor = current_guard().interceptor
    if guard.requirement is not None and not (interceptor is not None and interceptor.resumes):
        guard.requirement.check(raw)
    if unwanted is not None and unwanted.match_weakly(guard.show(instance)[1]):
        raise PreconditionFailed("The item is as If-None-Match says that it must not be.")
    return instance


def _read(route: Route, key: Mapping[str, Any], guard: Guard) -> Model:
    """The item with a key, if it has the address of the path. Raises as ``store.read``."""
    if guard.address is None:
        instance: Model = route.resource.store.read(key)
        return instance
    store = cast("PynamoStore", route.resource.store)
    raw = store.fetch(store.serializer.key(key))
    guard.check_address(raw)
    return store.judged(raw)


def only_creates(request: Request) -> bool:
    """Whether a request says that there must be no item yet (RFC 9110, section 13.1.2)."""
    return request.headers.get("if-none-match", "").strip() == "*"


def denied(user: Any) -> NoReturn:
    """Raise ``Unauthorized`` to nobody in particular, to a user ``Forbidden``."""
    if user is None:
        raise Unauthorized(NEEDS_USER, headers=CHALLENGE)
    raise Forbidden("You may not do this.")


def unless_known(route: Route, request: Request, response: Response) -> Response:
    """304 where the client has the representation already (RFC 9110, section 13.1.2)."""
    if route.http != "GET" or response.status != 200 or "if-none-match" not in request.headers:
        return response
    known = EntityTags.read(request.headers["if-none-match"], "If-None-Match")
    tag = response.headers.get("etag")
    if known is None or tag is None or not known.match_weakly(tag):
        return response
    return Response(NOT_MODIFIED, {n: v for n, v in response.headers.items() if n != "content-type"})
