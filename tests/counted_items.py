"""An item that counts, with a version and without, as the tests of writes share it."""

from typing import Any

from contract import versioned
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class Plain(Model):
    class Meta:
        table_name = ""

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)
    count = NumberAttribute(default=0)


Versioned: Any = versioned(Plain)
OLD: dict[str, Any] = {"id": {"S": "1"}, "text": {"S": "old"}, "count": {"N": "0"}, "version": {"N": "1"}}
