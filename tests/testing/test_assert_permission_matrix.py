"""The matrix of permissions: what it asks, how it fails, and that it leaves no trace."""

from typing import Any

import pytest
from contract import stored
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    HasPermission,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.testing import assert_permission_matrix

USERS = {"alice": User("alice", frozenset({"reader"})), "eve": User("eve"), "nobody": None}
MATRIX = """
    user    verb      hers   his
    alice   retrieve  200    hidden
    alice   update    allow  hidden
    alice   finish    allow  404
    alice   delete    204    hidden
    alice   retrieve  200    404
    alice   list      allow  allow
    alice   create    201    201
    eve     retrieve  deny   403
    nobody  delete    deny   401
"""


@pytest.fixture
def app(dynamodb: None, table_name: str) -> Any:
    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute(null=True)

    Note.Meta.table_name = table_name

    class NoteResource(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Note
        route = "notes"
        permissions = HasPermission("reader") & OwnedBy("owner", prefix="")

        @action()
        def finish(self, instance: Any, user: Any) -> Any:
            return self.update(instance, {"text": "done"}, user)

    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    pm = PolyMicro()
    pm.note = Note  # type: ignore[attr-defined]
    NoteResource(pm)
    return pm


def instances(app: Any) -> dict[str, Any]:
    return {"hers": app.note("alice", "a b"), "his": app.note("bob", "c")}


def assert_matrix(app: Any, expected: str) -> None:
    assert_permission_matrix(app, USERS, instances(app), expected, bodies={"create": {"name": "new"}})


def test_each_request_finds_the_instances_and_leaves_all_as_it_was(app: Any, table_name: str) -> None:
    app.note("zoe", "kept").save()
    before = stored(table_name)
    assert_matrix(app, MATRIX)
    assert stored(table_name) == before


def test_a_failure_is_a_table_with_marks(app: Any, table_name: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_matrix(app, "user verb hers his\nalice retrieve allow 200\neve list deny allow")
    assert str(caught.value) == (
        "Expected:\n"
        "user   verb      hers   his\n"
        "alice  retrieve  allow  200\n"
        "eve    list      deny   allow\n"
        "\n"
        "Found:\n"
        "user   verb      hers   his\n"
        "alice  retrieve  allow  404!\n"
        "eve    list      deny   403!"
    )
    assert stored(table_name) == []


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("user verb hers", "a single line"),
        ("verb user hers\nalice list 200", "begins with a line"),
        ("user verb hers\nalice list", "as many cells"),
        ("user verb hers\nmallory list 200", "mallory"),
        ("user verb ours\nalice list 200", "ours"),
        ("user verb hers\nalice list maybe", "maybe"),
        ("user verb hers\nalice fly 200", "0 routes of Note are 'fly'"),
    ],
)
def test_a_mistake_in_the_table_is_named(app: Any, expected: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assert_matrix(app, expected)
