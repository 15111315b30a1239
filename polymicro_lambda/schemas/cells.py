"""The cells of a table as the values that a field loads: a cell is a text, whatever it stands for."""

from collections.abc import Container, Mapping
from typing import Any

from marshmallow import Schema, fields, missing
from marshmallow.fields import Field

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import read_json

from .body_loader import attribute_of_field
from .fields import EnumField, NumberField

_JSON = (
    NumberField,
    fields.Boolean,
    fields.List,
    fields.Mapping,
    fields.Nested,
    fields.Number,
    fields.Raw,
    fields.TimeDelta,
    fields.Tuple,
)
"""The fields whose values are no texts in JSON."""


def row_values(row: Mapping[str, str], schema: Schema, defaults: Container[str] = ()) -> dict[str, Any]:
    """The values of a row by the fields that load them; what no field loads stays a text, for the schema to refuse.

    An empty cell is null. Where the field may not be null it is an empty text; where it has a default, as the
    attributes ``defaults`` do, and for fields of other values it is as if the column were not there.
    """
    by_name = {one.data_key or name: one for name, one in schema.load_fields.items()}
    known = {name: (text, by_name.get(name)) for name, text in row.items()}
    return {
        name: text if field is None else _value(text, field)
        for name, (text, field) in known.items()
        if text or field is None or field.allow_none or _may_be_empty(field, defaults)
    }


def _may_be_empty(field: Field[Any], defaults: Container[str]) -> bool:
    """Whether an empty cell is an empty text."""
    has_default = field.load_default is not missing or attribute_of_field(field) in defaults
    return isinstance(field, fields.String) and not has_default


def _value(text: str, field: Field[Any]) -> Any:
    if not text:
        return None if field.allow_none else ""
    kind = field.inner if isinstance(field, EnumField) else field
    if not isinstance(kind, _JSON) or getattr(kind, "as_string", False):  # a number that is a text
        return text
    word = text.strip()
    try:
        return read_json((word.lower() if isinstance(kind, fields.Boolean) else word).encode())
    except (BadRequest, UnicodeEncodeError):
        return text
