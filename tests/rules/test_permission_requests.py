"""Permissions that ask for the request: for the path's values, and for what one of them has found out already."""

from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, create_table, names
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    ConfigurationError,
    Create,
    IsAuthenticated,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
)
from polymicro_lambda.rules.algebra import rule_from
from polymicro_lambda.rules.context import Method, RuleContext

ROLES = {("p", "alice"): "admin", ("p", "bob"): "viewer"}


def role(user: Any, request: Any) -> str | None:
    """The user's role in the project of the path, found out once a request."""
    request.state["asked"] = request.state.get("asked", 0) + 1
    if "role" not in request.state:
        request.state["role"] = ROLES.get((request.path_params["project"], user.uuid))
    found: str | None = request.state["role"]
    return found


class Member(Permission):
    def has_permission(self, user: Any, method: Method, request: Any) -> bool:
        return role(user, request) is not None


class Admin(Permission):
    def has_permission(self, user: Any, method: Method, request: Any) -> bool:
        return role(user, request) == "admin"


class OfMine(Permission):
    def where(self, user: Any, method: Method, model: Any, request: Any) -> Any:
        return role(user, request) == "admin" or (model.author == user.uuid)


class Judged(Permission):
    def has_object_permission(self, user: Any, method: Method, instance: Any, request: Any) -> bool:
        return bool(instance.project == request.path_params["project"])


@pytest.fixture
def model(dynamodb: None, table_name: str) -> type[Model]:
    class Task(Model):
        class Meta:
            pass

        project = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        author = UnicodeAttribute(default="alice")
        budget = UnicodeAttribute(null=True)

    create_table(Task, table_name)
    return Task


def made(model: type[Model], **declared: Any) -> Caller:
    pm = PolyMicro()
    verbs = (ModelResource, Create, List, Retrieve, Update)
    said = {"model": model, "route": "projects/{project}/tasks", **declared}
    type("Tasks", verbs, said)(pm)
    return Caller(pm.compile(), user=ALICE)


def test_the_path_decides_before_any_call(model: type[Model]) -> None:
    """The answer for a project of others is that for one that is not there."""
    caller = made(model, permissions=Member)
    assert caller.post("/projects/p/tasks", json={"id": "1"}).status == 201
    with counted() as calls:
        foreign = caller.post("/projects/q/tasks", json={"id": "1"})
        assert_problem(foreign, 403)
        assert caller.get("/projects/nowhere/tasks").body == foreign.body
    assert calls == []


@pytest.mark.parametrize("rule", [Member & OfMine, Member & Judged, ~~Member & OfMine], ids=str)
def test_each_question_can_ask_for_it(model: type[Model], rule: Any) -> None:
    caller = made(model, permissions=rule)
    assert caller.post("/projects/p/tasks", json={"id": "1"}).status == 201
    assert [one["id"] for one in caller.get("/projects/p/tasks").json["items"]] == ["1"]
    assert caller.get("/projects/p/tasks/1").status == 200
    assert caller.patch("/projects/p/tasks/1", json={"budget": "3"}).status == 200


def test_a_condition_made_from_the_request_is_part_of_the_write(model: type[Model]) -> None:
    caller = made(model, permissions=Member & OfMine)
    caller.post("/projects/p/tasks", json={"id": "1"})
    with counted() as calls:
        assert caller.patch("/projects/p/tasks/1", json={"budget": "3"}, user=BOB).status == 404
        assert caller.patch("/projects/p/tasks/1", json={"budget": "3"}).status == 200
    assert names(calls) == ["UpdateItem", "UpdateItem"]


def test_field_rules_can_ask_for_it(model: type[Model]) -> None:
    caller = made(model, permissions=Member, field_permissions={"budget": Admin})
    assert caller.post("/projects/p/tasks", json={"id": "1", "budget": "9"}).status == 201
    assert_problem(caller.patch("/projects/p/tasks/1", json={"budget": "1"}, user=BOB), 422, "#/budget")
    assert "budget" not in caller.get("/projects/p/tasks/1", user=BOB).json
    assert caller.get("/projects/p/tasks/1").json["budget"] == "9"


def test_what_one_permission_found_out_the_others_know(model: type[Model]) -> None:
    """The state is the request's: verbs see it, and the next request starts anew."""
    seen = []

    def retrieve(self: Any, instance: Any, request: Any) -> Any:
        seen.append(dict(request.state))
        return instance

    caller = made(model, permissions=(Member, OfMine), field_permissions={"budget": Admin}, retrieve=retrieve)
    caller.post("/projects/p/tasks", json={"id": "1"})
    for _ in range(2):
        caller.get("/projects/p/tasks/1")
    assert seen[0]["role"] == "admin"
    assert seen[0] == seen[1]


def test_what_can_be_no_key_is_not_asked_about(model: type[Model]) -> None:
    """404, as without such a permission, which may look it up; with no user it is 401 all the same."""

    class Looks(Permission):
        def has_permission(self, user: Any, method: Method, request: Any) -> bool:
            raise AssertionError("asked about what can be no key")

    caller = made(model, permissions=Looks)
    for project in ("x" * 2049, "%01"):
        assert_problem(caller.get(f"/projects/{project}/tasks"), 404)
        assert_problem(caller.get(f"/projects/{project}/tasks/1", user=None), 401)


def test_nor_by_a_rule_of_a_field(model: type[Model]) -> None:
    class Looks(Permission):
        def has_permission(self, user: Any, method: Method, request: Any) -> bool:
            raise AssertionError("asked about what can be no key")

    caller = made(model, permissions=IsAuthenticated, field_permissions={"budget": Looks})
    for method in ("GET", "PATCH"):
        assert_problem(caller.request(method, f"/projects/{'x' * 2049}/tasks/1", json={}), 404)


@pytest.mark.parametrize("negated", [False, True])
def test_without_a_request_nobody_can_say(negated: bool) -> None:
    """As when a template asks what is open to nobody."""

    class Open(Permission):
        anonymous = True

        def has_permission(self, user: Any, method: Method, request: Any) -> bool:
            raise AssertionError("asked without a request")

    rule = rule_from(~Open() if negated else Open)
    assert rule.decide(RuleContext(None, Method("list", "GET"), Model)) is False


def test_any_other_argument_is_refused(model: type[Model]) -> None:
    class Wrong(Permission):
        def has_permission(self, user: Any, method: Method, path: str) -> bool:  # type: ignore[override]
            return True

    with pytest.raises(ConfigurationError, match=r"Wrong\.has_permission must take"):
        made(model, permissions=IsAuthenticated & Wrong)
