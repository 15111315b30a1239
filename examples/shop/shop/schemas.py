"""Bodies of actions, and what validators ask."""

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from .pictures import TYPES


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


def whole_cents(price):
    """Raise ``ValidationError`` for a price with more than two decimal places."""
    if price != round(price, 2):
        raise ValidationError("Not more than two decimal places.")
