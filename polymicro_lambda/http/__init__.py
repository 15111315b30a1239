"""HTTP: an event becomes a ``Request``, a ``Response`` becomes the answer to the event.

``source_of(event)`` finds the event's source; its ``to_request`` and ``to_response`` are the way in and out. A source
stands in ``sources``, which also says how to add one. Open for the rest:

- ``requests``, ``responses``: the two objects, and problem documents (RFC 9457);
- ``addresses``: what stands before a path in the client's URL;
- ``users``: the ``User`` of an authorizer's context;
- ``negotiation``: ``Content-Type``, the body and the query, read or refused;
- ``formats``: bodies besides JSON, as declared, and what ``Accept`` chooses;
- ``strict_json``, ``urls``: JSON, and paths and queries, decoded strictly;
- ``compression``: answers by gzip;
- ``cors``, ``origins``, ``hsts``: the headers that an app's settings add to every answer.
"""

from .addresses import Site, site_of
from .compression import COMPRESSED_FROM, COMPRESSING, TAG_SUFFIX, accepts_gzip, compressed
from .cors import CORS, cors_of, with_vary
from .formats import (
    BodyType,
    CellRows,
    FormatFailed,
    Representation,
    body_types_of,
    checked_formats,
    chosen_representation,
    is_binary,
    joined_formats,
    representations_of,
)
from .hsts import HSTS, hsts_of
from .negotiation import (
    MERGE_TYPE,
    bad_query,
    parameter_error,
    read_body,
    read_limit,
    read_query,
    read_truth,
)
from .requests import Request
from .responses import (
    JSON_TYPE,
    PROBLEM_TYPE,
    Response,
    joined_values,
    json_response,
    problem_document,
    problem_response,
)
from .sources.event_source import origin_of, request_id
from .sources.lookup import OTHER_SERVICE, request_of, source_of
from .strict_json import (
    INT_DIGITS,
    MAX_DEPTH,
    MAX_VALUES,
    LongNumber,
    json_bytes,
    json_text,
    plain_number,
    read_json,
)
from .urls import NOT_FOUND
from .users import NOBODY, REFUSED, User, is_refused, user_from, user_id_by

__all__ = [
    "COMPRESSED_FROM",
    "COMPRESSING",
    "CORS",
    "HSTS",
    "INT_DIGITS",
    "JSON_TYPE",
    "MAX_DEPTH",
    "MAX_VALUES",
    "MERGE_TYPE",
    "NOBODY",
    "NOT_FOUND",
    "OTHER_SERVICE",
    "PROBLEM_TYPE",
    "REFUSED",
    "TAG_SUFFIX",
    "BodyType",
    "CellRows",
    "FormatFailed",
    "LongNumber",
    "Representation",
    "Request",
    "Response",
    "Site",
    "User",
    "accepts_gzip",
    "bad_query",
    "body_types_of",
    "checked_formats",
    "chosen_representation",
    "compressed",
    "cors_of",
    "hsts_of",
    "is_binary",
    "is_refused",
    "joined_formats",
    "joined_values",
    "json_bytes",
    "json_response",
    "json_text",
    "origin_of",
    "parameter_error",
    "plain_number",
    "problem_document",
    "problem_response",
    "read_body",
    "read_json",
    "read_limit",
    "read_query",
    "read_truth",
    "representations_of",
    "request_id",
    "request_of",
    "site_of",
    "source_of",
    "user_from",
    "user_id_by",
    "with_vary",
]
