"""The events of the function in a SAM template: one for each verb on each path of the routes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.openapi import DOCUMENT_PATH, PAGE_PATH, Documentation, body_model
from polymicro_lambda.routing import Authorization, Route, asks_who, authorization_of
from polymicro_lambda.schemas import parameter_name

MAX_EVENTS = 40
"""SAM lets each event call the function by a statement of its own, of some 450 bytes by our reckoning, and a function's
policy has at most 20 KB (AWS Lambda quotas)."""
CATCH_ALL = ("/", "/{proxy+}")
"""The paths that stand for all, where each cannot have one of its own."""
_SEGMENT = re.compile(r"[A-Za-z0-9._:-]+")  # of a path of a REST API, besides parameters in braces


class Preflights(Enum):
    """The paths whose OPTIONS goes to the function, as API Gateway does not answer their preflights itself.

    Elsewhere OPTIONS is no event of its own: `sam local` 1.170 takes one authorizer for all events of a path, at
    random where they differ.
    """

    NONE = "none"
    BESIDE_ANY = "beside ANY"
    ALL = "all"
    ALL_OPEN = "all, with no authorizer before them"


@dataclass(frozen=True, slots=True)
class Event:
    """One verb on one path that API Gateway hands to the function."""

    name: str
    method: str
    path: str
    comment: str
    """Names the verb of the resource."""
    authorization: Authorization
    """How an authorizer stands before it."""
    body: Mapping[str, Any] | None = None
    """The JSON schema of the request body."""
    is_mixed: bool = False
    """Some of its verbs need a user, others do not."""

    @property
    def is_open(self) -> bool:
        """Whether nobody is refused for lack of a token."""
        return self.authorization != "required"


def function_events(
    routes: Sequence[Route],
    *,
    validate: bool,
    preflights: Preflights = Preflights.NONE,
    documentation: Documentation | None = None,
) -> list[Event]:
    """All that the app serves, HEAD included; where there would be too many ANY for each path, or for all at once.

    Raises ``ConfigurationError`` for a path that a REST API does not know how to spell.
    """
    asks = asks_who(routes)
    events = [
        event
        for route, path in _paths(routes)
        for event in _route_events(route, path, authorization_of(route, asks_who=asks), validate=validate)
    ]
    served = [*events]
    events += [] if documentation is None else _documentation_events(documentation)
    paths = _by_path(events)
    if preflights in (Preflights.ALL, Preflights.ALL_OPEN):
        events += [_options(of_path, preflights) for of_path in paths]
    if len(events) > MAX_EVENTS:
        events = [event for of_path in paths for event in _any_event(of_path, preflights)]
    if len(events) > MAX_EVENTS:
        pages = _by_path([] if documentation is None else _documentation_events(documentation))
        paths = [*(_at(served, path) for path in CATCH_ALL), *pages]
        events = [event for of_path in paths for event in _any_event(of_path, preflights)]
    return _with_unique_names(events)


def _at(events: Iterable[Event], path: str) -> list[Event]:
    """All events as those of one path, which takes the place of all others."""
    name = "Root" if path == "/" else "All"
    return [replace(event, path=path, name=name, comment="all paths") for event in events]


def _paths(routes: Iterable[Route]) -> Iterator[tuple[Route, str]]:
    """Each route with its path; parameters at one place have one name, as a REST API demands."""
    names: dict[tuple[str, ...], str] = {}
    for route in routes:
        segments: list[str] = []
        for part in route.parts:
            if parameter_name(part) is None and not _SEGMENT.fullmatch(part):
                raise ConfigurationError(f"{route.template}: API Gateway takes no {part!r} in a path")
            place = (*segments, "{}")
            segments.append(
                part if parameter_name(part) is None else names.setdefault(place, _unused(part, segments))
            )
        yield route, "/" + "/".join(segments)


def _unused(part: str, segments: Sequence[str]) -> str:
    """The parameter, under a name that the path does not have yet."""
    while part in segments:
        part = part[:-1] + "_}"
    return part


def _route_events(
    route: Route, path: str, authorization: Authorization, *, validate: bool
) -> Iterator[Event]:
    resource = type(route.resource).__name__
    several = len(route.about.http) > 1
    name = camel_case(resource.removesuffix("Resource"), route.verb, route.http.title() if several else "")
    body = body_model(route) if validate else None
    event = Event(name, route.http, path, f"{resource}.{route.verb}", authorization, body)
    yield event
    if route.http == "GET":
        yield replace(event, name=f"{name}Head", method="HEAD")


def _documentation_events(documentation: Documentation) -> Iterator[Event]:
    """The document, the page, and in one path all files of the page."""
    pages = ("OpenapiJson", DOCUMENT_PATH), ("Docs", PAGE_PATH), ("DocsFile", (*PAGE_PATH, "{file}"))
    for name, path in pages:
        authorization: Authorization = "none" if documentation.is_open else "required"
        event = Event(name, "GET", "/" + "/".join(path), "PolyMicro(docs=…)", authorization)
        yield event
        yield replace(event, name=f"{name}Head", method="HEAD")


def _by_path(events: Iterable[Event]) -> list[list[Event]]:
    paths: dict[str, list[Event]] = {}
    for event in events:
        paths.setdefault(event.path, []).append(event)
    return list(paths.values())


def _options(of_path: Sequence[Event], preflights: Preflights) -> Event:
    """OPTIONS of a path. A preflight carries no credentials (the Fetch standard, "CORS protocol and credentials").

    A REST API has no default authorizer before OPTIONS anyway: there it is as open as the path's verbs.
    """
    as_open = of_path[0].authorization if len({one.authorization for one in of_path}) == 1 else "required"
    authorization: Authorization = as_open if preflights is Preflights.ALL else "none"
    return Event(f"{of_path[0].name}Options", "OPTIONS", of_path[0].path, "preflights", authorization)


def _any_event(of_path: Sequence[Event], preflights: Preflights) -> Iterator[Event]:
    """One event for all verbs of a path, and OPTIONS where it may not be among them."""
    first, comment = of_path[0], ", ".join(dict.fromkeys(event.comment for event in of_path))
    kinds = {event.authorization for event in of_path}
    # The app itself refuses who needs to be somebody, and is not.
    authorization: Authorization = first.authorization if len(kinds) == 1 else "optional"
    mixed = any(event.is_mixed for event in of_path) or ("required" in kinds and len(kinds) > 1)
    yield Event(f"{first.name}Any", "ANY", first.path, comment, authorization, is_mixed=mixed)
    if preflights is not Preflights.NONE:
        yield _options(of_path, preflights)


def _with_unique_names(events: Iterable[Event]) -> list[Event]:
    """The events, with a number behind a name that an earlier event has."""
    names: dict[str, int] = {}
    unique = []
    for event in events:
        count = names[event.name] = names.get(event.name, 0) + 1
        unique.append(event if count == 1 else replace(event, name=f"{event.name}{count}"))
    return unique


def camel_case(*words: str) -> str:
    """The words as one name of letters and digits, as CloudFormation takes it."""
    parts = (part for word in words for part in re.split(r"[^A-Za-z0-9]+", word))
    return "".join(part[:1].upper() + part[1:] for part in parts)
