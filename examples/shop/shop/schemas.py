"""Amounts of money, and bodies of actions."""

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from .pictures import TYPES


class Money(fields.Decimal):
    """An amount in whole cents, as text: ``"19.90"``."""

    def __init__(self):
        super().__init__(
            as_string=True, metadata={"format": "decimal", "pattern": r"^[0-9]+(\.[0-9]{1,2})?$"}
        )

    def _deserialize(self, value, *args, **kwargs):
        amount = super()._deserialize(value, *args, **kwargs)
        if amount != round(amount, 2):
            raise ValidationError("Not more than two decimal places.")
        return amount

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
