"""Bodies besides JSON: the renderers and parsers that an app declares by media type, and what ``Accept`` chooses."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from typing import Any, TypeAlias

from polymicro_lambda.exceptions import ConfigurationError, NotAcceptable, PolymicroError

from .requests import Request
from .responses import JSON_TYPE

Parameters: TypeAlias = Mapping[str, str]
JSON_RANGES = frozenset({"*/*", "application/*", JSON_TYPE})
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")  # RFC 6838, section 4.2, in lower case
_TEXT = re.compile(r"text/.*|.*[/+.-](json|xml|yaml|toml|csv|javascript|sql|graphql)")
"""Media types whose bodies are texts, where their renderer or parser says nothing of it."""


class FormatFailed(PolymicroError):
    """The cause of a 500: a renderer or a parser raised. Its text has media type and classes, and no data."""


class CellRows(list[dict[str, str]]):
    """The rows of a table whose cells are texts: the fields of a schema make values of them."""


class Representation:
    """What an answer can be given as besides JSON."""

    __slots__ = ("content_type", "media", "parameters", "renderer")

    def __init__(self, media: str, renderer: Any, parameters: Parameters, shown: str = "") -> None:
        self.media = media
        """The media type, in lower case."""
        self.renderer = renderer
        self.parameters = parameters
        """Those of the media type that ``Accept`` may name."""
        charset = "; charset=utf-8" if media.startswith("text/") else ""
        self.content_type = f"{media}{charset}{shown}"

    @property
    def makes_tables(self) -> bool:
        """Whether its renderer gets the items of a list without what stands around them."""
        return hasattr(self.renderer, "table")

    def failed(self, error: BaseException) -> FormatFailed:
        """What is logged where its renderer raised."""
        return FormatFailed(f"{self.media} by {_class_of(self.renderer)}: {type(error).__name__}")


class BodyType:
    """What a body can be sent as besides JSON."""

    __slots__ = ("media", "parser")

    def __init__(self, media: str, parser: Any) -> None:
        self.media = media
        self.parser = parser

    def parse(self, body: bytes) -> Any:
        """What the parser makes of a body. Raises what it raises."""
        return getattr(self.parser, "parse", self.parser)(body)

    def failed(self, error: BaseException) -> FormatFailed:
        """What is logged where its parser raised."""
        return FormatFailed(f"{self.media} by {_class_of(self.parser)}: {type(error).__name__}")


def is_binary(media: str, by: Any) -> bool:
    """Whether the bodies of a media type are no texts, as its renderer or parser says, else its name."""
    said = getattr(by, "binary", None)
    return said if isinstance(said, bool) else _TEXT.fullmatch(media) is None


def _class_of(by: Any) -> str:
    return getattr(by, "__qualname__", None) or type(by).__name__


# --- what is declared --------------------------------------------------------------------------------------------


def joined_formats(app: Mapping[str, Any], own: Mapping[str, Any], where: str, method: str) -> dict[str, Any]:
    """Those of the app, and over them those of a resource, of which None removes one of the app's.

    ``method`` is what an object has that is no function: ``render`` or ``parse``. Raises ``ConfigurationError``.
    """
    if not own:
        return dict(app)
    said = checked_formats(own, where, method, removed=app)
    return {name: one for name, one in {**app, **said}.items() if one is not None}


def checked_formats(
    said: Any, where: str, method: str, *, removed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Renderers or parsers by media type, in lower case. ``removed`` are those that None may stand for.

    Raises ``ConfigurationError`` for what is none, and where the library of one is missing.
    """
    if not isinstance(said, Mapping):
        raise ConfigurationError(f'{where} must be a dict by media types, such as {{"text/csv": CSV()}}')
    checked: dict[str, Any] = {}
    for name, one in said.items():
        media = name.strip().lower() if isinstance(name, str) else ""
        if not _MEDIA_TYPE.fullmatch(media):
            raise ConfigurationError(f'{where}: {name!r} is no media type, such as "text/csv"')
        if media == JSON_TYPE or media in checked:
            why = "JSON is always served" if media == JSON_TYPE else "it is there twice"
            raise ConfigurationError(f"{where}[{name!r}]: {why}: leave it out")
        _check_format(one, f"{where}[{name!r}]", method, may_be_none=removed is not None and media in removed)
        checked[media] = one
    return checked


def _check_format(one: Any, where: str, method: str, *, may_be_none: bool) -> None:
    if one is None and may_be_none:
        return
    if one is None:
        raise ConfigurationError(f"{where} is None, and there is nothing to remove")
    if isinstance(one, type) and hasattr(one, method):
        raise ConfigurationError(f"{where} is a class: write {one.__name__}()")
    if not callable(getattr(one, method, one)):
        raise ConfigurationError(f"{where} must be a function, or have a method {method!r}, not {one!r}")
    if not _takes_one(getattr(one, method, one)):
        raise ConfigurationError(f"{where} must take one argument, {_GIVEN[method]}")
    require: Callable[[], None] = getattr(one, "require", lambda: None)
    try:
        require()
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error


_GIVEN = {"render": "the JSON value", "parse": "the body's bytes"}


def _takes_one(function: Any) -> bool:
    """Whether a function can be called with one argument; of one of C's that says nothing it is taken so."""
    try:
        signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def representations_of(renderers: Mapping[str, Any]) -> tuple[Representation, ...]:
    """What answers can be given as, in the declared order; a renderer may have variants by a parameter."""
    found = []
    for media, renderer in renderers.items():
        found.append(Representation(media, renderer, getattr(renderer, "parameters", {})))
        for variant in getattr(renderer, "variants", ()):
            shown = "".join(f"; {name}={value}" for name, value in variant.parameters.items())
            found.append(Representation(media, variant, variant.parameters, shown))
    return tuple(found)


def body_types_of(parsers: Mapping[str, Any]) -> tuple[BodyType, ...]:
    """What bodies can be sent as."""
    return tuple(BodyType(media, parser) for media, parser in parsers.items())


# --- what is chosen ----------------------------------------------------------------------------------------------


def chosen_representation(request: Request, served: Sequence[Representation] = ()) -> Representation | None:
    """What ``Accept`` asks for (RFC 9110, section 12.5.1), None for JSON, as without that header.

    Of equal weights JSON comes first, then the order of the declaration. Raises ``NotAcceptable``.
    """
    header = request.headers.get("accept", "").strip()
    if not header or header in JSON_RANGES:
        return None
    ranges = [media_type(text) for text in header.split(",")]
    chosen, most = None, _weight_of(JSON_TYPE, None, ranges)
    for one in served:
        weight = _weight_of(one.media, one.parameters, ranges)
        if weight > most:
            chosen, most = one, weight
    if not most:
        there = ", ".join(dict.fromkeys([JSON_TYPE, *(one.media for one in served)]))
        accept = "one of these" if served else "that"
        raise NotAcceptable(f"This API answers with {there}: accept {accept}, or send no Accept header.")
    return chosen


def media_type(text: str) -> tuple[str, dict[str, str]]:
    """A media type or range in lower case, and its parameters."""
    media, *parameters = (part.strip() for part in text.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return media.lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _weight_of(
    media: str, parameters: Parameters | None, ranges: Iterable[tuple[str, dict[str, str]]]
) -> float:
    """The weight of a media type, by the most specific range that matches it; ``parameters`` None matches any."""
    best, weight = (0, 0), 0.0
    for range_, said in ranges:
        specificity = _specificity(range_, said, media, parameters)
        if specificity >= best and specificity[0]:
            best, weight = specificity, _quality(said)
    return weight


def _specificity(range_: str, said: Parameters, media: str, parameters: Parameters | None) -> tuple[int, int]:
    """How well a range fits: (0, 0) not at all, else the more the better."""
    if range_ == media:
        asked = {} if parameters is None else {name: one for name, one in said.items() if _counts(name, one)}
        fits = all((parameters or {}).get(name) == one.lower() for name, one in asked.items())
        return (3, len(asked)) if fits else (0, 0)
    if range_ == f"{media.partition('/')[0]}/*":
        return (2, 0)
    return (1, 0) if range_ == "*/*" else (0, 0)


def _counts(name: str, value: str) -> bool:
    """Whether a parameter of a range tells representations apart: all are UTF-8."""
    return name not in ("", "q") and not (name == "charset" and value.lower() in ("utf-8", "utf8"))


def _quality(parameters: Parameters) -> float:
    try:
        weight = float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
    return weight if weight > 0 else 0.0  # so "q=nan" weighs nothing
