"""The object in which a single item stands, where the resource's envelope names its member: bodies and pointers."""

from typing import Any

from polymicro_lambda.exceptions import HTTPError, Unprocessable
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import field_errors


def body_member(route: Route) -> str | None:
    """The member of a body that holds the item, None where the body itself is the item or the action's own."""
    return route.item_member if route.about.body and not route.is_action else None


def unwrapped(member: str, body: Any) -> Any:
    """The item in the body's one member. Raises ``Unprocessable`` where there is another member, none, or no item."""
    if not isinstance(body, dict):
        return body  # which no schema takes
    if body.keys() == {member} and isinstance(body[member], dict):
        return body[member]
    said = f'This must be an object with the one member "{member}", the item.'
    raise Unprocessable(said, errors=[{"pointer": "#", "detail": said}])


def pointer_to(member: str) -> str:
    """The JSON pointer of a member of the body, as ``errors`` have it."""
    [place] = field_errors({member: ""})
    return place["pointer"]


def point_into(error: HTTPError, pointer: str) -> None:
    """Let what an error says of an item's fields point into the body, in which the item stands at this pointer."""
    error.errors = tuple(
        {**one, "pointer": pointer + one["pointer"][1:]} if "pointer" in one else one for one in error.errors
    )
