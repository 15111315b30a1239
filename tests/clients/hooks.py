"""What Schemathesis does to its cases before it sends them; it runs this in its own environment.

Only cases that are meant to be taken are changed, and only in what no schema can say.
"""

import os
from datetime import datetime
from decimal import ROUND_DOWN, Context
from secrets import token_hex
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from schemathesis import Case, GenerationMode, HookContext

TINY, HUGE = 1e-130, 1e37
"""The smallest magnitude that DynamoDB keeps; the largest that moto can list: to it zeros are digits."""
DIGITS = Context(prec=15, rounding=ROUND_DOWN)
"""What every reader of JSON keeps of a number, where the API refuses what it would have to round; the largest
would be rounded up to infinity."""
HEADERS = {"Authorization": f"Bearer {os.environ['TOKEN']}"}


@schemathesis.hook
def before_call(_: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Change what is meant to be taken, and let nothing be deleted that is needed later."""
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        mend(case)
    if case.method == "DELETE" and case.operation.path.startswith("/api/articles/"):
        spare(case)


def mend(case: Case) -> None:
    """Give it numbers that can be stored, bounds in their order, a cursor of the API's own, somebody who is there."""
    for part, right in {"body": storable, "query": ordered}.items():
        said = getattr(case, part)
        mended = right(said)
        if repr(mended) != repr(said):  # an assignment, even of the same, makes it judge the case anew
            setattr(case, part, mended)
    if case.operation.path.endswith("/assign") and len(case.body["assignee"] or "") == 1:
        case.body = {"assignee": os.environ["MEMBER"]}  # of longer names none is a member's: 422
    if case.operation.path.startswith("/invitations/{project}"):
        case.path_parameters = {"project": invited()}
    shop(case)
    conduit(case)
    if case.query and case.query.pop("pagination_key", None) is not None:
        key = cursor(case)
        case.query |= {"pagination_key": key} if key else {}


def storable(value: Any) -> Any:
    """The value with its numbers as the engine and all readers of JSON keep them: 15 digits, not too many zeros.

    And 2 in the place of 2.0, which marshmallow's strict integers refuse.
    """
    if isinstance(value, dict):
        return {name: storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    rounded = type(value)(DIGITS.create_decimal(value))
    if not TINY <= abs(rounded) < HUGE:
        return 0
    return int(rounded) if rounded == int(rounded) else rounded


def ordered(query: Any) -> Any:
    """The query with the earlier of two moments first: the API refuses bounds that nothing is between."""
    between = {name: pair for name, pair in (query or {}).items() if name.endswith("__between")}
    return query and {**storable(query), **{name: sorted(pair, key=moment) for name, pair in between.items()}}


def moment(text: str) -> datetime:
    """What RFC 3339 says, which takes small letters too."""
    return datetime.fromisoformat(text.upper())


def cursor(case: Case) -> str | None:
    """Where the second page of this very list begins, None where there is none."""
    sent = case.as_transport_kwargs(base_url=os.environ["API"])
    query = {**(sent.get("params") or {}), "limit": 1}
    response = requests.get(sent["url"], params=query, headers=HEADERS, timeout=20)
    return response.json().get("pagination_key") if response.ok else None


def invited() -> str:
    """A new project of somebody else's, to which who asks is invited: an invitation is gone once it is answered."""
    headers, url = {"Authorization": f"Bearer {os.environ['OTHER']}"}, f"{os.environ['API']}/projects"
    made = requests.post(url, json={"name": "a"}, headers=headers, timeout=20).json()
    body = {"user": "alice", "role": "member"}
    requests.post(f"{url}/{made['project']}/invitations", json=body, headers=headers, timeout=20)
    return str(made["project"])


# --- the shop ----------------------------------------------------------------------------------------------------

THERE = {"category": "CATEGORY", "product": "PRODUCT"}
"""Members of bodies -> the variable that has the key of one that is there."""


def shop(case: Case) -> None:
    """Name a category and a product that are there, keys that nobody has sent before, orders as they have to be."""
    path, changes = case.operation.path, case.method not in ("GET", "DELETE")
    if isinstance(case.body, dict) and THERE.keys() & case.body:
        case.body = {name: os.environ.get(THERE.get(name, ""), value) for name, value in case.body.items()}
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers = {**case.headers, "Idempotency-Key": str(uuid4())}
    if case.method == "GET" and (
        path == "/orders" or "sort" in (case.query or {})
    ):  # no document can say this
        needed = {"/orders": {"customer": "sue"}, "/staff/products": {"category": "tea"}}.get(path, {})
        case.query = {**(case.query or {}), **needed}
    if path.startswith("/orders/{customer}/{id}") and changes:
        case.path_parameters = {**case.path_parameters, "id": order(paid=path.endswith("/ship"))}
    if path == "/products/{id}/restore":
        product = asked("POST", "/products", PRODUCT)["id"]
        asked("DELETE", f"/products/{product}")
        case.path_parameters = {"id": product}


PRODUCT = {"category": "tea", "name": "a", "price": "1.00", "stock": 1}


def order(*, paid: bool) -> str:
    """A new order with one product in it, as what is paid or cancelled is no cart any more."""
    address = dict.fromkeys(("name", "street", "postcode", "city"), "a")
    made: str = asked("POST", "/orders", {"address": address})["id"]
    asked(
        "PUT",
        f"/orders/sue/{made}/lines",
        {"product": asked("POST", "/products", PRODUCT)["id"], "quantity": 1},
    )
    if paid:
        asked("POST", f"/orders/sue/{made}/pay")
    return made


def asked(method: str, path: str, body: Any = None) -> Any:
    """What a request is answered with."""
    response = requests.request(method, f"{os.environ['API']}{path}", json=body, headers=HEADERS, timeout=20)
    return response.json() if response.content else None


# --- Conduit -----------------------------------------------------------------------------------------------------


def conduit(case: Case) -> None:
    """Take names that nobody has, name a comment that is there, log in as somebody who is, ask for one thing."""
    path = case.operation.path
    if path in ("/api/user", "/api/users") and isinstance(case.body, dict):
        fresh = {"username": token_hex(8), "email": f"{token_hex(8)}@example.com"}
        case.body = {"user": {name: fresh.get(name, value) for name, value in case.body["user"].items()}}
    if path == "/api/users/login":
        case.body = {"user": {"email": "max@example.com", "password": "secret"}}
    if path == "/api/articles" and case.query:
        several = [name for name in ("tag", "author", "favorited") if name in case.query][1:]
        case.query = {name: value for name, value in case.query.items() if name not in several}
    if path == "/api/articles/{slug}/comments/{id}":
        case.path_parameters = {"slug": os.environ["ARTICLE"], "id": os.environ["COMMENT"]}


def spare(case: Case) -> None:
    """Delete a new article or comment in the place of that which other operations need, whatever its slug by now."""
    said, kept = case.path_parameters or {}, os.environ["ARTICLE"]
    if case.operation.path == "/api/articles/{slug}/comments/{id}":
        if str(said.get("id")) == os.environ["COMMENT"]:
            new = asked("POST", f"/api/articles/{kept}/comments", {"comment": {"body": "a"}})
            case.path_parameters = {"slug": kept, "id": new["comment"]["id"]}
    elif case.operation.path.endswith("/{slug}") and str(said.get("slug")).endswith(kept.rpartition("-")[2]):
        new = asked(
            "POST", "/api/articles", {"article": dict.fromkeys(("title", "description", "body"), "a")}
        )
        case.path_parameters = {"slug": new["article"]["slug"]}
