"""From `Request` to `Response`: the way of a request, step by step, and the one place that catches errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pynamodb.models import Model

from polymicro_lambda.dynamodb import http_error_of, is_start_key_refused
from polymicro_lambda.exceptions import (
    HTTPError,
    InternalError,
    MethodNotAllowed,
)
from polymicro_lambda.http import (
    COMPRESSED_FROM,
    COMPRESSING,
    CORS,
    HSTS,
    CellRows,
    FormatFailed,
    Request,
    Response,
    chosen_representation,
    compressed,
    is_refused,
    origin_of,
    read_body,
    with_vary,
)
from polymicro_lambda.lists import foreign_key
from polymicro_lambda.observability import (
    MeteredObservation,
    Observation,
    Telemetry,
    begin_observation,
    end_observation,
    report_error,
    safely,
    seconds_left_of,
)
from polymicro_lambda.routing import Match, Route, Router
from polymicro_lambda.rules import Rule, RuleContext, note_serving
from polymicro_lambda.throttling import Limiter
from polymicro_lambda.types import Event

from .operations import Operation
from .problems import error_response
from .requests.request_guard import denied
from .requests.request_verdicts import PAGE_METHOD, asks_for_user, decided, permitted
from .requests.services import Services
from .requests.verb_request import VerbRequest
from .responses.formats import body_of_rows, represented
from .responses.response_limits import ALWAYS, SMALL, fitting_headers, within_limit

BODILESS = frozenset({204, 205, 304})
"""Statuses whose responses have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5)."""

OF_REQUEST = frozenset({400, 406, 413, 415, 422, 428})
"""Statuses that are about the request itself, and come after those that are about its user."""

PAGE_ALLOWS = "GET, HEAD, OPTIONS"
Page: TypeAlias = Callable[[Request], Response]


class Pages(Protocol):
    """What an app serves that is no route, such as its documentation."""

    @property
    def rule(self) -> Rule:
        """Who may see it, decided by the user alone."""

    @property
    def pages(self) -> Mapping[tuple[str, ...], Page]:
        """Each page by the segments of its path."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Answers requests by the routes of an app."""

    router: Router
    user_of: Callable[[Request], Any]
    """The user of a request, or None."""
    services: Services
    max_body: int
    cors: CORS | None
    telemetry: Telemetry
    docs: Pages | None = None
    """What there is besides the routes."""
    hsts: HSTS | None = None
    limiter: Limiter | None = None

    def __call__(self, read: Callable[[], Request], request_id: str, event: Event) -> Response:
        """The answer to the request that ``read`` makes of the event; every error becomes an answer too."""
        telemetry = self.telemetry
        note_serving()
        made = MeteredObservation if telemetry.metered else Observation
        seen = made(request_id, telemetry.logger, telemetry.debug)
        token = begin_observation(seen)
        try:
            if isinstance(seen, MeteredObservation):
                telemetry.begin(seen)
            response = self._completed(seen, self._answered(read, seen), event)
            return telemetry.finish(seen, response) if isinstance(seen, MeteredObservation) else response
        finally:
            end_observation(token)

    def _answered(self, read: Callable[[], Request], seen: Observation) -> Response:
        """The response; that of a problem for every error."""
        try:
            request = seen.request = read()
            seen.seconds_left = seconds_left_of(request.context)
            for tell in seen.on_read:
                safely(tell)
            response = self._answer(request, seen)
            return response if len(response.body) <= SMALL else within_limit(response, seen)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be answered and logged
            return error_response(self._answerable(error, seen), seen, self.services.problem)

    def _completed(self, seen: Observation, response: Response, event: Event) -> Response:
        request, headers = seen.request, {**ALWAYS, **seen.headers, **response.headers}
        if "vary" in seen.headers and "vary" in response.headers:
            headers["vary"] = with_vary(response.headers["vary"], seen.headers["vary"])
        if self.hsts is not None:
            headers |= self.hsts.headers(request)
        if self.cors is not None:
            origin = origin_of(event) if request is None else request.headers.get("origin")
            headers |= self.cors.headers(origin, headers.get("vary", ""))
        answer = Response(response.status, fitting_headers(headers), response.body)
        if len(answer.body) >= COMPRESSED_FROM and request is not None and request.source in COMPRESSING:
            answer = compressed(answer, request.headers.get("accept-encoding"))
        if response.status in BODILESS or (request is not None and request.method == "HEAD"):
            answer.body = b""
        return answer

    def _answer(self, request: Request, seen: Observation) -> Response:
        seen.phase = "route"
        page = None if self.docs is None else self.docs.pages.get(request.segments)
        if self.docs is not None and page is not None:
            return self._shown(page, self.docs.rule, request, seen)
        match = self.router.find(request.segments)
        route = match.routes.get(request.method)
        if route is None:
            seen.template = match.template
            if request.method == "OPTIONS":
                return self._allowed(request, match.allow)
            route = route_of(match, request.method)
        seen.template, seen.verb = route.template, route.verb
        seen.phase = "permit"
        request.set_path_params(match.params(route))
        if request.user is None and is_refused(request.event.get("requestContext")):
            denied(None)
        user = self.user_of(request)
        if user is not request.user:
            request = seen.request = request.replaced(user=user)
        verdict = permitted(route, request)
        if seen.metered:
            self.telemetry.start_metering()
        if self.limiter is not None and route.rate is not None:
            seen.phase = "limit"
            seen.headers = self.limiter.spend(route.rate, request)
        seen.phase = "load"
        return self._done(Operation(VerbRequest(route, request, self.services), verdict, seen), request)

    def _done(self, operation: Operation, request: Request) -> Response:
        asked, route = operation.asked, operation.asked.route
        try:
            if route.representations:
                operation.seen.headers = {**operation.seen.headers, "vary": "Accept"}
            asked.representation = chosen_representation(request, route.representations)
            body = self._body(route, request) if route.about.body else None
            response = operation.run(body)
            return response if asked.representation is None else represented(asked, response)
        except HTTPError as error:
            if error.status in OF_REQUEST:
                operation.check_related()  # who may not do it at all is told so first
            raise

    def _body(self, route: Route, request: Request) -> Any:
        body = read_body(request, self.max_body, route.body_types, optional=route.is_action)
        if type(body) is CellRows:
            body = vars(request)["json"] = body_of_rows(route, body)
        return body

    def _allowed(self, request: Request, allow: str) -> Response:
        preflight = self.cors.preflight(request, allow) if self.cors is not None else {}
        return Response(204, {"allow": allow, **preflight})

    def _shown(self, page: Page, rule: Rule, request: Request, seen: Observation) -> Response:
        """A page, to whom its rule lets in."""
        seen.template = "/" + "/".join(request.segments)
        if request.method == "OPTIONS":
            return self._allowed(request, PAGE_ALLOWS)
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"This path serves {PAGE_ALLOWS}.", headers={"allow": PAGE_ALLOWS})
        if is_refused(request.event.get("requestContext")) and asks_for_user(rule):
            denied(None)
        request = seen.request = request.replaced(user=self.user_of(request))
        decided(rule, RuleContext(request.user, PAGE_METHOD, Model, request))
        return page(request)

    def _answerable(self, error: Exception, seen: Observation) -> HTTPError:
        """The error as one that can be answered; what is our fault goes to the log with its cause."""
        answer = error if isinstance(error, HTTPError) else http_error_of(error) or InternalError()
        if answer.status == 500 and _is_resumed(seen.request) and is_start_key_refused(error):
            return foreign_key()  # a verb has queried with a pagination key that other bounds gave out
        if answer.status >= 500:
            seen.cause = answer.__cause__ or error
            name = str(seen.cause) if isinstance(seen.cause, FormatFailed) else type(seen.cause).__name__
            report_error("Request failed: %s", name, cause=seen.cause, status=answer.status)
        return answer


def _is_resumed(request: Request | None) -> bool:
    return request is not None and "pagination_key" in request.query


def route_of(match: Match, method: str) -> Route:
    """The route of an HTTP verb, HEAD's being that of GET. Raises ``MethodNotAllowed``."""
    route = match.routes.get("GET" if method == "HEAD" else method)
    if route is None:
        raise MethodNotAllowed(f"This path serves {match.allow}.", headers={"allow": match.allow})
    return route
