"""Bodies and answers besides JSON: rows become bodies, and an answer in JSON is rendered as ``Accept`` asks."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from polymicro_lambda.dispatch.requests.item_members import body_member
from polymicro_lambda.dispatch.requests.request_guard import unless_known
from polymicro_lambda.dispatch.requests.verb_request import VerbRequest
from polymicro_lambda.exceptions import BadRequest, HTTPError, InternalError
from polymicro_lambda.http import JSON_TYPE, CellRows, Representation, Response, read_json
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import default_of, row_values

SHOWS_ITEMS = frozenset({"create", "list", "retrieve", "restore", "update"})
"""Verbs whose answers are items of the model, where they are not the resource's own."""
MULTI_STATUS = 207


# --- bodies ------------------------------------------------------------------------------------------------------


def body_of_rows(route: Route, rows: CellRows) -> Any:
    """The body that rows stand for: one object, or a list of several. Raises ``BadRequest``."""
    if len(rows) > 1 and not (route.takes_many or route.is_action):
        raise BadRequest(f"The body has {len(rows)} rows, and this takes one: send each by itself.")
    schema = route.form.body if route.is_action else route.body_schema
    defaults = frozenset() if route.is_action else _with_defaults(route)
    values: list[Any] = [*rows] if schema is None else [row_values(row, schema, defaults) for row in rows]
    body = values[0] if len(values) == 1 else values
    member = body_member(route)
    return body if member is None else {member: body}


def _with_defaults(route: Route) -> frozenset[str]:
    """The attributes that a new item has a value of where its body says none."""
    attributes = route.model.get_attributes().items()
    return frozenset([*route.owned, *(name for name, one in attributes if default_of(one) is not None)])


# --- answers -----------------------------------------------------------------------------------------------------


def represented(asked: VerbRequest, response: Response, items: bytes | None = None) -> Response:
    """The answer as the request accepts it; ``items`` are those of a page for a table. Errors stay as they are.

    Its strong tag tells the stored item and what was rendered. Raises ``InternalError`` where the renderer fails.
    """
    one = asked.representation
    is_json = response.headers.get("content-type") == JSON_TYPE
    if one is None or not (is_json and response.body) or response.status >= 400:
        return response
    content = _rendered(asked, one, response, items)
    headers = {**response.headers, "content-type": one.content_type}
    if headers.get("etag", "").endswith('"'):
        about = one.content_type.encode() + b"\0" + content
        headers["etag"] = asked.services.tagger.represented(headers["etag"], about)
    return unless_known(asked.route, asked.request, Response(response.status, headers, content))


def _rendered(asked: VerbRequest, one: Representation, response: Response, items: bytes | None) -> bytes:
    value = read_json(response.body if items is None or not one.makes_tables else items)
    try:
        return _as_bytes(_content(asked, one, value, response.status))
    except HTTPError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an app's own raises
        failed = one.failed(error)
        failed.__cause__ = error
        done = None if asked.route.method.safe else "This was done, but its answer could not be made."
        raise InternalError(done) from failed


def _as_bytes(content: Any) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    # `bytes` would make as many zeros of a number.
    raise TypeError(f"a renderer gave a {type(content).__name__}, which is neither bytes nor a text")


def _content(asked: VerbRequest, one: Representation, value: Any, status: int) -> Any:
    renderer = one.renderer
    if one.makes_tables:
        member = asked.route.item_member
        if isinstance(value, dict) and value.keys() == {member}:
            value = value[member]
        many = asked.route.takes_many and status == MULTI_STATUS
        rows = value.get("items") if many and isinstance(value, dict) else value
        rows = rows if isinstance(rows, list) else [value]
        if all(isinstance(row, dict) for row in rows):
            return renderer.table(*_table(asked, rows))
    return getattr(renderer, "render", renderer)(value)


def _table(asked: VerbRequest, rows: Sequence[Any]) -> tuple[Sequence[Any], list[str]]:
    """The rows of a table and its columns: the fields that the answer shows, or what rows of another form have."""
    known, found = _known_columns(asked), dict.fromkeys(name for row in rows for name in row)
    known = known if found.keys() <= {*known} else []
    columns = known or list(found)
    numbers = _number_texts(asked.route) if known else frozenset()
    return [_with_numbers(row, numbers) for row in rows] if numbers else rows, columns


def _known_columns(asked: VerbRequest) -> list[str]:
    """The members of each item, in the order of the schema; none where an answer has another form."""
    route = asked.route
    own_form = type(route.resource).represent is not ModelResource.represent
    if own_form or route.is_action or route.verb not in SHOWS_ITEMS:
        return []
    shown = asked.shown.names
    names = [name for name in route.schema.names if shown is None or name in shown]
    return [*names, *(one.name for one in asked.embeds if one.name not in names)]


def _number_texts(route: Route) -> frozenset[str]:
    """The members that are numbers, and texts in JSON: no spreadsheet takes them for formulas."""
    fields = route.schema.creating.dump_fields.items()
    return frozenset(one.data_key or name for name, one in fields if getattr(one, "as_string", False))


def _with_numbers(row: Mapping[str, Any], numbers: Iterable[str]) -> dict[str, Any]:
    texts = {name: row[name] for name in numbers if isinstance(row.get(name), str)}
    return {**row, **{name: Decimal(text) for name, text in texts.items()}}
