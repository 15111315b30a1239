"""Who may do what: each user and each request, and what a user of another tenant tries."""

import pytest
from worlds import USERS

PROJECT, TASKS, TASK = "/projects/{p}", "/projects/{p}/tasks", "/projects/{p}/tasks/{t}"
COMMENTS, COMMENT = TASK + "/comments", TASK + "/comments/{c}"
MEMBERS, INVITATIONS = "/projects/{p}/members", "/projects/{p}/invitations"

COLUMNS = ("admin", "member", "viewer", "colleague", "stranger", "nobody")
MATRIX = {
    # method, path, body: the status for each user
    ("GET", PROJECT, None): (200, 200, 200, 403, 403, 401),
    ("PATCH", PROJECT, '{"name": "Mars"}'): (200, 403, 403, 403, 403, 401),
    ("PATCH", PROJECT, '{"budget": 3}'): (200, 403, 403, 403, 403, 401),
    ("DELETE", PROJECT, None): (405, 405, 405, 405, 405, 405),
    ("POST", PROJECT + "/archive", None): (200, 403, 403, 403, 403, 401),
    ("GET", TASKS, None): (200, 200, 200, 403, 403, 401),
    ("POST", TASKS, '{"title": "Fly"}'): (201, 201, 403, 403, 403, 401),
    ("POST", TASKS, '{"title": "Fly", "estimate": 3}'): (201, 201, 403, 403, 403, 401),
    ("GET", TASKS + "/count", None): (200, 200, 200, 403, 403, 401),
    ("GET", TASK, None): (200, 200, 200, 403, 403, 401),
    ("PATCH", TASK, '{"title": "Fly"}'): (200, 200, 403, 403, 403, 401),
    ("PATCH", TASK, '{"status": "closed"}'): (422, 422, 403, 403, 403, 401),
    ("POST", TASK + "/assign", '{"assignee": "max"}'): (200, 200, 403, 403, 403, 401),
    ("POST", TASK + "/close", None): (200, 200, 403, 403, 403, 401),
    ("DELETE", TASK, None): (204, 403, 403, 403, 403, 401),
    ("GET", COMMENTS, None): (200, 200, 200, 403, 403, 401),
    ("POST", COMMENTS, '{"text": "So"}'): (201, 201, 403, 403, 403, 401),
    ("PATCH", COMMENT, '{"text": "So"}'): (200, 200, 403, 403, 403, 401),
    ("DELETE", COMMENT, None): (204, 204, 403, 403, 403, 401),
    ("GET", MEMBERS, None): (200, 200, 200, 403, 403, 401),
    ("GET", MEMBERS + "/ann", None): (200, 200, 200, 403, 403, 401),
    ("POST", MEMBERS, '{"user": "cat", "role": "viewer"}'): (201, 403, 403, 403, 403, 401),
    ("POST", MEMBERS, '{"user": "cat", "role": "king"}'): (422, 403, 403, 403, 403, 401),
    ("PATCH", MEMBERS + "/vic", '{"role": "member"}'): (200, 403, 403, 403, 403, 401),
    ("DELETE", MEMBERS + "/vic", None): (204, 403, 403, 403, 403, 401),
    ("DELETE", MEMBERS + "/ann", None): (403, 403, 403, 403, 403, 401),
    ("PATCH", MEMBERS + "/ann", '{"role": "viewer"}'): (403, 403, 403, 403, 403, 401),
    ("POST", INVITATIONS, '{"user": "cat", "role": "viewer"}'): (201, 403, 403, 403, 403, 401),
    ("GET", INVITATIONS, None): (200, 403, 403, 403, 403, 401),
    ("GET", "/projects", None): (200, 200, 200, 200, 200, 401),
    ("POST", "/projects", '{"name": "Sun"}'): (201, 201, 201, 201, 201, 401),
    ("GET", "/me/tasks", None): (200, 200, 200, 200, 200, 401),
    ("GET", "/invitations", None): (200, 200, 200, 200, 200, 401),
}


@pytest.mark.thorough(but=("many tables-*",))
@pytest.mark.parametrize("asked", MATRIX, ids=" ".join(("{0[0]} {0[1]}",)).format)
def test_matrix(worlds, asked):
    """A request that is let through gets a world of its own to change; those that are not share one."""
    method, path, body = asked
    headers = {"Content-Type": "application/json"} if body else {}
    world, statuses = worlds(), {}
    for who in reversed(COLUMNS):
        result = world.ask(who, method, path, body=body, headers=headers)
        statuses[who] = result.status
        if result.status < 400 and method != "GET":
            world = worlds()
    assert statuses == dict(zip(COLUMNS, MATRIX[asked], strict=True))


def test_somebody_elses_comment_is_theirs_and_the_admins(world):
    mine = world.ask("admin", "POST", COMMENTS, json={"text": "Mine"}).json["comment"]
    path = f"{TASK}/comments/{mine}"
    assert world.ask("member", "PATCH", path, json={"text": "x"}).status == 403
    assert world.ask("admin", "PATCH", path, json={"text": "x"}).json["author"] == "ann"
    assert world.ask("member", "POST", COMMENTS, json={"text": "x", "author": "ann"}).status == 422


def test_a_project_of_others_is_as_one_that_is_not_there(world):
    """Byte for byte: nobody finds out which ids there are."""
    there = world.ask("stranger", "GET", TASK, request_id="r")
    gone = world.ask("stranger", "GET", "/projects/none/tasks/none", request_id="r")
    assert (there.status, there.body) == (gone.status, gone.body)


def attacks(world):
    """Requests of evil's admin, whose own project mirrors acme's."""
    own, theirs = world.other, world
    mine = f"/projects/{own.project}"
    yield "path", "GET", f"/projects/{theirs.project}", None
    yield "task under my project", "GET", f"{mine}/tasks/{theirs.task}", None
    yield "patch under my project", "PATCH", f"{mine}/tasks/{theirs.task}", {"title": "x"}
    yield "close under my project", "POST", f"{mine}/tasks/{theirs.task}/close", None
    yield "comments of their task", "POST", f"{mine}/tasks/{theirs.task}/comments", {"text": "x"}
    yield "comment of theirs", "GET", f"{mine}/tasks/{theirs.task}/comments/{theirs.comment}", None
    yield "comment under my task", "GET", f"{mine}/tasks/{own.task}/comments/{theirs.comment}", None
    yield "delete of theirs", "DELETE", f"{mine}/tasks/{theirs.task}/comments/{theirs.comment}", None
    yield "tenant in the body", "POST", f"{mine}/tasks", {"title": "x", "tenant": "acme"}
    yield "project in the body", "POST", f"{mine}/tasks", {"title": "x", "project": theirs.project}
    yield "key in the body", "POST", "/projects", {"name": "x", "project": theirs.project}
    yield "patched tenant", "PATCH", f"{mine}/tasks/{own.task}", {"tenant": "acme"}
    yield "filter by tenant", "GET", f"{mine}/tasks?tenant=acme", None
    yield "filter by project", "GET", f"{mine}/tasks?project={theirs.project}", None
    yield "another's tasks", "GET", "/me/tasks?assignee=max", None
    yield "a key with a separator", "GET", f"/projects/{theirs.project}%23/tasks", None
    yield "tasks of theirs by a longer key", "GET", f"{mine}%23{theirs.project}/tasks", None
    yield "assign to theirs", "POST", f"{mine}/tasks/{own.task}/assign", {"assignee": "max"}


def test_no_attack_reaches_another_tenant(world):
    before = world.ask("admin", "GET", TASKS).json, world.ask("admin", "GET", COMMENTS).json
    for name, method, path, body in attacks(world):
        options = {} if body is None else {"json": body}
        result = world.client.request(method, path, user=USERS["stranger"], **options)
        assert result.status in (400, 403, 404, 422), (name, result.status, result.text)
    # What a task of evil's is called in acme's index of assignees is nobody's business there.
    assert world.ask("member", "GET", "/me/tasks").json["items"] == []
    assert (world.ask("admin", "GET", TASKS).json, world.ask("admin", "GET", COMMENTS).json) == before


def test_the_same_user_in_another_tenant_is_another(world):
    """Projects are of a tenant: a claim that changes takes all roles in them away."""
    ann = USERS["admin"]
    moved = type(ann)(ann.uuid, claims={"tenant": "evil"})
    assert world.client.get(world.url(PROJECT), user=moved).status == 404
    for method, path, body in (("GET", TASK, None), ("POST", TASKS, {"title": "x"}), ("GET", TASKS, None)):
        options = {} if body is None else {"json": body}
        assert world.client.request(method, world.url(path), user=moved, **options).status == 403
    assert world.client.get("/projects", user=moved).json["items"] == []
    without = type(ann)(ann.uuid)
    assert world.client.get(world.url(TASK), user=without).status == 403


def test_a_cursor_is_good_for_its_user_alone(world):
    for number in range(3):
        world.ask("admin", "POST", TASKS, json={"title": str(number)})
    first = world.ask("admin", "GET", TASKS + "?limit=2")
    query = {"limit": 2, "pagination_key": first.json["pagination_key"]}
    assert len(world.ask("admin", "GET", TASKS, query=query).json["items"]) == 2
    assert world.ask("viewer", "GET", TASKS, query=query).status == 400
    assert world.other.ask("stranger", "GET", TASKS, query=query).status == 400
