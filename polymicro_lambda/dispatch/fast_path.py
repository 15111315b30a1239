"""The mixins' own verbs from the key to the answer: none is called, and no instance made, where nobody asks for one."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from polymicro_lambda.http import Request, Response
from polymicro_lambda.idempotency import IdempotencyKeys
from polymicro_lambda.items import Tagger
from polymicro_lambda.observability import Observation
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import Guard, Verdict, certainly_allows, guarded, is_opaque
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import PynamoStore

from .answers import ResponseBuilder
from .verb_results import VerbResult


class FastOperation(Protocol):
    """What these verbs need of an operation."""

    route: Route
    request: Request
    verdict: Verdict
    tagger: Tagger
    markers: IdempotencyKeys
    seen: Observation

    @property
    def user_id(self) -> Callable[[Any], str]:
        """What is bound to a user, e.g. a key for a request, is bound to this."""

    @property
    def bound(self) -> dict[str, Any]:
        """The attributes that the path and the rule say. Raises ``NotFound``."""

    @property
    def answers(self) -> ResponseBuilder:
        """The answers of the request."""

    def guard(self) -> Guard:
        """What protects the request."""


def fast_store(one: FastOperation) -> PynamoStore | None:
    """What does the verb at once, None where it is to be called."""
    route, request, store = one.route, one.request, one.route.resource.store
    if not route.at_once or request.query or not isinstance(store, PynamoStore):
        return None
    if "if-match" in request.headers or "if-none-match" in request.headers or is_opaque(one.verdict):
        return None
    return store


def fast_retrieve(one: FastOperation, body: Any, store: PynamoStore) -> Response:
    """The answer to a retrieve. Raises as ``store.read``."""
    key = store.serializer.key(one.bound)
    one.markers.journal(one.route, one.request, one.user_id, body)  # which refuses a key for it
    one.seen.phase = "fetch"
    raw = store.fetch(key)
    one.seen.phase = "verb"
    if certainly_allows(one.verdict, raw) and (response := one.answers.shown(raw, one.tagger)) is not None:
        one.seen.phase = "dump"
        return response
    with guarded(one.guard()):
        instance = store.seen(raw)
        one.seen.phase = "dump"
        return one.answers.answered(VerbResult(instance))


def _created(one: FastOperation, values: Mapping[str, Any], store: PynamoStore) -> Response:
    raw = store.serializer.quickly(values["req"])
    one.seen.phase = "verb"
    if raw is None:
        instance = store.create(values["req"])
        one.seen.phase = "dump"
        return one.answers.answered(VerbResult(instance))
    return _shown(one, store.put(raw), store)


def _updated(one: FastOperation, values: Mapping[str, Any], store: PynamoStore) -> Response:
    one.seen.phase = "fetch"
    key = store.serializer.key(one.bound)
    one.seen.phase = "verb"
    return _shown(one, store.change(key, values["req"]), store)


def _shown(one: FastOperation, raw: RawItem, store: PynamoStore) -> Response:
    one.seen.phase = "dump"
    response = one.answers.shown(raw, one.tagger)
    return one.answers.answered(VerbResult(store.instance(raw))) if response is None else response


def _deleted(one: FastOperation, _: Mapping[str, Any], store: PynamoStore) -> Response:
    one.seen.phase = "fetch"
    key = store.serializer.key(one.bound)
    one.seen.phase = "verb"
    store.remove(key)
    one.seen.phase = "dump"
    return Response(204)


FastWrite: TypeAlias = Callable[[FastOperation, Mapping[str, Any], PynamoStore], Response]
"""From the arguments of a verb to the answer, under the request's guard."""
FAST_WRITES: Mapping[str, FastWrite] = {"create": _created, "delete": _deleted, "update": _updated}
