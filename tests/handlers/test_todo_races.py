"""The Todo API's writing requests, two of them at once: as if one came after the other."""

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement
from typing import Any

import pytest
from contract import ALICE, Caller
from local_engine import local

from handlers.todo import Todo, pm
from polymicro_lambda.project.isolation import FAKE_AWS, forget_connections, own_tables, strict_moto
from polymicro_lambda.testing import assert_serializable


@pytest.fixture(scope="module")
def client(engine: str) -> Iterator[Caller]:
    """Over a table that all pairs share, as each leaves it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FAKE_AWS.items():
            patch.setenv(name, value)
        with strict_moto(patch) if engine == "moto" else local(patch):
            own_tables([Todo], patch)
            Todo.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
            yield Caller(pm.compile(), user=ALICE)
        forget_connections()


@pytest.fixture
def path(client: Caller) -> Iterator[str]:
    """That of a todo."""
    made = client.post("/todo", json={"text": "milk"}).raise_for_status().json
    path = f"/todo/{made['owner']}/{made['uuid']}"
    yield path
    client.delete(path).raise_for_status()


def matching(client: Caller, path: str) -> dict[str, str]:
    """``If-Match`` with the todo's tag."""
    return {"If-Match": client.get(path).headers["etag"]}


Ask = Callable[[Caller, str, dict[str, str]], Any]
REQUESTS: dict[str, Ask] = {
    "create": lambda client, path, tag: client.post("/todo", json={"text": "new"}),
    "text": lambda client, path, tag: client.patch(path, json={"text": "bread"}),
    "done": lambda client, path, tag: client.patch(path, json={"done": True}),
    "replace": lambda client, path, tag: client.put(path, json={"text": "cheese"}),
    "delete": lambda client, path, tag: client.delete(path),
    "text, If-Match": lambda client, path, tag: client.patch(path, json={"text": "wine"}, headers=tag),
    "replace, If-Match": lambda client, path, tag: client.put(path, json={"text": "beer"}, headers=tag),
    "delete, If-Match": lambda client, path, tag: client.delete(path, headers=tag),
}
PAIRS = [
    pytest.param(one, other, id=f"{one} - {other}")
    for one, other in combinations_with_replacement(REQUESTS, 2)
]


@pytest.mark.thorough(but=("text - replace", "delete - text, If-Match"))
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_requests_at_once(client: Caller, path: str, one: str, other: str) -> None:
    tag = matching(client, path)
    assert_serializable(
        client, *(lambda client, ask=REQUESTS[name]: ask(client, path, tag) for name in (one, other))
    )
