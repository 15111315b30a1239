"""What each request costs: its DynamoDB calls, which are those that the template's policy grants."""

from shop.app import pm
from shops import made, recorded

from polymicro_lambda.deploy.iam_policy import grants

JSON = {"Content-Type": "application/json"}
CART, PRODUCT = "/orders/{o}", "/products/{p}"

COSTS = {
    ("nobody", "GET", "/categories", None): ["Scan"],
    ("nobody", "GET", "/products?category=tea", None): ["Query"],
    ("nobody", "GET", PRODUCT, None): ["GetItem"],
    ("nobody", "GET", PRODUCT + "?embed=category", None): ["GetItem", "BatchGetItem"],
    ("staff", "POST", "/products", '{"category": "tea", "name": "x", "price": "1"}'): ["GetItem", "PutItem"],
    ("staff", "PATCH", PRODUCT, '{"price": "2"}'): ["GetItem", "GetItem", "UpdateItem"],
    ("staff", "POST", PRODUCT + "/restock", '{"quantity": 1}'): ["GetItem", "UpdateItem"],
    ("staff", "POST", PRODUCT + "/picture", '{"type": "image/png"}'): ["GetItem"],
    ("staff", "DELETE", PRODUCT, None): ["UpdateItem"],
    ("staff", "GET", "/staff/products?category=tea", None): ["Query"],
    ("staff", "PUT", "/customers/sue", '{"email": "sue@example.com", "name": "Sue"}'): [
        "GetItem",
        "TransactWriteItems",
    ],
    ("staff", "GET", "/customers/sue", None): ["GetItem"],
    ("staff", "PATCH", "/customers/sue", '{"name": "Susan"}'): ["GetItem", "UpdateItem"],
    ("customer", "POST", "/orders", "{}"): ["PutItem"],
    ("customer", "PUT", CART + "/lines", '{"product": "{p}", "quantity": 2}'): [
        "GetItem",
        "BatchGetItem",
        "UpdateItem",
    ],
    ("customer", "PATCH", CART, '{"address": {"city": "x"}}'): ["GetItem", "UpdateItem"],
    ("customer", "PATCH", CART, '{"gift": true}'): ["UpdateItem"],
    ("customer", "POST", CART + "/pay", None): ["GetItem", "TransactWriteItems"],
    ("another", "GET", "/orders", None): ["Query"],
    ("customer", "GET", CART + "?embed=customer,payment", None): ["GetItem", "BatchGetItem"],
    ("staff", "GET", "/orders?status=paid&embed=customer", None): ["Query", "BatchGetItem"],
    ("staff", "POST", CART + "/ship", None): ["GetItem", "UpdateItem"],
    ("customer", "POST", CART + "/cancel", None): ["GetItem", "BatchGetItem", "TransactWriteItems"],
}
"""``ship`` and ``cancel`` are of an order that is paid."""


def test_each_request_makes_these_calls(world):
    """No more, and each of them is one that the template's policy grants."""
    granted = {grant for route in pm.routes for grant in grants(route)}
    done = {}
    for who, method, path, body in COSTS:
        shop = made(world.client)
        if path.endswith(("/ship", "/cancel")):
            shop.ok("customer", "POST", CART + "/pay")
        body_now = body and body.replace("{p}", shop.product)
        with recorded() as calls:
            result = shop.ask(who, method, path, body=body_now, headers=JSON if body else {})
        assert result.status < 300, result.text
        done[who, method, path, body] = [operation for operation, _ in calls]
        assert {one for call in calls for one in places(*call)} <= {
            (g.table, g.index, g.operation) for g in granted
        }
    assert done == COSTS


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
    return [(table, parameters.get("IndexName", ""), operation) for table in tables]
