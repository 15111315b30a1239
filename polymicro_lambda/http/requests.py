"""One HTTP request, whichever event source it came from."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from polymicro_lambda.exceptions import BadRequest, NotFound
from polymicro_lambda.lazy import lazy
from polymicro_lambda.types import Event

from . import strict_json
from .addresses import NOWHERE, Site, domain_of, is_custom, mapped_depth
from .urls import NOT_FOUND


@dataclass(frozen=True)
class Request:
    """One HTTP request; a verb gets it as its argument ``request``.

    ``path`` is decoded, without stage and base path; ``segments`` are its parts, each decoded exactly once, after the
    split; ``query`` maps a parameter to all its values, decoded, in order; ``headers`` have lower-case names, several
    values joined by ``", "``; ``source`` is ``rest``, ``http``, ``url``, ``alb`` or ``lattice``; ``id`` is the event's
    request id, else the invocation's; ``user`` is the user or None; ``path_params`` is filled when the route
    is known: the values of the attributes that the path names.
    """

    method: str
    path: str
    segments: tuple[str, ...]
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: str | bytes | None = None
    """The body as it stands in the event."""
    base64_encoded: bool = False
    user: Any = None
    path_params: Mapping[str, Any] = field(default_factory=dict)
    event: Event = field(default_factory=dict, repr=False)
    context: Any = field(default=None, repr=False)
    source: str = "rest"
    id: str = ""
    prefix: str = ""
    """The part of the client's URL before ``path``: stage or base path, e.g. ``/prod``, or ``""``."""
    site: Site = NOWHERE
    """What the app says of its address."""
    state: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """Values that permissions and verbs keep for one another until the answer; the library puts nothing here."""

    @classmethod
    def of(cls, members: dict[str, Any]) -> Self:
        """The request with all these members, in less time than the constructor, which sets each by itself."""
        request = object.__new__(cls)
        object.__setattr__(request, "__dict__", members)
        return request

    def replaced(self, **members: Any) -> Self:
        """A copy of the request with these members; a body that has been read is not read again."""
        return type(self).of({**vars(self), **members})

    def set_path_params(self, path_params: Mapping[str, Any]) -> None:
        """Set the parameters of the path, before anybody else has the request."""
        vars(self)["path_params"] = path_params

    def place(self, site: Site) -> None:
        """Take the base path from ``path``, before anybody else has the request.

        Raises ``NotFound`` for a path outside of the base path that the app names.
        """
        members = vars(self)
        members["site"] = site
        base, segments = site.base_path, self.segments
        if self.source == "http" and self.prefix and is_custom(domain_of(self.event)):
            if self.prefix == "/" + "/".join(base):
                return
            members["prefix"] = (
                ""  # the event's path begins with the stage, but the URL of a custom domain does not
            )
        depth = len(base) or mapped_depth(segments, self.event)
        if segments[: len(base)] != base:
            raise NotFound(NOT_FOUND)
        if depth:
            members["prefix"] = "/" + "/".join(segments[:depth])
            members["segments"] = below = segments[depth:]
            members["path"] = "/" + "/".join(below)

    @lazy
    def base_url(self) -> str:
        """What absolute links to the API begin with: ``https://api.example.com/v1``, without a slash at the end.

        It is ``PolyMicro(base_url=…)``, else made of the domain that the event's context names. Where that names none,
        it is the path alone. It never comes from a header, which clients write.
        """
        domain = domain_of(self.event)
        if self.site.base_url or not domain:
            return self.site.base_url or self.prefix
        scheme = "http" if self.headers.get("x-forwarded-proto") == "http" else "https"
        return f"{scheme}://{domain}{self.prefix}"

    @property
    def root(self) -> str:
        """The path of the client's URL at which the API begins, without a slash at the end: ``/prod`` or ``""``."""
        return urlsplit(self.site.base_url).path if self.site.base_url else self.prefix

    @property
    def has_trailing_slash(self) -> bool:
        """Whether the client's path ended with a slash; without it the resource is the same."""
        path = self.event.get("rawPath") or self.event.get("raw_path") or self.event.get("path")
        if self.source == "lattice" and isinstance(path, str):
            path = path.partition("?")[0]
        return isinstance(path, str) and len(path) > 1 and path.endswith("/")

    @lazy
    def body(self) -> bytes:
        """The decoded body, empty if there is none. Raises ``BadRequest`` for bad base64."""
        content = self.content or b""
        if self.base64_encoded:
            try:
                return base64.b64decode(content, validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadRequest("The event says that the body is base64, but it is not.") from error
        if isinstance(content, bytes):
            return content
        try:
            return content.encode()
        except UnicodeEncodeError as error:  # a lone surrogate, as "\ud800" in the event's own JSON
            raise BadRequest("The body is not UTF-8.") from error

    @lazy
    def json(self) -> Any:
        """The body as JSON, None without a body. Raises ``BadRequest`` where it is not JSON."""
        content = self.content
        if type(content) is str and content.isascii() and content[:1] == "{" and not self.base64_encoded:
            return strict_json.read_json(content)  # as most bodies are: there is nothing to decode
        return strict_json.read_json(self.body) if self.body.strip() else None
