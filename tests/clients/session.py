"""The Todo session of the Python client that openapi-python-client makes; run by test_python.py, where that is."""

import os
from http import HTTPStatus

from api_client import AuthenticatedClient
from api_client.api.todo import create_todo, delete_todo, list_todo, replace_todo, retrieve_todo, update_todo
from api_client.models import Problem, Todo, TodoCreate, TodoPage, TodoPatch, TodoReplace

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])

created = create_todo.sync(client=client, body=TodoCreate(text="Water the plants"))
assert isinstance(created, Todo)
assert (created.text, created.done, created.owner) == ("Water the plants", False, "alice")
key = (created.owner, created.uuid)

page = list_todo.sync(client=client, limit=10)
assert isinstance(page, TodoPage)
assert page.items == [created]
assert page.pagination_key is None

retrieved = retrieve_todo.sync_detailed(*key, client=client)
assert retrieved.parsed == created
tag = retrieved.headers["etag"]
assert (
    retrieve_todo.sync_detailed(*key, client=client, if_none_match=tag).status_code == HTTPStatus.NOT_MODIFIED
)

changed = update_todo.sync(*key, client=client, body=TodoPatch(done=True), if_match=tag)
assert isinstance(changed, Todo)
assert (changed.text, changed.done) == ("Water the plants", True)

lost = update_todo.sync_detailed(*key, client=client, body=TodoPatch(done=False), if_match=tag)
assert lost.status_code == HTTPStatus.PRECONDITION_FAILED
assert isinstance(lost.parsed, Problem)

replaced = replace_todo.sync(*key, client=client, body=TodoReplace(text="Feed the cat"))
assert isinstance(replaced, Todo)
assert (replaced.text, replaced.done) == ("Feed the cat", False)

assert delete_todo.sync_detailed(*key, client=client).status_code == HTTPStatus.NO_CONTENT

gone = retrieve_todo.sync(*key, client=client)
assert isinstance(gone, Problem)
assert (gone.status, gone.title) == (404, "Not Found")

nobody = AuthenticatedClient(base_url=os.environ["API"], token="wrong")
refused = list_todo.sync_detailed(client=nobody)
assert refused.status_code == HTTPStatus.UNAUTHORIZED
assert isinstance(refused.parsed, Problem)
print("done")
