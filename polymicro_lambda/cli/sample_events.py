"""A sample event of each route, as AWS would send it: for `polymicro invoke`, `sam local invoke`, and tests."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.http import User
from polymicro_lambda.permissions import OwnedBy
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import parameter_name
from polymicro_lambda.testing import make_event

from .sample_requests import (
    UUID,
    change_body,
    documented_body,
    in_member,
    needed_headers,
    needed_query,
    new_body,
    replacing_body,
    sample,
)

STAGES: Mapping[str, str | None] = {"rest": "dev"}
"""Source -> the stage in its events, where these have one."""
BODIES: Mapping[tuple[str, str], Callable[[Route], dict[str, Any]]] = {
    ("create", "POST"): new_body,
    ("update", "PATCH"): change_body,
    ("update", "PUT"): replacing_body,
}


def sample_events(routes: Sequence[Route], sources: Sequence[str], user: User) -> dict[str, dict[str, Any]]:
    """Name of a file -> the event. Where there are several sources, or resources, names begin with theirs."""
    named = list(_named(routes))
    return {
        f"{source}-{name}" if len(sources) > 1 else name: _event(route, source, user)
        for source in sources
        for name, route in named
    }


def _named(routes: Sequence[Route]) -> Iterator[tuple[str, Route]]:
    """Each route by a name of its own; PUT is a ``replace``."""
    several = len({id(route.resource) for route in routes}) > 1
    seen: dict[str, int] = {}
    for route in routes:
        verb = "replace" if (route.verb, route.http) == ("update", "PUT") else route.verb
        more = [route.http.lower()] if route.is_action and len(route.about.http) > 1 else []
        name = "-".join([*([_of_class(route)] if several else []), verb.replace("_", "-"), *more])
        count = seen[name] = seen.get(name, 0) + 1
        yield (name if count == 1 else f"{name}-{count}"), route


def _of_class(route: Route) -> str:
    name = type(route.resource).__name__.removesuffix("Resource")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _event(route: Route, source: str, user: User) -> dict[str, Any]:
    body = _body(route)
    values = {part: _path_value(part, route, user) for part in route.parts}
    event = make_event(
        route.http,
        "/".join(["", *values.values()]) or "/",
        query=needed_query(route) if route.verb == "list" and not route.is_action else "",
        headers=({} if body is None else {"Content-Type": "application/json"}) | needed_headers(route),
        body=None if body is None else json.dumps(body),
        user=user,
        source=source,
        stage=STAGES.get(source),
    )
    names = {parameter_name(part): value for part, value in values.items()}
    names.pop(None, None)
    match source:  # the template gives each route its own path
        case "rest":
            event |= {"resource": route.template, "pathParameters": names or None}
        case "http":
            event["routeKey"] = event["requestContext"]["routeKey"] = f"{route.http} {route.template}"
            event |= {"pathParameters": names} if names else {}
    return event


def _body(route: Route) -> Mapping[str, Any] | None:
    made = BODIES.get((route.verb, route.http))
    if made is None or route.is_action or not has_table(route.model):
        return documented_body(route) or None
    return in_member(route, made(route))


def _path_value(part: str, route: Route, user: User) -> str:
    """A segment of the path. A key of text that nothing makes up is the user's id, as most of these are an owner's."""
    name = parameter_name(part)
    if name is None:
        return part
    attribute = route.model.get_attributes().get(name) if has_table(route.model) else None
    if attribute is None:
        return "example"
    value = sample(attribute, in_path=True)
    if not isinstance(attribute, UnicodeAttribute):
        return str(value)
    if attribute.default is not None or attribute.default_for_new is not None:
        return UUID
    owners = [leaf for leaf in route.rule.leaves() if isinstance(leaf, OwnedBy) and leaf.attribute == name]
    return str(user.claims.get(owners[0].claim, user.uuid) if owners else user.uuid)
