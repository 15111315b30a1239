"""JSON values loaded and dumped such that DynamoDB and PynamoDB carry them exactly.

A value that would be rounded, coerced or dropped on the way to DynamoDB and back raises ``ValidationError``.
"""

import base64
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import singledispatch
from typing import Any, NoReturn, TypeVar

from marshmallow import ValidationError
from pynamodb.attributes import MapAttribute

from polymicro_lambda.http import INT_DIGITS, LongNumber, plain_number
from polymicro_lambda.types import MAX_ERRORS

DIGITS = 38
"""Significant digits of a DynamoDB number (Developer Guide, "Naming rules and data types")."""
SMALLEST, LARGEST = Decimal("1E-130"), Decimal("9.9999999999999999999999999999999999999E+125")
"""The magnitudes that a DynamoDB number other than 0 can have (same place)."""
CONTAINERS = 31
"""Maps and lists around a value in one attribute: DynamoDB's 32 levels, the value itself counted."""
JSON_CONTAINERS = 100
"""As ``CONTAINERS``, for JSON stored as text: DynamoDB has no limit there, but Python's call stack has."""
NAME_BYTES = 65535
"""The longest name of a map's member, in bytes of UTF-8; DynamoDB refuses longer ones."""

SAME_HASH = 16
"""Elements of a set that may have the same hash. Python hashes an int modulo 2**61 - 1: a set of multiples of that
takes quadratic time to make, here and at each read of the item."""

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)


def refuse(message: str | dict[Any, Any]) -> NoReturn:
    """Raise the ``ValidationError`` with this message, or with messages by key."""
    raise ValidationError(message)


def load_each(pairs: Iterable[tuple[_K, _T]], load: Callable[[_K, _T], Any]) -> dict[_K, Any]:
    """Load every pair, then raise all errors at once, by key; after ``MAX_ERRORS`` errors the rest is skipped."""
    loaded, errors = {}, {}
    for key, value in pairs:
        try:
            loaded[key] = load(key, value)
        except ValidationError as error:
            errors[key] = error.messages
            if len(errors) == MAX_ERRORS:
                break
    if errors:
        raise ValidationError(errors)
    return loaded


def load_distinct(values: Iterable[_T], load: Callable[[_T], _K]) -> set[_K]:
    """Load every value into a set, then raise all errors at once; a duplicate is an error."""
    by_hash: dict[int, list[_K]] = {}

    def add(_: int, value: _T) -> None:
        loaded = load(value)
        same_hash = by_hash.setdefault(hash(loaded), [])
        if loaded in same_hash:
            refuse("Is a duplicate.")
        if len(same_hash) == SAME_HASH:
            refuse("Is one of too many multiples of a large number.")
        same_hash.append(loaded)

    load_each(enumerate(values), add)
    return {loaded for same_hash in by_hash.values() for loaded in same_hash}


def load_text(value: object) -> str:
    """The value, if it is a string that UTF-8 can hold. Raises ``ValidationError``."""
    if not isinstance(value, str):
        refuse("Not a string.")
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse("Holds a lone surrogate, which UTF-8 cannot carry.")
    return value


def load_number(value: object, *, stored: bool = True) -> int | float | Decimal:
    """An int for an integral number, else the float that reads back as the same decimal.

    A ``LongNumber``, as paths and queries have it, may stay one: it looks for what others have stored.
    A ``stored`` number must keep within DynamoDB's limits; others are part of a JSON text. Raises ``ValidationError``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        refuse("Not a number.")
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if stored:
        load_decimal(exact)
    elif not exact.is_finite():
        refuse("Not a finite number.")
    if exact == exact.to_integral_value():
        return int(exact) if exact.adjusted() < INT_DIGITS else refuse("Too large a number.")
    loaded = plain_number(exact)
    if isinstance(loaded, LongNumber) and not isinstance(value, LongNumber):
        refuse("More digits than can be kept exactly (17).")
    return loaded


def load_decimal(exact: Decimal) -> Decimal:
    """The number, if DynamoDB has it. Raises ``ValidationError``."""
    if not exact.is_finite():
        refuse("Not a finite number.")
    if exact and not SMALLEST <= exact.copy_abs() <= LARGEST:
        refuse("Out of range: a magnitude from 1e-130 to 9.99e125.")
    if len("".join(map(str, exact.as_tuple().digits)).strip("0")) > DIGITS:
        refuse(f"More than {DIGITS} significant digits.")
    return exact


def load_binary(value: object) -> bytes:
    """The bytes of base64 with padding, as it is dumped. Raises ``ValidationError``."""
    try:
        loaded = base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError:
        refuse("Not base64.")
    return loaded if as_json(loaded) == value else refuse("Not canonical base64.")


def load_json(value: object, *, room: int, stored: bool = True) -> Any:
    """Any JSON value; ``room`` is how many levels of maps and lists it may have. Raises ``ValidationError``."""
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, list | dict):
        return load_text(value) if isinstance(value, str) else load_number(value, stored=stored)
    if not room:
        refuse("Nested too deep.")
    room -= 1
    if isinstance(value, list):
        return list(
            load_each(enumerate(value), lambda _, one: load_json(one, room=room, stored=stored)).values()
        )
    return load_each(value.items(), lambda name, one: _member(name, one, room, stored))


def _member(name: str, value: object, room: int, stored: bool) -> Any:
    size = len(load_text(name).encode())
    if stored and not 0 < size <= NAME_BYTES:
        refuse(f"A name has 1 to {NAME_BYTES} bytes.")
    return load_json(value, room=room, stored=stored)


@singledispatch
def as_json(value: Any) -> Any:
    """A value as JSON-ready; of any type that a raw map may hold, or another writer of the table may have stored."""
    return value


@as_json.register
def _(value: float | Decimal) -> int | float | Decimal:
    return plain_number(Decimal(repr(value)) if isinstance(value, float) else value)


@as_json.register
def _(value: bytes) -> str:
    return base64.b64encode(value).decode()


@as_json.register
def _(value: datetime) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)  # as UTCDateTimeAttribute stores it
    return aware.astimezone(UTC).isoformat()


@as_json.register(list)
@as_json.register(tuple)
def _(value: Iterable[Any]) -> list[Any]:
    return [as_json(each) for each in value]


@as_json.register
def _(value: set | frozenset) -> list[Any]:  # type: ignore[type-arg]
    return [as_json(each) for each in sorted(value)]


@as_json.register(Mapping)
@as_json.register(MapAttribute)
def _(value: Any) -> dict[str, Any]:
    # DynamoDB keeps no order of members: sorted, an item has one text and one digest, however it was read.
    return {name: as_json(value[name]) for name in sorted(value)}
