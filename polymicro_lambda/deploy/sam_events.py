"""What API Gateway hands to the function: one event for each verb on each path, as the routes have them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.openapi import DOCUMENT, PAGE, Documentation, body_model
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import RuleContext
from polymicro_lambda.schemas import parameter_name

MAX_EVENTS = 40
"""SAM lets each event call the function by a statement of its own, of some 450 bytes by our reckoning, and a function's
policy has at most 20 KB (AWS Lambda quotas)."""
_PART = re.compile(r"[A-Za-z0-9._:-]+")  # what the path part of a REST API may hold besides braces


class Preflights(Enum):
    """Which paths hand OPTIONS to the function: those whose preflights API Gateway does not answer itself.

    Elsewhere OPTIONS is no event of its own: `sam local` 1.170 takes one authorizer for all events of a path, at
    random where they differ.
    """

    NONE = "none"
    BESIDE_ANY = "beside ANY"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Event:
    """One verb on one path that API Gateway hands to the function."""

    name: str
    method: str
    path: str
    note: str
    is_open: bool
    """Nobody is asked for a user."""
    body: Mapping[str, Any] | None = None
    """The JSON schema of the request body."""


def events(
    routes: Sequence[Route],
    *,
    validate: bool,
    preflights: Preflights = Preflights.NONE,
    documentation: Documentation | None = None,
) -> list[Event]:
    """All that the app serves, HEAD included; ANY for each path where there would be too many.

    Raises ``ConfigurationError`` for more paths than a function's policy has room for, and for a path that a REST API
    does not know how to spell.
    """
    found = [event for route, path in _paths(routes) for event in _of_route(route, path, validate=validate)]
    found += [] if documentation is None else _of_documentation(documentation)
    paths = _by_path(found)
    served = [*found, *(_options(here) for here in paths if preflights is Preflights.ALL)]
    if len(served) > MAX_EVENTS:
        served = [event for here in paths for event in _few(here, preflights)]
    if len(served) > MAX_EVENTS:
        room = MAX_EVENTS * len(paths) // len(served)
        raise ConfigurationError(
            f"the app has {len(paths)} paths, and a function's policy room for {room}: split it"
        )
    return _named_apart(served)


def _paths(routes: Iterable[Route]) -> Iterator[tuple[Route, str]]:
    """Each route with its path; parameters at one place have one name, as a REST API demands."""
    names: dict[tuple[str, ...], str] = {}
    for route in routes:
        said: list[str] = []
        for part in route.parts:
            if parameter_name(part) is None and not _PART.fullmatch(part):
                raise ConfigurationError(f"{route.template}: API Gateway takes no {part!r} in a path")
            name = (
                part if parameter_name(part) is None else names.setdefault((*said, "{}"), _free(part, said))
            )
            said.append(name)
        yield route, "/" + "/".join(said)


def _free(part: str, said: Sequence[str]) -> str:
    """A parameter of a name that the path does not have yet."""
    while part in said:
        part = part[:-1] + "_}"
    return part


def _of_route(route: Route, path: str, *, validate: bool) -> Iterator[Event]:
    resource = type(route.resource).__name__
    several = len(route.about.http) > 1
    name = camel(resource.removesuffix("Resource"), route.verb, route.http.title() if several else "")
    # What a request without a user may do no authorizer may stand before.
    is_open = route.rule.decide(RuleContext(None, route.method, route.model)) is not False
    body = body_model(route) if validate else None
    event = Event(name, route.http, path, f"{resource}.{route.verb}", is_open, body)
    yield event
    if route.http == "GET":
        yield replace(event, name=f"{name}Head", method="HEAD")


def _of_documentation(documentation: Documentation) -> Iterator[Event]:
    """The document, the page, and in one path all files of the page."""
    pages = ("OpenapiJson", DOCUMENT), ("Docs", PAGE), ("DocsFile", (*PAGE, "{file}"))
    for name, path in pages:
        event = Event(name, "GET", "/" + "/".join(path), "PolyMicro(docs=…)", documentation.is_open)
        yield event
        yield replace(event, name=f"{name}Head", method="HEAD")


def _by_path(found: Iterable[Event]) -> list[list[Event]]:
    paths: dict[str, list[Event]] = {}
    for event in found:
        paths.setdefault(event.path, []).append(event)
    return list(paths.values())


def _options(here: Sequence[Event]) -> Event:
    """OPTIONS of a path, as open as its verbs: no default authorizer of a REST API stands before it anyway."""
    is_open = all(event.is_open for event in here)
    return Event(f"{here[0].name}Options", "OPTIONS", here[0].path, "preflights", is_open)


def _few(here: Sequence[Event], preflights: Preflights) -> Iterator[Event]:
    """One event for all verbs of a path, and OPTIONS where it may not be among them."""
    first, note = here[0], ", ".join(dict.fromkeys(event.note for event in here))
    if len({event.is_open for event in here}) > 1:
        raise ConfigurationError(
            f"{first.path}: with more than {MAX_EVENTS} events there is one for each path, but here only some verbs"
            " need a user: split the app"
        )
    yield Event(f"{first.name}Any", "ANY", first.path, note, first.is_open)
    if preflights is Preflights.ALL:
        yield _options(here)
    if preflights is Preflights.BESIDE_ANY:
        # A preflight request carries no credentials (the Fetch standard, "CORS protocol and credentials").
        yield replace(_options(here), is_open=True)


def _named_apart(served: Iterable[Event]) -> list[Event]:
    """The events, a number behind a name that is taken."""
    names: dict[str, int] = {}
    apart = []
    for event in served:
        count = names[event.name] = names.get(event.name, 0) + 1
        apart.append(event if count == 1 else replace(event, name=f"{event.name}{count}"))
    return apart


def camel(*words: str) -> str:
    """The words as one name of letters and digits, as CloudFormation takes it."""
    parts = (part for word in words for part in re.split(r"[^A-Za-z0-9]+", word))
    return "".join(part[:1].upper() + part[1:] for part in parts)
