"""The routes of the API in front of the function: one for each verb on each path, or fewer where they are too many."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.openapi import DOCUMENT_PATH, PAGE_PATH, Documentation, body_model
from polymicro_lambda.routing import Authorization, Route, asks_who, authorization_of
from polymicro_lambda.schemas import parameter_name

CATCH_ALL = ("/", "/{proxy+}")
"""The paths that stand for all, where each cannot have one of its own."""
_SEGMENT = re.compile(r"[A-Za-z0-9._:-]+")  # of a path of a REST API, besides parameters in braces


class Preflights(Enum):
    """The paths whose OPTIONS goes to the function, as API Gateway does not answer their preflights itself.

    Elsewhere OPTIONS is no route of its own: `sam local` 1.170 takes one authorizer for all verbs of a path, at
    random where they differ.
    """

    NONE = "none"
    BESIDE_ANY = "beside ANY"
    ALL = "all"
    ALL_OPEN = "all, with no authorizer before them"


@dataclass(frozen=True, slots=True)
class GatewayRoute:
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


def gateway_routes(
    routes: Sequence[Route],
    *,
    validate: bool,
    preflights: Preflights = Preflights.NONE,
    documentation: Documentation | None = None,
) -> Iterator[list[GatewayRoute]]:
    """All that the app serves, HEAD included: each verb of each path; then ANY for each path; then ANY for all.

    The first of these is the one to take that fits into the API and the template. Raises ``ConfigurationError`` for a
    path that a REST API does not know how to spell.
    """
    asks = asks_who(routes)
    served = [
        one
        for route, path in _paths(routes)
        for one in _verbs(route, path, authorization_of(route, asks_who=asks), validate=validate)
    ]
    pages = [] if documentation is None else list(_documentation_routes(documentation))
    paths = _by_path([*served, *pages])
    options = preflights in (Preflights.ALL, Preflights.ALL_OPEN)
    yield _with_unique_names(
        [*served, *pages, *(_options(of_path, preflights) for of_path in paths if options)]
    )
    catch_all = [*(_at(served, path) for path in CATCH_ALL), *_by_path(pages)]
    for each in paths, catch_all:
        yield _with_unique_names(one for of_path in each for one in _any(of_path, preflights))


def _at(served: Iterable[GatewayRoute], path: str) -> list[GatewayRoute]:
    """All routes as those of one path, which takes the place of all others."""
    name = "Root" if path == "/" else "All"
    return [replace(one, path=path, name=name, comment="all paths") for one in served]


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


def _verbs(
    route: Route, path: str, authorization: Authorization, *, validate: bool
) -> Iterator[GatewayRoute]:
    resource = type(route.resource).__name__
    several = len(route.about.http) > 1
    name = camel_case(resource.removesuffix("Resource"), route.verb, route.http.title() if several else "")
    body = body_model(route) if validate else None
    one = GatewayRoute(name, route.http, path, f"{resource}.{route.verb}", authorization, body)
    yield one
    if route.http == "GET":
        yield replace(one, name=f"{name}Head", method="HEAD")


def _documentation_routes(documentation: Documentation) -> Iterator[GatewayRoute]:
    """The document, the page, and in one path all files of the page."""
    pages = ("OpenapiJson", DOCUMENT_PATH), ("Docs", PAGE_PATH), ("DocsFile", (*PAGE_PATH, "{file}"))
    for name, path in pages:
        authorization: Authorization = "none" if documentation.is_open else "required"
        one = GatewayRoute(name, "GET", "/" + "/".join(path), "PolyMicro(docs=…)", authorization)
        yield one
        yield replace(one, name=f"{name}Head", method="HEAD")


def _by_path(served: Iterable[GatewayRoute]) -> list[list[GatewayRoute]]:
    paths: dict[str, list[GatewayRoute]] = {}
    for one in served:
        paths.setdefault(one.path, []).append(one)
    return list(paths.values())


def _options(of_path: Sequence[GatewayRoute], preflights: Preflights) -> GatewayRoute:
    """OPTIONS of a path. A preflight carries no credentials (the Fetch standard, "CORS protocol and credentials").

    A REST API has no default authorizer before OPTIONS anyway: there it is as open as the path's verbs.
    """
    as_open = of_path[0].authorization if len({one.authorization for one in of_path}) == 1 else "required"
    authorization: Authorization = as_open if preflights is Preflights.ALL else "none"
    return GatewayRoute(f"{of_path[0].name}Options", "OPTIONS", of_path[0].path, "preflights", authorization)


def _any(of_path: Sequence[GatewayRoute], preflights: Preflights) -> Iterator[GatewayRoute]:
    """One route for all verbs of a path, and OPTIONS where it may not be among them."""
    first, comment = of_path[0], ", ".join(dict.fromkeys(one.comment for one in of_path))
    kinds = {one.authorization for one in of_path}
    # The app itself refuses who needs to be somebody, and is not.
    authorization: Authorization = first.authorization if len(kinds) == 1 else "optional"
    mixed = any(one.is_mixed for one in of_path) or ("required" in kinds and len(kinds) > 1)
    yield GatewayRoute(f"{first.name}Any", "ANY", first.path, comment, authorization, is_mixed=mixed)
    if preflights is not Preflights.NONE:
        yield _options(of_path, preflights)


def _with_unique_names(served: Iterable[GatewayRoute]) -> list[GatewayRoute]:
    """The routes, with a number behind a name that an earlier one has."""
    names: dict[str, int] = {}
    unique = []
    for one in served:
        count = names[one.name] = names.get(one.name, 0) + 1
        unique.append(one if count == 1 else replace(one, name=f"{one.name}{count}"))
    return unique


def camel_case(*words: str) -> str:
    """The words as one name of letters and digits, as CloudFormation takes it."""
    parts = (part for word in words for part in re.split(r"[^A-Za-z0-9]+", word))
    return "".join(part[:1].upper() + part[1:] for part in parts)
