"""The documentation that an app serves: ``/openapi.json``, and at ``/docs`` a page to read and to try it."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, TypeAlias

from polymicro_lambda.dispatch import ProblemWording, asks_for_user, fits
from polymicro_lambda.exceptions import ConfigurationError, NotFound
from polymicro_lambda.http import COMPRESSING, JSON_TYPE, Request, Response, accepts_gzip, json_bytes
from polymicro_lambda.items import EntityTags
from polymicro_lambda.permissions import AllowAny, Permission
from polymicro_lambda.routing import Route, Router
from polymicro_lambda.rules import Rule, rule_from

from . import swagger_ui
from .swagger_ui import File

Path: TypeAlias = tuple[str, ...]

DOCUMENT_PATH: Path = ("openapi.json",)
PAGE_PATH: Path = ("docs",)
PATHS: tuple[Path, ...] = (DOCUMENT_PATH, PAGE_PATH, *((*PAGE_PATH, name) for name in swagger_ui.NAMES))
"""All paths of documentation."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, no script but the page's own files (CSP 3)."""
SECURITY_HEADERS = {"content-security-policy": CONTENT_SECURITY_POLICY, "referrer-policy": "no-referrer"}
MAX_AGE = 31_536_000
"""Seconds, a year: the most that ``max-age`` is of use for (RFC 2616, section 14.21). The URL changes with the file."""


@dataclass(frozen=True)
class Documentation:
    """The documentation of an app's routes, for the users that its rule lets in."""

    routes: Sequence[Route]
    title: str | None
    version: str
    rule: Rule
    pages: Mapping[Path, Callable[[Request], Response]]
    problem: ProblemWording | None = None
    """What words errors."""

    @classmethod
    def of(
        cls,
        routes: Sequence[Route],
        permissions: Any,
        *,
        title: str | None,
        version: str,
        yields: bool = False,
        problem: ProblemWording | None = None,
    ) -> "Documentation":
        """The documentation under ``permissions``, True for everybody.

        With ``yields`` it has only the paths that are no route's; else such a route is a ``ConfigurationError``, as are
        permissions that need an item, and packages that are missing. A route that begins with a parameter stands
        behind them, as behind other routes.
        """
        swagger_ui.check()
        rule = rule_of(permissions)
        taken = {path: route for path in PATHS if (route := _route_at(Router(routes), path)) is not None}
        if taken and not yields:
            path, route = next(iter(taken.items()))
            raise ConfigurationError(
                f"{type(route.resource).__name__}.route: {route.template} takes /{'/'.join(path)}, which is the"
                " documentation's: give it another route, or say PolyMicro(docs=False)"
            )
        pages: dict[Path, Callable[[Request], Response]] = {}
        documentation = cls(routes, title, version, rule, pages, problem)
        pages |= {path: documentation._handler_of(path) for path in PATHS if path not in taken}
        return documentation

    @property
    def is_open(self) -> bool:
        """Whether it is for everybody, so that no authorizer need be asked."""
        return not asks_for_user(self.rule)

    @property
    def paths(self) -> tuple[str, ...]:
        """All its paths."""
        return tuple(f"/{'/'.join(path)}" for path in self.pages)

    def _handler_of(self, path: Path) -> Callable[[Request], Response]:
        named: dict[Path, Callable[[Request], Response]] = {
            DOCUMENT_PATH: self._document,
            PAGE_PATH: self._page,
        }
        return named.get(path) or partial(self._file, path[-1])

    # --- the response of each path -------------------------------------------------------------------------

    def _document(self, request: Request) -> Response:
        return self._answer(request, self._document_file, "no-cache")

    def _page(self, request: Request) -> Response:
        at = "" if request.has_trailing_slash else f"{PAGE_PATH[-1]}/"
        response = self._answer(request, swagger_ui.page(self.title, at), "no-cache")
        return Response(response.status, {**response.headers, **SECURITY_HEADERS}, response.body)

    def _file(self, name: str, request: Request) -> Response:
        return self._answer(request, swagger_ui.file(name), f"max-age={MAX_AGE}, immutable")

    @cached_property
    def _document_file(self) -> File:
        from .document import openapi  # noqa: PLC0415 - deferred: apispec, which most requests need not

        document = openapi(self.routes, title=self.title, version=self.version, problem=self.problem)
        return File.of(json_bytes(document), JSON_TYPE)

    def _answer(self, request: Request, file: File, caching: str) -> Response:
        headers = {
            "cache-control": f"{'public' if self.is_open else 'private'}, {caching}",
            "content-type": file.media,
            "etag": file.tag,
        }
        known = EntityTags.read(request.headers.get("if-none-match"), "If-None-Match")
        if known is not None and known.match_weakly(file.tag):
            del headers["content-type"]
            return Response(304, headers)
        if request.source not in COMPRESSING:
            return Response(200, headers, file.content)
        headers["vary"] = "Accept-Encoding"
        accepted = request.headers.get("accept-encoding")
        # Without this header any coding is fine (RFC 9110, section 12.5.3): a load balancer carries some only so.
        needed = accepted is None and not fits(file.content, request.source)
        if not (needed or accepts_gzip(accepted)):
            return Response(200, headers, file.content)
        return Response(200, {**headers, "content-encoding": "gzip"}, _gzipped(file))


@cache
def _gzipped(file: File) -> bytes:
    return gzip.compress(file.content, mtime=0)


def rule_of(permissions: Any) -> Rule:
    """The rule of ``docs``. Raises ``ConfigurationError`` for a permission that needs an item."""
    try:
        rule = rule_from(AllowAny if permissions is True else permissions)
    except ConfigurationError as error:
        raise ConfigurationError(f"PolyMicro.docs must be True, False or permissions: {error}") from error
    for leaf in rule.leaves():
        kind = type(leaf)
        if (kind.where, kind.has_object_permission) != (Permission.where, Permission.has_object_permission):
            raise ConfigurationError(f"PolyMicro.docs: {leaf} needs an item, and there is none")
    return rule


def _route_at(router: Router, path: Path) -> Route | None:
    """The route of a path, None where there is none that names the path's first segment."""
    try:
        route = next(iter(router.find(path).routes.values()))
    except NotFound:
        return None
    return route if route.parts[0] == path[0] else None
