"""Strict JSON in (RFC 8259), compact JSON out."""

import json
import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any, NoReturn

from polymicro_lambda.exceptions import BadRequest

# CPython refuses to turn longer texts into an int (sys.set_int_max_str_digits); a Decimal holds them exactly.
INT_DIGITS = 4300

# A double's largest power of ten, either way: RFC 8259, section 6, expects no more of a parser, and to write
# out what Decimal can hold (1e-999999999) would take gigabytes.
EXPONENT = sys.float_info.max_10_exp


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < INT_DIGITS else Decimal(text)


def _fraction(text: str) -> float | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # an exponent past Decimal's own bound, as in 0e99999999999999999999
        raise _uncarried(text) from error
    if isinf(float(text)) or abs(number.adjusted()) > EXPONENT:
        raise _uncarried(text)
    # A float where it says the same; the Decimal where it would round.
    return float(text) if Decimal(repr(float(text))) == number else number


def _uncarried(text: str) -> BadRequest:
    return BadRequest(f"The body holds a number that no parser can carry: {text[:20]}.")


def _constant(text: str) -> NoReturn:
    raise BadRequest(f"The body is not JSON: {text} is not a JSON number.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadRequest(f"The body names {json.dumps(twice[:50])} twice in one object.")
    return members


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

_decoder = json.JSONDecoder(
    parse_int=_integer, parse_float=_fraction, parse_constant=_constant, object_pairs_hook=_members
)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]


def read_json(body: bytes | str) -> Any:
    """Read a JSON document: UTF-8, no duplicate members, no NaN or Infinity, numbers kept exactly.

    Integers come as ``int``, numbers with a fraction or exponent as ``float``, or where that would round as
    ``Decimal``. ``body`` may be text where that is ASCII. Raises ``BadRequest`` with the place of the first error.
    """
    try:
        # As "utf-8-sig" does, which is slower: a byte order mark is no part of the text.
        return _decoded(body if isinstance(body, str) else body.removeprefix(BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deep.") from error


def _decoded(document: str) -> Any:
    """As the decoder does, which looks for white space around the document before and after."""
    try:
        value, end = _scan(document, 0)
    except StopIteration:
        end = -1
    return value if end == len(document) else _decoder.decode(document)


def json_text(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Write compact JSON; ``default`` turns what JSON does not know into what it does.

    Raises ``ValueError`` for NaN and infinities, ``TypeError`` for what ``default`` does not know either.
    """
    try:
        return _ENCODER.encode(value)
    except TypeError:
        if default is None:
            raise
    # What JSON does not know is rare, and an encoder that does is made each time.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)


def json_bytes(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """The same in UTF-8."""
    return json_text(value, default).encode()
