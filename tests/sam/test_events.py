"""Each event in ``events/`` through ``sam local invoke``, and SAM's own samples through the handlers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers import authorizer
from handlers.todo import Todo, handler
from polymicro_lambda.testing import FakeContext

from .conftest import JWT_SECRET, NEWEST, ROOT, Sam

EVENTS = sorted((ROOT / "events").glob("*.json"))
STATUS = {"create": 201, "list": 200, "retrieve": 200, "update": 200, "replace": 200, "delete": 204}
KEY = ("alice", "3f0e4a52-7a5c-4c1e-9d55-0d9f4c1b2a10")
"""The item that the events speak of."""


@pytest.mark.parametrize("event", EVENTS, ids=lambda path: path.stem)
def test_an_event_is_answered(
    event: Path, sam: Sam, built: Path, local: Callable[[str], list[str]], todos: type[Todo]
) -> None:
    todos(*KEY, text="Buy milk").save()
    invoke = ["local", "invoke", "TodoFunction", f"--event={event}", f"--template={built / 'template.yaml'}"]
    answer = json.loads(sam(*invoke, *local(NEWEST)))
    assert answer["statusCode"] == STATUS[event.stem.split("-")[1]], answer


@pytest.mark.parametrize("sample", ["apigateway aws-proxy", "apigateway http-api-proxy", "alb request"])
def test_a_sample_of_sams_is_refused(sample: str, sam: Sam) -> None:
    """Their paths are none of ours."""
    event = json.loads(sam("local", "generate-event", *sample.split()))
    assert handler(event, FakeContext())["statusCode"] == 404


@pytest.mark.parametrize("sample", ["apigateway authorizer", "apigateway request-authorizer"])
def test_the_authorizer_refuses_a_sample_of_sams(
    sample: str, sam: Sam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    event: dict[str, Any] = json.loads(sam("local", "generate-event", *sample.split()))
    with pytest.raises(authorizer.UnauthorizedError):
        authorizer.handler(event, None)
