"""One HTTP request, whichever event source it came from."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.lazy import lazy
from polymicro_lambda.types import Event

from . import strict_json


@dataclass(frozen=True)
class Request:
    """One HTTP request; a verb gets it as its argument ``request``.

    ``path`` is decoded, without stage; ``segments`` are its parts, each decoded exactly once, after the split;
    ``query`` maps a parameter to all its values, decoded, in order; ``headers`` have lower-case names, several
    values joined by ``", "``; ``source`` is ``rest``, ``http``, ``url`` or ``alb``; ``id`` is the event's
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
    """The part of the client's URL before ``path``: the stage, e.g. ``/prod``, or ``""``."""
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

    @property
    def has_trailing_slash(self) -> bool:
        """Whether the client's path ended with a slash; without it the resource is the same."""
        path = self.event.get("rawPath") or self.event.get("path")
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
