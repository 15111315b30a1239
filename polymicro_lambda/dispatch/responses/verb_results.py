"""What a verb returns, told apart: a body, then optionally a status, headers and, for a list, a pagination key."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from pynamodb.attributes import MapAttribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import joined_values, plain_number
from polymicro_lambda.lists import NO_KEY, ListedRows, WrappedPage


@dataclass(slots=True)
class VerbResult:
    """What a verb returned."""

    body: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    key: Any = NO_KEY


def result_of(returned: Any, *, is_list: bool, verb: str = "a verb") -> VerbResult:
    """Tell the forms of a return value apart.

    After the body an int (not a bool) is the status and a dict the headers, either may stand alone; what follows in a
    list is its pagination key, which a dict with other values than texts and lists is too where nothing follows. A
    tuple whose second element is neither is a collection. Raises ``ConfigurationError`` for headers that are neither
    texts nor numbers nor lists of these, and for headers before a status; ``verb`` is its name for that.
    """
    if not isinstance(returned, tuple) or len(returned) < 2:
        return VerbResult(returned)
    body, *rest = returned
    status = _checked(rest.pop(0)) if _is_status(rest[0]) else None
    headers = rest.pop(0) if rest and _is_headers(rest[0], last_of_list=is_list and len(rest) == 1) else None
    may_have_key = (
        is_list and rest and (status is not None or headers is not None or isinstance(rest[0], dict))
    )
    key = rest.pop(0) if may_have_key else NO_KEY
    if rest and headers is not None:  # they are no item: nothing of them goes out
        kinds, also = ", ".join(type(one).__name__ for one in returned), ", then the pagination key"
        raise ConfigurationError(
            f"{verb} returned ({kinds}): after the body comes the status, then the headers{also * is_list}"
        )
    if rest or (status is None and headers is None and key is NO_KEY):
        return VerbResult(returned)
    return VerbResult(body, status, header_texts(headers or {}, verb), key)


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _checked(status: int) -> int:
    # An informational status (1xx) is no answer (RFC 9110, section 15.2).
    if not 200 <= status <= 599:
        raise ConfigurationError(f"a verb returned the status {status}; it must be from 200 to 599")
    return status


def _is_headers(value: Any, *, last_of_list: bool) -> bool:
    if not last_of_list or not isinstance(value, dict):
        return isinstance(value, dict)
    return all(isinstance(name, str) and isinstance(one, str | list | tuple) for name, one in value.items())


def header_texts(headers: Mapping[Any, Any], verb: str) -> dict[str, str]:
    """Headers by lower-case name; one of several values as ``joined_values`` has it, one of none is left out."""
    texts: dict[str, str] = {}
    for name, value in headers.items():
        values = value if isinstance(value, list | tuple) else (value,)
        for one in values:
            if not isinstance(name, str) or isinstance(one, bool) or not isinstance(one, _HEADER_VALUES):
                raise ConfigurationError(
                    f"{verb} returned a {type(one).__name__} as the header {name!a}: it must be a text, a number or a"
                    " list of these"
                )
        if values:
            texts[name.lower()] = joined_values(name.lower(), [str(one) for one in values])
    return texts


_HEADER_VALUES = (str, int, float, Decimal)


def is_collection(body: Any) -> bool:
    """Whether a body is a collection of items rather than one JSON value."""
    return _collects(body.__class__)


@cache
def _collects(kind: type) -> bool:
    return issubclass(kind, Iterable) and not issubclass(kind, str | bytes | Mapping | MapAttribute)


def json_default(
    dump: Callable[[Model], Any], note: Callable[[Any], Any] = lambda _: None
) -> Callable[[Any], Any]:
    """The ``default`` of ``json.dumps`` for what verbs return.

    ``dump`` is for instances inside other values; ``note`` is told what else has become JSON, as a generator a list.
    """

    def default(value: Any) -> Any:
        if isinstance(value, Model):
            return dump(value)
        for kind, convert in _CONVERSIONS:
            if isinstance(value, kind):
                converted = convert(value)
                note(converted)
                return converted
        raise ConfigurationError(f"a verb returned a {type(value).__name__}, which JSON cannot say")

    return default


def _listed(values: Iterable[Any]) -> list[Any]:
    try:
        return sorted(values, key=lambda value: (type(value).__name__, value))
    except TypeError:  # a set of what has no order, such as instances
        return list(values)


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (MapAttribute, MapAttribute.as_dict),
    (Mapping, dict),
    (datetime | date | time, lambda value: value.isoformat()),
    (Decimal, plain_number),
    (UUID, str),
    (bytes, lambda value: base64.b64encode(value).decode()),
    (set | frozenset, _listed),
    (Iterator, list),
    (ListedRows, ListedRows.all),
    (WrappedPage, lambda wrapped: wrapped.body),
)
