"""PUT of a resource with ``put = "upsert"``: the item is replaced where there is one, else created, without a race."""

from collections.abc import Callable
from typing import TypeAlias

from polymicro_lambda.exceptions import NotFound, PreconditionFailed
from polymicro_lambda.http import Response
from polymicro_lambda.idempotency import key_of_path
from polymicro_lambda.items import same_item
from polymicro_lambda.rules import Verdict, current_guard
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import UPDATE_ATTEMPTS, KeyTaken, LostRace, MissingItem

from .requests.request_guard import denied, only_creates
from .requests.verb_request import VerbRequest

Act: TypeAlias = Callable[[], Response]


def upserted(asked: VerbRequest, update: Act, create: Act, may_create: Verdict) -> Response:
    """The answer of ``update`` where the item is there, else that of ``create``: whichever its condition lets through.

    With ``If-Match`` nothing is created, with ``If-None-Match: *`` nothing replaced: ``PreconditionFailed``. Raises
    ``LostRace`` where the item keeps coming and going, and as both. Who may not create learns by no status whether an
    item is missing or hidden.
    """
    interceptor, key = current_guard().interceptor, key_of_path(asked.route, asked.bound)
    creates = only_creates(asked.request) or (interceptor is not None and interceptor.resumes)
    for _ in range(UPDATE_ATTEMPTS):
        try:
            return _created(asked, create, may_create) if creates else update()
        except KeyTaken as error:
            if not any(same_item(one, key) for one in error.keys):
                raise  # of another item, which the resource's own verb creates
            if only_creates(asked.request):
                raise PreconditionFailed("There is an item already, and If-None-Match says: none.") from error
            creates = False
        except NotFound as error:
            if not _is_missing(error, key):
                _check(asked, may_create)
                raise
            creates = True
    raise LostRace("Somebody else keeps creating and deleting this item: try again.")


def _created(asked: VerbRequest, create: Act, may_create: Verdict) -> Response:
    if "if-match" in asked.request.headers:
        raise PreconditionFailed("There is no such item, and so none that If-Match names.")
    _check(asked, may_create)
    made = create()
    # It is where the request was sent.
    return Response(made.status, {n: one for n, one in made.headers.items() if n != "location"}, made.body)


def _check(asked: VerbRequest, may_create: Verdict) -> None:
    if may_create is False:
        denied(asked.request.user)


def _is_missing(error: NotFound, key: RawItem | None) -> bool:
    """Whether it is the item of the path that is missing, not another one that the resource's own verb reads."""
    return isinstance(error, MissingItem) and error.key is not None and same_item(error.key, key)
