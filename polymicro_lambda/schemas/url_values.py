"""What paths and queries hold, all of it text, as the values of attributes."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError, fields

from .fields import BooleanField, NumberField
from .values import load_number

_AS_JSON: Mapping[str, Callable[[str], Any]] = {
    "N": lambda text: load_number(NumberField().from_path(text)),
    "BOOL": BooleanField().from_path,
}
"""DynamoDB type -> what JSON has in place of the text that a URL has."""


def value_of_text(field: fields.Field[Any], text: str, kind: str) -> Any:
    """The value that a field loads of a decoded text, for an attribute of this DynamoDB type. Raises ``ValueError``."""
    from_path = getattr(field, "from_path", None)
    if from_path is None and kind in _AS_JSON:  # a field of the app's own, which knows nothing of URLs
        try:
            return field.deserialize(_AS_JSON[kind](text))
        except (ValidationError, ValueError):
            pass  # it may take the text: a number in quotes, say
    try:
        return field.deserialize(text if from_path is None else from_path(text))
    except ValidationError as error:
        raise ValueError("; ".join(map(str, error.messages))) from error
