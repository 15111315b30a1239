"""The responses of a route: each status with its headers, as far as the declarations determine them."""

from collections.abc import Callable, Mapping
from typing import Any

from pynamodb.indexes import LocalSecondaryIndex

from polymicro_lambda.http import JSON_TYPE, PROBLEM_TYPE
from polymicro_lambda.routing import Route, is_open, is_same_for_all
from polymicro_lambda.rules import error_of

from .error_examples import document_of, own_examples, usual_example
from .parameters import changes
from .unshown_results import may_be_unshown

ResponseObject = dict[str, Any]

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do about it."},
        "instance": {
            "type": "string",
            "description": "The id of the request, under which the log says more.",
        },
        "errors": {
            "type": "array",
            "description": "A message for each member of the body (`pointer`) or parameter of the query.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["detail"],
            },
        },
        "message": {
            "type": "string",
            "description": "In place of all else, where API Gateway itself refuses.",
        },
        "current": {"description": "With 412: the item as it is now, to a user who may retrieve it."},
    },
}
"""No member is required (RFC 9457, section 3.1): API Gateway's own answers fit it too."""
SCHEMAS: Mapping[str, dict[str, Any]] = {"Problem": PROBLEM}
"""Schemas of answers that are the same for every resource."""


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}}


HEADERS: Mapping[str, dict[str, Any]] = {
    "Accept-Patch": _header("What a PATCH may be sent as (RFC 5789)."),
    "ETag": _header("Which state of the item, or of the page, this is (RFC 9110)."),
    "Idempotency-Replayed": _header("`true` where this is the answer to an earlier request.", enum=["true"]),
    "Link": _header('The next page, as `<?…>; rel="next"` (RFC 8288); absent on the last.'),
    "Location": _header("Where the new item is, relative to the URL of the request.", format="uri-reference"),
    "Preference-Applied": _header("Which of the preferences was followed (RFC 7240)."),
    "RateLimit": _header(
        'What is left of the quota: `"name";r=requests;t=seconds` (draft-ietf-httpapi-ratelimit-headers-11).'
    ),
    "RateLimit-Policy": _header('The quota: `"name";q=requests;w=seconds`.'),
    "Retry-After": _header("Seconds to wait before the next try.", pattern="^[0-9]+$"),
    "WWW-Authenticate": _header("What credentials are wanted (RFC 6750)."),
}
"""Headers of answers. All may be absent, if only as an override may leave them out."""


RATE_HEADERS = ("RateLimit", "RateLimit-Policy")
"""The headers of every answer of a verb whose rate is limited."""


# --- conditions of errors ------------------------------------------------------------------------------------

Condition = Callable[[Route], bool]


def _verbs(route: Route) -> tuple[Route, ...]:
    """The route, and what its PUT creates by."""
    return (route,) if route.creation is None else (route, route.creation)


def _writes(route: Route) -> bool:
    return not route.method.safe


def _loads(route: Route) -> bool:
    return route.about.body


def _demands_match(route: Route) -> bool:
    return route.resource.require_if_match and route.verb in ("update", "delete")


def _has_local_index(route: Route) -> bool:
    indexes = (getattr(route.model, name, None) for name in dir(route.model))
    return route.verb in ("create", "update") and any(isinstance(i, LocalSecondaryIndex) for i in indexes)


ERRORS: Mapping[int, tuple[str, str, Condition, tuple[str, ...]]] = {
    400: ("BadRequest", "The path, the query or the body cannot be read.", lambda _: True, ()),
    401: (
        "Unauthorized",
        "This needs a user, and there is none.",
        lambda route: not all(map(is_open, _verbs(route))),
        ("WWW-Authenticate",),
    ),
    403: (
        "Forbidden",
        "The user may not do this.",
        lambda route: not all(map(is_same_for_all, _verbs(route))),
        (),
    ),
    404: (
        "NotFound",
        "There is no such item, or the user may not see it.",
        lambda route: route.about.detail or bool(route.params),
        (),
    ),
    406: ("NotAcceptable", "What `Accept` asks for cannot be given.", lambda _: True, ()),
    409: (
        "Conflict",
        "The key or a unique value is taken, or somebody else changed the item.",
        _writes,
        ("Retry-After",),
    ),
    412: ("PreconditionFailed", "The item is not in the state that `If-Match` names.", changes, ("ETag",)),
    413: ("ContentTooLarge", "The body is over the limit, or the item over 400 KB.", _writes, ()),
    415: (
        "UnsupportedMediaType",
        "The body is of a type that cannot be read.",
        _loads,
        ("Accept-Patch",),
    ),
    422: ("UnprocessableContent", "The body does not fit its schema.", _loads, ()),
    428: ("PreconditionRequired", "`If-Match` is required here.", _demands_match, ()),
    429: (
        "TooManyRequests",
        "The user has used up the quota.",
        lambda route: route.rate is not None,
        ("Retry-After", *RATE_HEADERS),
    ),
    500: ("InternalServerError", "This is our fault.", lambda _: True, ()),
    503: ("ServiceUnavailable", "Try again later.", lambda _: True, ("Retry-After",)),
    507: ("InsufficientStorage", "The item's collection is full.", _has_local_index, ()),
}
"""Status -> name of the component, its description, the routes that it concerns, its headers."""

GATEWAY_STATUSES = frozenset({401, 403})
"""Statuses of an authorizer in front of the app too: of an HTTP API with ``{"message": "Unauthorized"}``."""


def components() -> dict[str, ResponseObject]:
    """The answers that are the same wherever they occur, by name."""
    return {
        name: _error(status, description, headers, usual_example(status))
        for status, (name, description, _, headers) in ERRORS.items()
    }


def _error(status: int, description: str, headers: tuple[str, ...], example: Any = None) -> ResponseObject:
    media = {"schema": {"$ref": "#/components/schemas/Problem"}} | (
        {} if example is None else {"example": example}
    )
    types = (PROBLEM_TYPE, JSON_TYPE) if status in GATEWAY_STATUSES else (PROBLEM_TYPE,)
    return {"description": description, **_headers(headers), "content": dict.fromkeys(types, media)}


def _headers(names: tuple[str, ...]) -> dict[str, Any]:
    return {"headers": {n: {"$ref": f"#/components/headers/{n}"} for n in names}} if names else {}


# --- of a route --------------------------------------------------------------------------------------------------


def responses_of(route: Route, shown: Mapping[str, Any], example: Any = None) -> dict[str, ResponseObject]:
    """All responses of a route by status; ``shown`` is the schema of a success, ``example`` an example of it."""
    own = dict(own_examples(route))
    errors: dict[str, ResponseObject] = {}
    for status, (name, description, occurs, headers) in ERRORS.items():
        if occurs(route):
            common = {"$ref": f"#/components/responses/{name}"}
            one = _error(status, description, headers, own[status]) if status in own else common
            errors[str(status)] = one
    if route.requirement is not None:
        refused = error_of(route.requirement.otherwise)
        known = errors.setdefault(
            str(refused.status), _error(refused.status, refused.title, (), document_of(refused))
        )
        # Beside a reference a description stands in place of that which it leads to (OpenAPI 3.1, Reference Object).
        errors[str(refused.status)] = {**known, "description": refused.detail or refused.title}
    return {**_successes(route, shown, example), **errors}


def lenient_response(name: str) -> ResponseObject:
    """The answer to a list whose items are created one by one; ``name`` is that of its schema."""
    description = "With `Prefer: handling=lenient`: what became of each item."
    content = {JSON_TYPE: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {"description": description, **_headers(("Preference-Applied",)), "content": content}


def _successes(route: Route, shown: Mapping[str, Any], example: Any) -> dict[str, ResponseObject]:
    media = {"schema": shown} | ({} if example is None else {"example": example})
    content = {"content": {JSON_TYPE: media}}
    again = (
        *(() if route.idempotency_table is None else ("Idempotency-Replayed",)),
        *(() if route.rate is None else RATE_HEADERS),
    )
    nothing = {"204": {"description": "Done; there is nothing to say.", **_headers(again)}}
    if route.about.status == 204:
        return nothing
    if route.is_action:
        returned = {"description": "What the action returns.", **_headers(again), **content}
        return {str(route.about.status): returned, **nothing}
    description, headers = SUCCESSES[route.verb]
    responses = {
        str(route.about.status): {"description": description, **_headers((*headers, *again)), **content}
    }
    if route.creation is not None:
        responses["201"] = {
            "description": "The new item: there was none.",
            **_headers(("ETag", *again)),
            **content,
        }
    if may_be_unshown(route):
        responses["204"] = {"description": "Done; the user may not see the result.", **_headers(again)}
    if route.http == "GET":
        responses["304"] = {"description": "It is as `If-None-Match` says.", **_headers(("ETag", *again))}
    return responses


SUCCESSES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "create": ("The new item.", ("ETag", "Location")),
    "list": ("A page.", ("ETag", "Link")),
    "retrieve": ("The item.", ("ETag",)),
    "update": ("The item as it is now.", ("ETag",)),
    "delete": ("Gone.", ()),
    "restore": ("The item, which is deleted no more.", ("ETag",)),
}
"""Verb -> the description of its success, and its headers."""
