"""`self.store.read` by what is unique: the item that has the values now, under the rule, by two consistent reads."""

from collections.abc import Callable
from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, create_tables, dynamodb_call, names, watched
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Create, Delete, ModelResource, OwnedBy, PolyMicro, Update, action
from polymicro_lambda.deploy.iam_policy import grants

Make = Callable[..., Caller]
ANN = {"tenant": "t", "id": "1", "email": "ann@x.org", "nick": "ann", "badge": 7, "owner": "alice"}


class Finding(ModelResource, Create, Update):
    """An action that finds an item by what the body says."""

    route = "members"
    permissions: Any = AllowAny
    unique: Any = ("email", ("tenant", "nick"), "badge")

    @action(detail=False)
    def find(self, req: Any) -> Any:
        return self.store.read(req)


@pytest.fixture
def members(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/members``, in which ann is."""

    class Member(Model):
        class Meta:
            pass

        tenant = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        email = UnicodeAttribute(attr_name="e")
        nick = UnicodeAttribute(null=True)
        badge = NumberAttribute(null=True)
        owner = UnicodeAttribute()
        deleted = UTCDateTimeAttribute(null=True)

    Member.Meta.table_name = table_name  # type: ignore[attr-defined]

    def make(*bases: type, **body: Any) -> Caller:
        pm = PolyMicro()
        type("Members", (Finding, *bases), {"model": Member, **body})(pm)
        client = Caller(pm.compile(), user=ALICE)
        create_tables(pm)
        client.app_ = pm  # type: ignore[attr-defined]
        said = {name: value for name, value in ANN.items() if name != "owner" or "permissions" not in body}
        client.post("/members", json=said).raise_for_status()
        return client

    return make


@pytest.mark.parametrize(
    "values",
    [{"email": "ann@x.org"}, {"nick": "ann", "tenant": "t"}, {"badge": 7}, {"badge": 7.0}],
    ids=["a text", "two together", "a number", "the number otherwise"],
)
def test_the_item_that_has_the_values(members: Make, values: Any) -> None:
    client = members()
    with counted() as calls:
        found = client.post("/members/find", json=values)
    assert (found.status, found.json) == (200, {**ANN, "deleted": None})
    assert names(calls) == ["GetItem", "GetItem"]
    assert all(parameters["ConsistentRead"] for _, parameters in calls)


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        pytest.param({"email": "max@x.org"}, 1, id="nobody's"),
        pytest.param({"email": None}, 0, id="null"),
        pytest.param({"email": 5}, 1, id="another type"),
        pytest.param({"email": ["ann@x.org"]}, 1, id="a list"),
        pytest.param({"badge": "x"}, 0, id="no number"),
        pytest.param({"nick": "ann"}, 0, id="one of two"),
        pytest.param({"email": "ann@x.org", "badge": 7}, 0, id="of two constraints"),
        pytest.param({"owner": "alice"}, 0, id="not unique"),
        pytest.param({}, 0, id="none"),
    ],
)
def test_what_leads_to_no_item(members: Make, values: Any, calls: int) -> None:
    client = members()
    with counted() as made:
        found = client.post("/members/find", json=values)
    assert_problem(found, 404)
    assert len(made) == calls


def test_an_item_that_has_them_no_more_is_not_met(members: Make) -> None:
    """It gets another value between the two reads."""
    client, reads = members(), ["reservation", "item"]

    def act(operation: str, parameters: Any, call: Callable[[], Any]) -> Any:
        if operation == "GetItem" and reads and reads.pop(0) == "item":
            client.patch("/members/t/1", json={"email": "new@x.org"}).raise_for_status()
        return call()

    with watched(act):
        assert_problem(client.post("/members/find", json={"email": "ann@x.org"}), 404)
    assert client.post("/members/find", json={"email": "new@x.org"}).json == {
        **ANN,
        "email": "new@x.org",
        "deleted": None,
    }


def test_what_code_past_the_package_has_changed_is_not_met(members: Make, table_name: str) -> None:
    client = members()
    item = {"tenant": {"S": "t"}, "id": {"S": "1"}, "e": {"S": "past@x.org"}, "owner": {"S": "alice"}}
    dynamodb_call("put_item", TableName=table_name, Item=item)
    assert_problem(client.post("/members/find", json={"email": "ann@x.org"}), 404)


def test_it_is_under_the_rule(members: Make) -> None:
    client = members(permissions=OwnedBy("owner"))
    assert client.post("/members/find", json={"badge": 7}).json["id"] == "1"
    assert_problem(client.post("/members/find", json={"badge": 7}, user=BOB), 404)


def test_what_is_deleted_softly_is_not_there(members: Make) -> None:
    client = members(Delete, soft_delete="deleted")
    client.delete("/members/t/1").raise_for_status()
    assert_problem(client.post("/members/find", json={"badge": 7}), 404)


def test_the_policy_lets_a_verb_of_its_own_do_it(members: Make, table_name: str) -> None:
    (route,) = (one for one in members().app_.routes if one.verb == "find")  # type: ignore[attr-defined]
    found = {(grant.table, grant.operation) for grant in grants(route)}
    assert found == {(table_name, "GetItem"), (f"{table_name}_unique", "GetItem")}
