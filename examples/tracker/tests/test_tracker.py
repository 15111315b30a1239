"""What the tracker does, and what each request costs."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from botocore.client import BaseClient

from polymicro_lambda.deploy.iam_policy import grants

TASKS, TASK = "/projects/{p}/tasks", "/projects/{p}/tasks/{t}"
COMMENTS = TASK + "/comments"
JSON = {"Content-Type": "application/json"}


@contextmanager
def before_the_next_write(act):
    """Let somebody else act just before the next write made inside."""
    real, left = BaseClient._make_api_call, [act]

    def racing(client, operation, parameters):
        if left and ("Write" in operation or operation in ("PutItem", "UpdateItem", "DeleteItem")):
            left.pop()()
        return real(client, operation, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", racing)
        yield


@contextmanager
def recorded():
    """The DynamoDB calls made inside: operation and parameters."""
    calls, call = [], BaseClient._make_api_call

    def recording(client, operation, parameters):
        calls.append((operation, parameters))
        return call(client, operation, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", recording)
        yield calls


def items(result):
    assert result.status == 200, result.text
    return result.json["items"]


def titles(result):
    return [task["title"] for task in items(result)]


# --- projects and members


def test_a_project_is_its_makers(world):
    project = world.ask("admin", "GET", "/projects/{p}").json
    url = f"https://api.example.com/projects/{world.project}"
    assert project["url"] == url
    assert project["tasks"] == f"{url}/tasks"
    (mine,) = items(world.ask("member", "GET", "/projects"))
    assert (mine["role"], mine["project"]) == ("member", project)
    assert items(world.ask("colleague", "GET", "/projects")) == []


def test_projects_are_listed_in_pages(world):
    for _ in range(2):
        world.ask("admin", "POST", "/projects", json={"name": "more"})
    first = world.ask("admin", "GET", "/projects?limit=2")
    query = {"limit": 2, "pagination_key": first.json["pagination_key"]}
    rest = items(world.ask("admin", "GET", "/projects", query=query))
    assert (len(items(first)), len(rest)) == (2, 1)


def test_the_budget_is_the_admins_to_write(world):
    assert world.ask("admin", "PATCH", "/projects/{p}", json={"budget": 12}).json["budget"] == 12
    assert world.ask("viewer", "GET", "/projects/{p}").json["budget"] == 12


def test_who_changes_first_wins(world):
    """A project has a version, which is its entity tag."""
    read = world.ask("admin", "GET", "/projects/{p}").headers["etag"]
    assert (
        world.ask("admin", "PATCH", "/projects/{p}", json={"name": "a"}, headers={"If-Match": read}).status
        == 200
    )
    late = world.ask("admin", "PATCH", "/projects/{p}", json={"name": "b"}, headers={"If-Match": read})
    assert (late.status, late.json["current"]["name"]) == (412, "a")


def test_an_invitation_is_accepted_once(world):
    body = {"user": "cat", "role": "member"}
    invited = world.ask("admin", "POST", "/projects/{p}/invitations", json=body)
    assert (invited.status, invited.json["invited_by"]) == (201, "ann")
    assert [one["user"] for one in items(world.ask("admin", "GET", "/projects/{p}/invitations"))] == ["cat"]
    assert [one["project"] for one in items(world.ask("colleague", "GET", "/invitations"))] == [world.project]
    assert world.ask("viewer", "POST", "/invitations/{p}/accept").status == 404
    assert world.ask("colleague", "POST", "/invitations/{p}/accept").status == 201
    assert world.ask("colleague", "POST", TASKS, json={"title": "Hello"}).status == 201
    assert world.ask("colleague", "POST", "/invitations/{p}/accept").status == 404


def test_a_member_accepts_no_second_role(world):
    world.ask("admin", "POST", "/projects/{p}/invitations", json={"user": "vic", "role": "admin"})
    assert world.ask("viewer", "POST", "/invitations/{p}/accept").status == 409
    assert world.ask("viewer", "DELETE", "/invitations/{p}").status == 204
    assert world.ask("viewer", "PATCH", "/projects/{p}", json={"name": "x"}).status == 403


def test_an_invitation_that_is_revoked_meanwhile_gives_nothing(world):
    """Also where the admin invites again, to less."""
    invite = ("admin", "POST", "/projects/{p}/invitations")
    world.ask(*invite, json={"user": "cat", "role": "admin"})
    with before_the_next_write(lambda: world.ask("admin", "DELETE", "/projects/{p}/invitations/cat")):
        assert world.ask("colleague", "POST", "/invitations/{p}/accept").status == 404
    assert world.ask("colleague", "GET", "/projects/{p}").status == 403
    world.ask(*invite, json={"user": "cat", "role": "admin"})

    def less():
        world.ask("admin", "DELETE", "/projects/{p}/invitations/cat")
        world.ask(*invite, json={"user": "cat", "role": "viewer"})

    with before_the_next_write(less):
        assert world.ask("colleague", "POST", "/invitations/{p}/accept").status == 409
    assert world.ask("colleague", "POST", "/invitations/{p}/accept").json["role"] == "viewer"


def test_an_expired_invitation_is_gone(world, app):
    model = next(route.model for route in app.pm.routes if route.template == "/invitations")
    past = datetime.now(UTC) - timedelta(minutes=1)
    said = {"tenant": "acme", "role": "admin", "invited_by": "ann", "expires": past}
    model(user="cat", project=world.project, **said).save()
    assert items(world.ask("colleague", "GET", "/invitations")) == []
    assert world.ask("colleague", "POST", "/invitations/{p}/accept").status == 404


def test_a_tenant_reads_itself(world, app):
    model = next(route.model for route in app.pm.routes if route.template == "/tenant")
    keys = {"tenant": "acme", "itself": "acme"} if hasattr(model, "itself") else {"tenant": "acme"}
    model(**keys, name="Acme").save()
    assert world.ask("viewer", "GET", "/tenant").json == {"tenant": "acme", "name": "Acme", "plan": "free"}
    assert world.ask("stranger", "GET", "/tenant").status == 404


# --- tasks


@pytest.fixture
def tasks(world):
    """Three tasks by the day when they are due, the second max's; the first, of the world, is due in two weeks."""
    for number, day in enumerate(("2030-03-01", "2030-01-01", "2030-02-01")):
        body = {"title": str(number), "due": f"{day}T00:00:00Z", "labels": ["moon", f"n{number}"]}
        made = world.ask("member", "POST", TASKS, json=body).json["task"]
        if number == 1:
            world.ask("admin", "POST", f"{TASKS}/{made}/assign", json={"assignee": "max"})
            world.ask("admin", "POST", f"{TASKS}/{made}/close")
    return world


@pytest.mark.parametrize(
    ("query", "expected", "index"),
    [
        ("", ["Land", "0", "1", "2"], None),
        ("?sort=due", ["Land", "1", "2", "0"], "by_due"),
        ("?sort=-due&limit=2", ["0", "2"], "by_due"),
        ("?status=closed", ["1"], "by_status"),
        ("?due__gte=2030-01-15T00:00:00Z", ["2", "0"], "by_due"),
        ("?labels__contains=n2", ["2"], None),
        ("?assignee=max", ["1"], None),
        ("?assignee=max&status=open", [], "by_status"),
    ],
)
def test_tasks_are_listed_by(tasks, query, expected, index):
    with recorded() as calls:
        assert titles(tasks.ask("viewer", "GET", TASKS + query)) == expected
    assert [operation for operation, _ in calls] == ["BatchGetItem", "Query"]
    assert calls[1][1].get("IndexName") == index


def test_the_tenant_is_asked_for_once(tasks):
    """Rule and path both bind it; a condition said twice is bytes to send and to check."""
    with recorded() as calls:
        tasks.ask("viewer", "GET", TASKS)
    values = [value for value in calls[1][1]["ExpressionAttributeValues"].values() if value == {"S": "acme"}]
    assert len(values) == 1


def test_my_tasks_are_those_of_all_projects(tasks):
    other = tasks.ask("member", "POST", "/projects", json={"name": "Sun"}).json["project"]
    path = f"/projects/{other}/tasks"
    made = tasks.ask("member", "POST", path, json={"title": "Burn"}).json["task"]
    assert tasks.ask("member", "POST", f"{path}/{made}/assign", json={"assignee": "max"}).status == 200
    assert titles(tasks.ask("member", "GET", "/me/tasks?sort=due")) == ["Burn", "1"]
    assert titles(tasks.ask("member", "GET", "/me/tasks?status=open")) == ["Burn"]
    assert titles(tasks.ask("admin", "GET", "/me/tasks")) == []


def test_a_task_goes_its_way(world):
    closed = world.ask("member", "POST", TASK + "/close")
    assert (closed.json["status"], closed.json["closed"] is None) == ("closed", False)
    assert world.ask("member", "POST", TASK + "/close").status == 409
    assert world.ask("viewer", "GET", TASKS + "/count").json == {"open": 0, "closed": 1}
    assert world.ask("member", "POST", TASK + "/reopen").json["closed"] is None


def test_a_task_is_assigned_to_members_alone(world):
    refused = world.ask("admin", "POST", TASK + "/assign", json={"assignee": "cat"})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "#/assignee")
    assert world.ask("admin", "POST", TASK + "/assign", json={"who": "max"}).status == 422
    assert world.ask("admin", "POST", TASK + "/assign", json={"assignee": "max"}).json["assignee"] == "max"
    assert world.ask("admin", "POST", TASK + "/assign", json={"assignee": None}).json["assignee"] is None


def test_an_estimate_is_for_members(world):
    assert world.ask("member", "PATCH", TASK, json={"estimate": 3}).json["estimate"] == 3
    assert "estimate" not in world.ask("viewer", "GET", TASK).json
    assert "estimate" not in items(world.ask("viewer", "GET", TASKS))[0]
    world.ask("admin", "POST", TASK + "/assign", json={"assignee": "vic"})
    assert "estimate" not in items(world.ask("viewer", "GET", "/me/tasks"))[0]
    world.ask("admin", "POST", TASK + "/assign", json={"assignee": "max"})
    assert items(world.ask("member", "GET", "/me/tasks"))[0]["estimate"] == 3
    world.ask("admin", "DELETE", "/projects/{p}/members/max")
    assert items(world.ask("member", "GET", "/me/tasks")) == []


def test_a_comment_needs_its_task(world):
    path = "/projects/{p}/tasks/none/comments"
    assert world.ask("member", "POST", path, json={"text": "x"}).status == 403
    assert [one["text"] for one in items(world.ask("viewer", "GET", COMMENTS))] == ["How?"]
    world.ask("admin", "DELETE", TASK)
    assert world.ask("viewer", "GET", COMMENTS).status == 403


WRITES = {
    "make a task": ("POST", TASKS, {"title": "x"}),
    "change": ("PATCH", TASK, {"title": "x"}),
    "close": ("POST", TASK + "/close", None),
    "assign": ("POST", TASK + "/assign", {"assignee": "max"}),
    "comment": ("POST", COMMENTS, {"text": "x"}),
    "change a comment": ("PATCH", COMMENTS + "/{c}", {"text": "x"}),
    "delete a comment": ("DELETE", COMMENTS + "/{c}", None),
}


@pytest.mark.parametrize("asked", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("less", ["nobody", "viewer"])
def test_a_role_that_is_taken_away_refuses_a_write_under_way(world, asked, less):
    method, path, body = asked
    options = {} if body is None else {"json": body}

    def demoted():
        how = ("PATCH", {"json": {"role": less}}) if less == "viewer" else ("DELETE", {})
        world.ask("admin", how[0], "/projects/{p}/members/max", **how[1]).raise_for_status()

    before = world.ask("admin", "GET", TASKS).json, world.ask("admin", "GET", COMMENTS).json
    with before_the_next_write(demoted):
        assert world.ask("member", method, path, **options).status == 403
    assert (world.ask("admin", "GET", TASKS).json, world.ask("admin", "GET", COMMENTS).json) == before


# --- what it costs

COSTS = {
    ("GET", "/tenant", None): ["GetItem"],
    ("GET", "/projects", None): ["Query", "BatchGetItem", "BatchGetItem"],
    ("POST", "/projects", '{"name": "x"}'): ["TransactWriteItems"],
    ("GET", "/projects/{p}", None): ["BatchGetItem"],
    ("PATCH", "/projects/{p}", '{"budget": 3}'): ["TransactWriteItems", "BatchGetItem"],
    ("GET", TASKS, None): ["BatchGetItem", "Query"],
    ("POST", TASKS, '{"title": "x", "estimate": 3}'): ["BatchGetItem", "TransactWriteItems"],
    ("GET", TASK, None): ["BatchGetItem"],
    ("PATCH", TASK, '{"title": "x"}'): ["TransactWriteItems", "BatchGetItem"],
    ("POST", TASK + "/close", None): ["BatchGetItem", "TransactWriteItems", "GetItem"],
    ("POST", TASK + "/assign", '{"assignee": "max"}'): ["BatchGetItem", "TransactWriteItems", "GetItem"],
    ("GET", TASKS + "/count", None): ["BatchGetItem", "Query", "Query"],
    ("DELETE", TASK, None): ["TransactWriteItems"],
    ("GET", "/me/tasks", None): ["Query"],
    ("POST", COMMENTS, '{"text": "x"}'): ["TransactWriteItems"],
    ("PATCH", COMMENTS + "/{c}", '{"text": "x"}'): ["BatchGetItem", "TransactWriteItems", "GetItem"],
    ("DELETE", "/projects/{p}/members/vic", None): ["TransactWriteItems"],
    ("GET", "/invitations", None): ["Query"],
}
"""A list of tasks costs no more than one of them."""


def test_each_request_makes_these_calls(worlds, app):
    """No more, over many tables or one; and each of them is one that the template's policy grants."""
    granted = {grant for route in app.pm.routes for grant in grants(route)}
    made = {}
    for method, path, body in COSTS:
        world = worlds()
        with recorded() as calls:
            world.ask("admin", method, path, body=body, headers=JSON if body else {})
        made[method, path, body] = [operation for operation, _ in calls]
        assert {one for call in calls for one in places(*call)} <= {
            (g.table, g.index, g.operation) for g in granted
        }
    assert made == COSTS


PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def places(operation, parameters):
    """Table, index and operation of a call; of each part of a transaction."""
    if operation == "TransactWriteItems":
        parts = [part for one in parameters["TransactItems"] for part in one.items()]
        return [(said["TableName"], "", PARTS[kind]) for kind, said in parts]
    tables = list(parameters.get("RequestItems", ())) or [parameters["TableName"]]
    return [(tables[0], parameters.get("IndexName", ""), operation)]


def test_who_is_told_no_costs_one_read_at_most(world):
    for who, expected in (("nobody", []), ("stranger", ["BatchGetItem"]), ("viewer", ["BatchGetItem"])):
        with recorded() as calls:
            assert world.ask(who, "POST", TASK + "/close").status in (401, 403)
        assert [operation for operation, _ in calls] == expected
