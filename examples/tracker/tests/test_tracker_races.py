"""Two writing requests at once, in every order of their calls: as if one came after the other."""

import os
from dataclasses import replace
from itertools import combinations_with_replacement

import pytest
import tracker.app
import tracker.single
from worlds import made

from polymicro_lambda.project.engine import create_tables
from polymicro_lambda.project.isolation import (
    FAKE_AWS,
    forget_connections,
    own_tables,
    shared_engine,
    strict_moto,
)
from polymicro_lambda.testing import Client, assert_serializable

APPS = {"many tables": tracker.app, "one table": tracker.single}
PROJECT, TASK = "/projects/{p}", "/projects/{p}/tasks/{t}"
MEMBERS, INVITATIONS, COMMENTS = PROJECT + "/members", PROJECT + "/invitations", TASK + "/comments"

REQUESTS = {
    "make a project": ("admin", "POST", "/projects", {"name": "Sun"}),
    "rename": ("admin", "PATCH", PROJECT, {"name": "Mars"}),
    "budget": ("admin", "PATCH", PROJECT, {"budget": 3}),
    "archive": ("admin", "POST", PROJECT + "/archive", None),
    "add a member": ("admin", "POST", MEMBERS, {"user": "cat", "role": "viewer"}),
    "promote": ("admin", "PATCH", MEMBERS + "/max", {"role": "admin"}),
    "demote": ("admin", "PATCH", MEMBERS + "/max", {"role": "viewer"}),
    "expel": ("admin", "DELETE", MEMBERS + "/max", None),
    "invite": ("admin", "POST", INVITATIONS, {"user": "dan", "role": "viewer"}),
    "revoke": ("admin", "DELETE", INVITATIONS + "/cat", None),
    "accept": ("colleague", "POST", "/invitations/{p}/accept", None),
    "decline": ("colleague", "DELETE", "/invitations/{p}", None),
    "make a task": ("member", "POST", PROJECT + "/tasks", {"title": "Fly"}),
    "change": ("member", "PATCH", TASK, {"title": "Fly"}),
    "estimate": ("member", "PATCH", TASK, {"estimate": 3}),
    "assign": ("member", "POST", TASK + "/assign", {"assignee": "max"}),
    "assign to nobody": ("member", "POST", TASK + "/assign", {"assignee": None}),
    "close": ("member", "POST", TASK + "/close", None),
    "reopen": ("member", "POST", TASK + "/reopen", None),
    "delete": ("admin", "DELETE", TASK, None),
    "comment": ("member", "POST", COMMENTS, {"text": "So"}),
    "change a comment": ("member", "PATCH", COMMENTS + "/{c}", {"text": "So"}),
    "delete a comment": ("member", "DELETE", COMMENTS + "/{c}", None),
}
PAIRS = [pytest.param(*pair, id=" - ".join(pair)) for pair in combinations_with_replacement(REQUESTS, 2)]


@pytest.fixture(scope="module")
def engine(pytestconfig):
    """In memory by moto, or with ``--engine local`` DynamoDB Local; every pair leaves the tables as they were."""
    endpoint = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
    in_memory = pytestconfig.getoption("--engine", "moto") == "moto"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FAKE_AWS.items():
            patch.setenv(name, value)
        with strict_moto(patch) if in_memory else shared_engine(endpoint, patch):
            yield patch
        forget_connections()


@pytest.fixture(scope="module", params=APPS.values(), ids=APPS)
def world(request, engine):
    """A project, and an invitation to it."""
    app = request.param
    own_tables({route.model for route in app.pm.routes}, engine)
    create_tables(app.pm.routes, "engine of the test")
    world = made(Client(app.handler), "admin", "member")
    invited = {"user": "cat", "role": "member"}
    world.ask("admin", "POST", INVITATIONS, json=invited).raise_for_status()
    return world


def told(result):
    """The answer without the item: a transaction gives none back, so that an update shows it as it is right after.

    Where it cannot be shown by then, the same answer is a 204.
    """
    return replace(result, status=204, headers={}, body=b"") if result.status in (200, 204) else result


@pytest.mark.thorough(but=("many tables-close - close", "many tables-change - estimate"))
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_requests_at_once(world, one, other):
    def ask(name):
        who, method, path, body = REQUESTS[name]
        return lambda: told(world.ask(who, method, path, **({} if body is None else {"json": body})))

    assert_serializable(world.client, ask(one), ask(other))
