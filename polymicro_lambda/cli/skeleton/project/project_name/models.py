"""What is stored, and how it is found."""

from datetime import UTC, datetime
from uuid import uuid4

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model


class Todo(Model):
    """One thing to do; its owner and uuid are its key."""

    class Meta:
        table_name = "todos"

    owner = UnicodeAttribute(hash_key=True)
    uuid = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    created = UTCDateTimeAttribute(default=lambda: datetime.now(UTC))
    text = UnicodeAttribute()
    done = BooleanAttribute(default=False)
    due = UTCDateTimeAttribute(null=True)
