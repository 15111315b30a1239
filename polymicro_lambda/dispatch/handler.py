"""The function that Lambda calls: an event becomes a request, is dispatched, and gets its answer."""

from typing import Any

from polymicro_lambda.http import OTHER_SERVICE, Request, Site, request_id, source_of
from polymicro_lambda.routing import Route
from polymicro_lambda.types import Event, Handler

from .dispatcher import Dispatcher
from .other_events import OnEvent, answer_event


def lambda_handler(
    dispatch: Dispatcher, site: Site, on_event: OnEvent | None, routes: tuple[Route, ...]
) -> Handler:
    """The handler of an app: ``handler(event, context) -> answer``; the testing client reads its site and routes."""

    def handler(event: Event, context: Any) -> Any:
        source = source_of(event)
        if source is None or (source is OTHER_SERVICE and on_event is not None):
            dispatch.telemetry.skip_cold_start()
            return answer_event(event, context, on_event)
        known_id = request_id(event, context)

        def read() -> Request:
            request = source.to_request(event, context, known_id)
            request.place(site)
            return request

        return source.to_response(dispatch(read, known_id, event), event)

    handler.site = site  # type: ignore[attr-defined]
    handler.routes = routes  # type: ignore[attr-defined]
    return handler
