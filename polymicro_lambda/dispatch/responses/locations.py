"""Where a new item is: a reference relative to the request's URL (RFC 9110, section 10.2.2)."""

from pynamodb.models import Model

from polymicro_lambda.http import Request
from polymicro_lambda.routing import Route
from polymicro_lambda.types import RawItem

from .response_limits import LONGEST_HEADER


def location_headers(route: Route, request: Request, item: Model) -> dict[str, str]:
    """The header that says where an item is that the route has created; none for other verbs."""
    path = route.resource.item
    if route.verb != "create" or path is None:
        return {}
    location = _from_root(request) + "/".join(path.segments_of(item, request.path_params, _kept(request)))
    return {"location": location} if len(location) <= LONGEST_HEADER else {}


def location_of_raw(route: Route, request: Request, raw: RawItem) -> str | None:
    """The same of a stored item: empty for none, None where its instance has to say."""
    path = route.resource.item
    if route.verb != "create":
        return ""
    location = None if path is None else path.path_of(raw, _kept(request))
    if location is None:
        return None
    location = _from_root(request) + location
    return location if len(location) <= LONGEST_HEADER else ""


def _kept(request: Request) -> int:
    """How many segments a relative reference leaves: all but the request's last (RFC 3986, section 5.2.3)."""
    return max(len(request.segments) - (0 if request.has_trailing_slash else 1), 0)


def _from_root(request: Request) -> str:
    """What stands before a reference from the root, whose URL may end with the stage, base path or a slash."""
    return f"{request.root}/" if request.root and not request.segments else ""
