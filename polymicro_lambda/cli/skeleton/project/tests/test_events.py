"""The events in ``events/``, which are for `polymicro invoke` and `sam local invoke -e` too."""

import json
from pathlib import Path

import pytest
from polymicro_lambda.testing import FakeContext

from project_name.app import handler
from project_name.models import Todo

EVENTS = Path(__file__).parent.parent / "events"
UUID = "3f0e4a52-7a5c-4c1e-9d55-0d9f4c1b2a10"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("create", 201),
        ("list", 200),
        ("retrieve", 200),
        ("update", 200),
        ("replace", 200),
        ("delete", 204),
        ("finish", 200),
    ],
)
def test_an_event(polymicro_tables, name, status):
    Todo("alice", UUID, text="Water the plants").save()
    event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    assert handler(event, FakeContext())["statusCode"] == status
