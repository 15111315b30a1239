"""User x verb x instance: a rule says the same as a condition (``where``) and as Python code.

Each rule is stated three times: as a condition, as an opaque check, and as a truth from which the expected
outcome is worked out here. All three must agree on status, answer and what is stored afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from contract import Caller, create_table, dynamodb_call, stored
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    HasPermission,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)

Truth = Callable[[Any, str, Any], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """A rule in its forms."""

    truth: Truth
    """(user, method, item) -> whether it is allowed; an item's missing attributes are None."""
    where: Callable[[Any, str, Any], Any]
    """The same as a condition on the model."""
    admitted: Callable[[Any, str], bool] = lambda user, method: True
    """The part that needs no item."""
    negated: bool = False
    or_admin: bool = False
    """Admins are let pass as well."""


def is_mine(user: Any, method: str, item: Any) -> bool:
    return bool(item.owner == user.uuid)


def is_admin(user: Any, method: str = "") -> bool:
    return "admin" in user.permissions


CASES: dict[str, Case] = {
    "owner": Case(is_mine, lambda user, method, model: model.owner == user.uuid),
    "not the owner": Case(is_mine, lambda user, method, model: model.owner == user.uuid, negated=True),
    "owner or public": Case(
        lambda user, method, item: is_mine(user, method, item) or item.state == "public",
        lambda user, method, model: (model.owner == user.uuid) | (model.state == "public"),
    ),
    "all read, the owner writes": Case(
        lambda user, method, item: method in {"retrieve", "list"} or is_mine(user, method, item),
        lambda user, method, model: True if method in {"retrieve", "list"} else model.owner == user.uuid,
    ),
    "who it is shared with": Case(
        lambda user, method, item: user.uuid in (item.readers or ()),
        lambda user, method, model: model.readers.contains(user.uuid),
    ),
    "up to a level": Case(
        lambda user, method, item: item.level is not None and item.level <= 2,
        lambda user, method, model: model.level <= 2,
    ),
    "not locked": Case(
        lambda user, method, item: item.state is None,
        lambda user, method, model: model.state.does_not_exist(),
    ),
    "owner, and not locked but to read": Case(
        lambda user, method, item: (
            is_mine(user, method, item) and (method == "retrieve" or item.state != "locked")
        ),
        lambda user, method, model: (
            (model.owner == user.uuid)
            if method == "retrieve"
            else (model.owner == user.uuid) & ~(model.state == "locked")
        ),
    ),
    "admins, what is not theirs": Case(
        lambda user, method, item: item.owner != user.uuid,
        lambda user, method, model: model.owner != user.uuid,
        admitted=is_admin,
    ),
    "nothing of an admin's": Case(
        lambda user, method, item: item.owner == user.uuid,
        lambda user, method, model: model.owner == user.uuid,
        admitted=is_admin,
        negated=True,
    ),
    "owner, or an admin": Case(is_mine, lambda user, method, model: model.owner == user.uuid, or_admin=True),
    "not the owner, or an admin": Case(
        is_mine, lambda user, method, model: model.owner == user.uuid, negated=True, or_admin=True
    ),
}

USERS = {
    "alice": User("alice"),
    "bob": User("bob", groups=frozenset({"staff"})),
    "root": User("root", frozenset({"admin"})),
    "nobody": None,
}

ITEMS: dict[str, dict[str, Any]] = {
    "own": {"owner": "alice", "level": 1},
    "locked": {"owner": "alice", "state": "locked", "level": 2},
    "shared": {"owner": "bob", "readers": ["alice"], "level": 3},
    "public": {"owner": "bob", "state": "public"},
    "bare": {},
}


def rule_of(case: Case, form: str) -> Any:
    """The case as a permission."""

    class Declared(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return case.admitted(user, method)

        def where(self, user: Any, method: str, model: Any) -> Any:
            return case.where(user, method, model)

    class Opaque(Permission):
        def has_permission(self, user: Any, method: str) -> bool:
            return case.admitted(user, method)

        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return case.truth(user, method, instance)

    # In the third form a condition and an opaque check stand side by side.
    forms = {"where": Declared(), "opaque": Opaque(), "both": Declared() & Opaque()}
    rule = ~forms[form] if case.negated else forms[form]
    return rule | HasPermission("admin") if case.or_admin else rule


def admits(case: Case, user: User, method: str) -> bool:
    """Whether the rule could let the user do this to some item."""
    return case.admitted(user, method) or case.negated or (case.or_admin and is_admin(user))


def allowed(case: Case, user: User, method: str, item: Mapping[str, Any]) -> bool:
    """Whether the rule must let the user do this to the item."""
    attributes = dict.fromkeys(("owner", "state", "level", "readers")) | dict(item)
    said = case.admitted(user, method) and case.truth(user, method, SimpleNamespace(**attributes))
    return said is not case.negated or (case.or_admin and is_admin(user))


# --- what is driven


@pytest.fixture
def make(dynamodb: None, table_name: str) -> Callable[[Case, str], Caller]:
    class Doc(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute(null=True)
        state = UnicodeAttribute(null=True)
        level = NumberAttribute(null=True)
        readers = UnicodeSetAttribute(null=True)
        text = UnicodeAttribute(null=True)

    create_table(Doc, table_name)

    def client(case: Case, form: str) -> Caller:
        class Docs(ModelResource, Create, List, Retrieve, Update, Delete):
            model = Doc
            route = "docs"
            scan = True
            permissions = rule_of(case, form)

            @action()
            def touch(self, instance: Any) -> Any:
                return self.store.update(instance, {"text": "touched"})

        pm = PolyMicro(cursor_secret="one for all, as tags are made with it")
        Docs(pm)
        return Caller(pm.compile())

    return client


TYPES = {"level": "N", "readers": "SS"}


def raw(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    members = {
        key: {TYPES.get(key, "S"): str(value) if key == "level" else value} for key, value in item.items()
    }
    return {"id": {"S": name}, **members}


def reset(table: str) -> None:
    """Store just the items of the table."""
    for item in stored(table):
        if item["id"]["S"] not in ITEMS:
            dynamodb_call("delete_item", TableName=table, Key={"id": item["id"]})
    for name, item in ITEMS.items():
        dynamodb_call("put_item", TableName=table, Item=raw(name, item))


VERBS: dict[str, tuple[str, str, int]] = {
    "retrieve": ("GET", "", 200),
    "update": ("PATCH", "", 200),
    "replace": ("PUT", "", 200),
    "delete": ("DELETE", "", 204),
    "touch": ("POST", "/touch", 200),
}
"""Verb -> HTTP verb, what follows the item's path, and the status where it is allowed."""


def expected(case: Case, user: User | None, verb: str, item: Mapping[str, Any]) -> int:
    """The status that the contract demands."""
    if user is None:
        return 401
    method = "update" if verb == "replace" else verb
    if not admits(case, user, method):
        return 403
    if allowed(case, user, method, item):
        return VERBS[verb][2]
    return 403 if allowed(case, user, "retrieve", item) else 404


every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_user = pytest.mark.parametrize("user", USERS.values(), ids=USERS)
FORMS = ("where", "opaque", "both")


@pytest.mark.thorough(but=("bob-owner or public",))
@every_case
@every_user
def test_the_matrix(
    make: Callable[[Case, str], Caller], table_name: str, case: Case, user: User | None
) -> None:
    """Every verb on every item: what the contract says, in all forms, and stored is what was acknowledged."""
    clients = {form: make(case, form) for form in FORMS}
    reset(table_name)
    before = stored(table_name)
    for name, item in ITEMS.items():
        for verb, (http, suffix, _) in VERBS.items():
            body = {"PATCH": {"text": "new"}, "PUT": {**item, "text": "new"}}.get(http)
            sent = {} if body is None else {"json": body}
            outcomes = {}
            for form, client in clients.items():
                result = client.request(http, f"/docs/{name}{suffix}", user=user, **sent)
                after = stored(table_name)
                outcomes[form] = (result.status, result.headers, result.body, after)
                assert (after != before) is (result.status < 400 and verb != "retrieve"), (form, verb, name)
                if after != before:
                    reset(table_name)
            status = expected(case, user, verb, item)
            assert {form: outcome[0] for form, outcome in outcomes.items()} == dict.fromkeys(FORMS, status)
            assert outcomes["where"] == outcomes["opaque"] == outcomes["both"], (verb, name)


@pytest.mark.thorough(but=("alice-owner*",))
@every_case
@every_user
def test_creating(
    make: Callable[[Case, str], Caller], table_name: str, case: Case, user: User | None
) -> None:
    """The rule judges the item that would be there."""
    for form in FORMS:
        client = make(case, form)
        for name, item in ITEMS.items():
            result = client.post("/docs", json={"id": f"{form}-{name}", **item}, user=user)
            may = user is not None and allowed(case, user, "create", item)
            status = 401 if user is None else 201 if may else 403
            assert (result.status, form, name) == (status, form, name)
            found = [each for each in stored(table_name) if each["id"]["S"] == f"{form}-{name}"]
            assert found == ([raw(f"{form}-{name}", item)] if may else [])


@pytest.mark.thorough(but=("bob-owner*",))
@every_case
@every_user
def test_listing(make: Callable[[Case, str], Caller], table_name: str, case: Case, user: User | None) -> None:
    """A list shows just what the rule for ``list`` lets pass."""
    reset(table_name)
    results = [make(case, form).get("/docs", user=user) for form in FORMS]
    if user is None or not admits(case, user, "list"):
        assert [result.status for result in results] == [401 if user is None else 403] * len(FORMS)
        return
    shown = sorted(name for name, item in ITEMS.items() if allowed(case, user, "list", item))
    assert [sorted(item["id"] for item in result.json["items"]) for result in results] == [shown] * len(FORMS)
    assert len({result.body for result in results}) == 1
