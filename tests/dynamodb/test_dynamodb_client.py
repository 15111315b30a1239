"""Reading an item: the short way gives what PynamoDB's own gives, and stands back where a model goes its own."""

from typing import Any

import pytest
from pynamodb.attributes import DiscriminatorAttribute, TTLAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda.items import instances


class Plain(Model):
    class Meta:
        table_name = "plain"

    id = UnicodeAttribute(hash_key=True)
    colour = UnicodeAttribute(attr_name="c", default="red")
    size = UnicodeAttribute(default_for_new=lambda: "large", null=True)
    expires = TTLAttribute(null=True)
    version = VersionAttribute()


class Kind(Plain):
    kind = DiscriminatorAttribute()


class Blue(Kind, discriminator="blue"):
    shade = UnicodeAttribute(null=True)


class OwnInit(Plain):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attribute_values["made"] = "by init"


class OwnReading(Plain):
    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> "OwnReading":
        instance = super().from_raw_data(data)
        instance.attribute_values["made"] = "by reading"
        return instance


@pytest.mark.parametrize("model", [Plain, Kind, Blue, OwnInit, OwnReading])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="defaults"),
        pytest.param({"c": {"S": "green"}, "size": {"S": "small"}, "version": {"N": "7"}}, id="values"),
        pytest.param({"c": {"NULL": True}, "unknown": {"S": "x"}}, id="null and undeclared"),
        pytest.param({"expires": {"N": "1900000000"}}, id="setter of its own"),
    ],
)
def test_an_item_is_read_as_pynamodb_reads_it(model: type[Model], more: dict[str, Any]) -> None:
    raw = {"id": {"S": "1"}, **({"kind": {"S": "blue"}} if issubclass(model, Kind) else {}), **more}
    ours, theirs = instances.instance_of(model, raw), model.from_raw_data(raw)
    assert type(ours) is type(theirs)
    assert ours.attribute_values == theirs.attribute_values


def test_a_value_of_another_type_is_refused_all_the_same() -> None:
    with pytest.raises(Exception, match="Cannot deserialize 'c'"):
        instances.instance_of(Plain, {"id": {"S": "1"}, "c": {"N": "1"}})
