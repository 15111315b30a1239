"""An item in two forms at once: each is what it is made by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda.items.attribute_writers import stored_datetime
from polymicro_lambda.items.etags import canonical_bytes
from polymicro_lambda.items.readers import ItemReader, reader_of
from polymicro_lambda.items.renderings import Renderer, renderer_of


class Kept(Model):
    class Meta:
        table_name = "kept"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(attr_name="%s", null=True)
    due = UTCDateTimeAttribute(attr_name="D", null=True)
    done = BooleanAttribute(default=False)
    count = NumberAttribute(attr_name="N", null=True)
    size = UnicodeAttribute(attr_name="SS", null=True)
    tags = UnicodeSetAttribute(null=True)
    free = JSONAttribute(null=True)
    place: Any = MapAttribute(null=True)
    made = UTCDateTimeAttribute(default=lambda: datetime.now(UTC))


class Versioned(Kept):
    version = VersionAttribute()


TEXT = st.text(st.characters(codec="utf-8")).map(lambda text: {"S": text})
MOMENT = st.datetimes(timezones=st.just(UTC)).map(lambda moment: {"S": stored_datetime(moment)})
SURE = {"id": TEXT, "made": MOMENT}
MAYBE = {
    "%s": TEXT,
    "D": MOMENT,
    "done": st.booleans().map(lambda truth: {"BOOL": truth}),
    "N": st.integers(-(10**17), 10**17).map(lambda number: {"N": str(number)}),
    "SS": TEXT,
    "tags": st.lists(st.text(max_size=2), min_size=1, unique=True).map(lambda texts: {"SS": texts}),
    "free": st.just({"S": '{"a": [1, null]}'}),
    "place": st.just({"M": {"N": {"N": "1.50"}, "x": {"L": [{"S": "y"}]}}}),
}


def both() -> tuple[ItemReader, Renderer]:
    reader, renderer = reader_of(Kept), renderer_of(Kept)
    assert reader is not None
    assert renderer is not None
    return reader, renderer


@given(st.fixed_dictionaries(SURE, optional=MAYBE))
@example({"id": {"S": ""}, "made": {"S": "2000-02-29T00:00:00.000000+0000"}})  # a day that takes an instance
def test_both_forms_are_what_each_is_by_itself(raw: dict[str, Any]) -> None:
    reader, renderer = both()
    text = reader.text(raw)
    assert renderer.rendered(raw) == (None if text is None else (text, canonical_bytes(raw)))


WHOLE: dict[str, Any] = {"id": {"S": "1"}, "made": {"S": "2030-01-02T03:04:05.000000+0000"}}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param({**WHOLE, "other": {"S": "1"}}, id="undeclared"),
        pytest.param({**WHOLE, "D": {"NULL": True}}, id="null"),
        pytest.param({**WHOLE, "D": {"S": "2030-02-30T03:04:05.000000+0000"}}, id="no moment"),
        pytest.param({**WHOLE, "done": {"S": "1"}}, id="another type"),
    ],
)
def test_what_is_not_as_usual_is_left_to_each(raw: dict[str, Any]) -> None:
    assert both()[1].rendered(WHOLE) is not None
    assert both()[1].rendered(raw) is None


def test_a_version_is_the_tag_and_needs_no_rendering() -> None:
    assert renderer_of(Versioned) is None
