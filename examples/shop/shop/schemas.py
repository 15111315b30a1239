"""Amounts of money, and bodies of actions."""

import re

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from .pictures import TYPES


class Money(fields.Decimal):
    """An amount in whole cents, as text: ``"19.90"``; ``digits`` are the most before the point."""

    def __init__(self, digits=12):
        self.pattern = rf"^[0-9]{{1,{digits}}}(\.[0-9]{{1,2}})?$"
        super().__init__(as_string=True, metadata={"format": "decimal", "pattern": self.pattern})

    def _deserialize(self, value, *args, **kwargs):
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValidationError('Write an amount as "19.90".')
        return super()._deserialize(value, *args, **kwargs)

    def _serialize(self, value, *args, **kwargs):
        return None if value is None else f"{value:.2f}"


class Wanted(Schema):
    """How many of a product a cart holds; none takes it out."""

    product = fields.String(required=True, validate=Length(1, 100))
    quantity = fields.Integer(required=True, strict=True, validate=Range(0, 1000))


class Delivery(Schema):
    """How many pieces have come in."""

    quantity = fields.Integer(required=True, strict=True, validate=Range(1, 1_000_000))


class Picture(Schema):
    """What a picture is."""

    type = fields.String(required=True, validate=OneOf(TYPES))
