"""The mixins' own verbs from the key to the answer: none is called, and no instance made, where nobody asks for one."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from polymicro_lambda.http import Response
from polymicro_lambda.observability import Observation
from polymicro_lambda.rules import Guard, Verdict, certainly_allows, guarded, is_opaque
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import PynamoStore

from .requests.verb_request import VerbRequest
from .responses.response_builder import ResponseBuilder
from .responses.verb_results import VerbResult


class FastOperation(Protocol):
    """What these verbs need of an operation."""

    asked: VerbRequest
    verdict: Verdict
    seen: Observation

    @property
    def responses(self) -> ResponseBuilder:
        """What makes the response."""

    def guard(self) -> Guard:
        """What protects the request."""


def fast_store(asked: VerbRequest, verdict: Verdict) -> PynamoStore | None:
    """What does the verb without its method, None where that is to be called."""
    route, request = asked.route, asked.request
    if not route.at_once or request.query or not isinstance(store := route.resource.store, PynamoStore):
        return None
    if "if-match" in request.headers or "if-none-match" in request.headers or is_opaque(verdict):
        return None
    return store


def fast_retrieve(one: FastOperation, body: Any, store: PynamoStore) -> Response:
    """The answer to a retrieve. Raises as ``store.read``."""
    asked, seen = one.asked, one.seen
    key = store.serializer.key(asked.bound)
    services = asked.services  # the keys refuse one that is sent here
    services.idempotency_keys.request(asked.route, asked.request, services.user_id, body)
    seen.phase = "fetch"
    raw = store.fetch(key)
    seen.phase = "verb"
    if certainly_allows(one.verdict, raw):
        response = one.responses.shown(raw, services.tagger)
        if response is not None:
            seen.phase = "dump"
            return response
    with guarded(one.guard()):
        instance = store.judged(raw)
        seen.phase = "dump"
        return one.responses.answered(VerbResult(instance))


def _created(one: FastOperation, values: Mapping[str, Any], store: PynamoStore) -> Response:
    one.seen.phase = "verb"
    return _shown(one, store.put(values["req"]), store)


def _updated(one: FastOperation, values: Mapping[str, Any], store: PynamoStore) -> Response:
    one.seen.phase = "fetch"
    key = store.serializer.key(one.asked.bound)
    one.seen.phase = "verb"
    return _shown(one, store.change(key, values["req"]), store)


def _shown(one: FastOperation, raw: RawItem, store: PynamoStore) -> Response:
    one.seen.phase = "dump"
    response = one.responses.shown(raw, one.asked.services.tagger)
    return one.responses.answered(VerbResult(store.written(raw))) if response is None else response


def _deleted(one: FastOperation, _: Mapping[str, Any], store: PynamoStore) -> Response:
    one.seen.phase = "fetch"
    key = store.serializer.key(one.asked.bound)
    one.seen.phase = "verb"
    store.remove(key)
    one.seen.phase = "dump"
    return Response(204)


FastWrite: TypeAlias = Callable[[FastOperation, Mapping[str, Any], PynamoStore], Response]
"""From the arguments of a verb to the answer, under the request's guard."""
FAST_WRITES: Mapping[str, FastWrite] = {"create": _created, "delete": _deleted, "update": _updated}
