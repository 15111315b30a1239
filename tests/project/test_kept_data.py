"""The journal of the embedded DynamoDB."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from polymicro_lambda.project import UsageError
from polymicro_lambda.project.engine import engine_of
from polymicro_lambda.project.kept_data import HEADER, Journal, KeptCall, restored

PUT = KeptCall("PutItem", "us-east-1", {"TableName": "t", "Item": {"id": {"S": "ü\n"}}})


def created(table: str, region: str = "us-east-1") -> KeptCall:
    return KeptCall("CreateTable", region, {"TableName": table})


def test_what_is_noted_is_there_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "place")
    assert journal.calls() == []
    journal.begin([created("t")])
    journal.note(PUT)
    journal.close()
    with closing(Journal(tmp_path / "new" / "place")) as again:
        assert again.calls() == [created("t"), PUT]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as first:
        for _ in range(2):
            with pytest.raises(UsageError, match="Another polymicro serve keeps its data in"):
                Journal(tmp_path)
            first.begin([PUT])


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["{}"], "is no journal of this version"),
        (["other"], "is no journal of this version"),
        (
            [json.dumps(HEADER), "cut", '{"operation":"PutItem","region":"r","body":{}}'],
            "is broken in line 2",
        ),
    ],
)
def test_another_file_is_refused(tmp_path: Path, lines: list[str], why: str) -> None:
    text = "\n".join(lines) + "\n"
    (tmp_path / "dynamodb.jsonl").write_text(text)
    with closing(Journal(tmp_path)) as journal, pytest.raises(UsageError, match=why):
        journal.calls()
    assert (tmp_path / "dynamodb.jsonl").read_text() == text


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="The data cannot be kept in"):
        Journal(tmp_path / "file" / "data")


def test_calls_become_tables_and_items() -> None:
    """Of a table that was deleted nothing is left; pages are followed."""
    made: list[KeptCall] = []

    def make(call: KeptCall) -> dict[str, Any]:
        made.append(call)
        if call.operation != "Scan":
            return {}
        start = call.body.get("ExclusiveStartKey")
        page = {"Items": [{"id": {"S": "2" if start else "1"}}]}
        return page if start else {**page, "LastEvaluatedKey": {"id": {"S": "1"}}}

    update = KeptCall("UpdateTable", "us-east-1", {"TableName": "t", "AttributeDefinitions": []})
    gone = [created("u"), KeptCall("DeleteTable", "us-east-1", {"TableName": "u"})]
    other = created("u", "eu-west-1")
    calls = [created("t"), *gone, other, PUT, update]
    left = list(restored(calls, make))
    assert made[: len(calls)] == calls
    assert left[:3] == [created("t"), other, update]
    assert [(one.operation, one.region, one.body["Item"]["id"]["S"]) for one in left[3:]] == [
        ("PutItem", "us-east-1", "1"),
        ("PutItem", "us-east-1", "2"),
        ("PutItem", "eu-west-1", "1"),
        ("PutItem", "eu-west-1", "2"),
    ]


def test_another_engine_keeps_its_own_data(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data keeps the data of the embedded DynamoDB"):
        engine_of({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"}, tmp_path)
