"""Strict JSON in (RFC 8259), compact JSON out."""

import base64
import json
import re
import secrets
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable
from datetime import date, time
from decimal import Decimal, InvalidOperation
from math import isfinite, isinf
from typing import Any, NoReturn

from polymicro_lambda.exceptions import BadRequest

INT_DIGITS = 4300
"""Digits of the longest ``int`` that is read: CPython makes no int of a longer text, and no text of a longer int
(``sys.set_int_max_str_digits``), as both take time that grows with the square of the length. Of a longer text a Decimal
is made, which holds it exactly."""

_LEAST_TOO_LONG = 10**INT_DIGITS

MAX_EXPONENT = sys.float_info.max_10_exp
"""A double's largest power of ten, either way: RFC 8259, section 6, expects no more of a parser, and to write out a
Decimal such as 1e-999999999 would take gigabytes."""


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= INT_DIGITS + (text[0] == "-") else Decimal(text)


def _fraction(text: str) -> float | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # an exponent past Decimal's own bound, as in 0e99999999999999999999
        raise _number_error(text) from error
    if isinf(float(text)) or abs(number.adjusted()) > MAX_EXPONENT:
        raise _number_error(text)
    # A float where that is exact, else the Decimal.
    return float(text) if Decimal(repr(float(text))) == number else number


def _number_error(text: str) -> BadRequest:
    return BadRequest(f"The body holds a number that no parser can carry: {text[:20]}.")


def _constant(text: str) -> NoReturn:
    raise BadRequest(f"The body is not JSON: {text} is not a JSON number.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse_repeated(name for name, _ in pairs)
    return members


def _refuse_repeated(names: Iterable[str]) -> None:
    earlier: set[str] = set()
    for name in names:
        if name in earlier:
            raise BadRequest(f"The body names {json.dumps(name[:50])} twice in one object.")
        earlier.add(name)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

_decoder = json.JSONDecoder(
    parse_int=_integer, parse_float=_fraction, parse_constant=_constant, object_pairs_hook=_object
)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]


def read_json(body: bytes | str) -> Any:
    """Read a JSON document: UTF-8, no duplicate members, no NaN or Infinity, numbers kept exactly.

    Integers come as ``int``, those of more than ``INT_DIGITS`` digits as ``Decimal``; numbers with a fraction or
    exponent as ``float``, or where that would round as ``Decimal``. ``body`` may be text where that is ASCII. Raises
    ``BadRequest`` with the place of the first error.
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
    """The value of a document, as the decoder reads it; without white space around, as most are, in less time."""
    try:
        value, end = _scan(document, 0)
    except StopIteration:
        end = -1
    return value if end == len(document) else _decoder.decode(document)


MAX_DEPTH = 200
"""How deep lists and objects may be nested in a body that is no JSON; JSON's own reader stops at Python's limit."""


MAX_VALUES = 250_000
"""How many values a body that is no JSON may hold: about as many as JSON of 1 MB, in Python's time and not in C's."""
_PLAIN = frozenset((str, bool, type(None)))


def as_read(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A value that another reader gave, as ``read_json`` would give it: bytes are texts in base64, times of ISO 8601.

    Raises ``BadRequest`` for what no JSON can be: NaN, names that are no texts, too many digits, too deep a nesting;
    ``TypeError`` for an object of another class.
    """
    if type(value) in _PLAIN:
        return value
    if depth == 0:
        raise BadRequest("The body is nested too deep.")
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise BadRequest("The body names a member of an object by something else than a text.")
        return {name: as_read(one, depth - 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [one if type(one) in _PLAIN else as_read(one, depth - 1) for one in value]
    return _scalar(value)


def _is_long(value: Any) -> bool:
    """Whether a value is a Decimal that stands for an integer of too many digits."""
    long = isinstance(value, Decimal) and value.is_finite() and value.adjusted() >= INT_DIGITS
    return long and value.as_tuple().exponent == 0


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | time):
        return value.isoformat()
    # Compared, and not written out: that would take seconds for one of a megabyte.
    if abs(value) >= _LEAST_TOO_LONG if isinstance(value, int) else _is_long(value):
        raise BadRequest(f"The body holds an integer of more than {INT_DIGITS} digits: send it as a text.")
    if isinstance(value, int):
        return value
    if not isinstance(value, float | Decimal):
        raise TypeError(f"a parser gave a {type(value).__name__}, which is no JSON")
    if not isfinite(value):
        raise BadRequest("The body holds a number that is none: NaN or an infinity.")
    if isinstance(value, Decimal):
        return _fraction(str(value))
    return value


class LongNumber(Decimal):
    """A number with a fraction that no float carries. JSON has it as a number, of all its digits."""


def plain_number(exact: Decimal) -> int | float | LongNumber:
    """An int for an integral number, else the float that reads back as the same decimal, else a ``LongNumber``."""
    if exact.is_finite() and exact == exact.to_integral_value():
        return int(exact)
    carried = float(exact)
    return carried if not exact.is_finite() or Decimal(repr(carried)) == exact else LongNumber(exact)


def json_text(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Write compact JSON, a ``LongNumber`` and a long integer with all of their digits.

    ``default`` is that of ``json.dumps``: it turns values of other types into JSON's. Raises ``ValueError`` for NaN and
    infinities, ``TypeError`` for a value that ``default`` refuses too.
    """
    try:
        return _ENCODER.encode(value)
    except TypeError:
        # Values of other types are rare, and an encoder with a ``default`` is made each time.
        return _OtherTypes(default).text(value)


class _OtherTypes:
    """Writes JSON with values that the encoder does not know."""

    def __init__(self, default: Callable[[Any], Any] | None) -> None:
        self.default = default
        self.mark = secrets.token_hex()
        """Begins the text that stands for a number: nobody's text can begin so."""

    def text(self, value: Any) -> str:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=self._as_json
        )
        return re.sub(f'"{self.mark}([^"]*)"', r"\1", text) if self.mark in text else text

    def _as_json(self, value: Any) -> Any:
        if isinstance(value, LongNumber) or _is_long(value):
            return f"{self.mark}{value}"
        if self.default is None:
            raise TypeError(f"a {type(value).__name__} is no JSON")
        return self.default(value)


def json_bytes(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Compact JSON as ``json_text`` writes it, in UTF-8."""
    return json_text(value, default).encode()
