"""What a model declares besides what it inherits."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda.dynamodb.models import indexes_of


class ByText(GlobalSecondaryIndex[Any]):
    class Meta:
        projection = AllProjection()

    text = UnicodeAttribute(hash_key=True)


class First(Model):
    class Meta:
        table_name = "first"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(null=True)


class Plain(First):
    def shout(self) -> str:
        return self.text.upper()


class Moved(Plain):
    class Meta:
        table_name = "moved"


class Indexed(First):
    by_text = ByText()


class Inheriting(Indexed):
    pass


def test_indexes() -> None:
    assert indexes_of(Plain) == {}
    assert indexes_of(Inheriting) == {"by_text": Inheriting.by_text}
    assert Inheriting.by_text is not Indexed.by_text
