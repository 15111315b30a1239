"""A list's rows, written attribute by attribute, are what `wire` writes of each."""

from typing import Any

import pytest
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda.items.columns import item_array, item_texts
from polymicro_lambda.items.readers import reader_of
from polymicro_lambda.schemas.fast_path import SWITCH


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")


class Row(Model):
    class Meta:
        table_name = "rows"

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(attr_name="t", null=True)
    done = BooleanAttribute(default=False)
    made = UTCDateTimeAttribute()
    due = UTCDateTimeAttribute(null=True)
    count = NumberAttribute(default=7)
    tag = UnicodeAttribute(default=lambda: "made")


MOMENT = "2026-01-02T03:04:05.678901+0000"
ROW: dict[str, Any] = {
    "id": {"S": '"%s'},
    "t": {"S": "é"},
    "done": {"BOOL": True},
    "made": {"S": MOMENT},
    "due": {"S": "2030-01-02T03:04:05.000000+0000"},
    "count": {"N": "12"},
    "tag": {"S": "x"},
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ROW.items() if name not in names}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="none"),
        pytest.param([ROW], id="one"),
        pytest.param([ROW, without("t", "due"), without("count", "done"), ROW], id="some absent"),
        pytest.param([without("t"), without("t")], id="all absent"),
        pytest.param([ROW, {**ROW, "made": {"S": "2030-01-02T03:04:05.000000+0000"}}], id="whole seconds"),
        pytest.param([{**ROW, "id": {"S": "a"}}, without("t")], id="nothing to escape"),
        pytest.param([{**ROW, "id": {"S": "\x00\x01+0000\x00"}, "t": {"S": ""}}], id="control characters"),
        pytest.param([{**ROW, "id": {"S": MOMENT + "\x00,"}}], id="a text like a moment"),
        pytest.param([{**ROW, "t": {"S": "x"}}, {**ROW, "id": {"S": "\\"}}], id="one to escape"),
        pytest.param([ROW, {**ROW, "more": {"S": "undeclared"}}], id="undeclared"),
        pytest.param([ROW, {**ROW, "t": {}}], id="nothing in it"),
        pytest.param([ROW, without("tag")], id="a default that is called"),
    ],
)
def test_rows_are_what_each_is(rows: list[dict[str, Any]]) -> None:
    reader = reader_of(Row)
    assert reader is not None
    texts = [str(reader.text(row)) for row in rows]
    assert item_texts(Row, rows) == texts
    assert item_array(Row, rows) == f"[{','.join(texts)}]"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({**ROW, "t": {"NULL": True}}, id="a null"),
        pytest.param({**ROW, "t": {"N": "1"}}, id="another type"),
        pytest.param({**ROW, "made": {"S": "2026-02-30T03:04:05.678901+0000"}}, id="no such day"),
        pytest.param({**ROW, "made": {"S": MOMENT[:-1]}}, id="a moment too short"),
        pytest.param({**ROW, "made": {"S": MOMENT + MOMENT}}, id="two moments"),
        pytest.param({**ROW, "made": {"S": ""}}, id="no moment"),
        pytest.param({**ROW, "made": {"S": 5}}, id="no text"),
        pytest.param({**ROW, "count": {"N": "x"}}, id="no number"),
        pytest.param({**ROW, "id": {"S": "\ud800"}}, id="no characters"),
    ],
)
def test_what_is_not_usual_is_left_to_each(row: dict[str, Any]) -> None:
    assert item_texts(Row, [ROW, row]) is None
    assert item_array(Row, [row, ROW]) is None
