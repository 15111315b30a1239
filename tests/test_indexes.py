"""What a model declares besides what it inherits."""

from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda.dynamodb.models import declaring_model, indexes_of


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


@pytest.mark.parametrize(
    ("model", "first"),
    [
        pytest.param(First, First, id="itself"),
        pytest.param(Plain, First, id="a method more"),
        pytest.param(Moved, First, id="another table, twice removed"),
        pytest.param(type("More", (First,), {"note": UnicodeAttribute(null=True)}), None, id="one more"),
        pytest.param(type("Other", (First,), {"text": UnicodeAttribute()}), None, id="another of the name"),
        pytest.param(type("Less", (First,), {"text": None}), None, id="one less"),
        pytest.param(Indexed, Indexed, id="an index"),
        pytest.param(Inheriting, Inheriting, id="an index that is inherited, and a copy"),
    ],
)
def test_who_has_declared_it_first(model: type[Model], first: type[Model] | None) -> None:
    assert declaring_model(model) is (model if first is None else first)


def test_indexes() -> None:
    assert indexes_of(Plain) == {}
    assert indexes_of(Inheriting) == {"by_text": Inheriting.by_text}
    assert Inheriting.by_text is not Indexed.by_text
