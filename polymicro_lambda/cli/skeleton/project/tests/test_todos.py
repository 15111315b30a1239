"""The API, driven by the events that API Gateway sends."""

import pytest


def test_a_todo_from_its_creation_to_its_end(alice):
    created = alice.post("/todos", json={"text": "Water the plants"})
    assert (created.status, created.json["owner"], created.json["done"]) == (201, "alice", False)

    item = f"/todos/{created.json['uuid']}"
    assert alice.get(item).json == created.json
    assert alice.patch(item, json={"text": "Water the roses"}).json["text"] == "Water the roses"
    assert alice.post(f"{item}/finish").json["done"] is True
    assert alice.delete(item).status == 204
    assert alice.get(item).status == 404


def test_a_todo_is_its_owners_alone(alice, bob):
    item = f"/todos/{alice.post('/todos', json={'text': 'Water the plants'}).json['uuid']}"
    assert bob.get(item).status == 404
    assert bob.patch(item, json={"done": True}).status == 404
    assert bob.delete(item).status == 404
    assert bob.get("/todos").json["items"] == []
    assert alice.get(item).status == 200


def test_a_list_by_what_is_done(alice):
    todos = [alice.post("/todos", json={"text": text}).json for text in ("Sow", "Reap")]
    alice.post(f"/todos/{todos[0]['uuid']}/finish")
    assert [todo["text"] for todo in alice.get("/todos?done=true").json["items"]] == ["Sow"]
    assert [todo["text"] for todo in alice.get("/todos?done=false").json["items"]] == ["Reap"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "#/text"), ({"text": 7}, "#/text"), ({"text": "Sow", "owner": "bob"}, "#/owner")],
    ids=["text is missing", "text is a number", "somebody else's"],
)
def test_a_todo_that_is_refused(alice, body, pointer):
    refused = alice.post("/todos", json=body)
    assert (refused.status, [error["pointer"] for error in refused.json["errors"]]) == (422, [pointer])


def test_without_a_user_there_is_nothing(client):
    assert client.get("/todos").status == 401
