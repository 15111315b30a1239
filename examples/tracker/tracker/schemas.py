"""Bodies that say more than their models do."""

from marshmallow import Schema, fields, validate

from .permissions import RANKS

Role = validate.OneOf(list(RANKS))


class MemberSchema(Schema):
    """A membership; its user is said once, on create."""

    project = fields.String(dump_only=True)
    user = fields.String(required=True, validate=validate.Length(1, 100))
    role = fields.String(required=True, validate=Role)
    since = fields.AwareDateTime(dump_only=True)


class InvitationSchema(Schema):
    """An invitation."""

    project = fields.String(dump_only=True)
    user = fields.String(required=True, validate=validate.Length(1, 100))
    role = fields.String(required=True, validate=Role)
    invited_by = fields.String(dump_only=True)
    expires = fields.AwareDateTime(dump_only=True)


class Assignment(Schema):
    """The body of an assignment."""

    assignee = fields.String(required=True, allow_none=True, validate=validate.Length(1, 100))
