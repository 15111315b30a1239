"""What gateways carry of a response: bytes of body and headers, by event source, and what goes out in place of more."""

import json
from collections.abc import Mapping
from copy import copy
from types import MappingProxyType
from typing import NamedTuple

from polymicro_lambda.exceptions import HTTPError, InternalError, PolymicroError
from polymicro_lambda.http import Response
from polymicro_lambda.observability import Observation, report_error
from polymicro_lambda.rules import SAFE_METHODS


class Carrier(NamedTuple):
    """Who hands an answer on, and how many bytes of it."""

    name: str
    bytes: int


LAMBDA = Carrier("AWS Lambda", 6 * 1024 * 1024)
"""Lambda quotas, "Invocation payload (request and response)", synchronous: 6 MB of the JSON that the runtime writes."""
CARRIERS: Mapping[str, Carrier] = MappingProxyType({"alb": Carrier("a load balancer", 1_000_000)})
"""Event source -> what carries less than Lambda. A load balancer takes 1 MB of that JSON (its guide, "Lambda functions
as targets"), and does not say which megabyte."""
BESIDES = 20_000
"""Bytes of an answer besides its body: headers (8,192, quotes in them count twice), status and names of members."""
WIDEST = 6
"""Bytes of JSON that one of a body can take: ``\\u0001``."""

SMALL = (min(LAMBDA.bytes, *(one.bytes for one in CARRIERS.values())) - BESIDES - 2) // WIDEST
"""Bytes of a body that everything carries, whatever is in it."""

KEEPS = frozenset({"create", "update", "delete", "restore"})
"""Verbs whose success is told even where the item cannot be shown."""

WHOLE = frozenset({200, 201})
"""Statuses that say all; of a 207 the body says what has failed."""


class AnswerTooLarge(PolymicroError):
    """The cause of a 500: an answer that its event source does not carry."""


def carrier_of(source: str) -> Carrier:
    """What carries the answers to an event source."""
    return CARRIERS.get(source, LAMBDA)


def json_size(body: bytes) -> int:
    """Bytes that a body takes in the JSON of an answer, by the runtime that escapes most (Python 3.11's)."""
    try:
        return len(json.dumps(body.decode()))
    except UnicodeDecodeError:
        return len(body) * 4 // 3 + 6  # base64 and its quotes


def body_room(source: str) -> int:
    """Bytes that there are for a body, as ``written`` counts them."""
    return carrier_of(source).bytes - BESIDES


def fits(body: bytes, source: str) -> bool:
    """Whether an answer with this body is carried."""
    return len(body) <= SMALL or json_size(body) <= body_room(source)


def within_limit(response: Response, seen: Observation) -> Response:
    """The answer, or where it is too large and a write has been done the same without its body.

    Raises ``InternalError`` for any other that is too large.
    """
    request, verb = seen.request, seen.verb
    if request is None or fits(response.body, request.source):
        return response
    if verb in KEEPS and response.status in WHOLE:
        report_error("The answer to a write was too large, and went out without its body: %s", verb)
        headers = {name: value for name, value in response.headers.items() if name != "content-type"}
        return Response(204 if response.status == 200 else response.status, headers)
    done = "" if request.method in SAFE_METHODS else "This was done, but "
    raise too_large(request.source, of=f"{done}the answer".capitalize())


def without_item(response: Response) -> Response:
    """The same success without the item that it shows, or would show."""
    told = {n: v for n, v in response.headers.items() if n not in ("content-type", "etag")}
    return Response(204 if response.status == 200 else response.status, told)


def too_large(source: str, *, of: str) -> HTTPError:
    """The 500 for what is larger than the source carries."""
    carrier = carrier_of(source)
    error = InternalError(
        f"{of} is larger than what {carrier.name} carries ({carrier.bytes // 1_000_000} MB): ask for less of it,"
        " e.g. by fields."
    )
    error.__cause__ = AnswerTooLarge(f"over {carrier.bytes} bytes")
    return error


def slimmed(error: HTTPError) -> HTTPError:
    """The same error without what makes it large: the item that it shows, and messages for fields."""
    slimmer = copy(error)
    slimmer.members, slimmer.errors = {}, ()
    slimmer.detail = error.detail and error.detail[:1000]
    return slimmer


# --- headers ---------------------------------------------------------------------------------------------

ALWAYS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
"""On every response that does not say otherwise: what an API gives is for its user alone."""
MOST_HEADERS = 8192
"""Bytes of all headers of an answer. API Gateway takes 10,240 (its quotas, "Total combined size of all header values")
and adds some of its own; more than that is its own 500, without a word of what was done."""
LONGEST_HEADER = 6000
"""Characters of one header that this package makes itself: the others need room too."""
_BETWEEN = len(": \r\n")


def fitting_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, without the largest of them where all are more than a gateway carries; that is logged."""
    size = len("".join([*headers, *headers.values()])) + len(headers) * _BETWEEN
    if size <= MOST_HEADERS:
        return headers
    sizes = {name: len(name) + len(value) + _BETWEEN for name, value in headers.items()}
    excess, kept = size - MOST_HEADERS, dict(headers)
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if excess > 0:
            del kept[name]
            excess -= sizes[name]
            report_error("A header of an answer was too large, and was left out: %a", name[:50])
    return kept
