"""The tree that finds the routes of a path."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError, NotFound
from polymicro_lambda.http import NOT_FOUND
from polymicro_lambda.lazy import lazy

from .authorization import Authorization, asks_who, authorization_of
from .routes import Route


@dataclass
class Match:
    """The routes of one path, by HTTP verb, and the values of its parameters in order."""

    routes: Mapping[str, Route]
    values: tuple[str, ...]

    @property
    def template(self) -> str:
        """The path's template, in the words of its first route."""
        return next(iter(self.routes.values())).template

    @lazy
    def allow(self) -> str:
        """The ``Allow`` header: HEAD where GET is, and OPTIONS (RFC 9110, section 10.2.1)."""
        head = {"HEAD"} if "GET" in self.routes else set()
        return ", ".join(sorted({*self.routes, *head, "OPTIONS"}))

    def params(self, route: Route) -> dict[str, Any]:
        """The parameters of the path by the names that the route gives them, typed.

        What cannot be a value of its attribute stays a text: it is 404, once it is known that the user may ask.
        """
        return route.schema.path_values(dict(zip(route.params, self.values)))  # noqa: B905 - they are as many


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """Finds the routes of a path: a literal segment goes before a parameter, a dead end goes back.

    Raises ``ConfigurationError`` for two of one HTTP verb on one path.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root, self._routes = _Node(), tuple(routes)
        for route in self._routes:
            other = self._leaf(route.parts).routes.setdefault(route.http, route)
            if other is not route:
                raise ConfigurationError(
                    f"{route.full_name} and {other.full_name} are both {route.http} {route.template}:"
                    " give one of them another route"
                )

    def _leaf(self, parts: Sequence[str]) -> _Node:
        node = self._root
        for part in parts:
            known = node.any if part[0] == "{" else node.literal.get(part)
            if known is None:
                known = _Node()
                if part[0] == "{":
                    node.any = known
                else:
                    node.literal[part] = known
            node = known
        return node

    def find(self, segments: Sequence[str]) -> Match:
        """The routes of a path. Raises ``NotFound``."""
        node, values = self._root, []
        for segment in segments:
            next_ = node.literal.get(segment)
            if next_ is None:
                values.append(segment)
                next_ = node.any
            elif node.any is not None:  # this one first, then the other: most paths never meet both
                return self._searched(segments)
            if next_ is None:
                break
            node = next_
        else:
            if node.routes:
                return Match(node.routes, tuple(values))
        raise NotFound(NOT_FOUND)

    def authorization(self, http: str, segments: Sequence[str]) -> Authorization:
        """How an authorizer stands before a request; ``required`` where there is no such route."""
        try:
            route = self.find(segments).routes.get("GET" if http == "HEAD" else http)
        except NotFound:
            return "required"
        return "required" if route is None else authorization_of(route, asks_who=asks_who(self._routes))

    def _searched(self, segments: Sequence[str]) -> Match:
        found = _search(self._root, segments, 0, ())
        if found is None:
            raise NotFound(NOT_FOUND)
        return found


def _search(node: _Node, segments: Sequence[str], place: int, values: tuple[str, ...]) -> Match | None:
    if place == len(segments):
        return Match(node.routes, values) if node.routes else None
    literal = node.literal.get(segments[place])
    found = _search(literal, segments, place + 1, values) if literal is not None else None
    if found is None and node.any is not None:
        found = _search(node.any, segments, place + 1, (*values, segments[place]))
    return found
