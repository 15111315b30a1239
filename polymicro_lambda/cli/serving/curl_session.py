"""A curl session that walks through a resource, made from its routes and its schema."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from polymicro_lambda.cli.sample_requests import (
    change_body,
    in_member,
    needed_headers,
    needed_query,
    new_body,
)
from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.routing import Route


def curl_session(routes: Sequence[Route], address: str, *, token: str | None) -> list[str]:
    """Shell lines that walk through a resource with a model, create to delete; without one through the reads.

    It is the first that needs nothing to be there. ``token`` is a command that prints a bearer token, which each
    request then sends. Empty without routes.
    """
    by_verb = _walked([route for route in routes if has_table(route.model)])
    calls = {key: call(by_verb[key]) for key, call in CALLS.items() if key in by_verb}
    keeps = CREATE in by_verb and by_verb[CREATE].resource.item is not None
    if not keeps:  # without an item, no call for one
        calls = {key: call for key, call in calls.items() if not by_verb[key].about.detail}
    lines = [f"token=$({token})"] if token else []
    header = ' -H "Authorization: Bearer $token"' if token else ""
    curl = f"""curl -sS -w '\\n'{header}"""
    for key, call in calls.items():
        if key == CREATE and any(by_verb[one].about.detail for one in calls):
            lines.append(_create_and_keep(by_verb[key], f"{header} {call}"))
        else:
            lines.append(f"{curl} {call}")
    reads = (
        [] if by_verb else [route for route in routes if route.http == "GET" and not _has_parameters(route)]
    )
    lines += [f"{curl} {_collection(route)}" for route in reads]
    return [f"api={address}", *lines] if calls or reads else []


def _walked(with_model: Sequence[Route]) -> dict[tuple[str, str], Route]:
    """The routes of the resource to walk through: one that creates below nothing else, or lists so, else the first."""

    def starts(verb: str) -> Iterator[Route]:
        return (one for one in with_model if one.verb == verb and not _has_parameters(one))

    first = next((one for verb in ("create", "list") for one in starts(verb)), next(iter(with_model), None))
    return {(one.verb, one.http): one for one in with_model if first and one.resource is first.resource}


def _has_parameters(route: Route) -> bool:
    return any(part.startswith("{") for part in route.parts)


CREATE = ("create", "POST")
CALLS: Mapping[tuple[str, str], Callable[[Route], str]] = {
    CREATE: lambda route: (
        f"-X POST {_collection(route)}{_required_headers(route)} {_json_body(route, new_body(route))}"
    ),
    ("list", "GET"): lambda route: _collection(route) + _query(route),
    ("retrieve", "GET"): lambda _: "$item",
    ("update", "PATCH"): lambda route: (
        f"-X PATCH $item{_required_headers(route)} {_json_body(route, change_body(route))}"
    ),
    ("delete", "DELETE"): lambda route: f"-X DELETE $item{_required_headers(route)}",
}
"""Verb and HTTP verb -> the arguments for curl, in the order of the walk."""


def _create_and_keep(route: Route, create: str) -> str:
    """Print the answer, and keep the address of the created item: ``Location``, relative to the collection's."""
    parent = (_collection(route).rpartition("/")[0] if route.parts else "$api") + "/"
    curl = f"curl -sS -w '%{{stderr}}\\n' -D - -o /dev/stderr{create}"
    return f"item={parent}$({curl} | sed -n 's/^[Ll]ocation: //p' | tr -d '\\r')"


def _query(route: Route) -> str:
    """The parameters without which a list is refused."""
    query = needed_query(route)
    return shlex.quote(f"?{query}") if query else ""


def _collection(route: Route) -> str:
    """The collection's URL, with an example for what its path binds."""
    return "/".join(["$api", *("example" if part.startswith("{") else part for part in route.parts)])


NEW_KEY = "$(python3 -c 'import uuid; print(uuid.uuid4())')"


def _required_headers(route: Route) -> str:
    """The headers without which the resource refuses the request; a new ``Idempotency-Key`` each time."""
    quoted = {name: shlex.quote(f"{name}: {value}") for name, value in needed_headers(route).items()}
    if "Idempotency-Key" in quoted:
        quoted["Idempotency-Key"] = f'"Idempotency-Key: {NEW_KEY}"'
    return "".join(f" -H {one}" for one in quoted.values())


def _json_body(route: Route, item: Mapping[str, Any]) -> str:
    return f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(in_member(route, item)))}"
