"""The part of a range of sort keys that lies before or after a key, exactly: a query takes closed bounds alone.

The least key above another one, and the greatest below, are keys of the type's own order: texts by code points
(which is that of their UTF-8 bytes), binary by bytes, numbers by their 38 digits.
"""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import typed_value
from polymicro_lambda.schemas import RANGE_BYTES

from .key_conditions import KeyValue

_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[])
_LEAST = Decimal("1E-130")
"""The least number above zero (DynamoDB Developer Guide, "Naming rules and data types")."""


class KeyRange(NamedTuple):
    """A closed range of sort keys; a bound that is None is open to all."""

    low: KeyValue | None = None
    high: KeyValue | None = None
    empty: bool = False

    @classmethod
    def of(cls, condition: Condition | None) -> "KeyRange":
        """The keys on which a key condition holds."""
        if condition is None:
            return cls()
        _, *operands = condition.values
        return _RANGES[condition.operator](*(operand.value for operand in operands))

    def beyond(self, key: KeyValue, *, forward: bool, inclusive: bool) -> "KeyRange":
        """The part of it that comes after a key, in this direction."""
        if forward:
            rest = KeyRange(low=key) if inclusive else _above(key)
        else:
            rest = KeyRange(high=key) if inclusive else _below(key)
        return self._and(rest)

    def condition(self, name: str) -> Condition | None:
        """The key condition of the range, None for all keys; there is none for an empty range."""
        path = Path([name])
        if self.low is None or self.high is None:
            low = None if self.low is None else path >= Value(self.low)
            return low if self.high is None else path <= Value(self.high)
        if self.low == self.high:
            return path == Value(self.low)
        return path.between(Value(self.low), Value(self.high))

    def _and(self, other: "KeyRange") -> "KeyRange":
        lows = [one for one in (self.low, other.low) if one is not None]
        highs = [one for one in (self.high, other.high) if one is not None]
        low = max(lows, key=_order) if lows else None
        high = min(highs, key=_order) if highs else None
        crossed = low is not None and high is not None and _order(low) > _order(high)
        return KeyRange(low, high, self.empty or other.empty or crossed)


NOTHING = KeyRange(empty=True)


def _order(key: KeyValue) -> tuple[str, object]:
    one = typed_value(key)
    return one.kind, one.value


def _above(key: KeyValue) -> KeyRange:
    return _stepped(key, up=True)


def _below(key: KeyValue) -> KeyRange:
    return _stepped(key, up=False)


def _beginning(prefix: KeyValue) -> KeyRange:
    ((kind, start),) = prefix.items()
    alphabet = _ALPHABETS[kind]
    return KeyRange(prefix, {kind: alphabet.stored(alphabet.filled(alphabet.text(start)))})


_RANGES: Mapping[str, Callable[..., KeyRange]] = {
    "=": lambda key: KeyRange(key, key),
    "BETWEEN": KeyRange,
    "begins_with": _beginning,
    ">=": lambda key: KeyRange(low=key),
    "<=": lambda key: KeyRange(high=key),
    ">": _above,
    "<": _below,
}
"""Operator of a key condition -> the range of its operands."""


def _stepped(key: KeyValue, *, up: bool) -> KeyRange:
    """All keys above this one, or all below."""
    ((kind, value),) = key.items()
    if kind == "N":
        found: object = _number_beside(Decimal(value), up=up)
    else:
        alphabet = _ALPHABETS[kind]
        text = (alphabet.after if up else alphabet.before)(alphabet.text(value))
        found = text and alphabet.stored(text)
    if not found:
        return NOTHING
    return KeyRange(low={kind: found}) if up else KeyRange(high={kind: found})


def _number_beside(number: Decimal, *, up: bool) -> str | None:
    """The next number, None after the last."""
    found = number.next_plus(_NUMBERS) if up else number.next_minus(_NUMBERS)
    if 0 < found.copy_abs() < _LEAST:  # between these and zero DynamoDB has none
        found = (_LEAST if up else -_LEAST) if number == 0 else Decimal(0)
    return str(found) if found.is_finite() else None


class _Alphabet(NamedTuple):
    """The texts of up to 1024 bytes in an encoding, in their order."""

    encoding: str
    greatest: Mapping[int, str]
    """Bytes -> the greatest character that has so many."""

    def text(self, value: str | bytes) -> str:
        return value if isinstance(value, str) else value.decode(self.encoding)

    def stored(self, text: str) -> str | bytes:
        return text if self.encoding == "utf-8" else text.encode(self.encoding)

    def room(self, text: str) -> int:
        """The bytes that the text leaves."""
        return RANGE_BYTES - len(text.encode(self.encoding))

    def filled(self, text: str) -> str:
        """The greatest text that begins with this one."""
        widest = max(self.greatest)
        whole, rest = divmod(self.room(text), widest)
        return text + self.greatest[widest] * whole + (self.greatest[rest] if rest else "")

    def after(self, text: str) -> str | None:
        """The least text above this one, None for the greatest."""
        if self.room(text) > 0:
            return f"{text}\0"
        while text:
            text, last = text[:-1], text[-1]
            point = ord(last) + 1
            raised = text + chr(0xE000 if point == 0xD800 else point) if last < self._top else ""
            if raised and self.room(raised) >= 0:
                return raised
        return None

    def before(self, text: str) -> str | None:
        """The greatest text below this one, None for the least: a key is not empty."""
        rest, last = text[:-1], text[-1]
        if last == "\0":
            return rest or None
        point = ord(last) - 1
        return self.filled(rest + chr(0xD7FF if point == 0xDFFF else point))

    @property
    def _top(self) -> str:
        return max(self.greatest.values())


_ALPHABETS = {
    "S": _Alphabet("utf-8", {1: "\x7f", 2: "\u07ff", 3: "\uffff", 4: "\U0010ffff"}),
    "B": _Alphabet("latin-1", {1: "\xff"}),
}
