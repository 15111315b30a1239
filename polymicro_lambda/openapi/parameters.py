"""The parameters of a route: of its path, its query and its headers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.idempotency import KEY_PATTERN
from polymicro_lambda.lists import COUNT, FILTER_OPERATORS, RESERVED_PARAMETERS
from polymicro_lambda.permissions import OwnedBy
from polymicro_lambda.routing import DELETED, EMBED, Route

from .declared_forms import own_parameters
from .field_schemas import Describe, JSONSchema

Parameter = dict[str, Any]

CURSOR = "Where the page begins: the `pagination_key` of the page before. It is good for this user and query alone."
COUNTS = "`true`: the page tells how many items the list has on all its pages, or null where it is too long to count."
FIELDS = "The members to show: the parameter repeated, or commas between them."
EMBEDS = "What to show of other resources: the parameter repeated, or commas between the names."
ONLY_DELETED = (
    "`true`: what has been deleted, and nothing else, for those who may see it: to others it is 401 or 403."
)
SORT = "The attribute to sort by; `-` before it turns the order round."


def parameters(route: Route, names: Iterable[str], describe: Describe) -> list[Parameter]:
    """All parameters; ``names`` are those of the path, in order, as the document calls them."""
    return [*_path(route, names, describe), *_query(route, describe), *_headers(route)]


def _path(route: Route, names: Iterable[str], describe: Describe) -> Iterator[Parameter]:
    for name, attribute in zip(names, route.params, strict=True):
        schema = describe(route.schema.keys[attribute])
        schema.pop("default", None)
        yield {"name": name, "in": "path", "required": True, "schema": _in_url(schema)}


def _in_url(schema: JSONSchema) -> JSONSchema:
    """A value as a URL holds it: binary is base64url without padding."""
    if schema.get("contentEncoding") == "base64":
        return {**schema, "contentEncoding": "base64url"}
    return schema


# --- the query ---------------------------------------------------------------------------------------------------


def _query(route: Route, describe: Describe) -> Iterator[Parameter]:
    if route.verb == "list":
        top = route.resource.max_limit
        limit = {"type": "integer", "minimum": 1, "maximum": top, "default": route.list_settings.limit}
        yield _query_parameter("limit", limit, "The most items of a page.")
        yield _query_parameter("pagination_key", {"type": "string"}, CURSOR)
    if route.verb == "list" and route.list_settings.counts:
        yield _query_parameter(COUNT, {"type": "boolean", "default": False}, COUNTS)
    if "sort" in route.arguments and (sorts := _sorts(route)):
        said = route.list_settings.default_sort
        usual = {"default": said} if said in sorts else {}
        yield _query_parameter("sort", {"type": "string", "enum": sorts, **usual}, SORT)
    if route.verb in ("list", "retrieve"):
        names = {"type": "string", "enum": list(route.schema.names)}
        chosen = {"type": "array", "items": names, "minItems": 1}
        yield _query_parameter("fields", chosen, FIELDS)
    embeds = [one.name for one in route.embeds if one.limit is None or route.verb != "list"]
    if embeds:
        names = {"type": "string", "enum": embeds}
        yield _query_parameter(EMBED, {"type": "array", "items": names, "minItems": 1}, EMBEDS)
    if route.shows_deleted is not None:
        yield _query_parameter(DELETED, {"type": "boolean", "default": False}, ONLY_DELETED)
    if route.verb == "list":
        yield from _filter_parameters(route, describe)
    yield from own_parameters(route, describe)


def _query_parameter(name: str, schema: JSONSchema, description: str) -> Parameter:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _sorts(route: Route) -> list[str]:
    """The values of ``?sort=``: sort keys of the table, and of indexes that a request can reach."""
    names = {attribute.attr_name: name for name, attribute in route.model.get_attributes().items()}
    bound = (
        None
        if route.bindable is None
        else {route.model.get_attributes()[n].attr_name for n in route.bindable}
    )
    keys = [key for path in route.resource.planner.usable(route.bindable) for key in path.orders(bound)]
    sorts = dict.fromkeys(names[key] for key in keys if key in names)
    shown = [name for name in sorts if route.schema.member(name) in route.schema.names]
    return [f"{sign}{name}" for name in shown for sign in ("", "-")]


def _filter_parameters(route: Route, describe: Describe) -> Iterator[Parameter]:
    demanded = {*_demanded(route)}
    for parameter, (name, operator) in route.filters.parameters.items():
        if operator == "eq" and parameter != name and name not in RESERVED_PARAMETERS:
            continue  # ``done__eq`` is ``done``
        field = route.schema.keys[name]
        schema = describe(getattr(field, "inner", field) if operator == "contains" else field)
        schema = _in_url({key: one for key, one in schema.items() if key not in ("default", "readOnly")})
        schema = OPERANDS[operator](schema) if operator in OPERANDS else schema
        keyed = operator == "in" and name == list(model_info(route.model).keys)[-1]
        meaning = MEANINGS[operator].format(name=name) + _BY_KEYS * keyed
        needed = {"required": True} if operator == "eq" and name in demanded else {}
        yield {**_query_parameter(parameter, schema, meaning), **needed}


def _demanded(route: Route) -> Iterator[str]:
    """The attributes that each request has to say by ``eq``: no table or index serves the list without one."""
    names, planner = route.bindable, route.resource.planner
    if not route.is_default or planner.scan or names is None or not any(planner.usable(names)):
        return
    owned = {one.attribute for one in route.rule.leaves() if isinstance(one, OwnedBy)}
    operators = [*route.filters.parameters.values()]
    for name in route.filters.binding - owned:
        if (name, "in") not in operators and not any(planner.usable(names - {name})):
            yield name


_BY_KEYS = " What is not there, or not the user's, is absent."


def _some(one: JSONSchema) -> JSONSchema:
    return {
        "type": "array",
        "items": one,
        "minItems": 1,
        "maxItems": FILTER_OPERATORS["in"].operands.stop - 1,
    }


OPERANDS: Mapping[str, Callable[[JSONSchema], JSONSchema]] = {
    "between": lambda one: {"type": "array", "items": one, "minItems": 2, "maxItems": 2},
    "in": _some,
    "exists": lambda _: {"type": "boolean"},
    "begins_with": lambda _: {"type": "string"},
}
"""Operator -> the schema of its value, made from the attribute's; the value of any other has the attribute's."""

MEANINGS: Mapping[str, str] = {
    "eq": "`{name}` is this.",
    "ne": "`{name}` is not this, or is absent.",
    "lt": "`{name}` is less than this.",
    "lte": "`{name}` is this at most.",
    "gt": "`{name}` is more than this.",
    "gte": "`{name}` is this at least.",
    "between": "`{name}` is the first value at least, the second at most.",
    "begins_with": "`{name}` begins with this.",
    "contains": "`{name}` contains this.",
    "in": "`{name}` is one of these.",
    "exists": "Whether there is a `{name}`.",
}
"""Operator of ``lists.OPERATORS`` -> its description."""


# --- headers -----------------------------------------------------------------------------------------------------

_ENTITY_TAGS = {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)?$'}
"""``*``, or any number of entity tags (RFC 9110, section 13.1.1)."""
_MATCH = "The `ETag` of the item as you know it, or `*`: the request fails with 412 where the item is another by now."
_IDEMPOTENCY_KEY = {"type": "string", "pattern": KEY_PATTERN}
_REPETITION = (
    "A new value, such as a UUID, for each operation, and the same with each repetition: what is done is not done"
    " again."
)
_LENIENT = (
    "`handling=lenient`: the items of a list are created each for itself, and the answer is 207 with a status for each;"
    " otherwise all of them are created or none (RFC 7240)."
)
_NONE_MATCH = "An `ETag` that you know: the answer is 304 where it still holds."


def _if_match(route: Route) -> Iterator[Parameter]:
    if changes(route):
        required = route.resource.require_if_match and route.verb in ("update", "delete")
        yield _header_parameter("If-Match", _ENTITY_TAGS, _MATCH, required=required)


def _if_none_match(route: Route) -> Iterator[Parameter]:
    if route.verb in ("list", "retrieve"):
        yield _header_parameter("If-None-Match", _ENTITY_TAGS, _NONE_MATCH)


def _idempotency_key(route: Route) -> Iterator[Parameter]:
    if route.idempotency_table is not None:
        required = route.resource.require_idempotency_key
        yield _header_parameter("Idempotency-Key", _IDEMPOTENCY_KEY, _REPETITION, required=required)


def _prefer(route: Route) -> Iterator[Parameter]:
    if route.takes_many:
        yield _header_parameter("Prefer", {"type": "string"}, _LENIENT)


HEADERS: tuple[Callable[[Route], Iterator[Parameter]], ...] = (
    _if_match,
    _if_none_match,
    _idempotency_key,
    _prefer,
)
"""A function for each header of a request, which yields nothing for a route that does not read the header."""


def _headers(route: Route) -> Iterator[Parameter]:
    return (one for header in HEADERS for one in header(route))


def changes(route: Route) -> bool:
    """Whether the route writes to an item that is there."""
    return route.about.detail and not route.method.safe


def _header_parameter(
    name: str, schema: JSONSchema, description: str, *, required: bool = False
) -> Parameter:
    header = {"name": name, "in": "header", "description": description, "schema": schema}
    return header | ({"required": True} if required else {})
