"""Examples of errors: problem documents as the app gives them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from polymicro_lambda.dispatch import read_own_query
from polymicro_lambda.exceptions import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Forbidden,
    HTTPError,
    InsufficientStorage,
    InternalError,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    title_of,
)
from polymicro_lambda.http import JSON_TYPE, Request, problem_document, read_json, read_limit, read_query
from polymicro_lambda.routing import Route, query_fields
from polymicro_lambda.schemas import load_body

from .field_schemas import by_json_name

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
"""One of API Gateway's (its developer guide, "Lambda proxy integrations")."""
MISFITS: tuple[Any, ...] = ({}, [], "", None, -1)
"""Values of which a field refuses one, most likely."""

EVERYWHERE: Mapping[int, HTTPError] = MappingProxyType(
    {
        401: Unauthorized("This needs a user: send credentials that the authorizer accepts."),
        403: Forbidden("You may not do this."),
        404: NotFound(),
        406: NotAcceptable(f"This API answers with {JSON_TYPE}: accept that, or send no Accept header."),
        409: Conflict("The item has changed meanwhile, or is there already."),
        412: PreconditionFailed("The item has changed meanwhile."),
        413: ContentTooLarge("The item would be larger than the 400 KB of one item."),
        415: UnsupportedMediaType(f"Send the body as {JSON_TYPE} in UTF-8."),
        428: PreconditionRequired("Send If-Match with the ETag of the item that you mean to change."),
        500: InternalError(),
        503: ServiceUnavailable("The database does not answer: try again later."),
        507: InsufficientStorage(
            "No more items fit under this partition key (10 GB, the local secondary indexes included)."
        ),
    }
)
"""Status -> an error that each operation with this status may answer with."""


def document_of(error: HTTPError) -> dict[str, Any]:
    """The problem document of an error, as an example."""
    return problem_document(error, REQUEST_ID)


def usual_example(status: int) -> dict[str, Any] | None:
    """An example of an error that each operation with this status may answer with, None where it has one of its own."""
    return document_of(EVERYWHERE[status]) if status in EVERYWHERE else None


def example_with(status: int, detail: str) -> dict[str, Any]:
    """An example of an error of the app's own."""
    error = HTTPError(detail)
    return {**document_of(error), "title": title_of(status), "status": status}


def own_examples(route: Route) -> Iterator[tuple[int, dict[str, Any]]]:
    """Status -> an example of an error that names what this operation alone has: a parameter, a member, a quota."""
    for status, find in OWN.items():
        error = find(route)
        if error is not None:
            yield status, document_of(error)


def _bad_request(route: Route) -> HTTPError:
    """A parameter that the query lacks, or a value that none has; of a route without any an unknown one; a body."""
    if not route.is_action and route.verb == "list":
        return (
            _raised(lambda: read_limit("0", route.list_settings.limit, route.resource.max_limit))
            or BadRequest()
        )
    if (query := route.form.query) is not None:
        tries: Iterable[Mapping[str, list[str]]] = ({}, *({name: ["-"]} for name in query_fields(query)))
        for said in tries:
            if (error := _raised(lambda said=said: read_own_query(query, said))) is not None:  # type: ignore[misc]
                return error
    if route.about.body and route.http != "GET":
        return _raised(lambda: read_json(b'{"')) or BadRequest()
    if "request" in route.arguments:
        return BadRequest("The URL holds a percent sign that begins no escape.")
    known = {"fields"} if route.verb == "retrieve" and not route.is_action else set[str]()
    asked = Request("GET", "/", (), query={"limit": ("1",)})
    return _raised(lambda: read_query(asked, (), known, strict=True)) or BadRequest()


def _unprocessable(route: Route) -> HTTPError | None:
    """A member that the body lacks, or a value that none has; None where any body fits."""
    load, names = _loading(route)
    if load is None:
        return None
    for body in ({}, *({name: value} for name in names for value in MISFITS)):
        error = _raised(lambda body=body: load(body))  # type: ignore[misc]
        if error is not None and error.status == 422:
            return error
    return None


def _loading(route: Route) -> tuple[Callable[[Any], Any] | None, list[str]]:
    """What loads the body of a route, and the members that it may have."""
    if not route.about.body or route.http == "GET":
        return None, []
    if route.is_action:
        schema = route.form.body
        if schema is None:
            return None, []
        return lambda body: load_body(schema, body), list(by_json_name(schema.load_fields))
    if route.is_restore:
        return None, []
    loads = route.schema
    whole = loads.load_create if route.verb == "create" else loads.load_replace
    return (loads.load_merge if route.merges else whole), list(by_json_name(route.body_schema.load_fields))


def _taken(route: Route) -> HTTPError | None:
    creates = route.verb == "create" and not route.is_action
    return Conflict("There is an item with this key already.") if creates else None


def _quota(route: Route) -> HTTPError | None:
    if route.rate is None:
        return None
    return TooManyRequests(
        f"{route.rate.requests} requests in {route.rate.seconds} seconds are all that you may make here:"
        f" try again in {route.rate.seconds} seconds."
    )


def _raised(act: Callable[[], Any]) -> HTTPError | None:
    try:
        act()
    except HTTPError as error:
        return error
    return None


OWN: Mapping[int, Callable[[Route], HTTPError | None]] = MappingProxyType(
    {400: _bad_request, 409: _taken, 422: _unprocessable, 429: _quota}
)
