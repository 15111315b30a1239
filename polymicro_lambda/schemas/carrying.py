"""Whether an attribute stores what a field loads, and the field shows what the attribute gives back.

Of the package's own fields that is known. Of others it is tried with samples when the app compiles, and what single
values still fail is refused when a body is loaded.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import ValidationError, fields
from pynamodb.attributes import Attribute

from polymicro_lambda.dynamodb import NUMBERS
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import json_text

from . import fields as ours
from .values import as_json, load_text

SAMPLES: tuple[Any, ...] = (
    *(
        "a",
        "A",
        1,
        "1",
        1.5,
        True,
        "2030-01-31T12:00:00+00:00",
        "2030-01-31T12:00:00",
        "2030-01-31",
        "12:00:00",
    ),
    *(
        "00000000-0000-4000-8000-000000000000",
        "a@example.com",
        "https://example.com/",
        "192.0.2.1",
        "2001:db8::1",
    ),
    *("YQ==", [], {}),
)
"""JSON of which every field of marshmallow's loads some, but for those that have fields inside."""
DEEPEST = 4
"""So many fields inside of one another are tried: a schema may nest itself."""
_CALLING = (fields.Function, fields.Method)
"""These call code of the app's, which may do anything."""
_NESTED = frozenset({"M", "L"})
_WRONG_TYPE = (TypeError, AttributeError)


def is_own(field: fields.Field[Any]) -> bool:
    """Whether a field is of one of the package's own classes."""
    return type(field).__module__.startswith(f"{ours.__name__}.")


class Storable:
    """A validator: the attribute must store the value, and read back what it has stored."""

    __slots__ = ("attribute",)

    def __init__(self, attribute: Attribute[Any]) -> None:
        self.attribute = attribute

    def __call__(self, value: Any) -> None:
        """Raise ``ValidationError`` if it does not."""
        try:
            raw = _stored(self.attribute, value)
            if raw is not None and self.attribute.attr_type not in _NESTED:
                self.attribute.deserialize(raw)
        except (ValueError, *_WRONG_TYPE, ArithmeticError, LookupError) as error:
            raise ValidationError("Not a valid value.") from error


def check_carried(attribute: Attribute[Any], field: fields.Field[Any]) -> None:
    """Raise ``ConfigurationError`` where everything that a field loads is of a type that the attribute cannot store.

    Or where the field cannot show what the attribute gives back.
    """
    trouble = None
    for value in () if isinstance(field, _CALLING) else sample_values(field):
        trouble = _trouble(attribute, field, value)
        if trouble is None:
            return
    if trouble is not None:
        raise ConfigurationError(trouble)


def _trouble(attribute: Attribute[Any], field: fields.Field[Any], value: Any) -> str | None:
    """What is wrong with the value's type, None where nothing is, or only the value itself."""
    kind, loads = type(attribute).__name__, type(field).__name__
    try:
        raw = _stored(attribute, value)
    except _WRONG_TYPE:
        hint = ": DecimalAttribute can" if isinstance(value, Decimal) else ""
        return f"{kind} cannot store the {type(value).__name__} that the field {loads} loads{hint}"
    except Exception:  # noqa: BLE001 - code of the app's: this value may be wrong, and another right
        return None
    try:
        if raw is not None and attribute.attr_type not in _NESTED:
            json_text(as_json(field._serialize(attribute.deserialize(raw), "", {})))
    except _WRONG_TYPE:
        return f"the field {loads} cannot show what {kind} gives"
    except Exception:  # noqa: BLE001 - as above
        return None
    return None


def check_own_way(attribute: Attribute[Any], field: fields.Field[Any], *, reads: bool) -> None:
    """Raise ``ConfigurationError`` where no value comes through an attribute class with a way of its own unchanged.

    ``reads`` says whether it has a ``deserialize`` of its own, and not only a ``serialize``.
    """
    refused = False
    for value in sample_values(field):
        try:
            raw = _stored(attribute, value)
            if raw is None or not reads or _looks_alike(field, attribute.deserialize(raw), value):
                return
        except _WRONG_TYPE:
            pass
        except Exception:  # noqa: BLE001 - code of the app's
            if not reads:
                return  # it takes other values, and gives what its parent does
        refused = True
    if refused:
        raise ConfigurationError(
            f"no field is known to carry the values of {type(attribute).__name__}, which stores and reads them in a"
            " way of its own: give the class a marshmallow_field"
        )


def _looks_alike(field: fields.Field[Any], one: Any, other: Any) -> bool:
    shown = [field._serialize(value, "", {}) for value in (one, other)]
    return bool(shown[0] == shown[1])


def sample_values(field: fields.Field[Any]) -> Iterator[Any]:
    """Some values that a field loads, without its validators."""
    for sample in _samples(field, 0):
        try:
            value = _loaded(field, sample)
        except Exception:  # nosec B112 # noqa: BLE001, S112 - a class of the app's may raise anything
            continue
        yield value


def _loaded(field: fields.Field[Any], sample: Any) -> Any:
    return field._deserialize(sample, getattr(field, "name", None) or "", {})


def _samples(field: fields.Field[Any], level: int) -> Iterator[Any]:
    """JSON that a field may take."""
    if level == DEEPEST:
        return
    if isinstance(field, fields.Enum):
        yield from (sample for member in field.enum for sample in (member.name, member.value))
    elif isinstance(field, ours.EnumField):
        yield from field.members
    elif isinstance(field, fields.Nested):
        one = {
            member.data_key or name: sample
            for name, member in field.schema.load_fields.items()
            for sample in _first(member, level + 1)
        }
        yield [one] if field.schema.many else one
    elif isinstance(field, fields.List):
        yield _first(field.inner, level + 1)
    elif isinstance(field, fields.Tuple):
        yield [sample for inner in field.tuple_fields for sample in _first(inner, level + 1)]
    else:
        yield from SAMPLES


def _first(field: fields.Field[Any], level: int) -> list[Any]:
    """The first sample that a field takes, in a list; none in an empty one."""
    for sample in _samples(field, level):
        try:
            _loaded(field, sample)
        except Exception:  # nosec B112 # noqa: BLE001, S112 - as above
            continue
        return [sample]
    return []


# --- what DynamoDB gets ---


def _stored(attribute: Attribute[Any], value: Any) -> Any:
    """The value as DynamoDB gets it, None for absence. Raises ``TypeError`` for one that is not of its type."""
    raw = attribute.serialize(value)
    if raw is not None and not _is_stored(attribute.attr_type, raw):
        raise TypeError("DynamoDB would get a value of another type")
    return raw


def _is_stored(kind: str, raw: Any) -> bool:
    return _STORED[kind](raw)


def _is_text(raw: Any) -> bool:
    return isinstance(raw, str) and bool(load_text(raw) or True)


def _is_number(raw: Any) -> bool:
    try:
        return isinstance(raw, str) and raw.isascii() and NUMBERS.create_decimal(raw).is_finite()
    except InvalidOperation:
        return False


def _all(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda raw: isinstance(raw, list | tuple | set | frozenset) and all(map(test, raw))


def _is_member(raw: Any) -> bool:
    return isinstance(raw, Mapping) and all(_is_stored(kind, one) for kind, one in raw.items())


_STORED: Mapping[str, Callable[[Any], bool]] = {
    "S": _is_text,
    "N": _is_number,
    "B": lambda raw: isinstance(raw, bytes | bytearray),
    "BOOL": lambda raw: isinstance(raw, bool),
    "NULL": lambda raw: isinstance(raw, bool),
    "SS": _all(_is_text),
    "NS": _all(_is_number),
    "BS": _all(lambda raw: isinstance(raw, bytes | bytearray)),
    "L": _all(_is_member),
    "M": lambda raw: isinstance(raw, Mapping) and all(map(_is_member, raw.values())),
}
"""DynamoDB type -> whether a value is one of it."""
