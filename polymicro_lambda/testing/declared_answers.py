"""Whether answers are as the app's ``response`` and ``responses`` say."""

from collections.abc import Sequence
from http import HTTPStatus
from json import loads

from marshmallow import ValidationError

from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import JSON_TYPE, Site, request_of
from polymicro_lambda.routing import Route, Router
from polymicro_lambda.types import Event

ALWAYS = frozenset({304, 400, 401, 403, 404, 405, 406, 429})
"""Statuses that the package itself may answer any verb with."""
OF_WRITES = frozenset({409, 412, 413, 415, 422, 428})
"""Those that it may answer a verb with that writes or has a body."""
OF_ITEMS = frozenset({201, 204, 207})
"""Those of the five verbs: a PUT that creates, a result that the user may not see, a list that is created leniently."""


class DeclaredAnswers:
    """The answers that the routes of a handler declare."""

    def __init__(self, routes: Sequence[Route], site: Site) -> None:
        self._site = site
        self._router = Router(routes) if any(route.form.answers for route in routes) else None

    def check(self, event: Event, context: object, status: int, media: str, content: bytes) -> None:
        """Raise ``AssertionError`` for an answer that its verb does not declare; ``content`` is its body."""
        route = None if self._router is None else self._route(self._router, event, context)
        if route is None or not route.form.answers or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        answer = route.form.answers.get(status)
        if answer is None:
            if not _is_usual(route, status):
                said = ", ".join(map(str, sorted(route.form.answers)))
                raise AssertionError(
                    f"{route.full_name} answered {status}, and declares {said}: say it in responses"
                )
        elif answer.bare and content and not (status >= HTTPStatus.BAD_REQUEST and _is_usual(route, status)):
            raise AssertionError(f"{route.full_name} answered {status} with a body, and declares None for it")
        elif answer.schema is not None and media.partition(";")[0] == JSON_TYPE:
            try:
                answer.check(loads(content))
            except ValidationError as error:
                raise AssertionError(f"{route.full_name} answered {status} with {error}") from error

    def _route(self, router: Router, event: Event, context: object) -> Route | None:
        """The route of a request, None for HEAD, whose answer has no body, and where there is none."""
        try:
            request = request_of(event, context)
            request.place(self._site)
            return router.find(request.segments).routes.get(request.method)
        except HTTPError:
            return None


def _is_usual(route: Route, status: int) -> bool:
    """Whether the package may answer so, whatever the verb returns."""
    writes = route.about.body or not route.method.safe
    usual = status in ALWAYS or (writes and status in OF_WRITES)
    if route.is_action:
        return usual or (not route.form.has_success and status in (route.about.status, 204))
    return usual or status in OF_ITEMS or (not route.form.has_success and status == route.about.status)
