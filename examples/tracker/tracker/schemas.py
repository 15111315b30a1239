"""Bodies that are no item's."""

from marshmallow import Schema, fields, validate


class Assignment(Schema):
    """The body of an assignment."""

    assignee = fields.String(required=True, allow_none=True, validate=validate.Length(1, 100))
