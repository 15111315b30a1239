"""One verb of one request is carried out, under the request's guard."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from polymicro_lambda.dynamodb import has_waited
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import Response
from polymicro_lambda.idempotency import (
    REPLAYED,
    IdempotentRequest,
    check_replay,
    key_of_path,
    may_have,
    record_entry,
)
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import PageReader, Plan, UnservedOrder, WrappedPage, requesting
from polymicro_lambda.observability import Observation
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import (
    Guard,
    Method,
    Verdict,
    begin_guard,
    current_guard,
    end_guard,
    guarded,
    rest_of_verdict,
    split_related,
)
from polymicro_lambda.writes import LostRace

from .bulk_create import BulkCreate
from .fast_path import FAST_WRITES, fast_retrieve, fast_store
from .requests.item_members import body_member, point_into, pointer_to, unwrapped
from .requests.request_guard import guard_of, item_of_path
from .requests.verb_request import VerbRequest
from .responses.embedded_items import EmbeddedItems
from .responses.formats import represented
from .responses.page_responses import PageResponses, fitting_page
from .responses.response_builder import ResponseBuilder
from .responses.response_limits import without_item
from .responses.verb_results import VerbResult, is_collection, result_of
from .responses.wrapped_bodies import WrappedBody
from .upsert import upserted


@dataclass
class Operation:
    """What was asked, the verdict of its rule before the item is known, and what is noted of the request."""

    asked: VerbRequest
    verdict: Verdict
    seen: Observation = field(default_factory=Observation)

    def __post_init__(self) -> None:
        if not self.asked.route.field_rules.free:
            self.asked.related = split_related(self.verdict)[0]

    def run(self, body: Any) -> Response:
        """The answer; ``body`` is the request's JSON."""
        member = body_member(self.asked.route)
        if member is None:
            return self._run(body)
        item = unwrapped(member, body)
        try:
            return self._run(item)
        except HTTPError as error:
            point_into(error, pointer_to(member))
            raise

    def _run(self, body: Any) -> Response:
        """The answer; ``body`` is the item, or what an action takes.

        Here alone the ways part. The mixins' own verbs need not be called to read or write one item, which saves a
        third of a request's time (`fast_path`; "The compiled path" in docs/performance.md). Else the verb is called,
        once or for each item of a list; and with an ``Idempotency-Key`` no repetition does it again.
        """
        asked, route = self.asked, self.asked.route
        store = fast_store(asked, self.verdict)
        if store is not None and route.verb == "retrieve":
            return fast_retrieve(self, body, store)
        bulk = self._bulk() if isinstance(body, list) and route.takes_many else None
        arguments: Any = asked.arguments(body) if bulk is None else bulk.loaded(body, asked.arguments)
        guard = self.guard()
        keyed = asked.services.idempotency_keys.request(route, asked.request, asked.services.user_id, body)
        if bulk is not None:
            act = partial(replace(bulk, repeated=keyed).run, arguments, self._call)
        elif store is not None and keyed is None and route.verb in FAST_WRITES:
            act = partial(FAST_WRITES[route.verb], self, arguments, store)
        else:
            act = partial(self._act, arguments, guard)
        if route.creation is not None:
            act = self._upsert(route.creation, act, body, arguments["req"])
        token = begin_guard(guard if keyed is None else replace(guard, interceptor=keyed))
        try:
            return act() if keyed is None else self._once(keyed, act)
        except UnservedOrder as error:
            if "sort" in asked.request.query:
                error.name_parameter()
            raise
        finally:
            end_guard(token)

    def _bulk(self) -> BulkCreate:
        asked = self.asked
        return BulkCreate(asked.route, asked.request, self.responses, asked.services.problem)

    def _upsert(
        self, creation: Route, update: Callable[[], Response], body: Any, values: Any
    ) -> "partial[Response]":
        """What does ``update``, or creates the item of the path by the resource's own verb, as a POST would."""
        asked, values = self.asked, deepcopy(values)  # an override may change its own
        new = replace(asked, route=creation, written={})
        made = Operation(new, new.route.rule.decide(new.context(Method("create", "PUT"))), self.seen)

        def create() -> Response:
            req = new.new_values(values, body, asked.bound)
            arguments = {"request": asked.request, "user": asked.request.user, "req": req}
            guard = replace(made.guard(), interceptor=current_guard().interceptor, bound=asked.bound)
            with guarded(guard):
                return made._act(arguments, guard)

        return partial(upserted, asked, update, create, made.verdict)

    def _once(self, keyed: IdempotentRequest, act: Callable[[], Response]) -> Response:
        """Do it, or answer as an earlier try of the request has been answered."""
        route = self.asked.route
        key = key_of_path(route, self.asked.key)
        keyed.replayed_items += [] if key is None else [record_entry(route.model, key)]
        embedded = self.responses.embedded
        judged = embedded is not None and not embedded.is_for_everybody
        keyed.shows_judged = judged or bool(self.responses.fields.by_item)

        def noted() -> Response:
            done = act()
            keyed.shows_judged = keyed.shows_judged or self.responses.dumper.asks_elsewhere
            return done

        response = keyed.once(noted, self.asked.readable, partial(check_replay, route, key))
        if not REPLAYED.items() <= response.headers.items():
            return response
        has_moved = route.lookup is not None and key is None  # nobody could ask the rule about it
        if has_moved or not may_have(route, key, self.responses.retrieval):
            return without_item(response)
        return response

    def _act(self, arguments: dict[str, Any], guard: Guard) -> Response:
        """Call the verb, and answer with what it returns.

        A verb that says ``attempts`` and loses a race is called again, as long as it has written nothing.
        """
        for number in range(1, self.asked.route.attempts):
            try:
                return self._act_once({**arguments, "req": deepcopy(arguments["req"])}, guard)
            except LostRace:
                if guard.mark.has_written or not has_waited(number):
                    raise
        return self._act_once(arguments, guard)

    def _act_once(self, arguments: dict[str, Any], guard: Guard) -> Response:
        asked, seen = self.asked, self.seen
        if asked.route.about.detail:
            seen.phase = "fetch"
            arguments["instance"] = item_of_path(asked, guard)
        elif guard.related and not (asked.route.is_default and asked.route.verb == "create"):
            seen.phase = "fetch"
            guard.check_related()
        seen.phase = "verb"
        result = self._call(arguments)
        if asked.is_list:
            if is_collection(result.body) or isinstance(result.body, WrappedPage):
                return self._page(result, arguments)
            asked.check_applied(checked=False)
        seen.phase = "dump"
        response = self.responses.answered(result)
        if not asked.is_list:
            return response
        return PageResponses(asked, self.responses, result, arguments["limit"]).made_of_page(response)

    def _call(self, arguments: Mapping[str, Any]) -> VerbResult:
        """What the verb returns."""
        route = self.asked.route
        given = {name: arguments[name] for name in route.arguments}
        if (requested := self.asked.requested) is None:
            returned = route.call(**given)
        else:
            with requesting(requested):
                returned = route.call(**given)
        return result_of(returned, is_list=self.asked.is_list, verb=route.full_name)

    def _page(self, result: VerbResult, arguments: Mapping[str, Any]) -> Response:
        """The page in what a list returned."""
        asked, limit, source = self.asked, arguments["limit"], self.asked.request.source
        checks, start = asked.filters_not_applied(arguments), arguments["pagination_key"]
        of_page = (limit, asked.read_budget(limit), checks, self.responses.selection)
        counts = bool(asked.request.query) and asked.asks_for_count
        reader = PageReader(*of_page, start is not None, start, counts)
        pages = PageResponses(asked, self.responses, result, limit)
        if isinstance(result.body, WrappedPage):
            wrapped = WrappedBody(result.body, self.responses)
            asked.check_wrapped(shows_page=wrapped.shows_page)
            pages = replace(pages, wrapped=wrapped)
        elif not counts and (found := reader.array(result.body, result.key)) is not None:
            if asked.requested is not None:
                asked.check_applied()
            self.seen.phase = "dump"
            if (response := pages.whole(*found, source)) is not None:
                return response
        with requesting(asked.requested):  # a generator runs only now
            page = reader.page(result.body, result.key)
        asked.check_applied(page, checked=reader.has_checked(result.body, page))
        if counts and pages.tells_count:
            count = reader.count(result.body, page, asked.route.resource.read_budget)
            pages = replace(pages, counts=True, count=count)
        self.seen.phase = "dump"
        return fitting_page(page, source, pages)

    def guard(self) -> Guard:
        """What protects the request. Raises as ``guard_of``."""
        responses = self.responses
        shown_by = (responses.retrieval, *responses.fields.by_item.values())
        return guard_of(self.asked, self.verdict, responses.current, shown_by)

    def check_related(self) -> None:
        """Raise ``Forbidden`` where a related item that path and claims name does not let the user in; it is read."""
        Guard(related=split_related(self.verdict)[0]).check_related()

    def plan(self) -> Plan:
        """How the mixin's own list would read what is asked for; nothing is read. Raises ``BadRequest``."""
        paging = self.asked.paging()
        with guarded(self.guard()):
            return self.asked.route.resource.planner.plan(paging["filters"], paging["sort"])

    @lazy
    def responses(self) -> ResponseBuilder:
        """What makes the response."""
        asked = self.asked
        retrieval: Verdict = True
        if asked.route.verb == "update" or asked.route.is_restore:
            # What the rule for the write has let pass need not be judged again.
            retrieval = rest_of_verdict(asked.retrieval, asked.under_path(self.verdict))
        embeds = asked.embeds if asked.route.embeds else ()
        embedded = EmbeddedItems(embeds, asked.request) if embeds else None
        other = None if asked.representation is None else partial(represented, asked)
        return ResponseBuilder(asked.route, asked.request, asked.shown, retrieval, embedded, other)
