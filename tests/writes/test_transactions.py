"""``store.transaction()``: one TransactWriteItems when the block ends without an error, nothing when it does not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from contract import (
    ALICE,
    Caller,
    assert_problem,
    counted,
    create_tables,
    dynamodb_call,
    failing,
    meanwhile,
    names,
    stored,
    watched,
)
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    Idempotency,
    Key,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    User,
    action,
)
from polymicro_lambda.exceptions import Conflict, NotFound, PolymicroError

MINE = OwnedBy("owner")


class Shop:
    """Models, tables and an app of orders, products and payments."""

    def __init__(self, table: str) -> None:
        class Order(Model):
            class Meta:
                table_name = f"{table}o"

            id = UnicodeAttribute(hash_key=True)
            owner = UnicodeAttribute()
            status = UnicodeAttribute(default="cart")
            note = UnicodeAttribute(null=True)
            version = VersionAttribute()

        class Product(Model):
            class Meta:
                table_name = f"{table}p"

            id = UnicodeAttribute(hash_key=True)
            stock = NumberAttribute(default=0)
            active = BooleanAttribute(default=True)

        class Payment(Model):
            class Meta:
                table_name = f"{table}y"

            order = UnicodeAttribute(hash_key=True)
            amount = NumberAttribute()
            code = UnicodeAttribute(null=True)

        self.order, self.product, self.payment = Order, Product, Payment
        self.pm = PolyMicro(idempotency=Idempotency(table=f"{table}i"), cursor_secret="s")

    def served(self, act: Any, *, permissions: Any = MINE, **members: Any) -> Caller:
        """A client of ``/orders``, whose action ``pay`` is ``act``; the tables hold an order and a product."""
        base = {
            "model": self.order,
            "route": "orders",
            "permissions": permissions,
            "pay": action(act) if not hasattr(act, "_polymicro_action") else act,
            "idempotent": ("create", "pay"),
            "calls": {self.product: "UpdateItem", self.payment: "PutItem"},
        }
        resource = type("Orders", (ModelResource, Create, Retrieve, Update, Delete), base | members)
        resource(self.pm)
        client = Caller(self.pm.compile(), user=ALICE)
        create_tables(self.pm)
        order = {"id": {"S": "o1"}, "owner": {"S": "alice"}, "status": {"S": "cart"}, "version": {"N": "1"}}
        dynamodb_call("put_item", TableName=self.order.Meta.table_name, Item=order)
        self.put_product(3)
        return client

    def put_product(self, stock: int, *, active: bool = True) -> None:
        """Another writer's product."""
        item = {"id": {"S": "p1"}, "stock": {"N": str(stock)}, "active": {"BOOL": active}}
        dynamodb_call("put_item", TableName=self.product.Meta.table_name, Item=item)

    def state(self) -> tuple[str, int, int]:
        """The order's status, what is in stock, and how many payments there are."""
        [order] = stored(self.order.Meta.table_name)
        products = stored(self.product.Meta.table_name)
        stock = int(products[0]["stock"]["N"]) if products else -1
        return order["status"]["S"], stock, len(stored(self.payment.Meta.table_name))


@pytest.fixture
def shop(dynamodb: None, table_name: str) -> Shop:
    return Shop(table_name)


UNTOUCHED = ("cart", 3, 0)
PAID = ("paid", 2, 1)


def pay_by(shop: Shop) -> Any:
    """The action of the contract's example."""

    def pay(self: Any, instance: Any) -> Any:
        product = shop.product
        with self.store.transaction() as write:
            write.update(
                instance, {"status": "paid"}, condition=shop.order.status == "cart", otherwise="Paid already."
            )
            write.update(
                Key(product, "p1"),
                {"stock": product.stock - 1},
                condition=product.stock >= 1,
                otherwise=Conflict("Sold out."),
            )
            made = write.create(shop.payment, {"order": instance.id, "amount": 5})
        return {"paid": made.amount}

    return pay


def test_all_writes_are_one_call(shop: Shop) -> None:
    client = shop.served(pay_by(shop))
    with counted() as calls:
        assert client.post("/orders/o1/pay").json == {"paid": 5}
    assert names(calls) == ["GetItem", "TransactWriteItems"]
    assert shop.state() == PAID


def test_the_refused_entry_says_the_error(shop: Shop) -> None:
    client = shop.served(pay_by(shop))
    shop.put_product(0)
    result = client.post("/orders/o1/pay")
    assert_problem(result, 409)
    assert result.json["detail"] == "Sold out."
    shop.put_product(3)
    client.post("/orders/o1/pay").raise_for_status()
    assert client.post("/orders/o1/pay").json["detail"] == "Paid already."
    assert shop.state() == PAID
    dynamodb_call("delete_item", TableName=shop.product.Meta.table_name, Key={"id": {"S": "p1"}})
    client.patch("/orders/o1", json={"status": "cart"}).raise_for_status()
    assert client.post("/orders/o1/pay").json["detail"] == "Sold out."
    shop.put_product(3)
    result = client.post("/orders/o1/pay")  # the payment is there already
    assert_problem(result, 409)
    assert shop.state() == ("cart", 3, 1)


def test_what_the_verb_has_read_is_part_of_it(shop: Shop) -> None:
    def pay(self: Any, instance: Any) -> None:
        if instance.status != "cart":
            raise Conflict("Paid already.")
        with self.store.transaction() as write:
            write.update(instance, {"note": "x"})
            write.create(shop.payment, {"order": instance.id, "amount": 5})

    client = shop.served(pay)

    def other() -> None:
        key, changes = {"id": {"S": "o1"}}, {":s": {"S": "paid"}, ":v": {"N": "77"}}
        dynamodb_call(
            "update_item",
            TableName=shop.order.Meta.table_name,
            Key=key,
            UpdateExpression="SET #s = :s, version = :v",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues=changes,
        )

    with meanwhile(other):
        result = client.post("/orders/o1/pay")
    assert_problem(result, 409)
    assert result.headers["retry-after"]
    assert shop.state() == ("paid", 3, 0)


@pytest.mark.parametrize("rule", [OwnedBy("owner"), "opaque"], ids=["where", "opaque"])
def test_the_routes_own_item_stands_under_its_rule(shop: Shop, rule: Any) -> None:
    class Mine(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return bool(instance.owner == user.uuid)

    def pay(self: Any, instance: Any, req: Any) -> None:
        with self.store.transaction() as write:
            write.update(Key(shop.order, req["id"]), {"note": "taken"})
            write.update(Key(shop.product, "p1"), {"stock": 1})

    client = shop.served(pay, permissions=Mine if rule == "opaque" else rule)
    bobs = {"id": {"S": "b"}, "owner": {"S": "bob"}, "status": {"S": "cart"}, "version": {"N": "1"}}
    dynamodb_call("put_item", TableName=shop.order.Meta.table_name, Item=bobs)
    assert_problem(client.post("/orders/o1/pay", json={"id": "b"}), 404)
    assert_problem(client.post("/orders/o1/pay", json={"id": "none"}), 404)
    assert client.post("/orders/o1/pay", json={"id": "o1"}).status == 204
    assert bobs in stored(shop.order.Meta.table_name)


def test_if_match_is_asked_of_the_item_in_the_path(shop: Shop) -> None:
    client = shop.served(pay_by(shop))
    tag = client.get("/orders/o1").headers["etag"]
    client.patch("/orders/o1", json={"note": "b"}).raise_for_status()
    assert client.post("/orders/o1/pay", headers={"If-Match": tag}).status == 412
    assert shop.state() == UNTOUCHED
    tag = client.get("/orders/o1").headers["etag"]
    assert client.post("/orders/o1/pay", headers={"If-Match": tag}).status == 200


def test_what_the_action_requires_is_part_of_it(shop: Shop) -> None:
    def pay(self: Any, instance: Any) -> None:
        with self.store.transaction() as write:
            write.update(instance, {"status": "paid"})

    client = shop.served(action(requires=shop.order.status == "cart", otherwise="Paid already.")(pay))
    table = shop.order.Meta.table_name
    item = stored(table)[0]
    with meanwhile(lambda: dynamodb_call("put_item", TableName=table, Item=item | {"status": {"S": "gone"}})):
        assert client.post("/orders/o1/pay").json["detail"] == "Paid already."


def test_an_error_in_the_block_writes_nothing(shop: Shop) -> None:
    def pay(self: Any, instance: Any) -> None:
        with self.store.transaction() as write:
            write.update(instance, {"status": "paid"})
            write.create(shop.payment, {"order": "o1", "amount": 1})
            raise NotFound("No.")

    client = shop.served(pay)
    with counted() as calls:
        assert_problem(client.post("/orders/o1/pay"), 404)
    assert names(calls) == ["GetItem"]


def test_nothing_said_is_no_call(shop: Shop) -> None:
    def pay(self: Any, instance: Any) -> None:
        with self.store.transaction():
            pass

    client = shop.served(pay)
    with counted() as calls:
        assert client.post("/orders/o1/pay").status == 204
    assert names(calls) == ["GetItem"]


def test_checks_and_deletes_take_part(shop: Shop) -> None:
    def pay(self: Any, instance: Any) -> None:
        with self.store.transaction() as write:
            write.delete(instance, condition=shop.order.status == "cart")
            write.check(Key(shop.product, "p1"), shop.product.active == True, otherwise="It is off.")  # noqa: E712

    client = shop.served(pay)
    shop.put_product(3, active=False)
    assert client.post("/orders/o1/pay").json["detail"] == "It is off."
    shop.put_product(3)
    with counted() as calls:
        assert client.post("/orders/o1/pay").status == 204
    assert names(calls) == ["GetItem", "TransactWriteItems"]
    assert stored(shop.order.Meta.table_name) == []


def test_unique_values_are_kept_in_it(shop: Shop) -> None:
    def pay(self: Any, instance: Any, req: Any) -> None:
        with self.store.transaction() as write:
            write.update(instance, {"note": req["note"]})
            if "new" in req:
                write.create(shop.order, {"id": req["new"], "owner": "alice", "note": req["note"] + "!"})

    client = shop.served(pay, unique=("note",))
    assert client.post("/orders/o1/pay", json={"note": "a", "new": "o2"}).status == 204
    assert_problem(client.post("/orders", json={"id": "o3", "note": "a!"}), 409, "#/note")
    assert_problem(client.post("/orders/o2/pay", json={"note": "a"}), 409, "#/note")
    assert client.post("/orders/o1/pay", json={"note": "b"}).status == 204
    assert client.post("/orders/o2/pay", json={"note": "a"}).status == 204


def test_what_it_has_written_is_read_again_where_it_is_shown(shop: Shop) -> None:
    def pay(self: Any, instance: Any, req: Any) -> Any:
        assert instance.status == "cart"
        with self.store.transaction() as write:
            write.update(instance, {"status": "paid"})
        return {"order": instance, "note": instance.note} if req else instance

    client = shop.served(pay)
    with counted() as calls:
        result = client.post("/orders/o1/pay")
    assert (result.json["status"], result.json["id"]) == ("paid", "o1")
    assert names(calls) == ["GetItem", "TransactWriteItems", "GetItem"]
    assert result.headers["etag"] == client.get("/orders/o1").headers["etag"]
    client.patch("/orders/o1", json={"status": "cart"}).raise_for_status()
    assert client.post("/orders/o1/pay", json={"in": "other JSON"}).json["order"]["status"] == "paid"


BAD = {
    "two actions on one item": lambda s, w, i: (w.update(i, {"note": "a"}), w.delete(Key(s.order, "o1"))),
    "101 actions": lambda s, w, i: [w.update(Key(s.product, f"p{n}"), {"stock": 1}) for n in range(101)],
    "another model's condition": lambda s, w, i: w.update(i, {"note": "a"}, condition=s.product.stock == 3),
    "another model's expression": lambda s, w, i: w.update(i, {"note": s.product.id | "x"}),
    "no condition": lambda s, w, i: w.check(i, None),
    "no model": lambda s, w, i: w.update("o1", {"note": "a"}),
    "an instance to create": lambda s, w, i: w.create(s.payment("1"), {}),
    "values that are an instance": lambda s, w, i: w.create(s.payment, s.payment("1")),
    "unknown attribute": lambda s, w, i: w.update(i, {"nota": "a"}),
    "missing attribute": lambda s, w, i: w.create(s.payment, {"order": "1"}),
    "otherwise": lambda s, w, i: w.update(i, {"note": "a"}, otherwise=5),
    "key too long": lambda s, w, i: w.update(Key(s.product, "p" * 2049), {"stock": 1}),
    "empty key": lambda s, w, i: w.update(Key(s.product, ""), {"stock": 1}),
    "key of another type": lambda s, w, i: w.update(Key(s.product, 5), {"stock": 1}),
    "two keys": lambda s, w, i: w.update(Key(s.product, "a", "b"), {"stock": 1}),
    "key by another name": lambda s, w, i: w.update(Key(s.product, uuid="a"), {"stock": 1}),
    "key of no model": lambda s, w, i: w.update(Key("product", "a"), {"stock": 1}),
    "4 MB": lambda s, w, i: [
        w.create(s.payment, {"order": str(n), "amount": 1, "code": "x" * 390_000}) for n in range(12)
    ],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_input_is_refused_before_the_call(shop: Shop, bad: Any) -> None:
    seen: list[PolymicroError] = []

    def pay(self: Any, instance: Any) -> None:
        try:
            with self.store.transaction() as write:
                bad(shop, write, instance)
        except (PolymicroError, TypeError) as error:
            seen.append(error)  # type: ignore[arg-type]
            raise

    client = shop.served(pay)
    with counted() as calls:
        assert client.post("/orders/o1/pay").status >= 400
    assert names(calls) == ["GetItem"]
    assert str(seen[0])


def test_a_number_however_written_is_one_key(dynamodb: None, table_name: str) -> None:
    class Seat(Model):
        class Meta:
            pass

        row = NumberAttribute(hash_key=True)

    Seat.Meta.table_name = table_name  # type: ignore[attr-defined]
    pm = PolyMicro()
    base = {"model": Seat, "route": "seats", "permissions": AllowAny}
    type("Seats", (ModelResource, Create), base)(pm)
    pm.compile()

    def both() -> None:
        with pm.transaction() as write:
            write.delete(Key(Seat, 1))
            write.delete(Key(Seat, 1.0))

    with counted() as calls, pytest.raises(Conflict, match="twice"):
        both()
    assert calls == []


def test_writes_past_the_block_are_refused(shop: Shop) -> None:
    def pay(self: Any, instance: Any, req: Any) -> None:
        with self.store.transaction() as write:
            if req["how"] == "inside":
                self.store.update(instance, {"status": "paid"})
            if req["how"] == "create":
                self.store.create({"id": "o2", "owner": "alice"})
            if req["how"] == "delete":
                self.store.delete(instance)
            if req["how"] == "nested":
                with self.store.transaction():
                    pass
            write.update(instance, {"note": "in"})
        if req["how"] == "after":
            write.update(instance, {"status": "paid"})

    client = shop.served(pay)
    for how in ("inside", "create", "delete", "nested"):
        assert_problem(client.post("/orders/o1/pay", json={"how": how}), 500)
        assert "note" not in stored(shop.order.Meta.table_name)[0]
    assert_problem(client.post("/orders/o1/pay", json={"how": "after"}), 500)
    assert shop.state()[0] == "cart"


# --- answers that get lost --------------------------------------------------------------------------

HUNG_UP = ConnectionClosedError(endpoint_url="x")
ON = frozenset({"TransactWriteItems"})


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "k1"}, {}], ids=["record", "new item"])
def test_an_answer_that_got_lost_is_found_out(shop: Shop, headers: dict[str, str]) -> None:
    client = shop.served(pay_by(shop))

    def lose_all(operation: str, parameters: Any, call: Any) -> Any:
        if operation not in ON:
            return call()
        call()
        raise HUNG_UP

    with watched(lose_all):
        result = client.post("/orders/o1/pay", headers=headers)
    assert result.json == {"paid": 5}
    assert shop.state() == PAID


def test_without_a_proof_the_outcome_stays_open(shop: Shop) -> None:
    client = shop.served(pay_by(shop))
    with failing(HUNG_UP, on=ON):
        assert_problem(client.post("/orders/o1/pay"), 503)
    assert shop.state() == UNTOUCHED


def test_a_conflict_with_another_transaction_is_tried_again(shop: Shop) -> None:
    client = shop.served(pay_by(shop))
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}]
    answer = {
        "Error": {"Code": "TransactionCanceledException", "Message": "x"},
        "CancellationReasons": reasons,
    }
    left = [ClientError(answer, "TransactWriteItems")] * 2  # type: ignore[arg-type]

    def conflicting(operation: str, parameters: Any, call: Any) -> Any:
        if operation in ON and left:
            raise left.pop()
        return call()

    with watched(conflicting):
        assert client.post("/orders/o1/pay").status == 200
    left += [ClientError(answer, "TransactWriteItems")] * 3  # type: ignore[arg-type]
    client.patch("/orders/o1", json={"status": "cart"}).raise_for_status()
    with watched(conflicting):
        result = client.post("/orders/o1/pay")
    assert_problem(result, 409)
    assert result.headers["retry-after"]


# --- with an Idempotency-Key ------------------------------------------------------------------------


def test_a_repeated_request_does_it_once(shop: Shop) -> None:
    client = shop.served(pay_by(shop))
    key = {"Idempotency-Key": "k1"}
    with counted() as calls:
        first = client.post("/orders/o1/pay", headers=key)
    assert names(calls).count("TransactWriteItems") == 1
    again = client.post("/orders/o1/pay", headers=key)
    assert (again.json, again.headers["idempotency-replayed"]) == (first.json, "true")
    assert shop.state() == PAID


def test_what_was_broken_off_after_the_transaction_is_not_done_again(shop: Shop) -> None:
    runs: list[int] = []

    def pay(self: Any, instance: Any) -> Any:
        runs.append(1)
        with self.store.transaction() as write:
            write.update(Key(shop.product, "p1"), {"stock": shop.product.stock - 1})
            made = write.create(shop.payment, {"order": f"o{len(runs)}", "amount": len(runs)})
        if len(runs) == 1:
            raise Conflict("broken off")
        return {"amount": made.amount}

    client = shop.served(pay)
    key = {"Idempotency-Key": "k1"}
    assert_problem(client.post("/orders/o1/pay", headers=key), 409)
    assert client.post("/orders/o1/pay", headers=key).json == {"amount": 1}
    assert shop.state() == ("cart", 2, 1)
    assert len(runs) == 2


# --- outside of a request ---------------------------------------------------------------------------


def test_the_app_has_transactions_of_its_own(shop: Shop) -> None:
    shop.served(pay_by(shop))
    with counted() as calls, shop.pm.transaction() as write:
        write.update(Key(shop.order, "o1"), {"status": "paid"}, condition=shop.order.status == "cart")
        write.create(shop.payment, {"order": "o1", "amount": 5})
    assert names(calls) == ["TransactWriteItems"]
    with pytest.raises(Conflict, match="Sold out"), shop.pm.transaction() as write:
        write.update(
            Key(shop.product, "p1"),
            {"stock": shop.product.stock - 9},
            condition=shop.product.stock > 8,
            otherwise="Sold out",
        )
    with pytest.raises(Conflict), shop.pm.transaction() as write:
        write.delete(Key(shop.order, "none"))
    assert shop.state() == ("paid", 3, 1)


def test_it_comes_after_compile() -> None:
    with pytest.raises(ConfigurationError, match="compile"):
        PolyMicro().transaction()


def test_a_model_that_is_none_of_the_apps_has_no_prefix(dynamodb: None, table_name: str, shop: Shop) -> None:
    def pay(self: Any, instance: Any) -> None:
        with self.store.transaction() as write:
            write.create(shop.payment, {"order": "1", "amount": 1})

    base = {"model": shop.order, "route": "orders", "permissions": OwnedBy("owner"), "pay": action(pay)}
    pm = PolyMicro(table_prefix="stage-")
    type("Orders", (ModelResource, Create, Retrieve), base)(pm)
    client = Caller(pm.compile(), user=User("alice"))
    create_tables(pm)
    client.post("/orders", json={"id": "o1"}).raise_for_status()
    with counted() as calls:
        assert_problem(client.post("/orders/o1/pay"), 500)
    assert names(calls) == ["GetItem"]
