"""What an app says of its users, and what it refuses to answer with."""

import gc
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ConfigurationError, List, ModelResource, PolyMicro, User
from polymicro_lambda.testing import Client


@pytest.fixture
def listing(dynamodb: None, table_name: str) -> Any:
    """A function that makes a client of an app whose list returns what it is given."""
    name = table_name

    class Thing(Model):
        class Meta:
            table_name = name

        id = UnicodeAttribute(hash_key=True)

    def make(returned: Any, **settings: Any) -> Client:
        class ThingResource(ModelResource, List):
            model = Thing
            route = "things"
            permissions = (AllowAny,)

            def list(self) -> Any:
                return returned

        pm = PolyMicro(**settings)
        ThingResource(pm)
        return Client(pm, user=User("alice"))

    return make


@pytest.mark.parametrize("status", [0, 2, 199, 600], ids=str)
def test_a_status_that_is_no_answer_is_our_fault(listing: Any, status: int) -> None:
    assert listing(([], status)).get("/things").status == 500


def test_a_generator_is_given_whole(listing: Any) -> None:
    """It has no key to go on from, so nothing of it may be cut off."""
    assert len(listing(iter(range(60))).get("/things").json["items"]) == 60


def test_a_cursor_needs_an_identified_user(listing: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A user object of another kind must say its id, or all such users would share their cursors."""
    assert listing(([1], 200, "k"), req_user_func=lambda _: object()).get("/things").status == 500
    assert "PolyMicro.user_id" in str(caplog.records[-1].exc_info)
    named = listing(([1], 200, "k"), req_user_func=lambda _: object(), user_id=lambda _: "alice")
    assert named.get("/things").status == 200


@pytest.mark.parametrize(
    ("function", "kept"), [("", False), ("things", True)], ids=["elsewhere", "in a Lambda"]
)
def test_what_there_is_is_kept_in_a_lambda(
    monkeypatch: pytest.MonkeyPatch, function: str, kept: bool
) -> None:
    """No later look for garbage goes through it."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    if function:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
    gc.unfreeze()
    try:
        with pytest.raises(ConfigurationError):
            PolyMicro().compile()
        assert (gc.get_freeze_count() > 0) is kept
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
def test_garbage_is_looked_for_afterwards_as_before(enabled: bool) -> None:
    """Also where nothing was compiled."""
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(ConfigurationError):
            PolyMicro().compile()
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
