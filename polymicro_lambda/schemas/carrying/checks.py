"""Whether an attribute stores what a field loads, and the field shows what the attribute gives back."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields
from pynamodb.attributes import Attribute

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import json_text
from polymicro_lambda.schemas import fields as ours
from polymicro_lambda.schemas.values import as_json

from .samples import sample_values
from .stored_values import stored_value

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
            raw = stored_value(self.attribute, value)
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
        raw = stored_value(attribute, value)
    except _WRONG_TYPE:
        hint = ": DecimalAttribute can" if isinstance(value, Decimal) else ""
        return f"{kind} cannot store the {type(value).__name__} that the field {loads} loads{hint}"
    except Exception:  # noqa: BLE001 - code of the app's: this value may be wrong, and another right
        return None
    if raw is None or field.load_only or attribute.attr_type in _NESTED:
        return None
    try:
        return (
            None
            if _shows(field, attribute.deserialize(raw))
            else f"the field {loads} cannot show what {kind} gives"
        )
    except Exception:  # noqa: BLE001 - as above
        return None


def check_shown(field: fields.Field[Any], attribute: Attribute[Any], values: Iterable[Any]) -> None:
    """Raise ``ConfigurationError`` where a field that only shows an attribute can show none of these ``values``."""
    if isinstance(field, _CALLING) or attribute.attr_type in _NESTED:
        return
    shown = [_shows(field, value) for value in values]
    if shown and not any(shown):
        kind = type(attribute).__name__
        raise ConfigurationError(f"the field {type(field).__name__} cannot show what {kind} gives")


def _shows(field: fields.Field[Any], value: Any) -> bool:
    """Whether the field makes JSON of a value of this type."""
    try:
        json_text(as_json(field._serialize(value, "", {})))
    except _WRONG_TYPE:
        return False
    except Exception:  # noqa: BLE001 - code of the app's: it is this value that may be wrong
        return True
    return True


def check_own_way(attribute: Attribute[Any], field: fields.Field[Any], *, reads: bool) -> None:
    """Raise ``ConfigurationError`` where an attribute class with a way of its own gives no value of the field's type.

    Nor one that looks like what it has stored. ``reads`` says whether it has a ``deserialize`` of its own, and not
    only a ``serialize``.
    """
    refused = False
    for value in sample_values(field):
        try:
            raw = stored_value(attribute, value)
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
    if type(one) is type(other):
        return True
    shown = [field._serialize(value, "", {}) for value in (one, other)]
    return bool(shown[0] == shown[1])
